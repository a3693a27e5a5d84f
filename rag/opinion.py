"""Do the cited sentences say all that a sentence says? The model's own yes or no, calibrated with what words can tell.

`rag.fidelity` holds a sentence to be supported where it keeps to the words of its source. Of what puts it in other
words the model is asked for one word, of which the probabilities are read, as for `rag.answerability`. Together with
the words that the source does not have, that gives the likelihood that a reader would call the sentence wholly
supported. All three numbers were fitted to 97 sentences of answers to the dev and fresh-a questions that a reader had
labelled; docs/measurements.md says how, and how it did on the others of 48 more.

Only models that were measured are asked. Others, and remote ones, whose probabilities cannot be had, give None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import prompts
from rag.answerability import Calibration, log_odds_of
from rag.fidelity import fidelity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.schema import Citation, Claim

SUPPORTED_FROM = 0.8
UNSUPPORTED_BELOW = 0.25
"""Between the two a sentence is shown as partly supported; below, its source is quoted in its place."""
MOST_UNSAID = 4
"""More words that the source does not have say no more than so many."""


CALIBRATION = {
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": Calibration(slope=1.88, middle=0.0957),
}
UNSAID = 0.4043
"""By how much each word that the source does not have lowers the log-odds."""


def support(model: Any, claim: Claim) -> float | None:
    """How likely a reader would call `claim` wholly supported by what it cites; None where the model can't tell."""
    calibration = CALIBRATION.get(getattr(model, "model_id", ""))
    if calibration is None or not claim.citations:
        return None
    messages = prompts.load("said").messages(sources=_sources(claim.citations), statement=claim.text)
    kept = fidelity(claim.text, [c.quote for c in claim.citations], [c.paper.title for c in claim.citations])
    return calibration.probability(log_odds_of(model, messages) - UNSAID * min(len(kept.unsaid), MOST_UNSAID))


def _sources(citations: Sequence[Citation]) -> str:
    """The cited sentences below the titles of their papers."""
    by_paper: dict[str, list[str]] = {}
    for citation in citations:
        by_paper.setdefault(citation.paper.title, []).append(citation.quote)
    return "\n".join(f"Title: {title}\n" + "\n".join(dict.fromkeys(quotes)) for title, quotes in by_paper.items())
