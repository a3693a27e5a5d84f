"""The library as points on a plane: near each other where abstracts mean nearly the same, in clusters with names.

A paper's vector is the mean of its passages'. The plane is t-SNE from a PCA start; the clusters are k-means on the
vectors themselves, not on the plane, which shows neighbours truly but not distances or sizes. On the bundled library
t-SNE keeps neighbours better than two principal components: trustworthiness (5 neighbours) 0.90 to 0.80. A cluster is
named by the words whose share of its papers exceeds their share of the others most.

Seeds are fixed: the same library gives the same map. Knows nothing of pages.

Sources: van der Maaten and Hinton (2008), t-SNE; Arthur and Vassilvitskii (2007), k-means++; Venna and Kaski (2001),
trustworthiness.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.index import LibraryIndex
from rag.language.terms import STOP_WORDS, stem, words
from rag.schema import Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1
MOST_POINTS = 2000
"""A larger library is shown by an even sample: more points could not be told apart, and these already take 15 s on
two busy cores (500 points 4 s): `footnote eval bench library`."""
PERPLEXITY = 20.0
"""Of 5, 10, 15, 20 and 29 the one with the best trustworthiness on the bundled library (0.901; 5 gives 0.877)."""
_MOST_CLUSTERS = 8  # as many colours as can be told apart
_FEWEST_FOR_TSNE = 8
_WORDS_IN_A_NAME = 3
_ADDRESS = re.compile(r"https?://\S+|\b[\w.-]+\.(?:com|io|org|net|ai|edu)\b\S*")


@dataclass(frozen=True, slots=True)
class Point:
    """A paper's place: x and y within [0, 1], and the number of its cluster."""

    paper_id: str
    x: float
    y: float
    cluster: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Papers of one kind: the words that set them apart, most distinctive first, and how many there are in all."""

    words: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Atlas:
    """A map of a library. `n_papers` counts those without a point as well; clusters are largest first."""

    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]
    n_papers: int


def atlas_of(index: LibraryIndex) -> Atlas:
    """The map of an index's library, computed once and kept beside the index. An empty library has no points."""
    kept = _read(_place(index))
    if kept is None:
        kept = draw_atlas(list(index.papers.values()), paper_vectors(index))
        _write(_place(index), kept)
    return kept


def is_drawn(index: LibraryIndex) -> bool:
    """Whether `atlas_of` has only to read it."""
    return _place(index).is_file()


def _place(index: LibraryIndex) -> Path:
    return index.folder / f"atlas-{VERSION}.json"


def paper_vectors(index: LibraryIndex) -> NDArray[np.float32]:
    """Unit vectors of the papers, float32 of shape (n_papers, dimension), in the order of `index.papers`."""
    row_of = {identity: row for row, identity in enumerate(index.papers)}
    sums = np.zeros((len(row_of), index.manifest.dimension), dtype=np.float32)
    np.add.at(sums, [row_of[passage.paper_id] for passage in index.passages], index.vectors())
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), dtype=np.float32)


def draw_atlas(papers: Sequence[Paper], vectors: NDArray[np.float32], most_points: int = MOST_POINTS) -> Atlas:
    """The map of `papers` with unit `vectors` of shape (n_papers, dimension)."""
    if not papers:
        return Atlas((), (), 0)
    labels = _clusters(vectors)
    shown = np.unique(np.linspace(0, len(papers) - 1, min(len(papers), most_points)).round().astype(int))
    plane = _plane(vectors[shown])
    points = tuple(
        Point(papers[row].id, round(float(x), 4), round(float(y), 4), int(labels[row]))
        for row, (x, y) in zip(shown, plane, strict=True)
    )
    return Atlas(points, _named(papers, labels), len(papers))


def _clusters(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """A cluster for each row, int64 of shape (n,), numbered from the largest. About as many as the root of n / 2."""
    n = len(vectors)
    count = min(_MOST_CLUSTERS, max(1, round(math.sqrt(n / 2))), len(np.unique(vectors, axis=0)))
    if count == 1:
        return np.zeros(n, dtype=np.int64)
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=10 if n <= 10_000 else 1, random_state=0).fit(vectors).labels_
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    return np.asarray(np.argsort(order)[found], dtype=np.int64)


def _plane(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Coordinates within [0, 1], float64 of shape (n, 2)."""
    n = len(vectors)
    centred = np.asarray(vectors - vectors.mean(axis=0), dtype=np.float64)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((n, 2))
    axes = min(2, len(scale))
    plane[:, :axes] = left[:, :axes] * scale[:axes]
    spread = float(plane[:, 0].std())
    if n >= _FEWEST_FOR_TSNE and spread > 1e-9:
        from sklearn.manifold import TSNE

        start = (plane / spread * 1e-4).astype(np.float32)
        perplexity = min(PERPLEXITY, (n - 1) / 3)
        plane = TSNE(2, init=start, perplexity=perplexity, random_state=0).fit_transform(vectors).astype(np.float64)
    low, high = plane.min(axis=0), plane.max(axis=0)
    width = np.where(high - low > 1e-9, high - low, 1.0)
    return np.asarray(np.where(high - low > 1e-9, (plane - low) / width, 0.5))


def _named(papers: Sequence[Paper], labels: NDArray[np.int64]) -> tuple[Cluster, ...]:
    count = int(labels.max()) + 1
    having = [Counter[str]() for _ in range(count)]
    written: dict[str, Counter[str]] = {}
    for paper, label in zip(papers, labels, strict=True):
        text = _ADDRESS.sub(" ", f"{paper.title} {paper.abstract}")
        stems = [(stem(word), word) for word in words(text) if word not in STOP_WORDS]
        having[label].update({term for term, _ in stems})
        for term, word in stems:
            if len(word) > 2 and not word.isdigit():
                written.setdefault(term, Counter())[word] += 1
    total = sum(having, Counter[str]())
    sizes = np.bincount(labels, minlength=count)
    return tuple(
        Cluster(_distinctive(having[i], total, int(sizes[i]), len(papers), written), int(sizes[i]))
        for i in range(count)
    )


def _distinctive(
    inside: Mapping[str, int], total: Mapping[str, int], size: int, n: int, written: Mapping[str, Counter[str]]
) -> tuple[str, ...]:
    """The words as they are mostly written whose share of the cluster exceeds their share of the rest most."""

    def lead(term: str) -> float:
        rest = (total[term] - inside[term]) / (n - size) if n > size else 0.0
        return inside[term] / size - rest

    best = sorted((term for term in inside if term in written), key=lambda term: (-lead(term), term))
    return tuple(written[term].most_common(1)[0][0] for term in best[:_WORDS_IN_A_NAME])


def _read(place: Path) -> Atlas | None:
    try:
        facts = json.loads(place.read_text(encoding="utf-8"))
        clusters = tuple(Cluster(tuple(row["words"]), row["size"]) for row in facts["clusters"])
        return Atlas(tuple(Point(**row) for row in facts["points"]), clusters, facts["n_papers"])
    except (OSError, ValueError, KeyError, TypeError):  # not drawn yet, or damaged: drawn anew
        return None


def _write(place: Path, atlas: Atlas) -> None:
    new = place.with_suffix(f".{os.getpid()}")
    try:
        new.write_text(json.dumps(asdict(atlas)), encoding="utf-8")
        new.replace(place)
    except OSError:  # a full disk costs the next reader a moment, not the map
        new.unlink(missing_ok=True)
