"""Whatever a model writes and writes anew, only what the evidence carries is shown."""

import pytest
from fakes import HashedEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.checking import Draft, DraftChecker
from rag.evidence import EvidenceSelector, renumbered
from rag.grounding import Grounder
from rag.keywords import KeywordIndex
from rag.language.sentences import sentences_of
from rag.schema import Evidence, Paper

PAPERS = (
    Paper(
        "m",
        "MoleDig: Robots that dig",
        "Moles dig long tunnels in soft ground [2]. MoleDig digs tunnels with two steel arms in 5 hours. "
        "It is unclear whether MoleDig digs in hard ground. We do not claim that moles are robots.",
    ),
    Paper(
        "w", "WhaleSong: Songs", "WhaleSong does not include recordings of calves. Whales sing at 20 hertz at night."
    ),
)
SENTENCES = [(paper, sentence) for paper in PAPERS for sentence in sentences_of(paper)]
EVIDENCE = renumbered(Evidence(0, paper, sentence, 0.5) for paper, sentence in SENTENCES)
ENCODER = HashedEncoder()
KEYWORDS = KeywordIndex.build([paper.abstract for paper in PAPERS])
QUESTION = "How does MoleDig dig tunnels?"

pieces = st.one_of(
    st.sampled_from([sentence.text for _, sentence in SENTENCES]),
    st.sampled_from(
        ["MoleDig digs in hard ground.", "Whales sing at 52 hertz.", "Moles are robots. [1]", "- Kangaroos.", "[2"]
    ),
    st.text(max_size=30),
)
texts = st.lists(pieces, max_size=4).map(" ".join) | st.lists(pieces, max_size=4).map("\n".join)


@pytest.mark.parametrize("question", [QUESTION, "At how many hertz do whales sing?"])
@settings(max_examples=40, deadline=None)
@given(draft=texts, anew=texts, likely=st.none() | st.floats(0, 1), number=st.integers(1, len(EVIDENCE)))
def test_repair_never_adds_a_sentence_that_is_not_supported(question, draft, anew, likely, number):
    evidence = EVIDENCE[:number]
    checker = DraftChecker(
        Grounder(ENCODER, KEYWORDS, threshold=0.5),
        EvidenceSelector(ENCODER, KEYWORDS),
        further_quotes=2,
        rewrite=lambda *_asked: anew,
        opinion=lambda _claim: likely,
    )
    papers = {item.paper.id: item.paper for item in evidence}
    for claim in checker.check([Draft(draft, evidence)], question, question).claims:
        assert claim.verdict in ("supported", "partly"), claim
        assert claim.citations, claim
        for citation in claim.citations:
            assert citation.paper == papers[citation.paper.id]
            assert citation.quote.strip()
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote
        if claim.is_quote:
            assert claim.text in [citation.quote for citation in claim.citations]


def test_what_is_written_anew_is_held_against_the_evidence_like_a_draft():
    def shown(anew):
        checker = DraftChecker(
            Grounder(ENCODER, KEYWORDS, threshold=0.5),
            EvidenceSelector(ENCODER, KEYWORDS),
            further_quotes=0,
            rewrite=lambda *_asked: anew,
        )
        found = checker.check([Draft("Kangaroos are marsupials.", EVIDENCE)], QUESTION, QUESTION)
        return [claim.text for claim in found.claims if not claim.is_quote]

    told = "MoleDig digs tunnels with two steel arms in 5 hours."
    assert shown(told) == [told]
    assert shown("MoleDig digs tunnels with two steel arms in 5 seconds.") == []
