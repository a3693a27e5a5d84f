"""The line before the model: who is answered now, who waits and at which place, and who is not let in.

One line for all doors (page, HTTP API, Gradio's API), so that nobody overtakes. First come, first served. It also
counts each person's questions a minute, and closes for a clean end. Lives in the event loop of the server; knows
nothing of questions, models or HTTP.

Source of the rate: the generic cell rate algorithm (ITU-T I.371), a leaky bucket that keeps one number a person.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from rag.errors import FootnoteError

ANSWERS_AT_ONCE = 1
"""One model on one device: two answers at a time would each come half as fast."""

LONGEST = 200
"""Most questions that wait; the next one is told to come back."""

LOOK_AGAIN_S = 1.0
"""How often somebody who waits is shown to be still there."""

_BURST = 10
"""Questions that may come at once before the rate holds them back."""
_REMEMBERED = 10_000


class Refused(FootnoteError):
    """A question that is not let in; `retry_after_s` says when to come back, `status` is the HTTP status."""

    status = 503

    def __init__(self, problem: str, remedy: str, retry_after_s: int) -> None:
        super().__init__(problem, remedy)
        self.retry_after_s = retry_after_s


class TooMany(Refused):
    """This person has asked too much in too short a time."""

    status = 429


class LineFull(Refused):
    """Too many questions wait already."""


class Closing(Refused):
    """The server is about to end."""


class Place:
    """A place in a Line: a context manager that leaves it. `ahead` counts the questions before this one."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    @property
    def ahead(self) -> int:
        """Questions that come before this one, the running ones among them; 0 when it is this one's turn."""
        return self._line.ahead_of(self)

    async def wait(self, look_again_s: float = LOOK_AGAIN_S) -> AsyncIterator[int]:
        """Each new `ahead`, and the old one again every `look_again_s` seconds, until it is this one's turn.

        Raises:
            Closing: the server ends before the turn comes.
        """
        while ahead := self.ahead:
            yield ahead
            self._changed.clear()
            if self.ahead == ahead:
                try:
                    await asyncio.wait_for(self._changed.wait(), look_again_s)
                except TimeoutError:
                    continue

    def leave(self) -> None:
        """Give the place up, from any thread; again does nothing."""
        self._line.leave(self)

    def tell(self) -> None:
        """Called by the line, from any thread, when something changed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()


class Line:
    """First come, first served.

    Args:
        at_once: how many may be at the model together.
        longest: how many may wait behind them.
        questions_a_minute: what one person may ask in the long run; 0 sets no limit.
        now: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        at_once: int = ANSWERS_AT_ONCE,
        longest: int = LONGEST,
        questions_a_minute: float = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._longest = longest
        self._every_s = 60 / questions_a_minute if questions_a_minute else 0.0
        self._now = now
        self._places: list[Place] = []  # in order; the first `at_once` are at the model
        self._free_at: dict[str, float] = {}
        self._closed = False
        self._lock = threading.Lock()

    @property
    def running(self) -> int:
        """Questions at the model."""
        return min(len(self._places), self._at_once)

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return max(0, len(self._places) - self._at_once)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def enter(self, who: str = "") -> Place:
        """A place at the end for a question of `who`, a name that tells people apart. Leave it in any case.

        Raises:
            TooMany, LineFull, Closing: see their text.
        """
        with self._lock:
            if self._closed:
                raise _closing()
            if self.waiting >= self._longest:
                raise LineFull("Too many questions wait already.", "Ask again in a minute.", retry_after_s=60)
            self._count(who)
            place = Place(self)
            self._places.append(place)
            return place

    def ahead_of(self, place: Place) -> int:
        """How many come before `place`; 0 when it is its turn.

        Raises:
            Closing: it waits, and the server ends. `ValueError` where it has left.
        """
        with self._lock:
            index = self._places.index(place)
            if index < self._at_once:
                return 0
            if self._closed:
                raise _closing()
            return index

    def leave(self, place: Place) -> None:
        """Take `place` out of the line; one that is not in it changes nothing."""
        with self._lock:
            if place in self._places:
                self._places.remove(place)
                self._tell_all()

    def close(self) -> None:
        """Let nobody in any more and send those away who wait; who is at the model may finish."""
        with self._lock:
            self._closed = True
            self._tell_all()

    def count(self, who: str) -> None:
        """Count something that `who` asks for and that takes no place.

        Raises:
            TooMany: more than the rate allows.
        """
        with self._lock:
            self._count(who)

    def _tell_all(self) -> None:
        for place in self._places:
            place.tell()

    def _count(self, who: str) -> None:
        if not self._every_s:
            return
        now = self._now()
        free_at = max(self._free_at.get(who, now), now)
        wait_s = free_at - now - (_BURST - 1) * self._every_s
        if wait_s > 0:
            problem = f"You ask faster than {60 / self._every_s:g} questions a minute."
            after = math.ceil(wait_s)
            raise TooMany(problem, f"Ask again in {after} s.", retry_after_s=after)
        if len(self._free_at) >= _REMEMBERED:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[who] = free_at + self._every_s


def _closing() -> Closing:
    return Closing("Footnote is being shut down.", "Ask again when it is back.", retry_after_s=30)
