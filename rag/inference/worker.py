"""Does on one thread what an engine is asked for: readings one after another, texts side by side.

Jobs begin first in, first out. A text's prompt is run by itself; from then on it is written together with those that
are under way, where the network can: a step reads every weight once for all of them, and on a CPU that is what a step
takes. A reading comes in between, unless as many texts are under way as may be, and then what is written gets as much
time as it took. Tokens reach the caller
through a queue, so a caller that pauses or walks away blocks nobody; cancelling stops the computation within one step.
The network holds the last prompt, so that one beginning the same way costs only its new tokens.

Knows token ids and networks; knows nothing of text, nor of what is loaded how.

Source: a batch that texts join and leave at any step: Yu et al. 2022, "Orca" (iteration-level scheduling).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from rag.errors import ModelError
from rag.inference.generation import Decoding, Kept, Progress, Request, generate, prefill
from rag.inference.networks import Memory, Network, Step
from rag.inference.reading import Reading

AT_ONCE = 4
"""Texts that are written side by side; further jobs wait. Each has some 60 KB a token of a 1.5B beside the weights."""

_DONE = object()


@dataclass(eq=False)
class Generation:
    """A generation asked for: iterate over it for its tokens, `cancel` it to stop the work."""

    request: Request
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def tokens(self, timeout_s: float | None = None) -> Iterator[int]:
        """Tokens as they come. Ends early, with finish reason "cancelled", once `timeout_s` is over.

        Raises:
            ModelError: the computation failed; the cause is chained.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while True:
                remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
                try:
                    piece = self._pieces.get(timeout=remaining)
                except queue.Empty:
                    return
                if piece is _DONE:
                    return
                if isinstance(piece, BaseException):
                    raise ModelError(f"The language model failed: {piece}.", "See the cause above.") from piece
                yield piece
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Stop computing before the next step; safe to call at any time, from any thread."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._cancelled.is_set()

    def put(self, token: int) -> None:
        """Hand a token to whoever iterates."""
        self._pieces.put(token)

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more tokens come, because of `error` if one is given."""
        if error is not None:
            self._pieces.put(error)
        self._pieces.put(_DONE)


Job = Generation | Reading


@dataclass(frozen=True, slots=True, eq=False)
class _Text:
    """A generation whose prompt has been run."""

    generation: Generation
    decoding: Decoding
    memory: Memory


def work(network: Network, jobs: queue.SimpleQueue[Job | None], running: list[Job]) -> None:
    """Do `jobs` until there is a None among them. `running` has those that were begun and are not done."""
    kept = Kept()
    texts: list[_Text] = []
    owed_s = 0.0  # of the time that readings took from the texts under way
    while True:
        if not texts:
            owed_s = 0.0
        if not texts or (owed_s <= 0 and len(texts) < AT_ONCE and not jobs.empty()):
            job = jobs.get()
            if job is None:
                break
            running.append(job)
            started = time.perf_counter()
            if isinstance(job, Reading):
                job.run(network, kept)
                owed_s = time.perf_counter() - started
            elif network.side_by_side:
                texts += _begun(network, job, kept)
            else:
                _write(network, job, kept)
            del job
        else:
            started = time.perf_counter()
            texts = _stepped(network, texts, kept)
            owed_s -= time.perf_counter() - started
        running[:] = [text.generation for text in texts]
    for text in texts:
        text.generation.end()


@contextmanager
def _handing_on_errors(kept: Kept, *generations: Generation) -> Iterator[None]:
    """What fails inside ends `generations`, whose callers are told; nothing that was kept is used again."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001 - handed on whole; this thread must live on
        kept.tokens, kept.shallow = [], []
        for generation in generations:
            generation.end(error)


def _write(network: Network, generation: Generation, kept: Kept) -> None:
    """Write a whole text in the network's own memory."""
    with _handing_on_errors(kept, generation):
        if not generation.is_cancelled():
            for token in generate(network, generation.request, kept, generation.progress, generation.is_cancelled):
                generation.put(token)
        generation.end()


def _begun(network: Network, generation: Generation, kept: Kept) -> list[_Text]:
    """The text that goes on once its prompt is run and its first token chosen; none where it ends with that."""
    request, progress = generation.request, generation.progress
    with _handing_on_errors(kept, generation):
        logits = None
        if not generation.is_cancelled():
            logits = prefill(network, request, kept, progress, generation.is_cancelled)
        if logits is None:
            generation.end()
            return []
        decoding = Decoding(network, request, progress)
        if _goes_on(generation, decoding, logits, kept):
            room = min(len(request.prompt) + request.max_new_tokens, network.context_tokens)
            return [_Text(generation, decoding, network.memory(len(request.prompt), room))]
    return []


def _stepped(network: Network, texts: list[_Text], kept: Kept) -> list[_Text]:
    """Those of `texts` that go on after a step together."""
    wanted = []
    for text in texts:
        if text.generation.is_cancelled():
            text.generation.end()
        else:
            wanted.append(text)
    if not wanted:
        return []
    found: list[Tensor] = []
    with _handing_on_errors(kept, *(text.generation for text in wanted)):
        steps = [Step(text.memory, text.decoding.ahead(), len(text.decoding.context) - 1) for text in wanted]
        found = network.step(steps)
    by_text = zip(wanted, found, strict=False)  # none found where it failed
    return [text for text, logits in by_text if _goes_on(text.generation, text.decoding, logits, kept)]


def _goes_on(generation: Generation, decoding: Decoding, logits: Tensor, kept: Kept) -> bool:
    """Hand on the tokens that `logits` choose; whether more are to come. A processor of logits can fail here."""
    with _handing_on_errors(kept, generation):
        for token in decoding.take(logits):
            generation.put(token)
        if not decoding.is_over:
            return True
        generation.end()
    return False
