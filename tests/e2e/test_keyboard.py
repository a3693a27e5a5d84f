"""Library and Eval by the keyboard alone: everything is reached with Tab, seen to have the focus, and done."""

from __future__ import annotations

import pytest

from tests.e2e.libraries import ROWS, WrongModel, rag_on
from tests.e2e.steps import BOX, DONE, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASTED = "@misc{a, title={NewtLeap: how newts leap}, abstract={NewtLeap measures 12 leaps of newts.}, year={2024}}"
NAME = """() => {
  const element = document.activeElement;
  const said = element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.textContent;
  return `${element.getAttribute("role") || element.tagName.toLowerCase()} ${said.trim()}`;
}"""
IS_SEEN = """() => {
  const isRing = (element) => getComputedStyle(element).outlineStyle !== "none";
  const frame = document.activeElement.closest("label, #fn-ask-row");
  return isRing(document.activeElement) || Boolean(frame && isRing(frame));
}"""


@pytest.fixture(scope="module")
def served(serve, tmp_path_factory):
    rag = rag_on(tmp_path_factory.mktemp("library"), ROWS, model=WrongModel())
    yield rag, serve(rag)
    rag.close()


@pytest.fixture
def page(served, visit):
    page = visit(served[1])
    page.wait_for_selector(f"{BOX}:focus")
    return page


def tab_to(page, name, key="Tab"):
    """Presses Tab until what is called so has the focus; wherever it comes by, the focus is seen."""
    passed = []
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement === document.body"):
            continue  # from the last one Tab leads out of the page, then to the first
        assert page.evaluate(IS_SEEN), f"the focus is seen: {page.evaluate(NAME)}"
        passed.append(page.evaluate(NAME))
        if name in passed[-1]:
            return
    raise AssertionError(f"Tab does not lead to {name!r}, but to {passed}")


def open_tab(page, name):
    tab_to(page, "tab Chat", "Shift+Tab")
    for _ in range(("Chat", "Library", "Eval").index(name)):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")


def has_focus(page, name):
    page.wait_for_function(f"name => ({NAME})().includes(name)", arg=name)
    settled(page)
    page.wait_for_function(f"name => ({NAME})().includes(name)", arg=name)


def test_where_the_browser_keeps_nothing_every_script_runs(served, visit):
    forbidden = (
        "Object.defineProperty(window, 'sessionStorage', "
        "{ get() { throw new DOMException('forbidden', 'SecurityError') } })"
    )
    page = visit(served[1], script=forbidden)
    page.wait_for_selector(f"{BOX}:focus")  # it takes the focus once it is drawn, from whatever has it by then
    open_tab(page, "Library")
    page.wait_for_selector("#fn-lib-results li")
    tab_to(page, "Search the library")
    page.keyboard.type("owl flights")
    page.wait_for_selector("#fn-lib-results li:first-child:has-text('OwlHunt')")
    page.locator("#fn-lib-results li:first-child button").first.click()
    page.wait_for_selector("h2:has-text('OwlHunt')")


def test_papers_are_searched_opened_and_asked_about(page):
    open_tab(page, "Library")
    page.wait_for_selector("#fn-lib-results li")
    tab_to(page, "Search the library")
    page.keyboard.type("owl flights")
    page.wait_for_selector("#fn-lib-results li:first-child:has-text('OwlHunt')")
    tab_to(page, "How to search")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#fn-lib-results li').length === 1")
    tab_to(page, "From year")
    page.wait_for_selector("[role=listbox]", state="detached")
    tab_to(page, "button OwlHunt")
    page.keyboard.press("Enter")
    has_focus(page, "h2 OwlHunt")
    tab_to(page, "Ask about OwlHunt")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("How accurate is OwlHunt?")
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.inner_text("#fn-live .fn-question") == "How accurate is OwlHunt?"
    has_focus(page, "Your question")


def test_the_map_is_walked_and_a_paper_on_it_asked_about(page):
    open_tab(page, "Library")
    page.wait_for_selector("#fn-lib-results li")
    tab_to(page, "List")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".fn-dot")
    has_focus(page, "Map")
    tab_to(page, "a system for")
    walked = {page.evaluate(NAME)}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        walked.add(page.evaluate(NAME))
    assert len(walked) > 1
    assert page.evaluate(NAME).removeprefix("button ").rsplit(",", 1)[0] in page.inner_text(".fn-map-tip")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement?.id === 'fn-lib-question'")
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)


def test_papers_are_pasted_added_undone_and_removed_and_the_focus_is_never_lost(page, served):
    open_tab(page, "Library")
    page.wait_for_selector("#fn-lib-results li")
    tab_to(page, "Add papers")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fn-lib-pasted")
    tab_to(page, "Or paste entries")
    page.keyboard.type(PASTED)
    tab_to(page, "Look through")
    page.keyboard.press("Enter")
    page.wait_for_selector(".fn-lib-preview")
    settled(page)  # the buttons below it are drawn once more
    tab_to(page, "Add 1 paper")
    page.keyboard.press("Enter")
    has_focus(page, "1 paper added.")
    tab_to(page, "Undo", "Shift+Tab")
    page.keyboard.press("Enter")
    has_focus(page, "1 paper removed.")
    page.wait_for_function("document.querySelectorAll('#fn-lib-results li').length === 9")  # drawn one after another
    assert len(served[0].papers) == 9
    tab_to(page, "button FoxDen")
    page.keyboard.press("Enter")
    has_focus(page, "h2 FoxDen")
    tab_to(page, "Remove from the library")
    page.keyboard.press("Enter")
    has_focus(page, "Keep")
    page.keyboard.press("Enter")
    has_focus(page, "h2 FoxDen")
    assert len(served[0].papers) == 9


def test_a_run_is_begun_and_its_worst_case_opened_and_asked(page):
    open_tab(page, "Eval")
    tab_to(page, "Questions")
    tab_to(page, "number input for How many")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("5")
    tab_to(page, "button Begin")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-card]", timeout=30_000)
    has_focus(page, "h2 An exam on this library")
    tab_to(page, "summary ")
    page.keyboard.press("Enter")
    case = page.locator(".fn-ev-case[open]")
    question = case.get_by_role("button", name="Ask it in the chat").get_attribute("data-ask")
    tab_to(page, "Ask it in the chat")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#fn-live .fn-turn:has-text('{question.split()[-1]}')")
    page.wait_for_selector("#fn-live :is([data-stage=done], .fn-error)")
