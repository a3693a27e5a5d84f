"""Reads a text with a language model without writing any: what its lower layers make of the last tokens.

A reading waits in the engine's queue as a generation does, and keeps its beginning for the next: texts that begin
alike cost only what differs. Layers above the one that is asked for are not run. Knows token ids and networks; knows
nothing of text, nor of what the states are used for.

Source: intermediate layers often tell more about a text than the last: Skean et al. 2025, "Layer by Layer".
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rag.adapter import Adapter
from rag.errors import ModelError
from rag.generation import PREFILL_CHUNK, Kept, shared_prefix
from rag.networks import Network


class Reading:
    """States asked for: `result` waits for them, `cancel` gives them up."""

    def __init__(self, prompt: Sequence[int], depth: int, wanted: int, adapter: Adapter | None = None) -> None:
        """`wanted` states of the last tokens of `prompt`, as the first `depth` layers leave them, with `adapter`."""
        self.prompt = list(prompt)
        self.depth = depth
        self.adapter = adapter
        self.wanted = wanted
        self._result: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    def result(self, timeout_s: float | None = None) -> Tensor:
        """Float32 (wanted, hidden).

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
        states: Tensor = found
        return states

    def cancel(self) -> None:
        """Stop before the next piece; safe to call at any time, from any thread."""
        self._cancelled.set()

    def run(self, network: Network, kept: Kept) -> None:
        """Do the work on the calling thread."""
        try:
            self._result.put(
                read(network, self.prompt, self.depth, self.wanted, kept, self._cancelled.is_set, self.adapter)
            )
        except BaseException as error:  # noqa: BLE001 - handed to the caller whole; this thread must live on
            kept.tokens, kept.shallow = [], []
            self._result.put(error)


def read(
    network: Network,
    prompt: Sequence[int],
    depth: int,
    wanted: int,
    kept: Kept,
    stopped: Any = lambda: False,
    adapter: Adapter | None = None,
) -> Tensor | None:
    """States of the last `wanted` tokens of `prompt` after `depth` layers, float32; None if stopped on the way."""
    tokens = list(prompt)
    # Never from what a generation left: where a prompt is cut moves a state by up to 0.8 %, and what is read must not
    # depend on what was asked before.
    is_alike = kept.depth == depth and kept.adapter is adapter
    reused = min(shared_prefix(kept.shallow, tokens), len(tokens) - wanted) if is_alike else 0
    if not network.rewindable and reused < len(kept.shallow):
        reused = 0
    kept.tokens = []
    kept.depth, kept.adapter = depth, adapter
    found: list[Tensor] = []
    for start in range(reused, len(tokens), PREFILL_CHUNK):
        if stopped():
            return None
        chunk = tokens[start : start + PREFILL_CHUNK]
        kept.shallow = tokens[:start]
        found.append(network.states(chunk, start, depth, adapter))
        kept.shallow = tokens[: start + len(chunk)]
    return torch.cat(found)[-wanted:]
