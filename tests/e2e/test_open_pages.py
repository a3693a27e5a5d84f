"""The measurement of pages that stay open: every question is asked on its page, and what is lost is counted."""

from __future__ import annotations

import pytest

from eval.benchmarks.open_pages import TURNS, ask_in_turn

pytestmark = pytest.mark.browser


def test_questions_are_asked_in_turn_and_memory_is_read_after_each(served, visit):
    rag, url = served
    rag.pace_s = 0
    pages = [visit(url, 1280 + number) for number in range(2)]
    questions = [f"Question {number}?" for number in range(2 * TURNS + 2)]
    kept = ask_in_turn(pages, questions, lambda: 100.0)
    assert (kept.lost, kept.mixed_up) == (0, 0)
    assert [question for question, _ in rag.asked] == questions
    assert [number for number, _ in kept.server] == list(range(1, len(questions) + 1))
    assert all(mb > 1 for _, mb in kept.heap)
    assert len(rag.asked[-1][1]) < 2 * TURNS, "a page begins a new conversation"


def test_a_question_that_is_never_answered_is_lost_and_one_that_is_another_mixed_up(served, visit, monkeypatch):
    rag, url = served
    monkeypatch.setattr("eval.benchmarks.open_pages.ANSWER_MS", 300)
    pages = [visit(url)]
    rag.before_first_token.clear()
    try:
        assert ask_in_turn(pages, ["Held?"], lambda: 0.0).lost == 1
    finally:
        rag.open_gates()
    monkeypatch.setattr("eval.benchmarks.open_pages._asked", lambda _page, _question: "Another?")
    assert ask_in_turn(pages, ["Mine?"], lambda: 0.0).mixed_up == 1
