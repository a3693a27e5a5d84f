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
    checker: str = ""
    """The model that checks what the other wrote; "" where that is the same."""

    @property
    def line(self) -> str:
        """All of it but the reason, in one line."""
        checker = f", checked by {self.checker}" if self.checker else ""
        return f"{self.model} · {self.dtype} on {self.device}{checker} · {self.index}"


def describe(model: Any, manifest: Manifest, checker: Any) -> Description:
    """The description of a model, of the index that `manifest` tells of, and of the model that checks."""
    embedder = manifest.embedder.rsplit("/", 1)[-1]
    return Description(
        model=model_id_of(model).rsplit("/", 1)[-1],
        device=getattr(model, "device", "remote"),
        dtype=getattr(model, "dtype", "as served"),
        reason=getattr(model, "reason", "A remote endpoint was set."),
        index=f"{manifest.size}, {embedder}",
        checker="" if checker is model else model_id_of(checker).rsplit("/", 1)[-1],
    )


def model_id_of(model: Any) -> str:
    """What a chat model calls itself; the name of its class where it says nothing."""
    for name in ("model_id", "model_name", "model"):
        found = getattr(model, name, None)
        if isinstance(found, str):
            return found
    return type(model).__name__
