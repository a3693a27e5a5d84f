"""One reader's conversation: its turns, and what became of each.

Plain state that lives in the reader's session. It takes the events of `Rag.stream` as they come and says what the
model should be told of earlier turns; it knows nothing of Gradio, HTML, threads or files.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rag import Answer, Balance, Event, EvidenceFound, FootnoteError
from ui.conversations.knobs import Knobs

Stage = Literal["waiting", "reading", "drafting", "done", "stopped", "failed"]
Kind = Literal["question", "claim"]

UNEXPECTED_PROBLEM = "Something went wrong on the server while answering."
UNEXPECTED_REMEDY = "Ask again; if it happens again, the server's log has the details."

_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_BEGUN_MARKER = re.compile(r"\s*\[[\d,\s]*$")
_FENCED = re.compile(r"(^[ \t]*(`{3,}|~{3,})[^`\n]*\n(?:.*?^[ \t]*\2[`~]*[ \t]*$|.*\Z))", re.MULTILINE | re.DOTALL)
_TITLE_CHARS = 80


def without_markers(text: str) -> str:
    """`text` without footnote markers such as ` [2]`, and without one that has only begun at its end.

    What stands in a block of code between fences stays: there `[2]` is an index.
    """
    kept, end = "", 0
    for fenced in _FENCED.finditer(text):
        kept += _MARKER.sub("", text[end : fenced.start()]) + fenced[0]
        end = fenced.end()
    return kept + _BEGUN_MARKER.sub("", _MARKER.sub("", text[end:]))


def plain_text(answer: Answer) -> str:
    """What was answered, without markers: how an earlier answer is told to the model.

    The papers that an answer goes through are named, so that "the second one" has a meaning.
    """
    said = (f"{claim.subject}: {claim.text}" if claim.subject else claim.text for claim in answer.claims)
    return " ".join(said) or without_markers(answer.text)


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
    restated: str = ""
    """The stand-alone form as the reader corrected it; asked in place of the question, without the history."""
    opinion: str = ""
    """What the reader said of the answer: "up", "down", "wrong source", or nothing."""
    ahead: int | None = None
    """How many questions come before it, once it has a place in the line."""
    kind: Kind = "question"
    """A question is answered, a claim is weighed."""
    balance: Balance | None = None
    """What was found for a claim so far."""
    versions: list[list[Turn]] = field(default_factory=list)
    """What else the conversation was from here on, each with all its turns, oldest first: see `Conversation.go_to`."""
    version: int = 0
    """The place of what stands here now among them."""

    def waits(self) -> bool:
        """Whether its turn in the line has not come yet."""
        return self.stage == "waiting"

    @property
    def running(self) -> bool:
        """Whether more may still come."""
        return self.stage in ("waiting", "reading", "drafting")

    @property
    def asked(self) -> str:
        """What the Rag is asked."""
        return self.restated or self.question

    @property
    def standalone_question(self) -> str:
        """The question as it was understood, if that differs from what was typed; otherwise empty."""
        source = self.answer or self.found
        understood = source.standalone_question.strip() if source else self.restated
        return "" if understood == self.question.strip() else understood

    def take(self, event: Event | Balance) -> None:
        """Note one event of the stream, or how far the weighing of a claim is."""
        if isinstance(event, Balance):
            self.balance = event
            self.stage = "done" if len(event.papers) == event.near else "reading"
        elif isinstance(event, EvidenceFound):
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

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary from which `from_dict` makes this turn again, citations and all."""
        words = ("number", "question", "stage", "draft", "problem", "remedy", "restated", "opinion", "kind")
        facts: dict[str, Any] = {name: getattr(self, name) for name in words}
        if self.balance is not None:
            facts["balance"] = self.balance.to_dict()
        elif self.answer is not None:
            facts["answer"] = self.answer.to_dict()
        elif self.found is not None:
            found = self.found
            facts["found"] = {
                "question": found.question,
                "standalone_question": found.standalone_question,
                "hits": [asdict(hit) for hit in found.hits],
                "evidence": [asdict(item) for item in found.evidence],
            }
        if self.versions:
            facts["versions"] = [[turn.to_dict() for turn in version] for version in self.versions]
            facts["version"] = self.version
        return facts

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Turn:
        """The turn that `to_dict` described; one that was still running then is stopped now.

        Raises:
            KeyError, TypeError: the dictionary does not describe a turn.
        """
        values = dict(facts)
        answer = values.pop("answer", None)
        found = values.pop("found", None)
        balance = values.pop("balance", None)
        versions = [[cls.from_dict(turn) for turn in version] for version in values.pop("versions", ())]
        turn = cls(**values, versions=versions)
        if balance is not None:
            turn.balance = Balance.from_dict(balance)
        if answer is not None:
            turn.answer = Answer.from_dict(answer)
        elif found is not None:  # an Answer knows how to read the same facts
            read = Answer.from_dict({"text": "", "status": "abstained", **found})
            turn.found = EvidenceFound(read.question, read.standalone_question, read.hits, read.evidence)
        turn.stop()
        return turn


@dataclass
class Conversation:
    """The turns of one reader, oldest first."""

    turns: list[Turn] = field(default_factory=list)
    asked: int = 0
    asking: Any = None
    """The `ui.asking.Asking` at work on the last turn, if one is."""
    id: str = ""
    """Names it on disk; given with its first question."""
    title: str = ""
    revision: int = 0
    """Which state of it on disk this one goes on from."""
    knobs: Knobs = field(default_factory=Knobs)

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

    def turn(self, number: int) -> Turn | None:
        """The turn of that number, if it is still there."""
        return next((turn for turn in self.turns if turn.number == number), None)

    @property
    def answers(self) -> list[Answer]:
        """Every answer in it, oldest first."""
        return [turn.answer for turn in self.turns if turn.answer is not None]

    @property
    def findings(self) -> list[Answer | Balance]:
        """Every answer in it and what was found for every claim that was weighed to its end, oldest first."""
        found = ((turn.balance if turn.stage == "done" else None) or turn.answer for turn in self.turns)
        return [one for one in found if one is not None]

    def ask(self, question: str, restated: str = "", kind: Kind = "question") -> Turn:
        """Begin a turn. Whoever calls has made sure that none is running."""
        self.asked += 1
        turn = Turn(number=self.asked, question=question.strip(), restated=restated.strip(), kind=kind)
        self.turns.append(turn)
        self.id = self.id or uuid.uuid4().hex
        self.title = self.title or titled(turn.question)
        return turn

    def retry(self) -> Turn | None:
        """Begin the last question anew in the place of its turn; None if nothing was asked.

        A turn to which nothing was said is no version to go back to: its question is the same.
        """
        last = self.last
        if last is None:
            return None
        turn = self._ask_in_place(len(self.turns) - 1, last.question, last.restated)
        if not (last.answer or last.balance or last.draft):
            turn.versions = [version for version in turn.versions if version[0] is not last]
            turn.version = len(turn.versions)
        return turn

    def ask_from(self, number: int, question: str = "", restated: str = "") -> Turn | None:
        """Ask the question of turn `number` anew, in other words, in the place of it and of all that came after it.

        Args:
            number: of the turn; None is returned if there is none.
            question: what to ask in its place; the same question if empty.
            restated: the stand-alone form to answer, where only that was corrected.
        """
        place = self._place_of(number)
        if place is None:
            return None
        return self._ask_in_place(place, question.strip() or self.turns[place].question, restated)

    def go_to(self, number: int, version: int) -> Turn | None:
        """Show another version of the conversation from turn `number` on; the one that stands there now is kept.

        Returns the turn that stands there then; None where there is no such turn or version.
        """
        place = self._place_of(number)
        if place is None or version not in range(len(self.turns[place].versions) + 1):
            return None
        versions = self._taken_away(place)
        chosen = versions.pop(version)
        chosen[0].versions, chosen[0].version = versions, version
        self.turns += chosen
        return chosen[0]

    def _ask_in_place(self, place: int, question: str, restated: str) -> Turn:
        kind = self.turns[place].kind
        versions = self._taken_away(place)
        turn = self.ask(question, restated, kind)
        turn.versions, turn.version = versions, len(versions)
        return turn

    def _taken_away(self, place: int) -> list[list[Turn]]:
        """Every version of the conversation from `place` on, in order; the turns that stood there are taken out."""
        here, self.turns[place:] = self.turns[place:], []
        versions = [*here[0].versions]
        versions.insert(here[0].version, here)
        here[0].versions, here[0].version = [], 0
        return versions

    def _place_of(self, number: int) -> int | None:
        return next((i for i, turn in enumerate(self.turns) if turn.number == number), None)

    def clear(self) -> None:
        """Begin another conversation; the settings stay."""
        self.turns.clear()
        self.id = self.title = ""
        self.revision = 0

    def history(self, turn: Turn | None = None) -> list[dict[str, str]]:
        """The finished turns before `turn` (the last if None), for `Rag.stream`: question, then answer without markers.

        A turn that was stopped or failed is left out whole, but for what was checked of it. So is everything where
        the question is asked in a corrected stand-alone form.
        """
        asked = turn or self.last
        if asked is None or asked.restated:
            return []
        messages = []
        for earlier in self.turns[: self.turns.index(asked)]:
            if earlier.answer is not None:
                messages.append({"role": "user", "content": earlier.asked})
                messages.append({"role": "assistant", "content": plain_text(earlier.answer)})
        return messages


def titled(question: str) -> str:
    """A question as the title of a conversation: one line, cut at a word."""
    line = " ".join(question.split())
    if len(line) <= _TITLE_CHARS:
        return line
    cut = line[: _TITLE_CHARS - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"
