"""Which entries are one paper: stable ids, merging of duplicates, and a digest of a whole library.

A paper is known by its title (letters and digits only, case folded). Entries with the same title and nearly the same
abstract are one paper; the fuller entry wins and what only the other one knows is added. Nothing here depends on the
order of the entries or on the files they came from. Does not find one paper under two titles.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace

from rag.schema import Paper

_ID_DIGITS = 10
_SAME_ABSTRACT = 0.7
"""Share of the shorter abstract's distinct words that must be in the other one. Of 400,000 random pairs out of 87,249
machine-learning abstracts two reach it; the one pair there with the same title, two versions of a paper, has 0.82.
"""


def paper_id(title: str) -> str:
    """Ten hex digits from the title alone; the id of every paper whose title no other paper bears."""
    return _digest(_normalised(title))


def distinct(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    """Papers with their ids, duplicates merged, in the order in which each first appeared.

    Papers with the same title but clearly different abstracts both get ids that include the abstract. No papers
    give none.
    """
    by_title: defaultdict[str, list[tuple[int, Paper]]] = defaultdict(list)
    for position, paper in enumerate(papers):
        by_title[_normalised(paper.title)].append((position, paper))
    merged = [_merge(cluster) for entries in by_title.values() for cluster in _clusters(entries)]
    # Grouped by id rather than by title, so that two titles with the same ten digits are told apart as well.
    by_id: defaultdict[str, list[tuple[int, Paper]]] = defaultdict(list)
    for position, paper in merged:
        by_id[paper_id(paper.title)].append((position, paper))
    numbered = [
        (position, replace(paper, id=identity if len(entries) == 1 else _id_with_abstract(paper)))
        for identity, entries in by_id.items()
        for position, paper in entries
    ]
    return tuple(paper for _, paper in sorted(numbered, key=lambda item: item[0]))


def corpus_digest(papers: Iterable[Paper]) -> str:
    """SHA-256 (64 hex digits) over ids and content, whatever the order; `source` does not count."""
    lines = []
    for paper in papers:
        values = asdict(paper)
        del values["source"]
        lines.append(json.dumps(values, sort_keys=True, ensure_ascii=True))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _normalised(title: str) -> str:
    """Letters and digits of the title; the whole title where it has none ("∀∃")."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())
    return "".join(char for char in folded if char.isalnum()) or folded


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]


def _id_with_abstract(paper: Paper) -> str:
    return _digest(f"{_normalised(paper.title)}\n{_normalised(paper.abstract)}")


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def _clusters(entries: list[tuple[int, Paper]]) -> list[list[tuple[int, Paper]]]:
    """Entries of one title, those with nearly the same abstract together (single link, so order does not matter)."""
    if len(entries) == 1:
        return [entries]
    clusters: list[list[tuple[int, Paper]]] = []
    for entry in entries:
        words = _words(entry[1].abstract)
        near = [cluster for cluster in clusters if any(_overlap(words, _words(p.abstract)) for _, p in cluster)]
        clusters = [cluster for cluster in clusters if cluster not in near]
        clusters.append([*(item for cluster in near for item in cluster), entry])
    return clusters


def _overlap(first: frozenset[str], second: frozenset[str]) -> bool:
    shorter = min(len(first), len(second))
    return first == second or (shorter > 0 and len(first & second) / shorter >= _SAME_ABSTRACT)


def _merge(cluster: list[tuple[int, Paper]]) -> tuple[int, Paper]:
    """One paper of several entries: the longest abstract wins, then the entry that knows more."""
    ranked = (
        sorted((paper for _, paper in cluster), key=_fullness, reverse=True) if len(cluster) > 1 else [cluster[0][1]]
    )
    best = ranked[0]
    for other in ranked[1:]:
        best = replace(
            best,
            authors=best.authors or other.authors,
            year=best.year if best.year is not None else other.year,
            venue=best.venue or other.venue,
            url=best.url or other.url,
            doi=best.doi or other.doi,
            keywords=tuple(dict.fromkeys((*best.keywords, *other.keywords))),
        )
    return min(position for position, _ in cluster), best


def _fullness(paper: Paper) -> tuple[int, int, str]:
    known = (paper.authors, paper.year, paper.venue, paper.url, paper.doi, paper.keywords)
    # The last part only makes the choice between equals independent of their order.
    return len(paper.abstract), sum(bool(value) for value in known), repr(paper)
