"""What a reader does on the page, for the browser tests."""

from __future__ import annotations

import contextlib
import time

BOX = "#fn-box textarea"
DONE = "#fn-live [data-stage=done]"


def ask(page, question, until=DONE):
    before = page.evaluate("document.querySelector('#fn-live .fn-turn')?.id ?? null")
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    if until == DONE:  # the turn before is done too, until this one takes its place
        page.wait_for_function(
            "before => { const turn = document.querySelector('#fn-live .fn-turn'); return turn && turn.id !== before }",
            arg=before,
        )
    if until:
        page.wait_for_selector(until)
    if until == DONE:
        page.wait_for_selector("#fn-ask")


def lens(page):
    """How the one answer, or the one weighed claim, on the page came about: its dialog, opened."""
    page.get_by_role("button", name="How this came about").click()
    dialog = page.get_by_role("dialog", name="How this came about")
    dialog.get_by_text("The search", exact=True).wait_for()
    return dialog


def wait_until(condition, message, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.02)


def settled(page):
    """Wait until nothing was drawn for 300 ms: Gradio draws a part more than once, and a key in between is lost."""
    page.evaluate(
        """() => new Promise((done) => {
            let timer = setTimeout(done, 300);
            new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 300); })
                .observe(document.body, { childList: true, subtree: true });
        })"""
    )


def in_view(page, selector, frame):
    """Whether the element lies wholly within the visible part of the scrolling frame."""
    return page.evaluate(
        """([selector, frame]) => {
            const inner = document.querySelector(selector).getBoundingClientRect();
            const outer = document.querySelector(frame).getBoundingClientRect();
            return inner.top >= outer.top && inner.bottom <= Math.min(outer.bottom, innerHeight);
        }""",
        [selector, frame],
    )


def type_in_form(page, words: str) -> None:
    """Write over what stands in a form that was just opened: it takes the focus when it is drawn."""
    page.wait_for_selector(".fn-form textarea:focus")
    page.keyboard.type(words)


@contextlib.contextmanager
def delayed(page):
    """What a button tells the server waits until the block ends: what is done in the block comes before the reply."""
    waiting = []

    def wait(route):
        waiting.append(route)

    page.route("**/run/predict*", wait)
    yield
    wait_until(lambda: page.evaluate("true") and waiting, "the page told the server nothing")
    for told in waiting:
        told.continue_()
    page.unroute("**/run/predict*")
