"""`footnote exam`: write an exam from a library, answer it, print the scorecard.

`--prove` runs it on Footnote broken on purpose as well, with a model that only quotes, and says whether the exam
tells the builds apart. What an exam is and how it is written: see `exam`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval import exam
from eval.benchmarks.quoting import QuotingModel
from eval.broken import BUILDS, Difference, Remembering, differences, is_told_apart
from eval.cases import Case, CaseError, read_cases, write_cases
from eval.judges.by_name import DEFAULT, NAMES, LexicalJudge
from eval.judges.judgement import Judge
from eval.report import gate_lines
from eval.run import ANSWERS, MADE_OF_ANSWERS, Progress, exit_code, run, save
from eval.scoring import measure
from rag import Rag
from rag.cli import add_common_options, settings_from, tell

EXAM = "exam.jsonl"
OpenJudge = Callable[[str, Rag], Judge | None]


def add_to(commands: Any, open_judge: OpenJudge) -> None:
    """Add `exam` to the command line; `open_judge` finds a judge by name."""
    parser = commands.add_parser(
        "exam",
        help="write an exam from a library, answer it, print the scorecard",
        description="Questions are made from single sentences of the library's own abstracts, by rules; so are the "
        "right answers. No outside help, no model that marks its own work. The same seed gives the same exam.",
    )
    parser.add_argument("-n", type=int, default=60, metavar="N", help="how many questions (default: 60)")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--judge", default=DEFAULT, metavar="NAME", help=f"{NAMES}, or none")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: runs/exam-<time>)")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with an exam that was stopped")
    parser.add_argument("--write", type=Path, metavar="FILE", help="only write the questions to FILE, answer none")
    parser.add_argument("--prove", action="store_true", help="is the exam able to tell broken builds apart?")
    parser.add_argument("--json", action="store_true")
    add_common_options(parser)
    parser.set_defaults(action=lambda options: _exam(options, open_judge))


def _exam(options: argparse.Namespace, open_judge: OpenJudge) -> int:
    if options.resume and options.out:
        raise CaseError("Both --out and --resume are given.", "Give one: --resume FOLDER writes there too.")
    if options.resume and not (options.resume / EXAM).is_file():
        raise CaseError(f"There is no exam at {str(options.resume)!r}.", f"It has to hold {EXAM}.")
    rag = Rag.open(settings_from(options), report=tell)
    if options.resume:  # the exam that was begun, whatever -n and --seed say now
        cases = list(read_cases(options.resume / EXAM))
        tell(f"{len(cases)} questions of {options.resume / EXAM}.")
    else:
        cases = exam.write(rag.papers, options.seed, options.n)
        tell(f"{len(cases)} questions on {len(rag.papers)} papers, seed {options.seed}.")
    if options.write:
        write_cases(options.write, cases)
        tell(f"Written to {options.write}; answer them: footnote eval run --questions {options.write}")
        return 0
    if options.prove:
        return _prove(rag, cases, as_json=options.json)
    folder = options.resume or options.out or Path("runs") / time.strftime("exam-%Y%m%d-%H%M%S")
    if not options.resume:
        for name in (ANSWERS, EXAM, *MADE_OF_ANSWERS):
            (folder / name).unlink(missing_ok=True)
    rag.warm_up()
    summary = take(rag, cases, folder, judge=open_judge(options.judge, rag), report=tell)
    print(json.dumps(summary, indent=1) if options.json else exam.scorecard(summary))
    tell(f"Written to {folder}: exam.jsonl, answers.jsonl, scores.json, report.html, report.md")
    for line in gate_lines(summary):
        tell(line)
    return exit_code(summary)


def take(
    rag: Rag,
    cases: Sequence[Case],
    folder: Path,
    *,
    judge: Judge | None = None,
    report: Callable[[str], None] = lambda _line: None,
    progress: Progress = lambda _done, _total, _item: None,
) -> dict[str, Any]:
    """Answer and score an exam that `eval.exam.write` wrote; what a page's button or a command needs.

    Args:
        rag: what answers.
        cases: the exam.
        folder: gets exam.jsonl and all that a run writes; an exam of the same kind that was stopped there goes on.
        judge: judges the sentences of answers, as `eval.judges.by_name.open_judge` opens it; None judges none.
        report: told in a line each how it goes.
        progress: told (questions done, of how many, the last one scored); what it raises stops the exam.

    Returns:
        What scores.json holds; `eval.exam.scorecard` makes lines of it.

    Raises:
        CaseError: `folder` holds another exam, or answers made with something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / EXAM).exists():
        write_cases(folder / EXAM, cases)
    elif [*read_cases(folder / EXAM)] != [*cases]:
        raise CaseError(f"{str(folder)!r} holds another exam.", "Go on with that by --resume, or give another folder.")
    started = time.monotonic()
    scored = run(rag, cases, report=report, folder=folder, judge=judge, progress=progress)
    return save(folder, scored, rag, time.monotonic() - started, judge)


def _prove(rag: Rag, cases: Sequence[Case], *, as_json: bool) -> int:
    failed: list[str] = []
    found = prove(rag, cases, report=failed.append)
    for line in failed:
        tell(line)
    if as_json:
        print(json.dumps({name: [asdict(d) for d in rows] for name, rows in found.items()}, indent=1))
    else:
        for name, rows in found.items():
            verdict = "told apart" if is_told_apart(rows) else "NOT told apart"
            told = [f"{d.figure} worse {d.worse}, better {d.better}, p = {d.p:.2g}" for d in rows[:1]]
            print(f"{name:28} {verdict}: {''.join(told) or 'no figure could be had of both'}")
    expected = {name: name != SAME for name in found}
    is_proved = all(is_told_apart(rows) == expected[name] for name, rows in found.items())
    return 0 if is_proved and not failed else 1


SAME = "the good build again"


def prove(
    rag: Rag, cases: Sequence[Case], report: Callable[[str], None] = lambda _line: None
) -> dict[str, list[Difference]]:
    """How each broken build differs from a good one on `cases`, and how the good one differs from itself.

    Everything is real but the model, which quotes: what is broken lies around it. Judged by the lexical floor. `report`
    is told in a line of each figure that could not be had, and of which build.
    """
    retriever = rag.retriever.model_copy(update={"encoder": Remembering(rag.retriever.encoder)})
    good = Rag(retriever=retriever, model=QuotingModel(), settings=rag.settings)
    judge = LexicalJudge()

    def values(name: str, build: Rag) -> dict[str, list[Any]]:
        found, failed = measure(run(build, cases, report=lambda _line: None, judge=judge))
        for what, why in failed.items():
            report(f"FAILED {name}, {what}: {why}")
        return found

    marks = values("the good build", good)
    others = {SAME: good, **{name: alter(good) for name, alter in BUILDS.items()}}
    return {name: differences(marks, values(name, build)) for name, build in others.items()}
