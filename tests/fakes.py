"""Small honest parts for tests: an embedder that hashes words, a chat model that says what it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from eval.benchmarks.quoting import QuotingModel
from rag.index import LibraryIndex, build
from rag.language.terms import tokenize
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.schema import Paper
from rag.settings import Settings


class HashedEncoder(Embeddings):
    """Bag of words hashed into `dimension` buckets: texts that share words are near. Counts what it encodes."""

    def __init__(self, name: str = "tests/hashed", revision: str = "1", dimension: int = 256, max_tokens: int = 120):
        self.name = name
        self.revision = revision
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.encoded: list[str] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def encode(self, texts: Sequence[str], purpose: str) -> np.ndarray:
        if purpose == "document":
            self.encoded.extend(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in tokenize(text):
                vectors[row, int(hashlib.md5(term.encode()).hexdigest(), 16) % self.dimension] += 1.0
            norm = np.linalg.norm(vectors[row])
            vectors[row] = vectors[row] / norm if norm else np.eye(1, self.dimension, dtype=np.float32)[0]
        return vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.encode(texts, "document").tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.encode([text], "query")[0].tolist()


class ScriptedModel(BaseChatModel):
    """Says what `script` makes of the prompt, a word at a time; remembers its prompts and whether it was stopped."""

    script: Callable[[str], str]
    finish_reason: str = "stop"
    prompts: list[str] = []
    stopped: list[bool] = []

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def model_id(self) -> str:
        return "tests/scripted"

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> Iterator:
        prompt = "\n".join(str(message.content) for message in messages)
        self.prompts.append(prompt)
        finished = False
        try:
            for word in self.script(prompt).split(" "):
                yield ChatGenerationChunk(message=AIMessageChunk(content=word + " "))
            details = {"finish_reason": self.finish_reason}
            yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=details))
            finished = True
        finally:
            self.stopped.append(not finished)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        message = AIMessage(content=text, response_metadata={"finish_reason": self.finish_reason})
        return ChatResult(generations=[ChatGeneration(message=message)])


def quoting_rag(folder: Path, papers: Sequence[Paper]) -> Rag:
    """A Rag on `papers` whose model repeats the evidence sentence nearest to the question; its index is in `folder`."""
    encoder = HashedEncoder()
    build(folder, papers, encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(folder, encoder), encoder=encoder)
    return Rag(retriever=retriever, model=QuotingModel(), settings=Settings())
