"""The page over the real library and the real model, in a real browser.

`UPDATE_SCREENSHOT=1 pytest tests/e2e/test_real_page.py` makes the pictures of the README anew.
"""

import json
import os
from pathlib import Path

import pytest

from rag import Rag, verify
from rag.language.terms import tokenize
from rag.library.ledger import Ledger
from rag.library.shelf import Shelf
from rag.retrieval import FusedRetriever

pytestmark = [pytest.mark.browser, pytest.mark.weights, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
BOX = "#fn-box textarea"
DONE = "#fn-live [data-stage=done]"
SLOW_MS = 120_000


@pytest.fixture(scope="module")
def rag(real_rag):
    return real_rag


@pytest.fixture(scope="module")
def url(serve, rag):
    return serve(rag)


def ask(page, question):
    page.fill(BOX, question)
    page.press(BOX, "Enter")


def picture(page, name):
    if os.environ.get("UPDATE_SCREENSHOT"):
        page.screenshot(path=ROOT / "docs" / f"{name}.png")


def test_a_question_is_answered_with_footnotes_that_open_the_very_sentence(url, rag, visit):
    page = visit(url, 1280, 860)
    ask(page, "How many robot demonstrations was OpenVLA trained on, and which model does it outperform?")
    page.wait_for_selector("#fn-live-evidence mark", timeout=SLOW_MS)
    page.wait_for_selector("#fn-live .fn-draft-text", timeout=SLOW_MS)
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "970k" in page.inner_text("#fn-live")
    page.locator("#fn-live .fn-marker").first.click()
    cited = page.locator("mark.fn-pulse").inner_text()
    assert any(cited in paper.abstract for paper in rag.papers)
    assert "OpenVLA" in cited
    picture(page, "page")
    page.get_by_role("button", name="How this came about").click()
    page.get_by_text("What the model wrote", exact=True).wait_for()
    lens = page.inner_text("#fn-lens")
    assert cited in lens, "the evidence is there, and the prompt that holds it"
    assert "Supported: " in lens
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(DONE)
    page.locator("#fn-live .fn-marker").first.click()
    assert page.locator("mark.fn-pulse").inner_text() == cited, "found again with its citations"


def test_stop_stops_the_real_model_and_retry_answers(url, visit):
    page = visit(url, 1280, 860)
    ask(page, "How does FROSTER keep CLIP general, and why is that hard?")
    page.wait_for_selector("#fn-live .fn-draft-text", timeout=SLOW_MS)
    page.click("#fn-stop")
    page.wait_for_selector("#fn-live [data-stage=stopped]", timeout=SLOW_MS)
    page.click("#fn-retry")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert page.locator("#fn-live .fn-marker").count() > 0


def test_a_claim_is_weighed_and_its_sentence_stands_in_the_abstract(url, rag, visit):
    page = visit(url, 1280, 860)
    page.click("#fn-mode label:has-text('Weigh a claim')")
    page.wait_for_selector("#fn-ask:has-text('Weigh')")
    ask(page, "OpenVLA outperforms RT-2-X.")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "OpenVLA" in page.inner_text("#fn-live .fn-stance-supports .fn-source")
    page.locator("#fn-live .fn-stance-supports .fn-marker").first.click()
    shown = page.locator("mark.fn-pulse").inner_text()
    (paper,) = (paper for paper in rag.papers if shown in paper.abstract)
    assert paper.title.startswith("OpenVLA")
    assert f"of {len(rag.papers)} are silent" in page.inner_text("#fn-live .fn-weighed")


def test_what_the_library_does_not_say_is_declined(url, visit):
    page = visit(url, 390, 844, "dark")
    ask(page, "Who won the football World Cup in 2018?")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "The library does not say" in page.inner_text("#fn-live")
    picture(page, "phone")


def test_a_follow_up_is_understood_edited_and_exported_with_receipts_that_hold(url, rag, visit, tmp_path):
    page = visit(url)
    ask(page, "What is the Weighted Tallying Bandit?")
    page.wait_for_selector("#t1[data-stage=done]", timeout=SLOW_MS)
    ask(page, "And what does m stand for?")
    page.wait_for_selector("#t2[data-stage=done]", timeout=SLOW_MS)
    assert "Weighted Tallying Bandit" in page.inner_text("#t2 .fn-standalone")
    page.get_by_role("button", name="Edit question 2").click()
    page.fill("#t2 .fn-form textarea", "What does REO stand for?")
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_selector("#t3[data-stage=done]", timeout=SLOW_MS)
    assert page.locator("#t2").count() == 0
    assert "Repeated Exposure Optimality" in page.inner_text("#t3")
    page.get_by_role("button", name="Conversations").click()
    with page.expect_download() as begun:
        page.locator(".fn-entry[aria-current]").get_by_role("button", name="Export as JSON").click()
    begun.value.save_as(tmp_path / "receipts.json")
    receipts = json.loads((tmp_path / "receipts.json").read_text())
    assert [receipt["question"] for receipt in receipts] == [
        "What is the Weighted Tallying Bandit?",
        "What does REO stand for?",
    ]
    assert [verify(receipt, rag.papers) for receipt in receipts] == [(), ()]


def test_two_people_at_once_are_each_answered_their_own(url, visit):
    asked = {"How many robot demonstrations was OpenVLA trained on?": "970k", "What does NLPO stand for?": "Natural"}
    pages = [visit(url) for _ in asked]
    for page, question in zip(pages, asked, strict=True):
        ask(page, question)
    for page, said in zip(pages, asked.values(), strict=True):
        page.wait_for_selector(DONE, timeout=SLOW_MS)
        assert said in page.inner_text("#fn-live")


PAPER = {
    "title": "NewtLeap: how newts leap",
    "abstract": "Little is known of how newts leap. NewtLeap measures 1,204 leaps of 31 newts with a high-speed camera. "
    "Newts leap 14 centimetres on average, half as far as frogs of their weight.",
    "year": 2024,
}
OLDER = [
    {"title": "FrogHop: how frogs hop", "abstract": "FrogHop measures 77 hops of frogs. Frogs hop after rain."},
    {"title": "ToadWalk: how toads walk", "abstract": "ToadWalk films toads. Toads walk at night, slowly."},
]


@pytest.fixture(scope="module")
def own_library(rag, tmp_path_factory):
    """A small library of one's own, the real embedder and the real model over it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OLDER))
    encoder = rag.retriever.encoder
    shelf = Shelf(folder / "mine.jsonl", Ledger(folder / "changes.jsonl"), folder / "index", encoder)
    shelf.update()
    retriever = FusedRetriever(index=shelf.open(), encoder=encoder)
    opened = Rag(retriever=retriever, model=rag.model, settings=rag.settings, shelf=shelf)
    yield opened
    opened.close()


def test_a_paper_is_added_and_answers_and_a_bad_file_is_refused(serve, own_library, visit, tmp_path):
    (tmp_path / "newts.jsonl").write_text(json.dumps(PAPER) + "\n")
    (tmp_path / "broken.csv").write_text("title;text\na;b\n")
    page = visit(serve(own_library))
    page.click("#fn-tab-library-button")
    page.click("#fn-lib-add-open")
    page.set_input_files("#fn-lib-files input[type=file]", [tmp_path / "newts.jsonl", tmp_path / "broken.csv"])
    page.wait_for_selector(".fn-lib-preview")
    assert "broken.csv: nothing of it can be added" in page.inner_text(".fn-lib-preview")
    page.get_by_role("button", name="Add 1 paper").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done", timeout=SLOW_MS)
    page.click("#fn-tab-chat-button")
    ask(page, "How far do newts leap on average?")
    page.wait_for_selector(DONE, timeout=SLOW_MS)
    assert "14 centimetres" in page.inner_text("#fn-live")
    page.locator("#fn-live .fn-marker").first.click()
    assert page.locator("mark.fn-pulse").inner_text() in PAPER["abstract"]


def test_a_search_by_meaning_finds_a_paper_that_shares_no_word_with_it(serve, own_library, visit):
    asked = "nocturnal amphibians on foot"
    wanted = next(paper for paper in own_library.papers if paper.title.startswith("ToadWalk"))
    assert not set(tokenize(asked)) & set(tokenize(f"{wanted.title} {wanted.abstract}")), "no word, not even its stem"
    page = visit(serve(own_library))
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-results .fn-lib-list li")
    for label, found in (("Meaning", "ToadWalk"), ("These words", None)):
        page.click("#fn-lib-how input")
        page.get_by_role("option", name=label, exact=True).click()
        page.fill("#fn-lib-box textarea", asked)
        page.press("#fn-lib-box textarea", "Enter")
        if found:
            page.wait_for_selector(f"#fn-lib-results li:first-child .fn-lib-name:has-text('{found}')")
            page.wait_for_selector("#fn-lib-results .fn-lib-said:has-text('best first')")
        else:
            page.wait_for_selector("#fn-lib-results .fn-lib-empty:has-text('No paper fits.')")


def test_the_library_and_its_map(url, visit):
    page = visit(url, 1280, 860)
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-lib-results .fn-lib-list li")
    assert "89 papers" in page.inner_text("#fn-lib-overview")
    page.click("#fn-lib-view label:has-text('Map')")
    page.wait_for_selector(".fn-dot", timeout=SLOW_MS)
    assert page.locator(".fn-dot").count() == 89
    picture(page, "library")


def test_the_page_says_which_model_answers_and_why(url, rag, visit):
    page = visit(url)
    assert rag.description.model in page.inner_text("#fn-header")
