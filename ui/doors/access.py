"""What every request to the API passes: who it is from, whether it may come in, and how a refusal is said.

Errors have the shape that OpenAI's clients read: `{"error": {"message", "type", "param", "code"}}`. Never a stack
trace: what is unexpected is logged whole by `ui.asking` or uvicorn and answered by one plain sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag import FootnoteError
from rag.errors import BadFilter, BadQuestion, ContextOverflow, IndexProblem, ModelError, WeightsError
from ui.conversations.conversation import UNEXPECTED_PROBLEM, UNEXPECTED_REMEDY
from ui.serving.hosts import is_this_machine
from ui.serving.line import Refused
from ui.serving.signin import SignIn

LARGEST_BODY = 2_000_000
"""Bytes of a request to the API."""

_CODES = {400: "bad_request", 401: "not_signed_in", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(Exception):
    """A request that is refused: HTTP status, one sentence, and a code for programs."""

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(status, message, code, param)
        self.headers = dict(headers or {})


class Json(JSONResponse):
    """JSON in ASCII, so that half a surrogate pair in somebody's text cannot break it."""

    def render(self, content: Any) -> bytes:
        """As bytes."""
        return dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def error_body(status: int, message: str, code: str, param: str | None = None) -> dict[str, Any]:
    """The JSON of an error."""
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def api_error(error: Exception) -> ApiError:
    """Any exception as what the caller is told."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Refused):
        code = "rate_limit_exceeded" if error.status == 429 else "unavailable"
        return ApiError(error.status, str(error), code, headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, (BadQuestion, BadFilter, ContextOverflow)):
        return ApiError(400, str(error), "bad_question" if isinstance(error, BadQuestion) else "bad_request")
    if isinstance(error, (IndexProblem, ModelError, WeightsError)):
        return ApiError(503, str(error), "unavailable")
    if isinstance(error, FootnoteError):
        return ApiError(500, str(error), "failed")
    return ApiError(500, f"{UNEXPECTED_PROBLEM} {UNEXPECTED_REMEDY}", "failed")


async def caller(request: Request) -> str:
    """A name for whoever asks: who has signed in, or the address of the machine. The sign-in is the application's.

    Raises:
        ApiError: a web page of another site asks through somebody's browser, or nobody has signed in.
    """
    sign_in: SignIn | None = request.app.state.sign_in
    if sign_in is None:
        origin = request.headers.get("origin")
        if origin is not None and not is_this_machine(origin):
            raise ApiError(403, f"Web pages of {origin!r} may not ask here.", "forbidden_origin")
        return request.client.host if request.client else ""
    who = await sign_in.header(request.headers.get("authorization", ""))
    if who is None:
        message = "Sign in: Authorization: Bearer <token of footnote auth token>, or Basic with name and password."
        raise ApiError(401, message, "not_signed_in", headers={"WWW-Authenticate": 'Basic realm="Footnote"'})
    return who


Who = Annotated[str, Depends(caller)]
"""A parameter of a route: the name of whoever asks, who may come in."""


def only_json(request: Request) -> None:
    """A page of another site can send a form without being asked, but not JSON.

    Raises:
        ApiError: the body is not said to be JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ApiError(
            415, f"The body is {kind or None!r}; send Content-Type: application/json.", "unsupported_media_type"
        )


def respond(_request: Request, error: Exception) -> Json:
    """What an exception handler of the application answers."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        message = first["msg"] if not where else f"{where}: {first['msg']}"
        found = ApiError(400, f"The request cannot be read: {message}.", "bad_request", where or None)
    elif isinstance(error, HTTPException):
        code = _CODES.get(error.status_code, "bad_request")
        found = ApiError(error.status_code, str(error.detail), code, headers=error.headers)
    else:
        found = api_error(error)
    return Json(found.body, found.status, found.headers)
