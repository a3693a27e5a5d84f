"""What a local language model makes of a claim beside its evidence: its state of mind before it would say a word.

The model is given examples and a question that a word answers; what one of its middle layers holds at that place is
read. Nothing is written, and the layers above are not run. Prompts begin alike, so their beginning is read once. Knows
prompts and models; knows nothing of what the numbers mean: see `probe_judge`.

Source: probing hidden states for truth: Azaria and Mitchell 2023, "The Internal State of an LLM Knows When It's Lying".
The claim stands before and after the evidence so that the evidence is read knowing it (re-reading: Xu et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import prompts

MODEL = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
DEPTH = 18
"""Layers of 28 after which the state is read: see docs/eval.md for the others."""

Progress = Callable[[int, int], None]
State = NDArray[np.float32]
"""(hidden,) of the last token."""


class Readable(Protocol):
    """What is needed of rag's local chat model."""

    @property
    def model_id(self) -> str:
        """Its name on the hub."""
        ...

    def states(self, messages: Any, *, depth: int, wanted: int = 1) -> Any:
        """Tensor (wanted, hidden) of the last tokens."""
        ...


def ask(model: Readable, excerpt: str, claim: str) -> State:
    """The state over one claim beside one excerpt."""
    messages = prompts.load("judge").messages(claim=" ".join(claim.split()), evidence=excerpt)
    return np.asarray(model.states(messages, depth=DEPTH)[0], dtype=np.float32)


def ask_all(model: Readable, questions: Sequence[tuple[str, str]], progress: Progress | None = None) -> list[State]:
    """States over (excerpt, claim) pairs, each different one asked once, those that begin alike together."""
    different = sorted(set(questions), key=lambda question: (question[1], question[0]))
    found: dict[tuple[str, str], State] = {}
    for done, question in enumerate(different, start=1):
        found[question] = ask(model, *question)
        if progress is not None:
            progress(done, len(different))
    return [found[question] for question in questions]
