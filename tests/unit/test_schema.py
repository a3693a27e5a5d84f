"""Answers survive the way to JSON and back."""

import json

from rag.schema import Answer, Citation, Claim, Evidence, Hit, Paper, Passage, Sentence


def test_an_answer_round_trips_through_json():
    paper = Paper("p1", "Title", "One. Two.", authors=("Ada",), year=2024, keywords=("a", "b"))
    citation = Citation(1, paper, "One.", 0, 4)
    answer = Answer(
        question="?",
        text="One. [1]",
        status="answered",
        claims=(Claim("One.", (citation,), "supported", 0.9),),
        citations=(citation,),
        hits=(Hit(paper, Passage("p1", 0, 0, 9, "One. Two."), 0.2, 1),),
        evidence=(Evidence(1, paper, Sentence("p1", 0, 0, 4, "One."), 0.8),),
        timings={"total_s": 1.5},
    )
    assert Answer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer


def test_an_abstention_round_trips_through_json():
    answer = Answer(question="?", text="The library does not say.", status="abstained")
    assert Answer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
