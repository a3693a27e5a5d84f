"""Rag: one library with its models and settings, and all that can be asked of it.

`rag.answering` has the way of a question through the parts, `rag.assembly` opens them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from rag.answering import Answering, answer_of, missing_notice
from rag.assembly import LazyModel, OtherModels, Report, has_model, open_index, open_model
from rag.balance import LEAST_COVERAGE, SURE, Balance, prompt_of, share_of_words, weighing
from rag.checker import checker_beside
from rag.checking import Draft, DraftChecker
from rag.conversation import History
from rag.description import Description, describe
from rag.errors import ModelError, SettingsError
from rag.evidence import EvidenceSelector
from rag.grounding import Grounder
from rag.index import BuildReport, LibraryIndex, PassageEncoder, build
from rag.library.opened import Library
from rag.library.shelf import Shelf
from rag.lookup import Lookup
from rag.retrieval import FusedRetriever, Where
from rag.schema import Answer, Event, Evidence, EvidenceFound, Hit, Paper
from rag.settings import Settings, replaced
from rag.stopping import check_of, never
from rag.survey import Opinion, Surveyor
from rag.trace import ClaimTrace, Trace
from rag.trained.bearing import telling
from rag.trained.opinion import support
from rag.writing import Writer, untraced

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable


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
        checker: BaseChatModel | LazyModel | None = None,
    ) -> None:
        self._going_over = threading.Lock()
        self.library = Library(shelf, lambda: self.retriever, self._go_over_to)
        self.settings = settings or Settings()
        self.retriever = retriever
        self._model = _lazy(model)
        self._checker = self._model if checker is None else _lazy(checker)
        self._others = others
        self._own_prompt = prompt
        self._selector = EvidenceSelector(retriever.encoder, retriever.index.keywords)
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
        index, shelf = open_index(settings, report=report)
        retriever = FusedRetriever(index=index, encoder=shelf.encoder, **settings.retrieval.model_dump())
        return cls(retriever=retriever, model=model, settings=settings, shelf=shelf, others=others, checker=checker)

    @classmethod
    def to_search(cls, papers: Sequence[Paper], encoder: PassageEncoder, folder: Path) -> Rag:
        """A Rag on `papers`, whose index is built in `folder`: it finds evidence, and has no model to answer with."""
        build(folder, papers, encoder)
        index = LibraryIndex.open(folder, encoder)
        return cls(retriever=FusedRetriever(index=index, encoder=encoder), model=LazyModel(_no_model))

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
        return self._checker.get()

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
        """What answers here and why; opens the models."""
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
        self._checker.get()
        found = self._lookup.evidence_for("What is this library about?")
        for _ in untraced(self.model.stream(self._writer.messages(Draft("", found.evidence[:1]), found), max_tokens=1)):
            pass

    def readable(self, question: object) -> str:
        """`question` as it will be read.

        Raises:
            BadQuestion: it is not text, empty, or too long.
        """
        return self._lookup.readable(question)

    def retrieve(
        self, question: str, k: int | None = None, where: Where | None = None, *, leaning_on: History = ()
    ) -> tuple[Hit, ...]:
        """The `k` best papers for `question`, best first; `leaning_on`: what was said before, for a follow-up.

        Raises:
            BadQuestion, BadFilter: see their text.
        """
        asked = self._lookup.readable(question)
        read = self._lookup.understood(asked, leaning_on, where, is_followup=bool(leaning_on))
        return self.retriever.search(read.searched_for, k=k, where=where)

    def evidence_in(self, papers: Sequence[Paper], question: str, sentences: int) -> tuple[Evidence, ...]:
        """The `sentences` of `papers` that bear most on `question`, numbered in reading order.

        Raises:
            BadQuestion: see its text.
        """
        budget = self.settings.answer.evidence_tokens
        return self._lookup.select(self._lookup.readable(question), papers, sentences, budget)

    def ask(self, question: str, history: History = (), where: Where | None = None) -> Answer:
        """The answer to `question`; what the library does not say is an Answer with status "abstained".

        Raises:
            BadQuestion: it is empty or too long.
            BadFilter: `where` names an unknown field or operator.
            WeightsMissing, ModelError: the model cannot be had, or failed.
        """
        return answer_of(self.stream(question, history, where))

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
        return self._answering.stream(question, history, where, check_of(stopped))

    def partial_answer(self, found: EvidenceFound, draft: str) -> Answer | None:
        """What holds of a draft whose stream was closed, up to its last whole sentence; None where nothing does.

        Asks no model, so it takes as long as embedding the sentences, and no second opinion. A list of papers is no
        draft, and where several papers or several things are asked about nobody knows which sentence is about which.
        """
        return self._answering.partial(found, draft)

    def ask_many(self, questions: Sequence[str], where: Where | None = None) -> tuple[Answer, ...]:
        """Answers in the order of the questions, the model's part as one batch (of use with a remote model)."""
        return self._answering.many(questions, where)

    def opinions(self, question: str, where: Where | None = None) -> tuple[Opinion, ...]:
        """Of a question about the whole library ("Which papers …?"): whether each paper that may fit does, and why.

        Raises:
            BadQuestion, BadFilter, WeightsMissing, ModelError: as `ask`.
        """
        return tuple(self._answering.opinions(question, where))

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
        now = self._as_it_is()
        read = now._lookup.readable(claim)
        model = now.checker  # before the clock: opening it is no part of weighing
        started = time.perf_counter()
        papers = [hit.paper for hit in now.retriever.search(read, k=k, where=where)]
        among = len(now.retriever.papers(where))
        keywords = now.retriever.index.keywords
        select = now._lookup.select
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
        return self._writer.messages(self._answering.parts(found)[0], found)

    def trace(self, answer: Answer, history: History = (), where: Where | None = None) -> Trace:
        """How `answer`, which this Rag gave with this history and filter, came about; computed anew."""
        history = () if answer.surveyed else history  # what goes through the library leans on nothing
        asked = answer.question if history else answer.standalone_question or answer.question
        leans = bool(history) and answer.standalone_question not in ("", asked)
        found = self._lookup.evidence_for(asked, history, where, is_followup=leans)
        found = replace(found, hits=answer.hits, evidence=answer.evidence)
        is_of_several = not answer.surveyed and any(claim.subject for claim in answer.claims)
        subjects = self._lookup.answered_for(found.standalone_question, answer.evidence) if is_of_several else ()
        asked_for = () if is_of_several else found.parts
        missing = tuple(part for part in asked_for if missing_notice(part) in answer.notice)
        found = replace(found, subjects=subjects, parts=asked_for, missing=missing)
        parts = self._answering.parts(found) if answer.raw_text and not answer.surveyed else ()
        prompts_asked = tuple(tuple(self._writer.messages(part, found)) for part in parts if part.evidence)
        relevance = self._selector.relevance(found.standalone_question, answer.hits)
        ranked = self.retriever.compare(found.searched_for, where=where)
        threshold = self.settings.answer.abstain_threshold
        drafts, asked = self._answering.drafts, found.standalone_question
        written = "" if answer.surveyed else answer.raw_text
        left_out = drafts.left_out(written, answer.claims, answer.evidence, asked)
        return Trace(answer, ranked, relevance, threshold, prompts_asked, found.searched_for, left_out)

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
        new = copy(self)
        new.retriever = self.retriever.model_copy(update={"index": index})
        new._selector = EvidenceSelector(new.retriever.encoder, index.keywords)
        new._equip()
        with self._going_over:
            self.__dict__.update(new.__dict__)

    def _equip(self) -> None:
        """Make the parts that go by the settings. None holds the Rag: it goes with its last user."""
        wanted, checker = self.settings.answer, self._checker
        selector = self._selector
        self._lookup = Lookup(self.retriever, selector, checker, self.settings)
        self._writer = Writer(self._model, self.settings, self._own_prompt)
        drafts = DraftChecker(
            Grounder(self.retriever.encoder, self.retriever.index.keywords, threshold=wanted.support_threshold),
            selector,
            further_quotes=wanted.further_quotes,
            rewrite=self._writer.rewritten if wanted.rewrites else None,
            opinion=(lambda claim: support(checker.get(), claim)) if wanted.second_opinion else None,
            reading=lambda question, paper, sentences: telling(checker.get(), question, paper, sentences),
        )
        self._answering = Answering(
            retriever=self.retriever,
            settings=self.settings,
            lookup=self._lookup,
            writer=self._writer,
            drafts=drafts,
            surveyor=Surveyor(self.retriever.encoder, selector),
            model=self._model,
            checker=checker,
        )


def _no_model() -> BaseChatModel:
    raise ModelError("This Rag was opened to search.", "Open one with a model: Rag.open()")


def _lazy(model: BaseChatModel | LazyModel) -> LazyModel:
    return model if isinstance(model, LazyModel) else LazyModel(lambda: model)
