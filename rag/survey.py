"""Answers a question about the whole library by going through all of it: "Which papers build on A* search?".

Every abstract is read for the criterion's words; the papers nearest in meaning join those that hold them. Each of these
is read beside the criterion, with its best sentences, by the trained adapter "bearing" (see `trained`): does it fit?
Where only a mention is asked for, the words decide, unless one of them stands in no abstract. What fits is listed with
the one sentence that shows it, quoted: of those that were read, the one that the adapter looks at
(`rag.trained.bearing`).

Of a model that the adapter does not belong to nothing is known: there the words decide, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.evidence import EvidenceSelector
from rag.keywords import KeywordIndex
from rag.language.criterion import Criterion, Holding, Text, Unit, criterion_of, holding
from rag.schema import Citation, Claim, Evidence, Paper, Verdict
from rag.stopping import NO_CHECK, Check
from rag.trained.bearing import fitting, telling

if TYPE_CHECKING:
    from rag.index import PassageEncoder
    from rag.language.complement import Counterpart

FITS_FROM = 0.7
"""How likely a paper has to be read as fitting. On 65 lists of dev, fresh-a, fresh-c and libraries 2, 3, 5 and 6 of
`eval elsewhere` the F1 of papers is 0.861 from 0.5 on, 0.865 from 0.7 on, 0.856 from 0.9 on."""
SURE_FROM = 0.995
"""How likely it has to be to be listed without a doubt. Of the papers on these lists 183 are read so, of which 165 are
right (0.90); of the 76 others that are listed 35 are."""
UNSURE = "it may not fit: of papers that are read like it about half do"
UNREAD_DENIAL = "it may not fit: it has the words, but whether it denies what was to be denied was not read"
UNHELD = "it may not fit: it has the words but for one that stands in no abstract"
LOOKED_AT_LEAST = 12
READ_ON_WHILE = 8
"""Where one of the last so many fits, the next nearest paper is looked at, too. Of 86 lists these two read 14.6 papers
where the first twenty would be, and miss one of 293 that belong and three of 64 that do not: docs/measurements.md."""
SENTENCES = 5
"""Of each paper, so many are read beside the criterion. AUROC of 422 papers of 21 lists of fresh-c and library 5: three
of those that hold its words 0.919, three 0.927, four 0.981, five 0.991, all nine or so 0.990."""
NEAR_IN_MEANING = 8
PARTLY_INSTEAD = 24
"""How many that hold half of the words are looked at where no paper holds them all."""
MOST_READ = 48
"""Papers whose sentences are looked at for one question, at a third of a second each on two cores. What more there is
that holds the words is counted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that may fit, with its best sentences, the one that shows it best first.

    `holds_others`: it holds the words of the criterion but for some that stand in no paper.
    """

    paper: Paper
    evidence: tuple[Evidence, ...]
    holds_words: bool
    holds_others: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """The papers to be looked at, how many hold the words in all, how many there are, and the nearest of the others.

    `required` are the units of the criterion that count where sentences are chosen. `has_unheld`: some word of the
    criterion stands in no paper, and some papers hold the others; of more than a mention `holding` counts these.
    """

    papers: tuple[Candidate, ...]
    holding: int
    among: int
    further: tuple[Paper, ...]
    required: tuple[Unit, ...]
    has_unheld: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether a candidate fits, and how likely that is, in [0, 1].

    `by_model`: it was read; else the words decide. `doubt` says in words why it may not fit although it is listed.
    """

    candidate: Candidate
    fits: bool
    probability: float
    by_model: bool
    doubt: str = ""

    @property
    def claim(self) -> Claim:
        """That it fits: the sentence that shows it best, quoted."""
        item = self.candidate.evidence[0]
        s = item.sentence
        citation = Citation(item.number, item.paper, s.text, s.start, s.end)
        verdict: Verdict = "partly" if self.doubt else "supported"
        title = item.paper.title
        return Claim(s.text, (citation,), verdict, self.probability, is_quote=True, subject=title, doubt=self.doubt)

    def __str__(self) -> str:
        return f"{'Yes' if self.fits else 'No'} {self.probability:.2f} {self.candidate.paper.title}"


class Surveyor:
    """Goes through papers for a criterion."""

    def __init__(self, encoder: PassageEncoder, selector: EvidenceSelector) -> None:
        self._encoder = encoder
        self._selector = selector

    def candidates(self, criterion: Criterion, papers: Sequence[Paper], near: Sequence[Paper]) -> Candidates:
        """The papers that may fit: those that hold the words, those that hold half of them, and others of `near`.

        All that hold the words are to be looked at, and `LOOKED_AT_LEAST` in all; the others are `further` ones.

        Args:
            criterion: what is asked of them.
            papers: all that are asked about.
            near: the nearest of them in meaning, best first. Where more hold the words than are read, these come first.
        """
        held = holding(criterion, papers)
        wholly, less = held.wholly + held.nearly, held.partly
        if criterion.is_mention:  # what lacks a word does not mention what is asked for
            wholly, less = held.wholly, held.nearly + held.partly
        ids = {paper.id for paper in wholly}
        if len(wholly) > MOST_READ:
            wholly = tuple(paper for paper in near if paper.id in ids) + wholly
        partly = NEAR_IN_MEANING if ids else PARTLY_INSTEAD
        others = () if criterion.is_mention and ids else (*less[:partly], *near[:NEAR_IN_MEANING])
        chosen = list({paper.id: paper for paper in (*wholly, *others)}.values())[:MOST_READ]
        first = len(chosen)
        if not criterion.is_mention or held.nearly:
            first = max(len(wholly), LOOKED_AT_LEAST)
            chosen += [paper for paper in near if paper not in chosen][: MOST_READ - len(chosen)]
        found = self.with_sentences(criterion, chosen[:first], held.required, held)
        further = tuple(chosen[first:])
        return Candidates(found, len(ids), len(papers), further, held.required, has_unheld=bool(held.nearly))

    def with_sentences(
        self, criterion: Criterion, papers: Sequence[Paper], required: Sequence[Unit], held: Holding | None = None
    ) -> tuple[Candidate, ...]:
        """Each of `papers` with its best sentences; which of them hold the words, `held` says."""
        wholly, nearly = ({paper.id for paper in some} for some in ((held.wholly, held.nearly) if held else ((), ())))
        query = self._encoder.encode([criterion.text], "query")[0]
        return tuple(
            Candidate(
                paper,
                _best_sentences(paper, known.sentences, known.vectors @ query, required),
                holds_words=paper.id in wholly,
                holds_others=paper.id in nearly,
            )
            for paper, known in zip(papers, self._selector.vectors_of(papers), strict=True)
        )

    def opinions(
        self, criterion: Criterion, candidates: Candidates, model: Any, check: Check = NO_CHECK
    ) -> Iterator[Opinion]:
        """What to think of each of `candidates` by itself, one after the other; further ones as long as some fit.

        Args:
            criterion: what is asked of them.
            candidates: from `candidates`.
            model: asked if the adapter belongs to it; None where the words are to decide.
            check: called before each reading of the model.
        """
        opinions: list[Opinion] = []
        for candidate in self._in_turn(criterion, candidates, opinions):
            check()
            opinions.append(_opinion(criterion, candidate, model))
            yield opinions[-1]

    def _in_turn(
        self, criterion: Criterion, candidates: Candidates, opinions: Sequence[Opinion]
    ) -> Iterator[Candidate]:
        """All that are to be looked at, then further ones while some of the last `opinions` fit."""
        yield from candidates.papers
        for paper in candidates.further:
            if not (opinions[-1].by_model and _fits_lately(opinions)):
                return
            yield from self.with_sentences(criterion, [paper], candidates.required)


def _opinion(criterion: Criterion, candidate: Candidate, model: Any) -> Opinion:
    likely = fitting(model, criterion.statement, candidate.paper, candidate.evidence)
    if likely is None:
        others = candidate.holds_others and not criterion.is_mention
        holds, doubt = candidate.holds_words or others, UNHELD if others else ""
        if criterion.denies:
            doubt = UNREAD_DENIAL
        return Opinion(candidate, holds, float(holds), by_model=False, doubt=doubt)
    fits = likely >= FITS_FROM
    shown = _shown_first(criterion, candidate, model) if fits else candidate
    return Opinion(shown, fits, likely, by_model=True, doubt="" if likely >= SURE_FROM else UNSURE)


def _fits_lately(opinions: Sequence[Opinion]) -> bool:
    return any(opinion.fits for opinion in opinions[-READ_ON_WHILE:])


def _shown_first(criterion: Criterion, candidate: Candidate, model: Any) -> Candidate:
    """`candidate` with its sentences in the order in which the model takes them to show that it fits.

    Of 84 papers on lists of dev and three libraries a right sentence is first for 69, by words and meaning for 60.
    """
    in_order = sorted(candidate.evidence, key=lambda item: item.number)
    told = telling(model, criterion.statement, candidate.paper, [item.sentence.text for item in in_order])
    if told is None:
        return candidate
    by_likelihood = sorted(zip(told, in_order, strict=True), key=lambda one: -one[0])
    return replace(candidate, evidence=tuple(item for _, item in by_likelihood))


def shown_of_each(
    question: str, papers: Sequence[Paper], encoder: PassageEncoder
) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    """What is held against each of a few `papers` for `question`, to train on: the statement, and by a paper's id its
    best sentences in reading order. None where the question is not about all papers, or words alone decide, or its
    counterpart is asked instead.
    """
    criterion = criterion_of(question)
    if criterion is None or criterion.is_mention or criterion.counterpart:
        return None
    keywords = KeywordIndex.build([f"{paper.title} {paper.abstract}" for paper in papers])
    surveyor = Surveyor(encoder, EvidenceSelector(encoder, keywords))
    found = surveyor.candidates(criterion, papers, papers)
    read = (*found.papers, *surveyor.with_sentences(criterion, found.further, found.required))
    in_order = {c.paper.id: sorted(c.evidence, key=lambda item: item.number) for c in read}
    return criterion.statement, {key: tuple(e.sentence.text for e in shown) for key, shown in in_order.items()}


def coverage_notice(opinions: Sequence[Opinion], candidates: Candidates, instead: Counterpart | None = None) -> str:
    """What was gone through, for the reader, and what was asked `instead` of what papers do not."""
    holding = candidates.holding
    words = "those of them that any holds" if candidates.has_unheld and holding else "them"
    hold = "holds" if holding == 1 else "hold"
    said = f"Read all {candidates.among} abstracts for the words: {holding} {hold} {words}."
    if opinions and opinions[0].by_model:
        said += f" {len(opinions)} were looked at closely, {sum(o.fits for o in opinions)} fit."
    if (left := holding - MOST_READ) > 0:  # they are looked at before all others
        said += f" {left} more hold the words and were not looked at: ask for something narrower."
    elif len(opinions) == MOST_READ < candidates.among and opinions[0].by_model and _fits_lately(opinions):
        said += " Some of the last of these fit, so more may: ask for something narrower."
    return f"{_complement_notice(instead, sum(o.fits for o in opinions), candidates.among)} {said}" if instead else said


def _complement_notice(instead: Counterpart, fit: int, among: int) -> str:
    said = "Abstracts seldom say what is not done."
    if instead.is_part:
        return f"{said} Whether it is was not looked at: this answers “{instead.question}”."
    if not fit:
        return f"{said} So it was looked for where it is done: none of the {among} papers was found to say so."
    return f"{said} So this lists where it is done: the other {among - fit} of {among} were not found to say so."


def _best_sentences(
    paper: Paper, sentences: Sequence[Any], cosines: Any, required: Sequence[Unit]
) -> tuple[Evidence, ...]:
    """The best sentences for the criterion, best first; `number` is their place in reading order, from 1."""
    held = np.array([sum(unit.is_in(Text(s.text)) for unit in required) for s in sentences], dtype=np.float32)
    scores = held + np.asarray(cosines)
    best = [int(i) for i in np.argsort(-scores, kind="stable")[:SENTENCES]]
    place = {i: number for number, i in enumerate(sorted(best), start=1)}
    return tuple(Evidence(place[i], paper, sentences[i], float(np.clip(cosines[i], 0.0, 1.0))) for i in best)
