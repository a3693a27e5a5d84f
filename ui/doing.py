"""What a reader does beside asking: open, rename, delete, export, judge an answer, look behind it, turn a knob.

The buttons for it are written as HTML, so `sheets.js` sends what was pressed through one component, the door, as a
small dictionary: `{"do": "rename", "id": …, "title": …}`. What comes is checked here like anything from outside: an
unknown action or a missing value does nothing, and the archive gives no one what is another's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from rag import FootnoteError
from rag.export import FORMATS, SUFFIX, export
from ui.conversations.archive import Archive
from ui.conversations.conversation import Conversation, Turn
from ui.conversations.knobs import Knobs, other_models, render_knobs
from ui.markup import text
from ui.parts import Parts, Update, drawn_whole, kept, owner_of, render_alert
from ui.turns import RUNNING_LINE, begun
from ui.views.history import render_entries
from ui.views.lens import render_claim_trace, render_trace
from ui.views.turn import OPINIONS, render_said

log = logging.getLogger(__name__)

DOOR_JS = """
window.footnote = {
  ask: (data) => trigger('submit', data),
  act: (data) => trigger('select', data),
};
"""
"""The two ways in: `ask` may begin an answer and takes its place in the queue, `act` is answered at once."""

DOWNLOAD_JS = """
watch('value', () => {
  const file = element.querySelector('[data-file]');
  if (!file) return;
  const url = URL.createObjectURL(new Blob([file.dataset.content], { type: file.dataset.type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: file.dataset.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
"""
_TYPES = {"markdown": "text/markdown", "json": "application/json", "bibtex": "text/plain", "ris": "text/plain"}


def asking_anew(parts: Parts, archive: Archive) -> Callable[[Conversation, gr.EventData, gr.Request], Update]:
    """Asks a past question in other words, or with its stand-alone form corrected, in the place of it and the rest."""

    def ask_anew(conversation: Conversation, event: gr.EventData, request: gr.Request) -> Update:
        if conversation.running:
            return {parts.conversation: conversation, parts.status: render_said(RUNNING_LINE)}
        data = _Data(event)
        question, restated = data.words("question"), data.words("restated")
        if not (question or restated) or conversation.ask_from(data.number("turn"), question, restated) is None:
            return {parts.conversation: conversation}
        return begun(parts, archive, conversation, request)

    return ask_anew


def doing(parts: Parts, archive: Archive, rag: Any) -> Callable[[Conversation, gr.EventData, gr.Request], Update]:
    """Does what a button asks for, at once."""
    desk = _Desk(parts, archive, rag)

    def do(conversation: Conversation, event: gr.EventData, request: gr.Request) -> Update:
        data = _Data(event)
        act = desk.acts().get(data.words("do"))
        if act is None:
            return {parts.conversation: conversation}
        try:
            # Whatever takes long: meanwhile another conversation may have been opened, and stays the open one.
            return act(conversation, data, owner_of(request)) or {parts.conversation: gr.skip()}
        except FootnoteError as error:
            return {parts.alert: render_alert(str(error))}

    return do


class _Data:
    """What a button sent; whatever is missing or of another kind reads as empty."""

    def __init__(self, event: gr.EventData) -> None:
        sent = event._data
        self._sent = sent if isinstance(sent, dict) else {}

    def words(self, name: str) -> str:
        value = self._sent.get(name)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        value = self._sent.get(name)
        return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdecimal() else -1

    def section(self, name: str) -> dict[str, Any]:
        value = self._sent.get(name)
        return value if isinstance(value, dict) else {}


class _Desk:
    """Every action by its name. Each gets the open conversation, what was sent, and whose it is."""

    def __init__(self, parts: Parts, archive: Archive, rag: Any) -> None:
        self._parts = parts
        self._archive = archive
        self._rag = rag
        self._places = 0

    def acts(self) -> dict[str, Callable[[Conversation, _Data, str], Update]]:
        """What can be done."""
        return {
            "list": self._list,
            "open": self._open,
            "rename": self._rename,
            "delete": self._delete,
            "undelete": self._undelete,
            "export": self._export,
            "opinion": self._opinion,
            "lens": self._lens,
            "version": self._version,
            "knobs": self._knobs,
        }

    def _list(self, conversation: Conversation, data: _Data, owner: str, *, deleted: str = "") -> Update:
        search = data.words("search")
        entries = self._archive.entries(owner, search)
        listed = render_entries(entries, open_id=conversation.id, search=search, deleted=deleted)
        return {self._parts.entries: listed}

    def _open(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        if conversation.running or conversation.asking is not None:  # what was stopped is still being checked
            return {self._parts.status: render_said(RUNNING_LINE)}
        found = self._archive.open(owner, data.words("id"))
        if found is None:
            gone = "That conversation is not here any more."
            return {**drawn_whole(self._parts, conversation), self._parts.status: render_said(gone)}
        return {**drawn_whole(self._parts, found), self._parts.knobs: self._drawn(found.knobs)}

    def _rename(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        self._archive.rename(owner, data.words("id"), data.words("title"))
        if data.words("id") == conversation.id and data.words("title"):
            conversation.title = data.words("title")
        return self._list(conversation, data, owner)

    def _delete(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        key = data.words("id")
        if key == conversation.id and conversation.running:
            return {self._parts.status: render_said(RUNNING_LINE)}
        self._archive.delete(owner, key)
        update: Update = {}
        if key == conversation.id:
            conversation.clear()
            update = drawn_whole(self._parts, conversation)
        return {**update, **self._list(conversation, data, owner, deleted=key)}

    def _undelete(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        self._archive.undelete(owner, data.words("id"))
        return self._list(conversation, data, owner)

    def _export(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        key, wanted = data.words("id"), data.words("format")
        kind = next((known for known in FORMATS if known == wanted), None)
        found = conversation if key == conversation.id else self._archive.open(owner, key)
        if kind is None or found is None:
            return {}
        if not found.findings:
            return {self._parts.status: render_said("No question of this conversation has an answer to export yet.")}
        name = "".join(char if char.isalnum() else "-" for char in found.title.lower()).strip("-")[:60] or "footnote"
        file = (
            f'<span data-file="{text(name)}{SUFFIX[kind]}" data-type="{_TYPES[kind]};charset=utf-8" '
            f'data-place="{self._place()}" data-content="{text(export(found.findings, kind))}"></span>'
        )
        return {self._parts.download: file}

    def _opinion(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        """Kept with the whole answer. Nothing is drawn anew: the buttons show it already, and focus stays."""
        turn = conversation.turn(data.number("turn"))
        opinion = data.words("opinion")
        if turn is None or turn.answer is None or (opinion and opinion not in OPINIONS):
            return {}
        turn.opinion = opinion
        update = kept(self._parts, self._archive, owner, conversation)
        self._archive.add_feedback(owner, conversation, turn, data.words("note"))
        said = "Noted, on this machine only." if opinion else "Taken back."
        return {**update, self._parts.status: render_said(said)}

    def _version(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        """What the conversation was from a turn on, before or after its question was asked anew."""
        if conversation.running or conversation.asking is not None:
            return {self._parts.status: render_said(RUNNING_LINE)}
        shown = conversation.go_to(data.number("turn"), data.number("version"))
        if shown is None:
            return {}
        said = f"Version {shown.version + 1} of {len(shown.versions) + 1} from here on."
        kept_now = kept(self._parts, self._archive, owner, conversation)
        return {**drawn_whole(self._parts, conversation), **kept_now, self._parts.status: render_said(said)}

    def _lens(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        """What the lens shows; never nothing and never the same, for it says "Computing…" until it changes."""
        turn = conversation.turn(data.number("turn"))
        shown = self._traced(conversation, turn) if turn else _hint("That answer is not here any more.")
        return {self._parts.lens: f'<div data-place="{self._place()}">{shown}</div>'}

    def _traced(self, conversation: Conversation, turn: Turn) -> str:
        if turn.answer is None and turn.balance is None:
            return _hint("There is no answer to look behind.")
        try:
            if turn.balance is not None:
                return render_claim_trace(self._rag.trace_claim(turn.balance))
            return render_trace(conversation.knobs.applied(self._rag).trace(turn.answer, conversation.history(turn)))
        except FootnoteError as error:
            return _hint(str(error))
        except Exception:  # the edge: a changed library can make an old answer untraceable
            log.exception("Tracing an answer failed")
            return _hint("This answer cannot be traced any more; the server’s log has the reason.")

    def _place(self) -> int:
        """Another number every time: a component that gets what it has already shows no change."""
        self._places += 1
        return self._places

    def _knobs(self, conversation: Conversation, data: _Data, owner: str) -> Update:
        conversation.knobs = Knobs.from_dict(data.section("knobs"))
        return {
            self._parts.knobs: self._drawn(conversation.knobs),
            self._parts.status: render_said("For the next questions of this conversation."),
            **kept(self._parts, self._archive, owner, conversation),
        }

    def _drawn(self, knobs: Knobs) -> str:
        return render_knobs(knobs, other_models(self._rag))


def _hint(line: str) -> str:
    return f'<p class="fn-hint">{text(line)}</p>'
