"""Reads the tagged text of PubMed (MEDLINE, .nbib), Web of Science (.ciw) and EndNote (.enw): a tag a line, as in RIS.

    PMID- 123                 PT J                      %0 Journal Article
    TI  - Naps and memory     TI Naps and memory        %T Naps and memory
    FAU - Roe, Ann            AU Roe, Ann               %A Roe, Ann
          Doe, Jo                Doe, Jo                %A Doe, Jo

A record begins with a tag of its own and ends where the next begins. The tags that count are listed below.

Sources: "MEDLINE/PubMed Data Element Descriptions" (NLM); "Web of Science Core Collection Field Tags" (Clarivate); the
EndNote import format (refer's, of Bell Labs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.corpus.entry import DOI, Entry
from rag.corpus.people import given_name_first


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write tags. Of several tags for one field the first that is there counts."""

    opens: re.Pattern[str]
    """The line that begins a record."""
    line: re.Pattern[str]
    """A line with a tag: (tag, value)."""
    tags: Mapping[str, tuple[str, ...]]
    begins_anew: frozenset[str] = frozenset()
    """Tags of which each further line is another value."""

    def matches(self, text: str) -> bool:
        """Whether a line opens a record."""
        return self.opens.search(text) is not None

    def read(self, text: str) -> Iterator[Entry]:
        """One Entry a record; what stands before the first is passed over. Empty text gives none."""
        record: list[tuple[str, str]] = []
        opened = 0
        for number, line in enumerate(text.split("\n"), start=1):
            if self.opens.match(line):
                if opened:
                    yield Entry(opened, self._values(record))
                record, opened = [], number
            found = self.line.fullmatch(line.rstrip())
            if found:
                record.append((found[1], (found[2] or "").strip()))
            elif line.strip() and record:
                tag, before = record[-1]
                is_further = tag in self.begins_anew
                record[-1:] = (
                    [(tag, before), (tag, line.strip())] if is_further else [(tag, f"{before} {line.strip()}")]
                )
        if opened:
            yield Entry(opened, self._values(record))

    def _values(self, record: Sequence[tuple[str, str]]) -> dict[str, object]:
        told = {field: first_told(record, tags) for field, tags in self.tags.items()}
        # PubMed has other identifiers under the same tag: "S0140 [pii]".
        told["doi"] = [found[0] for value in told["doi"] if (found := DOI.search(value))]
        return {field: as_field(field, values) for field, values in told.items()}


def first_told(record: Sequence[tuple[str, str]], tags: Sequence[str]) -> list[str]:
    """What a record says under the first of `tags` that it says anything under."""
    return next(filter(None, ([value for name, value in record if name == tag and value] for tag in tags)), [])


def as_field(field: str, told: Sequence[str]) -> object:
    """What stands under one field's tag as `rag.corpus.entry` takes it: names in reading order, paragraphs as one."""
    if field == "authors":
        return [given_name_first(name) for value in told for name in value.split(";") if name.strip()]
    if field == "keywords":
        return [word.strip("* ") for value in told for word in value.split(";")]
    return " ".join(told) if field == "abstract" else told[0] if told else None


MEDLINE = Dialect(
    opens=re.compile(r"^PMID- \d", re.MULTILINE),
    line=re.compile(r"([A-Z]{2,4}) {0,2}- (.*)"),
    tags={
        "title": ("TI", "BTI"), "abstract": ("AB",), "authors": ("FAU", "AU"), "year": ("DP", "DEP"),
        "venue": ("JT", "TA"), "doi": ("LID", "AID"), "keywords": ("OT", "MH"),
    },
)  # fmt: skip
WEB_OF_SCIENCE = Dialect(
    opens=re.compile(r"^PT [A-Z]$", re.MULTILINE),
    line=re.compile(r"([A-Z][A-Z0-9])(?: (.*))?"),
    tags={
        "title": ("TI",), "abstract": ("AB",), "authors": ("AF", "AU"), "year": ("PY",), "venue": ("SO",),
        "doi": ("DI",), "keywords": ("DE", "ID"),
    },
    begins_anew=frozenset({"AF", "AU"}),
)  # fmt: skip
ENDNOTE = Dialect(
    opens=re.compile(r"^%0 \S", re.MULTILINE),
    line=re.compile(r"%([0-9A-Z@+!~]) (.*)"),
    tags={
        "title": ("T",), "abstract": ("X",), "authors": ("A",), "year": ("D", "8"), "venue": ("J", "B"), "url": ("U",),
        "doi": ("R",), "keywords": ("K",),
    },
    begins_anew=frozenset({"K"}),
)  # fmt: skip
