"""What a page needs of the eval suite: sources of questions, one run at a time, the runs on disk, two of them compared.

    board = Board(rag, folder)
    board.start("bundled", n=20)                      # in a thread; goes on when nobody looks
    board.running.step                                # how far, how long, what the last question gave
    board.read(name).summary                          # what scores.json holds

The only module of `eval` that `ui` imports. A new source of questions is one line in `SOURCES`. Knows nothing of
figures' definitions, nor of pages.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval import exam, report, run
from eval.cases import Case, CaseError, folded_title, put_whole, read_cases, write_cases
from eval.compare import Difference, compare, read_values
from eval.judges.judgement import Judge
from eval.running import Running
from rag import Paper, Rag

FACTS = "board.json"
CASES = "exam.jsonl"
MOST_QUESTIONS = 500


@dataclass(frozen=True, slots=True)
class Source:
    """Where questions come from: a key, a label, a sentence on it, and how n of them are had for a library."""

    key: str
    label: str
    note: str
    write: Callable[[Sequence[Paper], int, int], Sequence[Case]]
    """From (papers, seed, n)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A run on disk, for a list: its name, when it began (seconds since 1970), and its figures, if it was scored.

    One that was not was broken off with its process, or failed; it can be gone on with.
    """

    name: str
    label: str
    began: float
    cases: int
    wanted: int
    summary: Mapping[str, Any]

    @property
    def is_scored(self) -> bool:
        """Whether it has figures."""
        return bool(self.summary)

    @property
    def is_partial(self) -> bool:
        """Whether it was stopped before its last question."""
        return self.cases < self.wanted


@dataclass(frozen=True, slots=True)
class Reading:
    """A run in full: its row, and its worst cases as (id, type, facts) with facts as `eval.report.facts` has them."""

    row: Row
    worst: tuple[tuple[str, str, tuple[tuple[str, tuple[str, ...]], ...]], ...]


def _bundled(papers: Sequence[Paper], seed: int, n: int) -> Sequence[Case]:
    """`n` of the bundled questions, each type in turn; those about papers that the library does not have are left out.

    Raises:
        CaseError: the library has none of their papers.
    """
    known = {folded_title(paper.title) for paper in papers}
    fitting = [case for case in read_cases() if all(folded_title(title) in known for title in case.papers)]
    if not any(case.papers for case in fitting):
        raise CaseError(
            "The bundled questions are about the bundled library, of which nothing is here.",
            "Take an exam written from this library.",
        )
    draw = random.Random(seed)  # noqa: S311  (a drawing that can be repeated, not secrets)
    kinds: dict[str, list[Case]] = {}
    for case in fitting:
        kinds.setdefault(case.type, []).append(case)
    for group in kinds.values():
        draw.shuffle(group)
    mixed = []
    while any(kinds.values()):
        mixed += [group.pop() for group in kinds.values() if group]
    return mixed[:n]


SOURCES = (
    Source(
        "exam",
        "An exam on this library",
        "Questions made from single sentences of the abstracts, by rules; no model marks its own work.",
        exam.write,
    ),
    Source(
        "bundled",
        "The bundled questions",
        "Written by hand about the bundled library, each type in turn. Thresholds were set on them.",
        _bundled,
    ),
)


class Board:
    """The runs of one Rag. One is under way at a time."""

    def __init__(
        self,
        rag: Rag,
        folder: Path,
        *,
        is_busy: Callable[[], bool] = lambda: False,
        open_judge: Callable[[Rag], Judge | None] | None = None,
    ) -> None:
        """What can be measured, and where runs are kept.

        Args:
            rag: what answers.
            folder: holds a folder a run; made when the first begins.
            is_busy: whether a reader is being answered; the run then waits before its next question.
            open_judge: opens the judge of answers' sentences; by default the command line's, or one without a model.
        """
        self.folder = folder
        self.running: Running | None = None
        """The run that is under way, or the last one that was."""
        self._is_busy = is_busy
        self._rag = rag
        self._open_judge = open_judge or _own_judge
        self._starting = threading.Lock()

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where questions can come from."""
        return SOURCES

    def open(self) -> tuple[Rag, Judge | None]:
        """The Rag with the library that it has now, which a run does not change half way, and the judge."""
        rag = self._rag.with_settings()
        return rag, self._open_judge(rag)

    def is_busy(self) -> bool:
        """Whether a reader is being answered now."""
        return self._is_busy()

    def start(self, key: str, n: int, seed: int = 0) -> Running:
        """Begin to answer `n` questions of a source.

        Raises:
            CaseError: a run is under way, there is no such source, `n` is out of range, or it has no questions.
        """
        source = next((source for source in SOURCES if source.key == key), None)
        if source is None:
            raise CaseError(
                f"There is no source of questions {key!r}.", f"There are: {', '.join(s.key for s in SOURCES)}."
            )
        if not 1 <= n <= MOST_QUESTIONS:
            raise CaseError(f"{n} questions cannot be asked.", f"Ask from 1 to {MOST_QUESTIONS}.")
        with self._starting:
            self._refuse_two()
            cases = source.write(self._rag.papers, seed, n)
            folder = self._new_folder()
            facts = {"label": source.label, "began": time.time(), "wanted": len(cases), "seed": seed}
            put_whole(folder / FACTS, json.dumps(facts))
            write_cases(folder / CASES, cases)
            self.running = Running(self, folder, source.label, cases)
            return self.running

    def go_on(self, name: str) -> Running:
        """Go on with a run that was stopped.

        Raises:
            CaseError: a run is under way, there is no such run, or it cannot be gone on with.
        """
        with self._starting:
            self._refuse_two()
            folder = self._folder_of(name)
            if not (folder / CASES).is_file():
                raise CaseError(f"The run {name!r} did not keep its questions.", "Begin a new one.")
            self.running = Running(self, folder, self._row(folder).label, read_cases(folder / CASES))
            return self.running

    def runs(self) -> tuple[Row, ...]:
        """The runs on disk, the newest first, without one that is under way; folders that hold none are passed over."""
        under_way = self.running.name if self.running is not None and self.running.is_running else None
        found = [(folder, self._row(folder)) for folder in self._folders() if folder.name != under_way]
        kept = (row for folder, row in found if row.is_scored or (folder / CASES).is_file())
        return tuple(sorted(kept, key=lambda row: -row.began))

    def read(self, name: str, worst: int = 12) -> Reading:
        """A run in full, with its `worst` worst cases; one without figures has none.

        Raises:
            CaseError: there is no such run, or a line of it cannot be read.
        """
        folder = self._folder_of(name)
        row = self._row(folder)
        cases = report.worst(run.read_answers(folder), worst) if row.is_scored else ()
        return Reading(row, tuple((c.case.id, c.case.type, _tupled(report.facts(c))) for c in cases))

    def compare(self, before: str, after: str) -> list[Difference]:
        """What changed from one run to another over the questions that both have.

        Raises:
            CaseError: one of them is no run.
        """
        return compare(read_values(self._folder_of(before)), read_values(self._folder_of(after)))

    def questions(self, name: str) -> dict[str, str]:
        """The questions of a run that were answered, by their ids.

        Raises:
            CaseError: there is no such run, or a line of it cannot be read.
        """
        return {scored.case.id: scored.case.question for scored in run.read_answers(self._folder_of(name))}

    def remove(self, name: str) -> None:
        """Delete a run from disk.

        Raises:
            CaseError: there is no such run, or it is under way.
        """
        folder = self._folder_of(name)
        if self.running is not None and self.running.is_running and self.running.name == name:
            raise CaseError("This run is under way.", "Stop it first.")
        shutil.rmtree(folder)

    def _refuse_two(self) -> None:
        if self.running is not None and self.running.is_running:
            raise CaseError("A run is under way.", "Stop it, or wait for its end.")

    def _folder_of(self, name: str) -> Path:
        """A run's folder by its name, which may come from anywhere: only folders that are there are given."""
        found = {folder.name: folder for folder in self._folders()}.get(name)
        if found is None:
            raise CaseError(f"There is no run {name!r}.", "Choose one of the list.")
        return found

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (folder for folder in self.folder.iterdir() if folder.is_dir())

    def _new_folder(self) -> Path:
        stem = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, 100):
            folder = self.folder / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise CaseError(f"{str(folder)!r} cannot be made: {error.strerror}.", "Check the folder.") from error
            return folder
        raise CaseError(f"{str(self.folder)!r} holds too many runs of this second.", "Try again.")

    def _row(self, folder: Path) -> Row:
        facts, summary = _json(folder / FACTS), _json(folder / "scores.json")
        began = _number(facts.get("began")) or folder.stat().st_mtime
        wanted = _number(facts.get("wanted"))
        cases = int(summary.get("cases", 0)) if summary else _lines(folder / run.ANSWERS)
        return Row(
            folder.name,
            str(facts.get("label", "A run")),
            began,
            cases,
            cases if wanted is None else int(wanted),
            summary,
        )


def _own_judge(rag: Rag) -> Judge | None:
    """The judge of the command line where the model it reads with is open in the Rag, else the feature judge: a page
    never loads another model to judge.
    """
    from eval.judges.by_name import DEFAULT, open_judge
    from rag.trained.adapters import MODEL

    return open_judge(DEFAULT if getattr(rag.checker, "model_id", "") == MODEL else "features", rag=rag)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a run by hand has no board.json; a damaged one is shown as not scored
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: object) -> float | None:
    """What a file says, where it is a number."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_one else None  # type: ignore[arg-type]


def _lines(path: Path) -> int:
    """Whole lines of a file; of none where there is no file."""
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def _tupled(facts: Sequence[tuple[str, Sequence[str]]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(texts)) for name, texts in facts)
