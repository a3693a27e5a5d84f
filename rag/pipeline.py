"""Rag: the way of a question through the parts.

question + history -> stand-alone question -> fused hits -> one paper or several? -> numbered evidence sentences ->
enough to answer? -> prompt -> draft, streamed -> every sentence checked against the evidence -> Answer.

What each step decides is in the module of its name; here is only their order. `rag.assembly` opens the parts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from rag.assembly import LazyModel, OtherModels, Report, has_model, open_index, open_model, shelf_of
from rag.balance import LEAST_COVERAGE, SURE, Balance, prompt_of, share_of_words, weighing
from rag.checker import checker_beside
from rag.checking import Draft, DraftChecker
from rag.conversation import History
from rag.criterion import Criterion, criterion_of
from rag.description import Description, describe, model_id_of
from rag.drafts import finished_sentences
from rag.errors import SettingsError
from rag.evidence import EvidenceSelector, renumbered
from rag.grounding import Grounder, number_claims, shown_text
from rag.index import BuildReport, LibraryIndex, build
from rag.library.opened import Library
from rag.library.shelf import Shelf
from rag.lookup import Lookup, looked_for
from rag.opinion import support
from rag.retrieval import FusedRetriever, Where
from rag.schema import Answer, Claim, Event, EvidenceFound, Hit, Paper, TextPiece
from rag.settings import Settings, replaced
from rag.stopping import NO_CHECK, Check, Stopped, check_of, never
from rag.survey import MOST_READ, Opinion, Surveyor, coverage_notice, listed
from rag.trace import ClaimTrace, Trace
from rag.writing import Writer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable


STOPPED = "It was stopped here: more may have followed."


class Rag:
    """Answers questions about one library. Open one with `Rag.open`, or give the parts yourself."""

    def __init__(
        self,
        *,
        retriever: FusedRetriever,
        model: BaseChatModel | LazyModel,
        settings: Settings | None = None,
        prompt: prompts.Prompt | None = None,
        shelf: Shelf | None = None,
        others: OtherModels | None = None,
        checker: LazyModel | None = None,
    ) -> None:
        self._going_over = threading.Lock()
        self.library = Library(shelf, lambda: self.retriever, self._go_over_to)
        self.settings = settings or Settings()
        self.retriever = retriever
        self._model = model if isinstance(model, LazyModel) else LazyModel(lambda: model)
        self._checking = checker or self._model
        self._others = others
        self._own_prompt = prompt
        self._selector = EvidenceSelector(retriever.encoder, retriever.index.keywords)
        self._surveyor = Surveyor(retriever.encoder, self._selector)
        self._equip()

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        report: Report = lambda _line: None,
        with_model: bool = False,
    ) -> Rag:
        """A Rag on the library of `settings`; fetches weights and builds or updates the index where needed.

        Args:
            settings: read from footnote.toml and the environment if not given.
            report: told in a line each what takes time.
            with_model: load the chat model beside the index, where it is on this machine, for whoever will ask soon;
                otherwise it is loaded when it is first needed.

        Raises:
            CorpusError: the library cannot be read.
            WeightsMissing, WeightsCorrupt: the embedder's weights are not to be had.
            IndexCorrupt, IndexMismatch: the index on disk cannot be used; the message says how to rebuild it.
        """
        settings = settings or Settings()
        model = LazyModel(lambda: open_model(settings, report=report))
        others = OtherModels(settings, model, report=report)
        checker = checker_beside(settings, model, report=report)
        if with_model and has_model(settings):
            checker.open_beside()  # and with it the model
        index, encoder = open_index(settings, report=report)
        shelf = shelf_of(settings, encoder)
        retriever = FusedRetriever(index=index, encoder=encoder, **settings.retrieval.model_dump())
        return cls(retriever=retriever, model=model, settings=settings, shelf=shelf, others=others, checker=checker)

    @property
    def papers(self) -> tuple[Paper, ...]:
        """Every paper of the library, in the order of its file."""
        return tuple(self.retriever.index.papers.values())

    @property
    def model(self) -> BaseChatModel:
        """The chat model; opening it can take seconds the first time."""
        return self._model.get()

    @property
    def checker(self) -> BaseChatModel:
        """The model that says what evidence answers and bears out: the one that writes, or one beside it."""
        return self._checking.get()

    @property
    def other_models(self) -> tuple[str, ...]:
        """Names of further local models on this machine, for `with_settings(model={"name": …})`."""
        return self._others.names if self._others else ()

    @property
    def prompt(self) -> prompts.Prompt:
        """The prompt of a plain question."""
        return self._writer.prompt

    @property
    def description(self) -> Description:
        """What answers here and why; opens the model."""
        return describe(self.model, self.retriever.index.manifest, self.checker)

    def with_settings(self, **sections: Mapping[str, Any]) -> Rag:
        """This Rag on the same index, with `retrieval={"k": 10}` or other settings of `replaced`.

        `model={"name": …}` takes one of `other_models`, loaded when it is first needed, to write; what checks stays.

        Raises:
            SettingsError: an unknown setting, a value out of range, one that needs another index, or a model that is
                not here.
        """
        other = self._as_it_is()
        other.settings = replaced(self.settings, sections)
        if (name := other.settings.model.name) != self.settings.model.name:
            if self._others is None:
                raise SettingsError("Setting 'model.name' is fixed where the model was given.", "Open another Rag.")
            other._model = self._others.get(name)
        other.retriever = other.retriever.model_copy(update=other.settings.retrieval.model_dump())
        other._equip()
        return other

    def warm_up(self) -> None:
        """Open the models and run everything once, so that the first question is as quick as the next ones."""
        self._checking.get()
        found = self._lookup.evidence_for("What is this library about?")
        for _ in self.model.stream(self._writer.messages(Draft("", found.evidence[:1]), found), max_tokens=1):
            pass

    def retrieve(self, question: str, k: int | None = None, where: Where | None = None) -> tuple[Hit, ...]:
        """The `k` best papers for `question`, best first.

        Raises:
            BadQuestion, BadFilter: see their text.
        """
        return self.retriever.search(self._lookup.readable(question), k=k, where=where)

    def ask(self, question: str, history: History = (), where: Where | None = None) -> Answer:
        """The answer to `question`; what the library does not say is an Answer with status "abstained".

        Raises:
            BadQuestion: it is empty or too long.
            BadFilter: `where` names an unknown field or operator.
            WeightsMissing, ModelError: the model cannot be had, or failed.
        """
        last: Event | None = None
        for event in self.stream(question, history, where):
            last = event
        assert isinstance(last, Answer)
        return last

    def stream(
        self,
        question: str,
        history: History = (),
        where: Where | None = None,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[Event]:
        """The evidence at once, then the draft piece by piece, then the checked Answer. Closing it stops the model.

        Between two events seconds can pass while the model reads. `stopped` is asked before each reading; once it says
        yes, the stream ends without an Answer.

        Raises:
            As `ask`.
        """
        return self._as_it_is()._stream(question, history, where, check_of(stopped))

    def _stream(self, question: str, history: History, where: Where | None, check: Check) -> Iterator[Event]:
        with suppress(Stopped):
            yield from self._events(question, history, where, check)

    def _events(self, question: str, history: History, where: Where | None, check: Check) -> Iterator[Event]:
        started = time.perf_counter()
        if (criterion := criterion_of(self._lookup.readable(question))) is not None:
            yield from self._survey(criterion, question, where, started, check)
            return
        found = self._lookup.evidence_for(question, history, where)
        timings = {"evidence_s": time.perf_counter() - started}
        yield found
        enough = self._lookup.enough(found, check)
        if enough is None:
            yield self._finish(self._abstention(found), timings, started)
            return
        if enough is not found:
            found = enough
            yield found
        drafts: list[Draft] = []
        for part in self._parts(found):
            text = finish_reason = ""
            check()
            with closing(self._writer.pieces(part, found)) as pieces:
                for piece, reason in pieces:
                    finish_reason = reason or finish_reason
                    if piece:
                        timings.setdefault("first_token_s", time.perf_counter() - started)
                        gap = " " if drafts and not text else ""  # between one paper's draft and the next
                        text += piece
                        yield TextPiece(gap + piece)
            drafts.append(replace(part, text=text, is_cut=finish_reason == "length"))
        yield self._finish(self._checked_answer(found, drafts, check), timings, started)

    def partial_answer(self, found: EvidenceFound, draft: str) -> Answer | None:
        """What holds of a draft whose stream was closed, up to its last whole sentence; None where nothing does.

        Asks no model, so it takes as long as embedding the sentences, and no second opinion. A list of papers is no
        draft, and where several papers or several things are asked about nobody knows which sentence is about which.
        """
        if criterion_of(found.question) is not None or found.subjects or found.parts:
            return None
        now = self._as_it_is()
        text = "\n".join(finished_sentences(draft))
        claims = now._checker.held(Draft(text, found.evidence), found.standalone_question)
        if not claims:
            return None
        answer = now._answer(found, claims=claims, notice=STOPPED, raw_text=draft)
        return replace(answer, model_id=model_id_of(now.model))

    def ask_many(self, questions: Sequence[str], where: Where | None = None) -> tuple[Answer, ...]:
        """Answers in the order of the questions, the model's part as one batch (of use with a remote model)."""
        return self._as_it_is()._ask_many(questions, where)

    def _ask_many(self, questions: Sequence[str], where: Where | None) -> tuple[Answer, ...]:
        started = time.perf_counter()
        if any(criterion_of(self._lookup.readable(question)) for question in questions):  # not a batch for the model
            return tuple(self.ask(question, where=where) for question in questions)
        found = [self._lookup.evidence_for(question, (), where) for question in questions]
        evidence_s = time.perf_counter() - started
        enough = [self._lookup.enough(item) for item in found]
        parts = [self._parts(item) if item else () for item in enough]
        pairs = [(part, item) for item, group in zip(enough, parts, strict=True) if item for part in group]
        asked: list[Any] = [self._writer.messages(part, item) for part, item in pairs]
        written = iter(self.model.batch(asked, max_tokens=self.settings.model.max_new_tokens) if asked else ())
        answers = []
        for item, wider, group in zip(found, enough, parts, strict=True):
            if wider is None:
                answer = self._abstention(item)
            else:
                drafts = [self._as_written(part, wider, next(written)) for part in group]
                answer = self._checked_answer(wider, drafts)
            answers.append(self._finish(answer, {"evidence_s": evidence_s}, started))
        return tuple(answers)

    def _as_written(self, part: Draft, found: EvidenceFound, reply: Any) -> Draft:
        """`part` with the text of a whole reply, and what it was made to begin with."""
        text = self._writer.start(part, found) + str(reply.text)
        return replace(part, text=text, is_cut=reply.response_metadata.get("finish_reason") == "length")

    def weigh(self, claim: str, k: int = 10, where: Where | None = None) -> Balance:
        """What supports `claim`, what contradicts it and what is silent; the `k` nearest papers are read.

        Raises:
            BadQuestion, BadFilter: see their text.
            WeightsMissing, ModelError: the model cannot be had, or its probabilities cannot be read.
        """
        *_, found = self.weighing(claim, k, where)
        return found

    def weighing(self, claim: str, k: int = 10, where: Where | None = None) -> Iterator[Balance]:
        """The balance of `weigh` as it grows, before any paper is read and after each; closing it stops the model.

        Raises:
            BadQuestion, BadFilter, WeightsMissing, ModelError: as `weigh`, at the first step.
        """
        read = self._lookup.readable(claim)
        model = self.checker  # before the clock: opening it is no part of weighing
        started = time.perf_counter()
        papers = [hit.paper for hit in self.retriever.search(read, k=k, where=where)]
        among = len(self.retriever.papers(where))
        keywords = self.retriever.index.keywords
        select = self._lookup.select
        yield from weighing(read, papers, among=among, model=model, select=select, keywords=keywords, started=started)

    def as_runnable(self) -> Runnable[str, Answer]:
        """This Rag as a LangChain Runnable from question to Answer."""
        from langchain_core.runnables import RunnableLambda

        return RunnableLambda(self.ask)

    def prompt_messages(self, question: str) -> list[tuple[str, str]]:
        """(role, text) pairs that the model would be asked with: what its answer depends on, and nothing else.

        Of a question about several papers, those for the first of them.
        """
        found = self._lookup.evidence_for(question, (), None)
        return self._writer.messages(self._parts(found)[0], found)

    def trace(self, answer: Answer, history: History = (), where: Where | None = None) -> Trace:
        """How `answer`, which this Rag gave with this history and filter, came about; computed anew."""
        asked = answer.question if history else answer.standalone_question or answer.question
        found = replace(self._lookup.evidence_for(asked, history, where), hits=answer.hits, evidence=answer.evidence)
        parts = self._parts(found) if answer.raw_text and not answer.surveyed else ()
        prompts_asked = tuple(tuple(self._writer.messages(part, found)) for part in parts if part.evidence)
        relevance = self._selector.relevance(found.standalone_question, answer.hits)
        ranked = self.retriever.compare(found.standalone_question, where=where)
        return Trace(answer, ranked, relevance, self.settings.answer.abstain_threshold, prompts_asked)

    def trace_claim(self, balance: Balance, where: Where | None = None) -> ClaimTrace:
        """How `balance`, which this Rag gave with this filter, came about; computed anew."""
        ranked = self.retriever.compare(balance.claim, where=where)
        keywords = self.retriever.index.keywords
        covered = {one.paper.id: share_of_words(balance.claim, one.paper, keywords) for one in ranked}
        asked = tuple(prompt_of(balance.claim, one, balance.prompt_id) for one in balance.papers)
        return ClaimTrace(balance, ranked, covered, LEAST_COVERAGE, SURE, asked)

    def count_tokens(self, text: str) -> int:
        """Tokens of a text by the chat model's tokenizer, or by the embedder's where the model runs elsewhere."""
        model: Any = self.model
        count = getattr(model, "count_tokens", None) or self.retriever.encoder.count_tokens
        return int(count(text))

    def build_index(self, folder: Path) -> BuildReport:
        """Build an index of this library anew under `folder`, with this Rag's embedder; the own one stays as it is."""
        return build(folder, self.papers, self.retriever.encoder, rebuild=True)

    def close(self) -> None:
        """Let go of the index files."""
        self.retriever.index.close()

    def _as_it_is(self) -> Rag:
        """This Rag with the library that it has now: what an answer begins with it also ends with."""
        with self._going_over:
            return copy(self)

    def _go_over_to(self, index: LibraryIndex) -> None:
        """Answer from `index` from now on; the old one closes with the last answer from it."""
        retriever = self.retriever.model_copy(update={"index": index})
        new = Rag(
            retriever=retriever,
            model=self._model,
            settings=self.settings,
            prompt=self._own_prompt,
            others=self._others,
            checker=self._checking,
        )
        kept = {"library": self.library, "_going_over": self._going_over}
        with self._going_over:
            self.__dict__.update({**new.__dict__, **kept})

    def _equip(self) -> None:
        """Make the parts that go by the settings."""
        wanted, checking = self.settings.answer, self._checking  # no part holds the Rag: it goes with its last answer
        self._lookup = Lookup(self.retriever, self._selector, checking, self.settings)
        self._writer = Writer(self._model, self.settings, self._own_prompt)
        self._checker = DraftChecker(
            Grounder(self.retriever.encoder, self.retriever.index.keywords, threshold=wanted.support_threshold),
            self._selector,
            further_quotes=wanted.further_quotes,
            rewrite=self._writer.rewritten if wanted.rewrites else None,
            opinion=(lambda claim: support(checking.get(), claim)) if wanted.second_opinion else None,
        )

    def _survey(
        self, criterion: Criterion, question: str, where: Where | None, started: float, check: Check
    ) -> Iterator[Event]:
        """The events of a question about the whole library: what may fit, what does, one by one, the Answer."""
        asked = self._lookup.readable(question)
        papers = self.retriever.papers(where)
        hits = self.retriever.search(asked, k=max(self.retriever.k, MOST_READ), where=where)
        candidates = self._surveyor.candidates(criterion, papers, [hit.paper for hit in hits])
        evidence = renumbered(candidate.evidence[0] for candidate in candidates.papers)
        found = EvidenceFound(asked, asked, hits[: self.retriever.k], evidence)
        timings = {"evidence_s": time.perf_counter() - started}
        yield found
        opinions: list[Opinion] = []
        model = None if criterion.is_mention else self.checker
        for opinion in self._surveyor.opinions(criterion, candidates, model, check):
            opinions.append(opinion)
            if opinion.fits:
                timings.setdefault("first_token_s", time.perf_counter() - started)
                yield TextPiece(f"{opinion.claim.subject}\n")
        said = "\n".join(str(opinion) for opinion in opinions if opinion.by_model)
        notice = coverage_notice(opinions, candidates)
        if claims := [opinion.claim for opinion in listed(opinions)]:
            answer = self._answer(found, claims=claims, notice=notice, raw_text=said, surveyed=len(papers))
        else:
            answer = replace(self._abstention(found), notice=notice, raw_text=said, surveyed=len(papers))
        yield self._finish(answer, timings, started)

    def _parts(self, found: EvidenceFound) -> tuple[Draft, ...]:
        """What is to be written: a draft with its evidence, or one for each of several papers that are asked about.

        Where one of several things asked has no answer, one for each of the others.
        """
        if found.missing:
            left = (part for part in found.parts if part not in found.missing)
            return tuple(Draft("", found.evidence, question=part) for part in left)
        if not found.subjects:
            return (Draft("", found.evidence),)
        return tuple(
            Draft("", tuple(item for item in found.evidence if item.paper.id == subject.paper.id), subject=subject)
            for subject in found.subjects
        )

    def _abstention(self, found: EvidenceFound) -> Answer:
        nearest = "; ".join(hit.paper.title for hit in found.hits[:3])
        text = "The library does not say."
        if nearest:
            text += f" The nearest papers are: {nearest}."
        return self._answer(found, text=text, status="abstained", notice=looked_for(found))

    def _checked_answer(self, found: EvidenceFound, drafts: Sequence[Draft], check: Check = NO_CHECK) -> Answer:
        written = "\n".join(draft.text for draft in drafts)
        if all(draft.is_refusal for draft in drafts):
            return replace(self._abstention(found), raw_text=written)
        checked = self._checker.check(drafts, found.question, found.standalone_question, check)
        if not checked.claims:
            return replace(self._abstention(found), raw_text=written)
        missing = [part for part in found.parts if part in found.missing]
        missing += [draft.question for draft in drafts if draft.question and draft.is_refusal]
        notice = " ".join([*(f"The library does not say: {part}" for part in missing), checked.notice]).strip()
        return self._answer(found, claims=checked.claims, notice=notice, raw_text=written)

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
            prompt_id=self._writer.prompt.id,
            settings_id=self.settings.id,
        )

    def _finish(self, answer: Answer, timings: Mapping[str, float], started: float) -> Answer:
        # An abstention before the model was asked names no model: none had a part in it.
        model_id = model_id_of(self.model) if answer.raw_text else ""
        return replace(answer, model_id=model_id, timings={**timings, "total_s": time.perf_counter() - started})
