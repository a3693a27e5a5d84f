"""Twenty people at once through three doors: nobody lost, nobody given another's answer, every place told."""

from __future__ import annotations

import time

import pytest
from fake_rag import FakeRag

from eval.load import DOORS, Asked, Outcome, _slope, ask_all, summary
from ui.app import build, surroundings
from ui.line import Line
from ui.server import Page, listen_on

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
    assert _slope([(0, 5), (10, 25), (20, 45)]) == pytest.approx(2.0)
    assert _slope([(0, 1), (1, 0), (2, 1)]) == pytest.approx(0.0)
    assert _slope([(1, 1)]) == 0.0
