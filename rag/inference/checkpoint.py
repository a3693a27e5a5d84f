"""Reads a Llama-shaped checkpoint from a folder, one layer at a time, in float32.

Each layer comes as the four matrices that our forward pass runs: query, key and value on top of each other, the
attention's output, gate and up on top of each other, and down. Knows the names that transformers gives the
tensors; knows nothing of how they are run or quantised.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

SHAPED_LIKE_LLAMA = ("llama", "qwen2", "qwen3")
PLAIN_ROTARY = ("default", "linear", "llama3")
"""Rotary embeddings whose angles do not depend on the length of the text."""


@dataclass(frozen=True)
class LayerTensors:
    """One layer in float32; matrices are (outputs, inputs). Norm weights are (hidden,) or (head_dim,)."""

    attention_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    output: Tensor
    output_bias: Tensor | None
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor
    query_norm: Tensor | None
    key_norm: Tensor | None

    def on(self, device: torch.device | str, dtype: torch.dtype) -> LayerTensors:
        """The same on a device: matrices and biases in `dtype`, norms as they are."""

        def moved(name: str) -> Any:
            tensor = getattr(self, name)
            return None if tensor is None else tensor.to(device, tensor.dtype if name.endswith("_norm") else dtype)

        return LayerTensors(**{field.name: moved(field.name) for field in fields(self)})


def is_llama_shaped(config: Any) -> bool:
    """Whether our own forward pass runs this transformers configuration exactly."""
    rotary = getattr(config, "rope_parameters", None) or {}
    layer_types = set(getattr(config, "layer_types", None) or ["full_attention"])
    return (
        config.model_type in SHAPED_LIKE_LLAMA
        and config.hidden_act == "silu"
        and rotary.get("rope_type", "default") in PLAIN_ROTARY
        and rotary.get("partial_rotary_factor", 1.0) == 1.0
        and layer_types == {"full_attention"}
        and not getattr(config, "mlp_bias", False)
        and getattr(config, "quantization_config", None) is None
    )


class Checkpoint:
    """The safetensors files in `path`. Files are opened anew for each layer, so that few pages stay in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        index = path / "model.safetensors.index.json"
        if index.exists():
            self._file_of: dict[str, str] = json.loads(index.read_text())["weight_map"]
        else:
            with safe_open(path / "model.safetensors", "pt") as file:
                self._file_of = dict.fromkeys(file.keys(), "model.safetensors")

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether `path` holds safetensors weights."""
        return (path / "model.safetensors").exists() or (path / "model.safetensors.index.json").exists()

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change when a file of the checkpoint does."""
        facts = []
        for name in sorted({"config.json", *self._file_of.values()}):
            status = (self.path / name).stat()
            facts.append((name, status.st_size, status.st_mtime_ns))
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def read(self, *names: str) -> list[Tensor | None]:
        """Tensors by name in float32, None for those that the checkpoint does not have."""
        found: list[Tensor | None] = []
        for name in names:
            if name not in self._file_of:
                found.append(None)
                continue
            with safe_open(self.path / self._file_of[name], "pt") as file:
                found.append(file.get_tensor(name).float())
        return found

    def need(self, name: str) -> Tensor:
        """A tensor in float32.

        Raises:
            KeyError: the checkpoint has none of this name.
        """
        (tensor,) = self.read(name)
        if tensor is None:
            raise KeyError(name)
        return tensor

    @property
    def embedding(self) -> Tensor:
        """(vocabulary, hidden)."""
        return self.need("model.embed_tokens.weight")

    @property
    def final_norm(self) -> Tensor:
        """(hidden,)."""
        return self.need("model.norm.weight")

    @property
    def head(self) -> Tensor:
        """(vocabulary, hidden): the output matrix, or the embedding where the two are tied."""
        (head,) = self.read("lm_head.weight")
        return self.embedding if head is None else head

    def norms(self, index: int) -> tuple[Tensor, Tensor]:
        """Weights of the norms before a layer's attention and before its two-layer network, each (hidden,)."""
        at = f"model.layers.{index}."
        return self.need(f"{at}input_layernorm.weight"), self.need(f"{at}post_attention_layernorm.weight")

    def layer(self, index: int) -> LayerTensors:
        """The tensors of one layer, fused."""
        at = f"model.layers.{index}."
        biases = self.read(*(f"{at}self_attn.{name}_proj.bias" for name in "qkv"))
        attention_norm, mlp_norm = self.norms(index)
        query_norm, key_norm, output_bias = self.read(
            f"{at}self_attn.q_norm.weight", f"{at}self_attn.k_norm.weight", f"{at}self_attn.o_proj.bias"
        )
        return LayerTensors(
            attention_norm=attention_norm,
            qkv=torch.cat([self.need(f"{at}self_attn.{name}_proj.weight") for name in "qkv"]),
            qkv_bias=None if biases[0] is None else torch.cat([bias for bias in biases if bias is not None]),
            output=self.need(f"{at}self_attn.o_proj.weight"),
            output_bias=output_bias,
            mlp_norm=mlp_norm,
            gate_up=torch.cat([self.need(f"{at}mlp.{name}_proj.weight") for name in ("gate", "up")]),
            down=self.need(f"{at}mlp.down_proj.weight"),
            query_norm=query_norm,
            key_norm=key_norm,
        )
