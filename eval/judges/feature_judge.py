"""The quick judge: a small network over the features of `features`, its numbers frozen in feature_judge.json.

Knows the features and the embedder; knows nothing of how it was fitted: see `eval.fits`. Three to the floor's one: it
sees numbers, names and plain negation. It does not understand: paraphrase and contradiction without a cue word escape
it, as docs/eval.md shows.

Source: multilayer perceptron with one hidden layer and softmax (Bishop 2006, chapter 5), averaged over seeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.judges.features import NAMES, closest, features, read, split
from eval.judges.guards import ruled
from eval.judges.judgement import NOTHING, Evidence, JudgeError, Judgement, Report
from eval.metrics.correction import errors_from

if TYPE_CHECKING:
    from rag import Rag

FROZEN = Path(__file__).with_name("feature_judge.json")
_KEPT_VECTORS = 50_000

Matrix = NDArray[np.float64]


class Encoder(Protocol):
    """What the judge needs of rag's embedder."""

    def encode(self, texts: Sequence[str], purpose: Any) -> NDArray[np.float32]:
        """Unit vectors, (n_texts, dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """`layers` holds for each seed (w1, b1, w2, b2); inputs are centred by `mean` and divided by `scale`.

    `errors` holds counts of `correction.KnownError` by verdict, on claims that were not fitted on.
    """

    version: str
    made_with: dict[str, Any]
    mean: list[float]
    scale: list[float]
    layers: list[list[Any]]
    errors: dict[str, dict[str, int]] = field(default_factory=dict)

    def probabilities(self, rows: Matrix) -> Matrix:
        """Supported, contradicted, neither: float64 (n_rows, 3), each row summing to 1."""
        x = (rows - np.array(self.mean)) / np.array(self.scale)
        x = np.clip(x, -4.0, 4.0)  # What was never seen in fitting is not to be trusted further than what was.
        each = [forward(x, [np.array(part) for part in layer])[1] for layer in self.layers]
        return np.asarray(np.mean(each, axis=0), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps({"features": NAMES, **asdict(self)}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path = FROZEN) -> Network:
        """Read what `save` wrote.

        Raises:
            JudgeError: the file is missing, or made for other features.
        """
        if not path.is_file():
            raise JudgeError(
                f"There is no fitted judge {str(path)!r}.", "Make it: python -m eval judge --fit features --data …"
            )
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("features", None) != list(NAMES):
            raise JudgeError(
                f"{path.name} was made for other features.",
                "Make it anew: python -m eval judge --fit features --data …",
            )
        return cls(**facts)


def forward(x: Matrix, layers: Sequence[Matrix]) -> tuple[Matrix, Matrix]:
    """Hidden values (n, hidden) and probabilities (n, 3) of inputs (n, features)."""
    w1, b1, w2, b2 = layers
    hidden: Matrix = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return hidden, raised / raised.sum(1, keepdims=True)


class FeatureReader:
    """Pairs to rows of features; a text is embedded once however often it comes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def rows(self, pairs: Sequence[tuple[Evidence, str]]) -> Matrix:
        """Features, float64 (n_pairs, n_features)."""
        taken = []
        for evidence, claim in pairs:
            sentences = [read(text) for text in split(evidence)] or [read("")]
            whole = read(claim.strip())
            taken.append((whole, sentences, closest(whole, sentences)))
        self._embed(
            [text for whole, sentences, top in taken for text in (whole.text, *(sentences[i].text for i in top))]
        )
        vectors = self._vectors
        return np.array(
            [
                features(whole, sentences, top, [float(vectors[whole.text] @ vectors[sentences[i].text]) for i in top])
                for whole, sentences, top in taken
            ]
        ).reshape(-1, len(NAMES))

    def _embed(self, texts: Sequence[str]) -> None:
        if len(self._vectors) > _KEPT_VECTORS:
            self._vectors.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._encoder.encode(new, "document"), strict=True))


class FeatureJudge:
    """See the module."""

    def __init__(self, encoder: Encoder, network: Network) -> None:
        self._reader = FeatureReader(encoder)
        self._network = network
        self.id = f"features@{network.version}"
        self.errors = errors_from(network.errors)

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        if not pairs:
            return []
        by_rule = [ruled(evidence, claim) for evidence, claim in pairs]
        left = [pair for pair, rule in zip(pairs, by_rule, strict=True) if rule is None]
        rows = iter(self._network.probabilities(self._reader.rows(left)).tolist() if left else ())
        judged = (rule or Judgement(*next(rows)) for rule in by_rule)
        return [one if split(evidence) else NOTHING for one, (evidence, _) in zip(judged, pairs, strict=True)]


def open_feature_judge(*, report: Report, rag: Rag | None = None) -> FeatureJudge:
    """The frozen judge over the embedder of `rag`, or of the settings."""
    from rag import Rag, Settings

    return FeatureJudge((rag or Rag.open(Settings(), report=report)).retriever.encoder, Network.load())
