"""Tells the reader how far a long transfer is.

A report is a function of one line of text. Lines that replace one another (`Progress`) say how far they are,
so that a terminal can draw them over each other and a log can leave most of them out. Knows nothing of what
is being moved.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TextIO

Report = Callable[[str], None]
"""Called with one line, without a line end; from another thread while something is being watched."""

_BAR_WIDTH = 24
_INTERVAL_S = 0.25


class Progress(str):
    """A line about something under way; `share` in [0, 1] is how much is done."""

    __slots__ = ("share",)

    share: float

    def __new__(cls, text: str, share: float) -> Self:
        """The line `text`."""
        line = super().__new__(cls, text)
        line.share = share
        return line


class Terminal:
    """A report on stderr: one bar that moves on a terminal, a line every tenth elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._tenth = -1
        self._drawn = 0

    def __call__(self, line: str) -> None:
        """Show a line."""
        stream = self._stream or sys.stderr
        if not isinstance(line, Progress):
            self._end(stream)
            print(line, file=stream, flush=True)
        elif stream.isatty():
            filled = round(line.share * _BAR_WIDTH)
            text = f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {line}"
            print(f"\r{text.ljust(self._drawn)}", end="", file=stream, flush=True)
            self._drawn = len(text)
            if line.share >= 1:
                self._end(stream)
        elif int(line.share * 10) != self._tenth:
            self._tenth = int(line.share * 10)
            print(line, file=stream, flush=True)

    def _end(self, stream: TextIO) -> None:
        if self._drawn:
            print(file=stream)
        self._drawn, self._tenth = 0, -1


class Meter:
    """Makes progress lines out of bytes done, with speed and time left. `total` is in bytes; `label` may change."""

    def __init__(self, report: Report, total: int, label: str) -> None:
        self.label = label
        self._report = report
        self._total = max(1, total)
        self._started = time.monotonic()
        self._first: int | None = None
        self._shown = 0.0
        self._last = -1

    def at(self, done: int) -> None:
        """Report that `done` bytes are there, unless that was done a moment ago."""
        now = time.monotonic()
        done = max(min(done, self._total), self._last)  # never backwards: a file may be renamed while it is counted
        if done == self._last:
            return
        if self._first is None:
            self._first = done
        elif now - self._shown < _INTERVAL_S and done < self._total:
            return
        self._shown, self._last = now, done
        share = done / self._total
        speed = (done - self._first) / max(now - self._started, 1e-3)
        text = f"{share:4.0%}  {size_text(done)} of {size_text(self._total)}"
        if speed > 0:
            text += f"  {size_text(int(speed))}/s  {_time_text((self._total - done) / speed)} left"
        self._report(Progress(f"{text}  {self.label}", share))


@contextmanager
def watching(meter: Meter, done: Callable[[], int]) -> Iterator[None]:
    """Report `done()` a few times a second from a thread of its own while the block runs, and at its end."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_INTERVAL_S):
            meter.at(done())

    thread = threading.Thread(target=watch, name="footnote-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    meter.at(done())


def size_text(size: int) -> str:
    """A size for people: `1.12 GB`, `345 MB`, `12 kB`."""
    for unit, factor, digits in (("GB", 1e9, 2), ("MB", 1e6, 0), ("kB", 1e3, 0)):
        if size >= factor:
            return f"{size / factor:.{digits}f} {unit}"
    return f"{size} B"


def _time_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
