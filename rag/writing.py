"""What the model is asked to write, and how: the prompt for each kind of question, within the model's context.

One draft for a question, one for each of several papers, or for what of a question can be answered; one that takes a
follow-up's history along; a single sentence written anew where a draft did not hold; and a request for papers put as a
question. With `answer.citations` "constrained" the model sets the markers itself and can only set those that exist.
Knows prompts, evidence and models; checks nothing of what they write.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langsmith.run_helpers import tracing_context

import prompts
from rag.errors import FootnoteError, ModelError
from rag.evidence import as_prompt, most_that_fit
from rag.stopping import NO_CHECK, Check, Stopped
from rag.subjects import short_name

if TYPE_CHECKING:
    from rag.assembly import LazyModel
    from rag.checking import Draft
    from rag.schema import Evidence, EvidenceFound
    from rag.settings import Settings

_WHICH = re.compile(r"\bwhich\b[^?]*\?", re.IGNORECASE)
Messages = list[tuple[str, str]]
REQUEST_TOKENS = 60
"""Of a request put as a question: some three times what one takes."""


def untraced(chunks: Iterator[Any]) -> Iterator[Any]:
    """`chunks` of a model's stream, of which no tracer is told: one that the environment asks for ("LANGSMITH_TRACING")
    would send the prompt and the abstracts in it to a server. Whether to trace is decided before the first.
    """
    with tracing_context(enabled=False):
        first = next(chunks, None)
    if first is not None:
        yield first
        yield from chunks


class Writer:
    """Has the model write drafts from evidence."""

    def __init__(self, model: LazyModel, settings: Settings, prompt: prompts.Prompt | None = None) -> None:
        self._model = model
        self._settings = settings
        self._marks = settings.answer.citations == "constrained"
        self.prompt = prompt or prompts.load("cited" if self._marks else "answer")

    def prompt_of(self, part: Draft, found: EvidenceFound) -> prompts.Prompt:
        """The prompt that one draft is written with."""
        return self._asked(part, found)[0]

    def _asked(self, part: Draft, found: EvidenceFound) -> tuple[prompts.Prompt, dict[str, str]]:
        """The prompt of one draft, and what it takes beside the evidence."""
        question = {"question": found.standalone_question}
        if part.subject is not None:
            return prompts.load("part"), {**question, "subject": part.subject.label}
        if part.question:
            return prompts.load("subquestion"), {**question, "part": part.question}
        if found.earlier is not None:
            earlier, answer = found.earlier
            return prompts.load("followup"), {"question": found.question, "earlier": earlier, "answer": answer}
        return self.prompt, question

    def fitted(self, part: Draft, found: EvidenceFound) -> Draft:
        """`part` without the least useful evidence where all of it would not fit the context: what the model is not
        shown it may not cite, and is not held against it.
        """
        prompt, values = self._asked(part, found)
        return replace(part, evidence=self._fitting(prompt, part.evidence, values))

    def messages(self, part: Draft, found: EvidenceFound) -> Messages:
        """The prompt for one draft, with all of its evidence."""
        prompt, values = self._asked(part, found)
        messages = prompt.messages(evidence=as_prompt(part.evidence), **values)
        return [*messages, ("assistant", start)] if (start := self.start(part, found)) else messages

    def start(self, part: Draft, found: EvidenceFound) -> str:
        """How the draft begins: with its paper's name, or a small model speaks of the other papers as well.

        A long title is no such name: after that, and after "This paper", comes what the paper is, not what was asked.
        """
        if part.subject is None or getattr(self._model.get(), "engine", None) is None:
            return ""  # an endpoint would take it for a turn that is over
        return short_name(part.subject, found.standalone_question)

    def pieces(self, parts: Sequence[Draft], found: EvidenceFound) -> Generator[tuple[int, str, str], None, None]:
        """The drafts of `parts` as they are written: first all of the first one, then of the second, and so on.

        Gives the index of the part, a piece of its text, and the reason to end that came with it, mostly "". A model
        that can writes them side by side, and what follows the first draft is there sooner. Closing it stops the model.
        """
        model: Any = self._model.get()
        asked = [(self.messages(part, found), self.options(part.evidence)) for part in parts]
        with self.failing_plainly(), ExitStack() as closed:
            if len(parts) > 1 and getattr(model, "writes_side_by_side", False):
                for messages, options in asked:
                    options["generation"] = model.begin(messages, **options)
                    closed.callback(options["generation"].cancel)
            replies = [closed.enter_context(closing(model.stream(messages, **options))) for messages, options in asked]
            for index, (part, reply) in enumerate(zip(parts, replies, strict=True)):
                if start := self.start(part, found):
                    yield index, start, ""
                for chunk in untraced(reply):
                    yield index, str(chunk.text), chunk.response_metadata.get("finish_reason") or ""

    def rewritten(self, text: str, evidence: Sequence[Evidence], question: str, fault: str) -> str:
        """One sentence from `evidence` instead of a draft; `fault` says what is wrong with it: "names no number"."""
        values = {"question": question, "draft": text, "fault": fault}
        prompt = prompts.load("rewrite")
        shown = as_prompt(self._fitting(prompt, evidence, values))
        return self._said(prompt.messages(evidence=shown, **values), self._settings.model.max_new_tokens)

    def as_question_for_papers(self, request: str, check: Check = NO_CHECK) -> str:
        """What `request` asks for, as a question ("Which papers …?"); "" where the model wrote none.

        `check` is called on the way.
        """
        said = self._said(prompts.load("request").messages(request=request), REQUEST_TOKENS, check)
        found = _WHICH.search(" ".join(said.split()))
        return found[0] if found else ""

    def _said(self, messages: Messages, max_tokens: int, check: Check = NO_CHECK) -> str:
        """The whole reply, streamed like a draft: an endpoint that can do that is all that is asked for."""
        model: Any = self._model.get()
        said = ""
        with self.failing_plainly(), closing(model.stream(messages, max_tokens=max_tokens)) as chunks:
            for chunk in untraced(chunks):
                check()
                said += str(chunk.text)
        return said

    def replies(self, batch: Sequence[Messages], max_tokens: int) -> Sequence[Any]:
        """The replies to several prompts, written together where the model can."""
        model: Any = self._model.get()
        with self.failing_plainly(), tracing_context(enabled=False):
            replies: Sequence[Any] = model.batch(batch, max_tokens=max_tokens) if batch else ()
        return replies

    @contextmanager
    def failing_plainly(self) -> Iterator[None]:
        """Whatever the client of a remote model raises, as a ModelError."""
        try:
            yield
        except (FootnoteError, Stopped):
            raise
        except Exception as error:  # the edge: clients of many makers raise whatever they do
            if not self._settings.model.is_remote:
                raise
            told = " ".join(str(error).split()) or type(error).__name__
            remedy = "Is its endpoint running, and are model.name, model.base_url and the key right?"
            raise ModelError(f"The language model failed: {told}", remedy) from error

    def options(self, evidence: Sequence[Evidence]) -> dict[str, Any]:
        """Options of a call: how long a draft may be, and which markers it may have."""
        longest: dict[str, Any] = {"max_tokens": self._settings.model.max_new_tokens}
        engine = getattr(self._model.get(), "engine", None)
        if not self._marks or engine is None:
            return longest
        from rag.inference.markers import MarkerConstraint, Vocabulary

        numbers = [item.number for item in evidence]
        return {**longest, "logits_processor": MarkerConstraint(Vocabulary.of(engine.tokenizer), numbers)}

    def _fitting(
        self, prompt: prompts.Prompt, evidence: Sequence[Evidence], values: dict[str, str]
    ) -> tuple[Evidence, ...]:
        """What of `evidence` fits the context with the rest of the prompt; one sentence at least."""
        model: Any = self._model.get()
        count = getattr(model, "count_prompt_tokens", None)
        room = getattr(model, "context_tokens", self._settings.model.context_tokens)
        room -= self._settings.model.max_new_tokens
        if count is None:
            return tuple(evidence)
        return most_that_fit(evidence, lambda kept: count(prompt.messages(evidence=as_prompt(kept), **values)) <= room)
