"""Log-odds to probabilities. Knows nothing of what they are of."""

from __future__ import annotations

import math


def probability(odds: float) -> float:
    """1 / (1 + exp(-odds)), in (0, 1); a half where the log-odds are 0."""
    return 1.0 / (1.0 + math.exp(-odds))
