"""What a guest from another machine may do in the library and eval tabs: look, and change nothing."""

import threading
from types import SimpleNamespace

import pytest

from rag import Atlas, FootnoteError
from ui.library import Looking, _Desk
from ui.parts import is_guest


def request(host, username=None):
    return SimpleNamespace(username=username, client=SimpleNamespace(host=host), session_hash="s1")


GUEST, OWNER = request("10.0.0.9"), request("127.0.0.1")
QUERY = ("", "Meaning", "", "", "", "List")


class Shelf:
    """A library that notes what is asked of it."""

    is_editable = True
    has_atlas = True
    papers: dict = {}

    def __init__(self):
        self.did = []

    def remove(self, ids):
        self.did.append(("remove", ids))
        raise FootnoteError("Stop here.")

    def undo(self):
        self.did.append(("undo",))
        raise FootnoteError("Stop here.")

    def add(self, *arguments):
        self.did.append(("add",))
        raise FootnoteError("Stop here.")


class Parts:
    """Every component is its own name."""

    def __getattr__(self, name):
        return name


@pytest.fixture
def library():
    return Shelf()


@pytest.fixture
def desk(library):
    return _Desk(library, Parts())


def test_who_has_no_name_and_comes_from_elsewhere_is_a_guest():
    assert is_guest(GUEST)
    assert not is_guest(OWNER)
    assert not is_guest(request("10.0.0.9", "ann"))


@pytest.mark.parametrize("act", [{"do": "remove", "id": "p1"}, {"do": "undo"}])
def test_a_guest_changes_nothing_whatever_the_browser_sends(desk, library, act):
    event = SimpleNamespace(_data=act)
    desk.act(Looking(may_change=True), *QUERY, event, GUEST)
    assert library.did == []
    desk.act(Looking(), *QUERY, event, OWNER)
    assert len(library.did) == 1


def test_adding_needs_the_leave_that_only_the_server_gives(desk, library):
    assert "Only who has signed in" in desk.added((), Looking(), *QUERY)["preview"]
    assert library.did == []
    desk.added((), Looking(may_change=True), *QUERY)
    assert library.did == [("add",)]


def test_text_that_was_not_looked_through_yet_cannot_be_lost_by_adding_what_was(desk):
    assert desk.typed("@article{a, …")["add"]["interactive"] is False
    assert "add" not in desk.typed("  ")


def test_nothing_else_changes_while_papers_are_on_their_way(library):
    go = threading.Event()
    library.add = lambda *_arguments: go.wait(5)
    desk = _Desk(library, Parts())
    assert "Adding 0 papers" in desk.added((), Looking(may_change=True), *QUERY)["running"]
    for act in ({"do": "undo"}, {"do": "remove", "id": "p"}):
        update = desk.act(Looking(), *QUERY, SimpleNamespace(_data=act), OWNER)
        assert "Papers are being added just now." in update["said"]
    assert "Papers are being added just now." in desk.added((), Looking(may_change=True), *QUERY)["said"]
    assert library.did == []
    assert "Stop, add nothing" not in desk.ticked(Looking(), *QUERY)["running"], "a guest may only look"
    assert "Stop, add nothing" in desk.ticked(Looking(may_change=True), *QUERY)["running"]
    go.set()


@pytest.mark.parametrize("view", ["List", "Map"])
def test_what_is_typed_is_searched_for_once(view):
    class Searched(Shelf):
        def find(self, *arguments):
            self.did.append("find")
            return ()

        def atlas(self):
            return Atlas((), (), 0)

    library = Searched()
    update = _Desk(library, Parts()).searched(Looking(), "owls", "Meaning", "", "", "", view)
    assert library.did == ["find"]
    assert "looking" in update


@pytest.mark.parametrize("sent", [None, [], "remove", {"do": None}, {"do": "burn"}, {"id": {"a": 1}}])
def test_what_is_no_action_does_nothing(desk, library, sent):
    update = desk.act(Looking(), *QUERY, SimpleNamespace(_data=sent), OWNER)
    assert list(update) == ["said"]
    assert library.did == []


def test_a_search_that_ends_after_papers_were_put_on_offer_leaves_them_there(desk, library):
    library.find = lambda *_arguments: ()
    library.preview = lambda papers: SimpleNamespace(new=tuple(papers), completed=())
    began = desk.searched(Looking(), *QUERY)
    assert set(desk.offered([], "")) == {"offers", "preview", "add"}
    assert "looking" in began
    assert "offers" not in began
    assert desk.closed()["offers"] == ()
