"""The chat tab: ask box, conversation, evidence column and sheets, and which event calls what.

Handlers for asking are in `ui.turns`, for everything else in `ui.doing`; everything shown is written by `ui.views`;
what came of each question is kept in a `Conversation` in the reader's session, and on disk by
`ui.conversations.archive`.

The conversation is in two parts, older turns and the current one, so that streaming redraws only the current one
and leaves selection, focus and scroll position in older answers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from rag import Paper, counted
from ui.conversations.archive import ARCHIVE_FILE, Archive
from ui.conversations.conversation import Conversation
from ui.conversations.examples import example_questions
from ui.conversations.knobs import Knobs, other_models, render_knobs
from ui.doing import DOOR_JS, DOWNLOAD_JS, asking_anew, doing
from ui.markup import text
from ui.parts import Parts, html, render_alert, render_state
from ui.serving.line import Line
from ui.turns import ASK, PLACEHOLDERS, WEIGH, accepting, answering, clearing, retrying, stopping, switching
from ui.views.evidence import render_evidence
from ui.views.history import render_entries

PROMISE = "Answers from your library of paper abstracts, every sentence tied to the one it rests on."


def chat_view(rag: Any, line: Line) -> None:
    """Add the chat to the Blocks that is being built; its questions take their places in `line`."""
    folder: Path | None = getattr(rag.settings, "data_folder", None)
    archive = Archive(folder / ARCHIVE_FILE if folder is not None else None, is_start=True)
    with gr.Row(elem_id="fn-columns"):
        with gr.Column(elem_id="fn-chat"):
            with gr.Column(elem_id="fn-scroll"):
                # A function: at each load of the page the library as it is then, whatever was added since the start.
                welcome = html("fn-welcome", lambda: _welcome(rag.papers))
                past = html("fn-past")
                live = html("fn-live")
            with gr.Column(elem_id="fn-composer"):
                alert = html("fn-alert", render_alert(archive.notice))
                mode, box, ask, stop, status, retry, clear = _composer(can_weigh=hasattr(rag, "weighing"))
        with gr.Column(elem_id="fn-evidence"):
            gr.HTML(_DRAWER_HEAD, elem_id="fn-drawer-head", apply_default_css=False)
            past_evidence = html("fn-past-evidence")
            live_evidence = html("fn-live-evidence", render_evidence(None))
    gr.HTML('<div id="fn-shade"></div>', elem_id="fn-shade-holder", apply_default_css=False)
    with gr.Column(elem_id="fn-sheets"):
        sheets = _sheets(rag)
        state = html("fn-state", render_state(Conversation()))
        door = gr.HTML("", elem_id="fn-door", apply_default_css=False, js_on_load=DOOR_JS)
        download = gr.HTML("", elem_id="fn-download", apply_default_css=False, js_on_load=DOWNLOAD_JS)
    parts = Parts(
        conversation=gr.State(Conversation()),
        welcome=welcome,
        past=past,
        live=live,
        status=status,
        alert=alert,
        state=state,
        mode=mode,
        box=box,
        ask=ask,
        stop=stop,
        retry=retry,
        clear=clear,
        past_evidence=past_evidence,
        live_evidence=live_evidence,
        download=download,
        **sheets,
    )
    _connect(rag, line, archive, parts, door)


_DRAWER_HEAD = (
    '<div class="fn-drawer-bar"><span>Evidence</span>'
    '<button type="button" id="fn-close-drawer" class="fn-chip">Close</button></div>'
)


def _welcome(papers: Sequence[Paper]) -> str:
    """What stands where no question was asked yet, with questions to begin with."""
    examples = "".join(
        f'<button type="button" class="fn-example" data-ask="{text(question)}">{text(question)}</button>'
        for question in example_questions(papers)
    )
    if not papers:
        return (
            '<div class="fn-welcome"><h2>Ask your library</h2><p>There is nothing in it yet: add papers in the tab '
            'Library.</p></div><div id="fn-examples"></div>'
        )
    one = len(papers) == 1
    said = f"What the {counted(len(papers), 'paper')} {'does' if one else 'do'} not say, Footnote declines to say."
    return (
        f'<div class="fn-welcome"><h2>Ask your library</h2><p>{text(PROMISE)} {said}</p></div>'
        f'<div id="fn-examples">{examples}</div>'
    )


def _composer(*, can_weigh: bool) -> tuple[gr.Radio, gr.Textbox, gr.Button, gr.Button, gr.HTML, gr.Button, gr.Button]:
    mode = gr.Radio(
        [ASK, WEIGH], value=ASK, label="What is typed here", show_label=False, container=False, elem_id="fn-mode",
        visible=can_weigh,
    )  # fmt: skip
    with gr.Row(elem_id="fn-ask-row"):
        box = gr.Textbox(
            label="Your question",
            show_label=False,
            placeholder=PLACEHOLDERS["question"],
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
        status = html("fn-status")
        gr.HTML(
            '<p class="fn-keys"><kbd>Enter</kbd> asks · <kbd>Shift</kbd>+<kbd>Enter</kbd> new line</p>',
            elem_id="fn-keys",
            apply_default_css=False,
        )
        gr.HTML(_OPENERS, elem_id="fn-openers", apply_default_css=False)
        retry = gr.Button("Retry", size="sm", elem_id="fn-retry", scale=0, min_width=64, interactive=False)
        clear = gr.Button("New chat", size="sm", elem_id="fn-clear", scale=0, min_width=64, interactive=False)
    return mode, box, ask, stop, status, retry, clear


_OPENERS = (
    '<button type="button" class="fn-opener" data-sheet="fn-sheet-history" aria-haspopup="dialog">'
    "Conversations</button>"
    '<button type="button" class="fn-opener" data-sheet="fn-sheet-knobs" aria-haspopup="dialog">Settings</button>'
)
_SEARCH = (
    '<input type="search" id="fn-search" placeholder="Search questions and answers" autocomplete="off" '
    'aria-label="Search conversations">'
)


def _sheets(rag: Any) -> dict[str, gr.HTML]:
    """What opens over the page; `sheets.js` makes a dialog of each."""
    with gr.Column(elem_id="fn-sheet-history", elem_classes="fn-sheet"):
        gr.HTML(f"<h2>Conversations</h2>{_SEARCH}", apply_default_css=False)
        entries = html("fn-entries", render_entries([]))
    with gr.Column(elem_id="fn-sheet-knobs", elem_classes="fn-sheet"):
        gr.HTML("<h2>Settings of this conversation</h2>", apply_default_css=False)
        knobs = html("fn-knobs", render_knobs(Knobs(), other_models(rag)))
        about = rag.description
        gr.HTML(
            f'<p class="fn-hint">As usual: {text(about.model)}, {text(about.dtype)} on {text(about.device)}. '
            "Another usual one: <code>footnote chat --model NAME</code></p>",
            apply_default_css=False,
        )
    with gr.Column(elem_id="fn-sheet-lens", elem_classes="fn-sheet"):
        gr.HTML("<h2>How this came about</h2>", apply_default_css=False)
        lens = html("fn-lens")
    return {"entries": entries, "knobs": knobs, "lens": lens}


def _connect(rag: Any, line: Line, archive: Archive, parts: Parts, door: gr.HTML) -> None:
    """Tie controls to handlers. Most answer at once; `answering` takes its place in the line."""
    at_once: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
        "outputs": parts.all(),
    }
    begin = [
        trigger(
            accepting(parts, archive),
            inputs=[parts.conversation, parts.box, parts.mode],
            trigger_mode="multiple",
            **at_once,
        )
        for trigger in (parts.box.submit, parts.ask.click)
    ]
    begin.append(parts.retry.click(retrying(parts, archive), inputs=[parts.conversation], **at_once))
    begin.append(door.submit(asking_anew(parts, archive), inputs=[parts.conversation], **at_once))
    for begun in begin:
        begun.then(
            answering(parts, archive, rag, line),
            inputs=[parts.conversation],
            outputs=parts.all(),
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,  # the line lets one at a time to the model
            api_visibility="private",
        )
    parts.mode.input(switching(parts), inputs=[parts.mode], **at_once)
    parts.stop.click(stopping(parts, archive), inputs=[parts.conversation], **at_once)
    parts.clear.click(clearing(parts), inputs=[parts.conversation], **at_once)
    door.select(doing(parts, archive, rag), inputs=[parts.conversation], trigger_mode="multiple", **at_once)
