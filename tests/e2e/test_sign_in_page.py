"""Signing in with a browser."""

from __future__ import annotations

import pytest
from fake_rag import FakeRag

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_reader_signs_in_and_asks_and_a_stranger_does_not(context_of, watch):
    from ui.app import build, surroundings
    from ui.serving.line import Line
    from ui.serving.listening import listen_on
    from ui.serving.server import Page

    rag, line = FakeRag(pace_s=0.001), Line()
    about = surroundings(rag, line, lambda name, password: (name, password) == ("ida", "correct horse"))
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as served:
        page = watch(context_of(900, 700, "light").new_page(), expected="status of 400")
        page.goto(served.url)
        name, password = page.get_by_label("username"), page.get_by_label("password")
        name.fill("ida")
        password.fill("wrong horse")
        password.press("Enter")
        page.wait_for_selector("text=Incorrect Credentials")
        border = "element => getComputedStyle(element).borderTopWidth"
        assert [field.evaluate(border) for field in (name, password)] == ["1px", "1px"], "the fields can be seen"
        name.fill("ida")  # Gradio empties both
        password.fill("correct horse")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#fn-box textarea")
        page.fill("#fn-box textarea", "How fast?")
        page.press("#fn-box textarea", "Enter")
        page.wait_for_selector("#fn-live [data-stage=done]")
        page.click(".fn-about summary")
        page.wait_for_selector(".fn-about dd:has-text('ida')")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("password").wait_for()
        page.goto(served.url)
        page.get_by_label("password").wait_for()
        page.close()
    assert rag.asked == [("How fast?", [])]
