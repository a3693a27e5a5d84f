"""The chat page in a real browser, over a fake Rag whose timing the test holds."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import subprocess
import sys

import pytest

from rag.errors import SettingsError
from tests.e2e.steps import BOX, DONE, ask, in_view, settled, wait_until
from tests.fake_rag import LANTERN, FakeRag, sentences_of
from ui.app import error_page
from ui.serving.listening import listen_on

pytestmark = pytest.mark.browser


@pytest.fixture
def rag(served):
    rag = served[0]
    rag.pace_s, rag.check_s = 0.005, 0.0
    rag.open_gates()
    rag.asked.clear()
    rag.closed.clear()
    yield rag
    rag.open_gates()


@pytest.fixture
def page(served, rag, visit):
    return visit(served[1])


def test_evidence_comes_before_the_first_word_then_a_growing_draft_then_the_checked_answer(page, rag):
    rag.before_first_token.clear()
    rag.before_answer.clear()
    rag.pace_s = 0.1
    ask(page, "What is LanternNet?", until="#fn-live-evidence mark")
    assert page.locator("#fn-live .fn-draft-text").count() == 0
    assert "Reading 5 sentences from 2 papers" in page.inner_text("#fn-status")
    assert page.get_attribute("#fn-status", "aria-live") == "polite"
    rag.before_first_token.set()
    page.wait_for_selector("#fn-live .fn-draft-text")
    assert "Draft, not checked yet" in page.inner_text("#fn-live .fn-draft")
    lengths = set()
    wait_until(
        lambda: lengths.add(len(page.inner_text("#fn-live .fn-draft-text"))) or len(lengths) > 3, "the draft grows"
    )
    top = page.locator("#fn-live .fn-question").bounding_box()["y"]
    rag.before_answer.set()
    page.wait_for_selector(DONE)
    assert page.locator("#fn-live .fn-question").bounding_box()["y"] == top, "nothing jumps"
    assert page.locator("#fn-live .fn-draft").count() == 0
    assert "2 sentences, all supported by 1 paper" in page.inner_text("#fn-live .fn-grounding")
    assert page.locator("#fn-live .fn-marker").all_inner_texts() == ["[1]", "[2]"]
    assert page.locator("#fn-live .fn-footnotes li").count() == 2
    assert page.locator("#fn-live-evidence mark").count() == 2
    assert "Found but not cited (3 papers)" in page.inner_text("#fn-live-evidence")


def test_a_marker_leads_to_its_sentence_and_back_by_mouse_and_by_keyboard(page, rag):
    ask(page, "What is LanternNet?")
    marker = page.locator("#fn-live .fn-marker").nth(1)
    assert marker.get_attribute("aria-label") == f"Footnote 2, supported: {LANTERN.title}"
    marker.click()
    assert page.evaluate("document.activeElement.textContent") == sentences_of(LANTERN)[3].text
    assert page.locator("mark.fn-pulse").all_inner_texts() == [sentences_of(LANTERN)[3].text]
    assert in_view(page, "mark.fn-pulse", "#fn-evidence")
    first = page.locator("#fn-live .fn-marker").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == sentences_of(LANTERN)[1].text
    page.locator("#fn-live-evidence .fn-back").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == first.get_attribute("id")


def test_stop_keeps_the_draft_unchecked_and_stops_the_model(page, rag):
    rag.pace_s = 0.02
    ask(page, "A long question?", until="#fn-live .fn-draft-text")
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]")
    assert "Stopped before it was checked." in page.inner_text("#fn-live")
    assert "LanternNet" in page.inner_text("#fn-live .fn-draft-text")
    wait_until(lambda: rag.closed == ["A long question?"], "the iterator is closed")
    page.wait_for_selector("#fn-ask")
    ask(page, "And now?", until="#fn-live [data-stage=done] .fn-understood")
    assert rag.asked[-1] == ("And now?", []), "an unchecked answer is not told to the model"
    assert page.locator("#fn-past [data-stage=stopped]").count() == 1


def test_what_holds_of_a_stopped_draft_is_shown_with_its_footnotes_kept_and_told_on(page, rag):
    rag.pace_s = 0.02
    ask(page, "A long question of which something holds?", until="#fn-live .fn-draft-text:has-text('frames')")
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped] .fn-marker")
    said = page.inner_text("#fn-live")
    assert "It was stopped here: more may have followed." in said
    assert "1 sentence, supported by 1 paper" in said
    page.locator("#fn-live .fn-marker").first.click()
    assert page.locator("mark.fn-pulse").inner_text() in rag.papers[0].abstract
    page.wait_for_function("location.hash.startsWith('#c=')")
    page.reload()
    page.wait_for_selector("#fn-live [data-stage=stopped] .fn-marker")
    ask(page, "And now?", until=DONE)
    assert len(rag.asked[-1][1]) == 2, "what was checked is told to the model"


def test_what_holds_of_a_stopped_draft_stays_where_what_stop_drew_comes_later(page, rag):
    rag.pace_s = 0.02
    came = []

    def late(route):
        response = route.fetch()
        page.wait_for_selector("#fn-live [data-stage=stopped] .fn-marker")  # by the stream of the answer
        page.evaluate("""() => {
            const gone = () => { window.gone ||= !document.querySelector('#fn-live .fn-marker') };
            new MutationObserver(gone).observe(document.body, {childList: true, subtree: true});
        }""")
        route.fulfill(response=response)
        came.append(response)

    ask(page, "A long question of which something holds?", until="#fn-live .fn-draft-text:has-text('frames')")
    page.route("**/run/predict*", late, times=1)
    page.click("#fn-stop")
    while not came:  # the test's own time limit ends this
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    assert not page.evaluate("window.gone"), "not even for a moment"
    assert "1 sentence, supported by 1 paper" in page.inner_text("#fn-live")


def test_the_reason_of_a_verdict_is_had_by_a_tap(served, rag, browser, watch):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = watch(context.new_page())
    page.goto(served[1])
    page.wait_for_selector(BOX)
    ask(page, "Does it partly help?", until=DONE)
    page.locator("#fn-live .fn-why").tap()
    assert "Partly supported:" in page.locator("#fn-tip").inner_text()
    page.locator("#fn-live .fn-question").tap()
    page.wait_for_selector("#fn-tip", state="hidden")
    context.close()


def test_a_question_asked_while_a_stopped_draft_is_still_checked_is_answered(page, rag):
    rag.pace_s, rag.check_s = 0.02, 1.0
    ask(page, "A long question of which something holds?", until="#fn-live .fn-draft-text:has-text('frames')")
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]")
    rag.pace_s = 0.0
    ask(page, "Is there another way?")
    assert rag.asked[-1][0] == "Is there another way?"
    page.wait_for_selector("#fn-past [data-stage=stopped] .fn-marker")
    assert page.locator(".fn-turn").count() == 2


def test_stop_is_seen_at_once_even_while_the_model_says_nothing(page, rag):
    rag.before_first_token.clear()
    ask(page, "What is LanternNet?", until="#fn-live-evidence mark")
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]", timeout=2000)
    assert "Stopped before anything was written." in page.inner_text("#fn-live")
    rag.before_first_token.set()
    wait_until(lambda: rag.closed == ["What is LanternNet?"], "the iterator is closed")


def test_closing_the_page_stops_the_model(page, rag):
    rag.pace_s = 0.02
    ask(page, "A long question for nobody?", until="#fn-live .fn-draft-text")
    page.close()
    wait_until(lambda: rag.closed == ["A long question for nobody?"], "the iterator is closed")


def test_retry_asks_the_last_question_again_in_its_place(page, rag):
    ask(page, "What is LanternNet?")
    page.click("#fn-retry")
    page.wait_for_selector("#t2[data-stage=done]")
    assert [question for question, _ in rag.asked] == ["What is LanternNet?"] * 2
    assert page.locator(".fn-turn").count() == 1


def test_a_follow_up_is_told_the_history_and_older_markers_bring_their_evidence_back(page, rag):
    ask(page, "What is LanternNet?")
    ask(page, "and how fast?", until="#t2[data-stage=done]")
    page.wait_for_selector("#fn-ask")
    history = rag.asked[-1][1]
    assert [message["role"] for message in history] == ["user", "assistant"]
    assert "[1]" not in history[1]["content"]
    assert "Understood as: What is the speed of LanternNet" in page.inner_text("#t2")
    assert page.is_visible("#t2-evidence")
    assert not page.is_visible("#t1-evidence")
    page.locator("#fn-past .fn-marker").first.click()
    assert page.is_visible("#t1-c1")
    assert not page.is_visible("#t2-evidence")


def test_each_question_stands_at_the_top_of_the_view_with_its_answer_below(served, rag, visit):
    page = visit(served[1], width=1000, height=600)
    for number in (1, 2, 3):
        ask(page, "What does partly mean?")
        top = page.locator("#fn-scroll").bounding_box()["y"]
        assert top <= page.locator(f"#t{number} .fn-question").bounding_box()["y"] <= top + 40


def test_new_chat_brings_the_empty_state_back(page, rag):
    ask(page, "What is LanternNet?")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    assert page.locator(".fn-turn").count() == 0
    assert page.locator("#fn-evidence mark").count() == 0
    ask(page, "and again?")
    assert rag.asked[-1] == ("and again?", [])


def test_an_example_is_asked_by_a_click(page, rag):
    examples = page.locator("#fn-examples button")
    assert 4 <= examples.count() <= 6
    examples.first.click()
    page.wait_for_selector(DONE)
    assert rag.asked[0][0] == "What is LanternNet and what problem does it address?"


def test_the_empty_state_is_of_the_library_as_it_is_now(page, visit, rag, monkeypatch):
    assert f"What the {len(rag.papers)} papers do not say" in page.inner_text("#fn-welcome")
    monkeypatch.setattr(rag, "papers", rag.papers[:1])
    later = visit(page.url)  # a reload would break off what the first page may still be loading
    later.wait_for_selector("#fn-welcome:has-text('What the 1 paper does not say')")
    assert later.locator("#fn-examples button").count() == 1


def test_an_abstention_does_not_look_like_an_answer(page, rag):
    ask(page, "Is there wifi on trains?", until="#fn-live .fn-abstained")
    assert "The library does not say" in page.inner_text("#fn-live .fn-abstained")
    assert page.locator("#fn-live .fn-answer").count() == 0
    page.locator("#fn-live .fn-abstained a").nth(1).click()
    assert page.evaluate("document.activeElement.open")
    assert "TideCache keeps keys" in page.inner_text("#t1-p2")


def test_an_error_says_what_to_do_and_keeps_the_question(page, rag):
    ask(page, "Is it broken?", until="#fn-live .fn-error")
    assert "The model ran out of memory." in page.inner_text("#fn-live .fn-error")
    assert "footnote chat --model small" in page.inner_text("#fn-live .fn-error")
    page.wait_for_function("document.querySelector('#fn-box textarea')?.value === 'Is it broken?'")
    ask(page, "x" * 4001, until="#t2 .fn-error")
    assert "4001 characters" in page.inner_text("#t2 .fn-error")


def test_what_is_typed_while_a_question_fails_stays(page, rag):
    rag.before_first_token.clear()
    ask(page, "Is it broken?", until="#fn-live-evidence mark")
    page.fill(BOX, "What about")
    rag.before_first_token.set()
    page.wait_for_selector("#fn-live .fn-error")
    page.wait_for_selector("#fn-ask")
    assert page.input_value(BOX) == "What about"


def test_a_question_that_failed_goes_back_once_and_again_when_it_is_asked_again(page, rag):
    has_it = "document.querySelector('#fn-box textarea')?.value === 'Is it broken?'"
    ask(page, "Is it broken?", until="#fn-live .fn-error")
    page.wait_for_function(has_it)
    page.wait_for_selector("#fn-ask")
    page.press(BOX, "Enter")
    page.wait_for_selector("#t2 .fn-error")
    page.wait_for_function(has_it)
    page.wait_for_selector("#fn-ask")
    page.fill(BOX, "")
    page.evaluate("document.querySelector('#fn-scroll').append(document.createElement('i'))")  # something is drawn
    settled(page)
    assert page.input_value(BOX) == "", "what was taken out stays out"


def test_a_question_for_settings_that_are_refused_goes_back_too(page, rag, monkeypatch):
    def refuse(self, **sections):
        raise SettingsError("There is no such setting.")

    monkeypatch.setattr(type(rag), "with_settings", refuse)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Papers looked up").select_option("10")
    page.wait_for_selector("#fn-status:has-text('next questions')", state="attached")
    page.keyboard.press("Escape")
    ask(page, "What is LanternNet?", until="#fn-live .fn-error")
    assert "There is no such setting." in page.inner_text("#fn-live .fn-error")
    page.wait_for_function("document.querySelector('#fn-box textarea')?.value === 'What is LanternNet?'")


def test_a_fold_that_was_opened_stays_open_while_its_part_is_drawn_anew_and_in_no_other_conversation(page, rag):
    rag.before_answer.clear()
    ask(page, "What is LanternNet?", until="#fn-live .fn-draft-text")
    page.click("#fn-live-evidence .fn-rest > summary")
    rag.before_answer.set()
    page.wait_for_selector(DONE)
    assert page.locator("#fn-live-evidence .fn-rest[open]").count() == 1
    page.click("#fn-live .fn-offer summary")
    ask(page, "What does partly mean?")
    page.wait_for_selector("#fn-past .fn-offer[open]")
    assert page.locator("#fn-live .fn-offer[open], #fn-live-evidence .fn-rest[open]").count() == 0
    page.click("#fn-past .fn-offer summary")
    ask(page, "And how fast?")
    page.wait_for_selector("#t2[data-stage=done]")
    assert page.locator("#fn-past .fn-offer[open]").count() == 0, "what was shut stays shut"
    page.click("#fn-live .fn-offer summary")
    page.get_by_role("button", name="New chat").click()
    page.wait_for_selector("#fn-live .fn-turn", state="detached")
    ask(page, "What does partly mean?")
    ask(page, "And that?")
    ask(page, "And these?")
    assert page.locator("#fn-shell .fn-offer[open]").count() == 0


def test_an_unexpected_error_is_logged_whole_and_shown_plain(page, rag, caplog):
    with caplog.at_level(logging.ERROR):
        ask(page, "crash", until="#fn-live .fn-error")
    assert "Something went wrong" in page.inner_text("#fn-live .fn-error")
    assert "secret" not in page.content()
    assert "Traceback" not in page.content()
    assert "secret internals" in caplog.text
    assert "Traceback" in caplog.text


def test_html_in_questions_titles_abstracts_and_answers_never_runs(page, rag):
    ask(page, "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>{{7*7}} ${7*7}")
    assert "{{7*7}} ${7*7}" in page.inner_text("#fn-live .fn-question")
    page.click("#fn-live-evidence .fn-rest > summary")
    assert page.locator("#fn-scroll img, #fn-evidence img, #fn-shell script").count() == 0
    assert page.evaluate("window.hacked") is None
    assert "<script>" in page.inner_text("#fn-live .fn-paragraph")


@pytest.mark.parametrize("question", ["🦉 𝒙 → “ü” \u202e abc", "  What?\n\nReally?  "])
def test_odd_questions_are_shown_as_typed(page, rag, question):
    ask(page, question)
    assert rag.asked[-1][0] == question.strip()
    assert page.text_content("#fn-live .fn-question") == question.strip()


def test_a_blank_question_asks_for_one_and_asks_nothing(page, rag):
    ask(page, "  \t ", until="#fn-status .fn-said")
    assert "Type a question first." in page.inner_text("#fn-status")
    assert rag.asked == []


def test_shift_and_enter_make_a_new_line(page, rag):
    page.fill(BOX, "one")
    page.press(BOX, "Shift+Enter")
    page.keyboard.type("two")
    assert page.input_value(BOX) == "one\ntwo"
    page.press(BOX, "Enter")
    page.wait_for_selector(DONE)
    assert rag.asked[-1][0] == "one\ntwo"


def test_two_readers_are_answered_each_their_own(served, rag, visit):
    pages = [visit(served[1]) for _ in range(2)]
    for number, page in enumerate(pages):
        ask(page, f"Reader {number} asks?", until=None)
    for number, page in enumerate(pages):
        page.wait_for_selector(DONE)
        assert page.locator(".fn-question").all_inner_texts() == [f"Reader {number} asks?"]


def test_on_a_phone_nothing_scrolls_sideways_and_evidence_is_a_drawer(served, rag, visit):
    page = visit(served[1], width=390, height=844)

    def fits():
        return page.evaluate(
            "[document.scrollingElement, ...document.querySelectorAll('#fn-scroll, #fn-evidence, #fn-composer')]"
            ".every((element) => element.scrollWidth <= element.clientWidth)"
        )

    assert fits()
    ask(page, f"What is partly {'w' * 120} LanternNet?")
    assert fits()
    assert not page.is_visible("#fn-evidence mark")
    page.locator("#fn-live .fn-marker").nth(1).click()
    assert page.is_visible("#t1-c2")
    assert in_view(page, "#t1-c2", "#fn-evidence")
    assert fits()
    page.keyboard.press("Escape")
    page.wait_for_selector("#t1-c2", state="hidden")
    assert page.evaluate("document.activeElement.id") == "t1-m2"
    page.click("#fn-live .fn-open a")
    page.click("#fn-close-drawer")
    page.wait_for_selector("#t1-c2", state="hidden")


CONTRAST = """() => {
    const parse = (value) => { const c = value.match(/[\\d.]+/g).map(Number); return [...c.slice(0, 3), c[3] ?? 1]; };
    const light = (c) => { const v = c / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    const luminance = (c) => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2]);
    const behind = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c[3] > 0.99) return c;
        }
        return [255, 255, 255, 1];
    };
    const poor = [];
    for (const element of document.querySelectorAll("#fn-shell *")) {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || element.closest(":disabled") || !element.checkVisibility()) continue;
        const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${element.className} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
    }
    return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(served, rag, visit, scheme):
    page = visit(served[1], scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    for question in ("partly?", "wifi?", "broken?"):
        ask(page, question, until="#fn-live :is(.fn-answer, .fn-abstained, .fn-error)")
        assert page.evaluate(CONTRAST) == []


def test_the_controls_are_labelled_and_the_model_is_named(page, rag):
    assert page.get_by_label("Your question").count() == 1
    assert page.get_by_role("button", name="Ask", exact=True).is_visible()
    assert page.get_by_role("complementary", name="Evidence").is_visible()
    assert "Pebble-1B-Instruct on cpu" in page.inner_text(".fn-about summary")
    page.click(".fn-about summary")
    assert "No GPU was found" in page.inner_text(".fn-about")
    assert page.locator("footer:has-text('Gradio')").count() == 0
    assert page.title() == "Footnote"


def test_a_page_for_what_is_missing_says_what_to_do(serve, visit):
    page = visit(serve(lambda: error_page("There is no index of <b>papers</b> yet.", "Run: footnote index")))
    assert "There is no index of <b>papers</b> yet." in page.inner_text("#fn-missing")
    assert "Run: footnote index" in page.inner_text(".fn-remedy")


def test_a_port_in_use_is_refused_with_another_to_choose():
    with contextlib.closing(listen_on("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Port {port} is in use\. Choose another: footnote chat --port"):
            listen_on("127.0.0.1", port)
    with pytest.raises(SettingsError, match="Cannot listen on"):
        listen_on("203.0.113.7", 0)


def test_launch_says_where_it_is_once_it_answers_and_ends_quietly_on_interrupt():
    with contextlib.closing(listen_on("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = f"from ui.app import launch; from tests.fake_rag import FakeRag; launch(FakeRag(), port={port})"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == f"Footnote is at http://127.0.0.1:{port}\n"
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                assert b"200 OK" in connection.recv(100)
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n")
                assert b"421" in connection.recv(100), "another site's name that leads here"
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=15)
        finally:
            process.kill()
    assert process.returncode == 0
    assert output == ""
    assert errors == ""


def test_lists_and_headings_that_the_model_wrote_are_lists_and_headings_and_html_stays_text(serve, visit):
    rag = FakeRag(pace_s=0)
    page = visit(serve(rag))
    rag.before_answer.clear()
    ask(page, "What was listed?", until="#fn-live .fn-draft ol li + li")
    assert page.locator("#fn-live .fn-draft ul li").all_inner_texts() == [
        "by sharing the field",
        "without a motion model",
    ]
    rag.open_gates()
    page.wait_for_selector(DONE)
    assert page.locator("#fn-live .fn-answer ul.fn-list li").count() == 2
    items = page.locator("#fn-live .fn-answer ol.fn-list li")
    assert [item.split()[0] for item in items.all_inner_texts()] == ["On", "Trains"]
    assert items.first.evaluate("(item) => getComputedStyle(item).listStyleType") == "decimal"
    assert items.nth(1).locator("math").count() == 2
    assert items.nth(1).locator("code").inner_text() == "pairs"
    assert "<b onclick=window.hacked=1>Bold</b>" in items.nth(1).inner_text()
    assert page.locator("#fn-live [onclick]").count() == 0
    items.first.locator(".fn-marker").click()
    assert "1.8 dB" in page.inner_text("mark.fn-pulse")
