"""The HTTP API beside the page: `/health`, `/api/ask`, `/api/search`, `/api/verify`.

Bodies and answers are JSON; an answer is `Answer.to_dict()`. With `"stream": true`, `/api/ask` sends server-sent
events: `queued` {"place"}, `evidence`, `draft` {"text"} (not checked yet), then `answer` or `error`. Errors have the
shape that `ui.doors.access` describes. Questions take their places in the same line as the page's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass
from json import dumps
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from rag import Answer, EvidenceFound, FootnoteError, __version__, verify
from ui.answering import Waiting, answer, events
from ui.doors.access import LARGEST_BODY, ApiError, Json, Who, api_error, caller, only_json, respond
from ui.doors.message import LONGEST_HISTORY, Message, as_history
from ui.serving.line import Line
from ui.serving.signin import SignIn

T = TypeVar("T")

_LOOK_FOR_CALLER_S = 0.5
NO_BUFFERING = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Engine:
    """What the API answers from."""

    rag: Any
    line: Line
    sign_in: SignIn | None = None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AskBody(_Body):
    """A question."""

    question: str
    history: list[Message] = Field(default=[], max_length=LONGEST_HISTORY)
    where: dict[str, Any] | None = None
    stream: bool = False


class SearchBody(_Body):
    """A search."""

    question: str
    k: int | None = Field(default=None, ge=1, le=100)
    where: dict[str, Any] | None = None


def add_api(app: FastAPI, engine: Engine, more: Callable[[Engine], APIRouter] | None = None) -> None:
    """Add the routes, and those of `more`, to the application; call it before a page is mounted at `/`."""
    app.state.sign_in = engine.sign_in
    for kind in (FootnoteError, ApiError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, respond)
    app.include_router(_health_routes(engine))
    app.include_router(_routes(engine))
    if more is not None:
        app.include_router(more(engine))
    app.include_router(_nothing_else())


def add_failed_health(app: FastAPI, problem: str, remedy: str) -> None:
    """`/health` of a page that can only say what is missing."""

    @app.get("/health")
    async def health() -> Json:
        return Json({"status": "unavailable", "version": __version__, "problem": problem, "remedy": remedy}, 503)


def _health_routes(engine: Engine) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def health(request: Request) -> Json:
        """Whether questions are taken, how many are at work, and, for those who may ask, from what."""
        line = engine.line
        state: dict[str, Any] = {
            "status": "closing" if line.closed else "ok",
            "version": __version__,
            "queue": {"running": line.running, "waiting": line.waiting},
        }
        with suppress(ApiError):
            await caller(request)
            about = engine.rag.description
            state["model"] = {"name": about.model, "device": about.device, "dtype": about.dtype}
            state["index"] = {"papers": len(engine.rag.papers), "description": about.index}
        return Json(state, 503 if line.closed else 200)

    return router


def _routes(engine: Engine) -> APIRouter:
    router = APIRouter(prefix="/api", dependencies=[Depends(only_json)])
    beside = CapacityLimiter(2)

    @router.post("/ask", max_body_size=LARGEST_BODY)
    async def ask(body: AskBody, request: Request, who: Who) -> Any:
        asked: dict[str, Any] = {"history": as_history(body.history), "where": body.where, "who": who}
        if body.stream:
            return await streamed(events(engine.rag, engine.line, body.question, **asked), _as_events)
        found = await unless_gone(request, answer(engine.rag, engine.line, body.question, **asked))
        return Json(found.to_dict())

    @router.post("/search", max_body_size=LARGEST_BODY)
    async def search(body: SearchBody, who: Who) -> Json:
        engine.line.count(who)
        retrieve = engine.rag.retrieve
        hits = await to_thread.run_sync(lambda: retrieve(body.question, k=body.k, where=body.where), limiter=beside)
        return Json({"hits": [asdict(hit) for hit in hits]})

    @router.post("/verify", max_body_size=LARGEST_BODY)
    async def check(receipts: dict[str, Any] | list[Any], who: Who) -> Json:
        engine.line.count(who)
        answers = receipts if isinstance(receipts, list) else [receipts]
        if not answers:
            raise ApiError(400, "There is no answer to check.", "bad_request")
        problems = await to_thread.run_sync(
            lambda: [[*verify(receipt, engine.rag.papers)] for receipt in answers], limiter=beside
        )
        return Json({"holds": not any(problems), "problems": problems})

    return router


def _nothing_else() -> APIRouter:
    """What is not there is said in JSON, not by the page."""
    router = APIRouter()

    async def nothing(request: Request) -> None:
        path = request.url.path
        raise ApiError(404, f"There is nothing at {request.method} {path!r}; see docs/doors.md.", "not_found")

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    for prefix in ("/api", "/v1"):
        router.add_api_route(prefix + "/{rest:path}", nothing, methods=methods)
    return router


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled when the caller hangs up."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_FOR_CALLER_S))[0]:
            if await request.is_disconnected():
                raise ApiError(499, "The caller hung up.", "gone")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def streamed(
    stream: AsyncGenerator[T], write: Callable[[AsyncIterator[T]], AsyncGenerator[str]]
) -> StreamingResponse:
    """`stream` as server-sent events, written by `write`; what fails before the first event is an HTTP error."""
    first = await anext(stream)

    async def whole() -> AsyncIterator[T]:
        yield first
        async for item in stream:
            yield item

    async def lines() -> AsyncIterator[str]:
        async with aclosing(stream), aclosing(write(whole())) as written:
            async for line in written:
                yield line

    return StreamingResponse(lines(), media_type="text/event-stream", headers=NO_BUFFERING)


async def _as_events(stream: AsyncIterator[Any]) -> AsyncGenerator[str]:
    try:
        async for event in stream:
            if isinstance(event, Waiting):
                yield _event("queued", {"place": event.ahead + 1})
            elif isinstance(event, EvidenceFound):
                yield _event("evidence", asdict(event))
            elif isinstance(event, Answer):
                yield _event("answer", event.to_dict())
            else:
                yield _event("draft", {"text": event.text})
    except Exception as error:  # noqa: BLE001  # the edge: `ui.asking` has logged it
        yield _event("error", api_error(error).body["error"])


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {dumps(data)}\n\n"
