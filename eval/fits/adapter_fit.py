"""Trains the adapters that ship with Footnote, and says how they do on claims and questions that they have not seen.

    python -m eval judge --fit verdict --data FOLDER       needs a GPU, about ten minutes on an H100
    python -m eval judge --fit opinion --data FOLDER       likewise
    python -m eval judge --fit answerable --data FOLDER    some minutes there (`answerable_fit`)
    python -m eval judge --fit bearing --data FOLDER       some minutes there
    python -m eval judge --fit about --data FOLDER         likewise

FOLDER holds the sets' folders (attributionbench, scifact, healthver, clapnq) and `abstracts`, of which claims and
questions are made (`adapter_data`), and on which the bank's questions are (`bank`). HealthVer, which is not for every
use, is only measured on, never trained on.

The order of sums on a GPU is not fixed: another run gives other numbers, that judge alike.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import prompts
from eval.fits.about_data import AMONG, About, bank_about
from eval.fits.adapter_data import SEED, made_claims, neighbours, read_abstracts
from eval.fits.bank import FROM_BANK, KINDS, group_of, read_bank
from eval.fits.bearing_data import Bearing, bearings, clapnq_bearings
from eval.fits.feature_fit import (
    figures,
    folds_by_claim,
    folds_by_source,
    held_out,
    known_errors,
    made,
    targets_of,
    weights_of,
)
from eval.judges.excerpt import excerpts
from eval.judges.feature_judge import Encoder, FeatureReader, Matrix
from eval.judges.judgement import Report
from eval.judges.labelled import Pair, read_pairs
from eval.judges.verdict_judge import MEASURED, together
from eval.metrics.agreement import auroc
from rag.trained import adapters
from rag.trained.adapter_fitting import DEPTH, FIRST, Example, Trunk, fit, open_trunk
from rag.trained.adapters import MODEL

VERSIONS = {"verdict": "1", "opinion": "2", "answerable": "3", "bearing": "1", "about": "1"}
TRAINED_ON = {"attributionbench": "dev", "scifact": "train"}
MEASURED_ON = {**TRAINED_ON, "healthver": "dev"}
ABSTRACTS = "abstracts/ml-abstracts.jsonl.gz"
PAPERS = 6000
CLAIMS = 2600
"""Papers of which a claim is made, where the draw allows one."""
FOLDS = 3
BANK_FOLD = 5

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
    claims = Claims.read(data, encoder, tokens_of)
    unseen = claims.fit("verdict", report)
    by_network = held_out_network(claims.labelled, encoder)
    result = measured(claims.labelled, unseen, by_network)
    elsewhere = unseen.copy()  # HealthVer stays as it is: no fit saw it
    for source in sorted({pair.source for pair in claims.labelled} - {"HealthVer"}):
        out = [i for i, pair in enumerate(claims.labelled) if pair.source == source]
        report(f"Without the {len(out)} pairs of {source} …")
        elsewhere[out] = claims.without(out, report)
    by_source = held_out_network(claims.labelled, encoder, folds_by_source)
    MEASURED.write_text(json.dumps({"version": VERSIONS["verdict"], **result}, indent=1) + "\n", encoding="utf-8")
    return {**result, "both, unseen sources": figures(claims.labelled, together(elsewhere, by_source))}


def train_opinion(data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report) -> dict[str, Any]:
    """As `train_verdict`, with the bank's claims and drafts too; figures by folds, of the adapter alone."""
    bank = [pair for group in read_bank(data / ABSTRACTS) for pair in (*group.claims, *group.drafts)]
    claims = Claims.read(data, encoder, tokens_of, bank)
    return {"adapter": figures(claims.known, claims.fit("opinion", report))}


@dataclass(frozen=True)
class Claims:
    """What a verdict is learnt from: what people labelled, the bank's pairs, and made ones, in this order.

    `examples` stand in the order of all three; `known` are the first two.
    """

    trunk: Trunk
    labelled: list[Pair]
    known: list[Pair]
    examples: list[Example]
    fitted_on: list[int]

    @classmethod
    def read(cls, data: Path, encoder: Encoder, tokens_of: TokensOf, bank: Sequence[Pair] = ()) -> Claims:
        """The sets of `data`, whose folders are named as they are, and `bank`."""
        labelled = [pair for name, split in MEASURED_ON.items() for pair in read_pairs(name, data / name, split)]
        papers = read_abstracts(data / ABSTRACTS, PAPERS)
        pairs = [*labelled, *bank, *made_claims(papers, neighbours(papers, encoder), CLAIMS)]
        fitted_on = [i for i, pair in enumerate(pairs) if pair.source != "HealthVer"]
        examples = verdict_examples(pairs, encoder, tokens_of)
        return cls(open_trunk(MODEL), labelled, [*labelled, *bank], examples, fitted_on)

    def fit(self, name: str, report: Report) -> Matrix:
        """Write the adapter `name`; (n_known, 3), what fits that did not see a claim say of it."""
        ours = Counter(pair.source for pair in self.known if pair.source in FROM_BANK)
        made_up = len(self.examples) - len(self.known)
        sizes = {"labelled": len(self.fitted_on) - ours.total() - made_up, **ours, "made": made_up}
        facts = facts_of(name, {kind: size for kind, size in sizes.items() if size})
        chosen = [self.examples[i] for i in self.fitted_on]
        adapter, fitted = fit(self.trunk, chosen, seed=SEED, facts=facts, report=report)
        adapter.save(adapters.path_of(name))
        known = range(len(self.known))
        unseen = np.array(
            fitted([self.examples[i] for i in known])
        )  # right for HealthVer alone; the folds replace the rest
        folds = folds_of(self.known)
        for fold in range(FOLDS):
            out = [i for i in known if folds[i] == fold and self.known[i].source != "HealthVer"]
            report(f"Fold {fold + 1} of {FOLDS}: without {len(out)} pairs …")
            unseen[out] = self.without(out, report)
        return unseen

    def without(self, out: Sequence[int], report: Report) -> Matrix:
        """(n_out, 3): what a fit without these says of them."""
        gone = set(out)
        chosen = [self.examples[i] for i in self.fitted_on if i not in gone]
        _, fitted = fit(self.trunk, chosen, seed=SEED, report=report)
        return np.array(fitted([self.examples[i] for i in out]))


def verdict_examples(pairs: Sequence[Pair], encoder: Encoder, tokens_of: TokensOf) -> list[Example]:
    """Prompts of `verdict.md`; a source counts by the square root of its size."""
    fitted = [i for i, pair in enumerate(pairs) if pair.source != "HealthVer"]
    weights = dict(zip(fitted, weights_of([pairs[i] for i in fitted]).tolist(), strict=True))
    texts = excerpts([(pair.evidence, pair.claim) for pair in pairs], encoder)
    prompt = prompts.load("verdict")
    result = []
    for i, (pair, allowed) in enumerate(zip(pairs, targets_of(pairs).tolist(), strict=True)):
        evidence = "\n".join(pair.evidence) if pair.source in ("made", *FROM_BANK) else texts[i]
        messages = prompt.messages(claim=" ".join(pair.claim.split()), evidence=evidence)
        result.append(Example(tuple(tokens_of(messages)), tuple(allowed), weights.get(i, 0.0)))
    return result


def folds_of(pairs: Sequence[Pair]) -> list[int]:
    """One of `FOLDS` for each pair, the same for all pairs of a claim, and for all on a group of the bank."""
    keys = [group_of(pair) or f"claim: {pair.claim}" for pair in pairs]
    different = sorted(set(keys))
    random.Random(SEED).shuffle(different)  # noqa: S311  (folds, not secrets)
    place = {key: i % FOLDS for i, key in enumerate(different)}
    return [place[key] for key in keys]


def held_out_network(
    labelled: Sequence[Pair], encoder: Encoder, folds: Callable[[Sequence[Pair]], Sequence[str]] = folds_by_claim
) -> Matrix:
    """(n_pairs, 3): what feature networks that did not see a pair's claim, or its whole source, say of it."""
    pairs = [*labelled, *made(labelled)]
    rows = FeatureReader(encoder).rows([(pair.evidence, pair.claim) for pair in pairs])
    return held_out(rows, pairs, folds(pairs))[: len(labelled)]


def measured(labelled: Sequence[Pair], by_adapter: Matrix, by_network: Matrix) -> dict[str, Any]:
    """Agreement with people by source, of the adapter alone and of both experts, and the errors of both."""
    both = together(by_adapter, by_network)
    errors = known_errors(labelled, both)
    return {
        "adapter": figures(labelled, by_adapter),
        "both": figures(labelled, both),
        "errors": {verdict: error.to_dict() for verdict, error in errors.items()},
    }


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
    adapter.save(adapters.path_of("bearing"))
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


def train_about(data: Path, encoder: Encoder, tokens_of: TokensOf, report: Report) -> dict[str, Any]:
    """Fit on the bank, write the adapter; figures on groups left out of a second fit, which is then thrown away."""
    groups = read_bank(data / ABSTRACTS)
    within, outside = bank_about(groups, encoder, BANK_FOLD)
    kept, left = about_examples(within, tokens_of), about_examples(outside, tokens_of)
    trunk = open_trunk(MODEL)
    facts = facts_of("about", {"bank": len(kept) + len(left)})
    adapter, _ = fit(trunk, [*kept, *left], seed=SEED, facts=facts, report=report)
    adapter.save(adapters.path_of("about"))
    report(f"Without every {BANK_FOLD}th of {len(groups)} groups …")
    _, fitted = fit(trunk, kept, seed=SEED, report=report)
    said = fitted(left)
    result = {}
    for kind in AMONG:
        chosen = [i for i, one in enumerate(outside) if one.kind == kind]
        if {outside[i].is_asked for i in chosen} == {True, False}:
            labels = [outside[i].is_asked for i in chosen]
            result[kind] = {"n": len(chosen), "auroc": auroc(labels, [said[i][0] for i in chosen])}
    return result


def about_examples(found: Sequence[About], tokens_of: TokensOf) -> list[Example]:
    """Prompts of `about.md`; classes yes and no."""
    prompt = prompts.load("about")
    return [
        Example(tuple(tokens_of(prompt.messages(**one.shown))), (1.0, 0.0) if one.is_asked else (0.0, 1.0))
        for one in found
    ]


def facts_of(name: str, fitted_on: Mapping[str, int]) -> dict[str, Any]:
    """What is kept with an adapter's numbers."""
    classes = {
        "verdict": ["supported", "contradicted", "neither"],
        "opinion": ["supported", "contradicted", "neither"],
    }.get(name, ["yes", "no"])
    return {
        "name": name, "version": VERSIONS[name], "model": MODEL, "depth": DEPTH,
        "prompt": prompts.load(adapters.prompt_of(name)).id, "classes": classes, "fitted_on": dict(fitted_on),
        "seed": SEED, **FIRST.settings(),
    }  # fmt: skip
