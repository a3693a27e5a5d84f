"""Several readers at once: each sees its place in the line, and each gets the answer to its own question."""

from __future__ import annotations

import os

import pytest
from fake_rag import FakeRag

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BOX = "#fn-box textarea"
READERS = int(os.environ.get("READERS", "4"))


@pytest.fixture(scope="module")
def rag():
    return FakeRag(pace_s=0.001)


def test_readers_see_their_places_move_up_and_get_their_own_answers(serve, visit, rag):
    url = serve(rag)
    rag.before_first_token.clear()
    # Each in a browser of its own (`visit` keeps one for each size): Chromium opens six connections to a server, and a
    # page that waits holds two.
    pages = [visit(url, 1000 + number) for number in range(READERS)]
    try:
        for number, page in enumerate(pages):
            page.fill(BOX, f"Question of reader {number}?")
            page.press(BOX, "Enter")
            page.wait_for_selector("#fn-live .fn-question")
            said = (
                "Reading"
                if number == 0
                else f"{number + 1}{('st', 'nd', 'rd')[number] if number < 3 else 'th'} in the queue"
            )
            page.wait_for_selector(f"#fn-status:has-text('{said}')")
        pages[1].click("#fn-stop")
        pages[1].wait_for_selector("#fn-live [data-stage=stopped]")
        pages[2].wait_for_selector("#fn-status:has-text('2nd in the queue')")
    finally:
        rag.open_gates()
    for number, page in enumerate(pages):
        if number != 1:
            page.wait_for_selector("#fn-live [data-stage=done]", timeout=30_000)
        assert page.inner_text("#fn-live .fn-question") == f"Question of reader {number}?"
    asked = [question for question, _ in rag.asked]
    assert asked == [f"Question of reader {number}?" for number in range(READERS) if number != 1]


def test_a_reader_who_closes_the_page_leaves_the_line(serve, visit):
    rag = FakeRag(pace_s=0.001)
    url = serve(rag)
    rag.before_first_token.clear()
    first, second, third = (visit(url, 1000 + number) for number in range(3))
    try:
        for number, page in enumerate((first, second, third), start=1):
            page.fill(BOX, f"Question {number}?")
            page.press(BOX, "Enter")
            page.wait_for_selector(
                "#fn-status:has-text('Reading')" if number == 1 else f"#fn-status:has-text('{number}')"
            )
        second.close()
        third.wait_for_selector("#fn-status:has-text('2nd in the queue')", timeout=15_000)
    finally:
        rag.open_gates()
    third.wait_for_selector("#fn-live [data-stage=done]", timeout=30_000)
    assert [question for question, _ in rag.asked] == ["Question 1?", "Question 3?"]
