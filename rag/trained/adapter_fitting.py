"""Fits an adapter: low-rank corrections of a language model's lower layers, and a head, by gradient descent.

Made for one GPU (a minute for three thousand examples on an H100); it runs on a CPU for tests. Deterministic up to the
order of sums on a GPU. Knows tokens and classes; knows nothing of what they mean.

Source: LoRA (Hu et al. 2022); Adam (Kingma and Ba 2015); a label that allows several classes counts by their sum.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rag import weights
from rag.errors import WeightsMissing
from rag.inference.adapter import MATRICES, Adapter
from rag.inference.checkpoint import Checkpoint
from rag.inference.decoder import Shape, rotary_tables
from rag.settings import Settings

RANK = 8
SCALE = 2.0
"""Of the corrections, as LoRA's alpha over rank."""
RATE = 3e-4
HEAD_RATE = 2e-3
EPOCHS = 2
WARM_UP = 0.1
"""Share of the steps in which the rate rises; then it falls to nothing."""
DROPOUT = 0.05
BATCH_TOKENS = 8192
DEPTH = 18
"""Layers of 28 that are corrected and read: two thirds of the time of all."""
LONGEST = 1024
"""Tokens of an example; its beginning is cut off beyond."""


SETTINGS = {
    "rank": RANK, "scale": SCALE, "rate": RATE, "epochs": EPOCHS, "dropout": DROPOUT, "batch_tokens": BATCH_TOKENS,
}  # fmt: skip
"""What an adapter was fitted with, to be kept beside its numbers."""


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, which classes the label allows (0 or 1 each), and how much it counts."""

    tokens: tuple[int, ...]
    allowed: tuple[float, ...]
    weight: float = 1.0


class Trunk:
    """The first `depth` layers of a Llama-shaped checkpoint, frozen, over batches of sequences padded on the right."""

    def __init__(self, config: Any, checkpoint: Checkpoint, depth: int, *, device: str) -> None:
        self.shape = Shape.of(config)
        self.device = device
        self.dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self.layers = [checkpoint.layer(index).on(device, self.dtype) for index in range(depth)]
        self.embedding = checkpoint.embedding.to(device, self.dtype)
        cos, sin = rotary_tables(config, LONGEST)
        self._cos, self._sin = cos[:, 0].to(device), sin[:, 0].to(device)

    def sizes(self, name: str) -> tuple[int, int]:
        """(outputs, inputs) of a matrix."""
        rows, columns = getattr(self.layers[0], name).shape
        return rows, columns

    def states(self, ids: Tensor, lengths: Tensor, adapt: Callable[[int, str, Tensor], Tensor]) -> Tensor:
        """Float32 (sequences, hidden) of each one's last token. `adapt` gives what a matrix's output is corrected by.

        Padding stands on the right, where a causal mask hides it from everything that counts.
        """
        hidden = self.embedding[ids].float()
        count, width = ids.shape
        cos, sin = self._cos[:width], self._sin[:width]
        shape = self.shape
        for index, layer in enumerate(self.layers):
            inputs = functional.rms_norm(hidden, (shape.hidden,), layer.attention_norm, shape.epsilon)
            inputs = inputs.to(self.dtype)
            qkv = functional.linear(inputs, layer.qkv, layer.qkv_bias) + adapt(index, "qkv", inputs)
            qkv = qkv.view(count, width, -1, shape.head_dim).transpose(1, 2)
            turned, values = torch.split(qkv, [shape.heads + shape.kv_heads, shape.kv_heads], dim=1)
            half = shape.head_dim // 2
            swapped = torch.cat((turned[..., half:], turned[..., :half]), dim=-1)
            turned = (turned.float() * cos + swapped.float() * sin).to(self.dtype)
            queries, keys = torch.split(turned, [shape.heads, shape.kv_heads], dim=1)
            mixed = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
            mixed = mixed.transpose(1, 2).reshape(count, width, -1)
            hidden = hidden + functional.linear(mixed, layer.output) + adapt(index, "output", mixed)
            inputs = functional.rms_norm(hidden, (shape.hidden,), layer.mlp_norm, shape.epsilon).to(self.dtype)
            gate_up = functional.linear(inputs, layer.gate_up) + adapt(index, "gate_up", inputs)
            gate, up = gate_up.chunk(2, dim=-1)
            inner = functional.silu(gate) * up
            hidden = hidden + functional.linear(inner, layer.down) + adapt(index, "down", inner)
        found: Tensor = hidden[torch.arange(count, device=hidden.device), lengths - 1]
        return found


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
    return Trunk(AutoConfig.from_pretrained(found.path), Checkpoint(found.path), DEPTH, device=device)


class _Corrections(torch.nn.Module):
    """What is fitted."""

    def __init__(self, trunk: Trunk, classes: int, seed: int) -> None:
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

    def correct(self, index: int, name: str, inputs: Tensor) -> Tensor:
        """What is added to a matrix's output."""
        key = f"{index}_{name}"
        dropped = functional.dropout(inputs, DROPOUT, self.training)
        inner = functional.linear(dropped, self._down[key].to(inputs.dtype))
        return functional.linear(inner, self._up[key].to(inputs.dtype)) * SCALE

    def forward(self, trunk: Trunk, ids: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (sequences, classes)."""
        state = trunk.states(ids, lengths, self.correct)
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
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
    report: Callable[[str], None] = lambda _line: None,
) -> tuple[Adapter, Fitted]:
    """The adapter of `examples`, and what it says of others.

    Args:
        trunk: the model.
        examples: at least one.
        seed: of the order, the start and what is dropped.
        facts: what is kept with the numbers.
        report: told how the loss falls.
    """
    torch.manual_seed(seed)
    order = random.Random(seed)  # noqa: S311  (an order, not secrets)
    parts = _Corrections(trunk, len(examples[0].allowed), seed)
    head = list(parts.head.parameters())
    others = [p for p in parts.parameters() if all(p is not q for q in head)]
    optimizer = torch.optim.AdamW(
        [{"params": others, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01, betas=(0.9, 0.98)
    )
    total = EPOCHS * len(list(_batches(examples, random.Random(seed))))  # noqa: S311
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (WARM_UP * total + 1), max(0.0, (total - step) / total))
    )
    fitted: Fitted = lambda others: _predict(trunk, parts, others)  # noqa: E731
    for epoch in range(1, EPOCHS + 1):
        parts.train()
        losses = torch.zeros((), device=trunk.device)
        count = 0
        for batch in _batches(examples, order):
            ids, lengths = _padded(batch, trunk.device)
            allowed = torch.tensor([e.allowed for e in batch], device=trunk.device).log()
            counts = torch.tensor([e.weight for e in batch], device=trunk.device)
            likelihood = (parts(trunk, ids, lengths) + allowed).logsumexp(1)
            loss = -(counts * likelihood).sum() / counts.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses += loss.detach()
            count += 1
        report(f"  epoch {epoch}: mean loss {float(losses) / max(1, count):.3f}")
    return parts.adapter(len(trunk.layers), facts or {}), fitted


@torch.inference_mode()
def _predict(trunk: Trunk, parts: _Corrections, examples: Sequence[Example]) -> list[list[float]]:
    parts.eval()
    by_length = sorted(range(len(examples)), key=lambda i: len(examples[i].tokens))
    result: list[list[float]] = [[] for _ in examples]
    for batch in _filled(by_length, examples, 4 * BATCH_TOKENS):
        ids, lengths = _padded([examples[i] for i in batch], trunk.device)
        for i, row in zip(batch, parts(trunk, ids, lengths).exp().tolist(), strict=True):
            result[i] = row
    return result


def _batches(examples: Sequence[Example], order: random.Random) -> Iterator[list[Example]]:
    """Examples of like length together, so that little is padded; the batches in a drawn order."""
    shuffled = list(range(len(examples)))
    order.shuffle(shuffled)
    chunks = [shuffled[start : start + 512] for start in range(0, len(shuffled), 512)]
    batches = [
        [examples[i] for i in batch]
        for chunk in chunks
        for batch in _filled(sorted(chunk, key=lambda i: len(examples[i].tokens)), examples, BATCH_TOKENS)
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


def _padded(batch: Sequence[Example], device: str) -> tuple[Tensor, Tensor]:
    """Ids (sequences, longest) and lengths (sequences,)."""
    rows = [example.tokens[-LONGEST:] for example in batch]
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *([0] * (width - len(row)))] for row in rows], device=device)
    return ids, torch.tensor([len(row) for row in rows], device=device)
