"""Examples of what bears on a question, from the bank and from ClapNQ: one sentence of a paper beside what is asked of
it, and a paper's best sentences beside the criterion of a list. Deterministic at `SEED`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.broken import Remembering
from eval.cases import objects
from eval.fits.adapter_data import SEED, clapnq_files
from eval.fits.bank import Asked, Group
from eval.judges.feature_judge import Encoder
from rag import shown_of_each
from rag.trained.adapters import behind, whole_question

WRONG = 5
"""Sentences that do not answer, beside those that do: the nearest in meaning first, every other one drawn."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """What is asked, of which paper, the sentences shown, and whether they answer it."""

    asked: str
    title: str
    sentences: str
    answers: bool
    kind: str


def bearings(groups: Sequence[Group], encoder: Encoder) -> list[Bearing]:
    """Those of the bank's questions, group by group."""
    draw = random.Random(SEED)  # noqa: S311  (sampling, not secrets)
    result: list[Bearing] = []
    for group in groups:
        known = Remembering(encoder)  # every list reads the same sentences
        result += _asked(group, known, draw)
        for asked in group.asked:
            result += _listed(asked, group, known) if asked.kind == "list" else ()
    return result


def _asked(group: Group, encoder: Encoder, draw: random.Random) -> Iterator[Bearing]:
    """Sentences of the papers that a question asks, one by one: those that answer, and some that do not."""
    questions = [
        (asked.kind, place, whole_question(asked.of(place, group.papers)), right)
        for asked in group.asked
        if asked.kind != "list"
        for place, right in asked.sentences.items()
    ]
    queries = np.asarray(encoder.encode([text for _, _, text, _ in questions], "query"))
    titled = [f"{p.title}. {s}" for p, own in zip(group.papers, group.sentences, strict=True) for s in own]
    vectors = np.asarray(encoder.encode(titled, "document"))
    starts = np.cumsum([0, *map(len, group.sentences)])
    for (kind, place, text, right), query in zip(questions, queries, strict=True):
        title, sentences = group.papers[place].title, group.sentences[place]
        near = vectors[starts[place] : starts[place + 1]] @ query
        others = [number for number in range(1, len(sentences) + 1) if number not in right]
        nearest = sorted(others, key=lambda number: -near[number - 1])[: WRONG // 2]
        rest = [number for number in others if number not in nearest]
        wrong = [*nearest, *draw.sample(rest, min(len(rest), WRONG - len(nearest)))]
        for number in (*sorted(right - {0}), *wrong):
            before = sentences[number - 2] if number > 1 else ""
            yield Bearing(text, title, behind(before, sentences[number - 1]), number in right, kind)


def _listed(asked: Asked, group: Group, encoder: Any) -> Iterator[Bearing]:
    """Each paper's best sentences beside the criterion of a list."""
    found = shown_of_each(asked.question, group.papers, encoder)
    if found is None:
        return
    statement, shown = found
    for place, paper in enumerate(group.papers):
        own, right = group.sentences[place], asked.sentences.get(place)
        numbers = [number for number, text in enumerate(own, start=1) if text in shown[paper.id]]
        if right is not None and right.isdisjoint(numbers) and 0 not in right:
            numbers = [*sorted(right), *numbers][:3]  # as they would stand there, had the search been better
        text = "\n".join(own[number - 1] for number in sorted(set(numbers)))
        yield Bearing(statement, paper.title, text, right is not None, "list")


def clapnq_fitted_on(folder: Path) -> frozenset[str]:
    """The ids of ClapNQ's questions in the first half of `clapnq_bearings`, which the adapter is fitted on.

    Raises:
        CaseError: a file is missing.
    """
    return frozenset(str(row["id"]) for row in _drawn(folder)[0][::2])


def _drawn(folder: Path) -> tuple[list[dict[str, Any]], random.Random]:
    draw = random.Random(SEED)  # noqa: S311
    rows = [row for _, row in objects(clapnq_files(folder)[0])]
    draw.shuffle(rows)
    return rows, draw


def clapnq_bearings(folder: Path) -> tuple[list[Bearing], list[Bearing]]:
    """Sentences of ClapNQ's passages that people chose as the answer, or did not, in two drawn halves of its questions.

    Raises:
        CaseError: a file is missing.
    """
    rows, draw = _drawn(folder)
    halves: tuple[list[Bearing], list[Bearing]] = ([], [])
    for place, row in enumerate(rows):
        passage = row["passages"][0]
        chosen = {s for answer in row["output"] for s in answer.get("selected_sentences", ())}
        wrong = [s for s in passage["sentences"] if s not in chosen and s.strip()]
        shown = [(s, True) for s in passage["sentences"] if s in chosen]
        shown += [(s, False) for s in draw.sample(wrong, min(len(wrong), WRONG))]
        asked = whole_question(str(row["input"]))
        halves[place % 2].extend(Bearing(asked, passage["title"], s, right, "clapnq") for s, right in shown)
    return halves
