"""`python -m eval run`: which questions are asked, in which folder the run lies, and how it is gone on with.

A run keeps its questions beside its answers, so that --resume asks these and no others. How they are answered and
scored: see `run`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eval.cases import (
    HOSTILE_LIBRARY,
    SETS,
    Case,
    CaseError,
    add_questions,
    cases_of,
    not_in_library,
    read_cases,
    without_key,
    write_cases,
)
from eval.judges.by_name import DEFAULT, NAMES
from eval.judges.judgement import Judge
from eval.run import ANSWERS, MADE_OF_ANSWERS, MADE_WITH, ask_the_same, exit_code, run, save, table
from rag import FootnoteError, Rag
from rag.cli import add_common_options, positive, settings_from, tell

QUESTIONS = "questions.jsonl"
OpenJudge = Callable[[str, Rag], Judge | None]


def add_to(commands: Any, open_judge: OpenJudge) -> None:
    """Add `run` to the command line; `open_judge` finds a judge by name."""
    parser = commands.add_parser("run", help="answer and score a question file")
    add_questions(parser)
    parser.set_defaults(set=None)  # none named is told from dev named, where a run is gone on with
    parser.add_argument("--types", metavar="A,B", help="only these types of question")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N of each type")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: runs/<time>)")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a run that was stopped")
    parser.add_argument(
        "--batch",
        type=positive,
        default=1,
        metavar="N",
        help="questions asked together (default: 1; of use with a remote model)",
    )
    parser.add_argument("--judge", default=DEFAULT, metavar="NAME", help=f"{NAMES}, or none")
    parser.add_argument("--json", action="store_true")
    add_common_options(parser)
    parser.set_defaults(action=lambda options: _run(options, open_judge))


def _run(options: argparse.Namespace, open_judge: OpenJudge) -> int:
    cases = questions_of(options)
    if _are_hostile(cases, options):
        options.library = options.library or HOSTILE_LIBRARY
    rag = Rag.open(settings_from(options), report=tell)
    for case in cases:
        _demand_readable(case, rag)
    for line in (*not_in_library(cases, rag.papers), without_key(cases)):
        if line:
            tell(line)
    rag.warm_up()
    judge = open_judge(options.judge, rag)
    started = time.monotonic()
    folder = options.resume or options.out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    if not options.resume:
        _begin(folder, cases)
    scored = run(rag, cases, report=tell, folder=folder, judge=judge, batch=options.batch)
    summary = save(folder, scored, rag, time.monotonic() - started, judge)
    print(json.dumps(summary, indent=1) if options.json else table(summary))
    tell(f"Written to {folder}: scores.json, report.html, report.md")
    return exit_code(summary)


def _demand_readable(case: Case, rag: Rag) -> None:
    """Raises CaseError: the question cannot be asked; told before any is, or a run would end at it half way."""
    try:
        rag.readable(case.question)
    except FootnoteError as error:
        raise CaseError(f"{case.id} cannot be asked: {error.problem}", error.remedy) from error


def _begin(folder: Path, cases: Sequence[Case]) -> None:
    """Make a run's folder, which holds its questions and no answer of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ANSWERS, *MADE_OF_ANSWERS):
        (folder / name).unlink(missing_ok=True)
    write_cases(folder / QUESTIONS, cases)


def questions_of(options: argparse.Namespace) -> list[Case]:
    """The questions to ask: those named, by default dev's; with --resume those of the run that is gone on with.

    A run of an older build did not keep its questions: those that are named are asked, by default dev's.

    Raises:
        CaseError: a question file cannot be read, no question has a type, there is no run to go on with, or other
            questions are named than it has.
    """
    if options.out and options.resume:
        raise CaseError("Both --out and --resume are given.", "Give one: --resume FOLDER writes there too.")
    if options.resume and not any((options.resume / name).is_file() for name in (QUESTIONS, ANSWERS, MADE_WITH)):
        raise CaseError(f"There is no run at {str(options.resume)!r}.", "Give the folder that a run was written to.")
    if not options.resume or not (options.resume / QUESTIONS).is_file():
        return _named(options)
    kept = list(read_cases(options.resume / QUESTIONS))
    if not (options.questions or options.set or options.types or options.limit is not None):
        return kept
    named = _named(options)
    if not ask_the_same(kept, named):
        raise CaseError(
            f"The run at {str(options.resume)!r} asks other questions than those named.",
            "Leave out --set, --questions, --types and --limit to go on with it, or start anew with --out FOLDER.",
        )
    return named


def _named(options: argparse.Namespace) -> list[Case]:
    chosen = argparse.Namespace(questions=options.questions, set=options.set or "dev")
    cases = list(cases_of(chosen))
    if options.types:
        wanted = set(options.types.split(","))
        known = {case.type for case in cases}
        if unknown := wanted - known:
            raise CaseError(f"No question has the type {min(unknown)!r}.", f"There are: {', '.join(sorted(known))}.")
        cases = [case for case in cases if case.type in wanted]
    if options.limit is not None and options.limit < 1:
        raise CaseError(f"--limit is {options.limit}.", "Ask 1 question or more.")
    if not cases:
        raise CaseError(f"{str(options.questions)!r} holds no question.", "Put one object on each line.")
    return cases if options.limit is None else _first_of_each_type(cases, options.limit)


def _are_hostile(cases: Sequence[Case], options: argparse.Namespace) -> bool:
    """Whether these are the bundled injections, which are about a library of their own."""
    if options.resume and not options.questions:
        hostile = {case.id: case for case in read_cases(SETS["injection"])}
        return bool(cases) and ask_the_same(cases, [hostile[case.id] for case in cases if case.id in hostile])
    return options.set == "injection" and not options.questions


def _first_of_each_type(cases: Sequence[Case], limit: int) -> list[Case]:
    seen: Counter[str] = Counter()
    kept = []
    for case in cases:
        seen[case.type] += 1
        if seen[case.type] <= limit:
            kept.append(case)
    return kept
