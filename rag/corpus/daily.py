"""Reads a "daily papers" page saved as text: titles and abstracts in turn, blank lines between.

    Some Title: With a Subtitle

    The abstract, a paragraph of a few sentences.

A short paragraph with an abstract right after it is a title. Short paragraphs that no abstract follows (menus,
dates and the like) are dropped, so a title without an abstract cannot be told from them. Knows shapes only, no names
but those of an abstract's parts ("Methods", "Results"), which may stand between its paragraphs or open them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.corpus.entry import Entry, Fault

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
_HEADING = re.compile(rf"({_PARTS})\W*", re.IGNORECASE)
_OPENS_PART = re.compile(rf"{_PARTS}\s*[:.—–-]\s", re.IGNORECASE)
_OF_THE_WHOLE = ("abstract", "summary")


@dataclass(slots=True)
class _Paper:
    line: int
    title: str
    parts: list[str]

    def entry(self) -> Entry:
        return Entry(self.line, {"title": self.title, "abstract": " ".join(self.parts)})


def matches(text: str) -> bool:
    """Whether some title is followed by an abstract."""
    return any(isinstance(item, Entry) for item in read(text))


def read(text: str) -> Iterator[Entry | Fault]:
    """The papers of a page in order; a Fault where an abstract has no title before it. Empty text gives none."""
    title: tuple[int, str] | None = None
    heading = ""
    paper: _Paper | None = None  # to which further parts may come
    for line, paragraph in _paragraphs(text):
        if _HEADING.fullmatch(paragraph) and (title or paper):
            heading = paragraph
        elif not (_is_abstract(paragraph) or (heading and paragraph.endswith("."))):
            title, heading = (line, paragraph), ""
        elif title:
            if paper:
                yield paper.entry()
            paper = _Paper(*title, [_labelled(heading, paragraph)])
            title, heading = None, ""
        elif paper and (heading or _OPENS_PART.match(paragraph)):
            paper.parts.append(_labelled(heading, paragraph))
            heading = ""
        else:
            if paper:
                yield paper.entry()
            yield Fault(line, "title", "a title and a blank line before this abstract")
            paper, heading = None, ""
    if paper:
        yield paper.entry()


def _labelled(heading: str, paragraph: str) -> str:
    """A part of an abstract as journals write it in one line: "Methods: We …"."""
    name = heading.rstrip(" :.—–-")
    return f"{name}: {paragraph}" if name and name.casefold() not in _OF_THE_WHOLE else paragraph


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
