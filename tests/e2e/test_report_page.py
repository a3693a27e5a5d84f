"""The page that a run leaves behind, in a real browser: on a phone nothing but a wide table scrolls sideways."""

from __future__ import annotations

import pytest

from eval import exam
from eval.cases import Case
from eval.judges.by_name import LexicalJudge
from eval.run import run, save
from tests.e2e.libraries import ROWS, rag_on

pytestmark = pytest.mark.browser

ENDLESS = "https://example.org/" + "donaudampfschiffahrt" * 12
TOO_WIDE = """() => {
  const wide = [document.scrollingElement, document.body].filter((frame) => frame.scrollWidth > innerWidth);
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg *, .wide *") || !element.checkVisibility()) continue;
    const { left, right, width } = element.getBoundingClientRect();
    if (width && (right > innerWidth + 1 || left < -1)) wide.push(element);
  }
  return [...new Set(wide)].map((element) => `${element.nodeName} ${element.className}: ${element.innerText}`);
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of a dozen questions, one of them a word without an end that is not answered as it should be."""
    folder = tmp_path_factory.mktemp("run")
    rag = rag_on(folder / "library", ROWS)
    endless = Case("endless", "fact", f"What is {ENDLESS}?", papers=(ROWS[0]["title"],), answers=((ENDLESS,),))
    cases = [*exam.write(rag.papers, n=12), endless]
    scored = run(rag, cases, report=lambda _line: None, judge=LexicalJudge())
    save(folder / "run", scored, rag, 1.0, LexicalJudge())
    rag.close()
    return folder / "run" / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390])
def test_a_report_does_not_scroll_sideways_on_a_phone(report, context_of, width, scheme):
    page = context_of(width, 844, scheme).new_page()
    try:
        page.goto(report.as_uri())
        page.wait_for_selector("article")
        assert ENDLESS in page.inner_text("body"), "the worst cases are shown"
        assert page.evaluate(TOO_WIDE) == [], "as it opens"
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        assert page.locator("details table").first.is_visible()
        assert page.evaluate(TOO_WIDE) == [], "with all types unfolded"
    finally:
        page.close()
