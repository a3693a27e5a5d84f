"""An exam from the first question to the scorecard, on a library of two papers and a model that quotes."""

import json

import pytest
from fakes import HashedEncoder

from eval.benchmarks.quoting import QuotingModel
from eval.cases import CaseError
from eval.exam import scorecard, write
from eval.examining import take
from eval.judges.by_name import LexicalJudge
from eval.run import run
from rag.index import LibraryIndex, build
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.schema import Paper
from rag.settings import Settings

PAPERS = [
    Paper(
        "l",
        "LanternNet: Low-Light Video Restoration",
        "We present LanternNet, a network that restores low-light video by predicting an exposure field. It is trained "
        "on 4,300 short clips from a tripod. It achieves a success rate of 92.3% on night scenes.",
    ),
    Paper(
        "t",
        "TideCache: Reusing Attention Across Turns",
        "We introduce TideCache, a cache that keeps keys and values of the earlier turns of a dialogue. It is evaluated "
        "on five public dialogue sets. It uses a Short Turn Fingerprint (STF).",
    ),
]


@pytest.fixture
def rag(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path / "index", PAPERS, encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path / "index", encoder), encoder=encoder)
    return Rag(retriever=retriever, model=QuotingModel(), settings=Settings())


def test_an_exam_is_written_taken_and_scored(rag, tmp_path):
    cases = write(rag.papers, seed=0, n=8)
    seen = []
    folder = tmp_path / "exam"
    summary = take(rag, cases, folder, judge=LexicalJudge(), progress=lambda *told: seen.append(told[:2]))
    assert seen[-1] == (len(cases), len(cases))
    assert summary["failed"] == {}
    assert json.loads((folder / "scores.json").read_text())["cases"] == len(cases)
    assert {p.name for p in folder.iterdir()} >= {"exam.jsonl", "answers.jsonl", "report.html", "report.md"}
    card = scorecard(summary)
    assert "facts right and cited to exactly their paper" in card
    assert "declined though the library answers" in card
    assert f"{len(cases)} questions" in card


def test_an_exam_that_was_stopped_goes_on(rag, tmp_path):
    cases = write(rag.papers, seed=0, n=8)

    def stop(done, _total, _item):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(rag, cases, tmp_path / "exam", progress=stop)
    told = []
    take(rag, cases, tmp_path / "exam", report=told.append)
    assert told[0].startswith(f"2 of {len(cases)} were answered before")
    other = write(rag.papers, seed=1, n=8)
    assert {case.id for case in other}.isdisjoint({case.id for case in cases if case not in other})
    written = (tmp_path / "exam" / "exam.jsonl").read_text()
    with pytest.raises(CaseError, match="another exam"):
        take(rag, other, tmp_path / "exam")
    assert (tmp_path / "exam" / "exam.jsonl").read_text() == written, "the questions of what was answered stay"


def test_a_paper_taken_for_deleted_is_not_cited(rag):
    gone = rag.ask("On how many short clips is LanternNet trained?", where={"id": {"ne": "l"}})
    assert all(citation.paper.id != "l" for citation in gone.citations)
    assert all(hit.paper.id != "l" for hit in gone.hits)


def test_questions_answered_together_get_the_answers_they_get_alone(rag):
    cases = write(rag.papers, seed=0, n=8)
    alone, together = (run(rag, cases, report=lambda _line: None, batch=size) for size in (1, 3))
    assert [item.case for item in together] == cases
    assert [item.answer.text for item in together] == [item.answer.text for item in alone]
    assert [item.hits for item in together] == [item.hits for item in alone]
