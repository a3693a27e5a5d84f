"""Do these sentences state what is asked? What the model says and what it was trained to see, as one probability.

The model is asked for one word about the evidence that it is about to answer from, and how much likelier "Yes" is than
"No" is read from its next-token probabilities: nothing is generated. The prompt begins as the answering prompt does, so
that the engine reads the evidence once for both. Before that the adapter "answerable" (see `adapters`) reads the same
prompt: from the question on, with the evidence as the model itself reads it, so that this serves the other two as well.
Where it sees nothing of an answer, or surely one, the model is not asked; else both log-odds are weighed by a logistic
model: the adapter tells answers better, the model false premises (docs/measurements.md). Where both leave it open, the
sentences are read one by one as well (see `bearing`): does any of them say what is asked?

Log-odds of different models lie on different scales, and a small model's tell nothing: only models that were measured
and found to know (`CALIBRATION`) are asked. Others, and remote ones, whose probabilities cannot be had, give None.

Source: asking a language model whether it can answer, and calibrating what it says: Kadavath et al. 2022, "Language
Models (Mostly) Know What They Know"; logistic calibration: Platt 1999; weighing several: Wolpert 1992.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import prompts
from rag.evidence import as_prompt, most_that_fit
from rag.stopping import NO_CHECK, Check
from rag.trained import adapters, logistic
from rag.trained.bearing import telling_alone

if TYPE_CHECKING:
    from rag.schema import Evidence

WORDS = (("Yes", "yes", " Yes", "YES"), ("No", "no", " No", "NO"))


class Calibration(NamedTuple):
    """Log-odds to a probability: 1 / (1 + exp(-slope * (log-odds - middle)))."""

    slope: float
    middle: float

    def probability(self, odds: float) -> float:
        """In (0, 1); a half at `middle`."""
        return logistic.probability(self.slope * (odds - self.middle))


class Joint(NamedTuple):
    """Weights of what the model says and what the adapter reads, both log-odds."""

    said: float
    read: float
    start: float

    def odds(self, said: float, read: float) -> float:
        """Log-odds of both together."""
        return self.said * said + self.read * read + self.start


MOST_READ = 12.0
"""Log-odds of the adapter beyond this say no more."""
NOTHING_READ, SURELY_READ = -5.0, 4.0
"""Where the adapter reads so little of an answer, or so much, what the model says changes nothing, and takes longer to
be had. Of 260 first looks at evidence 59 of 64 without an answer are below, one of 196 with one; 123 of these above."""
SAID_THEN = 0.1
CALIBRATION = {
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": Calibration(slope=4.0, middle=0.34),
}
JOINT = {
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": Joint(said=1.21, read=0.73, start=1.06),
}
"""Fitted on 276 questions of dev, fresh-a, fresh-c and five libraries of other papers, each beside the first choice of
evidence, false premises among those without an answer; one of these counts half as much again. Ten-fold cross-validated
AUROC 0.990 (0.977 of the same with the adapter's version 2)."""
SURELY_TOLD = 0.8
SECOND_LOOK = 2.3
"""How much surer, in log-odds, a second look has to be where the likeliest of its sentences says what is asked less
surely than `SURELY_TOLD`, as where a false premise is: its sentences nearly say it. Of 98 second looks 15 of 24 with an
answer, none of 61 without one and none of 13 false premises are above; without this the same 15, none and two."""
CLOSE = 1.5
"""Log-odds within which both together leave it open, of 276 first looks 24: there the sentences are read
one by one."""
READ_CLOSELY = 5
BEST_WEIGHT = 0.4
"""Of the log-odds, at most `MOST_TELLING` either way, that the sentence that tells most says what is asked. Of 61
questions, all without an answer among them, five were wrong without it, one with it, by version 2 of the adapter; by
version 3 one of 13 looks at dev and fresh-a is decided by it."""
MOST_TELLING = 8.0
TERSE_SHIFT = 0.45
"""How much surer of "No" the model has to be where the question is no sentence: it says "No" to bad grammar too. Three
of the five dev questions typed in haste had log-odds of 0.1 to 0.3; well-formed ones with an answer begin at 0.35."""
PART_SHIFT = 0.64
"""The same for a piece of a question, which may lack what it is about: 47 pieces of questions with an answer had -0.19
and more, eight of nine without one -0.42 and less."""


def answerability(
    model: Any,
    question: str,
    evidence: Sequence[Evidence],
    *,
    is_part: bool = False,
    asks_several: bool = False,
    is_second_look: bool = False,
    check: Check = NO_CHECK,
) -> float | None:
    """How likely it is that `evidence` states what `question` asks for, in [0, 1]; None where the model can't tell.

    Args:
        model: the chat model.
        question: one that stands alone.
        evidence: what would be answered from.
        is_part: the question is a piece of one that is answered as a whole, and may lack what the other piece says.
        asks_several: it asks several things, or for a comparison. The adapter was fitted on neither, nor on pieces; of
            these the model's own word is taken.
        is_second_look: less evidence did not do, and this was chosen by how likely each says what is asked, its score.
            It has to be surer (`SECOND_LOOK`) where none surely does, and what a single sentence says only counts
            against it, for one of many seems to say what is asked of a false premise, too.
        check: called before each sentence that is read by itself.
    """
    name = getattr(model, "model_id", "")
    calibration = CALIBRATION.get(name)
    if calibration is None or not evidence:
        return None
    evidence = most_that_fit(evidence, lambda kept: _fits(model, question, kept))
    told = None if is_part or asks_several else _read(model, question, evidence)
    is_unsure = is_second_look and max(item.score for item in evidence) < SURELY_TOLD
    shift = SECOND_LOOK if is_unsure else 0.0
    if told is not None and not NOTHING_READ < told < SURELY_READ:
        return logistic.probability(JOINT[name].odds(SAID_THEN, told) - shift)
    said = log_odds(model, question, evidence)
    if is_part:
        return calibration.probability(said + PART_SHIFT)
    said += 0.0 if adapters.whole_question(question) == question.strip() else TERSE_SHIFT
    if told is None:
        return calibration.probability(said)
    odds = JOINT[name].odds(said, told) - shift
    if abs(odds) < CLOSE:
        best = BEST_WEIGHT * _most_telling(model, question, evidence, check)
        odds += min(0.0, best) if is_second_look else best
    return logistic.probability(odds)


def _most_telling(model: Any, question: str, evidence: Sequence[Evidence], check: Check) -> float:
    """Log-odds that the sentence of `evidence` that tells most says what is asked."""
    likeliest = sorted(evidence, key=lambda item: -item.score)[:READ_CLOSELY]
    best = 0.0
    for item in likeliest:
        check()
        best = max(best, telling_alone(model, question, item) or 0.0)
    odds = math.log(max(best, 1e-9)) - math.log(max(1.0 - best, 1e-9))
    return max(-MOST_TELLING, min(MOST_TELLING, odds))


def _fits(model: Any, question: str, evidence: Sequence[Evidence]) -> bool:
    """Whether the model has room for the question and what it is held against."""
    count = getattr(model, "count_prompt_tokens", None)
    messages = prompts.load("answerable").messages(
        evidence=as_prompt(evidence), question=adapters.whole_question(question)
    )
    return count is None or count(messages) < model.context_tokens


def _read(model: Any, question: str, evidence: Sequence[Evidence]) -> float | None:
    """Log-odds of the adapter, at most `MOST_READ` either way; None where there is none for the model."""
    whole = adapters.whole_question(question)
    values = {"evidence": as_prompt(evidence), "question": whole}
    told = adapters.probabilities(model, "answerable", f"Question: {whole}", **values)
    if told is None:
        return None
    yes, no = (math.log(max(p, 1e-9)) for p in told)
    return max(-MOST_READ, min(MOST_READ, yes - no))


def log_odds(model: Any, question: str, evidence: Sequence[Evidence]) -> float:
    """Log-odds of "Yes" against "No" to whether `evidence` answers, uncalibrated."""
    messages = prompts.load("answerable").messages(evidence=as_prompt(evidence), question=question)
    yes, no = model.first_word_logprobs(messages, WORDS)
    return float(yes - no)
