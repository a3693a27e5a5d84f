"""What an index is on disk: folders, manifest, lines of JSON; who reads a generation, and which ones may go.

`rag.index` says what the files mean. Knows nothing of vectors, rankings or embedders.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing, IndexProblem
from rag.language.counts import counted
from rag.schema import Paper, Passage, paper_from

FORMAT = 1
METRIC = "cosine"
MANIFEST = "manifest.json"
REBUILD = "Rebuild it: footnote index --rebuild"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built from and with; everything that must agree before its vectors may be compared."""

    format: int
    corpus: str
    embedder: str
    embedder_revision: str
    dimension: int
    max_tokens: int
    splitter: str
    tokenizer: str
    metric: str
    n_papers: int
    n_passages: int

    @property
    def size(self) -> str:
        """`89 papers, 178 passages`."""
        return f"{counted(self.n_papers, 'paper')}, {counted(self.n_passages, 'passage')}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Row ids, and the passage of each."""

    ids: tuple[str, ...]
    passages: tuple[Passage, ...]
    texts: tuple[str, ...] = ()
    """What embedder and BM25 read; not kept on disk."""


def live_generation(folder: Path) -> Path | None:
    """The generation that answers now, or None where nothing was built."""
    pointer = folder / "CURRENT"
    if not pointer.is_file():
        return None
    return folder / pointer.read_text().strip()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the index under `folder`, without opening anything else.

    Raises:
        IndexMissing, IndexCorrupt, IndexMismatch: as `LibraryIndex.open`.
    """
    generation = live_generation(folder)
    if generation is None:
        raise IndexMissing(f"There is no index at {folder}.", "Build it: footnote index")
    try:
        return manifest_of(generation)
    except (OSError, ValueError, TypeError) as error:
        raise IndexCorrupt(f"The index at {generation} is damaged: {error!r}.", REBUILD) from error


def manifest_of(generation: Path) -> Manifest:
    """The manifest of one generation.

    Raises:
        OSError, ValueError, TypeError: it is missing or damaged.
        IndexMismatch: another version wrote it.
    """
    facts = json.loads((generation / MANIFEST).read_text())
    if facts.get("format") != FORMAT:
        raise IndexMismatch(f"The index has format {facts.get('format')!r}, this version reads {FORMAT}.", REBUILD)
    return Manifest(**facts)


def read_papers(generation: Path) -> Iterator[Paper]:
    """Its papers in the order of the library."""
    with (generation / "papers.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield paper_from(json.loads(line))


def read_rows(generation: Path) -> Rows:
    """Its rows, without their texts."""
    ids: list[str] = []
    passages: list[Passage] = []
    with (generation / "passages.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            facts = json.loads(line)
            ids.append(facts.pop("row"))
            passages.append(Passage(**facts))
    return Rows(tuple(ids), tuple(passages))


def write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """A JSON object a line, on the disk when this returns."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_synced(path: Path, text: str) -> None:
    """`text`, on the disk when this returns."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


class Lease:
    """Keeps a generation's files from being swept while somebody reads them; the system ends it with the process.

    A shared lock on the manifest: any number of readers hold it, and a build that finds it held leaves the folder be.
    """

    def __init__(self, generation: Path) -> None:
        self._file = (generation / MANIFEST).open("rb")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def end(self) -> None:
        """Let the files go; a second call does nothing."""
        self._file.close()


def sweep(folder: Path) -> None:
    """Remove what killed builds left, and generations before the live one that nobody reads.

    The one just before stays as well: another process may have read its name and be about to open it.
    """
    for leftover in folder.glob("partial-*"):
        shutil.rmtree(leftover)
    live = live_generation(folder)
    if live is not None:
        older = sorted(p for p in folder.glob("generation-*") if p.name < live.name)
        for generation in older[:-1]:
            if not _is_read(generation):
                shutil.rmtree(generation)


def _is_read(generation: Path) -> bool:
    try:
        with (generation / MANIFEST).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # half removed by a sweep that was killed
        return False
    return False


@contextmanager
def full_disk_explained(folder: Path) -> Iterator[None]:
    """Turns what goes wrong while writing into an IndexProblem that says what to do."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "disk is full" in str(error):
            raise IndexProblem(f"The disk is full while building the index at {folder}.", "Free some space.") from error
        raise IndexProblem(f"The index at {folder} cannot be written: {error}.", "Check the folder.") from error
    except Exception as error:
        if "disk is full" in str(error):  # Chroma wraps SQLite's error in its own
            raise IndexProblem(f"The disk is full while building the index at {folder}.", "Free some space.") from error
        raise
