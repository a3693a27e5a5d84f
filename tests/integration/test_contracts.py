"""Our parts pass LangChain's own contract suites (the chat model's are in test_chat_contract)."""

from typing import Any

import pytest
from fakes import HashedEncoder
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests

from rag.index import LibraryIndex, build
from rag.retrieval import FusedRetriever
from rag.schema import Paper


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> LibraryIndex:
    folder = tmp_path_factory.mktemp("index")
    papers = [Paper(f"id-{n}", f"Paper {n}", f"This is example number {n} of a test query.") for n in range(8)]
    build(folder, papers, HashedEncoder())
    return LibraryIndex.open(folder, HashedEncoder())


class TestFusedRetriever(RetrieversIntegrationTests):
    index: LibraryIndex

    @pytest.fixture(autouse=True)
    def _give_index(self, opened):
        type(self).index = opened

    @property
    def retriever_constructor(self) -> type[FusedRetriever]:
        return FusedRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.index, "encoder": HashedEncoder()}

    @property
    def retriever_query_example(self) -> str:
        return "example query"


@pytest.mark.weights
class TestSentenceEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        from rag.embedding import SentenceEmbeddings

        return SentenceEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        from rag import Settings, weights

        settings = Settings()
        found = weights.find(settings.embedding.name, settings.home)
        return {"folder": found.path, "name": found.name, "revision": found.revision, "device": "cpu"}
