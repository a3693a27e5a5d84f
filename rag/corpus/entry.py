"""What every reader hands over, an Entry or a Fault, and how an Entry becomes a Paper.

One entry of a file, whatever its format, is a mapping from the field names below to raw values. This module checks
and cleans them; it does not know how any format is written, nor what other papers there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rag.corpus import people
from rag.corpus.cleanup import clean
from rag.corpus.links import is_web_address, trailing_url
from rag.schema import Paper

FIELDS = ("title", "abstract", "authors", "year", "venue", "url", "doi", "keywords")
"""What an entry may hold; other names are ignored."""


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


class NoAbstract(Fault):
    """An entry with a title and without an abstract, where that is no mistake: there is nothing to answer from."""


class _Malformed(Exception):
    """A field that cannot be used, on its way to becoming a Fault."""

    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(field, expected)


_CLOSING_STOP = re.compile(r"(?<=\w\w|\w[)\]”\"’'])\.$")
"""As databases of medicine end titles; no part of one, but that of "U.S."."""


def paper_from(entry: Entry, source: str, *, may_be_bare: bool = False) -> Paper | Fault:
    """The paper that an entry describes, with an empty `id`, or what is wrong with the entry.

    Title and abstract must be there; where it `may_be_bare`, an entry without an abstract is a NoAbstract. All text is
    cleaned (see `rag.corpus.cleanup`). Without a `url` of its own the paper gets the address that its abstract ends in.
    `source` is the name of the file.
    """
    values = entry.values
    try:
        abstract = _required(values, "abstract")
        return Paper(
            id="",
            title=_CLOSING_STOP.sub("", _required(values, "title")),
            abstract=abstract,
            authors=_authors(values),
            year=_year(values.get("year")),
            venue=_text(values, "venue") or None,
            url=_url(values) or trailing_url(abstract),
            doi=_doi(values),
            keywords=_several(values, "keywords", r"[;,]"),
            source=source,
        )
    except _Malformed as malformed:
        is_bare = malformed.field == "abstract" and bool(str(values.get("title") or "").strip())
        kind = NoAbstract if is_bare and may_be_bare else Fault
        return kind(entry.line, malformed.field, malformed.expected)


def _text(values: Mapping[str, object], field: str) -> str:
    value = values.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Malformed(field, f"text, found {_shown(value)}")
    return clean(value)


def _required(values: Mapping[str, object], field: str) -> str:
    text = _text(values, field)
    if not any(char.isalnum() for char in text) or (field == "abstract" and _says_nothing(text)):
        title = values.get("title")
        of = f" in the entry {_shown(title)}" if field != "title" and isinstance(title, str) and title.strip() else ""
        raise _Malformed(field, f"some text, found {_shown(values.get(field))}{of}")
    return text


_NOTHING = re.compile(
    r"\W*(?:n/?a|none|null|nan|nil|not available|unknown|n\.?\s*d\.?|(?:there is )?no abstract(?: is)?(?: available)?"
    r"|abstract (?:is )?not available|in press|in preparation|forthcoming|to appear|accepted|submitted|under review"
    r"|online first|(?:e?pub )?ahead of print)?\W*",
    re.IGNORECASE,
)
"""What stands in a field that has nothing to say."""


def _says_nothing(text: str) -> bool:
    return len(text) <= _LONGEST_NOTHING and _NOTHING.fullmatch(text) is not None


_LONGEST_NOTHING = 80

_YEAR = r"[1-9][0-9]{3}"
# 2019a, (2019), 2019-05, 2020–2021, 20190501; 05/2019; 15 May 2020, May 15, 2020
_DATE = re.compile(
    rf"\W*c?({_YEAR})(?:[a-z]?\W*|[-/., –—?~][^\n]*|[01][0-9][0-3][0-9])"
    rf"|(?:[0-9]{{1,2}}[-/.]){{1,2}}({_YEAR})"
    rf"|(?:[0-9]{{1,2}}\.? )?[^\W\d_]{{3,9}}\.?(?:[-–/][^\W\d_]{{3,9}}\.?)?,? (?:[0-9]{{1,2}},? )?({_YEAR})"
)


def _authors(values: Mapping[str, object]) -> tuple[str, ...]:
    """Names in reading order. One string is divided at semicolons, at "and", and at commas between whole names."""
    names = _several(values, "authors", r"\s*;\s*|,?\s+(?:and|&)\s+")
    if not isinstance(values.get("authors"), str):
        return names
    return tuple(dict.fromkeys(one for name in names for one in people.divided(name)))


def _several(values: Mapping[str, object], field: str, separators: str) -> tuple[str, ...]:
    """A list of strings, or one string that `separators` (a regular expression) divides; repeats are dropped."""
    value = values.get(field)
    if value is None:
        return ()
    items = re.split(separators, " ".join(value.split())) if isinstance(value, str) else value
    if isinstance(items, list):  # {"name": "Ada Lovelace"} of Semantic Scholar, {"display_name": …} of OpenAlex
        items = [_name_of(item) if isinstance(item, dict) else item for item in items]
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _Malformed(field, f"text or a list of texts, found {_shown(value)}")
    cleaned = (clean(item) for item in items)
    return tuple(dict.fromkeys(item for item in cleaned if item))


def _name_of(item: Mapping[str, object]) -> object:
    given, family = item.get("given"), item.get("family")  # CSL-JSON, Crossref
    if isinstance(family, str):
        return f"{given} {family}" if isinstance(given, str) else family
    named = (item[key] for key in ("name", "display_name", "literal", "raw_author_name", "term") if key in item)
    return next(named, item)


def _year(value: object) -> int | None:
    """A year as a number, as text, or in a date; none where it is said to be none yet."""
    if value is None or (isinstance(value, str) and _says_nothing(value)):
        return None
    if value == 0 and not isinstance(value, bool):
        return None
    if isinstance(value, float):  # as pandas writes it
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value
    found = _DATE.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
    if isinstance(value, bool) or found is None:
        raise _Malformed("year", f"a year of four digits, found {_shown(value)}")
    return int(next(filter(None, found.groups())))


def _url(values: Mapping[str, object]) -> str:
    """The first of the addresses that are given; one without its https:// gets it. A place on the machine, or in the
    program, that the entry comes from is none.
    """
    url = re.split(r"[\s,;]+(?=https?://|www\.)", _text(values, "url"), maxsplit=1, flags=re.IGNORECASE)[0]
    if _says_nothing(url) or _NOT_OF_THE_WEB.match(url):
        return ""
    url = re.sub(r"^https?://", lambda match: match[0].lower(), url, flags=re.IGNORECASE)
    url = url if re.match(r"[a-z]+:", url, re.IGNORECASE) or not _BARE.match(url) else f"https://{url}"
    if not is_web_address(url):
        raise _Malformed("url", f"an address that begins with http:// or https://, found {_shown(url)}")
    return url


_NOT_OF_THE_WEB = re.compile(
    r"<Go to ISI>|file:|ftp://|zotero:|[A-Za-z]:\\|/(?!/)|https?://(?:localhost|\d+\.\d+\.)", re.IGNORECASE
)
_BARE = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?:[/?#]|$)", re.IGNORECASE)
_LONGEST_DOI = 500
DOI = re.compile(r"10\.\d+(?:\.\d+)*/[^\s;]+")


def _doi(values: Mapping[str, object]) -> str | None:
    """The first DOI that is given, whatever stands before it: an address, "doi:", a library's proxy."""
    text = _text(values, "doi")[:_LONGEST_DOI]
    if _says_nothing(text):
        return None
    before = r"(?:(?:doi:?\s*)?(?:https?://)?(?:[\w.-]*doi[\w.-]*/)?|doi:?\s*)"
    found = re.match(rf"{before}({DOI.pattern})(?:[\s;].*)?$", text, re.IGNORECASE)
    if found is None:
        raise _Malformed("doi", f"a DOI such as 10.1000/182, found {_shown(text)}")
    return found[1].rstrip(".,")


def _shown(value: object) -> str:
    """The value as Python writes it, cut to a length that fits a message."""
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
