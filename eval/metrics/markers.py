"""Citation markers as people and models write them: "[1]", "[1, 2]", "[1–3]". Pure."""

from __future__ import annotations

import re

MARKER = re.compile(r"\[\s*\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\s*\]")
_RANGE = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")
_LONGEST_RANGE = 50


def numbers_of(marker: str) -> tuple[int, ...]:
    """The numbers that a marker names, in order; a range means all between its ends: 1, 2, 3 of "[1–3]"."""
    found: dict[int, None] = {}
    for match in _RANGE.finditer(marker):
        first, last = int(match[1]), int(match[2] or match[1])
        ends = range(first, last + 1) if first <= last <= first + _LONGEST_RANGE else (first, last)
        found |= dict.fromkeys(ends)
    return tuple(found)
