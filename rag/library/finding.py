"""Papers of a library by their words or by what they mean, with filters; and the neighbours of a paper.

    "words"    every word stands in the paper (stemmed), every "quoted phrase" exactly; ranked by BM25
    "meaning"  nearest by cosine similarity
    "both"     the two rankings fused, as for a question

Unlike retrieval for a question, searching by words looks at authors, venue and keywords as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rag.language.sentences import sentences_of
from rag.language.terms import tokenize
from rag.retrieval import PASSAGES_A_PAPER, FusedRetriever, select_papers
from rag.schema import Paper, Passage

How = Literal["both", "words", "meaning"]
_QUOTED = re.compile(r'["“”]([^"“”]+)["“”]')


@dataclass(frozen=True, slots=True)
class Found:
    """A paper that fits, with the passage that fits best (None where nothing was searched for, or only its facts fit).

    `score` is larger for a better fit and comparable within one search alone; `rank` counts from 1.
    """

    paper: Paper
    passage: Passage | None
    score: float
    rank: int


def find(
    retriever: FusedRetriever, text: str, how: How = "both", where: Mapping[str, Any] | None = None, k: int = 50
) -> tuple[Found, ...]:
    """The `k` best papers for `text`, best first; for a blank text the first `k` that fit `where`, as they stand.

    Raises:
        BadFilter: `where` names an unknown field or operator.
    """
    papers = retriever.index.papers
    allowed = select_papers(papers.values(), where) if where else frozenset(papers)
    if not text.strip():
        kept = [paper for paper in papers.values() if paper.id in allowed][:k]
        return tuple(Found(paper, None, 0.0, rank) for rank, paper in enumerate(kept, start=1))
    if how == "both":
        hits = retriever.search(text, k=k, where=where)
        return tuple(Found(hit.paper, hit.passage, hit.score, hit.rank) for hit in hits)
    ranked = _by_words(retriever, text, allowed, k) if how == "words" else _by_meaning(retriever, text, allowed, k)
    return tuple(Found(paper, passage, score, rank) for rank, (paper, passage, score) in enumerate(ranked, start=1))


def neighbours(retriever: FusedRetriever, paper: Paper, k: int = 5) -> tuple[Found, ...]:
    """The `k` papers most like `paper` by the cosine of the means of their passages; itself left out."""
    index = retriever.index
    rows = [row for row, passage in enumerate(index.passages) if passage.paper_id == paper.id]
    if not rows:
        return ()
    mean = index.vectors(rows).mean(axis=0)
    vector = mean / max(float(np.linalg.norm(mean)), 1e-12)
    # Of all and without itself afterwards: a filter of n - 1 papers is slow.
    nearest = _best_rows(retriever, vector, frozenset(index.papers), k + 1)
    near = [item for item in nearest if item[0].id != paper.id][:k]
    return tuple(Found(*item, rank) for rank, item in enumerate(near, start=1))


_Ranked = list[tuple[Paper, Passage | None, float]]


def _by_meaning(retriever: FusedRetriever, text: str, allowed: frozenset[str], k: int) -> _Ranked:
    return _best_rows(retriever, retriever.encoder.encode([text], "query")[0], allowed, k)


def _best_rows(retriever: FusedRetriever, vector: Any, allowed: frozenset[str], k: int) -> _Ranked:
    index = retriever.index
    best: dict[str, tuple[Paper, Passage | None, float]] = {}
    for row, score in index.nearest(vector, PASSAGES_A_PAPER * k, allowed):
        passage = index.passages[row]
        best.setdefault(passage.paper_id, (index.papers[passage.paper_id], passage, score))
    return list(best.values())[:k]


def _by_words(retriever: FusedRetriever, text: str, allowed: frozenset[str], k: int) -> _Ranked:
    index = retriever.index
    phrases = [_folded(phrase) for phrase in _QUOTED.findall(text)]
    terms = frozenset(tokenize(text))
    scores = index.keywords.scores(text)
    best: dict[str, tuple[Passage, float]] = {}
    for row in np.flatnonzero(scores):
        passage, score = index.passages[row], float(scores[row])
        if passage.paper_id in allowed and score > best.get(passage.paper_id, (passage, 0.0))[1]:
            best[passage.paper_id] = (passage, score)
    found: _Ranked = []
    for identity in sorted(best, key=lambda identity: -best[identity][1]):
        paper = index.papers[identity]
        if _has_all(paper, terms, phrases):
            found.append((paper, *best[identity]))
            if len(found) == k:
                return found
    if terms or phrases:
        rest = (index.papers[identity] for identity in index.papers if identity in allowed and identity not in best)
        found += [(paper, None, 0.0) for paper in rest if _has_all(paper, terms, phrases, facts_alone=True)]
    return found[:k]


def _has_all(paper: Paper, terms: frozenset[str], phrases: Sequence[str], *, facts_alone: bool = False) -> bool:
    facts = " ".join((*paper.authors, paper.venue or "", *paper.keywords))
    whole = f"{paper.title}\n{paper.abstract}\n{facts}"
    # Where no passage of it has any of the words, only its facts can.
    if not terms <= frozenset(tokenize(facts if facts_alone else whole)):
        return False
    folded = _folded(whole) if phrases else ""
    return all(phrase in folded for phrase in phrases)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def best_sentence(found: Found, text: str) -> tuple[int, int] | None:
    """(start, end) in the abstract of the passage's sentence that shares most words with `text`; None without one."""
    if found.passage is None:
        return None
    terms = frozenset(tokenize(text))
    inside = [s for s in sentences_of(found.paper) if found.passage.start <= s.start < found.passage.end]
    if not inside:
        return None
    best = max(inside, key=lambda sentence: len(terms & frozenset(tokenize(sentence.text))))
    return best.start, best.end
