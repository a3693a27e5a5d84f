"""`footnote chat`: opens the library and the model, then serves the page and the API, or talks in the terminal."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from rag import FootnoteError, Rag, Settings
from rag.cli import add_common_options, run_safely, settings_from, tell
from rag.errors import SettingsError
from ui.app import error_page, failed_surroundings, launch, serve
from ui.serving.auth import add_auth_option, auth_of
from ui.serving.listening import THIS_MACHINE


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="footnote chat", description="Open the chat page and the API, or chat in the terminal."
    )
    parser.add_argument("--terminal", action="store_true", help="chat here, not on a page")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--open", action="store_true", help="open a browser")
    add_auth_option(parser, "let in only those")
    parser.add_argument(
        "--root-path", type=_path, default="", metavar="PATH", help="where a proxy shows the page, e.g. /footnote"
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="questions a minute and person, 0 for no limit (default: 30 where others can ask)",
    )
    add_common_options(parser)
    return run_safely(lambda: _chat(parser.parse_args(arguments)))


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of questions a minute")
    return value


def _path(text: str) -> str:
    if text and not text.startswith(("/", "http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} has to begin with / or be a whole address")
    return text.rstrip("/")


def _chat(options: argparse.Namespace) -> int:
    settings = settings_from(options)  # a wrong setting ends the command: there is nothing to show a page about
    if options.terminal:
        return _talk(settings)
    auth = auth_of(options.auth)
    if auth is None and options.host not in THIS_MACHINE:
        tell(f"Everybody who reaches {options.host}, port {options.port}, may ask; --auth lets in only those you name.")
    elif auth is None and options.root_path:
        tell("Everybody who reaches the proxy may ask, as a guest; --auth lets in only those you name.")
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
        about = failed_surroundings(problem, remedy)
        serve(lambda: error_page(problem, remedy), options.host, options.port, open_browser=options.open, about=about)
        return 2
    launch(
        rag,
        options.host,
        options.port,
        open_browser=options.open,
        auth=auth,
        root_path=options.root_path,
        questions_a_minute=options.rate,
    )
    return 0


def _talk(settings: Settings) -> int:
    from ui.asking import stop_all
    from ui.doors.terminal import Terminal
    from ui.doors.typed import FILE, Typed

    kept = settings.data_folder / FILE if settings.terminal_history else None
    rag = Rag.open(settings, report=tell, with_model=True)
    rag.warm_up()
    try:
        return Terminal(rag, typed=Typed(kept)).run()
    finally:
        stop_all()
        rag.close()


if __name__ == "__main__":
    sys.exit(main())
