"""Eleven libraries of other papers than the bundled one, with fifty questions on each: `python -m eval elsewhere`.

Thresholds that fit the bundled questions say little of anybody else's library. `data/elsewhere.json` holds the papers
of each by digests of their titles, and the questions with the sentences that answer, by number or by place; no text of
a paper. The papers of the first eight, 84 to a library, were drawn by topic from a public list of abstracts on machine
learning, about 72 each of 9 (medicine), 10 (biology) and 11 (aerodynamics, around 1960) from two public sets. The
questions were written by a language model of another kind than those that answer (no person), after it had read the
whole library; those on the last three in other words than the abstracts'. What this writes is run by

    python -m eval run --library FOLDER/library-1.jsonl --questions FOLDER/questions-1.jsonl

Three are kept aside: never look at their single cases. The others were looked at while the product was made.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.benchmarks.retrieving import READERS
from eval.cases import DATA, CaseError
from eval.fits.adapter_data import titles_and_abstracts
from eval.fits.bank import papers_in
from eval.judges.features import split
from rag import Paper
from rag.cli import tell

ELSEWHERE = DATA / "elsewhere.json"
KEPT_ASIDE = (7, 8, 10)
LIST = "data"
"""The source of a library that names none: the list of abstracts."""
SETS = ("scifact", "cranfield")
"""The other sources: sets as `eval bench` reads them."""


def add_to(commands: Any) -> None:
    """Add `elsewhere` to the command line."""
    parser = commands.add_parser(
        "elsewhere",
        help="write eleven libraries of other papers, and questions on them, to run Footnote on",
        description="Titles and abstracts are looked up in what is given; libraries whose source is not are left out. "
        "For libraries 7, 8 and 10 believe the counts, and never look at single cases.",
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="JSON lines with title and abstract: 1 to 8")
    parser.add_argument("--scifact", type=Path, metavar="FOLDER", help="SciFact, as `eval bench` reads it: 9 and 10")
    parser.add_argument("--cranfield", type=Path, metavar="FOLDER", help="Cranfield, as `eval bench` reads it: 11")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.set_defaults(action=_write)


def _write(options: argparse.Namespace) -> int:
    sources = {name: path for name in (LIST, *SETS) if (path := getattr(options, name)) is not None}
    if not sources:
        raise CaseError("No papers are given.", "Give --data FILE, --scifact FOLDER or --cranfield FOLDER.")
    options.out.mkdir(parents=True, exist_ok=True)
    written = read_elsewhere(sources)
    for number, (papers, cases) in written.items():
        rows = [{"title": paper.title, "abstract": paper.abstract} for paper in papers]
        for name, lines in (("library", rows), ("questions", cases)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (options.out / f"{name}-{number}.jsonl").write_text(text, encoding="utf-8")
    tell(f"Written to {options.out}: libraries and questions {', '.join(map(str, written))}.")
    return 0


def read_elsewhere(
    sources: Mapping[str, Path], path: Path = ELSEWHERE
) -> dict[int, tuple[list[Paper], list[dict[str, Any]]]]:
    """By its number each library's papers, and its questions as the lines of a question file.

    Args:
        sources: where the papers are, by `LIST` or the name of one of `SETS`; libraries of others are left out.
        path: what is kept of the libraries.

    Raises:
        CaseError: a source is missing or malformed, or lacks a paper.
    """
    libraries = dict(enumerate(json.loads(path.read_text(encoding="utf-8")), start=1))
    found: dict[int, tuple[list[Paper], list[dict[str, Any]]]] = {}
    for source, given in sources.items():
        own = {number: kept for number, kept in libraries.items() if kept.get("from", LIST) == source}
        texts = titles_and_abstracts(given) if source == LIST else _of_set(source, given)
        groups = papers_in(texts, given.name, [kept["papers"] for kept in own.values()])
        for (number, kept), papers in zip(own.items(), groups, strict=True):
            found[number] = papers, list(_cases(number, kept["questions"], papers))
    return dict(sorted(found.items()))


def _of_set(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Titles and abstracts of a set; Cranfield's begin with their titles, and end in a stop that stands apart."""
    for _, title, text in READERS[name](folder, "train").abstracts:
        if name == "cranfield":
            yield title.strip(" ."), text.removeprefix(title).strip(" .")
        else:
            yield title.strip(), text.strip()


def _cases(number: int, asked: Sequence[Mapping[str, Any]], papers: Sequence[Paper]) -> Iterator[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for one in asked:
        kind = one["type"]
        counts[kind] += 1
        said = {int(place): where for place, where in one["sentences"].items()}
        evidence = [_said(papers[p].abstract, where) for p, places in said.items() for where in places if where]
        rest = {key: one[key] for key in ("answers", "reference", "history") if key in one}
        titles = [papers[place].title for place in said]
        yield {
            "id": f"l{number}-{kind}-{counts[kind]:03}", "type": kind, "question": one["question"],
            "papers": titles, "evidence": evidence, **rest,
        }  # fmt: skip


def _said(abstract: str, where: int | tuple[int, int]) -> str:
    """A sentence of an abstract, by its number or by where it begins and ends."""
    return split([abstract])[where - 1] if isinstance(where, int) else abstract[slice(*where)]
