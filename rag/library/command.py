"""`footnote library`: what is in a library, and changing it, in a terminal.

footnote library list [--json]      every paper with its id; as JSON lines it is a library file itself
footnote library add FILE …         papers of files or folders; faults are told, what is sound is added
footnote library remove ID …
footnote library undo               the last change; again for the one before
footnote library changes            what was added and removed, and when
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CorpusError
from rag.language.counts import counted

if TYPE_CHECKING:
    from rag.library.opened import Library
    from rag.library.shelf import Outcome
    from rag.settings import Settings

Tell = Callable[[str], None]


def add_to(commands: Any, add_common_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add `library` to the command line."""
    parser = commands.add_parser("library", help="list, add and remove papers")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every paper with its id")
    listing.add_argument("--json", action="store_true", help="as JSON lines, which can be read as a library again")
    adding = actions.add_parser("add", help="add the papers of files or folders")
    adding.add_argument("files", nargs="+", type=Path, metavar="FILE")
    adding.add_argument("--dry-run", action="store_true", help="only say what would be added")
    removing = actions.add_parser("remove", help="take papers out; the library's own file is not touched")
    removing.add_argument("ids", nargs="+", metavar="ID")
    for action in (
        listing, adding, removing,
        actions.add_parser("undo", help="take back the last change"),
        actions.add_parser("changes", help="what was added and removed, and when"),
    ):  # fmt: skip
        add_common_options(action)


def run(options: argparse.Namespace, settings: Settings, tell: Tell) -> int:
    """Do what `options` say, print what came of it, return the exit code: 1 when a file had faults."""
    if options.action == "list":
        return _list(settings, as_json=options.json)
    if options.action == "changes":
        return _changes(settings)
    if options.action == "add":
        return _add(options, settings, tell)
    library, told = _opened(settings, tell)
    outcome = library.remove(options.ids, told) if options.action == "remove" else library.undo(told)
    print(_said(outcome, len(library.papers)))
    return 0


def _opened(settings: Settings, tell: Tell) -> tuple[Library, Callable[[int, int], None]]:
    from rag.assembly import embedding_progress
    from rag.pipeline import Rag

    return Rag.open(settings, report=tell).library, embedding_progress(tell)


def _add(options: argparse.Namespace, settings: Settings, tell: Tell) -> int:
    from rag.assembly import said_of_left_out
    from rag.corpus import library_files
    from rag.library.intake import preview, read_offer

    offers = [
        read_offer(file, most_bytes=None, name=str(file), in_folder=path.is_dir())
        for path in options.files
        for file in (library_files(path) if path.is_dir() else [path])
    ]
    for offer in offers:
        for problem in offer.problems:
            tell(f"footnote: {problem}")
        if offer.left_out and options.dry_run:
            tell("\n".join(f"footnote: left out: {where}" for where in offer.left_out))
        elif offer.left_out:
            tell(f"footnote: {offer.name}: {said_of_left_out(offer.left_out)}.")
    papers = [paper for offer in offers for paper in offer.papers]
    if not papers:
        is_told = any(offer.problems for offer in offers)  # a folder of empty files and notes has no fault to tell
        remedy = "Mend what is named above." if is_told else "Give files that have titles and abstracts."
        raise CorpusError("No paper was added.", remedy)
    if options.dry_run:  # needs neither index nor weights
        from rag.assembly import library_papers

        found = preview(library_papers(settings), papers)
        for word, some in (("new", found.new), ("completed", found.completed), ("known", found.known)):
            print("\n".join(f"{word:9}  {paper.id}  {paper.title}" for paper in some) or f"{word:9}  none")
    else:
        library, told = _opened(settings, tell)
        outcome = library.add(papers, ", ".join(path.name for path in options.files), told)
        print(_said(outcome, len(library.papers)))
    return 1 if any(offer.problems for offer in offers) else 0


def _said(outcome: Outcome, n_papers: int) -> str:
    parts = [
        f"{len(papers)} {word}"
        for word, papers in (
            ("added", outcome.added),
            ("completed", outcome.completed),
            ("known already", outcome.known),
            ("removed", outcome.removed),
        )
        if papers
    ]
    titles = [f"  {sign} {p.title}" for sign, some in (("+", outcome.added), ("-", outcome.removed)) for p in some[:20]]
    nothing = "Nothing changed" if outcome.built is None else "Entries are as they were before"
    return "\n".join([f"{', '.join(parts) or nothing}. The library now holds {counted(n_papers, 'paper')}.", *titles])


def _list(settings: Settings, *, as_json: bool) -> int:
    from rag.assembly import library_papers

    for paper in library_papers(settings):
        if as_json:
            print(json.dumps({name: value for name, value in asdict(paper).items() if value}, ensure_ascii=False))
        else:
            print(f"{paper.id}  {paper.year or '':4}  {paper.title}")
    return 0


def _changes(settings: Settings) -> int:
    from rag.assembly import ledger_of

    for change in ledger_of(settings).changes():
        papers = counted(len(change.papers), "paper")
        print(f"{change.at}  {change.did:6}  {papers}{f' from {change.source}' if change.source else ''}")
        for paper in change.papers[:20]:
            print(f"    {paper.id}  {paper.title}")
    return 0
