"""Whether sentences of a paper say what is asked of it, as the trained adapter "bearing" reads them (see `trained`).

Asked may be a question, or a statement that is true of the papers on a list. Of another model than the one that the
adapter belongs to nothing is known: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag import trained
from rag.schema import Evidence, Paper
from rag.sentences import sentences_of


def telling(model: Any, question: str, item: Evidence) -> float | None:
    """How likely one sentence says what `question` asks of its paper, in [0, 1], read behind the sentence before it.

    Of 86 papers that the comparisons of dev, fresh-a and fresh-c ask about, which were not fitted on, it puts a right
    sentence first for 0.77 and among the first two for 0.97; nearness in words and meaning for 0.40 and 0.57.
    """
    index = item.sentence.index
    before = sentences_of(item.paper)[index - 1].text if index else ""
    return _read(model, trained.whole_question(question), item.paper, trained.behind(before, item.sentence.text))


def fitting(model: Any, statement: str, paper: Paper, evidence: Sequence[Evidence]) -> float | None:
    """How likely `statement` is true of `paper` by sentences of it, in [0, 1], which are read in their order."""
    in_order = sorted(evidence, key=lambda item: item.number)
    return _read(model, statement, paper, "\n".join(item.sentence.text for item in in_order))


def _read(model: Any, asked: str, paper: Paper, sentences: str) -> float | None:
    told = trained.probabilities(model, "bearing", asked=asked, title=paper.title, sentences=sentences)
    return None if told is None else told[0]
