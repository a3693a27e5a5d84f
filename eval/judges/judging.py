"""`python -m eval judge`: how far a judge agrees with people, always beside the lexical floor; probes; the fit.

Puts sets, judges and figures together and prints; knows no definition of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from eval.cases import CaseError
from eval.judges import judge_page
from eval.judges.by_name import DEFAULT, NAMES, LexicalJudge, open_judge
from eval.judges.human_agreement import BY_SET, lines_for
from eval.judges.judgement import Judge
from eval.judges.labelled import SETS, Pair, read_pairs
from eval.metrics.agreement import agreement, auroc, intervals, reliability
from eval.metrics.answers import Figure
from eval.provenance import commit_id
from eval.report import plain
from rag import Paper, Rag, Settings, describe_machine
from rag.cli import positive, settings_from, tell

_COLUMNS = (
    "n", "balanced_accuracy", "macro_f1", "macro_f1_at_best", "auroc", "auroc_against_contradicted", "kappa",
    "calibration_error",
)  # fmt: skip
_WITH_INTERVAL = ("balanced_accuracy", "macro_f1", "auroc")


def add_to(commands: Any) -> None:
    """Add `judge` to the command line."""
    parser = commands.add_parser(
        "judge",
        help="measure a judge against human labels, or by label-free probes",
        description="Measure a judge of support against human labels (--set, --data), by probes on the library "
        "(--probes), or fit one anew (--fit). Always printed beside the lexical floor.",
    )
    parser.add_argument("--set", choices=SETS, help="whose file format and labels")
    parser.add_argument(
        "--data", type=Path, metavar="PATH", help="the set's file or folder, or id on the hub; for --fit a folder"
    )
    parser.add_argument("--split", metavar="NAME", help="part of the file's name: dev, train, test")
    parser.add_argument("--judge", default=DEFAULT, metavar="NAME", help=NAMES)
    parser.add_argument("--probes", action="store_true", help="own, random, wrong, negated, changed sentences")
    parser.add_argument("--count", type=positive, default=500, metavar="N", help="sentences that --probes draws")
    parser.add_argument("--library", type=Path, metavar="PATH", help="papers for --probes (default: the bundled ones)")
    parser.add_argument(
        "--fit",
        choices=("features", "verdict", "opinion", "answerable", "bearing", "about", "scope", "sentences"),
        help="fit one anew, from --data (scope: from bundled questions)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a page with a reliability plot")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(action=run)


def run(options: argparse.Namespace) -> int:
    """What the options ask for; exit code 0."""
    if options.report and (options.fit or options.probes):
        raise CaseError("--report goes with --set alone.", "Leave it out: --probes and --fit have no reliability plot.")
    if options.report and not options.report.parent.is_dir():
        raise CaseError(f"There is no folder {str(options.report.parent)!r} for --report.", "Make it, or name another.")
    if options.fit:
        result, table = _fit(options), fit_table
    elif options.probes:
        result, table = _probe(options.judge, options), probe_table
    else:
        if options.set is None or options.data is None:
            raise CaseError("There is nothing to measure on.", "Give --set and --data, or --probes.")
        pairs = read_pairs(options.set, options.data, options.split)
        tell_of_fitted(options.set)
        result, table = measure_on(options.set, open_judge(options.judge, report=tell), pairs), agreement_table
    print(json.dumps(result, indent=1) if options.json else table(result))
    if options.report:
        options.report.write_text(judge_page.page(result, f"Judges on {options.set}"), encoding="utf-8")
        tell(f"Written to {options.report}")
    return 0


def tell_of_fitted(name: str) -> None:
    """Say which part of a set the shipped judges were fitted on: figures on it flatter them."""
    from eval.fits.adapter_fit import TRAINED_ON
    from eval.fits.feature_fit import FITTED_ON

    for judge, sets in (("features", FITTED_ON), ("verdict", TRAINED_ON)):
        if name in sets:
            told = f"The judge {judge!r} was fitted on {name}'s {sets[name]!r} pairs: figures on these flatter it."
            tell(f"{told} Those of pairs that it had not seen are in docs/eval.md.")


def measure_on(name: str, judge: Judge, pairs: Sequence[Pair]) -> dict[str, Any]:
    """`measure` of the set `name`'s pairs, with what is published of people's agreement and what it was made with."""
    return {
        **measure(judge, pairs),
        "human agreement": {"set": name, "figures": [asdict(one) for one in BY_SET.get(name, ())]},
        "made_with": made_with(judge, f"{len(pairs)} pairs of {name}"),
    }


def made_with(judge: Judge, measured_on: str) -> dict[str, str]:
    """What a judge's figures depend on and were made by, as a run's `provenance.made_with` without what answers."""
    return {
        "judge": judge.id,
        "measured on": measured_on,
        "commit": commit_id(),
        "machine": f"{describe_machine()}; Python {sys.version.split()[0]}",
    }


def measure(judge: Judge, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Figures by source and over all, of the judge and of the floor; JSON-ready."""
    floor = LexicalJudge()
    judges = [judge] if judge.id == floor.id else [judge, floor]
    return {"judges": {j.id: _measure_one(j, pairs) for j in judges}}


def _measure_one(judge: Judge, pairs: Sequence[Pair]) -> dict[str, Any]:
    started = time.perf_counter()
    judged = judge.judge([(pair.evidence, pair.claim) for pair in pairs])
    seconds = time.perf_counter() - started
    groups: dict[str, list[int]] = {}
    for i, pair in enumerate(pairs):
        groups.setdefault(pair.source, []).append(i)
    if len(groups) > 1:
        groups["all"] = list(range(len(pairs)))
    rows = {}
    for name, inside in groups.items():
        told = [i for i in inside if pairs[i].label in ("supported", "contradicted")]
        has_contradicted = any(pairs[i].label == "contradicted" for i in told)
        contrast = [judged[i].p_supported - judged[i].p_contradicted for i in told]
        labels, scores = [pairs[i].label == "supported" for i in inside], [judged[i].p_supported for i in inside]
        rows[name] = {
            **agreement(labels, scores).to_dict(),
            "auroc_against_contradicted": auroc([pairs[i].label == "supported" for i in told], contrast)
            if has_contradicted
            else None,
            "intervals": intervals(labels, scores),
        }
    supported = [pair.label == "supported" for pair in pairs]
    return {
        "by source": rows,
        "reliability": reliability(supported, [j.p_supported for j in judged]),
        "pairs per second": len(pairs) / seconds,
    }


def agreement_table(result: dict[str, Any]) -> str:
    """A row a judge and source; below it people's agreement and what it was made with, where these are known."""
    lines = [f"{'judge':14}{'source':22}" + "".join(f"{_heading(name):>{_width(name)}}" for name in _COLUMNS)]
    for judge, facts in result["judges"].items():
        lines += [
            f"{judge[:13]:14}{source:22}"
            + "".join(f"{judge_page.cell(row, name):>{_width(name)}}" for name in _COLUMNS)
            for source, row in facts["by source"].items()
        ]
        lines.append(f"{judge[:13]:14}{facts['pairs per second']:.0f} pairs a second")
    if "human agreement" in result:
        lines += [f"people: {line}" for line in lines_for(result["human agreement"]["set"])]
    return "\n".join([*lines, *_footer(result)])


def _footer(result: dict[str, Any]) -> list[str]:
    return [" | ".join(f"{key} {value}" for key, value in result["made_with"].items())] if "made_with" in result else []


def _width(name: str) -> int:
    return 23 if name in _WITH_INTERVAL else 14


def _heading(name: str) -> str:
    return {
        "balanced_accuracy": "bal. acc.", "macro_f1": "macro F1", "macro_f1_at_best": "best thresh.",
        "auroc_against_contradicted": "vs contra.",
        "calibration_error": "calib. error",
    }.get(name, name)  # fmt: skip


def _probe(name: str, options: argparse.Namespace) -> dict[str, Any]:
    from eval.judges.probes import probes

    rag = Rag.open(settings_from(options), report=tell)
    judges = [open_judge(name, report=tell, rag=rag)] + ([LexicalJudge()] if name != "lexical" else [])
    neighbour = best_wrong_paper(rag)
    rows = {judge.id: probes(judge, rag.papers, neighbour, count=options.count) for judge in judges}
    return {
        "judges": {judge: {probe: asdict(f) for probe, f in found.items()} for judge, found in rows.items()},
        "made_with": made_with(judges[0], f"probes of {len(rag.papers)} papers, {options.count} sentences"),
    }


def best_wrong_paper(rag: Rag) -> Callable[[str, Paper], Paper]:
    """BM25's best paper for a sentence that is not the sentence's own."""
    index = rag.retriever.index

    def best(sentence: str, paper: Paper) -> Paper:
        scores = index.keywords.scores(sentence)
        rows = (row for row in scores.argsort()[::-1] if index.passages[row].paper_id != paper.id)
        return index.papers[index.passages[next(rows)].paper_id]

    return best


def probe_table(result: dict[str, Any]) -> str:
    """A row a probe, a column a judge; error rates with 95 % intervals."""
    judges = result["judges"]
    lines = [f"{'':42}" + "".join(f"{judge:>36}" for judge in judges)]
    for probe in next(iter(judges.values())):
        cells = [_rate(Figure(**found[probe])) for found in judges.values()]
        lines.append(f"{probe:42}" + "".join(f"{cell:>36}" for cell in cells))
    return "\n".join([*lines, *_footer(result)])


def _rate(found: Figure) -> str:
    if found.value is None:
        return "–"
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}] n={found.n}"


def _fit(options: argparse.Namespace) -> dict[str, Any]:
    from eval.fits import adapter_fit, answerable_fit
    from eval.fits.feature_fit import fit_all
    from eval.judges import feature_judge
    from eval.judges.verdict_judge import open_rag

    if options.fit == "scope":
        from eval.fits.scope_fit import train_scope

        encoder: Any = Rag.open(Settings(), report=tell).retriever.encoder
        return train_scope(encoder, encoder.name, tell)
    if options.data is None:
        raise CaseError("There is nothing to fit on.", f"Give --data FOLDER with the folders {', '.join(SETS)}.")
    if options.fit == "features":
        rag = Rag.open(Settings(), report=tell)
        network, figures = fit_all(options.data, feature_judge.FeatureReader(rag.retriever.encoder))
        network.save(feature_judge.FROZEN)
        return figures
    rag = open_rag(report=tell)
    model: Any = rag.model
    if options.fit == "sentences":
        from eval.fits.bearing_fit import train_sentences

        return train_sentences(options.data, rag, tell)
    fits: dict[str, Callable[..., dict[str, Any]]] = {
        "verdict": adapter_fit.train_verdict,
        "opinion": adapter_fit.train_opinion,
        "answerable": partial(answerable_fit.train_answerable, place_of=model.place_of),
        "bearing": adapter_fit.train_bearing,
        "about": adapter_fit.train_about,
    }
    return fits[options.fit](options.data, rag.retriever.encoder, model.tokens_of, tell)


def fit_table(result: dict[str, Any]) -> str:
    """Cross-validated figures, a row a source; anything else in a line."""
    lines = []
    for kind, rows in result.items():
        if not (isinstance(rows, dict) and all(isinstance(row, dict) and "macro_f1" in row for row in rows.values())):
            lines.append(f"{kind}: {json.dumps(rows)}")
            continue
        lines.append(f"{kind:26}" + "".join(f"{name:>15}" for name in ("n", "macro F1", "AUROC", "vs contra.")))
        for source, row in rows.items():
            cells = (row["n"], row["macro_f1"], row["auroc"], row["against contradicted"])
            lines.append(f"{source:26}" + "".join(f"{plain(cell):>15}" for cell in cells))
    return "\n".join(lines)
