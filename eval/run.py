"""`python -m eval run`: answer every case, score it, say what came out.

One folder a run: answers.jsonl (a line as each answer comes, so that a stopped run can go on), scores.json (each
figure with n and interval, and what it was made with), report.md and report.html. Knows nothing of single figures'
definitions: see `scoring`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from eval import report
from eval.cases import FIELDS, Case, CaseError, folded_title, put_whole
from eval.judges.judgement import Judge
from eval.metrics.grounding import judge_answer, judge_answers
from eval.provenance import changed, made_with, peak_memory_gib
from eval.scoring import (
    Scored,
    attempt,
    corrected_figures,
    declining,
    declining_figures,
    figures,
    gate,
    measure,
    risk_and_coverage,
    timings,
    value_of,
)
from rag import Answer, Rag

ANSWERS = "answers.jsonl"
MADE_WITH = "made_with.json"
MADE_OF_ANSWERS = (MADE_WITH, "scores.json", "report.md", "report.html")
"""What an earlier run leaves in a folder that is begun anew."""
JUDGED_TOGETHER = 10
"""Answers that a judge is handed at a time."""
Progress = Callable[[int, int, Scored], None]


def run(
    rag: Rag,
    cases: Sequence[Case],
    *,
    report: Callable[[str], None],
    folder: Path | None = None,
    judge: Judge | None = None,
    progress: Progress = lambda _done, _total, _item: None,
    batch: int = 1,
    made_also: Mapping[str, str] | None = None,
) -> list[Scored]:
    """Every case answered in order, as a reader would ask; those that `folder` holds are taken from it.

    Args:
        rag: what answers.
        cases: the questions.
        report: told in a line each how it goes, with the seconds left.
        folder: where each answer is kept as it comes, so that a stopped run can go on; None keeps nothing.
        judge: judges the sentences of each answer; None judges none.
        progress: told (how many are done, of how many, the last one) after each, before any is judged; what it raises
            stops the run.
        batch: how many questions a model is asked together: a remote one may answer them side by side. Their times are
            those of the batch, their tokens are not told. Questions with a history or a deleted paper are asked alone.
        made_also: what the answers depend on besides what `made_with` knows.

    Raises:
        CaseError: the folder's answers were made with another model, other settings, prompts, code or library, or for
            another question.
    """
    known = {folded_title(paper.title): paper.title for paper in rag.papers}
    now = {**made_with(rag, cases, judge.id if judge else None), **(made_also or {})}
    done = _resumed(folder, rag, cases, now, known) if folder else {}
    if done:
        report(f"{len(done)} of {len(cases)} were answered before; all are judged anew.")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        put_whole(folder / MADE_WITH, json.dumps(now, indent=1))
    scored: list[Scored] = []
    fresh = _answers(rag, [case for case in cases if case.id not in done], known, batch)
    asked, started = 0, time.monotonic()
    for number, case in enumerate(cases, start=1):
        item = done.get(case.id)
        if item is None:
            item = next(fresh)
            asked += 1
            if folder:
                _append(folder, item)
            left = (time.monotonic() - started) / asked * (len(cases) - len(done) - asked)
            took = item.answer.timings["total_s"]
            then = ", then the judge" if judge else ""
            report(f"{number}/{len(cases)} {case.id} {_mark(item)} {took:.1f} s, {left:.0f} s left{then}")
        scored.append(item)
        progress(number, len(cases), item)
    return judged(scored, judge, report) if judge else scored


def _answers(rag: Rag, cases: Sequence[Case], known: Mapping[str, str], batch: int) -> Iterator[Scored]:
    """Each case answered, in order; neighbours that stand alone are asked `batch` at a time."""
    waiting: list[Case] = []
    for case in cases:
        is_plain = batch > 1 and not case.history and not case.without
        waiting += [case] if is_plain else []
        if waiting and (not is_plain or len(waiting) == batch):
            yield from _asked_together(rag, waiting, known)
            waiting = []
        if not is_plain:
            yield _asked(rag, case, known)
    if waiting:
        yield from _asked_together(rag, waiting, known)


def _asked_together(rag: Rag, cases: Sequence[Case], known: Mapping[str, str]) -> Iterator[Scored]:
    for case, answer in zip(cases, rag.ask_many([case.question for case in cases]), strict=True):
        yield Scored(case, answer, rag.retrieve(answer.standalone_question, k=10), _titles(case, known))


def _titles(case: Case, known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(known.get(folded_title(title), title) for title in case.papers)


def _asked(rag: Rag, case: Case, known: Mapping[str, str]) -> Scored:
    options: dict[str, Any] = {"where": {"id": {"ne": case.without}}} if case.without else {}
    with _usage() as usage:
        answer = rag.ask(case.question, case.history, **options)
    asked = answer.standalone_question
    if case.history and asked != case.question and not answer.surveyed:
        asked, options = case.question, {**options, "leaning_on": case.history}
    hits = rag.retrieve(asked, k=10, **options)
    spent = usage()
    return Scored(case, answer, hits, _titles(case, known), tokens_in=spent[0], tokens_out=spent[1])


def judged(scored: Sequence[Scored], judge: Judge, report: Callable[[str], None] = lambda _line: None) -> list[Scored]:
    """All answers judged, as `run` does after the last; for whoever stopped a run and keeps what `progress` told.

    Not each after it came: a judge that reads with the answering model would push the answering prompt out of its
    memory. Some at a time, so that the time left can be told by the judge's own pace. Where it fails, each of these is
    judged by itself, and those that it fails on say why.
    """
    report(f"Judging {len(scored)} answers by {judge.id} …")
    result: list[Scored] = []
    started = time.monotonic()
    for start in range(0, len(scored), JUDGED_TOGETHER):
        result += _judged_together(scored[start : start + JUDGED_TOGETHER], judge, report)
        if len(result) < len(scored):
            left = (time.monotonic() - started) / len(result) * (len(scored) - len(result))
            report(f"{len(result)}/{len(scored)} judged, {left:.0f} s left")
    return result


def _judged_together(scored: Sequence[Scored], judge: Judge, report: Callable[[str], None]) -> list[Scored]:
    verdicts, reason = attempt(lambda: judge_answers(judge, [item.answer for item in scored]))
    if verdicts is not None:
        return [replace(item, judged=one) for item, one in zip(scored, verdicts, strict=True)]
    report(f"{reason}. Judging {len(scored)} answers one by one …")
    return [_judged_alone(item, judge) for item in scored]


def _judged_alone(item: Scored, judge: Judge) -> Scored:
    verdict, reason = attempt(lambda: judge_answer(judge, item.answer))
    return replace(item, judged=verdict, judge_failure=reason)


@contextmanager
def _usage() -> Iterator[Callable[[], tuple[int | None, int | None]]]:
    """Counts the tokens that models read and write meanwhile; (None, None) where none was asked or none tells.

    What LangChain's models report: the look at whether the evidence answers writes nothing and is not among it.
    """
    from langchain_core.callbacks import get_usage_metadata_callback

    with get_usage_metadata_callback() as spent:

        def told() -> tuple[int | None, int | None]:
            rows = spent.usage_metadata.values()
            if not rows:
                return None, None
            return sum(row["input_tokens"] for row in rows), sum(row["output_tokens"] for row in rows)

        yield told


def read_answers(folder: Path) -> list[Scored]:
    """The answered cases of a run's folder, without a judge's verdicts; a last line cut off by a stop is left out.

    Raises:
        CaseError: there is no run, or a line of it cannot be read.
    """
    path = folder / ANSWERS
    if not path.is_file():
        raise CaseError(f"There is no run at {str(folder)!r}.", f"It has to hold {ANSWERS}.")
    *whole, _cut_off = path.read_bytes().split(b"\n")  # perhaps within a character
    result = []
    for number, line in enumerate(whole, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            result.append(_scored(row))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CaseError(f"{path.name}, line {number} is not an answer: {error!r}.", "Remove it.") from error
    return result


def _scored(row: dict[str, Any]) -> Scored:
    known = {name: value for name, value in row["case"].items() if name in FIELDS}
    case = Case(**{name: _frozen(value) for name, value in known.items()})
    hits = Answer.from_dict({"question": "", "text": "", "status": "answered", "hits": row.get("hits", ())}).hits
    tokens = (row.get("tokens_in"), row.get("tokens_out"))
    return Scored(case, Answer.from_dict(row["answer"]), hits, tuple(row.get("titles", case.papers)), None, *tokens)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _resumed(
    folder: Path, rag: Rag, cases: Sequence[Case], now: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, Scored]:
    if not (folder / ANSWERS).is_file():
        return {}
    if (folder / MADE_WITH).is_file():
        differences = changed(json.loads((folder / MADE_WITH).read_text(encoding="utf-8")), now)
        if differences:
            raise CaseError(
                f"{str(folder)!r} was made with something else: {'; '.join(differences)}.",
                "Put that back, or start anew with --out and another folder.",
            )
    wanted = {case.id: case for case in cases}
    kept = {item.case.id: item for item in read_answers(folder)}
    done = {key: item for key, item in kept.items() if key in wanted}
    for item in done.values():
        if item.answer.settings_id != rag.settings.id:
            problem = f"{str(folder)!r} was made with settings {item.answer.settings_id}, these are {rag.settings.id}."
            raise CaseError(problem, "Give the same settings, or another folder.")
        if _put(item.case) != _put(wanted[item.case.id]):
            raise CaseError(f"{item.case.id!r} asked something else at {str(folder)!r}.", "Give another folder.")
    # Written anew, so that a line cut off by the stop does not run into the next; with what is not asked for this time.
    _rewrite(folder, kept.values())
    return {  # scored by what is right now
        key: replace(item, case=wanted[key], titles=_titles(wanted[key], known)) for key, item in done.items()
    }


def _put(case: Case) -> tuple[Any, ...]:
    """All of a case that its answer depends on."""
    return case.question, [dict(message) for message in case.history], case.without


def ask_the_same(cases: Sequence[Case], others: Sequence[Case]) -> bool:
    """Whether two lists hold the same questions in the same order, whatever is known of the right answers."""
    return [(case.id, _put(case)) for case in cases] == [(case.id, _put(case)) for case in others]


def _rewrite(folder: Path, items: Iterable[Scored]) -> None:
    put_whole(folder / ANSWERS, "".join(_line(item) for item in items))


def _append(folder: Path, item: Scored) -> None:
    with (folder / ANSWERS).open("a", encoding="utf-8") as lines:
        lines.write(_line(item))


def _line(item: Scored) -> str:
    row = {
        "case": asdict(item.case),
        "answer": item.answer.to_dict(),
        "hits": [asdict(hit) for hit in item.hits],
        "titles": item.titles,
        "tokens_in": item.tokens_in,
        "tokens_out": item.tokens_out,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def save(
    folder: Path, scored: Sequence[Scored], rag: Rag, seconds: float, judge: Judge | None = None
) -> dict[str, Any]:
    """Write the run's folder and return what scores.json holds.

    `failed` names the figures that could not be had, `gate` the cases that fail a hard gate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = {item.case.id for item in scored}
    before = read_answers(folder) if (folder / ANSWERS).is_file() else ()
    _rewrite(folder, [*scored, *(item for item in before if item.case.id not in asked)])
    values, failed = measure(scored)

    further: dict[str, Any] = {}
    for name, compute in (
        ("abstention", lambda: (declining(scored), {k: asdict(f) for k, f in declining_figures(scored).items()})),
        ("timings", lambda: timings(scored)),
        ("risk_coverage", lambda: risk_and_coverage(scored)),
        ("corrected", lambda: {key: asdict(one) for key, one in corrected_figures(scored, judge).items()}),
    ):
        further[name], reason = attempt(compute)
        if reason:
            failed[name] = reason
    declined, intervals = further["abstention"] or ({}, {})
    summary: dict[str, Any] = {
        "figures": {g: {n: asdict(f) for n, f in row.items()} for g, row in figures(scored, values).items()},
        "corrected": further["corrected"] or {},
        "abstention": declined,
        "abstention_intervals": intervals,
        "timings": further["timings"] or {},
        "failed": failed,
        "gate": gate(scored, values),
        "values": {
            name: dict(zip((s.case.id for s in scored), column, strict=True)) for name, column in values.items()
        },
        "seconds": seconds,
        "cases": len(scored),
        "peak_memory_gib": peak_memory_gib(),
        "peak_gpu_memory_gib": peak_gpu_memory_gib(),
        "risk_coverage": further["risk_coverage"] or [],
        "made_with": {
            "prompt_id": _prompt_ids(scored),
            **made_with(rag, [item.case for item in scored], judge.id if judge else None),
        },
    }
    put_whole(folder / "report.md", report.markdown(summary, scored))
    put_whole(folder / "report.html", report.page(summary, scored))
    put_whole(folder / "scores.json", json.dumps(summary, indent=1))
    return summary


def peak_gpu_memory_gib() -> float | None:
    """The most memory that tensors have had so far on all CUDA devices, in GiB; None where none is used.

    What torch holds in reserve and what the driver takes is not in it. Never imports torch: without it nothing is used.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    peaks = [torch.cuda.max_memory_allocated(device) for device in range(torch.cuda.device_count())]
    return sum(peaks) / 1024**3 if any(peaks) else None


def _prompt_ids(scored: Sequence[Scored]) -> str:
    """The prompts by which the answers were written; an answer that is put together of several names them all."""
    return ", ".join(sorted({one for item in scored for one in item.answer.prompt_id.split("+") if one}))


def exit_code(summary: Mapping[str, Any]) -> int:
    """1 where a figure could not be had, or an answer fails a hard gate; else 0."""
    return 1 if summary["failed"] or summary["gate"] else 0


def table(summary: dict[str, Any]) -> str:
    """The figures as text: a row a type, each cell mean, interval and n."""
    names = ["right and cited", "right", "cites exactly", "declined", "falsely refused", "hit@1", "recall@5"]
    names = [name for name in names if name in summary["figures"]["all"]]
    own_lines = ("premise resisted", "injection resisted", "tokens in", "tokens out")
    lines = [f"{'':18}" + "".join(f"{name:>25}" for name in names)]
    for group, row in summary["figures"].items():
        lines.append(f"{group:18}" + "".join(f"{report.cell(row[name]):>25}" for name in names))
    overall = summary["figures"]["all"]
    for name, text in (
        ("citations valid", "citations that point to an existing sentence"),
        ("every claim cited", "answers in which every sentence is cited"),
    ):
        if name in overall:
            lines.append(f"{text}: {report.cell(overall[name])}")
    lines += [f"{name}: {report.cell(f)}" for name, f in overall.items() if name in report.GROUNDING]
    lines += [f"{name}: {report.cell(overall[name])}" for name in own_lines if overall.get(name, {}).get("n")]
    lines += [f"{name}, {report.CORRECTED}: {report.cell(f)}" for name, f in summary["corrected"].items()]
    lines += report.gate_lines(summary)
    lines += [f"FAILED {name}: {reason}" for name, reason in summary["failed"].items()]
    lines += [f"{name}: median {median}, 95th percentile {p95}, {n}" for name, median, p95, n in report.times(summary)]
    lines += report.memory(summary)
    lines.append(" | ".join(f"{key} {value}" for key, value in summary["made_with"].items()))
    return "\n".join(lines)


def _mark(item: Scored) -> str:
    told = [mark for mark in (value_of(item, "right and cited"), value_of(item, "right")) if mark is not None]
    return item.answer.status if not told else "right" if told[0] else "wrong"
