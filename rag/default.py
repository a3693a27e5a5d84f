"""The short way: one question, answered by a Rag with the settings of this machine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rag.pipeline import Rag

if TYPE_CHECKING:
    from rag.conversation import History
    from rag.retrieval import Where
    from rag.schema import Answer


@cache
def _default() -> Rag:
    return Rag.open()


def answer(question: str, history: History = (), where: Where | None = None) -> Answer:
    """The answer of a default Rag, opened once and kept.

    Raises:
        As `Rag.open` and `Rag.ask`.
    """
    return _default().ask(question, history, where)
