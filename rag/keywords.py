"""Keyword ranking over passages: BM25 (bm25s) of their terms. Knows nothing of vectors or papers: rows in, scores out.

Source: BM25 as in Lucene (Kamphuis et al. 2020, "Which BM25 Do You Mean?"), the default of bm25s.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.language.terms import tokenize

if TYPE_CHECKING:
    import numpy as np  # at run time only where scores are made: the command line starts without it
    from numpy.typing import NDArray


class KeywordIndex:
    """BM25 scores of a query against every row that was indexed."""

    def __init__(self, ranker: object, n_rows: int, document_frequency: dict[str, int]) -> None:
        self._ranker = ranker
        self.n_rows = n_rows
        self._document_frequency = document_frequency

    @classmethod
    def build(cls, texts: Iterable[str]) -> KeywordIndex:
        """Index `texts`; row i of every score array is the i-th of them."""
        bm25s = _quiet_bm25s()
        rows = [tokenize(text) for text in texts]
        frequency: dict[str, int] = {}
        for row in rows:
            for term in set(row):
                frequency[term] = frequency.get(term, 0) + 1
        ranker = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        if frequency:
            ranker.index(rows, show_progress=False)
        return cls(ranker if frequency else None, len(rows), frequency)

    def scores(self, query: str) -> NDArray[np.float32]:
        """One score per row, float32 of shape (n_rows,), larger is better; 0 where no term of the query occurs."""
        import numpy as np

        terms = [term for term in dict.fromkeys(tokenize(query)) if term in self._document_frequency]
        if not terms or self._ranker is None:
            return np.zeros(self.n_rows, dtype=np.float32)
        return np.asarray(self._ranker.get_scores(terms), dtype=np.float32)  # type: ignore[attr-defined]

    def weight(self, term: str) -> float:
        """Inverse document frequency of a stemmed term: high for rare and unknown terms, near 0 for common ones."""
        count = self._document_frequency.get(term, 0)
        return math.log(1.0 + (self.n_rows - count + 0.5) / (count + 0.5))

    def frequency(self, term: str) -> int:
        """Number of rows in which the stemmed term occurs."""
        return self._document_frequency.get(term, 0)

    def save(self, folder: Path) -> None:
        """Write to `folder`, which must exist."""
        (folder / "frequency.json").write_text(
            json.dumps({"n_rows": self.n_rows, "frequency": self._document_frequency}, ensure_ascii=False),
            encoding="utf-8",
        )
        if self._ranker is not None:
            self._ranker.save(str(folder), show_progress=False)  # type: ignore[attr-defined]

    @classmethod
    def load(cls, folder: Path) -> KeywordIndex:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError: the folder is incomplete or damaged.
        """
        bm25s = _quiet_bm25s()
        facts = json.loads((folder / "frequency.json").read_text(encoding="utf-8"))
        ranker = bm25s.BM25.load(str(folder), mmap=True, show_progress=False) if facts["frequency"] else None
        return cls(ranker, facts["n_rows"], facts["frequency"])


def _quiet_bm25s() -> Any:
    """bm25s, which would print a debug line at every build through a handler of its own."""
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s


def coverage(terms: Sequence[str], found_in: frozenset[str], weigh: KeywordIndex) -> float:
    """Share of `terms` that occurs in `found_in`, weighted by rarity, in [0, 1]; no terms give 0."""
    distinct = set(terms)
    # Exact sums: those of a set's floats would differ in the last digit from process to process, with its order.
    total = math.fsum(weigh.weight(term) for term in distinct)
    return math.fsum(weigh.weight(term) for term in distinct & found_in) / total if total else 0.0
