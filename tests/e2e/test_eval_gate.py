"""The gate that CI runs: a few of the bundled questions, answered by the real model, scored as `footnote eval run` does.

The bounds lie well below what the whole set gives (docs/eval.md), so that they fail for a broken build and not for
chance. About a minute on two cores.
"""

import pytest

from eval.cases import read_cases
from eval.judges import LexicalJudge
from eval.run import run, save
from rag import Rag, Settings

pytestmark = [pytest.mark.weights, pytest.mark.slow]
SAMPLE = (
    "d-fact-001", "d-fact-004", "d-fact-009", "d-fact-012", "d-fact-025", "d-explain-001", "d-noisy-001",
    "d-followup-003", "d-unanswerable-near-001", "d-unanswerable-near-010", "d-unanswerable-far-001",
    "d-unanswerable-far-005",
)  # fmt: skip


@pytest.fixture(scope="module")
def rag():
    rag = Rag.open(Settings())
    rag.warm_up()
    return rag


@pytest.fixture(scope="module")
def cases():
    known = {case.id: case for case in read_cases()}
    return [known[name] for name in SAMPLE]


@pytest.fixture(scope="module")
def summary(rag, cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    scored = run(rag, cases, report=lambda _line: None, folder=folder, judge=LexicalJudge())
    return save(folder, scored, rag, 1.0, LexicalJudge.id)


def value(summary, name):
    return summary["figures"]["all"][name]["value"]


def test_every_citation_is_valid_and_every_sentence_cited(summary):
    assert value(summary, "citations valid") == 1.0
    assert value(summary, "every claim cited") == 1.0
    assert summary["failed"] == {}


def test_answers_are_right_and_cite_the_right_paper(summary):
    assert value(summary, "hit@1") >= 0.8
    assert value(summary, "right and cited") >= 0.6
    assert value(summary, "falsely refused") <= 0.2


def test_what_the_library_does_not_say_is_declined(summary):
    assert value(summary, "declined") >= 0.6


def test_the_model_tells_its_tokens_and_the_run_its_memory(summary):
    assert value(summary, "tokens in") > 100
    assert value(summary, "tokens out") > 3
    assert summary["peak_memory_gib"] > 0.3


def test_the_same_question_gets_the_same_answer_and_scores(rag, cases):
    first, second = (run(rag, cases[:3], report=lambda _line: None, judge=LexicalJudge()) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert (a.answer.text, a.answer.claims, a.hits, a.judged) == (b.answer.text, b.answer.claims, b.hits, b.judged)
