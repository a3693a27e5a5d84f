"""What comes out of the browser's own "Print": answers with the sources of all their footnotes, on as many pages."""

from __future__ import annotations

import pytest

from tests.e2e.steps import ask

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 760], ids=["wide", "as wide as paper"])
def test_every_answer_and_source_is_on_paper_and_nothing_to_press(served, visit, width):
    page = visit(served[1], width, 700, "dark")
    for question in ("What is LanternNet?", "What does partly mean?", "How fast is it?"):
        ask(page, question)
    page.emulate_media(media="print")
    page.wait_for_selector("body:not(.dark)")
    for turn in page.locator(".fn-turn").all():
        assert turn.is_visible()
    sources = page.locator(".fn-sources").all()
    assert len(sources) == 3
    assert all(section.is_visible() for section in sources)
    assert page.locator("#fn-shell button:visible, #fn-shell textarea:visible, #fn-header:visible").count() == 0
    frames = "#fn-shell, #fn-columns, #fn-chat, #fn-scroll, #fn-evidence"
    cut = "frames => [...document.querySelectorAll(frames)].filter(f => f.scrollHeight > f.clientHeight + 1).length"
    assert page.evaluate(cut, frames) == 0, "nothing is cut off at the edge of a frame"
    ends = [part.bounding_box() for part in (page.locator("#fn-scroll"), page.locator("#fn-evidence"))]
    assert ends[0]["y"] + ends[0]["height"] <= ends[1]["y"] + 1, "sources stand below the answers"
    last = page.locator("#fn-live .fn-timings").bounding_box()
    assert ends[1]["y"] < last["y"] + 150, "without an empty page between"
    page.emulate_media(media="screen")
    page.wait_for_selector("body.dark")
