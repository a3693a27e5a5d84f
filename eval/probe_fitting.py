"""Fits the head of the probe judge, and says how it does on sources and claims that it has not seen.

The model is asked about some of the pairs that `fitting` uses (`CHOSEN` of each set, drawn at `SEED`): that is the
costly part, so its states are kept in a folder and asked for once. What the head sees of the feature network are its
verdicts on claims (or sources) that it was not fitted on, in fitting as in measuring. Deterministic.

Source: stacking (Wolpert 1992), fitted by L-BFGS (Liu and Nocedal 1989).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import prompts
from eval.asking import DEPTH, MODEL, Readable, State, ask
from eval.correction import KnownError
from eval.excerpt import excerpts
from eval.feature_judge import Encoder, FeatureReader, Matrix
from eval.fitting import (
    FITTED_ON,
    SEED,
    figures,
    folds_by_claim,
    folds_by_source,
    held_out,
    known_errors,
    read_all,
    targets_of,
    weights_of,
)
from eval.judgement import Report
from eval.labelled import Pair
from eval.probe_judge import Head, inputs_of

VERSION = "2"
CHOSEN = {"SciFact": 919, "HealthVer": 1200, "AttributionBench": 1198}
"""Pairs that the model is asked about. More agree better with people (see docs/eval.md); they cost a second each."""
DECAY = 1e-3
STATE_GAIN = 1.0
SHALLOW_GAIN = 2.0
"""Factors of the inputs, by which one weight decay holds the state's 1,536 numbers shorter than the others."""
SHALLOW = 2
"""Inputs before the state."""
CHUNK = 20
"""Pairs asked between two writings: what an interruption costs."""


def kind_of(pair: Pair) -> str:
    """The set that a pair is of."""
    return pair.source if pair.source in ("SciFact", "HealthVer") else "AttributionBench"


def chosen(pairs: Sequence[Pair], wanted: Mapping[str, int] = CHOSEN) -> list[int]:
    """Positions of the pairs to ask about: the first of each set, as many as wanted, in an order drawn at `SEED`.

    More of a set begin with the same ones, so that what was kept of fewer serves again.
    """
    labelled = [i for i, pair in enumerate(pairs) if pair.source != "made"]
    left = dict(wanted)
    taken = []
    for j in np.random.default_rng(SEED).permutation(len(labelled)).tolist():
        kind = kind_of(pairs[labelled[j]])
        if left[kind] > 0:
            left[kind] -= 1
            taken.append(labelled[j])
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


@dataclass(frozen=True, slots=True)
class Stack:
    """The pairs asked about, their states, and the feature network's verdicts on each, (n_pairs, 3) float64.

    `by_claim` are verdicts of networks that did not see the pair's claim, `by_source` of such that saw nothing of its
    source.
    """

    pairs: Sequence[Pair]
    states: Sequence[State]
    by_claim: Matrix
    by_source: Matrix

    def head(self, inside: Sequence[int] | None = None) -> Head:
        """A head from the pairs at the positions `inside`, or from all."""
        chosen = list(range(len(self.pairs)) if inside is None else inside)
        inputs = inputs_of(self.by_claim[chosen], [self.states[i] for i in chosen])
        return fit_head(inputs, [self.pairs[i] for i in chosen])

    def held_out(self, groups: Sequence[str], verdicts: Matrix) -> Matrix:
        """(n_pairs, 3): each pair by a head that saw no pair of its group, from these verdicts; "" is held by none."""
        result = np.zeros((len(self.pairs), 3))
        for group in sorted(set(groups) - {""}):
            out = [i for i, name in enumerate(groups) if name == group]
            head = self.head([i for i, name in enumerate(groups) if name != group])
            result[out] = head.probabilities(inputs_of(verdicts[out], [self.states[i] for i in out]))
        return result


def cross_validate(stack: Stack) -> tuple[dict[str, Any], dict[str, KnownError]]:
    """Agreement on unseen sources and on unseen claims, by source, and the errors on unseen claims."""
    by_claim = stack.held_out(folds_by_claim(stack.pairs), stack.by_claim)
    found = {
        "unseen sources": figures(stack.pairs, stack.held_out(folds_by_source(stack.pairs), stack.by_source)),
        "unseen claims": figures(stack.pairs, by_claim),
    }
    return found, known_errors(stack.pairs, by_claim)


def fit_probe(
    data: Path,
    encoder: Encoder,
    model: Callable[[], Readable],
    folder: Path,
    *,
    report: Report,
    each: int | None = None,
) -> tuple[Head, dict[str, Any]]:
    """The head fitted on the chosen pairs at `data`, with its known errors, and its cross-validated agreement.

    Args:
        data: the folder of the sets' folders.
        encoder: rag's embedder.
        model: opens the language model; called only if there is something to ask.
        folder: where states are kept; a run that was stopped goes on from there.
        report: told what takes time.
        each: pairs of each set to ask about; as shipped if not given.
    """
    pairs = read_all(data)
    positions = chosen(pairs, CHOSEN if each is None else dict.fromkeys(CHOSEN, each))
    asked = [pairs[i] for i in positions]
    states = ask_chosen(asked, encoder, model, Kept(folder), report)
    report("Fitting the feature network without each fold and each source …")
    rows = FeatureReader(encoder).rows([(pair.evidence, pair.claim) for pair in pairs])
    verdicts = [held_out(rows, pairs, folds(pairs))[positions] for folds in (folds_by_claim, folds_by_source)]
    return frozen(Stack(asked, states, *verdicts))


def frozen(stack: Stack) -> tuple[Head, dict[str, Any]]:
    """The head of all pairs of a stack with what it was made with, and its cross-validated agreement."""
    found, errors = cross_validate(stack)
    counts = {kind: sum(kind_of(pair) == kind for pair in stack.pairs) for kind in CHOSEN}
    facts = {
        "version": VERSION, "model": MODEL, "depth": DEPTH, "prompt": prompts.load("judge").id, "seed": SEED,
        "asked": counts, "sets": FITTED_ON, "decay": DECAY, "state_gain": STATE_GAIN, "shallow_gain": SHALLOW_GAIN,
        "errors": {verdict: error.to_dict() for verdict, error in errors.items()},
    }  # fmt: skip
    return replace(stack.head(), facts=facts), found
