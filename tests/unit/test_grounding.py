"""Sentences of a draft are tied to evidence, or not shown as fact."""

import pytest
from fakes import HashedEncoder
from hypothesis import given
from hypothesis import strategies as st

from rag.grounding import Grounder, clauses_of, draft_sentences, is_refusal, marked_sentences, number_claims, shown_text
from rag.keywords import KeywordIndex
from rag.schema import Evidence, Paper
from rag.sentences import sentences_of

ABSTRACT = (
    "We introduce OpenVLA, a 7B-parameter model trained on 970k real-world robot demonstrations. "
    "OpenVLA outperforms RT-2-X by 16.5% in absolute task success rate. "
    "It does not need a simulator. "
    "Fine-tuning works on consumer GPUs via low-rank adaptation."
)
PAPER = Paper("p", "OpenVLA: An Open-Source Vision-Language-Action Model", ABSTRACT)
EVIDENCE = tuple(Evidence(i, PAPER, s, 1.0 / i) for i, s in enumerate(sentences_of(PAPER), start=1))
FILLER = [f"{a} {b}" for a in ("policy", "model", "agent", "reward") for b in ("training", "search", "task", "data")]


@pytest.fixture(scope="module")
def grounder():
    texts = [e.sentence.text for e in EVIDENCE]
    return Grounder(HashedEncoder(), KeywordIndex.build([*texts, *FILLER]), threshold=0.5)


def only(grounder, text, question="What about OpenVLA?"):
    (claim,) = grounder.claims(text, EVIDENCE, question)
    return claim


def test_a_sentence_cites_the_evidence_that_it_rests_on(grounder):
    claim = only(grounder, "OpenVLA was trained on 970k real-world robot demonstrations.")
    assert claim.verdict == "supported"
    assert [c.quote for c in claim.citations] == [EVIDENCE[0].sentence.text]


def test_a_citation_points_to_its_quote_in_the_abstract(grounder):
    for claim in grounder.claims(ABSTRACT, EVIDENCE, "?"):
        for citation in claim.citations:
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    "text",
    [
        "OpenVLA was trained on 980k real-world robot demonstrations.",
        "OpenVLA outperforms RT-2-X by 61.5% in absolute task success rate.",
        "Kangaroos are marsupials native to Australia.",
        "OpenVLA does not outperform RT-2-X in absolute task success rate.",
        "The low-rank adaptation of OpenVLA works on 1 consumer GPU.",
        "HACKED",
        "What is OpenVLA trained on?",
    ],
    ids=["changed number", "swapped digits", "something else", "negated", "a one of its own", "an order", "a question"],
)
def test_a_sentence_that_the_evidence_does_not_carry_is_unsupported_and_cites_nothing(grounder, text):
    claim = only(grounder, text)
    assert (claim.verdict, claim.citations) == ("unsupported", ())


def test_a_second_sentence_is_cited_where_it_adds_what_the_first_lacks(grounder):
    claim = only(
        grounder, "OpenVLA was trained on 970k robot demonstrations and needs low-rank adaptation on consumer GPUs."
    )
    assert {c.quote for c in claim.citations} == {EVIDENCE[0].sentence.text, EVIDENCE[3].sentence.text}


def test_without_evidence_nothing_is_supported(grounder):
    assert [c.verdict for c in grounder.claims("OpenVLA is good.", (), "?")] == ["unsupported"]


def test_a_bare_yes_is_not_shown_as_fact(grounder):
    assert only(grounder, "Yes.").verdict == "unsupported"


def test_quotes_are_the_best_evidence_in_reading_order(grounder):
    quotes = grounder.quotes(EVIDENCE, 2)
    assert [q.text for q in quotes] == [EVIDENCE[0].sentence.text, EVIDENCE[1].sentence.text]
    assert all(q.is_quote and q.citations for q in quotes)


def test_citations_are_numbered_from_one_in_order_of_first_use(grounder):
    claims = grounder.claims(f"{EVIDENCE[1].sentence.text} {EVIDENCE[0].sentence.text}", EVIDENCE, "?")
    numbered, citations = number_claims(claims)
    assert [c.marker for c in citations] == [1, 2]
    assert citations[0].quote == EVIDENCE[1].sentence.text
    assert shown_text(numbered).endswith("[2]")


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("It works. [1][2] So does this [3].", ["It works.", "So does this."]),
        ("Answer: It works.", ["It works."]),
        ("**Bold** move.", ["Bold move."]),
        (
            "It has three parts:\n1) a relabeler\n2) a generator\n3) rewards",
            ["It has three parts: a relabeler; a generator; rewards"],
        ),
        ("- one thing\n- another thing", ["one thing", "another thing"]),
        ("Same. Same.", ["Same."]),
        ("", []),
        ("[1] [", []),
    ],
)
def test_a_draft_is_cut_into_sentences_without_the_models_own_marks(draft, expected):
    assert draft_sentences(draft) == expected


@given(st.text())
def test_no_text_is_too_odd_to_be_read(draft):
    for sentence in draft_sentences(draft):
        assert sentence == sentence.strip()
        assert any(c.isalnum() or c == "_" for c in sentence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The evidence does not mention the number of GPUs.", True),
        ("There is no information about this.", True),
        ("The answer cannot be determined from the sentences.", True),
        ("It does not revisit training data.", False),
        ("", False),
    ],
)
def test_a_refusal_is_told_from_a_negative_answer(text, expected):
    assert is_refusal(draft_sentences(text)) is expected


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        ("Meta-World has 50 tasks, and GRUE has 6 tasks.", ["Meta-World has 50 tasks.", "GRUE has 6 tasks."]),
        ("RUMs need no tuning, while OpenVLA uses LoRA.", ["RUMs need no tuning.", "OpenVLA uses LoRA."]),
        ("It is fast; it is also small!", ["It is fast.", "It is also small."]),
        ("It is fast and small.", []),
        ("", []),
        ("and, but; while", []),
    ],
)
def test_a_sentence_comes_apart_at_its_main_clauses(sentence, clauses):
    assert clauses_of(sentence) == clauses


@pytest.mark.parametrize(
    ("draft", "marked"),
    [
        ("It sings [2]. It dances. [1][3]", {"It sings.": {2}, "It dances.": {1, 3}}),
        ("It sings [1, 2] at night.", {"It sings at night.": {1, 2}}),
        ("It sings.", {"It sings.": set()}),
        ("It sings [99999999999].", None),
        ("", {}),
    ],
)
def test_markers_belong_to_the_sentence_that_they_stand_in_or_behind(draft, marked):
    found = marked_sentences(draft)
    assert marked is None or found == marked


@given(st.text(alphabet="ab. []()0123456789,;\n-*", max_size=80))
def test_markers_of_any_text_are_read_without_an_exception(text):
    assert list(marked_sentences(text)) == draft_sentences(text)
