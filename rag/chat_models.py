"""Opens the chat model that the settings describe: weights on this machine, or any remote model behind LangChain.

Knows settings and where a model runs; nothing of what it is asked.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel

from rag.chat import LocalChatModel
from rag.errors import MissingExtra, ModelError
from rag.inference.engine import load_engine
from rag.settings import ModelSettings


def open_chat_model(settings: ModelSettings, path: Path | None = None) -> BaseChatModel:
    """The chat model that the settings describe; `path` is the folder of local weights.

    Raises:
        MissingExtra: the package of a remote provider is not installed.
        ModelError, WeightsMissing: the local model can't be loaded here.
    """
    if settings.is_remote:
        return _open_remote(settings)
    if path is None:
        raise ModelError("A local model needs the folder of its weights.", "Give `path`, or set model.base_url.")
    engine = load_engine(
        path,
        model_id=settings.name if settings.name != "auto" else path.name.replace("--", "/"),
        device=settings.device,
        dtype=settings.dtype,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
    )
    return LocalChatModel(
        engine=engine,
        max_new_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        timeout_s=settings.timeout_s,
    )


def _open_remote(settings: ModelSettings) -> BaseChatModel:
    from langchain.chat_models import init_chat_model  # half a second, of no use to a local model

    if settings.name == "auto":
        raise ModelError("Which model an endpoint serves is not known.", "Set model.name, or FOOTNOTE_MODEL__NAME.")
    provider = settings.provider or "openai"
    options: dict[str, Any] = {
        "temperature": settings.temperature,
        "max_tokens": settings.max_new_tokens,
        "timeout": settings.timeout_s,
    }
    if settings.base_url is not None:
        options["base_url"] = settings.base_url
        # Local servers ask for no key, but the client refuses to start without one.
        options["api_key"] = os.environ.get(settings.api_key_env) or "none"
    try:
        model: BaseChatModel = init_chat_model(settings.name, model_provider=provider, **options)
    except ImportError as error:
        extra = "pip install '.[remote]'" if provider == "openai" else f"pip install langchain-{provider}"
        raise MissingExtra(f"The {provider!r} chat model is not installed.", f"{extra}.") from error
    return model
