"""An addition to the library that takes its time, in a real browser: followed, loaded again, stopped, failed."""

from __future__ import annotations

import json
import threading

import pytest
from fakes import HashedEncoder

from tests.e2e.libraries import ROWS, rag_on
from tests.e2e.steps import wait_until

pytestmark = pytest.mark.browser

MANY = [{"title": f"Newt {n}: a newt", "abstract": f"Newt {n} leaps {n} centimetres."} for n in range(100)]
"""Four batches for the embedder."""


class PacedEncoder(HashedEncoder):
    """Embeds as many batches of newts as it is given leave for."""

    def __init__(self):
        super().__init__()
        self.leave = threading.Semaphore(1_000_000)
        self.fails = False

    def hold(self, batches):
        self.leave = threading.Semaphore(batches)

    def let_go(self):
        self.leave.release(1_000_000)

    def encode(self, texts, purpose):
        if any("Newt" in text for text in texts):
            assert self.leave.acquire(timeout=60)
            if self.fails:
                raise OSError(28, "No space left on device")
        return super().encode(texts, purpose)


@pytest.fixture
def encoder():
    return PacedEncoder()


@pytest.fixture
def rag(encoder, tmp_path):
    rag = rag_on(tmp_path / "library", ROWS, encoder)
    yield rag
    encoder.let_go()
    rag.close()


@pytest.fixture
def url(serve, rag):
    return serve(rag)


def library_of(page):
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-results .fn-lib-list li")
    return page


def reload(page):
    """The open tab is opened again by the page itself."""
    page.reload()
    page.wait_for_selector("#fn-lib-results .fn-lib-list li")


def offer(page):
    page.click("#fn-lib-add-open")
    page.fill("#fn-lib-pasted textarea", "\n".join(map(json.dumps, MANY)))
    page.click("#fn-lib-look")
    page.wait_for_selector(".fn-lib-preview")


def begin(page, encoder, batches=1):
    encoder.hold(batches)
    page.get_by_role("button", name="Add 100 papers").click()
    page.wait_for_selector(f"#fn-lib-running p:has-text('{32 * batches} of 100 passages read')")


def test_an_addition_is_found_again_after_a_reload_and_in_another_tab_with_its_outcome_and_undo(
    url, rag, encoder, visit
):
    page = library_of(visit(url, 1280, 500))
    offer(page)
    begin(page, encoder)
    assert not page.is_visible("#fn-lib-pasted"), "the form makes way"
    page.wait_for_function(
        "() => { const place = document.querySelector('.fn-lib-progress').getBoundingClientRect();"
        " return place.top >= 0 && place.bottom <= innerHeight }"
    )
    reload(page)
    said = page.inner_text("#fn-lib-running")
    assert "Adding 100 papers: 32 of 100 passages read, about" in said
    assert said.split("about")[1].strip().startswith(("1 s left", "2 s left", "3 s left")) or "left…" in said
    assert page.locator("#fn-lib-running progress").get_attribute("value") == "32"
    other = library_of(visit(url))
    encoder.leave.release()
    other.wait_for_selector("#fn-lib-running p:has-text('64 of 100 passages read')")
    page.wait_for_selector("#fn-lib-running p:has-text('64 of 100 passages read')")
    assert len(rag.papers) == 9
    encoder.let_go()
    for one in (page, other):
        one.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('100 papers added')")
        assert one.locator("#fn-lib-running .fn-lib-progress").count() == 0
        assert "109 papers" in one.inner_text("#fn-lib-overview")
    reload(page)
    page.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('100 papers added')")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('100 papers removed')")
    assert len(rag.papers) == 9
    reload(page)
    assert page.inner_text("#fn-lib-status") == "", "what was taken back is told no more"


def test_by_keyboard_the_focus_goes_from_the_button_to_the_progress_and_to_what_came_of_it(url, encoder, visit):
    page = library_of(visit(url))
    offer(page)
    encoder.hold(1)
    page.focus("#fn-lib-add:not([disabled])")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.wait_for_selector("#fn-lib-add:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fn-lib-running progress:focus")
    page.wait_for_selector("#fn-lib-running p:has-text('32 of 100 passages read')")
    for _ in range(3):  # how far it is is drawn twice a second
        page.wait_for_timeout(600)
        assert page.evaluate("document.activeElement.matches('#fn-lib-running progress')")
    encoder.let_go()
    page.wait_for_selector("#fn-lib-status .fn-lib-done:focus:has-text('100 papers added')")


def test_an_addition_that_is_stopped_adds_nothing_and_can_be_begun_again(url, rag, encoder, visit, tmp_path):
    page = library_of(visit(url))
    offer(page)
    begin(page, encoder, 2)
    before = sorted(path.name for path in (tmp_path / "library" / "index").glob("generation-*"))
    page.get_by_role("button", name="Stop, add nothing").click()
    page.wait_for_selector("#fn-lib-running p:has-text('stopping')")
    assert page.get_by_role("button", name="Stop, add nothing").count() == 0
    encoder.let_go()
    page.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('Stopped. Nothing was added.')")
    assert len(rag.papers) == 9
    assert rag.library.overview().changes == ()
    left = sorted(path.name for path in (tmp_path / "library" / "index").iterdir() if path.is_dir())
    assert left == before, "nothing half-made stays on the disk"
    page.get_by_role("button", name="Add 100 papers").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('100 papers added')")
    assert not page.is_visible("#fn-lib-pasted")
    assert len(rag.papers) == 109


def test_an_addition_that_fails_says_so_and_what_was_offered_still_is(url, rag, encoder, visit):
    page = library_of(visit(url))
    offer(page)
    begin(page, encoder)
    encoder.fails = True
    encoder.let_go()
    page.wait_for_selector("#fn-lib-status [role=alert]")
    assert "disk" in page.inner_text("#fn-lib-status").lower()
    assert len(rag.papers) == 9
    encoder.fails = False
    page.get_by_role("button", name="Add 100 papers").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done:has-text('100 papers added')")


def test_meanwhile_questions_are_answered_and_nothing_else_is_changed(url, rag, encoder, visit):
    page = library_of(visit(url))
    offer(page)
    begin(page, encoder)
    page.locator("#fn-lib-results li button").first.click()
    page.click("[data-lib=leave]")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_selector("#fn-lib-status [role=alert]:has-text('Papers are being added just now.')")
    page.click("#fn-tab-chat-button")
    page.fill("#fn-box textarea", "What is BeeDance?")
    page.press("#fn-box textarea", "Enter")
    page.wait_for_selector("#fn-live [data-stage=done]")
    encoder.let_go()
    wait_until(lambda: len(rag.papers) == 109, "added")
