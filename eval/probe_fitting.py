"""Fits the head of the probe judge, and says how it does on sources and claims that it has not seen.

The model is asked about some of the pairs that `fitting` uses (`CHOSEN` of each set, drawn at `SEED`): that is the
costly part, so what it said is kept in a folder and asked once. The feature network is fitted on all pairs; what the
head sees of it are its verdicts on pairs that it was not fitted on, in fitting as in measuring. Deterministic.

Source: stacking (Wolpert 1992), fitted by L-BFGS (Liu and Nocedal 1989).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import prompts
from eval.asking import DEPTH, MODEL, Readable, State, ask
from eval.excerpt import excerpts
from eval.feature_judge import Encoder, FeatureReader, Matrix, Network
from eval.fitting import (
    FITTED_ON,
    SEED,
    SEEDS,
    figures,
    fit,
    folds_by_claim,
    folds_by_source,
    known_errors,
    read_all,
    targets_of,
    weights_of,
)
from eval.judgement import Report
from eval.labelled import Pair
from eval.probe_judge import Head, inputs_of

VERSION = "1"
CHOSEN = {"SciFact": 300, "HealthVer": 300, "AttributionBench": 300, "made": 0}
"""Pairs the model is asked about: about one a second on two cores."""
DECAY = 1e-3
STATE_GAIN = 1.0
SHALLOW_GAIN = 2.0
"""Factors of the inputs, by which one weight decay holds the state's 1,536 numbers shorter than the others."""
SHALLOW = 2
"""Inputs before the state."""
INNER = 3
INNER_SEEDS = 2
"""Folds and seeds of the feature networks whose verdicts the head is fitted on."""
CHUNK = 50


def kind_of(pair: Pair) -> str:
    """The set that a pair is of."""
    return pair.source if pair.source in ("SciFact", "HealthVer", "made") else "AttributionBench"


def chosen(pairs: Sequence[Pair]) -> list[int]:
    """Positions of the pairs to ask about: the first of each set in an order drawn at `SEED`."""
    order = {"labelled": [], "made": []}  # type: dict[str, list[int]]
    for i, pair in enumerate(pairs):
        order["made" if pair.source == "made" else "labelled"].append(i)
    left = dict(CHOSEN)
    taken = []
    for positions in order.values():
        for j in np.random.default_rng(SEED).permutation(len(positions)).tolist():
            kind = kind_of(pairs[positions[j]])
            if left[kind] > 0:
                left[kind] -= 1
                taken.append(positions[j])
    return taken


class Kept:
    """The states over questions, in a folder: npz files with `key` and `state`, a new one for every `CHUNK`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, State] = {}
        self._new: dict[str, State] = {}
        for path in sorted(folder.glob("*.npz")):
            with np.load(path) as file:
                self._found.update(zip(file["key"].tolist(), file["state"].astype(np.float32), strict=True))

    @staticmethod
    def key(excerpt: str, claim: str) -> str:
        """Names the question, the model and how it is asked."""
        asked = (MODEL, prompts.load("judge").id, str(DEPTH), excerpt, " ".join(claim.split()))
        return hashlib.sha256("\n".join(asked).encode()).hexdigest()

    def get(self, excerpt: str, claim: str) -> State | None:
        """The state, if it was asked before."""
        return self._found.get(self.key(excerpt, claim))

    def put(self, excerpt: str, claim: str, state: State) -> None:
        """Keep it; on disk once there are `CHUNK` new ones, or at `flush`."""
        key = self.key(excerpt, claim)
        self._found[key] = self._new[key] = state.astype(np.float16).astype(np.float32)
        if len(self._new) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what is new."""
        if not self._new:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("".join(self._new).encode()).hexdigest()[:16]
        np.savez(
            self._folder / f"{name}.npz",
            key=np.array(list(self._new)),
            state=np.array(list(self._new.values()), dtype=np.float16),
        )
        self._new.clear()


def ask_chosen(
    pairs: Sequence[Pair], encoder: Encoder, model: Callable[[], Readable], kept: Kept, report: Report
) -> list[State]:
    """The state over each pair, in half precision as it is kept, whether it was kept before or not."""
    texts = excerpts([(pair.evidence, pair.claim) for pair in pairs], encoder)
    for done, (text, pair) in enumerate(zip(texts, pairs, strict=True)):
        if kept.get(text, pair.claim) is None:
            kept.put(text, pair.claim, ask(model(), text, pair.claim))
            if done % CHUNK == 0:
                report(f"  {done:,} of {len(pairs):,} pairs asked about")
    kept.flush()
    found = [kept.get(text, pair.claim) for text, pair in zip(texts, pairs, strict=True)]
    return [state for state in found if state is not None]


def fit_head(inputs: Matrix, pairs: Sequence[Pair]) -> Head:
    """The head for inputs (n_pairs, n_inputs)."""
    import torch

    gain = np.full(inputs.shape[1], STATE_GAIN / np.sqrt(max(1, inputs.shape[1] - SHALLOW)))
    gain[:SHALLOW] = SHALLOW_GAIN / np.sqrt(SHALLOW)
    mean, scale = inputs.mean(0), (inputs.std(0) + 1e-3) / gain
    x = torch.tensor(np.clip((inputs - mean) / scale / gain, -4.0, 4.0) * gain)
    allowed = torch.tensor(targets_of(pairs)).log()
    weights = torch.tensor(weights_of(pairs))
    matrix = torch.zeros(x.shape[1], 3, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [matrix, bias], max_iter=200, history_size=20, line_search_fn="strong_wolfe", tolerance_grad=1e-7
    )

    def loss() -> Any:
        optimizer.zero_grad()
        likelihood = ((x @ matrix + bias).log_softmax(1) + allowed).logsumexp(1)
        value = DECAY * matrix.square().sum() - (weights * likelihood).mean()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    # The gain goes into the weights: outside, inputs are only centred and scaled.
    return Head(mean, scale * gain, (matrix.detach().numpy().T * gain).T, bias.detach().numpy())


class Stack:
    """The features of all pairs, and what the model said of those at `positions`."""

    def __init__(self, pairs: Sequence[Pair], rows: Matrix, positions: Sequence[int], asked: Sequence[State]) -> None:
        self.pairs, self.rows = list(pairs), rows
        self.positions, self.asked = np.array(positions), list(asked)
        self._claim_fold = np.array([hash_fold(pair.claim) for pair in pairs])

    def head(self, inside: Any = None) -> tuple[Head, Network]:
        """A head, and the feature network it is to be used with, from the pairs where `inside` (n_pairs,) is true."""
        inside = np.ones(len(self.pairs), dtype=bool) if inside is None else inside
        unseen = np.zeros((len(self.pairs), 3))
        for fold in range(INNER):
            out = inside & (self._claim_fold == fold)
            if out.any():
                unseen[out] = self._network(inside & ~out, INNER_SEEDS).probabilities(self.rows[out])
        used = [k for k, i in enumerate(self.positions) if inside[i]]
        at = self.positions[used]
        inputs = inputs_of(unseen[at], [self.asked[k] for k in used])
        return fit_head(inputs, [self.pairs[i] for i in at]), self._network(inside)

    def _network(self, inside: Any, seeds: int = SEEDS) -> Network:
        return fit(self.rows[inside], [pair for pair, is_in in zip(self.pairs, inside, strict=True) if is_in], seeds)

    def held_out(self, groups: Sequence[str]) -> Matrix:
        """(n_asked, 2): each asked pair, by a head and a network that saw no pair of its group; "" is held by none."""
        result = np.zeros((len(self.positions), 2))
        names = np.array(groups)
        for group in sorted(set(groups) - {""}):
            head, network = self.head(names != group)
            at = [k for k, i in enumerate(self.positions) if names[i] == group]
            if at:
                rows = self.rows[self.positions[at]]
                inputs = inputs_of(network.probabilities(rows), [self.asked[k] for k in at])
                result[at] = head.probabilities(inputs)[:, :2]
        return result


def hash_fold(claim: str) -> int:
    """One of `INNER` folds, by claim."""
    return random.Random(claim).randrange(INNER)  # noqa: S311  (folds, not secrets)


def cross_validate(stack: Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    """Agreement on unseen sources and on unseen claims, by source, and the errors on unseen claims."""
    asked = [stack.pairs[i] for i in stack.positions]
    by_claim = stack.held_out(folds_by_claim(stack.pairs))
    found = {
        "unseen sources": figures(asked, stack.held_out(folds_by_source(stack.pairs))),
        "unseen claims": figures(asked, by_claim),
    }
    return found, {verdict: error.to_dict() for verdict, error in known_errors(asked, by_claim).items()}


def fit_probe(
    data: Path, encoder: Encoder, model: Callable[[], Readable], folder: Path, report: Report
) -> tuple[Head, dict[str, Any]]:
    """The head fitted on the chosen pairs at `data`, with its known errors, and its cross-validated agreement."""
    pairs = read_all(data)
    rows = FeatureReader(encoder).rows([(pair.evidence, pair.claim) for pair in pairs])
    positions = chosen(pairs)
    asked = ask_chosen([pairs[i] for i in positions], encoder, model, Kept(folder), report)
    stack = Stack(pairs, rows, positions, asked)
    report("Cross-validating …")
    found, errors = cross_validate(stack)
    head, _ = stack.head()
    facts = {
        "version": VERSION, "model": MODEL, "depth": DEPTH, "prompt": prompts.load("judge").id, "seed": SEED,
        "asked": CHOSEN, "sets": FITTED_ON, "decay": DECAY, "errors": errors,
    }  # fmt: skip
    return Head(head.mean, head.scale, head.weights, head.bias, facts), found
