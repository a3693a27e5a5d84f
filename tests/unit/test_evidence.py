"""Which sentences are picked, what may stand by itself as a quotation, and how evidence is numbered."""

import pytest
from fakes import HashedEncoder

from rag.evidence import EvidenceSelector, is_quotable, renumbered
from rag.keywords import KeywordIndex
from rag.language.reference import points_back
from rag.schema import Evidence, Paper, Sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Whales sing at 20 hertz in the deep ocean, far from the coast.", True),
        ("Our project website with videos is at this link https://example.org/whales", False),
        ("It works.", False),
    ],
)
def test_scraps_and_sentences_that_only_lead_elsewhere_are_not_quoted(text, expected):
    assert is_quotable(text) is expected


def test_evidence_of_several_papers_is_numbered_through():
    paper = Paper("w", "WhaleSong", "One. Two.")
    parts = [Evidence(n, paper, Sentence("w", i, 0, 4, "One."), 0.5) for i, n in enumerate((1, 2, 1))]
    assert [item.number for item in renumbered(parts)] == [1, 2, 3]


POLYMEAL = Paper(
    "p",
    "The Polymeal",
    "Diets are many. For men the Polymeal adds 6.6 years of life. The corresponding gain for women is 4.8 years of life. "
    "It is cheap. We looked at fish and wine. This was said before.",
)


def picked(question, antecedents, max_sentences=1, max_tokens=100, tokens_a_word=1):
    encoder = HashedEncoder()
    selector = EvidenceSelector(encoder, KeywordIndex.build([POLYMEAL.abstract]))
    found = selector.select(
        question,
        [POLYMEAL],
        max_sentences=max_sentences,
        max_tokens=max_tokens,
        count_tokens=lambda text: tokens_a_word * len(text.split()),
        antecedents=antecedents,
    )
    assert [item.number for item in found] == list(range(1, len(found) + 1))
    return [item.sentence.index for item in found]


def test_a_sentence_brings_the_one_before_it_where_it_cannot_be_understood_without():
    question = "What is the gain for women?"
    assert picked(question, antecedents=0) == [2]
    assert picked(question, antecedents=1) == [1, 2]
    assert picked("How many years does the Polymeal add for men?", antecedents=1) == [1], "by itself it is clear"
    assert picked(question, antecedents=1, max_tokens=16) == [1, 2], "beside the budget"
    assert picked(question, antecedents=1, tokens_a_word=10) == [2], "too long to be read for another's sake"
    assert picked("gain women cheap said before", antecedents=2, max_sentences=3) == [1, 2, 3, 4, 5]
    assert len(picked("gain women cheap said before", antecedents=1, max_sentences=3)) == 4
    assert picked("diets are many", antecedents=1) == [0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This reduces the error by half.", True),
        ("However, its use is limited.", True),
        ("In these trials the risk fell.", True),
        ("The corresponding differences for women were 4.8, 8.1, and 3.3 years.", True),
        ("Such models forget.", True),
        ("They also forget.", True),
        ("It outperforms all of them.", True),
        ("CONCLUSION: These results hold.", True),
        ("RESULTS: However, these hold.", True),
        ("METHODS This was a trial of 40 people.", True),
        ("2) It helps the heads to forget.", True),
        ("First, this algorithm forgets.", True),
        ("It is shown that models forget.", False),
        ("This paper shows that models forget.", False),
        ("In this randomized trial the risk fell.", False),
        ("These authors forget.", False),
        ("To this end, we forget.", False),
        ("Thisbe loves Pyramus.", False),
        ("Both men and women gain.", False),
        ("Models forget this.", False),
        ("", False),
    ],
)
def test_what_points_back_by_its_beginning(text, expected):
    assert points_back(text) is expected
