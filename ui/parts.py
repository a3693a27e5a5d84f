"""The components that events of the chat read and write, and the updates that more than one event makes.

An event handler gets the reader's `Conversation` and returns a dictionary with the components that change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag import FootnoteError
from ui.conversations.archive import GUEST, Archive
from ui.conversations.conversation import Conversation
from ui.markup import text
from ui.serving.hosts import is_local
from ui.views.evidence import render_evidence, render_past_evidence
from ui.views.header import header
from ui.views.turn import render_status, render_turn, render_turns

Update = dict[Any, Any]


@dataclass(frozen=True)
class Parts:
    """The components of the chat."""

    conversation: gr.State
    welcome: gr.HTML
    past: gr.HTML
    live: gr.HTML
    status: gr.HTML
    alert: gr.HTML
    """What is wrong beside the answer itself, such as a full disk; stays until it is well again."""
    state: gr.HTML
    """Which conversation is open, for `sheets.js`, which keeps it in the address."""
    mode: gr.Radio
    """Whether what is typed is asked or weighed."""
    box: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    retry: gr.Button
    clear: gr.Button
    past_evidence: gr.HTML
    live_evidence: gr.HTML
    entries: gr.HTML
    """The list of conversations."""
    lens: gr.HTML
    """How one answer came about."""
    knobs: gr.HTML
    """The settings of this conversation."""
    download: gr.HTML
    """A file on its way to the reader; see `DOWNLOAD_JS`."""

    def all(self) -> list[Any]:
        """Every component, as outputs of an event; a handler returns only those that change."""
        return list(vars(self).values())


def html(elem_id: str, value: str | Callable[[], str] = "") -> gr.HTML:
    """A place for safe HTML, without Gradio's looks. A function is asked at each load of the page."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, js_on_load=None)


def tab_door(elem_id: str, name: str, tab: str) -> gr.HTML:
    """The component through which a tab's script tells the server what was pressed: `window.<name>.act(data)`.

    It loads when its tab is first opened, and then asks for what the tab shows, as does every later click on the tab.
    The click that opened it may still be on its way to the document, so that it listens from the next task on.
    """
    return gr.HTML(
        "",
        elem_id=elem_id,
        apply_default_css=False,
        js_on_load=f"""
const act = (data) => trigger('select', data);
const show = () => act({{ do: 'show' }});
window.{name} = {{ act }};
show();
setTimeout(() => document.getElementById('fn-tab-{tab}-button').addEventListener('click', show));
""",
    )


def owner_of(request: gr.Request | None) -> str:
    """Whose conversations a reader sees: those of the name they signed in with; where nobody signs in, this machine's.

    Somebody without a name from another machine is a guest: what they ask is theirs until they close the page.
    """
    if request is None:
        return ""
    if request.username:
        return str(request.username)
    client = getattr(request.client, "host", "") or ""
    return "" if not client or is_local(client) else f"{GUEST}{request.session_hash}"


def is_guest(request: gr.Request | None) -> bool:
    """Whether somebody without a name asks from another machine: what is everybody's is not theirs to change."""
    return owner_of(request).startswith(GUEST)


def drawn(parts: Parts, conversation: Conversation) -> Update:
    """The current turn, wherever it is shown."""
    turn = conversation.last
    return {
        parts.live: render_turn(turn) if turn else "",
        parts.live_evidence: render_evidence(turn),
        parts.status: render_status(turn),
    }


def drawn_whole(parts: Parts, conversation: Conversation) -> Update:
    """Everything that shows the conversation: after a question was accepted, or another conversation opened."""
    return {
        **drawn(parts, conversation),
        parts.conversation: conversation,
        parts.welcome: gr.update(visible=conversation.last is None),
        parts.past: render_turns(conversation.past),
        parts.past_evidence: render_past_evidence(conversation.past),
        parts.state: render_state(conversation),
        **controls(parts, conversation),
    }


def controls(parts: Parts, conversation: Conversation) -> Update:
    """Which buttons can be used now."""
    running = conversation.running
    idle = not running and conversation.last is not None
    return {
        parts.ask: gr.update(visible=not running),
        parts.stop: gr.update(visible=running),
        parts.retry: gr.update(interactive=idle),
        parts.clear: gr.update(interactive=idle),
    }


def kept(parts: Parts, archive: Archive, owner: str, conversation: Conversation) -> Update:
    """Keep the conversation; what goes wrong is a line on the page, and never in the way of an answer."""
    try:
        archive.save(owner, conversation)
    except FootnoteError as error:
        return {parts.alert: render_alert(str(error))}
    return {parts.alert: render_alert(archive.notice), parts.state: render_state(conversation)}


def render_alert(line: str) -> str:
    """A line about something beside the answer; empty for an empty line."""
    return f'<p class="fn-alert" role="alert">{text(line)}</p>' if line else ""


def render_state(conversation: Conversation) -> str:
    """Which conversation is open, for `sheets.js`."""
    return f'<span data-conversation="{text(conversation.id)}"></span>'


def greeting(rag: Any) -> Callable[[gr.Request | None], str]:
    """Makes the top of the page at each load: the library as it is then, and who is signed in."""

    def greet(request: gr.Request | None = None) -> str:
        return header(rag.description, (request.username if request else None) or "")

    return greet
