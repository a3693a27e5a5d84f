"""Is a question about the whole library, or about what single papers say?

"Which papers use a robot arm?", "Pull up whatever we have on corals" and "n of trials with children, plus titles" ask
for papers; "Which robot arm does ReachBot use?" asks what one says. A logistic model decides by the words of the
question, alone and in runs of up to three, and by its vector; of a question that has a form which `list_question` takes
apart less is asked.

With another embedder than the one it was fitted with the words alone decide. How it was fitted, and how well it does on
questions of writers that it has not seen: `eval.fits.scope_fit`, docs/measurements.md.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.language.anaphora import leans_back
from rag.language.list_question import list_question
from rag.trained import logistic

if TYPE_CHECKING:
    from rag.index import PassageEncoder

WEIGHTS = Path(__file__).parent / "scope.json"
LONGEST_RUN = 3
FROM = 0.6
"""Higher than the writers' questions alone would have it: too much of what is typed into a search engine was taken for
a request for papers."""
FROM_IN_ITS_FORM = 0.2
"""For a question that `list_question` takes apart. Of 420 questions for papers by five writers, each read by a fit that
has seen none of that writer's, 0.94 are found, and of 420 others, as like them as their writers could make them, 0.04
are taken for one. The forms alone find 0.45 and take 0.07."""

_BEGINS, _ENDS = "<s>", "</s>"
_TOKEN = re.compile(r"[\w']+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of runs of words and of a vector's numbers, to log-odds; the latter are empty where words decide."""

    start: float
    runs: Mapping[str, float]
    vector: tuple[float, ...] = ()

    def odds(self, question: str, vector: Any = None) -> float:
        """Log-odds that `question`, whose unit vector is `vector`, asks for papers."""
        said = self.start + math.fsum(self.runs.get(run, 0.0) for run in set(runs_of(question)))
        return said + float(np.dot(vector, self.vector)) if self.vector else said


class Heads(NamedTuple):
    """`with_meaning` goes with vectors of `embedder`, `by_words` with any."""

    embedder: str
    with_meaning: Head
    by_words: Head


@cache
def heads() -> Heads:
    """The fitted heads; read once."""
    kept = json.loads(WEIGHTS.read_text(encoding="utf-8"))

    def head(name: str) -> Head:
        return Head(kept[name]["start"], kept[name]["runs"], tuple(kept[name].get("vector", ())))

    return Heads(kept["embedder"], head("with meaning"), head("by words"))


def runs_of(question: str) -> Iterator[str]:
    """Every word and sign of `question`, in small letters, and every two and three in a row, its ends among them."""
    tokens = [_BEGINS, *_TOKEN.findall(question.lower().replace("’", "'")), _ENDS]
    for length in range(1, LONGEST_RUN + 1):
        for first in range(len(tokens) - length + 1):
            yield " ".join(tokens[first : first + length])


def asks_for_papers(question: str, encoder: PassageEncoder, *, is_first: bool = True) -> bool:
    """Whether `question` asks for papers of the whole library.

    `is_first`: nothing was said before it. Else one that may lean on that ("all of those that use it") has to have a
    form that is known.
    """
    is_in_form = list_question(question, is_first=is_first) is not None
    if not (is_first or is_in_form) and leans_back(question):
        return False
    return likely_for_papers(question, encoder) >= (FROM_IN_ITS_FORM if is_in_form else FROM)


def likely_for_papers(question: str, encoder: PassageEncoder) -> float:
    """How likely `question` asks for papers of the whole library, in [0, 1]."""
    embedder, with_meaning, by_words = heads()
    if getattr(encoder, "name", "") == embedder:
        odds = with_meaning.odds(question, encoder.encode([question], "query")[0])
    else:
        odds = by_words.odds(question)
    return logistic.probability(odds)
