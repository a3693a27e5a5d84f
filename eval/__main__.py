"""`python -m eval` (also `footnote eval`, `make eval`): run the questions, or a benchmark."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval import ablation, bench, compare, drafts, elsewhere, examining, judging, peers
from eval.cases import HOSTILE_LIBRARY, Case, CaseError, add_questions, cases_of
from eval.judgement import Judge
from eval.judges import DEFAULT, NAMES, open_judge
from rag import Rag
from rag.cli import add_common_options, run_safely, settings_from, tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="footnote eval", description="Measure grounding, retrieval and speed.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="answer and score a question file")
    add_questions(run)
    run.add_argument("--types", metavar="A,B", help="only these types of question")
    run.add_argument("--limit", type=int, metavar="N", help="only the first N of each type")
    run.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: runs/<time>)")
    run.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a run that was stopped")
    run.add_argument(
        "--batch",
        type=int,
        default=1,
        metavar="N",
        help="questions asked together (default: 1; of use with a remote model)",
    )
    run.add_argument("--judge", default=DEFAULT, metavar="NAME", help=f"{NAMES}, or none")
    run.add_argument("--json", action="store_true")
    add_common_options(run)
    run.set_defaults(action=_run)
    judging.add_to(commands)
    compare.add_to(commands)
    elsewhere.add_to(commands)
    drafts.add_to(commands)
    bench.add_to(commands)
    examining.add_to(commands, _judge)
    peers.add_to(commands, _judge)
    ablation.add_to(commands, _judge)
    options = parser.parse_args(arguments)
    return run_safely(lambda: options.action(options))


def _run(options: argparse.Namespace) -> int:
    from eval.run import ANSWERS, run, save, table

    if options.set == "injection" and not options.questions:
        options.library = options.library or HOSTILE_LIBRARY
    cases = list(cases_of(options))
    if options.types:
        wanted = set(options.types.split(","))
        unknown = wanted - {case.type for case in cases}
        if unknown:
            known = ", ".join(sorted({case.type for case in cases}))
            raise CaseError(f"No question has the type {min(unknown)!r}.", f"There are: {known}.")
        cases = [case for case in cases if case.type in wanted]
    if options.limit is not None:
        cases = _first_of_each_type(cases, options.limit)
    if options.out and options.resume:
        raise CaseError("Both --out and --resume are given.", "Give one: --resume FOLDER writes there too.")
    rag = Rag.open(settings_from(options), report=tell)
    rag.warm_up()
    judge = _judge(options.judge, rag)
    started = time.monotonic()
    folder = options.resume or options.out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    if not options.resume:
        (folder / ANSWERS).unlink(missing_ok=True)
    scored = run(rag, cases, report=tell, folder=folder, judge=judge, batch=options.batch)
    summary = save(folder, scored, rag, time.monotonic() - started, judge)
    print(json.dumps(summary, indent=1) if options.json else table(summary))
    tell(f"Written to {folder}: scores.json, report.html, report.md")
    return 1 if summary["failed"] else 0


def _judge(name: str, rag: Rag) -> Judge | None:
    return None if name == "none" else open_judge(name, report=tell, rag=rag)


def _first_of_each_type(cases: list[Case], limit: int) -> list[Case]:
    seen: Counter[str] = Counter()
    kept = []
    for case in cases:
        seen[case.type] += 1
        if seen[case.type] <= limit:
            kept.append(case)
    return kept


if __name__ == "__main__":
    sys.exit(main())
