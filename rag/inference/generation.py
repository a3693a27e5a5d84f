"""The loop that turns a prompt into tokens: kept prefix, prefill in chunks, speculation, choice of the next token.

Works on token ids over any `Network` (see `networks.py`). Knows nothing of text, chat templates, threads or
devices. Greedy decoding is exact: speculation and the kept prefix change how long an answer takes, never
which tokens it has (up to rounding between batch shapes, which the int8 layers do not have).

Sources: speculation by n-grams of the prompt: prompt lookup decoding (A. Saxena, 2023), with the
verification of Leviathan et al., "Fast Inference from Transformers via Speculative Decoding" (2023). A draft
that is certain needs no rejection sampling: a token drawn from the model is kept whether or not it was drafted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from rag.inference.adapter import Adapter
from rag.inference.networks import Network

LogitsProcessor = Callable[[list[int], Tensor], Tensor]
"""(tokens generated so far, logits (vocabulary,) float32) -> logits (vocabulary,)."""

FinishReason = Literal["stop", "length", "cancelled"]

PREFILL_CHUNK = 256
"""Tokens run between two looks at the cancel flag. Smaller chunks stop sooner but run slower."""


MANY = 8
"""From so many drafted tokens on it is worth guessing what followed a single token, too, where it last stood."""


@dataclass(frozen=True)
class Request:
    """What is asked of the model. `draft_tokens` 0 switches speculation off, None leaves it to the network."""

    prompt: list[int]
    max_new_tokens: int
    end_tokens: frozenset[int]
    temperature: float = 0.0
    seed: int = 0
    draft_tokens: int | None = None
    logits_processor: LogitsProcessor | None = None


@dataclass
class Progress:
    """How a generation went; filled in while it runs. Times in seconds."""

    finish_reason: FinishReason = "cancelled"
    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    steps: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


@dataclass
class Kept:
    """Tokens whose keys and values the network still holds, in order.

    `tokens` are held in all layers; `shallow` in the first `depth` alone, as `adapter` corrects them, left by a reading
    (see `reading.py`). Without an adapter these are as a generation needs them.
    """

    tokens: list[int] = field(default_factory=list)
    shallow: list[int] = field(default_factory=list)
    depth: int = 0
    adapter: Adapter | None = None


def shared_prefix(first: list[int], second: list[int]) -> int:
    """Number of leading tokens that two lists have in common."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))


def draft(context: list[int], length: int, longest: int = 3, shortest: int = 2) -> list[int]:
    """What followed the last place where the end of `context` stood before: at most `length` tokens.

    Looks for the longest n-gram first (`longest` down to `shortest` tokens), and the most recent place of it.
    Empty where nothing matches.
    """
    for size in range(longest, shortest - 1, -1):
        if len(context) <= size:
            continue
        tail = context[-size:]
        last = tail[-1]
        for end in range(len(context) - 2, size - 2, -1):
            if context[end] == last and context[end - size + 1 : end + 1] == tail:
                return context[end + 1 : end + 1 + length]
    return []


class Decoding:
    """One text while its tokens are chosen: what its next step runs, and what the logits of that step say."""

    def __init__(self, network: Network, request: Request, progress: Progress) -> None:
        self.request = request
        self.progress = progress
        self.context = list(request.prompt)
        """Prompt and tokens so far; of the last one the network has no keys and values yet."""
        self.is_over = False
        self._drafted: list[int] = []
        self._choose = _Chooser(request)
        self._started = time.perf_counter()
        most = network.most_drafted if request.draft_tokens is None else request.draft_tokens
        self._most = most if network.rewindable else 0
        self._shortest = 1 if most >= MANY else 2
        self._context_tokens = network.context_tokens

    def ahead(self) -> list[int]:
        """Tokens of the next step: the last one and those drafted behind it."""
        progress = self.progress
        room = min(self._most, self.request.max_new_tokens - progress.generated_tokens - 1)
        room = min(room, self._context_tokens - len(self.context))
        self._drafted = draft(self.context, room, shortest=self._shortest) if room > 0 else []
        progress.steps += 1
        progress.drafted_tokens += len(self._drafted)
        return [self.context[-1], *self._drafted]

    def take(self, logits: Tensor) -> Iterator[int]:
        """Yield the tokens that `logits` (tokens run, vocabulary) choose; an end token is counted but not yielded.

        They are those of the prompt's last token, or of all of `ahead`.
        """
        request, progress = self.request, self.progress
        for index in range(logits.shape[0]):
            token = self._choose(self.context[len(request.prompt) :], logits[index])
            progress.generated_tokens += 1
            progress.decode_s = time.perf_counter() - self._started
            if token in request.end_tokens:
                progress.finish_reason, self.is_over = "stop", True
                return
            self.context.append(token)
            if progress.generated_tokens >= request.max_new_tokens:
                progress.finish_reason, self.is_over = "length", True
            yield token
            if self.is_over or index >= len(self._drafted) or token != self._drafted[index]:
                return
            progress.accepted_tokens += 1


def generate(
    network: Network, request: Request, kept: Kept, progress: Progress, stopped: Callable[[], bool]
) -> Iterator[int]:
    """Yield new tokens one by one; an end token is counted but not yielded.

    `kept` says what the network holds and is brought up to date before every step, so that a generation
    abandoned at any point leaves it true. `stopped` is asked before every step and every prefill chunk.
    """
    logits = prefill(network, request, kept, progress, stopped)
    if logits is None:
        return
    decoding = Decoding(network, request, progress)
    yield from decoding.take(logits)
    while not decoding.is_over and not stopped():
        tokens = decoding.ahead()
        start = len(decoding.context) - 1
        kept.tokens = decoding.context[:start]
        logits = network.forward(tokens, start, len(tokens))
        kept.tokens = [*decoding.context[:start], *tokens]
        yield from decoding.take(logits)


def prefill(
    network: Network, request: Request, kept: Kept, progress: Progress, stopped: Callable[[], bool]
) -> Tensor | None:
    """Run the prompt, and keep it: logits (1, vocabulary) after it, or None when stopped on the way."""
    started = time.perf_counter()
    progress.prompt_tokens = len(request.prompt)
    logits = _prefill(network, request.prompt, kept, progress, stopped)
    progress.prefill_s = time.perf_counter() - started
    return logits


def _prefill(
    network: Network, prompt: list[int], kept: Kept, progress: Progress, stopped: Callable[[], bool]
) -> Tensor | None:
    """Logits (1, vocabulary) after the prompt, or None when stopped on the way."""
    if network.lifts and kept.shallow and kept.adapter is None and prompt[: len(kept.shallow)] == kept.shallow:
        for start in range(0, len(kept.shallow), PREFILL_CHUNK):
            if stopped():
                return None
            network.lift(start, min(PREFILL_CHUNK, len(kept.shallow) - start), kept.depth)
        kept.tokens = kept.shallow
    reused = min(shared_prefix(kept.tokens, prompt), len(prompt) - 1)
    if not network.rewindable and reused < len(kept.tokens):
        reused = 0
    progress.reused_tokens = reused
    kept.shallow = []
    logits = None
    for start in range(reused, len(prompt), PREFILL_CHUNK):
        if stopped():
            return None
        chunk = prompt[start : start + PREFILL_CHUNK]
        kept.tokens = prompt[:start]
        is_last = start + len(chunk) == len(prompt)
        logits = network.forward(chunk, start, 1 if is_last else 0)
        kept.tokens = prompt[: start + len(chunk)]
    return logits


class _Chooser:
    """Picks the next token: the likeliest at temperature 0, else drawn with the request's own seed."""

    def __init__(self, request: Request) -> None:
        self.temperature = request.temperature
        self.process = request.logits_processor
        self.random = torch.Generator().manual_seed(request.seed) if request.temperature > 0 else None

    def __call__(self, generated: list[int], logits: Tensor) -> int:
        if self.process is not None:
            logits = self.process(generated, logits)
        if self.random is None:
            return int(logits.argmax())
        chances = torch.softmax(logits.float().cpu() / self.temperature, dim=-1)
        return int(torch.multinomial(chances, 1, generator=self.random))
