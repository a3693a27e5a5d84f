"""A question on the page: accepted, answered, stopped.

A question is accepted at once, so that it is on screen immediately; it is answered by a generator once its turn in the
line has come; and it can be stopped at any time. Each is a function that makes the event handler.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any

import anyio
import gradio as gr

from rag import FootnoteError
from ui.answering import in_threads, let_go
from ui.asking import Asking
from ui.conversations.archive import Archive
from ui.conversations.conversation import Conversation, Kind, Turn
from ui.parts import Parts, Update, controls, drawn, drawn_whole, kept, owner_of
from ui.serving.line import Line
from ui.views.evidence import render_evidence, render_past_evidence
from ui.views.turn import render_said, render_status, render_turn, render_turns
from ui.views.weighing import Scales

_LOOK_AGAIN_S = 0.05

log = logging.getLogger(__name__)

ASK, WEIGH = "Ask a question", "Weigh a claim"
PLACEHOLDERS = {"question": "Ask about these papers", "claim": "State a claim to weigh"}
RUNNING_LINE = "An answer is on its way: wait for it, or stop it first."


def kind_of(mode: str) -> Kind:
    """What is typed in this mode of the box."""
    return "claim" if mode == WEIGH else "question"


def switching(parts: Parts) -> Callable[[str], Update]:
    """Says in the box what is typed there, and on the button what becomes of it."""

    def switch(mode: str) -> Update:
        kind = kind_of(mode)
        return {
            parts.box: gr.update(placeholder=PLACEHOLDERS[kind]),
            parts.ask: gr.update(value="Weigh" if kind == "claim" else "Ask"),
        }

    return switch


def accepting(parts: Parts, archive: Archive) -> Callable[[Conversation, str, str, gr.Request], Update]:
    """Puts the question on screen; the answer follows when its turn comes."""

    def accept(conversation: Conversation, question: str, mode: str, request: gr.Request) -> Update:
        if conversation.running:
            return {parts.conversation: conversation}
        if not question or not question.strip():
            return {parts.status: render_said(f"Type a {kind_of(mode)} first.")}
        conversation.ask(question, kind=kind_of(mode))
        return {**begun(parts, archive, conversation, request), parts.box: ""}

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


def answering(parts: Parts, archive: Archive, rag: Any, line: Line) -> Callable[..., AsyncIterator[Update]]:
    """Answers the last turn, if it still waits: nothing may have been accepted, or it was stopped in the line."""

    async def answer(conversation: Conversation, request: gr.Request) -> AsyncIterator[Update]:
        turn = conversation.last
        if turn is None or not turn.waits() or turn.ahead is not None:
            yield {parts.conversation: conversation}
            return
        turn.ahead = 0
        keep = partial(kept, parts, archive, owner_of(request), conversation)
        try:
            while conversation.asking is not None and turn.waits():  # what was stopped is still being checked
                await anyio.sleep(_LOOK_AGAIN_S)
            with line.enter(request.username or request.session_hash or "") as place:
                async for turn.ahead in place.wait():
                    if not turn.waits():
                        return
                    yield {parts.status: render_status(turn)}
                turn.ahead = 0
                if turn.waits():
                    async with aclosing(_answered(rag, parts, conversation, turn, keep)) as updates:
                        async for update in updates:
                            yield update
        except FootnoteError as error:  # refused by the line, or settings that the Rag does not take
            turn.fail(error)
            yield {**_ended(parts, conversation, turn), **keep()}
        finally:  # also when the reader has closed the page: Gradio then closes this generator
            if turn.running:
                turn.stop()
                keep()

    return answer


async def _answered(
    rag: Any, parts: Parts, conversation: Conversation, turn: Turn, keep: Callable[[], Update]
) -> AsyncGenerator[Update]:
    applied = conversation.knobs.applied(rag)
    asker = Scales(applied) if turn.kind == "claim" else applied
    asking = Asking(asker, turn.asked, conversation.history())
    conversation.asking = asking
    try:
        check = partial(_check_what_there_is, asker, turn)
        async with aclosing(in_threads(_follow(check, asking, turn, parts, conversation, keep))) as updates:
            async for update in updates:
                yield update
    finally:
        asking.stop()
        await let_go(asking)
        conversation.asking = None


def _follow(
    check: Callable[[], None],
    asking: Asking,
    turn: Turn,
    parts: Parts,
    conversation: Conversation,
    keep: Callable[[], Update],
) -> Iterator[Update]:
    """Draw what comes until there is an answer, an error or a stop; then `check` what there is, draw and keep it.

    All that is drawn of a turn once it is read comes by this one stream, a stop too: in order, whatever else is late.
    """
    found: Any = turn.found  # drawn when the question was accepted
    try:
        for batch in asking.batches():
            for event in batch:
                turn.take(event)
            if not turn.running:
                break
            update = {parts.live: render_turn(turn), parts.status: render_status(turn)}
            if (turn.balance or turn.found) is not found:
                found = turn.balance or turn.found
                update[parts.live_evidence] = render_evidence(turn)
            yield update
    except Exception as error:  # noqa: BLE001  # shown to the reader as a plain sentence; Asking has logged it
        turn.fail(error)
    turn.stop()
    if turn.stage == "stopped":
        yield _ended(parts, conversation, turn)
    check()
    yield {**_ended(parts, conversation, turn), **keep()}


def _check_what_there_is(asker: Any, turn: Turn) -> None:
    """Of a draft that was stopped, keep the whole sentences that hold, as an answer."""
    check = getattr(asker, "partial_answer", None)
    if check is None or turn.stage != "stopped" or turn.answer is not None or turn.found is None or not turn.draft:
        return
    try:
        turn.answer = check(turn.found, turn.draft)
    except Exception:  # the edge: the draft stays as it is, marked as unchecked
        log.exception("Checking a stopped answer failed")


def _ended(parts: Parts, conversation: Conversation, turn: Turn) -> Update:
    update = {**drawn(parts, conversation), **controls(parts, conversation)}
    if turn is not conversation.last:  # the next question was asked as soon as this one was stopped
        update[parts.past] = render_turns(conversation.past)
        update[parts.past_evidence] = render_past_evidence(conversation.past)
    return update


def stopping(parts: Parts, archive: Archive) -> Callable[[Conversation, gr.Request], Update]:
    """Stops the running answer, or takes a waiting question out of the line; its text stays."""

    def stop(conversation: Conversation, request: gr.Request) -> Update:
        turn = conversation.last
        by_its_stream = conversation.asking is not None and turn is not None and not turn.waits()
        if conversation.asking is not None:
            conversation.asking.stop()
        if turn is not None:
            turn.stop()
        shown = {} if by_its_stream else {**drawn(parts, conversation), **controls(parts, conversation)}
        return {**shown, **kept(parts, archive, owner_of(request), conversation)}

    return stop


def clearing(parts: Parts) -> Callable[[Conversation], Update]:
    """Begins another conversation; the one before stays on disk."""

    def clear(conversation: Conversation) -> Update:
        if conversation.running:
            return {parts.conversation: conversation}
        conversation.clear()
        return drawn_whole(parts, conversation)

    return clear
