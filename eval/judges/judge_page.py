"""What a judge was measured to be, as one HTML page that needs nothing else: tables and a reliability plot by judge.

Pure: the result of `judging.measure` in, text out. A plot shows the share that people call supported against the
judge's probability; a judge whose points lie on the diagonal means what it says.

Source: reliability diagrams, Murphy and Winkler 1977; Niculescu-Mizil and Caruana 2005.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import sqrt
from typing import Any

from eval.judges.human_agreement import lines_for
from eval.report import STYLE, plain

_SIDE = 260
_EDGE = 34


def page(result: Mapping[str, Any], title: str) -> str:
    """The page; `title` says what was measured on."""
    judges = "".join(_judge(name, facts) for name, facts in result["judges"].items())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{judges}{_people(result)}{_made_with(result)}</html>\n"
    )


def cell(row: Mapping[str, Any], name: str) -> str:
    """A figure of a row of `judging.measure`, with its 95 % interval where it has one."""
    interval = row["intervals"].get(name)
    return plain(row[name]) + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _people(result: Mapping[str, Any]) -> str:
    if "human agreement" not in result:
        return ""
    lines = "".join(f"<li>{escape(line)}" for line in lines_for(result["human agreement"]["set"]))
    return f"<h2>How far people agree</h2><ul>{lines}</ul>"


def _made_with(result: Mapping[str, Any]) -> str:
    lines = "<br>".join(escape(f"{key}: {value}") for key, value in result.get("made_with", {}).items())
    return f"<p class=dim>{lines}</p>" if lines else ""


def _judge(name: str, facts: Mapping[str, Any]) -> str:
    rows = facts["by source"]
    columns = [name for name in next(iter(rows.values()), {}) if name != "intervals"]
    head = "".join(f"<th>{escape(column.replace('_', ' '))}" for column in columns)
    body = "".join(
        f"<tr><td>{escape(source)}" + "".join(f"<td>{cell(row, column)}" for column in columns)
        for source, row in rows.items()
    )
    return (
        f"<h2>{escape(name)}</h2><div class=wide><table><tr><th>{head}{body}</table></div>"
        f"{reliability_plot(facts['reliability'], name)}"
        f"<p class=dim>{facts['pairs per second']:.0f} pairs a second</p>"
    )


def reliability_plot(rows: Sequence[tuple[float, float, int]], name: str) -> str:
    """An inline SVG of (mean probability, share of supported, n) by bin: area of a point by n, 95 % Wald interval."""
    largest = max((n for *_, n in rows), default=1)
    told = "; ".join(f"{score:.2f} judged, {share:.2f} labelled, n={n}" for score, share, n in rows)
    marks = "".join(_mark(score, share, n, largest) for score, share, n in rows)
    size = _SIDE + 2 * _EDGE
    ticks = "".join(
        f'<text x="{_x(t):.0f}" y="{_y(0) + 14}" text-anchor="middle">{t}</text>'
        f'<text x="{_x(0) - 5}" y="{_y(t) + 4:.0f}" text-anchor="end">{t}</text>'
        for t in (0, 0.5, 1)
    )
    return (
        f'<svg viewBox="0 0 {size} {size}" width="{size}" style="max-width:100%" role="img" '
        f'aria-label="{escape(f"Reliability of {name}: {told}")}" font-size="11" fill="var(--ink)">'
        f'<rect x="{_x(0)}" y="{_y(1)}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="var(--dim)" stroke-dasharray="4 4"/>'
        f'{ticks}{marks}<text x="{_x(0.5)}" y="{size - 4}" text-anchor="middle">judged probability of support</text>'
        f'<text x="10" y="{_y(0.5)}" text-anchor="middle" transform="rotate(-90 10 {_y(0.5)})">labelled so</text>'
        "</svg>"
    )


def _mark(score: float, share: float, n: int, largest: int) -> str:
    half = 1.96 * sqrt(share * (1 - share) / n)
    low, high = max(0.0, share - half), min(1.0, share + half)
    return (
        f'<line x1="{_x(score):.1f}" x2="{_x(score):.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}" stroke="var(--bar)"/>'
        f'<circle cx="{_x(score):.1f}" cy="{_y(share):.1f}" r="{2 + 6 * sqrt(n / largest):.1f}" fill="var(--bar)"/>'
    )


def _x(value: float) -> float:
    return _EDGE + value * _SIDE


def _y(value: float) -> float:
    return _EDGE + (1 - value) * _SIDE
