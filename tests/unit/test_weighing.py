"""A claim on the page: its groups, what is said while it is weighed, and that nothing of it ever becomes markup."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rag import verify
from rag.balance import SURE, Balance, Weighed
from rag.export import export
from rag.schema import Evidence, Paper, Sentence
from rag.trace import ClaimTrace, Ranked
from tests.hostile import PAYLOADS, Inspector
from ui.conversations.conversation import Conversation, Turn
from ui.views.evidence import render_evidence
from ui.views.lens import render_claim_trace
from ui.views.turn import render_turn, status_line
from ui.views.weighing import balance_copy, balance_line

TEXTS = ("Whales sing. They sing at 20 hertz.", "Whales are mute. They never sing.", "Bees dance.")
PAPERS = tuple(
    Paper(id=name, title=f"On {name}", abstract=abstract, year=2020)
    for name, abstract in zip(("song", "silence", "bees"), TEXTS, strict=True)
)


def weighed(paper, stance, start=0):
    sentence = Sentence(paper.id, 0, start, len(paper.abstract), paper.abstract[start:])
    return Weighed(paper, stance, 0.8, (Evidence(1, paper, sentence, 0.9),))


STANCES = ("supports", "contradicts", "silent")
WHOLE = Balance("Whales sing.", tuple(map(weighed, PAPERS, STANCES)), 9, 3)


def turn_of(balance, number=1):
    turn = Turn(number, balance.claim, kind="claim")
    turn.take(balance)
    return turn


def test_each_paper_stands_in_its_group_with_a_sentence_that_leads_into_its_abstract():
    turn = turn_of(WHOLE)
    shown, evidence = Inspector(render_turn(turn)), Inspector(render_evidence(turn))
    said = shown.shown
    places = [said.index(part) for part in ("Supports it: 1 paper", "On song", "Contradicts it: 1 paper", "On silence")]
    assert places == sorted(places)
    assert said.index("Read, and says neither: 1 paper") < said.index("On bees")
    assert "The other 6 papers were not near enough" in said
    assert {link["data-goto"] for link in shown.links if "data-goto" in link} <= {*evidence.ids, "t1-evidence"}
    assert [text for _, text in evidence.marks] == list(TEXTS)


def test_what_it_cannot_do_is_said_below_it():
    assert "nine times in ten" in Inspector(render_turn(turn_of(WHOLE))).shown


@pytest.mark.parametrize(
    ("stances", "line"),
    [
        (STANCES, "1 paper supports it, 1 contradicts it, 7 of 9 are silent"),
        (("supports", "supports", "silent"), "2 papers support it, none contradicts it, 7 of 9 are silent"),
        (("silent", "contradicts", "contradicts"), "No paper supports it, 2 contradict it, 7 of 9 are silent"),
    ],
)
def test_the_line_above_counts_papers(stances, line):
    assert balance_line(dataclasses.replace(WHOLE, papers=tuple(map(weighed, PAPERS, stances)))) == line


def test_while_it_is_weighed_the_papers_read_so_far_keep_their_numbers():
    turn = Turn(1, "Whales sing.", kind="claim")
    assert "near to the claim" in status_line(turn)
    turn.take(dataclasses.replace(WHOLE, papers=WHOLE.papers[:1]))
    assert (turn.stage, status_line(turn)) == ("reading", "Reading paper 2 of 3…")
    some = Inspector(render_turn(turn))
    assert "t1-m1" in some.ids
    assert "Contradicts it" not in some.shown, "nothing is said of what is not known yet"
    turn.take(WHOLE)
    assert turn.stage == "done"
    assert [key for key in Inspector(render_turn(turn)).ids if "-m" in key] == ["t1-m1", "t1-m2", "t1-m3"]


def test_one_that_was_stopped_says_how_far_it_came_and_concludes_nothing():
    turn = Turn(1, "Whales sing.", kind="claim")
    turn.take(dataclasses.replace(WHOLE, papers=WHOLE.papers[:2]))
    turn.stop()
    said = Inspector(render_turn(turn)).shown
    assert "Stopped after 2 of the 3 papers to read." in said
    assert "silent" not in said
    unread = Turn(2, "Whales sing.", kind="claim")
    unread.stop()
    assert "Stopped before any paper was read." in Inspector(render_turn(unread)).shown


def test_a_claim_that_nothing_is_near_to_is_weighed_and_found_silent():
    turn = turn_of(Balance("Wifi is fast.", (), 9, 0))
    assert turn.stage == "done"
    said = Inspector(render_turn(turn)).shown
    assert "No paper supports it, none contradicts it, 9 of 9 are silent" in said
    assert "Supports it: no paper" in said


def test_a_claim_is_kept_with_all_that_was_found_and_told_to_no_model():
    turn = turn_of(WHOLE)
    again = Turn.from_dict(json.loads(json.dumps(turn.to_dict())))
    assert again == turn
    conversation = Conversation(turns=[turn], asked=1)
    conversation.ask("And bees?")
    assert conversation.history() == []


def test_retrying_or_editing_a_claim_weighs_again():
    conversation = Conversation()
    conversation.ask("Whales sing.", kind="claim").take(WHOLE)
    assert conversation.retry().kind == "claim"
    conversation.last.take(WHOLE)
    assert conversation.ask_from(2, "Whales are mute.").kind == "claim"
    assert conversation.last.question == "Whales are mute."


def test_an_export_has_the_claim_in_markdown_and_its_papers_as_references():
    conversation = Conversation()
    conversation.ask("Whales sing.", kind="claim").take(WHOLE)
    written = {kind: export(conversation.findings, kind) for kind in ("markdown", "bibtex", "ris", "json")}
    assert "## Claim: Whales sing." in written["markdown"]
    assert "Supports it: 1\n\n- *On song*. 2020." in written["markdown"]
    assert "Silent: 7 of 9" in written["markdown"]
    for kind in ("bibtex", "ris"):
        assert "On song" in written[kind]
        assert "On silence" in written[kind]
        assert "On bees" not in written[kind]
    (receipt,) = json.loads(written["json"])
    assert verify(receipt) == ()
    assert Balance.from_dict(receipt) == WHOLE


def test_it_is_copied_with_sentence_and_paper_for_each_side():
    said = balance_copy(WHOLE)
    assert "Supports it: “Whales sing. They sing at 20 hertz.”\n    On song. 2020" in said
    assert "bees" not in said.lower()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_outside_never_becomes_markup(payload):
    sources = [
        Paper(id=f"{n}", title=payload, abstract=f"Before {payload}", authors=(payload,), venue=payload, url=payload)
        for n in range(3)
    ]
    whole = Balance(payload, tuple(weighed(p, stance, 7) for p, stance in zip(sources, STANCES, strict=True)), 9, 3)
    partly = turn_of(dataclasses.replace(whole, papers=whole.papers[:2]), 2)
    stopped = turn_of(dataclasses.replace(whole, papers=whole.papers[:1]), 3)
    stopped.stop()
    drawn = "".join(render_turn(turn) + render_evidence(turn) for turn in (turn_of(whole), partly, stopped))
    inspected = Inspector(drawn)
    assert len(inspected.ids) == len(set(inspected.ids))


def trace_of(balance, prompt=(("system", "Read."), ("user", "Whales sing."))):
    ranked = tuple(Ranked(one.paper, n, 0.1, n, 0.5, n, 2.0) for n, one in enumerate(balance.papers, start=1))
    coverage = {one.paper.id: 0.75 for one in balance.papers}
    return ClaimTrace(balance, ranked, coverage, 0.5, SURE, (prompt,) * len(balance.papers))


def test_the_lens_shows_search_probabilities_prompt_and_times():
    papers = [dataclasses.replace(one, told=(0.8, 0.15, 0.05), read_s=0.42) for one in WHOLE.papers]
    balance = dataclasses.replace(
        WHOLE, papers=tuple(papers), model_id="a/model", prompt_id="verdict@1:0", timings={"evidence_s": 0.1}
    )
    said = Inspector(render_claim_trace(trace_of(balance))).shown
    for words in (
        "at least 0.50 of the claim’s words",
        "1. (0.50)",
        "0.75",
        "supports it 0.80 · contradicts it 0.15 · says neither 0.05 → supports the claim · read in 0.42 s",
        "from 0.60 of 1",
        "papers found after 0.10 s",
        "a/model",
    ):
        assert words in said


def test_the_lens_on_what_an_older_footnote_kept_says_what_it_cannot_know():
    said = Inspector(render_claim_trace(trace_of(WHOLE, prompt=()))).shown
    assert "On song: its prompt is another one today." in said
    assert "0.80 of 1 → supports the claim" in said
    assert "Not measured." in said
    assert "The model was not asked." in Inspector(render_claim_trace(trace_of(Balance("x", (), 3, 0)))).shown


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_hostile_becomes_markup_under_the_lens(payload):
    paper = Paper("p", payload, f"{payload} sings.")
    sentence = Sentence("p", 0, 0, len(paper.abstract), paper.abstract)
    one = Weighed(paper, "supports", 0.9, (Evidence(1, paper, sentence, 0.9),), (0.9, 0.05, 0.05))
    balance = Balance(payload, (one,), 9, 1, payload, payload)
    assert Inspector(render_claim_trace(trace_of(balance, (("system", payload), ("user", payload))))).links == []
