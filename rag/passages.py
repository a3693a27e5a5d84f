"""Cuts an abstract into passages of whole sentences, each short enough for the embedder.

The passages of an abstract lie end to end: every character is in exactly one of them. There are as few as fit and
they are as even as whole sentences allow, since a passage of a few words ranks badly. They do not overlap: on
abstracts, of two or three passages, an overlap would mostly embed the same sentences twice.

What the embedder sees is `passage_input`: the title, then the passage, because a sentence on its own often names
nothing. Knows no tokenizer; it is given a function that counts. Source: the split with the least sum of squared
lengths is found by dynamic programming, as lines are in "Breaking Paragraphs into Lines" (Knuth and Plass, 1981).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from rag.language.sentences import split_sentences
from rag.schema import Paper, Passage

CountTokens = Callable[[str], int]
"""Tokens of a whole input to the embedder, the special ones included."""

SPLITTER_VERSION = "sentences-3"
"""Names the rules by which sentences and passages are cut. Change it with them: an index cut otherwise is refused."""

_LONGEST_TITLE = 200
"""Characters of a title that go before a passage. The longest of the bundled library has 148. It is a number of
characters so that `passage_input` needs no tokenizer; at one token a character 200 still leave room in 256 tokens."""


def passage_input(paper: Paper, passage: Passage) -> str:
    """What the embedder sees of a passage: `Title. Text of the passage`.

    A title of more than 200 characters is cut after a word, here only; `paper.title` stays whole.
    """
    return _input(_lead(paper.title), passage.text)


def split_passages(paper: Paper, *, count_tokens: CountTokens, max_tokens: int) -> tuple[Passage, ...]:
    """The passages of a paper's abstract in order, `index` counting from 0.

    `abstract[passage.start:passage.end] == passage.text`, the texts joined are the abstract, and
    `count_tokens(passage_input(paper, passage)) <= max_tokens`. A passage ends where a sentence ends, white space
    after it included; only a sentence too long by itself is cut, after a word, and a word too long by itself
    anywhere. An empty abstract gives none.

    Raises:
        ValueError: `max_tokens` is so small that the title leaves no room for a single character.
    """
    abstract = paper.abstract
    if not abstract:
        return ()
    lead = _lead(paper.title)

    def size(start: int, end: int) -> int:
        return count_tokens(_input(lead, abstract[start:end]))

    if size(0, len(abstract)) <= max_tokens:
        bounds = [0, len(abstract)]
    else:
        bounds = _balanced(_pieces(abstract, size, max_tokens), size, max_tokens)
    return tuple(
        Passage(paper.id, index, start, end, abstract[start:end]) for index, (start, end) in enumerate(pairwise(bounds))
    )


def _lead(title: str) -> str:
    """The title as it stands before a passage, cut after a word if long, with a stop at its end."""
    lead = title.strip()
    if len(lead) > _LONGEST_TITLE:
        cut = lead[: _LONGEST_TITLE + 1]
        lead = (cut[: cut.rfind(" ")] if " " in cut else cut[:_LONGEST_TITLE]).rstrip()
    return lead if not lead or lead[-1] in ".!?" else f"{lead}."


def _input(lead: str, text: str) -> str:
    return f"{lead} {text.strip()}".strip()


def _pieces(abstract: str, size: Callable[[int, int], int], max_tokens: int) -> list[int]:
    """Bounds of the smallest units, end to end: sentences, or parts of those that are too long."""
    starts = [start for start, _ in split_sentences(abstract)]
    bounds = [0]
    for end in [*starts[1:], len(abstract)]:
        while size(bounds[-1], end) > max_tokens:
            bounds.append(_longest_part(abstract, bounds[-1], end, size, max_tokens))
        bounds.append(end)
    return bounds


def _longest_part(abstract: str, start: int, end: int, size: Callable[[int, int], int], max_tokens: int) -> int:
    """Where the longest part from `start` ends that fits, after a word if one fits."""
    word_ends = [start + match.end() for match in re.finditer(r"\s*\S+\s*", abstract[start:end])]
    cut = _last_fitting(word_ends[:-1], lambda offset: size(start, offset) <= max_tokens)
    if cut is None:
        within_word = range(start + 1, word_ends[0] if word_ends else end)
        cut = _last_fitting(within_word, lambda offset: size(start, offset) <= max_tokens)
    if cut is None:
        raise ValueError(
            f"max_tokens={max_tokens} leaves no room for text after the title; even {abstract[start]!r} takes"
            f" {size(start, start + 1)} tokens with it. Give a larger limit."
        )
    return cut


def _last_fitting(offsets: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """The last of rising offsets that fits, found by doubling and halving; None if not even the first one does."""
    if not offsets or not fits(offsets[0]):
        return None
    low, step = 0, 1
    while low + step < len(offsets) and fits(offsets[low + step]):
        low, step = low + step, step * 2
    while step >= 1:
        if low + step < len(offsets) and fits(offsets[low + step]):
            low += step
        step //= 2
    return offsets[low]


def _balanced(bounds: list[int], size: Callable[[int, int], int], max_tokens: int) -> list[int]:
    """Bounds of passages made of neighbouring pieces: as few as fit, then as even as can be.

    Sizes of pieces are added up to plan with, which spares counting every run of them; if the true size of a
    planned passage is over the limit after all, the plan is made again with less room.
    """
    overhead = size(0, 0)
    sizes = [max(0, size(start, end) - overhead) for start, end in pairwise(bounds)]
    room = max_tokens - overhead
    while room >= max(sizes):
        planned = _plan(bounds, sizes, room)
        excess = max(size(start, end) for start, end in pairwise(planned)) - max_tokens
        if excess <= 0:
            return planned
        room -= excess
    return bounds


def _plan(bounds: list[int], sizes: list[int], room: int) -> list[int]:
    """The split of pieces into the fewest runs within `room`, the one with the least sum of squared sizes."""
    # best[end] = (runs, sum of squares, start of the last run) for the pieces before `end`.
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for end in range(1, len(bounds)):
        options = []
        total = 0
        for start in range(end - 1, -1, -1):
            total += sizes[start]
            if total > room:
                break
            runs, squares, _ = best[start]
            options.append((runs + 1, squares + total * total, start))
        best.append(min(options))
    planned = [len(bounds) - 1]
    while planned[-1] > 0:
        planned.append(best[planned[-1]][2])
    return [bounds[position] for position in reversed(planned)]
