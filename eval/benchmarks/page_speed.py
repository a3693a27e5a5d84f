"""`python -m eval bench page`: how fast the page is for a reader, in a real browser over a running `footnote chat`.

First paint is the browser's own `first-contentful-paint`, in a browser that has never seen the page. Evidence and
words are timed in the page itself, from the key press to the frame in which they stand there. Layout shift is the
browser's own score, summed from the key press to the checked answer (0 to 0.1 counts as good).

Source: Paint Timing and Layout Instability (W3C). Knows the page by its ids alone.
"""

from __future__ import annotations

import argparse
import shutil
import time
from importlib import import_module
from statistics import median
from typing import Any

from eval.benchmarks.load import serving
from eval.cases import read_cases
from rag.errors import MissingExtra

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WATCH = """() => {
  window.seen = {};
  const note = (name, selector) => {
    if (!(name in window.seen) && document.querySelector(selector)) window.seen[name] = performance.now();
  };
  new MutationObserver(() => {
    if (!window.asked) return;
    note('evidence', '#fn-live-evidence mark');
    note('words', '#fn-live .fn-draft-text');
    note('answer', '#fn-live [data-stage=done]');
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: false });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') { window.seen = {}; window.asked = performance.now(); window.shift = 0; }
  }, true);
}"""


def page_speed(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds to the first paint, the first evidence, the first word and the answer; medians and the worst.

    Raises:
        MissingExtra: Playwright or a Chromium is not here.
        LoadError: the page does not come up.
    """
    sync_api, browser_path = chromium()
    cases = read_cases()
    questions = [case.question for case in cases[:: max(1, len(cases) // options.questions)]][: options.questions]
    with serving(options.library, options.model, {}) as (url, _process), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        paints = [_first_paint(browser, url) for _ in range(options.runs)]
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("#fn-examples button")
        page.evaluate(_WATCH)
        asked = [_asked(page, question) for question in questions]
        browser.close()
    return {
        "first paint, s": median(paints),
        "first paint, s, worst": max(paints),
        **_spread("first evidence", [one["evidence"] for one in asked if "evidence" in one]),
        **_spread("first words", [one["words"] for one in asked if "words" in one]),
        **_spread("checked answer", [one["answer"] for one in asked]),
        "layout shift while answering, worst": max(one["shift"] for one in asked),
        "runs": options.runs,
        "questions": len(asked),
    }


def _spread(name: str, seconds: list[float]) -> dict[str, float]:
    return {f"{name}, s": median(seconds), f"{name}, s, worst": max(seconds)} if seconds else {}


def chromium() -> tuple[Any, str]:
    """Playwright's synchronous interface, and the path of a Chromium.

    Raises:
        MissingExtra: one of them is not here.
    """
    try:
        sync_api = import_module("playwright.sync_api")
    except ImportError as error:
        raise MissingExtra("Playwright is not installed.", "Run: pip install '.[test]'") from error
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise MissingExtra("There is no Chromium on this machine.", "Run: apt-get install chromium")
    return sync_api, found


def _first_paint(browser: Any, url: str) -> float:
    """Seconds to the first contentful paint, in a context without anything cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#fn-examples button")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    context.close()
    return float(paint) / 1000


def _asked(page: Any, question: str) -> dict[str, float]:
    """Seconds from Enter to each step of one answer, and the layout shift until then."""
    page.fill("#fn-box textarea", question)
    page.press("#fn-box textarea", "Enter")
    page.wait_for_function("window.seen.answer", timeout=300_000)
    page.wait_for_selector("#fn-ask")
    time.sleep(0.3)  # what still moves after the answer counts, too
    seen, asked, shift = page.evaluate("[window.seen, window.asked, window.shift]")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples button")
    return {name: (at - asked) / 1000 for name, at in seen.items()} | {"shift": shift}
