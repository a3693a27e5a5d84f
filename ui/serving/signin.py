"""Sign-in for the page and for the API: one check of names and passwords behind both.

The page asks on a form and keeps a cookie (Gradio does that); the API reads the `Authorization` header, `Basic` with
name and password, or `Bearer` with a token or with `name:password`, which is what an OpenAI client can send. Too many
wrong passwords for a name close it for a while. Knows nothing of where accounts are kept.
"""

from __future__ import annotations

import base64
import binascii
import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, to_thread

from rag import FootnoteError
from ui.serving.accounts import Accounts

log = logging.getLogger(__name__)

Check = Callable[[str, str], bool | Awaitable[bool]]

MOST_WRONG = 10
WRONG_WITHIN_S = 60.0
_REMEMBERED = 10_000
LONGEST_NAME = 200


class SignIn:
    """Whether somebody is who they say. `check` takes name and password; it may be a coroutine function."""

    def __init__(self, check: Check, by_token: Callable[[str], str | None] = lambda _token: None) -> None:
        self._check = check
        self._by_token = by_token
        self._wrong: dict[str, deque[float]] = {}
        self._checking = CapacityLimiter(2)  # hashing is slow on purpose: guesses must not take all cores

    @classmethod
    def of(cls, accounts: Accounts) -> SignIn:
        """Sign-in by a file of accounts."""
        return cls(accounts.check, accounts.by_token)

    async def password(self, name: str, password: str) -> bool:
        """Whether `password` is that of `name`; False for a while after too many wrong ones."""
        name = name.strip()
        if len(name) > LONGEST_NAME:
            return False
        async with self._checking:  # looked, checked and counted in turn: guesses sent at once are counted, too
            wrong = self._wrong.get(name, deque())
            while wrong and wrong[0] < time.monotonic() - WRONG_WITHIN_S:
                wrong.popleft()
            if len(wrong) >= MOST_WRONG:
                return False
            if len(self._wrong) >= _REMEMBERED:
                self._wrong.clear()
            began = time.monotonic()
            self._wrong.setdefault(name, wrong).append(began)  # wrong until it is found to be right
            if fits := await self._fits(name, password):
                wrong.remove(began)
            return fits

    async def _fits(self, name: str, password: str) -> bool:
        try:
            found: Any = await to_thread.run_sync(self._check, name, password)
            return bool(await found if inspect.isawaitable(found) else found)
        except Exception:  # a damaged file, or whatever a function of one's own does: a stranger need not know
            log.exception("Nobody can sign in")
            return False

    async def header(self, authorization: str) -> str | None:
        """The name behind an `Authorization` header; None where there is no such person."""
        scheme, _, value = authorization.strip().partition(" ")
        value = value.strip()
        if scheme.lower() == "bearer":
            if (owner := self._owner(value)) is not None:
                return owner
            name, colon, password = value.partition(":")
        elif scheme.lower() == "basic":
            name, colon, password = _decoded(value).partition(":")
        else:
            return None
        return name.strip() if colon and await self.password(name, password) else None

    def _owner(self, token: str) -> str | None:
        try:
            return self._by_token(token)
        except FootnoteError:
            log.exception("Nobody can sign in")
            return None


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
