"""Twenty people at once through three doors: nobody lost, nobody given another's answer, every place told."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from fake_rag import FakeRag

from eval.benchmarks.load import DOORS, Asked, LoadError, Outcome, ask_all, serving, slope, summary
from rag import Settings
from ui.app import build, surroundings
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

PEOPLE = 20


def test_twenty_people_at_once_are_answered_each_with_their_own_and_told_their_place():
    rag, line = FakeRag(pace_s=0.002), Line()
    questions = [Asked(f"Question {number}?", "lantern") for number in range(2 * PEOPLE)]
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=surroundings(rag, line)) as page:
        started = time.monotonic()
        found = ask_all(page.url, questions, PEOPLE)
        told = summary(found, time.monotonic() - started)
    assert {outcome.door for outcome in found} == set(DOORS)
    assert sorted(outcome.receipt["question"] for outcome in found) == sorted(asked.text for asked in questions)
    nothing = (
        "lost",
        "mixed up",
        "receipts that do not hold",
        "answered, but not from the paper asked about",
        "declined",
    )
    assert {name: told[name] for name in nothing} == dict.fromkeys(nothing, 0), told
    assert sorted(question for question, _ in rag.asked) == sorted(asked.text for asked in questions), "asked once each"
    assert told["places that went up"] == 0
    assert told["furthest place told"] > PEOPLE / 2
    assert (line.running, line.waiting) == (0, 0)


def test_a_door_that_does_not_open_is_told_and_nobody_waits_for_it():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(httpx.ConnectError):
        ask_all(url, [Asked(f"Question {number}?") for number in range(3)], 3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("person")]


@pytest.fixture
def chat(tmp_path, monkeypatch):
    """Stands in for the interpreter that would run `footnote chat`: does what is written to it."""

    def written(body):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return written


def test_a_server_is_started_at_a_free_port_and_ended(chat, tmp_path, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA", str(tmp_path / "own"))
    changes = Path("library", "papers-1", "changes.jsonl")
    (tmp_path / "own" / changes.parent).mkdir(parents=True)
    (tmp_path / "own" / changes).write_text("{}")
    chat('echo "$* $FOOTNOTE_DATA" > "$SAID"; echo "Footnote is at http://127.0.0.1:5/"; exec sleep 60')
    said = tmp_path / "said"
    with serving(tmp_path / "l.jsonl", "m", {"SAID": str(said)}) as (url, process):
        assert url == "http://127.0.0.1:5/"
        assert "chat --port 0" in said.read_text()
        assert f"--library {tmp_path / 'l.jsonl'} --model m" in said.read_text()
        data = Path(said.read_text().split()[-1])
        assert data.is_dir()
        assert data != Settings().data_folder, "no conversation is left among the reader's own"
        assert (data / changes).read_text() == "{}", "what the reader changed in the library holds"
    assert not data.exists()
    assert process.poll() is not None


def test_a_server_that_says_nothing_is_not_waited_for(chat, monkeypatch):
    chat("exec sleep 60")
    monkeypatch.setattr("eval.benchmarks.load.STARTUP_S", 0.3)
    with pytest.raises(LoadError, match="did not come up"), serving(None, None, {}):
        pass


def test_a_lost_a_mixed_up_and_a_wrongly_cited_answer_are_counted():
    receipt = {"question": "b", "status": "answered", "citations": [{"paper": {"id": "x"}}]}
    told = summary(
        [
            Outcome(Asked("a"), "api", problem="ReadTimeout"),
            Outcome(Asked("a"), "api", receipt=receipt, places=[3, 2, 4]),
            Outcome(Asked("b", "y"), "openai", receipt=receipt),
        ],
        2.0,
    )
    assert (told["lost"], told["mixed up"], told["answered, but not from the paper asked about"]) == (1, 1, 1)
    assert told["places that went up"] == 1
    assert told["receipts that do not hold"] == 2
    assert told["answers a second"] == 1.0


def test_the_growth_of_memory_is_a_least_squares_slope():
    assert slope([(0, 5), (10, 25), (20, 45)]) == pytest.approx(2.0)
    assert slope([(0, 1), (1, 0), (2, 1)]) == pytest.approx(0.0)
    assert slope([(1, 1)]) == 0.0
