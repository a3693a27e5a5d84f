"""Fits what tells, from where the adapter "bearing" looks in a paper, which of its sentences say what is asked
(`rag.trained.bearing`), and says how it does on questions that it has not seen.

    python -m eval judge --fit sentences --data FOLDER

Reads some of the bank's questions to one paper or several, each beside a whole abstract that it asks, and of those on
the bundled library dev, fresh-a and fresh-c, which are only measured on. Needs no GPU: a quarter of an hour on two
cores, and the same numbers each time.

Source: logistic regression with an L2 penalty, by L-BFGS (scikit-learn), on logarithms of shares of attention.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.cases import DATA, read_cases
from eval.fits.adapter_data import SEED
from eval.fits.bank import Group, read_bank
from eval.fits.scope_fit import MEASURED
from eval.judges.features import split
from eval.judges.judgement import Report
from eval.metrics.agreement import auroc
from rag import Paper, Rag
from rag.trained import adapters
from rag.trained.bearing import WEIGHTS, logarithms, looked_at

READ = 500
"""Abstracts of the bank that are read. With 250 the figures on other sets are the same within 0.02."""
LONGEST = 20
"""Sentences of an abstract that is read."""
STRENGTH = 0.3
"""Of 0.0001 to 1 the one with which most comparisons of dev, fresh-a and fresh-c have a right sentence among two."""
FOLDS = 5
MEASURED_TYPES = ("compare", "explain", "fact")


@dataclass(frozen=True)
class Read:
    """What is asked of a paper, its sentences, and the places of those that say it; `group` and `kind` of question."""

    asked: str
    paper: Paper
    sentences: Sequence[str]
    right: frozenset[int]
    kind: str
    group: int = -1


def bank_reads(groups: Sequence[Group]) -> list[Read]:
    """`READ` drawn from the bank."""
    found = [
        Read(asked.of(of, g.papers), g.papers[of], g.sentences[of], _from_zero(right), asked.kind, place)
        for place, g in enumerate(groups)
        for asked in g.asked
        if asked.kind in ("compare", "single")
        for of, right in asked.sentences.items()
        if 2 <= len(g.sentences[of]) <= LONGEST
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311  (sampling, not secrets)
    return found[:READ]


def _from_zero(numbers: frozenset[int]) -> frozenset[int]:
    return frozenset(number - 1 for number in numbers if number)


def measured_reads(papers: Sequence[Paper]) -> Iterator[Read]:
    """Questions on the bundled library, each beside a paper of which some sentence is known to answer it."""
    by_title = {paper.title: paper for paper in papers}
    for name in MEASURED:
        for case in read_cases(DATA / f"{name}.jsonl"):
            if case.type not in MEASURED_TYPES:
                continue
            for paper in (by_title[title] for title in case.papers if title in by_title):
                sentences = split([paper.abstract])
                right = frozenset(i for i, text in enumerate(sentences) if text in case.evidence)
                if right:
                    yield Read(case.question, paper, sentences, right, case.type)


class Looks:
    """Where the model looks in some abstracts, as rows of numbers, one a sentence."""

    def __init__(self, model: Any, reads: Sequence[Read], report: Report) -> None:
        self.reads: list[Read] = []
        rows: list[NDArray[np.float32]] = []
        for number, read in enumerate(reads, start=1):
            shares = looked_at(model, read.asked, read.paper, read.sentences)
            if shares is not None:
                self.reads.append(read)
                rows.append(logarithms(shares))
            if number % 100 == 0:
                report(f"{number} of {len(reads)} abstracts read …")
        self.shape = rows[0].shape[1:]
        self.rows = np.concatenate(rows).reshape(-1, int(np.prod(self.shape)))
        self.labels = np.concatenate([[i in read.right for i in range(len(read.sentences))] for read in self.reads])
        self.of = np.concatenate([[at] * len(read.sentences) for at, read in enumerate(self.reads)])

    def figures(self, odds: NDArray[np.float64], kind: str) -> dict[str, Any]:
        """Of the abstracts beside questions of a kind: AUROC of sentences, and how often a right one stands first."""
        chosen = [at for at, read in enumerate(self.reads) if read.kind == kind and read.right]
        inside = np.isin(self.of, chosen)
        first = second = 0
        for at in chosen:
            rows = np.flatnonzero(self.of == at)
            best = self.labels[rows[np.argsort(-odds[rows])]]
            first += bool(best[0])
            second += bool(best[:2].any())
        n = len(chosen)
        told = auroc(self.labels[inside].tolist(), odds[inside].tolist())
        return {"n": n, "auroc": told, "first": first / n if n else None, "among two": second / n if n else None}


def train_sentences(data: Path, rag: Rag, report: Report, path: Path = WEIGHTS) -> dict[str, Any]:
    """Fit, measure, and write the weights to `path`; the figures by kind of question, JSON-ready.

    Args:
        data: the folder of the sets' folders, of which `abstracts` is read.
        rag: the bundled library, and the chat model that the adapter belongs to.
        report: told what takes time.
        path: where the weights go.
    """
    from eval.fits.adapter_fit import ABSTRACTS

    known = Looks(rag.model, bank_reads(read_bank(data / ABSTRACTS)), report)
    other = Looks(rag.model, list(measured_reads(rag.papers)), report)
    weights, start = fitted(known.rows, known.labels)
    version = adapters.named("bearing").version
    kept = {"version": version, "start": round(start, 5), "weights": np.round(weights, 5).reshape(known.shape).tolist()}
    path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    folds = np.array([known.reads[at].group % FOLDS for at in known.of])
    unseen = np.empty(len(known.labels))
    for fold in range(FOLDS):
        out = folds == fold
        if out.any():
            of_fold, begin = fitted(known.rows[~out], known.labels[~out])
            unseen[out] = known.rows[out] @ of_fold + begin
    odds = other.rows @ weights + start
    return {
        "bank, groups left out": {kind: known.figures(unseen, kind) for kind in ("compare", "single")},
        "bundled library": {kind: other.figures(odds, kind) for kind in MEASURED_TYPES},
    }


def fitted(rows: NDArray[np.float32], labels: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Weights of a row's numbers, and what they are added to."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = rows.mean(0), rows.std(0) + 1e-6
    model = LogisticRegression(C=STRENGTH, max_iter=1000).fit((rows - middle) / spread, labels)
    weights = np.asarray(model.coef_[0], dtype=np.float64) / spread
    return weights, float(model.intercept_[0] - weights @ middle)
