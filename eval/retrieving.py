"""`python -m eval bench scifact`: does retrieval over abstracts find what a claim cites? Beside published numbers.

The whole way of a library is measured: the abstracts are written as one, indexed in a temporary folder, and searched
as a reader would. A claim's cited abstracts are its relevant ones, as in BEIR.

Source: SciFact (Wadden et al. 2020) as a retrieval set in BEIR (Thakur et al. 2021).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from eval.cases import CaseError, objects
from eval.metrics import figure
from eval.ranking import ndcg_at, reciprocal_rank, set_recall
from rag import Rag
from rag.cli import settings_from, tell

_PLACE = "https://scifact.invalid/"
"""Carries an abstract's id through the library, whose papers get ids of their own."""
PUBLISHED = {
    "BM25 (BEIR, Thakur et al. 2021)": 0.665,
    "BM25 (Anserini, multi-field)": 0.679,
    "all-MiniLM-L6-v2 (MTEB, Muennighoff et al. 2023)": 0.645,
    "bge-small-en-v1.5 (MTEB)": 0.713,
}
"""nDCG@10 on SciFact's 300 development claims (BEIR's test split): another split than train, so only near."""


def scifact(options: argparse.Namespace) -> dict[str, Any]:
    """nDCG@10, MRR@10 and recall@10 over the claims of `--split` that cite an abstract."""
    corpus, claims = options.data / "corpus.jsonl", options.data / f"claims_{options.split}.jsonl"
    for path in (corpus, claims):
        if not path.is_file():
            raise CaseError(
                f"There is no {path.name} at {str(options.data)!r}.", "Get it from github.com/allenai/scifact."
            )
    asked = [(row["claim"], {str(i) for i in row["cited_doc_ids"]}) for _, row in objects(claims)]
    asked = [(claim, cited) for claim, cited in asked if cited][: options.limit]
    with tempfile.TemporaryDirectory() as folder:
        return measured(_open(options, corpus, Path(folder)), asked)


def _open(options: argparse.Namespace, corpus: Path, folder: Path) -> Rag:
    library = folder / "scifact.jsonl"
    with library.open("w", encoding="utf-8") as lines:
        for _, row in objects(corpus):
            paper = {"title": row["title"], "abstract": " ".join(row["abstract"]), "url": f"{_PLACE}{row['doc_id']}"}
            lines.write(json.dumps(paper) + "\n")
    settings = settings_from(options)
    home = folder / "home"
    home.mkdir()
    # The index has to go away with the folder, the weights must not be fetched again.
    (home / "weights").symlink_to(settings.home / "weights")
    return Rag.open(settings.model_copy(update={"library": library, "home": home}), report=tell)


def measured(rag: Rag, asked: list[tuple[str, set[str]]]) -> dict[str, Any]:
    """Figures of the rankings of `asked`, pairs of a claim and the ids that it cites."""
    known = {paper.id: (paper.url or "").removeprefix(_PLACE) for paper in rag.papers}
    rankings = [[known[hit.paper.id] for hit in rag.retrieve(claim, k=10)] for claim, _ in asked]
    pairs = list(zip(rankings, (cited for _, cited in asked), strict=True))
    ndcg = figure([ndcg_at(ranking, dict.fromkeys(cited, 1.0), 10) for ranking, cited in pairs])
    rag.close()
    return {
        "abstracts": len(known),
        "claims": len(asked),
        "nDCG@10": ndcg.value,
        "nDCG@10, 95 % from": ndcg.low,
        "nDCG@10, 95 % to": ndcg.high,
        "MRR@10": figure([reciprocal_rank(ranking, cited) for ranking, cited in pairs]).value,
        "recall@10": figure([set_recall(ranking, cited) for ranking, cited in pairs]).value,
        **{f"published nDCG@10: {name}": value for name, value in PUBLISHED.items()},
    }
