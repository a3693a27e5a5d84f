"""Questions from sentences of abstracts, by rules: what a reader could ask to which this very sentence is the answer.

Each rule knows one way in which abstracts state a fact with a number or a name, and how one asks for it. A rule that is
not sure keeps silent: of most sentences nothing is asked. The same papers always give the same facts, in the same
order; no model is asked. Knows nothing of exams, answers or scores.

Source: question generation by over-generating rules and filtering (Heilman and Smith 2010), without a parser.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.judges.features import split
from eval.metrics.matching import contains
from rag import Paper

_WORDS = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12}
_SPELLED = {str(value): word for word, value in _WORDS.items()}
_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
_VALUE = rf"(?P<value>{_NUMBER})"
_ABOUT = (
    r"(?:(?:up to|about|over|more than|around|approximately|at least|an average of|as much as|nearly|roughly|almost)"
    r"\s+)?"
)
_STOPPED = (
    "of|in|on|and|or|the|a|an|to|with|for|from|by|that|which|as|at|is|are|was|were|than|into|it|its|our|we|their|this"
    "|these|those|per|when|while|where|without|over|across|using|including|such|but|not|can|has|have|vs|via|each|more"
    "|less|other|first|second|most|best|times"
)
_WORD = rf"(?!(?:{_STOPPED})\b)"
_PLURAL = rf"(?P<things>(?:{_WORD}[A-Za-z][\w'/-]*\s+){{0,3}}{_WORD}[a-z][a-z-]*[^\Wsiu_]s)\b"
_DULL = frozenset(
    "points orders terms times percent aspects steps issues challenges ways questions contributions reasons parts"
    " percentages magnitudes decimals things cases degrees seconds minutes hours"
    " days weeks months years".split()
)
# What ends in "s" and stands after a number without being counted: "… over baseline 2 improves the …".
_VERBS = frozenset(
    "shows relies improves compares requires uses allows provides enables achieves makes gives takes leads yields"
    " performs demonstrates suggests reduces increases becomes remains contains includes consists presents proposes"
    " outperforms produces works runs holds differs depends exists follows comes does goes helps needs learns".split()
)
_NAME = r"[A-Z][\w*]*[A-Z0-9*][\w*]*(?:-[\w*]+)*"
_LISTED = r"[A-Z][\w*]*(?:[- ][A-Z0-9][\w*]*){0,2}"
_CLAUSE_END = r"(?=[,.;:)]|$|\s(?:and|while|with|when|which|using|without|compared|by|on|in|for|over)\b)"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a sentence of `paper` states; `question` and `premise` have `{who}` or `{paper}` for its name.

    `answers` are groups of alternatives as in a Case. `premise` asks about the opposite, "" where there is none, and
    `false` is what it wrongly takes for granted. `about` is what facts of two papers have to share to be compared.
    """

    paper: Paper
    kind: str
    sentence: str
    question: str
    answers: tuple[tuple[str, ...], ...]
    about: str = ""
    premise: str = ""
    false: str = ""

    @property
    def names_paper(self) -> bool:
        """Whether the question names the paper by its title or short name."""
        return "{who}" in self.question or "{paper}" in self.question

    def asked(self) -> str:
        """The question, the paper named."""
        return named(self.question, self.paper)


def facts_of(papers: Sequence[Paper], among: Sequence[Paper] = ()) -> list[Fact]:
    """Every fact that the rules find in `papers`, in the order of papers and sentences; never raises, [] of none.

    `among`: the library that they are a part of: a name is a paper's own if no other one there has it.
    """
    shared = Counter(name for paper in among or papers for name in set(re.findall(r"[A-Za-z][\w*-]+", _text(paper))))
    found = []
    for paper in papers:
        sentences = [s for s in split([paper.abstract]) if _is_plain(s)]
        for sentence in sentences:
            for rule in RULES.values():
                found += [fact for fact in rule(paper, sentence, shared) if _is_fair(fact)]
    return _unambiguous(found)


def _unambiguous(facts: Sequence[Fact]) -> list[Fact]:
    """Each question once; none of those that have two different answers."""
    answers: dict[str, set[tuple[tuple[str, ...], ...]]] = {}
    for fact in facts:
        answers.setdefault(fact.asked(), set()).add(fact.answers)
    once = {fact.asked(): fact for fact in reversed(facts) if len(answers[fact.asked()]) == 1}
    return [fact for fact in facts if once.get(fact.asked()) is fact]


def short_name(paper: Paper) -> str:
    """What people call the paper: a name before the title's colon or in its brackets; "" where it has none."""
    head, colon, _ = paper.title.partition(":")
    if colon and len(head.split()) <= 3 and any(c.isupper() for c in head) and not head.isdigit():
        return head.strip()
    found = re.search(rf"\(({_NAME})\)", paper.title)
    return found[1] if found else ""


def named(text: str, paper: Paper) -> str:
    """`text` with `{who}` filled in; a paper without a name is called by its title."""
    name, title = short_name(paper), f"“{paper.title.rstrip('.')}”"
    text = text.replace("{paper}", f"the {name} paper" if name else f"the paper {title}")
    if name or "{who}" not in text:
        return text.replace("{who}", name)
    return f"In {title}, {text[0].lower()}{text[1:].replace('{who}', 'the approach')}"


def number_forms(number: str, unit: str = "") -> tuple[str, ...]:
    """The ways in which a number may be written: "25,000" also as 25000 and 25k, "three" also as 3."""
    number = str(_WORDS.get(number.lower(), number))
    plain = number.replace(",", "")
    forms = [number + unit, *([plain] if not unit and plain != number else [])]
    if unit in ("k", "K") and plain.isdigit():
        forms += [f"{int(plain) * 1000:,}", f"{int(plain) * 1000}"]
    if not unit and plain.isdigit():
        value = int(plain)
        if value >= 1000:
            forms.append(f"{value:,}")
            forms += [f"{value // 1000}k"] if value % 1000 == 0 else []
        if plain in _SPELLED:
            forms.append(_SPELLED[plain])
    return tuple(dict.fromkeys(forms))


def _only(true: str, false: str) -> str:
    """The wrong number, as one would wonder at it."""
    values = [float(str(_WORDS.get(t.lower(), t)).replace(",", "").rstrip("kKM%")) for t in (true, false)]
    return f"only {false}" if values[1] < values[0] else f"as many as {false}" if "%" not in false else false


def _goes_on(rest: str) -> bool:
    """Whether what follows a match is the rest of a list that the match has cut."""
    return (
        re.match(
            r",\s+(?!(?:which|while|with|without|where|when|that|but|a|an|the|as|by|on|for|and \w+s|\w+(?:ing|ed))\b)",
            rest,
        )
        is not None
    )


def another_number(number: str) -> str:
    """A number of the same look that is plainly not this one."""
    whole, point, rest = str(_WORDS.get(number.lower(), number)).replace(",", "").partition(".")
    value = int(whole)
    return f"{value * 3 + 5:,}{point}{rest}" if value < 30 or value > 100 else f"{value // 2 - 1}{point}{rest}"


def _counts(paper: Paper, sentence: str, _shared: Mapping[str, int]) -> Iterator[Fact]:
    """How many things of a kind: "970k real-world robot demonstrations"."""
    spelled = "|".join(_WORDS)
    pattern = rf"(?<![\w.,$%~/-])(?P<value>{_NUMBER}|{spelled})(?P<unit>[kKM]?)\+?\s+{_PLURAL}"
    for found in re.finditer(pattern, sentence):
        things, before = found["things"], sentence[: found.start()]
        if not _is_count(found, sentence):
            continue
        verb = re.search(
            r"\b(?P<verb>pre-?trained|fine-?tuned|trained|evaluat\w+|experiments?|validat\w+|tested)\b[^,.;:()]{0,40}?"
            rf"\b(?:on|across|over)\s+(?:\w+\s+)?(?:of\s+)?{_ABOUT}$",
            before,
            re.IGNORECASE,
        )
        false = another_number(found["value"]) + found["unit"]
        only = _only(found["value"], false)
        question = f"How many {things} does {{paper}} speak of?"
        premise = f"Why does {{paper}} speak of {only} {things}?"
        if verb and not re.search(_NAME, verb.group()):
            is_trained = "train" in verb["verb"] or "tun" in verb["verb"]
            done = verb["verb"].lower() if is_trained else "evaluated"
            question = f"On how many {things} is {{who}} {done}?"
            premise = f"Why is {{who}} {done} on {only} {things}?"
        forms = number_forms(found["value"], found["unit"])
        yield Fact(paper, "count", sentence, question, (forms,), things.split()[-1], premise, false)


def _is_count(found: re.Match[str], sentence: str) -> bool:
    """Whether the number counts the things: not "two cases", "2019 images", "3.6% and 4.2%", "Llama 3.1 models"."""
    value, last = found["value"], found["things"].split()[-1]
    if last in _DULL | _VERBS or value in ("0", "1", "2") or "." in value:
        return False
    follows_a_name = re.search(r"[a-z)] ?[A-Z][\w-]*\s$", sentence[: found.start()])
    return _is_lone(found, sentence) and not follows_a_name and not _year(value, found["things"])


def _gains(paper: Paper, sentence: str, _shared: Mapping[str, int]) -> Iterator[Fact]:
    """By how much something is better: "outperforms RT-2-X by 16.5%"."""
    verbs = "outperform surpass exceed improve reduce increase boost decrease accelerate enhance cut raise".split()
    pattern = (
        rf"\b(?P<verb>{'|'.join(verb.rstrip('e') for verb in verbs)})(?:e?s|ing)\s+(?P<object>[^,.;:()]{{3,70}}?)"
        rf"\s+by\s+{_ABOUT}(?:a\s+(?:factor|margin) of\s+)?{_VALUE}\s?(?P<unit>\\?%|percent|points|dB|x|×)?"
    )
    bare = re.sub(r"\s*\([^)]*\)", "", sentence)
    for found in re.finditer(pattern, bare, re.IGNORECASE):
        thing = found["object"]
        if re.search(r"(?<![\w-])\d|\b(?:them|their|it|we|by|and|that|both)\b", thing) or not _is_lone(found, bare):
            continue
        verb = next(v for v in verbs if v.rstrip("e") == found["verb"].lower())
        premise = ""
        if verb in ("outperform", "surpass", "exceed"):
            premise = f"Why does {{who}} do worse than {thing}?"
        yield Fact(
            paper, "gain", sentence, f"By how much does {{who}} {verb} {thing}?", (number_forms(found["value"]),),
            "gain", premise,
        )  # fmt: skip


_METRICS = (
    r"(?:accuracy|success rate|completion rate|win rate|error rate|F1[ -]score|F1|mAP|mIoU|BLEU(?: score)?|FID|PSNR|AUC"
    r"|AUROC|recall|precision|score|speed-?up|return|correlation|improvement|error|reduction|perplexity|agreement)"
)


def _scores(paper: Paper, sentence: str, _shared: Mapping[str, int]) -> Iterator[Fact]:
    """What is reached: "a success rate of 92.3% on ALFWorld", "92.3% accuracy on ALFWorld"."""
    unit = r"(?P<unit>\\?%)"
    reach = r"\b(?:achiev|reach|obtain|attain|yield|deliver|demonstrat)\w*\s+"
    words = rf"(?P<words>(?:(?!(?:{_STOPPED})\b)[A-Za-z][\w-]*\s+){{0,3}})(?P<metric>{_METRICS})"
    tail = rf"(?P<tail>\s+(?:on|in|for)\s+(?:the\s+)?[^,.;:()]{{3,60}}?)?{_CLAUSE_END}"
    for pattern in (
        rf"{reach}(?:an?\s+|the\s+)?{words}\s+of\s+{_ABOUT}{_VALUE}\s?{unit}?{tail}",
        rf"{reach}(?:an?\s+|the\s+)?{_ABOUT}{_VALUE}\s?{unit}\s+{words}{tail}",
    ):
        for found in re.finditer(pattern, sentence):
            if not _is_lone(found, sentence):
                continue
            what = f"{found['words']}{found['metric']}"
            where = found["tail"] or ""
            if not where and found["metric"] in ("improvement", "reduction", "error", "score", "return"):
                continue
            if re.search(r"\d\\?%|\b(?:both|either)\b", where) or _goes_on(sentence[found.end() :]):
                continue
            false = another_number(found["value"]) + ("%" if found["unit"] else "")
            only = _only(found["value"], false)
            yield Fact(
                paper, "score", sentence, f"What {what} does {{who}} achieve{where}?", (number_forms(found["value"]),),
                found["metric"], f"Why does {{who}} achieve {_article(what)} {what} of {only}{where}?", false,
            )  # fmt: skip


def _speeds(paper: Paper, sentence: str, _shared: Mapping[str, int]) -> Iterator[Fact]:
    """How many times faster, smaller, cheaper: "3.6 times faster than X"."""
    pattern = (
        rf"(?<![\w.,$%~/-]){_VALUE}\s?(?:[x×]|times|-fold)\s+(?P<how>faster|smaller|cheaper|larger|quicker|lower|higher)"
        rf"(?P<than>\s+than\s+[^,.;:()]{{3,60}}?){_CLAUSE_END}"
    )
    for found in re.finditer(pattern, sentence):
        if _is_lone(found, sentence) and not re.search(r"\d|\b(?:former|latter|those|ours?)\b", found["than"]):
            question = f"How many times {found['how']}{found['than']} is {{who}}?"
            yield Fact(paper, "speed", sentence, question, (number_forms(found["value"]),), found["how"])


def _names(paper: Paper, sentence: str, shared: Mapping[str, int]) -> Iterator[Fact]:
    """What the new thing is called: "we introduce OpenVLA, a 7B-parameter open-source VLA trained on …"."""
    pattern = (
        r"\b(?:we|this (?:paper|work|article))\s+(?:\w+ly\s+)?(?:introduces?|presents?|proposes?|develops?|describes?)"
        rf"\s+(?P<name>{_NAME})(?:\s*\([^)]*\))?,\s+an?\s+(?:(?:novel|new|simple|effective)(?:,| and)?\s+)*"
        r"(?P<what>[a-z][^,.;:()]{25,150}?)(?=[,.;:]|$)"
    )
    for found in re.finditer(pattern, sentence, re.IGNORECASE):
        name, what = found["name"], found["what"]
        if _goes_on(sentence[found.end() :]):
            continue
        if (
            name[0].isupper()
            and not contains(what, name)
            and shared[name] <= 2
            and not re.search(r"\b(?:our|its|this|these|such)\b", what)
        ):
            yield Fact(paper, "name", sentence, f"What is the name of the {what}?", ((name,),), "name")


def _expansions(paper: Paper, sentence: str, shared: Mapping[str, int]) -> Iterator[Fact]:
    """What an abbreviation of this paper alone stands for: "Natural Language Policy Optimization (NLPO)"."""
    for found in re.finditer(r"\((?P<short>[A-Z][A-Za-z0-9-]{1,9})\)", sentence):
        short = re.sub(r"(?<=[A-Z])s$", "", found["short"])
        full = _spelled_out(short, sentence[: found.start()])
        if full and shared[short] + shared[f"{short}s"] <= 1 and not contains(full, short):
            yield Fact(paper, "expansion", sentence, f"What does {short} stand for?", ((full,),), short)


def _spelled_out(short: str, before: str) -> str:
    """The words just before an abbreviation of which the initials spell it; "" where they do not."""
    letters = [c.lower() for c in short if c.isupper()]
    words = re.findall(r"\S+", before)[-2 * len(letters) - 1 :]
    if len(letters) < 2 or any(c in word for word in words for c in "$\\{}"):
        return ""
    for start in range(len(words) - 1, -1, -1):
        initials = [part[0].lower() for word in words[start:] for part in word.split("-") if part[:1].isalpha()]
        small = [i for i, w in enumerate(words[start:]) if w.lower() in ("of", "for", "and", "in", "the", "with", "to")]
        plain = [w for i, w in enumerate(words[start:]) if i not in small]
        without = [part[0].lower() for word in plain for part in word.split("-") if part[:1].isalpha()]
        if letters in (initials, without) and words[start].strip("(“\"'")[:1].lower() == letters[0]:
            return " ".join(words[start:]).strip("(“\"'”,")
    return ""


def _sets(paper: Paper, sentence: str, _shared: Mapping[str, int]) -> Iterator[Fact]:
    """What was evaluated on: "experiments on ImageNet, CIFAR-10 and Places365"."""
    pattern = (
        r"\b(?:evaluat\w+|[Ee]xperiment\w*|validat\w+|tested|[Rr]esults)\b(?:(?!train|tun)[^,.;:()]){0,50}?\b(?:on|across)\s+(?:the\s+)?"
        rf"(?P<list>{_LISTED}(?:(?:,\s+(?:and\s+)?|\s+and\s+)(?:the\s+)?{_LISTED})+)"
        r"(?P<noun>\s+(?:datasets|benchmarks|environments|tasks|games|corpora|suites|domains)\b)?(?![\w-]|\s+[A-Z(])"
    )
    for found in re.finditer(pattern, sentence):
        items = [item for item in re.split(r",\s+(?:and\s+)?|\s+and\s+", found["list"]) if item]
        items = [re.sub(r"^the\s+", "", item) for item in items]
        if len(items) < 2 or any(len(item) < 3 for item in items):
            continue
        noun = (found["noun"] or " datasets or benchmarks").strip()
        question = f"On which {noun} is {{who}} evaluated?"
        yield Fact(paper, "sets", sentence, question, tuple((item,) for item in items), "sets")


Rule = Callable[[Paper, str, Mapping[str, int]], Iterator[Fact]]
RULES: Mapping[str, Rule] = {
    "count": _counts,
    "gain": _gains,
    "score": _scores,
    "speed": _speeds,
    "name": _names,
    "expansion": _expansions,
    "sets": _sets,
}
"""Rules by the kind of their facts. Each gets a paper, a sentence, and in how many papers each word stands."""


def _text(paper: Paper) -> str:
    return f"{paper.title} {paper.abstract}"


def _is_plain(sentence: str) -> bool:
    """Whether a sentence is one, in prose: no formula, no address, not cut."""
    return 30 <= len(sentence) <= 400 and not re.search(r"[$\\{}<>|]|://|\barXiv\b", sentence.replace("\\%", "%"))


def _is_fair(fact: Fact) -> bool:
    """Whether the question does not hold its answer, and nothing else in the abstract could be meant."""
    if any(contains(fact.question, form) for group in fact.answers for form in group):
        return False
    if len(fact.question) > 230 or re.search(r"\b(?:our|we|us|my)\b", fact.question, re.IGNORECASE):
        return False
    return all(any(contains(fact.paper.abstract, form) for form in group) for group in fact.answers)


def _is_lone(found: re.Match[str], sentence: str) -> bool:
    """Whether the number is not one of several: "3.6% and 4.2%", "from 3 to 5"."""
    after = sentence[found.end("value") : found.end("value") + 25]
    before = sentence[max(0, found.start("value") - 12) : found.start("value")]
    return not (
        re.match(r"\s?\\?(?:%|x|×|points|percent)?\s?(?:,|and|to|or|–|-|/|\()\s?(?:\D{0,10})?\d", after)
        or re.search(r"\d\s*\\?%?\s*(?:,|and|to|or|–|-|/)\s*$|\b(?:top|version|step|level|layer)[- ]$", before)
    )


def _year(value: str, things: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", value) is not None and not things.endswith(("images", "samples"))


def _article(text: str) -> str:
    return "an" if text[:1].lower() in "aeiou" or text.startswith(("F1", "mAP", "mIoU")) else "a"
