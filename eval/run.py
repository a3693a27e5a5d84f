"""`python -m eval run`: answer every case, score it, say what came out.

One folder a run: answers.jsonl (each answer as it was given) and scores.json (each figure with n and interval, and
what it was made with). Knows nothing of single figures' definitions: see `metrics`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from eval import metrics
from eval.cases import Case
from eval.metrics import Figure, figure
from rag import Answer, Hit, Rag, describe_machine

SINGLE_PAPER = ("fact", "explain", "noisy")


@dataclass(frozen=True, slots=True)
class Scored:
    """One case with its answer, the ten best hits, and the titles that should be cited as the library has them."""

    case: Case
    answer: Answer
    hits: tuple[Hit, ...]
    titles: tuple[str, ...]


def run(rag: Rag, cases: Sequence[Case], *, report: Callable[[str], None]) -> list[Scored]:
    """Every case answered in order, one at a time, as a reader would ask."""
    known = {_folded(paper.title): paper.title for paper in rag.papers}
    scored = []
    started = time.monotonic()
    for number, case in enumerate(cases, start=1):
        answer = rag.ask(case.question, case.history)
        hits = rag.retrieve(answer.standalone_question, k=10)
        titles = tuple(known.get(_folded(title), title) for title in case.papers)
        scored.append(Scored(case, answer, hits, titles))
        left = (time.monotonic() - started) / number * (len(cases) - number)
        report(
            f"{number}/{len(cases)} {case.id} {_mark(scored[-1])} {answer.timings['total_s']:.1f} s, {left:.0f} s left"
        )
    return scored


def figures(scored: Sequence[Scored]) -> dict[str, dict[str, Figure]]:
    """Figures by case type, and over all under "all"."""
    types = list(dict.fromkeys(item.case.type for item in scored))
    groups = {name: [item for item in scored if item.case.type == name] for name in types}
    single = [item for item in scored if item.case.type in SINGLE_PAPER]
    return {name: _figures(group) for name, group in {**groups, "single paper": single, "all": list(scored)}.items()}


def _figures(group: Sequence[Scored]) -> dict[str, Figure]:
    right = [metrics.is_right(s.case, s.answer) for s in group]
    exact = [metrics.cites_exactly(s.case, s.answer, s.titles) for s in group]
    return {
        "right": figure(right),
        "cites exactly": figure(exact),
        "right and cited": figure([None if r is None else bool(r and e) for r, e in zip(right, exact, strict=True)]),
        "citations valid": figure([metrics.citations_are_valid(s.answer) for s in group]),
        "every claim cited": figure([metrics.every_claim_is_cited(s.answer) for s in group]),
        "declined": figure([metrics.is_declined(s.case, s.answer) for s in group]),
        "falsely refused": figure([metrics.is_falsely_refused(s.case, s.answer) for s in group]),
        "hit@1": figure([metrics.hit_at(s.hits, s.titles, 1) for s in group]),
        "recall@5": figure([metrics.recall_at(s.hits, s.titles, 5) for s in group]),
    }


def timings(scored: Sequence[Scored]) -> dict[str, dict[str, float]]:
    """Median and 90th percentile in seconds of each time an answer tells, over the cases that have it."""
    result = {}
    for name in ("evidence_s", "first_token_s", "total_s"):
        values = sorted(s.answer.timings[name] for s in scored if "first_token_s" in s.answer.timings)
        if values:
            result[name] = {"median": median(values), "p90": values[int(0.9 * (len(values) - 1))], "n": len(values)}
    return result


def save(folder: Path, scored: Sequence[Scored], rag: Rag, seconds: float) -> dict[str, Any]:
    """Write the run's folder and return what scores.json holds."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as lines:
        for item in scored:
            row = {"case": asdict(item.case), "answer": item.answer.to_dict()}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    summary = {
        "figures": {g: {n: asdict(f) for n, f in row.items()} for g, row in figures(scored).items()},
        "timings": timings(scored),
        "seconds": seconds,
        "cases": len(scored),
        "made_with": {
            "model": rag.description.line,
            "settings_id": rag.settings.id,
            "prompt_id": scored[0].answer.prompt_id if scored else "",
            "commit": _commit(),
            "machine": _machine(),
        },
    }
    (folder / "scores.json").write_text(json.dumps(summary, indent=1))
    return summary


def table(summary: dict[str, Any]) -> str:
    """The figures as text: a row a type, each cell mean, interval and n."""
    names = ["right and cited", "right", "cites exactly", "declined", "falsely refused", "hit@1", "recall@5"]
    lines = [f"{'':18}" + "".join(f"{name:>23}" for name in names)]
    for group, row in summary["figures"].items():
        lines.append(f"{group:18}" + "".join(f"{_cell(row[name]):>23}" for name in names))
    valid, cited = (summary["figures"]["all"][name] for name in ("citations valid", "every claim cited"))
    lines.append(f"\ncitations that point to an existing sentence: {_cell(valid)}")
    lines.append(f"answers in which every sentence is cited: {_cell(cited)}")
    for name, row in summary["timings"].items():
        lines.append(f"{name:14} median {row['median']:.2f} s, 90th percentile {row['p90']:.2f} s, n = {row['n']}")
    lines.append(" | ".join(f"{key} {value}" for key, value in summary["made_with"].items()))
    return "\n".join(lines)


def _cell(value: dict[str, Any]) -> str:
    if value["value"] is None:
        return "–"
    return f"{value['value']:.2f} [{value['low']:.2f}, {value['high']:.2f}] n={value['n']}"


def _mark(item: Scored) -> str:
    right = metrics.is_right(item.case, item.answer)
    if right is None:
        return item.answer.status
    return "right" if right and metrics.cites_exactly(item.case, item.answer, item.titles) else "wrong"


def _folded(title: str) -> str:
    return "".join(c for c in title.casefold() if c.isalnum())


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{describe_machine()}; Python {sys.version.split()[0]}"
