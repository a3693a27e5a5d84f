"""The adapters that ship with Footnote, and what they say: whether evidence supports a claim, answers a question,
or says at all what is asked of a paper, and whether a question asks about a paper.

An adapter says in its header which model it belongs to. Of another model, and of one whose layers cannot be read (a
remote one), nothing can be had: the answer is None.

"verdict" and "opinion" answer the same prompt. The first is the eval suite's judge, fitted on what people said of
claims; the second checks answers, and has read claims on papers and drafts of answers as well: so that what checks an
answer is not what judges it.

How they were made, and how well they do: docs/adapters.md, docs/eval.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts

if TYPE_CHECKING:
    from rag.inference.adapter import Adapter
    from rag.schema import Evidence, Paper

_FOLDER = Path(__file__).parent
MODEL = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
"""The model that all belong to."""
SENTENCES_BESIDE = 2


@cache
def named(name: str) -> Adapter:
    """The adapter called `name`; read once.

    Raises:
        ModelError: its file is damaged.
    """
    from rag.inference.adapter import Adapter

    return Adapter.load(path_of(name))


def path_of(name: str) -> Path:
    """Where the adapter `name` lies."""
    return _FOLDER / f"{name}.safetensors"


def probabilities(model: Any, name: str, ending: str = "", **values: str) -> tuple[float, ...] | None:
    """What the adapter `name` says of a prompt filled with `values`: a probability for each of its classes.

    With an `ending` only what begins with it is read with the adapter, see `LocalChatModel.judge`.

    Of "verdict" and "opinion": supported, contradicted, neither. Of the others: yes, no. None where `model` is not the
    one that the adapter belongs to.
    """
    if not hasattr(model, "judge") or (found := _of(model, name)) is None:
        return None
    told: tuple[float, ...] = model.judge(prompts.load(prompt_of(name)).messages(**values), found, ending)
    return told


def looks(model: Any, name: str, passages: Sequence[str], ending: str, **values: str) -> Any | None:
    """Where `model` looks with the adapter `name` at the end of a prompt filled with `values`; see its `looks`.

    None where it is not the model that the adapter belongs to, or `passages` do not stand in the prompt as they are.
    """
    if not hasattr(model, "looks") or (found := _of(model, name)) is None:
        return None
    return model.looks(prompts.load(prompt_of(name)).messages(**values), passages, ending, found)


def _of(model: Any, name: str) -> Adapter | None:
    found = named(name)
    return found if getattr(model, "model_id", "") == found.facts["model"] else None


def prompt_of(name: str) -> str:
    """The name of the prompt that the adapter `name` reads."""
    return "verdict" if name == "opinion" else name


def behind(before: str, sentence: str) -> str:
    """A sentence as "bearing" reads it: behind the one before it in its abstract; "" where it is the first."""
    return f"(Before: {before})\n{sentence}" if before else sentence


def beside(question: str, paper: Paper, evidence: Sequence[Evidence]) -> dict[str, str]:
    """What "about" reads: the question, and below a paper's title the `SENTENCES_BESIDE` that bear most on it."""
    sentences = "\n".join(item.sentence.text for item in evidence)
    return {"asked": whole_question(question), "title": paper.title, "sentences": sentences}


def whole_question(text: str) -> str:
    """`text` as a question is written: "who was first" is "Who was first?"."""
    text = text.strip()
    return text if text.endswith(("?", ".", "!")) else f"{text[:1].upper()}{text[1:]}?"
