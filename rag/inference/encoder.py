"""Our own forward pass for BERT-shaped embedders on a CPU: int8 matrices, no padding.

Texts are laid end to end: matrices see all their tokens at once, attention sees each text by itself, so nothing is
spent on padding. Matrices and scales are those of `int8.py`. Against sentence-transformers in float32 on the bundled
library: cosine at least 0.996 (mean 0.998), the same papers found; see docs/measurements.md for time and SciFact.

Knows token ids and tensors; knows nothing of texts or of where weights come from. Source: BERT, Devlin et al. 2018;
mean pooling as in Sentence-BERT, Reimers and Gurevych 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.inference.int8 import Int8Matrix, quantise
from rag.inference.kernels import packing


class _Layer(NamedTuple):
    qkv: Int8Matrix
    output: Int8Matrix
    attention_norm: nn.LayerNorm
    up: Int8Matrix
    down: Int8Matrix
    output_norm: nn.LayerNorm


class Int8Encoder:
    """A BERT model (transformers' `BertModel`) with mean pooling and unit length, for one thread at a time."""

    def __init__(self, model: Any) -> None:
        self._embeddings = model.embeddings
        self._heads = int(model.config.num_attention_heads)
        with packing():
            self._layers = [_layer(layer) for layer in model.encoder.layer]

    @staticmethod
    def can_encode(model: Any, pooling: str) -> bool:
        """Whether `model` has the shape that this forward pass is written for."""
        config = getattr(model, "config", None)
        return (
            type(model).__name__ == "BertModel"
            and pooling == "mean"
            and config is not None
            and config.hidden_act == "gelu"
            and getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
        )

    @torch.inference_mode()
    def encode(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Unit vectors, float32 of shape (n_texts, hidden), of token ids with their special tokens."""
        lengths = [len(text) for text in texts]
        tokens = torch.tensor([token for text in texts for token in text])
        positions = torch.cat([torch.arange(length) for length in lengths])
        words = self._embeddings
        hidden = words.LayerNorm(
            words.word_embeddings.weight[tokens]
            + words.position_embeddings.weight[positions]
            + words.token_type_embeddings.weight[0]
        )
        for layer in self._layers:
            mixed = self._attend(layer.qkv(hidden), lengths)
            hidden = layer.attention_norm(layer.output(mixed) + hidden)
            hidden = layer.output_norm(layer.down(functional.gelu(layer.up(hidden))) + hidden)
        means = torch.stack([text.mean(0) for text in torch.split(hidden, lengths)])
        return functional.normalize(means, dim=-1)

    def _attend(self, qkv: Tensor, lengths: Sequence[int]) -> Tensor:
        size = qkv.shape[-1] // 3
        mixed = []
        for text in torch.split(qkv.view(len(qkv), 3, self._heads, -1), list(lengths)):
            query, key, value = text.permute(1, 2, 0, 3)[:, None]
            seen = functional.scaled_dot_product_attention(query, key, value)
            mixed.append(seen[0].transpose(0, 1).reshape(-1, size))
        return torch.cat(mixed)


def _layer(layer: Any) -> _Layer:
    own = layer.attention.self
    parts = (own.query, own.key, own.value)
    return _Layer(
        qkv=_matrix(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts])),
        output=_matrix(layer.attention.output.dense.weight, layer.attention.output.dense.bias),
        attention_norm=layer.attention.output.LayerNorm,
        up=_matrix(layer.intermediate.dense.weight, layer.intermediate.dense.bias),
        down=_matrix(layer.output.dense.weight, layer.output.dense.bias),
        output_norm=layer.output.LayerNorm,
    )


def _matrix(weight: Tensor, bias: Tensor) -> Int8Matrix:
    values, scale = quantise(weight.detach().float())
    return Int8Matrix(values, scale, bias.detach().float())
