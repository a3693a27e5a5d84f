"""Do the cited sentences say all that a sentence says? What the model was trained to see, and its own words, as one
likelihood.

`rag.language.fidelity` holds a sentence to be supported where it keeps to the words of its source. All but what stands
there word for word is read, below the sentences that it cites, with the adapter "opinion" (see `adapters`), which was
fitted on other claims and on drafts like these. Its log-odds of "supported" and the number of words that neither
sources nor titles hold are weighed by a logistic model, fitted on 252 drafts as read by a fit that had seen nothing of
their papers, and started so that it is right on average of answers: see docs/measurements.md.

Only the model that the adapter belongs to can tell. Others, and remote ones, give None.

Source: logistic calibration: Platt 1999; weighing several: Wolpert 1992.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.language.fidelity import fidelity
from rag.trained import adapters, logistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.schema import Citation, Claim

SUPPORTED_FROM = 0.85
UNSUPPORTED_BELOW = 0.6
"""Between the two a sentence is shown as partly supported; below, its source is quoted in its place."""


class Weights(NamedTuple):
    """Of the adapter's log-odds, and of each word of the sentence's own; `start` is what both are added to."""

    read: float
    unsaid: float
    start: float

    def likelihood(self, read: float, unsaid: int) -> float:
        """That a reader would call the sentence wholly supported, in (0, 1)."""
        return logistic.probability(self.read * read + self.unsaid * unsaid + self.start)


WEIGHTS = Weights(read=0.305, unsaid=-0.433, start=1.2)
"""The fit's own start is 0.48. With 1.2 the mean over 103 sentences in answers to dev is 0.80, the share supported."""


def support(model: Any, claim: Claim) -> float | None:
    """How likely a reader would call `claim` wholly supported by what it cites; None where the model can't tell."""
    if not claim.citations:
        return None
    told = adapters.probabilities(model, "opinion", claim=claim.text, evidence=_sources(claim.citations))
    if told is None:
        return None
    supported = min(max(told[0], 1e-6), 1 - 1e-6)
    quotes = [citation.quote for citation in claim.citations]
    kept = fidelity(claim.text, quotes, [citation.paper.title for citation in claim.citations])
    return WEIGHTS.likelihood(math.log(supported / (1 - supported)), len(kept.unsaid))


def _sources(citations: Sequence[Citation]) -> str:
    """The cited sentences below the titles of their papers."""
    by_paper: dict[str, list[str]] = {}
    for citation in citations:
        by_paper.setdefault(citation.paper.title, []).append(citation.quote)
    return "\n".join(f"Title: {title}\n" + "\n".join(dict.fromkeys(quotes)) for title, quotes in by_paper.items())
