"""Low-rank corrections that teach the lower layers of a language model one judgement, and the head that reads it.

An adapter belongs to one model. For a reading alone, small matrices are added to those of the layers: the output of
each becomes W x + up (down x). What the last of these layers holds at the last token is brought to unit root mean
square, and a linear head turns it into log-odds of classes. Generation is not touched: the model's own matrices stay.

Knows arrays and files; knows nothing of prompts, engines, or what the classes mean.

Source: LoRA, Hu et al. 2022 (arXiv:2106.09685).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rag.errors import ModelError

MATRICES = ("qkv", "output", "gate_up", "down")
"""Those of a layer, as `checkpoint.LayerTensors` has them: query, key and value are one, and so are gate and up."""

Correction = tuple[Tensor, Tensor]
"""`down` (rank, inputs) and `up` (outputs, rank), float32. For qkv and gate_up the inputs are those after the norm."""


@dataclass(frozen=True, eq=False)
class Adapter:
    """`layers[i]` has a correction for each name of `MATRICES`; `weights` (classes, hidden) and `bias` (classes,)."""

    layers: tuple[Mapping[str, Correction], ...]
    weights: Tensor
    bias: Tensor
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Layers that are read."""
        return len(self.layers)

    @property
    def version(self) -> str:
        """Changes with the numbers."""
        return str(self.facts.get("version", "0"))

    def log_probabilities(self, state: Tensor) -> Tensor:
        """Of the classes, (…, classes), for states (…, hidden)."""
        length = state.float().square().mean(-1, keepdim=True).add(1e-6).rsqrt()
        return (torch.nn.functional.linear(state.float() * length, self.weights, self.bias)).log_softmax(-1)

    def save(self, path: Path) -> None:
        """Write as safetensors in bfloat16; `facts` go into the header as JSON."""
        from safetensors.torch import save_file

        tensors = {
            f"{i}.{name}.{part}": tensor
            for i, layer in enumerate(self.layers)
            for name, correction in layer.items()
            for part, tensor in zip(("down", "up"), correction, strict=True)
        }
        tensors |= {"weights": self.weights, "bias": self.bias}
        half = {name: tensor.detach().cpu().bfloat16().contiguous() for name, tensor in tensors.items()}
        save_file(half, path, metadata={"facts": json.dumps(dict(self.facts), sort_keys=True)})

    @classmethod
    def load(cls, path: Path) -> Adapter:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing, or no adapter.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
                facts = json.loads((file.metadata() or {})["facts"])
            depth = 1 + max(int(name.split(".")[0]) for name in tensors if "." in name)
            layers = tuple(
                {m: (tensors[f"{i}.{m}.down"], tensors[f"{i}.{m}.up"]) for m in MATRICES} for i in range(depth)
            )
            return cls(layers, tensors["weights"], tensors["bias"], facts)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise ModelError(f"{str(path)!r} is no adapter: {error}.", "Fetch it again from the repository.") from error
