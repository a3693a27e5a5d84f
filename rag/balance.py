"""What a library says to a claim: which papers support it, which contradict it, which are silent.

Of the papers nearest to the claim the model reads the sentences that bear most on it, with the adapter "verdict" (see
`trained`). A paper that does not hold most of the claim's rare words is silent without being read: small models find
contradictions in what is about something else. One that supports a claim also has its numbers. Papers further away are
not read: they count as silent too.

On SciFact, on claims that it was not fitted on, 82 % of what it calls support is, and it finds 80 %; of contradictions
78 % and 57 % (docs/eval.md). A model that no adapter belongs to is asked for one of three words instead, which tells
support from the rest with an AUROC of 0.77 (the adapter 0.91): help for reading, not a verdict.

Source: Wadden et al. 2020, "Fact or Fiction: Verifying Scientific Claims" (supports, refutes, not enough information).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import prompts
from rag import trained
from rag.errors import ModelError
from rag.keywords import KeywordIndex, coverage, tokenize
from rag.quantities import numbers_in
from rag.schema import Answer, Evidence, Paper

if TYPE_CHECKING:
    from collections.abc import Callable

Stance = Literal["supports", "contradicts", "silent"]
STANCES: tuple[Stance, ...] = ("supports", "contradicts", "silent")
WORDS = (("Supported",), ("Contradicted",), ("Unknown",))
SURE = 0.6
"""Probability of a stance below which a paper is silent."""
LEAST_COVERAGE = 0.5
"""Share of the claim's words, weighted by rarity, that a paper has to hold to be read."""
SENTENCES = 3
TOKENS = 240


@dataclass(frozen=True, slots=True)
class Weighed:
    """One paper's stance with its probability in [0, 1], and the sentences it was read from, best first."""

    paper: Paper
    stance: Stance
    probability: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """What was found for a claim: the papers that were read, nearest first, and how many there are in all.

    `near` of them are near enough to the claim to be read; while it is being weighed fewer have been.
    """

    claim: str
    papers: tuple[Weighed, ...]
    among: int
    near: int

    @property
    def supporting(self) -> tuple[Weighed, ...]:
        """Papers that support the claim."""
        return tuple(one for one in self.papers if one.stance == "supports")

    @property
    def contradicting(self) -> tuple[Weighed, ...]:
        """Papers that contradict it."""
        return tuple(one for one in self.papers if one.stance == "contradicts")

    @property
    def silent(self) -> int:
        """Papers that say neither, read or not."""
        return self.among - len(self.supporting) - len(self.contradicting)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Balance:
        """The Balance that `to_dict` described.

        Raises:
            KeyError, TypeError: the dictionary does not describe a Balance.
        """
        read = tuple(_read_weighed(one) for one in data["papers"])
        return cls(data["claim"], read, data["among"], data["near"])


def weighing(
    claim: str,
    papers: Sequence[Paper],
    *,
    among: int,
    model: Any,
    select: Callable[..., tuple[Evidence, ...]],
    keywords: KeywordIndex,
) -> Iterator[Balance]:
    """The balance of `papers` on `claim` as it grows: before any is read, then after each.

    Args:
        claim: a statement, readable.
        papers: to be read, nearest first.
        among: how many papers the library has.
        model: a local chat model.
        select: (claim, papers, sentences, tokens) -> the evidence that bears most on it.
        keywords: says how rare words are.

    Raises:
        ModelError: the model's probabilities cannot be had.
    """
    if getattr(model, "first_word_logprobs", None) is None:
        raise ModelError("A remote model's probabilities cannot be read.", "Weigh claims with a local model.")
    terms = tokenize(claim)
    near = [
        paper
        for paper in papers
        if coverage(terms, frozenset(tokenize(f"{paper.title} {paper.abstract}")), keywords) >= LEAST_COVERAGE
    ]
    found = [(paper, evidence) for paper in near if (evidence := select(claim, [paper], SENTENCES, TOKENS))]
    read: tuple[Weighed, ...] = ()
    yield Balance(claim, read, among, len(found))
    for paper, evidence in found:
        read = (*read, _weighed(claim, paper, evidence, model))
        yield Balance(claim, read, among, len(found))


def shares(model: Any, claim: str, evidence: str) -> tuple[float, float, float]:
    """Probabilities that the evidence supports the claim, contradicts it, is silent; in [0, 1], they sum to 1.

    Args:
        model: a local chat model, which tells `first_word_logprobs`.
        claim: a statement on one line.
        evidence: sentences as the model is to read them.
    """
    messages = prompts.load("judge").messages(claim=claim, evidence=evidence)
    supports, contradicts, silent = (math.exp(logprob) for logprob in model.first_word_logprobs(messages, WORDS))
    whole = supports + contradicts + silent
    return supports / whole, contradicts / whole, silent / whole


def _weighed(claim: str, paper: Paper, evidence: tuple[Evidence, ...], model: Any) -> Weighed:
    read = " ".join(item.sentence.text for item in evidence)
    told = trained.probabilities(model, "verdict", claim=claim, evidence=f"Title: {paper.title}\n{read}")
    told = told or shares(model, claim, read)
    place = max(range(3), key=lambda i: told[i])
    stance = STANCES[place]
    if told[place] < SURE or (stance == "supports" and not numbers_in(claim) <= numbers_in(f"{paper.title} {read}")):
        stance = "silent"
    best = tuple(sorted(evidence, key=lambda item: -item.score))
    return Weighed(paper, stance, told[STANCES.index(stance)], best)


def _read_weighed(data: Mapping[str, Any]) -> Weighed:
    # An Answer knows how to read papers and evidence.
    read = Answer.from_dict({"question": "", "text": "", "status": "abstained", "evidence": data["evidence"]})
    return Weighed(read.evidence[0].paper, data["stance"], data["probability"], read.evidence)
