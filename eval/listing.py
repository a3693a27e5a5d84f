"""How a list of papers is decided, fitted: `python -m eval judge --fit lists`.

The model's log-odds that a paper fits mean little by themselves; how the paper stands among the others asked about
does (`rag.standings`). A logistic model of that is fitted on the bundled lists that ask for more than a mention, and
measured with each list left out of the fit in turn. Its numbers are printed, to stand in `rag/survey.py`.

Source: logistic calibration of what a model says (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.cases import SETS, read_cases
from eval.judgement import Report
from eval.ranking import set_f1
from rag import LISTED_FROM, Rag, standings

FITTED_ON = ("dev", "fresh-a", "fresh-c")


@dataclass(frozen=True, slots=True)
class Looked:
    """One list: the papers asked about, how each stands, (n, 2), which are right, and which are listed as shipped."""

    right: frozenset[str]
    papers: tuple[str, ...]
    rows: NDArray[np.float64]
    shipped: frozenset[str]

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Which of `papers` are right."""
        return np.array([paper in self.right for paper in self.papers])


def fit_lists(rag: Rag, report: Report) -> dict[str, Any]:
    """F1 of papers with each list left out and as shipped, and the weights fitted on all of them."""
    lists = []
    for case in (case for name in FITTED_ON for case in read_cases(SETS[name]) if case.type == "list"):
        opinions = rag.opinions(case.question)
        if not opinions or not opinions[0].by_model:
            report(f"{case.id}: left out, it is not told as a list, or asks for a mention")
            continue
        papers = tuple(opinion.candidate.paper.title for opinion in opinions)
        shipped = frozenset(p for p, opinion in zip(papers, opinions, strict=True) if opinion.fits)
        lists.append(Looked(frozenset(case.papers), papers, np.array(standings(opinions), dtype=float), shipped))
        report(f"{case.id}: {len(papers)} papers asked about")
    weights, start = fit(lists)
    return {
        "lists": len(lists),
        "papers that fit": sum(len(one.right) for one in lists),
        "of these asked about": sum(int(one.labels.sum()) for one in lists),
        "F1 of papers, each list left out of the fit": left_out(lists),
        "F1 of papers, as shipped": _mean([set_f1(one.shipped, one.right) for one in lists]),
        "weights": [round(float(weight), 2) for weight in weights],
        "start": round(start, 2),
    }


def left_out(lists: Sequence[Looked]) -> float:
    """Mean F1 of the papers listed, each list by a fit on all others."""
    scores = []
    for place, one in enumerate(lists):
        weights, start = fit([*lists[:place], *lists[place + 1 :]])
        likely = 1.0 / (1.0 + np.exp(-(one.rows @ weights + start)))
        listed = {paper for paper, share in zip(one.papers, likely, strict=True) if share >= LISTED_FROM}
        scores.append(set_f1(listed, one.right))
    return _mean(scores)


def fit(lists: Sequence[Looked]) -> tuple[NDArray[np.float64], float]:
    """Weights of a standing, and the intercept."""
    from sklearn.linear_model import LogisticRegression

    rows, labels = np.vstack([one.rows for one in lists]), np.concatenate([one.labels for one in lists])
    model = LogisticRegression(max_iter=2000).fit(rows, labels)
    return model.coef_[0], float(model.intercept_[0])


def _mean(scores: Sequence[float | None]) -> float:
    return float(np.mean([score for score in scores if score is not None]))
