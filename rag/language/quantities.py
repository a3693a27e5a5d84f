"""Numbers in sentences: their value, their unit, and whether each says how much something is or by how much it changed.

"18.2%" may be a success rate or the margin by which one was beaten; a sentence that takes one for the other is wrong
though every digit in it is right. Plain text in; knows no papers, vectors or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.language.terms import STOP_WORDS, words
from rag.language.units import SPANS, unit_of

NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100",
}  # fmt: skip
_TIMES = {
    "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000,
    "b": 1_000_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000,
}  # fmt: skip
# "1·5" is a decimal but for "2·10^6"; ".78" one but for "v.2", "Fig.3", "[4].5" and "...6".
_NUMBER = re.compile(
    r"(?P<value>(?<![\d.,·])\d+·(?!10\^)\d+(?![\d·]|[.,]\d)|(?<![\w.)\]}\"”’'])\.\d+(?!\.?\d)"
    r"|\d+(?:[.,]\d+)*)"
    r"(?:(?P<scale>[kKMB])(?![A-Za-z])|[ -](?P<scale_word>thousand|million|billion|trillion)\b)?"
    r"(?:[ \u00a0\u2009\u202f+-]{0,2}(?P<unit>%|×|°|mm Hg\b|[A-Za-zµμΩ]++(?![\d^])))?"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_BELOW_100 = (
    rf"(?:(?:{_TENS})[\s-](?:one|two|three|four|five|six|seven|eight|nine)(?!\w)"
    rf"|(?:{'|'.join(NUMBER_WORDS.keys() - {'hundred'})})(?!\w))"
)
# "two hundred five-second clips" are 200 of 5 s, "one hundred two hundred" are two numbers.
_JOINED = r"(?:\s+and\s+{0}|[\s-]{0}(?!-[a-z]))(?![\s-]hundred)"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}[\s-])?hundred(?!\w)(?:{_JOINED.format(_BELOW_100)})?|{_BELOW_100})"
_SPELLED = re.compile(
    rf"\b(?=[efhnost])(?:(?<![\w-])|{'|'.join(f'(?<={word}-)' for word in NUMBER_WORDS)}){_BELOW_1000}"
    rf"(?:[\s-](?:thousand|million|billion|trillion)(?!\w)(?:{_JOINED.format(_BELOW_1000)})?)*",
    re.IGNORECASE,
)
_ZERO = re.compile(r"(?<![\w-])zero(?![\w/-])", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:(?P<floor>\b(?:no (?:fewer|less) than|more than|greater than|at least|over|above|exceed(?:s|ed|ing)?)|[>≥])"
    r"|(?P<ceiling>\b(?:no more than|(?:fewer|less|lower) than|at most|under|below)|[<≤])"
    r"|(?P<reach>\bup to))\s*(?:an? )?[$€£]?\s*$",
    re.IGNORECASE,
)
_CURRENCIES = {"$": "$", "€": "€", "£": "£", "dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "usd": "$"}
_CURRENCY_AFTER = re.compile(r"\s*(?:\w+illion )?(dollars?|euros?|usd)\b", re.IGNORECASE)
_MINUS = re.compile(r"(?<![\w.,)\]%°-])(?:[-−]|minus )$", re.IGNORECASE)
ENDS = "|".join(sorted(STOP_WORDS | NUMBER_WORDS.keys() | {"at", "per", "using", "via"}))
_MAY_BE_UNIT = re.compile(rf"(?!\+|[ -]?(?!(?:{ENDS})\b)[a-z])")
_NAME = re.compile(r"(?<!\w)[A-Za-z]+\d\w*")
_SPELLED_NAME = re.compile(r"(?<!\w)([A-Za-z]+)[\s-]*(\d\w*)")
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_ON_LINE = str.maketrans(f"{_SUBSCRIPTS}{_SUPERSCRIPTS}⁻⁺", "01234567890123456789-+")
_LOWERED = re.compile(rf"(?<=[^\W\d_])[{_SUBSCRIPTS}]+")
_RAISED = re.compile(rf"(?<=[^\W\d_])[{_SUPERSCRIPTS}]+")
_POWER = re.compile(rf"(?<=\d)[⁻⁺]?[{_SUPERSCRIPTS}]+")
_FOLD = re.compile(rf"\b({'|'.join(NUMBER_WORDS)})(?=fold\b)", re.IGNORECASE)
_DOZEN = re.compile(r"\b(?:(?:a|one) )?dozen\b", re.IGNORECASE)
_COUNTED_BEFORE = re.compile(rf"(?:\d|\b(?:{'|'.join(NUMBER_WORDS)}|half|several|few))[\s-]$", re.IGNORECASE)
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\w.,]*\d)")
"""Thousands apart, as medical journals write them: "12 345"."""
_NUMBERED = re.compile(
    r"\b(?:phase|type|grade|stage|step|level|class|version|part|group|arm|site|table|figure|fig\.|day|week|month"
    r"|year)s? $",
    re.IGNORECASE,
)
"""What a number of its own may stand behind: "phase 2 300 patients"."""
_IN_A_ROW = re.compile(r"(?<![\w.,])\d{1,2}(?:,\d{1,2}){2,}(?![\w,]|\.\d)")
"""Several numbers: "1,2,3". Two of them may be a decimal comma."""
_BRACKETED = re.compile(r"(?<=[A-Za-z])\((\d{1,2}(?:\.\d)?)\)")
UP = (
    r"higher|more|greater|larger|bigger|better|faster|longer|stronger|heavier|wider|increas\w*|improv\w*|gain\w*"
    r"|boost\w*|rais\w*|rise\w*|rising|rose|outperform\w*|outpac\w*|surpass\w*|exceed\w*|speed-?ups?|speeded|sped"
    r"|up|enhanc\w*|accelerat\w*|grow\w*|grew|fold|beat\w*|ahead|climb(?:s|ed|ing)?|jump(?:s|ed)?|soar(?:s|ed|ing)?"
    r"|surg(?:e|es|ed|ing)|lengthen\w*|prolong\w*|extend(?:s|ed|ing)?|expand(?:s|ed|ing)?|widen\w*|broaden\w*|strengthen\w*|heighten\w*"
    r"|elevat(?:e|es|ed|ing)|escalat\w*|intensif\w*|amplif\w*"
)
DOWN = (
    r"lower\w*|less|fewer|smaller|cheaper|slower|shorter|weaker|worse|lighter|narrower|reduc\w*|decreas\w*|drop\w*"
    r"|fall\w*|fell|cut\w*|sav\w+|shrink\w*|shrank|shrunk\w*|declin\w*|down|below|behind|loss|lost|los(?:e|es|ing|ses)"
    r"|slow(?:s|ed|ing)|shorten\w*|attenuat\w*|diminish\w*|lessen\w*|narrow(?:s|ed|ing)|weaken\w*|worsen\w*|degrad\w*"
    r"|deteriorat\w*|dip(?:s|ped)?|plummet\w*|plung(?:es?|ed|ing)|s[au]nk|dwindl\w*|deplet\w*|decay(?:s|ed)"
    r"|suppress(?:es|ed|ing)?|inhibit(?:s|ed|ing)?|mitigat\w*|curtail\w*|trim(?:s|med)|slash\w*|lag(?:s|ged)?"
    r"|underperform\w*"
)
_CHANGE = re.compile(rf"\b(?:{UP}|{DOWN}|differ\w*|margin\w*|from)\b|[+>×]|\d[xX]\b", re.IGNORECASE)
_COMPARED = re.compile(
    r"^\W{0,2}(?:times |x |percent )?(?:\w+ )?(?:higher|more|greater|larger|bigger|better|faster|longer|stronger|lower"
    r"|less|fewer|smaller|cheaper|slower|shorter|weaker|worse)\b",
    re.IGNORECASE,
)
_ROUGHLY = r"up to|about|around|approximately|roughly|an average of|on average|over|more than|a"
_BY = re.compile(rf"\bby (?:(?:{_ROUGHLY}) ){{0,2}}$")
_PARTICIPLE = re.compile(
    r"\b(?:\w{2,}(?<!e)ed|done|made|given|taken|seen|shown|known|led|written|chosen|driven|found) $", re.IGNORECASE
)
_OF_DIFFERENCES = ("%", "times")
_NEAR = 60
"""Characters around a number in which a word of change speaks of it."""
_SAID_ONCE = 300
"""Characters before a number after "by" in which such a word may stand, once for several: "A fell by 3%, B by 4%"."""
_SENTENCE_END = re.compile(r"[.!?] +(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text. `value`: plain digits, "24,000" and "24k" are "24000"; `unit`: "" where none is known.

    `is_change`: it says by how much ("by 3%", "3% cheaper"). `may_be_change`: a word of change stands near it.
    `is_name`: it is part of a name ("GPT4", "SC2LE"). `bound`: "floor" ("more than"), "ceiling" ("at most"), "reach"
    ("up to"), "during" (what "over" may mean with a span of time) or ""; `currency`: its sign or ""; `is_negative`: a
    minus stands before it. `letter`: "K", "M" or "B" behind it, be it thousands or kelvin; `other_value`: what it is
    where the letter means that, "" where it cannot.
    """

    value: str
    unit: str
    is_change: bool
    may_be_change: bool
    is_name: bool
    bound: str = ""
    currency: str = ""
    is_negative: bool = False
    letter: str = ""
    other_value: str = ""


def quantities(text: str) -> Iterator[Quantity]:
    """The numbers of `text` that are written in digits, in order."""
    text = on_line(text)
    for match, value, is_name in written(text):
        unit = _unit(match)
        before = text[max(0, match.start() - _NEAR) : match.start()]
        after = text[match.end("value") : match.end() + _NEAR]
        rest = after[len(match["scale"] or "") :].lstrip("%x×+ ")
        may_be_change = _CHANGE.search(f"{before}{text[match.start() : match.end() + _NEAR]}") is not None
        led = _SENTENCE_END.split(text[max(0, match.start() - _SAID_ONCE) : match.start()])[-1]
        is_change = _is_by(led, unit) or (unit in _OF_DIFFERENCES and _COMPARED.match(rest) is not None)
        signed = text[max(0, match.start() - 7) : match.start()]
        is_negative = _MINUS.search(signed) is not None
        yield Quantity(
            value,
            unit,
            is_change,
            is_change or may_be_change or is_negative,
            is_name,
            bound=_bound(before, unit),
            currency=_currency(signed, after),
            is_negative=is_negative,
            letter=_letter(match),
            other_value=_other_value(match),
        )


def _unit(match: re.Match[str]) -> str:
    is_apart = match.start("unit") > match.end("value")  # "GPT-4V", "3d", "1.4T" and "the 90s" have no unit
    return unit_of(match["unit"] or "", is_letter=is_apart)


def _is_by(before: str, unit: str) -> bool:
    """Whether it is by how much something changed: not "by 2023", "3 by 3" or "followed by 12 weeks"."""
    found = _BY.search(before)
    if not found:
        return False
    led = before[: found.start()]
    if done := _PARTICIPLE.search(led):
        return _CHANGE.search(done[0]) is not None
    return unit in _OF_DIFFERENCES or _CHANGE.search(led) is not None


def _bound(before: str, unit: str) -> str:
    found = _BOUND.search(before)
    if found and unit in SPANS and found["floor"] and found["floor"].casefold() == "over":
        return "during"
    return str(found.lastgroup) if found else ""


def _letter(match: re.Match[str]) -> str:
    letter = match["scale"] or match["unit"] or ""
    return letter if letter in ("K", "M", "B") else ""


def _other_value(match: re.Match[str]) -> str:
    """The value of "77K" as 77 kelvin, or of "7 B" as billions; "" where the letter behind it means one thing."""
    letter = _letter(match)
    if not match["scale"]:
        is_apart = match.string[match.end("value") : match.start("unit")] == " " if letter else False
        return _plain(match["value"], _TIMES[letter.casefold()]) if is_apart else ""
    may_be_unit = letter in ("K", "M") and _MAY_BE_UNIT.match(match.string, match.end("scale"))
    is_money = match.string[match.start() - 1 : match.start()] in _CURRENCIES
    return _plain(match["value"], 1) if may_be_unit and not is_money else ""


def _currency(before: str, after: str) -> str:
    sign = before.rstrip()[-1:]
    named = _CURRENCY_AFTER.match(after)
    return _CURRENCIES.get(sign) or _CURRENCIES.get(named[1].casefold() if named else "", "")


def written(text: str) -> Iterator[tuple[re.Match[str], str, bool]]:
    """Each number written in digits: where it stands, its value, and whether it is part of a name."""
    in_names = {place for name in _NAME.finditer(text) for place in range(*name.span())}
    for match in _NUMBER.finditer(text):
        scale = (match["scale"] or match["scale_word"] or "").casefold()
        yield match, _plain(match["value"], _TIMES.get(scale, 1)), match.start() in in_names


def numbers_in(text: str, *, with_one: bool = True, in_names: bool = True) -> frozenset[str]:
    """Numbers in `text` as plain digits, number words too: "24k" is 24000, "three" is 3, ".60" and "0·6" are 0.6.

    `with_one`: whether the words "one" and "zero" count; their digits always do. `in_names`: whether all that may be
    meant counts, as of a source: the 2 of "SC2LE", and "77K" both as thousands and as kelvin (see `misread`).
    """
    text = on_line(text)
    found = {value for _, value, is_name in written(text) if in_names or not is_name}
    if in_names:
        found.update(filter(None, (_other_value(match) for match, _, _ in written(text))))
        found.update(_thousands(text))
        found.update(_plain(one, 1) for match in _IN_A_ROW.finditer(text) for one in match[0].split(","))
    found.update(value for _, value in spelled(text) if with_one or value != "1")
    if with_one and _ZERO.search(text):
        found.add("0")
    return frozenset(found)


def _thousands(text: str) -> Iterator[str]:
    """The values of numbers whose thousands stand apart."""
    for match in _GROUPED.finditer(text):
        if not _NUMBERED.search(text[: match.start()]):
            yield re.sub(r"\D", "", match[0])


def spelled(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each number written in words: "twenty-five" is 25, "one hundred and twenty" 120, "two thousand" 2000."""
    for match in _SPELLED.finditer(text):
        is_range = text[: match.start()].casefold().endswith("between ")
        for number in re.split(r"\sand\s", match[0]) if is_range else [match[0]]:
            yield match, str(_spelled_value(number))


def _spelled_value(number: str) -> int:
    total = part = 0
    for word in words(number):
        if word in _TIMES:
            total, part = total + part * _TIMES[word], 0
        elif word == "hundred":
            part = (part or 1) * 100
        elif word != "and":
            part += int(NUMBER_WORDS[word])
    return total + part


def missing_names(text: str, source: str) -> tuple[str, ...]:
    """Names with a number in them ("GPT4", "SC2LE") that `text` has and `source` has not; "GPT-4" is "GPT4".

    `source` has "CO2" where it says "CO₂" or "CO(2)", and "R2" where it says "R²".
    """
    text = _LOWERED.sub(_plain_digits, text)  # raised ones may be a power or a footnote
    source = _BRACKETED.sub(r"\1", on_line(source))
    known = {f"{letters}{rest}".casefold() for letters, rest in _SPELLED_NAME.findall(source)}
    known.update(name.casefold() for name in _NAME.findall(source))
    return tuple(name for name in dict.fromkeys(_NAME.findall(text)) if name.casefold() not in known)


def on_line(text: str) -> str:
    """`text` with lowered and raised digits on the line ("CO₂" is "CO2", "10⁻³" is "10^-3"), and with "threefold" as
    "three-fold" and "a dozen" as "twelve".
    """
    text = _DOZEN.sub(_twelve, _FOLD.sub(r"\1-", text))
    text = _RAISED.sub(_plain_digits, _LOWERED.sub(_plain_digits, text))
    return _POWER.sub(lambda match: f"^{_plain_digits(match)}", text)


def _twelve(dozen: re.Match[str]) -> str:
    return dozen[0] if _COUNTED_BEFORE.search(dozen.string[: dozen.start()]) else "twelve"


def _plain_digits(match: re.Match[str]) -> str:
    return match[0].translate(_ON_LINE)


def _plain(digits: str, times: int) -> str:
    plain = re.sub(r",(?=\d{3}\b)", "", digits).replace(",", ".").replace("·", ".")
    plain = f"0{plain}" if plain.startswith(".") else plain
    if plain.count(".") > 1:  # a version or an address: "2.5.1"
        return plain
    if times > 1:
        plain = f"{float(plain) * times:.6f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
