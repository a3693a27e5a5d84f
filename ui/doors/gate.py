"""A sign-in before any ASGI application: whoever is not known gets 401 and never reaches what is behind."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from ui.doors.access import Json, error_body
from ui.serving.signin import SignIn


class Gate:
    """`app` for those whom `sign_in` knows by their `Authorization` header."""

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and await self._who(scope) is None:
            message = "Sign in: Authorization: Bearer <token of footnote auth token>."
            refused = Json(error_body(401, message, "not_signed_in"), 401, {"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _who(self, scope: Scope) -> str | None:
        headers: Any = scope["headers"]
        said = next((value for name, value in headers if name == b"authorization"), b"")
        return await self._sign_in.header(said.decode("latin-1"))
