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


def matches(text: str) -> bool:
    """Whether the first row names a title and an abstract column."""
    header = [name.strip(" \"'").casefold() for name in _first_line(text).split(_separator(text))]
    return "title" in header and "abstract" in header


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry a row, a Fault for a row with too many or too few cells. Empty text gives none."""
    csv.field_size_limit(_LARGEST_CELL)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        header = [name.strip().casefold() for name in next((row for row in rows if row), [])]
        missing = [name for name in ("title", "abstract") if name not in header]
        if header and missing:
            yield Fault(rows.line_num, missing[0], f"a column of that name, found {', '.join(map(repr, header))[:80]}")
            return
        line = rows.line_num + 1
        for row in rows:
            if any(cell.strip() for cell in row):
                if len(row) == len(header):
                    yield Entry(line, dict(zip(header, row, strict=True)))
                else:
                    yield Fault(line, None, f"{len(header)} cells, found {len(row)}")
            line = rows.line_num + 1
    except csv.Error as error:
        yield Fault(rows.line_num, None, f"CSV ({error})")


def _first_line(text: str) -> str:
    return text.lstrip().partition("\n")[0]


def _separator(text: str) -> str:
    return max(_SEPARATORS, key=_first_line(text).count)
