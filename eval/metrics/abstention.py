"""Figures of declining: pure functions over (was it answerable, was it declined, how sure, was it right).

False refusals always stand beside what was rightly declined: who declines everything has a recall of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics.answers import Figure
from eval.metrics.bootstrap import bootstrap


@dataclass(frozen=True, slots=True)
class Abstention:
    """`precision`: share of the declined that have no answer; `recall`: share of those without that were declined.

    What is undefined is None. Source: as for MTRAG's and SQuAD 2.0's no-answer class (Rajpurkar et al. 2018).
    """

    precision: float | None
    recall: float | None
    f1: float | None
    false_refusals: float | None
    """Share of the answerable questions that were declined."""
    n_answerable: int
    n_unanswerable: int


def abstention(answerable: Sequence[bool], declined: Sequence[bool]) -> Abstention:
    """Figures over questions."""
    rows = list(zip(answerable, declined, strict=True))
    rightly = sum(was and not can for can, was in rows)
    refused = sum(was and can for can, was in rows)
    n_yes = sum(answerable)
    n_no = len(rows) - n_yes
    total = rightly + refused + n_no
    return Abstention(
        precision=rightly / (rightly + refused) if rightly + refused else None,
        recall=rightly / n_no if n_no else None,
        f1=2 * rightly / total if n_no and total else None,
        false_refusals=refused / n_yes if n_yes else None,
        n_answerable=n_yes,
        n_unanswerable=n_no,
    )


def abstention_figures(answerable: Sequence[bool], declined: Sequence[bool], seed: int = 0) -> dict[str, Figure]:
    """Precision, recall, F1 and false refusals by name, each with its interval by a bootstrap over questions.

    n of each is how many questions it is a share of: the declined, those without an answer, all, and the answerable.
    """
    rows = list(zip(answerable, declined, strict=True))
    counts = {
        "precision": sum(declined), "recall": len(rows) - sum(answerable), "f1": len(rows),
        "false_refusals": sum(answerable),
    }  # fmt: skip

    def one(name: str) -> Figure:
        def of(drawn: Sequence[tuple[bool, bool]]) -> float | None:
            value: float | None = getattr(abstention([a for a, _ in drawn], [d for _, d in drawn]), name)
            return value

        return bootstrap(of, rows, seed, counts[name])

    return {name: one(name) for name in counts}


def risk_coverage(scores: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """(coverage, risk): the share answered and the share of errors in it, the surest first; ties are taken together.

    Source: El-Yaniv and Wiener 2010.
    """
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    points, wrong = [], 0
    for taken, i in enumerate(order, start=1):
        wrong += not right[i]
        if taken == len(order) or scores[order[taken]] != scores[i]:
            points.append((taken / len(order), wrong / taken))
    return points


def area_under_risk(scores: Sequence[float], right: Sequence[bool]) -> float | None:
    """Area under the risk–coverage curve as steps: smaller is better, guessing gives the error rate; None of nothing.

    Source: AURC, Geifman and El-Yaniv 2019.
    """
    area, before = 0.0, 0.0
    for coverage, risk in risk_coverage(scores, right):
        area += risk * (coverage - before)
        before = coverage
    return area if scores else None


def area_figure(scores: Sequence[float], right: Sequence[bool], seed: int = 0) -> Figure:
    """`area_under_risk` with its interval by a bootstrap over the answers given."""
    rows = list(zip(scores, right, strict=True))
    return bootstrap(lambda drawn: area_under_risk([s for s, _ in drawn], [r for _, r in drawn]), rows, seed)
