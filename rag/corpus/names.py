"""What the fields of an entry are called by those who write CSV and JSON, and how JSON nests them.

    {"Document Title": …, "Publication Year": …}            IEEE Xplore
    {"title": …, "issued": {"date-parts": [[2020, 5]]}}     CSL-JSON, Crossref
    {"display_name": …, "abstract_inverted_index": {…}}     OpenAlex

Knows names and nesting only; `rag.corpus.entry` checks the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

_NAMES = {
    "title": ("title", "document title", "article title", "paper title", "display name"),
    "abstract": ("abstract", "abstract note", "abstract text", "abstracts", "summary", "abstract inverted index"),
    "authors": (
        "authors", "author", "author/s", "author(s)", "author names", "author full names", "creators", "authorships",
    ),
    "year": (
        "year", "publication year", "pub year", "year published", "publication date", "date", "date published",
        "issued", "published",
    ),
    "venue": (
        "venue", "journal", "source title", "publication title", "journal title", "journal/book", "journal name",
        "container title", "booktitle", "book title", "conference",
    ),
    "url": ("url", "link", "article url", "source urls", "html link"),
    "doi": ("doi", "article doi", "externalids"),
    "keywords": ("keywords", "author keywords", "keyword", "index keywords", "manual tags", "tags"),
}  # fmt: skip
"""Of each field, how it may be called; of several that an entry has, the first that says something counts."""


def fields_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Of each field, those of `names` that stand for it, the most telling first."""
    folded = {_folded(name): name for name in reversed(list(names))}
    return {field: [folded[known] for known in listed if known in folded] for field, listed in _NAMES.items()}


def by_field(values: Mapping[str, object]) -> dict[str, object]:
    """An object of JSON by the names of fields, with what is nested taken out; other names are dropped."""
    found: dict[str, object] = {}
    for field, names in fields_of(values).items():
        told = [(name, _plain(_folded(name), values[name])) for name in names]
        if told:
            found[field] = next((value for _, value in told if value not in (None, "", [])), told[0][1])
    return found


@lru_cache(maxsize=1024)  # a table has the same names in each row
def _folded(name: str) -> str:
    return " ".join(name.strip(" \"'").casefold().replace("_", " ").replace("-", " ").split())


def _plain(name: str, value: object) -> object:
    """A value as `rag.corpus.entry` takes it; one of no known shape is left as it is, to be refused there."""
    match name, value:
        case (("title" | "container title"), [str(first), *_]) if name != "title" or len(value) == 1:
            return first
        case (("issued" | "published"), {"date-parts": [[int(year), *_], *_]}):
            return year
        case "abstract inverted index", dict():
            places = [(place, word) for word, at in value.items() if isinstance(at, list) for place in at]
            return " ".join(word for _, word in sorted(places, key=lambda pair: pair[0]))
        case "authorships", list():
            return [item.get("author", item) if isinstance(item, dict) else item for item in value]
        case "externalids", dict():
            return value.get("DOI")
        case "journal", {"name": str(journal)}:
            return journal
    return value
