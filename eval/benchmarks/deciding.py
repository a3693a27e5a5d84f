"""`python -m eval bench pubmedqa`: yes, no or maybe from an abstract, from what retrieval finds, and from nothing.

The model's probabilities of the three words decide; nothing is generated. The contexts leave each abstract's conclusion
out, and so does the library made of them: the answer has to be reasoned from what was measured.

A small model says "yes" to nearly everything. So each figure is also given with its words' probabilities divided by
their means over the questions asked, which needs no labels but knows all the questions beforehand.

Source: PubMedQA, the reasoning-required setting (Jin et al. 2019, github.com/pubmedqa/pubmedqa); batch calibration
(Zhou et al. 2024, "Batch Calibration: Rethinking Calibration for In-Context Learning and Prompt Engineering").
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import prompts
from eval.benchmarks.bench_result import MADE_WITH, asked_with, spread
from eval.benchmarks.hub_data import located
from eval.benchmarks.retrieving import PLACE, open_library
from eval.cases import CaseError
from eval.metrics.answers import Figure, figure
from eval.metrics.bootstrap import bootstrap
from eval.rows import one_of, read_text, text_of, texts_of
from rag import Rag
from rag.cli import tell

HOME = "github.com/pubmedqa/pubmedqa"
LABELS = ("yes", "no", "maybe")
WORDS = tuple((word, word.capitalize(), f" {word}") for word in LABELS)
PUBLISHED = {
    "one person, gold abstract (Jin et al. 2019)": (0.780, 0.722),
    "BioBERT, fine-tuned, gold abstract (Jin et al. 2019)": (0.681, 0.527),
    "always yes (Jin et al. 2019)": (0.552, 0.237),
}
"""(accuracy, macro-F1) on the official 500 test questions, which are other ones of the same thousand."""


def read_pubmedqa(data: Path) -> dict[str, Mapping[str, Any]]:
    """Questions by PubMed id from a file of PubMedQA's labelled part, or from the folder that holds one.

    Raises:
        CaseError: there is none, or an entry lacks a field; it names the entry, the field and what was expected.
    """
    data = located(data, ("*pqal*.json",), HOME)
    files = [data] if data.is_file() else sorted(data.glob("*pqal*.json"))
    if not files:
        raise CaseError(f"There is no *pqal*.json at {str(data)!r}.", f"Get ori_pqal.json from {HOME}.")
    try:
        rows = json.loads(read_text(files[0]))
    except json.JSONDecodeError as error:
        raise CaseError(f"{files[0].name} is not JSON: {error}.", "Get it anew.") from error
    if not isinstance(rows, dict):
        raise CaseError(
            f"{files[0].name} is not an object but a {type(rows).__name__}.",
            "It has to hold entries by their PubMed id.",
        )
    for key, row in rows.items():
        _check(row, f"{files[0].name}, {key}")
    return dict(rows)


def _check(row: Any, place: str) -> None:
    if not isinstance(row, dict):
        raise CaseError(f"{place} is {row!r}.", "It has to be an object with QUESTION, CONTEXTS and final_decision.")
    text_of(row, "QUESTION", place)
    texts_of(row, "CONTEXTS", place)
    one_of(row, "final_decision", dict.fromkeys(LABELS), place)


def pubmedqa(options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy and macro-F1 with the gold abstract, with retrieved sentences and with nothing, and retrieval itself."""
    rows = read_pubmedqa(options.data)
    chosen = sorted(rows)
    if options.limit:
        chosen = random.Random(0).sample(chosen, min(options.limit, len(chosen)))  # noqa: S311
    labels = [str(rows[key]["final_decision"]) for key in chosen]
    abstracts = [(key, f"Study {key}", " ".join(row["CONTEXTS"])) for key, row in rows.items()]
    with open_library(options, abstracts) as rag:
        told: dict[str, list[list[float]]] = {"gold abstract": [], "retrieved sentences": [], "nothing": []}
        first = []
        for number, key in enumerate(chosen, start=1):
            question = str(rows[key]["QUESTION"])
            hits = rag.retrieve(question, k=3)
            first.append(bool(hits) and (hits[0].paper.url or "").removeprefix(PLACE) == key)
            found = "\n".join(hit.passage.text for hit in hits)
            for name, text in zip(told, ("\n".join(rows[key]["CONTEXTS"]), found, ""), strict=True):
                told[name].append(logprobs(rag, question, text))
            tell(
                f"{number}/{len(chosen)} {[likeliest(each[-1:])[0] for each in told.values()]} for {labels[number - 1]}"
            )
        made = asked_with(rag, ((key, str(rows[key]["QUESTION"])) for key in chosen), options.kind)
    result: dict[str, Any] = {
        "questions": len(chosen),
        "of": len(rows),
        **spread("right abstract first", figure(first)),
    }
    said = {name: likeliest(each) for name, each in told.items()}
    said |= {f"{name}, calibrated": likeliest(calibrated(each)) for name, each in told.items()}
    for name, texts in said.items():
        result |= spread(f"accuracy, {name}", figure([a == b for a, b in zip(texts, labels, strict=True)]))
        result |= spread(f"macro-F1, {name}", macro_f1_figure(labels, texts))
    always = max(sorted(set(labels)), key=labels.count)
    result[f"accuracy, always {always}, same questions"] = labels.count(always) / len(labels)
    for name, (accuracy, f1) in PUBLISHED.items():
        result[f"published accuracy: {name}"] = accuracy
        result[f"published macro-F1: {name}"] = f1
    return {**result, MADE_WITH: made}


def logprobs(rag: Rag, question: str, evidence: str) -> list[float]:
    """Log-probability of each of `LABELS` as the model's first word.

    Raises:
        CaseError: the model does not tell its probabilities, as a remote one.
    """
    ask = getattr(rag.model, "first_word_logprobs", None)
    if ask is None:
        raise CaseError("This model does not tell its probabilities.", "Give a local one by --model.")
    messages = prompts.load("decide").messages(evidence=evidence or "(nothing)", question=question)
    return [float(value) for value in ask(messages, WORDS)]


def calibrated(told: Sequence[Sequence[float]]) -> list[list[float]]:
    """`told`, log-probabilities of shape (questions, labels), less the log of each label's mean probability."""
    shares = [[math.exp(value) / sum(map(math.exp, row)) for value in row] for row in told]
    means = [sum(column) / len(column) for column in zip(*shares, strict=True)]
    return [[math.log(s or 1e-300) - math.log(m or 1e-300) for s, m in zip(row, means, strict=True)] for row in shares]


def likeliest(told: Sequence[Sequence[float]]) -> list[str]:
    """The label of each row's largest value; of equal ones the first."""
    return [LABELS[max(range(len(LABELS)), key=row.__getitem__)] for row in told]


def macro_f1(labels: Sequence[str], said: Sequence[str]) -> float:
    """Mean of each label's F1 over the labels that occur in either; 0 of none."""
    scores = []
    for label in sorted({*labels, *said}):
        both = sum(a == b == label for a, b in zip(labels, said, strict=True))
        scores.append(2 * both / (labels.count(label) + said.count(label)))
    return sum(scores) / len(scores) if scores else 0.0


def macro_f1_figure(labels: Sequence[str], said: Sequence[str]) -> Figure:
    """`macro_f1` with its interval by a bootstrap over questions."""
    rows = list(zip(labels, said, strict=True))
    return bootstrap(lambda drawn: macro_f1([a for a, _ in drawn], [b for _, b in drawn]), rows)
