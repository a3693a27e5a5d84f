"""Eight libraries of other papers than the bundled one, with fifty questions on each: `python -m eval elsewhere`.

Thresholds that fit the bundled questions say little of anybody else's library. `data/elsewhere.json` holds the papers
of each by digests of their titles, and the questions with the sentences that answer, by number; no text of a paper.
The papers, 84 to a library, were drawn by topic from a public list of abstracts; the questions were written by a
language model of another kind than those that answer (no person), after it had read all 84. What this writes is run by

    python -m eval run --library FOLDER/library-1.jsonl --questions FOLDER/questions-1.jsonl

The first six were looked at while the product was made; the last two are kept aside: never look at their single cases.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.cases import DATA
from eval.fits.bank import papers_in
from eval.judges.features import split
from rag import Paper
from rag.cli import tell

ELSEWHERE = DATA / "elsewhere.json"
KEPT_ASIDE = (7, 8)


def add_to(commands: Any) -> None:
    """Add `elsewhere` to the command line."""
    parser = commands.add_parser(
        "elsewhere",
        help="write eight libraries of other papers, and questions on them, to run Footnote on",
        description="Titles and abstracts are looked up in a file of them; for libraries 7 and 8 believe the counts, "
        "and never look at single cases.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="JSON lines with title and abstract")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.set_defaults(action=_write)


def _write(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    for number, (papers, cases) in enumerate(read_elsewhere(options.data), start=1):
        rows = [{"title": paper.title, "abstract": paper.abstract} for paper in papers]
        for name, lines in (("library", rows), ("questions", cases)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (options.out / f"{name}-{number}.jsonl").write_text(text, encoding="utf-8")
    tell(f"Written to {options.out}: libraries and questions 1 to {number}.")
    return 0


def read_elsewhere(abstracts: Path, path: Path = ELSEWHERE) -> list[tuple[list[Paper], list[dict[str, Any]]]]:
    """Each library's papers, and its questions as the lines of a question file.

    Raises:
        CaseError: `abstracts` is missing or malformed, or lacks a paper.
    """
    libraries = json.loads(path.read_text(encoding="utf-8"))
    found = papers_in(abstracts, [library["papers"] for library in libraries])
    return [
        (papers, list(_cases(number, library["questions"], papers)))
        for number, (library, papers) in enumerate(zip(libraries, found, strict=True), start=1)
    ]


def _cases(number: int, asked: Sequence[Mapping[str, Any]], papers: Sequence[Paper]) -> Iterator[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for one in asked:
        kind = one["type"]
        counts[kind] += 1
        said = {int(place): numbers for place, numbers in one["sentences"].items()}
        evidence = [split([papers[p].abstract])[n - 1] for p, numbers in said.items() for n in numbers if n]
        rest = {key: one[key] for key in ("answers", "reference", "history") if key in one}
        titles = [papers[place].title for place in said]
        yield {
            "id": f"l{number}-{kind}-{counts[kind]:03}", "type": kind, "question": one["question"],
            "papers": titles, "evidence": evidence, **rest,
        }  # fmt: skip
