"""Phrases as they are written: what two texts share, and what an abbreviation is short for.

Source of `spelled_out`: Schwartz and Hearst 2003, "A Simple Algorithm for Identifying Abbreviation Definitions in
Biomedical Text".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.language.terms import STOP_WORDS

LONGEST = 6
"""Words."""
SMALL_FIRST = r"(?<![\w-])(?:[a-z]{1,3}[A-Z]+[\w*^]*(?=-\d|(?<=[A-Z0-9]{2}))|[a-z]\d{2,}\b)"
"""A pattern: the first part of a name that begins with small letters, as of "miR-203", "mTOR" and "p53"."""
_WORD = re.compile(r"\w[\w*^+]*(?:[-'’.]\w+)*")

_ABBREVIATION = re.compile(r"((?:[\w*^+-]+ ){1,6})[(\[]([A-Z]{2,6})s?[)\]]")
_GREEK = "α-ω"
_ONE_OF_ITS_KIND = rf"(?:-?[{_GREEK}]\d?|-\d+|-(?:alpha|beta|gamma|delta|kappa))"
"""What may stand behind an abbreviation that it is not short for: "TNF-α", "IL-6"."""


def abbreviated(text: str) -> Iterator[tuple[str, str]]:
    """(abbreviation, what it is short for) where `text` says so: "RL", "reinforcement learning" in "… learning (RL)".

    A word with a hyphen has one initial ("NR": "non-stationary reward") or several ("GCIL": "goal-conditioned …").
    """
    for before, short in _ABBREVIATION.findall(text):
        for spelled in (before.split(), before.replace("-", " ").split()):
            last = spelled[-len(short) :]
            if "".join(word[0] for word in last).upper() == short:
                yield short, " ".join(last)
                break


def spelled_out(short: str, text: str) -> str:
    """What `text` says that `short` is short for, "predictive state representations" of "PSR"; "" where it does not.

    One that is asked about need not be told from other brackets, so more is taken than by `abbreviated`: one of both
    stands in brackets behind the other, and letters of `short` stand in the phrase in their order, the first at the
    beginning of a word. Greek ones may be spelled out there: "factor-alpha (TNF-α)".
    """
    letters = [letter for letter in short.casefold() if letter.isalnum() and not re.match(f"[{_GREEK}]", letter)]
    if len(letters) < 2:
        return ""
    most = min(len(letters) + 5, 2 * len(letters))  # words
    name = re.escape(short)
    before, after = rf"((?:[^\s()]+\s+){{1,{most}}})[(\[]\s*", r"\s*[)\],;]"
    bracketed = re.search(rf"{before}{name}(?:s|{_ONE_OF_ITS_KIND})?{after}", text, re.IGNORECASE)
    explained = re.search(rf"(?<!\w){name}s?\s+\(([^()]+)\)", text, re.IGNORECASE)
    for found in (bracketed, explained):
        if found and (phrase := _holding(letters, found[1].strip())):
            return phrase
    return ""


def _holding(letters: Sequence[str], text: str) -> str:
    """The shortest end of `text` that holds `letters` in their order and begins with the first; else ""."""
    for word in reversed(list(re.finditer(r"[^\W_]+", text))):
        rest = (letter.casefold() for letter in text[word.start() :])
        if next(rest) == letters[0] and all(letter in rest for letter in letters[1:]):  # each behind the one before
            return text[text.rfind(" ", 0, word.start()) + 1 :]
    return ""


def shared_phrase(text: str, source: str, *, but_not_in: str = "") -> str:
    """The longest run of words of `text` that stands in `source`, in whatever case, and not in `but_not_in`; else "".

    It begins and ends with a word that has a meaning and has two of them at least: "mouse and keyboard".
    """
    spelled = _WORD.findall(text)
    folded = [word.casefold() for word in spelled]
    within, outside = (f" {' '.join(_WORD.findall(other.casefold()))} " for other in (source, but_not_in))
    meant = [word not in STOP_WORDS for word in folded]
    best = (0, 0)
    for start in range(len(folded)):
        for end in range(start + 2, min(len(folded), start + LONGEST) + 1):
            if not (meant[start] and meant[end - 1] and sum(meant[start:end]) > 1):
                continue
            said = f" {' '.join(folded[start:end])} "
            if end - start > best[1] - best[0] and said in within and said not in outside:
                best = (start, end)
    return " ".join(spelled[slice(*best)])
