"""Text to unit vectors with a sentence-transformers model, as a LangChain `Embeddings`.

Queries and documents go through `encode_query` and `encode_document`, so that a model's own prompts are used
(LangChain's HuggingFaceEmbeddings calls plain `encode` and skips them). Knows nothing of papers, passages or
the index; does not fetch weights: it is given the folder they lie in.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

Purpose = Literal["query", "document"]


class SentenceEmbeddings(Embeddings):
    """Unit vectors, so that a dot product is a cosine. Safe to call from several threads: one encodes at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        batch_size: int = 32,
    ) -> None:
        self.name = name
        self.revision = revision
        self._model = _open(folder, device)
        self._batch_size = batch_size
        self._lock = threading.Lock()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Most tokens of one text that the model reads, special tokens included; what is past it is cut."""
        return int(self._model.max_seq_length or 512)

    @property
    def device(self) -> str:
        """Where it runs, e.g. "cpu"."""
        return str(self._model.device)

    def count_tokens(self, text: str) -> int:
        """Tokens that the model sees for `text`, special tokens included."""
        return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def encode(self, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
        """Vectors of `texts`, float32 of shape (n_texts, dimension), each of length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        encode = self._model.encode_query if purpose == "query" else self._model.encode_document
        with self._lock:
            vectors = encode(
                list(texts),
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's door to `encode(texts, "document")`."""
        return [[float(x) for x in row] for row in self.encode(texts, "document")]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's door to `encode([text], "query")`."""
        return [float(x) for x in self.encode([text], "query")[0]]


def _open(folder: Path, device: str) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    options: dict[str, Any] = {}
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        options["model_kwargs"] = {"dtype": torch.float16}
    return SentenceTransformer(str(folder), device=device, local_files_only=True, **options)
