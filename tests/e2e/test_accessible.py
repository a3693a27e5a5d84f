"""Accessibility in a real browser: axe-core finds nothing serious in any state, theme or width; the keyboard does it all."""

from __future__ import annotations

import pytest

from tests.e2e.libraries import ROWS, HeldModel, rag_on
from tests.e2e.steps import BOX, DONE, ask
from tests.fake_rag import FakeRag
from ui.app import build, error_page, surroundings
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

pytestmark = pytest.mark.browser
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e .[test]").Axe

LOOKS = [(1280, 800, "light"), (390, 844, "dark")]
THEMES = ("light", "dark")
SIGNED_IN = {"ida": "correct horse"}


def serious(page):
    """Violations of level serious or above, each with the first element it was found on.

    Everything is looked at in the page's own theme, colours in the other one too: the themes differ in nothing else.
    """
    found = violations(page, {"resultTypes": ["violations"]})
    own = page.evaluate("document.body.classList.contains('dark')")
    for is_dark in (not own, own):
        page.emulate_media(color_scheme=THEMES[is_dark])
        page.wait_for_function("isDark => document.body.classList.contains('dark') === isDark", arg=is_dark)
        if is_dark != own:
            colours = ["color-contrast", "link-in-text-block"]
            found += violations(page, {"resultTypes": ["violations"], "runOnly": colours})
    return found


def violations(page, options):
    found = Axe().run(page, options=options).response
    assert found["passes"], "axe looked at something"
    return [
        (each["id"], each["impact"], each["nodes"][0]["html"][:200])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def rag(served):
    served[0].pace_s = 0
    yield served[0]
    served[0].open_gates()


@pytest.fixture
def url(served):
    return served[1]


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_in_any_state(url, rag, visit, width, height, scheme):
    page = visit(url, width, height, scheme)
    assert serious(page) == [], "empty"
    rag.before_first_token.clear()
    rag.before_answer.clear()
    ask(page, "How is it written?", until="#fn-status:has-text('Reading')")
    assert serious(page) == [], "the evidence is there"
    rag.before_first_token.set()
    page.wait_for_selector("#fn-live .fn-draft-text:has-text('frames')")
    assert serious(page) == [], "a draft in progress"
    rag.before_answer.set()
    page.wait_for_selector(DONE)
    page.wait_for_selector("#fn-ask")
    ask(page, "What does partly mean?")
    ask(page, "and how fast?")
    page.locator("#fn-live").get_by_role("button", name="Correct this").click()
    assert serious(page) == [], "answers, and a form in place"
    page.keyboard.press("Escape")
    for question in ("Is there wifi on trains?", "Is it broken?"):
        ask(page, question, until="#fn-live :is(.fn-abstained, .fn-error)")
    assert serious(page) == [], "an abstention and an error"
    page.click("#fn-mode label:has-text('Weigh a claim')")
    page.wait_for_selector("#fn-ask:has-text('Weigh')")
    ask(page, "It is fast.")
    page.click("#fn-live .fn-stance-silent summary")
    page.click("#fn-past .fn-offer summary >> nth=0")
    assert serious(page) == [], "a claim, and what can be weighed under an answer"
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


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_where_nothing_can_be_asked(url, serve, visit, width, height, scheme):
    page = visit(f"{url}/nothing", width, height, scheme, expected="status of 404")
    assert page.get_by_role("heading", level=2).inner_text() == "There is nothing at this address"
    assert serious(page) == [], "an unknown address"
    page.get_by_role("link", name="Go to Footnote").click()
    page.wait_for_selector(BOX)
    missing = serve(lambda: error_page("There is no index yet.", "Run: footnote index"))
    page = visit(missing, width, height, scheme)
    page.wait_for_selector(".fn-remedy")
    assert serious(page) == [], "what is missing"


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_on_the_sign_in_page(guarded, context_of, watch, width, height, scheme):
    page = watch(context_of(width, height, scheme).new_page(), expected="status of 400")
    page.goto(guarded)
    page.get_by_label("password").wait_for()
    assert page.title() == "Footnote"
    assert serious(page) == [], "the form"
    page.get_by_label("username").fill("ida")
    page.get_by_label("password").fill("wrong horse")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Incorrect Credentials")
    assert serious(page) == [], "a wrong password"
    page.close()


@pytest.fixture(scope="module")
def guarded():
    rag, line = FakeRag(), Line()
    about = surroundings(rag, line, lambda name, password: SIGNED_IN.get(name) == password)
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as served:
        yield served.url


@pytest.fixture(scope="module")
def library(serve, tmp_path_factory):
    """The page over a real library, on which two runs were made."""
    rag = rag_on(tmp_path_factory.mktemp("library"), ROWS)
    yield serve(rag)
    rag.close()


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_in_the_library(library, visit, width, height, scheme):
    page = visit(library, width, height, scheme)
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-results li")
    assert serious(page) == [], "the list"
    page.click("#fn-lib-view label:has-text('Map')")
    page.wait_for_selector(".fn-dot")
    page.click("#fn-lib-add-open")
    page.fill("#fn-lib-pasted textarea", "@misc{a, title={Half}}")
    page.click("#fn-lib-look")
    page.wait_for_selector(".fn-lib-preview")
    assert serious(page) == [], "the map, and a preview with a problem"
    page.locator(".fn-dot").first.click()
    page.wait_for_selector("article[data-paper]")
    assert serious(page) == [], "a paper"
    page.click("[data-lib=leave]")
    page.wait_for_selector("[role=alertdialog]")
    assert serious(page) == [], "a paper, about to be removed"


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_in_the_runs(library, visit, width, height, scheme):
    page = visit(library, width, height, scheme)
    page.click("#fn-tab-eval-button")
    page.wait_for_selector("#fn-ev-begin")
    page.wait_for_timeout(300)
    assert serious(page) == [], "the form"
    runs = "document.querySelectorAll('.fn-ev-runs li').length"
    while page.evaluate(runs) < 2:
        made = page.evaluate(runs)
        page.fill("#fn-ev-number input[type=number]", "5")
        page.click("#fn-ev-begin")
        page.wait_for_function(f"{runs} > {made}", timeout=30_000)
    page.locator(".fn-ev-runs button").first.click()
    page.wait_for_selector("[data-card]")
    assert serious(page) == [], "a scorecard"
    page.click("#fn-ev-compare-go")
    page.wait_for_selector("[data-comparison]")
    assert serious(page) == [], "a comparison"


def test_axe_finds_nothing_serious_in_a_run_in_progress(serve, visit, tmp_path):
    model = HeldModel()
    rag = rag_on(tmp_path, ROWS, model=model)
    page = visit(serve(rag))
    page.click("#fn-tab-eval-button")
    page.click("#fn-ev-begin")
    page.wait_for_selector("[data-running]")
    try:
        assert serious(page) == [], "the first question"
        page.click("[data-eval=stop]")
        page.wait_for_selector("[data-running]:has-text('Stopping after this question')")
        assert serious(page) == [], "stopping"
    finally:
        model.gate.set()
    page.wait_for_selector("[data-card]", timeout=30_000)
    rag.close()


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
    assert page.locator(".sr-only[role=status]").count() == 1, "Gradio's own, which says a key of its translations"
    assert page.locator(".sr-only[role=status]:visible").count() == 0
    assert page.get_by_role("tab", name="Chat").get_attribute("aria-selected") == "true"
