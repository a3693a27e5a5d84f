"""A follow-up and its history become one question that stands alone, without asking a model.

Small models rewrite questions badly and take a second to do so. What retrieval and the answering model need is the
earlier question beside the new one, and a reader can see and correct that: "How much better are MindForge agents at
collecting dirt? And for wood?" A question that names its own subject is left exactly as it is.

Knows nothing of retrieval or answers beyond the words of the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.keywords import tokenize, words

History = Sequence[Mapping[str, str]]
"""Messages, oldest first: {"role": "user" | "assistant", "content": text}."""

# Words that point back at something said before.
_POINTERS = frozenset(
    "it its they them their theirs that this these those he she his her one ones former latter same then there".split()
)
_OPENERS = re.compile(
    r"^\s*(and|but|so|also|or|what about|how about|why not|what else|anything else|any other)\b", re.IGNORECASE
)
_NO_POINTER = re.compile(
    r"\b(?:this|these|our|your|the) (?:library|collection|corpus|set|files|papers|abstracts|works|articles|studies)\b"
    r"|\b(?:is|are) there\b|\bthere (?:is|are|must|being)\b|\ball (?:of )?(?:them|it|these|those)\b(?=\W*$)"
    r"|\b(?:name|list|show)(?: (?:each|all|every one) of)? them\b(?=\W*$)|\b(?:which|what) (?:are|is) (?:they|it)\b"
    r"|\b(?:each|every|any|which) ones?\b|\bmore than one\b",
    re.IGNORECASE,
)
"""Words that might point back, and here speak of the library, or of what the question itself asks for."""
_BEFORE_POINTER = frozenset(
    ["", *"of about on for with like than to into by from and or is does do did but at after".split()]
)
_NAME = re.compile(r"\b(?:[A-Z][\w^*]*[A-Z0-9^*][\w^*-]*|[A-Z]{2,}[\w-]*|[A-Z][a-z]+-[A-Z0-9][\w-]*)")


_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "former": 0, "latter": 1}
_ORDINAL = re.compile(
    r"\bthe (?:(first|second|third|fourth|fifth|last) (?:one|paper|of (?:them|these|those))"
    r"|(former|latter)(?: one)?)\b",
    re.IGNORECASE,
)
_LONGEST_ANSWER = 400


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it can be understood without what was said before.

    `earlier` and `answer` are what it leans on: the earlier question or questions and, cut short, the last answer; both
    are empty for a question that stands alone.
    """

    question: str
    earlier: str = ""
    answer: str = ""


def understood(question: str, history: History, listed: Sequence[str] = (), limit: int | None = None) -> Understood:
    """`question` in the light of `history`.

    Args:
        question: as it was asked; left as it is where there is no earlier question or nothing points back.
        history: what was said before.
        listed: the names that the last answer lists, in their order: what "the second one" means.
        limit: how long a question may be, in characters; of what was asked before so much is taken as fits. None: all.
    """
    asked = _named(question, listed)
    alone = standalone(asked, history, limit)
    if alone == asked:
        return Understood(asked)
    said = [str(m["content"]) for m in history if m.get("role") == "assistant" and m.get("content")]
    return Understood(alone, alone.removesuffix(asked).strip(), said[-1][:_LONGEST_ANSWER] if said else "")


def counts_back(question: str) -> bool:
    """Whether `question` picks one of several by its place: "the second one", "the latter"."""
    return _ORDINAL.search(question) is not None


def _named(question: str, listed: Sequence[str]) -> str:
    def name(match: re.Match[str]) -> str:
        place = _ORDINALS[(match[1] or match[2]).lower()]
        return listed[place] if -len(listed) <= place < len(listed) else match[0]

    return _ORDINAL.sub(name, question) if len(listed) > 1 else question


def standalone(question: str, history: History, limit: int | None = None) -> str:
    """`question` as it can be understood without `history`.

    Returns the question itself where there is no earlier question or nothing points back; else the beginning of the
    earlier question and this one, as one text of at most `limit` characters.
    """
    earlier = [str(m["content"]) for m in history if m.get("role") == "user" and m.get("content")]
    if not earlier or not _points_back(question):
        return question
    opening = earlier[-1]
    # A chain of follow-ups hangs on the last question that stood by itself.
    for previous in reversed(earlier):
        opening = previous
        if not _points_back(previous):
            break
    last = earlier[-1]
    parts = [opening] if opening == last else [opening, last]
    before = " ".join(parts)
    room = len(before) if limit is None else max(0, limit - len(question) - 1)
    if len(before) > room:
        before = before[:room].rpartition(" ")[0]
    return f"{before} {question}".strip()


def leans_back(question: str) -> bool:
    """Whether a word of `question` may stand for something said before.

    "Those that use it" has such words; the "that" of "all papers that use A*" is none, nor is "this" in "this library".
    """
    spoken = words(_NO_POINTER.sub(" ", question))
    before = ["", *spoken]
    is_relative = [
        w == "that" and i + 1 < len(spoken) and before[i] not in _BEFORE_POINTER for i, w in enumerate(spoken)
    ]
    points = any(word in _POINTERS and not relative for word, relative in zip(spoken, is_relative, strict=True))
    return points or _OPENERS.match(question) is not None


def _points_back(question: str) -> bool:
    has_name = _NAME.search(question) is not None
    if _OPENERS.match(question):
        return True
    spoken = words(question)
    if any(word in _POINTERS for word in spoken) and not (has_name and len(spoken) > 12):
        return True
    return not has_name and len(set(tokenize(question))) <= 3
