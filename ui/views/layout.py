r"""The lines of a model's text: paragraphs, items, headings, rows of tables and fenced code, as Markdown marks them.

An answer's claims are sentences without layout, because each is checked by itself; where each stood in the model's own
text is found again here by its words. `set_draft` lays out a text that is still being written. Pure; whatever is set
passes through `ui.views.prose`, so no HTML, link or image ever comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, takewhile
from typing import Literal

from rag import Answer, Claim
from ui.conversations.conversation import without_markers
from ui.markup import text
from ui.views.prose import prose

Kind = Literal["text", "bullet", "number", "heading", "code", "row"]
_IN_BLOCKS: tuple[Kind, ...] = ("text", "code", "row")
"""Kinds whose neighbouring lines may be of two blocks: two paragraphs, two tables."""

_MARK = re.compile(r"^\s*(?:(?P<bullet>[-*•])|(?P<number>\d{1,2})[.)]|(?P<heading>#{1,6}))\s+(?=\S)")

_FENCE = re.compile(r"^\s*(`{3,}(?=[^`]*$)|~{3,}(?=[^~]*$))")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_RULE_BEGUN = re.compile(r"^\s*\|[\s:|-]*$")
_PIPE = re.compile(r"\\.|`[^`]*`|\$(?=\S)[^$|]*\|[^$]*(?<=\S)\$|(?P<pipe>\|)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its mark. `place` is its number in an ordered list; `paragraph` counts what blank lines part.

    A line of code has its blanks, a row of a table its pipes; `is_head` marks a row that a rule stands below.
    """

    kind: Kind
    words: str
    place: int = 0
    paragraph: int = 0
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A claim that is a list: the sentence that leads to it, ending in a colon, and its items."""

    lead: str
    items: tuple[Line, ...]


def lines_of(words: str) -> tuple[Line, ...]:
    """The lines of a text that say something. A block of code or a table that is not finished yet is one already."""
    lines: list[Line] = []
    paragraph = 0
    fence = ""
    raws = words.splitlines()
    for number, raw in enumerate(raws):
        before = lines[-1] if lines else None
        found = _FENCE.match(raw)
        if found and (not fence or (found[1].startswith(fence) and not raw.strip(" \t`~"))):
            fence = "" if fence else found[1]
            paragraph += 1
        elif fence:
            lines.append(Line("code", raw.rstrip(), paragraph=paragraph))
        elif not raw.strip():
            paragraph += 1
        elif _is_row(raw, raws[number + 1 : number + 2], before if number and raws[number - 1].strip() else None):
            in_table = before is not None and before.kind == "row" and before.paragraph == paragraph
            paragraph += not in_table
            if in_table and before and not before.is_head and _is_rule(raw, is_last=number + 1 == len(raws)):
                if [line.paragraph for line in lines[-2:]].count(paragraph) == 1:  # below its first row alone
                    lines[-1] = replace(before, is_head=True)
                continue
            lines.append(Line("row", raw.strip(), paragraph=paragraph))
        else:
            paragraph += before is not None and before.kind in ("row", "code") and before.paragraph == paragraph
            lines.append(_marked(raw, paragraph))
    return tuple(lines)


def _marked(raw: str, paragraph: int) -> Line:
    found = _MARK.match(raw)
    kind: Kind = next((k for k in ("bullet", "number", "heading") if found and found[k]), "text")
    place = int(found["number"]) if found and found["number"] else 0
    return Line(kind, raw[found.end() if found else 0 :].strip(), place, paragraph)


def _is_row(raw: str, following: Sequence[str], before: Line | None) -> bool:
    """Whether a line is of a table: between pipes, or above a rule, or with a pipe in it below a row."""
    said = raw.strip()
    if before is not None and before.kind == "row" and ("|" in said or _RULE.match(said)):
        return True
    if said.startswith("|") and said.endswith("|") and len(cells_of(said)) > 1:
        return True
    return len(cells_of(said)) > 1 and any("|" in rule and _RULE.match(rule) for rule in following)


def _is_rule(raw: str, *, is_last: bool) -> bool:
    return bool(_RULE.match(raw) or (is_last and _RULE_BEGUN.match(raw)))


def cells_of(row: str) -> list[str]:
    """What stands between the pipes of a row; a pipe in code, in a formula or after a backslash parts nothing."""
    said = row.strip()
    places = [found.start() for found in _PIPE.finditer(said) if found["pipe"]]
    edges = [-1, *places, len(said)]
    cells = [said[start + 1 : end].strip().replace("\\|", "|") for start, end in pairwise(edges)]
    return cells[said.startswith("|") : len(cells) - (len(places) > 0 and places[-1] == len(said) - 1)]


class Layout:
    """Where the claims of an answer stood in what the model wrote."""

    def __init__(self, answer: Answer) -> None:
        written = answer.raw_text or answer.text.replace("\n", "\n\n")  # what is shown has a paragraph a line
        self._lines = lines_of(without_markers(written))
        # In a block of code `[2]` stays; in the sentence that was checked it was taken for a marker.
        self._folded = [_folded(without_markers(line.words)) for line in self._lines]

    def line(self, claim: Claim) -> Line | None:
        """The line that holds the claim; None for one that the model did not write so."""
        words = _folded(without_markers(without_heading(claim.text)))  # as the lines are read
        place = next((n for n, line in enumerate(self._folded) if words and words in line), None)
        return None if place is None else self._lines[place]

    def listed(self, claim: Claim) -> Listed | None:
        """The list that was checked as one claim, "Three parts: a; b; c", in its items again; None where it is none."""
        words = _folded(without_markers(claim.text))
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
    blocks = groupby(lines_of(words), key=lambda line: (line.kind, line.paragraph if line.kind in _IN_BLOCKS else 0))
    return "".join(_block(kind, list(lines)) for (kind, _), lines in blocks)


def _block(kind: Kind, lines: Sequence[Line]) -> str:
    if kind == "text":
        said = "\n".join(prose(line.words) for line in lines)
        return f'<p class="fn-draft-text" dir="auto">{said}</p>'
    if kind == "heading":
        return "".join(f'<h4 class="fn-subject" dir="auto">{prose(line.words)}</h4>' for line in lines)
    if kind == "code":
        return code_of([text(line.words) for line in lines], "fn-draft-text")
    if kind == "row":
        rows = [(line.is_head, [prose(cell) for cell in cells_of(line.words)]) for line in lines]
        return table_of(rows, "fn-draft-text")
    items = "".join(item_of(line, prose(line.words)) for line in lines)
    return list_of(kind, items, "fn-draft-text")


def code_of(lines: Sequence[str], looks: str) -> str:
    """Lines of code, safe HTML each, as a block that scrolls by itself."""
    code = "\n".join(lines)
    return f'<pre class="fn-code {looks}" role="region" aria-label="Code" tabindex="0"><code>{code}</code></pre>'


def table_of(rows: Sequence[tuple[bool, Sequence[str]]], looks: str) -> str:
    """Rows of cells, safe HTML each, as a table that scrolls by itself; True marks a head."""
    width = max(len(cells) for _, cells in rows)
    head = "".join(_row(cells, width, '<th scope="col" dir="auto">', "</th>") for is_head, cells in rows if is_head)
    body = "".join(_row(cells, width, '<td dir="auto">', "</td>") for is_head, cells in rows if not is_head)
    return (
        f'<div class="fn-table {looks}" role="region" aria-label="Table" tabindex="0"><table>'
        f"{f'<thead>{head}</thead>' if head else ''}{f'<tbody>{body}</tbody>' if body else ''}</table></div>"
    )


def _row(cells: Sequence[str], width: int, begin: str, end: str) -> str:
    inner = "".join(f"{begin}{cell}{end}" for cell in [*cells, *[""] * (width - len(cells))])
    return f"<tr>{inner}</tr>"


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
