"""Accounts in a file, the sign-in over them, and `footnote auth`."""

from __future__ import annotations

import base64
import io
import stat

import pytest

from rag.errors import SettingsError
from ui.serving.accounts import Accounts, main
from ui.serving.signin import MOST_WRONG, SignIn


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "accounts"


def test_a_password_fits_its_name_alone_and_is_not_in_the_file(file):
    Accounts(file).add("ida", "correct horse")
    accounts = Accounts.read(file)
    assert accounts.names() == ("ida",)
    assert accounts.check("ida", "correct horse")
    assert not accounts.check("ida", "correct horsf")
    assert not accounts.check("omar", "correct horse")
    assert "horse" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_same_password_is_hashed_differently_each_time(file):
    accounts = Accounts(file)
    accounts.add("ida", "correct horse")
    accounts.add("omar", "correct horse")
    keys = {line.rpartition("$")[2] for line in file.read_text().splitlines()}
    assert len(keys) == 2


def test_a_change_of_the_file_holds_at_once(file):
    accounts = Accounts(file)
    accounts.add("ida", "correct horse")
    token = accounts.new_token("ida")
    running = Accounts.read(file)
    assert running.by_token(token) == "ida"
    assert running.by_token(token + "x") is None
    accounts.remove("ida")
    assert not running.check("ida", "correct horse")
    assert running.by_token(token) is None
    assert token not in file.read_text()


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "x" * 65, "a b"])
def test_an_odd_name_is_refused(file, name):
    with pytest.raises(SettingsError, match="cannot be a name"):
        Accounts(file).add(name, "correct horse")


@pytest.mark.parametrize("text", ["ida:secret\n", "ida\n", "ida:scrypt$1$2$3$zz$00\n", "\x00\n"])
def test_a_file_that_is_no_account_file_is_refused_with_the_line(file, text):
    file.parent.mkdir()
    file.write_text("# people\n" + text)
    with pytest.raises(SettingsError, match="Line 2"):
        Accounts.read(file)


def test_a_file_without_anybody_lets_no_server_start(file):
    with pytest.raises(SettingsError, match="footnote auth add NAME"):
        Accounts.read(file)


def test_the_command_adds_lists_gives_tokens_and_removes(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert main(["add", "ida", "--file", str(file)]) == 0
    assert main(["list", "--file", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "ida"
    assert main(["token", "ida", "--file", str(file)]) == 0
    assert Accounts(file).by_token(capsys.readouterr().out.strip()) == "ida"
    assert main(["remove", "ida", "--file", str(file)]) == 0
    assert main(["token", "ida", "--file", str(file)]) == 2
    assert "There is no 'ida'" in capsys.readouterr().err


def test_a_short_password_is_refused(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["add", "ida", "--file", str(file)]) == 2
    assert "too short" in capsys.readouterr().err
    assert not file.exists()


def basic(words):
    return "Basic " + base64.b64encode(words.encode()).decode()


async def test_a_header_is_basic_or_bearer_with_a_token_or_with_name_and_password():
    sign_in = SignIn(lambda name, password: (name, password) == ("ida", "a:b"), {"t0ken": "omar"}.get)
    assert await sign_in.header(basic("ida:a:b")) == "ida"
    assert await sign_in.header("bearer ida:a:b") == "ida"
    assert await sign_in.header("Bearer t0ken") == "omar"
    for wrong in ("", "Bearer", "Bearer x", "Basic !!", basic("ida:x"), basic("ida"), "Digest ida:a:b", "Basic \ud800"):
        assert await sign_in.header(wrong) is None


async def test_too_many_wrong_passwords_close_a_name_for_a_while_and_no_other():
    async def check(name, password):
        return password == "right"

    sign_in = SignIn(check)
    for _ in range(MOST_WRONG):
        assert not await sign_in.password("ida", "wrong")
    assert not await sign_in.password("ida", "right")
    assert await sign_in.password("omar", "right")


async def test_a_file_that_is_damaged_while_the_server_runs_lets_nobody_in_and_breaks_nothing(file, caplog):
    accounts = Accounts(file)
    accounts.add("ida", "correct horse")
    sign_in = SignIn.of(accounts)
    file.write_text("nonsense")
    assert await sign_in.header(basic("ida:correct horse")) is None
    assert await sign_in.header("Bearer x") is None
    assert "Nobody can sign in" in caplog.text
