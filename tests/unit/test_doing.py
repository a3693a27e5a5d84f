"""What buttons beside asking do, without a browser."""

from types import SimpleNamespace

from tests.fake_rag import FakeRag
from ui.chat import _welcome
from ui.conversations.archive import Archive
from ui.conversations.conversation import Conversation
from ui.doing import doing


class Parts:
    """Every component is its own name."""

    def __getattr__(self, name):
        return name


def pressed(conversation: Conversation, **sent: str) -> dict:
    event, request = SimpleNamespace(_data=sent), SimpleNamespace(username="ann", client=None, session_hash="s")
    return doing(Parts(), Archive(), FakeRag())(conversation, event, request)


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
