"""An exam is made from sentences alone, is the same at a seed, and asks what its answers answer."""

import json
from collections import Counter

import pytest
from fakes import quoting_rag

from eval import examining
from eval.broken import only_one_paper
from eval.cases import CaseError, read_cases, write_cases
from eval.exam import SHARES, write
from eval.facts import another_number, facts_of, named, number_forms, short_name
from eval.metrics import answers
from eval.metrics.matching import contains, missing
from rag.schema import Paper

LANTERN = Paper(
    "l",
    "LanternNet: Low-Light Video Restoration",
    "We present LanternNet, a network that restores low-light video by predicting an exposure field. On the DuskClips "
    "benchmark LanternNet outperforms the strongest baseline by 1.8 dB. It is trained on 4,300 short clips from a tripod. "
    "It achieves a success rate of 92.3% on night scenes. We use a Learned Exposure Field (LEF).",
)
MOSS = Paper(
    "m",
    "Measuring How Language Models Handle Missing Units",
    "The set holds 3,200 questions that lack units. Experiments on GSM8K and SVAMP show that models guess. Retrieval is "
    "7 times faster than plain search. This improves results by 3.6% and 4.2% on two sets, with Llama 3.1 models.",
)


def asked(paper, kind):
    return [(fact.asked(), fact.answers) for fact in facts_of([paper]) if fact.kind == kind]


def test_each_rule_asks_for_what_a_sentence_states():
    assert asked(LANTERN, "name") == [
        (
            "What is the name of the network that restores low-light video by predicting an exposure field?",
            (("LanternNet",),),
        )
    ]
    assert asked(LANTERN, "gain") == [("By how much does LanternNet outperform the strongest baseline?", (("1.8",),))]
    assert asked(LANTERN, "count") == [
        ("On how many short clips is LanternNet trained?", (("4,300", "4300"),)),
    ]
    assert asked(LANTERN, "score") == [("What success rate does LanternNet achieve on night scenes?", (("92.3",),))]
    assert asked(LANTERN, "expansion") == [("What does LEF stand for?", (("Learned Exposure Field",),))]
    ((question, answers),) = asked(MOSS, "sets")
    assert question.endswith("Missing Units”, on which datasets or benchmarks is the approach evaluated?")
    assert answers == (("GSM8K",), ("SVAMP",))
    assert asked(MOSS, "speed")[0][0].endswith("how many times faster than plain search is the approach?")


def test_a_number_among_several_or_in_a_name_is_not_asked_for():
    assert all("3.6" not in group and "3.1" not in group for f in facts_of([MOSS]) for group in f.answers)


def test_nothing_is_asked_of_what_states_no_fact():
    assert facts_of([]) == []
    assert facts_of([Paper("x", "On Trees", "We sample trees uniformly in linear time.")]) == []
    assert facts_of([Paper("x", "", "")]) == []


def test_a_paper_is_called_by_its_short_name_where_it_has_one():
    assert short_name(LANTERN) == "LanternNet"
    assert short_name(Paper("v", "Video PreTraining (VPT) by Watching Videos", "")) == "VPT"
    assert short_name(MOSS) == ""
    assert (
        named("Where is {who}?", MOSS)
        == "In “Measuring How Language Models Handle Missing Units”, where is the approach?"
    )
    assert named("What does {paper} say?", LANTERN) == "What does the LanternNet paper say?"


def test_numbers_are_known_in_every_way_of_writing():
    assert number_forms("three") == ("3", "three")
    assert set(number_forms("25,000")) == {"25,000", "25000", "25k"}
    assert set(number_forms("970", "k")) == {"970k", "970,000", "970000"}
    assert all(another_number(n) != n for n in ("3", "50", "92.3", "1,288", "7"))


def test_a_question_never_holds_its_answer_and_the_sentence_does(library):
    facts = facts_of(library)
    assert len(facts) > 60
    for fact in facts:
        assert fact.sentence in fact.paper.abstract
        assert missing(fact.answers, fact.paper.abstract) == []
        assert not any(contains(fact.asked(), form) for group in fact.answers for form in group)


def test_a_figure_that_fails_is_told_of_each_build_and_proves_nothing(tmp_path, monkeypatch, capsys):
    def broken(*_arguments):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(answers, "is_right", broken)
    rag = quoting_rag(tmp_path, [LANTERN, MOSS])
    cases = write(rag.papers, seed=0, n=5)
    monkeypatch.setattr(examining, "BUILDS", {"k = 1": only_one_paper})
    assert examining._prove(rag, cases, as_json=True) == 1
    shown = capsys.readouterr()
    assert "FAILED the good build, right: ZeroDivisionError: by nothing" in shown.err
    assert "FAILED k = 1, right and cited: ZeroDivisionError: by nothing" in shown.err
    figures = {row["figure"] for row in json.loads(shown.out)["k = 1"]}
    assert "right" not in figures
    assert "faithfulness" in figures


def test_the_same_seed_gives_the_same_exam_whatever_the_order_of_the_papers(library):
    exam = write(library, seed=3, n=40)
    assert exam == write(tuple(reversed(library)), seed=3, n=40)
    assert [case.question for case in exam] != [case.question for case in write(library, seed=4, n=40)]


def test_an_exam_has_every_kind_in_its_share(library):
    exam = write(library, seed=0, n=60)
    kinds = Counter(case.type for case in exam)
    assert len(exam) == 60
    assert kinds == {kind: round(share * 60) for kind, share in SHARES.items()} | {"fact": 24}
    assert len({case.id for case in exam}) == 60


def test_what_is_asked_of_a_deleted_paper_is_answered_by_no_other(library):
    papers = {paper.id: paper for paper in library}
    deleted = [case for case in write(library, seed=0, n=60) if case.without]
    assert deleted
    for case in deleted:
        assert case.answers == ()
        gone = papers[case.without]
        fact = next(fact for fact in facts_of(library) if fact.asked() == case.question)
        assert fact.paper == gone
        others = [f"{p.title} {p.abstract}" for p in library if p != gone]
        if not fact.names_paper:
            assert all(missing(fact.answers, text) for text in others)
        elif short_name(gone):
            assert not any(contains(text, short_name(gone)) for text in others)


def test_a_false_premise_says_what_no_abstract_says_and_what_is_true(library):
    papers = {paper.title: paper for paper in library}
    premises = [case for case in write(library, seed=0, n=60) if case.type == "unanswerable-premise"]
    assert premises
    for case in premises:
        source = next(p for p in papers.values() if case.evidence[0] in p.abstract)
        assert missing(case.truth, source.abstract) == []
        assert not any(contains(source.abstract, text) for text in case.forbidden)


def test_comparisons_are_of_two_papers_and_follow_ups_point_back(library):
    exam = write(library, seed=0, n=60)
    for case in (c for c in exam if c.type == "compare"):
        assert len(set(case.papers)) == 2
    for case in (c for c in exam if c.type == "followup"):
        assert " it" in case.question
        assert case.history[0]["role"] == "user"


def test_a_library_without_facts_and_a_tiny_exam_are_refused():
    with pytest.raises(CaseError, match="None of 1 abstracts states a fact"):
        write([Paper("x", "On Trees", "We sample trees.")])
    with pytest.raises(CaseError, match="4 questions"):
        write([LANTERN], n=4)


def test_a_small_library_gives_a_small_exam():
    exam = write([LANTERN, MOSS], n=20)
    assert 5 <= len(exam) <= 20
    assert {"fact", "unanswerable-premise"} <= {case.type for case in exam}


def test_an_exam_can_be_written_to_a_file_and_read_again(library, tmp_path):
    exam = write(library, n=30)
    write_cases(tmp_path / "exam.jsonl", exam)
    assert list(read_cases(tmp_path / "exam.jsonl")) == exam


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"id": "a", "type": "fact"}, "line 1: 'question' is None"),
        ({"anwsers": []}, "no field 'anwsers'.*Did you mean 'answers'"),
        ({"answers": "two"}, "'answers' is 'two'.*list of lists"),
        ({"answers": [[]]}, "'answers' has an empty group"),
        ({"answers": [[3]]}, r"'answers' is \[3\].*list of texts"),
        ({"history": [{"role": "boss", "content": "x"}]}, "'history' holds.*Write"),
        ({"history": 3}, "'history' is 3"),
        ({"reference": 3}, "'reference' is 3.*text"),
    ],
)
def test_a_malformed_line_names_file_line_field_and_what_was_expected(tmp_path, line, told):
    path = tmp_path / "mine.jsonl"
    whole = {"id": "a", "type": "fact", "question": "Why?"} if "id" not in line else {}
    path.write_text(json.dumps({**whole, **line}) + "\n")
    with pytest.raises(CaseError, match=rf"mine\.jsonl, .*{told}"):
        read_cases(path)


def test_an_id_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "type": "fact", "question": "Why?"}\n' * 2)
    with pytest.raises(CaseError, match="line 2: 'id' 'a' was there before"):
        read_cases(path)
