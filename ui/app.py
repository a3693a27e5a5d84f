"""The three doors of the page: `build` it, `launch` it, or show `error_page` in its place.

    from ui.app import launch
    launch(rag)

Cheap to import: Gradio takes seconds to load, so that happens when a page is built. Knows nothing of how a question
is answered; `rag` is anything with `stream`, `papers` and `description`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ui.serving.listening import THIS_MACHINE

if TYPE_CHECKING:
    import gradio as gr

    from ui.serving.accounts import Accounts
    from ui.serving.line import Line
    from ui.serving.server import Surroundings
    from ui.serving.signin import Check

OTHERS_A_MINUTE = 30
"""Questions a minute and person where others than this machine's owner can ask."""

# Gradio reads these when it is first imported and when a page is built. Set whatever they were before: no telemetry is
# a promise, not a default. The second one keeps Gradio from running statistics over all past events after each event.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"


def build(rag: Any, line: Line | None = None) -> gr.Blocks:
    """The chat page over `rag`. Serve it with `serve`: since Gradio 6 a Blocks does not carry its own looks.

    Questions take their places in `line`, so that other doors can share it.
    """
    import gradio as gr

    from ui.doors.client import named_endpoint
    from ui.parts import greeting
    from ui.serving.line import Line
    from ui.tabs import tabbed

    line = line or Line()

    # Uploaded files are read once: they go after an hour, and when Footnote ends.
    page = gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600))
    with page, gr.Column(elem_id="fn-shell"):
        gr.HTML(greeting(rag), elem_id="fn-header", apply_default_css=False)
        named_endpoint(rag, line)  # first: later ones of its name are numbered
        tabbed(rag, line)
    return page


def error_page(problem: str, remedy: str) -> gr.Blocks:
    """A page that says what is missing and what to do about it, to serve when no `rag` could be opened."""
    import gradio as gr

    from ui.views.header import header, missing

    page = gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True)
    with page, gr.Column(elem_id="fn-shell"):
        gr.HTML(header(None), elem_id="fn-header", apply_default_css=False)
        gr.HTML(missing(problem, remedy), elem_id="fn-missing", apply_default_css=False)
    return page


def launch(
    rag: Any,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    open_browser: bool = False,
    auth: Check | Accounts | None = None,
    root_path: str = "",
    questions_a_minute: float | None = None,
) -> None:
    """Serve the chat page and the API until Ctrl-C, saying where they are once they answer.

    Args:
        rag: what answers.
        host: address to listen on.
        port: 0 takes any free one.
        open_browser: open one on this machine.
        auth: who may sign in: Accounts, or a function from name and password to a bool; None lets everybody in.
        root_path: where a proxy shows the page, such as `/footnote`.
        questions_a_minute: what one person may ask; 0 sets no limit. By default none where only this machine can
            reach the page, without a proxy, else OTHERS_A_MINUTE.

    Raises:
        SettingsError: the port is in use, or `host` is not an address of this machine.
    """
    from ui.serving.line import Line

    is_private = host in THIS_MACHINE and auth is None and not root_path
    if questions_a_minute is None:
        questions_a_minute = 0 if is_private else OTHERS_A_MINUTE
    line = Line(questions_a_minute=questions_a_minute)
    about = replace(surroundings(rag, line, auth, root_path), is_private=is_private)
    serve(lambda: build(rag, line), host, port, open_browser=open_browser, about=about)


def surroundings(rag: Any, line: Line, auth: Check | Accounts | None = None, root_path: str = "") -> Surroundings:
    """What is served beside a page over `rag` whose questions go through `line`: the API, and who may come in."""
    from ui.doors.api import Engine, add_api
    from ui.doors.completions import completion_routes
    from ui.serving.auth import sign_in_by
    from ui.serving.server import Surroundings

    sign_in = None if auth is None else sign_in_by(auth)
    engine = Engine(rag, line, sign_in)
    return Surroundings(line, lambda app: add_api(app, engine, completion_routes), sign_in, root_path)


def failed_surroundings(problem: str, remedy: str) -> Surroundings:
    """What is served beside an `error_page`: a `/health` that says the same."""
    from ui.doors.api import add_failed_health
    from ui.serving.server import Surroundings

    return Surroundings(add_routes=lambda app: add_failed_health(app, problem, remedy))


def serve(
    page: Any,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    open_browser: bool = False,
    about: Surroundings | None = None,
) -> None:
    """Serve a page, or what a function makes (better: it is called once the port is ours), until Ctrl-C.

    Raises:
        SettingsError: the port is in use, or `host` is not an address of this machine.
    """
    import gradio as gr

    from ui.serving.listening import listen_on
    from ui.serving.server import Page

    bound = listen_on(host, port)
    make = (lambda: page) if isinstance(page, gr.Blocks) else page  # a Blocks can be called too
    Page(make, bound, open_browser=open_browser, about=about).run()
