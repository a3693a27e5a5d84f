"""`footnote chat --terminal`: the conversation of the page, line by line.

At a terminal, one status line shows what is being read and the draft as it grows; it is wiped when the checked answer
is printed, for only that is fit to stay. Where the output is no terminal, or NO_COLOR is set, checked answers are
printed and nothing else. Ctrl-C stops the answer and keeps the conversation; Ctrl-D or /quit ends it. Whatever comes
from papers, models or questions passes through `printable`, so that nothing but text reaches the terminal.

Source: https://no-color.org for NO_COLOR; ECMA-48 for the three control sequences used.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from rag import Answer, counted, verify
from rag.cli import cite
from rag.export import FORMATS, SUFFIX, export
from ui.asking import LETTING_GO_S, Asking
from ui.conversations.conversation import Conversation, Turn
from ui.doors.typed import Typed
from ui.views.turn import status_line

PROMPT = "> "
WIDEST = 100

_WIPE, _DIM, _BOLD, _PLAIN = "\r\x1b[K", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of what follows: text could pose as other text."""

HELP = """\
/new              forget the conversation
/sources [N]      the whole abstract behind each footnote, or behind footnote N
/verify           check every citation of the last answer again
/save FILE        write the conversation: .md, .json, or what was cited as .bib or .ris
/quit             end (so does Ctrl-D); Ctrl-C stops an answer"""


def printable(words: object) -> str:
    """`words` with blanks for what a terminal would act on: control characters and turns of direction."""
    kept = []
    for character in str(words):
        odd = character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        kept.append(" " if odd and character != "\n" else character)
    return "".join(kept)


class Terminal:
    """A conversation over two text streams. `run` returns the exit code."""

    def __init__(
        self, rag: Any, read: TextIO | None = None, write: TextIO | None = None, typed: Typed | None = None
    ) -> None:
        self._rag = rag
        self._typed = typed or Typed(None)
        self._read = read or sys.stdin
        self._write = write or sys.stdout
        self._talks = self._read.isatty()  # somebody types
        self._draws = self._write.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._conversation = Conversation()
        self._failed = False
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _rest: self._say(HELP),
            "new": self._new,
            "sources": self._sources,
            "verify": self._verify,
            "save": self._save,
        }

    def run(self) -> int:
        """Read lines until the end or /quit. 0, or 1 where nobody typed and a line could not be done."""
        if self._talks:
            self._say(f"{self._rag.description.line}\n/help says what can be typed.")
        for line in self._lines():
            words = line.strip()
            if words in ("/quit", "/exit", "/q"):
                break
            if words.startswith("/"):
                self._command(words)
            elif words:
                self._ask(words)
        return int(self._failed and not self._talks)

    def _lines(self) -> Iterator[str]:
        if not self._talks:
            yield from self._read
            return
        self._typed.recall()
        while True:
            try:
                line = input(PROMPT)
            except EOFError:
                self._say("")
                return
            except KeyboardInterrupt:
                self._say("\nCtrl-D or /quit ends.")
            else:
                self._typed.keep(line)
                yield line

    def _command(self, words: str) -> None:
        name, _, rest = words[1:].partition(" ")
        command = self._commands.get(name)
        if command is None:
            self._fail(f"There is no /{name}.\n{HELP}")
        else:
            command(rest.strip())

    def _ask(self, question: str) -> None:
        turn = self._conversation.ask(question)
        asking = Asking(self._rag, question, self._conversation.history())
        try:
            for batch in asking.batches():
                for event in batch:
                    turn.take(event)
                self._show_status(turn)
        except KeyboardInterrupt:
            turn.stop()
            if not self._talks:
                raise
        except Exception as error:  # noqa: BLE001  # said as a plain sentence; Asking has logged it
            turn.fail(error)
        finally:
            asking.stop()
            asking.join(LETTING_GO_S)
        self._wipe()
        self._show(turn)

    def _show(self, turn: Turn) -> None:
        if turn.answer is not None:
            if turn.standalone_question:
                self._say(self._dim(self._wrapped(f"Understood as: {turn.standalone_question}")))
            self._say(self._shown(turn.answer) + "\n")
        elif turn.stage == "failed":
            self._fail(self._wrapped(f"{turn.problem} {turn.remedy}"))
        else:
            self._say("Stopped. What was drafted had not been checked, so it is not shown.\n")

    def _show_status(self, turn: Turn) -> None:
        if not self._draws:
            return
        words = " ".join(printable(turn.draft or status_line(turn)).split())
        self._write.write(f"{_WIPE}{_DIM}{_end_of(words, self._width() - 2)}{_PLAIN}")
        self._write.flush()

    def _shown(self, answer: Answer) -> str:
        parts = [self._wrapped(answer.text)]
        partly = [claim.text for claim in answer.claims if claim.verdict == "partly"]
        parts += [self._dim(self._wrapped(f"Only partly supported: {words}")) for words in partly]
        if answer.notice:
            parts.append(self._dim(self._wrapped(f"({answer.notice})")))
        notes = [
            self._wrapped(f"[{citation.marker}] “{citation.quote}”", 4)
            + "\n"
            + self._dim(self._wrapped(f"    {cite(citation.paper)}", 4))
            for citation in answer.citations
        ]
        return "\n".join(parts) + ("\n\n" + "\n".join(notes) if notes else "")

    def _new(self, _rest: str) -> None:
        self._conversation = Conversation()
        self._say("A new conversation.")

    def _sources(self, rest: str) -> None:
        answer = self._last()
        if answer is None:
            return
        wanted = [citation for citation in answer.citations if rest in ("", str(citation.marker))]
        if not wanted:
            self._fail(f"There is no footnote {rest!r}." if rest else "The last answer has no footnotes.")
        for citation in wanted:
            abstract = citation.paper.abstract
            before, after = abstract[: citation.start], abstract[citation.end :]
            self._say(self._bold(f"[{citation.marker}] {printable(cite(citation.paper))}"))
            if self._draws:
                marked = f"{self._dim(printable(before))}{printable(citation.quote)}{self._dim(printable(after))}"
            else:
                marked = printable(f"{before}»{citation.quote}«{after}")
            self._say(marked + "\n")

    def _verify(self, _rest: str) -> None:
        answer = self._last()
        if answer is None:
            return
        problems = verify(answer.to_dict(), self._rag.papers)
        if problems:
            self._fail(self._wrapped("\n".join(problems)))
        else:
            self._say("Every citation holds.")

    def _save(self, rest: str) -> None:
        answers = self._conversation.answers
        path = Path(rest)
        kind = next((name for name in FORMATS if SUFFIX[name] == path.suffix.lower()), None)
        if kind is None:
            self._fail(f"Name a file that ends in {', '.join(SUFFIX.values())}.")
            return
        try:
            path = path.expanduser()
            words = export(answers, kind)
            with path.open("x", encoding="utf-8", errors="replace") as file:  # never over a file that is there
                file.write(words)
        except (OSError, RuntimeError, ValueError) as error:  # the latter two of a path that no file can have
            self._fail(f"{str(path)!r} cannot be written: {getattr(error, 'strerror', None) or error}.")
        else:
            self._say(f"Written to {printable(path)}: {counted(len(answers), 'answer')}.")

    def _last(self) -> Answer | None:
        answers = self._conversation.answers
        if not answers:
            self._fail("Nothing has been answered yet.")
            return None
        return answers[-1]

    def _fail(self, words: str) -> None:
        self._failed = True
        self._say(words + "\n")

    def _say(self, words: str) -> None:
        self._write.write(words + "\n")
        self._write.flush()

    def _wipe(self) -> None:
        if self._draws:
            self._write.write(_WIPE)

    def _dim(self, words: str) -> str:
        return f"{_DIM}{words}{_PLAIN}" if self._draws and words else words

    def _bold(self, words: str) -> str:
        return f"{_BOLD}{words}{_PLAIN}" if self._draws else words

    def _width(self) -> int:
        return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST) if self._draws else WIDEST

    def _wrapped(self, words: str, indent: int = 0) -> str:
        """`words` fit to print; at a terminal broken between words, otherwise a paragraph a line."""
        lines = printable(words).splitlines()
        if not self._draws:
            return "\n".join(lines)
        fill = textwrap.TextWrapper(self._width(), subsequent_indent=" " * indent, break_on_hyphens=False)
        return "\n".join(fill.fill(line) for line in lines)


def _end_of(words: str, cells: int) -> str:
    """As much of the end of `words` as fits in so many cells of a line."""
    for kept, character in enumerate(reversed(words)):
        cells -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if cells < 0:
            return f"…{words[len(words) - kept + 1 :]}"
    return words
