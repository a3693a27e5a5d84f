"""What tells a question for papers from one about what a paper says."""

import json

import numpy as np
import pytest
from fakes import HashedEncoder

from eval.scope_fit import REQUESTS, Fit, by_writer
from rag.scope import Head, asks_for_papers, heads, likely_for_papers, runs_of


def test_runs_are_words_and_signs_alone_and_in_a_row_with_the_ends_of_the_question():
    assert list(runs_of("Any A*?")) == [
        "<", "any", "a", "*", "?", ">",
        "< any", "any a", "a *", "* ?", "? >",
        "< any a", "any a *", "a * ?", "* ? >",
    ]  # fmt: skip


def test_log_odds_by_hand():
    head = Head(-1.0, {"any": 2.0, "any a": 0.5, "never": 9.0}, (1.0, -2.0))
    assert head.odds("Any a, any b", [0.5, 0.25]) == pytest.approx(-1.0 + 2.0 + 0.5 + 0.5 - 0.5)
    assert Head(-1.0, {"any": 2.0}).odds("any") == pytest.approx(1.0)


@pytest.mark.parametrize(
    "question",
    [
        "Which papers use a robot arm?",
        "Could you pull up whatever we have got on coral bleaching?",
        "i need all the stuff about swarm robots",
        "list every study in here with fewer than twenty patients",
        "Are there any works on tariffs in this collection, and if so which?",
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


def test_the_fit_is_measured_on_writers_that_it_has_not_seen():
    rows = [json.loads(line) for line in REQUESTS.read_text().splitlines()]
    asked = [(row["question"], row["is_list"], row["writer"]) for row in rows if row["writer"] in "de"]
    fit = Fit(asked, HashedEncoder())
    found = by_writer(fit, with_meaning=False)
    assert found.keys() == {"d", "e", "five writers"}
    assert found["five writers"]["n"] == len(asked) == 320
    assert found["d"]["auroc"] > 0.85
    assert found["d"]["found"] > 0.7
    head = fit.head(with_meaning=True)
    assert len(head["vector"]) == 256
    assert head["runs"] == dict(sorted(head["runs"].items()))
