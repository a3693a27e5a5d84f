"""One run of questions in a thread of its own: followed, stopped, polite to whoever else asks the same model.

What is asked and how it is scored is `eval.run`'s. Knows nothing of other runs or of pages.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from eval import run
from eval.cases import Case
from eval.judgement import Judge
from eval.scoring import Scored, is_right_and_cited
from rag import FootnoteError, Rag

log = logging.getLogger(__name__)


class Desk(Protocol):
    """What a run needs of whoever begins it."""

    def open(self) -> tuple[Rag, Judge | None]:
        """What answers and what judges."""

    def is_busy(self) -> bool:
        """Whether a reader is being answered now."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is. `last` is the last question answered, `is_right` what came of it (None: cannot be told)."""

    done: int
    total: int
    elapsed_s: float
    left_s: float | None
    right: int
    told: int
    last: str = ""
    is_right: bool | None = None


class Running:
    """A run that is under way, in a thread of its own."""

    def __init__(self, desk: Desk, folder: Path, label: str, cases: Sequence[Case]) -> None:
        self.name = folder.name
        self.label = label
        self.problem: tuple[str, str] | None = None
        """What went wrong, and what to do; None while nothing did."""
        self._desk = desk
        self._folder = folder
        self._cases = cases
        self._is_new = not (folder / run.ANSWERS).exists()
        self._scored: list[Scored] = []
        self._started = time.monotonic()
        self._before = 0
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="footnote-eval", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it still asks or scores."""
        return not self._ended.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    @property
    def step(self) -> Step:
        """How far it is now."""
        scored = list(self._scored)
        total, elapsed = len(self._cases), time.monotonic() - self._started
        asked = len(scored) - self._before
        left = elapsed / asked * (total - len(scored)) if asked > 0 else None
        marks = [mark for item in scored if (mark := is_right_and_cited(item)) is not None]
        if not scored:
            return Step(0, total, elapsed, left, 0, 0)
        last = scored[-1]
        return Step(
            len(scored), total, elapsed, left, sum(marks), len(marks), last.case.question, is_right_and_cited(last)
        )

    def stop(self) -> None:
        """End after the question that is being answered; what was answered is scored and kept."""
        self._stopped.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end, at most this long."""
        self._ended.wait(timeout_s)

    def _work(self) -> None:
        try:
            self._answer()
        except FootnoteError as error:
            self.problem = (error.problem, error.remedy)
        except Exception as error:  # a thread's edge: told on the page, logged whole
            log.exception("An eval run failed")
            self.problem = (f"The run failed: {type(error).__name__}: {error}", "The log of Footnote says more.")
        finally:
            if self._is_new and not self._scored:  # nothing of it is worth keeping
                shutil.rmtree(self._folder, ignore_errors=True)
            self._ended.set()

    def _answer(self) -> None:
        rag, judge = self._desk.open()
        asked = _Polite(rag, self._wait)
        scored: list[Scored] = []
        with suppress(_Stopped):
            scored = run.run(
                cast("Rag", asked),
                self._cases,
                report=self._told,
                folder=self._folder,
                judge=judge,
                progress=self._took,
            )
        if not scored and self._scored:  # stopped: what was answered is still judged, now and before
            kept = run.read_answers(self._folder)
            scored = run.judged(kept, judge) if judge else kept
        if scored:
            run.save(self._folder, scored, rag, time.monotonic() - self._started, judge)

    def _told(self, line: str) -> None:
        if "answered before" in line:
            self._before = int(line.split(maxsplit=1)[0])

    def _took(self, _done: int, _total: int, item: Scored) -> None:
        self._scored.append(item)

    def _wait(self) -> None:
        while self._desk.is_busy() and not self._stopped.is_set():
            time.sleep(0.05)
        if self._stopped.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The reader stopped the run."""


class _Polite:
    """A Rag that waits before each question while a reader waits for an answer: both share one model."""

    def __init__(self, rag: Any, wait: Callable[[], None]) -> None:
        self._rag = rag
        self._wait = wait

    def ask(self, *arguments: Any, **options: Any) -> Any:
        """`Rag.ask`, when nobody else asks."""
        self._wait()
        return self._rag.ask(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rag, name)
