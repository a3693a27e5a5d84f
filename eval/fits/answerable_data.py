"""Examples of what can be answered and what cannot, from the bank: a question beside the evidence that the product
finds for it in a library of all the bank's papers.

What one paper says is asked beside what is found, in a first and in a wider look; again where that paper is left out of
the library, and where the sentences that answer are taken out of what is found. What a paper does not say is asked
beside what is found. Deterministic at `SEED`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from eval.fits.adapter_data import SEED, Question, as_numbered
from eval.fits.bank import Asked, Group
from eval.fits.bank_library import found, library_of
from eval.judges.feature_judge import Encoder
from rag import Evidence, Paper, Rag
from rag.trained.adapters import whole_question

WIDER = {"evidence_papers": 2, "evidence_sentences": 10, "evidence_tokens": 480}
"""How a second look reads."""


def bank_questions(
    groups: Sequence[Group], encoder: Encoder, every: int
) -> tuple[list[Question], list[Question], list[Question], list[Question]]:
    """Questions to one paper, each beside evidence that answers it and such that does not.

    Four lists: the second has those of every `every`th group, to be measured on; the third and fourth are the same in
    other words than the papers', as far as somebody put them so. These also stand beside what is found in that paper
    alone, since among all 840 papers it is often not found.
    """
    with library_of(groups, encoder) as rag:
        looks = (rag, rag.with_settings(answer=WIDER))
        return (*_of_groups(groups, looks, every, reworded=False), *_of_groups(groups, looks, every, reworded=True))


def _of_groups(
    groups: Sequence[Group], looks: tuple[Rag, Rag], every: int, *, reworded: bool
) -> tuple[list[Question], list[Question]]:
    draw = random.Random(SEED)  # noqa: S311  (sampling, not secrets)
    result: tuple[list[Question], list[Question]] = ([], [])
    for place, group in enumerate(groups):
        for asked in group.asked:
            text = asked.reworded if reworded else asked.question
            if asked.kind in ("single", "near") and text:
                found_here = _questions(whole_question(text), asked, group, looks, draw, alone=reworded)
                result[place % every == 0].extend(found_here)
    return result


def _questions(
    text: str, asked: Asked, group: Group, looks: tuple[Rag, Rag], draw: random.Random, *, alone: bool
) -> Iterator[Question]:
    """`alone`: also beside what is found in the paper alone."""
    ((place, right),) = asked.sentences.items()
    paper = group.papers[place]
    gold = {group.sentences[place][number - 1] for number in right if number}
    ways = [found(rag, text) for rag in looks]
    if alone:
        ways.append(found(looks[0], text, {"title": paper.title}))
    seen = set()
    for evidence in ways:
        if not evidence or (shown := _numbered(evidence)) in seen:
            continue
        seen.add(shown)
        held = {sentence for sentence in gold if any(_same(sentence, item, paper) for item in evidence)}
        if held == gold:  # of what a paper does not say, none is none
            yield text, shown, bool(gold)
    if gold and seen:
        yield text, _numbered(found(draw.choice(looks), text, {"title": {"ne": paper.title}})), False
        left = [item for item in draw.choice(ways) if not any(_same(sentence, item, paper) for sentence in gold)]
        if left:
            yield text, _numbered(left), False


def _numbered(evidence: Sequence[Evidence]) -> str:
    """As the model reads it."""
    blocks = [list(group) for _, group in groupby(evidence, key=lambda item: item.paper.id)]
    return as_numbered([(block[0].paper, [item.sentence.text for item in block]) for block in blocks])


def _same(sentence: str, item: Evidence, paper: Paper) -> bool:
    """Whether `item` is that sentence of `paper`, which two splitters may cut a little otherwise."""
    one, other = " ".join(sentence.split()), " ".join(item.sentence.text.split())
    return item.paper.title == paper.title and (one in other or other in one)
