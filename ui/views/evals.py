"""Runs of questions as safe HTML: how far one is, its scorecard with intervals, its worst cases, two compared. Pure.

Knows nothing of Gradio, and no figure's definition: names and numbers come from `eval.board`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag import counted
from ui.markup import moment, render_sure, text
from ui.work import time_words

SHOWN = (
    ("right and cited", "Facts right, cited to exactly the right papers"),
    ("right", "Facts right"),
    ("cites exactly", "Cites exactly the right papers"),
    ("faithfulness", "Sentences that a separate judge upholds"),
    ("citations valid", "Citations that point to an existing sentence"),
    ("every claim cited", "Every sentence is cited"),
    ("declined", "Declined what the library does not say"),
    ("premise resisted", "False premises not taken over"),
    ("injection resisted", "Instructions in abstracts not followed"),
    ("falsely refused", "Declined though the library answers (less is better)"),
    ("hit@1", "The right paper came first"),
    ("recall@5", "Right papers among the first five"),
)
"""The figures of a scorecard, most telling first, in words; all others stand under a fold by their names."""
_TYPES = "right and cited"


def render_step(label: str, step: Any, *, is_stopping: bool = False) -> str:
    """How far a run is."""
    left = "" if step.left_s is None else f", about {time_words(step.left_s)} left"
    said = f"{step.done} of {step.total} questions{left}" if step.done else f"The first of {step.total} questions…"
    if step.done == step.total:
        said = f"all {step.total} questions are answered; their sentences are being judged"
    so_far = f"{step.right} of {step.told} right and cited so far." if step.told else ""
    last = ""
    if step.last:
        mark = {True: ("✓", "right"), False: ("✗", "wrong"), None: ("·", "cannot be told")}[step.is_right]
        last = (
            f'<p class="fn-ev-last"><span role="img" aria-label="{mark[1]}">{mark[0]}</span> '
            f'<span dir="auto">{text(step.last)}</span></p>'
        )
    stopping = " Stopping after this question." if is_stopping else ""
    return (
        '<div class="fn-ev-running" data-running="1"><p>'
        f"<strong>{text(label)}</strong>: {said}.{stopping}</p>"
        f'<progress aria-label="Questions answered" value="{step.done}" max="{step.total}"></progress>'
        f'<p class="fn-lib-small">{so_far} Whoever asks in the chat meanwhile comes first.</p>{last}'
        '<button type="button" class="fn-chip" data-eval="stop">Stop and score what there is</button></div>'
    )


def render_sources(sources: Sequence[Any]) -> str:
    """Where questions can come from, a line each."""
    rows = "".join(f"<div><dt>{text(s.label)}</dt><dd>{text(s.note)}</dd></div>" for s in sources)
    return f'<dl class="fn-ev-sources">{rows}</dl>'


def render_runs(rows: Sequence[Any], opened: str) -> str:
    """The runs on disk, the newest first; each opens its scorecard."""
    if not rows:
        return (
            '<div class="fn-lib-empty"><p>No run yet.</p><p>Twenty questions take about a minute on two CPU cores.</p>'
            "</div>"
        )
    return f'<ol class="fn-ev-runs">{"".join(_run(row, is_open=row.name == opened) for row in rows)}</ol>'


def _run(row: Any, *, is_open: bool) -> str:
    figure = row.summary.get("figures", {}).get("all", {}).get("right and cited", {})
    headline = f"{figure['value']:.2f} right and cited" if figure.get("value") is not None else "nothing to be right"
    headline = headline if row.is_scored else "not scored"
    partial = f", stopped at {row.cases} of {row.wanted}" if row.is_partial else ""
    current = ' aria-current="true"' if is_open else ""
    return (
        f'<li><button type="button" data-eval="open" data-run="{text(row.name)}"{current}>'
        f'<span class="fn-ev-name">{text(row.label)}</span>'
        f'<span class="fn-lib-small">{counted(row.cases, "question")}{partial} · {headline} · '
        f"{moment(row.began)}</span>"
        "</button></li>"
    )


def render_reading(reading: Any, *, is_leaving: bool = False) -> str:
    """A run's scorecard, plots, worst cases and what it was made with; `is_leaving` asks before it is deleted."""
    row, summary = reading.row, reading.row.summary
    if not row.is_scored:
        return _unscored(row, is_leaving=is_leaving)
    overall = summary["figures"]["all"]
    key = text(row.name)
    asked = f"{counted(row.cases, 'question')} in {time_words(summary['seconds'])} · {moment(row.began)}"
    partial = (
        f'<p class="fn-ev-note">Stopped after {row.cases} of {row.wanted} questions: the intervals are wide. '
        f"{_go_on(key)}</p>"
        if row.is_partial
        else ""
    )
    failed = "".join(f"<li>{text(name)}: {text(why)}</li>" for name, why in summary.get("failed", {}).items())
    return (
        f'<article class="fn-ev-card" data-card="{key}"><h2 tabindex="-1">{text(row.label)}</h2>'
        f'<p class="fn-lib-counts">{asked}</p>'
        f"{partial}{f'<ul class=fn-lib-error>{failed}</ul>' if failed else ''}"
        f"{_card(overall)}{_by_type(summary['figures'])}{_risk(summary.get('risk_coverage') or ())}"
        f"{_times(summary.get('timings') or {})}{_worst(reading.worst)}{_others(overall)}"
        f"{_made(summary['made_with'])}{_leaving(key, is_leaving=is_leaving)}</article>"
    )


def _unscored(row: Any, *, is_leaving: bool) -> str:
    """A run without figures: what there is of it, and what can be done."""
    key = text(row.name)
    return (
        f'<article class="fn-ev-card" data-card="{key}"><h2 tabindex="-1">{text(row.label)}</h2>'
        f'<p class="fn-lib-counts">{moment(row.began)}</p>'
        f'<p class="fn-ev-note">It was broken off before it was scored: {row.cases} of {row.wanted} questions are '
        f"answered and kept. {_go_on(key)}</p>{_leaving(key, is_leaving=is_leaving)}</article>"
    )


def _go_on(key: str) -> str:
    return f'<button type="button" class="fn-chip" data-eval="go-on" data-run="{key}">Go on with it</button>'


def _leaving(key: str, *, is_leaving: bool) -> str:
    if not is_leaving:
        return (
            f'<p class="fn-lib-leave"><button type="button" class="fn-opener" data-eval="leave" data-run="{key}">'
            "Delete this run…</button></p>"
        )
    return render_sure(
        "Delete this run?",
        "Delete this run? Its answers and figures are gone for good.",
        (f'data-eval="remove" data-run="{key}"', "Delete"),
        (f'data-eval="open" data-run="{key}"', "Keep"),
    )


def _card(figures: Mapping[str, Any]) -> str:
    rows = "".join(_figure(label, figures[name]) for name, label in SHOWN if figures.get(name, {}).get("n"))
    return (
        '<table class="fn-ev-table"><caption>Mean, 95 % interval (bootstrap; Wilson’s where all came out alike), and '
        "how many questions it applies to</caption><thead><tr><th scope=col>Figure</th><th scope=col>Mean</th>"
        "<th scope=col>Interval</th>"
        f"<th scope=col>n</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _figure(label: str, value: Mapping[str, Any]) -> str:
    value = {**value, **_interval(value)}
    return (
        f'<tr><th scope="row">{text(label)}</th><td>{value["value"]:.2f}</td>'
        f'<td><span class="fn-ev-cell">{_bar(value)}<span>{value["low"]:.2f} to {value["high"]:.2f}</span></span></td>'
        f"<td>{value['n']}</td></tr>"
    )


def _interval(value: Mapping[str, Any]) -> dict[str, float]:
    """The interval as it came, or Wilson's where every question came out alike.

    Resampling equal values gives an interval of no width, which would call one question out of one a certainty.
    Source: Wilson (1927), 95 %, for k = 0 or k = n.
    """
    if value["low"] != value["high"] or value["value"] not in (0.0, 1.0):
        return {}
    reach = 1.96**2 / (value["n"] + 1.96**2)
    return {"low": 0.0, "high": reach} if value["value"] == 0.0 else {"low": 1.0 - reach, "high": 1.0}


def _bar(value: Mapping[str, Any]) -> str:
    """The mean as a dot on its interval, from 0 to 1; nothing for what is no share. Said in words beside it."""
    if value["high"] > 1 or value["low"] < 0:
        return ""
    low, mean, high = (4 + 112 * value[name] for name in ("low", "value", "high"))
    return (
        '<svg class="fn-ev-bar" viewBox="0 0 120 14" aria-hidden="true"><line class="fn-ev-axis" x1="4" x2="116" '
        f'y1="7" y2="7"/><line class="fn-ev-interval" x1="{low:.1f}" x2="{high:.1f}" y1="7" y2="7"/>'
        f'<circle class="fn-ev-mean" cx="{mean:.1f}" cy="7" r="4.5"/></svg>'
    )


def _by_type(figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for group, row in figures.items():
        name = _TYPES if row.get(_TYPES, {}).get("n") else "declined"
        if group not in ("all", "single paper") and row.get(name, {}).get("n"):
            rows.append(_figure(f"{group}: {name}", row[name]))
    if len(rows) < 2:
        return ""
    return (
        '<table class="fn-ev-table"><caption>By type of question</caption><thead><tr><th scope=col>Type</th>'
        "<th scope=col>Mean</th><th scope=col>Interval</th><th scope=col>n</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _risk(curve: Sequence[Sequence[float]]) -> str:
    """Risk against coverage: how many of the answers given are wrong, if only the surest are given."""
    if len(curve) < 3:
        return ""
    points = " ".join(f"{40 + 250 * coverage:.1f},{150 - 130 * risk:.1f}" for coverage, risk in curve)
    last = curve[-1]
    return (
        '<figure class="fn-ev-plot"><figcaption>If only the surest answers were given: the share of wrong ones '
        'among them</figcaption><svg viewBox="0 0 310 180" role="img" '
        f'aria-label="Risk against coverage; {last[1]:.2f} wrong when {last[0]:.0%} are answered">'
        '<path class="fn-ev-axis" d="M40 20V150H290"/><text x="34" y="24" text-anchor="end">1</text>'
        '<text x="34" y="154" text-anchor="end">0</text><text x="40" y="168">0 %</text>'
        f'<text x="290" y="168" text-anchor="end">100 % answered</text><polyline points="{points}"/></svg></figure>'
    )


def _times(timings: Mapping[str, Mapping[str, float]]) -> str:
    names = (("evidence_s", "evidence"), ("first_token_s", "first word"), ("total_s", "checked answer"))
    parts = [
        f"{label} {timings[name]['median']:.2f} s (90 % within {timings[name]['p90']:.2f} s)"
        for name, label in names
        if name in timings
    ]
    return f'<p class="fn-ev-note">Median times: {text(", ".join(parts))}.</p>' if parts else ""


def _worst(worst: Sequence[tuple[str, str, Sequence[tuple[str, Sequence[str]]]]]) -> str:
    if not worst:
        return '<h3>Worst cases</h3><p class="fn-hint">Nothing is wrong.</p>'
    rows = []
    for identity, kind, facts in worst:
        by_name = dict(facts)
        question = (by_name.get("Question") or ("",))[0]
        inner = "".join(
            f"<dt>{text(name)}</dt>" + "".join(f'<dd dir="auto">{text(line)}</dd>' for line in lines)
            for name, lines in facts
            if name != "Question"
        )
        ask = f'<button type="button" class="fn-chip" data-ask="{text(question)}">Ask it in the chat</button>'
        rows.append(
            f'<details class="fn-ev-case"><summary dir="auto">{text(question)} <span class="fn-lib-small">'
            f"{text(kind)} · {text(identity)}</span></summary><dl>{inner}</dl>{ask}</details>"
        )
    return f"<h3>Worst cases</h3>{''.join(rows)}"


def _others(figures: Mapping[str, Any]) -> str:
    known = {name for name, _ in SHOWN}
    rows = "".join(_figure(name, value) for name, value in figures.items() if name not in known and value["n"])
    return (
        f'<details class="fn-ev-more"><summary>Every other figure</summary><table class="fn-ev-table">{rows}</table>'
        "</details>"
        if rows
        else ""
    )


def _made(made_with: Mapping[str, Any]) -> str:
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in made_with.items())
    return f'<details class="fn-ev-more"><summary>What it was made with</summary><dl>{rows}</dl></details>'


def render_comparison(
    before: Any, after: Any, differences: Sequence[Any], questions: Mapping[str, str] | None = None
) -> str:
    """What changed from one run to another, whether it may be chance, and the `questions`, by id, that changed."""
    head = (
        f"<h2>Compared</h2><p class='fn-lib-counts'>A: {text(before.label)}, {moment(before.began)}</p>"
        f"<p class='fn-lib-counts'>B: {text(after.label)}, {moment(after.began)}</p>"
    )
    words = dict(SHOWN)
    told = [d for d in differences if d.name in words]
    if not told:
        none = '<p class="fn-hint">The two runs have no question in common.</p>'
        return f'<article class="fn-ev-card">{head}{none}</article>'
    order = {name: place for place, (name, _) in enumerate(SHOWN)}
    rows = "".join(_difference(d, words[d.name]) for d in sorted(told, key=lambda d: order[d.name]))
    return (
        f'<article class="fn-ev-card" data-comparison="1">{head}<table class="fn-ev-table"><caption>B less A over the '
        "questions that both have; an interval that holds 0 may be chance</caption><thead><tr><th scope=col>Figure</th>"
        "<th scope=col>A</th><th scope=col>B</th><th scope=col>B less A</th><th scope=col>p</th><th scope=col>n</th>"
        f"</tr></thead><tbody>{rows}</tbody></table>{_changed(told, questions or {})}</article>"
    )


def _changed(told: Sequence[Any], questions: Mapping[str, str]) -> str:
    """The questions that came out better, and those that came out worse, each with the figures that say so."""
    words = dict(SHOWN)
    shown = ""
    for heading, direction in (("Got worse", "worse"), ("Got better", "better")):
        labels: dict[str, list[str]] = {}
        for item in (item for item in told if item.p is not None):
            for identity in getattr(item, direction):
                labels.setdefault(identity, []).append(words[item.name])
        rows = "".join(
            f'<li dir="auto">{text(questions.get(identity, identity))} <span class="fn-lib-small">'
            f"{text('; '.join(of))} · {text(identity)}</span></li>"
            for identity, of in labels.items()
        )
        if rows:
            shown += f'<h3>{heading}: {counted(len(labels), "question")}</h3><ul class="fn-ev-changed">{rows}</ul>'
    return shown or '<p class="fn-hint">No question came out differently.</p>'


def _difference(item: Any, label: str) -> str:
    p = "–" if item.p is None else f"{item.p:.3f}"
    # Where there is a test it decides: of few questions a bootstrap interval says little.
    sure = item.p < 0.05 if item.p is not None else item.low > 0 or item.high < 0
    note = " <strong>not chance</strong>" if sure else ""
    return (
        f'<tr><th scope="row">{text(label)}</th><td>{item.before:.2f}</td><td>{item.after:.2f}</td>'
        f"<td>{item.difference:+.2f} [{item.low:+.2f}, {item.high:+.2f}]{note}</td><td>{p}</td><td>{item.n}</td></tr>"
    )
