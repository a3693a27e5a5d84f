"""Which sentences of an abstract say most to a comparison, fitted: `python -m eval judge --fit rationales`.

The conditional logit of `rag.rationale` is fitted on the bundled comparisons whose papers are told: what is likeliest
to put a right sentence of each paper first. It is measured by how often one is among the first one, two and three, the
cases dealt into ten folds and each left out in turn. Its numbers are printed, to stand in `rag/rationale.py`.

A pointwise logistic regression put as many among the first three and fewer first, and comparisons came out worse by it.

Source: conditional logit (McFadden 1974); as a listwise ranker, Cao et al. 2007, "Learning to rank".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eval.cases import SETS, Case, read_cases
from eval.judgement import Report
from rag import Rag

FITTED_ON = ("dev", "fresh-a", "fresh-c")
FOLDS = 10
WITHIN = (1, 2, 3)
SHRINKAGE = 0.3


@dataclass(frozen=True, slots=True)
class Read:
    """The sentences of one paper of one case: what is weighed of each, (n, 5), which are right, and how likely each is
    held to be as shipped.
    """

    case: str
    rows: NDArray[np.float64]
    right: NDArray[np.bool_]
    shipped: NDArray[np.float64]


def fit_rationales(rag: Rag, report: Report) -> dict[str, Any]:
    """How often a right sentence comes first, second or third by nearness, left out and as shipped; and the weights."""
    cases = [case for name in FITTED_ON for case in read_cases(SETS[name]) if case.type == "compare"]
    papers = [one for case in cases for one in _read(rag, case, report)]
    fitted_on = [one for one in papers if one.right.any()]
    weights = fit(fitted_on)
    return {
        "papers": len(papers),
        "with a right sentence": len(fitted_on),
        "within": list(WITHIN),
        "by nearness": within([one.rows[:, 0] for one in fitted_on], fitted_on),
        "left out of the fit": within(left_out(fitted_on), fitted_on),
        "as shipped": within([one.shipped for one in fitted_on], fitted_on),
        "weights": [round(float(weight), 2) for weight in weights],
    }


def _read(rag: Rag, case: Case, report: Report) -> list[Read]:
    read = []
    for told in rag.rationales(case.question):
        if told[0].evidence.paper.title not in case.papers:
            continue
        rows = np.array([one.features for one in told], dtype=float)
        right = [any(_same(one.evidence.sentence.text, gold) for gold in case.evidence) for one in told]
        read.append(Read(case.id, rows, np.array(right), np.array([one.probability for one in told])))
    report(f"{case.id}: {len(read)} papers read")
    return read


def _same(one: str, other: str) -> bool:
    one, other = " ".join(one.split()), " ".join(other.split())
    return one in other or other in one


def left_out(papers: Sequence[Read]) -> list[NDArray[np.float64]]:
    """The odds of every sentence by a fit on the cases of the other folds."""
    cases = sorted({one.case for one in papers})
    fold = {case: place % FOLDS for place, case in enumerate(cases)}
    fits = {k: fit([one for one in papers if fold[one.case] != k]) for k in sorted(set(fold.values()))}
    return [one.rows @ fits[fold[one.case]] for one in papers]


def fit(papers: Sequence[Read]) -> NDArray[np.float64]:
    """A weight for each feature, the likeliest with a little shrinkage."""
    weights = torch.ones(papers[0].rows.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")
    read = [(torch.from_numpy(one.rows), torch.from_numpy(one.right)) for one in papers]

    def loss() -> Tensor:
        optimizer.zero_grad()
        odds = [(rows @ weights, right) for rows, right in read]
        likely = sum(one[right].logsumexp(0) - one.logsumexp(0) for one, right in odds)
        value: Tensor = SHRINKAGE * weights @ weights - likely
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy()


def within(odds: Sequence[NDArray[np.float64]], papers: Sequence[Read]) -> list[float]:
    """Share of the papers with a right sentence among their best one, two and three."""
    places = []
    for one, paper in zip(odds, papers, strict=True):
        order = np.argsort(-one, kind="stable")
        places.append(int(np.flatnonzero(paper.right[order])[0]))
    return [round(float(np.mean([place < most for place in places])), 2) for most in WITHIN]
