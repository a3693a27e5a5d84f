"""The page under a path of a reverse proxy: everything it loads, asks, streams and keeps goes through there."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.proxy import proxied
from tests.e2e.steps import BOX, DONE, ask, wait_until
from tests.fake_rag import LANTERN, FakeRag, sentences_of
from ui.app import build, surroundings
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def shown(tmp_path):
    """Makes a page under /footnote/: its Rag, its address, and what was asked for elsewhere."""
    rag, line = FakeRag(data_folder=tmp_path, pace_s=0.01), Line()

    def check(name, password):
        return (name, password) == ("ida", "correct horse")

    about = surroundings(rag, line, check, root_path="/footnote")
    with (
        Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as page,
        proxied(page.url, "/footnote") as (url, strays),
    ):
        yield rag, url, strays


def test_a_reader_signs_in_asks_sees_the_answer_stream_returns_by_address_and_exports(shown, browser, watch, tmp_path):
    rag, url, strays = shown
    page = watch(browser.new_context().new_page())
    page.goto(url.rstrip("/"))
    page.get_by_label("username").fill("ida")
    page.get_by_label("password").fill("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_selector(BOX)
    assert page.url == url
    rag.before_answer.clear()
    ask(page, "A long question about LanternNet?", until="#fn-live .fn-draft-text")
    lengths = set()
    wait_until(
        lambda: lengths.add(len(page.inner_text("#fn-live .fn-draft-text"))) or len(lengths) > 3, "the draft streams"
    )
    rag.open_gates()
    page.wait_for_selector(DONE, timeout=20_000)
    page.wait_for_function("location.hash.startsWith('#c=')")
    address = page.url
    assert address.startswith(f"{url}#c=")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(DONE)
    page.locator("#fn-live .fn-marker").nth(1).click()
    assert page.inner_text("mark.fn-pulse") == sentences_of(LANTERN)[3].text
    page.get_by_role("button", name="Conversations").click()
    with page.expect_download() as begun:
        page.locator(".fn-entry[aria-current]").get_by_role("button", name="Export as Markdown").click()
    begun.value.save_as(tmp_path / "saved.md")
    assert "## A long question about LanternNet?" in (tmp_path / "saved.md").read_text()
    page.keyboard.press("Escape")
    page.click(".fn-about summary")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("password").wait_for()
    assert page.url == url
    assert strays == [], "nothing is asked for outside the path"
    page.context.close()


def test_the_api_and_an_unknown_address_are_there_too(shown):
    _, url, _ = shown
    answer = httpx.post(f"{url}api/ask", json={"question": "How fast?"}, auth=("ida", "correct horse"), timeout=30)
    assert answer.json()["status"] == "answered"
    assert httpx.get(f"{url}health").json()["status"] == "ok"
    assert 'href="/footnote/"' in httpx.get(f"{url}nothing", headers={"Accept": "text/html"}).text
