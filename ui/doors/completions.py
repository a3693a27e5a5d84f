"""OpenAI's protocol over Footnote: `/v1/models` and `/v1/chat/completions`, for every client that speaks it.

The last user message is the question, earlier user and assistant messages are its history; a system message is not
used, as Footnote's prompts are its own. `where`, a filter, and `references: false`, which leaves out the list of
sources below the text, are read beside OpenAI's fields (`extra_body` in its client). Sampling parameters are accepted
and not used; what would change the shape of the answer (tools, several choices, JSON, images) is refused.

A streamed answer is sent when it has been checked, a sentence a chunk: a client of this protocol shows what it gets
as the answer, so nothing unchecked is sent. Until then comment lines keep the connection and say the place in the
line. The last chunk, and a whole completion, carry the receipt in the extra field `footnote`: `Answer.to_dict()`,
with every citation, fit for `/api/verify`.

Source: OpenAI API reference, "Chat Completions" and "Streaming events".
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from json import dumps
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from rag import Answer
from rag.cli import cite
from ui.answering import Waiting, answer, events
from ui.conversations.conversation import without_markers
from ui.doors.access import LARGEST_BODY, ApiError, Json, Who, api_error, only_json
from ui.doors.api import Engine, streamed, unless_gone
from ui.doors.message import LONGEST_HISTORY

MODEL = "footnote"

_SOURCES = "\n\n**Sources**\n\n"
_NOTICE = "\n\n(Note: "
_SENTENCE = re.compile(r".*?(?:\[\d+\]\s*)+|.+\Z", re.DOTALL)
_REFUSED = ("tools", "functions", "response_format", "audio", "modalities", "logprobs", "prediction")


class _Message(BaseModel):
    role: str
    content: str | list[dict[str, Any]] | None = None


class _StreamOptions(BaseModel):
    include_usage: bool = False


class Completion(BaseModel):
    """The fields of a request that Footnote reads."""

    model_config = ConfigDict(extra="allow")

    model: str
    messages: Annotated[list[_Message], Field(min_length=1, max_length=2000)]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    n: int | None = None
    where: dict[str, Any] | None = None
    references: bool = True


def completion_routes(engine: Engine) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1")
    began = int(time.time())
    model = {"id": MODEL, "object": "model", "created": began, "owned_by": "footnote"}
    count = _counter(engine.rag)

    @router.get("/models")
    async def models(_who: Who) -> Json:
        return Json({"object": "list", "data": [model]})

    @router.get("/models/{name:path}")
    async def one_model(name: str, _who: Who) -> Json:
        _known(name)
        return Json(model)

    @router.post("/chat/completions", dependencies=[Depends(only_json)], max_body_size=LARGEST_BODY)
    async def complete(body: Completion, request: Request, who: Who) -> Any:
        _known(body.model)
        _refuse_what_is_missing(body)
        question, history = _conversation(body.messages)
        reply = _Reply(body, count)
        asked: dict[str, Any] = {"history": history, "where": body.where, "who": who}
        if body.stream:
            return await streamed(events(engine.rag, engine.line, question, **asked), reply.chunks)
        return Json(reply.whole(await unless_gone(request, answer(engine.rag, engine.line, question, **asked))))

    return router


class _Reply:
    """One completion in OpenAI's shape."""

    def __init__(self, body: Completion, count: Callable[[str], int]) -> None:
        self._body = body
        self._count = count
        self._frame = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": MODEL}

    def whole(self, found: Answer) -> dict[str, Any]:
        """As one object."""
        message = {"role": "assistant", "content": self._content(found), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        frame = {**self._frame, "object": "chat.completion", "choices": [choice]}
        return {**frame, "usage": self._usage(found), "footnote": found.to_dict()}

    async def chunks(self, stream: AsyncIterator[Any]) -> AsyncGenerator[str]:
        """As server-sent events."""
        found: Answer | None = None
        yield self._chunk({"role": "assistant", "content": ""})
        try:
            async for event in stream:
                if isinstance(event, Answer):
                    found = event
                elif isinstance(event, Waiting):
                    yield f": {event.text}\n\n"
                else:
                    yield ": at work\n\n"
            assert found is not None
        except Exception as error:  # noqa: BLE001  # the edge: `ui.asking` has logged it
            yield f"data: {dumps(api_error(error).body)}\n\ndata: [DONE]\n\n"
            return
        for sentence in _SENTENCE.findall(self._content(found)):
            yield self._chunk({"content": sentence})
        yield self._chunk({}, "stop", footnote=found.to_dict())
        if self._body.stream_options is not None and self._body.stream_options.include_usage:
            yield self._data({"choices": [], "usage": self._usage(found)})
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._data({"choices": [choice], **more})

    def _data(self, more: dict[str, Any]) -> str:
        return f"data: {dumps({**self._frame, 'object': 'chat.completion.chunk', **more})}\n\n"

    def _content(self, found: Answer) -> str:
        return found.text + (sources(found) if self._body.references else "")

    def _usage(self, found: Answer) -> dict[str, int]:
        asked = sum(self._count(_text_of(message)) for message in self._body.messages)
        said = self._count(self._content(found))
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def sources(found: Answer) -> str:
    """What a reader needs below the text where the client shows nothing else: notice, and one line a citation."""
    notice = f"{_NOTICE}{found.notice})" if found.notice else ""
    if not found.citations:
        return notice
    lines = [f"{citation.marker}. “{citation.quote}” — {cite(citation.paper)}" for citation in found.citations]
    return notice + _SOURCES + "\n".join(lines)


def _known(name: str) -> None:
    if name != MODEL:
        raise ApiError(404, f"There is no model {name!r}; ask for {MODEL!r}.", "model_not_found", "model")


def _refuse_what_is_missing(body: Completion) -> None:
    if body.n not in (None, 1):
        raise ApiError(400, f"Footnote gives one answer, not {body.n}.", "unsupported", "n")
    extra = body.model_extra or {}
    for name in _REFUSED:
        wanted = extra.get(name)
        is_plain = name in ("response_format", "modalities") and wanted in ({"type": "text"}, ["text"])
        if wanted and not is_plain:
            raise ApiError(400, f"Footnote answers in text of its own making: no {name!r}.", "unsupported", name)


def _conversation(messages: list[_Message]) -> tuple[str, list[dict[str, str]]]:
    for place, message in enumerate(messages):
        _text_of(message)  # refused now what cannot be read, also where it is not heeded: it is counted
        if message.role in ("tool", "function"):
            raise ApiError(400, "Footnote calls no tools and reads no results.", "unsupported", f"messages.{place}")
        if message.role not in ("user", "assistant", "system", "developer"):
            raise ApiError(400, f"There is no role {message.role!r}.", "bad_request", f"messages.{place}.role")
    if messages[-1].role != "user":
        raise ApiError(400, "The last message has to be the user's.", "bad_request", "messages")
    earlier = [message for message in messages[:-1] if message.role in ("user", "assistant")][-LONGEST_HISTORY:]
    history = [{"role": message.role, "content": _said(message)} for message in earlier]
    return _text_of(messages[-1]), history


def _said(message: _Message) -> str:
    words = _text_of(message)
    if message.role != "assistant":
        return words
    return without_markers(words.partition(_SOURCES)[0].partition(_NOTICE)[0])


def _text_of(message: _Message) -> str:
    if not isinstance(message.content, list):
        return message.content or ""
    parts = []
    for part in message.content:
        if part.get("type") not in ("text", "refusal"):
            raise ApiError(400, f"Footnote reads text alone, not {part.get('type')!r}.", "unsupported", "messages")
        parts.append(str(part.get("text") or ""))
    return "\n".join(parts)


def _counter(rag: Any) -> Callable[[str], int]:
    """Tokens of a text by the model's tokenizer; words where it has none here, as a remote one."""
    count: Callable[[str], int] | None = getattr(rag, "count_tokens", None)
    return count or (lambda text: len(text.split()))
