"""`python -m eval bench …`: speed and memory, each against what it is to be compared with, in turn.

Machines are noisy, so two things are run A B A B … and the ratio is taken pair by pair; medians are quoted. Every
figure comes from a process or a folder of its own, so that one run does not warm the next.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from eval.benchmarks import public
from eval.benchmarks.bench_result import lines
from eval.benchmarks.library_speed import library_speed, seconds_of
from eval.benchmarks.load import load, serving
from eval.benchmarks.open_pages import open_pages
from eval.benchmarks.page_speed import page_speed
from eval.cases import read_cases
from rag import FootnoteError, Rag
from rag.cli import add_common_options, positive, settings_from, tell


class BenchError(FootnoteError):
    """A benchmark could not be run."""


def add_to(commands: Any) -> None:
    """Add `bench` and its benchmarks to the command line."""
    parser = commands.add_parser("bench", help="measure speed, memory and public sets")
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, text, action in (
        ("start", "seconds to import rag, to answer from the command line, and to the page", _start),
        ("page", "seconds to the first paint, evidence, words and answer, in a browser", page_speed),
        ("library", "seconds to add papers and to undo it, and how long a search waits meanwhile", library_speed),
        ("memory", "peak memory of answering one question in a process of its own", _memory),
        ("index", "passages indexed a second, against LangChain's Chroma.from_documents", _index),
        ("load", "many people at once on a real server: none lost, none mixed up, memory", load),
        ("pages", "pages that stay open for hundreds of questions: none lost, memory of server and page", open_pages),
        ("llama", "seconds for a whole answer, against llama.cpp with the same prompts", _llama),
    ):
        kind = kinds.add_parser(name, help=text)
        if name not in ("load", "pages", "llama"):
            kind.add_argument("--runs", type=positive, default=5, metavar="N")
        kind.add_argument("--json", action="store_true")
        add_common_options(kind)
        if name == "page":
            kind.add_argument("--questions", type=positive, default=10, metavar="N")
        if name == "pages":
            kind.add_argument("--pages", type=positive, default=5, metavar="N")
            kind.add_argument("--questions", type=positive, default=500, metavar="N")
        if name == "load":
            kind.add_argument("--people", type=positive, default=20, metavar="N")
            kind.add_argument("--questions", type=positive, default=500, metavar="N")
            kind.add_argument(
                "--real", action="store_true", help="with the model of the settings, not a quick stand-in"
            )
        if name == "llama":
            kind.add_argument(
                "--gguf", type=Path, required=True, metavar="FILE", help="the same weights as GGUF Q4_K_M"
            )
            kind.add_argument("--questions", type=positive, default=20, metavar="N")
        kind.set_defaults(action=lambda options, action=action: _print(options, action(options)))
    public.add_to(kinds, _print)


def _print(options: argparse.Namespace, result: dict[str, Any]) -> int:
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print("\n".join(lines(result)))
    return 0


def _start(options: argparse.Namespace) -> dict[str, Any]:
    runs = range(options.runs)
    bare = median(_seconds([sys.executable, "-c", "pass"]) for _ in runs)
    imported = median(_seconds([sys.executable, "-c", "import rag"]) for _ in runs)
    search = [*_footnote("search", options), "open-vocabulary action recognition"]
    searched = median(_seconds(search) for _ in runs)
    asked = median(_seconds([*_footnote("ask", options), "How does FROSTER keep CLIP general?"]) for _ in runs)
    page = median(_seconds_to_page(options) for _ in range(min(3, options.runs)))
    return {
        "import rag, s (less bare Python)": imported - bare,
        "footnote search, s": searched,
        "footnote ask, s": asked,
        "footnote chat to a page that answers, s": page,
        "runs": options.runs,
    }


def _footnote(command: str, options: argparse.Namespace) -> list[str]:
    """A command of Footnote with the model and library that the benchmark was told of."""
    told = {"--library": options.library, "--model": None if command == "search" else options.model}
    given = [part for name, value in told.items() if value for part in (name, str(value))]
    return [sys.executable, "-m", "rag", command, *given]


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")
    return time.perf_counter() - started


def _seconds_to_page(options: argparse.Namespace) -> float:
    started = time.perf_counter()
    with (
        serving(options.library, options.model, {}) as (address, _process),
        urllib.request.urlopen(address, timeout=30) as page,  # noqa: S310  (our own server)
    ):
        if page.status != 200:
            raise BenchError(f"The page answered with {page.status}.")
        return time.perf_counter() - started


def _memory(options: argparse.Namespace) -> dict[str, Any]:
    command = [*_footnote("ask", options), "How does FROSTER keep CLIP general?"]
    peaks = []
    for _ in range(options.runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        _seconds(command)
        peaks.append(max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024**2)
    # The kernel keeps one maximum for all children, so this is the largest of the runs, not their median.
    return {"peak resident memory of footnote ask, GiB": max(peaks), "runs": options.runs}


def _index(options: argparse.Namespace) -> dict[str, Any]:
    rag = Rag.open(settings_from(options), report=tell)
    settings = rag.settings
    passages = rag.retriever.index.passages
    texts = [f"{rag.retriever.index.papers[p.paper_id].title}. {p.text}" for p in passages]
    ours, theirs = _our_indexing(rag), _langchain_indexing(settings, texts)
    pairs = []
    ours(), theirs()  # warm
    for _ in range(options.runs):
        pairs.append((seconds_of(ours), seconds_of(theirs)))
        tell(f"ours {pairs[-1][0]:.2f} s, LangChain {pairs[-1][1]:.2f} s")
    return {
        "passages": len(texts),
        "ours, passages/s (median)": len(texts) / median(a for a, _ in pairs),
        "LangChain, passages/s (median)": len(texts) / median(b for _, b in pairs),
        "LangChain's time / ours (median of pairs)": median(b / a for a, b in pairs),
        "runs": options.runs,
    }


def _our_indexing(rag: Rag) -> Callable[[], None]:
    def index() -> None:
        with tempfile.TemporaryDirectory() as folder:
            rag.build_index(Path(folder))

    return index


def _langchain_indexing(settings: Any, texts: list[str]) -> Callable[[], None]:
    try:
        from langchain_chroma import Chroma
        from langchain_core.documents import Document
        from langchain_huggingface import HuggingFaceEmbeddings
    except ImportError as error:
        raise BenchError(f"{error.name} is not installed.", "pip install '.[bench]'") from error
    from rag import weights

    found = weights.find(settings.embedding.name, settings.home)
    assert found is not None, "Rag.open has fetched them"
    embeddings = HuggingFaceEmbeddings(model_name=str(found.path), encode_kwargs={"normalize_embeddings": True})
    documents = [Document(text) for text in texts]

    def index() -> None:
        with tempfile.TemporaryDirectory() as folder:
            Chroma.from_documents(
                documents, embeddings, persist_directory=folder, collection_configuration={"hnsw": {"space": "cosine"}}
            )

    return index


def _llama(options: argparse.Namespace) -> dict[str, Any]:
    try:
        import torch
        from llama_cpp import Llama
    except ImportError as error:
        raise BenchError(f"{error.name} is not installed.", "pip install '.[bench]'") from error
    if not options.gguf.is_file():
        raise BenchError(f"There is no file {str(options.gguf)!r}.", "Give the GGUF of the model that Footnote runs.")
    rag = Rag.open(settings_from(options), report=tell)
    model: Any = rag.model
    rag.warm_up()
    other = Llama(
        str(options.gguf),
        n_ctx=2048,
        n_threads=torch.get_num_threads(),
        n_threads_batch=torch.get_num_threads(),
        verbose=False,
    )
    limit = rag.settings.model.max_new_tokens
    cases = [case for case in read_cases() if case.type in ("fact", "explain", "noisy")]
    pairs, lengths = [], []
    for case in cases[:: max(1, len(cases) // options.questions)][: options.questions]:
        messages = rag.prompt_messages(case.question)
        started = time.perf_counter()
        ours = model.invoke(messages)
        middle = time.perf_counter()
        tokens = model.prompt_tokens(model._convert_input(messages).to_messages())
        theirs = 0
        # Like our engine, llama.cpp's Python binding keeps what two prompts begin with.
        for token in other.generate(tokens, temp=0.0):
            theirs += 1
            if token in model.engine.end_tokens or theirs == limit:
                break
        pairs.append((middle - started, time.perf_counter() - middle))
        lengths.append((len(tokens), ours.usage_metadata["output_tokens"], theirs))
        tell(f"{case.id}: ours {pairs[-1][0]:.2f} s, llama.cpp {pairs[-1][1]:.2f} s; tokens {lengths[-1]}")
    return {
        "questions": len(pairs),
        "prompt tokens (median)": median(n for n, _, _ in lengths),
        "our answer tokens (median)": median(n for _, n, _ in lengths),
        "llama.cpp's answer tokens (median)": median(n for _, _, n in lengths),
        "ours, s (median)": median(a for a, _ in pairs),
        "llama.cpp, s (median)": median(b for _, b in pairs),
        "ours / llama.cpp (median of pairs)": median(a / b for a, b in pairs),
    }
