"""LangChain's own contract suites, run against a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from rag.chat import LocalChatModel
from rag.inference.engine import Engine, load_engine
from tests.tiny_language_model import make_model


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder: Path = make_model(tmp_path_factory.mktemp("model"))
    return load_engine(folder, model_id="tiny", device="cpu", dtype="float32", context_tokens=2048, threads=1)


class _Tiny:
    @pytest.fixture(autouse=True)
    def _use(self, engine: Engine) -> None:
        type(self).engine = engine

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return LocalChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": type(self).engine}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


class TestUnitContract(_Tiny, ChatModelUnitTests):
    """Construction, standard parameters, tracing parameters."""


class TestIntegrationContract(_Tiny, ChatModelIntegrationTests):
    """Invoke, stream, batch, their async forms, conversation, usage, stop."""

    @property
    def returns_usage_metadata(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return False
