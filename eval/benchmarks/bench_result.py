"""What a benchmark on a public set prints: figures with n and interval, and what they were made with.

A result is flat, name to value, so that it is JSON as it is: a figure's interval and n stand under its name followed by
`FROM`, `TO` and `N`. Knows nothing of sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eval.cases import Case
from eval.metrics.answers import Figure
from eval.provenance import made_with
from rag import Rag

FROM, TO, N = ", 95 % from", ", 95 % to", ", n"
MADE_WITH = "made_with"


def spread(name: str, figure: Figure) -> dict[str, float | int | None]:
    """A figure under its name, with the two ends of its interval and its n under theirs."""
    return {name: figure.value, f"{name}{FROM}": figure.low, f"{name}{TO}": figure.high, f"{name}{N}": figure.n}


def lines(result: Mapping[str, Any]) -> list[str]:
    """A line a figure, interval and n beside it; what it was made with in the last."""
    beside = {f"{name}{end}" for name in result for end in (FROM, TO, N) if f"{name}{FROM}" in result}
    found = [_line(name, result) for name in result if name != MADE_WITH and name not in beside]
    made: Mapping[str, str] = result.get(MADE_WITH, {})
    return [*found, *([" | ".join(f"{key} {value}" for key, value in made.items())] if made else [])]


def _line(name: str, result: Mapping[str, Any]) -> str:
    text = f"{name:60} {_plain(result[name])}"
    low, high = result.get(f"{name}{FROM}"), result.get(f"{name}{TO}")
    interval = "" if low is None else f" [{_plain(low)}, {_plain(high)}]"
    return f"{text}{interval} n={result[f'{name}{N}']}" if f"{name}{N}" in result else text


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def asked_with(rag: Rag, asked: Iterable[tuple[str, str]], kind: str) -> dict[str, str]:
    """What a benchmark that asks `rag` questions, (id, text) pairs, was made with: as a run, see `provenance`."""
    return made_with(rag, [Case(number, kind, text) for number, text in asked])
