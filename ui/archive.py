"""Conversations and feedback on disk: one SQLite file in the user's data folder.

Every conversation belongs to an owner, the name a reader signed in with or "" where nobody signs in, and no query
reaches another owner's. A turn is kept as the JSON of `Turn.to_dict`, so a conversation comes back with its citations.

What goes wrong on disk is an `ArchiveError` with a line for the reader; the chat goes on without. A damaged file is
put aside under another name, never overwritten, and a file of a newer Footnote is left alone. Knows nothing of Gradio.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag import FootnoteError
from ui.conversation import Conversation, Turn, plain_text
from ui.knobs import Knobs

ARCHIVE_FILE = "conversations.sqlite"
VERSION = 1
"""Of the tables below, in the file's `user_version`."""
GUEST = "guest\n"
"""What the owner of a guest's conversations begins with, as no name does that somebody signs in with."""
MOST_LISTED = 200
"""Conversations listed at once."""
UNDO_S = 600.0
"""How long a deleted conversation can be brought back; then it goes from the file at the next deletion or start."""
LOCKED_S = 2.0
"""How long a write waits for another program that has the file."""

_TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, asked INTEGER NOT NULL, knobs TEXT NOT NULL,
    revision INTEGER NOT NULL, created REAL NOT NULL, changed REAL NOT NULL, deleted REAL
);
CREATE INDEX by_owner ON conversations (owner, changed);
CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    place INTEGER NOT NULL, state TEXT NOT NULL, words TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (conversation, place)
);
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, conversation TEXT NOT NULL, turn INTEGER NOT NULL,
    opinion TEXT NOT NULL, note TEXT NOT NULL, receipt TEXT NOT NULL, given REAL NOT NULL,
    UNIQUE (owner, conversation, turn)
);
"""


class ArchiveError(FootnoteError):
    """Conversations cannot be read or kept."""


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
        self.notice = ""
        self._is_start = is_start
        self._lock = threading.RLock()
        self._database = self._opened(path)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def save(self, owner: str, conversation: Conversation) -> None:
        """Keep `conversation` as it is now. Does nothing for one in which nothing was asked.

        Where it went on elsewhere since it was opened, in another tab perhaps, this one becomes a conversation of its
        own with another id: neither overwrites the other.

        Raises:
            ArchiveError: it could not be kept; what was kept before is still there.
        """
        if not conversation.id or not conversation.turns:
            return
        with self._lock:  # until the revision is noted: an answer that ends and a stop can come at the same time
            key, revision = self._save(owner, conversation)
            conversation.id, conversation.revision = key, revision

    def _save(self, owner: str, conversation: Conversation) -> tuple[str, int]:
        """Write it; the id and the revision that it has then."""
        key, now = conversation.id, time.time()
        knobs = json.dumps(conversation.knobs.to_dict())
        remedy = "It is tried again with the next question."
        with self._writing("This conversation is not kept", remedy) as database:
            kept = database.execute("SELECT owner, revision FROM conversations WHERE id = ?", (key,)).fetchone()
            if kept is not None and kept[0] != owner:
                return key, conversation.revision
            if kept is not None and kept[1] != conversation.revision:
                key, kept = uuid.uuid4().hex, None
            if kept is None:
                database.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, ?, 0, ?, ?, NULL)",
                    (key, owner, _sendable(conversation.title), conversation.asked, knobs, now, now),
                )
            revision = 1 + (kept[1] if kept else 0)
            database.execute(
                "UPDATE conversations SET asked = ?, knobs = ?, changed = ?, revision = ?, deleted = NULL WHERE id = ?",
                (conversation.asked, knobs, now, revision, key),
            )
            _save_turns(database, key, conversation.turns)
        return key, revision

    def open(self, owner: str, key: str) -> Conversation | None:
        """The conversation with that id, if `owner` has it.

        Raises:
            ArchiveError: the file cannot be read.
        """
        with self._using() as database:
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
                " AND (title LIKE ? ESCAPE '!' OR EXISTS "
                "(SELECT 1 FROM turns WHERE conversation = id AND words LIKE ? ESCAPE '!'))"
            )
            values += [_like(word)] * 2
        with self._using() as database:
            rows = database.execute(f"{query} ORDER BY changed DESC LIMIT ?", [*values, MOST_LISTED]).fetchall()
        return [Entry(*row) for row in rows]

    def rename(self, owner: str, key: str, title: str) -> None:
        """Give it another title; a blank one changes nothing.

        Raises:
            ArchiveError: it could not be written.
        """
        title = " ".join(_sendable(title).split())[:200]
        if title:
            with self._writing("The name is not changed") as database:
                database.execute("UPDATE conversations SET title = ? WHERE id = ? AND owner = ?", (title, key, owner))

    def delete(self, owner: str, key: str) -> None:
        """Take it out of every list; gone for good, with its feedback, after `UNDO_S`, at the next deletion or start.

        Raises:
            ArchiveError: it could not be written.
        """
        now = time.time()
        with self._writing("The conversation is not deleted") as database:
            _purge(database, now)
            database.execute("UPDATE conversations SET deleted = ? WHERE id = ? AND owner = ?", (now, key, owner))

    def undelete(self, owner: str, key: str) -> None:
        """Bring a deleted one back, while it can be.

        Raises:
            ArchiveError: it could not be written.
        """
        with self._writing("The conversation is not brought back") as database:
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
        with self._writing("The feedback is not kept") as database:
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
        with self._using() as database:
            rows = database.execute("SELECT opinion, note, receipt FROM feedback ORDER BY given, id").fetchall()
        return [Feedback(opinion, note, json.loads(receipt)) for opinion, note, receipt in rows]

    def _opened(self, path: Path | None) -> sqlite3.Connection:
        if path is None:
            return _with_tables(_connect(":memory:"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return self._on_disk(path)
        except (OSError, sqlite3.Error) as error:
            self.notice = f"Conversations are not kept: {path.name} cannot be used ({_reason(error)})."
            return _with_tables(_connect(":memory:"))

    def _on_disk(self, path: Path) -> sqlite3.Connection:
        database = _connect(str(path))
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                database.close()
                self.notice = f"Conversations are not kept: a newer Footnote wrote {path.name}. Update Footnote."
                return _with_tables(_connect(":memory:"))
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the file is damaged")
            if version == 0:
                _with_tables(database)
            with database:
                if self._is_start:
                    _forget_guests(database)
                _purge(database, time.time())
        except sqlite3.OperationalError:  # locked, read-only, full: the file itself may be well
            database.close()
            raise
        except sqlite3.DatabaseError:
            database.close()
            aside = path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
            path.rename(aside)
            self.notice = (
                f"The file of conversations was damaged; it lies now in {aside.name}, and a new one was begun."
            )
            return _with_tables(_connect(str(path)))
        return database

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise ArchiveError(f"Conversations cannot be read: {_reason(error)}.") from error

    @contextmanager
    def _writing(self, failed: str, remedy: str = "Try it again.") -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing, and the error begins with what `failed`."""
        with self._lock:
            try:
                with self._database:
                    yield self._database
            except sqlite3.Error as error:
                raise ArchiveError(f"{failed}: {_reason(error)}.", remedy) from error


def _connect(place: str) -> sqlite3.Connection:
    # One connection for all threads, under the Archive's lock.
    database = sqlite3.connect(place, timeout=LOCKED_S, check_same_thread=False)
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA secure_delete = ON")  # what a reader deletes is overwritten, not only unlinked
    return database


def _with_tables(database: sqlite3.Connection) -> sqlite3.Connection:
    database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    return database


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


def _purge(database: sqlite3.Connection, now: float) -> None:
    """Remove what was deleted so long ago that it cannot come back, and what was said of its answers."""
    until = (now - UNDO_S,)
    database.execute(
        "DELETE FROM feedback WHERE (owner, conversation) IN (SELECT owner, id FROM conversations WHERE deleted < ?)",
        until,
    )
    database.execute("DELETE FROM conversations WHERE deleted < ?", until)


def _state(turn: Turn) -> str:
    """Tells a turn from what it was: once it has ended, nothing of it changes but the reader's opinion."""
    return f"{turn.number} {turn.stage} {turn.opinion} {turn.answer is not None}"


def _words(turn: Turn) -> str:
    """What a search looks through: question and answer, and the titles of the papers cited."""
    parts = [turn.question, turn.restated, turn.draft if turn.answer is None else plain_text(turn.answer)]
    if turn.answer is not None:
        parts += dict.fromkeys(citation.paper.title for citation in turn.answer.citations)
    if turn.balance is not None:
        parts += [one.paper.title for one in turn.balance.papers if one.stance != "silent"]
    return _sendable("\n".join(part for part in parts if part))


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts)  # ASCII: a lone surrogate in a question survives as an escape


def _sendable(words: str) -> str:
    return words.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _like(word: str) -> str:
    escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


_REASONS = {
    "database or disk is full": "the disk is full",
    "database is locked": "another program has the file",
    "attempt to write a readonly database": "the file may not be written",
    "disk I/O error": "the disk failed",
    "database disk image is malformed": "the file is damaged",
    "file is not a database": "the file is damaged",
    "unable to open database file": "it cannot be opened",
}


def _reason(error: Exception) -> str:
    """What SQLite or the system said, in words for a reader."""
    said = str(error)
    with suppress(AttributeError):
        said = error.strerror or said  # type: ignore[attr-defined]
    return next((words for start, words in _REASONS.items() if said.startswith(start)), said.rstrip("."))
