r"""The lines of a model's text: paragraphs, bulleted and numbered items, headings, as Markdown marks them.

An answer's claims are sentences without layout, because each is checked by itself; where each stood in the model's own
text is found again here by its words. `set_draft` lays out a text that is still being written. Pure; whatever is set
passes through `ui.prose`, so no HTML, link or image ever comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Literal

from rag import Answer, Claim
from ui.conversation import without_markers
from ui.prose import prose

Kind = Literal["text", "bullet", "number", "heading"]

_MARK = re.compile(r"^\s*(?:(?P<bullet>[-*•])|(?P<number>\d{1,2})[.)]|(?P<heading>#{1,6}))\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its mark. `place` is its number in an ordered list; `paragraph` counts what blank lines part."""

    kind: Kind
    words: str
    place: int = 0
    paragraph: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A claim that is a list: the sentence that leads to it, ending in a colon, and its items."""

    lead: str
    items: tuple[Line, ...]


def lines_of(words: str) -> tuple[Line, ...]:
    """The lines of a text that say something."""
    lines: list[Line] = []
    paragraph = 0
    for raw in words.splitlines():
        if not raw.strip():
            paragraph += 1
            continue
        found = _MARK.match(raw)
        kind: Kind = next((k for k in ("bullet", "number", "heading") if found and found[k]), "text")
        place = int(found["number"]) if found and found["number"] else 0
        lines.append(Line(kind, raw[found.end() if found else 0 :].strip(), place, paragraph))
    return tuple(lines)


class Layout:
    """Where the claims of an answer stood in what the model wrote."""

    def __init__(self, answer: Answer) -> None:
        written = answer.raw_text or answer.text.replace("\n", "\n\n")  # what is shown has a paragraph a line
        self._lines = lines_of(without_markers(written))
        self._folded = [_folded(line.words) for line in self._lines]

    def line(self, claim: Claim) -> Line | None:
        """The line that holds the claim; None for one that the model did not write so."""
        words = _folded(without_heading(claim.text))
        place = next((n for n, line in enumerate(self._folded) if words and words in line), None)
        return None if place is None else self._lines[place]

    def listed(self, claim: Claim) -> Listed | None:
        """The list that was checked as one claim, "Three parts: a; b; c", in its items again; None where it is none."""
        words = _folded(claim.text)
        for n, leading in enumerate(self._folded):
            if not leading.endswith(":"):
                continue
            items = list(takewhile(lambda line: line.kind in ("bullet", "number"), self._lines[n + 1 :]))
            folded = "; ".join(_folded(item.words).rstrip(".;,") for item in items)
            head = next((head for head in _heads(leading) if words.rstrip(".;,") == f"{head} {folded}"), None)
            if items and head:
                return Listed(head, tuple(items))
        return None


def without_heading(words: str) -> str:
    """`words` without the mark of a heading at their beginning."""
    return re.sub(r"^#{1,6}\s+", "", words)


def set_draft(words: str) -> str:
    """A text that is still being written as safe HTML: paragraphs, lists and headings; empty for nothing."""
    blocks = groupby(lines_of(words), key=lambda line: (line.kind, line.paragraph if line.kind == "text" else 0))
    return "".join(_block(kind, list(lines)) for (kind, _), lines in blocks)


def _block(kind: Kind, lines: Sequence[Line]) -> str:
    if kind == "text":
        said = "\n".join(prose(line.words) for line in lines)
        return f'<p class="fn-draft-text" dir="auto">{said}</p>'
    if kind == "heading":
        return "".join(f'<h4 class="fn-subject" dir="auto">{prose(line.words)}</h4>' for line in lines)
    items = "".join(item_of(line, prose(line.words)) for line in lines)
    return list_of(kind, items, "fn-draft-text")


def item_of(line: Line, inner: str) -> str:
    """An item with its number, where it has one."""
    value = f' value="{line.place}"' if line.kind == "number" else ""
    return f'<li{value} dir="auto">{inner}</li>'


def list_of(kind: Kind, items: str, looks: str) -> str:
    """Items as a list."""
    tag = "ol" if kind == "number" else "ul"
    return f'<{tag} class="fn-list {looks}">{items}</{tag}>'


def _folded(words: str) -> str:
    """`words` as they are compared: without what the check leaves out of a sentence, on one line."""
    return " ".join(words.replace("**", "").split())


def _heads(line: str) -> list[str]:
    """A line that ends in a colon, from the beginning of each of its sentences on, longest first."""
    return [line, *(line[found.end() :] for found in re.finditer(r"[.!?] ", line))]
