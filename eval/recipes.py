"""Other people's systems for questions over documents, each as its own documentation builds it.

All get the same: the library (title and abstract as one document), the embedder, the chat model with its settings, and
the question. What a recipe does not name (splitters, how many documents, prompts) is its documentation's or its code's
default; nothing was tuned, in either direction. They are imported when opened: `pip install '.[peers]'`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag import FootnoteError, Paper, Rag


class PeerError(FootnoteError):
    """A peer is not installed or could not be opened."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a peer said; `found`: (paper, text) that its model read, best first; `cites`: [n] points to the n-th."""

    text: str
    found: tuple[tuple[Paper, str], ...]
    cites: bool


PACKAGES = ("langchain", "langchain-text-splitters", "llama-index-core", "haystack-ai", "txtai")
"""What the recipes are made with."""

Ask = Callable[[str], Reply]

LANGCHAIN_PROMPT = (
    "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer the "
    "question. If you don't know the answer, just say that you don't know. Use three sentences maximum and keep the "
    "answer concise.\nQuestion: {question} \nContext: {context} \nAnswer:"
)
HAYSTACK_PROMPT = (
    "Given the following information, answer the question.\n\nContext:\n{% for document in documents %}\n"
    "    {{ document.content }}\n{% endfor %}\n\nQuestion: {{question}}\nAnswer:"
)
TXTAI_PROMPT = (
    "Answer the following question using only the context below. Only include information specifically discussed.\n\n"
    "question: {question}\ncontext: {context}"
)


def document(paper: Paper) -> str:
    """A paper as every peer gets it."""
    return f"{paper.title}\n\n{paper.abstract}"


def langchain_tutorial(rag: Rag) -> Ask:
    """LangChain's RAG tutorial: chunks of 1,000 characters, a vector store, four of them, the prompt rlm/rag-prompt.

    Source: python.langchain.com/docs/tutorials/rag.
    """
    from langchain_core.documents import Document
    from langchain_core.vectorstores import InMemoryVectorStore
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    papers = {paper.id: paper for paper in rag.papers}
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    documents = [Document(document(paper), metadata={"id": paper.id}) for paper in rag.papers]
    store = InMemoryVectorStore(rag.retriever.encoder)
    store.add_documents(splitter.split_documents(documents))

    def ask(question: str) -> Reply:
        found = store.similarity_search(question)
        context = "\n\n".join(item.page_content for item in found)
        text = rag.model.invoke(LANGCHAIN_PROMPT.format(question=question, context=context)).text
        return Reply(str(text), tuple((papers[i.metadata["id"]], i.page_content) for i in found), cites=False)

    return ask


def llama_index_citations(rag: Rag) -> Ask:
    """LlamaIndex's CitationQueryEngine over a VectorStoreIndex, similarity_top_k=3, citation_chunk_size=512.

    Source: the example "CitationQueryEngine" of docs.llamaindex.ai.
    """
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
    from llama_index.core.llms.callbacks import llm_completion_callback
    from llama_index.core.query_engine import CitationQueryEngine

    encoder, model = rag.retriever.encoder, rag.model

    class _Embedding(BaseEmbedding):  # type: ignore[misc, unused-ignore]
        def _get_text_embedding(self, text: str) -> list[float]:
            return list(encoder.embed_documents([text])[0])

        def _get_query_embedding(self, query: str) -> list[float]:
            return list(encoder.embed_query(query))

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    class _Model(CustomLLM):  # type: ignore[misc, unused-ignore]
        @property
        def metadata(self) -> Any:
            window = getattr(model, "context_tokens", rag.settings.model.context_tokens)
            return LLMMetadata(context_window=window, num_output=rag.settings.model.max_new_tokens)

        @llm_completion_callback()
        def complete(self, prompt: str, formatted: bool = False, **_options: Any) -> Any:  # noqa: FBT001, FBT002
            return CompletionResponse(text=str(model.invoke(prompt).text))

        @llm_completion_callback()
        def stream_complete(self, prompt: str, formatted: bool = False, **_options: Any) -> Any:  # noqa: FBT001, FBT002
            yield self.complete(prompt)

    papers = {paper.id: paper for paper in rag.papers}
    documents = [Document(text=document(paper), metadata={"id": paper.id}) for paper in rag.papers]
    index = VectorStoreIndex.from_documents(documents, embed_model=_Embedding())
    engine = CitationQueryEngine.from_args(index, llm=_Model(), similarity_top_k=3, citation_chunk_size=512)

    def ask(question: str) -> Reply:
        response = engine.query(question)
        found = [
            (papers[item.node.metadata["id"]], item.node.get_content().partition("\n")[2].strip())
            for item in response.source_nodes
        ]
        return Reply(str(response), tuple(found), cites=True)

    return ask


def haystack_first_pipeline(rag: Rag) -> Ask:
    """Haystack's first RAG pipeline: an in-memory store, its ten best documents, the prompt of the tutorial.

    Source: haystack.deepset.ai/tutorials/27_first_rag_pipeline.
    """
    os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # it would report each pipeline to its makers
    from haystack import Document, Pipeline, component
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.dataclasses import ChatMessage
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    encoder, model = rag.retriever.encoder, rag.model

    @component
    class _Generator:
        def __init__(self) -> None:
            # Told here: haystack compares types, and this module's annotations are texts.
            component.set_input_type(self, "messages", list[ChatMessage])

        @component.output_types(replies=list[ChatMessage])  # type: ignore[untyped-decorator, unused-ignore]
        def run(self, **given: Any) -> dict[str, Any]:
            text = model.invoke([("user", str(message.text)) for message in given["messages"]]).text
            return {"replies": [ChatMessage.from_assistant(str(text))]}

    papers = {paper.id: paper for paper in rag.papers}
    texts = [document(paper) for paper in rag.papers]
    vectors = encoder.embed_documents(texts)
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(
        [
            Document(content=text, meta={"id": paper.id}, embedding=vector)
            for paper, text, vector in zip(rag.papers, texts, vectors, strict=True)
        ]
    )
    pipeline = Pipeline()
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store, top_k=5))
    builder = ChatPromptBuilder(template=[ChatMessage.from_user(HAYSTACK_PROMPT)], required_variables="*")
    pipeline.add_component("prompt_builder", builder)
    pipeline.add_component("llm", _Generator())
    pipeline.connect("retriever", "prompt_builder.documents")
    pipeline.connect("prompt_builder.prompt", "llm.messages")

    def ask(question: str) -> Reply:
        given = {
            "retriever": {"query_embedding": encoder.embed_query(question)},
            "prompt_builder": {"question": question},
        }
        done = pipeline.run(given, include_outputs_from={"retriever"})
        found = tuple((papers[d.meta["id"]], str(d.content)) for d in done["retriever"]["documents"])
        return Reply(str(done["llm"]["replies"][0].text), found, cites=False)

    return ask


def txtai_rag(rag: Rag) -> Ask:
    """Txtai's RAG pipeline over an embeddings database with content, its three best texts, the documented prompt.

    Source: neuml.github.io/txtai/pipeline/text/rag.
    """
    from txtai import RAG, Embeddings

    encoder, model = rag.retriever.encoder, rag.model

    def transform(texts: Sequence[str]) -> Any:
        import numpy as np

        return np.asarray(encoder.embed_documents(list(texts)), dtype=np.float32)

    def generate(prompts: Sequence[Any], **_options: Any) -> list[str]:
        asked = [[(turn["role"], turn["content"]) for turn in prompt] for prompt in prompts]
        return [str(model.invoke(messages).text) for messages in asked]

    papers = {paper.id: paper for paper in rag.papers}
    embeddings = Embeddings(method="external", transform=transform, content=True)
    embeddings.index([(paper.id, document(paper), None) for paper in rag.papers])
    pipeline = RAG(
        embeddings,
        generate,
        system="You are a friendly assistant. You answer questions from users.",
        template=TXTAI_PROMPT,
        output="flatten",
    )

    def ask(question: str) -> Reply:
        found = tuple((papers[row["id"]], str(row["text"])) for row in embeddings.search(question, 3))
        return Reply(str(pipeline(question)), found, cites=False)

    return ask


RECIPES: Mapping[str, Callable[[Rag], Ask]] = {
    "langchain": langchain_tutorial,
    "llama-index": llama_index_citations,
    "haystack": haystack_first_pipeline,
    "txtai": txtai_rag,
}
"""Recipes by the name of their project."""


def open_peer(name: str, rag: Rag) -> Ask:
    """The peer called `name`, with the parts of `rag`.

    Raises:
        PeerError: there is none of that name, or it is not installed.
    """
    if name not in RECIPES:
        raise PeerError(f"There is no peer {name!r}.", f"There are: {', '.join(RECIPES)}.")
    try:
        return RECIPES[name](rag)
    except ImportError as error:
        raise PeerError(f"{error.name} is not installed.", "pip install '.[peers]'.") from error
