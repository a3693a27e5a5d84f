"""The top of every page: the name, the promise, and what is at work; and the page shown when something is missing."""

from __future__ import annotations

from typing import Any

from ui.markup import text

PROMISE = "Every sentence tied to the one it rests on."


def header(description: Any, reader: str = "") -> str:
    """Name and promise; with a `rag.description` also model, device and index, the reasons on demand.

    `reader` is the name of who is signed in, "" where nobody has to be.
    """
    about = "" if description is None else _about(description, reader)
    return (
        '<header class="fn-header"><div class="fn-brand"><h1>Footnote</h1>'
        f'<p class="fn-promise">{text(PROMISE)}</p></div>{about}{_THEME}</header>'
    )


_THEME = (
    '<label class="fn-theme" title="Light or dark"><span class="fn-heard">Theme</span>'
    '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.25"/><path d="M10 2.75a7.25 7.25 0 0 1 0 '
    '14.5z"/></svg><select data-theme-choice><option value="system">As the system</option>'
    '<option value="light">Light</option><option value="dark">Dark</option></select></label>'
)
"""`theme.js` keeps what is chosen."""


def missing(problem: str, remedy: str) -> str:
    """What is missing, and what to do about it."""
    return (
        '<main class="fn-missing"><h2>Footnote cannot start yet</h2>'
        f'<p class="fn-problem">{text(problem)}</p><div class="fn-remedy"><h3 class="fn-label">What to do</h3>'
        f"<p>{text(remedy)}</p></div><p>Then stop Footnote with Ctrl-C and start it again.</p></main>"
    )


def nothing_here(home: str) -> str:
    """What is said at an address where nothing is; `home` is where the page is."""
    return (
        '<main class="fn-missing"><h2>There is nothing at this address</h2>'
        f'<p><a href="{text(home)}">Go to Footnote</a></p></main>'
    )


def _about(description: Any, reader: str) -> str:
    facts = "".join(
        f"<div><dt>{label}</dt><dd>{text(value)}</dd></div>"
        for label, value in (
            ("Model", description.model),
            ("Runs on", f"{description.device}, {description.dtype}"),
            ("Checked by", getattr(description, "checker", "")),
            ("Why", description.reason),
            ("Library", description.index),
        )
        if value
    )
    if reader:
        leave = '<button type="button" class="fn-link" data-leave>Sign out</button>'
        facts += f"<div><dt>Signed in</dt><dd>{text(reader)} · {leave}</dd></div>"
    return (
        f'<details class="fn-about"><summary title="{text(description.reason)}">{text(description.line)}</summary>'
        f"<dl>{facts}</dl></details>"
    )
