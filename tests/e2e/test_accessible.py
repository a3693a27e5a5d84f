"""Accessibility in a real browser: axe-core finds nothing serious in any state, theme or width; the keyboard does it all."""

from __future__ import annotations

import pytest

from tests.e2e.steps import BOX, ask
from tests.fake_rag import FakeRag

pytestmark = pytest.mark.browser
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e .[test]").Axe

LOOKS = [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "dark")]  # colours and layout, each on its own


def serious(page):
    """Violations of level serious or above, each with the first element it was found on."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        (each["id"], each["impact"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def url(serve, tmp_path_factory):
    return serve(FakeRag(data_folder=tmp_path_factory.mktemp("data"), pace_s=0))


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_in_any_state(url, visit, width, height, scheme):
    page = visit(url, width, height, scheme)
    assert serious(page) == [], "empty"
    ask(page, "What does partly mean?")
    ask(page, "and how fast?")
    page.locator("#fn-live").get_by_role("button", name="Correct this").click()
    assert serious(page) == [], "answers, and a form in place"
    page.keyboard.press("Escape")
    for question in ("Is there wifi on trains?", "Is it broken?"):
        ask(page, question, until="#fn-live :is(.fn-abstained, .fn-error)")
    assert serious(page) == [], "an abstention and an error"
    for name in ("Conversations", "Settings"):
        page.get_by_role("button", name=name).click()
        page.wait_for_timeout(150)
        assert serious(page) == [], name
        page.keyboard.press("Escape")
    page.locator("#fn-past [data-lens]").first.click()
    page.get_by_text("What the model wrote", exact=True).wait_for()
    assert serious(page) == [], "the lens"
    page.keyboard.press("Escape")
    if width < 1000:
        page.locator("#fn-past .fn-marker").first.click()
        assert serious(page) == [], "the drawer"
        page.keyboard.press("Escape")
    for tab in page.get_by_role("tab").all()[1:]:
        tab.click()
        page.wait_for_timeout(300)
        assert serious(page) == [], tab.inner_text()


def test_everything_can_be_done_with_the_keyboard_alone(url, visit):
    page = visit(url)
    page.wait_for_selector(f"{BOX}:focus")
    page.keyboard.type("What does partly mean?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fn-live [data-stage=done]")
    page.wait_for_selector("#fn-ask")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"
            )
        )
        if len(seen) > 1 and seen[-1] == seen[0]:
            break
    for label in ("Conversations", "Settings", "Retry", "New chat", "Edit question 1", "Copy", "Wrong source"):
        assert label in seen, f"Tab reaches {label}"
    assert any(label.startswith("Footnote 3, partly supported") for label in seen)


def test_landmarks_headings_and_live_regions_tell_a_screen_reader_where_it_is(url, visit):
    page = visit(url)
    ask(page, "What is LanternNet?")
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["Footnote"]
    assert page.get_by_role("complementary", name="Evidence").count() == 1
    assert page.get_by_role("article", name="Question 1").count() == 1
    assert page.get_by_role("group", name="Was this right?").count() == 1
    assert page.get_attribute("#fn-status", "role") == "status"
    assert page.get_by_role("tab", name="Chat").get_attribute("aria-selected") == "true"
