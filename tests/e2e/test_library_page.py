"""The library and eval tabs in a real browser, over a real library with a hashing embedder and a model that quotes."""

import json
import time

import pytest

from tests.e2e.libraries import ROWS, rag_on
from tests.e2e.steps import DONE, ask, delayed
from tests.hostile import PAYLOADS

pytestmark = pytest.mark.browser

GOOD = "@misc{a, title={NewtLeap: how newts leap}, abstract={NewtLeap measures 12 leaps of newts.}, year={2024}}"
RESULTS = "#fn-lib-results .fn-lib-list li"
BOX = "#fn-lib-box textarea"


@pytest.fixture(scope="module")
def served(serve, tmp_path_factory):
    rag = rag_on(tmp_path_factory.mktemp("library"), ROWS)
    yield rag, serve(rag)
    rag.close()


@pytest.fixture
def rag(served):
    rag = served[0]
    yield rag
    while rag.library.overview().changes:
        rag.library.undo()


def opened(visit, url, tab="library", **look):
    page = visit(url, **look)
    page.click(f"#fn-tab-{tab}-button")
    page.wait_for_selector(RESULTS if tab == "library" else "#fn-ev-begin")
    return page


@pytest.fixture
def page(served, rag, visit):
    return opened(visit, served[1])


def names(page):
    return [title.split(":")[0] for title in page.locator(f"{RESULTS} .fn-lib-name").all_inner_texts()]


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def choose(page, selector, label):
    page.click(f"{selector} input")
    page.get_by_role("option", name=label, exact=True).click()


def show_map(page):
    page.click("#fn-lib-view label:has-text('Map')")
    page.wait_for_selector(".fn-dot")


def test_the_tab_says_what_is_in_the_library(page):
    said = page.inner_text("#fn-lib-overview")
    assert "9 papers · 9 passages · 2019 to 2025 · from mine.jsonl" in said
    assert "2022: 2" in page.get_attribute("#fn-lib-overview svg", "aria-label")
    assert "All 9 papers" in page.inner_text("#fn-lib-results")
    assert len(names(page)) == 9


def test_papers_are_searched_while_typing_and_narrowed_by_years(page):
    page.locator(BOX).press_sequentially("bee dances")
    until(lambda: names(page)[:1] == ["BeeDance"])
    assert "best first" in page.inner_text("#fn-lib-results")
    choose(page, "#fn-lib-how", "These words")
    until(lambda: names(page) == ["BeeDance"])
    page.get_by_label("From year").press_sequentially("2022")
    page.wait_for_selector("#fn-lib-results .fn-lib-empty")
    assert "No paper fits." in page.inner_text("#fn-lib-results")
    page.fill(BOX, "")
    page.press(BOX, "Enter")
    until(lambda: len(names(page)) == 7)
    page.get_by_label("To year").press_sequentially("2022")
    until(lambda: names(page) == ["AntTrail", "MoleDig"])


def test_years_and_venues_narrow_the_list_the_search_and_the_map_together(serve, visit, tmp_path):
    venues = ("Deep <Sea> & Sky", "Letters of Nature", None)
    rag = rag_on(tmp_path, [{**row, "venue": venues[number % 3]} for number, row in enumerate(ROWS)])
    page = opened(visit, serve(rag))
    choose(page, ".fn-lib-field:has-text('Venue')", "Deep <Sea> & Sky")
    until(lambda: names(page) == ["WhaleNet", "MoleDig", "BatEcho"])
    assert {line.split(" · ")[1] for line in page.locator(f"{RESULTS} .fn-facts").all_inner_texts()} == {venues[0]}
    page.get_by_label("From year").press_sequentially("2020")
    until(lambda: names(page) == ["MoleDig", "BatEcho"])
    page.locator(BOX).press_sequentially("recordings of bat echoes")
    until(lambda: "best first" in page.inner_text("#fn-lib-results") and names(page)[0] == "BatEcho")
    assert set(names(page)) == {"MoleDig", "BatEcho"}, "what fits the words but not the filters stays out"
    page.fill(BOX, "")
    show_map(page)
    until(lambda: page.locator(".fn-dot:not(.fn-pale)").count() == 2)
    page.click("#fn-lib-view label:has-text('List')")
    choose(page, ".fn-lib-field:has-text('Venue')", "Any")
    until(lambda: len(names(page)) == 8)
    page.get_by_label("From year").fill("20x0")
    until(lambda: len(names(page)) == 9)
    page.wait_for_selector(".fn-lib-said:has-text('“20x0” is no year.')")
    page.fill(BOX, "zyzzyva")
    choose(page, "#fn-lib-how", "These words")
    page.wait_for_selector("#fn-lib-results:has-text('No paper fits.') .fn-lib-said:has-text('“20x0” is no year.')")
    page.fill(BOX, "")
    show_map(page)
    page.wait_for_selector(".fn-lib-said:has-text('“20x0” is no year.')")
    rag.close()


def test_these_words_looks_through_the_whole_text_and_quotes_are_exact(serve, visit, tmp_path):
    rows = [
        *ROWS,
        {
            "title": "On tides",
            "abstract": "Tides come twice a day. The moon pulls the water of the whole sea towards it.",
            "authors": ["Selma Brand"],
            "keywords": ["oceanography"],
        },
        {"title": "On ponds", "abstract": "The water of a pond is pulled by nobody; the whole of it is still."},
    ]
    rag = rag_on(tmp_path, rows)
    page = opened(visit, serve(rag))
    choose(page, "#fn-lib-how", "These words")
    for words, found in (
        ("pulls water", ["On tides", "On ponds"]),
        ('"water of the whole sea"', ["On tides"]),
        ("selma brand", ["On tides"]),
        ("oceanography", ["On tides"]),
        ("twice recordings", []),
    ):
        page.fill(BOX, words)
        page.press(BOX, "Enter")
        until(lambda found=found: sorted(names(page)) == sorted(found))
    rag.close()


def test_a_paper_has_its_page_with_neighbours_and_can_be_asked_about(page):
    page.locator(f"{RESULTS} button").nth(1).click()
    page.wait_for_selector("[data-paper]")
    assert page.inner_text("#fn-lib-paper-title") == ROWS[1]["title"]
    assert page.evaluate("document.activeElement.id") == "fn-lib-paper-title"
    assert page.locator(".fn-sentence").count() == 3
    assert page.locator(".fn-lib-near li").count() == 5
    page.locator(".fn-lib-near button").first.click()
    page.wait_for_function(
        "title => document.getElementById('fn-lib-paper-title').textContent !== title", arg=ROWS[1]["title"]
    )
    page.click(".fn-lib-question button")
    page.wait_for_selector("#fn-live .fn-turn")
    assert "propose, and what problem does it address?" in page.inner_text("#fn-live .fn-question")
    assert page.is_visible("#fn-box")


def test_a_sentence_that_fits_the_search_is_marked_on_the_papers_page(page):
    choose(page, "#fn-lib-how", "These words")
    page.locator(BOX).press_sequentially("accuracy MoleDigBench")
    until(lambda: names(page) == ["MoleDig"])
    page.locator(f"{RESULTS} button").click()
    page.wait_for_selector("#fn-lib-page mark")
    assert page.inner_text("#fn-lib-page mark").startswith("It reaches an accuracy of 65%")


def test_the_map_is_read_by_pointer_and_by_keyboard(page):
    show_map(page)
    assert page.locator(".fn-dot").count() == 9
    assert page.locator('.fn-dot[tabindex="0"]').count() == 1
    first = page.locator('.fn-dot[tabindex="0"]')
    first.hover()
    assert first.get_attribute("aria-label").rsplit(",", 1)[0] in page.inner_text(".fn-map-tip")
    first.focus()
    walked = set()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        walked.add(page.evaluate("document.activeElement.dataset.id"))
    assert len(walked) > 1
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-paper]")
    assert label.startswith(page.inner_text("#fn-lib-paper-title"))
    page.wait_for_function("document.activeElement?.id === 'fn-lib-question'")
    assert page.locator(".fn-dot.fn-chosen").count() == 1
    page.get_by_role("button", name="Year", exact=True).click()
    assert page.get_attribute(".fn-map", "data-colour") == "year"
    page.locator(".fn-dot").nth(3).click()
    page.wait_for_function("document.querySelectorAll('.fn-dot')[3]?.classList.contains('fn-chosen')")
    choose(page, "#fn-lib-how", "These words")
    page.evaluate("window.wasThere = document.querySelector('#fn-shell > .fn-sayer[role=status]')")
    page.locator(BOX).press_sequentially("MoleDigBench")
    page.wait_for_selector(".fn-dot.fn-pale")
    page.wait_for_function("window.wasThere.isConnected && / of 9 papers/.test(window.wasThere.textContent)")
    page.wait_for_selector(".fn-map[data-colour=year]")
    assert page.get_attribute("[data-colour-by=year]", "aria-pressed") == "true"
    assert page.get_attribute("[data-colour-by=topic]", "aria-pressed") == "false"


def test_a_paper_that_comes_late_takes_no_focus_from_what_is_used_by_then(page):
    show_map(page)
    with delayed(page):
        page.locator('.fn-dot[aria-label^="OwlHunt"]').click()
        page.click("#fn-lib-how input")
    page.wait_for_selector("#fn-lib-paper-title:has-text('OwlHunt')")
    page.get_by_role("option", name="These words", exact=True).click()
    assert page.input_value("#fn-lib-how input") == "These words"
    with delayed(page):
        page.locator('.fn-dot[aria-label^="EelSwim"]').click()
    page.wait_for_function("(document.activeElement?.value ?? '').includes('EelSwim')")


def test_the_address_of_a_conversation_brings_up_the_chat(page):
    page.click("#fn-tab-chat-button")
    ask(page, "How does OwlHunt work?")
    page.wait_for_function("location.hash.startsWith('#c=')")
    first = page.evaluate("location.hash")
    page.click("#fn-clear")
    page.wait_for_selector("#fn-examples")
    page.click("#fn-tab-library-button")
    page.wait_for_selector("#fn-live", state="hidden")
    page.evaluate("address => { location.hash = address }", first)
    page.wait_for_selector("#fn-live .fn-question:text-is('How does OwlHunt work?')", state="visible")


def test_a_papers_reference_is_copied_and_beside_it_is_said_so(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(f"{RESULTS} button").nth(1).click()
    page.get_by_role("button", name="Copy BibTeX").click()
    page.wait_for_selector("#fn-lib-page [role=status]:has-text('Copied.')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@article{")
    assert f"title = {{{{{ROWS[1]['title']}}}}}" in copied


def test_a_click_on_the_map_makes_a_question_about_the_paper_ready_and_enter_asks_it(page):
    show_map(page)
    dot = page.locator('.fn-dot[aria-label^="OwlHunt"]')
    dot.hover()
    assert "Click to read it and ask about it" in page.inner_text(".fn-map-tip")
    dot.click()
    page.wait_for_function("document.activeElement?.id === 'fn-lib-question'")
    assert page.inner_text("#fn-lib-paper-title").startswith("OwlHunt")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fn-live .fn-turn")
    assert page.inner_text("#fn-live .fn-question").startswith("What does OwlHunt propose")
    page.wait_for_selector(DONE)
    page.click("#fn-tab-library-button")
    page.locator('.fn-dot[aria-label^="EelSwim"]').click()
    page.wait_for_function("(document.activeElement?.value ?? '').includes('EelSwim')")
    page.keyboard.type("How accurate is it?")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('#fn-live .fn-question')?.textContent === 'About EelSwim: How accurate is it?'"
    )
    page.click("#fn-tab-library-button")
    assert page.inner_text("#fn-lib-paper-title").startswith("EelSwim"), "its page stays open"


def test_papers_are_looked_through_then_added_then_undone(page, rag, tmp_path):
    (tmp_path / "newts.bib").write_text(GOOD + "\n@misc{b, title={Half}}\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff")
    page.click("#fn-lib-add-open")
    page.set_input_files("#fn-lib-files input[type=file]", [tmp_path / "newts.bib", tmp_path / "photo.png"])
    page.wait_for_selector(".fn-lib-preview")
    said = page.inner_text(".fn-lib-preview")
    assert "1 paper to add" in said
    assert "newts.bib: 1 entry without an abstract left out" in said
    page.get_by_text("newts.bib: 1 entry").click()
    assert "newts.bib, line 2, field 'abstract': expected some text" in page.inner_text(".fn-lib-preview")
    assert "photo.png: nothing of it can be added" in said
    assert "is not UTF-8" in said
    assert len(rag.papers) == 9, "looking adds nothing"
    page.get_by_role("button", name="Add 1 paper").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done")
    assert "1 paper added" in page.inner_text("#fn-lib-status")
    assert "10 papers" in page.inner_text("#fn-lib-overview")
    assert "1 paper added from newts.bib" in page.inner_text("#fn-lib-overview")
    assert "NewtLeap" in names(page)
    assert rag.retrieve("leaps of newts")[0].paper.title.startswith("NewtLeap")
    page.get_by_role("button", name="Undo").click()
    until(lambda: len(names(page)) == 9)
    assert len(rag.papers) == 9


def test_a_file_that_is_taken_off_the_list_is_not_added_and_text_is_looked_through_first(page, tmp_path):
    (tmp_path / "newts.bib").write_text(GOOD)
    (tmp_path / "toads.bib").write_text(GOOD.replace("NewtLeap", "ToadLeap").replace("newts", "toads"))
    page.click("#fn-lib-add-open")
    page.set_input_files("#fn-lib-files input[type=file]", [tmp_path / "newts.bib", tmp_path / "toads.bib"])
    page.get_by_role("button", name="Add 2 papers").wait_for()
    page.locator("#fn-lib-files").get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Add 1 paper").wait_for()
    assert "newts.bib" not in page.inner_text(".fn-lib-preview")
    page.fill("#fn-lib-pasted textarea", GOOD)
    page.get_by_role("button", name="Look through it first").wait_for()
    assert page.locator("#fn-lib-add").is_disabled()
    page.click("#fn-lib-look")
    page.get_by_role("button", name="Add 2 papers").wait_for()


def test_pasted_text_is_added_and_what_is_known_already_is_said(page, rag):
    page.click("#fn-lib-add-open")
    page.fill("#fn-lib-pasted textarea", json.dumps(ROWS[0]))
    page.click("#fn-lib-look")
    page.wait_for_selector(".fn-lib-preview")
    assert "1 here already" in page.inner_text(".fn-lib-preview")
    assert page.locator("#fn-lib-add").is_disabled()
    page.fill("#fn-lib-pasted textarea", GOOD)
    page.click("#fn-lib-look")
    page.get_by_role("button", name="Add 1 paper").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done")
    assert len(rag.papers) == 10
    assert not page.is_visible("#fn-lib-pasted")


def test_a_paper_is_removed_only_after_a_second_look(page, rag):
    page.locator(f"{RESULTS} button").nth(2).click()
    page.click("[data-lib=leave]")
    page.wait_for_selector("[role=alertdialog]")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_selector("[role=alertdialog]", state="detached")
    assert len(rag.papers) == 9
    page.click("[data-lib=leave]")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done")
    assert len(rag.papers) == 8
    assert "AntTrail" not in names(page)
    page.get_by_role("button", name="Undo").click()
    until(lambda: "AntTrail" in names(page))


def test_on_a_phone_the_paper_takes_the_place_of_the_list_and_nothing_scrolls_sideways(served, rag, visit):
    page = opened(visit, served[1], width=390, height=844)

    def fits():
        return page.evaluate(
            "[document.scrollingElement, ...document.querySelectorAll('#fn-lib-main, #fn-lib-aside')]"
            ".every((element) => element.scrollWidth <= element.clientWidth)"
        )

    assert fits()
    page.locator(f"{RESULTS} button").first.click()
    page.wait_for_selector("[data-paper]")
    assert not page.is_visible(BOX)
    assert fits()
    page.click(".fn-lib-back")
    page.wait_for_selector(BOX)
    show_map(page)
    assert fits()


def test_a_run_is_followed_read_and_compared(served, rag, visit):
    page = opened(visit, served[1], "eval")
    for number in (1, 2):
        page.fill("#fn-ev-number input[type=number]", "5")
        page.click("#fn-ev-begin")
        page.wait_for_selector("[data-running]", state="attached")
        page.wait_for_function(f"document.querySelectorAll('.fn-ev-runs li').length === {number}", timeout=30_000)
    card = page.inner_text("[data-card]")
    assert "An exam on this library" in card
    assert "Citations that point to an existing sentence" in card
    assert "What it was made with" in card
    a, b = page.locator("#fn-ev-compare input").all()
    older, newer = a.input_value(), b.input_value()
    for field, chosen in ((a, newer), (b, older)):
        field.click()
        page.get_by_role("option", name=chosen, selected=False).click()
    page.click("#fn-ev-compare-go")
    page.wait_for_selector("[data-comparison]")
    assert "B less A" in page.inner_text("[data-comparison]")
    page.locator(".fn-ev-runs button").first.click()
    page.wait_for_selector("[data-card]")
    assert (a.input_value(), b.input_value()) == (newer, older), "what was chosen stays"
    page.click("[data-eval=leave]")
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    page.wait_for_function("document.querySelectorAll('.fn-ev-runs li').length === 1")


def test_nothing_hostile_in_a_library_runs(serve, visit, tmp_path):
    rows = [{"title": f"{p} paper {i}", "abstract": f"{p} is a text of number {i}."} for i, p in enumerate(PAYLOADS)]
    rows = [row for row in rows if "\ud800" not in row["title"]]
    rag = rag_on(tmp_path, [*rows, ROWS[0]])
    page = opened(visit, serve(rag))
    page.get_by_role("button", name="Show more").click()
    until(lambda: page.locator(RESULTS).count() > 20)
    page.locator(f"{RESULTS} button").nth(3).click()
    page.wait_for_selector("[data-paper]")
    page.click("#fn-lib-add-open")
    page.fill(
        "#fn-lib-pasted textarea", "\n".join(json.dumps({"title": f"new {p}", "abstract": p}) for p in PAYLOADS[:40])
    )
    page.click("#fn-lib-look")
    page.wait_for_selector(".fn-lib-preview")
    show_map(page)
    page.locator(".fn-dot").nth(5).hover()
    assert page.locator("#fn-shell :is(script, img, iframe, object, embed, base, meta, link, video)").count() == 0
    assert page.locator("#fn-shell :is([onclick], [onerror], [onload], [onmouseover])").count() == 0
    rag.close()
