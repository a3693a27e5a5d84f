"""Library: everything a reader does with a library beside asking, behind one object: `Rag.library`.

Looks things up in the index that answers now; changes are made by the shelf, and when one is done the Rag goes over to
the new index at once. Answers that are running keep the one they began with.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import CorpusError, IndexProblem
from rag.index import LibraryIndex
from rag.language.sentences import sentences_of
from rag.library.atlas import Atlas, atlas_of, is_drawn
from rag.library.finding import Found, How, best_sentence, find, neighbours
from rag.library.intake import MOST_BYTES, Offer, Preview, preview, read_offer, read_pasted
from rag.library.ledger import Change
from rag.library.shelf import Outcome, Progress, Shelf, is_current
from rag.retrieval import FusedRetriever
from rag.schema import Paper, Sentence


@dataclass(frozen=True, slots=True)
class Overview:
    """What a library holds. `years` and `venues` count papers by each, unknown ones left out; changes oldest first.

    `n_left_out` counts the entries of its file that have no abstract and so are no papers here, `n_merged` those of a
    paper that another entry gives, too.
    """

    name: str
    n_papers: int
    n_passages: int
    years: Mapping[int, int]
    venues: Mapping[str, int]
    changes: tuple[Change, ...]
    is_editable: bool
    n_left_out: int = 0
    n_merged: int = 0


class Library:
    """The library of a Rag. Without a shelf (a Rag made from parts) it can be looked at but not changed."""

    most_bytes = MOST_BYTES
    """How long a file or pasted text may be, decompressed, to be read by `read` and `read_text`."""

    def __init__(
        self, shelf: Shelf | None, retriever: Callable[[], FusedRetriever], adopt: Callable[[LibraryIndex], None]
    ) -> None:
        self._shelf = shelf
        self._retriever = retriever
        self._adopt = adopt
        self._changing = threading.Lock()
        self._drawing = threading.Lock()

    @property
    def is_editable(self) -> bool:
        """Whether papers can be added and removed."""
        return self._shelf is not None

    @property
    def papers(self) -> Mapping[str, Paper]:
        """Every paper by its id, in the order of the library."""
        return self._retriever().index.papers

    def overview(self) -> Overview:
        """What is in it.

        Raises:
            CorpusError: the ledger of changes is damaged.
        """
        index = self._retriever().index
        papers = index.papers.values()
        years = Counter(paper.year for paper in papers if paper.year is not None)
        venues = Counter(paper.venue for paper in papers if paper.venue)
        changes = self._shelf.ledger.changes() if self._shelf else ()
        name = self._shelf.source.name if self._shelf else ""
        return Overview(
            name, len(papers), len(index.passages), dict(sorted(years.items())), dict(venues.most_common()), changes,
            self._shelf is not None, len(self._shelf.left_out) if self._shelf else 0,
            self._shelf.n_merged if self._shelf else 0,
        )  # fmt: skip

    def find(
        self, text: str, how: How = "both", where: Mapping[str, Any] | None = None, k: int = 50
    ) -> tuple[Found, ...]:
        """The `k` best papers; see `rag.library.finding.find`.

        Raises:
            BadFilter: `where` names an unknown field or operator.
        """
        return find(self._retriever(), text, how, where, k)

    def best_sentence(self, found: Found, text: str) -> tuple[int, int] | None:
        """Where in the abstract the sentence lies that fits `text` best; None where there is none."""
        return best_sentence(found, text)

    def neighbours(self, paper_id: str, k: int = 5) -> tuple[Found, ...]:
        """The papers most like one; none for an id that the library does not have."""
        retriever = self._retriever()
        paper = retriever.index.papers.get(paper_id)
        return neighbours(retriever, paper, k) if paper else ()

    def sentences(self, paper_id: str) -> tuple[Sentence, ...]:
        """The sentences of its abstract; none for an id that the library does not have."""
        paper = self.papers.get(paper_id)
        return sentences_of(paper) if paper else ()

    def atlas(self) -> Atlas:
        """The map of the library; the first call after a change takes a moment: see docs/library.md."""
        with self._drawing:
            return atlas_of(self._retriever().index)

    @property
    def has_atlas(self) -> bool:
        """Whether the map of the library as it is has been drawn already, so that `atlas` takes no time."""
        return is_drawn(self._retriever().index)

    def read(self, path: Path) -> Offer:
        """What a file offers; what is wrong with it is told in the Offer. Adds nothing."""
        return read_offer(path, self.most_bytes)

    def read_text(self, text: str) -> Offer:
        """What a pasted text offers. Adds nothing."""
        return read_pasted(text, self.most_bytes)

    def preview(self, papers: Sequence[Paper]) -> Preview:
        """What adding `papers` would do. Adds nothing."""
        return preview(tuple(self.papers.values()), papers)

    def add(self, papers: Sequence[Paper], source: str = "", report: Progress = lambda _done, _total: None) -> Outcome:
        """Add papers; kept on disk, answered from as soon as this returns. Duplicates change nothing.

        Args:
            papers: as an Offer has them; their ids are given anew.
            source: where they come from, for the list of changes.
            report: told (passages embedded, passages to embed) as it goes.

        Raises:
            CorpusError: this library cannot be changed, or its file cannot be read.
            IndexProblem: the disk is full or cannot be written; nothing was changed. Or what was written cannot be read
                again: then the change is made, and answered from once it can.
        """
        return self._change(lambda shelf: shelf.add(papers, source, report))

    def remove(self, ids: Sequence[str], report: Progress = lambda _done, _total: None) -> Outcome:
        """Take papers out of the library; the file that they came from keeps them.

        Raises:
            CorpusError: an id that the library does not have, or as `add`.
            IndexProblem: as `add`.
        """
        return self._change(lambda shelf: shelf.remove(ids, report))

    def undo(self, report: Progress = lambda _done, _total: None) -> Outcome:
        """Take back the last change; a second call takes back the one before.

        Raises:
            CorpusError: there is none, or as `add`.
            IndexProblem: as `add`.
        """
        return self._change(lambda shelf: shelf.undo(report))

    def refresh(self) -> bool:
        """Go over to what another process has made of this library; whether there was anything. Never raises."""
        if self._shelf is None:
            return False
        with suppress(CorpusError, IndexProblem, OSError):
            if not self._shelf.is_newer(self._retriever().index):
                return False
            with self._changing:
                index = self._shelf.open()
                if is_current(index, self._shelf.papers()):  # not while the other is still at it
                    self._adopt(index)
                    return True
                index.close()
        return False

    def _change(self, make: Callable[[Shelf], Outcome]) -> Outcome:
        if self._shelf is None:
            raise CorpusError("This library cannot be changed: its Rag was made from parts.", "Open it with Rag.open.")
        with self._changing:
            outcome = make(self._shelf)
            if outcome.built is not None:
                self._adopt(self._shelf.open())
        return outcome
