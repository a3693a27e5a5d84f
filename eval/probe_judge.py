"""The judge that reads: what the local language model makes of a claim, weighed with the features by a fitted head.

Of each pair the head sees what the feature network says, and the state of one of the model's layers. Where the rules of
`guards` say something, the model is not asked. The head's numbers lie in probe_judge.safetensors with a version, what
it was fitted on, and its known error.

The model reads, it does not write; but it is the model that answers where the machine has no other. Whoever wants a
judge with no part in the answers takes `features` or `nli:ID`. Knows nothing of how the head was fitted: see
`probe_fitting`.

Source: multinomial logistic regression (Bishop 2006, section 4.3.4) over a stack of judges (Wolpert 1992).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eval.asking import MODEL, Progress, Readable, State, ask_all
from eval.correction import errors_from
from eval.excerpt import excerpts
from eval.feature_judge import Encoder, FeatureJudge, FeatureReader, Matrix, Network
from eval.features import split
from eval.guards import ruled
from eval.judgement import NOTHING, Evidence, JudgeError, Judgement, Report

if TYPE_CHECKING:
    from rag import Rag

FROZEN = Path(__file__).with_name("probe_judge.safetensors")
_ARRAYS = ("mean", "scale", "weights", "bias")
_TOLD_EVERY = 100
_LARGEST = 4.0
"""Inputs are kept within this many standard deviations: what was never seen in fitting is not to be trusted further."""


@dataclass(frozen=True, slots=True)
class Head:
    """`weights` (n_inputs, 3) and `bias` (3,) over inputs less `mean` and divided by `scale`, each (n_inputs,)."""

    mean: Matrix
    scale: Matrix
    weights: Matrix
    bias: Matrix
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Changes with the numbers."""
        return str(self.facts.get("version", "0"))

    def probabilities(self, inputs: Matrix) -> Matrix:
        """Supported, contradicted, neither: float64 (n_pairs, 3), each row summing to 1."""
        return softmax(np.clip((inputs - self.mean) / self.scale, -_LARGEST, _LARGEST) @ self.weights + self.bias)

    def save(self, path: Path) -> None:
        """Write as safetensors; `facts` go into the header as JSON."""
        from safetensors.numpy import save_file

        arrays = {name: np.ascontiguousarray(getattr(self, name), dtype=np.float32) for name in _ARRAYS}
        save_file(arrays, path, metadata={"facts": json.dumps(self.facts, sort_keys=True)})

    @classmethod
    def load(cls, path: Path = FROZEN) -> Head:
        """Read what `save` wrote.

        Raises:
            JudgeError: the file is missing, or no head.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise JudgeError(f"There is no fitted head {str(path)!r}.", "Make it: python -m eval judge --fit probe …")
        try:
            with safe_open(path, "numpy") as file:
                mean, scale, weights, bias = (file.get_tensor(name).astype(np.float64) for name in _ARRAYS)
                facts = json.loads((file.metadata() or {})["facts"])
        except (SafetensorError, KeyError) as error:
            raise JudgeError(
                f"{path.name} is no fitted head: {error}.", "Fetch it again from the repository."
            ) from error
        return cls(mean, scale, weights, bias, facts)


def softmax(logits: Matrix) -> Matrix:
    """Rows to probabilities."""
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True), dtype=np.float64)


def inputs_of(network: Matrix, states: Sequence[State]) -> Matrix:
    """What the head sees, (n_pairs, 2 + hidden).

    The feature network's log-odds of supported against contradicted and against neither, and the model's state brought
    to unit root mean square, as the model's own norms do.
    """
    seen = np.log(np.clip(network, 1e-3, 1.0))
    told = np.array(states, dtype=np.float64).reshape(len(network), -1)
    told /= np.sqrt((told**2).mean(1, keepdims=True) + 1e-6)
    return np.concatenate([seen[:, :1] - seen[:, 1:], told], axis=1)


class ProbeJudge:
    """See the module."""

    def __init__(
        self,
        model: Readable,
        encoder: Encoder,
        *,
        network: Network,
        head: Head,
        progress: Progress | None = None,
    ) -> None:
        self._model = model
        self._encoder = encoder
        self._reader = FeatureReader(encoder)
        self._network = network
        self._head = head
        self._progress = progress
        self.id = f"probe@{head.version}"
        self.errors = errors_from(head.facts.get("errors", {}))

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        by_rule = [ruled(evidence, claim) if split(evidence) else NOTHING for evidence, claim in pairs]
        left = [pair for pair, rule in zip(pairs, by_rule, strict=True) if rule is None]
        rows = iter(self._weigh(left).tolist() if left else ())
        return [rule or Judgement(*next(rows)) for rule in by_rule]

    def _weigh(self, pairs: Sequence[tuple[Evidence, str]]) -> NDArray[np.float64]:
        questions = [(text, claim) for text, (_, claim) in zip(excerpts(pairs, self._encoder), pairs, strict=True)]
        states = ask_all(self._model, questions, self._progress)
        return self._head.probabilities(inputs_of(self._network.probabilities(self._reader.rows(pairs)), states))


def open_probe_judge(*, report: Report, rag: Rag | None = None, path: Path = FROZEN) -> ProbeJudge | FeatureJudge:
    """The frozen judge; where its model is not on this machine, the feature judge, and `report` is told so.

    Args:
        report: told what takes time, and of the feature judge in its place.
        rag: an open Rag, whose embedder is used, and whose model where it is the one the head was fitted for.
        path: the head.
    """
    from rag import FootnoteError, Rag, Settings

    head, network = Head.load(path), Network.load()
    encoder = (rag or Rag.open(Settings(), report=report)).retriever.encoder
    try:
        if rag is None or getattr(rag.model, "model_id", "") != MODEL:
            rag = open_rag(report=report)
        model: Any = rag.model
    except FootnoteError as error:
        judge = FeatureJudge(encoder, network)
        report(f"{error.problem} Judging by {judge.id}, which agrees less with people. {error.remedy}")
        return judge
    return ProbeJudge(model, encoder, network=network, head=head, progress=_tell_of(report))


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
    """A Rag over the model that the head is for, whatever the settings name.

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
