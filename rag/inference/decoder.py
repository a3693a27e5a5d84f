"""Our own forward pass for Llama-shaped decoders (Llama, Qwen2, Qwen3, SmolLM2), made for few tokens on a CPU.

Plain torch functions over a preallocated cache; query, key and value are one matrix, gate and up another. The
matrices are callables, so that the same code runs int8 and, in the tests, float32 (the oracle against transformers).
Runs one prompt at a time, and steps of several texts together; knows nothing of where weights come from
(`checkpoint.py`) or how matrices multiply (`int8.py`).

Why not transformers' own forward: at one token a step its modules cost 15 ms of Python for 28 layers, and its
matrices can't be replaced together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from rag.inference.adapter import Adapter, Correction
from rag.inference.attention import looks
from rag.inference.checkpoint import Checkpoint
from rag.inference.networks import Memory, Step

Linear = Callable[[Tensor], Tensor]
"""(tokens, inputs) float32 -> (tokens, outputs) float32, bias included."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a decoder, read from its transformers configuration."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    epsilon: float
    tied: bool

    @classmethod
    def of(cls, config: Any) -> Shape:
        """Sizes of a Llama-shaped configuration."""
        heads = config.num_attention_heads
        return cls(
            layers=config.num_hidden_layers,
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            heads=heads,
            kv_heads=getattr(config, "num_key_value_heads", None) or heads,
            head_dim=getattr(config, "head_dim", None) or config.hidden_size // heads,
            vocabulary=config.vocab_size,
            epsilon=config.rms_norm_eps,
            tied=bool(config.tie_word_embeddings),
        )


@dataclass(frozen=True)
class Layer:
    """One layer. `qkv` and `gate_up` include the norm before them; `query_norm` and `key_norm` are Qwen3's."""

    qkv: Linear
    output: Linear
    gate_up: Linear
    down: Linear
    query_norm: Tensor | None = None
    key_norm: Tensor | None = None


def rotary_tables(config: Any, length: int) -> tuple[Tensor, Tensor]:
    """(length, 1, head_dim) cosines and sines of the rotary embedding, by transformers' own code."""
    cos, sin = LlamaRotaryEmbedding(config)(torch.zeros(1), torch.arange(length)[None])
    half = sin.shape[-1] // 2
    # The rotation turns the first half against the second: the sign is put into the table once.
    signed = torch.cat((-sin[..., :half], sin[..., half:]), dim=-1)
    return cos[0, :, None].contiguous(), signed[0, :, None].contiguous()


class Decoder:
    """A `Network` for one Llama-shaped model in float32 arithmetic, whatever its matrices are kept in."""

    rewindable = True
    lifts = True
    side_by_side = True

    def __init__(
        self,
        config: Any,
        context_tokens: int,
        *,
        embed: Callable[[Tensor], Tensor],
        layers: list[Layer],
        head: Linear,
        turn_back: Linear = lambda hidden: hidden,
        fold: Callable[[Adapter], Sequence[Mapping[str, Correction]]] | None = None,
        most_drafted: int = 4,
    ) -> None:
        """`embed` turns token ids (n,) into (n, hidden); `head` includes the final norm; `turn_back` undoes a rotation
        of what passes between layers; `fold` gives an adapter's corrections for inputs as they are in this decoder: of
        qkv and gate_up, brought to unit root mean square and no more; `most_drafted` is `Network`'s.
        """
        self.shape = shape = Shape.of(config)
        self.context_tokens = context_tokens
        self.most_drafted = most_drafted
        self._embed = embed
        self._layers = layers
        self._head = head
        self._turn_back = turn_back
        self._fold = fold
        self._adapted: WeakKeyDictionary[Adapter, list[Layer]] = WeakKeyDictionary()
        self._cos, self._sin = rotary_tables(config, context_tokens)
        size = (shape.layers, shape.kv_heads, context_tokens, shape.head_dim)
        self._keys = torch.zeros(size)
        self._values = torch.zeros(size)
        self._between = torch.zeros(context_tokens, shape.hidden)  # what the last layer that was run left, for `lift`

    @torch.inference_mode()
    def forward(self, tokens: list[int], start: int, wanted: int) -> Tensor:
        """See `Network.forward`."""
        count = len(tokens)
        hidden = self._embed(torch.tensor(tokens))
        place = self._cos[start : start + count], self._sin[start : start + count]
        mask = _mask(start, start + count)
        last = len(self._layers) - 1
        for index, layer in enumerate(self._layers):
            queries = self._attend_to(layer, index, hidden, start, place)
            if index == last and wanted < count:
                # Above the last layer's keys and values, only the wanted tokens matter.
                if wanted == 0:
                    break
                queries, hidden = queries[count - wanted :], hidden[count - wanted :]
                mask = None if wanted == 1 else mask[count - wanted :] if mask is not None else None
            length = start + count
            mixed = self._mix(queries, self._keys[index, :, :length], self._values[index, :, :length], mask)
            hidden = self._feed_forward(layer, hidden + layer.output(mixed))
        if wanted == 0:
            return hidden.new_empty(0, self.shape.vocabulary)
        return self._head(hidden[-wanted:])

    @torch.inference_mode()
    def states(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.states`."""
        return self._turn_back(self._through(tokens, start, depth, adapter, lambda _queries, _keys, _mask: None))

    @torch.inference_mode()
    def attention(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.attention`."""
        seen: list[Tensor] = []
        self._through(tokens, start, depth, adapter, lambda *given: seen.append(looks(*given)))
        return torch.stack(seen)

    @torch.inference_mode()
    def lift(self, start: int, count: int, depth: int) -> None:
        """See `Network.lift`."""
        end = start + count
        hidden = self._between[start:end]
        place = self._cos[start:end], self._sin[start:end]
        mask = _mask(start, end)
        last = len(self._layers) - 1
        for index, layer in enumerate(self._layers[depth:], start=depth):
            queries = self._attend_to(layer, index, hidden, start, place)
            if index == last:  # its keys and values are all that is needed
                break
            mixed = self._mix(queries, self._keys[index, :, :end], self._values[index, :, :end], mask)
            hidden = self._feed_forward(layer, hidden + layer.output(mixed))

    @torch.inference_mode()
    def memory(self, count: int, room: int) -> Memory:
        """See `Network.memory`."""
        shape = self.shape
        copies = (self._keys.new_empty(shape.layers, shape.kv_heads, room, shape.head_dim) for _ in range(2))
        memory = Memory(*copies)
        memory.keys[:, :, :count] = self._keys[:, :, :count]
        memory.values[:, :, :count] = self._values[:, :, :count]
        return memory

    @torch.inference_mode()
    def step(self, steps: Sequence[Step]) -> list[Tensor]:
        """See `Network.step`: one product a matrix for all, attention for each by itself."""
        counts = [len(step.tokens) for step in steps]
        spans = [(step.start, step.start + count) for step, count in zip(steps, counts, strict=True)]
        masks = [_mask(start, end) for start, end in spans]
        rows = torch.cat([torch.arange(start, end) for start, end in spans])
        place = self._cos[rows], self._sin[rows]
        hidden = self._embed(torch.tensor([token for step in steps for token in step.tokens]))
        for index, layer in enumerate(self._layers):
            of_all = self._turned(layer, hidden, place)
            mixed = []
            for step, (start, end), mask, *own in zip(
                steps, spans, masks, *(torch.split(part, counts) for part in of_all), strict=True
            ):
                queries, keys, values = own
                memory = step.memory
                memory.keys[index, :, start:end] = keys.transpose(0, 1)
                memory.values[index, :, start:end] = values.transpose(0, 1)
                mixed.append(self._mix(queries, memory.keys[index, :, :end], memory.values[index, :, :end], mask))
            hidden = self._feed_forward(layer, hidden + layer.output(torch.cat(mixed)))
        return list(torch.split(self._head(hidden), counts))

    def _through(
        self,
        tokens: list[int],
        start: int,
        depth: int,
        adapter: Adapter | None,
        watch: Callable[[Tensor, Tensor, Tensor | None], None],
    ) -> Tensor:
        """What `depth` layers make of `tokens`; `watch` gets each layer's queries, the keys they meet, and the mask."""
        end = start + len(tokens)
        layers = self._layers if adapter is None else self._with(adapter)
        hidden = self._embed(torch.tensor(tokens))
        place = self._cos[start:end], self._sin[start:end]
        mask = _mask(start, end)
        for index, layer in enumerate(layers[:depth]):
            queries = self._attend_to(layer, index, hidden, start, place)
            keys = self._keys[index, :, :end]
            watch(queries, keys, mask)
            mixed = self._mix(queries, keys, self._values[index, :, :end], mask)
            hidden = self._feed_forward(layer, hidden + layer.output(mixed))
        self._between[start:end] = hidden
        return hidden

    def _with(self, adapter: Adapter) -> list[Layer]:
        """The layers that `adapter` corrects, made once."""
        if adapter not in self._adapted:
            assert self._fold is not None
            self._adapted[adapter] = [
                replace(
                    layer,
                    qkv=_corrected(layer.qkv, correction["qkv"], self.shape.epsilon),
                    output=_corrected(layer.output, correction["output"]),
                    gate_up=_corrected(layer.gate_up, correction["gate_up"], self.shape.epsilon),
                    down=_corrected(layer.down, correction["down"]),
                )
                for layer, correction in zip(self._layers, self._fold(adapter), strict=False)
            ]
        return self._adapted[adapter]

    @staticmethod
    def _feed_forward(layer: Layer, hidden: Tensor) -> Tensor:
        gate, up = layer.gate_up(hidden).chunk(2, dim=-1)
        return hidden + layer.down(functional.silu(gate).mul_(up))

    def _attend_to(self, layer: Layer, index: int, hidden: Tensor, start: int, place: tuple[Tensor, Tensor]) -> Tensor:
        """Keep the keys and values of `hidden` (tokens, hidden); return its queries (tokens, heads, head_dim)."""
        queries, keys, values = self._turned(layer, hidden, place)
        end = start + hidden.shape[0]
        self._keys[index, :, start:end] = keys.transpose(0, 1)
        self._values[index, :, start:end] = values.transpose(0, 1)
        return queries

    def _turned(self, layer: Layer, hidden: Tensor, place: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of `hidden` (tokens, hidden), each (tokens, heads of its kind, head_dim).

        Queries and keys are turned by `place`, their rows of the rotary tables.
        """
        shape = self.shape
        qkv = layer.qkv(hidden).view(hidden.shape[0], -1, shape.head_dim)
        turned = qkv[:, : shape.heads + shape.kv_heads]
        if layer.query_norm is not None and layer.key_norm is not None:
            queries = self._norm(turned[:, : shape.heads], layer.query_norm)
            keys = self._norm(turned[:, shape.heads :], layer.key_norm)
            turned = torch.cat((queries, keys), dim=1)
        cos, signed_sin = place
        turned = torch.addcmul(turned * cos, turned.roll(shape.head_dim // 2, -1), signed_sin)
        return turned[:, : shape.heads], turned[:, shape.heads :], qkv[:, shape.heads + shape.kv_heads :]

    def _norm(self, heads: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(heads, weight.shape, weight, self.shape.epsilon)

    def _mix(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Attention of queries (tokens, heads, head_dim) over keys and values (kv_heads, length, head_dim)."""
        count, heads, head_dim = queries.shape
        if count <= FEW:
            # Heads that share keys become rows of one product: no copies of keys. At 4 tokens over 400:
            # 178 us a layer, against 255 with plain products and 314 with enable_gqa.
            groups = keys.shape[0]
            rows = queries.reshape(count, groups, -1, head_dim).transpose(0, 1).reshape(1, groups, -1, head_dim)
            seen = None if mask is None else mask.repeat_interleave(heads // groups, dim=0)
            mixed = functional.scaled_dot_product_attention(rows, keys[None], values[None], attn_mask=seen)
            return mixed.view(groups, count, -1).transpose(0, 1).reshape(count, -1)
        mixed = functional.scaled_dot_product_attention(
            queries.transpose(0, 1)[None],
            keys[None],
            values[None],
            attn_mask=mask if count < keys.shape[1] else None,
            is_causal=count == keys.shape[1],
            enable_gqa=heads != keys.shape[0],
        )
        return mixed[0].transpose(0, 1).reshape(count, -1)

    def warm_up(self) -> None:
        """Run a few tokens at once and then one, so that kernels are chosen and memory is touched."""
        self.forward([0] * 32, 0, 1)
        self.forward([0], 32, 1)


def _corrected(linear: Linear, correction: Correction, epsilon: float | None = None) -> Linear:
    """`linear` with a correction; with `epsilon`, the correction's inputs are divided by their root mean square."""
    down, up = (part.T.contiguous() for part in correction)

    def run(inputs: Tensor) -> Tensor:
        seen = inputs
        if epsilon is not None:
            seen = inputs * inputs.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        return linear(inputs).addmm_(seen @ down, up)

    return run


FEW = 16
"""Up to this many tokens a step, heads that share keys are taken together; above, causality saves more."""


def _mask(start: int, end: int) -> Tensor | None:
    """What each new token may not see, as 0 and -inf, (tokens, end); None where there is one new token."""
    count = end - start
    if count == 1:
        return None
    return torch.full((count, end), -torch.inf).triu_(start + 1)


def with_norms(corrections: Mapping[str, Correction], checkpoint: Checkpoint, index: int) -> dict[str, Correction]:
    """Corrections of the layer `index` that take in the weights of the norms before them."""
    attention_norm, mlp_norm = checkpoint.norms(index)
    folded = dict(corrections)
    for name, norm in (("qkv", attention_norm), ("gate_up", mlp_norm)):
        down, up = corrections[name]
        folded[name] = (down * norm, up)
    return folded
