"""Reads CSV with a header row that names a title and an abstract, in whatever names `rag.corpus.names` knows.

Column names may be in capitals and in any order; other columns are ignored. The separator may be a comma, a
semicolon or a tab: the one by which the header row has both, else the one that it has most of. Excel's line "sep=;"
before the header is passed over. Knows nothing of spreadsheets in other formats.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault
from rag.corpus.names import by_field, fields_of

_SEPARATORS = "\t,;"
_SEPARATOR_LINE = re.compile(r"\"?sep=.\"?", re.IGNORECASE)
_MOST_SHOWN = 300
_LARGEST_CELL = 100_000_000
"""Characters: a column that is not read may hold whole papers."""
_MOST_BROKEN = 50
"""Rows that cannot be read: after so many the rest is not looked at, for each makes all behind it be read again."""


def matches(text: str) -> bool:
    """Whether the first row names a title and an abstract column."""
    return _has_both(_header(text), _separator(text))


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry a row, a Fault for one that cannot be read or has too many or too few cells. Empty text gives none."""
    csv.field_size_limit(_LARGEST_CELL)
    lines = io.StringIO(text, newline="").readlines()
    if lines and _SEPARATOR_LINE.fullmatch(lines[0].strip()):
        lines[0] = "\n"
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
                    header = [name.strip() for name in row]
                    named = fields_of(header)
                    missing = [name for name in ("title", "abstract") if not named[name]]
                    if missing:
                        found = ", ".join(map(repr, header))
                        found = found if len(found) <= _MOST_SHOWN else f"{found[: _MOST_SHOWN - 1]}…"
                        yield Fault(at + rows.line_num, missing[0], f"a column of that name, found {found}")
                        return
                elif len(row) == len(header):
                    yield Entry(first, by_field(dict(zip(header, row, strict=True))))
                else:
                    yield Fault(first, None, f"{len(header)} cells, found {len(row)}")
                first = at + rows.line_num + 1
            return
        except csv.Error as error:
            # Go on at the next line: an open quotation mark would swallow all rows behind it.
            yield Fault(first, None, f"CSV ({error})")
            at, broken = first, broken + 1


def _header(text: str) -> str:
    """The first line that says something."""
    first, _, rest = text.lstrip().partition("\n")
    return rest.lstrip().partition("\n")[0] if _SEPARATOR_LINE.fullmatch(first.strip()) else first


def _separator(text: str) -> str:
    header = _header(text)
    return max(_SEPARATORS, key=lambda separator: (_has_both(header, separator), header.count(separator)))


def _has_both(header: str, separator: str) -> bool:
    named = fields_of(header.split(separator))
    return bool(named["title"] and named["abstract"])
