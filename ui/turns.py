"""A question on the page: accepted, answered, stopped.

A question is accepted at once, outside the queue, so that it is on screen immediately; it is answered by a generator
in the queue; and it can be stopped at any time. Each is a function that makes the event handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from ui.archive import Archive
from ui.asking import Asking
from ui.conversation import Conversation, Turn
from ui.evidence import render_evidence
from ui.parts import Parts, Update, controls, drawn, drawn_whole, kept, owner_of
from ui.render import render_said, render_status, render_turn

LETTING_GO_S = 10.0
"""How long the next question waits for a stopped one to let go of the model."""

RUNNING_LINE = "An answer is on its way: wait for it, or stop it first."


def accepting(parts: Parts, archive: Archive) -> Callable[[Conversation, str, gr.Request], Update]:
    """Puts the question on screen; the answer follows from the queue."""

    def accept(conversation: Conversation, question: str, request: gr.Request) -> Update:
        if conversation.running:
            return {parts.conversation: conversation}
        if not question or not question.strip():
            return {parts.status: render_said("Type a question first.")}
        conversation.ask(question)
        return begun(parts, archive, conversation, request)

    return accept


def retrying(parts: Parts, archive: Archive) -> Callable[[Conversation, gr.Request], Update]:
    """Asks the last question again in its place."""

    def retry(conversation: Conversation, request: gr.Request) -> Update:
        if conversation.running or conversation.retry() is None:
            return {parts.conversation: conversation}
        return begun(parts, archive, conversation, request)

    return retry


def begun(parts: Parts, archive: Archive, conversation: Conversation, request: gr.Request | None) -> Update:
    """What a newly begun turn changes on the page. It is kept before it is answered: a crash loses no question."""
    return {
        **drawn_whole(parts, conversation),
        **kept(parts, archive, owner_of(request), conversation),
    }


def answering(parts: Parts, archive: Archive, rag: Any) -> Callable[[Conversation, gr.Request], Iterator[Update]]:
    """Answers the last turn, if it still waits: nothing may have been accepted, or it was stopped in the queue."""

    def answer(conversation: Conversation, request: gr.Request) -> Iterator[Update]:
        turn = conversation.last
        if turn is None or turn.stage != "waiting" or conversation.asking is not None:
            yield {parts.conversation: conversation}
            return
        asking = Asking(conversation.knobs.applied(rag), turn.asked, conversation.history())
        conversation.asking = asking
        try:
            for update in _follow(asking, turn, parts, conversation):
                if not turn.running:
                    update |= kept(parts, archive, owner_of(request), conversation)
                yield update
        finally:  # also when the reader has closed the page: Gradio then closes this generator
            was_running = turn.running
            turn.stop()
            asking.stop()
            if was_running:
                kept(parts, archive, owner_of(request), conversation)
            asking.join(LETTING_GO_S)
            conversation.asking = None

    return answer


def _follow(asking: Asking, turn: Turn, parts: Parts, conversation: Conversation) -> Iterator[Update]:
    """Draw what comes until there is an answer, an error or a stop."""
    evidence = ""
    try:
        for batch in asking.batches():
            for event in batch:
                turn.take(event)
            if not turn.running:
                break
            update = {parts.live: render_turn(turn), parts.status: render_status(turn)}
            if (now := render_evidence(turn)) != evidence:
                evidence = update[parts.live_evidence] = now
            yield update
    except Exception as error:  # noqa: BLE001  # shown to the reader as a plain sentence; Asking has logged it
        turn.fail(error)
    turn.stop()
    update = {**drawn(parts, conversation), **controls(parts, conversation)}
    if turn.stage == "failed":
        update[parts.box] = turn.question  # to be edited and asked again
    yield update


def stopping(parts: Parts, archive: Archive) -> Callable[[Conversation, gr.Request], Update]:
    """Stops the running answer, or takes a waiting question out of the queue; its text stays."""

    def stop(conversation: Conversation, request: gr.Request) -> Update:
        if conversation.asking is not None:
            conversation.asking.stop()
        if conversation.last is not None:
            conversation.last.stop()
        return {
            **drawn(parts, conversation),
            **controls(parts, conversation),
            **kept(parts, archive, owner_of(request), conversation),
        }

    return stop


def clearing(parts: Parts) -> Callable[[Conversation], Update]:
    """Begins another conversation; the one before stays on disk."""

    def clear(conversation: Conversation) -> Update:
        if conversation.running:
            return {parts.conversation: conversation}
        conversation.clear()
        return drawn_whole(parts, conversation)

    return clear
