"""What can be told of a question from its words alone: whether it can be read, and what kind of answer it wants.

Knows nothing of papers, retrieval or models. The rules for kinds are plain English grammar, not words of any field.
"""

from __future__ import annotations

import re
import unicodedata

from rag.errors import BadQuestion

_SECOND_PART = re.compile(r",? and (?:how|what|why|which|when|where|in what)\b", re.IGNORECASE)
_ASKS = r"(?:(?:in|by|to|for|on|with|from|at|of) )?(?:what|which|how|why|when|where|who|whom|whose)"
_BETWEEN_PARTS = re.compile(rf",? (?:and|but) (?={_ASKS}\b)|(?<=\?) (?={_ASKS}\b)", re.IGNORECASE)
_ENDS_OPEN = re.compile(rf"\b(?:{_ASKS}|and|or|not|of|in|by|to|for|on|with)\W*$", re.IGNORECASE)
_SHORTEST_PART = 3
_WHY = re.compile(r"\b(?:why|explain|describe|how come)\b", re.IGNORECASE)
_HOW = re.compile(
    r"\bhow (?:do|does|did|is|are|was|were|can|could|should|has|have|to|would)\b"
    r"|^\W*what (?:are|do|does|did|is|was|were)\b",
    re.IGNORECASE,
)
# "What shortcomings …", "Which two ingredients …", "What prevents …": several things, or a reason.
_SEVERAL = re.compile(r"^\W*(?:what|which)(?: \w+)? \w{3,}[a-rt-z]s\b", re.IGNORECASE)
_SHORT = re.compile(
    r"\bhow (?:many|much|large|big|long|often|fast|far)\b|\bwhat (?:is|was) the (?:name|number)\b"
    r"|\b(?:stand for|abbreviation|mean)\b|\bhow\b.*\bcompare",
    re.IGNORECASE,
)


def readable(question: object, limit: int) -> str:
    """`question` without control characters and with single spaces.

    Raises:
        BadQuestion: it is not text, nothing is left of it, or it is longer than `limit` characters.
    """
    if not isinstance(question, str):
        raise BadQuestion(f"A question is text, not {type(question).__name__}.", "Give a string.")
    plain = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in question)
    plain = re.sub(r"\s+", " ", plain).strip()
    if not plain:
        raise BadQuestion("The question is empty.", "Ask about something that a paper may say.")
    if len(plain) > limit:
        raise BadQuestion(f"The question has {len(plain):,} characters; {limit:,} are read.", "Ask in fewer words.")
    return plain


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that one question asks, each with its question mark; () where it asks one.

    "What does X hide, and why is that a problem?" asks two; "when and how" asks one.
    """
    parts = [part.strip(" ,;") for part in _BETWEEN_PARTS.split(question.strip())]
    if len(parts) < 2 or any(len(part.split()) < _SHORTEST_PART or _ENDS_OPEN.search(part) for part in parts):
        return ()
    return tuple(f"{part[0].upper()}{part[1:].rstrip(' ?.!')}?" for part in parts)


def wants_explanation(question: str) -> bool:
    """Whether one short fact would leave the reader wanting more: how, why, what, or two questions in one."""
    is_open = any(pattern.search(question) for pattern in (_SECOND_PART, _WHY, _HOW, _SEVERAL))
    return is_open and _SHORT.search(question) is None
