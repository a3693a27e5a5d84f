"""What a conversation was before a question of it was asked anew: kept, gone back to, and found again on disk."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_rag import FakeRag
from ui.conversations.archive import Archive
from ui.conversations.conversation import Conversation, Turn
from ui.views.turn import render_turn


def answered(conversation, turn):
    for event in FakeRag(pace_s=0).stream(turn.asked, conversation.history()):
        turn.take(event)
    return turn


def talk(*questions):
    conversation = Conversation()
    for question in questions:
        answered(conversation, conversation.ask(question))
    return conversation


def asked(conversation):
    return [turn.question for turn in conversation.turns]


def test_what_an_edit_took_the_place_of_is_gone_back_to_and_forth():
    conversation = talk("One?", "Two?", "Three?")
    new = answered(conversation, conversation.ask_from(2, "Two, but better?"))
    assert asked(conversation) == ["One?", "Two, but better?"]
    assert (new.version, len(new.versions)) == (1, 1)
    back = conversation.go_to(new.number, 0)
    assert asked(conversation) == ["One?", "Two?", "Three?"]
    assert (back.question, back.version, len(back.versions)) == ("Two?", 0, 1)
    assert [turn.answer is not None for turn in conversation.turns] == [True] * 3
    forth = conversation.go_to(back.number, 1)
    assert forth is new
    assert asked(conversation) == ["One?", "Two, but better?"]


def test_each_version_goes_on_by_itself():
    conversation = talk("One?", "Two?")
    new = answered(conversation, conversation.ask_from(1, "First?"))
    answered(conversation, conversation.ask("Then?"))
    conversation.go_to(new.number, 0)
    answered(conversation, conversation.ask("Three?"))
    assert asked(conversation) == ["One?", "Two?", "Three?"]
    conversation.go_to(1, 1)
    assert asked(conversation) == ["First?", "Then?"]


def test_a_version_between_others_keeps_its_place():
    conversation = talk("A?")
    for better in ("B?", "C?"):
        answered(conversation, conversation.ask_from(conversation.last.number, better))
    conversation.go_to(3, 0)
    answered(conversation, conversation.ask_from(1, "D?"))
    told = []
    for version in range(4):
        conversation.go_to(conversation.last.number, version)
        told += [(conversation.last.version, *asked(conversation))]
    assert told == [(0, "A?"), (1, "B?"), (2, "C?"), (3, "D?")]


def test_retry_keeps_the_answer_that_was_there():
    conversation = talk("One?")
    before = conversation.last.answer
    answered(conversation, conversation.retry())
    assert (conversation.last.number, conversation.last.version) == (2, 1)
    assert conversation.go_to(2, 0).answer is before
    assert Conversation().retry() is None


def test_a_turn_to_which_nothing_was_said_is_no_version():
    conversation = talk("One?")
    conversation.retry().fail(RuntimeError("no memory"))
    retried = answered(conversation, conversation.retry())
    assert (retried.version, [version[0].number for version in retried.versions]) == (1, [1])
    stopped = talk("One?")
    stopped.ask("Two?").stop()
    assert not stopped.retry().versions


@pytest.mark.parametrize(("number", "version"), [(1, -1), (1, 1), (2, 2), (2, -1), (9, 0), (-1, 0)])
def test_what_is_no_version_changes_nothing(number, version):
    conversation = talk("One?", "Two?")
    conversation.ask_from(2, "Better?")
    conversation.turns[-1].number = 2
    before = json.dumps([turn.to_dict() for turn in conversation.turns])
    assert conversation.go_to(number, version) is None
    assert json.dumps([turn.to_dict() for turn in conversation.turns]) == before


def every_question(turns):
    for turn in turns:
        yield turn.question
        for version in turn.versions:
            yield from every_question(version)


moves = st.lists(st.tuples(st.sampled_from(["ask", "edit", "retry", "go"]), st.integers(0, 9), st.integers(0, 4)))


@given(moves)
def test_whatever_is_done_no_question_is_lost_and_all_comes_back_from_its_record(steps):
    conversation = Conversation()
    expected = []
    for count, (step, where, version) in enumerate(steps):
        number = conversation.turns[where % len(conversation.turns)].number if conversation.turns else 0
        turn = None
        if step == "ask":
            turn = conversation.ask(f"Q{count}")
        elif step == "edit":
            turn = conversation.ask_from(number, f"Q{count}")
        elif step == "retry":
            turn = conversation.retry()
        else:
            conversation.go_to(number, version)
        if turn is not None:
            turn.draft = "It is."
            expected.append(turn.question)
    assert sorted(every_question(conversation.turns)) == sorted(expected)
    for turn in conversation.turns:
        record = json.loads(json.dumps(turn.to_dict()))
        again = Turn.from_dict(record)
        assert list(every_question([again])) == list(every_question([turn]))
        assert turn.version in range(len(turn.versions) + 1)


def test_versions_come_back_from_disk_with_their_answers_and_are_searched(tmp_path):
    archive = Archive(tmp_path / "c.sqlite")
    conversation = talk("One?", "What is LanternNet?")
    archive.save("", conversation)
    new = answered(conversation, conversation.ask_from(2, "Is there wifi on trains?"))
    archive.save("", conversation)
    found = archive.open("", conversation.id)
    assert asked(found) == ["One?", "Is there wifi on trains?"]
    back = found.go_to(new.number, 0)
    assert back.question == "What is LanternNet?"
    assert json.dumps(back.answer.to_dict()) == json.dumps(new.versions[0][0].answer.to_dict())
    archive.save("", found)
    assert asked(archive.open("", conversation.id)) == ["One?", "What is LanternNet?"]
    assert len(archive.entries("", "wifi")) == len(archive.entries("", "LanternNet")) == 1
    archive.close()


def test_going_to_a_version_brings_no_deleted_conversation_back_and_asking_in_its_place_does(tmp_path):
    archive = Archive(tmp_path / "c.sqlite")
    conversation = talk("One?", "Two?", "Three?")
    conversation.ask_from(2, "Better?").stop()
    archive.save("", conversation)
    archive.delete("", conversation.id)
    conversation.go_to(4, 0)
    archive.save("", conversation)
    assert archive.entries("") == []
    conversation.ask_from(1, "Another?").stop()
    archive.save("", conversation)
    assert len(archive.entries("")) == 1
    archive.close()


def test_what_is_still_checked_of_a_stopped_answer_is_kept_in_its_version(tmp_path):
    archive = Archive(tmp_path / "c.sqlite")
    conversation = talk("One?")
    answer = conversation.last.answer
    stopped = conversation.ask("Two?")
    stopped.draft = "It is"
    stopped.stop()
    conversation.retry().stop()
    archive.save("", conversation)
    stopped.answer = answer
    archive.save("", conversation)
    assert archive.open("", conversation.id).go_to(3, 0).answer is not None
    archive.close()


def test_the_way_between_versions_is_shown_where_there_are_several():
    conversation = talk("One?")
    assert "fn-versions" not in render_turn(conversation.last)
    running = conversation.retry()
    assert "fn-versions" not in render_turn(running), "not while an answer is on its way"
    html = render_turn(answered(conversation, running))
    assert 'aria-label="Versions from question 2 on"' in html
    assert '<button type="button" data-turn="2" data-version="0" aria-label="Version before">' in html
    assert 'data-version="2" aria-label="Next version" disabled>' in html
    assert "2 of 2" in html
