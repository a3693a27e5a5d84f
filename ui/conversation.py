"""One reader's conversation: its turns, and what became of each.

Plain state that lives in the reader's session. It takes the events of `Rag.stream` as they come and says what the
model should be told of earlier turns; it knows nothing of Gradio, HTML or threads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from rag import Answer, Event, EvidenceFound, FootnoteError

Stage = Literal["waiting", "reading", "drafting", "done", "stopped", "failed"]

UNEXPECTED_PROBLEM = "Something went wrong on the server while answering."
UNEXPECTED_REMEDY = "Ask again; if it happens again, the server's log has the details."

_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_BEGUN_MARKER = re.compile(r"\s*\[[\d,\s]*$")


def without_markers(text: str) -> str:
    """`text` without footnote markers such as ` [2]`, and without one that has only begun at its end."""
    return _BEGUN_MARKER.sub("", _MARKER.sub("", text))


def plain_text(answer: Answer) -> str:
    """What was answered, without markers: how an earlier answer is told to the model."""
    return " ".join(claim.text for claim in answer.claims) or without_markers(answer.text)


@dataclass
class Turn:
    """One question and how far its answer has come. `number` is never used twice in a conversation."""

    number: int
    question: str
    stage: Stage = "waiting"
    found: EvidenceFound | None = None
    draft: str = ""
    answer: Answer | None = None
    problem: str = ""
    remedy: str = ""
    ahead: int | None = None
    """How many questions come before it, once it has a place in the line."""

    @property
    def running(self) -> bool:
        """Whether more may still come."""
        return self.stage in ("waiting", "reading", "drafting")

    @property
    def standalone_question(self) -> str:
        """The question as it was understood, if that differs from what was typed; otherwise empty."""
        source = self.answer or self.found
        understood = source.standalone_question.strip() if source else ""
        return "" if understood == self.question.strip() else understood

    def take(self, event: Event) -> None:
        """Note one event of the stream."""
        if isinstance(event, EvidenceFound):
            self.found = event
            self.stage = "reading"
        elif isinstance(event, Answer):
            self.answer = event
            self.stage = "done"
        else:
            self.draft += event.text
            self.stage = "drafting"

    def stop(self) -> None:
        """Leave what there is so far; a finished turn stays as it is."""
        if self.running:
            self.stage = "stopped"

    def fail(self, error: Exception) -> None:
        """Note why there is no answer, in words fit for a reader: never a stack trace."""
        self.stage = "failed"
        if isinstance(error, FootnoteError):
            self.problem, self.remedy = error.problem, error.remedy
        else:
            self.problem, self.remedy = UNEXPECTED_PROBLEM, UNEXPECTED_REMEDY


@dataclass
class Conversation:
    """The turns of one reader, oldest first."""

    turns: list[Turn] = field(default_factory=list)
    asked: int = 0
    asking: Any = None
    """The `ui.asking.Asking` at work on the last turn, if one is."""

    @property
    def last(self) -> Turn | None:
        """The newest turn, if there is any."""
        return self.turns[-1] if self.turns else None

    @property
    def past(self) -> list[Turn]:
        """Every turn but the newest."""
        return self.turns[:-1]

    @property
    def running(self) -> bool:
        """Whether an answer is on its way."""
        return self.last is not None and self.last.running

    def ask(self, question: str) -> Turn:
        """Begin a turn. Whoever calls has made sure that none is running."""
        self.asked += 1
        turn = Turn(number=self.asked, question=question.strip())
        self.turns.append(turn)
        return turn

    def retry(self) -> Turn | None:
        """Begin the last question anew in the place of its turn; None if nothing was asked."""
        if not self.turns:
            return None
        return self.ask(self.turns.pop().question)

    def clear(self) -> None:
        """Forget all turns."""
        self.turns.clear()

    def history(self) -> list[dict[str, str]]:
        """The finished turns before the last, for `Rag.stream`: question, then answer without markers.

        A turn that was stopped or failed is left out whole: its text was never checked.
        """
        messages = []
        for turn in self.past:
            if turn.answer is not None:
                messages.append({"role": "user", "content": turn.question})
                messages.append({"role": "assistant", "content": plain_text(turn.answer)})
        return messages
