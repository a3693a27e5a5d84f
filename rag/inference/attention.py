"""Where a language model looks: the shares of attention that tokens give to what stands before them, and the places of
passages in a prompt. Knows tensors and tokenizers; knows nothing of what is made of it.

Source: what the end of a prompt attends to tells what of it answers: Chen et al. 2024, "Attention in Large Language
Models Yields Efficient Zero-Shot Re-Rankers"; Zhang et al. 2025, "Query-Focused Retrieval Heads".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Span = tuple[int, int]
"""Places of the first token of a passage and of the one behind its last."""


def looks(queries: Tensor, keys: Tensor, hidden: Tensor | None) -> Tensor:
    """Shares of attention, float32 (2, heads, length): of all tokens on average, and of the last one.

    Args:
        queries: (tokens, heads, head_dim).
        keys: (kv_heads, length, head_dim); heads that share keys follow each other.
        hidden: what each token may not see, as 0 and -inf, (tokens, length); None where all see everything.
    """
    tokens, heads, head_dim = queries.shape
    groups, length, _ = keys.shape
    rows = queries.float().transpose(0, 1).reshape(groups, -1, head_dim)
    odds = (rows @ keys.float().transpose(1, 2)).view(heads, tokens, length) * head_dim**-0.5
    shares = (odds if hidden is None else odds + hidden).softmax(-1)
    return torch.stack((shares.mean(1), shares[:, -1]))


def places_of(tokenizer: Any, tokens: Sequence[int], passages: Sequence[str], ending: str) -> tuple[list[Span], int]:
    """Where `passages`, each on a line of its own, stand in a prompt, and where the `ending` begins that follows them.

    Raises:
        ValueError: they do not stand there in these words.
    """
    text = tokenizer.decode(list(tokens))
    read = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    if list(read["input_ids"]) != list(tokens):
        raise ValueError("the prompt reads as other tokens than it was made of")
    lines = [unicodedata.normalize("NFC", passage) for passage in passages]
    last = text.rindex(unicodedata.normalize("NFC", ending))
    at = text.rindex("\n".join(lines), 0, last)
    ends = [end for _, end in read["offset_mapping"]]
    spans = []
    for line in lines:
        first = _first(ends, at)
        spans.append((first, _first(ends, at + len(line) - 1) + 1))
        at += len(line) + 1
    return spans, _first(ends, last)


def _first(ends: Sequence[int], at: int) -> int:
    """The token that holds the character at `at`."""
    return next(place for place, end in enumerate(ends) if end > at)
