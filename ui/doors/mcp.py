"""`footnote mcp`: serves the tools of `ui.doors.tools`.

Over standard input and output, as desktop programs start it, or with `--port` over HTTP for this machine alone. The
library and the model are opened while the client introduces itself; the first call waits for them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rag import Rag
from rag.cli import add_common_options, run_safely, settings_from, tell
from rag.errors import MissingExtra
from ui.asking import stop_all


def serve(open_rag: Callable[[], Any], port: int | None = None) -> None:
    """Serve until the client hangs up, or with `port` until Ctrl-C.

    Raises:
        MissingExtra: the MCP SDK is not installed.
    """
    try:
        from ui.doors.tools import Tools, server
    except ModuleNotFoundError as error:
        problem = "The Model Context Protocol's SDK is not installed."
        raise MissingExtra(problem, "pip install 'footnote-rag[mcp]'.") from error
    with ThreadPoolExecutor(max_workers=1) as pool:
        made = server(Tools(pool.submit(open_rag)))
        try:
            if port is None:
                made.run()
            else:
                tell(f"Footnote's tools are at http://127.0.0.1:{port}/mcp")
                made.run("streamable-http", port=port, stateless_http=True)
        finally:
            stop_all()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="footnote mcp", description="Serve search, ask and verify as MCP tools.")
    parser.add_argument("--port", type=int, metavar="N", help="over HTTP on this machine (default: over stdio)")
    add_common_options(parser)
    return run_safely(lambda: _run(parser.parse_args(arguments)))


def _run(options: argparse.Namespace) -> int:
    settings = settings_from(options)

    def open_rag() -> Rag:
        rag = Rag.open(settings, report=tell, with_model=True)
        rag.warm_up()
        return rag

    serve(open_rag, options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
