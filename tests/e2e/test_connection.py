"""The connection to the server is lost and comes back: what the reader sees, and what is kept."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import pytest

from tests.e2e.steps import BOX, DONE, ask, type_in_form
from tests.fake_rag import LANTERN, TIDE, sentences_of
from ui.serving.listening import listen_on

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GONE = r"net::ERR_|network error|Connection errored out"
"""What the browser and Gradio's client log of a server that is not there."""
NOTICE = "#fn-connection"
LOST = f"{NOTICE}:has-text('Connection to Footnote lost; your conversation is kept. Trying again…')"


@pytest.fixture
def start(tmp_path):
    """Starts a server process on the same port and the same data as the one before."""
    with contextlib.closing(listen_on("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (
        "import pathlib; from ui.app import launch; from tests.fake_rag import FakeRag;"
        f"launch(FakeRag(data_folder=pathlib.Path({str(tmp_path)!r}), pace_s=0.01), port={port})"
    )
    with contextlib.ExitStack() as ended:

        def begin() -> tuple[subprocess.Popen[str], str]:
            process = ended.enter_context(
                subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
            )
            ended.callback(process.kill)
            assert process.stdout.readline() == f"Footnote is at http://127.0.0.1:{port}\n"
            return process, f"http://127.0.0.1:{port}"

        yield begin


def end(process, by=signal.SIGTERM):
    process.send_signal(by)
    process.wait(15)


def half_way(start, visit):
    """A server and its page, with one answer and the next question typed."""
    process, url = start()
    page = visit(url, expected=GONE)
    ask(page, "What does partly mean?")
    page.wait_for_function("location.hash.startsWith('#c=')")
    page.fill(BOX, "Half a thought")
    return process, page


def test_a_restart_brings_the_page_back_with_its_citations_and_what_was_typed(start, visit):
    first, page = half_way(start, visit)
    end(first)
    page.wait_for_selector(LOST)
    assert page.get_by_role("status").filter(has_text="Connection to Footnote lost").count() == 1
    page.press(BOX, "Enter")
    page.click("#fn-ask")
    assert page.locator(".toast-body").count() == 0, "nothing is sent that would be lost"
    assert page.input_value(BOX) == "Half a thought"
    start()
    page.wait_for_selector(NOTICE, state="hidden", timeout=15_000)
    page.wait_for_selector(DONE)
    assert page.locator(".fn-question").all_inner_texts() == ["What does partly mean?"]
    for place, sentence in ((1, sentences_of(LANTERN)[3]), (3, sentences_of(TIDE)[1])):
        page.locator("#fn-live .fn-marker").nth(place).click()
        assert page.locator("mark.fn-pulse").all_inner_texts() == [sentence.text]
    assert page.input_value(BOX) == "Half a thought"
    page.press(BOX, "Enter")
    page.wait_for_selector("#t2[data-stage=done]")
    assert page.locator(".fn-question").all_inner_texts() == ["What does partly mean?", "Half a thought"]
    page.reload()
    page.wait_for_selector(DONE)
    page.wait_for_timeout(300)
    assert page.input_value(BOX) == "", "what was asked is not typed again"


def test_a_server_that_dies_while_it_answers_loses_no_question_and_shows_no_error_of_gradios(start, visit):
    first, url = start()
    page = visit(url, 390, 844, "dark", expected=GONE)
    ask(page, "A long question?", until="#fn-live .fn-draft-text:has-text('frames')")
    end(first, signal.SIGKILL)
    page.wait_for_selector(LOST)
    assert not page.locator(".toast-wrap").is_visible()
    start()
    page.wait_for_selector(NOTICE, state="hidden", timeout=15_000)
    page.wait_for_selector("#fn-live .fn-question:has-text('A long question?')")
    page.click("#fn-retry")
    page.wait_for_selector("#t2[data-stage=done]")


def test_a_connection_that_comes_back_to_the_same_server_reloads_nothing(start, visit):
    _, page = half_way(start, visit)
    page.evaluate("window.wasHere = true")
    page.context.set_offline(True)
    page.wait_for_selector(LOST)
    page.context.set_offline(False)
    page.wait_for_selector(NOTICE, state="hidden", timeout=15_000)
    assert page.evaluate("window.wasHere") is True
    assert page.input_value(BOX) == "Half a thought"
    page.press(BOX, "Enter")
    page.wait_for_selector("#t2[data-stage=done]")


def test_a_form_that_was_begun_is_not_reloaded_away(start, visit):
    first, url = start()
    page = visit(url, expected=GONE)
    ask(page, "What is LanternNet?")
    page.get_by_role("button", name="Edit question 1").click()
    type_in_form(page, "What else is it?")
    end(first)
    page.wait_for_selector(LOST)
    page.keyboard.press("Enter")
    start()
    page.wait_for_selector(f"{NOTICE}:has-text('Footnote is back.')", timeout=15_000)
    assert page.input_value(".fn-form textarea") == "What else is it?"
    page.get_by_role("button", name="Load again").click()
    page.wait_for_selector(NOTICE, state="hidden")
    page.wait_for_selector(DONE)
