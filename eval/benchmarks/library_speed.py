"""`python -m eval bench library`: how long a library takes to change, and how long a search waits meanwhile.

The bundled abstracts under invented titles are added to a copy of the bundled library, in a place of its own, while
another thread searches again and again; then one change is undone and one paper removed, and maps are drawn of random
vectors in 40 clusters. Nothing of the reader's own library is touched.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from eval.benchmarks.retrieving import open_library
from rag import Rag, draw_atlas
from rag.cli import settings_from, tell

_POINTS = (89, 500, 2000)
_QUESTION = "robot grasping with tactile sensing"


def library_speed(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of adding, undoing, removing, searching meanwhile, and of maps of several sizes."""
    with open_library(options, _abstracts(options)) as rag:
        new = [replace(paper, title=f"Another look at {paper.title}") for paper in rag.papers]
        rag.retrieve(_QUESTION)
        alone = median(seconds_of(lambda: rag.retrieve(_QUESTION)) for _ in range(options.runs))
        waits, added = _while_searching(rag, lambda: rag.library.add(new))
        undone = seconds_of(rag.library.undo)
        removed = seconds_of(lambda: rag.library.remove([rag.papers[0].id]))
        papers = rag.papers
    maps = {}
    for count in _POINTS:
        some = [replace(papers[i % len(papers)], id=str(i)) for i in range(count)]
        maps[f"map of {count} papers, s"] = seconds_of(lambda some=some: draw_atlas(some, _vectors(len(some))))  # type: ignore[misc]
    return {
        f"adding {len(new)} abstracts, s": added,
        "search alone, median s": alone,
        "search meanwhile, median s": median(waits),
        f"search meanwhile, slowest of {len(waits)}, s": max(waits),
        "undoing it, s": undone,
        "removing one paper, s": removed,
        **maps,
    }


def _abstracts(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    rag = Rag.open(settings_from(options), report=tell)
    try:
        return [(paper.id, paper.title, paper.abstract) for paper in rag.papers]
    finally:
        rag.close()


def _while_searching(rag: Rag, change: Callable[[], object]) -> tuple[list[float], float]:
    """Seconds of each search while `change` went on, and of the change."""
    waits: list[float] = []
    ended = threading.Event()

    def search() -> None:
        while not ended.is_set():
            waits.append(seconds_of(lambda: rag.retrieve(_QUESTION)))
            time.sleep(0.05)

    searching = threading.Thread(target=search)
    searching.start()
    try:
        took = seconds_of(change)
    finally:
        ended.set()
        searching.join()
    return waits, took


def _vectors(count: int) -> Any:
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(40, 384))
    vectors = centres[draw.integers(40, size=count)] + 0.8 * draw.normal(size=(count, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def seconds_of(do: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
