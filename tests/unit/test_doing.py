"""What buttons beside asking do, without a browser."""

from types import SimpleNamespace

import pytest

from tests.fake_rag import FakeRag
from ui.chat import _welcome
from ui.conversations.archive import Archive
from ui.conversations.conversation import Conversation
from ui.doing import doing
from ui.turns import RUNNING_LINE


class Parts:
    """Every component is its own name."""

    def __getattr__(self, name):
        return name


def pressed(conversation: Conversation, **sent: str) -> dict:
    event, request = SimpleNamespace(_data=sent), SimpleNamespace(username="ann", client=None, session_hash="s")
    return doing(Parts(), Archive(), FakeRag())(conversation, event, request)


@pytest.mark.parametrize("sent", [{"turn": "2"}, {"turn": "2", "version": "7"}, {"turn": "x", "version": "-1"}, {}])
def test_what_is_no_version_of_a_turn_changes_nothing(sent):
    conversation = Conversation()
    conversation.ask("Why?").stop()
    conversation.ask_from(1, "How?").stop()
    update = pressed(conversation, do="version", **sent)
    assert "live" not in update
    assert [turn.question for turn in conversation.turns] == ["How?"]
    assert "Version 1 of 2" in pressed(conversation, do="version", turn="2", version="0")["status"]
    assert [turn.question for turn in conversation.turns] == ["Why?"]


def test_versions_are_left_alone_while_an_answer_is_on_its_way_or_still_checked():
    conversation = Conversation()
    conversation.ask("Why?").stop()
    conversation.ask_from(1, "How?")
    assert RUNNING_LINE in pressed(conversation, do="version", turn="2", version="0")["status"]
    conversation.last.stop()
    conversation.asking = object()
    assert RUNNING_LINE in pressed(conversation, do="version", turn="2", version="0")["status"]
    assert conversation.last.question == "How?"


def test_a_conversation_without_an_answer_has_nothing_to_export_and_says_so():
    conversation = Conversation()
    conversation.ask("Why?").stop()
    update = pressed(conversation, do="export", id=conversation.id, format="markdown")
    assert "no question of this conversation has an answer" in update["status"].casefold()
    assert "download" not in update


def test_what_only_looks_leaves_the_open_conversation_alone():
    conversation = Conversation()
    for act in ("list", "lens"):
        assert "conversation" not in pressed(conversation, do=act, turn="1", search="")


def test_a_library_without_papers_says_to_add_some():
    assert "add papers" in _welcome(())
    assert "0 papers" not in _welcome(())
