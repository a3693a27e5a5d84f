"""A decoder in plain float32: the oracle between transformers' forward pass and the int8 one."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional

from rag.inference.checkpoint import Checkpoint
from rag.inference.decoder import Decoder, Layer, Linear, Shape, with_norms


def float_decoder(config: Any, checkpoint: Checkpoint, context_tokens: int) -> Decoder:
    """A decoder in plain float32: what the int8 one is measured against."""
    shape = Shape.of(config)
    layers = []
    for index in range(shape.layers):
        tensors = checkpoint.layer(index)
        layers.append(
            Layer(
                qkv=_linear(tensors.qkv, tensors.qkv_bias, tensors.attention_norm, shape.epsilon),
                output=_linear(tensors.output, tensors.output_bias),
                gate_up=_linear(tensors.gate_up, None, tensors.mlp_norm, shape.epsilon),
                down=_linear(tensors.down, None),
                query_norm=tensors.query_norm,
                key_norm=tensors.key_norm,
            )
        )
    embedding = checkpoint.embedding
    return Decoder(
        config,
        context_tokens,
        embed=lambda tokens: embedding[tokens],
        layers=layers,
        head=_linear(checkpoint.head, None, checkpoint.final_norm, shape.epsilon),
        fold=lambda adapter: [with_norms(correction, checkpoint, i) for i, correction in enumerate(adapter.layers)],
    )


def _linear(weight: Tensor, bias: Tensor | None, norm: Tensor | None = None, epsilon: float = 0.0) -> Linear:
    def run(hidden: Tensor) -> Tensor:
        if norm is not None:
            hidden = functional.rms_norm(hidden, norm.shape, norm, epsilon)
        return functional.linear(hidden, weight, bias)

    return run
