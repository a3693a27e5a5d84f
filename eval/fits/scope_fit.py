"""Fits what tells questions for papers from others (`rag.trained.scope`), and says how it does on writers that it has
not seen.

    python -m eval judge --fit scope

`data/scope.jsonl` holds requests for papers, and others as like them as their writers could make them, by five writers
(language models of another kind than those that answer; no person); with them go the bank's questions and those on the
six libraries of `eval.elsewhere` that may be looked at. Nothing of the bundled library or its questions is among them:
these are only measured on. Needs no GPU: half a minute, and the same numbers each time.

Source: logistic regression with an L2 penalty, by L-BFGS (scikit-learn), on runs of words and a sentence vector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.cases import DATA, read_cases
from eval.elsewhere import ELSEWHERE, KEPT_ASIDE
from eval.fits.bank import BANK
from eval.judges.feature_judge import Encoder
from eval.judges.judgement import Report
from eval.metrics.agreement import auroc
from rag.language.list_question import list_question
from rag.trained.scope import FROM, FROM_IN_ITS_FORM, WEIGHTS, runs_of

REQUESTS = DATA / "scope.jsonl"
MEASURED = ("dev", "fresh-a", "fresh-c")
SCALE = 3.0
"""Of the vector's numbers beside the 0 and 1 of a run. Of 3, 6 and 10 the best on the five writers, by a little."""
LEAST_HELD = 3
"""Questions that have to hold a run for it to be known."""
STRENGTH = 1.0
SMALLEST = 0.02
"""A run that weighs less is left out."""

Flags = NDArray[np.bool_]
Asked = tuple[str, bool, str]
"""A question, whether it asks for papers, and who wrote it."""


def read_asked() -> list[Asked]:
    """All that is fitted on; the writers of `data/scope.jsonl` by their letters, the rest by where they are from."""
    rows = [json.loads(line) for line in REQUESTS.read_text(encoding="utf-8").splitlines()]
    asked = [(row["question"], row["is_list"], row["writer"]) for row in rows]
    bank = json.loads(BANK.read_text(encoding="utf-8"))
    rows = [row for group in bank for row in group["questions"]]
    asked += [(question, kind == "list", "bank") for kind, question, *_ in rows]
    for number, library in enumerate(json.loads(ELSEWHERE.read_text(encoding="utf-8")), start=1):
        if number not in KEPT_ASIDE and "from" not in library:  # those on other fields came later: to measure on
            asked += [
                (q["question"], q["type"] == "list", "elsewhere") for q in library["questions"] if not q.get("history")
            ]
    return asked


def read_measured() -> list[Asked]:
    """Questions on the bundled library, which are not fitted on."""
    cases = [(case, name) for name in MEASURED for case in read_cases(DATA / f"{name}.jsonl") if not case.history]
    return [(case.question, case.type == "list", name) for case, name in cases]


class Fit:
    """Questions as numbers, and logistic models of some of them."""

    def __init__(self, asked: Sequence[Asked], encoder: Encoder) -> None:
        self.asked = asked
        self.labels = np.array([is_list for _, is_list, _ in asked])
        self.writers = np.array([writer for *_, writer in asked])
        self.vectors = encoder.encode([question for question, *_ in asked], "query")
        self.in_form = np.array([list_question(question, is_first=True) is not None for question, *_ in asked])

    def held_out(self, fitted: Flags, *, with_meaning: bool) -> NDArray[np.float64]:
        """Probabilities for all questions, each by a fit on those of `fitted` that are not of its writer."""
        found = np.empty(len(self.asked))
        for writer in dict.fromkeys(self.writers.tolist()):
            is_out = self.writers == writer
            out = np.flatnonzero(is_out)
            vocabulary, model = self._model(np.flatnonzero(fitted & ~is_out), with_meaning=with_meaning)
            found[out] = model.predict_proba(self._rows(out, vocabulary, with_meaning=with_meaning))[:, 1]
        return found

    def head(self, fitted: Flags, *, with_meaning: bool) -> dict[str, Any]:
        """The weights fitted on all of `fitted`, as `rag.trained.scope.Head` reads them."""
        vocabulary, model = self._model(np.flatnonzero(fitted), with_meaning=with_meaning)
        weights = model.coef_[0]
        runs = {run: round(float(weights[place]), 3) for run, place in vocabulary.vocabulary_.items()}
        kept = {run: weight for run, weight in sorted(runs.items()) if abs(weight) >= SMALLEST}
        head = {"start": round(float(model.intercept_[0]), 4), "runs": kept}
        if with_meaning:
            head["vector"] = np.round(weights[len(runs) :] * SCALE, 4).tolist()
        return head

    def _model(self, rows: NDArray[np.int64], *, with_meaning: bool) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        vocabulary = CountVectorizer(analyzer=lambda text: list(runs_of(text)), binary=True, min_df=LEAST_HELD)
        vocabulary.fit([self.asked[i][0] for i in rows])
        model = LogisticRegression(C=STRENGTH, max_iter=5000)
        return vocabulary, model.fit(self._rows(rows, vocabulary, with_meaning=with_meaning), self.labels[rows])

    def _rows(self, rows: NDArray[np.int64], vocabulary: Any, *, with_meaning: bool) -> Any:
        from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]

        runs = vocabulary.transform([self.asked[i][0] for i in rows])
        return hstack([runs, csr_matrix(self.vectors[rows] * SCALE)]).tocsr() if with_meaning else runs


def train_scope(encoder: Encoder, embedder: str, report: Report, path: Path = WEIGHTS) -> dict[str, Any]:
    """Fit, measure on unseen writers, and write the weights to `path`; the figures by writer, JSON-ready.

    Args:
        encoder: rag's embedder.
        embedder: its name: with another one the words alone decide.
        report: told what takes time.
        path: where the weights go.
    """
    asked, measured = read_asked(), read_measured()
    report(f"{len(asked)} questions, {sum(is_list for _, is_list, _ in asked)} of them for papers …")
    fit = Fit([*asked, *measured], encoder)
    fitted = np.arange(len(fit.asked)) < len(asked)
    ways = {"with meaning": True, "by words": False}
    heads = {name: fit.head(fitted, with_meaning=with_meaning) for name, with_meaning in ways.items()}
    kept = {"embedder": embedder, **heads}
    path.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")
    return {name: by_writer(fit, fitted, with_meaning=with_meaning) for name, with_meaning in ways.items()}


def by_writer(fit: Fit, fitted: Flags, *, with_meaning: bool) -> dict[str, dict[str, Any]]:
    """For each group of questions, by fits without it: AUROC, the share of requests found, and of others taken for one.

    `found by form` and `taken by form` are what `list_question` alone does. Measured before small weights are left out.
    """
    likely = fit.held_out(fitted, with_meaning=with_meaning)
    told = likely >= np.where(fit.in_form, FROM_IN_ITS_FORM, FROM)
    groups = {name: fit.writers == name for name in dict.fromkeys(fit.writers.tolist())}
    groups["writers"] = np.array([len(of) == 1 for of in fit.writers.tolist()])
    found = {}
    for name, inside in groups.items():
        lists, others = inside & fit.labels, inside & ~fit.labels
        found[name] = {
            "n": int(inside.sum()),
            "auroc": auroc(fit.labels[inside].tolist(), likely[inside].tolist()),
            "found": float(told[lists].mean()),
            "taken": float(told[others].mean()),
            "found by form": float(fit.in_form[lists].mean()),
            "taken by form": float(fit.in_form[others].mean()),
        }
    return found
