"""A stand-in for a language model that says the numbered sentence of its prompt which shares most with the question.

It needs no weights and takes no time, so that everything around a model can be measured by itself: retrieval, evidence,
citations. As a baseline it says how far plain quoting gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from eval.judges.features import read

NUMBERED = re.compile(r"^\[\d+\] (?P<text>.+)$", re.MULTILINE)
"""A sentence of a prompt's evidence."""
_ASKED = re.compile(r"^Question: (?P<text>.+)$", re.MULTILINE)


class QuotingModel(BaseChatModel):
    """Quotes one sentence; "" where the prompt has none."""

    model_id: str = "quoting@1"

    @property
    def _llm_type(self) -> str:
        return "footnote-quoting"

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_options: Any
    ) -> Iterator[ChatGenerationChunk]:
        text = best_sentence("\n".join(str(message.content) for message in messages))
        yield ChatGenerationChunk(message=AIMessageChunk(content=text, response_metadata={"finish_reason": "stop"}))

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_options: Any
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def best_sentence(prompt: str) -> str:
    """The numbered sentence of `prompt` with the largest share of the question's stems; the first of equals."""
    asked = _ASKED.findall(prompt)
    wanted = set(read(asked[-1]).stems) if asked else set()
    sentences = NUMBERED.findall(prompt)
    return max(sentences, key=lambda text: len(wanted & set(read(text).stems)), default="")
