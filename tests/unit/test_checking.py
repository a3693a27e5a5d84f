"""What is quoted after an explanation: what the cited paper says to the question, as it is read."""

import pytest
from fakes import HashedEncoder

from rag.checking import TELLING_FROM, Draft, DraftChecker
from rag.evidence import EvidenceSelector, renumbered
from rag.grounding import Grounder
from rag.keywords import KeywordIndex
from rag.schema import Evidence, Paper
from rag.sentences import sentences_of
from rag.stopping import Stopped

PAPER = Paper(
    "m",
    "MoleDig: Robots that dig",
    "Moles dig long tunnels in soft ground. MoleDig digs tunnels with two steel arms. The arms turn against each other "
    "all the time. Experiments were made in four gardens of the city. The code of the robot is published for everybody to use.",
)
CITED = "MoleDig digs tunnels with two steel arms."
QUESTION = "How does MoleDig dig tunnels?"
SENTENCES = sentences_of(PAPER)


def checked(reading, further_quotes=2, stop_check=lambda: None, question=QUESTION):
    encoder, keywords = HashedEncoder(), KeywordIndex.build([PAPER.abstract])
    drafts = DraftChecker(
        Grounder(encoder, keywords, threshold=0.5),
        EvidenceSelector(encoder, keywords),
        further_quotes=further_quotes,
        reading=reading,
    )
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    claims = drafts.check([Draft(CITED, evidence)], question, QUESTION, stop_check).claims
    return [claim.text for claim in claims if claim.text != CITED]


def test_of_the_cited_paper_those_sentences_are_quoted_that_say_what_is_asked():
    share = {SENTENCES[2].text: 0.9, SENTENCES[4].text: TELLING_FROM}
    asked = []

    def reading(question, item):
        asked.append((question, item.sentence.text))
        return share.get(item.sentence.text, TELLING_FROM - 0.01)

    assert checked(reading) == [SENTENCES[2].text, SENTENCES[4].text], "in reading order"
    assert {question for question, _ in asked} == {QUESTION}
    assert CITED not in {text for _, text in asked}
    assert checked(reading, further_quotes=1) == [SENTENCES[2].text]
    assert checked(lambda _question, _item: 0.0) == []


def test_where_nobody_can_read_the_nearest_are_quoted_and_where_none_is_wanted_nothing_is_read():
    assert len(checked(None)) == 2
    assert checked(lambda _question, _item: None) == checked(None)
    assert checked(lambda _question, _item: pytest.fail("read"), further_quotes=0) == []


def test_reading_can_be_stopped():
    def stop():
        raise Stopped

    with pytest.raises(Stopped):
        checked(lambda _question, _item: 0.9, stop_check=stop)


def test_of_a_follow_up_what_it_adds_is_quoted_where_it_can_be_read():
    share = {SENTENCES[2].text: 0.9}
    follow_up = "Does it have arms?"
    assert checked(lambda _question, item: share.get(item.sentence.text, 0.0), question=follow_up) == [
        SENTENCES[2].text
    ]
    assert checked(None, question=follow_up) == []
    assert checked(lambda _question, _item: None, question=follow_up) == []
