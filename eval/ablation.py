"""`python -m eval ablate`: what each part of Footnote is worth, by leaving it out or putting another in its place.

Every variant answers the same questions with the same model, library and index, and is compared with Footnote as it is,
question by question: the difference with its interval and an exact test. A part that no figure misses should go.

Source: ablation as in Newell 1975; McNemar's exact test as in `compare`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from eval import systems
from eval.broken import unread, without_keywords, without_vectors
from eval.cases import cases_of
from eval.compare import mcnemar
from eval.metrics.answers import Figure, figure
from eval.peers import failures, sample
from eval.provenance import made_with
from eval.report import cell
from eval.scoring import Scored, measure
from rag import Rag

WHOLE = "as it is"
VARIANTS: Mapping[str, Callable[[Rag], Rag]] = {
    WHOLE: lambda rag: rag,
    "no keywords": without_keywords,
    "no vectors": without_vectors,
    "whole abstracts": lambda rag: rag.with_settings(answer={"evidence_sentences": 60, "evidence_tokens": 8192}),
    "markers by the model": lambda rag: rag.with_settings(answer={"citations": "constrained"}),
    "no check": lambda rag: rag.with_settings(
        answer={"support_threshold": 0.0, "rewrites": False, "second_opinion": False}
    ),
    "no second opinion": lambda rag: rag.with_settings(answer={"second_opinion": False}),
    "sentences of a paper not read": lambda rag: unread(rag, "looks"),
    "no adapters": lambda rag: unread(rag, "looks", "judge"),
    "no rewriting": lambda rag: rag.with_settings(answer={"rewrites": False}),
    "no further quotes": lambda rag: rag.with_settings(answer={"further_quotes": 0}),
    "never declines": lambda rag: rag.with_settings(answer={"abstain_threshold": 0.0}),
}
FIGURES = (
    "right", "right and cited", "declined", "falsely refused", "gold sentence shown", "faithfulness",
    "called supported", "upheld where so called", "number agreement", "entity agreement", "negation agreement",
    "copy ratio", "length in words", "tokens in", "seconds",
)  # fmt: skip
YES_OR_NO = ("right and cited", "declined", "falsely refused")
"""Figures whose single values are compared with those of Footnote as it is."""
SAMPLE = 60


@dataclass(frozen=True, slots=True)
class Change:
    """Questions on which a variant does better and worse than Footnote as it is, and McNemar's exact p."""

    better: int
    worse: int
    p: float


Values = Mapping[str, Sequence[float | None]]


def add_to(commands: Any, open_judge: Any) -> None:
    """Add `ablate` to the command line; `open_judge` finds a judge by name."""
    parser = commands.add_parser(
        "ablate",
        help="what each part is worth: Footnote without it, on the same questions",
        description="A fixed stratified sample of questions. Each variant's answers are kept in a folder of its name, "
        "so that a run that was stopped goes on.",
    )
    systems.add_options(parser, VARIANTS, n=SAMPLE, out=Path("runs/ablation"))
    parser.set_defaults(action=lambda options: _ablate(options, open_judge))


def _ablate(options: argparse.Namespace, open_judge: Any) -> int:
    names = list(dict.fromkeys([WHOLE, *systems.chosen(options, tuple(VARIANTS), "variant")]))
    rag, judge = systems.opened(options, open_judge)
    cases = sample(cases_of(options), options.n)
    made_by = {name: partial(VARIANTS[name], rag) for name in names}
    told = {name: values(scored) for name, scored in systems.answered(made_by, cases, judge, options.out).items()}
    found = {name: row for name, (row, _) in told.items()}
    failed = {name: reasons for name, (_, reasons) in told.items() if reasons}
    changes = {name: changes_between(found[WHOLE], found[name]) for name in names if name != WHOLE}
    made = made_with(rag, cases, judge.id)
    if options.json:
        rows = {
            name: {
                "figures": {key: asdict(value) for key, value in figures(row).items()},
                "changes": {key: asdict(value) for key, value in changes.get(name, {}).items()},
            }
            for name, row in found.items()
        }
        print(json.dumps({"variants": rows, "failed": failed, "made_with": made}, indent=1))
    else:
        print(table({name: figures(row) for name, row in found.items()}, changes))
        print("\n".join([*failures(failed), " | ".join(f"{key} {value}" for key, value in made.items())]))
    return 1 if failed else 0


def values(scored: Sequence[Scored]) -> tuple[Values, dict[str, str]]:
    """The single values of each figure, one a question (None: does not apply), and the reasons of those that failed."""
    found, failed = measure(scored)
    columns = {**found, "seconds": systems.seconds(scored)}
    return {name: columns[name] for name in FIGURES if name in columns}, failed


def figures(single: Values) -> dict[str, Figure]:
    """Each figure's mean, interval and n."""
    return {name: figure(column) for name, column in single.items()}


def changes_between(whole: Values, variant: Values) -> dict[str, Change]:
    """What a variant changes in the figures of `YES_OR_NO`; a question that either has no value for is left out."""
    found = {}
    for name in YES_OR_NO:
        if name in whole and name in variant:
            pairs = [(a, b) for a, b in zip(whole[name], variant[name], strict=True) if a is not None and b is not None]
            more, fewer = sum(b > a for a, b in pairs), sum(b < a for a, b in pairs)
            better, worse = (fewer, more) if name == "falsely refused" else (more, fewer)
            found[name] = Change(better, worse, mcnemar(better, worse))
    return found


def table(found: Mapping[str, Mapping[str, Figure]], changes: Mapping[str, Mapping[str, Change]]) -> str:
    """A row a variant: what it does, then what it changes."""
    wide = max(map(len, found)) + 2
    lines = []
    for name in FIGURES:
        lines.append(name)
        for variant, row in found.items():
            told = cell(asdict(row[name])) if name in row else "–"
            change = changes.get(variant, {}).get(name)
            beside = f"   {change.better} better, {change.worse} worse, p = {change.p:.2g}" if change else ""
            lines.append(f"  {variant:{wide}}{told}{beside}")
    return "\n".join(lines)
