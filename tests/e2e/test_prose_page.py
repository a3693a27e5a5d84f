"""Tables and code that a model writes, in a real browser: set while they are written, scrolling by themselves, harmless."""

from __future__ import annotations

import pytest

from rag.drafts import draft_sentences
from tests.e2e.steps import BOX, DONE, ask
from tests.fake_rag import LANTERN, TABLED, sentences_of

pytestmark = pytest.mark.browser

BLOCKS = "#fn-live :is(.fn-table, .fn-code)"
CODE = TABLED.partition("```python\n")[2].partition("\n```")[0]
LUMINANCE = """(selector) => {
  const rgba = (value) => { const n = value.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  return [...document.querySelectorAll(selector)].map((element) => {
    let behind = element;
    while (behind.parentElement && rgba(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map((c) => light(rgba(c)));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
}"""


@pytest.fixture
def rag(served):
    served[0].open_gates()
    yield served[0]
    served[0].open_gates()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tables_and_code_are_set_while_they_are_written_and_when_they_are_checked(served, rag, visit, scheme):
    page = visit(served[1], 1280, 900, scheme)
    rag.before_answer.clear()
    ask(page, "What is it, tabled?", until="#fn-live .fn-draft p:has-text('42 frames')")
    assert page.locator("#fn-live .fn-draft tbody tr").count() == 2
    assert page.locator("#fn-live .fn-draft th").all_inner_texts() == ["Paper", "What it keeps", "Gain"]
    assert page.inner_text("#fn-live .fn-draft pre") == CODE
    assert "|" not in page.inner_text("#fn-live .fn-draft").replace("a|b", "").partition("def")[0]
    assert min(page.evaluate(LUMINANCE, "#fn-live .fn-draft :is(th, td, pre code)")) >= 4.5
    rag.open_gates()
    page.wait_for_selector(DONE)
    assert page.locator("#fn-live .fn-answer tbody tr").count() == 2
    rows = page.locator("#fn-live .fn-answer tbody tr")
    assert rows.nth(0).locator("td").nth(0).inner_text() == "LanternNet"
    assert rows.nth(0).locator("td").nth(2).locator(".fn-marker").count() == 1
    assert "partly supported" in rows.nth(1).locator("td").nth(2).inner_text()
    assert rows.nth(1).locator("td code").inner_text() == "a|b"
    assert "    field = predict(frames[0])  # </code></pre><script>" in page.inner_text("#fn-live pre")
    assert min(page.evaluate(LUMINANCE, "#fn-live .fn-answer :is(th, td, pre code, td .fn-why)")) >= 4.5
    rows.nth(0).locator(".fn-marker").click()
    number = 1 + draft_sentences(TABLED).index(next(said for said in draft_sentences(TABLED) if "every frame" in said))
    assert page.inner_text("mark.fn-pulse") == sentences_of(LANTERN)[number % 4].text
    assert page.evaluate("window.hacked") is None
    assert page.locator("#fn-shell :is(img, script)").count() == 0


def test_on_a_phone_a_wide_block_scrolls_by_itself_and_by_keyboard(served, rag, visit):
    page = visit(served[1], 390, 844)
    page.fill(BOX, "What is it, tabled?")
    page.press(BOX, "Enter")
    page.wait_for_selector(DONE)
    for block in page.locator(BLOCKS).all():
        inner, outer = block.evaluate("(e) => [e.scrollWidth, e.clientWidth]")
        assert inner > outer
        assert block.evaluate(
            "(e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth }"
        )
        block.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.activeElement.scrollLeft > 0")
    assert page.evaluate(
        "[document.scrollingElement, ...document.querySelectorAll('#fn-scroll, #fn-chat, #fn-live')]"
        ".every((element) => element.scrollWidth <= element.clientWidth)"
    )
