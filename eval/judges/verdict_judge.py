"""The judge that reads: the local language model, trained to tell whether evidence bears a claim out, and the features.

An adapter ("verdict" of `rag.trained`) was fitted on what people said of claims. Its probabilities and those of the
feature network are averaged as logarithms and brought to a sum of 1 again: each is wrong where the other is not. Where
the rules of `guards` say something, neither is asked. How often it errs on pairs that neither was fitted on lies in
verdict_judge.json.

Another adapter of the same model, which learnt from the same labels and from the bank's claims and drafts, gives the
second opinion on the sentences of an answer (`rag.trained.opinion`). Whoever wants a judge with no tie to the answers
takes `features` or `nli:ID`. Knows nothing of how it was fitted: see `eval.fits`.

Source: a logarithmic opinion pool with equal weights (Genest and Zidek 1986).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eval.judges.excerpt import excerpts
from eval.judges.feature_judge import Encoder, FeatureJudge, FeatureReader, Matrix, Network
from eval.judges.features import split
from eval.judges.guards import ruled
from eval.judges.judgement import NOTHING, Evidence, JudgeError, Judgement, Report
from eval.metrics.correction import errors_from
from rag.trained import adapters
from rag.trained.adapters import MODEL

if TYPE_CHECKING:
    from rag import Rag

MEASURED = Path(__file__).with_name("verdict_judge.json")
LEAST = 1e-3
"""No expert rules a verdict out altogether."""
_TOLD_EVERY = 100

Progress = Callable[[int, int], None]


class VerdictJudge:
    """See the module."""

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        *,
        network: Network,
        facts: dict[str, Any],
        progress: Progress | None = None,
    ) -> None:
        """`model`: rag's local chat model, with the weights that the adapter belongs to; `facts`: of `MEASURED`."""
        self._model = model
        self._encoder = encoder
        self._reader = FeatureReader(encoder)
        self._network = network
        self._progress = progress
        self.id = f"verdict@{facts['version']}"
        self.errors = errors_from(facts["errors"])

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        by_rule = [ruled(evidence, claim) if split(evidence) else NOTHING for evidence, claim in pairs]
        left = [pair for pair, rule in zip(pairs, by_rule, strict=True) if rule is None]
        rows = iter(self._weigh(left).tolist() if left else ())
        return [rule or Judgement(*next(rows)) for rule in by_rule]

    def _weigh(self, pairs: Sequence[tuple[Evidence, str]]) -> Matrix:
        questions = [(text, claim) for text, (_, claim) in zip(excerpts(pairs, self._encoder), pairs, strict=True)]
        return together(self._read(questions), self._network.probabilities(self._reader.rows(pairs)))

    def _read(self, questions: Sequence[tuple[str, str]]) -> Matrix:
        """What the adapter says, each different question asked once, those that begin alike one after another."""
        different = sorted(set(questions), key=lambda question: (question[1], question[0]))
        found: dict[tuple[str, str], tuple[float, ...]] = {}
        for done, (text, claim) in enumerate(different, start=1):
            told = adapters.probabilities(self._model, "verdict", claim=" ".join(claim.split()), evidence=text)
            if told is None:
                raise JudgeError(f"The judge needs {MODEL}.", f"Fetch it: footnote models fetch {MODEL}")
            found[text, claim] = told
            if self._progress is not None:
                self._progress(done, len(different))
        return np.array([found[question] for question in questions])


def together(first: NDArray[np.float64], second: NDArray[np.float64]) -> Matrix:
    """The geometric mean of two experts' probabilities, (n_pairs, 3), each row brought to a sum of 1."""
    product = np.sqrt(np.clip(first, LEAST, 1.0) * np.clip(second, LEAST, 1.0))
    return np.asarray(product / product.sum(1, keepdims=True), dtype=np.float64)


def open_verdict_judge(*, report: Report, rag: Rag | None = None) -> VerdictJudge | FeatureJudge:
    """The frozen judge; where its model is not on this machine, the feature judge, and `report` is told so.

    Args:
        report: told what takes time, and of the feature judge in its place.
        rag: an open Rag, whose embedder is used, and whose checker where it is the one that the adapter belongs to.
    """
    from rag import FootnoteError, Rag, Settings

    network = Network.load()
    encoder = (rag or Rag.open(Settings(), report=report)).retriever.encoder
    try:
        if rag is None or getattr(rag.checker, "model_id", "") != MODEL:
            rag = open_rag(report=report)
        model: Any = rag.checker
    except FootnoteError as error:
        judge = FeatureJudge(encoder, network)
        report(f"{error.problem} Judging by {judge.id}, which agrees less with people. {error.remedy}")
        return judge
    facts = json.loads(MEASURED.read_text(encoding="utf-8"))
    return VerdictJudge(model, encoder, network=network, facts=facts, progress=_tell_of(report))


def _tell_of(report: Report) -> Progress:
    started = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal started
        if done == 1:
            started = time.monotonic()
        if done % _TOLD_EVERY == 0 and done < total:
            left = (time.monotonic() - started) / done * (total - done)
            report(f"  {done:,} of {total:,} pairs read, about {left:,.0f} s left")

    return tell


def open_rag(*, report: Report) -> Rag:
    """A Rag over the model that the adapter belongs to, whatever the settings name.

    Raises:
        JudgeError: its weights are not on this machine. They are not fetched: a judge must not cost a gigabyte unasked.
    """
    from rag import Rag, Settings, has_model

    settings = Settings()
    local = {"name": MODEL, "base_url": None, "provider": None}
    settings = settings.model_copy(update={"model": settings.model.model_copy(update=local)})
    if not has_model(settings):
        raise JudgeError(f"{MODEL} is not on this machine.", f"Fetch it: footnote models fetch {MODEL}")
    return Rag.open(settings, report=report)
