"""Papers before they are added: read from files or pasted text, held against the library.

A file with a fault in one entry still offers its others, and every fault is told with its line: whoever adds papers on
a page can see what would come of it first. `read_library`, by contrast, refuses a file with a fault, because a library
that silently lacks papers answers wrongly; only what has no abstract in an export it passes over, and that is told.
Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.corpus import Fault, NoAbstract, distinct, parse, without_papers
from rag.errors import CorpusError
from rag.schema import Paper

MOST_BYTES = 20_000_000
"""How much text one offer may hold, decompressed: about 13,000 abstracts."""
PASTED = "pasted text"


@dataclass(frozen=True, slots=True)
class Offer:
    """What one file, or one pasted text, has to offer.

    `problems` are sentences that say where and what to do; `left_out` says where an entry has no abstract and that is
    no mistake (see `rag.corpus.read_library`).
    """

    name: str
    papers: tuple[Paper, ...]
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What adding papers to a library would do. Papers in `completed` are there already, but the offer knows more."""

    new: tuple[Paper, ...]
    completed: tuple[Paper, ...]
    known: tuple[Paper, ...]

    @property
    def changes_anything(self) -> bool:
        """Whether the library would be another one afterwards."""
        return bool(self.new or self.completed)


def read_offer(
    path: Path, most_bytes: int | None = MOST_BYTES, name: str | None = None, *, in_folder: bool = False
) -> Offer:
    """What a file offers, whatever is wrong with it; `name` is shown in place of the file's own. Never raises.

    `in_folder`: it is one of a folder's files, which need not hold papers (see `rag.corpus.parse`).
    """
    shown = name or path.name
    try:
        size = path.stat().st_size
        if most_bytes is not None and size > most_bytes:
            return Offer(shown, (), (_too_long(shown, size, most_bytes),))
        data = path.read_bytes()
    except OSError as error:
        return Offer(shown, (), (f"{shown!r} cannot be read: {error.strerror}. Check the file and its permissions.",))
    return _offer(data, shown, most_bytes, in_folder=in_folder)


def read_pasted(text: str, most_bytes: int = MOST_BYTES) -> Offer:
    """What a pasted text offers; its format is told by its content. Never raises."""
    return _offer(text.encode("utf-8", "replace"), PASTED, most_bytes)


def preview(library: Sequence[Paper], offered: Sequence[Paper]) -> Preview:
    """What adding `offered` to `library` would do; each paper is counted once, with the id that it would have."""
    before = {paper.id: paper for paper in library}
    after = distinct([*library, *offered])
    texts = {(paper.title, paper.abstract) for paper in library}  # a namesake that comes in changes the old one's id
    new = tuple(p for p in after if p.id not in before and (p.title, p.abstract) not in texts)
    completed = tuple(p for p in after if p.id in before and _differs(p, before[p.id]))
    touched = {paper.id for paper in (*new, *completed)}
    mine = {paper.id for paper in distinct(offered)}
    theirs = {(paper.title, paper.abstract) for paper in offered}  # a known namesake has another id here
    known = (p for p in after if p.id in mine or (p.title, p.abstract) in theirs)
    return Preview(new, completed, tuple(p for p in known if p.id not in touched))


def _differs(one: Paper, other: Paper) -> bool:
    return replace(one, source=None) != replace(other, source=None)


def _offer(data: bytes, name: str, most_bytes: int | None, *, in_folder: bool = False) -> Offer:
    papers: list[Paper] = []
    problems: list[str] = []
    left_out: list[str] = []
    try:
        for found in parse(data, name, name, most_bytes, in_folder=in_folder):
            if isinstance(found, NoAbstract):
                left_out.append(f"{name}, {found}")
            elif isinstance(found, Fault):
                problems.append(f"{name}, {str(found).rstrip('.')}. Mend the entry and add the file again.")
            else:
                papers.append(found)
    except CorpusError as error:
        problems.append(str(error))
    if not papers and not problems and not in_folder:
        problems.append(str(without_papers(name, len(left_out))))
    return Offer(name, tuple(papers), tuple(problems), tuple(left_out))


def _too_long(name: str, size: int, most_bytes: int) -> str:
    return (
        f"{name!r} has {size / 1e6:.1f} MB; at most {most_bytes / 1e6:.0f} MB are read at once. "
        "Divide it, or add it in a terminal: footnote library add FILE"
    )
