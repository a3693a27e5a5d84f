"""Fits what tells questions for papers from others (`rag.scope`), and says how it does on writers it has not seen.

    python -m eval judge --fit scope

`data/scope.jsonl` holds requests for papers, and others as like them as their writers could make them, by five writers
(language models of another kind than those that answer; no person); with them go the bank's questions, and those of the
question sets that may be looked at. Needs no GPU: some seconds, and the same numbers each time.

Source: logistic regression with an L2 penalty, by L-BFGS (scikit-learn), on runs of words and a sentence vector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from eval.agreement import auroc
from eval.bank import BANK
from eval.cases import DATA, read_cases
from eval.elsewhere import ELSEWHERE, KEPT_ASIDE
from eval.feature_judge import Encoder
from eval.judgement import Report
from rag.list_question import list_question
from rag.scope import FROM, FROM_IN_ITS_FORM, WEIGHTS, runs_of

VERSION = "1"
REQUESTS = DATA / "scope.jsonl"
SETS = ("dev", "fresh-a", "fresh-c")
SCALE = 3.0
"""Of the vector's numbers beside the 0 and 1 of a run. Of 1, 3, 6 and 10 the best on unseen writers, by a little."""
LEAST_HELD = 3
"""Questions that have to hold a run for it to be known."""
STRENGTH = 1.0
SMALLEST = 0.02
"""A run that weighs less is left out."""

Asked = tuple[str, bool, str]
"""A question, whether it asks for papers, and who wrote it."""


def read_asked() -> list[Asked]:
    """All that is fitted on; the writers of `data/scope.jsonl` by their letters, the rest by set."""
    rows = [json.loads(line) for line in REQUESTS.read_text(encoding="utf-8").splitlines()]
    asked = [(row["question"], row["is_list"], row["writer"]) for row in rows]
    bank = json.loads(BANK.read_text(encoding="utf-8"))
    asked += [(question, kind == "list", "bank") for group in bank for kind, question, _ in group["questions"]]
    for name in SETS:
        cases = [case for case in read_cases(DATA / f"{name}.jsonl") if not case.history]
        asked += [(case.question, case.type == "list", name) for case in cases]
    for number, library in enumerate(json.loads(ELSEWHERE.read_text(encoding="utf-8")), start=1):
        if number not in KEPT_ASIDE:
            asked += [
                (q["question"], q["type"] == "list", "elsewhere") for q in library["questions"] if not q.get("history")
            ]
    return asked


class Fit:
    """Questions as numbers, and logistic models of some of them."""

    def __init__(self, asked: Sequence[Asked], encoder: Encoder) -> None:
        self.asked = asked
        self.labels = np.array([is_list for _, is_list, _ in asked])
        self.vectors = encoder.encode([question for question, *_ in asked], "query")
        self.in_form = np.array([list_question(question, is_first=True) is not None for question, *_ in asked])

    def held_out(self, writers: Sequence[str], *, with_meaning: bool) -> np.ndarray:
        """Probabilities for all questions of `writers`, each by a fit without its writer; nan for the rest."""
        found = np.full(len(self.asked), np.nan)
        for writer in writers:
            out = np.array([of == writer for *_, of in self.asked])
            vocabulary, model = self._model(np.flatnonzero(~out), with_meaning=with_meaning)
            found[out] = model.predict_proba(self._rows(np.flatnonzero(out), vocabulary, with_meaning=with_meaning))[
                :, 1
            ]
        return found

    def head(self, *, with_meaning: bool) -> dict[str, Any]:
        """The weights fitted on everything, as `rag.scope.Head` reads them."""
        vocabulary, model = self._model(np.arange(len(self.asked)), with_meaning=with_meaning)
        weights = model.coef_[0]
        runs = {run: round(float(weights[place]), 3) for run, place in vocabulary.vocabulary_.items()}
        kept = {run: weight for run, weight in sorted(runs.items()) if abs(weight) >= SMALLEST}
        head = {"start": round(float(model.intercept_[0]), 4), "runs": kept}
        if with_meaning:
            head["vector"] = np.round(weights[len(runs) :] * SCALE, 4).tolist()
        return head

    def _model(self, rows: np.ndarray, *, with_meaning: bool) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        vocabulary = CountVectorizer(analyzer=lambda text: list(runs_of(text)), binary=True, min_df=LEAST_HELD)
        vocabulary.fit([self.asked[i][0] for i in rows])
        model = LogisticRegression(C=STRENGTH, max_iter=5000)
        return vocabulary, model.fit(self._rows(rows, vocabulary, with_meaning=with_meaning), self.labels[rows])

    def _rows(self, rows: np.ndarray, vocabulary: Any, *, with_meaning: bool) -> Any:
        from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]

        runs = vocabulary.transform([self.asked[i][0] for i in rows])
        return hstack([runs, csr_matrix(self.vectors[rows] * SCALE)]).tocsr() if with_meaning else runs


def train_scope(encoder: Encoder, name: str, report: Report) -> dict[str, Any]:
    """Fit, measure on unseen writers, and write the weights; the figures by writer, JSON-ready.

    Args:
        encoder: rag's embedder.
        name: its name: with another one the words alone decide.
        report: told what takes time.
    """
    asked = read_asked()
    report(f"{len(asked)} questions, {sum(is_list for _, is_list, _ in asked)} of them for papers …")
    fit = Fit(asked, encoder)
    heads = {"with meaning": fit.head(with_meaning=True), "by words": fit.head(with_meaning=False)}
    kept = {"version": VERSION, "embedder": name, "questions": len(asked), **heads}
    WEIGHTS.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")
    return {name: by_writer(fit, with_meaning=name == "with meaning") for name in heads}


def by_writer(fit: Fit, *, with_meaning: bool) -> dict[str, dict[str, Any]]:
    """For each group of questions, by fits without it: AUROC, the share of requests found, and of others taken for one.

    `found by form` and `taken by form` are what `list_question` alone does.
    """
    writers = tuple(dict.fromkeys(writer for *_, writer in fit.asked))
    likely = fit.held_out(writers, with_meaning=with_meaning)
    told = likely >= np.where(fit.in_form, FROM_IN_ITS_FORM, FROM)
    groups = {name: np.array([of == name for *_, of in fit.asked]) for name in writers}
    groups["five writers"] = np.array([len(of) == 1 for *_, of in fit.asked])
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
