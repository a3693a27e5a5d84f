"""The chat view: ask box, conversation and evidence column, and what happens when a reader does something.

Three events change a conversation: a question is accepted (at once, outside the queue, so that it is on screen
immediately), it is answered (a generator in the queue), and it is stopped. Everything shown is written by
`ui.render` and `ui.evidence`; what came of each question is kept in a `Conversation` in the reader's session.

The conversation is in two parts, older turns and the current one, so that streaming redraws only the current one
and leaves selection, focus and scroll position in older answers alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.answering import in_threads, let_go
from ui.asking import Asking
from ui.conversation import Conversation, Turn
from ui.evidence import render_evidence, render_past_evidence
from ui.examples import example_questions
from ui.line import Line, Refused
from ui.markup import text
from ui.render import render_said, render_status, render_turn, render_turns

Update = dict[Any, Any]

PROMISE = "Answers from your library of paper abstracts, every sentence tied to the one it rests on."


@dataclass(frozen=True)
class _Parts:
    """The components that events read and write."""

    conversation: gr.State
    welcome: gr.Column
    past: gr.HTML
    live: gr.HTML
    status: gr.HTML
    box: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    retry: gr.Button
    clear: gr.Button
    past_evidence: gr.HTML
    live_evidence: gr.HTML

    def all(self) -> list[Any]:
        """Every component, as outputs of an event; a handler returns only those that change."""
        return list(vars(self).values())


def chat_view(rag: Any, line: Line) -> None:
    """Add the chat to the Blocks that is being built; its questions take their places in `line`."""
    with gr.Row(elem_id="fn-columns"):
        with gr.Column(elem_id="fn-chat"):
            with gr.Column(elem_id="fn-scroll"):
                with gr.Column(elem_id="fn-welcome") as welcome:
                    examples = _welcome(rag)
                past = _html("fn-past")
                live = _html("fn-live")
            with gr.Column(elem_id="fn-composer"):
                box, ask, stop, status, retry, clear = _composer()
        with gr.Column(elem_id="fn-evidence"):
            gr.HTML(_DRAWER_HEAD, elem_id="fn-drawer-head", apply_default_css=False)
            past_evidence = _html("fn-past-evidence")
            live_evidence = _html("fn-live-evidence", render_evidence(None))
    gr.HTML('<div id="fn-shade"></div>', elem_id="fn-shade-holder", apply_default_css=False)
    parts = _Parts(
        conversation=gr.State(Conversation()),
        welcome=welcome,
        past=past,
        live=live,
        status=status,
        box=box,
        ask=ask,
        stop=stop,
        retry=retry,
        clear=clear,
        past_evidence=past_evidence,
        live_evidence=live_evidence,
    )
    _connect(rag, line, parts, examples)


_DRAWER_HEAD = (
    '<div class="fn-drawer-bar"><span>Evidence</span>'
    '<button type="button" id="fn-close-drawer" class="fn-chip">Close</button></div>'
)


def _html(elem_id: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, js_on_load=None)


def _welcome(rag: Any) -> list[gr.Button]:
    papers = len(rag.papers)
    gr.HTML(
        '<div class="fn-welcome"><h2>Ask your library</h2>'
        f"<p>{text(PROMISE)} What the {papers} papers do not say, Footnote declines to say.</p></div>",
        apply_default_css=False,
    )
    with gr.Column(elem_id="fn-examples"):
        return [
            gr.Button(question, variant="secondary", elem_classes="fn-example")
            for question in example_questions(rag.papers)
        ]


def _composer() -> tuple[gr.Textbox, gr.Button, gr.Button, gr.HTML, gr.Button, gr.Button]:
    with gr.Row(elem_id="fn-ask-row"):
        box = gr.Textbox(
            label="Your question",
            show_label=False,
            placeholder="Ask about these papers",
            lines=1,
            max_lines=6,
            container=False,
            autofocus=True,
            scale=1,
            elem_id="fn-box",
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
        )
        ask = gr.Button("Ask", variant="primary", elem_id="fn-ask", scale=0, min_width=76)
        stop = gr.Button("Stop", variant="secondary", elem_id="fn-stop", scale=0, min_width=76, visible=False)
    with gr.Row(elem_id="fn-tools"):
        status = _html("fn-status")
        gr.HTML(
            '<p class="fn-keys"><kbd>Enter</kbd> asks · <kbd>Shift</kbd>+<kbd>Enter</kbd> new line</p>',
            elem_id="fn-keys",
            apply_default_css=False,
        )
        retry = gr.Button("Retry", size="sm", elem_id="fn-retry", scale=0, min_width=64, interactive=False)
        clear = gr.Button("New chat", size="sm", elem_id="fn-clear", scale=0, min_width=64, interactive=False)
    return box, ask, stop, status, retry, clear


def _connect(rag: Any, line: Line, parts: _Parts, examples: list[gr.Button]) -> None:
    """Tie controls to handlers. `accept` and its kin answer at once; `answering` takes its place in the line."""
    at_once = {"queue": False, "show_progress": "hidden", "api_visibility": "private", "outputs": parts.all()}
    answering = _answering(rag, line, parts)

    def ask(conversation: Conversation, question: str) -> Update:
        return _accept(parts, conversation, question)

    def retry(conversation: Conversation) -> Update:
        if conversation.running or conversation.retry() is None:
            return {parts.conversation: conversation}
        return _begun(parts, conversation)

    def stop(conversation: Conversation) -> Update:
        return _stop(parts, conversation)

    def clear(conversation: Conversation) -> Update:
        return _clear(parts, conversation)

    begin = [
        trigger(ask, inputs=[parts.conversation, parts.box], trigger_mode="multiple", **at_once)
        for trigger in (parts.box.submit, parts.ask.click)
    ]
    begin += [
        button.click(_asking_for(parts, button.value), inputs=[parts.conversation], trigger_mode="multiple", **at_once)
        for button in examples
    ]
    begin.append(parts.retry.click(retry, inputs=[parts.conversation], **at_once))
    for begun in begin:
        begun.then(
            answering,
            inputs=[parts.conversation],
            outputs=parts.all(),
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,  # the line lets one at a time to the model
            api_visibility="private",
        )
    parts.stop.click(stop, inputs=[parts.conversation], **at_once)
    parts.clear.click(clear, inputs=[parts.conversation], **at_once)


def _asking_for(parts: _Parts, question: str) -> Callable[[Conversation], Update]:
    def ask_example(conversation: Conversation) -> Update:
        return _accept(parts, conversation, question)

    return ask_example


def _accept(parts: _Parts, conversation: Conversation, question: str) -> Update:
    """Put the question on screen; the answer follows from the queue."""
    if conversation.running:
        return {parts.conversation: conversation}
    if not question or not question.strip():
        return {parts.status: render_said("Type a question first.")}
    conversation.ask(question)
    return _begun(parts, conversation)


def _begun(parts: _Parts, conversation: Conversation) -> Update:
    return {
        **_drawn(parts, conversation),
        parts.conversation: conversation,
        parts.welcome: gr.update(visible=False),
        parts.past: render_turns(conversation.past),
        parts.past_evidence: render_past_evidence(conversation.past),
        parts.box: "",
        **_controls(parts, conversation),
    }


def _answering(rag: Any, line: Line, parts: _Parts) -> Callable[..., AsyncIterator[Update]]:
    async def answer(conversation: Conversation, request: gr.Request) -> AsyncIterator[Update]:
        """Answer the last turn, if it still waits: nothing was accepted, or it was stopped in the line."""
        turn = conversation.last
        if turn is None or turn.stage != "waiting" or turn.ahead is not None or conversation.asking is not None:
            yield {parts.conversation: conversation}
            return
        turn.ahead = 0
        try:
            with line.enter(request.username or request.session_hash or "") as place:
                async for turn.ahead in place.wait():
                    if turn.stage != "waiting":
                        return
                    yield {parts.status: render_status(turn)}
                turn.ahead = 0
                if turn.stage == "waiting":
                    async with aclosing(_answered(rag, parts, conversation, turn)) as updates:
                        async for update in updates:
                            yield update
        except Refused as error:
            turn.fail(error)
            yield _ended(parts, conversation, turn)
        finally:  # also when the reader has closed the page: Gradio then closes this generator
            turn.stop()

    return answer


async def _answered(rag: Any, parts: _Parts, conversation: Conversation, turn: Turn) -> AsyncGenerator[Update]:
    asking = Asking(rag, turn.question, conversation.history())
    conversation.asking = asking
    try:
        async with aclosing(in_threads(_follow(asking, turn, parts, conversation))) as updates:
            async for update in updates:
                yield update
    finally:
        turn.stop()
        asking.stop()
        await let_go(asking)
        conversation.asking = None


def _follow(asking: Asking, turn: Turn, parts: _Parts, conversation: Conversation) -> Iterator[Update]:
    """Draw what comes until there is an answer, an error or a stop."""
    evidence = ""
    try:
        for batch in asking.batches():
            for event in batch:
                turn.take(event)
            update = {parts.live: render_turn(turn), parts.status: render_status(turn)}
            if (drawn := render_evidence(turn)) != evidence:
                evidence = update[parts.live_evidence] = drawn
            yield update
    except Exception as error:  # noqa: BLE001  # shown to the reader as a plain sentence; Asking has logged it
        turn.fail(error)
    turn.stop()
    yield _ended(parts, conversation, turn)


def _ended(parts: _Parts, conversation: Conversation, turn: Turn) -> Update:
    update = {**_drawn(parts, conversation), **_controls(parts, conversation)}
    if turn.stage == "failed":
        update[parts.box] = turn.question  # to be edited and asked again
    return update


def _stop(parts: _Parts, conversation: Conversation) -> Update:
    """Stop the running answer, or take a waiting question out of the queue; its text stays."""
    if conversation.asking is not None:
        conversation.asking.stop()
    if conversation.last is not None:
        conversation.last.stop()
    return {**_drawn(parts, conversation), **_controls(parts, conversation)}


def _clear(parts: _Parts, conversation: Conversation) -> Update:
    if conversation.running:
        return {parts.conversation: conversation}
    conversation.clear()
    return {
        **_drawn(parts, conversation),
        parts.welcome: gr.update(visible=True),
        parts.past: "",
        parts.past_evidence: "",
        parts.box: "",
        **_controls(parts, conversation),
    }


def _drawn(parts: _Parts, conversation: Conversation) -> Update:
    """The current turn, wherever it is shown."""
    turn = conversation.last
    return {
        parts.live: render_turn(turn) if turn else "",
        parts.live_evidence: render_evidence(turn),
        parts.status: render_status(turn),
    }


def _controls(parts: _Parts, conversation: Conversation) -> Update:
    running = conversation.running
    idle = not running and conversation.last is not None
    return {
        parts.ask: gr.update(visible=not running),
        parts.stop: gr.update(visible=running),
        parts.retry: gr.update(interactive=idle),
        parts.clear: gr.update(interactive=idle),
    }
