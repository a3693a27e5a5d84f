"""`python -m eval bench pages`: what pages that stay open for hundreds of questions cost, in a real browser.

Each page has a browser of its own and asks in turn with the others, in conversations of `TURNS` questions, as readers
do; then it begins a new one. The model repeats the first sentence of the evidence; everything else is real. Memory is
the server's resident set, read from /proc (Linux), and the JavaScript heap of a page as Chromium tells it after it
collected what nobody uses any more.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from eval.benchmarks.load import questions_at, resident_mb, serving, slope, stand_in
from eval.benchmarks.page_speed import chromium
from rag.cli import tell

TURNS = 20
ANSWER_MS = 60_000
"""A question without an answer after that is lost."""
_SETTLED = 0.2
"""The share of questions after which everything has been loaded that will be."""


@dataclass
class Kept:
    """What was lost or mixed up, and memory in MB after so many questions: of the server, and of the first page."""

    lost: int = 0
    mixed_up: int = 0
    server: list[tuple[int, float]] = field(default_factory=list)
    heap: list[tuple[int, float]] = field(default_factory=list)


def open_pages(options: argparse.Namespace) -> dict[str, Any]:
    """Questions lost or answered on another page, and memory of server and page as it grows.

    Raises:
        MissingExtra: Playwright or a Chromium is not here.
        LoadError: the server does not come up.
    """
    sync_api, browser_path = chromium()
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
        questions = [asked.text for asked in questions_at(url, options.questions)]
        kept = ask_in_turn(pages, questions, lambda: resident_mb(process.pid))
        browser.close()
    result: dict[str, Any] = {"pages": len(pages), "questions": len(questions)}
    result |= {"lost": kept.lost, "mixed up": kept.mixed_up}
    for name, points in (("server", kept.server), ("a page's heap", kept.heap)):
        settled = points[int(len(points) * _SETTLED) :]
        result[f"{name} after a fifth, MB"] = settled[0][1]
        result[f"{name} at the end, MB"] = settled[-1][1]
        result[f"{name}, MB a 100 questions after that fifth (least squares)"] = slope(settled) * 100
    return result


def ask_in_turn(pages: Sequence[Any], questions: Sequence[str], server_mb: Callable[[], float]) -> Kept:
    """Ask all `questions`, one after another, each on the next of `pages`; each page begins anew after `TURNS`."""
    kept = Kept()
    every = max(1, len(questions) // 50)
    for number, question in enumerate(questions, start=1):
        page = pages[number % len(pages)]
        shown = _asked(page, question)
        kept.lost += not shown
        kept.mixed_up += bool(shown) and shown != question
        if (number // len(pages)) % TURNS == TURNS - 1:
            page.click("#fn-clear")
            page.wait_for_selector("#fn-examples button")
        if number % every == 0:
            kept.server.append((number, server_mb()))
            kept.heap.append((number, _heap_mb(pages[0])))
        if number % (every * 5) == 0:
            tell(f"{number} answered, server {kept.server[-1][1]:.0f} MB, a page {kept.heap[-1][1]:.1f} MB")
    return kept


def _asked(page: Any, question: str) -> str:
    """Ask, wait for the checked answer, and say to which question the page says that it is; "" where none came."""
    page.fill("#fn-box textarea", question)
    page.press("#fn-box textarea", "Enter")
    try:
        page.locator("#fn-live [data-stage=done]", has_text=question).wait_for(timeout=ANSWER_MS)
        page.wait_for_selector("#fn-ask")
    except import_module("playwright.sync_api").TimeoutError:
        return ""
    return str(page.inner_text("#fn-live .fn-question >> nth=-1")).strip()


def _heap_mb(page: Any) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1024**2
