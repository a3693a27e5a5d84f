"""Runs of questions in a real browser, over a small real library and a model whose answers are in the test's hands."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from eval.benchmarks.quoting import QuotingModel, best_sentence
from rag.pipeline import Rag
from tests.e2e.libraries import ROWS, rag_on
from tests.e2e.steps import wait_until

pytestmark = pytest.mark.browser

RUNS = ".fn-ev-runs li"
MANY = 1_000_000


@dataclass
class Teacher:
    """What the pupil is told: about which systems it knows nothing, of which it is unsure, in many words or in one, how
    many it may answer.
    """

    unknown: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    brief: tuple[str, ...] = ()
    leave: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MANY))


class Pupil(QuotingModel):
    """Quotes the right sentence, but for what its teacher has told it."""

    teacher: Any = None

    def _stream(self, messages, stop=None, run_manager=None, **_options):
        assert self.teacher.leave.acquire(timeout=60)
        said = best_sentence("\n".join(str(message.content) for message in messages))
        if any(name in said for name in self.teacher.unsure):
            said = f"As its authors report with some pride, {said}"
        if any(name in said for name in self.teacher.brief):
            said = f"Reportedly, {said}"
        if any(name in said for name in self.teacher.unknown):
            said = "The evidence does not mention it."
        yield ChatGenerationChunk(message=AIMessageChunk(content=said, response_metadata={"finish_reason": "stop"}))


@pytest.fixture
def teacher():
    return Teacher()


@pytest.fixture
def rag(teacher, tmp_path):
    library = rag_on(tmp_path / "library", ROWS)
    rag = Rag(
        retriever=library.retriever,
        model=Pupil(teacher=teacher),
        settings=library.settings,
        shelf=library.library._shelf,
    )
    yield rag
    teacher.leave.release(MANY)
    rag.close()


@pytest.fixture
def page(serve, rag, visit):
    page = visit(serve(rag))
    page.click("#fn-tab-eval-button")
    page.wait_for_selector("#fn-ev-begin")
    return page


def begin(page, number=12):
    page.fill("#fn-ev-number input[type=number]", str(number))
    page.click("#fn-ev-begin")
    page.wait_for_selector("[data-running]")


def run(page, number=12):
    before = page.locator(RUNS).count()
    page.fill("#fn-ev-number input[type=number]", str(number))
    page.click("#fn-ev-begin")
    page.wait_for_function(
        f"document.querySelectorAll('{RUNS}').length === {before + 1} && !document.querySelector('[data-running]')",
        timeout=30_000,
    )


def test_a_scorecard_has_its_plots_drawn_and_its_worst_cases_open_and_lead_to_the_chat(page, teacher):
    teacher.unknown = ("OwlHunt",)
    teacher.unsure, teacher.brief = ("BeeDance", "WhaleNet"), ("EelSwim", "AntTrail")
    run(page)
    card = page.locator("[data-card]")
    bars = card.locator("svg.fn-ev-bar")
    assert bars.count() >= 8
    for bar in bars.all()[:4]:
        low, high = (float(bar.locator(".fn-ev-interval").get_attribute(name)) for name in ("x1", "x2"))
        assert 4 <= low <= float(bar.locator(".fn-ev-mean").get_attribute("cx")) <= high <= 116
        assert bar.bounding_box()["width"] > 60
    plot = card.locator("figure.fn-ev-plot svg")
    points = plot.locator("polyline").get_attribute("points").split()
    assert len(points) >= 3
    assert plot.bounding_box()["height"] > 100
    places = [tuple(map(float, point.split(","))) for point in points]
    assert places == sorted(places), "coverage only grows"
    assert all(40 <= x <= 290 and 20 <= y <= 150 for x, y in places)
    assert plot.locator("polyline").evaluate("(line) => getComputedStyle(line).stroke") != "none"
    cases = card.locator(".fn-ev-case")
    assert cases.count() == sum("OwlHunt" in case for case in cases.all_inner_texts()) >= 1, "only what is wrong"
    question = cases.first.locator("summary").inner_text().partition("?")[0]
    assert not cases.first.locator("dl").is_visible()
    cases.first.locator("summary").click()
    opened = cases.first.locator("dl").inner_text()
    assert "The library does not say." in opened
    assert "Expected" in opened
    cases.first.get_by_role("button", name="Ask it in the chat").click()
    page.wait_for_selector("#fn-live .fn-turn")
    assert page.inner_text("#fn-live .fn-question") == f"{question}?"


def test_a_comparison_says_which_questions_got_better_and_which_got_worse(page, teacher):
    teacher.unknown = ("OwlHunt",)
    run(page)
    teacher.unknown = ("EelSwim", "MoleDig")
    run(page)
    page.click("#fn-ev-compare-go")
    page.wait_for_selector("[data-comparison]")
    worse, better = page.locator(".fn-ev-changed").all()
    assert "Got worse" in page.locator("[data-comparison] h3").nth(0).inner_text()
    assert "Got better" in page.locator("[data-comparison] h3").nth(1).inner_text()
    assert all("EelSwim" in line or "MoleDig" in line for line in worse.locator("li").all_inner_texts())
    assert all("OwlHunt" in line for line in better.locator("li").all_inner_texts())
    assert "Facts right, cited to exactly the right papers" in better.inner_text()
    row = page.locator("[data-comparison] tbody tr", has_text="Facts right, cited").locator("td").all_inner_texts()
    gained = sum("Facts right, cited" in line for line in better.locator("li").all_inner_texts())
    lost = sum("Facts right, cited" in line for line in worse.locator("li").all_inner_texts())
    assert gained >= 1
    assert lost >= 1
    assert float(row[1]) - float(row[0]) == pytest.approx((gained - lost) / int(row[4]), abs=0.011)


def test_the_progress_moves_while_a_run_goes_on_also_after_a_reload(page, teacher):
    teacher.leave = threading.Semaphore(3)
    begin(page)
    bar = page.locator("[data-running] progress")
    wait_until(lambda: int(bar.get_attribute("value")) >= 1, "it moves")
    seen = int(bar.get_attribute("value"))
    assert "right and cited so far" in page.inner_text("[data-running]")
    page.reload()
    page.click("#fn-tab-eval-button")
    page.wait_for_selector("[data-running]")
    teacher.leave.release(4)
    wait_until(lambda: int(bar.get_attribute("value")) >= seen + 2, "it goes on moving")
    assert "left" in page.inner_text("[data-running]")
    assert page.locator("#fn-ev-begin").is_disabled()
    teacher.leave.release(MANY)
    page.wait_for_selector("[data-card]", timeout=30_000)
    assert page.locator("[data-running]").count() == 0


def test_a_run_that_is_stopped_has_a_scorecard_of_what_was_asked_and_can_go_on(page, teacher):
    teacher.leave = threading.Semaphore(4)
    begin(page)
    wait_until(lambda: int(page.locator("[data-running] progress").get_attribute("value")) >= 3, "three are answered")
    page.get_by_role("button", name="Stop and score what there is").click()
    page.wait_for_selector("[data-running]:has-text('Stopping after this question')")
    teacher.leave.release(MANY)
    page.wait_for_selector("[data-card]", timeout=30_000)
    said = page.inner_text("[data-card]")
    assert "of 12 questions: the intervals are wide." in said
    done = int(said.partition("Stopped after ")[2].split()[0])
    assert 3 <= done < 12
    assert page.locator("[data-card] .fn-ev-table tbody tr").count() >= 4
    page.get_by_role("button", name="Go on with it").click()
    page.wait_for_function(
        "document.querySelector('[data-card]')?.textContent.includes('12 questions in')", timeout=30_000
    )
    assert "the intervals are wide" not in page.inner_text("[data-card]")
    assert page.locator(RUNS).count() == 1


def test_an_exam_asks_about_papers_that_were_just_added(page, rag):
    page.click("#fn-tab-library-button")
    page.click("#fn-lib-add-open")
    page.fill(
        "#fn-lib-pasted textarea",
        "@misc{n, title={NewtLeap: a system for newt leaps}, year={2026}, abstract={We present NewtLeap, a system for "
        "newt leaps. NewtLeap was trained on 814 thousand newt leaps recordings. It reaches an accuracy of 91% on the "
        "NewtLeapBench benchmark.}}",
    )
    page.click("#fn-lib-look")
    page.get_by_role("button", name="Add 1 paper").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done")
    page.click("#fn-tab-eval-button")
    run(page, 40)
    page.wait_for_selector("[data-card]")
    (folder,) = (rag.settings.home / "runs").iterdir()
    asked = [line for line in (folder / "exam.jsonl").read_text().splitlines() if "NewtLeap" in line]
    assert asked, "the exam is of the library as it is now"
    assert "NewtLeap" in (folder / "answers.jsonl").read_text()


def test_no_exam_can_be_made_of_nothing_and_the_bundled_questions_need_the_bundled_library(serve, visit, tmp_path):
    rag = rag_on(tmp_path / "bare", [{"title": "Bare", "abstract": "Nothing."}])
    page = visit(serve(rag))
    page.click("#fn-tab-eval-button")
    page.click("#fn-ev-begin")
    page.wait_for_selector("#fn-ev-said [role=alert]")
    page.click("#fn-ev-form .fn-lib-field input")
    page.get_by_role("option", name="The bundled questions").click()
    page.click("#fn-ev-begin")
    page.wait_for_selector("#fn-ev-said [role=alert]:has-text('Take an exam written from this library.')")
    rag.close()
