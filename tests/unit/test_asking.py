"""A running question: its events come in order, errors come last, and a stop really closes the Rag's iterator."""

from __future__ import annotations

import threading
import time

import pytest

from rag.errors import BadQuestion
from rag.schema import Answer, EvidenceFound, TextPiece
from tests.fake_rag import FakeRag
from ui.asking import Asking, stop_all


def everything(asking):
    return [event for batch in asking.batches(every_s=0.01) for event in batch]


def test_all_events_arrive_in_order():
    events = everything(Asking(FakeRag(pace_s=0), "What is LanternNet?"))
    assert isinstance(events[0], EvidenceFound)
    assert isinstance(events[-1], Answer)
    assert all(isinstance(event, TextPiece) for event in events[1:-1])


def test_what_came_before_an_error_is_handed_on_first():
    batches = Asking(FakeRag(), "Is it broken?").batches()
    assert isinstance(next(batches)[0], EvidenceFound)
    with pytest.raises(Exception, match="out of memory"):
        list(batches)


def test_a_refused_question_raises_at_once():
    with pytest.raises(BadQuestion):
        everything(Asking(FakeRag(), "  "))


def test_a_stop_ends_the_batches_and_closes_the_iterator():
    rag = FakeRag(pace_s=0.01)
    asking = Asking(rag, "A long question?")
    batches = asking.batches(every_s=0.01)
    next(batches)
    asking.stop()
    assert list(batches) == []
    asking.join(5)
    assert rag.closed == ["A long question?"]


def test_a_stop_does_not_wait_for_a_model_that_says_nothing():
    rag = FakeRag()
    rag.before_first_token.clear()
    asking = Asking(rag, "What is LanternNet?")
    batches = asking.batches()
    next(batches)
    threading.Timer(0.05, asking.stop).start()
    began = time.monotonic()
    assert list(batches) == []
    assert time.monotonic() - began < 2
    rag.open_gates()
    asking.join(5)
    assert rag.closed == ["What is LanternNet?"]


def test_stopping_all_leaves_none_at_work():
    rag = FakeRag(pace_s=0.01)
    running = [Asking(rag, f"A long question {n}?") for n in range(3)]
    for asking in running:
        next(asking.batches())
    stop_all(5)
    assert sorted(rag.closed) == [f"A long question {n}?" for n in range(3)]


def test_an_iterator_without_close_is_fine():
    class Plain:
        def stream(self, question, history=None, stopped=None):
            return iter([TextPiece("a"), TextPiece("b")])

    assert everything(Asking(Plain(), "x")) == [TextPiece("a"), TextPiece("b")]
