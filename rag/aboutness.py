"""Whether a question asks about a paper, by name or by what it says of it, as the trained adapter "about" reads it (see
`trained`).

Of another model than the one that the adapter belongs to nothing is known: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag import trained
from rag.schema import Evidence, Paper

SENTENCES_SHOWN = 2
"""Of a paper, below its title: those that bear most on the question."""


def asked_about(model: Any, question: str, paper: Paper, evidence: Sequence[Evidence]) -> float | None:
    """How likely `question` asks about `paper`, in [0, 1].

    Args:
        model: the chat model.
        question: one that stands alone; it may ask about other papers as well.
        paper: one that it may ask about.
        evidence: the `SENTENCES_SHOWN` sentences of it that bear most on the question.
    """
    told = trained.probabilities(model, "about", **shown(question, paper, evidence))
    return None if told is None else told[0]


def shown(question: str, paper: Paper, evidence: Sequence[Evidence]) -> dict[str, str]:
    """What the adapter's prompt is filled with."""
    sentences = "\n".join(item.sentence.text for item in evidence)
    return {"asked": trained.whole_question(question), "title": paper.title, "sentences": sentences}
