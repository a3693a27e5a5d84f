"""`python -m eval run`: answer every case, score it, say what came out.

One folder a run: answers.jsonl (a line as each answer comes, so that a stopped run can go on), scores.json (each
figure with n and interval, and what it was made with), report.md and report.html. Knows nothing of single figures'
definitions: see `scoring`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from eval import metrics, report
from eval.cases import Case, CaseError
from eval.grounding import judge_answers
from eval.judgement import Judge
from eval.scoring import Scored, corrected_figures, declining, figures, is_right_and_cited, measure, timings
from rag import Answer, Rag, describe_machine

ANSWERS = "answers.jsonl"


def run(
    rag: Rag,
    cases: Sequence[Case],
    *,
    report: Callable[[str], None],
    folder: Path | None = None,
    judge: Judge | None = None,
) -> list[Scored]:
    """Every case answered in order, one at a time, as a reader would ask; those that `folder` holds are taken from it.

    Raises:
        CaseError: the folder's answers were made with other settings or for another question.
    """
    known = {_folded(paper.title): paper.title for paper in rag.papers}
    done = _resumed(folder, rag, cases) if folder else {}
    if done:
        report(f"{len(done)} of {len(cases)} were answered before.")
    scored, asked = [], 0
    started = time.monotonic()
    for number, case in enumerate(cases, start=1):
        item = done.get(case.id)
        if item is None:
            asked += 1
            answer = rag.ask(case.question, case.history)
            hits = rag.retrieve(answer.standalone_question, k=10)
            item = Scored(case, answer, hits, tuple(known.get(_folded(title), title) for title in case.papers))
            if folder:
                _append(folder, item)
            left = (time.monotonic() - started) / asked * (len(cases) - len(done) - asked)
            took = answer.timings["total_s"]
            report(f"{number}/{len(cases)} {case.id} {_mark(item)} {took:.1f} s, {left:.0f} s left")
        scored.append(item)
    if judge is None:
        return scored
    # Only now: a judge that reads with the answering model would push the answering prompt out of its memory.
    report(f"Judging {len(scored)} answers by {judge.id} …")
    judged = judge_answers(judge, [item.answer for item in scored])
    return [replace(item, judged=one) for item, one in zip(scored, judged, strict=True)]


def read_answers(folder: Path) -> list[Scored]:
    """The answered cases of a run's folder, without a judge's verdicts; a last line cut off by a stop is left out.

    Raises:
        CaseError: there is no run, or a line of it cannot be read.
    """
    path = folder / ANSWERS
    if not path.is_file():
        raise CaseError(f"There is no run at {str(folder)!r}.", f"It has to hold {ANSWERS}.")
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    result = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (number == len(lines) and not text.endswith("\n")):
            continue
        try:
            row = json.loads(line)
            result.append(_scored(row))
        except (ValueError, KeyError, TypeError) as error:
            raise CaseError(f"{path.name}, line {number} is not an answer: {error!r}.", "Remove it.") from error
    return result


def _scored(row: dict[str, Any]) -> Scored:
    case = Case(**{**row["case"], **{n: tuple(row["case"][n]) for n in ("papers", "evidence", "history")}})
    case = replace(case, answers=tuple(tuple(group) for group in case.answers))
    hits = Answer.from_dict({"question": "", "text": "", "status": "answered", "hits": row.get("hits", ())}).hits
    return Scored(case, Answer.from_dict(row["answer"]), hits, tuple(row.get("titles", case.papers)))


def _resumed(folder: Path, rag: Rag, cases: Sequence[Case]) -> dict[str, Scored]:
    if not (folder / ANSWERS).is_file():
        return {}
    wanted = {case.id: case for case in cases}
    done = {item.case.id: item for item in read_answers(folder) if item.case.id in wanted}
    for item in done.values():
        if item.answer.settings_id != rag.settings.id:
            problem = f"{str(folder)!r} was made with settings {item.answer.settings_id}, these are {rag.settings.id}."
            raise CaseError(problem, "Give the same settings, or another folder.")
        if item.case.question != wanted[item.case.id].question:
            raise CaseError(f"{item.case.id!r} asked something else at {str(folder)!r}.", "Give another folder.")
    # Written anew, so that a line cut off by the stop does not run into the next.
    (folder / ANSWERS).write_text("".join(_line(item) for item in done.values()), encoding="utf-8")
    return done


def _append(folder: Path, item: Scored) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ANSWERS).open("a", encoding="utf-8") as lines:
        lines.write(_line(item))


def _line(item: Scored) -> str:
    row = {
        "case": asdict(item.case),
        "answer": item.answer.to_dict(),
        "hits": [asdict(hit) for hit in item.hits],
        "titles": item.titles,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def save(
    folder: Path, scored: Sequence[Scored], rag: Rag, seconds: float, judge: Judge | None = None
) -> dict[str, Any]:
    """Write the run's folder and return what scores.json holds; `failed` names the figures that could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ANSWERS).write_text("".join(_line(item) for item in scored), encoding="utf-8")
    values, failed = measure(scored)
    summary = {
        "figures": {g: {n: asdict(f) for n, f in row.items()} for g, row in figures(scored, values).items()},
        "corrected": {name: asdict(f) for name, f in corrected_figures(scored, judge).items()},
        "abstention": declining(scored),
        "timings": timings(scored),
        "failed": failed,
        "values": {
            name: dict(zip((s.case.id for s in scored), column, strict=True)) for name, column in values.items()
        },
        "seconds": seconds,
        "cases": len(scored),
        "made_with": {
            "model": rag.description.line,
            "settings_id": rag.settings.id,
            "prompt_id": scored[0].answer.prompt_id if scored else "",
            "judge": judge.id if judge else "none",
            "commit": _commit(),
            "machine": _machine(),
        },
    }
    (folder / "scores.json").write_text(json.dumps(summary, indent=1))
    (folder / "report.md").write_text(report.markdown(summary, scored), encoding="utf-8")
    (folder / "report.html").write_text(report.page(summary, scored), encoding="utf-8")
    return summary


def table(summary: dict[str, Any]) -> str:
    """The figures as text: a row a type, each cell mean, interval and n."""
    names = ["right and cited", "right", "cites exactly", "declined", "falsely refused", "hit@1", "recall@5"]
    names = [name for name in names if name in summary["figures"]["all"]]
    lines = [f"{'':18}" + "".join(f"{name:>23}" for name in names)]
    for group, row in summary["figures"].items():
        lines.append(f"{group:18}" + "".join(f"{report.cell(row[name]):>23}" for name in names))
    overall = summary["figures"]["all"]
    for name, text in (
        ("citations valid", "citations that point to an existing sentence"),
        ("every claim cited", "answers in which every sentence is cited"),
    ):
        if name in overall:
            lines.append(f"{text}: {report.cell(overall[name])}")
    lines += [f"{name}: {report.cell(f)}" for name, f in overall.items() if name in report.GROUNDING]
    lines += [f"{name}, {report.CORRECTED}: {report.cell(f)}" for name, f in summary["corrected"].items()]
    lines += [f"FAILED {name}: {reason}" for name, reason in summary["failed"].items()]
    for name, row in summary["timings"].items():
        lines.append(f"{name:14} median {row['median']:.2f} s, 90th percentile {row['p90']:.2f} s, n = {row['n']}")
    lines.append(" | ".join(f"{key} {value}" for key, value in summary["made_with"].items()))
    return "\n".join(lines)


def _mark(item: Scored) -> str:
    if metrics.is_right(item.case, item.answer) is None:
        return item.answer.status
    return "right" if is_right_and_cited(item) else "wrong"


def _folded(title: str) -> str:
    return "".join(c for c in title.casefold() if c.isalnum())


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{describe_machine()}; Python {sys.version.split()[0]}"
