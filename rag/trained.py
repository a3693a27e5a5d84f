"""The adapters that ship with Footnote, and what they say: whether evidence supports a claim, answers a question,
or says at all what is asked of a paper.

An adapter and the prompt that it reads bear one name; the adapter says in its header which model it belongs to. Of
another model, and of one whose layers cannot be read (a remote one), nothing can be had: the answer is None.

How they were made, and how well they do: docs/adapters.md, docs/eval.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts

if TYPE_CHECKING:
    from rag.adapter import Adapter

_FOLDER = Path(__file__).parent
NAMES = ("verdict", "answerable", "bearing")
MODEL = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
"""The model that all belong to."""


@cache
def adapter(name: str) -> Adapter:
    """The adapter called `name`, one of `NAMES`; read once.

    Raises:
        ModelError: its file is damaged.
    """
    from rag.adapter import Adapter

    return Adapter.load(path_of(name))


def path_of(name: str) -> Path:
    """Where the adapter `name` lies."""
    return _FOLDER / f"{name}.safetensors"


def probabilities(model: Any, name: str, **values: str) -> tuple[float, ...] | None:
    """What the adapter `name` says of a prompt filled with `values`: a probability for each of its classes.

    Of "verdict": supported, contradicted, neither. Of the others: yes, no. None where `model` is not the one that the
    adapter belongs to.
    """
    if not hasattr(model, "judge"):
        return None
    found = adapter(name)
    if getattr(model, "model_id", "") != found.facts["model"]:
        return None
    told: tuple[float, ...] = model.judge(prompts.load(name).messages(**values), found)
    return told


def behind(before: str, sentence: str) -> str:
    """A sentence as "bearing" reads it: behind the one before it in its abstract; "" where it is the first."""
    return f"(Before: {before})\n{sentence}" if before else sentence


def whole_question(text: str) -> str:
    """`text` as a question is written: "who was first" is "Who was first?"."""
    text = text.strip()
    return text if text.endswith(("?", ".", "!")) else f"{text[:1].upper()}{text[1:]}?"
