"""A judged rate, corrected for what is known of the judge's own error, with an interval that holds both doubts.

Of what people call supported a judge finds a share (its sensitivity), of the rest it lets a share through. If its
errors on a run are those that were measured, the true rate follows from the judged one. That "if" is the whole of it:
pairs that people labelled are not the sentences of a run. So the error is counted on those that are as near to their
evidence as a run's, and what stands there word for word is taken as it is. Pure functions; knows no judge.

A judge with that error judges a share between 1 - specificity (nothing has the property) and sensitivity (all has it).
A share outside says that it errs otherwise on this run, and no rate follows: the figure is None, with the reason.

Source: Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test"; the error's own doubt is
drawn with the rate's, one more of either outcome added to its counts, as in Lang and Reiczigel 2014, "Confidence limits
for prevalence of disease adjusted for estimated sensitivity and specificity". That a rate is not told where it lies
outside, or where most draws do, is ours: the usual cut to 0 or 1 would say "1.00 [1.00, 1.00]".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.metrics.answers import Figure

RESAMPLES = 2000
SEED = 0
LEAST_SKILL = 0.05
"""Sensitivity + specificity - 1 from which a correction says anything; it divides by this."""
LEAST_TOLD = 0.5
"""Share of the draws that have to allow a rate. Of one just inside the bounds about half do, of any other more."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class KnownError:
    """Counts on pairs that people labelled and the judge had not been fitted on.

    `found` of `positive` pairs that have the property were judged to have it, `let_through` of `negative` without it.
    """

    found: int
    positive: int
    let_through: int
    negative: int

    @property
    def sensitivity(self) -> float:
        """Share of the pairs with the property that the judge finds."""
        return self.found / self.positive

    @property
    def specificity(self) -> float:
        """Share of the pairs without it that the judge does not take for one with it."""
        return 1 - self.let_through / self.negative

    def to_dict(self) -> dict[str, int]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def of(cls, labels: Sequence[bool], guesses: Sequence[bool]) -> KnownError:
        """Counted."""
        pairs = list(zip(labels, guesses, strict=True))
        positive = sum(labels)
        return cls(
            found=sum(label and guess for label, guess in pairs),
            positive=positive,
            let_through=sum(guess and not label for label, guess in pairs),
            negative=len(pairs) - positive,
        )


Errors = Mapping[str, KnownError]
"""A judge's known errors by verdict: "supported", and where it was measured "contradicted"."""


def errors_from(facts: Mapping[str, Any]) -> dict[str, KnownError]:
    """What `to_dict` of each gave."""
    return {verdict: KnownError(**counts) for verdict, counts in facts.items()}


def rogan_gladen(rate: float, sensitivity: float, specificity: float) -> float | None:
    """(rate + specificity - 1) / (sensitivity + specificity - 1), kept in [0, 1]; None where the judge has no skill.

    Whether anything had to be kept in is not seen from this: see `why_not`.
    """
    skill = sensitivity + specificity - 1
    if skill < LEAST_SKILL:
        return None
    return min(1.0, max(0.0, (rate + specificity - 1) / skill))


def why_not(rate: float, sensitivity: float, specificity: float) -> str:
    """Why no rate follows from a judged one, "" where one does."""
    let_through, asked = 1 - specificity, "of what only the judge can tell"
    if sensitivity - let_through < LEAST_SKILL:
        return f"the judge finds {sensitivity:.2f} of what is so and lets {let_through:.2f} of the rest through"
    if rate > sensitivity + _ROUNDING:
        return (
            f"{asked} {rate:.2f} are judged so, more than the {sensitivity:.2f} that it is known to find where all are"
        )
    if rate < let_through - _ROUNDING:
        return f"{asked} {rate:.2f} are judged so, fewer than the {let_through:.2f} that it lets through where none is"
    return ""


@dataclass(frozen=True, slots=True)
class Share:
    """Of one answer's sentences, the share that is `sure` to have the property, the share that is `open`, and the share
    of which the judge says that it has it, `judged`, a part of `open`.
    """

    sure: float
    open: float
    judged: float


@dataclass(frozen=True, slots=True)
class Corrected(Figure):
    """A figure with the reason why it cannot be told; "" where it can, or where it applies to nothing."""

    reason: str = ""


def corrected(shares: Sequence[Share | None], error: KnownError) -> Corrected:
    """The mean share with the property, its judged part corrected; the interval resamples and draws the error anew.

    A share is linear in the verdicts, so what holds for single verdicts holds for the mean of shares. Answers that it
    does not apply to (None) are left out and counted.

    A draw outside the bounds says no more than that the rate lies near that end: it counts as 0 or 1, which moves the
    interval's end there and no further. A draw by which the judge has no skill allows every rate, and widens both ends.
    Where less than half of the draws allow a rate, or the share itself does not, value and interval are None.
    """
    told = np.array([(share.sure, share.open, share.judged) for share in shares if share is not None]).reshape(-1, 3)
    counts = (len(told), len(shares) - len(told))
    if not len(told):
        return Corrected(None, None, None, *counts)
    if not error.positive or not error.negative:
        return _untold("the judge's error is known of one class only", counts)
    sure, still_open, judged = (float(part) for part in told.mean(0))
    if still_open <= 0:
        low, high = _ends(_resampled(told)[:, 0])
        return Corrected(min(1.0, sure), min(1.0, low), min(1.0, high), *counts)
    if reason := why_not(judged / still_open, error.sensitivity, error.specificity):
        return _untold(reason, counts)
    lows, highs, allowed = _drawn(told, error)
    if allowed < LEAST_TOLD:
        return _untold(f"only {allowed:.0%} of {RESAMPLES} draws of the run and the judge's error allow a rate", counts)
    value = _whole(sure, still_open, rogan_gladen(judged / still_open, error.sensitivity, error.specificity) or 0.0)
    return Corrected(value, min(value, _ends(lows)[0]), max(value, _ends(highs)[1]), *counts)


def _untold(reason: str, counts: tuple[int, int]) -> Corrected:
    return Corrected(None, None, None, *counts, reason=f"cannot be told: {reason}")


def _drawn(told: NDArray[np.float64], error: KnownError) -> tuple[list[float], list[float], float]:
    """The least and the greatest rate that each draw allows, and the share of draws that allow one."""
    draw = np.random.default_rng(SEED)
    means = _resampled(told, draw)
    sensitivities = draw.beta(error.found + 1, error.positive - error.found + 1, RESAMPLES)
    specificities = draw.beta(error.negative - error.let_through + 1, error.let_through + 1, RESAMPLES)
    lows, highs, allowed = [], [], 0
    for (sure, still_open, judged), sensitivity, specificity in zip(means, sensitivities, specificities, strict=True):
        rate = judged / still_open if still_open > 0 else 1 - specificity
        found = rogan_gladen(rate, sensitivity, specificity)
        lows.append(_whole(sure, still_open, 0.0 if found is None else found))
        highs.append(_whole(sure, still_open, 1.0 if found is None else found))
        allowed += not why_not(rate, sensitivity, specificity)
    return lows, highs, allowed / RESAMPLES


def _resampled(told: NDArray[np.float64], draw: np.random.Generator | None = None) -> NDArray[np.float64]:
    draw = draw or np.random.default_rng(SEED)
    return np.asarray(told[draw.integers(len(told), size=(RESAMPLES, len(told)))].mean(1))


def _ends(drawn: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _whole(sure: float, still_open: float, rate: float) -> float:
    return float(min(1.0, sure + still_open * rate))
