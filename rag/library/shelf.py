"""One library on disk: the reader's file with the ledger applied, and the index of both. Here alone it changes.

A change is made in this order: index built beside the one that answers, change written down, new index opened. Killed
in between, the library is the old one, and the next start brings the index back to it. Nothing that reads is touched:
it goes on with the index that it has open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.corpus import corpus_digest, distinct, read_library
from rag.errors import CorpusError, IndexProblem
from rag.index import BuildReport, LibraryIndex, PassageEncoder, build
from rag.index_files import live_generation
from rag.library.intake import preview
from rag.library.ledger import Change, Ledger, applied
from rag.schema import Paper

Progress = Callable[[int, int], None]
"""Told (passages embedded, passages to embed) as it goes."""


def _silent(_done: int, _total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change: the papers that are new, completed, known already, and gone; and what it took."""

    added: tuple[Paper, ...] = ()
    completed: tuple[Paper, ...] = ()
    known: tuple[Paper, ...] = ()
    removed: tuple[Paper, ...] = ()
    built: BuildReport | None = None
    """None where nothing had to be done."""


class Shelf:
    """The library of one file or folder, its ledger and its index."""

    def __init__(self, source: Path, ledger: Ledger, folder: Path, encoder: PassageEncoder) -> None:
        self.source = source
        self.ledger = ledger
        self.folder = folder
        self.encoder = encoder
        self.left_out: tuple[str, ...] = ()
        """The entries of the file without an abstract, each with where it stands, as `papers` last read it."""
        self.n_merged = 0
        """How many entries of it are of a paper that another one gives, too."""

    def papers(self) -> tuple[Paper, ...]:
        """The library as it stands on disk.

        Raises:
            CorpusError: the file or the ledger cannot be read.
        """
        left_out: list[str] = []
        merged: list[int] = []
        papers = read_library(self.source, left_out.append, merged.append)
        self.left_out, self.n_merged = tuple(left_out), sum(merged)
        return applied(papers, self.ledger.changes())

    def open(self) -> LibraryIndex:
        """The live index, whatever it holds.

        Raises:
            IndexMissing, IndexCorrupt, IndexMismatch: see `LibraryIndex.open`.
        """
        return LibraryIndex.open(self.folder, self.encoder)

    def is_newer(self, index: LibraryIndex) -> bool:
        """Whether the library was changed since `index` was opened, by another process perhaps."""
        return live_generation(self.folder) not in (None, index.folder)

    def update(self, *, rebuild: bool = False, report: Progress = _silent) -> BuildReport:
        """Build the index of the library as it stands.

        Raises:
            CorpusError, IndexMismatch, IndexProblem: see `papers` and `rag.index.build`.
        """
        with self._changing():
            return build(self.folder, self.papers(), self.encoder, rebuild=rebuild, report=report)

    def add(self, papers: Sequence[Paper], source: str = "", report: Progress = _silent) -> Outcome:
        """Add papers; duplicates of what is there complete it, or change nothing.

        Raises:
            CorpusError, IndexProblem: nothing was changed.
        """
        with self._changing():
            before = self.papers()
            found = preview(before, papers)
            if not found.changes_anything:
                return Outcome(known=found.known)
            known = {paper.id for paper in found.known} | {_text(paper) for paper in found.known}
            brought = [paper for paper in distinct(papers) if known.isdisjoint((paper.id, _text(paper)))]
            change = Change.now("add", brought, source)
            built = self._build(applied(before, [change]), report)
            self.ledger.add(change)
        return Outcome(found.new, found.completed, found.known, built=built)

    def remove(self, ids: Sequence[str], report: Progress = _silent) -> Outcome:
        """Take papers out.

        Raises:
            CorpusError: an id is not in the library. Nothing was changed.
            IndexProblem: the same.
        """
        with self._changing():
            before = {paper.id: paper for paper in self.papers()}
            unknown = [identity for identity in ids if identity not in before]
            if unknown:
                raise CorpusError(f"The library has no paper {unknown[0]!r}.", "List them: footnote library list")
            if not ids:
                return Outcome()
            change = Change.now("remove", [before[identity] for identity in dict.fromkeys(ids)])
            built = self._build(applied(tuple(before.values()), [change]), report)
            self.ledger.add(change)
        return Outcome(removed=change.papers, built=built)

    def undo(self, report: Progress = _silent) -> Outcome:
        """Take back the last change that stands.

        Raises:
            CorpusError: there is none, or the file cannot be read.
            IndexProblem: nothing was changed.
        """
        with self._changing():
            changes = self.ledger.changes()
            if not changes:
                raise CorpusError("There is no change to undo.", "Every paper is as it is in the library's file.")
            base = read_library(self.source)
            before, after = applied(base, changes), applied(base, changes[:-1])
            built = self._build(after, report)
            self.ledger.undo()
        kept = {paper.id for paper in after} | {_text(paper) for paper in after}  # ids change with namesakes
        back = preview(before, after)
        removed = tuple(paper for paper in before if kept.isdisjoint((paper.id, _text(paper))))
        return Outcome(back.new, back.completed, (), removed, built)

    def _build(self, papers: Sequence[Paper], report: Progress) -> BuildReport:
        return build(self.folder, papers, self.encoder, report=report)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """The ledger's lock, with what the disk refuses told in words."""
        try:
            with self.ledger.locked():
                yield
        except OSError as error:
            problem = f"{str(self.ledger.path)!r} cannot be written: {error.strerror or error}."
            raise IndexProblem(problem, "Free some space, or mend the rights of its folder.") from error


def _text(paper: Paper) -> tuple[str, str]:
    return paper.title, paper.abstract


def is_current(index: LibraryIndex, papers: Sequence[Paper]) -> bool:
    """Whether `index` holds exactly `papers`."""
    return index.manifest.corpus == corpus_digest(papers)
