"""The list of conversations as safe HTML. Pure; what a button does is in `ui.doing`, by way of `sheets.js`."""

from __future__ import annotations

from collections.abc import Sequence

from rag import counted
from ui.conversations.archive import MOST_LISTED, Entry
from ui.markup import moment, text

EXPORTS = {"markdown": "Markdown", "json": "JSON", "bibtex": "BibTeX", "ris": "RIS"}


def render_entries(entries: Sequence[Entry], *, open_id: str = "", search: str = "", deleted: str = "") -> str:
    """The conversations, last changed first, with what can be done with each.

    Args:
        entries: what to list.
        open_id: the one on the page now.
        search: what was searched for, to say so where nothing fits.
        deleted: id of one that was just deleted and can be brought back.
    """
    undo = (
        '<p class="fn-undo fn-say">Deleted. '
        f'<button type="button" class="fn-link" data-do="undelete" data-id="{text(deleted)}">Undo</button></p>'
        if deleted
        else ""
    )
    if not entries:
        empty = f"No conversation holds “{text(search)}”." if search.strip() else "Nothing was asked yet."
        return f'{undo}<p class="fn-hint">{empty}</p>'
    listed = "".join(_entry(entry, entry.id == open_id) for entry in entries)
    older = f'<p class="fn-hint">The last {MOST_LISTED} are listed; search finds older ones.</p>'
    return f'{undo}<ul class="fn-entries">{listed}</ul>{older if len(entries) >= MOST_LISTED else ""}'


def _entry(entry: Entry, is_open: bool) -> str:  # noqa: FBT001  # private, and called once
    key, title = text(entry.id), text(entry.title)
    current = ' aria-current="true"' if is_open else ""
    exports = "".join(
        f'<button type="button" data-do="export" data-id="{key}" data-format="{kind}" '
        f'aria-label="Export as {label}: {title}">{label}</button>'
        for kind, label in EXPORTS.items()
    )
    return (
        f'<li class="fn-entry"{current}><button type="button" class="fn-entry-title" data-do="open" data-id="{key}" '
        f'dir="auto">{title}</button><p class="fn-facts">{counted(entry.questions, "question")} · '
        f'{moment(entry.changed)}{" · open now" if is_open else ""}</p><p class="fn-entry-tools">'
        f'<button type="button" data-rename="{key}" aria-label="Rename: {title}">Rename</button>'
        f'<button type="button" data-do="delete" data-id="{key}" aria-label="Delete: {title}">Delete</button>'
        f'<span class="fn-exports">Export: {exports}</span></p></li>'
    )
