"""Who may ask a page that is for this machine alone, and how often a name may be guessed at."""

from unittest.mock import patch

import anyio
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from tests.fake_rag import FakeRag
from ui import app as ui_app
from ui.app import OTHERS_A_MINUTE, build, surroundings
from ui.serving.hosts import SOMEBODY, BehindProxy, ThisMachine, is_local
from ui.serving.line import Line
from ui.serving.server import application
from ui.serving.signin import LONGEST_NAME, MOST_WRONG, SignIn


@pytest.fixture(scope="module")
def page():
    app = FastAPI()
    app.add_middleware(ThisMachine)
    app.get("/")(lambda: "here")
    return TestClient(app)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:7860", "LOCALHOST:7860"])
def test_this_machine_is_asked_by_its_own_names(page, host):
    assert page.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "[::", "localhost.evil"]
)
def test_another_name_that_leads_here_is_refused_with_what_to_do(page, host):
    refused = page.get("/", headers={"Host": host})
    assert refused.status_code == 421
    assert "--root-path" in refused.text


def who(request: Request):
    return request.client.host


def test_who_comes_by_a_proxy_that_names_nobody_is_no_reader_at_this_machine():
    app = FastAPI()
    app.get("/who")(who)
    app.add_middleware(BehindProxy)
    assert TestClient(app, client=("127.0.0.1", 4)).get("/who").json() == SOMEBODY
    assert TestClient(app, client=("203.0.113.5", 4)).get("/who").json() == "203.0.113.5"


@pytest.mark.parametrize(
    ("root_path", "auth", "is_behind"), [("/x", None, True), ("", None, False), ("/x", len, False)]
)
def test_a_page_that_a_proxy_shows_to_everybody_takes_nobody_for_its_owner(tmp_path, root_path, auth, is_behind):
    rag, line = FakeRag(data_folder=tmp_path), Line()
    about = surroundings(rag, line, auth, root_path)
    app = FastAPI()

    async def make():  # in a loop, or Gradio leaves some open
        application(build(rag, line), about)

    with patch("ui.serving.server.FastAPI", return_value=app):
        anyio.run(make)
    assert (BehindProxy in {middleware.cls for middleware in app.user_middleware}) is is_behind


@pytest.mark.parametrize(("root_path", "a_minute"), [("", 0), ("/footnote", OTHERS_A_MINUTE)])
def test_who_comes_by_a_proxy_may_ask_so_often(tmp_path, monkeypatch, root_path, a_minute):
    served = []
    monkeypatch.setattr(ui_app, "serve", lambda *_page, about, **_how: served.append(about))
    ui_app.launch(FakeRag(data_folder=tmp_path), root_path=root_path)
    [about] = served
    assert about.line._every_s == (60 / a_minute if a_minute else 0)
    assert about.is_private is not bool(root_path)


def test_guesses_that_are_sent_at_once_are_counted_as_well():
    checked = []

    def check(_name, password):
        checked.append(password)
        return False

    sign_in = SignIn(check)

    async def guess():
        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(sign_in.password, "ida", f"guess {number}")

    anyio.run(guess)
    assert len(checked) == MOST_WRONG
    assert not anyio.run(sign_in.password, "x" * (LONGEST_NAME + 1), "y")
    assert len(checked) == MOST_WRONG


@pytest.mark.parametrize("client", ["testclient", "localhost", "", "127.0.0.5", "::1", "::ffff:127.0.0.1", "me; you"])
def test_what_a_proxy_passes_on_that_is_no_address_of_another_machine_is_somebody(client):
    app = FastAPI()
    app.get("/who")(who)
    app.add_middleware(BehindProxy)
    assert TestClient(app, client=(client, 4)).get("/who").json() == SOMEBODY


@pytest.mark.parametrize(
    ("client", "is_here"),
    [("127.0.0.1", True), ("::ffff:127.0.0.1", True), ("::1", True), ("203.0.113.5", False), ("testclient", False)],
)
def test_this_machine_is_known_by_its_addresses(client, is_here):
    assert is_local(client) is is_here
