"""Keyword ranking over passages: BM25 (bm25s) with a tokenizer made for the names that papers have.

"HIL-SERL", "A^2Nav", "Tülu" and "Q*" must be found as people type them: accents are dropped, carets joined,
hyphenated names split at the hyphen, English words stemmed. A name that is spelled like a word of grammar is told by
its capitals: "HER" is a term, "her" is none. Knows nothing of vectors or papers: rows in, scores out.

Source: BM25 as in Lucene (Kamphuis et al. 2020, "Which BM25 Do You Mean?"), the default of bm25s; stemmer: Snowball.
"""

from __future__ import annotations

import json
import logging
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np  # at run time only where scores are made: the command line starts without it
    from numpy.typing import NDArray

TOKENIZER_VERSION = "2"

# Words that carry grammar or the form of a question rather than its subject.
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being between both but by
    can could did do does doing done each for from further get gets give given gives had has have having he her
    here hers him his how i if in into is it its itself just let me mine more most my no nor not of off on once
    only or other our ours out over own please same say says she should so some such tell than that the their
    theirs them then there these they this those through to too under until up us very was we were what when
    where which while who whom whose why will with would you your yours
    """.split()
)
_WORD = re.compile(r"[^\W_]+")
_ABBREVIATION = re.compile(r"(?!AND|NOT)[A-Z]{2,4}")
"""A stop word so written is a name. AND and NOT are put in capitals as operators and for emphasis, longer ones too."""
_HEADING = re.compile(r"(?<![^\W_])[A-Z]+(?:[\s-]+[A-Z]+){2,}(?![^\W_])")
"""Three words in capitals and more: a shouted question, a title, "PURPOSE OF REVIEW". Its capitals tell nothing."""
_stemmer = None


def tokenize(text: str) -> list[str]:
    """Stemmed lower-case terms of `text` in order, stop words left out; "" gives []."""
    plain = _HEADING.sub(lambda heading: heading.group().lower(), _plain(text))
    return [stem(word.casefold()) for word in _WORD.findall(plain) if not is_stop_word(word)]


def is_stop_word(word: str) -> bool:
    """Whether `word`, as it is written, carries grammar: "her" and "Her", but not "HER"."""
    return word.casefold() in STOP_WORDS and _ABBREVIATION.fullmatch(word) is None


def words(text: str) -> list[str]:
    """Lower-case words of `text` without accents, in order, unstemmed; digits count as words."""
    return _WORD.findall(_plain(text).casefold())


def _plain(text: str) -> str:
    """`text` without accents and carets."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).replace("^", "")


def stem(word: str) -> str:
    """The stem that a lower-case English word shares with its inflections: "papers" and "paper" give "paper"."""
    global _stemmer  # noqa: PLW0603  (made at first use: importing this module loads no compiled code)
    if _stemmer is None:
        import Stemmer

        _stemmer = Stemmer.Stemmer("english")
    return str(_stemmer.stemWord(word))


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
