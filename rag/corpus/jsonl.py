"""Reads JSON lines: one object a line with `title`, `abstract`, and whatever else `rag.corpus.entry.FIELDS` names.

`authors` and `keywords` may be lists or one string. Other keys are ignored. Does not read one large JSON array.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault


def matches(text: str) -> bool:
    """Whether the text begins like a JSON object."""
    return text.lstrip().startswith("{")


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry a line, a Fault for a line that is no JSON object; blank lines are skipped. Empty text gives none."""
    # str.splitlines would also split at U+2028, which JSON allows within a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Fault(number, None, f"one JSON object, found {line.strip()[:40]!r} ({error})")
            continue
        if isinstance(value, dict):
            yield Entry(number, value)
        else:
            yield Fault(number, None, f"one JSON object, found {line.strip()[:40]!r}")
