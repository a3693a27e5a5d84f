"""Examples of which papers a question asks about, from the bank: a question beside each paper that is found for it in a
library of all the bank's papers, and beside those that it does ask about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eval.fits.bank import Asked, Group
from eval.fits.bank_library import library_of
from eval.judges.feature_judge import Encoder
from rag import Rag
from rag.trained.adapters import SENTENCES_BESIDE, beside

AMONG = {"compare": 8, "single": 5, "near": 5}
"""How many of the papers found are held against a question of a kind."""


class About(NamedTuple):
    """What the prompt is filled with, whether the question asks about the paper, and the question's kind."""

    shown: dict[str, str]
    is_asked: bool
    kind: str


def bank_about(groups: Sequence[Group], encoder: Encoder, every: int) -> tuple[list[About], list[About]]:
    """Two lists: the second has the questions of every `every`th group, to be measured on."""
    result: tuple[list[About], list[About]] = ([], [])
    with library_of(groups, encoder) as rag:
        for place, group in enumerate(groups):
            for asked in group.asked:
                if asked.kind in AMONG:
                    result[place % every == 0].extend(_of(asked, group, rag))
    return result


def _of(asked: Asked, group: Group, rag: Rag) -> Iterator[About]:
    right = [group.papers[place] for place in asked.sentences]
    ids = {paper.id for paper in right}
    hits = [hit.paper for hit in rag.retrieve(asked.question, k=AMONG[asked.kind])]
    for paper in {paper.id: paper for paper in (*right, *hits)}.values():
        evidence = rag.evidence_in([paper], asked.question, SENTENCES_BESIDE)
        yield About(beside(asked.question, paper, evidence), paper.id in ids, asked.kind)
