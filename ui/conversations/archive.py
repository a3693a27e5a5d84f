"""Conversations and feedback that are kept: what is written of them, and what each reader finds again.

Every conversation belongs to an owner, the name a reader signed in with or "" where nobody signs in, and no query
reaches another owner's. A turn is kept as the JSON of `Turn.to_dict`, so a conversation comes back with its citations.

What goes wrong on disk is an `ArchiveError` with a line for the reader; the chat goes on without. Knows nothing of
Gradio, nor of how the file is opened: see `archive_file`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ui.conversations.archive_file import ArchiveError, ArchiveFile
from ui.conversations.conversation import Conversation, Turn, plain_text
from ui.conversations.knobs import Knobs

ARCHIVE_FILE = "conversations.sqlite"
GUEST = "guest\n"
"""What the owner of a guest's conversations begins with, as no name does that somebody signs in with."""
MOST_LISTED = 200
"""Conversations listed at once."""
UNDO_S = 600.0
"""How long a deleted conversation can be brought back; then it goes from the file at the next deletion or start."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation in the list. `changed` is in seconds since 1970."""

    id: str
    title: str
    questions: int
    changed: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader said of one answer. `receipt` is the whole answer as `Answer.to_dict` gives it."""

    opinion: str
    note: str
    receipt: dict[str, Any]


class Archive:
    """The file at `path`, or one in memory that ends with the process. Safe to use from several threads.

    `notice` is a line for the reader where the file could not be used as it was found; empty if all is well.

    `is_start` says that a page starts: no guest of before has it open any more, and what they asked goes. What they
    said of an answer stays, as anybody's does.
    """

    def __init__(self, path: Path | None = None, *, is_start: bool = False) -> None:
        self._saving = threading.Lock()
        self._file = ArchiveFile(path, _forget_guests_and_purge if is_start else _purge)
        self.notice = self._file.notice

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def save(self, owner: str, conversation: Conversation) -> None:
        """Keep `conversation` as it is now. Does nothing for one in which nothing was asked.

        Where it went on elsewhere since it was opened, in another tab perhaps, this one becomes a conversation of its
        own with another id: neither overwrites the other. One that was deleted stays so, unless more has been asked.

        Raises:
            ArchiveError: it could not be kept; what was kept before is still there.
        """
        if not conversation.id or not conversation.turns:
            return
        with self._saving:  # until the revision is noted: an answer that ends and a stop can come at the same time
            key, revision = self._save(owner, conversation)
            conversation.id, conversation.revision = key, revision

    def _save(self, owner: str, conversation: Conversation) -> tuple[str, int]:
        """Write it; the id and the revision that it has then."""
        key, now = conversation.id, time.time()
        knobs = json.dumps(conversation.knobs.to_dict())
        remedy = "It is tried again with the next question."
        with self._file.writing("This conversation is not kept", remedy) as database:
            kept = database.execute(
                "SELECT owner, revision, deleted, asked FROM conversations WHERE id = ?", (key,)
            ).fetchone()
            if kept is not None:
                whose, there, deleted, asked = kept
                if whose != owner:
                    return key, conversation.revision
                is_elsewhere = there != conversation.revision and not _goes_on(database, key, conversation.turns)
                if is_elsewhere or (deleted is not None and conversation.asked > asked):
                    key, kept = uuid.uuid4().hex, None
            if kept is None:
                database.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, ?, 0, ?, ?, NULL)",
                    (key, owner, _sendable(conversation.title), conversation.asked, knobs, now, now),
                )
            revision = 1 + (kept[1] if kept else 0)
            database.execute(
                "UPDATE conversations SET asked = ?, knobs = ?, changed = ?, revision = ? WHERE id = ?",
                (conversation.asked, knobs, now, revision, key),
            )
            _save_turns(database, key, conversation.turns)
        return key, revision

    def open(self, owner: str, key: str) -> Conversation | None:
        """The conversation with that id, if `owner` has it.

        Raises:
            ArchiveError: the file cannot be read.
        """
        with self._file.reading() as database:
            row = database.execute(
                "SELECT title, asked, knobs, revision FROM conversations "
                "WHERE id = ? AND owner = ? AND deleted IS NULL",
                (key, owner),
            ).fetchone()
            if row is None:
                return None
            records = database.execute(
                "SELECT record FROM turns WHERE conversation = ? ORDER BY place", (key,)
            ).fetchall()
        try:
            turns = [Turn.from_dict(json.loads(record)) for (record,) in records]
            knobs = Knobs.from_dict(json.loads(row[2]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveError(f"The conversation {row[0]!r} cannot be read: {error}.") from error
        return Conversation(turns=turns, asked=row[1], id=key, title=row[0], knobs=knobs, revision=row[3])

    def entries(self, owner: str, search: str = "") -> list[Entry]:
        """What `owner` has, last changed first; with `search` only where every word of it occurs.

        Raises:
            ArchiveError: the file cannot be read.
        """
        query = (
            "SELECT id, title, (SELECT count(*) FROM turns WHERE conversation = id), changed "
            "FROM conversations WHERE owner = ? AND deleted IS NULL"
        )
        values: list[Any] = [owner]
        for word in _sendable(search).split():
            query += (
                " AND (folded(title) LIKE ? ESCAPE '!' OR EXISTS "
                "(SELECT 1 FROM turns WHERE conversation = id AND folded(words) LIKE ? ESCAPE '!'))"
            )
            values += [_like(word.casefold())] * 2
        with self._file.reading() as database:
            rows = database.execute(f"{query} ORDER BY changed DESC LIMIT ?", [*values, MOST_LISTED]).fetchall()
        return [Entry(*row) for row in rows]

    def rename(self, owner: str, key: str, title: str) -> None:
        """Give it another title; a blank one changes nothing.

        Raises:
            ArchiveError: it could not be written.
        """
        title = " ".join(_sendable(title).split())[:200]
        if title:
            with self._file.writing("The name is not changed") as database:
                database.execute("UPDATE conversations SET title = ? WHERE id = ? AND owner = ?", (title, key, owner))

    def delete(self, owner: str, key: str) -> None:
        """Take it out of every list; gone for good, with its feedback, after `UNDO_S`, at the next deletion or start.

        Raises:
            ArchiveError: it could not be written.
        """
        now = time.time()
        with self._file.writing("The conversation is not deleted") as database:
            _purge(database)
            database.execute("UPDATE conversations SET deleted = ? WHERE id = ? AND owner = ?", (now, key, owner))

    def undelete(self, owner: str, key: str) -> None:
        """Bring a deleted one back, while it can be.

        Raises:
            ArchiveError: it could not be written.
        """
        with self._file.writing("The conversation is not brought back") as database:
            database.execute(
                "UPDATE conversations SET deleted = NULL WHERE id = ? AND owner = ? AND deleted >= ?",
                (key, owner, time.time() - UNDO_S),
            )

    def add_feedback(self, owner: str, conversation: Conversation, turn: Turn, note: str = "") -> None:
        """Keep what the reader said of an answer, with the whole answer; once a turn, the last word counts.

        Raises:
            ArchiveError: it could not be written.
        """
        if turn.answer is None:
            return
        with self._file.writing("The feedback is not kept") as database:
            if not turn.opinion:
                database.execute(
                    "DELETE FROM feedback WHERE owner = ? AND conversation = ? AND turn = ?",
                    (owner, conversation.id, turn.number),
                )
                return
            database.execute(
                "INSERT OR REPLACE INTO feedback (owner, conversation, turn, opinion, note, receipt, given) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    owner,
                    conversation.id,
                    turn.number,
                    turn.opinion,
                    _sendable(note)[:4000],
                    _json(turn.answer.to_dict()),
                    time.time(),
                ),
            )

    def feedback(self) -> list[Feedback]:
        """All feedback of all owners, oldest first: for `footnote feedback export`, not for a page.

        Raises:
            ArchiveError: the file cannot be read.
        """
        with self._file.reading() as database:
            rows = database.execute("SELECT opinion, note, receipt FROM feedback ORDER BY given, id").fetchall()
        return [Feedback(opinion, note, json.loads(receipt)) for opinion, note, receipt in rows]


def _goes_on(database: sqlite3.Connection, key: str, turns: Sequence[Turn]) -> bool:
    """Whether `turns` go on from all that is kept, so that nothing is lost where they take its place.

    A last one that was stopped without an answer is gone on from by asking it again: a page that is loaded anew while
    an answer is on its way has it as it was then, and the old page's end of it is kept a moment later.
    """
    rows = database.execute("SELECT record FROM turns WHERE conversation = ? ORDER BY place", (key,)).fetchall()
    records = [json.loads(record) for (record,) in rows]
    if len(records) > len(turns):
        return False
    for place, (record, turn) in enumerate(zip(records, turns, strict=False), start=1):
        was_stopped = place == len(records) and record["stage"] == "stopped" and not {"answer", "balance"} & {*record}
        is_asked_again = was_stopped and record["question"] == turn.question
        if not is_asked_again and record != json.loads(_json(turn.to_dict())):
            return False
    return True


def _save_turns(database: sqlite3.Connection, key: str, turns: Sequence[Turn]) -> None:
    """Write those that are not there as they are now, and drop what was there behind them."""
    database.execute("DELETE FROM turns WHERE conversation = ? AND place >= ?", (key, len(turns)))
    there = dict(database.execute("SELECT place, state FROM turns WHERE conversation = ?", (key,)).fetchall())
    database.executemany(
        "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?)",
        [
            (key, place, _state(turn), _words(turn), _json(turn.to_dict()))
            for place, turn in enumerate(turns)
            if turn.running or there.get(place) != _state(turn)
        ],
    )


def _forget_guests(database: sqlite3.Connection) -> None:
    """Remove what guests asked; what they deleted cannot come back any more and is left to `_purge`."""
    theirs = (len(GUEST), GUEST)
    database.execute("DELETE FROM conversations WHERE deleted IS NULL AND substr(owner, 1, ?) = ?", theirs)
    database.execute("UPDATE conversations SET deleted = 0 WHERE substr(owner, 1, ?) = ?", theirs)


def _forget_guests_and_purge(database: sqlite3.Connection) -> None:
    _forget_guests(database)
    _purge(database)


def _purge(database: sqlite3.Connection) -> None:
    """Remove what was deleted so long ago that it cannot come back, and what was said of its answers."""
    until = (time.time() - UNDO_S,)
    database.execute(
        "DELETE FROM feedback WHERE (owner, conversation) IN (SELECT owner, id FROM conversations WHERE deleted < ?)",
        until,
    )
    database.execute("DELETE FROM conversations WHERE deleted < ?", until)


def _state(turn: Turn) -> str:
    """Tells a turn from what it was: once it has ended, only the reader's opinion and its versions change."""
    others = [_state(other) for version in turn.versions for other in version]
    return f"{turn.number} {turn.stage} {turn.opinion} {turn.answer is not None} {turn.version} {others}"


def _words(turn: Turn) -> str:
    """What a search looks through: question and answer, and the titles of the papers cited; in all versions."""
    parts = [turn.question, turn.restated, turn.draft if turn.answer is None else plain_text(turn.answer)]
    if turn.answer is not None:
        parts += dict.fromkeys(citation.paper.title for citation in turn.answer.citations)
    if turn.balance is not None:
        parts += [one.paper.title for one in turn.balance.papers if one.stance != "silent"]
    parts += [_words(other) for version in turn.versions for other in version]
    return _sendable("\n".join(part for part in parts if part))


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts)  # ASCII: a lone surrogate in a question survives as an escape


def _sendable(words: str) -> str:
    return words.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _like(word: str) -> str:
    escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
