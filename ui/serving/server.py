"""Serves a page on this machine: one socket, one ASGI application, a clean end.

Gradio's own `launch` picks another port when one is taken, asks itself over HTTP through whatever proxy is set, and
prints banners; so the page is mounted in an application of ours and run by uvicorn directly. Knows nothing of what
the page shows.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.routing import Mount

from ui.asking import stop_all
from ui.serving.frame import frame_pages, not_found
from ui.serving.hosts import BehindProxy, ThisMachine
from ui.serving.line import Line
from ui.serving.sessions import remember_little
from ui.serving.signin import SignIn
from ui.theme import look, sign_in_message

SHUTDOWN_S = 5
FINISHING_S = 20.0
"""How long answers that are being written may take to end once the server is asked to."""
LARGEST_UPLOAD = 64_000_000
"""Bytes of one uploaded file."""
LARGEST_REQUEST = 80_000_000
STARTUP_S = 30.0


@dataclass(frozen=True)
class Surroundings:
    """What is about a page: the line before the model, other routes, who may come in, and where a proxy shows it."""

    line: Line = field(default_factory=Line)
    add_routes: Callable[[FastAPI], None] = lambda _app: None
    sign_in: SignIn | None = None
    root_path: str = ""
    finishing_s: float = FINISHING_S
    is_private: bool = False
    """Only asked by this machine's own names (`ThisMachine`)."""


def application(blocks: gr.Blocks, about: Surroundings) -> FastAPI:
    """The page as an ASGI application: nothing shared, nothing recorded, no API pages, no errors in the browser."""
    blocks.queue()
    frame_pages()
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=LARGEST_REQUEST)
    if about.is_private:
        outer.add_middleware(ThisMachine)
    if about.root_path and about.sign_in is None:
        outer.add_middleware(BehindProxy)
    about.add_routes(outer)
    mounted: FastAPI = gr.mount_gradio_app(
        outer,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,  # would keep questions and answers in the browser's storage
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        max_file_size=LARGEST_UPLOAD,
        root_path=about.root_path or None,
        auth=None if about.sign_in is None else about.sign_in.password,
        auth_message=None if about.sign_in is None else sign_in_message(),
        **look(),
    )
    page = mounted_page(mounted)
    page.add_exception_handler(404, not_found(f"{about.root_path}/"))
    remember_little(page, blocks)
    return mounted


def mounted_page(outer: FastAPI) -> Any:
    """Gradio's application within ours. Not `blocks.app`: that one was made with the Blocks and never used (6.31.0)."""
    return next(route.app for route in outer.routes if isinstance(route, Mount))


class Page:
    """A page being served. Run it in this thread with `run`, or beside it as a context manager (for tests).

    The page is made inside the event loop that serves it: wherever no loop runs, Gradio 6.31.0 makes one for each of
    its locks and leaves it open.
    """

    def __init__(
        self,
        make: Callable[[], gr.Blocks],
        bound: socket.socket,
        *,
        open_browser: bool = False,
        about: Surroundings | None = None,
    ) -> None:
        self._about = about or Surroundings()
        self._make = make
        self._bound = bound
        self._open_browser = open_browser
        self._announce = False
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._answering = threading.Event()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where the page is: `http://127.0.0.1:7860`."""
        host, port = self._bound.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self) -> None:
        """Serve until interrupted; says where the page is once it answers."""
        self._announce = True
        try:
            asyncio.run(self._serve())
        except KeyboardInterrupt:  # uvicorn has shut down in order and passes the signal on
            pass
        finally:
            self._bound.close()

    def ask_to_end(self) -> None:
        """Begin to shut down, as a signal does; returns at once."""
        if self._server is not None:
            self._server.should_exit = True

    def up(self) -> None:
        """Called by the server when it answers."""
        self._answering.set()
        if self._announce:
            sys.stdout.write(f"Footnote is at {self.url}\n")
            sys.stdout.flush()
        if self._open_browser:
            webbrowser.open(self.url)

    async def _serve(self) -> None:
        blocks = self._make()
        outer = application(blocks, self._about)
        config = uvicorn.Config(outer, log_level="warning", ws="none", timeout_graceful_shutdown=SHUTDOWN_S)
        self._server = _Server(config, outer, self._about, self.up)
        try:
            await self._server.serve(sockets=[self._bound])
        finally:  # a model that still computes in a thread while Python ends would abort the process
            stop_all(SHUTDOWN_S)

    def _serve_beside(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the thread that waits
            self._failure = error
            self._answering.set()
            raise

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve_beside, name="footnote-page", daemon=True)
        self._thread.start()
        if not self._answering.wait(STARTUP_S) or self._failure is not None:
            raise RuntimeError(f"The page did not come up within {STARTUP_S} s.") from self._failure
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ask_to_end()
        if self._thread is not None:
            self._thread.join(SHUTDOWN_S + self._about.finishing_s + 5)
        self._bound.close()


class _Server(uvicorn.Server):
    """Says when it answers. Asked to end, it takes no more questions, lets the running ones finish, and then lets go
    of the streams that browsers hold open.
    """

    def __init__(self, config: uvicorn.Config, outer: FastAPI, about: Surroundings, up: Callable[[], None]) -> None:
        super().__init__(config)
        self._page = mounted_page(outer)
        self._about = about
        self._up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        line = self._about.line
        line.close()
        until = time.monotonic() + self._about.finishing_s
        while line.running + line.waiting and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)  # what came last is still on its way to the browsers
        self._page.stop_event.set()
        await super().shutdown(sockets=sockets)
