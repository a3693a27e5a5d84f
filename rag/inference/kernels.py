"""Products of a packed int8 matrix: oneDNN's where the CPU multiplies tiles (AMX), FBGEMM's on any other x86.

Both take rows within [-1, 1], make them integers in the same way, and give the same sums to the last bit.

Knows matrices; knows nothing of models.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor

INPUT_LIMIT = 127
"""Largest integer that an input becomes."""

Product = Callable[[Tensor], Tensor]
"""(tokens, inputs) float32 within [-1, 1] -> (tokens, outputs) float32. May write over its argument."""

_ZERO = INPUT_LIMIT + 1
"""What an input of 0 becomes: both kernels take unsigned inputs."""

_log = logging.getLogger(__name__)


def has_int8_engine() -> bool:
    """Whether this torch and this CPU have the quantised kernels (FBGEMM: x86 with AVX2)."""
    return "fbgemm" in torch.backends.quantized.supported_engines and _works(fbgemm_product)


@cache
def has_tiles() -> bool:
    """Whether this CPU multiplies tiles of int8 (AMX) and this torch knows how to."""
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return supported is not None and supported() and _works(onednn_product)


def _works(kernel: Callable[[Tensor, Tensor], Product]) -> bool:
    try:
        with packing():
            sums = kernel(torch.ones(8, 32, dtype=torch.int8), torch.ones(8))(torch.ones(1, 32))
        if torch.equal(sums, torch.full((1, 8), 32.0)):
            return True
        problem: object = "it counts wrongly"
    except (RuntimeError, AttributeError) as error:  # torch announces that these kernels will move some day
        problem = error
    _log.warning("%s can't be used: %s", kernel.__name__, problem)
    return False


@contextmanager
def packing() -> Iterator[None]:
    """Matrices packed inside can be FBGEMM's. Process-wide while it lasts, like the settings that it touches."""
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        with warnings.catch_warnings():
            # torch 2.13 announces that tensors of quantised type will go, without another way into this kernel yet:
            # https://github.com/pytorch/pytorch/issues/184982
            warnings.filterwarnings("ignore", message="torch.quantize_per_tensor", category=UserWarning)
            yield
    finally:
        torch.backends.quantized.engine = before


def product(weight: Tensor, scale: Tensor) -> Product:
    """The quicker product of (outputs, inputs) int8 with (outputs,) float32 scales; `weight` may be dropped then."""
    return (onednn_product if has_tiles() else fbgemm_product)(weight, scale)


def fbgemm_product(weight: Tensor, scale: Tensor) -> Product:
    """FBGEMM's; to be called within `packing`. Reads a matrix at a memory's full speed, multiplies with VNNI."""
    zeros = torch.zeros(len(scale), dtype=torch.long)
    quantised = torch._make_per_channel_quantized_tensor(weight, scale.double(), zeros, 0)
    packed = torch.ops.quantized.linear_prepack(quantised, None)
    multiply: Any = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
    return lambda inputs: multiply(inputs, 1 / INPUT_LIMIT, _ZERO, packed)


def onednn_product(weight: Tensor, scale: Tensor) -> Product:
    """oneDNN's: two to three times FBGEMM's speed from a hundred rows on where there are tiles, as quick at one row."""
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    # One factor for each output, so that it does not matter in what order a kernel multiplies by two.
    steps = scale.float() * torch.tensor(1 / INPUT_LIMIT)
    zeros = torch.zeros(len(scale), dtype=torch.int32)
    middle = torch.tensor(float(_ZERO))
    multiply: Any = torch.ops.onednn.qlinear_pointwise

    def run(inputs: Tensor) -> Tensor:
        # As FBGEMM does it: times the limit and plus the middle with one rounding, then to the nearest integer.
        integers = torch.add(middle, inputs, alpha=INPUT_LIMIT, out=inputs).round_().to(torch.uint8)
        sums: Tensor = multiply(integers, 1.0, _ZERO, packed, steps, zeros, None, 1.0, 0, torch.float32, "none", [], "")
        return sums

    return run
