"""What was typed in the terminal, kept between sessions: a file that its owner alone may read, one line an entry.

The lines are given to readline at the start, so that the arrow keys and Ctrl-R find them, and each new one is appended
at once: two terminals at a time lose nothing. Where the file cannot be used, nothing is kept and nothing else changes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ui.private import open_private

FILE = "terminal-history"
MOST_LINES = 1000


class Typed:
    """The lines in the file at `path`; with None for it those of this session alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._last = ""

    def recall(self) -> None:
        """Give readline, which also makes arrow keys work in `input`, what was typed before, as far as there is any."""
        try:
            import readline
        except ImportError:  # Windows
            return
        for line in self._lines():
            readline.add_history(line)
            self._last = line

    def keep(self, line: str) -> None:
        """Keep one more line; not a blank one, nor the last one again."""
        line = " ".join(line.encode("utf-8", "replace").decode("utf-8").split())
        if self._path is None or not line or line == self._last:
            return
        self._last = line
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open_private(self._path, os.O_APPEND) as file:
                file.write(f"{line}\n")

    def _lines(self) -> list[str]:
        """The last lines of the file, which is cut to them."""
        if self._path is None:
            return []
        with suppress(OSError):
            lines = self._path.read_text("utf-8", "replace").splitlines()
            kept = lines[-MOST_LINES:]
            if len(kept) < len(lines):
                new = self._path.with_suffix(f".{os.getpid()}")
                with open_private(new, os.O_TRUNC) as file:
                    file.write("".join(f"{line}\n" for line in kept))
                new.replace(self._path)
            return kept
        return []
