"""A claim weighed in a real browser: typed or taken from an answer, followed paper by paper, stopped, found again."""

from __future__ import annotations

import json

import pytest

from rag import Balance, verify
from rag.cli import main as footnote
from tests.e2e.steps import BOX, DONE, ask, in_view, lens
from tests.fake_rag import LANTERN, TIDE, FakeRag, sentences_of

pytestmark = pytest.mark.browser

CLAIM = "LanternNet removes flicker."


@pytest.fixture
def rag(served):
    served[0].pace_s = 0
    served[0].open_gates()
    served[0].asked.clear()
    served[0].closed.clear()
    yield served[0]
    served[0].open_gates()


def choose(page, label):
    page.click(f"#fn-mode label:has-text('{label}')")
    page.wait_for_selector(f"#fn-ask:has-text('{label.split()[0]}')")


def test_a_claim_is_weighed_and_each_sentence_is_a_click_away_in_its_abstract(served, rag, visit):
    page = visit(served[1])
    choose(page, "Weigh a claim")
    assert page.get_attribute(BOX, "placeholder") == "State a claim to weigh"
    ask(page, CLAIM)
    said = page.inner_text("#fn-live")
    assert "1 paper supports it, 1 contradicts it, 4 of 6 are silent" in said
    assert "nine times in ten" in said
    assert page.inner_text("#fn-live .fn-stance-supports li").startswith(f"“{sentences_of(LANTERN)[2].text}”")
    assert TIDE.title in page.inner_text("#fn-live .fn-stance-contradicts")
    page.locator("#fn-live .fn-stance-contradicts .fn-marker").click()
    assert page.inner_text("mark.fn-pulse") == sentences_of(TIDE)[2].text
    assert in_view(page, "mark.fn-pulse", "#fn-evidence")
    page.locator("#fn-live-evidence [data-back=t1-m2]").click()
    assert page.evaluate("document.activeElement.id") == "t1-m2"
    page.locator("#fn-live .fn-stance-silent summary").click()
    assert page.locator("#fn-live .fn-stance-silent .fn-marker").is_visible()
    page.reload()
    page.wait_for_selector(DONE)
    page.locator("#fn-live .fn-stance-supports .fn-source a").click()
    assert page.inner_text("mark.fn-pulse") == sentences_of(LANTERN)[2].text, "found again with its papers"


def test_papers_come_as_they_are_read_and_stop_keeps_them(served, rag, visit):
    page = visit(served[1])
    rag.before_first_token.clear()
    rag.before_answer.clear()
    choose(page, "Weigh a claim")
    ask(page, CLAIM, until="#fn-status:has-text('Reading paper 1 of 3')")
    rag.before_first_token.set()
    page.wait_for_selector("#fn-live .fn-stance-supports .fn-marker")
    assert page.locator("#fn-live-evidence .fn-paper").count() == 1
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]")
    assert "Stopped after 1 of the 3 papers to read." in page.inner_text("#fn-live")
    rag.open_gates()
    page.click("#fn-retry")
    page.wait_for_selector(DONE)
    assert [claim for claim, _ in rag.asked] == [CLAIM, CLAIM]
    assert rag.closed == [CLAIM]


def test_a_sentence_of_an_answer_is_weighed_and_what_is_asked_after_is_a_question(served, rag, visit):
    page = visit(served[1])
    ask(page, "What is LanternNet?")
    page.click("#fn-live .fn-offer summary")
    sentence = page.locator("#fn-live [data-weigh]").first
    claim = sentence.inner_text()
    sentence.click()
    page.wait_for_selector("#fn-live .fn-stance")
    assert page.inner_text("#fn-live .fn-question") == claim
    assert page.is_checked("#fn-mode input >> nth=1")
    page.get_by_role("button", name="Edit claim 2").click()
    page.locator(".fn-form textarea").fill("LanternNet adds flicker.")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#fn-live .fn-question')?.textContent.includes('adds')")
    page.wait_for_selector("#fn-live [data-stage=done] .fn-stance")
    choose(page, "Ask a question")
    ask(page, "How fast is it?")
    assert page.locator("#fn-live .fn-answer").count() == 1
    told = rag.asked[-1][1]
    assert [message["content"] for message in told if message["role"] == "user"] == ["What is LanternNet?"]


def test_what_cannot_be_weighed_says_so_and_what_is_near_to_nothing_too(served, rag, visit):
    page = visit(served[1], 390, 844, "dark")
    choose(page, "Weigh a claim")
    page.press(BOX, "Enter")
    page.wait_for_selector("#fn-status:has-text('Type a claim first.')")
    ask(page, "It is broken.", until="#fn-live .fn-error")
    assert "Weigh with a local model." in page.inner_text("#fn-live")
    ask(page, "Trains have wifi.")
    assert "No paper supports it, none contradicts it, 6 of 6 are silent" in page.inner_text("#fn-live")


def test_a_rag_that_cannot_weigh_offers_no_such_mode(serve, visit):
    class Plain(FakeRag):
        def __getattribute__(self, name):
            if name == "weighing":
                raise AttributeError(name)
            return super().__getattribute__(name)

    page = visit(serve(Plain(pace_s=0)))
    page.wait_for_selector(BOX)
    assert page.locator("#fn-mode").count() == 0


def test_the_lens_shows_how_a_balance_came_about(served, rag, visit):
    page = visit(served[1])
    choose(page, "Weigh a claim")
    ask(page, CLAIM)
    dialog = lens(page)
    shown = dialog.inner_text()
    for words in (
        "1. (0.71)",
        "0.91",
        "supports it 0.83 · contradicts it 0.09 · says neither 0.09 → supports the claim · read in 0.31 s",
        "papers found after 0.12 s · last paper read after 1.05 s",
        "tests/pebble",
        "verdict@1:0",
    ):
        assert words in shown, words
    for paper, kept in ((LANTERN, True), (TIDE, True)):
        assert (dialog.locator("td strong", has_text=paper.title).count() == 1) is kept
    prompt = dialog.locator(".fn-asked").first
    prompt.locator("summary").click()
    assert f"{CLAIM}\n{sentences_of(LANTERN)[1].text} {sentences_of(LANTERN)[2].text}" in prompt.inner_text()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.lens") == "1"


def test_a_weighed_claim_is_exported_as_json_verified_and_read_back(served, rag, visit, tmp_path, capsys):
    page = visit(served[1])
    ask(page, "Is there wifi on trains?")
    choose(page, "Weigh a claim")
    ask(page, CLAIM)
    page.get_by_role("button", name="Conversations").click()
    with page.expect_download() as begun:
        page.locator(".fn-entry[aria-current]").get_by_role("button", name="Export as JSON").click()
    file = tmp_path / "talk.json"
    begun.value.save_as(file)
    answer, claim = json.loads(file.read_text())
    assert (answer["question"], claim["claim"]) == ("Is there wifi on trains?", CLAIM)
    assert verify(claim, rag.papers) == ()
    balance = Balance.from_dict(claim)
    assert [(one.paper.id, one.stance) for one in balance.papers] == [
        ("lantern", "supports"),
        ("tide", "contradicts"),
        ("moss", "silent"),
    ]
    assert footnote(["verify", str(file)]) == 0
    assert capsys.readouterr().out == "1 answer and 1 weighed claim: every citation holds.\n"
    file.write_text(file.read_text().replace("which removes flicker", "which adds flicker"))
    assert footnote(["verify", str(file)]) == 1
    assert "does not stand where it says" in capsys.readouterr().out
