"""`python -m eval bench load`: many people at once on a real server process.

Each person asks question after question through one door: the HTTP API streamed, OpenAI's protocol, or the page's own
endpoint through Gradio's client. Every question is asked once in the whole run, so that an answer in wrong hands shows:
the answer has to be to that question, its receipt has to hold, and it has to cite the paper asked about. Without
`--real` the language model is an endpoint of this process that repeats the first sentence of the evidence; everything
else is real. Memory is the server's resident set, read from /proc (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory
from typing import Any, Literal

from eval.benchmarks.quoting import NUMBERED
from rag import FootnoteError, Settings, verify
from rag.cli import tell

Door = Literal["api", "openai", "gradio"]
DOORS: tuple[Door, ...] = ("api", "openai", "gradio")
STARTUP_S = 300.0
ANSWER_S = 900.0


class LoadError(FootnoteError):
    """The load could not be put on a server."""


@dataclass(frozen=True)
class Asked:
    """A question, and the paper that its answer has to cite if that is known."""

    text: str
    paper_id: str | None = None


@dataclass
class Outcome:
    """What became of one question."""

    asked: Asked
    door: Door
    seconds: float = 0.0
    receipt: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    places: list[int] = field(default_factory=list)
    silent_s: float = 0.0
    """Longest time without a word before evidence or answer came; of the streamed door alone."""

    @property
    def mixed_up(self) -> bool:
        """Whether this is the answer to something else."""
        return not self.problem and self.receipt.get("question") != self.asked.text

    @property
    def cites_its_paper(self) -> bool:
        """Whether the paper asked about is cited."""
        cited = {citation["paper"]["id"] for citation in self.receipt.get("citations", ())}
        return self.asked.paper_id is None or self.asked.paper_id in cited


def ask_all(
    url: str, questions: Sequence[Asked], people: int, answered: Callable[[int], None] = lambda _n: None
) -> list[Outcome]:
    """Ask all questions of a running server, dealt out to `people` who begin together. In no particular order.

    Raises:
        Exception: a door does not open; then nothing is asked.
    """
    outcomes: list[Outcome] = []
    begin = threading.Barrier(people, timeout=STARTUP_S)
    lock = threading.Lock()

    def person(number: int, ask: Callable[[Outcome], None]) -> None:
        door = DOORS[number % len(DOORS)]
        begin.wait()
        for asked in questions[number::people]:
            outcome = Outcome(asked, door)
            started = time.monotonic()
            try:
                ask(outcome)
            except Exception as error:  # noqa: BLE001  # whatever it is, this question was lost
                outcome.problem = f"{type(error).__name__}: {error}"
            outcome.seconds = time.monotonic() - started
            with lock:
                outcomes.append(outcome)
                answered(len(outcomes))

    with ExitStack() as open_doors:
        asks = []
        for number in range(people):  # here, not in the threads: they would wait for the one that cannot begin
            ask, close = _door(url, DOORS[number % len(DOORS)])
            open_doors.callback(close)
            asks.append(ask)
        with ThreadPoolExecutor(people, "person") as pool:
            list(pool.map(person, range(people), asks))
    return outcomes


def _door(url: str, door: Door) -> tuple[Callable[[Outcome], None], Callable[[], None]]:
    """How one person asks, and how they leave."""
    if door == "gradio":
        from gradio_client import Client

        client = Client(url, verbose=False)

        def ask_page(outcome: Outcome) -> None:
            outcome.receipt = client.predict(outcome.asked.text, api_name="/ask")

        return ask_page, client.close
    import httpx

    http = httpx.Client(base_url=url, timeout=ANSWER_S)

    def ask_openai(outcome: Outcome) -> None:
        body = {"model": "footnote", "messages": [{"role": "user", "content": outcome.asked.text}]}
        outcome.receipt = http.post("/v1/chat/completions", json=body).raise_for_status().json()["footnote"]

    def ask_api(outcome: Outcome) -> None:
        last = time.monotonic()
        body = {"question": outcome.asked.text, "stream": True}
        with http.stream("POST", "/api/ask", json=body) as response:
            response.raise_for_status()
            for name, data in _events(response.iter_lines()):
                if name in ("queued", "evidence"):
                    outcome.silent_s = max(outcome.silent_s, time.monotonic() - last)
                    last = time.monotonic()
                if name == "queued":
                    outcome.places.append(data["place"])
                elif name == "answer":
                    outcome.receipt = data
                elif name == "error":
                    raise LoadError(data["message"])

    return (ask_api if door == "api" else ask_openai), http.close


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def summary(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """What is told of a run."""
    lost = [outcome for outcome in outcomes if outcome.problem or not outcome.receipt]
    kept = [outcome for outcome in outcomes if outcome not in lost]
    streamed = [outcome for outcome in kept if outcome.door == "api"]
    times = sorted(outcome.seconds for outcome in kept)
    return {
        "questions": len(outcomes),
        "lost": len(lost),
        "first problem": lost[0].problem if lost else "none",
        "mixed up": sum(outcome.mixed_up for outcome in kept),
        "receipts that do not hold": sum(bool(verify(outcome.receipt)) for outcome in kept),
        "declined": sum(outcome.receipt["status"] == "abstained" for outcome in kept),
        "answered, but not from the paper asked about": sum(
            outcome.receipt["status"] == "answered" and not outcome.cites_its_paper for outcome in kept
        ),
        "streamed and told a place": sum(bool(outcome.places) for outcome in streamed),
        "streamed": len(streamed),
        "furthest place told": max((place for outcome in streamed for place in outcome.places), default=0),
        "longest without a word of place or evidence, s": max((o.silent_s for o in streamed), default=0.0),
        "places that went up": sum(outcome.places != sorted(outcome.places, reverse=True) for outcome in streamed),
        "seconds to an answer, median": median(times) if times else 0.0,
        "seconds to an answer, 95th percentile": times[int(len(times) * 0.95)] if times else 0.0,
        "answers a second": len(kept) / seconds,
    }


def load(options: argparse.Namespace) -> dict[str, Any]:
    """Start a server, put the load on it, and say what came of it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too
    memory: list[tuple[int, float]] = []
    with (
        stand_in(real=options.real) as settings,
        serving(options.library, options.model if options.real else None, settings) as (url, process),
    ):
        questions = questions_at(url, options.questions)
        people = min(options.people, len(questions))
        tell(f"{people} people, {len(questions)} questions, at {url}")
        every = max(1, len(questions) // 100)

        def answered(number: int) -> None:
            if number % every == 0:
                memory.append((number, resident_mb(process.pid)))
            if number % (every * 10) == 0:
                tell(f"{number} answered, {memory[-1][1]:.0f} MB")

        started = time.monotonic()
        outcomes = ask_all(url, questions, people, answered)
        result = summary(outcomes, time.monotonic() - started)
    settled = memory[len(memory) // 5 :]
    return {
        "model": "of the settings" if options.real else "repeats the first sentence of the evidence",
        "people": people,
        **result,
        "memory after a fifth of the questions, MB": settled[0][1],
        "memory at the end, MB": settled[-1][1],
        "memory, MB a 100 questions after that fifth (least squares)": slope(settled) * 100,
    }


def questions_at(url: str, number: int) -> list[Asked]:
    """So many different questions, each about one paper of the library of the server at `url`."""
    import httpx

    body = {"question": "What is this paper about?", "k": 100}
    papers = [hit["paper"] for hit in httpx.post(f"{url}/api/search", json=body, timeout=60).json()["hits"]]
    asked = []
    for count in range(number):
        paper = papers[count % len(papers)]
        asked.append(Asked(f"What is “{paper['title']}” about? Reader {count + 1} asks.", paper["id"]))
    return asked


@contextmanager
def serving(
    library: Path | None, model: str | None, settings: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running `footnote chat` at a free port: its address and its process, which ends with the block.

    Its conversations go with it: none is left among the reader's own. What the reader changed in the library holds.

    Args:
        library: papers; None for those of the settings.
        model: name or folder; None for that of the settings.
        settings: environment variables beside those that are set.

    Raises:
        LoadError: it has not come up in `STARTUP_S` seconds.
    """
    command = [sys.executable, "-m", "rag", "chat", "--port", "0", "--rate", "0"]
    command += ["--library", str(library)] if library else []
    command += ["--model", model] if model else []
    own = Settings().data_folder / "library"
    with TemporaryDirectory(prefix="footnote-bench-") as data:
        if own.exists():
            shutil.copytree(own, Path(data) / "library")
        environment = {**os.environ, "FOOTNOTE_DATA": data, **settings}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(STARTUP_S, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            timer.cancel()
            if " at " not in line:
                raise LoadError("The server did not come up.", "Run footnote chat and see what it says.")
            yield line.rsplit(" ", 1)[1].strip(), process
        finally:
            timer.cancel()
            process.terminate()
            process.wait(60)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def stand_in(*, real: bool) -> Iterator[dict[str, str]]:
    """Environment variables that choose the model; one of this process unless it is to be `real`."""
    if real:
        yield {}
        return
    echo = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=echo.serve_forever, name="echo", daemon=True).start()
    try:
        yield {
            "FOOTNOTE_MODEL__BASE_URL": f"http://127.0.0.1:{echo.server_port}/v1",
            "FOOTNOTE_MODEL__NAME": "first-sentence",
            "FOOTNOTE_MODEL__CHECKER": "self",  # quick all through: no model beside it
        }
    finally:
        echo.shutdown()
        echo.server_close()


class _Echo(BaseHTTPRequestHandler):
    """A language model that repeats the first numbered sentence of its prompt, a word at a time."""

    def do_POST(self) -> None:  # the name that http.server calls
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(str(message["content"]) for message in body["messages"])
        found = NUMBERED.search(prompt)
        words = (found.group(1) if found else "Nothing.").split(" ")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for place, word in enumerate(words):
            self._chunk({"content": word if place == 0 else f" {word}"}, None)
        self._chunk({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, delta: dict[str, str], reason: str | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        frame = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "first-sentence"}
        self.wfile.write(f"data: {json.dumps({**frame, 'choices': [choice]})}\n\n".encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def resident_mb(pid: int) -> float:
    """MB of memory that a process holds; 0 where /proc does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found.group(1)) / 1024 if found else 0.0


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of (x, y) points, by least squares; 0 for fewer than two."""
    return linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0
