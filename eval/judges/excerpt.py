"""The part of long evidence that bears on a claim: whole sentences within a budget of words, in their order.

A language model reads some hundred words a second on a CPU, and a web page has thousands. Knows an embedder; knows
nothing of models or judges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.judges.feature_judge import Encoder
from eval.judges.features import read, split
from eval.judges.judgement import Evidence

WORDS = 160
"""Of SciFact's 564 abstracts with a rationale, 542 keep one whole at this budget."""

_Vectors = dict[str, NDArray[np.float32]]


def excerpts(pairs: Sequence[tuple[Evidence, str]], encoder: Encoder, words: int = WORDS) -> list[str]:
    """One text for each pair of (evidence, claim), of at most `words` words: all of it where it is short.

    Sentences are taken by cosine with the claim plus the share of the claim's stems in them, as long as they fit.
    """
    taken = [split(evidence) for evidence, _ in pairs]
    is_long = [sum(len(text.split()) for text in sentences) > words for sentences in taken]
    texts = [
        text
        for sentences, (_, claim), long in zip(taken, pairs, is_long, strict=True)
        if long
        for text in (*sentences, claim)
    ]
    different = list(dict.fromkeys(texts))
    vectors = dict(zip(different, encoder.encode(different, "document"), strict=True)) if different else {}
    return [
        _shortened(sentences, claim, vectors, words) if long else _plain(" ".join(evidence))
        for sentences, (evidence, claim), long in zip(taken, pairs, is_long, strict=True)
    ]


def _shortened(sentences: Sequence[str], claim: str, vectors: _Vectors, words: int) -> str:
    wanted = set(read(claim).stems)
    scores = [
        float(vectors[claim] @ vectors[text]) + len(wanted & set(read(text).stems)) / max(1, len(wanted))
        for text in sentences
    ]
    order = sorted(range(len(sentences)), key=lambda i: -scores[i])
    kept: set[int] = set()
    room = words
    for i in order:
        size = len(sentences[i].split())
        if size <= room:
            kept.add(i)
            room -= size
    text = " ".join(sentences[i] for i in sorted(kept or order[:1]))
    return " ".join(text.split()[:words])


def _plain(text: str) -> str:
    return " ".join(text.split())
