"""A small real library for tests of the page: nine invented papers, a hashing embedder and a model that quotes."""

from __future__ import annotations

import json
import threading

from fakes import HashedEncoder
from pydantic import PrivateAttr

from eval.benchmarks.quoting import QuotingModel
from rag.library.ledger import Ledger
from rag.library.shelf import Shelf
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.settings import Settings

NAMES = (
    ("WhaleNet", "whale songs", 31, 2019),
    ("BeeDance", "bee dances", 42, 2021),
    ("AntTrail", "ant trails", 53, 2022),
    ("MoleDig", "mole tunnels", 64, 2022),
    ("OwlHunt", "owl flights", 75, 2023),
    ("EelSwim", "eel swims", 86, 2024),
    ("BatEcho", "bat echoes", 97, 2024),
    ("CrowTalk", "crow calls", 28, 2025),
    ("FoxDen", "fox dens", 39, 2025),
)
ROWS = [
    {
        "title": f"{name}: a system for {topic}",
        "abstract": f"We present {name}, a system for {topic}. {name} was trained on {number} thousand {topic} "
        f"recordings. It reaches an accuracy of {number + 1}% on the {name}Bench benchmark.",
        "year": year,
        "venue": "Letters of Nature",
    }
    for name, topic, number, year in NAMES
]


class HeldModel(QuotingModel):
    """Quotes once its gate is open."""

    _gate: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def gate(self):
        return self._gate

    def _stream(self, *arguments, **options):
        assert self._gate.wait(30)
        return super()._stream(*arguments, **options)


class WrongModel(QuotingModel):
    """Quotes a sentence, whatever was asked."""

    def _stream(self, messages, *arguments, **options):
        return super()._stream(
            [message.model_copy(update={"content": ""}) for message in messages], *arguments, **options
        )


def rag_on(folder, rows, encoder=None, model=None):
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "mine.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shelf = Shelf(source, Ledger(folder / "changes.jsonl"), folder / "index", encoder or HashedEncoder())
    shelf.update()
    retriever = FusedRetriever(index=shelf.open(), encoder=shelf.encoder)
    return Rag(retriever=retriever, model=model or QuotingModel(), settings=Settings(home=folder / "home"), shelf=shelf)
