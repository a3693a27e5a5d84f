"""What the server remembers of a page does not grow with what was asked on it."""

from __future__ import annotations

import pytest

from tests.e2e.steps import ask
from tests.fake_rag import FakeRag
from ui.app import build

pytestmark = pytest.mark.browser


def test_a_page_is_remembered_no_longer_after_many_questions_than_after_few(serve, visit):
    made = []

    def make():
        made.append(build(FakeRag(pace_s=0)))
        return made[0]

    page = visit(serve(make))

    def remembered():
        (session,) = made[0].state_holder.session_data.values()
        return len(session.blocks_config.blocks), sum(len(str(config)) for config in session.config_values.values())

    def converse(first):
        for number in (first, first + 1):
            ask(page, f"Question {number}?")
        page.click("#fn-clear")
        page.wait_for_selector("#fn-live .fn-turn", state="detached")

    converse(1)
    few = remembered()
    for first in (3, 5):
        converse(first)
    many = remembered()
    assert many[0] == few[0]
    assert many[1] < 1.05 * few[1]
