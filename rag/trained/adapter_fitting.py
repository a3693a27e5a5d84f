"""Fits an adapter: low-rank corrections of a language model's lower layers, and a head, by gradient descent.

Made for one GPU (a minute for three thousand examples on an H100). On a CPU an adapter can be fitted further, where
most of an example is read as the model itself reads it (`Example.plain`): that part has no gradient, and costs a third.
Deterministic up to the order of sums on a GPU. Knows tokens and classes; knows nothing of what they mean.

Source: LoRA (Hu et al. 2022); Adam (Kingma and Ba 2015); a label that allows several classes counts by their sum; a
beginning without corrections: Activated LoRA (Greenewald et al. 2025).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rag import weights
from rag.errors import WeightsMissing
from rag.inference.adapter import MATRICES, Adapter
from rag.inference.checkpoint import Checkpoint
from rag.inference.decoder import Shape, rotary_tables
from rag.inference.kernels import has_tiles
from rag.settings import Settings

RANK = 8
SCALE = 2.0
"""Of the corrections, as LoRA's alpha over rank."""
WARM_UP = 0.1
"""Share of the steps in which the rate rises; then it falls to nothing."""
TOLD_EVERY = 20
"""Steps."""
DROPOUT = 0.05
DEPTH = 18
"""Layers of 28 that are corrected and read: two thirds of the time of all."""
LONGEST = 1024
"""Tokens of an example; its beginning is cut off beyond."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How fast is gone downhill, how often over all examples, and how many tokens a step sees."""

    rate: float
    head_rate: float
    epochs: int
    batch_tokens: int

    def settings(self) -> dict[str, Any]:
        """What an adapter was fitted with, to be kept beside its numbers."""
        return {"rank": RANK, "scale": SCALE, "dropout": DROPOUT, **asdict(self)}


FIRST = Recipe(rate=3e-4, head_rate=2e-3, epochs=2, batch_tokens=8192)
FURTHER = Recipe(rate=1.5e-4, head_rate=3e-4, epochs=1, batch_tokens=3072)
"""Of an adapter that knows its task already."""


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, which classes the label allows (0 or 1 each), and how much it counts.

    The first `plain` tokens are read as the model itself reads them, what follows with the corrections.
    """

    tokens: tuple[int, ...]
    allowed: tuple[float, ...]
    weight: float = 1.0
    plain: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded on the right, (sequences, longest) each: `beginning`, of which `plain` tokens count, and `ids`,
    which follow it, and of which `lengths` count.
    """

    beginning: Tensor
    plain: Tensor
    ids: Tensor
    lengths: Tensor


_Held = tuple[Tensor, Tensor]
"""Keys and values of a layer, (sequences, heads, tokens, head_dim)."""
Adapt = Callable[[int, str, Tensor], Tensor]
"""What the output of a layer's matrix is corrected by."""


class Trunk:
    """The first `depth` layers of a Llama-shaped checkpoint, frozen, over batches of sequences padded on the right."""

    def __init__(
        self,
        config: Any,
        checkpoint: Checkpoint,
        depth: int,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.shape = Shape.of(config)
        self.device = device
        self.dtype = dtype
        self.layers = [checkpoint.layer(index).on(device, self.dtype) for index in range(depth)]
        self.embedding = checkpoint.embedding.to(device, self.dtype)
        cos, sin = rotary_tables(config, LONGEST)
        self._cos, self._sin = cos[:, 0].to(device), sin[:, 0].to(device)

    def sizes(self, name: str) -> tuple[int, int]:
        """(outputs, inputs) of a matrix."""
        rows, columns = getattr(self.layers[0], name).shape
        return rows, columns

    def states(self, batch: Batch, adapt: Adapt) -> Tensor:
        """Float32 (sequences, hidden) of each one's last token, behind its beginning, which is not corrected.

        Padding stands on the right, where a causal mask hides it from everything that counts.
        """
        before = self._beginning(batch)
        width, held = batch.ids.shape[1], batch.beginning.shape[1]
        places = torch.arange(width, device=self.device)
        turns = self._turns(batch.plain[:, None] + places)
        mask = None
        if held:
            known = torch.arange(held, device=self.device) < batch.plain[:, None]
            causal = places <= places[:, None]
            mask = torch.cat((known[:, None].expand(-1, width, -1), causal.expand(len(known), -1, -1)), dim=-1)[:, None]
        hidden = self.embedding[batch.ids].float()
        for index in range(len(self.layers)):
            hidden, _ = self._layer(index, hidden, turns, adapt, before[index] if held else None, mask)
        found: Tensor = hidden[torch.arange(len(hidden), device=self.device), batch.lengths - 1]
        return found

    @torch.no_grad()
    def _beginning(self, batch: Batch) -> list[_Held]:
        """What the layers hold of it; of no gradient, for nothing in it is fitted."""
        if not batch.beginning.shape[1]:
            return []
        turns = self._turns(torch.arange(batch.beginning.shape[1], device=self.device)[None])
        hidden = self.embedding[batch.beginning].float()
        result = []
        for index in range(len(self.layers)):
            hidden, held = self._layer(index, hidden, turns)
            result.append(held)
        return result

    def _turns(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotary embedding at `places`, broadcast over heads."""
        return self._cos[places][:, None], self._sin[places][:, None]

    def _layer(
        self,
        index: int,
        hidden: Tensor,
        turns: tuple[Tensor, Tensor],
        adapt: Adapt | None = None,
        before: _Held | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, _Held]:
        """The hidden states after one layer, and the keys and values that it made."""
        layer, shape = self.layers[index], self.shape
        count, width, _ = hidden.shape

        def product(name: str, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
            outputs = functional.linear(inputs, getattr(layer, name), bias)
            return outputs if adapt is None else outputs + adapt(index, name, inputs)

        cos, sin = turns
        inputs = functional.rms_norm(hidden, (shape.hidden,), layer.attention_norm, shape.epsilon)
        inputs = inputs.to(self.dtype)
        qkv = product("qkv", inputs, layer.qkv_bias).view(count, width, -1, shape.head_dim).transpose(1, 2)
        turned, values = torch.split(qkv, [shape.heads + shape.kv_heads, shape.kv_heads], dim=1)
        half = shape.head_dim // 2
        swapped = torch.cat((turned[..., half:], turned[..., :half]), dim=-1)
        turned = (turned.float() * cos + swapped.float() * sin).to(self.dtype)
        queries, keys = torch.split(turned, [shape.heads, shape.kv_heads], dim=1)
        held = (keys, values)
        if before is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(before, held, strict=True))
        mixed = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, is_causal=mask is None, enable_gqa=True
        )
        mixed = mixed.transpose(1, 2).reshape(count, width, -1)
        hidden = hidden + product("output", mixed)
        inputs = functional.rms_norm(hidden, (shape.hidden,), layer.mlp_norm, shape.epsilon).to(self.dtype)
        gate, up = product("gate_up", inputs).chunk(2, dim=-1)
        hidden = hidden + product("down", functional.silu(gate) * up)
        return hidden, held


def open_trunk(name: str) -> Trunk:
    """The lower layers of the model `name`, which has to be on this machine, on a GPU where there is one.

    Raises:
        WeightsMissing: it is not here.
    """
    from transformers import AutoConfig

    found = weights.find(name, Settings().home)
    if found is None:
        raise WeightsMissing(f"{name} is not on this machine.", f"Fetch it: footnote models fetch {name}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" or has_tiles() else torch.float32
    return Trunk(AutoConfig.from_pretrained(found.path), Checkpoint(found.path), DEPTH, device=device, dtype=dtype)


class _Corrections(torch.nn.Module):
    """What is fitted."""

    def __init__(self, trunk: Trunk, classes: int, seed: int, begun: Adapter | None = None) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self._down = torch.nn.ParameterDict()
        self._up = torch.nn.ParameterDict()
        for index in range(len(trunk.layers)):
            for name in MATRICES:
                outputs, inputs = trunk.sizes(name)
                start = torch.randn(RANK, inputs, generator=draw) / inputs**0.5
                self._down[f"{index}_{name}"] = torch.nn.Parameter(start.to(trunk.device))
                self._up[f"{index}_{name}"] = torch.nn.Parameter(torch.zeros(outputs, RANK, device=trunk.device))
        self.head = torch.nn.Linear(trunk.shape.hidden, classes, device=trunk.device)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)
        if begun is not None:
            self._take(begun)

    @torch.no_grad()
    def _take(self, begun: Adapter) -> None:
        """Go on from its numbers. The scale comes out of `up`."""
        for index, layer in enumerate(begun.layers):
            for name, (down, up) in layer.items():
                self._down[f"{index}_{name}"].copy_(down)
                self._up[f"{index}_{name}"].copy_(up / SCALE)
        self.head.weight.copy_(begun.weights)
        self.head.bias.copy_(begun.bias)

    def correct(self, index: int, name: str, inputs: Tensor) -> Tensor:
        """What is added to a matrix's output."""
        key = f"{index}_{name}"
        dropped = functional.dropout(inputs, DROPOUT, self.training)
        inner = functional.linear(dropped, self._down[key].to(inputs.dtype))
        return functional.linear(inner, self._up[key].to(inputs.dtype)) * SCALE

    def forward(self, trunk: Trunk, batch: Batch) -> Tensor:
        """Log-probabilities (sequences, classes)."""
        state = trunk.states(batch, self.correct)
        length = state.square().mean(-1, keepdim=True).add(1e-6).rsqrt()
        return self.head(state * length).log_softmax(-1)  # type: ignore[no-any-return]

    def adapter(self, depth: int, facts: Mapping[str, Any]) -> Adapter:
        """The scale goes into `up`."""
        layers = tuple(
            {
                name: (self._down[f"{i}_{name}"].detach().cpu(), self._up[f"{i}_{name}"].detach().cpu() * SCALE)
                for name in MATRICES
            }
            for i in range(depth)
        )
        return Adapter(layers, self.head.weight.detach().cpu(), self.head.bias.detach().cpu(), facts)


Fitted = Callable[[Sequence[Example]], list[list[float]]]
"""Examples to probabilities of the classes."""


def fit(
    trunk: Trunk,
    examples: Sequence[Example],
    *,
    begun: Adapter | None = None,
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
    report: Callable[[str], None] = lambda _line: None,
) -> tuple[Adapter, Fitted]:
    """The adapter of `examples`, and what it says of others.

    Args:
        trunk: the model.
        examples: at least one.
        begun: is fitted further, with the recipe `FURTHER`; else a new one with `FIRST`.
        seed: of the order, the start and what is dropped.
        facts: what is kept with the numbers.
        report: told how the loss falls.
    """
    recipe = FIRST if begun is None else FURTHER
    torch.manual_seed(seed)
    order = random.Random(seed)  # noqa: S311  (an order, not secrets)
    parts = _Corrections(trunk, len(examples[0].allowed), seed, begun)
    head = list(parts.head.parameters())
    others = [p for p in parts.parameters() if all(p is not q for q in head)]
    optimizer = torch.optim.AdamW(
        [{"params": others, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}],
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    a_round = len(list(_batches(examples, random.Random(seed), recipe.batch_tokens)))  # noqa: S311
    total = recipe.epochs * a_round
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (WARM_UP * total + 1), max(0.0, (total - step) / total))
    )
    fitted: Fitted = lambda others: _predict(trunk, parts, others, 4 * recipe.batch_tokens)  # noqa: E731
    for epoch in range(1, recipe.epochs + 1):
        parts.train()
        losses = torch.zeros((), device=trunk.device)
        count = 0
        for batch in _batches(examples, order, recipe.batch_tokens):
            allowed = torch.tensor([e.allowed for e in batch], device=trunk.device).log()
            counts = torch.tensor([e.weight for e in batch], device=trunk.device)
            likelihood = (parts(trunk, _padded(batch, trunk.device)) + allowed).logsumexp(1)
            loss = -(counts * likelihood).sum() / counts.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses += loss.detach()
            count += 1
            if count % TOLD_EVERY == 0:
                report(f"  {count} of {a_round} steps: mean loss {float(losses) / count:.3f}")
        report(f"  epoch {epoch}: mean loss {float(losses) / max(1, count):.3f}")
    return parts.adapter(len(trunk.layers), facts or {}), fitted


@torch.inference_mode()
def _predict(trunk: Trunk, parts: _Corrections, examples: Sequence[Example], tokens: int) -> list[list[float]]:
    parts.eval()
    by_length = sorted(range(len(examples)), key=lambda i: len(examples[i].tokens))
    result: list[list[float]] = [[] for _ in examples]
    for batch in _filled(by_length, examples, tokens):
        said = parts(trunk, _padded([examples[i] for i in batch], trunk.device)).exp()
        for i, row in zip(batch, said.tolist(), strict=True):
            result[i] = row
    return result


def _batches(examples: Sequence[Example], order: random.Random, tokens: int) -> Iterator[list[Example]]:
    """Examples of like length together, so that little is padded; the batches in a drawn order."""
    shuffled = list(range(len(examples)))
    order.shuffle(shuffled)
    chunks = [shuffled[start : start + 512] for start in range(0, len(shuffled), 512)]
    batches = [
        [examples[i] for i in batch]
        for chunk in chunks
        for batch in _filled(sorted(chunk, key=lambda i: len(examples[i].tokens)), examples, tokens)
    ]
    order.shuffle(batches)
    yield from batches


def _filled(order: Sequence[int], examples: Sequence[Example], tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    longest = 0
    for i in order:
        longest = max(longest, min(len(examples[i].tokens), LONGEST))
        if batch and longest * (len(batch) + 1) > tokens:
            yield batch
            batch, longest = [], min(len(examples[i].tokens), LONGEST)
        batch.append(i)
    if batch:
        yield batch


def _padded(batch: Sequence[Example], device: str) -> Batch:
    beginnings, ends = [], []
    for example in batch:
        cut = max(0, len(example.tokens) - LONGEST)
        plain = max(cut, example.plain)
        beginnings.append(example.tokens[cut:plain])
        ends.append(example.tokens[plain:])
    return Batch(*_rectangle(beginnings, device), *_rectangle(ends, device))


def _rectangle(rows: Sequence[Sequence[int]], device: str) -> tuple[Tensor, Tensor]:
    """Ids (sequences, longest), and how many of each count (sequences,)."""
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *([0] * (width - len(row)))] for row in rows], dtype=torch.long, device=device)
    return ids.view(len(rows), width), torch.tensor([len(row) for row in rows], device=device)
