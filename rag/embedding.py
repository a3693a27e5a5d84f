"""Text to unit vectors with a sentence-transformers model, as a LangChain `Embeddings`.

Queries and documents go through `encode_query` and `encode_document`, so that a model's own prompts are used
(LangChain's HuggingFaceEmbeddings calls plain `encode` and skips them). Knows nothing of papers, passages or
the index; does not fetch weights: it is given the folder they lie in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from rag.inference.encoder import Int8Encoder

_BATCH_TOKENS = 1024
"""Tokens that go through the matrices together; more no longer fit the cache (1,024: 5.2 s, 2,048: 5.9 s)."""

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
        self._counter = deepcopy(self._model.tokenizer)  # a tokenizer keeps whether it truncates: one that never does
        self._int8 = _int8_form(self._model)

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
        return len(self._counter(text, truncation=False, verbose=False)["input_ids"])

    def encode(self, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
        """Vectors of `texts`, float32 of shape (n_texts, dimension), each of length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if self._int8 is not None:
            return self._encode_int8(self._int8, texts, purpose)
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

    def _encode_int8(self, form: Int8Encoder, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
        prompt = self._model.prompts.get(purpose) or ""
        limit = self.max_tokens
        with self._lock:
            read = self._model.tokenizer([prompt + text for text in texts], truncation=True, max_length=limit)
        ids = read["input_ids"]
        # Texts of like length go together, so that a batch is never one long text and many short ones.
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        with self._lock:
            for batch in _batches(order, [len(text) for text in ids]):
                vectors[batch] = form.encode([ids[i] for i in batch]).numpy()
        return vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's door to `encode(texts, "document")`."""
        return [[float(x) for x in row] for row in self.encode(texts, "document")]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's door to `encode([text], "query")`."""
        return [float(x) for x in self.encode([text], "query")[0]]


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for i in order:
        if batch and tokens + lengths[i] > _BATCH_TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(i)
        tokens += lengths[i]
    if batch:
        yield batch


def _int8_form(model: SentenceTransformer) -> Int8Encoder | None:
    """The quick form of the model for this CPU, or None where sentence-transformers itself has to run it."""
    if model.device.type != "cpu":
        return None
    from rag.inference.encoder import Int8Encoder
    from rag.inference.kernels import has_int8_engine

    parts = [type(part).__name__ for part in model]
    if parts not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return None
    bert = model[0].auto_model
    if not Int8Encoder.can_encode(bert, str(model[1].pooling_mode)) or not has_int8_engine():
        return None
    return Int8Encoder(bert)


def _open(folder: Path, device: str) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    options: dict[str, Any] = {}
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        options["model_kwargs"] = {"dtype": torch.float16}
    return SentenceTransformer(str(folder), device=device, local_files_only=True, **options)
