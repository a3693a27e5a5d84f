"""What every reader hands over, an Entry or a Fault, and how an Entry becomes a Paper.

One entry of a file, whatever its format, is a mapping from the field names below to raw values. This module checks
and cleans them; it does not know how any format is written, nor what other papers there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rag.corpus.cleanup import clean
from rag.corpus.links import is_web_address, trailing_url
from rag.schema import Paper

FIELDS = ("title", "abstract", "authors", "year", "venue", "url", "doi", "keywords")
"""What an entry may hold; other names are ignored."""

_FIRST_YEAR, _LAST_YEAR = 1000, 9999


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as a reader found it. `line` counts from 1; values are strings, numbers, lists of strings or None."""

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that is not as it should be. `line` counts from 1."""

    line: int
    field: str | None
    expected: str

    def __str__(self) -> str:
        """`line 3, field 'title': expected …`."""
        field = f", field {self.field!r}" if self.field else ""
        return f"line {self.line}{field}: expected {self.expected}"


class _Malformed(Exception):
    """A field that cannot be used, on its way to becoming a Fault."""

    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(field, expected)


def paper_from(entry: Entry, source: str) -> Paper | Fault:
    """The paper that an entry describes, with an empty `id`, or what is wrong with the entry.

    Title and abstract must be there. All text is cleaned (see `rag.corpus.cleanup`). Without a `url` of its own the
    paper gets the address that its abstract ends in. `source` is the name of the file.
    """
    values = entry.values
    try:
        abstract = _required(values, "abstract")
        return Paper(
            id="",
            title=_required(values, "title"),
            abstract=abstract,
            authors=_several(values, "authors", r";|\s+and\s+"),
            year=_year(values.get("year")),
            venue=_text(values, "venue") or None,
            url=_url(values) or trailing_url(abstract),
            doi=_doi(values),
            keywords=_several(values, "keywords", r"[;,]"),
            source=source,
        )
    except _Malformed as malformed:
        return Fault(entry.line, malformed.field, malformed.expected)


def _text(values: Mapping[str, object], field: str) -> str:
    value = values.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Malformed(field, f"text, found {_shown(value)}")
    return clean(value)


def _required(values: Mapping[str, object], field: str) -> str:
    text = _text(values, field)
    if not any(char.isalnum() for char in text):
        raise _Malformed(field, f"some text, found {_shown(values.get(field))}")
    return text


_DATE = re.compile(r"([0-9]{4})(?:[a-z]|[-/., ][^\n]*)?|(?:[0-9]{1,2}[-/.]){1,2}([0-9]{4})")
_NOTHING = re.compile(
    r"\s*(?:n/?a|none|null|nan|-+|n\.?\s*d\.?|in press|forthcoming|to appear|accepted)?\s*", re.IGNORECASE
)
"""What stands in a field that has nothing to say."""


def _several(values: Mapping[str, object], field: str, separators: str) -> tuple[str, ...]:
    """A list of strings, or one string that `separators` (a regular expression) divides; repeats are dropped."""
    value = values.get(field)
    if value is None:
        return ()
    items = re.split(separators, value) if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _Malformed(field, f"text or a list of texts, found {_shown(value)}")
    cleaned = (clean(item) for item in items)
    return tuple(dict.fromkeys(item for item in cleaned if item))


def _year(value: object) -> int | None:
    """A year as a number, as text, or at an end of a date; none where it is said to be none yet."""
    if value is None or (isinstance(value, str) and _NOTHING.fullmatch(value)):
        return None
    if isinstance(value, float) and value.is_integer():  # as pandas writes it
        value = int(value)
    found = _DATE.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
    if isinstance(value, bool) or found is None or not _FIRST_YEAR <= int(found[1] or found[2]) <= _LAST_YEAR:
        raise _Malformed("year", f"a year of four digits, found {_shown(value)}")
    return int(found[1] or found[2])


def _url(values: Mapping[str, object]) -> str:
    """The first of the addresses that are given; one that begins with "www." lacks its https://."""
    url = re.split(r"[\s,;]+(?=https?://|www\.)", _text(values, "url"), maxsplit=1)[0]
    url = "" if _NOTHING.fullmatch(url) else re.sub(r"^www\.(?=\w)", "https://www.", url)
    if url and not is_web_address(url):
        raise _Malformed("url", f"an address that begins with http:// or https://, found {_shown(url)}")
    return url


def _doi(values: Mapping[str, object]) -> str | None:
    doi = re.sub(r"^(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:?\s*)", "", _text(values, "doi"), flags=re.IGNORECASE)
    doi = "" if _NOTHING.fullmatch(doi) else doi
    if doi and not re.fullmatch(r"10\.\d+(?:\.\d+)*/\S+", doi):
        raise _Malformed("doi", f"a DOI such as 10.1000/182, found {_shown(doi)}")
    return doi or None


def _shown(value: object) -> str:
    """The value as Python writes it, cut to a length that fits a message."""
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
