"""Reads a "daily papers" page saved as text: titles and abstracts in turn, blank lines between.

    Some Title: With a Subtitle

    Ada Lovelace, Alan Turing

    The abstract, a paragraph of a few sentences.

A short paragraph with an abstract right after it is a title, unless it is a list of names behind another. Short
paragraphs that no abstract follows (menus, dates and the like) are dropped, so a title without an abstract cannot be
told from them. Knows shapes only, no names but those of an abstract's parts ("Methods", "Results"), which may stand
between its paragraphs or open them, and the labels "Title:", "Authors:" and "Abstract:".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.corpus.entry import Entry, Fault
from rag.corpus.people import PARTICLE

# An abstract has at least so many words, or so many and a full stop at its end. In the bundled library the longest
# title has 21 words, the shortest abstract 186.
_LONG = 30
_SHORT = 8
# What the parts of a structured abstract are called: the headings that the ICMJE and journals ask for.
_PART = (
    r"(?:the )?(?:abstract|summary|background|introduction|context|importance|rationale|hypothesis"
    r"|(?:study )?(?:objectives?|aims?|purpose|questions?|design|setting|selection|population)|settings|participants"
    r"|patients|subjects|materials|interventions?|exposures?|data sources|data (?:extraction|synthesis|analysis)"
    r"|(?:(?:main|primary|key|secondary) )?(?:outcomes?(?: measures?)?|results?|findings)|measurements?|methods?"
    r"|methodology|statistical analysis|discussion|limitations?|interpretation|conclusions?|significance|relevance"
    r"|(?:trial )?registration|funding)"
)
_PARTS = rf"{_PART}(?:(?:,| and|, and|/) ?{_PART}){{0,3}}"
_HEADING = re.compile(rf"\W*({_PARTS})\W*", re.IGNORECASE)
_OPENS_PART = re.compile(rf"{_PARTS}\s*[:.—–-]\s", re.IGNORECASE)
_OF_THE_WHOLE = ("abstract", "summary")
_TITLE_LABEL = re.compile(r"(?:#{1,6} +)?(?:title *: *)?", re.IGNORECASE)
_AUTHORS_LABEL = re.compile(r"(?:authors?|by) *: *", re.IGNORECASE)
_ABSTRACT_LABEL = re.compile(r"(?:abstract|summary)(?: *[:.—–] *| +- +)", re.IGNORECASE)
_NAME = re.compile(rf"{PARTICLE}{{0,2}}(?:[^\W\d_a-z]\S* {PARTICLE}{{0,2}}){{1,4}}[^\W\d_a-z][^\s:?!]*")
_BEHIND_NAME = r"(?:[\d*†‡§]|\(\d+(?:, ?\d+)*\)|\[\d+\])"


@dataclass(frozen=True, slots=True)
class _Short:
    """A short paragraph: a title, the names of authors, or nothing."""

    line: int
    text: str
    is_sentence: bool = False
    """It ends as a short abstract does, and is a title only where an abstract follows."""


@dataclass(slots=True)
class _Paper:
    line: int
    title: str
    authors: tuple[str, ...]
    parts: list[str]

    def entry(self) -> Entry:
        authors = {"authors": list(self.authors)} if self.authors else {}
        return Entry(self.line, {"title": self.title, **authors, "abstract": " ".join(self.parts)})


def matches(text: str) -> bool:
    """Whether some title is followed by an abstract."""
    return any(isinstance(item, Entry) for item in read(text))


def read(text: str) -> Iterator[Entry | Fault]:
    """The papers of a page in order; a Fault where an abstract has no title before it. Empty text gives none."""
    before: list[_Short] = []  # what may be a title, and names behind it
    heading = ""
    paper: _Paper | None = None  # to which further parts may come
    for line, paragraph in _paragraphs(text):
        is_abstract = _is_abstract(paragraph) or (bool(heading) and paragraph.endswith("."))
        goes_on = paper is not None and bool(heading or _OPENS_PART.match(paragraph))
        if _HEADING.fullmatch(paragraph) and (before or paper):
            heading = paragraph
        elif not is_abstract or (not before and not goes_on and _is_one_sentence(paragraph)):
            yield from _faults(before[:-1])
            before, heading = [*before[-1:], _Short(line, paragraph, is_abstract)], ""
        elif before:
            if paper:
                yield paper.entry()
            names = _names(before[1].text, before[0].text) if len(before) > 1 else ()
            title = before.pop(-2 if names else -1)
            yield from _faults(before)
            title_text = title.text[_end_of(_TITLE_LABEL, title.text) :]
            paper = _Paper(title.line, title_text, names, [_labelled(heading, paragraph)])
            before, heading = [], ""
        elif paper and goes_on:
            paper.parts.append(_labelled(heading, paragraph))
            heading = ""
        else:
            if paper:
                yield paper.entry()
            yield _without_title(line)
            paper, heading = None, ""
    if paper:
        yield paper.entry()
    yield from _faults(before)


def _names(text: str, before: str) -> tuple[str, ...]:
    """The names of authors that a paragraph consists of; none where it is anything else.

    Where it is not labelled so they are two at least, and what stands `before` is longer than a date.
    """
    label = _end_of(_AUTHORS_LABEL, text)
    bare = re.sub(rf"(?<=[^\W\d_.])\.?{_BEHIND_NAME}+(?=\W|$)", "", text[label:]).rstrip(". ")
    names = [name.strip() for name in re.split(r"[,;]? +(?:and|&) +| *[,;·] *", bare) if name.strip()]
    is_list = bool(names) and all(_NAME.fullmatch(name) for name in names)
    is_told = label or (len(names) > 1 and len(before.split()) > 2)
    return tuple(names) if is_list and is_told else ()


def _end_of(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _faults(before: list[_Short]) -> Iterator[Fault]:
    return (_without_title(short.line) for short in before if short.is_sentence)


def _without_title(line: int) -> Fault:
    return Fault(line, "title", "a title and a blank line before this abstract")


def _labelled(heading: str, paragraph: str) -> str:
    """A part of an abstract as journals write it in one line: "Methods: We …"."""
    name = heading.strip(" :.—–-#*")
    if name and name.casefold() not in _OF_THE_WHOLE:
        return f"{name}: {paragraph}"
    return paragraph[_end_of(_ABSTRACT_LABEL, paragraph) :]


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Runs of lines that are not blank, joined by spaces, each with the number of its first line."""
    lines: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            first = first if lines else number
            lines.append(line.strip())
        elif lines:
            yield first, " ".join(lines)
            lines = []


def _is_abstract(paragraph: str) -> bool:
    words = len(paragraph.split())
    return words >= _LONG or (words >= _SHORT and paragraph.endswith("."))


def _is_one_sentence(paragraph: str) -> bool:
    """Whether what ends like a short abstract may be a title with a full stop."""
    return len(paragraph.split()) < _LONG and not re.search(r"[.?!] ", paragraph)
