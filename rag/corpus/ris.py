"""Reads RIS, the exchange format of reference managers: two-letter tags, `TY  - ` to `ER  - `.

The tags it knows are listed below; others are ignored. A line without a tag goes on with the field before it.

Source: the RIS format specification (Research Information Systems, 2011).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault

# Where several tags can give one field, the first that is there counts.
_TAGS = {
    "title": ("TI", "T1", "CT"),
    "abstract": ("AB", "N2"),
    "year": ("PY", "Y1", "DA"),
    "venue": ("JO", "JF", "T2", "BT", "JA"),
    "url": ("UR",),
    "doi": ("DO",),
}
_SUFFIX = re.compile(r"(?:[JS]r|I{2,3}|IV)\.?")
_LINE = re.compile(r"([A-Z][A-Z0-9]) {1,2}-(?: (.*))?")


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
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(line.rstrip())
        tag, value = (found[1], (found[2] or "").strip()) if found else ("", line.strip())
        if tag == "TY":
            if opened:
                yield Fault(number, "ER", f"'ER  - ' before the next record; line {opened} opens one without an end")
            record, opened, is_in_front = [], number, False
        elif not opened:
            if line.strip() and (tag or not is_in_front):
                yield Fault(number, "TY", f"'TY  - ' at the start of a record, found {line.strip()[:40]!r}")
        elif tag == "ER":
            yield Entry(opened, _values(record))
            opened = 0
        elif tag:
            record.append((tag, value))
        elif record and value:
            record[-1] = (record[-1][0], f"{record[-1][1]} {value}")
    if opened:
        yield Fault(opened, "ER", "'ER  - ' at the end of this record")


def _values(record: list[tuple[str, str]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for field, tags in _TAGS.items():
        found = [value for tag in tags for name, value in record if name == tag and value]
        # A date is written 2024/05/01/, with empty parts where only the year is known.
        values[field] = (found[0].rstrip("/") if field == "year" else found[0]) if found else None
    values["authors"] = [given_name_first(value) for tag, value in record if tag in {"AU", "A1"}]
    values["keywords"] = [value for tag, value in record if tag == "KW"]
    return values


def given_name_first(name: str) -> str:
    """A name in reading order: "Lovelace, Ada" as "Ada Lovelace", "King, Martin, Jr." as "Martin King, Jr.".

    One that stands in reading order already, "Martin King, Jr.", stays.
    """
    family, comma, rest = (part.strip() for part in name.partition(","))
    if not comma or not rest:
        return family
    if " " in family and _SUFFIX.fullmatch(rest):
        return f"{family}, {rest}"
    given, _, suffix = (part.strip() for part in rest.partition(","))
    return f"{given} {family}" + (f", {suffix}" if suffix else "")
