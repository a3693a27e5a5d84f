"""What is quoted beside what a draft says, or instead of it: which sentences, and how many.

Quoted beside: of a paper that an explanation cites, what else says what is asked. Quoted instead: where nothing of a
draft holds. Which sentences say what is asked the model reads (see `bearing`); where nobody can read, the nearest are
taken. Knows nothing of verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rag.evidence import is_quotable, renumbered
from rag.language.anaphora import asks_the_same
from rag.language.quantities import numbers_in
from rag.language.question import asks_for_number, asks_yes_or_no, shares_news, shares_words, tells, wants_explanation
from rag.language.sentences import sentences_of
from rag.schema import Evidence
from rag.stopping import Check

if TYPE_CHECKING:
    from rag.checking import Draft
    from rag.evidence import EvidenceSelector
    from rag.grounding import Grounder
    from rag.schema import Citation, Claim, Paper, Sentence

QUOTES_INSTEAD = 2
"""Sentences quoted where nothing of a draft survives; one more where an explanation is wanted and they were read."""
QUOTES_OF_EACH = 2
"""Sentences quoted of each of several papers after what the model says of it. Of the 22 comparisons of dev and
fresh-a 14 are right with one, 16 with two."""
READ_WHOLE = 20
"""Sentences of an abstract that is read whole, as those were of which it was learnt where to look; of a longer one the
cited and as many of the nearest to them and to the question are read."""
PAPERS_READ = 2
"""Papers, best first, of which one after the other is read whole to see what to quote instead of a draft."""
TELLING_FROM = 0.1
"""How likely one has to say what is asked. Each abstract read by itself, 43 of the 45 sentences that answer the
explanations of dev, fresh-a and fresh-c are among its best four and so likely, as are 2.7 of an abstract; from 0.3 on
40 are, from 0.5 on 36."""
SURELY_TELLING_FROM = 0.5
"""How likely one has to say what is asked to be quoted though it shares nothing with the draft: a number where the
draft's is no one's, or an answer to a question for yes or no. Of others a sentence may say much and not what."""
NUMBER_COVERAGE = 0.7
"""Share of the question, weighted by rarity, that a sentence has to hold to be quoted for the number in it."""
NAMED_COVERAGE = 0.25
"""The same of a sentence that has the number which the draft named, though not as the draft read it."""

Reading = Callable[[str, "Paper", Sequence[str]], "Sequence[float] | None"]
"""(question, a paper, sentences of it in order) -> how likely each says what is asked; None: nobody knows."""


class Quoter:
    """Picks the sentences that are quoted."""

    def __init__(
        self, grounder: Grounder, selector: EvidenceSelector, reading: Reading | None, *, further_quotes: int
    ) -> None:
        """`further_quotes`: how many at most beside what a draft says."""
        self._grounder = grounder
        self._selector = selector
        self._reading = reading
        self._further_quotes = further_quotes

    def beside(
        self, kept: Sequence[Claim], question: str, stop_check: Check, *, or_nearest: bool = False
    ) -> list[Claim]:
        """What the cited papers say to `question` beyond what is cited.

        `or_nearest`: where nobody can read, what is nearest to it; else nothing then.
        """
        further = self._read_on(kept, question, stop_check)
        if further is None:
            further = self._selector.read_on(question, _cited(kept), self._further_quotes) if or_nearest else ()
        return self._quotes(further, self._further_quotes)

    def of_its_paper(self, draft: Draft, kept: Sequence[Claim]) -> list[Claim]:
        """After what is said of one of several papers: of its evidence, which was read, the best not cited yet."""
        starts = {(citation.paper.id, citation.start) for citation in _cited(kept)}
        left = [e for e in draft.evidence if (e.paper.id, e.sentence.start) not in starts]
        return self._quotes(left, min(QUOTES_OF_EACH, self._further_quotes))

    def instead(
        self, draft: Draft, told: str, asked: str, question: str, stop_check: Check, *, alone: bool, read_for: str
    ) -> list[Claim]:
        """Where nothing of `draft` holds: what says what is asked, if anything does.

        Args:
            draft: what was written, and the evidence that it was written from.
            told: what of it would be an answer, did what it rests on say so: only what holds some of that is quoted
                then, or says surely whether. "": none of it was near to anything.
            asked: the question as it was asked: what kind of answer it wants.
            question: as it was understood.
            stop_check: called before each reading.
            alone: no other draft answers the question. Of several papers each was read for what is asked before; only
                for a number what has none is no answer.
            read_for: what the paper is read for: `question`, or what a follow-up asks itself.
        """
        is_number = asks_for_number(asked)
        if not alone:
            fit = [e for e in draft.evidence if not is_number or tells(e.sentence.text, asked, question)]
            return self._quotes(fit, QUOTES_INSTEAD)
        if is_number and (number := self._number(draft, question)):
            return self._quotes(number, 1)

        if is_number and not told:
            found = self._said(
                draft, read_for, lambda text, _: tells(text, asked, question), stop_check, SURELY_TELLING_FROM
            )
            return self._quotes(found or (), 1)

        def is_fit(text: str, share: float = 0.0) -> bool:
            whether = share >= SURELY_TELLING_FROM and asks_yes_or_no(asked)
            return not told or whether or shares_news(text, told, asked, question)

        found = self._said(draft, read_for, is_fit, stop_check)
        if found == [] and asks_the_same(asked):  # too little by itself to be read for, one time in thirteen
            found = self._said(
                draft, question, lambda text, _: shares_words(text, asked), stop_check, SURELY_TELLING_FROM
            )
        more = wants_explanation(asked) and found is not None
        near = found if found is not None else [item for item in draft.evidence if is_fit(item.sentence.text)]
        return self._quotes(near, QUOTES_INSTEAD + more)

    def _quotes(self, evidence: Sequence[Evidence], count: int) -> list[Claim]:
        return self._grounder.quotes(evidence, count) if evidence else []

    def _said(
        self,
        draft: Draft,
        question: str,
        is_fit: Callable[[str, float], bool],
        stop_check: Check,
        least: float = TELLING_FROM,
    ) -> Sequence[Evidence] | None:
        """What is asked for, as it is read, and fit, in the first of the papers of `draft` that says it; None where
        nobody can read. `is_fit`: of a sentence, and of how likely it says it, at least `least`.
        """
        for paper in list({item.paper.id: item.paper for item in draft.evidence}.values())[:PAPERS_READ]:
            read = self._read(question, paper, sentences_of(paper), stop_check)
            if read is None:
                return None
            found = [item for item in read if item.score >= least and is_fit(item.sentence.text, item.score)]
            if found:
                return found
        return []

    def _read_on(self, kept: Sequence[Claim], question: str, stop_check: Check) -> Sequence[Evidence] | None:
        """What the cited papers say to `question` beyond what is cited, as it is read; None where nobody can read."""
        if self._reading is None or not self._further_quotes:
            return None
        cited = _cited(kept)
        starts = {(citation.paper.id, citation.start) for citation in cited}
        further: list[Evidence] = []
        for paper in {citation.paper.id: citation.paper for citation in cited}.values():
            own = sentences_of(paper)
            if len(own) > READ_WHOLE:
                of_it = [citation for citation in cited if citation.paper.id == paper.id]
                near = {item.sentence.start for item in self._selector.read_on(question, of_it, READ_WHOLE)}
                own = tuple(s for s in own if s.start in near or (paper.id, s.start) in starts)
            read = self._read(question, paper, own, stop_check)
            if read is None:
                return None
            further += [
                item
                for item in read
                if item.score >= TELLING_FROM
                and (paper.id, item.sentence.start) not in starts
                and is_quotable(item.sentence.text)
            ]
        return renumbered(further)

    def _read(
        self, question: str, paper: Paper, sentences: Sequence[Sentence], stop_check: Check
    ) -> list[Evidence] | None:
        """`sentences` of `paper`, each with how likely it says what is asked; None where nobody can read."""
        if self._reading is None:
            return None
        stop_check()
        told = self._reading(question, paper, [sentence.text for sentence in sentences])
        if told is None:
            return None
        return [
            Evidence(number, paper, sentence, share)
            for number, (sentence, share) in enumerate(zip(sentences, told, strict=True), start=1)
        ]

    def _number(self, draft: Draft, question: str) -> list[Evidence]:
        """The sentence that holds a number and nearly all that is asked; a number of something else answers nothing."""
        named = numbers_in(draft.text, with_one=False) - numbers_in(question)
        fit = [item for item in draft.evidence if tells(item.sentence.text, question)]
        share = {item.number: self._grounder.coverage(question, item) for item in fit}
        with_it = [item for item in fit if named & numbers_in(item.sentence.text)]
        for among, least in ((fit, NUMBER_COVERAGE), (with_it, NAMED_COVERAGE)):
            best = max(among, key=lambda item: share[item.number], default=None)
            if best is not None and share[best.number] >= least:
                return [best]
        return []


def _cited(claims: Iterable[Claim]) -> list[Citation]:
    return [citation for claim in claims for citation in claim.citations]
