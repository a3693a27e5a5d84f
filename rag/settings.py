"""Every knob in one frozen object: defaults < footnote.toml < FOOTNOTE_* environment < arguments.

Unknown keys are refused with the nearest known one, wherever they were written. Knows what may be set and
within which bounds; does not know what the parts do with it.

    FOOTNOTE_MODEL__NAME=Qwen/Qwen3-4B-Instruct-2507 footnote ask "…"

    # footnote.toml
    [answer]
    evidence_sentences = 8
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
import pydantic_settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag.errors import SettingsError

BUNDLED_LIBRARY = Path(__file__).parent / "library" / "daily-papers.txt"
ENV_PREFIX = "FOOTNOTE_"
CONFIG_FILE = "footnote.toml"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class EmbeddingSettings(_Section):
    """Which model turns text into vectors, and how."""

    name: str = "sentence-transformers/all-MiniLM-L6-v2"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_size: int = Field(default=32, ge=1, le=1024)


class RetrievalSettings(_Section):
    """How candidate papers are found."""

    k: int = Field(default=5, ge=1, le=100, description="papers handed on")
    candidates: int = Field(default=50, ge=1, le=1000, description="passages taken from each ranking before fusion")
    fusion_constant: int = Field(default=10, ge=1, le=1000, description="the constant of reciprocal rank fusion")


class ModelSettings(_Section):
    """Which language model answers, and where it runs. `name` is a hub id, a local folder, or "auto"."""

    name: str = "auto"
    checker: str = Field(
        default="auto",
        min_length=1,
        description="the local model that says what evidence bears out: a name, auto (the one trained to), or self",
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16", "int8"] = "auto"
    base_url: str | None = Field(default=None, description="an OpenAI-compatible endpoint to use instead")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds its key")
    provider: str | None = Field(default=None, description="a LangChain provider for init_chat_model, e.g. ollama")
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    max_new_tokens: int = Field(default=160, ge=8, le=4096)
    context_tokens: int = Field(default=4096, ge=512, le=131072)
    timeout_s: float = Field(default=120.0, gt=0.0, le=3600.0)
    threads: int | None = Field(default=None, ge=1, le=256, description="CPU threads; all physical cores if unset")

    @property
    def is_remote(self) -> bool:
        """Whether the model runs elsewhere, so that there are no weights to fetch or load."""
        return self.base_url is not None or self.provider is not None


class AnswerSettings(_Section):
    """What the model is shown, and what of its text is kept."""

    evidence_papers: int = Field(default=3, ge=1, le=20)
    evidence_sentences: int = Field(default=5, ge=1, le=60)
    evidence_tokens: int = Field(default=240, ge=64, le=32768, description="budget of the evidence, in embedder tokens")
    further_quotes: int = Field(default=2, ge=0, le=10, description="sentences quoted after an explanation")
    support_threshold: float = Field(default=0.5, ge=0.0, le=1.0, description="below: a sentence is not shown as fact")
    abstain_threshold: float = Field(
        default=0.5, ge=0.0, le=1.0, description="likelihood of an answer below which to decline"
    )
    citations: Literal["attributed", "constrained"] = Field(
        default="attributed",
        description="who ties sentences to evidence: the check, or first the model, by markers that exist",
    )
    rewrites: bool = Field(default=True, description="whether a draft of which nothing holds is written anew once")
    second_opinion: bool = Field(
        default=True, description="whether the model is asked if what is cited says all of a sentence in other words"
    )
    max_question_chars: int = Field(default=4000, ge=100, le=100_000)


class Settings(BaseSettings):
    """All settings of one Rag. Frozen; `settings.id` names this exact combination."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        toml_file=CONFIG_FILE,
        validate_default=True,
    )

    library: Path = BUNDLED_LIBRARY
    home: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("footnote", appauthor=False)))
    """Where weights and indexes are kept."""
    data: Path | None = None
    """Where conversations, feedback and changes of libraries are kept, which no cache cleaner may touch; see
    `data_folder`."""
    terminal_history: bool = True
    """Whether what is typed in `footnote chat --terminal` is kept there for the next time."""
    embedding: EmbeddingSettings = EmbeddingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    model: ModelSettings = ModelSettings()
    answer: AnswerSettings = AnswerSettings()

    @field_validator("library", "home", "data")
    @classmethod
    def _at_home(cls, path: Path | None) -> Path | None:
        """`~` is the reader's home, though no shell has written it out."""
        return path if path is None else path.expanduser()

    def __init__(self, **values: Any) -> None:
        """Read every source, later ones winning.

        Raises:
            SettingsError: an unknown key or a value out of range, in any of the sources.
        """
        _refuse_unknown_environment()
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _explain(error) from error
        except pydantic_settings.SettingsError as error:  # text where a table is wanted: FOOTNOTE_MODEL=name
            found = re.search(r'field "(\w+)" from source "EnvSettingsSource"', str(error))
            name = f"{ENV_PREFIX}{found[1].upper()}" if found else ENV_PREFIX
            raise SettingsError(
                f"{name} holds several settings and cannot be text.", f"Name the one that is meant, as in {name}__NAME."
            ) from error
        except ValueError as error:  # a footnote.toml that is not TOML
            raise SettingsError(f"{CONFIG_FILE} cannot be read: {error}.", "Mend or remove it.") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then environment, then the TOML file (pydantic-settings does not add TOML by itself)."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def data_folder(self) -> Path:
        """`data`; if unset, within a `home` that was set, or the system's place for a user's data."""
        if self.data is not None:
            return self.data
        if "home" in self.model_fields_set:
            return self.home / "data"
        return Path(platformdirs.user_data_dir("footnote", appauthor=False))

    @property
    def id(self) -> str:
        """Ten hex digits that name what shapes an answer: everything but where files lie and what is kept."""
        shaping = self.model_dump_json(exclude={"home", "library", "data", "terminal_history"})
        return hashlib.sha256(shaping.encode()).hexdigest()[:10]


_REPLACEABLE = {"retrieval": None, "answer": None, "model": {"max_new_tokens", "name"}}


def replaced(settings: Settings, sections: Mapping[str, Mapping[str, Any]]) -> Settings:
    """`settings` with some values replaced, of those that need no other index.

    Raises:
        SettingsError: an unknown setting, a value out of range, or one that cannot be replaced.
    """
    sections_now = {}
    for name, values in sections.items():
        allowed = _REPLACEABLE.get(name, set())
        if allowed is not None and (fixed := sorted(set(values) - allowed)):
            raise SettingsError(f"Setting {f'{name}.{fixed[0]}'!r} is fixed once a Rag is open.", "Open another Rag.")
        section = getattr(settings, name)
        try:
            sections_now[name] = type(section)(**{**section.model_dump(), **values})
        except ValidationError as error:
            raise _explain(error, name) from error
    return settings.model_copy(update=sections_now)


def _known_keys() -> list[str]:
    """Dotted setting names, e.g. `answer.evidence_tokens`."""
    keys = []
    for name, field in Settings.model_fields.items():
        section = field.annotation
        keys.append(name)
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys += [f"{name}.{inner}" for inner in section.model_fields]
    return keys


def _nearest(key: str) -> str:
    found = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.4)
    return f"Did you mean {found[0]!r}?" if found else f"Known settings: {', '.join(_known_keys())}."


def _refuse_unknown_environment() -> None:
    """pydantic-settings ignores a misspelt variable without a word; a reader would not notice for days."""
    known = {ENV_PREFIX + key.upper().replace(".", "__") for key in _known_keys()}
    for name in os.environ:
        if name.startswith(ENV_PREFIX) and name.upper() not in known:
            key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            raise SettingsError(f"Unknown setting in the environment: {name!r}.", _nearest(key))


def _explain(error: ValidationError, section: str = "") -> SettingsError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in ([section] if section else []) + list(first["loc"]))
    if first["type"] == "extra_forbidden":
        return SettingsError(f"Unknown setting {key!r}.", _nearest(key))
    return SettingsError(f"Setting {key!r} cannot be {first['input']!r}: {first['msg']}.", "Change it and run again.")
