"""Which sentences of one abstract say most to a question about several papers, as the model reads them.

What one abstract says to "How do A and B differ in what they ask of people?" shares few words with the question:
nearness alone puts a right sentence among the first three of a paper for 69 of 100 papers, what is weighed here for 77.
The model is asked for the number of the sentence, and how likely each number is read from its next-token probabilities;
the adapter "answerable" reads each by itself. A conditional logit weighs both with nearness, and with two things that
hold of any abstract: its first sentence is background, and a long sentence says more. Fitted, and measured on the
questions left out, by `python -m eval judge --fit rationales`.

Only a model that was measured is asked (`WEIGHTS`). Others, and remote ones, give None.

Source: rationales as the sentences that an answer rests on: DeYoung et al. 2020, "ERASER"; the choice of one among
several, McFadden 1974, "Conditional logit analysis of qualitative choice behavior".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import prompts
from rag.answerability import telling
from rag.evidence import as_prompt, renumbered
from rag.stopping import NO_CHECK, Check

if TYPE_CHECKING:
    from rag.schema import Evidence

MOST_POINTED_AT = 9
"""A number of two digits begins as another of one digit does."""
POINTED_RANGE = 8.0
"""Log-probability below the likeliest number beyond which nothing more is said."""
LONG = 300
"""Characters of a sentence beyond which it says no more by its length."""


class Features(NamedTuple):
    """Of one sentence: how near it is to the question, how much it tells by itself and how likely the model points at
    it, each below the most of its paper; whether it stands first; how long it is.
    """

    near: float
    tells: float
    pointed: float
    first: float
    length: float


WEIGHTS = {
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": Features(near=2.68, tells=4.96, pointed=3.79, first=-1.95, length=1.45),
}


@dataclass(frozen=True, slots=True)
class Rationale:
    """A sentence, what is weighed of it, and how likely it is the one of its paper that says most, in [0, 1]."""

    evidence: Evidence
    features: Features
    probability: float


def rationales(
    model: Any, question: str, subject: str, evidence: Sequence[Evidence], check: Check = NO_CHECK
) -> tuple[Rationale, ...] | None:
    """Sentences of one paper, the likeliest first.

    Args:
        model: the chat model.
        question: what is asked, without the names of the other papers.
        subject: what the paper is called.
        evidence: sentences of the paper, in reading order, with the nearness of each as its score.
        check: called before each reading of the model.

    Returns:
        Of at most `MOST_POINTED_AT` of `evidence`, the nearest; None where the model can't tell.
    """
    weights = WEIGHTS.get(getattr(model, "model_id", ""))
    nearest = sorted(evidence, key=lambda item: -item.score)[:MOST_POINTED_AT]
    read = renumbered(sorted(nearest, key=lambda item: item.number))
    if weights is None or not read:
        return None
    rows = _features(model, question, subject, read, check)
    if rows is None:
        return None
    weighed = [math.exp(sum(w * value for w, value in zip(weights, row, strict=True))) for row in rows]
    told = (Rationale(item, row, one / sum(weighed)) for item, row, one in zip(read, rows, weighed, strict=True))
    return tuple(sorted(told, key=lambda one: -one.probability))


def _features(
    model: Any, question: str, subject: str, evidence: Sequence[Evidence], check: Check
) -> list[Features] | None:
    """What is weighed of each of at most `MOST_POINTED_AT` sentences of one paper; None where the model can't tell."""
    check()
    pointed = _pointed(model, question, subject, evidence)
    told = []
    for item in evidence:
        check()
        share = telling(model, question, item)
        if share is None:
            return None
        told.append(share)
    return [
        Features(
            near=item.score - max(item.score for item in evidence),
            tells=share - max(told),
            pointed=number,
            first=float(item.sentence.index == 0),
            length=min(len(item.sentence.text), LONG) / LONG,
        )
        for item, share, number in zip(evidence, told, pointed, strict=True)
    ]


def _pointed(model: Any, question: str, subject: str, evidence: Sequence[Evidence]) -> list[float]:
    """Log-probability of each sentence's number below that of the likeliest, as a share of `POINTED_RANGE`: [-1, 0]."""
    asked = prompts.load("pointer").messages(evidence=as_prompt(evidence), question=question, subject=subject)
    told = model.first_word_logprobs(asked, [(str(item.number),) for item in evidence])
    return [max((one - max(told)) / POINTED_RANGE, -1.0) for one in told]
