"""Reads CSV with a header row that names `title`, `abstract`, and whatever else `rag.corpus.entry.FIELDS` names.

Column names may be in capitals and in any order; other columns are ignored. The separator may be a comma, a
semicolon or a tab: whichever the header row has most of. Knows nothing of spreadsheets in other formats.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault

_SEPARATORS = ",;\t"
_LARGEST_CELL = 100_000_000
"""Characters: a column that is not read may hold whole papers."""
_MOST_BROKEN = 50
"""Rows that cannot be read: after so many, what is left is not looked at, for each makes all behind it be read again."""


def matches(text: str) -> bool:
    """Whether the first row names a title and an abstract column."""
    header = [name.strip(" \"'").casefold() for name in _first_line(text).split(_separator(text))]
    return "title" in header and "abstract" in header


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry a row, a Fault for a row that cannot be read or has too many or too few cells. Empty text gives none."""
    csv.field_size_limit(_LARGEST_CELL)
    lines = io.StringIO(text, newline="").readlines()
    separator = _separator(text)
    header: list[str] = []
    at, broken = 0, 0
    while at < len(lines) and broken < _MOST_BROKEN:
        rows = csv.reader(lines[at:], delimiter=separator, strict=True)
        first = at + 1
        try:
            for row in rows:
                if not any(cell.strip() for cell in row):
                    pass
                elif not header:
                    header = [name.strip().casefold() for name in row]
                    missing = [name for name in ("title", "abstract") if name not in header]
                    if missing:
                        found = ", ".join(map(repr, header))[:80]
                        yield Fault(at + rows.line_num, missing[0], f"a column of that name, found {found}")
                        return
                elif len(row) == len(header):
                    yield Entry(first, dict(zip(header, row, strict=True)))
                else:
                    yield Fault(first, None, f"{len(header)} cells, found {len(row)}")
                first = at + rows.line_num + 1
            return
        except csv.Error as error:
            # Go on at the next line: an open quotation mark would swallow all rows behind it.
            yield Fault(first, None, f"CSV ({error})")
            at, broken = first, broken + 1


def _first_line(text: str) -> str:
    return text.lstrip().partition("\n")[0]


def _separator(text: str) -> str:
    return max(_SEPARATORS, key=_first_line(text).count)
