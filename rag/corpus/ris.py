"""Reads RIS, the exchange format of reference managers: two-letter tags, `TY  - ` to `ER  - `.

The tags it knows are listed below; others are ignored. A line without a tag goes on with the field before it.

Source: the RIS format specification (Research Information Systems, 2011).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault
from rag.corpus.tagged import as_field, first_told

# Where several tags can give one field, the first that is there counts.
_TAGS = {
    "title": ("TI", "T1", "CT"),
    "abstract": ("AB", "N2"),
    "year": ("PY", "Y1", "DA"),
    "venue": ("JO", "JF", "T2", "BT", "JA"),
    "url": ("UR",),
    "doi": ("DO",),
}
_OF_ALL = {"authors": ("AU", "A1"), "keywords": ("KW",)}
"""Lists, whichever of the tags their items stand under."""
_LINE = re.compile(r"([A-Z][A-Z0-9])  -(?: (.*))?")
_LINE_WITH_ONE_SPACE = re.compile(r"([A-Z][A-Z0-9]) {1,2}-(?: (.*))?")
_COUNT = re.compile(r"<?\d+[.>]?")
"""What some databases write between two records: "2."."""


def matches(text: str) -> bool:
    """Whether a line opens a record: the first, or one behind what a publisher writes in front of all."""
    return re.search(r"^TY {1,2}-", text, re.MULTILINE) is not None


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry a record; a Fault for a line between records and a record without its end. Empty text gives none.

    Lines without a tag before the first record are passed over, if there is one: "Provider: …".
    """
    record: list[tuple[str, str]] = []
    opened = 0
    is_in_front = matches(text)
    # Where the records open with one space, all tags may; elsewhere "PD - L1" within an abstract is no tag.
    form = _LINE_WITH_ONE_SPACE if re.search(r"^TY -", text, re.MULTILINE) else _LINE
    for number, line in enumerate(text.splitlines(), start=1):
        found = form.fullmatch(line.rstrip())
        tag, value = (found[1], (found[2] or "").strip()) if found else ("", line.strip())
        if tag == "TY":
            if opened:
                yield Fault(number, "ER", f"'ER  - ' before the next record; line {opened} opens one without an end")
            record, opened, is_in_front = [], number, False
        elif not opened:
            if line.strip() and (tag or not is_in_front) and not _COUNT.fullmatch(line.strip()):
                yield Fault(number, "TY", f"'TY  - ' at the start of a record, found {line.strip()[:40]!r}")
        elif tag == "ER":
            yield Entry(opened, _values(record))
            opened = 0
        elif tag:
            record.append((tag, value))
        elif record and value and record[-1][0] == "KW":  # EndNote writes each further keyword in a line of its own
            record.append(("KW", value))
        elif record and value:
            record[-1] = (record[-1][0], f"{record[-1][1]} {value}")
    if opened:
        yield Fault(opened, "ER", "'ER  - ' at the end of this record")


def _values(record: list[tuple[str, str]]) -> dict[str, object]:
    values = {field: as_field(field, first_told(record, tags)) for field, tags in _TAGS.items()}
    # A date is written 2024/05/01/, with empty parts where only the year is known.
    values["year"] = values["year"].rstrip("/") if isinstance(values["year"], str) else None
    for field, tags in _OF_ALL.items():
        values[field] = as_field(field, [value for tag, value in record if tag in tags])
    return values
