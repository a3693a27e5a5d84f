"""What `--auth` names on the command line: a file, or a function of a module."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest
from fake_rag import FakeRag

from rag.errors import SettingsError
from ui.__main__ import main
from ui.app import build, surroundings
from ui.serving.accounts import Accounts
from ui.serving.auth import auth_of, sign_in_by
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

GATE = """
import some_neighbour

LIMIT = 3
def knows(name, password):
    return password == f"{name} knows"
async def asks(name, password):
    return name == "ida"
def of_one(name):
    return True
def out_of_order(name, password):
    raise OSError("the directory server is gone")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder that the command runs in, with a module of somebody's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", ".")])
    (tmp_path / "doors_of_ours").mkdir()
    (tmp_path / "doors_of_ours" / "gate.py").write_text(GATE)
    (tmp_path / "some_neighbour.py").write_text("")
    (tmp_path / "broken_gate.py").write_text("raise RuntimeError('no directory server')")
    yield tmp_path
    for name in ("doors_of_ours.gate", "doors_of_ours", "some_neighbour", "broken_gate"):
        sys.modules.pop(name, None)


def test_a_function_of_the_folder_lets_in_whom_it_knows_at_page_and_api(here):
    rag, line = FakeRag(pace_s=0), Line()
    about = surroundings(rag, line, auth_of("doors_of_ours.gate:knows"))
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as page:
        login = {"username": "ida", "password": "ida knows"}
        assert httpx.post(f"{page.url}/login", data={**login, "password": "ida guesses"}).status_code == 400
        assert httpx.post(f"{page.url}/login", data=login).status_code == 200
        ask = {"url": f"{page.url}/api/ask", "json": {"question": "How fast?"}}
        assert httpx.post(**ask, auth=("ida", "ida guesses")).status_code == 401
        assert httpx.post(**ask, auth=("ida", "ida knows")).json()["status"] == "answered"


def test_a_coroutine_function_is_asked_too(here):
    sign_in = sign_in_by(auth_of("doors_of_ours.gate:asks"))
    assert asyncio.run(sign_in.password("ida", "x"))
    assert not asyncio.run(sign_in.password("omar", "x"))


def test_where_a_function_fails_nobody_comes_in_and_the_log_says_why(here, caplog):
    assert not asyncio.run(sign_in_by(auth_of("doors_of_ours.gate:out_of_order")).password("ida", "x"))
    assert "the directory server is gone" in caplog.text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nowhere.at_all:check", "The module 'nowhere.at_all' of --auth cannot be imported: ModuleNotFoundError"),
        ("broken_gate:check", "RuntimeError: no directory server"),
        ("doors_of_ours.gate:nobody", "The module 'doors_of_ours.gate' has no 'nobody' for --auth"),
        ("doors_of_ours.gate:LIMIT", "doors_of_ours.gate:LIMIT cannot be called with a name and a password"),
        ("doors_of_ours.gate:of_one", "cannot be called with a name and a password: too many positional arguments"),
        ("doors_of_ours.gate:", "names nobody"),
        ("no-such-file", "names nobody"),
    ],
)
def test_what_names_no_function_is_one_line_and_exit_code_2(here, value, said, capsys):
    assert main(["--auth", value]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_a_file_that_is_called_like_a_function_is_that_file(here):
    Accounts(here / "people:ours").add("ida", "correct horse")
    assert auth_of("people:ours").names() == ("ida",)
    with pytest.raises(SettingsError, match="names nobody"):
        auth_of("people:others/accounts")
    assert auth_of(None) is None
