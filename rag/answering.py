"""The way of a question through the parts.

question + history -> stand-alone question -> fused hits -> one paper or several? -> numbered evidence sentences ->
enough to answer? -> prompt -> draft, streamed -> every sentence checked against the evidence -> Answer.
A question about the whole library goes another way: papers that may fit -> does each? -> a list.

What each step decides is in the module of its name; here is only their order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import prompts
from rag.checking import CUT_OFF, Draft
from rag.description import model_id_of
from rag.drafts import finished_sentences
from rag.evidence import renumbered
from rag.grounding import number_claims, shown_text
from rag.language.anaphora import may_lean_back
from rag.language.criterion import Criterion, criterion_of, restated_criterion
from rag.language.list_question import list_question
from rag.language.question import asks_for_record
from rag.lookup import BY_RECORD, looked_for
from rag.schema import Answer, Claim, Event, EvidenceFound, Hit, Paper, TextPiece
from rag.stopping import NO_CHECK, Check, Stopped
from rag.subjects import namesakes
from rag.survey import MOST_READ, Candidates, Opinion, coverage_notice
from rag.trained.adapters import prompt_of
from rag.trained.scope import asks_for_papers
from rag.wording import abstention_text, counterpart_text

if TYPE_CHECKING:
    from rag.assembly import LazyModel
    from rag.checking import DraftChecker
    from rag.conversation import History
    from rag.lookup import Lookup
    from rag.retrieval import FusedRetriever, Where
    from rag.settings import Settings
    from rag.survey import Surveyor
    from rag.writing import Writer

PROMPTS_JOINED = "+"
"""Between the ids of the prompts that had a part in an answer, in order of use; one that the model had none in has
none."""
STOPPED = "It was stopped here: more may have followed."


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers questions from one library as it is, with one set of settings. `model` writes, `checker` checks."""

    retriever: FusedRetriever
    settings: Settings
    lookup: Lookup
    writer: Writer
    drafts: DraftChecker
    surveyor: Surveyor
    model: LazyModel
    checker: LazyModel

    def stream(self, question: str, history: History, where: Where | None, check: Check) -> Iterator[Event]:
        """See `Rag.stream`; `check` ends it by raising `Stopped`."""
        with suppress(Stopped):
            yield from self._events(question, history, where, check)

    def _events(self, question: str, history: History, where: Where | None, check: Check) -> Iterator[Event]:
        started = time.perf_counter()
        asked = self.lookup.readable(question)
        criterion = self._criterion(asked, is_first=not history, check=check)
        if criterion is not None:
            yield from self._survey(criterion, asked, where, started, check)
            return
        found = self.lookup.evidence_for(question, history, where)
        timings = {"evidence_s": time.perf_counter() - started}
        yield found
        enough = self.lookup.enough(found, where, check)
        if enough is None and history and found.earlier is None and may_lean_back(asked):
            leaning = self.lookup.evidence_for(question, history, where, is_followup=True)
            enough = self.lookup.enough(leaning, where, check)
            if enough is not None:
                found = leaning
                yield found
        if enough is None:
            yield self._finish(self._abstention(found), timings, started)
            return
        if enough is not found:
            found = enough
            yield found
        parts = self.parts(found)
        if (shown := self._shown(found, parts)) is not found:
            found = shown
            yield found
        texts, reasons = [""] * len(parts), [""] * len(parts)
        check()
        with closing(self.writer.pieces(parts, found)) as pieces:
            for index, piece, reason in pieces:
                check()
                reasons[index] = reason or reasons[index]
                if piece:
                    timings.setdefault("first_token_s", time.perf_counter() - started)
                    gap = " " if index and not texts[index] else ""  # between one paper's draft and the next
                    texts[index] += piece
                    yield TextPiece(gap + piece)
        drafts = [
            replace(part, text=text, is_cut=reason in CUT_OFF)
            for part, text, reason in zip(parts, texts, reasons, strict=True)
        ]
        yield self._finish(self._checked_answer(found, drafts, check), timings, started)

    def partial(self, found: EvidenceFound, draft: str) -> Answer | None:
        """See `Rag.partial_answer`."""
        if found.is_survey or found.subjects or found.parts:
            return None
        text = "\n".join(finished_sentences(draft, {item.number for item in found.evidence}))
        claims = self.drafts.held(Draft(text, found.evidence), found.standalone_question)
        if not claims:
            return None
        prompt = self.writer.prompt_of(Draft("", found.evidence), found)
        answer = self._answer(found, claims=claims, notice=STOPPED, raw_text=draft, prompt_ids=[prompt.id])
        return replace(answer, model_id=model_id_of(self.model.get()))

    def many(self, questions: Sequence[str], where: Where | None) -> tuple[Answer, ...]:
        """See `Rag.ask_many`."""
        started = time.perf_counter()
        asked = [self.lookup.readable(question) for question in questions]
        is_steered = self.settings.answer.citations == "constrained"  # token by token, by the question's own evidence
        if is_steered or any(asks_for_papers(question, self.retriever.encoder) for question in asked):
            return tuple(answer_of(self.stream(question, (), where, NO_CHECK)) for question in questions)
        found = [self.lookup.evidence_for(question, (), where) for question in questions]
        evidence_s = time.perf_counter() - started
        enough = [self.lookup.enough(item, where) for item in found]
        parts = [self.parts(item) if item else () for item in enough]
        pairs = [(part, item) for item, group in zip(enough, parts, strict=True) if item for part in group]
        batch: list[Any] = [self.writer.messages(part, item) for part, item in pairs]
        longest = self.settings.model.max_new_tokens
        written = iter(self.writer.replies(batch, longest))
        answers = []
        for item, wider, group in zip(found, enough, parts, strict=True):
            if wider is None:
                answer = self._abstention(item)
            else:
                drafts = [self._as_written(part, wider, next(written)) for part in group]
                answer = self._checked_answer(self._shown(wider, group), drafts)
            answers.append(self._finish(answer, {"evidence_s": evidence_s}, started))
        return tuple(answers)

    def _as_written(self, part: Draft, found: EvidenceFound, reply: Any) -> Draft:
        """`part` with the text of a whole reply, and what it was made to begin with."""
        text = self.writer.start(part, found) + str(reply.text)
        return replace(part, text=text, is_cut=reply.response_metadata.get("finish_reason") in CUT_OFF)

    def opinions(self, question: str, where: Where | None) -> list[Opinion]:
        """See `Rag.opinions`."""
        asked = self.lookup.readable(question)
        if (criterion := self._criterion(asked, is_first=True)) is None:
            return []
        _, candidates = self._candidates(criterion, asked, where)
        return list(self.surveyor.opinions(criterion, candidates, self._reader(criterion, candidates)))

    def _criterion(self, asked: str, *, is_first: bool, check: Check = NO_CHECK) -> Criterion | None:
        """What `asked` asks of every paper; None where it is not about the whole library."""
        if not asks_for_papers(asked, self.retriever.encoder, is_first=is_first):
            return None
        if list_question(asked, is_first=is_first) is not None:
            return criterion_of(asked, is_first=is_first)
        return restated_criterion(asked, self.writer.as_question_for_papers(asked, check))

    def _candidates(self, criterion: Criterion, asked: str, where: Where | None) -> tuple[tuple[Hit, ...], Candidates]:
        """The nearest papers, and those that may fit."""
        hits = self.retriever.search(criterion.question(asked), k=max(self.retriever.k, MOST_READ), where=where)
        near = [hit.paper for hit in hits]
        return hits, self.surveyor.candidates(criterion, self.retriever.papers(where), near)

    def _reader(self, criterion: Criterion, candidates: Candidates) -> Any:
        """The model that says which papers fit; None where the words do: of a mention, if they stand in any paper."""
        return None if criterion.is_mention and not candidates.has_unheld else self.checker.get()

    def _survey(
        self, criterion: Criterion, asked: str, where: Where | None, started: float, check: Check
    ) -> Iterator[Event]:
        """The events of a question about the whole library: what may fit, what does, one by one, the Answer."""
        hits, candidates = self._candidates(criterion, asked, where)
        evidence = renumbered(candidate.evidence[0] for candidate in candidates.papers)
        found = EvidenceFound(asked, criterion.question(asked), hits[: self.retriever.k], evidence, is_survey=True)
        timings = {"evidence_s": time.perf_counter() - started}
        yield found
        opinions: list[Opinion] = []
        reader = self._reader(criterion, candidates)
        for opinion in self.surveyor.opinions(criterion, candidates, reader, check):
            opinions.append(opinion)
            if opinion.fits:
                timings.setdefault("first_token_s", time.perf_counter() - started)
                yield TextPiece(f"{opinion.claim.subject}\n")
        restated = [criterion.restated] if criterion.restated else []
        read = [str(opinion) for opinion in opinions if opinion.by_model]
        said = "\n".join([*restated, *read])
        names = ["request"] * bool(restated) + [prompt_of("bearing")] * bool(read)
        prompt_ids = [prompts.load(name).id for name in names]
        notice = coverage_notice(opinions, candidates, criterion.counterpart)
        if claims := [opinion.claim for opinion in opinions if opinion.fits]:
            found = replace(found, evidence=renumbered(opinion.candidate.evidence[0] for opinion in opinions))
            answer = self._answer(found, claims=claims, notice=notice, surveyed=candidates.among)
            if criterion.counterpart:
                answer = replace(answer, text=counterpart_text(answer))
        else:
            elsewhere = f" {BY_RECORD}" if asks_for_record(asked) else ""
            answer = replace(self._abstention(found), notice=notice + elsewhere, surveyed=candidates.among)
        answer = replace(answer, raw_text=said, prompt_id=PROMPTS_JOINED.join(prompt_ids))
        yield self._finish(answer, timings, started)

    def parts(self, found: EvidenceFound) -> tuple[Draft, ...]:
        """What is to be written: a draft with its evidence, or one for each of several papers that are asked about.

        Where one of several things asked has no answer, one for each of the others; of several abbreviations one each.
        Evidence that does not fit the model's context is left out.
        """
        return tuple(self.writer.fitted(part, found) for part in self._whole_parts(found))

    def _whole_parts(self, found: EvidenceFound) -> tuple[Draft, ...]:
        if found.missing or (found.is_spelled_out and found.parts):
            left = (part for part in found.parts if part not in found.missing)
            return tuple(Draft("", self.lookup.evidence_of(part, found), question=part) for part in left)
        if not found.subjects:
            return (Draft("", found.evidence),)
        return tuple(
            Draft("", tuple(item for item in found.evidence if item.paper.id == subject.paper.id), subject=subject)
            for subject in found.subjects
        )

    def _shown(self, found: EvidenceFound, parts: Sequence[Draft]) -> EvidenceFound:
        """`found` without the evidence that no prompt of `parts` had room for: the reader sees what the model does."""
        whole = {item.number for part in self._whole_parts(found) for item in part.evidence}
        left_out = whole - {item.number for part in parts for item in part.evidence}
        if not left_out:
            return found
        return replace(found, evidence=tuple(item for item in found.evidence if item.number not in left_out))

    def _abstention(self, found: EvidenceFound, raw_text: str = "", prompt_ids: Sequence[str] = ()) -> Answer:
        return self._answer(
            found,
            text=abstention_text(found.hits),
            status="abstained",
            notice=looked_for(found),
            raw_text=raw_text,
            prompt_ids=prompt_ids,
        )

    def _checked_answer(self, found: EvidenceFound, drafts: Sequence[Draft], check: Check = NO_CHECK) -> Answer:
        written = "\n".join(draft.text for draft in drafts)
        used = [self.writer.prompt_of(draft, found).id for draft in drafts]
        if all(draft.is_refusal for draft in drafts):
            return self._abstention(found, written, used)
        answered = found.earlier[1] if found.earlier else ""
        checked = self.drafts.check(
            drafts, found.question, found.standalone_question, check, followup=found.followup, answered=answered
        )
        used += [prompts.load("rewrite").id] * checked.is_rewritten
        if not checked.claims:
            return self._abstention(found, written, used)
        missing = [part for part in found.parts if part in found.missing]
        missing += [draft.question for draft in drafts if draft.question and draft.is_refusal]
        cited = _cited(checked.claims)
        untold = [subject.paper for subject in found.subjects if subject.paper.id not in cited]
        silent = map(silent_notice, (*found.silent, *untold))
        which = namesakes_notice(found, checked.claims)
        notice = " ".join(said for said in [*map(missing_notice, missing), *silent, which, checked.notice] if said)
        return self._answer(found, claims=checked.claims, notice=notice, raw_text=written, prompt_ids=used)

    def _answer(
        self,
        found: EvidenceFound,
        *,
        claims: Sequence[Claim] = (),
        text: str = "",
        status: str = "answered",
        notice: str = "",
        raw_text: str = "",
        surveyed: int = 0,
        prompt_ids: Sequence[str] = (),
    ) -> Answer:
        numbered, citations = number_claims(claims)
        return Answer(
            question=found.question,
            text=text or shown_text(numbered, surveyed),
            status="abstained" if status == "abstained" else "answered",
            claims=numbered,
            citations=citations,
            hits=found.hits,
            evidence=found.evidence,
            standalone_question=found.standalone_question,
            surveyed=surveyed,
            notice=notice,
            raw_text=raw_text,
            prompt_id=PROMPTS_JOINED.join(dict.fromkeys(prompt_ids)),
            settings_id=self.settings.id,
        )

    def _finish(self, answer: Answer, timings: Mapping[str, float], started: float) -> Answer:
        # An abstention before the model was asked names no model: none had a part in it.
        is_read = prompts.load(prompt_of("bearing")).id in answer.prompt_id  # by what checks; what writes did the rest
        read_by = self.checker if is_read else self.model
        model_id = model_id_of(read_by.get()) if answer.raw_text else ""
        return replace(answer, model_id=model_id, timings={**timings, "total_s": time.perf_counter() - started})


def _cited(claims: Sequence[Claim]) -> set[str]:
    """The ids of the papers that `claims` cite."""
    return {citation.paper.id for claim in claims for citation in claim.citations}


def missing_notice(part: str) -> str:
    """What is said of a part of a question that has no answer."""
    return f"The library does not say: {part}"


def silent_notice(paper: Paper) -> str:
    """What is said of one of several papers that does not answer the question."""
    return f"No sentence of “{paper.title}” was found that says this."


def namesakes_notice(found: EvidenceFound, claims: Sequence[Claim]) -> str:
    """Which paper an answer is about, where the question calls several by one name and not all are cited; else ""."""
    cited = _cited(claims)
    said = []
    for group in namesakes(found.standalone_question, [hit.paper for hit in found.hits]):
        meant = [f"“{paper.title}”" for paper in group if paper.id in cited]
        others = [f"“{paper.title}”" for paper in group if paper.id not in cited]
        if meant and others:
            name = group[0].title.partition(":")[0]
            said.append(f"Not the only {name} here: this is about {', '.join(meant)}, not about {', '.join(others)}.")
    return " ".join(said)


def answer_of(events: Iterator[Event]) -> Answer:
    """The Answer that ends the events of a question that nobody stops."""
    *_, last = events
    assert isinstance(last, Answer)
    return last
