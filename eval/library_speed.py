"""`python -m eval bench library`: how long a library takes to change, and how long a search waits meanwhile.

The bundled abstracts under invented titles are added to a copy of the bundled library, in a place of its own, while
another thread searches again and again; then one change is undone and one paper removed, and maps are drawn of random
vectors in 40 clusters. Nothing of the reader's own library is touched.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from rag import Rag, draw_atlas
from rag.cli import settings_from, tell

_POINTS = (89, 500, 2000)
_QUESTION = "robot grasping with tactile sensing"


def library_speed(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of adding, undoing, removing, searching meanwhile, and of maps of several sizes."""
    with _opened(options) as rag:
        new = [replace(paper, title=f"Another look at {paper.title}") for paper in rag.papers]
        rag.retrieve(_QUESTION)
        alone = median(_seconds(lambda: rag.retrieve(_QUESTION)) for _ in range(options.runs))
        waits, added = _while_searching(rag, lambda: rag.library.add(new))
        undone = _seconds(rag.library.undo)
        removed = _seconds(lambda: rag.library.remove([rag.papers[0].id]))
        papers = rag.papers
    maps = {}
    for count in _POINTS:
        some = [replace(papers[i % len(papers)], id=str(i)) for i in range(count)]
        maps[f"map of {count} papers, s"] = _seconds(lambda some=some: draw_atlas(some, _vectors(len(some))))  # type: ignore[misc]
    return {
        f"adding {len(new)} abstracts, s": added,
        "search alone, median s": alone,
        "search meanwhile, median s": median(waits),
        f"search meanwhile, slowest of {len(waits)}, s": max(waits),
        "undoing it, s": undone,
        "removing one paper, s": removed,
        **maps,
    }


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[Rag]:
    """A Rag on a copy of the library: its index and its ledger lie apart, since they are named after the file."""
    settings = settings_from(options)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "bench.jsonl"
        own = Rag.open(settings, report=tell)
        lines = [json.dumps(asdict(paper)) for paper in own.papers]
        own.close()
        copy.write_text("\n".join(lines), encoding="utf-8")
        rag = Rag.open(settings.model_copy(update={"library": copy}), report=tell)
        index = rag.retriever.index.folder.parent
        try:
            yield rag
        finally:
            rag.close()
            shutil.rmtree(index, ignore_errors=True)
            shutil.rmtree(settings.home / "library" / index.name, ignore_errors=True)


def _while_searching(rag: Rag, change: Callable[[], object]) -> tuple[list[float], float]:
    """Seconds of each search while `change` went on, and of the change."""
    waits: list[float] = []
    ended = threading.Event()

    def search() -> None:
        while not ended.is_set():
            waits.append(_seconds(lambda: rag.retrieve(_QUESTION)))
            time.sleep(0.05)

    searching = threading.Thread(target=search)
    searching.start()
    try:
        took = _seconds(change)
    finally:
        ended.set()
        searching.join()
    return waits, took


def _vectors(count: int) -> Any:
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(40, 384))
    vectors = centres[draw.integers(40, size=count)] + 0.8 * draw.normal(size=(count, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
