"""`footnote mcp`: serves the tools of `ui.doors.tools`.

Over standard input and output, as desktop programs start it, or with `--port` over HTTP, where `--auth` lets in only
those whom the page and the API let in, by the same tokens and passwords. The library and the model are opened while the
client introduces itself; the first call waits for them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag import Rag
from rag.cli import add_common_options, run_safely, settings_from, tell
from rag.errors import MissingExtra, SettingsError
from ui.asking import stop_all
from ui.serving.auth import add_auth_option, auth_of, sign_in_by
from ui.serving.listening import THIS_MACHINE, listen_on

if TYPE_CHECKING:
    from ui.serving.accounts import Accounts
    from ui.serving.signin import Check

ENDING_S = 5
"""How long open requests may take once the server is asked to end."""


@dataclass(frozen=True)
class Http:
    """Where the tools are served over HTTP, and who may come in: everybody without `auth`."""

    port: int
    host: str = THIS_MACHINE[0]
    auth: Check | Accounts | None = None


def serve(open_rag: Callable[[], Any], http: Http | None = None) -> None:
    """Serve until the client hangs up, or with `http` until Ctrl-C.

    Raises:
        MissingExtra: the MCP SDK is not installed.
        SettingsError: the port is in use, or the host is not an address of this machine.
    """
    try:
        from ui.doors.tools import Tools, server
    except ModuleNotFoundError as error:
        problem = "The Model Context Protocol's SDK is not installed."
        raise MissingExtra(problem, "pip install '.[mcp]'.") from error
    with ThreadPoolExecutor(max_workers=1) as pool:
        made = server(Tools(pool.submit(open_rag)))
        try:
            if http is None:
                made.run()
            else:
                _serve_http(made, http)
        finally:
            stop_all()


def _serve_http(made: Any, http: Http) -> None:
    import uvicorn

    from ui.doors.gate import Gate

    app = made.streamable_http_app(stateless_http=True, host=http.host)
    if http.auth is not None:
        app = Gate(app, sign_in_by(http.auth))
    with listen_on(http.host, http.port) as bound:
        host = f"[{http.host}]" if ":" in http.host else http.host
        tell(f"Footnote's tools are at http://{host}:{bound.getsockname()[1]}/mcp")
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=ENDING_S)
        uvicorn.Server(config).run(sockets=[bound])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="footnote mcp", description="Serve search, ask and verify as MCP tools.")
    parser.add_argument("--port", type=int, metavar="N", help="over HTTP on this machine (default: over stdio)")
    parser.add_argument("--host", default=THIS_MACHINE[0], help="address to listen on; another machine's needs --auth")
    add_auth_option(parser, "over HTTP let in only those")
    add_common_options(parser)
    return run_safely(lambda: _run(parser.parse_args(arguments)))


def _run(options: argparse.Namespace) -> int:
    settings = settings_from(options)
    http = _http(options)

    def open_rag() -> Rag:
        rag = Rag.open(settings, report=tell, with_model=True)
        rag.warm_up()
        return rag

    serve(open_rag, http)
    return 0


def _http(options: argparse.Namespace) -> Http | None:
    """What the command line says of HTTP; None where it is to be standard input and output.

    Raises:
        SettingsError: `--auth` or `--host` without `--port`, others could ask without sign-in, or the file is no good.
    """
    if options.port is None:
        if options.auth is not None or options.host != THIS_MACHINE[0]:
            raise SettingsError("--auth and --host are for HTTP.", "Give --port N too.")
        return None
    if options.auth is None and options.host not in THIS_MACHINE:
        raise SettingsError(f"Everybody who reaches {options.host} could ask.", "Give --auth, or leave --host out.")
    return Http(options.port, options.host, auth_of(options.auth))


if __name__ == "__main__":
    sys.exit(main())
