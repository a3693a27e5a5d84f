"""`python -m eval bench scifact|cranfield`: does retrieval over abstracts find what is relevant?

The whole way of a library is measured: the abstracts are written as one, indexed in a temporary folder, and searched as
a reader would. Beside the fused ranking stand its two parts alone, from the same index.

Sources: SciFact (Wadden et al. 2020) as a retrieval set in BEIR (Thakur et al. 2021): a claim's cited abstracts are its
relevant ones. Cranfield (Cleverdon 1967), as TREC-style XML and judgements.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from eval.benchmarks.bench_result import MADE_WITH, asked_with, spread
from eval.benchmarks.hub_data import located
from eval.benchmarks.quoting import QuotingModel
from eval.broken import without_keywords, without_vectors
from eval.cases import CaseError, objects
from eval.metrics.answers import figure
from eval.metrics.ranking import average_precision, ndcg_at, reciprocal_rank, set_recall
from eval.rows import id_of, ids_of, read_text, text_of, texts_of
from rag import Rag
from rag.cli import settings_from, tell

PLACE = "https://measured.invalid/"
"""Carries an abstract's id through the library, whose papers get ids of their own."""
DEPTH = 100
"""How far down rankings are looked at, for average precision and recall@100."""
Gains = Mapping[str, float]
PUBLISHED = {
    "scifact": {
        "BM25 (BEIR, Thakur et al. 2021)": 0.665,
        "BM25 (Anserini, multi-field)": 0.679,
        "all-MiniLM-L6-v2 (MTEB, Muennighoff et al. 2023)": 0.645,
        "bge-small-en-v1.5 (MTEB)": 0.713,
    },
    "cranfield": {},
}
"""nDCG@10. SciFact's are on BEIR's test split (the 300 development claims); no number for Cranfield in this form of
questions and judgements is known to us, so the rankings' parts have to serve."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Abstracts as (id, title, text), and questions with the gain of each relevant id."""

    abstracts: tuple[tuple[str, str, str], ...]
    questions: tuple[tuple[str, Gains], ...]


def read_scifact(data: Path, split: str) -> Collection:
    """SciFact's corpus and the claims of `split` that cite an abstract.

    Raises:
        CaseError: a file is missing, it names where to get it; or a line is malformed, it names file, line and field.
    """
    home, names = "github.com/allenai/scifact", ("corpus.jsonl", f"claims_{split}.jsonl")
    folder = located(data, names, home)
    corpus, claims = (folder / name for name in names)
    _demand([corpus, claims], home)
    abstracts = tuple(
        (id_of(row, "doc_id", place), text_of(row, "title", place), " ".join(texts_of(row, "abstract", place)))
        for place, row in objects(corpus)
    )
    asked = (
        (text_of(row, "claim", place), dict.fromkeys(ids_of(row, "cited_doc_ids", place), 1.0))
        for place, row in objects(claims)
    )
    return Collection(abstracts, tuple((claim, gains) for claim, gains in asked if gains))


def read_cranfield(data: Path, _split: str = "") -> Collection:
    """Cranfield's 1,400 abstracts and 225 questions; judgements count questions from 1, whatever numbers they carry.

    Raises:
        CaseError: a file is missing or is not XML, it names where to get it; or a line of judgements is malformed.
    """
    home, names = (
        "github.com/oussbenk/cranfield-trec-dataset",
        ("cran.all.1400.xml", "cran.qry.xml", "cranqrel.trec.txt"),
    )
    folder = located(data, names, home)
    files = [folder / name for name in names]
    _demand(files, home)
    found = []
    for document in _elements(files[0], "doc"):
        text = " ".join((document.findtext("text") or "").split())
        if text:
            title = " ".join((document.findtext("title") or "").split())
            number = (document.findtext("docno") or "").strip()
            if not number:
                raise CaseError(f"{files[0].name}: a document {title!r} has no 'docno'.", "It has to be its number.")
            found.append((number, title or text[:80], text))
    gains = _judgements(files[2])
    asked = (" ".join((top.findtext("title") or "").split()) for top in _elements(files[1], "top"))
    return Collection(
        tuple(found), tuple((text, gains[n]) for n, text in enumerate(asked, start=1) if text and n in gains)
    )


def _judgements(path: Path) -> dict[int, dict[str, float]]:
    """Gain of each relevant document by question, of a file of TREC's form; empty lines are passed over."""
    gains: dict[int, dict[str, float]] = {}
    for line_number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            number, _, document_id, grade = fields
            if int(grade) > 0:
                gains.setdefault(int(number), {})[document_id] = float(grade)
        except ValueError as error:
            raise CaseError(
                f"{path.name}, line {line_number} is {line!r}.",
                "It has to be four columns: question, 0, document, grade (whole numbers but for the document).",
            ) from error
    return gains


READERS: Mapping[str, Callable[[Path, str], Collection]] = {"scifact": read_scifact, "cranfield": read_cranfield}


def retrieval(options: argparse.Namespace) -> dict[str, Any]:
    """Figures of the set `options.kind` at `options.data`, beside those of the parts and the published ones."""
    read = READERS[options.kind](options.data, options.split)
    asked = read.questions[: options.limit]
    with open_library(options, read.abstracts) as rag:
        # No language model has a part in it, so none is opened to say what it is called.
        quoting = Rag(retriever=rag.retriever, model=QuotingModel(), settings=rag.settings)
        made = asked_with(quoting, ((str(n), text) for n, (text, _) in enumerate(asked, start=1)), options.kind)
        return {
            "abstracts": len(rag.papers),
            "questions": len(asked),
            **measured(rag, asked),
            **_parts(quoting, asked),
            **{f"published nDCG@10: {name}": value for name, value in PUBLISHED[options.kind].items()},
            MADE_WITH: {**made, "model": f"none; {rag.retriever.index.manifest.embedder}"},
        }


def _parts(quoting: Rag, asked: Sequence[tuple[str, Gains]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, part in (("meaning alone", without_keywords(quoting)), ("BM25 alone", without_vectors(quoting))):
        found |= {
            key.replace("nDCG@10", f"nDCG@10, {name}", 1): value
            for key, value in measured(part, asked).items()
            if key.startswith("nDCG@10")
        }
    return found


def measured(rag: Rag, asked: Sequence[tuple[str, Gains]]) -> dict[str, float | None]:
    """Figures of the rankings of `asked`: pairs of a question and the gain of each relevant id.

    Each with its interval and n, as `bench_result.spread` lays them out.
    """
    known = {paper.id: (paper.url or "").removeprefix(PLACE) for paper in rag.papers}
    pairs = [([known[hit.paper.id] for hit in rag.retrieve(q, k=DEPTH)], gains) for q, gains in asked]
    columns: Mapping[str, Sequence[float | None]] = {
        "nDCG@10": [ndcg_at(ranking, gains, 10) for ranking, gains in pairs],
        "MRR@10": [reciprocal_rank(ranking[:10], gains) for ranking, gains in pairs],
        "recall@10": [set_recall(ranking[:10], gains) for ranking, gains in pairs],
        f"recall@{DEPTH}": [set_recall(ranking, gains) for ranking, gains in pairs],
        f"MAP@{DEPTH}": [average_precision(ranking, gains) for ranking, gains in pairs],
    }
    return {key: value for name, column in columns.items() for key, value in spread(name, figure(column)).items()}


@contextmanager
def open_library(options: argparse.Namespace, abstracts: Iterable[tuple[str, str, str]]) -> Iterator[Rag]:
    """A Rag on a library of (id, title, text) in a temporary folder; a paper's url ends in its id.

    The index goes away with the folder; weights are those of the machine.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, home = folder / "library.jsonl", folder / "home"
        with library.open("w", encoding="utf-8") as lines:
            for place, title, text in abstracts:
                lines.write(json.dumps({"title": title, "abstract": text, "url": f"{PLACE}{place}"}) + "\n")
        settings = settings_from(options)
        home.mkdir()
        (home / "weights").symlink_to(settings.home / "weights")
        rag = Rag.open(settings.model_copy(update={"library": library, "home": home}), report=tell)
        try:
            yield rag
        finally:
            rag.close()


def _demand(files: Sequence[Path], home: str) -> None:
    for path in files:
        if not path.is_file():
            raise CaseError(f"There is no {path.name} at {str(path.parent)!r}.", f"Get it from {home}; give --data.")


def _elements(path: Path, tag: str) -> list[ET.Element]:
    """Elements called `tag`; the file may lack its root, as Cranfield's does."""
    text = read_text(path)
    bare = text.split("?>", 1)[-1] if text.startswith("<?xml") else text
    try:
        return list(ET.fromstring(f"<all>{bare}</all>").iter(tag))  # noqa: S314  (a file of the reader's own)
    except ET.ParseError as error:
        raise CaseError(f"{path.name} is not XML: {error}.", "Get it anew.") from error
