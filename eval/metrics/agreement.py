"""How far probabilities agree with yes-or-no labels: pure functions, each with its definition and source.

Where a figure is undefined (only one class is there, nothing is there) it is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
RESAMPLES = 2000
SEED = 0
_AT_ONCE = 1_000_000
"""Draws of a pair that are held in memory together."""

Interval = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures over `n` pairs of which `positive` are labelled yes."""

    n: int
    positive: int
    balanced_accuracy: float | None
    macro_f1: float | None
    macro_f1_at_best: float | None
    auroc: float | None
    kappa: float | None
    calibration_error: float | None

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON-ready."""
        return asdict(self)


def agreement(labels: Sequence[bool], scores: Sequence[float], threshold: float = 0.5) -> Agreement:
    """All figures of this module; a score of `threshold` or more is a yes."""
    guesses = [score >= threshold for score in scores]
    return Agreement(
        n=len(labels),
        positive=sum(labels),
        balanced_accuracy=balanced_accuracy(labels, guesses),
        macro_f1=macro_f1(labels, guesses),
        macro_f1_at_best=macro_f1_at_best(labels, scores),
        auroc=auroc(labels, scores),
        kappa=kappa(labels, guesses),
        calibration_error=calibration_error(labels, scores),
    )


def balanced_accuracy(labels: Sequence[bool], guesses: Sequence[bool]) -> float | None:
    """Mean of the recalls of yes and no; None where one class is missing. Source: Brodersen et al. 2010."""
    recalls = []
    for wanted in (True, False):
        of_class = [guess == wanted for label, guess in zip(labels, guesses, strict=True) if label == wanted]
        if not of_class:
            return None
        recalls.append(sum(of_class) / len(of_class))
    return sum(recalls) / 2


def macro_f1(labels: Sequence[bool], guesses: Sequence[bool]) -> float | None:
    """Mean of the F1 of yes and of no; None where only one of them is there. F1 is 2 tp / (2 tp + fp + fn).

    Source: the figure that AttributionBench reports (Li et al. 2024).
    """
    if len(set(labels)) < 2:
        return None
    scores = []
    for wanted in (True, False):
        right = sum(a == b == wanted for a, b in zip(labels, guesses, strict=True))
        total = sum(label == wanted for label in labels) + sum(guess == wanted for guess in guesses)
        scores.append(2 * right / total if total else 0.0)
    return sum(scores) / 2


def macro_f1_at_best(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """The largest macro F1 that any of 101 thresholds gives on these very labels: an upper bound, not a measurement.

    It is there for the floor, whose shares are not probabilities and for which 0.5 means nothing.
    """
    found = (macro_f1(labels, [score >= step / 100 for score in scores]) for step in range(101))
    return max((value for value in found if value is not None), default=None)


def auroc(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Chance that a yes scores above a no, ties counting half; None where one class is missing.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982.
    """
    positive = sum(labels)
    negative = len(labels) - positive
    if not positive or not negative:
        return None
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    total, start = 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        rank = (start + 1 + end) / 2
        total += rank * sum(labels[i] for i in order[start:end])
        start = end
    return (total - positive * (positive + 1) / 2) / (positive * negative)


def kappa(labels: Sequence[bool], guesses: Sequence[bool]) -> float | None:
    """Agreement above chance, (p_o - p_e) / (1 - p_e); None where chance is certain. Source: Cohen 1960."""
    n = len(labels)
    if not n:
        return None
    observed = sum(a == b for a, b in zip(labels, guesses, strict=True)) / n
    yes, guessed = sum(labels) / n, sum(guesses) / n
    expected = yes * guessed + (1 - yes) * (1 - guessed)
    return (observed - expected) / (1 - expected) if expected < 1 else None


def calibration_error(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Mean distance of a bin's mean score from its share of yes, ten equal bins, weighted by size; None of nothing.

    Source: expected calibration error, Naeini et al. 2015.
    """
    rows = reliability(labels, scores)
    return sum(n * abs(score - share) for score, share, n in rows) / len(labels) if labels else None


def reliability(labels: Sequence[bool], scores: Sequence[float]) -> list[tuple[float, float, int]]:
    """(mean score, share of yes, n) of each of ten equal bins of the score that is not empty."""
    bins: list[list[int]] = [[] for _ in range(BINS)]
    for i, score in enumerate(scores):
        bins[min(BINS - 1, int(score * BINS))].append(i)
    return [
        (sum(scores[i] for i in inside) / len(inside), sum(labels[i] for i in inside) / len(inside), len(inside))
        for inside in bins
        if inside
    ]


def intervals(
    labels: Sequence[bool], scores: Sequence[float], threshold: float = 0.5, seed: int = SEED
) -> dict[str, Interval | None]:
    """95 % intervals of macro F1, balanced accuracy and AUROC by their names in `Agreement`: (2.5 %, 97.5 %).

    Pairs are drawn anew with replacement, 2,000 times. A draw of one class only, in which a figure is undefined, is
    left out; where one class is missing from the start there is no interval, None.

    Source: percentile bootstrap (Efron 1979).
    """
    names = ("macro_f1", "balanced_accuracy", "auroc")
    if len(set(labels)) < 2:
        return dict.fromkeys(names)
    order = np.argsort(np.array(scores), kind="stable")
    ranked, said = np.array(scores)[order], np.array(labels)[order]
    draw, size = np.random.default_rng(seed), max(1, _AT_ONCE // len(said))
    parts = [
        _figures_of(_drawn(draw, len(said), min(size, RESAMPLES - start)), said, ranked, threshold)
        for start in range(0, RESAMPLES, size)
    ]
    rows = np.concatenate(parts, axis=1)
    ends = np.percentile(rows[:, ~np.isnan(rows).any(0)], [2.5, 97.5], axis=1).T
    return {name: (float(low), float(high)) for name, (low, high) in zip(names, ends, strict=True)}


def _drawn(draw: np.random.Generator, n: int, resamples: int) -> Floats:
    """How often each of `n` pairs is in each resample: (resamples, n)."""
    picked = draw.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(picked.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def _figures_of(counts: Floats, labels: NDArray[np.bool_], ranked: Floats, threshold: float) -> Floats:
    """Macro F1, balanced accuracy and AUROC of each resample, (3, resamples); NaN where one class is missing.

    `counts`: (resamples, n), of pairs in ascending order of their scores, `ranked`.
    """
    guesses = ranked >= threshold
    cells = ((True, True), (True, False), (False, True), (False, False))
    tp, fn, fp, tn = (counts @ ((labels == label) & (guesses == guess)).astype(np.float64) for label, guess in cells)
    positive, negative = tp + fn, fp + tn
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = (2 * tp / (2 * tp + fp + fn) + 2 * tn / (2 * tn + fp + fn)) / 2
        balanced = (tp / positive + tn / negative) / 2
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])  # ties count half
        yes, no = (np.add.reduceat(counts * wanted, starts, axis=1) for wanted in (labels, ~labels))
        area = (yes * (no.cumsum(1) - no / 2)).sum(1) / (positive * negative)
    return np.where((positive > 0) & (negative > 0), np.stack([f1, balanced, area]), np.nan)
