"""Figures of a ranking: pure functions over ids, best first. Where nothing is relevant they are None, never 0."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str]) -> float | None:
    """1 / rank of the first relevant id, 0 if none is ranked; its mean over questions is MRR.

    Source: Voorhees 1999, the TREC-8 question answering track.
    """
    if not relevant:
        return None
    return next((1 / rank for rank, item in enumerate(ranking, start=1) if item in relevant), 0.0)


def ndcg_at(ranking: Sequence[str], gains: Mapping[str, float], k: int) -> float | None:
    """Discounted gain of the first `k` over that of the best order, with the gain itself over log2(rank + 1).

    An id ranked twice counts once, at its first place.

    Source: Järvelin and Kekäläinen 2002; linear gain as in trec_eval, which BEIR reports.
    """
    best = _discounted(sorted((gain for gain in gains.values() if gain > 0), reverse=True)[:k])
    if not best:
        return None
    return _discounted([gains.get(item, 0.0) for item in list(dict.fromkeys(ranking))[:k]]) / best


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def set_precision(found: Collection[str], wanted: Collection[str]) -> float | None:
    """Share of what was found that is wanted; None where nothing was found or nothing is wanted."""
    return len(set(found) & set(wanted)) / len(set(found)) if found and wanted else None


def set_recall(found: Collection[str], wanted: Collection[str]) -> float | None:
    """Share of what is wanted that was found; None where nothing is wanted."""
    return len(set(found) & set(wanted)) / len(set(wanted)) if wanted else None


def set_f1(found: Collection[str], wanted: Collection[str]) -> float | None:
    """2 |found and wanted| / (|found| + |wanted|); None where nothing is wanted. Source: Dice 1945."""
    both = len(set(found) & set(wanted))
    return 2 * both / (len(set(found)) + len(set(wanted))) if wanted else None


def average_precision(ranking: Sequence[str], relevant: Collection[str]) -> float | None:
    """Mean over the relevant ids of the precision at their rank, 0 for those not ranked; its mean is MAP.

    Source: Buckley and Voorhees 2000; as `map` of trec_eval.
    """
    if not relevant:
        return None
    found, total = 0, 0.0
    for rank, item in enumerate(dict.fromkeys(ranking), start=1):
        if item in relevant:
            found += 1
            total += found / rank
    return total / len(set(relevant))
