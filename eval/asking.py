"""What a local language model makes of a claim beside its evidence: its own three answers, and its state of mind.

The model is asked for one word; how likely each of the three words is, and what one of its layers holds at that place,
are read. Nothing is written. Prompts begin alike, so their beginning is read once. Knows prompts and models; knows
nothing of what the numbers mean: see `probe_judge`.

Source: probing hidden states for truth: Azaria and Mitchell 2023, "The Internal State of an LLM Knows When It's Lying";
Burns et al. 2023. The claim is put before and after the evidence so that the evidence is read knowing it (re-reading:
Xu et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

import prompts

WORDS = (("Supported",), ("Contradicted",), ("Unknown",))
MODEL = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
DEPTH = 18
"""Layers of 28 after which the state is read."""

Progress = Callable[[int, int], None]


class Asked(NamedTuple):
    """`logprobs` (3,) of supported, contradicted, unknown as the next word; `state` (hidden,) of the last token."""

    logprobs: NDArray[np.float32]
    state: NDArray[np.float32]


class Readable(Protocol):
    """What is needed of rag's local chat model."""

    @property
    def model_id(self) -> str:
        """Its name on the hub."""
        ...

    def first_word_logprobs(self, messages: Any, words: Any) -> tuple[float, ...]:
        """Log-probability that the reply begins with each word."""
        ...

    def states(self, messages: Any, *, depth: int, wanted: int = 1) -> Any:
        """Tensor (wanted, hidden) of the last tokens."""
        ...


def ask(model: Readable, excerpt: str, claim: str) -> Asked:
    """Ask about one claim beside one excerpt."""
    messages = prompts.load("judge").messages(claim=" ".join(claim.split()), evidence=excerpt)
    logprobs = model.first_word_logprobs(messages, WORDS)
    # All but the last token is kept from the line above: this runs one token through some layers.
    state = model.states(messages, depth=DEPTH)[0]
    return Asked(np.array(logprobs, dtype=np.float32), np.asarray(state, dtype=np.float32))


def ask_all(model: Readable, questions: Sequence[tuple[str, str]], progress: Progress | None = None) -> list[Asked]:
    """Ask about (excerpt, claim) pairs, each different one once, those that begin alike together."""
    different = sorted(set(questions), key=lambda question: (question[1], question[0]))
    found: dict[tuple[str, str], Asked] = {}
    for done, question in enumerate(different, start=1):
        found[question] = ask(model, *question)
        if progress is not None:
            progress(done, len(different))
    return [found[question] for question in questions]
