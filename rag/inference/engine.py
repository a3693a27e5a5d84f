"""Loads a language model, and hands what is asked of it to a thread of its own, see `worker.py`.

Knows nothing of text or chat.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from rag.errors import ModelError, WeightsMissing
from rag.inference.adapter import Adapter
from rag.inference.checkpoint import Checkpoint, is_llama_shaped
from rag.inference.cuda_decoder import CudaDecoder
from rag.inference.generation import Request
from rag.inference.hardware import Dtype, physical_cores
from rag.inference.int8 import int8_decoder
from rag.inference.kernels import has_int8_engine
from rag.inference.networks import Network, TransformersNetwork
from rag.inference.reading import Reading
from rag.inference.worker import Generation, Job, work


class Form(NamedTuple):
    """Where a model runs, in which number format, and one sentence on why."""

    device: str
    dtype: str
    reason: str


class Engine:
    """One loaded model with its worker thread."""

    def __init__(
        self, network: Network, tokenizer: Any, end_tokens: frozenset[int], *, model_id: str, form: Form
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.model_id = model_id
        self.device, self.dtype, self.reason = form
        self.end_tokens = end_tokens | {tokenizer.eos_token_id} - {None}
        special = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
        self.control_texts = tuple(sorted(special, key=len))
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        running: list[Job] = []
        worker = threading.Thread(
            target=work, args=(network, self._jobs, running), name=f"footnote-{model_id}", daemon=True
        )
        worker.start()
        # An engine that nobody holds lets its thread, and its weights, go; so does the end of the process.
        weakref.finalize(self, _end, self._jobs, running, worker)

    def decode(self, tokens: list[int]) -> str:
        """Text of tokens, special tokens left out."""
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def start(self, request: Request) -> Generation:
        """Queue a request; its tokens come from the Generation."""
        generation = Generation(request)
        self._jobs.put(generation)
        return generation

    def read(
        self, prompt: Sequence[int], *, depth: int, wanted: int = 1, adapter: Adapter | None = None, plain: int = 0
    ) -> Reading:
        """Queue a reading of `prompt`: states of its last `wanted` tokens as the first `depth` layers leave them.

        The first `plain` tokens are read without the adapter, and kept for a generation that begins with them.
        """
        return self._queued(Reading(prompt, depth, wanted, adapter, plain=plain))

    def watch(self, prompt: Sequence[int], *, depth: int, wanted: int, adapter: Adapter | None = None) -> Reading:
        """Queue a reading of `prompt`: where its last `wanted` tokens look, see `Network.attention`."""
        return self._queued(Reading(prompt, depth, wanted, adapter, is_watched=True))

    def _queued(self, reading: Reading) -> Reading:
        self._jobs.put(reading)
        return reading


def _end(jobs: queue.SimpleQueue[Job | None], running: list[Job], worker: threading.Thread) -> None:
    """Stop the worker and wait for it: torch aborts the process if a thread is cut off inside it at exit."""
    jobs.put(None)
    for job in tuple(running):
        job.cancel()
    if worker is not threading.current_thread():
        worker.join(timeout=10)


def load_engine(
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
    config: Any = AutoConfig.from_pretrained(path)
    limit = getattr(config.get_text_config(), "max_position_embeddings", None) or context_tokens
    context_tokens = min(context_tokens, limit)
    form = choose_form(device, dtype, can_be_int8=is_llama_shaped(config) and Checkpoint.exists(path))
    if form.device == "cpu":
        torch.set_num_threads(threads or physical_cores())
    network: Network
    if form.dtype == "int8":
        network = int8_decoder(config, Checkpoint(path), context_tokens)
    elif form.device == "cuda" and is_llama_shaped(config) and Checkpoint.exists(path):
        network = CudaDecoder(config, Checkpoint(path), context_tokens, dtype=getattr(torch, form.dtype))
    else:
        model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, form.dtype))
        network = TransformersNetwork(model.to(form.device).eval(), context_tokens)
    network.warm_up()
    return Engine(network, AutoTokenizer.from_pretrained(path), _end_tokens(path, config), model_id=model_id, form=form)


def choose_form(device: str, dtype: str, *, can_be_int8: bool) -> Form:
    """The form for settings that may say "auto". `can_be_int8` says whether our own forward pass runs the model.

    Raises:
        ModelError: a GPU is asked for where there is none, or int8 where it can't be had.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ModelError("No CUDA GPU can be used here.", 'Set model.device to "auto" or "cpu".')
    on_gpu = has_gpu and device != "cpu"
    if dtype != "auto":
        if dtype == "int8" and (on_gpu or not can_be_int8 or not has_int8_engine()):
            why = "is for the CPU" if on_gpu else "is for Llama-shaped models on x86 CPUs"
            raise ModelError(f"int8 {why}.", 'Set model.dtype to "auto".')
        return Form("cuda" if on_gpu else "cpu", dtype, f"{'GPU' if on_gpu else 'CPU'}: {dtype}, as set")
    if on_gpu:
        if torch.cuda.is_bf16_supported():
            return Form("cuda", "bfloat16", "GPU: bfloat16, its native format")
        return Form("cuda", "float16", "GPU without bfloat16: float16")
    if can_be_int8 and has_int8_engine():
        return Form("cpu", "int8", "CPU: int8 with a scale for each token, a third of float32's time")
    why = "no int8 kernels for this CPU or model"
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return Form("cpu", "bfloat16", f"CPU with bfloat16 arithmetic, {why}")
    return Form("cpu", "float32", f"CPU: float32, {why}")


def _end_tokens(path: Path, config: Any) -> frozenset[int]:
    """Tokens that end an answer, from the generation settings beside the weights and the configuration."""
    found = [config.get_text_config().eos_token_id]
    if (path / "generation_config.json").exists():
        found.append(GenerationConfig.from_pretrained(path).eos_token_id)
    lists = (ends if isinstance(ends, list) else [ends] for ends in found)
    return frozenset(end for ends in lists for end in ends if end is not None)
