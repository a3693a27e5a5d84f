"""What a judge is: texts and a claim in, three probabilities out. Knows no judge: see `by_name`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag import FootnoteError

Report = Callable[[str], None]
Evidence = Sequence[str]
"""Texts that are to carry a claim together: sentences or longer."""


class JudgeError(FootnoteError, ValueError):
    """There is no such judge, or it cannot be opened."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Three probabilities that sum to 1."""

    p_supported: float
    p_contradicted: float
    p_neither: float

    def __post_init__(self) -> None:
        """Raises JudgeError: one is no number, as of weights that overflow; it would count as unsupported."""
        if not all(map(math.isfinite, (self.p_supported, self.p_contradicted, self.p_neither))):
            raise JudgeError("The judge gave no number.", "Take another judge, or its weights in another precision.")

    @property
    def is_supported(self) -> bool:
        """Whether support is likelier than not."""
        return self.p_supported >= 0.5


NOTHING = Judgement(0.0, 0.0, 1.0)
"""Of a claim without any evidence."""


class Judge(Protocol):
    """Judges pairs of evidence and claim."""

    @property
    def id(self) -> str:
        """Name and version: every figure that it makes carries it."""
        ...

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """A judgement for each pair of (evidence, claim), in order. No evidence at all never supports."""
        ...
