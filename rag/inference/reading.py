"""Reads a text with a language model without writing any: what its lower layers make of the last tokens, or where these
look.

A reading waits in the engine's queue as a generation does, and keeps its beginning for the next: texts that begin
alike cost only what differs. Layers above the one that is asked for are not run. Knows token ids and networks; knows
nothing of text, nor of what the states are used for.

Source: intermediate layers often tell more about a text than the last: Skean et al. 2025, "Layer by Layer".
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rag.errors import ModelError
from rag.inference.adapter import Adapter
from rag.inference.generation import PREFILL_CHUNK, Kept, shared_prefix
from rag.inference.networks import Network


class Reading:
    """States or looks asked for: `result` waits for them, `cancel` gives them up."""

    def __init__(
        self,
        prompt: Sequence[int],
        depth: int,
        wanted: int,
        adapter: Adapter | None = None,
        *,
        plain: int = 0,
        is_watched: bool = False,
    ) -> None:
        """Of the last `wanted` tokens of `prompt` the states as the first `depth` layers leave them, with `adapter`.

        `plain`: so many tokens before are read without it, and kept for a generation that begins with them.
        `is_watched`: where the last tokens look, instead of their states.
        """
        self.prompt = list(prompt)
        self.depth = depth
        self.adapter = adapter
        self.wanted = wanted
        self.plain = plain
        self.is_watched = is_watched
        self._result: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def result(self, timeout_s: float | None = None) -> Tensor:
        """Float32 (wanted, hidden); where it is watched, `Network.attention`.

        Raises:
            ModelError: the computation failed, or took longer than `timeout_s`.
        """
        try:
            found = self._result.get(timeout=timeout_s)
        except queue.Empty:
            found = None
        finally:
            self.cancel()
        if isinstance(found, BaseException):
            raise ModelError(f"The language model failed: {found}.", "See the cause above.") from found
        if found is None:
            raise ModelError("The language model read nothing in time.", "Ask again, or raise model.timeout_s.")
        told: Tensor = found
        return told

    def cancel(self) -> None:
        """Stop before the next piece; safe to call at any time, from any thread."""
        self._cancelled.set()

    def run(self, network: Network, kept: Kept) -> None:
        """Do the work on the calling thread."""
        if self._cancelled.is_set():
            self._result.put(None)
            return
        try:
            stopped, adapter = self._cancelled.is_set, self.adapter
            if self.is_watched:
                told = watch(network, self.prompt, self.depth, self.wanted, kept, stopped, adapter)
            elif self.plain and adapter is not None:
                told = read_end(network, self.prompt, self.depth, self.wanted, kept, stopped, adapter, self.plain)
            else:
                told = read(network, self.prompt, self.depth, self.wanted, kept, stopped, adapter)
            self._result.put(told)
        except BaseException as error:  # noqa: BLE001 - handed to the caller whole; this thread must live on
            kept.tokens, kept.shallow = [], []
            self._result.put(error)


def read(
    network: Network,
    prompt: Sequence[int],
    depth: int,
    wanted: int,
    kept: Kept,
    stopped: Callable[[], bool] = lambda: False,
    adapter: Adapter | None = None,
) -> Tensor | None:
    """States of the last `wanted` tokens of `prompt` after `depth` layers, float32; None if stopped on the way."""
    tokens = list(prompt)
    start = _gone_back(network, tokens, depth, wanted, kept, adapter)
    found = _run(network.states, tokens, start, len(tokens), kept, stopped)
    return None if found is None else torch.cat(found)[-wanted:]


def read_end(
    network: Network,
    prompt: Sequence[int],
    depth: int,
    wanted: int,
    kept: Kept,
    stopped: Callable[[], bool],
    adapter: Adapter,
    plain: int,
) -> Tensor | None:
    """As `read`, with the first `plain` tokens as the model itself reads them: `kept` has these afterwards.

    Of a piece at the beginning that was read before nothing is taken over: what is kept of it is the same each time.

    Source: Greenewald et al. 2025, "Activated LoRA": what stands before the adapter's part is the model's own, and is
    read once for both.
    """
    tokens = list(prompt)
    beginning = tokens[:plain]
    if not (kept.adapter is None and kept.depth == depth and kept.shallow == beginning):
        kept.shallow = []
        if read(network, beginning, depth, 1, kept, stopped, None) is None:
            return None
    if not network.rewindable:
        kept.shallow = []
    kept.tokens = []
    found: list[Tensor] = []
    for start in range(plain, len(tokens), PREFILL_CHUNK):
        if stopped():
            return None
        found.append(network.states(tokens[start : start + PREFILL_CHUNK], start, depth, adapter))
    return torch.cat(found)[-wanted:]


def watch(
    network: Network,
    prompt: Sequence[int],
    depth: int,
    wanted: int,
    kept: Kept,
    stopped: Callable[[], bool] = lambda: False,
    adapter: Adapter | None = None,
) -> Tensor | None:
    """Where the last `wanted` tokens of `prompt` look, see `Network.attention`; None if stopped on the way."""
    tokens = list(prompt)
    last = len(tokens) - wanted
    start = _gone_back(network, tokens, depth, wanted, kept, adapter)
    if _run(network.states, tokens, start, last, kept, stopped) is None:
        return None
    found = _run(network.attention, tokens, last, len(tokens), kept, stopped, piece=wanted)
    return None if found is None else found[0]


def _gone_back(
    network: Network, tokens: list[int], depth: int, wanted: int, kept: Kept, adapter: Adapter | None
) -> int:
    """The place from which a reading has to go on.

    Never from what a generation left: where a prompt is cut moves a state by up to 0.8 %, and what is read must not
    depend on what was asked before.
    """
    is_alike = kept.depth == depth and kept.adapter is adapter
    reused = min(shared_prefix(kept.shallow, tokens), len(tokens) - wanted) if is_alike else 0
    if not network.rewindable and reused < len(kept.shallow):
        reused = 0
    kept.tokens, kept.shallow = [], tokens[:reused]
    kept.depth, kept.adapter = depth, adapter
    return reused


def _run(
    run: Callable[..., Tensor],
    tokens: list[int],
    start: int,
    end: int,
    kept: Kept,
    stopped: Callable[[], bool],
    piece: int = PREFILL_CHUNK,
) -> list[Tensor] | None:
    """What `run` tells of the tokens from `start` to `end`, piece by piece; None if stopped on the way.

    `kept` says at any point what the network holds.
    """
    told: list[Tensor] = []
    for place in range(start, end, piece):
        if stopped():
            return None
        chunk = tokens[place : min(place + piece, end)]
        kept.shallow = tokens[:place]
        told.append(run(chunk, place, kept.depth, kept.adapter))
        kept.shallow = tokens[: place + len(chunk)]
    return told
