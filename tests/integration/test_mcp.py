"""`footnote mcp` asked by the official client, over standard input and output and over HTTP."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from rag import Answer
from ui.doors.mcp import main
from ui.serving.accounts import Accounts

pytest.importorskip("mcp", reason="the MCP SDK is not installed: pip install -e .[mcp]")

ROOT = Path(__file__).parents[2]
FAKE = (
    "import sys; from pathlib import Path; from fake_rag import FakeRag; from ui.serving.accounts import Accounts; "
    "from ui.doors.mcp import Http, serve; print('noise'); serve(FakeRag, {http})"
)


def command(http=None):
    return [sys.executable, "-c", FAKE.format(http=http)]


def parameters(arguments):
    from mcp import StdioServerParameters

    return StdioServerParameters(
        command=arguments[0], args=arguments[1:], cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    )


async def use_every_tool(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"search", "ask", "verify"}
    assert set(tools["ask"].input_schema["properties"]) == {"question", "history", "where"}
    assert all(tool.annotations.read_only_hint for tool in tools.values())

    found = await client.call_tool("search", {"question": "night video", "k": 2})
    assert [hit["paper"]["id"] for hit in found.structured_content["hits"]] == ["lantern", "tide"]
    assert found.content[0].text.startswith("1. LanternNet")

    said = []

    async def hear(progress, total, message):
        said.append(message)

    asked = await client.call_tool("ask", {"question": "How fast is it?"}, progress_callback=hear)
    answer = Answer.from_dict(asked.structured_content)
    assert asked.content[0].text.startswith(answer.text)
    assert f"[1] “{answer.citations[0].quote}”" in asked.content[0].text
    assert said == ["5 sentences found"]

    checked = await client.call_tool("verify", {"receipt": asked.structured_content})
    assert checked.structured_content == {"holds": True, "problems": []}
    forged = {**asked.structured_content, "text": "LanternNet cures headaches. [1]"}
    checked = await client.call_tool("verify", {"receipt": forged})
    assert checked.structured_content["holds"] is False


async def test_the_official_client_searches_asks_and_verifies_over_stdio():
    from mcp import Client

    async with Client(parameters(command())) as client:
        assert client.server_info.name == "footnote"
        await use_every_tool(client)


async def test_what_goes_wrong_is_an_error_the_client_can_read_and_not_the_end():
    from mcp import Client

    async with Client(parameters(command())) as client:
        for name, arguments, said in [
            ("ask", {"question": "  "}, "The question is empty"),
            ("ask", {"question": "broken"}, "out of memory"),
            ("ask", {}, "question"),
            ("ask", {"question": 3}, "question"),
            ("ask", {"question": "x", "history": [{"role": "user"}]}, "content"),
            ("search", {"question": "x", "k": 0}, "1 to 50"),
            ("nothing", {}, "nothing"),
        ]:
            done = await client.call_tool(name, arguments)
            assert done.is_error, name
            assert said in done.content[0].text
        done = await client.call_tool("ask", {"question": "crash"})
        assert done.is_error
        assert "private" not in done.content[0].text
        assert not (await client.call_tool("ask", {"question": "fine again"})).is_error


async def test_the_same_tools_are_there_over_http():
    from mcp import Client

    with over_http("Http({port})") as url:
        async with Client(url) as client:
            await use_every_tool(client)


async def test_over_http_with_sign_in_only_the_apis_own_tokens_let_in(tmp_path):
    from httpx2 import AsyncClient
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    accounts = Accounts(tmp_path / "accounts")
    accounts.add("ida", "correct horse")
    token = accounts.new_token("ida")
    with over_http(f"Http({{port}}, auth=Accounts(Path({str(tmp_path / 'accounts')!r})))") as url:
        for said in ({}, {"Authorization": "Bearer fn-wrong"}, {"Authorization": "Bearer ida:wrong horse"}):
            refused = httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=said)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            assert refused.json()["error"]["code"] == "not_signed_in"
        with pytest.raises(Exception):  # noqa: B017, PT011  # the SDK wraps what it was refused with in groups
            async with Client(url) as client:
                await client.list_tools()
        for said in (f"Bearer {token}", "Bearer ida:correct horse"):
            async with (
                AsyncClient(headers={"Authorization": said}) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                await use_every_tool(client)
        accounts.remove("ida")
        async with AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
            assert (await http.post(url, json={})).status_code == 401, "at once, without a new start"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--auth"], "Give --port N too"),
        (["--host", "0.0.0.0"], "Give --port N too"),
        (["--port", "0", "--host", "0.0.0.0"], "Give --auth"),
        (["--port", "0", "--auth", "nobody.txt"], "names nobody"),
    ],
)
def test_what_would_let_everybody_in_or_do_nothing_is_refused(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@contextlib.contextmanager
def over_http(http):
    """The address of tools in a process of their own, and their end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    with subprocess.Popen(
        command(http.format(port=port)), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            running.terminate()


@pytest.mark.weights
@pytest.mark.slow
async def test_the_real_process_answers_from_the_bundled_library():
    from mcp import Client

    async with Client(parameters([sys.executable, "-m", "rag", "mcp"])) as client:
        asked = await client.call_tool("ask", {"question": "How many robot demonstrations was OpenVLA trained on?"})
        assert "970k" in asked.content[0].text
        checked = await client.call_tool("verify", {"receipt": asked.structured_content})
        assert checked.structured_content == {"holds": True, "problems": []}
