"""The bank's papers as one library, to see what the product finds in it for the bank's questions. Asks no model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eval.fits.bank import Group
from rag import Evidence, Rag
from rag.errors import ModelError


@contextmanager
def library_of(groups: Sequence[Group], encoder: Any) -> Iterator[Rag]:
    """A Rag on all their papers, in a folder that is gone afterwards. `encoder`: rag's embedder."""
    with tempfile.TemporaryDirectory() as folder:
        rag = Rag.to_search([paper for group in groups for paper in group.papers], encoder, Path(folder))
        try:
            yield rag
        finally:
            rag.close()


def found(rag: Rag, question: str, where: Mapping[str, Any] | None = None) -> tuple[Evidence, ...]:
    """The evidence for `question`, which a stream begins with, before any model is asked.

    Empty where a model would be asked first: where the question is taken for a request for papers.
    """
    stream: Any = rag.stream(question, (), where)
    try:
        event: Any = next(stream)
    except ModelError:
        return ()
    finally:
        stream.close()
    return tuple(event.evidence)
