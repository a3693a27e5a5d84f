"""Numbers in sentences: their value, their unit, and whether each says how much something is or by how much it changed.

"18.2%" may be a success rate or the margin by which one was beaten; a sentence that takes one for the other is wrong
though every digit in it is right. Plain text in; knows no papers, vectors or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.keywords import words

NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
_TIMES = {
    "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000,
    "b": 1_000_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000,
}  # fmt: skip
_UNITS = {
    "%": "%", "percent": "%", "x": "times", "×": "times", "times": "times", "fold": "times",
    **{f"{unit}{s}": unit for unit in ("second", "minute", "hour", "day", "week", "month", "year") for s in ("", "s")},
    **{unit: unit for unit in ("kb", "mb", "gb", "tb", "hz", "khz", "mhz", "ghz", "ms", "mm", "cm", "km", "kg", "°")},
}  # fmt: skip
_NUMBER = re.compile(
    r"(?P<value>\d+(?:[.,]\d+)*)"
    r"(?:(?P<scale>[kKMB])(?![A-Za-z])|[ -](?P<scale_word>thousand|million|billion|trillion)\b)?"
    r"(?:[ +-]{0,2}(?P<unit>%|×|°|[A-Za-z]+))?"
)
_NAME = re.compile(r"(?<!\w)[A-Za-z]+\d\w*")
_SPELLED_NAME = re.compile(r"(?<!\w)([A-Za-z]+)[\s-]*(\d\w*)")
_UP = (
    r"higher|more|greater|larger|bigger|better|faster|longer|stronger|increas\w*|improv\w*|gain\w*|boost\w*|rais\w*"
    r"|rise\w*|outperform\w*|surpass\w*|exceed\w*|speed-?ups?|up|enhanc\w*|accelerat\w*|grow\w*|fold|beat\w*|ahead"
)
_DOWN = (
    r"lower|less|fewer|smaller|cheaper|slower|shorter|weaker|worse|reduc\w*|decreas\w*|drop\w*|fall\w*|cut\w*|sav\w+"
    r"|shrink\w*|declin\w*|down|below|behind|loss"
)
_CHANGE = re.compile(rf"\b(?:{_UP}|{_DOWN}|differ\w*|margin\w*|from)\b|[+>×]|\d[xX]\b", re.IGNORECASE)
_COMPARED = re.compile(
    r"^\W{0,2}(?:times |x |percent )?(?:\w+ )?(?:higher|more|greater|larger|bigger|better|faster|longer|stronger|lower"
    r"|less|fewer|smaller|cheaper|slower|shorter|weaker|worse)\b",
    re.IGNORECASE,
)
_ROUGHLY = r"up to|about|around|approximately|roughly|an average of|on average|over|more than|a"
_BY = re.compile(rf"\bby (?:(?:{_ROUGHLY}) ){{0,2}}$")
_OF_DIFFERENCES = ("%", "times")
_NEAR = 60
"""Characters around a number in which a word of change speaks of it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text. `value`: plain digits, "24,000" and "24k" are "24000"; `unit`: "" where none is known.

    `is_change`: it says by how much ("by 3%", "3% cheaper"). `may_be_change`: a word of change stands near it.
    `is_name`: it is part of a name ("GPT4", "SC2LE").
    """

    value: str
    unit: str
    is_change: bool
    may_be_change: bool
    is_name: bool


def quantities(text: str) -> Iterator[Quantity]:
    """The numbers of `text` that are written in digits, in order."""
    for match, value, is_name in _written(text):
        unit = _UNITS.get((match["unit"] or "").casefold(), "")
        before = text[max(0, match.start() - _NEAR) : match.start()]
        after = text[match.end("value") : match.end() + _NEAR]
        rest = after[len(match["scale"] or "") :].lstrip("%x×+ ")
        may_be_change = _CHANGE.search(f"{before}{text[match.start() : match.end() + _NEAR]}") is not None
        # "by 2023", "3 by 3", "4 better agents": only what has a unit, or stands by a word of change, is a difference.
        is_change = (_BY.search(before) is not None and bool(unit or may_be_change)) or (
            unit in _OF_DIFFERENCES and _COMPARED.match(rest) is not None
        )
        yield Quantity(value, unit, is_change, is_change or may_be_change, is_name)


def _written(text: str) -> Iterator[tuple[re.Match[str], str, bool]]:
    """Each number written in digits: where it stands, its value, and whether it is part of a name."""
    in_names = {place for name in _NAME.finditer(text) for place in range(*name.span())}
    for match in _NUMBER.finditer(text):
        scale = (match["scale"] or match["scale_word"] or "").casefold()
        yield match, _plain(match["value"], _TIMES.get(scale, 1)), match.start() in in_names


def numbers_in(text: str, *, with_one: bool = True, in_names: bool = True) -> frozenset[str]:
    """Numbers in `text` as plain digits, number words too: "24,000" and "24k" are 24000, "three" is 3, "3.60" is 3.6.

    `with_one`: whether the word "one" counts as 1; the digit always does. `in_names`: whether the 2 of "SC2LE" counts.
    """
    found = {value for _, value, is_name in _written(text) if in_names or not is_name}
    found.update(NUMBER_WORDS[word] for word in words(text) if word in NUMBER_WORDS and (with_one or word != "one"))
    return frozenset(found)


def missing_names(text: str, source: str) -> tuple[str, ...]:
    """Names with a number in them ("GPT4", "SC2LE") that `text` has and `source` has not; "GPT-4" is "GPT4"."""
    known = {f"{letters}{rest}".casefold() for letters, rest in _SPELLED_NAME.findall(source)}
    known.update(name.casefold() for name in _NAME.findall(source))
    return tuple(name for name in dict.fromkeys(_NAME.findall(text)) if name.casefold() not in known)


def misread(text: str, source: str) -> str:
    """The first number of `text` that `source` has with another unit, or as a level where `text` makes it a change.

    "" where there is none. Numbers that `source` does not have at all are not looked at: see `numbers_in`.
    """
    have = list(quantities(source))
    for quantity in quantities(text):
        if quantity.is_name:
            continue
        same = [other for other in have if other.value == quantity.value]
        if same and not any(_is_same(quantity, other) for other in same):
            return quantity.value
    return ""


def _is_same(said: Quantity, source: Quantity) -> bool:
    if said.unit and source.unit and said.unit != source.unit:
        return False
    if said.is_change and not source.may_be_change:
        return False
    return not (source.is_change and not said.may_be_change)


def _plain(digits: str, times: int) -> str:
    plain = re.sub(r",(?=\d{3}\b)", "", digits).replace(",", ".")
    if plain.count(".") > 1:  # a version or an address: "2.5.1"
        return plain
    if times > 1:
        plain = f"{float(plain) * times:.6f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
