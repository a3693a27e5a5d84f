"""Reads BibTeX: `@article{key, title = {…}, abstract = "…", …}`.

Understands nested braces, quoted values, `#`, `@string` names and comments between entries. Braces that only keep
capitals are taken out, outside formulas. Does not know cross references, nor what LaTeX means beyond
`rag.corpus.cleanup`.

Source: "Tame the BeaST" (N. Markey, 2009), the grammar of .bib files.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.corpus.braces import without_groups
from rag.corpus.cleanup import clean
from rag.corpus.entry import Entry, Fault

_OPENING = re.compile(r"@\s*([A-Za-z]+)\s*([{(])")
_NAME = re.compile(r"[^\s,=#{}()\"%]+")
_SPACE = re.compile(r"\s*")
_VENUES = ("journal", "booktitle", "journaltitle", "venue", "publisher")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _Broken(Exception):
    """The text at `offset` is not what the grammar asks for."""

    def __init__(self, offset: int, expected: str, name: str | None = None) -> None:
        self.offset = offset
        self.expected = expected
        self.name = name
        super().__init__(offset, expected)


@dataclass(slots=True)
class _Cursor:
    """A place in the text, moving forward, and the `@string` names seen so far."""

    text: str
    at: int = 0
    strings: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_MONTHS, ""))

    def peek(self) -> str:
        """The next character that is not white space, to which the cursor moves; "" at the end."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.text[self.at : self.at + 1]

    def name(self) -> str:
        """The name that comes next."""
        self.peek()
        found = _NAME.match(self.text, self.at)
        if found is None:
            raise _Broken(self.at, f"a name, found {self.text[self.at : self.at + 20]!r}")
        self.at = found.end()
        return found.group()


def matches(text: str) -> bool:
    """Whether a line opens an entry."""
    return re.search(r"^[ \t]*@\s*[A-Za-z]+\s*[{(]", text, re.MULTILINE) is not None


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry for each that is no comment, preamble or string; a Fault for a broken one. Empty text gives none."""
    cursor = _Cursor(text)
    line_ends = [match.start() for match in re.finditer("\n", text)]
    while (opening := _OPENING.search(text, cursor.at)) is not None:
        cursor.at = opening.end()
        kind, closing = opening[1].casefold(), "}" if opening[2] == "{" else ")"
        if kind == "comment":
            continue
        try:
            if kind == "preamble":
                _value(cursor)
            elif kind == "string":
                cursor.strings |= _fields(cursor, closing)
            else:
                yield Entry(bisect.bisect(line_ends, opening.start()) + 1, _entry_values(cursor, closing))
        except _Broken as broken:
            yield Fault(bisect.bisect(line_ends, broken.offset) + 1, broken.name, broken.expected)
            # Go on at the next entry that opens a line; what lies between belongs to the broken one.
            following = re.compile(r"^[ \t]*@", re.MULTILINE).search(text, max(cursor.at, opening.end()))
            cursor.at = following.start() if following else len(text)


def _entry_values(cursor: _Cursor, closing: str) -> dict[str, object]:
    key_end = re.compile(rf"[,{re.escape(closing)}]").search(cursor.text, cursor.at)
    if key_end is None or "=" in cursor.text[cursor.at : key_end.start()]:
        raise _Broken(cursor.at, "a citation key and a comma")
    cursor.at = key_end.start() + (key_end.group() == ",")
    found = _fields(cursor, closing)
    values: dict[str, object] = {
        name: _without_braces(found.get(name, "")) for name in ("title", "abstract", "year", "keywords", "url", "doi")
    }
    values["authors"] = [_in_reading_order(name) for name in _names(found.get("author", ""))]
    values["year"] = values["year"] or _without_braces(found.get("date", ""))
    values["venue"] = next((_without_braces(found[name]) for name in _VENUES if found.get(name)), None)
    return values


def _fields(cursor: _Cursor, closing: str) -> dict[str, str]:
    """`name = value` pairs up to the closing bracket, which is passed over."""
    found: dict[str, str] = {}
    while (char := cursor.peek()) != closing:
        if char == ",":
            cursor.at += 1
            continue
        name = cursor.name().casefold()
        if cursor.peek() != "=":
            raise _Broken(cursor.at, "'=' after the name of the field", name)
        cursor.at += 1
        try:
            found[name] = _value(cursor)
        except _Broken as broken:
            raise _Broken(broken.offset, broken.expected, name) from None
        if cursor.peek() not in {",", closing}:
            raise _Broken(cursor.at, f"',' or {closing!r} after the value", name)
    cursor.at += 1
    return found


def _value(cursor: _Cursor) -> str:
    """One value: parts in braces, in quotes, numbers or names, joined by `#`."""
    parts: list[str] = []
    while True:
        char = cursor.peek()
        if char in {"{", '"'}:
            parts.append(_delimited(cursor, "}" if char == "{" else '"'))
        else:
            name = cursor.name()
            parts.append(name if name.isdigit() else cursor.strings.get(name.casefold(), name))
        if cursor.peek() != "#":
            return "".join(parts)
        cursor.at += 1


def _delimited(cursor: _Cursor, closing: str) -> str:
    """What lies between the delimiters, braces balanced."""
    start = cursor.at
    depth = 0
    for match in re.compile(r'\\.|[{}"]', re.DOTALL).finditer(cursor.text, start + 1):
        char = match.group()
        if char == closing and depth == 0:
            cursor.at = match.end()
            return cursor.text[start + 1 : match.start()]
        depth += (char == "{") - (char == "}")
        if depth < 0:
            break
    raise _Broken(start, f"a {closing!r} that closes the value opened here")


def _names(author: str) -> list[str]:
    """The names of an author field: "and" divides them."""
    # Braces around a whole name keep it together: {Google DeepMind}.
    return [name for name in _divided(author, r"\s+(?i:and)\s+") if name and name != "others"]


def _divided(text: str, by: str) -> list[str]:
    """The pieces of `text` between what fits the pattern `by`, but not within braces."""
    pieces, depth, start = [], 0, 0
    for match in re.finditer(rf"[{{}}]|{by}", text):
        if match.group() in "{}":
            depth += 1 if match.group() == "{" else -1
        elif depth == 0:
            pieces.append(text[start : match.start()].strip())
            start = match.end()
    return [*pieces, text[start:].strip()]


def _in_reading_order(name: str) -> str:
    """A name in one of BibTeX's three forms: "First Last", "Last, First", "Last, Jr, First"."""
    match [_without_braces(part) for part in _divided(name, ",")]:
        case [last, first]:
            return f"{first} {last}".strip()
        case [last, suffix, first] if first:
            return f"{first} {last}, {suffix}"
        case parts:
            return ", ".join(part for part in parts if part)


def _without_braces(text: str) -> str:
    return clean(without_groups(clean(text)))
