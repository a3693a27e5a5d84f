"""Whose requests come from this machine: turns away those that name another host, and takes no proxy for a reader.

A web page of another site can have its own name answered with this machine's address (DNS rebinding): to the reader's
browser Footnote is then a part of that site, whose scripts may read what the reader may. The name that the browser
asked for stands in `Host`.

Starlette's TrustedHostMiddleware does the same and says "Invalid host header", from which nobody learns what to do.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from ui.serving.listening import THIS_MACHINE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REFUSAL = (
    "Footnote answers here by this machine's own names alone, such as http://127.0.0.1. "
    "Where a proxy shows it, start it with --root-path.\n"
)


SOMEBODY = "proxy"
"""The address of whoever is behind a proxy that tells none."""


class ThisMachine:
    """ASGI middleware: 421 for a `Host` that is none of `THIS_MACHINE`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        host = Headers(scope=scope).get("host", "") if scope["type"] in ("http", "websocket") else ""
        if not host or is_this_machine(f"//{host}"):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse(REFUSAL, 421)(scope, receive, send)


class BehindProxy:
    """ASGI middleware: who comes by a proxy on this machine that does not say for whom (X-Forwarded-For) is not taken
    for a reader at this machine, whose conversations and library are theirs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, as from somebody unknown."""
        if scope["type"] in ("http", "websocket") and not _is_elsewhere((scope.get("client") or ("",))[0]):
            scope = {**scope, "client": (SOMEBODY, 0)}
        await self._app(scope, receive, send)


def is_local(client: str) -> bool:
    """Whether a connection's other end is on this machine; one of IPv4 may come as one of IPv6: "::ffff:127.0.0.1"."""
    found = _address(client)
    return client in THIS_MACHINE or (found is not None and found.is_loopback)


def _is_elsewhere(client: str) -> bool:
    """Whether it is the address of another machine: what a proxy passes on may be any words of whoever asks."""
    found = _address(client)
    return found is not None and not found.is_loopback


def _address(client: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(client)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def is_this_machine(address: str) -> bool:
    """Whether an address such as "http://localhost:7860" or "//127.0.0.1" is one of this machine."""
    try:
        return urlsplit(address).hostname in THIS_MACHINE
    except ValueError:
        return False
