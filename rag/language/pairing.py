"""Numbers listed before what they are of: "34.43 and 29.01 BLEU on English-Romanian and English-German".

Two lists of one length are read as pairs, the first with the first. A sentence that says the number of one of another
is wrong though all its words stand in its source. Plain text in; knows no papers, vectors or models.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rag.language.quantities import written
from rag.language.terms import STOP_WORDS, stem, words

_VALUE = r"(?<![\w.,·-])[$€£]?\d++(?:[.,·]\d++)*+(?![\w-]*-)"
_WORD = r"(?!(?:and|or|on|in|for|at|with|of|to|over|under|against)\b)[A-Za-zµ][\w/-]*"
_COUNTED = rf"{_VALUE}(?:\s?[%×°])?(?:[ -]{_WORD}){{0,2}}"
_BETWEEN = r"(?:,? (?:and|or) |, )"
_PAIRED = re.compile(
    rf"(?<!between )(?<!from )(?<!to )(?P<numbers>{_COUNTED}(?:{_BETWEEN}{_COUNTED}){{1,7}})(?: {_WORD}){{0,3}}"
    r" (?:on|in|for|at|with|of|over|under|against|to) (?P<things>[^;:()]{1,400})"
)
_SORT = re.compile(rf"{_VALUE}(?:\s?[%×°])?(?:[ -](?P<noun>{_WORD}))?")
_END = re.compile(
    r"[.!?](?:\s|$)"
    r"|,? (?:respectively|which|where|while|whereas|compared|outperform\w*|surpass\w*|exceed\w*|improv\w*)\b"
)
_OF_ANY = frozenset(map(stem, "dataset benchmark corpus corpora task setting set mode score data test case".split()))
"""Words that name none of several."""


class Pairing(NamedTuple):
    """Numbers, and for each the stems of what it is of, without those that another one's has."""

    values: tuple[str, ...]
    things: tuple[frozenset[str], ...]


def of_its_neighbour(text: str, source: str) -> str:
    """A number that `text` says of what `source` lists beside another number; "" where there is none.

    Only where `text` names one of the things alone, and has one of the numbers, another one's, alone.
    """
    pairs = pairings(source)
    if not pairs:
        return ""
    said, stems = frozenset(_values(text)), frozenset(_named(text))
    for values, things in pairs:
        numbers = [place for place, value in enumerate(values) if value in said]
        named = [place for place, thing in enumerate(things) if thing & stems]
        if len(numbers) == len(named) == 1 and numbers != named:
            return values[numbers[0]]
    return ""


@lru_cache(maxsize=4096)
def pairings(text: str) -> tuple[Pairing, ...]:
    """The lists of different numbers of one sort in `text` that stand before a list as long."""
    found = []
    for match in _PAIRED.finditer(text):
        values = _values(match["numbers"])
        things = _things(_END.split(match["things"], maxsplit=1)[0], len(values))
        if len(set(values)) == len(values) and _is_one_sort(match["numbers"]) and things:
            found.append(Pairing(values, things))
    return tuple(found)


def _values(text: str) -> tuple[str, ...]:
    """The numbers of `text` as they are compared: "24,000" and "24k" are "24000"."""
    return tuple(value for _, value, is_name in written(text) if not is_name)


def _is_one_sort(numbers: str) -> bool:
    """Not "5 models and 4 datasets": what has a noun has the same; the last one's may be that of all."""
    nouns = [match["noun"] for match in _SORT.finditer(numbers)]
    return nouns[0] is None or len(set(nouns)) == 1


def _things(text: str, count: int) -> tuple[frozenset[str], ...]:
    """What each item of the list `text` has of its own; () where it is no list of `count`, or one has nothing.

    What the first begins with, or the last ends with, beyond the length of the others may be said of all of them: "the
    WMT14 German and English news".
    """
    items = [_named(item) for item in re.split(_BETWEEN, text)]
    if len(items) != count or not all(items):
        return ()
    items[0] = items[0][-min(map(len, items[1:])) :]
    items[-1] = items[-1][: min(map(len, items[:-1]))]
    own = tuple(
        frozenset(mine).difference(*(other for place, other in enumerate(items) if place != at))
        for at, mine in enumerate(items)
    )
    return own if all(own) else ()


def _named(text: str) -> list[str]:
    """Stems of the words that name something, in order."""
    found = (stem(word) for word in words(text) if word not in STOP_WORDS and not word.isdigit())
    return [one for one in found if one not in _OF_ANY]
