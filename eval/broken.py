"""Footnote broken on purpose, and whether an exam notices: the test of the exam itself.

Each build takes a good Rag and gives one that does one thing wrong, as real bugs would: markers that point to the wrong
sentence, citations of papers that have nothing to do with it, one paper handed on instead of five, no keyword ranking.
An exam that cannot tell them from the good one at p < 0.05 measures nothing.

Source: mutation testing (DeMillo, Lipton and Sayward 1978), of a pipeline instead of a program.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from eval.compare import SMALLER_IS_BETTER, mcnemar
from eval.judges.features import split
from eval.proxy import Proxy
from rag import Answer, Citation, Claim, Paper, Rag

FIGURES = (
    "right", "right and cited", "paper precision", "paper recall", "papers at hand", "MRR", "faithfulness",
    "citation precision", "declined", "falsely refused",
)  # fmt: skip
"""What two builds are compared by, fixed beforehand: the p of each is corrected for their number."""
ALPHA = 0.05


def _altered(rag: Rag, change: Callable[[Answer], Answer]) -> Rag:
    """A Rag whose answers are changed before they are handed out; all else is the Rag's own."""

    def ask(*arguments: Any, **options: Any) -> Answer:
        return change(rag.ask(*arguments, **options))

    return cast("Rag", Proxy(rag, ask=ask))


def shuffled_citations(rag: Rag) -> Rag:
    """Every marker points to another of the sentences that the model was shown."""

    def change(answer: Answer) -> Answer:
        shown = [Citation(0, e.paper, e.sentence.text, e.sentence.start, e.sentence.end) for e in answer.evidence]
        places = {(c.paper.id, c.start): i for i, c in enumerate(shown)}
        draw = random.Random(answer.question)  # noqa: S311
        step = draw.randrange(1, len(shown)) if len(shown) > 1 else 0
        return _recited(answer, lambda c: shown[(places.get((c.paper.id, c.start), 0) + step) % len(shown)])

    return _altered(rag, change)


def random_citations(rag: Rag) -> Rag:
    """Every citation is the first sentence of a paper drawn from the library."""

    def change(answer: Answer) -> Answer:
        draw = random.Random(answer.question)  # noqa: S311
        return _recited(answer, lambda _citation: _opening(draw.choice(rag.papers)))

    return _altered(rag, change)


def only_one_paper(rag: Rag) -> Rag:
    """One paper is handed on, k = 1."""
    answering = rag.settings.answer.model_copy(update={"evidence_papers": 1})
    return Rag(
        retriever=rag.retriever.model_copy(update={"k": 1}),
        model=rag.model,
        checker=rag.checker,
        settings=rag.settings.model_copy(update={"answer": answering}),
    )


def without_keywords(rag: Rag) -> Rag:
    """Papers are ranked by meaning alone: the keyword ranking finds nothing."""
    keywords = rag.retriever.index.keywords
    silent = Proxy(keywords, scores=lambda question: keywords.scores(question) * 0.0)
    index = Proxy(rag.retriever.index, keywords=silent)
    retriever = rag.retriever.model_copy(update={"index": index})
    return Rag(retriever=retriever, model=rag.model, checker=rag.checker, settings=rag.settings)


def without_vectors(rag: Rag) -> Rag:
    """Papers are ranked by keywords alone: the ranking by meaning finds nothing. A baseline, no bug."""
    index = Proxy(rag.retriever.index, nearest=lambda *_arguments: [])
    retriever = rag.retriever.model_copy(update={"index": index})
    return Rag(retriever=retriever, model=rag.model, checker=rag.checker, settings=rag.settings)


class _Unreadable:
    """A model without the attributes that are `hidden`, as one to which the adapters do not belong."""

    def __init__(self, model: Any, hidden: Sequence[str]) -> None:
        self._model = model
        self._hidden = hidden

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(name)
        return getattr(self._model, name)


def unread(rag: Rag, *readings: str) -> Rag:
    """What checks has none of the `readings` that adapters are asked for: "looks", "judge". A baseline, no bug."""
    checker = cast("Any", _Unreadable(rag.checker, readings))
    return Rag(retriever=rag.retriever, model=rag.model, checker=checker, settings=rag.settings)


BUILDS: Mapping[str, Callable[[Rag], Rag]] = {
    "shuffled citations": shuffled_citations,
    "citations to random papers": random_citations,
    "k = 1": only_one_paper,
    "no BM25": without_keywords,
}
"""Broken builds by name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one figure between a good and another build: questions on which the other is better and worse, and p.

    `p` is the exact two-sided sign test's over the questions that differ, corrected by Holm for the figures compared.
    """

    figure: str
    better: int
    worse: int
    p: float


def differences(good: Mapping[str, Sequence[Any]], other: Mapping[str, Sequence[Any]]) -> list[Difference]:
    """Every figure of `FIGURES` that both builds have, the least p first.

    Args:
        good: values by figure, one a question; None where it does not apply.
        other: likewise, for the same questions in the same order.

    Source: Dixon and Mood 1946 (sign test), Holm 1979.
    """
    found = []
    for name in FIGURES:
        if name in good and name in other:
            pairs = [(a, b) for a, b in zip(good[name], other[name], strict=True) if a is not None and b is not None]
            upward = -1 if name in SMALLER_IS_BETTER else 1
            changes = [upward * (float(b) - float(a)) for a, b in pairs]
            better, worse = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
            found.append(Difference(name, better, worse, mcnemar(better, worse)))
    found.sort(key=lambda d: d.p)
    corrected, least = [], 0.0
    for rank, d in enumerate(found):
        least = max(least, min(1.0, d.p * (len(found) - rank)))
        corrected.append(replace(d, p=least))
    return corrected


def is_told_apart(found: Sequence[Difference]) -> bool:
    """Whether a figure differs at p < 0.05, corrected."""
    return any(d.p < ALPHA for d in found)


def _recited(answer: Answer, other: Callable[[Citation], Citation]) -> Answer:
    """`answer` with every citation replaced, its marker kept."""
    new = {c.marker: replace(other(c), marker=c.marker) for c in answer.citations}
    claims = tuple(_reciting(claim, new) for claim in answer.claims)
    return replace(answer, claims=claims, citations=tuple(new.values()))


def _reciting(claim: Claim, new: Mapping[int, Citation]) -> Claim:
    return replace(claim, citations=tuple(new[c.marker] for c in claim.citations))


def _opening(paper: Paper) -> Citation:
    text = next(iter(split([paper.abstract])), paper.abstract)
    start = paper.abstract.index(text)
    return Citation(0, paper, text, start, start + len(text))


class Remembering:
    """An encoder that encodes no text twice, for builds that all read the same abstracts."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, str], NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str], purpose: str) -> NDArray[np.float32]:
        """As the encoder's own: unit vectors of shape (n_texts, dimension)."""
        fresh = list(dict.fromkeys(text for text in texts if (purpose, text) not in self._known))
        for text, vector in zip(fresh, self._encoder.encode(fresh, purpose), strict=True):
            self._known[purpose, text] = vector
        found = [self._known[purpose, text] for text in texts]
        return np.stack(found) if found else self._encoder.encode([], purpose)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)
