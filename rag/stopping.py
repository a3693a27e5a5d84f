"""Leaving off in the middle of a question: between two readings of the model, of which one question may need dozens.

Who asks can close a stream only between its events, and between some of them seconds pass. So the way of a question
calls a `Check` before each reading, which raises `Stopped` once nobody waits for the answer any more.
"""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], None]


class Stopped(Exception):  # nothing went wrong; it never leaves `Rag`
    """Nobody waits for the answer any more."""


def never() -> bool:
    """Whether an answer was stopped that nothing can stop."""
    return False


def check_of(stopped: Callable[[], bool]) -> Check:
    """The check that raises once `stopped` says yes."""

    def check() -> None:
        if stopped():
            raise Stopped

    return check


NO_CHECK = check_of(never)
