"""`footnote chat`: opens the library and the model, then serves the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from rag import FootnoteError, Rag
from rag.cli import add_common_options, run_safely, settings_from, tell
from rag.errors import SettingsError
from ui.app import error_page, launch, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C and return the exit code."""
    parser = argparse.ArgumentParser(prog="footnote chat", description="Open the chat page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--open", action="store_true", help="open a browser")
    add_common_options(parser)
    return run_safely(lambda: _chat(parser.parse_args(arguments)))


def _chat(options: argparse.Namespace) -> int:
    settings = settings_from(options)  # a wrong setting ends the command: there is nothing to show a page about
    try:
        rag = Rag.open(settings, report=tell, with_model=True)
        # Loading the model leaves the interpreter free for seconds, in which Gradio can be imported.
        with ThreadPoolExecutor(max_workers=1) as pool:
            warming = pool.submit(rag.warm_up)
            import_module("gradio")
            warming.result()
    except SettingsError:
        raise
    except FootnoteError as error:
        tell(f"footnote: {error}")
        problem, remedy = error.problem, error.remedy
        serve(lambda: error_page(problem, remedy), options.host, options.port, open_browser=options.open)
        return 2
    launch(rag, options.host, options.port, open_browser=options.open)
    return 0


if __name__ == "__main__":
    sys.exit(main())
