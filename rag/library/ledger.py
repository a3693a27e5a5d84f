"""What was added to a library and removed from it, on disk: the reader's own file is never written to.

One JSON object a line, appended and synced, so that a change is whole or was never made:

    {"at": "2026-11-24T11:20:00+00:00", "did": "add", "papers": [{"title": …}, …], "from": "new.bib"}
    {"at": "2026-11-24T11:25:00+00:00", "did": "remove", "papers": […]}
    {"at": "2026-11-24T11:26:00+00:00", "did": "undo"}

An undo takes back the last change that still stands. What comes out does not depend on when the file is read: the
changes are applied in order to whatever the library's own files hold now. Knows nothing of indexes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from rag.corpus import distinct
from rag.errors import CorpusError
from rag.schema import Paper

Did = Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change that stands. `at` is a time in UTC (ISO 8601); `source` names the file or says "pasted text"."""

    did: Did
    papers: tuple[Paper, ...]
    at: str
    source: str = ""

    @classmethod
    def now(cls, did: Did, papers: Sequence[Paper], source: str = "") -> Change:
        """A change made at this moment."""
        return cls(did, tuple(papers), datetime.now(UTC).isoformat(timespec="seconds"), source)


class Ledger:
    """The changes of one library. A file that is not there yet holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps every other process and thread from changing this library meanwhile."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def changes(self) -> tuple[Change, ...]:
        """The changes that stand, oldest first.

        Raises:
            CorpusError: a line cannot be read. A last line that was cut off while it was written does not count.
        """
        standing: list[Change] = []
        for number, line in enumerate(self._whole_lines(), start=1):
            try:
                row = json.loads(line)
                if row["did"] == "undo":
                    del standing[-1:]
                else:
                    standing.append(_change(row))
            except (ValueError, KeyError, TypeError) as error:
                problem = f"{str(self.path)!r}, line {number} is no change of a library: {error!r}."
                raise CorpusError(problem, "Take the line out: every other change then stands.") from error
        return tuple(standing)

    def add(self, change: Change) -> None:
        """Keep `change`; it is on the disk when this returns."""
        row = asdict(change)
        self._append({"at": row["at"], "did": row["did"], "papers": row["papers"], "from": row["source"]})

    def undo(self) -> None:
        """Take back the last change that stands; without one nothing happens."""
        if self.changes():
            self._append({"at": datetime.now(UTC).isoformat(timespec="seconds"), "did": "undo"})

    def _whole_lines(self) -> list[str]:
        if not self.path.is_file():
            return []
        text = self.path.read_bytes().decode("utf-8", "replace")
        return text.split("\n")[:-1]  # what follows the last line end was never finished

    def _append(self, row: dict[str, Any]) -> None:
        line = (json.dumps(row, ensure_ascii=True) + "\n").encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            whole = _whole_length(file)
            file.truncate(whole)
            try:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise


def _whole_length(file: BinaryIO) -> int:
    """Bytes up to the last line end: what follows was cut off while it was written."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def applied(papers: Sequence[Paper], changes: Sequence[Change]) -> tuple[Paper, ...]:
    """The library after `changes`, with ids as if all its papers had been read together; without any, as it was."""
    current = tuple(papers)
    for change in changes:
        if change.did == "add":
            current = distinct([*current, *change.papers])
        else:
            # By its text too: a namesake that comes or goes gives a paper another id.
            gone = {paper.id for paper in change.papers}
            texts = {(paper.title, paper.abstract) for paper in change.papers}
            kept = (paper for paper in current if paper.id not in gone)
            current = distinct(paper for paper in kept if (paper.title, paper.abstract) not in texts)
    return current


def _change(row: dict[str, Any]) -> Change:
    if row["did"] not in ("add", "remove"):
        raise ValueError(f"did is {row['did']!r}")
    papers = tuple(
        Paper(**{**facts, "authors": tuple(facts["authors"]), "keywords": tuple(facts["keywords"])})
        for facts in row["papers"]
    )
    return Change(row["did"], papers, str(row["at"]), str(row.get("from", "")))
