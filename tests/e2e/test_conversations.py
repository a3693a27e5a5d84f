"""Conversations in a real browser: kept, found again, corrected, judged, exported and read back."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rag import FootnoteError
from rag.corpus import read_library
from rag.receipt import verify
from tests.e2e.steps import BOX, DONE, ask, delayed, in_view, lens, settled, type_in_form, wait_until
from tests.fake_rag import LANTERN, TIDE, FakeRag
from ui.app import build, surroundings
from ui.conversations.archive import ARCHIVE_FILE, Archive
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def rag(folder):
    return FakeRag(data_folder=folder, pace_s=0.002)


@pytest.fixture(scope="module")
def url(serve, rag):
    return serve(rag)


@pytest.fixture
def page(url, rag, visit):
    rag.open_gates()
    rag.asked.clear()
    return visit(url)


def open_list(page):
    page.get_by_role("button", name="Conversations").click()
    page.wait_for_selector("#fn-sheet-history-dialog[open] .fn-entry")


def entry(page, title):
    return page.locator(".fn-entry").filter(has=page.get_by_role("button", name=title, exact=True))


def questions(page):
    return page.locator(".fn-question").all_inner_texts()


def kept_conversation(page):
    page.wait_for_function("location.hash.startsWith('#c=')")
    return page.evaluate("location.hash.slice(3)")


def test_a_reload_finds_the_conversation_with_its_citations_and_goes_on(page, rag, folder):
    ask(page, "What is LanternNet?")
    ask(page, "What does partly mean?")
    kept_conversation(page)
    page.reload()
    page.wait_for_selector(DONE)
    assert questions(page) == ["What is LanternNet?", "What does partly mean?"]
    assert page.locator("#fn-live .fn-marker").all_inner_texts() == ["[1]", "[2]", "[3\u2009≈]", "[4\u2009≈]", "[5]"]
    page.locator("#fn-live .fn-marker").nth(3).click()
    assert page.locator("mark.fn-pulse").inner_text() in TIDE.abstract
    page.locator("#fn-past .fn-marker").first.click()
    assert page.locator("mark.fn-pulse").inner_text() in LANTERN.abstract
    ask(page, "and how fast?")
    assert len(rag.asked[-1][1]) == 4, "the restored turns are its history"
    assert len(questions(page)) == 3


def test_conversations_are_listed_searched_renamed_deleted_and_brought_back(page, url, visit):
    ask(page, "Which lamp for owls?")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    assert page.evaluate("location.hash") == ""
    ask(page, "Is there wifi for owls?")
    open_list(page)
    page.get_by_label("Search conversations").fill("owls lamp")
    page.wait_for_function("document.querySelectorAll('.fn-entry').length === 1")
    entry(page, "Which lamp for owls?").get_by_role("button", name="Rename").click()
    area = page.locator(".fn-entry textarea")
    area.fill("Lamps <b>&</b> owls")
    area.evaluate(  # this Enter only ends a word of an input method
        "area => area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true }))"
    )
    assert area.is_visible()
    page.keyboard.press("Enter")
    entry(page, "Lamps <b>&</b> owls").wait_for()
    page.get_by_label("Search conversations").fill("owls")
    page.wait_for_function("document.querySelectorAll('.fn-entry').length === 2")
    entry(page, "Is there wifi for owls?").get_by_role("button", name="Delete").click()
    page.wait_for_selector(".fn-undo")
    page.wait_for_selector("dialog > .fn-sayer[role=status]:has-text('Deleted.')", state="attached")
    assert page.locator(".fn-turn").count() == 0, "the open one is gone from the page, too"
    assert page.locator(".fn-entry").count() == 1
    page.get_by_role("button", name="Undo").click()
    entry(page, "Is there wifi for owls?").get_by_role("button", name="Is there wifi for owls?", exact=True).click()
    page.wait_for_selector("#fn-live .fn-abstained")
    assert page.locator("dialog[open]").count() == 0
    page.get_by_role("button", name="Conversations").click()
    page.get_by_label("Search conversations").fill("no such thing")
    page.wait_for_selector("#fn-entries .fn-hint:has-text('No conversation holds “no such thing”.')")
    page.keyboard.press("Escape")  # empties the field
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Conversations", "focus comes back"


def ask_three_and_edit_the_second(page):
    for question in ("One?", "Two?", "Three?"):
        ask(page, question)
    page.locator("#t2").get_by_role("button", name="Edit question").click()
    type_in_form(page, "Two, but better?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#t4[data-stage=done]")


def test_a_past_question_is_edited_and_asked_again_from_there(page, rag):
    ask_three_and_edit_the_second(page)
    assert questions(page) == ["One?", "Two, but better?"]
    assert [message["content"] for message in rag.asked[-1][1] if message["role"] == "user"] == ["One?"]
    page.locator("#t4").get_by_role("button", name="Edit question").click()
    page.keyboard.press("Escape")
    assert page.locator(".fn-form").count() == 0
    assert page.evaluate("document.activeElement.dataset.edit") == "4"


def test_what_an_edit_took_the_place_of_is_a_button_away_by_keyboard_and_after_a_reload(page, rag):
    ask_three_and_edit_the_second(page)
    page.wait_for_selector("#t4 .fn-versions")
    settled(page)
    n_asked = len(rag.asked)
    page.locator("#t4").get_by_role("button", name="Version before").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#t3")
    assert questions(page) == ["One?", "Two?", "Three?"]
    page.wait_for_function("document.activeElement.closest('.fn-turn')?.id === 't2'")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next version"
    settled(page)
    assert in_view(page, "#t2 .fn-versions", "#fn-scroll"), "what has the focus is seen"
    page.wait_for_selector("#fn-status:has-text('Version 1 of 2 from here on.')")
    page.reload()
    page.wait_for_selector("#t2 .fn-versions")
    assert questions(page) == ["One?", "Two?", "Three?"]
    page.locator("#t2").get_by_role("button", name="Next version").click()
    page.wait_for_selector("#t4")
    assert questions(page) == ["One?", "Two, but better?"]
    assert "2 of 2" in page.inner_text("#t4 .fn-versions")
    assert len(rag.asked) == n_asked, "nothing is asked again"


def test_a_version_that_comes_late_takes_no_focus_from_the_question_that_is_written_by_then(page, rag):
    ask_three_and_edit_the_second(page)
    page.wait_for_selector("#t4 .fn-versions")
    settled(page)
    with delayed(page):
        page.locator("#t4").get_by_role("button", name="Version before").click()
        page.click(BOX)
        page.keyboard.type("Wh")
    page.wait_for_selector("#t3")
    settled(page)
    page.keyboard.type("y?")
    assert page.input_value(BOX) == "Why?"


def test_the_stand_alone_form_is_shown_and_can_be_corrected(page, rag):
    ask(page, "What is LanternNet?")
    ask(page, "and how fast?")
    page.locator("#t2").get_by_role("button", name="Correct this").click()
    assert page.input_value(".fn-form textarea") == "What is the speed of LanternNet, and how fast??"
    type_in_form(page, "How many frames does LanternNet do?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#t3[data-stage=done]")
    assert rag.asked[-1] == ("How many frames does LanternNet do?", []), "it stands alone: no history"
    assert questions(page)[-1] == "and how fast?"
    assert "Asked as: How many frames does LanternNet do?" in page.inner_text("#t3")


def test_the_reason_of_a_verdict_is_told_on_hover_and_by_keyboard(page, rag):
    ask(page, "What does partly mean?")
    marker = page.locator("#fn-live .fn-marker").nth(2)
    assert marker.get_attribute("aria-label") == f"Footnote 3, partly supported: {LANTERN.title}"
    marker.hover()
    tip = page.get_by_role("tooltip")
    assert "Partly supported: the cited sentences say some of this (55 of 100)." in tip.inner_text()
    assert LANTERN.title in tip.inner_text()
    page.mouse.move(2, 2)
    tip.wait_for(state="hidden")
    page.locator("#fn-live .fn-marker").nth(1).focus()
    page.keyboard.press("Tab")
    tip.wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "fn-tip"
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    colours = page.evaluate("[...document.querySelectorAll('.fn-marker')].map((m) => getComputedStyle(m).color)")
    assert colours[0] != colours[2], "told by colour as well as by sign and line"


def test_an_answer_is_copied_with_and_without_its_references(page, rag):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "What is LanternNet?")
    page.locator("#fn-live").get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_selector("#fn-status:has-text('Copied.')")
    plain = page.evaluate("navigator.clipboard.readText()")
    assert plain.startswith("LanternNet restores videos")
    assert "[" not in plain
    page.get_by_role("button", name="Copy with references").click()
    wait_until(lambda: "[1]" in page.evaluate("navigator.clipboard.readText()"), "copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[2] “On the DuskClips benchmark" in copied
    assert "Ida Holm, Peter Vance, Mei Tanaka, Omar Reyes. LanternNet: Low-Light" in copied


def test_no_other_conversation_is_opened_while_a_stopped_draft_is_still_checked(page, rag):
    ask(page, "Is there wifi for moles?")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    rag.pace_s = 0.02
    rag.before_check.clear()
    try:
        ask(page, "A long question of which something holds?", until="#fn-live .fn-draft-text:has-text('frames')")
        page.click("#fn-stop")
        page.wait_for_selector("#fn-live [data-stage=stopped]")
        open_list(page)
        title = "Is there wifi for moles?"
        entry(page, title).first.get_by_role("button", name=title, exact=True).click()
        page.wait_for_selector("#fn-status:has-text('An answer is on its way')")
        rag.before_check.set()
        page.wait_for_selector("#fn-live [data-stage=stopped] .fn-marker")
        assert questions(page) == ["A long question of which something holds?"]
    finally:
        rag.pace_s = 0.002
        rag.open_gates()


def test_feedback_is_kept_with_the_whole_answer(page, rag, folder, url):
    ask(page, "What is LanternNet?")
    page.get_by_role("button", name="Wrong source").click()
    page.locator(".fn-form textarea").fill("The tripod paper says it.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fn-status:has-text('Noted, on this machine only.')")
    wait_until(lambda: any(f.note for f in Archive(folder / ARCHIVE_FILE).feedback()), "kept")
    (given,) = Archive(folder / ARCHIVE_FILE).feedback()
    assert (given.opinion, given.note) == ("wrong source", "The tripod paper says it.")
    assert given.receipt["citations"][0]["paper"]["title"] == LANTERN.title
    pressed = page.get_by_role("button", name="Wrong source")
    assert pressed.get_attribute("aria-pressed") == "true"
    key = kept_conversation(page)
    page.goto("about:blank")
    page.goto(f"{url}#c={key}")
    page.wait_for_selector(DONE)
    assert page.get_by_role("button", name="Wrong source").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Wrong source").click()
    wait_until(lambda: not Archive(folder / ARCHIVE_FILE).feedback(), "taken back")


def test_the_lens_shows_every_step_from_question_to_verdict(page, rag):
    ask(page, "and how fast?")
    dialog = lens(page)
    shown = dialog.inner_text()
    for words in (
        "What is the speed of LanternNet, and how fast??",
        "1. (0.71)",
        "bear on the question closely (0.83 of 1; 0.50 is needed)",
        "Answer from the evidence.",
        "It runs at 42 frames [3].",
        "Supported: the cited sentence says this (93 of 100).",
        "evidence after 0.21 s",
    ):
        assert words in shown
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.lens") == "1"


def test_the_lens_opens_as_often_as_it_is_asked_for(page, rag):
    ask(page, "and how fast?")
    dialog = page.get_by_role("dialog", name="How this came about")
    for _ in range(2):
        page.get_by_role("button", name="How this came about").click()
        dialog.get_by_text("The search", exact=True).wait_for()
        page.wait_for_selector("#fn-lens:not(.fn-loading)", timeout=5000)
        page.keyboard.press("Escape")


def test_the_lens_says_why_it_cannot_look(page, rag, monkeypatch):
    def fail(*_):
        raise FootnoteError("The library is away.")

    ask(page, "and how fast?")
    monkeypatch.setattr(type(rag), "trace", fail)
    page.get_by_role("button", name="How this came about").click()
    page.wait_for_selector("#fn-lens:not(.fn-loading) .fn-hint:has-text('The library is away.')", timeout=5000)


def test_settings_are_of_this_conversation_and_can_be_reset(page, rag):
    rag.changes = {}
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Papers looked up").select_option("10")
    page.wait_for_selector("#fn-status:has-text('next questions')", state="attached")
    page.get_by_label("When to decline").select_option("strict")
    page.wait_for_function("document.querySelector('#fn-knob-strictness option[selected]')?.value === 'strict'")
    page.keyboard.press("Escape")
    ask(page, "What is LanternNet?")
    assert rag.changes == {"retrieval": {"k": 10}, "answer": {"abstain_threshold": 0.7}}
    kept_conversation(page)
    page.reload()
    page.wait_for_selector(DONE)
    page.get_by_role("button", name="Settings").click()
    assert page.input_value("#fn-knob-papers") == "10"
    page.get_by_role("button", name="Back to usual").click()
    page.wait_for_function("document.querySelector('#fn-knob-papers')?.value === ''")
    page.keyboard.press("Escape")
    rag.changes = {}
    ask(page, "What is LanternNet now?")
    assert rag.changes == {}


def test_another_model_on_this_machine_can_be_chosen_for_a_conversation(page, rag):
    rag.changes = {}
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Model", exact=True).select_option(label="Boulder-7B")
    page.wait_for_selector("#fn-status:has-text('next questions')", state="attached")
    page.keyboard.press("Escape")
    ask(page, "What is LanternNet?")
    assert rag.changes == {"model": {"name": "tests/Boulder-7B"}}


def test_settings_show_what_each_conversation_has_also_after_they_were_changed_by_hand(page, rag):
    ask(page, "What is LanternNet for moths?")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    ask(page, "What is LanternNet for bats?")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Papers looked up").select_option("10")
    page.wait_for_function("document.querySelector('#fn-knob-papers option[selected]')?.value === '10'")
    page.keyboard.press("Escape")
    for title, papers in (("What is LanternNet for moths?", ""), ("What is LanternNet for bats?", "10")):
        open_list(page)
        entry(page, title).get_by_role("button", name=title, exact=True).click()
        page.wait_for_selector(f"#fn-live .fn-question:text-is('{title}')")
        page.wait_for_function(f"document.querySelector('#fn-knob-papers').value === '{papers}'")


def test_escape_ends_a_form_and_leaves_the_sheet_around_it(page):
    ask(page, "Which net for owls?")
    open_list(page)
    entry(page, "Which net for owls?").get_by_role("button", name="Rename").click()
    page.locator(".fn-entry textarea").fill("Half")
    page.keyboard.press("Escape")
    page.wait_for_selector(".fn-entry textarea", state="detached")
    assert page.locator("#fn-sheet-history-dialog[open]").count() == 1
    box = page.locator("#fn-sheet-history-dialog").bounding_box()
    page.mouse.click(box["x"] + 8, box["y"] + box["height"] - 8)
    assert page.locator("#fn-sheet-history-dialog[open]").count() == 1, "its own edge is within"
    page.mouse.click(4, 4)
    page.wait_for_selector("#fn-sheet-history-dialog:not([open])", state="attached")


def test_what_is_typed_stays_when_another_conversation_is_begun(page):
    ask(page, "Which net for eels?")
    page.fill(BOX, "Half a thought")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    assert page.input_value(BOX) == "Half a thought"


def test_a_slow_look_behind_an_answer_does_not_bring_its_conversation_back(page, rag, monkeypatch):
    began, may_end = threading.Event(), threading.Event()

    def slow(*_):
        began.set()
        assert may_end.wait(20)
        raise FootnoteError("The library is away.")

    ask(page, "and how fast for newts?")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    ask(page, "and how fast for toads?")
    monkeypatch.setattr(type(rag), "trace", slow)
    page.get_by_role("button", name="How this came about").click()
    assert began.wait(10)
    page.keyboard.press("Escape")
    open_list(page)
    entry(page, "and how fast for newts?").get_by_role("button", name="and how fast for newts?", exact=True).click()
    page.wait_for_selector("#fn-live .fn-question:text-is('and how fast for newts?')")
    may_end.set()
    page.wait_for_selector("#fn-lens .fn-hint:has-text('The library is away.')", state="attached")
    ask(page, "and then?")
    assert questions(page) == ["and how fast for newts?", "and then?"]


def test_another_address_opens_another_conversation(page):
    ask(page, "Which net for swans?")
    first = kept_conversation(page)
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    ask(page, "Which net for geese?")
    page.evaluate(f"location.hash = '#c={first}'")
    page.wait_for_selector("#fn-live .fn-question:text-is('Which net for swans?')")


def test_the_tab_is_called_by_the_first_question_of_its_conversation(page):
    long = "Which net is the best for swans that come by night, and by day, in rain or snow?"
    called = "title => document.title === title"
    ask(page, long)
    ask(page, "And for geese?")
    page.wait_for_function(called, arg=f"{long[:60]} · Footnote")
    page.reload()
    page.wait_for_function(called, arg=f"{long[:60]} · Footnote")
    page.click("#fn-clear")
    page.wait_for_function(called, arg="Footnote")


def test_a_form_gives_way_to_one_of_another_kind_and_focus_goes_back_to_what_was_pressed(page):
    ask(page, "What is LanternNet?")
    ask(page, "and how fast?")
    turn = page.locator("#t2")
    turn.get_by_role("button", name="Edit question").click()
    turn.get_by_role("button", name="Correct this").click()
    assert page.locator(".fn-form").count() == 1
    assert "in words that stand by themselves" in page.inner_text(".fn-form")
    page.get_by_role("button", name="Cancel").click()
    assert page.evaluate("document.activeElement.textContent") == "Correct this"


def test_an_abstention_offers_papers_to_ask_about_and_better_questions(page, rag):
    ask(page, "Is there wifi on trains?")
    box = page.locator("#fn-live .fn-abstained")
    assert "Questions they do answer" in box.inner_text()
    box.get_by_role("button", name=f"Ask about {TIDE.title}").click()
    page.wait_for_selector("#t2[data-stage=done]")
    assert rag.asked[-1][0] == f"What does “{TIDE.title}” propose?"


def test_a_conversation_is_exported_and_read_back(page, rag, tmp_path):
    ask(page, "What does partly mean?")
    ask(page, "Is there wifi on trains?")
    open_list(page)
    saved = {}
    for label in ("Markdown", "JSON", "BibTeX", "RIS"):
        with page.expect_download() as begun:
            page.locator(".fn-entry[aria-current]").get_by_role("button", name=f"Export as {label}").click()
        saved[label] = tmp_path / begun.value.suggested_filename
        begun.value.save_as(saved[label])
    assert {path.name for path in saved.values()} == {
        "what-does-partly-mean.md",
        "what-does-partly-mean.json",
        "what-does-partly-mean.bib",
        "what-does-partly-mean.ris",
    }
    assert "## What does partly mean?" in saved["Markdown"].read_text()
    receipts = json.loads(saved["JSON"].read_text())
    assert [receipt["status"] for receipt in receipts] == ["answered", "abstained"]
    assert not [problem for problem in verify(receipts[0]) if "digest" in problem]
    for label in ("BibTeX", "RIS"):
        assert [paper.title for paper in read_library(saved[label])] == [LANTERN.title, TIDE.title]


def test_what_cannot_be_kept_is_said_and_the_chat_goes_on(page, rag, folder):
    other = sqlite3.connect(folder / ARCHIVE_FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        page.fill(BOX, "What is kept?")
        page.press(BOX, "Enter")
        page.wait_for_selector("#fn-alert .fn-alert:has-text('another program has the file')")
        page.wait_for_selector(DONE)
    finally:
        other.execute("ROLLBACK")
        other.close()
    ask(page, "And this?")
    page.wait_for_selector("#fn-alert .fn-alert", state="detached")
    key = kept_conversation(page)
    assert [turn.question for turn in Archive(folder / ARCHIVE_FILE).open("", key).turns] == [
        "What is kept?",
        "And this?",
    ]


def test_nothing_else_is_opened_or_asked_while_an_answer_is_on_its_way(page, rag):
    ask(page, "First of two?")
    rag.before_first_token.clear()
    ask(page, "Second of two?", until="#fn-live-evidence mark")
    settled(page)  # the first turn takes its place among those before
    page.evaluate(
        """() => {
            window.said = [];
            const note = () => window.said.push(document.querySelector('#fn-status').textContent);
            new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    page.locator("#t1").get_by_role("button", name="Edit question").click()
    type_in_form(page, "Another?")
    page.keyboard.press("Enter")
    page.wait_for_function("window.said.some((line) => line.includes('An answer is on its way'))")
    rag.open_gates()
    page.wait_for_selector("#t2[data-stage=done]")
    assert questions(page) == ["First of two?", "Second of two?"]


def test_an_address_of_nothing_opens_an_empty_page(url, visit):
    page = visit(f"{url}#c={'0' * 32}")
    page.wait_for_selector("#fn-status:has-text('That conversation is not here any more.')")
    page.wait_for_function("location.hash === ''")
    assert page.is_visible("#fn-examples")


def test_what_one_who_signed_in_asked_is_not_shown_to_another(browser, watch, tmp_path):
    rag, line = FakeRag(data_folder=tmp_path, pace_s=0), Line()
    about = surroundings(rag, line, lambda name, password: password == f"{name} knows")
    with contextlib.ExitStack() as open_pages:
        served = open_pages.enter_context(Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about))

        def signed_in(name):
            context = open_pages.enter_context(contextlib.closing(browser.new_context()))
            page = watch(context.new_page())
            page.goto(served.url)
            page.get_by_label("username").fill(name)
            page.get_by_label("password").fill(f"{name} knows")
            page.get_by_role("button", name="Login").click()
            page.wait_for_selector("#fn-examples button")
            return page

        ida, bob = signed_in("ida"), signed_in("bob")
        ask(ida, "A secret of Ida's?")
        key = kept_conversation(ida)
        bob.get_by_role("button", name="Conversations").click()
        bob.wait_for_selector("#fn-entries .fn-hint:has-text('Nothing was asked yet.')")
        for opened_anew in (False, True):
            if opened_anew:
                bob.goto("about:blank")
            bob.goto(f"{served.url}#c={key}")
            bob.wait_for_selector("#fn-status:has-text('That conversation is not here any more.')")
            assert bob.locator(".fn-turn").count() == 0
        for sent in ({"do": "delete", "id": key}, {"do": "rename", "id": key, "title": "Taken"}):
            bob.evaluate("(sent) => window.footnote.act(sent)", sent)
        ida.reload()
        ida.wait_for_selector(DONE)
        open_list(ida)
        assert ida.locator(".fn-entry-title").all_inner_texts() == ["A secret of Ida's?"]


def test_times_are_those_of_the_readers_clock(url, browser, watch):
    with contextlib.closing(browser.new_context(timezone_id="Asia/Tokyo")) as context:
        page = watch(context.new_page())
        page.goto(url)
        page.wait_for_selector(BOX)
        ask(page, "What is LanternNet?")
        open_list(page)
        time = page.locator(".fn-entry time[title]").first
        there = datetime.fromisoformat(time.get_attribute("datetime")).astimezone(ZoneInfo("Asia/Tokyo"))
        assert time.inner_text() == f"{there.day} {there:%B %Y, %H:%M}"
        assert time.get_attribute("title").endswith(" UTC")
