"""What tells a question for papers from one about what a paper says."""

import json

import numpy as np
import pytest
from fakes import HashedEncoder

from eval.cases import SETS, read_cases
from eval.elsewhere import ELSEWHERE, KEPT_ASIDE
from eval.fits.scope_fit import Fit, by_writer, read_asked
from rag.trained.scope import Head, asks_for_papers, heads, likely_for_papers, runs_of


def test_runs_are_words_and_signs_alone_and_in_a_row_with_the_ends_of_the_question():
    assert list(runs_of("Any A*?")) == [
        "<s>", "any", "a", "*", "?", "</s>",
        "<s> any", "any a", "a *", "* ?", "? </s>",
        "<s> any a", "any a *", "a * ?", "* ? </s>",
    ]  # fmt: skip


def test_log_odds_by_hand():
    head = Head(-1.0, {"any": 2.0, "any a": 0.5, "never": 9.0}, (1.0, -2.0))
    assert head.odds("Any a, any b", [0.5, 0.25]) == pytest.approx(-1.0 + 2.0 + 0.5 + 0.5 - 0.5)
    assert Head(-1.0, {"any": 2.0}).odds("any") == pytest.approx(1.0)


@pytest.mark.parametrize(
    "question",
    [
        "Which papers use a robot arm?",
        "let me have everything that you hold on volcanoes",
        "papers w/ quantum stuff pls, all of them",
        "could I see the abstracts that report on bicycle accidents, every single one?",
        "how many of the studies in the library measure blood pressure",
    ],
)
def test_requests_for_papers_are_told_by_their_words_alone(question):
    assert asks_for_papers(question, HashedEncoder())


@pytest.mark.parametrize(
    "question",
    [
        "Which robot arm does ReachBot use?",
        "How many participants did the sleep study recruit?",
        "Why does FROSTER need a residual network?",
        "What do the authors of the coral paper measure?",
        "How do Dreamer and VPT differ in what they learn from?",
    ],
)
def test_questions_about_what_papers_say_are_none(question):
    assert not asks_for_papers(question, HashedEncoder())


def test_what_may_lean_on_what_was_said_before_has_to_have_a_known_form():
    request = "pull up everything else that is about them"
    assert asks_for_papers(request, HashedEncoder())
    assert not asks_for_papers(request, HashedEncoder(), is_first=False)
    assert asks_for_papers("And which papers use robots?", HashedEncoder(), is_first=False)


def test_the_vector_counts_where_the_embedder_is_the_one_that_was_fitted_with():
    embedder, with_meaning, by_words = heads()
    encoder = HashedEncoder(name=embedder, dimension=len(with_meaning.vector))
    question = "whatever there is on corals"
    vector = encoder.encode([question], "query")[0]
    odds = with_meaning.odds(question, vector)
    assert likely_for_papers(question, encoder) == pytest.approx(1 / (1 + np.exp(-odds)))
    assert likely_for_papers(question, HashedEncoder()) == pytest.approx(1 / (1 + np.exp(-by_words.odds(question))))


REQUESTS = [("Which papers use corals?", True), ("Any works on tariffs?", True), ("Any papers on soil?", True)]
OTHERS = [("Which corals does it use?", False), ("How high are tariffs?", False), ("What is in the soil?", False)]


def test_each_writers_questions_are_read_by_a_fit_that_has_not_seen_them():
    asked = [(question, is_list, writer) for writer in "ab" for question, is_list in [*REQUESTS, *OTHERS] * 2]
    turned = [(question, not is_list, "c") for question, is_list in [*REQUESTS, *OTHERS]]
    fit = Fit([*asked, *turned], HashedEncoder())
    everything = np.ones(len(fit.asked), dtype=bool)
    likely = fit.held_out(everything, with_meaning=False)
    assert ((likely > 0.5) == fit.labels)[: len(asked)].all()
    assert ((likely > 0.5) != fit.labels)[len(asked) :].all(), "a writer who says the opposite is read by the others"
    found = by_writer(fit, everything, with_meaning=False)
    assert (found["a"]["n"], found["a"]["found"], found["a"]["taken"]) == (12, 1.0, 0.0)
    assert (found["c"]["auroc"], found["c"]["taken"]) == (0.0, 1.0)
    assert found["writers"]["n"] == len(fit.asked)


def test_nothing_of_the_bundled_library_or_of_what_is_kept_aside_is_fitted_on():
    fitted = {question for question, *_ in read_asked()}
    bundled = {case.question for name in SETS for case in read_cases(SETS[name])}
    assert not fitted & bundled
    libraries = json.loads(ELSEWHERE.read_text())
    aside = {asked["question"] for number in KEPT_ASIDE for asked in libraries[number - 1]["questions"]}
    assert aside
    assert not fitted & aside


def test_the_shipped_weights_are_those_of_the_questions_at_hand(tmp_path):
    asked = read_asked()
    fit = Fit(asked, HashedEncoder())
    head = fit.head(np.ones(len(asked), dtype=bool), with_meaning=False)
    shipped = heads().by_words
    assert head["start"] == pytest.approx(shipped.start, abs=0.01)
    assert head["runs"].keys() >= {run for run, weight in shipped.runs.items() if abs(weight) > 0.05}
    assert all(abs(head["runs"].get(run, 0.0) - weight) < 0.03 for run, weight in shipped.runs.items())
