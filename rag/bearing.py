"""Whether a sentence of a paper says what is asked of it, as the trained adapter "bearing" reads it (see `trained`).

Of another model than the one that the adapter belongs to nothing is known: None.
"""

from __future__ import annotations

from typing import Any

from rag import trained
from rag.schema import Evidence
from rag.sentences import sentences_of


def telling(model: Any, question: str, item: Evidence) -> float | None:
    """How likely one sentence says what `question` asks of its paper, in [0, 1], read behind the sentence before it.

    Of 86 papers that the comparisons of dev, fresh-a and fresh-c ask about, which were not fitted on, it puts a right
    sentence first for 0.77 and among the first two for 0.97; nearness in words and meaning for 0.40 and 0.57.
    """
    index = item.sentence.index
    before = sentences_of(item.paper)[index - 1].text if index else ""
    told = trained.probabilities(
        model,
        "bearing",
        asked=trained.whole_question(question),
        title=item.paper.title,
        sentences=trained.behind(before, item.sentence.text),
    )
    return None if told is None else told[0]
