"""What a library says to a claim: which papers support it, which contradict it, which are silent.

Of the papers nearest to the claim the model reads the sentences that bear most on it, with the adapter "opinion" (see
`trained`). A paper that does not hold most of the claim's rare words is silent without being read: small models find
contradictions in what is about something else. One that supports a claim also has its numbers. Papers further away are
not read: they count as silent too.

On SciFact, on claims that it was not fitted on, 85 % of what it calls support is, and it finds 75 %; of contradictions
75 % and 67 % (docs/eval.md). A model that no adapter belongs to is asked for one of three words instead, which tells
support from the rest with an AUROC of 0.77 (the adapter 0.91): help for reading, not a verdict.

Source: Wadden et al. 2020, "Fact or Fiction: Verifying Scientific Claims" (supports, refutes, not enough information).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import prompts
from rag.errors import ModelError
from rag.keywords import KeywordIndex, coverage
from rag.language.misreading import misread
from rag.language.quantities import numbers_in
from rag.language.terms import tokenize
from rag.schema import Evidence, Paper, digest, evidence_from, paper_from
from rag.trained import adapters

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
    """One paper's stance with its probability in [0, 1], and the sentences it was read from, best first: those that by
    themselves say most for that stance, as the adapter "opinion" reads them; of a silent paper, and by a model without
    the adapter, the nearest.

    `told` are the model's probabilities of every stance, in the order of `STANCES`, and `read_s` the seconds that it
    took; a Footnote that did not keep them yet left them empty.
    """

    paper: Paper
    stance: Stance
    probability: float
    evidence: tuple[Evidence, ...]
    told: tuple[float, ...] = ()
    read_s: float = 0.0

    @property
    def words(self) -> str:
        """Its sentences as they were read: in the order of the abstract."""
        return " ".join(item.sentence.text for item in sorted(self.evidence, key=lambda item: item.sentence.start))


@dataclass(frozen=True, slots=True)
class Balance:
    """What was found for a claim: the papers that were read, nearest first, and how many there are in all.

    `near` of them are near enough to the claim to be read; while it is being weighed fewer have been. `timings` are
    seconds since it was begun: `evidence_s` until the papers were found, `total_s` until the last of `papers` was read.
    """

    claim: str
    papers: tuple[Weighed, ...]
    among: int
    near: int
    model_id: str = ""
    prompt_id: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)

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
        """A JSON-ready dictionary from which `from_dict` makes an equal Balance, and `rag.verify` re-checks it."""
        values = asdict(self)
        return {**values, "digest": digest(values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Balance:
        """The Balance that `to_dict` described.

        Raises:
            KeyError, TypeError: the dictionary does not describe a Balance.
        """
        values = {name: value for name, value in data.items() if name != "digest"}
        return cls(**{**values, "papers": tuple(_read_weighed(one) for one in data["papers"])})


def weighing(
    claim: str,
    papers: Sequence[Paper],
    *,
    among: int,
    model: Any,
    select: Callable[..., tuple[Evidence, ...]],
    keywords: KeywordIndex,
    started: float,
) -> Iterator[Balance]:
    """The balance of `papers` on `claim` as it grows: before any is read, then after each.

    Args:
        claim: a statement, readable.
        papers: to be read, nearest first.
        among: how many papers the library has.
        model: a local chat model.
        select: (claim, papers, sentences, tokens) -> the evidence that bears most on it.
        keywords: says how rare words are.
        started: when it was begun, by `time.perf_counter`.

    Raises:
        ModelError: the model's probabilities cannot be had.
    """
    if getattr(model, "first_word_logprobs", None) is None:
        raise ModelError("A remote model's probabilities cannot be read.", "Weigh claims with a local model.")
    near = [paper for paper in papers if share_of_words(claim, paper, keywords) >= LEAST_COVERAGE]
    found = [(paper, evidence) for paper in near if (evidence := select(claim, [paper], SENTENCES, TOKENS))]
    timings = {"evidence_s": time.perf_counter() - started}
    balance = Balance(claim, (), among, len(found), timings={**timings, "total_s": timings["evidence_s"]})
    yield balance
    for paper, evidence in found:
        prompt, one = _weighed(claim, paper, evidence, model)
        balance = replace(
            balance,
            papers=(*balance.papers, one),
            model_id=getattr(model, "model_id", ""),
            prompt_id=prompt.id,
            timings={**timings, "total_s": time.perf_counter() - started},
        )
        yield balance


def share_of_words(claim: str, paper: Paper, keywords: KeywordIndex) -> float:
    """Share of the claim's words, weighted by rarity, that a paper holds, in [0, 1]."""
    return coverage(tokenize(claim), frozenset(tokenize(f"{paper.title} {paper.abstract}")), keywords)


def stance_of(claim: str, words: str, told: Sequence[float]) -> Stance:
    """What a paper's probabilities make of it; `words` are its title and what was read of it."""
    place = max(range(len(STANCES)), key=lambda i: told[i])
    stance = STANCES[place]
    has_numbers = numbers_in(claim, with_one=False, in_names=False) <= numbers_in(words) and not misread(claim, words)
    return "silent" if told[place] < SURE or (stance == "supports" and not has_numbers) else stance


def prompt_of(claim: str, one: Weighed, prompt_id: str) -> tuple[tuple[str, str], ...]:
    """The very messages, (role, text), that the model read of a paper; () where the prompt is not the one of today."""
    for name, evidence in (("verdict", _titled(one.paper, one.words)), ("judge", one.words)):
        if (prompt := prompts.load(name)).id == prompt_id:
            return tuple(prompt.messages(claim=claim, evidence=evidence))
    return ()


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


def _weighed(claim: str, paper: Paper, evidence: tuple[Evidence, ...], model: Any) -> tuple[prompts.Prompt, Weighed]:
    """What the model makes of one paper, and the prompt by which it was asked."""
    started = time.perf_counter()
    unread = Weighed(paper, "silent", 0.0, evidence)
    read = _opinion(claim, paper, unread.words, model)
    told = read or shares(model, claim, unread.words)
    stance = stance_of(claim, f"{paper.title} {unread.words}", told)
    place = STANCES.index(stance)
    worth = {item.number: item.score for item in evidence}
    if read and stance != "silent" and len(evidence) > 1:
        for item in evidence:
            worth[item.number] = (_opinion(claim, paper, item.sentence.text, model) or told)[place]
    best = tuple(sorted(evidence, key=lambda item: -worth[item.number]))
    weighed = Weighed(paper, stance, told[place], best, tuple(told), time.perf_counter() - started)
    return prompts.load("verdict" if read else "judge"), weighed


def _opinion(claim: str, paper: Paper, words: str, model: Any) -> tuple[float, ...] | None:
    """What the adapter "opinion" reads of every stance in words of `paper`; None where there is none for the model."""
    return adapters.probabilities(model, "opinion", claim=claim, evidence=_titled(paper, words))


def _titled(paper: Paper, words: str) -> str:
    return f"Title: {paper.title}\n{words}"


def _read_weighed(data: Mapping[str, Any]) -> Weighed:
    read = {"paper": paper_from(data["paper"]), "evidence": evidence_from(data["evidence"])}
    return Weighed(**{**data, **read, "told": tuple(data.get("told", ()))})
