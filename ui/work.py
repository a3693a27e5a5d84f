"""One long piece of work in a thread of its own: looked at, stopped; it goes on when the reader leaves.

Knows nothing of Gradio or of what is done.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rag import FootnoteError

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: parts done of how many, seconds so far, and about how many are left (None while unknown)."""

    done: int
    total: int
    elapsed_s: float
    left_s: float | None


class Stopped(Exception):
    """Somebody stopped the work."""


class Work(Generic[T]):
    """Running work. Whoever looks asks `is_running` and `step`; `result` is there when it has ended."""

    def __init__(self, do: Callable[[Callable[[int, int], None]], T]) -> None:
        self._do = do
        self._started = time.monotonic()
        self._at = (0, 0)
        self._stop_wanted = threading.Event()
        self._ended = threading.Event()
        self._ended_at = 0.0
        self._result: T | None = None
        self._failure: Exception | None = None
        threading.Thread(target=self._run, name="footnote-work", daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop_wanted.is_set()

    @property
    def ended_s(self) -> float:
        """Seconds since it ended; 0 while it runs."""
        return 0.0 if self.is_running else time.monotonic() - self._ended_at

    @property
    def step(self) -> Step:
        """How far it is now."""
        done, total = self._at
        elapsed = time.monotonic() - self._started
        return Step(done, total, elapsed, elapsed / done * (total - done) if 0 < done <= total else None)

    def stop(self) -> None:
        """End it at its next report, by an exception there; what reports nothing more comes to its end."""
        self._stop_wanted.set()

    def join(self, timeout_s: float) -> None:
        """Wait for its end, at most this long."""
        self._ended.wait(timeout_s)

    @property
    def failure(self) -> Exception | None:
        """What the work raised, `Stopped` where it was stopped; None while it runs, and where it came to its end."""
        return self._failure

    @property
    def result(self) -> T:
        """What came of it, once it has come to its end."""
        assert self._ended.is_set()
        assert self._failure is None
        return self._result  # type: ignore[return-value]

    def _run(self) -> None:
        try:
            self._result = self._do(self._tell)
        except (FootnoteError, Stopped) as error:
            self._failure = error
        except Exception as error:  # the edge: the reader gets a plain sentence, the log gets it whole
            log.exception("Work failed")
            self._failure = error
        finally:
            self._ended_at = time.monotonic()
            self._ended.set()

    def _tell(self, done: int, total: int) -> None:
        if self._stop_wanted.is_set():
            raise Stopped
        self._at = (done, total)
        time.sleep(0.002)  # whoever waits for the embedder has it now: a lock let go of and taken at once is not shared


def said_of(step: Step, noun: str) -> str:
    """`640 of 2,000 passages, about 20 s left`; what is not known yet is left out."""
    if not step.total:
        return ""
    left = "" if step.left_s is None or step.done == step.total else f", about {time_words(step.left_s)} left"
    return f"{step.done:,} of {step.total:,} {noun}{left}"


def time_words(seconds: float) -> str:
    """`8 s`, `3 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
