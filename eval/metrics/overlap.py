"""How a text overlaps another: pure functions over words in lower case. Nothing to compare with is None, never 0."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from eval.metrics.markers import MARKER

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+")
_ARTICLES = frozenset(("a", "an", "the"))


def words(text: str) -> list[str]:
    """Words and numbers of `text` in lower case, citation markers left out."""
    return _WORD.findall(MARKER.sub(" ", text).lower())


def token_f1(text: str, reference: str) -> float | None:
    """Harmonic mean of word precision and recall, articles left out; None without a reference.

    Source: SQuAD's evaluation (Rajpurkar et al. 2016).
    """
    have, wanted = (Counter(w for w in words(t) if w not in _ARTICLES) for t in (text, reference))
    if not wanted:
        return None
    both = (have & wanted).total()
    return 2 * both / (have.total() + wanted.total())


def rouge_l(text: str, reference: str) -> float | None:
    """F1 of the longest common subsequence of words, without stemming; None without a reference.

    Source: Lin 2004, with equal weight of precision and recall as in Google's rouge_score.
    """
    have, wanted = words(text), words(reference)
    if not wanted:
        return None
    return 2 * _common_subsequence(have, wanted) / (len(have) + len(wanted))


def _common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for j, other in enumerate(b, start=1):
            kept = row[j]
            row[j] = before + 1 if word == other else max(row[j], row[j - 1])
            before = kept
    return row[-1]


def copy_ratio(text: str, sources: Sequence[str], run: int = 5) -> float | None:
    """Share of the words of `text` that lie in runs of `run` or more words found in a source; None of a shorter text.

    Source: extractive fragment coverage (Grusky et al. 2018, Newsroom), with a least length so that chance is left out.
    """
    own = words(text)
    if len(own) < run:
        return None
    known = {tuple(given[i : i + run]) for given in map(words, sources) for i in range(len(given) - run + 1)}
    copied = [False] * len(own)
    for i in range(len(own) - run + 1):
        if tuple(own[i : i + run]) in known:
            copied[i : i + run] = [True] * run
    return sum(copied) / len(own)
