"""`python -m eval bench pages`: what pages that stay open for hundreds of questions cost, in a real browser.

Each page has a browser of its own and asks in turn with the others, in conversations of `TURNS` questions, as readers
do; then it begins a new one. The model repeats the first sentence of the evidence; everything else is real. Memory is
the server's resident set, read from /proc (Linux), and the JavaScript heap of a page as Chromium tells it after it
collected what nobody uses any more.
"""

from __future__ import annotations

import argparse
from typing import Any

from eval.load import questions_at, resident_mb, serving, slope, stand_in
from eval.page_speed import chromium
from rag.cli import tell

TURNS = 20
_SETTLED = 0.2
"""The share of questions after which everything has been loaded that will be."""


def open_pages(options: argparse.Namespace) -> dict[str, Any]:
    """Questions lost or answered on another page, and memory of server and page as it grows.

    Raises:
        MissingExtra: Playwright or a Chromium is not here.
        LoadError: the server does not come up.
    """
    sync_api, browser_path = chromium()
    server: list[tuple[int, float]] = []
    heaps: list[tuple[int, float]] = []
    lost = mixed_up = 0
    with (
        stand_in(real=False) as settings,
        serving(options.library, None, settings) as (url, process),
        sync_api.sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        pages = [browser.new_context(viewport={"width": 1280, "height": 800}).new_page() for _ in range(options.pages)]
        for page in pages:
            page.goto(url)
            page.wait_for_selector("#fn-examples button")
        questions = questions_at(url, options.questions)
        for number, question in enumerate(questions, start=1):
            page = pages[number % len(pages)]
            try:
                shown = _asked(page, question.text)
            except sync_api.TimeoutError:
                lost += 1
                continue
            mixed_up += shown != question.text
            if (number // len(pages)) % TURNS == TURNS - 1:
                page.click("#fn-clear")
                page.wait_for_selector("#fn-examples button")
            if number % max(1, len(questions) // 50) == 0:
                server.append((number, resident_mb(process.pid)))
                heaps.append((number, _heap_mb(pages[0])))
            if number % max(1, len(questions) // 10) == 0:
                tell(f"{number} answered, server {server[-1][1]:.0f} MB, a page {heaps[-1][1]:.1f} MB")
        browser.close()
    first = int(len(server) * _SETTLED)
    return {
        "pages": len(pages),
        "questions": len(questions),
        "lost": lost,
        "mixed up": mixed_up,
        "server after a fifth, MB": server[first][1],
        "server at the end, MB": server[-1][1],
        "server, MB a 100 questions after that fifth (least squares)": slope(server[first:]) * 100,
        "a page's heap after a fifth, MB": heaps[first][1],
        "a page's heap at the end, MB": heaps[-1][1],
        "a page's heap, MB a 100 questions after that fifth": slope(heaps[first:]) * 100,
    }


def _asked(page: Any, question: str) -> str:
    """Ask, wait for the checked answer, and say to which question the page says that it is."""
    page.fill("#fn-box textarea", question)
    page.press("#fn-box textarea", "Enter")
    page.locator("#fn-live [data-stage=done]", has_text=question).wait_for()
    page.wait_for_selector("#fn-ask")
    return str(page.inner_text("#fn-live .fn-question >> nth=-1")).strip()


def _heap_mb(page: Any) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1024**2
