"""What may stand by itself as a quotation, and how evidence is numbered."""

import pytest

from rag.evidence import is_quotable, renumbered
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
