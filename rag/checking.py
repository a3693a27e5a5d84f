"""From drafts to what is shown: which sentences stay, what is quoted beside or instead of them, what is said of it.

A draft answers from some evidence; a question about several papers has one draft for each. Every sentence is held
against that evidence alone (see `grounding`), so that what one paper says is never put down to another. Knows nothing
of retrieval, prompts or how drafts are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from rag.drafts import clauses_of, draft_sentences, is_refusal, is_unfinished, until_refusal
from rag.evidence import is_quotable
from rag.language.anaphora import asks_the_same
from rag.language.fidelity import denied, is_verbatim
from rag.language.misreading import counts_another
from rag.language.question import asks_for_number, says_again, shares_news, tells, wants_explanation
from rag.language.terms import stem, words
from rag.quoting import Quoter, Reading
from rag.schema import Claim
from rag.stopping import NO_CHECK, Check
from rag.subjects import names, said_of, speaks_of_another
from rag.trained.opinion import SUPPORTED_FROM, UNSUPPORTED_BELOW

if TYPE_CHECKING:
    from rag.evidence import EvidenceSelector
    from rag.grounding import Grounder
    from rag.schema import Evidence, Subject

CUT_OFF = frozenset({"length", "cancelled"})
"""Reasons to end that leave a draft unfinished: too long, or not written in time."""
UNSUPPORTED = "says something that the sentences above do not say"
UNTOLD = "does not name what the question asks for"
"""What can be wrong with a draft, as the model is told it."""

SecondOpinion = Callable[[Claim], "float | None"]
"""A claim in other words than its source -> how likely that supports it wholly; None: nobody knows."""
Rewrite = Callable[[str, Sequence["Evidence"], str, str], str]
"""(a draft, evidence, question, what is wrong with the draft) -> one sentence instead."""


UNSURE = "it keeps to the words of its source, and yet may not say the same"
"""Why a sentence is partly supported whose words alone gave no doubt."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model wrote about some evidence. `is_cut`: it reached its length or time limit.

    `subject`: which of several papers it is about; None where the question is not about several.
    `question`: which of the several things asked it answers; "" where it answers all.
    """

    text: str
    evidence: tuple[Evidence, ...]
    is_cut: bool = False
    subject: Subject | None = None
    question: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the model says that the evidence does not answer the question."""
        return is_refusal(self._sentences(self.own_text), self._sources())

    @property
    def own_text(self) -> str:
        """What it says of its paper, and not that this, all that the model was shown, tells nothing of another."""
        sentences = self._sentences(self.text)
        sources = self._sources()
        said = [until_refusal(sentence, sources) for sentence in sentences] if self.subject else sentences
        return self.text if said == sentences else "\n".join(said)

    def _sentences(self, text: str) -> list[str]:
        return draft_sentences(text, {item.number for item in self.evidence})

    def _sources(self) -> list[str]:
        return [item.sentence.text for item in self.evidence]


class Held(NamedTuple):
    """What is shown of a sentence that holds, and what the draft said there: another where the source is quoted."""

    claim: Claim
    said: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Claims that may be shown, in order, and what the reader should know about them; no claims: there is no answer.

    `is_rewritten`: the model was asked to write a draft anew, whatever came of it.
    """

    claims: tuple[Claim, ...]
    notice: str
    is_rewritten: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the drafts of one answer are held to.

    `question`: as it was asked, or the part of it that a draft answers. `read_for`: what sentences of a paper are read
    for. `answered`: the last answer, where it is a follow-up. `is_of_one`: one draft answers all of it.
    """

    question: str
    standalone_question: str
    read_for: str
    answered: str
    subjects: tuple[Subject, ...]
    opinion: SecondOpinion | None
    stop_check: Check
    is_of_one: bool


class _Outcome(NamedTuple):
    """What becomes of one draft.

    `shown`: what may be shown, quotations included. `kept`: what of it the draft said, or what that rests on, quoted.
    `dropped`: how many of its sentences do not hold, or not wholly. `only_repeats`: it says the question again.
    """

    shown: list[Claim]
    kept: list[Claim]
    dropped: int
    only_repeats: bool
    is_rewritten: bool


class DraftChecker:
    """Checks drafts and completes what is left of them with quotations."""

    def __init__(
        self,
        grounder: Grounder,
        selector: EvidenceSelector,
        *,
        further_quotes: int,
        rewrite: Rewrite | None = None,
        opinion: SecondOpinion | None = None,
        reading: Reading | None = None,
    ) -> None:
        self._grounder = grounder
        self._quoter = Quoter(grounder, selector, reading, further_quotes=further_quotes)
        self._rewrite = rewrite
        self._opinion = opinion

    def check(
        self,
        drafts: Sequence[Draft],
        question: str,
        standalone_question: str,
        stop_check: Check = NO_CHECK,
        *,
        followup: str = "",
        answered: str = "",
    ) -> Checked:
        """What of `drafts` may be shown.

        Args:
            drafts: one, or one for each paper that the question is about.
            question: as it was asked: its words decide whether an explanation is wanted.
            standalone_question: as it was understood: what claims may repeat.
            stop_check: called before each reading of the model, and before a draft is written anew.
            followup: of a question that leans on an earlier one what it asks itself. Of 46 such the sentence that
                answers is read as saying most for 45, as saying most of both questions for 35.
            answered: what the earlier question was answered, which is no answer to it.
        """
        asked = _Asked(
            question,
            standalone_question,
            followup or standalone_question,
            answered,
            tuple(draft.subject for draft in drafts if draft.subject),
            self._checked_opinion(stop_check),
            stop_check,
            is_of_one=len(drafts) == 1,
        )
        # A part that the evidence does not answer is said to be missing, not made up for by what is nearest.
        outcomes = [self._outcome(draft, asked) for draft in drafts if not (draft.question and draft.is_refusal)]
        claims: list[Claim] = []
        for outcome in outcomes:
            claims += _not_said_before(outcome.shown, claims)
        notice = _notice(outcomes, is_cut=any(draft.is_cut for draft in drafts))
        return Checked(tuple(claims), notice, any(outcome.is_rewritten for outcome in outcomes))

    def _outcome(self, draft: Draft, asked: _Asked) -> _Outcome:
        """What becomes of `draft`."""
        asked = replace(asked, question=draft.question or asked.question)
        held, dropped = self._held(draft, asked.standalone_question, asked.subjects, asked.opinion)
        kept, untraced = _telling(held, asked)
        only_repeats = bool(held) and not kept and not untraced
        is_rewritten = False
        if not kept:
            asked.stop_check()
            is_rewritten = self._can_be_written_anew(draft)
            if is_rewritten:
                anew = self._written_anew(draft, asked, UNTOLD if only_repeats else UNSUPPORTED)
                kept, _ = _telling(anew, asked)
        only_repeats &= not kept
        # Of a number, and of the same about something else, it is seen whether a quotation holds it.
        is_seen_in_quotes = asks_for_number(asked.question) or asks_the_same(asked.question)
        shown: list[Claim] = []
        if kept:
            shown = kept + self._beside(draft, kept, asked)
        elif not only_repeats or not asked.is_of_one or is_seen_in_quotes:
            shown = self._instead(draft, untraced, asked)
        if draft.subject and shown:
            shown = [replace(shown[0], subject=draft.subject.label), *shown[1:]]
        return _Outcome(shown, kept, dropped, only_repeats, is_rewritten)

    def held(self, draft: Draft, question: str) -> list[Claim]:
        """What of a draft holds by itself, as far as words can tell: no model is asked and nothing is quoted."""
        return [item.claim for item in self._held(draft, question, [], None)[0]]

    def left_out(
        self, written: str, shown: Sequence[Claim], evidence: Sequence[Evidence], question: str
    ) -> tuple[tuple[str, str], ...]:
        """The sentences that were `written` from `evidence` and are not `shown` as they are, each with the reason."""
        said = {claim.text for claim in shown}
        quoted = {(c.paper.id, c.start) for claim in shown if claim.is_quote for c in claim.citations}
        written_out = draft_sentences(written, {item.number for item in evidence})
        return tuple((text, self._why(text, quoted, evidence, question)) for text in written_out if text not in said)

    def _why(self, text: str, quoted: AbstractSet[tuple[str, int]], evidence: Sequence[Evidence], question: str) -> str:
        """Why `text` is not shown, as far as words tell; `quoted`: paper and offset of each sentence that is."""
        if is_refusal([text], [item.sentence.text for item in evidence]):
            return "it says that the sentences do not tell it"
        claims = self._grounder.claims(text, evidence, question)
        if evidence and all(claim.verdict == "unsupported" for claim in claims):
            return self._grounder.fault(text, evidence, question)
        if any((c.paper.id, c.start) in quoted for claim in claims for c in claim.citations):
            return "it may say more than its source, which is quoted"
        return "it does not tell what is asked"

    def _held(
        self, draft: Draft, question: str, subjects: Sequence[Subject], opinion: SecondOpinion | None
    ) -> tuple[list[Held], int]:
        """What of a draft holds, and how many of its sentences do not, or not wholly."""
        kept: list[Held] = []
        dropped = 0
        for claim in self._claims(draft, question, subjects):
            shown = _shown([claim], draft, subjects, opinion)
            dropped += not shown
            kept += shown or _shown(self._clauses(claim, draft, question, subjects), draft, subjects, opinion)
        return _once_each(kept), dropped

    def _claims(self, draft: Draft, question: str, subjects: Sequence[Subject]) -> tuple[Claim, ...]:
        if draft.is_refusal:
            return ()
        text = said_of(draft.subject, subjects, draft.own_text) if draft.subject else draft.text
        claims = self._grounder.claims(text, draft.evidence, question)
        # Where the draft was cut within a sentence, what that would have said is not known.
        return claims[:-1] if draft.is_cut and is_unfinished(draft.text) else claims

    def _clauses(self, claim: Claim, draft: Draft, question: str, subjects: Sequence[Subject]) -> list[Claim]:
        """The clauses of a sentence that is not shown whole: the first, and those that name the draft's subject."""
        checked: list[Claim] = []
        for place, text in enumerate(clauses_of(claim.text)):
            if place and (draft.subject is None or not names(text, draft.subject)):
                continue  # "… and needs less data": without its subject it says nothing
            checked += self._grounder.claims(text, draft.evidence, question)
        return checked

    def _checked_opinion(self, stop_check: Check) -> SecondOpinion | None:
        own = self._opinion
        if own is None:
            return None

        def opinion(claim: Claim) -> float | None:
            stop_check()
            return own(claim)

        return opinion

    def _can_be_written_anew(self, draft: Draft) -> bool:
        has_both = bool(draft.evidence) and bool(draft.text.strip())
        return self._rewrite is not None and has_both and not draft.is_refusal

    def _written_anew(self, draft: Draft, asked: _Asked, fault: str) -> list[Held]:
        """What holds of one more try, for a draft of which nothing does; `fault`: what is wrong with it."""
        assert self._rewrite is not None
        if draft.subject:
            fault = f"has to be about {draft.subject.label} alone"
        text = self._rewrite(draft.text, draft.evidence, asked.standalone_question, fault)
        again = replace(draft, text=text, is_cut=False)
        claims = self._claims(again, asked.standalone_question, asked.subjects)
        return _once_each(_shown(claims, again, asked.subjects, asked.opinion))

    def _beside(self, draft: Draft, kept: Sequence[Claim], asked: _Asked) -> list[Claim]:
        """What is quoted beside what is kept of `draft`."""
        if not asked.is_of_one:
            return self._quoter.of_its_paper(draft, kept)
        explains = wants_explanation(asked.question)
        is_followup = asked.question != asked.standalone_question and not draft.question
        if explains or is_followup:  # of a follow-up what it adds is wanted
            return self._quoter.beside(kept, asked.read_for, asked.stop_check, or_nearest=explains)
        return []

    def _instead(self, draft: Draft, untraced: str, asked: _Asked) -> list[Claim]:
        """What is quoted where nothing of `draft` is kept."""
        return self._quoter.instead(
            draft,
            untraced,
            asked.question,
            asked.standalone_question,
            asked.stop_check,
            alone=asked.is_of_one,
            read_for=asked.read_for,
        )


def _telling(held: list[Held], asked: _Asked) -> tuple[list[Claim], str]:
    """What is shown of `held`, if something of it may be the answer; if nothing is, what would be, were it in the
    quotation that is to be shown in its place.

    A quotation in the place of a sentence that only says the question again answers no more than that did. In the place
    of another it answers where it holds some of what that tells, or denies what the question takes for granted.
    """
    question, standalone = asked.question, asked.standalone_question
    presumed = {stem(word) for word in words(standalone)}
    telling = [
        item
        for item in held
        if tells(item.said, question, standalone)
        and not _counts_another(item, question)
        and not says_again(item.claim.text, question, asked.answered)
    ]
    for said, shown in ((item.said, item.claim.text) for item in telling):
        if shares_news(shown, said, question, standalone) or denied(shown) & presumed:
            return [item.claim for item in held], ""
    return [], " ".join(item.said for item in telling)


def _counts_another(held: Held, question: str) -> bool:
    source = " ".join(citation.quote for citation in held.claim.citations)
    return counts_another(held.said, source, question)


def _not_said_before(new: Sequence[Claim], shown: Sequence[Claim]) -> list[Claim]:
    """Of what answers one part of a question, what no earlier part said of the same paper, or quoted.

    Two papers may be said to do the same, in the same words.
    """
    said = {(claim.text, _papers(claim)) for claim in shown}
    quoted = {(c.paper.id, c.start) for claim in shown if claim.is_quote for c in claim.citations}
    return [
        claim
        for claim in new
        if (claim.text, _papers(claim)) not in said
        and not (claim.is_quote and any((c.paper.id, c.start) in quoted for c in claim.citations))
    ]


def _papers(claim: Claim) -> frozenset[str]:
    return frozenset(citation.paper.id for citation in claim.citations)


def _shown(
    claims: Sequence[Claim], draft: Draft, subjects: Sequence[Subject], opinion: SecondOpinion | None
) -> list[Held]:
    """Those that may be shown, with the verdict that the second opinion leads to."""
    return [Held(_opined(claim, opinion), claim.text) for claim in claims if _may_be_shown(claim, draft, subjects)]


def _once_each(held: Sequence[Held]) -> list[Held]:
    """`held` without what is shown before: two sentences can be replaced by one source."""
    once: dict[str, Held] = {}
    for item in held:
        before = once.get(item.claim.text)
        once[item.claim.text] = item if before is None else Held(before.claim, f"{before.said} {item.said}")
    return list(once.values())


def _opined(claim: Claim, opinion: SecondOpinion | None) -> Claim:
    """`claim` as the second opinion on it has it; what stands in its source word for word needs none, unless it is cut
    out of a sentence that may say otherwise.

    Of one that its source is likely not to say wholly, the sentence that it rests on is left, quoted.
    """
    if opinion is None or claim.verdict == "unsupported" or claim.is_quote or _is_verbatim(claim):
        return claim
    likely = opinion(claim)
    if likely is None:
        return claim
    if likely >= SUPPORTED_FROM:
        return replace(claim, verdict="supported", score=likely, doubt="")
    source = claim.citations[0]
    if likely >= UNSUPPORTED_BELOW or not is_quotable(source.quote):
        return replace(claim, verdict="partly", score=likely, doubt=claim.doubt or UNSURE)
    return Claim(source.quote, (source,), "supported", 1.0, is_quote=True)


def _is_verbatim(claim: Claim) -> bool:
    return any(is_verbatim(claim.text, citation.quote) for citation in claim.citations)


def _may_be_shown(claim: Claim, draft: Draft, subjects: Sequence[Subject]) -> bool:
    if claim.verdict == "unsupported":
        return False
    return draft.subject is None or not speaks_of_another(claim.text, draft.subject, subjects)


def _notice(outcomes: Sequence[_Outcome], *, is_cut: bool) -> str:
    """What the reader should know about what became of the drafts."""
    kept = [claim for outcome in outcomes for claim in outcome.kept]
    if not kept:
        is_untold = any(outcome.only_repeats for outcome in outcomes)
        fault = "did not answer the question" if is_untold else "could not be confirmed from the abstracts"
        return f"The model's own words {fault}, so the abstracts' own are quoted instead."
    dropped = sum(outcome.dropped for outcome in outcomes)
    replaced = sum(claim.is_quote for claim in kept)
    parts = []
    if dropped == 1:
        parts.append("One sentence was left out, or part of it: the abstracts do not support it.")
    elif dropped:
        parts.append(f"{dropped} sentences were left out: the abstracts do not support them.")
    if replaced:
        several = f"{replaced} sentences" if replaced > 1 else "One sentence"
        parts.append(f"{several} may have said more than the abstracts do: what they say is quoted instead.")
    if is_cut:
        parts.append("The answer was cut off: it reached its length or time limit.")
    return " ".join(parts)
