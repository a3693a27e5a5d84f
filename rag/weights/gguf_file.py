"""Reads a GGUF file: its metadata, and its tensors as float32, a few rows at a time.

Knows the container (header, typed metadata, tensor table, aligned data) and leaves the arithmetic of the
quantised types to the `gguf` package. Knows nothing of model architectures.

Source: the GGUF specification, version 3 (ggml's docs/gguf.md). The package's own reader wraps every element
of every array, which takes 15 s for a vocabulary of 151,936 tokens (2 cores of an AMD EPYC); this takes 0.2 s.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_CHUNK_VALUES = 1 << 22  # 16 MiB of float32: large enough to be fast, small enough not to matter
_GROUP_VALUES = 1 << 16  # gguf works 16 rows a call; short rows are joined up to this to spare it the calls


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor lies. `shape` is outermost first, as in PyTorch (the file has it the other way round)."""

    name: str
    shape: tuple[int, ...]
    quantization: int
    """Number of the ggml type, e.g. 8 for Q8_0."""
    offset: int
    """Bytes from the start of the file."""


class GgufFile:
    """An open GGUF file; a context manager.

    Raises:
        ValueError: it is not a little-endian GGUF file of version 2 or 3, or its header is cut off.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._position = 0
        try:
            self.metadata, self.tensors = self._read_header()
        except (struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
            self._map.close()
            raise ValueError(f"{path} has a broken GGUF header: {error!r}") from error
        except ValueError:
            self._map.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._map.close()

    def rows(self, tensor: Tensor, order: npt.NDArray[np.intp] | None = None) -> Iterator[npt.NDArray[np.float32]]:
        """The tensor's rows, dequantised, as arrays (n_rows, shape[-1]) float32 in `order` (default: as stored).

        Rows are handed out a few at a time, so that a large matrix never lies in memory whole.
        """
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
        from gguf.quants import dequantize

        kind = GGMLQuantizationType(tensor.quantization)
        block_values, block_bytes = GGML_QUANT_SIZES[kind]
        width = tensor.shape[-1]
        n_rows = prod(tensor.shape[:-1])
        row_bytes = width // block_values * block_bytes
        data = np.frombuffer(self._map, np.uint8, n_rows * row_bytes, tensor.offset).reshape(n_rows, row_bytes)
        step = max(1, _CHUNK_VALUES // width)
        for start in range(0, n_rows, step):
            chunk = data[start : start + step] if order is None else data[order[start : start + step]]
            joined = max(1, _GROUP_VALUES // 16 // width)
            while chunk.shape[0] % joined:
                joined -= 1
            values = dequantize(np.ascontiguousarray(chunk).reshape(-1, joined * row_bytes), kind)
            yield values.reshape(-1, width)
        del data  # or the map could not be closed

    def _read_header(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        if self._map[:4] != _MAGIC:
            raise ValueError(f"not a GGUF file: it starts with {self._map[:4]!r}")
        self._position = 4
        (version,) = self._unpack("I")
        if version not in _VERSIONS:
            raise ValueError(f"GGUF version {version} is not one of {_VERSIONS}")
        n_tensors, n_values = self._unpack("QQ")
        metadata = {}
        for _ in range(n_values):
            key = self._string()
            metadata[key] = self._value(self._unpack("I")[0])
        table = []
        for _ in range(n_tensors):
            name = self._string()
            shape = self._unpack(f"{self._unpack('I')[0]}Q")
            quantization, offset = self._unpack("IQ")
            table.append((name, tuple(reversed(shape)), quantization, offset))
        alignment = int(metadata.get("general.alignment", 32))
        start = -(-self._position // alignment) * alignment
        return metadata, {name: Tensor(name, shape, kind, start + at) for name, shape, kind, at in table}

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._map, self._position)
        self._position += struct.calcsize("<" + layout)
        return values

    def _string(self) -> str:
        (length,) = self._unpack("Q")
        text = self._map[self._position : self._position + length]
        if len(text) != length:
            raise IndexError("a string runs past the end of the file")
        self._position += length
        return text.decode("utf-8")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            inner, length = self._unpack("IQ")
            if inner in (_STRING, _ARRAY):
                return [self._value(inner) for _ in range(length)]
            return list(self._unpack(f"{length}{_SCALARS[inner]}"))
        return self._unpack(_SCALARS[kind])[0]
