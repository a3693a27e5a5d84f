"""Do the cited sentences say all that a sentence says? What the model was trained to see, calibrated.

`rag.fidelity` holds a sentence to be supported where it keeps to the words of its source. All but what stands there
word for word is read, below the sentences that it cites, with the adapter "opinion" (see `trained`), which was fitted
on other claims. Its log-odds of "supported" are brought to the likelihood that a claim is wholly supported, by what it
says of the 1,820 claims of the bank, each by a fit that had not seen it: see docs/measurements.md.

Only the model that the adapter belongs to can tell. Others, and remote ones, give None.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rag import trained
from rag.answerability import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.schema import Citation, Claim

SUPPORTED_FROM = 0.8
UNSUPPORTED_BELOW = 0.25
"""Between the two a sentence is shown as partly supported; below, its source is quoted in its place."""
CALIBRATION = Calibration(slope=0.689, middle=0.096)


def support(model: Any, claim: Claim) -> float | None:
    """How likely a reader would call `claim` wholly supported by what it cites; None where the model can't tell."""
    if not claim.citations:
        return None
    told = trained.probabilities(model, "opinion", claim=claim.text, evidence=_sources(claim.citations))
    if told is None:
        return None
    supported = min(max(told[0], 1e-6), 1 - 1e-6)
    return CALIBRATION.probability(math.log(supported / (1 - supported)))


def _sources(citations: Sequence[Citation]) -> str:
    """The cited sentences below the titles of their papers."""
    by_paper: dict[str, list[str]] = {}
    for citation in citations:
        by_paper.setdefault(citation.paper.title, []).append(citation.quote)
    return "\n".join(f"Title: {title}\n" + "\n".join(dict.fromkeys(quotes)) for title, quotes in by_paper.items())
