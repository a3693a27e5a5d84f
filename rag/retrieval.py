"""Question in, papers out: dense and BM25 rankings fused by reciprocal rank, as a LangChain retriever.

Both rankings are over passages; a paper stands where its best passage stands. Filters narrow both alike.
Knows nothing of sentences, prompts or answers.

Source: reciprocal rank fusion, Cormack, Clarke and Büttcher (2009). The constant is 10 instead of their 60, because
a library is far smaller than the TREC collections; on SciFact's training claims 10 gives nDCG@10 71.9 (dense 68.8,
BM25 70.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.errors import BadFilter, SettingsError
from rag.index import LibraryIndex, PassageEncoder
from rag.schema import Hit, Paper
from rag.trace import Ranked

PASSAGES_A_PAPER = 4
"""So many times as many passages are taken as papers are wanted: a paper has two or three."""
FILTER_FIELDS = ("id", "title", "authors", "year", "venue", "url", "doi", "keywords", "source")
FILTER_OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains")

Where = Mapping[str, Any]


class FusedRetriever(BaseRetriever):
    """Best papers for a question, each with its best passage."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: LibraryIndex
    encoder: Any
    """A `PassageEncoder`; pydantic cannot check a Protocol with properties."""
    k: int = 5
    candidates: int = 50
    fusion_constant: int = 10

    def search(self, question: str, *, k: int | None = None, where: Where | None = None) -> tuple[Hit, ...]:
        """The `k` best papers, best first; fewer where the library or the filter has fewer; none for an empty library.

        Raises:
            BadFilter: `where` names an unknown field or operator, or a value that cannot be compared.
            SettingsError: `k` is no positive number.
        """
        k = self.k if k is None else k
        if k < 1:
            raise SettingsError(f"{k} papers cannot be looked for.", "Ask for at least one.")
        allowed = select_papers(self.index.papers.values(), where) if where else None
        if allowed == frozenset():
            return ()
        count = self.candidates if k <= self.candidates else PASSAGES_A_PAPER * k
        encoder: PassageEncoder = self.encoder
        vector = encoder.encode([question], "query")[0]
        dense = self._papers_of(row for row, _ in self.index.nearest(vector, count, allowed))
        keyword = self._papers_of(self._keyword_rows(question, allowed, count))
        return self._hits([dense, keyword], k)

    def papers(self, where: Where | None = None) -> tuple[Paper, ...]:
        """Every paper that fits `where`, in the order of the library.

        Raises:
            BadFilter: as for `search`.
        """
        every = tuple(self.index.papers.values())
        allowed = select_papers(every, where) if where else None
        return every if allowed is None else tuple(paper for paper in every if paper.id in allowed)

    def compare(self, question: str, *, where: Where | None = None) -> tuple[Ranked, ...]:
        """Every paper that a search considers, best first, with its place in each of the two rankings.

        Raises:
            BadFilter: `where` names an unknown field or operator.
        """
        allowed = select_papers(self.index.papers.values(), where) if where else None
        if allowed == frozenset():
            return ()
        vector = self.encoder.encode([question], "query")[0]
        near = dict(self.index.nearest(vector, self.candidates, allowed))
        bm25 = self.index.keywords.scores(question)
        dense, keyword = self._papers_of(near), self._papers_of(self._keyword_rows(question, allowed, self.candidates))
        fused = reciprocal_rank_fusion([list(dense), list(keyword)], self.fusion_constant)
        dense_ranks = {paper: rank for rank, paper in enumerate(dense, start=1)}
        keyword_ranks = {paper: rank for rank, paper in enumerate(keyword, start=1)}
        return tuple(
            Ranked(
                paper=self.index.papers[paper],
                rank=rank,
                score=score,
                dense_rank=dense_ranks.get(paper),
                similarity=near[dense[paper]] if paper in dense else None,
                keyword_rank=keyword_ranks.get(paper),
                keyword_score=float(bm25[keyword[paper]]) if paper in keyword else None,
            )
            for rank, (paper, score) in enumerate(fused.items(), start=1)
        )

    def _keyword_rows(self, question: str, allowed: frozenset[str] | None, most: int) -> list[int]:
        scores = self.index.keywords.scores(question)
        if allowed is not None:
            outside = [row for row, passage in enumerate(self.index.passages) if passage.paper_id not in allowed]
            scores[outside] = 0.0
        count = min(most, int(np.count_nonzero(scores)))
        if count == 0:
            return []
        best = np.argpartition(-scores, count - 1)[:count]
        return sorted((int(row) for row in best), key=lambda row: (-scores[row], row))

    def _papers_of(self, rows: Iterable[int]) -> dict[str, int]:
        """Best row of each paper, papers in the order in which they first occur."""
        best: dict[str, int] = {}
        for row in rows:
            best.setdefault(self.index.passages[row].paper_id, row)
        return best

    def _hits(self, rankings: Sequence[Mapping[str, int]], k: int) -> tuple[Hit, ...]:
        scores = reciprocal_rank_fusion([list(ranking) for ranking in rankings], self.fusion_constant)
        hits = []
        for rank, (paper_id, score) in enumerate(list(scores.items())[:k], start=1):
            row = next(ranking[paper_id] for ranking in rankings if paper_id in ranking)
            hits.append(Hit(self.index.papers[paper_id], self.index.passages[row], score, rank))
        return tuple(hits)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        where: Where | None = None,
    ) -> list[Document]:
        return [as_document(hit) for hit in self.search(query, k=k, where=where)]


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]], constant: int) -> dict[str, float]:
    """Items by the sum of 1 / (constant + rank) over the rankings, best first; ties in order of first sight.

    Args:
        rankings: each best first, without repeats; ranks count from 1.
        constant: how little the first place counts more than the next ones; at least 1.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (constant + rank)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def as_document(hit: Hit) -> Document:
    """A hit as LangChain knows it; metadata are plain values."""
    paper = hit.paper
    facts = {"paper_id": paper.id, "title": paper.title, "year": paper.year, "venue": paper.venue, "url": paper.url}
    place = {"start": hit.passage.start, "end": hit.passage.end, "score": hit.score, "rank": hit.rank}
    return Document(
        id=hit.passage.id,
        page_content=hit.passage.text,
        metadata={**{key: value for key, value in facts.items() if value is not None}, **place},
    )


def select_papers(papers: Iterable[Paper], where: Where) -> frozenset[str]:
    """Ids of the papers that fit every condition: `{"year": {"gte": 2023}, "venue": "ICLR"}`.

    A plain value means "eq". Text compares without case; "contains" looks inside text and lists. A paper that lacks
    the field fits no condition but "ne".

    Raises:
        BadFilter: an unknown field or operator, or a value that cannot be compared.
    """
    conditions = [(field, *pair) for field, condition in where.items() for pair in _operations(field, condition)]
    return frozenset(paper.id for paper in papers if all(_fits(getattr(paper, f), op, v) for f, op, v in conditions))


def _operations(field: str, condition: Any) -> list[tuple[str, Any]]:
    if field not in FILTER_FIELDS:
        raise BadFilter(f"Unknown field {field!r} in the filter.", f"Known fields: {', '.join(FILTER_FIELDS)}.")
    operations = condition if isinstance(condition, Mapping) else {"eq": condition}
    for operator, value in operations.items():
        if operator not in FILTER_OPERATORS:
            raise BadFilter(f"Unknown operator {operator!r} for {field!r}.", f"Known: {', '.join(FILTER_OPERATORS)}.")
        if operator in ("gt", "gte", "lt", "lte") and field != "year":
            raise BadFilter(f"{field!r} cannot be compared with {value!r}.", "Give a year as a number: 2023.")
        if operator == "in" and (isinstance(value, str) or not isinstance(value, Sequence)):
            raise BadFilter(f"'in' for {field!r} needs a list, not {value!r}.", "Write it as [first, second].")
        asked = value if operator == "in" else [value]
        if field == "year" and operator != "contains" and not all(isinstance(year, int) for year in asked):
            raise BadFilter(f"{field!r} cannot be compared with {value!r}.", "Give a year as a number: 2023.")
    return list(operations.items())


def _fits(found: Any, operator: str, value: Any) -> bool:
    if found is None or found == ():
        return operator == "ne"
    found, value = _folded(found), _folded(value)
    match operator:
        case "eq":
            return bool(found == value or (isinstance(found, tuple) and value in found))
        case "ne":
            return not _fits(found, "eq", value)
        case "in":
            return any(_fits(found, "eq", item) for item in value)
        case "contains":
            return any(str(value) in str(item) for item in (found if isinstance(found, tuple) else (found,)))
        case "gt":
            return bool(found > value)
        case "gte":
            return bool(found >= value)
        case "lt":
            return bool(found < value)
        case _:
            return bool(found <= value)


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, list | tuple):
        return tuple(_folded(item) for item in value)
    return value
