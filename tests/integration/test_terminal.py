"""`footnote chat --terminal`: as a program reads and writes it, and on a real pseudo-terminal."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_rag import LANTERN, FakeRag

from rag import Answer, verify
from ui.doors.terminal import Terminal, _end_of, printable
from ui.doors.typed import MOST_LINES, Typed

ROOT = Path(__file__).parents[2]
COMMAND = """
import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from types import SimpleNamespace
from fake_rag import FakeRag
import ui.__main__ as command
rag = FakeRag(pace_s=0)
rag.warm_up = rag.close = lambda: None
command.Rag = SimpleNamespace(open=lambda *_arguments, **_options: rag)
sys.exit(command.main(["--terminal"]))
"""
"""`footnote chat --terminal` as it is, but for what answers."""
FAKE = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from fake_rag import FakeRag; from ui.doors.terminal import Terminal; sys.exit(Terminal(FakeRag(pace_s=0.01)).run())"


def talk(*lines, rag=None):
    out = io.StringIO()
    code = Terminal(rag or FakeRag(pace_s=0), io.StringIO("".join(f"{line}\n" for line in lines)), out).run()
    return code, out.getvalue()


def test_questions_from_a_pipe_are_answered_with_footnotes_and_nothing_else_is_written():
    code, said = talk("How fast?", "")
    assert code == 0
    assert said.startswith("LanternNet restores videos taken at night")
    assert "[2] “On the DuskClips benchmark" in said
    assert "\x1b" not in said
    assert "> " not in said
    assert "Reading" not in said


def test_a_follow_up_has_the_conversation_until_it_is_begun_anew():
    rag = FakeRag(pace_s=0)
    _, said = talk("How fast?", "and then?", "/new", "How large?", rag=rag)
    assert "Understood as: What is the speed of LanternNet, and then??" in said
    assert [len(history) for _, history in rag.asked] == [0, 2, 0]
    assert "[1]" not in rag.asked[1][1][1]["content"]


def test_sources_show_the_abstract_with_the_quote_marked():
    _, said = talk("How fast?", "/sources 2")
    shown = said[said.rindex("[2] LanternNet") :]
    quoted = re.search("»(.*)«", shown).group(1)
    assert quoted in LANTERN.abstract
    assert shown.count("»") == 1
    assert talk("How fast?", "/sources 9")[0] == 1
    assert talk("/sources")[1] == "Nothing has been answered yet.\n\n"


def test_verify_checks_the_last_answer():
    assert talk("How fast?", "/verify")[1].endswith("Every citation holds.\n")


def test_a_saved_conversation_can_be_read_back_and_nothing_is_written_over(tmp_path):
    saved = tmp_path / "talk.json"
    code, _ = talk("How fast?", "How large?", f"/save {saved}", f"/save {tmp_path / 'cited.bib'}")
    assert code == 0
    receipts = json.loads(saved.read_text())
    assert [Answer.from_dict(receipt).question for receipt in receipts] == ["How fast?", "How large?"]
    assert all(verify(receipt) == () for receipt in receipts)
    assert "LanternNet" in (tmp_path / "cited.bib").read_text()
    code, said = talk("x", f"/save {saved}")
    assert code == 1
    assert "File exists" in said
    assert talk("x", "/save talk.docx")[0] == 1
    code, said = talk("x", "/save ~nobodysuch/talk.md", "/save \0.md", "/verify")
    assert code == 1
    assert said.count("cannot be written") == 2
    assert "Every citation holds" in said, "the conversation goes on"


def test_what_fails_is_one_plain_sentence_and_the_next_question_is_answered():
    code, said = talk("broken", "crash", "/nonsense", "wifi")
    assert code == 1
    assert "The model ran out of memory. Choose a smaller one" in said
    assert "Something went wrong" in said
    assert "private" not in said
    assert "There is no /nonsense" in said
    assert "The library does not say. The nearest papers are:" in said


def test_quit_ends_before_the_rest_is_read():
    rag = FakeRag(pace_s=0)
    assert talk("/quit", "How fast?", rag=rag)[0] == 0
    assert rag.asked == []


def test_control_characters_of_abstracts_and_questions_never_reach_the_terminal():
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\r\x08\x7f\u2028"
    rag = FakeRag(pace_s=0)

    class Evil:
        papers = rag.papers

        def stream(self, question, history=(), stopped=None):
            for event in rag.stream(question, history):
                if isinstance(event, Answer):
                    paper = dataclasses.replace(LANTERN, title=evil + "title", abstract=evil + "abstract", venue=evil)
                    citation = dataclasses.replace(
                        event.citations[0], paper=paper, quote=evil + "abstract", start=0, end=len(paper.abstract)
                    )
                    yield dataclasses.replace(
                        event, text=evil + "text", notice=evil, citations=(citation,), standalone_question=evil
                    )
                else:
                    yield event

    _, said = talk("How fast?", "/sources", "/verify", rag=Evil())
    assert "title" in said
    assert "abstract" in said
    assert not set(said) & set("\x1b\x07\x9b\u202e\u2066\r\x08\x7f\u2028")
    assert printable("a\ud800\tb") == "a  b"


def test_the_status_line_never_breaks_over_two_lines():
    assert _end_of("short", 10) == "short"
    assert _end_of("abcdefghij", 4) == "…hij"
    assert _end_of("漢字漢字", 5) == "…字"


class OnATerminal:
    """A process whose three streams are a pseudo-terminal."""

    def __init__(self, program=FAKE, **environment):
        self.ours, theirs = pty.openpty()
        values = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "TERM": "xterm",
            "COLUMNS": "80",
            **environment,
        }
        values = {name: value for name, value in values.items() if value is not None}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=values,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.coming = b""

    def comes(self, words, within_s):
        """Whether these words come."""
        until = time.monotonic() + within_s
        while words.encode() not in self.coming and time.monotonic() < until:
            if select.select([self.ours], [], [], 0.2)[0]:
                self.coming += os.read(self.ours, 65536)
        return words.encode() in self.coming

    def wait_for(self, words, within_s=60):
        """What came since the last such call, up to these words."""
        assert self.comes(words, within_s), f"{words!r} did not come: {self.coming!r}"
        before, found, self.coming = self.coming.partition(words.encode())
        return (before + found).decode()

    def type(self, words):
        os.write(self.ours, words.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def terminal():
    opened = []

    def start(program=FAKE, **environment):
        opened.append(OnATerminal(program, **{"NO_COLOR": None, **environment}))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_at_a_terminal_the_draft_is_shown_and_wiped_and_ctrl_c_stops_the_answer_alone(terminal):
    screen = terminal()
    screen.wait_for("/help says what can be typed.")
    screen.wait_for("> ")
    screen.type("How fast?\n")
    shown = screen.wait_for("> ")
    draft = shown.index("\x1b[2mLanternNet restores low-light video")
    assert shown.index("\r\x1b[K", draft) < shown.index("LanternNet restores videos taken at night")
    screen.type("long story\n")
    screen.wait_for("restores low-light")
    screen.type("\x03")
    stopped = screen.wait_for("> ")
    assert "Stopped. What was drafted had not been checked, so it is not shown." in stopped
    # The interpreter misses an interrupt that comes between the prompt and the wait for a key: a reader presses again.
    while not screen.comes("Ctrl-D or /quit ends.", within_s=2):
        screen.type("\x03")
    screen.type("wifi\n")
    screen.wait_for("The library does not say. The nearest papers are:")
    screen.wait_for("> ")
    screen.type("\x04")
    assert screen.process.wait(30) == 0


def test_no_color_leaves_plain_text_at_a_terminal_too(terminal):
    screen = terminal(NO_COLOR="1", TERM="dumb")
    screen.wait_for("> ")
    screen.type("How fast?\n")
    shown = screen.wait_for("[2] “On the DuskClips")
    assert "\x1b[2m" not in shown
    assert "\x1b[K" not in shown


UP = "\x1b[A"


def said_in(screen, *lines):
    """Type lines, each when the one before was answered, then /quit; what was shown."""
    shown = screen.wait_for("> ")
    for line in lines:
        screen.type(f"{line}\n")
        shown += screen.wait_for("\n> ")
    screen.type("/quit\n")
    screen.process.wait(timeout=30)
    return shown


def test_what_was_typed_is_found_again_in_the_next_session_and_read_by_its_owner_alone(terminal, tmp_path):
    data = {"FOOTNOTE_DATA": str(tmp_path / "data")}
    said_in(terminal(COMMAND, **data), "How fast is it?", "How fast is it?", "  ", "/new")
    file = tmp_path / "data" / "terminal-history"
    assert file.read_text() == "How fast is it?\n/new\n/quit\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    shown = said_in(terminal(COMMAND, **data), UP * 3, "Another?")
    assert "LanternNet restores videos taken at night" in shown
    assert file.read_text().splitlines()[-3:] == ["How fast is it?", "Another?", "/quit"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "made private again"


def test_what_is_typed_is_kept_nowhere_where_that_is_set_or_cannot_be(terminal, tmp_path):
    off = {"FOOTNOTE_DATA": str(tmp_path / "data"), "FOOTNOTE_TERMINAL_HISTORY": "false"}
    shown = said_in(terminal(COMMAND, **off), "A secret?", UP)
    assert shown.count("> A secret?") == 2, "within a session the keys find it"
    assert not (tmp_path / "data").exists()
    (tmp_path / "file").touch()
    assert "LanternNet" in said_in(terminal(COMMAND, FOOTNOTE_DATA=str(tmp_path / "file" / "x")), "How fast?")


def test_the_file_of_what_was_typed_does_not_grow_for_ever(tmp_path):
    file = tmp_path / "terminal-history"
    file.write_text("".join(f"question {n}\n" for n in range(MOST_LINES + 50)))
    Typed(file).recall()
    lines = file.read_text().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (MOST_LINES, "question 50", f"question {MOST_LINES + 49}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
