"""A browser, and pages served to it from this process.

`serve(rag)` gives the address of a page over any Rag, real or fake; `visit(url)` opens it and `watch(page)` looks on:
the test fails if a page logged an error or asked for anything outside this machine.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.steps import BOX
from tests.fake_rag import FakeRag

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def real_rag():
    """The bundled library and the real model, opened once for all tests: that takes seconds."""
    from rag import Rag

    opened = Rag.open()
    opened.warm_up()
    yield opened
    opened.close()


@pytest.fixture
def lent(real_rag, monkeypatch):
    """Whoever opens the default Rag in this test gets the one that is open already, and does not close it."""
    from rag import Rag

    monkeypatch.setattr(Rag, "open", lambda *_arguments, **_options: real_rag)
    monkeypatch.setattr(real_rag, "close", lambda: None)
    return real_rag


@pytest.fixture(scope="session")
def browser():
    """Chromium of this system; skipped with the reason where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install -e .[test]")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"No Chromium on this machine (looked for {', '.join(BROWSERS)}): apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[object], str]]:
    """A function from a Rag (or from a function that makes a Blocks) to the address where its page is served."""
    from ui.app import build
    from ui.serving.listening import listen_on
    from ui.serving.server import Page

    with contextlib.ExitStack() as pages:

        def begin(source: object) -> str:
            make = (lambda: build(source)) if hasattr(source, "stream") else source
            return pages.enter_context(Page(make, listen_on("127.0.0.1", 0))).url

        yield begin


@pytest.fixture(scope="module")
def served(serve, tmp_path_factory):
    """A made-up library on a page, for the tests of one file: the Rag and the address. A file may have another one."""
    rag = FakeRag(data_folder=tmp_path_factory.mktemp("data"), pace_s=0.005)
    return rag, serve(rag)


@pytest.fixture(scope="session")
def context_of(browser):
    """One context for each look, so that Gradio's scripts come from its cache after the first page."""
    contexts = {}

    def context(width: int, height: int, scheme: str):
        look = (width, height, scheme)
        if look not in contexts:
            contexts[look] = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
            )
        return contexts[look]

    yield context
    for opened in contexts.values():
        opened.close()


@pytest.fixture
def watch():
    """Watches what a page does. `expected` fits the errors that the browser itself logs for what the test does.

    A page that is left while it loads breaks off its own requests, just before the browser asks for the next one, and
    Gradio logs that: such errors are nobody's.
    """
    errors, outside = [], []

    def watched(page, expected: str = "$^"):
        broken_off = {}  # error: when it was logged, in seconds

        def note(error: str) -> None:
            if re.search("AbortError|Connection errored out", error):
                broken_off[error] = time.monotonic()
            if not re.search(expected, error):
                errors.append(error)

        def leave(request) -> None:
            if not request.is_navigation_request() or request.frame != page.main_frame:
                return
            now = time.monotonic()
            left = [error for error, at in broken_off.items() if now - at < 1]
            errors[:] = [error for error in errors if error not in left]

        page.on("request", leave)
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: note(str(error)))
        page.on("request", lambda request: outside.append(request.url) if _is_outside(request.url) else None)
        return page

    yield watched
    assert errors == [], "the console had errors"
    assert outside == [], "the page asked for something outside this machine"


@pytest.fixture
def visit(context_of, watch):
    """Opens an address in a new tab (`width`, `height`, `scheme`) and watches it."""
    pages = []

    def open_page(
        url: str, width: int = 1280, height: int = 800, scheme: str = "light", script: str = "", expected: str = "$^"
    ):
        page = watch(context_of(width, height, scheme).new_page(), expected)
        if script:  # run before any of the page's own: a reload would break off what the page is loading
            page.add_init_script(script)
        pages.append(page)
        page.set_default_timeout(20_000)
        page.goto(url)
        # Gradio draws its own parts after the HTML between them.
        page.wait_for_selector(f"{BOX}, .fn-missing", state="attached")
        if scheme == "dark":
            page.wait_for_selector("body.dark", state="attached")
        return page

    yield open_page
    for page in pages:
        page.close()


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"
