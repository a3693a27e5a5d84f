"""Our own forward pass for Llama-shaped decoders on an NVIDIA GPU: whole steps as recorded graphs.

At one token a step a GPU waits for Python: some thousand kernels of a few microseconds are started one by one. Here a
step of up to `GRAPHED` tokens is recorded once for each number of tokens and replayed as a whole; where in the sequence
it stands is data, not part of the recording. Longer runs (prompts) are started kernel by kernel. Matrices are kept in
the model's half precision, what passes between layers in float32.

The same arithmetic runs on a CPU, without graphs, for tests. Knows nothing of prompts, text, or how tokens are chosen.

Source: CUDA graphs, https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional

from rag.inference.adapter import Adapter, Correction
from rag.inference.attention import looks
from rag.inference.checkpoint import Checkpoint
from rag.inference.decoder import Shape, rotary_tables
from rag.inference.networks import Memory, Step

GRAPHED = 5
"""Tokens of a step: one, and four drafted."""


class CudaDecoder:
    """A `Network` for one sequence of one Llama-shaped model."""

    rewindable = True
    lifts = False
    side_by_side = False
    most_drafted = GRAPHED - 1

    def __init__(
        self, config: Any, checkpoint: Checkpoint, context_tokens: int, *, device: str = "cuda", dtype: torch.dtype
    ) -> None:
        """`dtype` of the matrices and of kept keys and values."""
        self.shape = shape = Shape.of(config)
        self.context_tokens = context_tokens
        self._device = torch.device(device)
        self._dtype = dtype
        self._embedding = checkpoint.embedding.to(self._device, dtype)
        self._head = self._embedding if shape.tied else checkpoint.head.to(self._device, dtype)
        self._final_norm = checkpoint.final_norm.to(self._device)
        self._layers = [checkpoint.layer(index).on(self._device, dtype) for index in range(shape.layers)]
        cos, sin = rotary_tables(config, context_tokens)
        self._cos, self._sin = cos.to(self._device), sin.to(self._device)
        size = (shape.layers, shape.kv_heads, context_tokens, shape.head_dim)
        self._keys = torch.zeros(size, device=self._device, dtype=dtype)
        self._values = torch.zeros(size, device=self._device, dtype=dtype)
        self._columns = torch.arange(context_tokens, device=self._device)
        self._steps: dict[int, _Step] = {}
        self._adapted: WeakKeyDictionary[Adapter, list[dict[str, Correction]]] = WeakKeyDictionary()

    @torch.inference_mode()
    def forward(self, tokens: list[int], start: int, wanted: int) -> Tensor:
        """See `Network.forward`."""
        count = len(tokens)
        if wanted == count and count in self._steps:
            return self._steps[count].run(tokens, start)
        hidden = self._run(*self._places(tokens, start), start + count, self.shape.layers)
        return self._logits(hidden[count - wanted :])

    @torch.inference_mode()
    def states(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.states`."""
        return self._run(*self._places(tokens, start), start + len(tokens), depth, self._corrections(adapter)).cpu()

    @torch.inference_mode()
    def attention(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.attention`."""
        seen: list[Tensor] = []
        places = self._places(tokens, start)
        self._run(*places, start + len(tokens), depth, self._corrections(adapter), seen)
        return torch.stack(seen).cpu()

    def _corrections(self, adapter: Adapter | None) -> Sequence[Mapping[str, Correction]] | None:
        """Those of `adapter` on the GPU, brought there once."""
        if adapter is not None and adapter not in self._adapted:
            self._adapted[adapter] = [
                {name: (down.to(self._embedding), up.to(self._embedding)) for name, (down, up) in layer.items()}
                for layer in adapter.layers
            ]
        return self._adapted[adapter] if adapter is not None else None

    def lift(self, start: int, count: int, depth: int) -> None:
        """Not to be had: the beginning is read again."""
        raise NotImplementedError

    def memory(self, count: int, room: int) -> Memory:
        """Not to be had: a recorded step runs one text."""
        raise NotImplementedError

    def step(self, steps: Sequence[Step]) -> list[Tensor]:
        """Not to be had, see `memory`."""
        raise NotImplementedError

    @torch.inference_mode()
    def warm_up(self) -> None:
        """Choose kernels, and record the steps where there is a GPU."""
        self.forward([0] * 32, 0, 1)
        if self._device.type != "cuda":
            return
        for count in range(1, min(GRAPHED, self.context_tokens) + 1):
            self._steps[count] = _Step(self, count)

    def _places(self, tokens: list[int], start: int) -> tuple[Tensor, Tensor]:
        ids = torch.tensor(tokens, device=self._device)
        return ids, torch.arange(start, start + len(tokens), device=self._device)

    def _logits(self, hidden: Tensor) -> Tensor:
        normed = functional.rms_norm(hidden, (self.shape.hidden,), self._final_norm, self.shape.epsilon)
        return functional.linear(normed.to(self._dtype), self._head).float()

    def _run(
        self,
        ids: Tensor,
        places: Tensor,
        length: int,
        depth: int,
        corrections: Sequence[Mapping[str, Correction]] | None = None,
        watched: list[Tensor] | None = None,
    ) -> Tensor:
        """Float32 (tokens, hidden) after `depth` layers. Keys and values at `places` are kept; `length` are looked at.

        `watched` gets `attention.looks` of each layer.

        Nothing here depends on the values in `ids` and `places`, so that it can be recorded.
        """
        shape = self.shape
        count = ids.shape[0]
        cos, sin = self._cos[places], self._sin[places]
        groups = shape.heads // shape.kv_heads
        # Heads that share keys become rows of one product: no copies of keys.
        before = self._columns[:length] <= places[:, None]
        seen = before.repeat_interleave(groups, dim=0)
        unseen = None if watched is None else torch.where(before, 0.0, -torch.inf)
        hidden = self._embedding[ids].float()

        def linear(name: str, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
            output = functional.linear(inputs, getattr(layer, name), bias)
            if corrections is None:
                return output
            down, up = corrections[index][name]
            return output + functional.linear(functional.linear(inputs, down), up)

        for index in range(depth):
            layer = self._layers[index]
            inputs = functional.rms_norm(hidden, (shape.hidden,), layer.attention_norm, shape.epsilon)
            qkv = linear("qkv", inputs.to(self._dtype), layer.qkv_bias).view(count, -1, shape.head_dim)
            turned = qkv[:, : shape.heads + shape.kv_heads].float()
            if layer.query_norm is not None and layer.key_norm is not None:
                queries = self._norm(turned[:, : shape.heads], layer.query_norm)
                turned = torch.cat((queries, self._norm(turned[:, shape.heads :], layer.key_norm)), dim=1)
            turned = torch.addcmul(turned * cos, turned.roll(shape.head_dim // 2, -1), sin).to(self._dtype)
            self._keys[index].index_copy_(1, places, turned[:, shape.heads :].transpose(0, 1))
            self._values[index].index_copy_(1, places, qkv[:, shape.heads + shape.kv_heads :].transpose(0, 1))
            if watched is not None:
                watched.append(looks(turned[:, : shape.heads], self._keys[index, :, :length], unseen))
            rows = turned[:, : shape.heads].reshape(count, shape.kv_heads, groups, shape.head_dim).transpose(0, 1)
            mixed = functional.scaled_dot_product_attention(
                rows.reshape(1, shape.kv_heads, count * groups, shape.head_dim),
                self._keys[index, None, :, :length],
                self._values[index, None, :, :length],
                attn_mask=seen,
            )
            mixed = mixed.view(shape.kv_heads, count, -1).transpose(0, 1).reshape(count, -1)
            hidden = hidden + linear("output", mixed, layer.output_bias)
            inputs = functional.rms_norm(hidden, (shape.hidden,), layer.mlp_norm, shape.epsilon).to(self._dtype)
            gate, up = linear("gate_up", inputs).chunk(2, dim=-1)
            hidden = hidden + linear("down", functional.silu(gate) * up)
        return hidden

    def _norm(self, heads: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(heads, weight.shape, weight, self.shape.epsilon)


class _Step:
    """A recorded run of `count` tokens over the whole context, its logits included."""

    def __init__(self, decoder: CudaDecoder, count: int) -> None:
        device = decoder._device
        self._ids = torch.zeros(count, dtype=torch.long, device=device)
        self._places = torch.arange(count, device=device)
        self._ahead = torch.arange(count, device=device)

        def run() -> Tensor:
            hidden = decoder._run(self._ids, self._places, decoder.context_tokens, decoder.shape.layers)
            return decoder._logits(hidden)

        side: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # what is slow only the first time must not be recorded
            for _ in range(2):
                run()
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # Other threads may use the GPU meanwhile: the embedder is loaded beside the model.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._logits = run()

    def run(self, tokens: list[int], start: int) -> Tensor:
        """Logits (count, vocabulary), a copy."""
        self._ids.copy_(torch.tensor(tokens))
        torch.add(self._ahead, start, out=self._places)
        self._graph.replay()
        return self._logits.clone()
