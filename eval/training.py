"""Trains the adapters that ship with Footnote, and says how they do on claims and questions that they have not seen.

    python -m eval judge --fit verdict --data FOLDER       needs a GPU, about ten minutes on an H100
    python -m eval judge --fit answerable --data FOLDER    half a minute there
    python -m eval judge --fit bearing --data FOLDER       some minutes there

FOLDER holds the sets' folders (attributionbench, scifact, healthver, clapnq) and `abstracts`, of which claims and
questions are made (`adapter_data`), and on which the bank's questions are (`bank`). HealthVer, which is not for every
use, is only measured on, never trained on.

The order of sums on a GPU is not fixed: another run gives other numbers, that judge alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import prompts
from eval.adapter_data import SEED, Question, clapnq_questions, made_claims, made_questions, neighbours, read_abstracts
from eval.agreement import auroc
from eval.bank import KINDS, read_bank
from eval.bearing_data import Bearing, bearings, clapnq_bearings
from eval.excerpt import excerpts
from eval.feature_judge import Encoder, FeatureReader, Matrix
from eval.fitting import figures, folds_by_claim, held_out, known_errors, made, targets_of, weights_of
from eval.judgement import Report
from eval.labelled import Pair, read_pairs
from eval.verdict_judge import MEASURED, together
from rag import trained
from rag.adapter_fitting import DEPTH, SETTINGS, Example, Trunk, fit, open_trunk
from rag.trained import MODEL

VERSION = "1"
TRAINED_ON = {"attributionbench": "dev", "scifact": "train"}
MEASURED_ON = {**TRAINED_ON, "healthver": "dev"}
ABSTRACTS = "abstracts/ml-abstracts.jsonl.gz"
PAPERS = 6000
CLAIMS = 2600
"""Papers of which a claim is made, where the draw allows one."""
PER_RULE = 300
FOLDS = 3
BANK_FOLD = 5
CLAPNQ_WEIGHT = 3.0
"""A question that people asked counts as much as three that a rule made."""

TokensOf = Callable[[Sequence[tuple[str, str]]], Sequence[int]]
"""Messages to the token ids of a whole prompt."""


def train_verdict(data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report) -> dict[str, Any]:
    """Fit, measure by folds, and write the adapter and what is known of its errors; the figures, JSON-ready.

    Args:
        data: the folder of the sets' folders.
        encoder: rag's embedder.
        tokens_of: the prompt of messages as the model reads it.
        report: told what takes time.
    """
    labelled = [pair for name, split in MEASURED_ON.items() for pair in read_pairs(name, data / name, split)]
    papers = read_abstracts(data / ABSTRACTS, PAPERS)
    claims = made_claims(papers, neighbours(papers, encoder), CLAIMS)
    pairs = [*labelled, *claims]
    examples = verdict_examples(pairs, encoder, tokens_of)
    fitted_on = [i for i, pair in enumerate(pairs) if pair.source != "HealthVer"]
    trunk = open_trunk(MODEL)
    facts = facts_of("verdict", {"labelled": len(fitted_on) - len(claims), "made": len(claims)})
    adapter, fitted = fit(trunk, [examples[i] for i in fitted_on], seed=SEED, facts=facts, report=report)
    adapter.save(trained.path_of("verdict"))
    unseen = np.array(
        fitted([examples[i] for i in range(len(labelled))])
    )  # right for HealthVer alone; the folds replace the rest
    folds = folds_of(pairs)
    for fold in range(FOLDS):
        out = [i for i, pair in enumerate(labelled) if folds[i] == fold and pair.source != "HealthVer"]
        report(f"Fold {fold + 1} of {FOLDS}: without {len(out)} pairs …")
        unseen[out] = _without(trunk, examples, fitted_on, out, report)
    by_network = held_out_network(labelled, encoder)
    result = measured(labelled, unseen, by_network)
    MEASURED.write_text(json.dumps({"version": VERSION, **result}, indent=1) + "\n", encoding="utf-8")
    return result


def _without(
    trunk: Trunk, examples: Sequence[Example], fitted_on: Sequence[int], out: Sequence[int], report: Report
) -> Matrix:
    gone = set(out)
    _, fitted = fit(trunk, [examples[i] for i in fitted_on if i not in gone], seed=SEED, report=report)
    return np.array(fitted([examples[i] for i in out]))


def verdict_examples(pairs: Sequence[Pair], encoder: Encoder, tokens_of: TokensOf) -> list[Example]:
    """Prompts of `verdict.md`; a source counts by the square root of its size."""
    fitted = [i for i, pair in enumerate(pairs) if pair.source != "HealthVer"]
    weights = dict(zip(fitted, weights_of([pairs[i] for i in fitted]).tolist(), strict=True))
    texts = excerpts([(pair.evidence, pair.claim) for pair in pairs], encoder)
    prompt = prompts.load("verdict")
    result = []
    for i, (pair, allowed) in enumerate(zip(pairs, targets_of(pairs).tolist(), strict=True)):
        evidence = "\n".join(pair.evidence) if pair.source == "made" else texts[i]
        messages = prompt.messages(claim=" ".join(pair.claim.split()), evidence=evidence)
        result.append(Example(tuple(tokens_of(messages)), tuple(allowed), weights.get(i, 0.0)))
    return result


def folds_of(pairs: Sequence[Pair]) -> list[int]:
    """One of `FOLDS` for each pair, the same for all pairs of a claim."""
    claims = sorted({pair.claim for pair in pairs})
    random.Random(SEED).shuffle(claims)  # noqa: S311  (folds, not secrets)
    place = {claim: i % FOLDS for i, claim in enumerate(claims)}
    return [place[pair.claim] for pair in pairs]


def held_out_network(labelled: Sequence[Pair], encoder: Encoder) -> Matrix:
    """(n_pairs, 3): what feature networks that did not see a pair's claim say of it."""
    pairs = [*labelled, *made(labelled)]
    rows = FeatureReader(encoder).rows([(pair.evidence, pair.claim) for pair in pairs])
    return held_out(rows, pairs, folds_by_claim(pairs))[: len(labelled)]


def measured(labelled: Sequence[Pair], by_adapter: Matrix, by_network: Matrix) -> dict[str, Any]:
    """Agreement with people by source, of the adapter alone and of both experts, and the errors of both."""
    both = together(by_adapter, by_network)
    errors = known_errors(labelled, both)
    return {
        "adapter": figures(labelled, by_adapter),
        "both": figures(labelled, both),
        "errors": {verdict: error.to_dict() for verdict, error in errors.items()},
    }


def train_answerable(data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report) -> dict[str, Any]:
    """Fit on made questions and half of ClapNQ, write the adapter; figures on the other half, JSON-ready."""
    papers = read_abstracts(data / ABSTRACTS, PAPERS)
    asked = made_questions(papers, neighbours(papers, encoder), PER_RULE)
    first, second = (list(half.values()) for half in clapnq_questions(data / "clapnq"))
    examples = answerable_examples(asked, tokens_of) + answerable_examples(first, tokens_of, CLAPNQ_WEIGHT)
    facts = facts_of("answerable", {"made": len(asked), "ClapNQ": len(first)})
    adapter, fitted = fit(open_trunk(MODEL), examples, seed=SEED, facts=facts, report=report)
    adapter.save(trained.path_of("answerable"))
    said = [row[0] for row in fitted(answerable_examples(second, tokens_of))]
    labels = [is_there for _, _, is_there in second]
    right = [(p >= 0.5) == label for p, label in zip(said, labels, strict=True)]
    return {"n": len(labels), "auroc": auroc(labels, said), "accuracy": sum(right) / len(right)}


def answerable_examples(asked: Sequence[Question], tokens_of: TokensOf, weight: float = 1.0) -> list[Example]:
    """Prompts of `answerable.md`; classes yes and no."""
    prompt = prompts.load("answerable")
    return [
        Example(
            tuple(tokens_of(prompt.messages(evidence=evidence, question=question))),
            (1.0, 0.0) if is_there else (0.0, 1.0),
            weight,
        )
        for question, evidence, is_there in asked
    ]


def train_bearing(data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report) -> dict[str, Any]:
    """Fit on the bank and on half of ClapNQ, write the adapter; figures on the other half, and on groups left out.

    Of the bank every `BANK_FOLD`th group is left out of a second fit, which is measured on them and then thrown away.
    """
    groups = read_bank(data / ABSTRACTS)
    kept, out = [g for i, g in enumerate(groups) if i % BANK_FOLD], groups[::BANK_FOLD]
    first, second = clapnq_bearings(data / "clapnq")
    within, outside = bearings(kept, encoder), bearings(out, encoder)
    trunk = open_trunk(MODEL)
    facts = facts_of("bearing", {"bank": len(within) + len(outside), "ClapNQ": len(first)})
    shown = bearing_examples([*within, *outside, *first], tokens_of)
    adapter, fitted = fit(trunk, shown, seed=SEED, facts=facts, report=report)
    adapter.save(trained.path_of("bearing"))
    result = {"ClapNQ, the other half": separated(second, fitted(bearing_examples(second, tokens_of)))}
    report(f"Without {len(out)} of {len(groups)} groups …")
    _, fitted = fit(trunk, bearing_examples([*within, *first], tokens_of), seed=SEED, report=report)
    said = fitted(bearing_examples(outside, tokens_of))
    for kind in KINDS:
        chosen = [i for i, one in enumerate(outside) if one.kind == kind]
        if {outside[i].answers for i in chosen} == {True, False}:
            result[f"bank, {kind}"] = separated([outside[i] for i in chosen], [said[i] for i in chosen])
    return result


def separated(shown: Sequence[Bearing], said: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """How well what was said tells those that answer from the others."""
    return {"n": len(shown), "auroc": auroc([one.answers for one in shown], [row[0] for row in said])}


def bearing_examples(shown: Sequence[Bearing], tokens_of: TokensOf) -> list[Example]:
    """Prompts of `bearing.md`; classes yes and no."""
    prompt = prompts.load("bearing")
    return [
        Example(
            tuple(tokens_of(prompt.messages(asked=one.asked, title=one.title, sentences=one.sentences))),
            (1.0, 0.0) if one.answers else (0.0, 1.0),
        )
        for one in shown
    ]


def facts_of(name: str, fitted_on: Mapping[str, int]) -> dict[str, Any]:
    """What is kept with an adapter's numbers."""
    classes = {
        "verdict": ["supported", "contradicted", "neither"],
        "answerable": ["yes", "no"],
        "bearing": ["yes", "no"],
    }[name]
    return {
        "name": name, "version": VERSION, "model": MODEL, "prompt": prompts.load(name).id, "depth": DEPTH,
        "classes": classes, "fitted_on": dict(fitted_on), "seed": SEED, **SETTINGS,
    }  # fmt: skip
