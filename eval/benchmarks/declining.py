"""`python -m eval bench clapnq`: does Footnote decline where its passage holds no answer, and answer where it does?

Each question is asked of its own passage alone, the whole way: evidence, the look at whether it answers, the model, the
check. Passages are Wikipedia's, not abstracts: a look beyond what Footnote is made and tuned for.

Source: ClapNQ (Rosenthal et al. 2024, github.com/primeqa/clapnq); its unanswerable passages are random ones from the
document in which five people found no answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.benchmarks.bench_result import MADE_WITH, asked_with, spread
from eval.benchmarks.hub_data import located
from eval.benchmarks.retrieving import PLACE, open_library
from eval.cases import CaseError, objects
from eval.fits.adapter_data import clapnq_files, clapnq_questions
from eval.fits.bearing_data import clapnq_fitted_on
from eval.metrics.abstention import abstention_figures
from eval.metrics.answers import figure
from eval.metrics.overlap import rouge_l, token_f1
from eval.rows import texts_of
from rag.cli import tell


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its passage and what people answered; no answers where there is none."""

    id: str
    question: str
    title: str
    text: str
    answers: tuple[str, ...]


def read_clapnq(data: Path) -> tuple[list[Asked], list[Asked]]:
    """The answerable and the unanswerable questions of a folder.

    Raises:
        CaseError: a file is missing, or a line is malformed; it names file, line, field and what was expected.
    """
    answerable, unanswerable = ([_asked(row, place) for place, row in objects(path)] for path in clapnq_files(data))
    return answerable, unanswerable


def _asked(row: Mapping[str, Any], place: str) -> Asked:
    try:
        passage = row["passages"][0]
        answers = tuple(str(o["answer"]) for o in row.get("output", ()) if o.get("answer"))
        return Asked(str(row["id"]), str(row["input"]), str(passage["title"]), str(passage["text"]), answers)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise CaseError(
            f"{place}: {error!r}.", "A line has id, input, passages with title and text, output with answers."
        ) from error


def _demand_sentences(data: Path) -> None:
    """Refuse passages that are not split: which questions the adapters were fitted on is drawn from their sentences."""
    for path in clapnq_files(data):
        for place, row in objects(path):
            texts_of(row["passages"][0], "sentences", f"{place}, passages")


def clapnq(options: argparse.Namespace) -> dict[str, Any]:
    """Abstention, and how near the answers come to people's, on the first `--limit` questions of each kind.

    Of the questions that the adapters "answerable" and "bearing" were fitted on none is asked.
    """
    data = located(options.data, ("*answerable.jsonl", "*unanswerable.jsonl"), "github.com/primeqa/clapnq")
    groups = read_clapnq(data)
    _demand_sentences(data)
    fitted_on = {*clapnq_questions(data)[0], *clapnq_fitted_on(data)}
    answerable, unanswerable = (
        [asked for asked in group if asked.id not in fitted_on][: options.limit] for group in groups
    )
    asked = [*answerable, *unanswerable]
    titles: dict[str, int] = {}
    abstracts = []
    for item in asked:  # two passages of one article are two papers
        titles[item.title] = titles.get(item.title, 0) + 1
        title = item.title if titles[item.title] == 1 else f"{item.title} ({titles[item.title]})"
        abstracts.append((item.id, title, item.text))
    declined, f1, rouge = [], [], []
    with open_library(options, abstracts) as rag:
        for number, item in enumerate(asked, start=1):
            answer = rag.ask(item.question, where={"url": f"{PLACE}{item.id}"})
            declined.append(answer.status == "abstained")
            if item.answers and answer.status == "answered":
                f1.append(max(token_f1(answer.text, text) or 0.0 for text in item.answers))
                rouge.append(max(rouge_l(answer.text, text) or 0.0 for text in item.answers))
            tell(f"{number}/{len(asked)} {answer.status}, {'answerable' if item.answers else 'no answer'}")
        made = asked_with(rag, ((item.id, item.question) for item in asked), options.kind)
    can = [True] * len(answerable) + [False] * len(unanswerable)
    found = {f"abstention {name}": value for name, value in abstention_figures(can, declined).items()}
    found["right to answer or decline"] = figure([a != b for a, b in zip(can, declined, strict=True)])
    found["token F1 of answers (best of references)"] = figure(f1)
    found["ROUGE-L of answers (best of references)"] = figure(rouge)
    return {
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        **{key: value for name, one in found.items() for key, value in spread(name, one).items()},
        MADE_WITH: made,
    }
