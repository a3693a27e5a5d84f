"""The map of the library as SVG: a dot a paper, in colours by topic or by year, topics named where they lie. Pure.

Dots are buttons in all but name: `library.js` moves among them by arrow keys, shows their titles, and opens them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median

from rag import Atlas, Paper, counted
from ui.markup import text

WIDTH, HEIGHT = 1000, 640
_MARGIN = 26
_YEAR_STEPS = 5
_LABEL_HEIGHT = 24


def render_atlas(
    atlas: Atlas, papers: Mapping[str, Paper], *, fitting: Collection[str] | None = None, selected: str = ""
) -> str:
    """The map; papers outside `fitting` (if given) are pale, the selected one has a ring."""
    points = [point for point in atlas.points if point.paper_id in papers]
    if not points:
        return '<div class="fn-lib-empty fn-say"><p>There is nothing to map yet.</p></div>'
    years = sorted(y for p in points if (y := papers[p.paper_id].year) is not None)
    radius = 8 if len(points) <= 200 else 6 if len(points) <= 800 else 4
    names = [" · ".join(cluster.words) or f"topic {n}" for n, cluster in enumerate(atlas.clusters, start=1)]
    entry = selected if any(point.paper_id == selected for point in points) else points[0].paper_id
    dots = "".join(
        _dot(
            papers[point.paper_id], _x(point.x), _y(point.y), radius, point.cluster,
            _year_class(papers[point.paper_id].year, years), names[point.cluster],
            is_pale=fitting is not None and point.paper_id not in fitting,
            is_selected=point.paper_id == selected, is_entry=point.paper_id == entry,
        )
        for point in points
    )  # fmt: skip
    return (
        f'<div class="fn-map" data-colour="topic">{_choices(bool(years))}'
        f'<div class="fn-map-frame"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" '
        f'aria-label="Map of {counted(len(points), "paper")}: arrow keys move, Enter opens">'
        f"{dots}{_labels(atlas, names)}</svg>"
        '<p class="fn-map-tip" hidden></p></div>'
        f"{_legend(atlas, names)}{_year_legend(years)}{_note(atlas, len(points))}</div>"
    )


def render_drawing(n_papers: int) -> str:
    """What is shown while the map is drawn."""
    return (
        '<div class="fn-lib-empty fn-say" data-drawing="1">'
        f"<p>Drawing the map of {counted(n_papers, 'paper')}…</p>"
        "<p>A moment, once after each change; a few seconds for thousands of papers.</p></div>"
    )


def _x(x: float) -> float:
    return round(_MARGIN + x * (WIDTH - 2 * _MARGIN), 1)


def _y(y: float) -> float:
    return round(_MARGIN + (1 - y) * (HEIGHT - 2 * _MARGIN), 1)


def _dot(
    paper: Paper, x: float, y: float, radius: int, cluster: int, year: str, topic: str, *,
    is_pale: bool, is_selected: bool, is_entry: bool,
) -> str:  # fmt: skip
    classes = f"fn-dot fn-topic-{cluster} {year}{' fn-pale' if is_pale else ''}{' fn-chosen' if is_selected else ''}"
    label = f"{paper.title}{f', {paper.year}' if paper.year else ''}"
    return (
        f'<circle class="{classes}" cx="{x}" cy="{y}" r="{radius}" role="button" tabindex="{0 if is_entry else -1}" '
        f'data-lib="open" data-id="{text(paper.id)}" aria-label="{text(label)}" data-topic="{text(topic)}"></circle>'
    )


def _year_class(year: int | None, years: list[int]) -> str:
    if year is None or not years:
        return "fn-year-none"
    first, last = years[0], years[-1]
    step = (year - first) * _YEAR_STEPS // (last - first + 1)
    return f"fn-year-{min(step, _YEAR_STEPS - 1)}"


def _labels(atlas: Atlas, names: list[str]) -> str:
    """Each topic's name at the middle of its dots, pushed down where it would cover another."""
    placed: list[tuple[float, float, int]] = []
    for number in range(len(atlas.clusters)):
        inside = [point for point in atlas.points if point.cluster == number]
        if inside:
            placed.append((_y(median(p.y for p in inside)), _x(median(p.x for p in inside)), number))
    taken: list[tuple[float, float, float]] = []
    parts = []
    for y, x, number in sorted(placed):
        half = 4.6 * len(names[number])
        x = min(max(x, half + 4), WIDTH - half - 4)
        while any(abs(y - other) < _LABEL_HEIGHT and abs(x - at) < half + width for other, at, width in taken):
            y += _LABEL_HEIGHT
        y = min(y, HEIGHT - 8)
        taken.append((y, x, half))
        parts.append(f'<text class="fn-map-label" x="{x:.0f}" y="{y:.0f}">{text(names[number])}</text>')
    return f'<g class="fn-map-labels" aria-hidden="true">{"".join(parts)}</g>'


def _choices(has_years: bool) -> str:  # noqa: FBT001
    if not has_years:
        return ""
    return (
        '<p class="fn-map-choice" role="group" aria-label="Colour by"><span>Colour by</span>'
        '<button type="button" class="fn-chip" data-colour-by="topic" aria-pressed="true">Topic</button>'
        '<button type="button" class="fn-chip" data-colour-by="year" aria-pressed="false">Year</button></p>'
    )


def _legend(atlas: Atlas, names: list[str]) -> str:
    rows = "".join(
        f'<li><button type="button" data-topic-number="{n}" aria-pressed="false">'
        f'<span class="fn-swatch fn-topic-{n}" aria-hidden="true"></span>{text(name)} '
        f'<span class="fn-lib-small">{cluster.size:,}</span></button></li>'
        for n, (name, cluster) in enumerate(zip(names, atlas.clusters, strict=True))
    )
    return f'<ul class="fn-map-legend fn-by-topic" aria-label="Topics">{rows}</ul>'


def _year_legend(years: list[int]) -> str:
    if not years:
        return ""
    first, last = years[0], years[-1]
    span = last - first + 1
    rows = []
    for step in range(min(_YEAR_STEPS, span)):
        inside = [year for year in range(first, last + 1) if (year - first) * _YEAR_STEPS // span == step]
        if inside:
            label = str(inside[0]) if len(inside) == 1 else f"{inside[0]} to {inside[-1]}"
            rows.append(f'<li><span class="fn-swatch fn-year-{step}" aria-hidden="true"></span>{label}</li>')
    rows.append('<li><span class="fn-swatch fn-year-none" aria-hidden="true"></span>not known</li>')
    return f'<ul class="fn-map-legend fn-by-year" aria-label="Years">{"".join(rows)}</ul>'


def _note(atlas: Atlas, shown: int) -> str:
    sample = f" {shown:,} of {atlas.n_papers:,} papers are shown, evenly chosen." if shown < atlas.n_papers else ""
    return (
        '<p class="fn-lib-small">Near each other: abstracts that mean nearly the same. Distances between groups mean '
        f"little. A topic is named by the words that set it apart.{sample}</p>"
    )
