"""The percentile bootstrap of any statistic over cases, where a mean will not do: F1, precision, an area.

Source: Efron 1979. Knows nothing of what is computed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from eval.metrics.answers import RESAMPLES, Figure

T = TypeVar("T")


def bootstrap(
    statistic: Callable[[Sequence[T]], float | None], cases: Sequence[T], seed: int = 0, n: int | None = None
) -> Figure:
    """A statistic of `cases` with the 95 % interval of `RESAMPLES` drawings of as many cases, with replacement.

    Args:
        statistic: of a list of cases; None where it is undefined. Drawings in which it is are left out.
        cases: what is drawn from; none gives a figure without a value.
        seed: the same seed gives the same interval.
        n: how many of the cases the figure is about; all of them where it is not given.
    """
    value = statistic(cases) if cases else None
    count = len(cases) if n is None else n
    if value is None:
        return Figure(None, None, None, 0, len(cases))
    draw = random.Random(seed)  # noqa: S311  (resampling, not secrets)
    drawn = (statistic(draw.choices(cases, k=len(cases))) for _ in range(RESAMPLES))
    told = sorted(one for one in drawn if one is not None)
    if not told:
        return Figure(value, None, None, count, len(cases) - count)
    low, high = told[int(0.025 * len(told))], told[max(0, int(0.975 * len(told)) - 1)]
    return Figure(value, low, high, count, len(cases) - count)
