"""The page over the real library and the real model, in a real browser.

`UPDATE_SCREENSHOT=1 pytest tests/e2e/test_real_page.py` makes the picture of the README anew.
"""

import os
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.weights, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
BOX = "#fn-box textarea"
DONE = "#fn-live [data-stage=done]"
SLOW_MS = 120_000


@pytest.fixture(scope="module")
def rag():
    from rag import Rag

    opened = Rag.open()
    opened.warm_up()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(serve, rag):
    return serve(rag)


def ask(page, question):
    page.fill(BOX, question)
    page.press(BOX, "Enter")


def test_a_question_is_answered_with_footnotes_that_open_the_very_sentence(url, rag, visit):
    page = visit(url, 1280, 860)
    ask(page, "How many robot demonstrations was OpenVLA trained on, and which model does it outperform?")
    page.wait_for_selector("#fn-live-evidence mark", timeout=SLOW_MS)
    page.wait_for_selector("#fn-live .fn-draft-text", timeout=SLOW_MS)
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "970k" in page.inner_text("#fn-live")
    page.locator("#fn-live .fn-marker").first.click()
    cited = page.locator("mark.fn-pulse").inner_text()
    assert any(cited in paper.abstract for paper in rag.papers)
    assert "OpenVLA" in cited
    if os.environ.get("UPDATE_SCREENSHOT"):
        (ROOT / "docs").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "docs" / "page.png")
    page.get_by_role("button", name="How this came about").click()
    page.get_by_text("What the model wrote", exact=True).wait_for()
    lens = page.inner_text("#fn-lens")
    assert cited in lens, "the evidence is there, and the prompt that holds it"
    assert "Supported: " in lens
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(DONE)
    page.locator("#fn-live .fn-marker").first.click()
    assert page.locator("mark.fn-pulse").inner_text() == cited, "found again with its citations"


def test_stop_stops_the_real_model_and_retry_answers(url, visit):
    page = visit(url, 1280, 860)
    ask(page, "How does FROSTER keep CLIP general, and why is that hard?")
    page.wait_for_selector("#fn-live .fn-draft-text", timeout=SLOW_MS)
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]", timeout=SLOW_MS)
    page.click("#fn-retry")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert page.locator("#fn-live .fn-marker").count() > 0


def test_a_claim_is_weighed_and_its_sentence_stands_in_the_abstract(url, rag, visit):
    page = visit(url, 1280, 860)
    page.click("#fn-mode label:has-text('Weigh a claim')")
    page.wait_for_selector("#fn-ask:has-text('Weigh')")
    ask(page, "OpenVLA outperforms RT-2-X.")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "OpenVLA" in page.inner_text("#fn-live .fn-stance-supports .fn-source")
    page.locator("#fn-live .fn-stance-supports .fn-marker").first.click()
    shown = page.locator("mark.fn-pulse").inner_text()
    (paper,) = (paper for paper in rag.papers if shown in paper.abstract)
    assert paper.title.startswith("OpenVLA")
    assert f"of {len(rag.papers)} are silent" in page.inner_text("#fn-live .fn-weighed")


def test_what_the_library_does_not_say_is_declined(url, visit):
    page = visit(url, 390, 844, "dark")
    ask(page, "Who won the football World Cup in 2018?")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "The library does not say" in page.inner_text("#fn-live")


def test_the_page_says_which_model_answers_and_why(url, rag, visit):
    page = visit(url)
    assert rag.description.model in page.inner_text("#fn-header")
