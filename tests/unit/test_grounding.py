"""Sentences of a draft are tied to evidence, or not shown as fact."""

import re
from dataclasses import replace

import pytest
from fakes import HashedEncoder

from rag.grounding import Grounder, number_claims, shown_text
from rag.keywords import KeywordIndex
from rag.language.sentences import sentences_of
from rag.receipt import verify
from rag.schema import Answer, Evidence, Paper

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


TEA = Paper("t", "Green Tea", "Tea lowers deaths from heart failure (HF). Songs do not calm whales without labels.")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Tea lowers deaths from heart failure.", "supported"),
        ("Tea lowers deaths from HF.", "supported"),
        ("Tea does not lower deaths from heart failure.", "unsupported"),
        ("Songs do not calm whales without labels.", "supported"),
        ("Songs calm whales without labels.", "unsupported"),
    ],
)
def test_each_denial_is_held_against_those_of_its_source(grounder, text, verdict):
    evidence = tuple(Evidence(i, TEA, s, 1.0) for i, s in enumerate(sentences_of(TEA), start=1))
    (claim,) = grounder.claims(text, evidence, "What do tea and songs do?")
    assert claim.verdict == verdict


def test_the_words_of_an_address_support_nothing_but_the_address(grounder):
    linked = Paper("l", "Reward Workflow", "Please see https://github.com/Reward-Modeling/Online-Feedback for more.")
    evidence = tuple(Evidence(i, linked, s, 1.0) for i, s in enumerate(sentences_of(linked), start=1))
    (claim,) = grounder.claims("It uses reward modeling and online feedback.", evidence, "What does it use?")
    assert claim.verdict == "unsupported"
    address = "More is at https://github.com/Reward-Modeling/Online-Feedback."
    (claim,) = grounder.claims(address, evidence, "Where is more?")
    assert claim.citations


def test_a_second_sentence_is_cited_where_it_adds_what_the_first_lacks(grounder):
    claim = only(
        grounder, "OpenVLA was trained on 970k robot demonstrations and needs low-rank adaptation on consumer GPUs."
    )
    assert {c.quote for c in claim.citations} == {EVIDENCE[0].sentence.text, EVIDENCE[3].sentence.text}


SEER = Paper(
    "s", "Predictive Inverse Dynamics", "We use Transformers for actions, naming the model Seer. It sets a record."
)
BOTH = tuple(
    Evidence(i, paper, s, 0.5)
    for i, (paper, s) in enumerate([(p, s) for p in (SEER, PAPER) for s in sentences_of(p)], 1)
)


def test_what_a_named_system_does_is_not_put_together_from_two_papers(grounder):
    (claim,) = grounder.claims("Seer is a 7B-parameter model.", BOTH, "How many parameters does the model Seer have?")
    assert (claim.verdict, claim.citations) == ("unsupported", ())
    (own,) = grounder.claims("OpenVLA is a 7B-parameter model.", BOTH, "How many parameters does OpenVLA have?")
    assert [c.paper.id for c in own.citations] == ["p"]


def test_a_sentence_that_names_two_systems_cites_the_paper_of_each(grounder):
    text = "OpenVLA is a 7B-parameter model, and Seer sets a record."
    (claim,) = grounder.claims(text, BOTH, "What do OpenVLA and Seer do?")
    assert {c.paper.id for c in claim.citations} == {"s", "p"}


def test_a_title_among_sentences_is_a_heading_and_no_claim(grounder):
    told = "It does not need a simulator."
    assert [one.text for one in grounder.claims(f"**{PAPER.title}**\n{told}", EVIDENCE, "?")] == [told]
    for titles in (PAPER.title, f"- {PAPER.title}\n- {PAPER.title}!"):  # nothing else is said: it may be the answer
        assert PAPER.title in [one.text for one in grounder.claims(titles, EVIDENCE, "Which paper?")]


def test_an_interval_is_no_marker(grounder):
    paper = Paper("i", "Scores", "The scores of the policy lie in [0, 1] for windows of (8, 16) steps.")
    (sentence,) = sentences_of(paper)
    (claim,) = grounder.claims(sentence.text, (Evidence(1, paper, sentence, 1.0),), "?")
    assert (claim.text, claim.verdict) == (paper.abstract, "supported")


def test_the_mark_of_a_list_within_a_line_is_no_number_of_a_claim(grounder):
    draft = (
        "It has two traits. 1. It does not need a simulator. 4. OpenVLA outperforms RT-2-X in absolute success rate."
    )
    shown = [claim for claim in grounder.claims(draft, EVIDENCE, "What does OpenVLA do?") if claim.citations]
    assert [claim.text[:6] for claim in shown] == ["It doe", "OpenVL"]


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


def test_a_number_in_brackets_that_an_abstract_has_is_no_footnote_of_the_answer(grounder):
    paper = Paper(
        "h",
        "Harbours [7]",
        "Ships are counted by the method of Doe [2]. The scores of all ships lie in [0, 1] (see [99]).",
    )
    evidence = tuple(Evidence(i, paper, s, 0.5) for i, s in enumerate(sentences_of(paper), start=1))
    quotes = grounder.quotes(evidence, 2)
    claims, citations = number_claims([replace(quotes[0], subject=paper.title), *quotes[1:]])
    text = shown_text(claims)
    assert re.findall(r"\[(\d+)\]", text) == ["1", "2"]
    assert text.startswith("Harbours ⟦7⟧: “Ships are counted by the method of Doe ⟦2⟧.” [1]")
    assert "lie in ⟦0, 1⟧ (see ⟦99⟧)." in text
    assert [c.quote for c in citations] == [e.sentence.text for e in evidence]
    assert verify(Answer("?", text, "answered", claims, citations).to_dict(), [paper]) == ()
