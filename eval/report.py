"""A run as Markdown and as one HTML page that needs nothing else: figures with bars, then the worst cases in full.

Pure: summary and cases in, text out. Everything that comes from papers, questions or models is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from eval.metrics.grounding import Judged
from eval.scoring import Scored, badness, value_of

WORST = 20
TIMES = {"evidence_s": "time to first evidence", "first_token_s": "time to first token", "total_s": "whole time"}
CORRECTED = "corrected for the judge's known error"
GROUNDING = (
    "faithfulness", "no unsupported sentence", "called supported", "upheld where so called", "citation precision",
    "contradiction", "number agreement", "entity agreement", "negation agreement", "copy ratio", "length in words",
)  # fmt: skip
STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--dim:#60646c;--ground:#fff;--line:#d9d9e0;--bar:#3b6fd4;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#edeef0;--dim:#b0b4ba;--ground:#16181b;--line:#3a3f45;--bar:#7aa5f5;--bad:#ff8a80}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:0 auto;padding:1rem;
max-width:60rem;overflow-wrap:anywhere}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:0 0 .4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}
td:first-child{white-space:normal}td+td{white-space:nowrap}
td,th{padding:.2rem .4rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
article{border:1px solid var(--line);border-radius:.5rem;padding:.8rem;margin:.8rem 0}
.dim{color:var(--dim);font-size:.9rem}.bad{color:var(--bad);font-weight:600}dt{font-weight:600;margin-top:.4rem}
dd{margin:0}svg{display:block}
"""


def cell(value: Mapping[str, Any]) -> str:
    """A figure as text: mean, interval and n; why it cannot be told, or a dash where it applies to nothing."""
    if value["value"] is None:
        return str(value.get("reason") or "–")
    return f"{value['value']:.2f} [{value['low']:.2f}, {value['high']:.2f}] n={value['n']}"


def gate_lines(summary: Mapping[str, Any]) -> list[str]:
    """One line that says which answers fail a hard gate; none where all pass."""
    told = [f"“{name}” does not hold for {_named(ids)}" for name, ids in summary.get("gate", {}).items()]
    return [f"HARD GATE FAILED: {'; '.join(told)}"] if told else []


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def worst(scored: Sequence[Scored], count: int = WORST) -> list[Scored]:
    """The `count` worst cases, the worst first; those with nothing wrong are left out."""
    return sorted((s for s in scored if badness(s) > 0), key=lambda s: -badness(s))[:count]


def markdown(summary: Mapping[str, Any], scored: Sequence[Scored]) -> str:
    """The report as Markdown."""
    lines = ["# Footnote: a run of the questions", "", *_made_with(summary), ""]
    lines += [f"- {line}" for line in gate_lines(summary)]
    lines += [f"- FAILED {name}: {reason}" for name, reason in summary["failed"].items()]
    lines += ["", "| figure | mean [95 % interval] n | left out |", "|---|---|---|"]
    lines += [f"| {name} | {cell(f)} | {f['left_out']} |" for name, f in summary["figures"]["all"].items()]
    lines += [f"| {name}, {CORRECTED} | {cell(f)} | {f['left_out']} |" for name, f in _corrected(summary)]
    lines += ["", "| declining | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in _declining(summary)]
    lines += ["", "| time | median | 95th percentile | answers |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in times(summary)]
    lines += ["", f"## The worst {len(worst(scored))} cases"]
    for item in worst(scored):
        lines += ["", f"### {_in_markdown(item.case.id)} ({_in_markdown(item.case.type)})", ""]
        lines += [
            f"- **{name}**: {' / '.join(_in_markdown(' '.join(t.split())) for t in texts)}"
            for name, texts in facts(item)
        ]
    return "\n".join(lines) + "\n"


def _in_markdown(text: str) -> str:
    """Text that is no markup: an image in it would be fetched by whoever shows the report."""
    return re.sub(r"([\[\]!])", r"\\\1", escape(text))


def page(summary: Mapping[str, Any], scored: Sequence[Scored]) -> str:
    """The report as a self-contained HTML page."""
    failed = "".join(f"<p class=bad>{escape(line)}</p>" for line in gate_lines(summary))
    failed += "".join(f"<p class=bad>Failed: {escape(n)}: {escape(r)}</p>" for n, r in summary["failed"].items())
    rows = "".join(_row(name, value) for name, value in summary["figures"]["all"].items())
    rows += "".join(_row(f"{name}, {CORRECTED}", value) for name, value in _corrected(summary))
    declined = "".join(f"<tr><td>{escape(name)}<td>{escape(text)}" for name, text in _declining(summary))
    took = "<tr><th>time<th>median<th>95th percentile<th>answers"
    took += "".join(f"<tr><td>{'<td>'.join(map(escape, row))}" for row in times(summary))
    groups = "".join(_group(name, row) for name, row in summary["figures"].items() if name != "all")
    cases = "".join(_case(item) for item in worst(scored))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Footnote: a run</title>'
        f"<style>{STYLE}</style><h1>Footnote: a run of the questions</h1>{failed}"
        f"<p class=dim>{'<br>'.join(escape(line) for line in _made_with(summary))}</p>"
        f"<h2>All questions</h2><div class=wide><table>{rows}</table></div>"
        f"<h2>Declining</h2><div class=wide><table>{declined}</table></div>"
        f"<h2>Times</h2><div class=wide><table>{took}</table></div>"
        f"<h2>The worst {len(worst(scored))} cases</h2>{cases or '<p>Nothing is wrong.</p>'}"
        f"<h2>Risk and coverage</h2>{_curve(summary.get('risk_coverage', ()))}"
        f"<h2>By type</h2>{groups}</html>\n"
    )


def times(summary: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """A row a time, as text: its name, median, 95th percentile, and over how many answers."""
    return [
        (
            TIMES[name],
            f"{row['median']:.2f} s",
            f"{row['p95']:.2f} s",
            f"n = {row['n']}" + (f", {row['without']} without" if row["without"] else ""),
        )
        for name, row in summary["timings"].items()
    ]


def _corrected(summary: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    corrected: Mapping[str, Mapping[str, Any]] = summary.get("corrected", {})
    return corrected.items()


def _made_with(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"{summary['cases']} questions in {summary['seconds']:.0f} s"]
    return [*lines, *memory(summary), *(f"{key}: {value}" for key, value in summary["made_with"].items())]


def memory(summary: Mapping[str, Any]) -> list[str]:
    """The most memory that the run had: of the process, and on the GPU where one was used."""
    kinds = (("peak memory", "peak_memory_gib"), ("peak memory on the GPU", "peak_gpu_memory_gib"))
    return [f"{name}: {summary[key]:.2f} GiB" for name, key in kinds if summary.get(key) is not None]


def plain(value: Any) -> str:
    """A value as text: three places of a number that is not whole, a dash where there is none."""
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _declining(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What declining amounts to, by name, with intervals where the run has them."""
    figures = summary.get("abstention_intervals", {})
    return [
        (name, cell(figures[name]) if name in figures else plain(value))
        for name, value in summary["abstention"].items()
    ]


def _group(name: str, row: Mapping[str, Any]) -> str:
    rows = "".join(_row(figure, value) for figure, value in row.items() if value["n"])
    return f"<details><summary>{escape(name)}</summary><div class=wide><table>{rows}</table></div></details>"


def _row(name: str, value: Mapping[str, Any]) -> str:
    left = f"<td class=dim>{value['left_out']} left out" if value["left_out"] else "<td>"
    return f"<tr><td>{escape(name)}<td>{escape(cell(value))}{_bar(value)}{left}"


def _bar(value: Mapping[str, Any]) -> str:
    """A bar with its interval; empty where the figure applies to nothing or is no share."""
    if value["value"] is None or value["high"] > 1:
        return ""
    low, mean, high = (round(100 * value[name], 1) for name in ("low", "value", "high"))
    return (
        f'<svg width="104" height="14" role="img" aria-label="{mean} %, interval {low} to {high} %">'
        f'<rect x="2" y="3" width="100" height="8" fill="var(--line)"/>'
        f'<rect x="2" y="3" width="{mean}" height="8" fill="var(--bar)"/>'
        f'<line x1="{low + 2}" x2="{high + 2}" y1="7" y2="7" stroke="var(--ink)" stroke-width="2"/></svg>'
    )


def _curve(points: Sequence[Sequence[float]]) -> str:
    """The share of errors among the surest answers, as ever more are given: left are the surest, lower is better."""
    if not points:
        return "<p>There is nothing to be right or wrong about.</p>"
    width, height, left, top = 320, 180, 44, 8
    placed = [(left + width * coverage, top + height * (1 - risk)) for coverage, risk in points]
    # The risk of a step holds from the end of the one before: the area is that of the figure.
    corners, before = [], float(left)
    for x, y in placed:
        corners += [f"{before:.1f},{y:.1f}", f"{x:.1f},{y:.1f}"]
        before = x
    ticks = "".join(
        f'<text x="{left - 6}" y="{top + height * (1 - share) + 4:.0f}" text-anchor="end">{share:.1f}</text>'
        f'<line x1="{left}" x2="{left + width}" y1="{top + height * (1 - share):.0f}" '
        f'y2="{top + height * (1 - share):.0f}" stroke="var(--line)"/>'
        f'<text x="{left + width * share:.0f}" y="{top + height + 16}" text-anchor="middle">{share:.1f}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    last = points[-1][1]
    return (
        f'<svg viewBox="0 0 {left + width + 12} {top + height + 40}" style="max-width:26rem;width:100%;font-size:11px" '
        f'fill="var(--ink)" role="img" aria-label="Risk against coverage: {last:.2f} of the answers are wrong">{ticks}'
        f'<polyline points="{" ".join(corners)}" fill="none" stroke="var(--bar)" stroke-width="2"/>'
        f'<text x="{left + width / 2:.0f}" y="{top + height + 34}" text-anchor="middle">share answered, the surest '
        f"first</text></svg><p class=dim>Share of errors among the answers given, by the score of each answer's least "
        f"supported sentence. {len(points)} steps.</p>"
    )


def _case(item: Scored) -> str:
    parts = "".join(
        f"<dt>{escape(name)}{''.join(f'<dd>{escape(text)}</dd>' for text in texts)}" for name, texts in facts(item)
    )
    head = f"<h3>{escape(item.case.id)} <span class=dim>{escape(item.case.type)}</span></h3>"
    return f"<article>{head}<dl>{parts}</dl></article>"


def facts(item: Scored) -> list[tuple[str, list[str]]]:
    """What a reader needs to see of a case: (name, texts) pairs, those without a text left out."""
    case, answer = item.case, item.answer
    is_right = value_of(item, "right")
    right = "" if is_right is None else "every required fact is there" if is_right else "a required fact is missing"
    verdicts = [f"{claim.verdict} ({claim.score:.2f}): {claim.text}" for claim in answer.claims]
    if item.judged is not None:
        verdicts = [f"{_by_judge(j)}, {j.claim.verdict} by Footnote: {j.claim.text}" for j in item.judged]
    expected = [" or ".join(group) for group in case.answers] or ["to be declined"]
    rows = [
        ("Question", [case.question]),
        ("Answer", [answer.text, f"{answer.status}; {right}".strip("; ")]),
        ("Verdicts", verdicts),
        ("Evidence cited", [f"[{c.marker}] {c.paper.title}: {c.quote}" for c in answer.citations]),
        # Of a false refusal one wants to see what the model had before it.
        (
            "Evidence found, none cited",
            [f"{e.paper.title}: {e.sentence.text}" for e in answer.evidence if not answer.citations],
        ),
        ("Expected", [*expected, case.reference, *item.titles]),
    ]
    kept = [(name, [text for text in texts if text]) for name, texts in rows]
    return [(name, texts) for name, texts in kept if texts]


def _by_judge(judged: Judged) -> str:
    """What the judge says of a sentence, with its probability that all the sentence cites supports it."""
    said = "supported" if judged.is_supported else "NOT SUPPORTED"
    return f"{said} by the judge" + (
        f" ({judged.together.p_supported:.2f})" if judged.together else ", without a source"
    )
