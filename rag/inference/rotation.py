"""Orthogonal rotations that spread outliers over many channels, so that eight bits are enough for all of them.

Rotating the stream between layers costs nothing at run time: every matrix that writes it is multiplied by the
rotation once, every matrix that reads it by its inverse, and the root-mean-square norm in between does not see
it (its weight goes into the reading matrix first). Only the input of a layer's last matrix has to be rotated
while running, in small blocks. No calibration text is needed. Pure functions on tensors; knows no model.

Source: QuaRot, Ashkboos et al. 2024 (arXiv:2404.00456), after SmoothQuant (Xiao et al. 2022), which moves
outliers into the weights, and LLM.int8 (Dettmers et al. 2022), which keeps them in higher precision. Measured on
Qwen2.5-Coder-0.5B against float32 over 433 answer tokens, with one scale a token: KL 0.0096 without rotation,
0.0016 with it, at the same bit widths.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LARGEST_FACTOR = 32
"""Widest Hadamard matrix that is multiplied at once; wider ones are products of such."""


def hadamard(size: int) -> Tensor:
    """Orthonormal Hadamard matrix (size, size), float32; `size` is a power of two. Its own inverse."""
    matrix = torch.ones(1, 1)
    while matrix.shape[0] < size:
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return matrix / math.sqrt(size)


def power_of_two_in(size: int, limit: int = 1 << 30) -> int:
    """Largest power of two that divides `size` and is at most `limit`."""
    return min(size & -size, limit)


class Rotation:
    """A fixed orthogonal matrix (size, size) as a product of small factors, with random signs in front.

    `size` = 2^k * m: Hadamard factors for 2^k, one random orthogonal (m, m) matrix for the odd rest. The signs
    keep a channel mean from lining up with the first row of the Hadamard matrix.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        self.size = size
        self.signs = torch.randint(0, 2, (size,), generator=random).float() * 2 - 1
        even = power_of_two_in(size)
        self.factors: list[Tensor] = []
        rest = size // even
        if rest > 1:
            square = torch.randn(rest, rest, generator=random, dtype=torch.float64)
            self.factors.append(torch.linalg.qr(square).Q.float().contiguous())
        while even > 1:
            width = min(even, LARGEST_FACTOR)
            self.factors.append(hadamard(width))
            even //= width

    def rows(self, matrix: Tensor) -> Tensor:
        """A matrix (n, size) times the rotation, as a new tensor."""
        turned = matrix * self.signs
        inner = 1
        for factor in self.factors:
            width = factor.shape[0]
            turned = turned.view(-1, width) @ factor if inner == 1 else factor.T @ turned.view(-1, width, inner)
            inner *= width
        return turned.reshape(matrix.shape)

    def rows_back(self, matrix: Tensor) -> Tensor:
        """A matrix (n, size) times the inverse rotation, as a new tensor."""
        turned = matrix
        inner = self.size
        for factor in reversed(self.factors):
            inner //= factor.shape[0]
            turned = (
                turned.reshape(-1, factor.shape[0]) @ factor.T
                if inner == 1
                else factor @ turned.reshape(-1, factor.shape[0], inner)
            )
        return turned.reshape(matrix.shape) * self.signs

    def columns(self, matrix: Tensor) -> Tensor:
        """The inverse rotation times a matrix (size, n), as a new tensor."""
        return self.rows(matrix.T.contiguous()).T.contiguous()
