"""Tabs in a real browser: opened before the page's own scripts have run, and opened again."""

from __future__ import annotations

import pytest

from tests.e2e.libraries import ROWS, rag_on

pytestmark = pytest.mark.browser

AT_ONCE = """
new MutationObserver(() => {
  const tab = document.querySelector('#fn-tab-%s-button');
  if (!tab || window.wasClicked) return;
  window.wasClicked = true;
  tab.click();
}).observe(document, { childList: true, subtree: true });
"""
"""Clicks a tab in the moment in which it is drawn, as a quick reader on a slow machine does."""


@pytest.fixture(scope="module")
def rag(tmp_path_factory):
    rag = rag_on(tmp_path_factory.mktemp("library"), ROWS)
    yield rag
    rag.close()


@pytest.fixture(scope="module")
def url(serve, rag):
    return serve(rag)


@pytest.mark.parametrize(
    ("tab", "filled"), [("library", "#fn-lib-results .fn-lib-list li"), ("eval", "#fn-ev-runs :is(p, li, table)")]
)
def test_a_tab_that_is_opened_before_the_page_is_ready_is_filled_all_the_same(url, visit, tab, filled):
    page = visit(url, script=AT_ONCE % tab)
    page.wait_for_selector(filled)


def test_a_tab_that_is_opened_again_shows_what_has_changed_meanwhile(url, rag, visit):
    page = visit(url)
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-overview:has-text('9 papers')")
    page.click("#fn-tab-chat-button")
    rag.library.remove([rag.papers[0].id])
    try:
        page.click("#fn-tab-library-button")
        page.wait_for_selector("#fn-lib-overview:has-text('8 papers')")
    finally:
        rag.library.undo()
