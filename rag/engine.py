"""Loads a language model and runs one generation after another on a thread of its own.

Requests queue first in, first out. Tokens reach the caller through a queue, so a caller that pauses or walks
away blocks nobody; cancelling stops the computation within one step. Keeps the keys and values of the last
prompt, so that a prompt beginning the same way costs only its new tokens. Knows nothing of text or chat.
"""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rag.errors import ModelError, WeightsMissing
from rag.generation import Kept, Progress, Request, generate
from rag.hardware import Dtype, physical_cores
from rag.networks import Network, TransformersNetwork

_DONE = object()


@dataclass
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

    def run(self, network: Network, kept: Kept) -> None:
        """Do the work on the calling thread."""
        try:
            if self._cancelled.is_set():
                return
            for token in generate(network, self.request, kept, self.progress, self._cancelled.is_set):
                self._pieces.put(token)
        except BaseException as error:  # noqa: BLE001 - handed to the caller whole; this thread must live on
            kept.tokens = []
            self._pieces.put(error)
        finally:
            self._pieces.put(_DONE)


class Engine:
    """One loaded model with its worker thread."""

    def __init__(  # noqa: PLR0913 - the last four are facts to show, by keyword
        self, network: Network, tokenizer: Any, *, model_id: str, device: str, dtype: str, reason: str
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.model_id = model_id
        self.device = device
        self.dtype = dtype
        self.reason = reason
        self.end_tokens = _end_tokens(network, tokenizer)
        self.control_texts = tuple(
            sorted({str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}, key=len)
        )
        self._jobs: queue.SimpleQueue[Generation | None] = queue.SimpleQueue()
        worker = threading.Thread(target=_work, args=(network, self._jobs), name=f"footnote-{model_id}", daemon=True)
        worker.start()
        weakref.finalize(self, self._jobs.put, None)  # an engine that nobody holds lets its thread, and its weights, go

    def decode(self, tokens: list[int]) -> str:
        """Text of tokens, special tokens left out."""
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def start(self, request: Request) -> Generation:
        """Queue a request; its tokens come from the Generation."""
        generation = Generation(request)
        self._jobs.put(generation)
        return generation


def _end_tokens(network: Network, tokenizer: Any) -> frozenset[int]:
    """Tokens that end an answer: the tokenizer's, and those that the model's generation settings add."""
    ends = {tokenizer.eos_token_id}
    for config in (getattr(getattr(network, "model", None), "generation_config", None),):
        found = getattr(config, "eos_token_id", None)
        ends.update(found if isinstance(found, list) else [found])
    return frozenset(end for end in ends if end is not None)


def _work(network: Network, jobs: queue.SimpleQueue[Generation | None]) -> None:
    kept = Kept()
    while (job := jobs.get()) is not None:
        job.run(network, kept)
        del job


def load_engine(  # noqa: PLR0913 - settings, by keyword
    path: Path,
    *,
    model_id: str,
    device: str = "auto",
    dtype: Dtype | str = "auto",
    context_tokens: int = 4096,
    threads: int | None = None,
) -> Engine:
    """Load the weights in the folder `path` in the form that suits this machine.

    Raises:
        WeightsMissing: `path` holds no model.
        ModelError: `device` or `dtype` can't be had here.
    """
    if not (path / "config.json").exists():
        raise WeightsMissing(f"{str(path)!r} holds no model.", "Run `footnote models fetch`.")
    chosen_device, chosen_dtype, reason = choose_form(device, dtype)
    if chosen_device == "cpu":
        torch.set_num_threads(threads or physical_cores())
    tokenizer = AutoTokenizer.from_pretrained(path)
    torch_dtype = getattr(torch, "float32" if chosen_dtype == "int8" else chosen_dtype)
    model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=torch_dtype, attn_implementation="sdpa")
    model = model.to(chosen_device).eval()
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None) or context_tokens
    network = TransformersNetwork(model, min(context_tokens, limit))
    network.warm_up()
    return Engine(network, tokenizer, model_id=model_id, device=chosen_device, dtype=chosen_dtype, reason=reason)


def choose_form(device: str, dtype: str) -> tuple[str, str, str]:
    """(device, dtype, one sentence on why) for settings that may say "auto".

    Raises:
        ModelError: a GPU is asked for where there is none, or int8 on a GPU.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ModelError("No CUDA GPU can be used here.", 'Set model.device to "auto" or "cpu".')
    on_gpu = has_gpu and device in {"auto", "cuda"}
    if on_gpu and dtype == "int8":
        raise ModelError("int8 is for the CPU; this would run on the GPU.", 'Set model.dtype to "auto".')
    if dtype != "auto":
        return ("cuda" if on_gpu else "cpu"), dtype, f"{'GPU' if on_gpu else 'CPU'}: {dtype}, as set"
    if on_gpu:
        if torch.cuda.is_bf16_supported():
            return "cuda", "bfloat16", "GPU: bfloat16, its native format"
        return "cuda", "float16", "GPU without bfloat16: float16"
    return "cpu", "float32", "CPU: float32"
