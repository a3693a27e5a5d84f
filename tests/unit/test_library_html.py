"""The library and eval tabs as HTML: what they say, and that nothing from outside becomes markup."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from eval.compare import Difference
from eval.running import Step as RunStep
from rag import counted
from rag.library.atlas import Atlas, Cluster, Point
from rag.library.finding import Found
from rag.library.intake import Offer, Preview
from rag.library.ledger import Change
from rag.library.opened import Overview
from rag.library.shelf import Outcome
from rag.schema import Paper, Sentence
from tests.hostile import PAYLOADS, Inspector
from ui.markup import known, moment, render_problem
from ui.views.atlas import render_atlas
from ui.views.evals import render_comparison, render_reading, render_runs, render_step
from ui.views.library import (
    render_history,
    render_no_years,
    render_outcome,
    render_overview,
    render_paper,
    render_preview,
    render_progress,
    render_results,
)
from ui.work import Step, said_of, time_words

AT = "2026-11-24T11:20:00+00:00"


def paper(words: str, key: str = "p1") -> Paper:
    return Paper(key, words, f"{words} In the end it works.", (words,), 2020, words, words, words, (words,), words)


def reading(words: str) -> SimpleNamespace:
    figure = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 4, "left_out": 1}
    groups = {
        "all": {"right and cited": figure, words: figure},
        words: {"right and cited": figure},
        "fact": {"right and cited": figure},
    }
    summary = {
        "figures": groups, "failed": {words: words}, "seconds": 61.0, "made_with": {words: words},
        "risk_coverage": [(0.3, 0.0), (0.6, 0.2), (1.0, 0.4)],
        "timings": {"total_s": {"median": 1.5, "p90": 2.5, "n": 3}},
    }  # fmt: skip
    row = SimpleNamespace(
        name=words, label=words, began=0.0, cases=4, wanted=9, is_partial=True, is_scored=True, summary=summary
    )
    worst = ((words, words, (("Question", (words,)), ("Answer", (words, words)))),)
    return SimpleNamespace(row=row, worst=worst)


def everything(words: str) -> list[str]:
    one = paper(words)
    found = [Found(one, None, 0.5, 1)]
    change = Change("add", (one,), AT, words)
    item = Difference("right and cited", 4, 0.5, 0.75, 0.25, 0.1, 0.4, 0.5, (words,), (words,))
    seen = reading(words)
    broken_off = SimpleNamespace(**{**vars(seen.row), "is_scored": False, "summary": {}})
    atlas = Atlas((Point("p1", 0.1, 0.9, 0),), (Cluster((words,), 1),), 3)
    return [
        render_overview(Overview(words, 1, 2, {2020: 1, 2022: 3}, {words: 1}, (change,), is_editable=True)),
        render_history((change,)),
        render_results(found, words, 1, {"p1": (0, 4)}),
        render_paper(one, [Sentence("p1", 0, 0, len(words), words)], found, is_editable=True),
        render_paper(one, [], found, marked=(0, 3), is_editable=True, is_leaving=True),
        render_preview([Offer(words, (one,), (words,) * 10, (words,) * 50)], Preview((one,), (one,), (one,))),
        render_outcome(Outcome(added=(one,))),
        moment(words),
        render_atlas(atlas, {"p1": one}, fitting=set(), selected="p1"),
        render_step(words, RunStep(1, 4, 1.0, 3.0, 1, 1, words, None)),
        render_problem(words, words),
        render_runs([seen.row], words),
        render_reading(seen),
        render_runs([broken_off], words),
        render_reading(SimpleNamespace(row=broken_off, worst=())),
        render_comparison(seen.row, seen.row, [item]),
    ]


def test_what_an_export_has_without_an_abstract_is_no_alert_but_can_be_looked_at():
    one = paper("One")
    html = render_preview(
        [Offer("my.bib", (one,), (), ("my.bib, line 9, field 'abstract'",) * 43)], Preview((one,), (), ())
    )
    assert "alert" not in html
    assert '<summary><span dir="auto">my.bib</span>: 43 entries without an abstract left out</summary>' in html
    assert html.count("my.bib, line 9") == 40
    assert "and 3 more" in html
    assert "1 entry without an abstract left out" in render_preview([Offer("a", (), (), ("b",))], Preview((), (), ()))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_outside_becomes_markup(payload):
    for html in everything(payload):
        Inspector(html)


def test_plain_words_are_shown_as_they_are():
    shown = [Inspector(html).shown for html in everything("whales & <bees>")]
    assert all("whales & <bees>" in words for words in shown[2:4])


def test_an_overview_says_where_nothing_was_changed_yet():
    html = render_overview(Overview("mine.bib", 1, 2, {2020: 1}, {}, (), is_editable=True))
    assert "Nothing was added or removed here yet." in html
    assert "Undo" not in html


@pytest.mark.parametrize(("number", "said"), [(1, "1 entry"), (1200, "1,200 entries")])
def test_an_overview_says_how_many_entries_have_no_abstract_or_are_of_one_paper(number, said):
    seen = Overview("mine.bib", 3, 3, {}, {}, (), is_editable=True)
    assert f"{said} without an abstract left out" in render_overview(replace(seen, n_left_out=number))
    assert f"{said} merged with another of the same paper" in render_overview(replace(seen, n_merged=number))
    assert "left out" not in render_overview(seen)
    assert "merged" not in render_overview(seen)


def test_the_overview_counts_papers_and_says_the_last_change_with_undo():
    html = render_overview(
        Overview(
            "mine.bib", 1200, 2400, {2019: 3, 2021: 5}, {}, (Change("remove", (paper("A"),), AT),), is_editable=True
        )
    )
    shown = Inspector(html).shown
    assert "1,200 papers · 2,400 passages · 2019 to 2021 (8 with a year) · from mine.bib" in shown
    assert "Last change: 1 paper removed, 24 November 2026, 11:20 UTC" in shown
    assert 'data-lib="undo"' in html
    assert "data-lib" not in render_overview(Overview("mine.bib", 1, 1, {}, {}, (), is_editable=True))
    assert "data-lib" not in render_overview(
        Overview("mine.bib", 1, 1, {}, {}, (Change("add", (paper("A"),), AT),), is_editable=False)
    )


def test_an_empty_library_and_an_empty_search_each_say_what_to_do():
    assert "Add papers" in render_results([], "", 0, {})
    assert "Try other words" in render_results([], "x", 5, {})


def test_more_results_are_offered_only_where_there_may_be_more():
    found = [Found(paper("A", f"p{i}"), None, 0.0, i) for i in range(21)]
    twenty = found[:20]
    assert "“&lt;2” is no year." in render_no_years(["<2"])
    assert "“&lt;2” and “x” are no years." in render_no_years(["<2", "x"])
    assert render_no_years([]) == ""
    assert "Show more" in render_results(found, "", 50, {})
    assert render_results(found, "", 50, {}).count("<li>") == 20
    assert "Show more" not in render_results(twenty, "", 20, {})
    assert "Show more" not in render_results(twenty[:7], "x", 50, {})
    assert "Show more" not in render_results(twenty, "", 50, {}), "a filter leaves exactly as many as are shown"


@pytest.mark.parametrize(
    ("n_found", "query", "n_papers", "said"),
    [
        (20, "", 20, "All 20 papers"),
        (21, "", 50, "First 20 of 50 papers"),
        (20, "", 50, "20 of 50 papers"),
        (7, "", 50, "7 of 50 papers"),  # a filter leaves no others: they are not the first of more
        (7, "x", 50, "7 of 50 papers, best first"),
        (21, "x", 50, "20 of 50 papers, best first"),
        (1, "", 1, "All 1 paper"),
    ],
)
def test_what_is_shown_is_told_from_what_there_is(n_found, query, n_papers, said):
    found = [Found(paper("A", f"p{i}"), None, 0.0, i) for i in range(n_found)]
    assert f'<p class="fn-lib-said fn-say">{said}</p>' in render_results(found, query, n_papers, {})


def test_a_time_reads_alike_whatever_it_was_written_as():
    expected = '<time datetime="2026-11-24T11:20:00+00:00">24 November 2026, 11:20 UTC</time>'
    assert moment(AT) == moment("2026-11-24T12:20:00+01:00") == moment(1795519200.0) == expected
    assert moment("yesterday") == "yesterday"


def test_numbers_of_things_and_what_is_known_of_a_paper():
    assert [counted(number, "paper") for number in (0, 1, 2, 12_345)] == [
        "0 papers",
        "1 paper",
        "2 papers",
        "12,345 papers",
    ]
    many = Paper("p", "T", "A", authors=("A", "B", "C", "D"), year=2020)
    assert (known(many), known(Paper("p", "T", "A"))) == ("A, B, C et al. · 2020", "")


def test_a_library_that_cannot_be_changed_offers_no_removal():
    assert "Remove" not in render_paper(paper("A"), [], [])


def test_a_paper_is_asked_about_by_its_short_name_or_its_whole_title():
    assert "What does BeeDance propose" in render_paper(paper("BeeDance: bees"), [], [])
    offering = replace(paper("A study of bees"), abstract="We introduce a map of dances.")
    assert "What does “A study of bees” propose" in render_paper(offering, [], [])
    assert "What does “A study of bees” find?" in render_paper(paper("A study of bees"), [], [])


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(0, 0, 0.0, None), ""),
        (Step(0, 10, 0.5, None), "0 of 10 papers"),
        (Step(5, 10, 20.0, 20.0), "5 of 10 papers, about 20 s left"),
        (Step(1000, 20000, 60.0, 1140.0), "1,000 of 20,000 papers, about 19 min left"),
        (Step(10, 10, 40.0, 0.0), "10 of 10 papers"),
    ],
)
def test_progress_tells_what_is_left(step, words):
    assert said_of(step, "papers") == words
    assert "progress" in render_progress(9, step, may_stop=True, is_stopping=False)


@pytest.mark.parametrize(
    ("step", "may_stop", "is_stopping", "said", "can_stop"),
    [
        (Step(0, 0, 0.0, None), True, False, "Adding 9 papers: beginning…", True),
        (Step(32, 100, 2.0, 4.2), True, False, "Adding 9 papers: 32 of 100 passages read, about 4 s left…", True),
        (Step(32, 100, 2.0, 4.2), False, False, "32 of 100", False),
        (Step(32, 100, 2.0, 4.2), True, True, "Adding 9 papers: stopping…", False),
        (Step(100, 100, 6.0, 0.0), True, True, "all passages are read; the index is being written…", False),
    ],
)
def test_an_addition_can_be_stopped_as_long_as_that_helps(step, may_stop, is_stopping, said, can_stop):
    shown = Inspector(render_progress(9, step, may_stop=may_stop, is_stopping=is_stopping)).shown
    assert said in shown
    assert ("Stop, add nothing" in shown) is can_stop


def test_times_are_told_in_the_unit_that_fits():
    assert [time_words(s) for s in (0.2, 59, 200, 7500)] == ["1 s", "59 s", "3 min", "2 h 5 min"]


def test_the_map_places_dots_within_its_frame_and_has_one_way_in():
    points = tuple(Point(f"p{i}", i / 4, 1 - i / 4, i % 2) for i in range(5))
    papers = {f"p{i}": paper("A", f"p{i}") for i in range(5)}
    html = render_atlas(Atlas(points, (Cluster(("bees",), 3), Cluster((), 2)), 5), papers, fitting={"p1"})
    assert html.count('tabindex="0"') == 1
    assert html.count("fn-pale") == 4
    assert "topic 2" in html
    assert "evenly chosen" not in html


def test_the_map_says_when_it_shows_a_sample_and_survives_a_paper_that_is_gone():
    atlas = Atlas((Point("p1", 0, 0, 0), Point("gone", 1, 1, 0)), (Cluster(("bees",), 9),), 9)
    html = render_atlas(atlas, {"p1": paper("A")})
    assert html.count("<circle") == 1
    assert "1 of 9 papers are shown" in html
    assert "nothing to map" in render_atlas(Atlas((), (), 0), {})


def test_one_question_out_of_one_is_no_certainty():
    """Wilson's interval for 1 of 1 and 0 of 8, by hand: 1 / (1 + 1.96²) = 0.207 and 1.96² / (8 + 1.96²) = 0.324."""
    seen = reading("A")
    one = {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1, "left_out": 0}
    none = {"value": 0.0, "low": 0.0, "high": 0.0, "n": 8, "left_out": 0}
    seen.row.summary["figures"]["all"] = {"right": one, "declined": none}
    shown = Inspector(render_reading(seen)).shown
    assert "0.21 to 1.00" in shown
    assert "0.00 to 0.32" in shown


def test_a_difference_is_called_not_chance_only_where_its_test_says_so_or_else_its_interval_leaves_out_nought():
    row = reading("A").row
    sure = Difference("right", 9, 0.2, 0.8, 0.6, 0.3, 0.9, 0.03, ("q1",), ())
    unsure = Difference("right", 9, 0.5, 0.6, 0.1, -0.2, 0.4, 0.7, ("q1",), ())
    assert "not chance" in render_comparison(row, row, [sure])
    assert "not chance" not in render_comparison(row, row, [unsure])
    few = Difference("right", 5, 0.2, 0.8, 0.6, 0.2, 1.0, 0.25, ("q1",), ())
    assert "not chance" not in render_comparison(row, row, [few])
    assert "not chance" in render_comparison(row, row, [replace(few, p=None)])
    assert "no question in common" in render_comparison(row, row, [])


def test_a_comparison_names_the_questions_that_came_out_differently():
    row = reading("A").row
    changed = [
        Difference("right", 9, 0.5, 0.6, 0.1, -0.2, 0.4, 0.7, ("q1", "q2"), ("q3",)),
        Difference("cites exactly", 9, 0.5, 0.6, 0.1, -0.2, 0.4, 0.7, ("q1",), ()),
        Difference("faithfulness", 9, 0.5, 0.6, 0.1, -0.2, 0.4, None, ("q9",), ()),
    ]
    said = Inspector(render_comparison(row, row, changed, {"q1": "Which lamp?", "q3": "Which owl?"})).shown
    assert said.index("Got worse: 1 question") < said.index("Which owl?") < said.index("Got better: 2 questions")
    assert "Which lamp? Facts right; Cites exactly the right papers · q1" in said
    assert "q2 Facts right · q2" in said, "by its id where its words are not there"
    assert "q9" not in said, "a mean of shares that moved a little is no question that came out differently"
    same = [Difference("right", 9, 0.5, 0.5, 0.0, 0.0, 0.0, 1.0, (), ())]
    assert "No question came out differently." in render_comparison(row, row, same)


def test_a_run_that_was_broken_off_says_what_there_is_of_it_and_what_can_be_done():
    row = SimpleNamespace(**{**vars(reading("X").row), "is_scored": False, "summary": {}})
    assert "not scored" in render_runs([row], "")
    html = render_reading(SimpleNamespace(row=row, worst=()))
    assert "4 of 9 questions are answered and kept" in html
    assert 'data-eval="go-on"' in html
    assert 'data-eval="leave"' in html
    asked = render_reading(SimpleNamespace(row=row, worst=()), is_leaving=True)
    assert 'role="alertdialog"' in asked
    assert 'data-eval="remove"' in asked
