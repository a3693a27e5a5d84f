"""Whether a sentence says of its numbers what its source says of them: the same unit, sign and bound, a level or a
change, of the same thing. And whether it turns a rise into a fall.

Plain text in; knows no papers, vectors or models. How a number is read: `quantities`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rag.language.pairing import of_its_neighbour
from rag.language.quantities import DOWN, ENDS, UP, Quantity, numbers_in, on_line, quantities, spelled, written
from rag.language.terms import STOP_WORDS, stem, words

_MULTIPLES = {"doubl": "2", "twice": "2", "tripl": "3", "quadrupl": "4", "halv": "0.5"}
_MULTIPLE = re.compile(r"\b(?:(doubl|tripl|quadrupl|halv)(?:es?|ed|ing)|(twice))\b", re.IGNORECASE)
_TIMES_MORE = re.compile(r"[\s-]*(?:times|fold|x|×)(?!\w)", re.IGNORECASE)
_MULTIPLIED = re.compile(r"(?:\W+\w+){0,4}")
_OPPOSITE = {frozenset(bounds) for bounds in (("floor", "ceiling"), ("floor", "reach"), ("during", "ceiling"))}
_MOST = re.compile(
    r"\b(?:max\w*|most|highest|largest|greatest|biggest|best|peak\w*|as \w+ as|limit\w*)\b", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"(?: ?%)?(?P<noun>(?:[ -](?!(?:{ENDS}|\w+ed)\b)[A-Za-z][\w-]*){{0,3}})"
    rf"(?:,? (?:on|in|for|at|against) (?:the )?(?P<place>(?!(?:{ENDS})\b)[A-Za-z][\w-]*))?"
)
_HOW_MANY = re.compile(
    r"\bhow many (?:[\w-]+ ){0,2}?(?P<noun>people|children|men|women|(?!times\b)[\w-]*[^\Wsui]s)\b", re.IGNORECASE
)
"""The first plural is what is counted: "how many healthy patients", "how many people taking drugs"."""
_RISES, _FALLS = (re.compile(rf"\b(?:{way})\b", re.IGNORECASE) for way in (UP, DOWN))


def turned_round(text: str, source: str) -> str:
    """A word by which `text` says that something rises where `source` only says that it falls, or the other way; ""
    where there is none: "a lower success" for "a higher success".
    """
    for own, other in ((_RISES, _FALLS), (_FALLS, _RISES)):
        if (found := own.search(text)) and not own.search(source) and other.search(source):
            return found[0].casefold()
    return ""


def misread(text: str, source: str) -> str:
    """The first number of `text` that `source` has with another meaning; "" where there is none.

    Another meaning: with another unit, currency or sign, with the opposite bound ("more than" for "fewer than") or
    without its "up to", as a level where `text` makes it a change, or of another thing: "3 GPUs" for "3 epochs on 5
    GPUs", or of what has the number beside it in a list (see `pairing`). A multiple in words ("doubles") is misread
    where the source has only others ("halves", "ten times").

    Numbers that `source` does not have at all are not looked at: see `numbers_in`.
    """
    read, told = _read(text), _read(source)
    said, have = read.quantities, told.quantities
    for quantity in said:
        if quantity.is_name:
            continue
        same = [other for other in have if other.value == quantity.value]
        if not same and _is_other_reading(quantity, said, have):
            return quantity.value
        if same and not any(_is_same(quantity, other) and not _loses_reach(text, quantity, other) for other in same):
            return quantity.value
    return _other_multiple(read, told) or _of_another(read, told) or of_its_neighbour(text, source)


class _Read(NamedTuple):
    """What numbers say in a text: see `quantities`, `_multiples` and `_things`."""

    quantities: tuple[Quantity, ...]
    multiples: tuple[tuple[str, frozenset[str]], ...]
    things: tuple[tuple[str, frozenset[str], frozenset[str]], ...]


@lru_cache(maxsize=4096)
def _read(text: str) -> _Read:
    """Each sentence of a draft is held against each of the evidence, so that all are read more than once."""
    text = on_line(text)
    return _Read(tuple(quantities(text)), tuple(dict.fromkeys(_multiples(text))), tuple(dict.fromkeys(_things(text))))


def _is_other_reading(quantity: Quantity, said: Sequence[Quantity], have: Sequence[Quantity]) -> bool:
    """Whether a source has a number only with a letter that the text does not write: "77" for "77K" (kelvin?)."""
    values = {other.value for other in said}
    read = [other for other in have if other.other_value == quantity.value and other.value not in values]
    return bool(read) and not any(
        other.letter == quantity.letter or other.letter == quantity.unit != other.unit for other in read
    )


def _is_same(said: Quantity, source: Quantity) -> bool:
    if said.unit and source.unit and said.unit != source.unit:
        return False
    if said.currency and source.currency and said.currency != source.currency:
        return False
    if frozenset((said.bound, source.bound)) in _OPPOSITE:
        return False
    positive = source if said.is_negative else said
    if said.is_negative != source.is_negative and not positive.may_be_change:  # "(-5%)" is "5% lower"
        return False
    if said.is_change and not source.may_be_change:
        return False
    return not (source.is_change and not said.may_be_change)


def _loses_reach(text: str, said: Quantity, source: Quantity) -> bool:
    """Whether "up to 40" has become "40", and nothing in `text` says that it is the most."""
    return source.bound == "reach" and not said.bound and not _MOST.search(text)


def _other_multiple(text: _Read, source: _Read) -> str:
    """A multiple that `text` has in words, where `source` multiplies the same thing by others alone."""
    for value, said in text.multiples:
        others = [number for number, multiplied in source.multiples if multiplied & said]
        if others and value not in others:
            return value
    return ""


def _multiples(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Each multiple ("doubles", "ten times", "3x") with stems of what follows: half the time is no slower speed."""
    found = [(match.end(), _MULTIPLES[(match[1] or match[2]).casefold()]) for match in _MULTIPLE.finditer(text)]
    counted = [(match.end("value"), value) for match, value, _ in written(text)]
    counted += [(match.end(), value) for match, value in spelled(text)]
    found += [(times.end(), value) for end, value in counted if (times := _TIMES_MORE.match(text, end))]
    for end, value in found:
        yield value, _stems(_MULTIPLIED.match(text, end))


def _stems(found: re.Match[str] | None, group: str | int = 0) -> frozenset[str]:
    """Stems of the words of a match; none where it, or its group, is empty."""
    return frozenset(stem(word) for word in words(found[group] or "" if found else "") if word not in STOP_WORDS)


def _of_another(text: _Read, source: _Read) -> str:
    """A number that `source` has only of other things than `text`, while it has another number of that thing."""
    have = source.things
    for value, *things in text.things:
        for place, said in enumerate(things):
            if not said:
                continue
            same = [own[place] for number, *own in have if number == value]
            others = [own[place] for number, *own in have if number != value]
            if same and all(own and not own & said for own in same) and any(own & said for own in others):
                return value
    return ""


def counts_another(text: str, source: str, question: str) -> bool:
    """Whether `text` answers "how many patients" with a number of something else: "14 million visits".

    Only where `source` has a number of what is asked, and every number of `text` that `question` does not have is one
    of a thing of another name.
    """
    asked = _HOW_MANY.search(question)
    if asked is None:
        return False
    noun = stem(asked["noun"].casefold())
    known = numbers_in(question)
    said = {(value, of) for value, of, _ in _read(text).things if value not in known}
    counted = {value for value, of, _ in _read(source).things if noun in of}
    return bool(said and counted) and all(of and noun not in of and value not in counted for value, of in said)


def _things(text: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Each number with the stems of the words that it counts ("5 new tasks") and of where ("60% on Alpha")."""
    named = {match.end() for match in re.finditer(r"[A-Za-z]-", text)}  # "Office-31" counts nothing
    in_digits = [
        (max(match.end(part) for part in ("value", "scale", "scale_word")), value)
        for match, value, is_name in written(text)
        if not is_name and match.start() not in named
    ]
    for end, value in in_digits + [(match.end(), value) for match, value in spelled(text)]:
        found = _COUNTED.match(text, end)
        yield value, _stems(found, "noun"), _stems(found, "place")
