"""Eight-bit matrices for the CPU, and a whole model made of them, kept in one file beside its weights.

Weights have one scale an output channel; inputs are quantised while running, with one scale a token: each row is
divided by its largest value, multiplied as integers with a fixed scale, and multiplied back. One packed copy of
the weights serves long prompts and single tokens. Integer sums are exact, so a token's result does not depend
on which others are in the batch: what speculation verifies is what plain decoding computes.

Knows matrices and files; knows nothing of prompts or generation. Sources: `rotation.py` for QuaRot; scales a
token and a channel as in LLM.int8 (Dettmers et al. 2022).
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from rag.inference.adapter import Adapter, Correction
from rag.inference.checkpoint import Checkpoint, LayerTensors
from rag.inference.decoder import Decoder, Layer, Shape, with_norms
from rag.inference.kernels import has_tiles, packing, product
from rag.inference.rotation import Rotation, hadamard, power_of_two_in

FILE = "int8-v1.safetensors"
WEIGHT_LIMIT = 90
"""Largest integer of a weight. Without VNNI, x86 adds pairs of products in 16 bits, which overflow
at 255 * 127 * 2. After rotation both are bell-shaped and 90 overflows practically never, see the table below.
KL to float32 on Qwen2.5-Coder-0.5B (inputs/weights): 63/127 0.0016, 127/64 0.0018, 127/100 0.0009,
127/127 0.0023 (it overflows)."""
DOWN_BLOCK = 32
"""Inputs of the last matrix of a layer are rotated in blocks of this many channels while running."""

Tensors = Callable[[str], Tensor | None]
"""Looks a tensor up by name."""

FEW_ROWS = 8
"""Up to this many rows one reduction over absolute values is quicker than two over the values."""

_log = logging.getLogger(__name__)


class Int8Matrix:
    """A packed int8 matrix: (tokens, inputs) float32 -> (tokens, outputs) float32.

    Args:
        weight: (outputs, inputs) int8.
        scale: (outputs,) float32; weight * scale is the matrix.
        bias: (outputs,) float32.
        epsilon: if given, inputs are divided by their root mean square first (a norm whose weight is in the matrix).
        block: if given, inputs are rotated by a Hadamard matrix in blocks of this many channels first.
    """

    def __init__(
        self,
        weight: Tensor,
        scale: Tensor,
        bias: Tensor | None = None,
        *,
        epsilon: float | None = None,
        block: int | None = None,
    ) -> None:
        self._multiply = product(weight, scale)
        self._bias = bias
        self._epsilon = epsilon
        self._block = None if block is None else hadamard(block)

    def __call__(self, inputs: Tensor) -> Tensor:
        """The product; rows of zeros are fine."""
        if self._block is not None:
            inputs = (inputs.view(-1, self._block.shape[0]) @ self._block).view_as(inputs)
        peak = _peaks(inputs)
        outputs = self._multiply(inputs / peak)
        if self._epsilon is not None:
            length = torch.linalg.vector_norm(inputs, dim=-1, keepdim=True)
            peak.mul_(length.square_().div_(inputs.shape[-1]).add_(self._epsilon).rsqrt_())
        return outputs.mul_(peak) if self._bias is None else torch.addcmul(self._bias, outputs, peak)


def _peaks(inputs: Tensor) -> Tensor:
    """Largest absolute value of each row, (tokens, 1), never 0.

    Not vector_norm with ord=inf, which takes 4.6 ms for 300 rows of 8,960 where these take 0.2 (two AVX2 cores).
    """
    if inputs.shape[0] <= FEW_ROWS:
        return inputs.abs().amax(-1, keepdim=True).clamp_min_(1e-30)
    return torch.maximum(inputs.amax(-1, keepdim=True), inputs.amin(-1, keepdim=True).neg_()).clamp_min_(1e-30)


def quantise(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """(outputs, inputs) float32 -> int8 of the same shape and float32 scales (outputs,)."""
    scale = matrix.abs().amax(1).clamp_min(1e-12) / WEIGHT_LIMIT
    return (matrix / scale[:, None]).round_().clamp_(-WEIGHT_LIMIT, WEIGHT_LIMIT).to(torch.int8), scale


def down_block(intermediate: int) -> int:
    """Channels rotated together before a layer's last matrix."""
    return power_of_two_in(intermediate, DOWN_BLOCK)


def convert(config: Any, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Every tensor of the int8 form of a checkpoint, by name. Takes about 20 s for 1.5 billion parameters."""
    shape = Shape.of(config)
    stream, head = Rotation(shape.hidden), Rotation(shape.head_dim, seed=1)
    tensors = {"embedding": stream.rows(checkpoint.embedding).bfloat16()}
    _add(tensors, "head", stream.rows(checkpoint.head * checkpoint.final_norm))
    for index in range(shape.layers):
        _add_layer(tensors, f"layers.{index}.", checkpoint.layer(index), shape, (stream, head))
    return tensors


def _add(tensors: dict[str, Tensor], name: str, matrix: Tensor, bias: Tensor | None = None) -> None:
    tensors[f"{name}.weight"], tensors[f"{name}.scale"] = quantise(matrix)
    if bias is not None:
        tensors[f"{name}.bias"] = bias


def _add_layer(
    tensors: dict[str, Tensor], at: str, layer: LayerTensors, shape: Shape, rotations: tuple[Rotation, Rotation]
) -> None:
    stream, head = rotations
    # Values are rotated within their head, and back by the attention's output matrix: mixing tokens lets it pass.
    qkv = stream.rows(layer.qkv * layer.attention_norm)
    values = slice((shape.heads + shape.kv_heads) * shape.head_dim, None)
    qkv[values] = _within_heads(qkv[values].T.contiguous(), head).T
    bias = layer.qkv_bias
    if bias is not None:
        bias = bias.clone()
        bias[values] = _within_heads(bias[values][None], head)[0]
    _add(tensors, f"{at}qkv", qkv, bias)
    output_bias = None if layer.output_bias is None else stream.rows(layer.output_bias[None])[0]
    _add(tensors, f"{at}output", stream.columns(_within_heads(layer.output, head)), output_bias)
    _add(tensors, f"{at}gate_up", stream.rows(layer.gate_up * layer.mlp_norm))
    block = hadamard(down_block(shape.intermediate))
    down = (stream.columns(layer.down).view(-1, block.shape[0]) @ block).view(layer.down.shape)
    _add(tensors, f"{at}down", down)
    for name, norm in (("query_norm", layer.query_norm), ("key_norm", layer.key_norm)):
        if norm is not None:
            tensors[f"{at}{name}"] = norm


def _within_heads(matrix: Tensor, rotation: Rotation) -> Tensor:
    """Each stretch of head_dim columns of a matrix (n, heads * head_dim) times the rotation."""
    return rotation.rows(matrix.reshape(-1, rotation.size)).view(matrix.shape)


def int8_decoder(config: Any, checkpoint: Checkpoint, context_tokens: int) -> Decoder:
    """The int8 model of a checkpoint: from the file beside it, made first where it is missing or out of date."""
    path = checkpoint.path / FILE
    tensors = None if _is_current(path, checkpoint) else _make(path, config, checkpoint)
    if tensors is not None:
        return _assemble(config, checkpoint, tensors.get, context_tokens)
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        # One by one, so that plain and packed copies never lie in memory together.
        found: Tensors = lambda name: file.get_tensor(name) if name in names else None  # noqa: E731
        return _assemble(config, checkpoint, found, context_tokens)


def _make(path: Path, config: Any, checkpoint: Checkpoint) -> dict[str, Tensor] | None:
    """Make the file `path`, unless another process makes it meanwhile; where it can't be kept, give its tensors."""
    with _alone_in(checkpoint.path):
        if _is_current(path, checkpoint):
            return None
        _log.info("Converting %s to int8, once.", checkpoint.path)
        tensors = convert(config, checkpoint)
        try:
            _save(tensors, path, checkpoint)
        except OSError as error:  # a read-only folder: works all the same, but is converted at every start
            _log.warning("The int8 form can't be kept beside its weights: %s", error)
            return tensors
        return None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Only one at a time works in `folder`, the others wait. Where a file system has no locks, nobody waits."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_current(path: Path, checkpoint: Checkpoint) -> bool:
    if not path.exists():
        return False
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    return metadata == _metadata(checkpoint)


def _metadata(checkpoint: Checkpoint) -> dict[str, str]:
    """What the file was made from and how: a file made otherwise would be read as noise."""
    return {"source": checkpoint.fingerprint, "weight_limit": str(WEIGHT_LIMIT), "down_block": str(DOWN_BLOCK)}


def _save(tensors: dict[str, Tensor], path: Path, checkpoint: Checkpoint) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        save_file(tensors, partial, metadata=_metadata(checkpoint))
        partial.chmod(0o644)  # safetensors writes for the owner alone
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _assemble(config: Any, checkpoint: Checkpoint, tensors: Tensors, context_tokens: int) -> Decoder:
    """Pack every matrix, as many at once as there are threads: packing is serial code, 9 s for 1.5 billion."""
    shape = Shape.of(config)
    block = down_block(shape.intermediate)
    options: dict[str, dict[str, Any]] = {
        "qkv": {"epsilon": shape.epsilon},
        "gate_up": {"epsilon": shape.epsilon},
        "down": {"block": block},
    }

    def matrix(name: str, **how: Any) -> Int8Matrix:
        weight, scale = tensors(f"{name}.weight"), tensors(f"{name}.scale")
        assert weight is not None, name
        assert scale is not None, name
        return Int8Matrix(weight, scale, tensors(f"{name}.bias"), **how)

    def layer(index: int) -> Layer:
        at = f"layers.{index}."
        matrices = {name: matrix(at + name, **options.get(name, {})) for name in ("qkv", "output", "gate_up", "down")}
        return Layer(**matrices, query_norm=tensors(f"{at}query_norm"), key_norm=tensors(f"{at}key_norm"))

    # Asked before the threads do: a kernel is tried out within settings of the whole process.
    most_drafted = 12 if has_tiles() else 4
    with packing(), ThreadPoolExecutor(torch.get_num_threads()) as pool:
        head = pool.submit(matrix, "head", epsilon=shape.epsilon)
        layers = list(pool.map(layer, range(shape.layers)))
    embedding = tensors("embedding")
    assert embedding is not None
    return Decoder(
        config,
        context_tokens,
        embed=lambda tokens: embedding[tokens].float(),
        layers=layers,
        head=head.result(),
        turn_back=Rotation(shape.hidden).rows_back,
        fold=lambda adapter: fold(adapter, checkpoint, shape),
        most_drafted=most_drafted,
    )


def fold(adapter: Adapter, checkpoint: Checkpoint, shape: Shape) -> list[dict[str, Correction]]:
    """An adapter's corrections for the rotated model, turned as `convert` turns its matrices."""
    stream, head = Rotation(shape.hidden), Rotation(shape.head_dim, seed=1)
    values = slice((shape.heads + shape.kv_heads) * shape.head_dim, None)
    layers = []
    for index, corrections in enumerate(adapter.layers):
        turned = with_norms(corrections, checkpoint, index)
        down, up = turned["qkv"]
        up = up.clone()
        up[values] = _within_heads(up[values].T.contiguous(), head).T
        turned["qkv"] = stream.rows(down), up
        down, up = turned["output"]
        turned["output"] = _within_heads(down, head), stream.columns(up)
        down, up = turned["gate_up"]
        turned["gate_up"] = stream.rows(down), up
        down, up = turned["down"]
        turned["down"] = down, stream.columns(up)
        layers.append(turned)
    return layers
