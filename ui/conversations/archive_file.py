"""The SQLite file of conversations: its tables, how it is opened, and in words what goes wrong with it.

A damaged file is put aside under another name, never overwritten, and a file of a newer Footnote is left alone: then,
and where the disk does not let it be used, all is kept in memory until the process ends. Knows nothing of what the
tables hold.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag import FootnoteError
from ui.private import open_private

VERSION = 1
"""Of the tables below, in the file's `user_version`."""
IN_MEMORY = ":memory:"
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


class ArchiveFile:
    """The file at `path`, or one in memory that ends with the process. Safe to use from several threads.

    `notice` is a line for the reader where the file could not be used as it was found; empty if all is well. `begin` is
    called with what was opened, in a transaction of its own.
    """

    def __init__(self, path: Path | None, begin: Callable[[sqlite3.Connection], None]) -> None:
        self.notice = ""
        self._begin = begin
        self._lock = threading.RLock()
        self._database = self._opened(path)

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._database.close()

    def _opened(self, path: Path | None) -> sqlite3.Connection:
        if path is None:
            return _with_tables(_connect(IN_MEMORY))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return self._on_disk(path)
        except (OSError, sqlite3.Error) as error:
            self.notice = f"Conversations are not kept: {path.name} cannot be used ({_reason(error)})."
            return _with_tables(_connect(IN_MEMORY))

    def _on_disk(self, path: Path) -> sqlite3.Connection:
        database = _connect(str(path))
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                database.close()
                self.notice = f"Conversations are not kept: a newer Footnote wrote {path.name}. Update Footnote."
                return _with_tables(_connect(IN_MEMORY))
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the file is damaged")
            if version == 0:
                _with_tables(database)
            with database:
                self._begin(database)
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
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database, to be read; its errors are ArchiveErrors."""
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise ArchiveError(f"Conversations cannot be read: {_reason(error)}.") from error

    @contextmanager
    def writing(self, failed: str, remedy: str = "Try it again.") -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing, and the error begins with what `failed`."""
        with self._lock:
            try:
                with self._database:
                    yield self._database
            except sqlite3.Error as error:
                raise ArchiveError(f"{failed}: {_reason(error)}.", remedy) from error


def _connect(place: str) -> sqlite3.Connection:
    if place != IN_MEMORY:
        open_private(Path(place)).close()
    # One connection for all threads, under one lock.
    database = sqlite3.connect(place, timeout=LOCKED_S, check_same_thread=False)
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA secure_delete = ON")  # what a reader deletes is overwritten, not only unlinked
    # LIKE minds the case of all letters but those of ASCII.
    database.create_function("folded", 1, str.casefold, deterministic=True)
    return database


def _with_tables(database: sqlite3.Connection) -> sqlite3.Connection:
    database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    return database


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
