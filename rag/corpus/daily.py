"""Reads a "daily papers" page saved as text: titles and abstracts in turn, blank lines between.

    Some Title: With a Subtitle

    The abstract, a paragraph of a few sentences.

A short paragraph with an abstract right after it is a title. Short paragraphs that no abstract follows (menus,
dates and the like) are dropped, so a title without an abstract cannot be told from them. Knows shapes only, no names.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault

# An abstract has at least so many words, or so many and a full stop at its end. In the bundled library the longest
# title has 21 words, the shortest abstract 186.
_LONG = 30
_SHORT = 8


def matches(text: str) -> bool:
    """Whether some title is followed by an abstract."""
    return any(isinstance(item, Entry) for item in read(text))


def read(text: str) -> Iterator[Entry | Fault]:
    """The papers of a page in order; a Fault where an abstract has no title before it. Empty text gives none."""
    title: tuple[int, str] | None = None
    for line, paragraph in _paragraphs(text):
        if not _is_abstract(paragraph):
            title = (line, paragraph)
        elif title is None:
            yield Fault(line, "title", "a title and a blank line before this abstract")
        else:
            yield Entry(title[0], {"title": title[1], "abstract": paragraph})
            title = None


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
