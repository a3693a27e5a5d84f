"""A follow-up and its history become one question that stands alone, without asking a model.

Small models rewrite questions badly and take a second to do so. What retrieval and the answering model need is the
earlier question beside the new one, and a reader can see and correct that: "How much better are MindForge agents at
collecting dirt? And for wood?" A question that stands by itself, see `rag.language.anaphora`, is left exactly as it is.

Knows nothing of retrieval or answers beyond the words of the conversation and how an abstention begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.language.anaphora import leans_back
from rag.language.question import one_line
from rag.wording import DECLINED

History = Sequence[Mapping[str, str]]
"""Messages, oldest first: {"role": "user" | "assistant", "content": text}."""

_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "former": 0, "latter": 1}
_PART = (
    r"(?:half|halves|parts?|cases?|stages?|phases?|steps?|periods?|years?|terms?|types?|groups?|tasks?|experiments?"
    r"|results?|questions?|problems?|points?|claims?|reasons?|sense)\b"
)
"""What no paper is: "the latter half", "the first of these steps"."""
_ORDINAL = re.compile(
    rf"\bthe (?:(first|second|third|fourth|fifth|last) (?:one|paper|of (?:them|these|those)(?! {_PART}))"
    rf"|(former|latter)(?: one|(?! {_PART})))\b",
    re.IGNORECASE,
)
_TOLD_APART = re.compile(
    r"\s+(?:to\s(?!\s*(?:the|an?|its?|this|that|these|those|one|which|what)\b|\s*(?-i:[A-Z]))|ever\b"
    r"|(?:(?:in|by|for|on|with)\s+)?(?:that|which|who|whose)\b(?!\s+(?:you|we|i)\b))",
    re.IGNORECASE,
)
"""What makes "the first paper" one that is asked for, "to use sound", and no pick from a list."""
_ASKS_WHICH = re.compile(r"\b(?:which|what)(?:\s+\w+)?\s+(?:is|was)\s*$", re.IGNORECASE)
_BY_USING = re.compile(r"\s+using\s+(?!for\b|as\b|in\b|to\b|instead\b)\w", re.IGNORECASE)
_MARKER = re.compile(r"\s*\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]")
_LONGEST_ANSWER = 400
_MOST_READ = 4000


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it can be understood without what was said before.

    `earlier` and `answer` are what it leans on: the earlier question or questions and, cut short, the last answer; both
    are empty for a question that stands alone.
    """

    question: str
    earlier: str = ""
    answer: str = ""

    @property
    def followup(self) -> str:
        """What it asks beyond `earlier`; "" of a question that stands alone."""
        return self.question.removeprefix(self.earlier).strip() if self.earlier else ""

    @property
    def searched_for(self) -> str:
        """What papers are searched for: of a follow-up the last answer too, since it may mean a paper that only that
        tells; not the papers that an abstention names. Of 69 follow-ups of eleven sets the right paper is found first
        for 68, without the answer for 62.
        """
        is_told = self.answer and not self.answer.startswith(DECLINED)
        return f"{self.earlier} {self.answer} {self.followup}" if is_told else self.question


def understood(
    question: str,
    history: History,
    listed: Sequence[str] = (),
    limit: int | None = None,
    *,
    is_followup: bool | None = None,
) -> Understood:
    """`question` in the light of `history`.

    Args:
        question: as it was asked; left as it is where there is no earlier question or nothing points back.
        history: what was said before.
        listed: the names that the last answer lists, in their order: what "the second one" means.
        limit: how long a question may be, in characters; of what was asked before so much is taken as fits. None: all.
        is_followup: whether it leans on what was said before, where that is known; None: its own words tell.
    """
    asked = _named(question, listed)
    alone = standalone(asked, history, limit, is_followup=is_followup)
    if alone == asked:
        return Understood(asked)
    said = _said(history, "assistant")
    # Its markers number other evidence than what is read now.
    answer = one_line(_MARKER.sub("", said[-1][:_MOST_READ]))[:_LONGEST_ANSWER] if said else ""
    return Understood(alone, alone.removesuffix(asked).strip(), answer)


def _said(history: History, role: str) -> list[str]:
    """What `role` said, oldest first; what is empty is left out."""
    return [str(m["content"]) for m in history if m.get("role") == role and m.get("content")]


def counts_back(question: str) -> bool:
    """Whether `question` picks one of several by its place: "the second one", "the latter"."""
    return any(map(_is_pick, _ORDINAL.finditer(question)))


def _is_pick(found: re.Match[str]) -> bool:
    """Whether what `_ORDINAL` found is one of a list, rather than "the first paper to …" and the like."""
    before, after = found.string[: found.start()], found.string[found.end() :]
    is_asked_for = _ASKS_WHICH.search(before) and _BY_USING.match(after)  # but "Is the second one using sound?"
    return found[2] is not None or not (_TOLD_APART.match(after) or is_asked_for)


def _named(question: str, listed: Sequence[str]) -> str:
    def name(match: re.Match[str]) -> str:
        place = _ORDINALS[(match[1] or match[2]).lower()]
        return listed[place] if -len(listed) <= place < len(listed) and _is_pick(match) else match[0]

    return _ORDINAL.sub(name, question) if len(listed) > 1 else question


def standalone(question: str, history: History, limit: int | None = None, *, is_followup: bool | None = None) -> str:
    """`question` as it can be understood without `history`.

    Returns the question itself where there is no earlier question or nothing points back; else the beginning of the
    earlier question, on one line, and this one, as one text of at most `limit` characters.
    """
    earlier = _said(history, "user")
    leans = leans_back(question) if is_followup is None else is_followup
    if not earlier or not leans:
        return question
    opening = earlier[-1]
    # A chain of follow-ups hangs on the last question that stood by itself.
    for previous in reversed(earlier):
        opening = previous
        if not leans_back(previous):
            break
    last = earlier[-1]
    parts = [opening] if opening == last else [opening, last]
    before = one_line(" ".join(parts))
    room = len(before) if limit is None else max(0, limit - len(question) - 1)
    if len(before) > room:
        before = before[:room].rpartition(" ")[0]
    return f"{before} {question}" if before else question
