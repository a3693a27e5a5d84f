"""What answers here and why, in words for the reader: the model, where it runs, and the index.

Knows the attributes that local and remote models carry; opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.index_files import Manifest


@dataclass(frozen=True, slots=True)
class Description:
    """What answers here and why, in words for the reader."""

    model: str
    device: str
    dtype: str
    reason: str
    index: str

    @property
    def line(self) -> str:
        """All of it but the reason, in one line."""
        return f"{self.model} · {self.dtype} on {self.device} · {self.index}"


def describe(model: Any, manifest: Manifest) -> Description:
    """The description of a model and of the index that `manifest` tells of."""
    embedder = manifest.embedder.rsplit("/", 1)[-1]
    return Description(
        model=model_id_of(model).rsplit("/", 1)[-1],
        device=getattr(model, "device", "remote"),
        dtype=getattr(model, "dtype", "as served"),
        reason=getattr(model, "reason", "A remote endpoint was set."),
        index=f"{manifest.n_papers} papers, {manifest.n_passages} passages, {embedder}",
    )


def model_id_of(model: Any) -> str:
    """What a chat model calls itself; the name of its class where it says nothing."""
    for name in ("model_id", "model_name", "model"):
        found = getattr(model, name, None)
        if isinstance(found, str):
            return found
    return type(model).__name__
