"""Trains the adapter that reads whether evidence answers a question, in two steps, and says how it does on what it has
not seen: `python -m eval judge --fit answerable`, see `adapter_fit`.

First on the bank's questions, such as rules made, and half of ClapNQ, from nothing. Then further on the bank's
questions in other words than the papers', the evidence read as the product reads it: by the model itself, once for the
check and the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from eval.fits.adapter_data import SEED, Question, clapnq_questions, made_questions, neighbours, read_abstracts
from eval.fits.adapter_fit import ABSTRACTS, BANK_FOLD, PAPERS, VERSIONS, TokensOf, facts_of
from eval.fits.answerable_data import bank_questions
from eval.fits.bank import read_bank
from eval.judges.feature_judge import Encoder
from eval.judges.judgement import Report
from eval.metrics.agreement import auroc
from rag.trained import adapters
from rag.trained.adapter_fitting import FURTHER, Example, Trunk, fit, open_trunk
from rag.trained.adapters import MODEL

if TYPE_CHECKING:
    from rag.inference.adapter import Adapter

PER_RULE = 300
ASKED_WEIGHT = 3.0
"""A question that somebody wrote counts as much as three that a rule made."""
SEEN_AGAIN = (350, 100, 75)
"""Questions of the bank, made ones and ClapNQ's that the further fit sees again."""
FEW_SENTENCES = 6
"""What the further fit reads: a first look at the evidence, not a wider one, which would take most of its time."""

PlaceOf = Callable[[Sequence[int], str], int]
"""How many tokens of a prompt stand before the text that ends it; 0 where it does not stand there."""


def train_answerable(
    data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report, place_of: PlaceOf
) -> dict[str, Any]:
    """Fit on the bank, made questions and half of ClapNQ, then further on questions in other words; write the adapter.

    Figures on what a fit did not see: the other half of ClapNQ, and of the bank every `BANK_FOLD`th group, left out of
    a second fit that is then thrown away, and of the further one. JSON-ready.
    """
    questions = Questions.read(data, encoder)
    trunk = open_trunk(MODEL)
    kept, left, half = (
        answerable_examples(asked, tokens_of, ASKED_WEIGHT)
        for asked in (questions.within, questions.outside, questions.half)
    )
    others = answerable_examples(questions.made, tokens_of) + half
    facts = facts_of("answerable", {"bank": len(kept) + len(left), "made": len(questions.made), "ClapNQ": len(half)})
    begun, fitted = fit(trunk, [*kept, *left, *others], seed=SEED, facts=facts, report=report)
    held = answerable_examples(questions.held, tokens_of)
    result = {"ClapNQ, the other half": told_apart(questions.held, fitted(held))}
    report(f"Without every {BANK_FOLD}th group of the bank …")
    _, fitted = fit(trunk, [*kept, *others], seed=SEED, report=report)
    result["bank"] = told_apart(questions.outside, fitted(left))
    adapter, further = train_further(questions, begun, trunk, tokens_of, place_of, report)
    adapter.save(adapters.path_of("answerable"))
    return {**result, **further}


def train_further(
    questions: Questions, begun: Adapter, trunk: Trunk, tokens_of: TokensOf, place_of: PlaceOf, report: Report
) -> tuple[Adapter, dict[str, Any]]:
    """`begun` fitted further on questions in other words, read as the product reads; figures on what it did not see.

    What it knows it is shown again in part, lest it forgets. Half an hour on two cores that multiply tiles (AMX).
    """
    again = questions.some()
    reworded = short(questions.reworded)
    shown = [*reworded, *again]
    fitted_on = {"bank, in other words": len(reworded), "again": len(again)}
    facts = {**begun.facts, "version": VERSIONS["answerable"]}
    facts["further"] = {"fitted_on": fitted_on, "seed": SEED, **FURTHER.settings()}
    examples = answerable_examples(shown, tokens_of, 1.0, place_of)
    adapter, fitted = fit(trunk, examples, begun=begun, seed=SEED, facts=facts, report=report)
    unseen = {
        "bank, in other words": questions.reworded_outside,
        "bank, further": questions.outside,
        "ClapNQ, further": questions.held,
    }
    return adapter, {
        name: told_apart(asked, fitted(answerable_examples(asked, tokens_of, 1.0, place_of)))
        for name, asked in unseen.items()
    }


@dataclass(frozen=True)
class Questions:
    """What "answerable" is fitted on: the bank's questions (`outside`: of every `BANK_FOLD`th group), those in other
    words (`reworded`, `reworded_outside`), such as rules made, and half of ClapNQ's (the other is `held`).
    """

    within: list[Question]
    outside: list[Question]
    reworded: list[Question]
    reworded_outside: list[Question]
    made: list[Question]
    half: list[Question]
    held: list[Question]

    @classmethod
    def read(cls, data: Path, encoder: Encoder) -> Questions:
        """Of `data`, a folder of the sets' folders."""
        groups = read_bank(data / ABSTRACTS)
        papers = read_abstracts(data / ABSTRACTS, PAPERS)
        return cls(
            *bank_questions(groups, encoder, BANK_FOLD),
            made_questions(papers, neighbours(papers, encoder), PER_RULE),
            *(list(half.values()) for half in clapnq_questions(data / "clapnq")),
        )

    def some(self) -> list[Question]:
        """Of the first fit what the further one sees again."""
        draw = random.Random(SEED)  # noqa: S311  (a sample, not secrets)
        kinds = zip((self.within, self.made, self.half), SEEN_AGAIN, strict=True)
        drawn = ((short(asked), count) for asked, count in kinds)
        return [one for asked, count in drawn for one in draw.sample(asked, min(count, len(asked)))]


def short(asked: Sequence[Question]) -> list[Question]:
    """Those beside few sentences."""
    return [one for one in asked if one[1].count("\n[") <= FEW_SENTENCES]


def told_apart(asked: Sequence[Question], said: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """How well what was said tells evidence that answers from such that does not."""
    labels = [is_there for _, _, is_there in asked]
    likely = [row[0] for row in said]
    right = [(p >= 0.5) == label for p, label in zip(likely, labels, strict=True)]
    return {"n": len(labels), "auroc": auroc(labels, likely), "accuracy": sum(right) / len(right)}


def answerable_examples(
    asked: Sequence[Question], tokens_of: TokensOf, weight: float = 1.0, place_of: PlaceOf = lambda _tokens, _ending: 0
) -> list[Example]:
    """Prompts of `answerable.md`; classes yes and no. With `place_of` the evidence is read without corrections."""
    prompt = prompts.load("answerable")
    result = []
    for question, evidence, is_there in asked:
        tokens = tuple(tokens_of(prompt.messages(evidence=evidence, question=question)))
        plain = place_of(tokens, f"Question: {question}")
        result.append(Example(tokens, (1.0, 0.0) if is_there else (0.0, 1.0), weight, plain))
    return result
