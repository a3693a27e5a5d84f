"""Where things stand: side by side or in a drawer, folded or open, nothing sideways, and nothing jumps while it streams."""

from __future__ import annotations

import pytest

from tests.e2e.libraries import ROWS, rag_on
from tests.e2e.steps import BOX, DONE, ask, in_view

pytestmark = pytest.mark.browser

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map(({ node }) => (node && (node.id || node.className || node.nodeName)) || "");
    window.shifts.push({ value: entry.value, moved: moved.join(" ") });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
INDICATORS = """
window.indicators = [];
const look = () => {
  for (const found of document.querySelectorAll('[data-testid="status-tracker"]')) {
    const size = found.getBoundingClientRect();
    if (found.innerText.trim() && size.width && found.checkVisibility({ opacityProperty: true })) {
      window.indicators.push(found.innerText);
    }
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
MOST_SHIFT = 0.02
"""Of the view, weighed by how far: what Chrome calls good is below 0.1 over a page's whole life."""


@pytest.fixture
def rag(served):
    served[0].pace_s = 0
    yield served[0]
    served[0].open_gates()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_nothing_that_is_seen_moves_while_an_answer_streams(served, rag, visit, width, height):
    page = visit(served[1], width, height, script=SHIFTS)
    ask(page, "What is LanternNet?")
    rag.pace_s = 0.02
    rag.before_first_token.clear()
    rag.before_answer.clear()
    ask(page, "A long question?", until="#fn-status:has-text('Reading')")
    page.wait_for_timeout(300)  # the question has come up to the top
    page.evaluate("window.shifts = []")
    composer = page.locator("#fn-composer").bounding_box()
    question = page.locator("#fn-live .fn-question").bounding_box()
    rag.before_first_token.set()
    page.wait_for_selector("#fn-live .fn-draft-text")
    for words in (20, 60, 120):
        page.wait_for_function(
            f"document.querySelector('#fn-live .fn-draft-text').textContent.split(' ').length > {words}"
        )
        assert page.locator("#fn-composer").bounding_box() == composer
        assert page.locator("#fn-live .fn-question").bounding_box() == question
    rag.before_answer.set()
    page.wait_for_selector(DONE, timeout=20_000)
    page.wait_for_timeout(300)
    assert page.locator("#fn-composer").bounding_box() == composer
    assert page.locator("#fn-live .fn-question").bounding_box() == question
    shifts = page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) < MOST_SHIFT, shifts


@pytest.mark.parametrize("width", [1280, 1920])
def test_on_a_wide_screen_the_evidence_stands_beside_the_chat(served, rag, visit, width):
    page = visit(served[1], width, 900)
    ask(page, "What is LanternNet?")
    chat, evidence = (page.locator(part).bounding_box() for part in ("#fn-chat", "#fn-evidence"))
    assert evidence["x"] >= chat["x"] + chat["width"], "beside it"
    assert evidence["y"] == chat["y"]
    assert evidence["x"] + evidence["width"] == width
    assert min(chat["width"], evidence["width"]) > 0.3 * width
    assert in_view(page, "#fn-live-evidence mark", "#fn-evidence"), "seen without a click"
    page.locator("#fn-live .fn-marker").nth(1).click()
    assert page.locator("#fn-chat").bounding_box() == chat, "a click on a footnote moves nothing"


def test_on_a_phone_the_evidence_is_a_drawer_over_the_chat(served, rag, visit):
    page = visit(served[1], 390, 844)
    ask(page, "What is LanternNet?")
    chat = page.locator("#fn-chat").bounding_box()
    assert chat["width"] == 390
    assert not page.is_visible("#fn-live-evidence mark")
    page.locator("#fn-live .fn-marker").first.click()
    page.wait_for_selector("#fn-live-evidence mark")
    drawer = page.locator("#fn-evidence").bounding_box()
    assert drawer["y"] < chat["y"] + chat["height"]
    assert 0 <= drawer["x"] < drawer["x"] + drawer["width"] <= 390
    assert page.locator("#fn-chat").bounding_box() == chat, "the chat lies below, where it was"


def test_what_was_found_but_not_cited_is_folded_and_opens_by_click_and_by_keyboard(served, rag, visit):
    page = visit(served[1])
    ask(page, "What is LanternNet?")
    fold = page.locator("#fn-live-evidence .fn-rest")
    papers = fold.locator(".fn-folded")
    assert papers.count() == 3
    assert fold.locator("> summary").inner_text() == "Found but not cited (3 papers)"
    assert [paper.is_visible() for paper in papers.all()] == [False] * 3, "folded at first"
    fold.locator("> summary").click()
    assert [paper.is_visible() for paper in papers.all()] == [True] * 3
    assert not papers.first.locator(".fn-abstract").is_visible(), "each abstract is folded, too"
    papers.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert "TideCache keeps keys" in papers.first.locator(".fn-abstract").inner_text()
    page.keyboard.press("Space")
    assert not papers.first.locator(".fn-abstract").is_visible()
    fold.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert [paper.is_visible() for paper in papers.all()] == [False] * 3


@pytest.fixture(scope="module")
def library(serve, tmp_path_factory):
    rag = rag_on(tmp_path_factory.mktemp("library"), ROWS)
    yield serve(rag)
    rag.close()


TOO_WIDE = """() => {
  const wide = [document.scrollingElement, document.body].filter((frame) => frame.scrollWidth > innerWidth);
  for (const element of document.querySelectorAll("#fn-shell *")) {
    if (element.closest("svg, select, .fn-heard") || !element.checkVisibility()) continue;
    const { left, right, width } = element.getBoundingClientRect();
    if (width && (right > innerWidth + 1 || left < -1)) wide.push(element);
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    if (scrolls && element.scrollWidth > element.clientWidth + 1) wide.push(element);
  }
  return [...new Set(wide)].map((element) => element.id || element.className || element.nodeName);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1920])
def test_nothing_scrolls_sideways_on_any_tab(served, rag, library, visit, width, scheme):
    page = visit(served[1], width, 900, scheme)
    assert page.evaluate(TOO_WIDE) == [], "empty"
    ask(page, "What does partly mean?")
    assert page.evaluate(TOO_WIDE) == [], "an answer"
    ask(page, "Is there wifi on trains?", until="#fn-live .fn-abstained")
    assert page.evaluate(TOO_WIDE) == [], "an abstention"
    page = visit(library, width, 900, scheme)
    page.wait_for_selector(BOX)
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-results li")
    assert page.evaluate(TOO_WIDE) == [], "the library"
    page.click("#fn-lib-add-open")
    page.wait_for_selector("#fn-lib-pasted")
    assert page.evaluate(TOO_WIDE) == [], "adding"
    page.click("#fn-lib-view label:has-text('Map')")
    page.wait_for_selector(".fn-dot")
    assert page.evaluate(TOO_WIDE) == [], "the map"
    page.locator(".fn-dot").first.click()
    page.wait_for_selector("article[data-paper]")
    assert page.evaluate(TOO_WIDE) == [], "a paper"
    page.click("#fn-tab-eval-button")
    page.wait_for_selector("#fn-ev-begin")
    page.fill("#fn-ev-number input[type=number]", "5")
    page.click("#fn-ev-begin")
    page.wait_for_selector("[data-card]", timeout=30_000)
    assert page.evaluate(TOO_WIDE) == [], "a scorecard"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_indicator_of_gradios_is_seen_while_the_page_loads_and_answers(served, rag, visit, scheme):
    """What is going on is told by the page itself, where it happens."""
    page = visit(served[1], scheme=scheme, script=INDICATORS)
    ask(page, "What is LanternNet?")
    assert page.evaluate("window.indicators") == []
