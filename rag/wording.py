"""What an answer says where no model says it: that the library does not say, and what is listed instead.

Whoever checks a saved answer (`receipt`) makes the same words of it anew. Knows answers; nothing of how they came
about.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.grounding import shown_text
from rag.schema import Answer, Hit

NEAREST_NAMED = 3
DECLINED = "The library does not say."
"""How an abstention begins."""


def abstention_text(hits: Sequence[Hit]) -> str:
    """That the library does not say, and which papers are the nearest."""
    nearest = "; ".join(hit.paper.title for hit in hits[:NEAREST_NAMED])
    return DECLINED + (f" The nearest papers are: {nearest}." if nearest else "")


def counterpart_text(answer: Answer) -> str:
    """A list for another question than the reader's own (`complement`): that question stands in front, in its first
    line, so that nobody takes "1 of the 89 papers" for an answer to what was asked.
    """
    return f"{answer.standalone_question} {shown_text(answer.claims, answer.surveyed)}"
