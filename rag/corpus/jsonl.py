"""Reads JSON: one object a line, or one array of objects, with `title`, `abstract`, and whatever else there is.

Names are those of `rag.corpus.entry.FIELDS`, or what `rag.corpus.names` knows that others call them. `authors` and
`keywords` may be lists or one string. Other keys are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rag.corpus.entry import Entry, Fault
from rag.corpus.names import by_field

_SPACE = re.compile(r"[\s,]*")


def matches(text: str) -> bool:
    """Whether the text begins like a JSON object, or an array of them."""
    return re.match(r"\s*(?:\[\s*)?\{", text) is not None


def read(text: str) -> Iterator[Entry | Fault]:
    """One Entry an object; a Fault for a line, or an item of an array, that is none. Empty text gives none."""
    if re.match(r"\s*\[\s*[{\]]", text):
        yield from _items(text)
    elif re.match(r"\s*\{\s*\n", text) and (whole := _whole(text)) is not None:
        yield Entry(1, by_field(whole))
    else:
        yield from _lines(text)


def _lines(text: str) -> Iterator[Entry | Fault]:
    # str.splitlines would also split at U+2028, which JSON allows within a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Fault(number, None, f"one JSON object, found {line.strip()[:40]!r} ({error})")
            continue
        yield _item(number, value, line.strip())


def _whole(text: str) -> dict[str, object] | None:
    """One object that is written over several lines; None where there is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _items(text: str) -> Iterator[Entry | Fault]:
    """The objects of an array, each with the line that it begins in; what cannot be read ends it."""
    decoder = json.JSONDecoder()
    at, line, counted = text.index("[") + 1, 1, 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        line, counted = line + text.count("\n", counted, at), at
        if text[at : at + 1] in {"]", ""}:
            if not text[at:]:
                yield Fault(line, None, "']' at the end of the array")
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield Fault(line, None, f"a JSON object, found {text[at : at + 40]!r} ({error})")
            return
        yield _item(line, value, text[at:end])
        at = end


def _item(line: int, value: object, written: str) -> Entry | Fault:
    if isinstance(value, dict):
        return Entry(line, by_field(value))
    return Fault(line, None, f"one JSON object, found {written[:40]!r}")
