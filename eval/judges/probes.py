"""Label-free probes of a judge on a library: what it must let through, and what it must not.

Every probe is a sentence of the library beside evidence of which the right answer is known by construction. Rates are
errors: smaller is better. The bundled library's failures shaped the feature judge: measure it on another library.
Knows judges and papers; knows nothing of people's labels.

Source: contrast sets (Gardner et al. 2020); wrong abstracts by BM25 as hard negatives (Karpukhin et al. 2020).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from eval.cases import CaseError
from eval.judges.changes import CHANGES
from eval.judges.features import split
from eval.judges.judgement import Evidence, Judge
from eval.metrics.answers import Figure, figure
from rag import Paper

Neighbour = Callable[[str, Paper], Paper]
"""The best wrong paper for a sentence of a paper."""


def probes(
    judge: Judge, papers: Sequence[Paper], neighbour: Neighbour, *, count: int = 500, seed: int = 0
) -> dict[str, Figure]:
    """Error rates by probe, over `count` sentences drawn at `seed`.

    A sentence that a change does not fit is left out and counted.
    """
    if len(papers) < 2:
        raise CaseError("A library of one paper has no wrong abstract.", "Probe with two papers or more.")
    draw = random.Random(seed)  # noqa: S311  (sampling, not secrets)
    drawn = draw.sample([(p, s) for p in papers for s in _sentences(p)], k=min(count, _size(papers)))
    rejected = [not j.is_supported for j in judge.judge([((paper.abstract,), s) for paper, s in drawn])]
    result = {"own sentence rejected": figure(rejected)}
    others: dict[str, Callable[[Paper, str], Paper]] = {
        "random abstract let through": lambda paper, _s: draw.choice([p for p in papers if p.id != paper.id]),
        "best wrong abstract by BM25 let through": lambda paper, s: neighbour(s, paper),
    }
    for name, pick in others.items():
        pairs: list[tuple[Evidence, str] | None] = [((pick(paper, s).abstract,), s) for paper, s in drawn]
        result[name] = _let_through(judge, pairs)
    for name, change in CHANGES.items():
        pairs = [((paper.abstract,), text) if (text := change(s)) else None for paper, s in drawn]
        result[f"{name} let through"] = _let_through(judge, pairs)
    return result


def _let_through(judge: Judge, pairs: Sequence[tuple[Evidence, str] | None]) -> Figure:
    judged = iter(judge.judge([pair for pair in pairs if pair is not None]))
    return figure([None if pair is None else next(judged).is_supported for pair in pairs])


def _sentences(paper: Paper) -> list[str]:
    return [text for text in split([paper.abstract]) if len(text.split()) >= 6]


def _size(papers: Sequence[Paper]) -> int:
    return sum(len(_sentences(paper)) for paper in papers)
