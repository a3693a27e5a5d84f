"""Answers a question about the whole library by going through all of it: "Which papers build on A* search?".

Every abstract is read for the criterion's words; the papers nearest in meaning join those that hold them. For each of
these the model says from its best sentences whether it fits, yes or no, read from the next-token probabilities as in
`answerability`; a paper that is only near in meaning has to be surer. Where only a mention is asked for, the words
decide. What fits is listed with the one sentence that shows it, quoted.

How sure a small model is depends on how the criterion is put: to one it says no even of what fits, to another nearly
yes of everything. So a paper is held against the others that were asked about: how far it stands above most of those
that do not hold the words, and how far below the surest. A model that was not measured is not asked: the words decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import prompts
from rag.answerability import Calibration, log_odds_of
from rag.criterion import Criterion, Text, Unit, criterion_of, holding
from rag.evidence import EvidenceSelector, as_prompt
from rag.keywords import KeywordIndex
from rag.schema import Citation, Claim, Evidence, Paper
from rag.stopping import NO_CHECK, Check

if TYPE_CHECKING:
    from rag.index import PassageEncoder

CALIBRATION = {
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": Calibration(slope=4.0, middle=0.4),
}
SURER = 0.3
"""How much more the log-odds have to be for a paper that does not hold the words."""


class Standing(NamedTuple):
    """How a paper stands among those asked about, in log-odds: above the median of those that do not hold the words,
    and below the surest of all (at most 0).
    """

    above: float
    below: float


WEIGHTS = Standing(2.36, 1.98)
START = -0.13
"""A logistic model of `Standing`, fitted by `python -m eval judge --fit lists` on the lists of dev, fresh-a and fresh-c
that ask for more than a mention."""
LISTED_FROM = 0.4
FEWEST = 4
"""Where fewer do not hold the words, the median is that of all that were asked about."""
LOOKED_AT_LEAST = 12
SENTENCES = 3
NEAR_IN_MEANING = 8
PARTLY_INSTEAD = 24
"""How many that hold half of the words are looked at where no paper holds them all."""
MOST_READ = 48
"""Papers whose sentences are looked at for one question: a quarter of a second each on two cores where the model is
asked. What more there is that holds the words is counted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that may fit, with its best sentences, the one that shows it best first."""

    paper: Paper
    evidence: tuple[Evidence, ...]
    holds_words: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """The papers to be looked at, how many hold the words in all, and how many there are."""

    papers: tuple[Candidate, ...]
    holding: int
    among: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether a candidate fits, and how likely that is, in [0, 1].

    `by_model`: the model was asked, `odds` are its log-odds that it does; else the words decide.
    """

    candidate: Candidate
    fits: bool
    probability: float
    by_model: bool
    odds: float = 0.0

    @property
    def claim(self) -> Claim:
        """That it fits: the sentence that shows it best, quoted."""
        item = self.candidate.evidence[0]
        s = item.sentence
        citation = Citation(item.number, item.paper, s.text, s.start, s.end)
        return Claim(s.text, (citation,), "supported", self.probability, is_quote=True, subject=item.paper.title)

    def __str__(self) -> str:
        return f"{'Yes' if self.fits else 'No'} {self.probability:.2f} {self.candidate.paper.title}"


class Surveyor:
    """Goes through papers for a criterion."""

    def __init__(self, encoder: PassageEncoder, selector: EvidenceSelector) -> None:
        self._encoder = encoder
        self._selector = selector

    def candidates(self, criterion: Criterion, papers: Sequence[Paper], near: Sequence[Paper]) -> Candidates:
        """The papers that may fit: those that hold the words, those that hold half of them, and others of `near`.

        Args:
            criterion: what is asked of them.
            papers: all that are asked about.
            near: the nearest of them in meaning, best first. Where more hold the words than are read, these come first.
        """
        held = holding(criterion, papers)
        ids = {paper.id for paper in held.wholly}
        wholly = held.wholly
        if len(wholly) > MOST_READ:
            wholly = tuple(paper for paper in near if paper.id in ids) + wholly
        partly = NEAR_IN_MEANING if ids else PARTLY_INSTEAD
        others = () if criterion.is_mention and ids else (*held.partly[:partly], *near[:NEAR_IN_MEANING])
        chosen = list({paper.id: paper for paper in (*wholly, *others)}.values())[:MOST_READ]
        if not criterion.is_mention:
            further = [paper for paper in near if paper not in chosen]
            chosen += further[: max(0, LOOKED_AT_LEAST - len(chosen))]
        query = self._encoder.encode([criterion.text], "query")[0]
        read = (
            (paper, _best_sentences(paper, known.sentences, known.vectors @ query, held.required))
            for paper, known in zip(chosen, self._selector.vectors_of(chosen), strict=True)
        )
        found = tuple(Candidate(paper, evidence, paper.id in ids) for paper, evidence in read)
        return Candidates(found, len(ids), len(papers))

    @staticmethod
    def opinions(
        criterion: Criterion, candidates: Candidates, model: Any, check: Check = NO_CHECK
    ) -> Iterator[Opinion]:
        """What to think of each of `candidates` by itself, one after the other.

        Args:
            criterion: what is asked of them.
            candidates: from `candidates`.
            model: asked if it is one that was measured; None where the words are to decide.
            check: called before each reading of the model.
        """
        calibration = CALIBRATION.get(getattr(model, "model_id", ""))
        if calibration is None:
            yield from (Opinion(c, c.holds_words, float(c.holds_words), by_model=False) for c in candidates.papers)
            return
        prompt = prompts.load("member")
        for candidate in candidates.papers:
            check()
            evidence = sorted(candidate.evidence, key=lambda item: item.number)
            odds = log_odds_of(model, prompt.messages(evidence=as_prompt(evidence), statement=criterion.statement))
            sure = calibration.probability(odds if candidate.holds_words else odds - SURER)
            yield Opinion(candidate, sure >= 0.5, sure, by_model=True, odds=odds)


def shown_of_each(
    question: str, papers: Sequence[Paper], encoder: PassageEncoder
) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    """What is held against each of a few `papers` for `question`, to train on: the statement, and by a paper's id its
    best sentences in reading order. None where the question is not about all papers, or words alone decide.
    """
    criterion = criterion_of(question)
    if criterion is None or criterion.is_mention:
        return None
    keywords = KeywordIndex.build([f"{paper.title} {paper.abstract}" for paper in papers])
    found = Surveyor(encoder, EvidenceSelector(encoder, keywords)).candidates(criterion, papers, papers)
    in_order = {c.paper.id: sorted(c.evidence, key=lambda item: item.number) for c in found.papers}
    return criterion.statement, {key: tuple(e.sentence.text for e in shown) for key, shown in in_order.items()}


def standings(opinions: Sequence[Opinion]) -> list[Standing]:
    """How each paper that the model was asked about stands among them."""
    odds = [opinion.odds for opinion in opinions]
    others = [opinion.odds for opinion in opinions if not opinion.candidate.holds_words]
    most, surest = float(np.median(others if len(others) >= FEWEST else odds)), max(odds)
    return [Standing(one - most, one - surest) for one in odds]


def decided(opinions: Sequence[Opinion]) -> list[Opinion]:
    """`opinions` in the light of each other; as they are where no paper fits by itself, or the words decide."""
    if not any(opinion.fits and opinion.by_model for opinion in opinions):
        return list(opinions)
    result = []
    for opinion, standing in zip(opinions, standings(opinions), strict=True):
        weighed = START + WEIGHTS.above * standing.above + WEIGHTS.below * standing.below
        probability = 1.0 / (1.0 + math.exp(-weighed))
        result.append(replace(opinion, fits=probability >= LISTED_FROM, probability=probability))
    return result


def coverage_notice(opinions: Sequence[Opinion], candidates: Candidates) -> str:
    """What was gone through, for the reader."""
    holding = candidates.holding
    said = f"Read all {candidates.among} abstracts for the words: {holding} {'holds' if holding == 1 else 'hold'} them."
    if opinions and opinions[0].by_model:
        said += f" {len(opinions)} were looked at closely, {sum(o.fits for o in opinions)} fit."
    left = holding - sum(opinion.candidate.holds_words for opinion in opinions)
    if left:
        said += f" {left} more hold the words and were not looked at: ask for something narrower."
    return said


def _best_sentences(
    paper: Paper, sentences: Sequence[Any], cosines: Any, required: Sequence[Unit]
) -> tuple[Evidence, ...]:
    """The best sentences for the criterion, best first; `number` is their place in reading order, from 1."""
    held = np.array([sum(unit.is_in(Text(s.text)) for unit in required) for s in sentences], dtype=np.float32)
    scores = held + np.asarray(cosines)
    best = [int(i) for i in np.argsort(-scores, kind="stable")[:SENTENCES]]
    best = [i for i in best if held[i]] or best[: SENTENCES - 1]
    place = {i: number for number, i in enumerate(sorted(best), start=1)}
    return tuple(Evidence(place[i], paper, sentences[i], float(np.clip(cosines[i], 0.0, 1.0))) for i in best)
