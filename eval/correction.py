"""A judged rate, corrected for what is known of the judge's own error, with an interval that holds both doubts.

Of what people call supported a judge finds a share (its sensitivity), of the rest it lets a share through. If its
errors on a run are those that were measured, the true rate follows from the judged one. That "if" is the whole of it:
pairs that people labelled are not the sentences of a run. So the error is counted on those that are as near to their
evidence as a run's, and what stands there word for word is taken as it is. Pure functions; knows no judge.

Source: Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test"; the error's own doubt is
drawn with the rate's, as in Lang and Reiczigel 2014.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.metrics import Figure

RESAMPLES = 2000
SEED = 0
LEAST_SKILL = 0.05
"""Sensitivity + specificity - 1 from which a correction says anything; it divides by this."""


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
    """(rate + specificity - 1) / (sensitivity + specificity - 1), kept in [0, 1]; None where the judge has no skill."""
    skill = sensitivity + specificity - 1
    if skill < LEAST_SKILL:
        return None
    return min(1.0, max(0.0, (rate + specificity - 1) / skill))


@dataclass(frozen=True, slots=True)
class Share:
    """Of one answer's sentences, the share that is `sure` to have the property, the share that is `open`, and the share
    of which the judge says that it has it, `judged`, a part of `open`.
    """

    sure: float
    open: float
    judged: float


def corrected(shares: Sequence[Share | None], error: KnownError) -> Figure:
    """The mean share with the property, its judged part corrected; the interval resamples and draws the error anew.

    A share is linear in the verdicts, so what holds for single verdicts holds for the mean of shares. Answers that it
    does not apply to (None) are left out and counted.
    """
    told = np.array([(share.sure, share.open, share.judged) for share in shares if share is not None]).reshape(-1, 3)
    nothing = Figure(None, None, None, len(told), len(shares) - len(told))
    if not len(told) or not error.positive or not error.negative:
        return nothing
    value = _mended(told.mean(0), error.sensitivity, error.specificity)
    if value is None:
        return nothing
    draw = np.random.default_rng(SEED)
    means = told[draw.integers(len(told), size=(RESAMPLES, len(told)))].mean(1)
    sensitivities = draw.binomial(error.positive, error.sensitivity, RESAMPLES) / error.positive
    specificities = 1 - draw.binomial(error.negative, 1 - error.specificity, RESAMPLES) / error.negative
    drawn = [_mended(*row) for row in zip(means, sensitivities, specificities, strict=True)]
    low, high = np.percentile([one for one in drawn if one is not None] or [value], [2.5, 97.5])
    return Figure(value, float(low), float(high), nothing.n, nothing.left_out)


def _mended(mean: NDArray[np.float64], sensitivity: float, specificity: float) -> float | None:
    sure, still_open, judged = (float(part) for part in mean)
    if still_open <= 0:
        return min(1.0, sure)
    rate = rogan_gladen(judged / still_open, sensitivity, specificity)
    return None if rate is None else min(1.0, sure + still_open * rate)
