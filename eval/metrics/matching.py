"""Answer check for the question bank: every group of required facts needs one alternative in the answer.

Alternatives are case-insensitive and may be stems ("truncat", "recogni"). Three boundary rules keep a short
alternative from matching by accident:
  * one that begins or ends with a digit must not run on into a longer number ("6" matches neither "16" nor "6.1"),
    and a bare number must stand by itself ("3" matches neither "Llama-3-8B" nor "3B"), as must one that ends a name
    ("GPT-4" does not match "GPT-4o");
  * an all-capitals acronym ("FAS", "SAM") and a number word ("ten") match as whole words, with an optional plural s
    ("FAS" does not match "faster");
  * any other alphabetic alternative of up to four letters must start a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty"
    " ninety hundred once twice".split()
)
_SAME = str.maketrans(
    {
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2212": "-",
        "\u00d7": "x",
        "\u2019": "'",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def missing(groups: Sequence[Sequence[str]], text: str) -> list[Sequence[str]]:
    """The groups of which no alternative is in `text`; empty means that the answer passes."""
    return [group for group in groups if not any(contains(text, alternative) for alternative in group)]


def contains(text: str, alternative: str) -> bool:
    """Whether `alternative` stands in `text` under the boundary rules above."""
    wanted, given = _plain(alternative), _plain(text)
    if wanted.isdigit():
        return re.search(rf"(?<![\w.,-]){wanted}(?!\w|[.,]\d|-\d)", given) is not None
    is_whole_word = (alternative.isalpha() and alternative.isupper()) or wanted in _NUMBER_WORDS
    before = after = ""
    if wanted[0].isdigit():
        before = r"(?<![\d.,])"
    elif is_whole_word or (len(wanted) <= 4 and wanted.isalpha()):
        before = "(?<![a-z])"
    if wanted[-1].isdigit():
        after = r"(?!\d|[.,]\d|[a-z])" if wanted[0].isalpha() else r"(?!\d|[.,]\d)"
    elif is_whole_word:
        after = "s?(?![a-z])"
    return re.search(before + re.escape(wanted) + after, given) is not None


def _plain(text: str) -> str:
    return re.sub(r"(?<=\d) (?=[%‰])", "", re.sub(r"\s+", " ", text.translate(_SAME)).lower())
