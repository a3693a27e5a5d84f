"""The library on disk: papers, passages, Chroma vectors and BM25 side by side under one manifest.

    <folder>/CURRENT                  name of the live generation
    <folder>/generation-000007/       manifest.json  papers.jsonl  passages.jsonl  chroma/  keywords/

A build never touches the live generation: it copies it, applies what changed to the copy, and moves the name in
CURRENT. Killed at any moment, the old generation still answers and the next build starts over from it. A passage's
row id ends in a hash of what the embedder reads, so that only text that is new or changed is embedded.

Knows nothing of questions, fusion or models; vectors come from the embeddings that it is given.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rag.corpus import corpus_digest
from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing, IndexOutdated, IndexProblem
from rag.index_files import (
    FORMAT,
    MANIFEST,
    METRIC,
    REBUILD,
    Lease,
    Manifest,
    Rows,
    full_disk_explained,
    live_generation,
    manifest_of,
    read_papers,
    read_rows,
    sweep,
    write_lines,
    write_synced,
)
from rag.keywords import KeywordIndex
from rag.language.terms import TOKENIZER_VERSION
from rag.passages import SPLITTER_VERSION, passage_input, split_passages
from rag.schema import Paper, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.embedding import Purpose

_ADD_BATCH = 2048  # Chroma takes at most 5,461 rows a call
_ENCODE_BATCH = 32  # between two of them a question that waits for the embedder has its turn
_FILTER_LIMIT = 30_000  # SQLite refuses more than 32,766 values in one `$in`


class PassageEncoder(Protocol):
    """What an index needs of an embedder; `rag.embedding.SentenceEmbeddings` is one."""

    name: str
    revision: str

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Most tokens that are read of one text."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special tokens included."""

    def encode(self, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
        """Unit vectors of shape (n_texts, dimension)."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: passages embedded, kept and removed."""

    embedded: int
    kept: int
    removed: int
    n_papers: int
    n_passages: int


class LibraryIndex:
    """An open index, read only."""

    def __init__(self, folder: Path, manifest: Manifest, papers: Mapping[str, Paper], rows: Rows) -> None:
        self.folder = folder
        self.manifest = manifest
        self.papers = papers
        self.passages = rows.passages
        self._ids = rows.ids
        self._row_of = {row_id: row for row, row_id in enumerate(rows.ids)}
        lease = Lease(folder)
        try:
            client = _open_chroma(folder / "chroma")
        except BaseException:
            lease.end()
            raise
        # Also when nobody closes it: a library that changes lets go of its old index with the last answer from it.
        self._release = weakref.finalize(self, _release, client, lease)
        self._collection = client.get_collection("passages", embedding_function=None)
        self.keywords = KeywordIndex.load(folder / "keywords")

    @classmethod
    def open(cls, folder: Path, encoder: PassageEncoder) -> LibraryIndex:
        """Open the live generation under `folder`.

        Raises:
            IndexMissing: nothing was built there yet.
            IndexCorrupt: files are damaged or missing.
            IndexMismatch: it was built with another embedder than `encoder`, or in another format.
            IndexOutdated: it is whole, but was built with another splitter or tokenizer than this code has.
        """
        generation = live_generation(folder)
        if generation is None:
            raise IndexMissing(f"There is no index at {folder}.", "Build it: footnote index")
        try:
            manifest = manifest_of(generation)
            _refuse_mismatch(manifest, encoder)
            papers = {paper.id: paper for paper in read_papers(generation)}
            index = cls(generation, manifest, papers, read_rows(generation))
            found = index._collection.count()
        except IndexProblem:
            raise
        except Exception as error:
            raise IndexCorrupt(f"The index at {generation} is damaged: {error!r}.", REBUILD) from error
        if not (found == len(index.passages) == manifest.n_passages == index.keywords.n_rows):
            raise IndexCorrupt(f"The index at {generation} holds {found} of {manifest.n_passages} passages.", REBUILD)
        if (manifest.splitter, manifest.tokenizer) != (SPLITTER_VERSION, TOKENIZER_VERSION):
            index.close()
            raise IndexOutdated("Another version of Footnote built the index.", "Bring it up to date: footnote index")
        return index

    def nearest(
        self, vector: NDArray[np.float32], count: int, papers: frozenset[str] | None = None
    ) -> list[tuple[int, float]]:
        """Rows nearest to a unit `vector` of shape (dimension,): (row, cosine similarity), best first.

        Args:
            vector: the question, encoded with the embedder of this index.
            count: how many rows at most.
            papers: only rows of these papers; None for all.
        """
        if not self.passages or count < 1 or papers == frozenset():
            return []
        filtered = papers is not None and len(papers) < len(self.papers)
        narrow = filtered and len(papers or ()) <= _FILTER_LIMIT
        # A filter too wide for Chroma lets most rows through: fetching four times as many leaves enough of them.
        wanted = min(len(self.passages), count * 4 if filtered and not narrow else count)
        found = self._collection.query(
            query_embeddings=[vector],
            n_results=wanted,
            where={"paper": {"$in": sorted(papers or ())}} if narrow else None,
            include=["distances"],
        )
        distances = (found["distances"] or [[]])[0]
        rows = [(self._row_of[row_id], 1.0 - d) for row_id, d in zip(found["ids"][0], distances, strict=True)]
        if filtered and papers is not None:
            rows = [(row, score) for row, score in rows if self.passages[row].paper_id in papers]
        return rows[:count]

    def vectors(self, rows: Sequence[int] | None = None) -> NDArray[np.float32]:
        """The unit vectors of `rows` (all of them by default), float32 of shape (n_rows, dimension), in their order."""
        ids = list(self._ids) if rows is None else [self._ids[row] for row in rows]
        place = {row_id: i for i, row_id in enumerate(ids)}
        vectors = np.zeros((len(ids), self.manifest.dimension), dtype=np.float32)
        for start in range(0, len(ids), _ADD_BATCH):
            found = self._collection.get(ids=ids[start : start + _ADD_BATCH], include=["embeddings"])
            vectors[[place[row_id] for row_id in found["ids"]]] = found["embeddings"]
        return vectors

    def close(self) -> None:
        """Let go of the files; a second call does nothing."""
        self._release()


def _release(client: Any, lease: Lease) -> None:
    client.close()
    lease.end()


def build(
    folder: Path,
    papers: Sequence[Paper],
    encoder: PassageEncoder,
    *,
    rebuild: bool = False,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> BuildReport:
    """Make the index under `folder` hold exactly `papers`; embeds only passages that are new or changed.

    Args:
        folder: made if missing; one build at a time, others wait.
        papers: the whole library, not an addition to it.
        encoder: the embedder.
        rebuild: start from nothing, even where the present index could be reused.
        report: called with (passages embedded, passages to embed) as it goes.

    Raises:
        IndexMismatch: the present index was built otherwise, and `rebuild` is False.
        IndexProblem: the disk is full, or the folder cannot be written. The old index still answers.
    """
    with full_disk_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "build.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            sweep(folder)
            old = None if rebuild else _reusable(folder, encoder)
            return _build_generation(folder, old, papers, encoder, report)


def _reusable(folder: Path, encoder: PassageEncoder) -> Path | None:
    """The live generation if it can be opened or brought up to date, else None; a damaged one is built anew without
    being asked.
    """
    try:
        index = LibraryIndex.open(folder, encoder)
    except IndexOutdated:
        return live_generation(folder)
    except (IndexMissing, IndexCorrupt):
        return None
    index.close()
    return index.folder


def _build_generation(
    folder: Path,
    old: Path | None,
    papers: Sequence[Paper],
    encoder: PassageEncoder,
    report: Callable[[int, int], None],
) -> BuildReport:
    rows = _cut(papers, encoder)
    manifest = _manifest(papers, rows, encoder)
    before = set(read_rows(old).ids) if old else set()
    wanted = set(rows.ids)
    removed = sorted(before - wanted)
    new = [row for row, row_id in enumerate(rows.ids) if row_id not in before]
    outcome = BuildReport(len(new), len(before & wanted), len(removed), len(papers), len(rows.ids))
    if old and manifest_of(old) == manifest and not new and not removed:
        return outcome
    number = 1 + max((int(p.name.split("-")[1]) for p in folder.glob("generation-*")), default=0)
    target = folder / f"generation-{number:06d}"
    partial = folder / f"partial-{number:06d}"
    try:
        if old:
            shutil.copytree(old / "chroma", partial / "chroma")
        partial.mkdir(exist_ok=True)
        _write_vectors(partial / "chroma", rows, new, removed, encoder, report)
        (partial / "keywords").mkdir()
        KeywordIndex.build(rows.texts).save(partial / "keywords")
        write_lines(partial / "papers.jsonl", (asdict(paper) for paper in papers))
        write_lines(
            partial / "passages.jsonl", ({"row": i, **asdict(p)} for i, p in zip(rows.ids, rows.passages, strict=True))
        )
        write_synced(partial / MANIFEST, json.dumps(asdict(manifest), indent=1))
    except BaseException:  # stopped, or the disk is full: nothing of it stays
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(target)
    write_synced(folder / "CURRENT.new", target.name)
    (folder / "CURRENT.new").replace(folder / "CURRENT")
    sweep(folder)
    return outcome


def _cut(papers: Sequence[Paper], encoder: PassageEncoder) -> Rows:
    ids: list[str] = []
    passages: list[Passage] = []
    texts: list[str] = []
    for paper in papers:
        for passage in split_passages(paper, count_tokens=encoder.count_tokens, max_tokens=encoder.max_tokens):
            text = passage_input(paper, passage)
            ids.append(f"{passage.id}:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}")
            passages.append(passage)
            texts.append(text)
    return Rows(tuple(ids), tuple(passages), tuple(texts))


def _write_vectors(
    folder: Path,
    rows: Rows,
    new: Sequence[int],
    removed: Sequence[str],
    encoder: PassageEncoder,
    report: Callable[[int, int], None],
) -> None:
    client = _open_chroma(folder)
    try:
        collection = client.get_or_create_collection(
            "passages",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}},
        )
        for start in range(0, len(removed), _ADD_BATCH):
            collection.delete(ids=list(removed[start : start + _ADD_BATCH]))
        report(0, len(new))
        for start in range(0, len(new), _ADD_BATCH):
            batch = new[start : start + _ADD_BATCH]
            vectors = []
            for at in range(start, start + len(batch), _ENCODE_BATCH):
                texts = [rows.texts[row] for row in new[at : min(at + _ENCODE_BATCH, start + len(batch))]]
                vectors.append(encoder.encode(texts, "document"))
                report(at + len(texts), len(new))
                time.sleep(0.001)  # a lock that is let go of and taken at once never passes to who waits for it
            collection.add(
                ids=[rows.ids[row] for row in batch],
                embeddings=np.concatenate(vectors),
                metadatas=[{"paper": rows.passages[row].paper_id} for row in batch],
            )
    finally:
        client.close()


def _manifest(papers: Sequence[Paper], rows: Rows, encoder: PassageEncoder) -> Manifest:
    return Manifest(
        format=FORMAT,
        corpus=corpus_digest(papers),
        embedder=encoder.name,
        embedder_revision=encoder.revision,
        dimension=encoder.dimension,
        max_tokens=encoder.max_tokens,
        splitter=SPLITTER_VERSION,
        tokenizer=TOKENIZER_VERSION,
        metric=METRIC,
        n_papers=len(papers),
        n_passages=len(rows.ids),
    )


def _refuse_mismatch(manifest: Manifest, encoder: PassageEncoder) -> None:
    asked = {
        "embedder": encoder.name,
        "embedder_revision": encoder.revision,
        "dimension": encoder.dimension,
        "max_tokens": encoder.max_tokens,
        "metric": METRIC,
    }
    for key, value in asked.items():
        built = getattr(manifest, key)
        if built != value:
            name = key.replace("_", " ")
            raise IndexMismatch(f"The index was built with {name} {built!r}, the settings ask for {value!r}.", REBUILD)


def _open_chroma(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))
