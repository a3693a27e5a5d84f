"""The three doors of the page: `build` it, `launch` it, or show `error_page` in its place.

    from ui.app import launch
    launch(rag)

Cheap to import: Gradio takes seconds to load, so that happens when a page is built. Knows nothing of how a question
is answered; `rag` is anything with `stream`, `papers` and `description`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

# Gradio reads these when it is first imported and when a page is built. Set whatever they were before: no telemetry is
# a promise, not a default. The second one keeps Gradio from running statistics over all past events after each event.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"


def build(rag: Any) -> gr.Blocks:
    """The chat page over `rag`. Serve it with `serve`: since Gradio 6 a Blocks does not carry its own looks."""
    import gradio as gr

    from ui.header import header
    from ui.tabs import tabbed

    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as page, gr.Column(elem_id="fn-shell"):
        gr.HTML(lambda: header(rag.description), elem_id="fn-header", apply_default_css=False)
        tabbed(rag)
    return page


def error_page(problem: str, remedy: str) -> gr.Blocks:
    """A page that says what is missing and what to do about it, to serve when no `rag` could be opened."""
    import gradio as gr

    from ui.header import header, missing

    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as page, gr.Column(elem_id="fn-shell"):
        gr.HTML(header(None), elem_id="fn-header", apply_default_css=False)
        gr.HTML(missing(problem, remedy), elem_id="fn-missing", apply_default_css=False)
    return page


def launch(rag: Any, host: str = "127.0.0.1", port: int = 7860, *, open_browser: bool = False) -> None:
    """Serve the chat page until Ctrl-C, saying where it is once it answers.

    Raises:
        SettingsError: the port is in use, or `host` is not an address of this machine.
    """
    serve(lambda: build(rag), host, port, open_browser=open_browser)


def serve(page: Any, host: str = "127.0.0.1", port: int = 7860, *, open_browser: bool = False) -> None:
    """Serve a page, or what a function makes (better: it is called once the port is ours), until Ctrl-C.

    Raises:
        SettingsError: the port is in use, or `host` is not an address of this machine.
    """
    import gradio as gr

    from ui.server import Page, listen_on

    bound = listen_on(host, port)
    make = (lambda: page) if isinstance(page, gr.Blocks) else page  # a Blocks can be called too
    Page(make, bound, open_browser=open_browser).run()
