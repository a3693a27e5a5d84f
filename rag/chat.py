"""A LangChain chat model over an Engine on this machine.

`LocalChatModel` turns messages into a prompt with the model's own chat template, and tokens into a stream of
clean text with stop sequences, usage and timings. Knows nothing of papers or citations; of the computation it
knows what an `Engine` is asked: to write, to read, to look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

import torch
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import run_in_executor
from pydantic import ConfigDict, Field

from rag.chat_turns import broken_up, turns_of
from rag.errors import ContextOverflow, ModelError
from rag.inference.adapter import Adapter
from rag.inference.attention import places_of
from rag.inference.engine import Engine
from rag.inference.generation import LogitsProcessor, Request
from rag.inference.textstream import TextStream
from rag.inference.worker import Generation

_END = object()


class LocalChatModel(BaseChatModel):
    """A language model on this machine. Greedy unless `temperature` is above 0.

    Calls take `stop`, and by keyword `max_new_tokens` (or `max_tokens`), `temperature`, `seed`, `timeout_s`,
    `draft_tokens` and `logits_processor` for that call alone, or the `generation` that `begin` gave. Closing a stream
    stops the computation.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    engine: Engine = Field(exclude=True, repr=False)
    max_new_tokens: int = Field(default=160, alias="max_tokens", ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    seed: int = 0
    stop: list[str] | None = None
    timeout_s: float | None = Field(default=120.0, alias="timeout")
    draft_tokens: int | None = Field(default=None, ge=0, le=16)

    @property
    def model_id(self) -> str:
        """Hub id or folder of the weights."""
        return self.engine.model_id

    @property
    def device(self) -> str:
        """`cpu` or `cuda`."""
        return self.engine.device

    @property
    def dtype(self) -> str:
        """Number format of the weights: `float32`, `bfloat16`, `float16` or `int8`."""
        return self.engine.dtype

    @property
    def reason(self) -> str:
        """One sentence on why this device and number format."""
        return self.engine.reason

    @property
    def context_tokens(self) -> int:
        """Most tokens that prompt and answer may have together."""
        return self.engine.network.context_tokens

    @property
    def _llm_type(self) -> str:
        return "footnote-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_id": self.model_id, "device": self.device, "dtype": self.dtype, "temperature": self.temperature}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "footnote"
        params["ls_model_name"] = str(kwargs.get("model", self.model_id))
        return params

    def describe(self) -> str:
        """One line for people: model, number format, and why."""
        return f"{self.model_id} ({self.dtype} on {self.device}; {self.reason})"

    def count_tokens(self, text: str) -> int:
        """Tokens of plain text, without special tokens."""
        return len(self.engine.tokenizer.encode(text, add_special_tokens=False))

    def get_num_tokens(self, text: str) -> int:
        """The LangChain name of `count_tokens`."""
        return self.count_tokens(text)

    def count_prompt_tokens(self, messages: LanguageModelInput) -> int:
        """Tokens of a whole prompt as the model sees it, chat template included."""
        return len(self.tokens_of(messages))

    def tokens_of(self, messages: LanguageModelInput) -> list[int]:
        """Token ids of a whole prompt as the model sees it, chat template included."""
        return self.prompt_tokens(self._convert_input(messages).to_messages())

    def prompt_tokens(self, messages: Sequence[BaseMessage]) -> list[int]:
        """Token ids of a conversation. If the last message is the assistant's, the model goes on with it."""
        turns = turns_of(messages, self.engine.control_texts)
        is_continued = turns[-1]["role"] == "assistant"
        tokenizer = self.engine.tokenizer
        if not tokenizer.chat_template:
            text = "".join(f"{turn['role']}: {turn['content']}\n\n" for turn in turns)
            text = text.rstrip("\n") if is_continued else text + "assistant:"
            return list(tokenizer.encode(text))
        # The template writes the BOS itself where the model wants one; tokenising its text would add another.
        encoded = tokenizer.apply_chat_template(
            turns,
            add_generation_prompt=not is_continued,
            continue_final_message=is_continued,
            tokenize=True,
            return_dict=True,
            enable_thinking=False,
        )
        return list(encoded["input_ids"])

    def first_word_logprobs(self, messages: LanguageModelInput, words: Sequence[Sequence[str]]) -> tuple[float, ...]:
        """Log-probability that the reply begins with each word, given as the forms in which it may be written.

        Only the first token of a form counts; forms that begin with the same token count once. Nothing is generated.

        Raises:
            ModelError, ContextOverflow: as for any call.
        """
        seen: list[torch.Tensor] = []

        def look(_generated: list[int], logits: torch.Tensor) -> torch.Tensor:
            seen.append(logits.log_softmax(-1))
            return logits

        prompt = self._convert_input(messages).to_messages()
        request = self._request(prompt, max_new_tokens=1, temperature=0.0, draft_tokens=0, logits_processor=look)
        for _ in self.engine.start(request).tokens(self.timeout_s):
            pass
        if not seen:
            raise ModelError("The language model said nothing in time.", "Ask again, or raise model.timeout_s.")
        tokenizer = self.engine.tokenizer
        first = [{tokenizer.encode(form, add_special_tokens=False)[0] for form in forms} for forms in words]
        return tuple(float(seen[0][sorted(tokens)].logsumexp(0)) for tokens in first)

    def judge(self, messages: LanguageModelInput, adapter: Adapter, ending: str = "") -> tuple[float, ...]:
        """Probabilities of the classes that `adapter` tells apart, of the prompt. Nothing is generated.

        Args:
            messages: the prompt.
            adapter: what corrects the layers, and reads the last token.
            ending: how the part begins that is corrected; all where it is "". What stands before is read as a
                generation does that begins so, and once for both.

        Raises:
            ModelError, ContextOverflow: as for any call.
        """
        state = self.states(messages, depth=adapter.depth, adapter=adapter, ending=ending)
        return tuple(adapter.log_probabilities(state[0]).exp().tolist())

    def states(
        self,
        messages: LanguageModelInput,
        *,
        depth: int,
        wanted: int = 1,
        adapter: Adapter | None = None,
        ending: str = "",
    ) -> torch.Tensor:
        """What the first `depth` layers make of the last `wanted` tokens of the prompt: float32 (wanted, hidden).

        Nothing is generated, and the layers above are not run. The prompt's beginning is kept for the next call. With
        an `ending` that stands in the prompt `adapter` corrects from there on, see `judge`.

        Raises:
            ModelError, ContextOverflow: as for any call.
        """
        prompt = self.tokens_of(messages)
        self._room(prompt)
        plain = self.place_of(prompt, ending) if ending else 0
        reading = self.engine.read(prompt, depth=depth, wanted=wanted, adapter=adapter, plain=plain)
        return reading.result(self.timeout_s)

    def place_of(self, prompt: Sequence[int], ending: str) -> int:
        """How many tokens of `prompt` stand before its `ending`, see `judge`; 0 where it does not stand there."""
        try:
            return places_of(self.engine.tokenizer, prompt, (), self._in_prompt(ending))[1]
        except ValueError:
            return 0

    def looks(
        self, messages: LanguageModelInput, passages: Sequence[str], ending: str, adapter: Adapter
    ) -> torch.Tensor | None:
        """How much the end of the prompt looks at each of the `passages` before it, with `adapter`.

        Float32 (passages, layers, 2, heads): the share of attention, of all tokens of the end on average and of the
        last. Nothing is generated. None where the passages do not stand in the prompt as they are, or it does not fit.

        Args:
            messages: the prompt.
            passages: lines of it that follow each other.
            ending: how its end begins.
            adapter: what corrects the layers; so many are read as it has.

        Raises:
            ModelError: as for any call.
        """
        prompt = self.tokens_of(messages)
        if len(prompt) >= self.context_tokens:
            return None
        words = [self._in_prompt(passage) for passage in passages]
        try:
            spans, end = places_of(self.engine.tokenizer, prompt, words, self._in_prompt(ending))
        except ValueError:
            return None
        watched = self.engine.watch(prompt, depth=adapter.depth, wanted=len(prompt) - end, adapter=adapter)
        shares = watched.result(self.timeout_s)
        return torch.stack([shares[..., first:last].sum(-1) for first, last in spans])

    def _in_prompt(self, text: str) -> str:
        return broken_up(text, self.engine.control_texts)

    def _room(self, prompt: Sequence[int]) -> int:
        room = self.context_tokens - len(prompt)
        if room < 1:
            problem = f"The prompt has {len(prompt)} tokens; {self.model_id} is set to {self.context_tokens}."
            raise ContextOverflow(problem, "Ask with fewer evidence sentences or raise model.context_tokens.")
        return room

    def _request(self, messages: list[BaseMessage], **options: Any) -> Request:
        prompt = self.prompt_tokens(messages)
        room = self._room(prompt)
        wanted = options.get("max_new_tokens") or options.get("max_tokens") or self.max_new_tokens
        processor: LogitsProcessor | None = options.get("logits_processor")
        temperature, seed = options.get("temperature"), options.get("seed")
        drafts = options.get("draft_tokens")
        return Request(
            prompt=prompt,
            max_new_tokens=min(int(wanted), room),
            end_tokens=self.engine.end_tokens,
            temperature=self.temperature if temperature is None else float(temperature),
            seed=self.seed if seed is None else int(seed),
            draft_tokens=self.draft_tokens if drafts is None else int(drafts),
            logits_processor=processor,
        )

    @property
    def writes_side_by_side(self) -> bool:
        """Whether several replies take little more time than one: see `begin`."""
        return self.engine.network.side_by_side

    def begin(self, messages: LanguageModelInput, **options: Any) -> Generation:
        """Ask for a reply at once; those begun one after another are written side by side.

        `stream(messages, generation=…)` gives its text. Whoever does not read it to its end cancels it.
        """
        return self.engine.start(self._request(self._convert_input(messages).to_messages(), **options))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        generation: Generation | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        begun = generation or self.engine.start(self._request(messages, **kwargs))
        with closing(self._chunks(begun, stop=stop, **kwargs)) as chunks:
            for message in chunks:
                chunk = ChatGenerationChunk(message=message)
                if run_manager and message.chunk_position != "last":
                    run_manager.on_llm_new_token(str(message.content), chunk=chunk)
                yield chunk

    def _chunks(
        self, generation: Generation, *, stop: list[str] | None = None, **options: Any
    ) -> Generator[AIMessageChunk, None, None]:
        """The text of `generation` as it comes, and last what is known of it. Closing it stops the computation."""
        text = TextStream(self.engine.decode, stop if stop is not None else self.stop or ())
        try:
            for token in generation.tokens(options.get("timeout_s", self.timeout_s)):
                if piece := text.push(token):
                    yield AIMessageChunk(content=piece)
                if text.stopped:
                    break
            rest = text.flush()
        finally:
            generation.cancel()
        yield self._last_chunk(rest, generation, is_stopped=text.stopped)

    def _last_chunk(self, text: str, generation: Generation, *, is_stopped: bool) -> AIMessageChunk:
        progress = generation.progress
        details = {
            "finish_reason": "stop" if is_stopped else progress.finish_reason,
            "model_name": self.model_id,
            "prompt_tokens": progress.prompt_tokens,
            "reused_tokens": progress.reused_tokens,
            "prefill_s": progress.prefill_s,
            "decode_s": progress.decode_s,
            "steps": progress.steps,
            "drafted_tokens": progress.drafted_tokens,
            "accepted_tokens": progress.accepted_tokens,
        }
        prompt_tokens = len(generation.request.prompt)
        usage = UsageMetadata(
            input_tokens=prompt_tokens,
            output_tokens=progress.generated_tokens,
            total_tokens=prompt_tokens + progress.generated_tokens,
            input_token_details=InputTokenDetails(cache_read=progress.reused_tokens),
        )
        return AIMessageChunk(content=text, response_metadata=details, usage_metadata=usage, chunk_position="last")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chunks = [chunk.message for chunk in self._stream(messages, stop, run_manager, **kwargs)]
        last = chunks[-1]
        assert isinstance(last, AIMessageChunk)
        message = AIMessage(
            content="".join(str(chunk.content) for chunk in chunks),
            response_metadata=last.response_metadata,
            usage_metadata=last.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        pieces = self._stream(messages, stop, run_manager.get_sync() if run_manager else None, **kwargs)
        try:
            while True:
                chunk = await run_in_executor(None, next, pieces, _END)
                if chunk is _END:
                    return
                assert isinstance(chunk, ChatGenerationChunk)
                yield chunk
        finally:
            pieces.close()  # type: ignore[attr-defined]  # it is a generator
