"""One run of questions in a thread of its own: followed, stopped, polite to whoever else asks the same model.

What is asked and how it is scored is `eval.run`'s. Knows nothing of other runs or of pages.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from eval import run
from eval.cases import Case
from eval.judges.judgement import Judge
from eval.proxy import Proxy
from eval.scoring import Scored, value_of
from rag import Answer, FootnoteError, Rag

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
        self._marks: list[bool | None] = []
        """Of each scored answer; never fewer than those."""
        self._asked = 0
        """Questions that were really asked, not those answered before."""
        self._started = time.monotonic()
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
        done, asked = len(self._scored), self._asked
        total, elapsed = len(self._cases), time.monotonic() - self._started
        left = elapsed / asked * (total - done) if asked else None
        if not done:
            return Step(0, total, elapsed, left, 0, 0)
        marks = self._marks[:done]
        told = [mark for mark in marks if mark is not None]
        return Step(done, total, elapsed, left, sum(told), len(told), self._scored[done - 1].case.question, marks[-1])

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

        def ask(*arguments: Any, **options: Any) -> Answer:
            self._wait()
            answer = rag.ask(*arguments, **options)
            self._asked += 1
            return answer

        scored: list[Scored] = []
        with suppress(_Stopped):
            scored = run.run(
                cast("Rag", Proxy(rag, ask=ask)),
                self._cases,
                report=lambda _line: None,
                folder=self._folder,
                judge=judge,
                progress=self._took,
            )
        if not scored and self._scored:  # stopped: what was answered is still judged, now and before
            kept = run.read_answers(self._folder)
            scored = run.judged(kept, judge) if judge else kept
        if scored:
            run.save(self._folder, scored, rag, time.monotonic() - self._started, judge)

    def _took(self, _done: int, _total: int, item: Scored) -> None:
        is_right = value_of(item, "right and cited")
        self._marks.append(None if is_right is None else bool(is_right))
        self._scored.append(item)

    def _wait(self) -> None:
        """Until nobody else asks: a reader's question and the run's share one model."""
        while self._desk.is_busy() and not self._stopped.is_set():
            time.sleep(0.05)
        if self._stopped.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The reader stopped the run."""
