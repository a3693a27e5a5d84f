"""Footnote markers that cannot be malformed: after an opening bracket only a number that exists and "]" can follow.

A logits processor for any tokenizer: it knows the text of every token, finds an open bracket at the end of what was
generated, and leaves only tokens that go on to a marker. Outside of markers it takes away the tokens that would open
one that cannot end well. Models that cannot be steered so, remote ones, write what they like: `rag.drafts` takes their
markers off and `rag.grounding` heeds those that exist.

Knows tokens and numbers; nothing of prompts, evidence or what a marker points to.

Source: constrained decoding by masking, as in Willard and Louf 2023, "Efficient Guided Generation for Large Language
Models"; the language here is small enough to be checked without an automaton.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_MARKER_TOKENS = 8
_KNOWN: weakref.WeakKeyDictionary[Any, Vocabulary] = weakref.WeakKeyDictionary()


class Vocabulary:
    """The text of every token of a tokenizer, and which of them have to do with markers."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.opening = tuple(i for i, text in enumerate(self.texts) if "[" in text)
        self.inside = tuple(i for i, text in enumerate(self.texts) if text[:1].isdecimal() or text[:1] == "]")

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        """The vocabulary of a Hugging Face tokenizer, made once: a quarter of a second for 150,000 tokens."""
        known = _KNOWN.get(tokenizer)
        if known is None:
            special = set(tokenizer.all_special_ids)
            rows = [[i] for i in range(len(tokenizer))]
            texts = tokenizer.batch_decode(rows, clean_up_tokenization_spaces=False)
            known = _KNOWN[tokenizer] = cls(["" if i in special else text for i, text in enumerate(texts)])
        return known


class MarkerConstraint:
    """Leaves the tokens that keep every marker whole and among `numbers`; a `LogitsProcessor` of `generation`."""

    def __init__(self, vocabulary: Vocabulary, numbers: Sequence[int]) -> None:
        self._vocabulary = vocabulary
        self._markers = tuple(f"{number}]" for number in numbers)
        self._banned = torch.tensor([i for i in vocabulary.opening if not self._goes_on(vocabulary.texts[i])])

    def __call__(self, generated: list[int], logits: Tensor) -> Tensor:
        """The logits (vocabulary,) with minus infinity where a token would spoil a marker."""
        opened = self._opened(generated)
        if opened is None:
            if len(self._banned):
                logits = logits.clone()
                logits[self._banned.to(logits.device)] = -torch.inf
            return logits
        texts = self._vocabulary.texts
        allowed = [i for i in self._vocabulary.inside if self._goes_on(f"[{opened}{texts[i]}")]
        kept = torch.full_like(logits, -torch.inf)
        kept[allowed] = logits[allowed]
        return kept

    def _opened(self, generated: Sequence[int]) -> str | None:
        """What stands after a bracket that is still open at the end of `generated`; None where none is."""
        texts = self._vocabulary.texts
        tail = "".join(texts[i] if i < len(texts) else "" for i in generated[-_LONGEST_MARKER_TOKENS:])
        _before, bracket, after = tail.rpartition("[")
        return after if bracket and "]" not in after else None

    def _goes_on(self, text: str) -> bool:
        """Whether every bracket in `text` opens a marker, the last of which may still be unfinished."""
        return all(
            any(after.startswith(marker) for marker in self._markers)
            or (last and any(marker.startswith(after) for marker in self._markers))
            for after, last in _after_brackets(text)
        )


def _after_brackets(text: str) -> list[tuple[str, bool]]:
    """What stands after each opening bracket up to the next one, and whether it is the last."""
    parts = text.split("[")[1:]
    return [(part, place == len(parts) - 1) for place, part in enumerate(parts)]
