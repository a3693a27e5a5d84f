"""Footnote: answers about a library of paper abstracts, every sentence tied to the sentence it rests on.

    from rag import Rag, Settings, answer

    a = answer("How does FROSTER keep CLIP general?")
    print(a.text)

Public names are loaded when first used: `import rag` costs milliseconds and loads no torch, gradio or chromadb.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.assembly import has_model
    from rag.balance import Balance, Weighed, shares
    from rag.default import answer
    from rag.doctor import describe_machine
    from rag.errors import FootnoteError
    from rag.language.counts import counted
    from rag.language.phrases import shared_phrase
    from rag.library.atlas import Atlas, draw_atlas
    from rag.library.finding import Found
    from rag.library.intake import Offer, Preview
    from rag.library.ledger import Change
    from rag.library.opened import Library, Overview
    from rag.library.shelf import Outcome
    from rag.pipeline import Rag
    from rag.receipt import verify
    from rag.schema import (
        Answer,
        Citation,
        Claim,
        Event,
        Evidence,
        EvidenceFound,
        Hit,
        Paper,
        Passage,
        Sentence,
        Subject,
        TextPiece,
    )
    from rag.settings import Settings
    from rag.survey import Opinion, shown_of_each
    from rag.trace import ClaimTrace, Ranked, Trace

__version__ = "0.1.0"

_HOME = {
    "FootnoteError": "rag.errors",
    "Rag": "rag.pipeline",
    "answer": "rag.default",
    "Settings": "rag.settings",
    "Balance": "rag.balance",
    "Weighed": "rag.balance",
    "shares": "rag.balance",
    "counted": "rag.language.counts",
    "shared_phrase": "rag.language.phrases",
    "describe_machine": "rag.doctor",
    "Atlas": "rag.library.atlas",
    "draw_atlas": "rag.library.atlas",
    "Change": "rag.library.ledger",
    "Found": "rag.library.finding",
    "Library": "rag.library.opened",
    "Offer": "rag.library.intake",
    "Outcome": "rag.library.shelf",
    "Overview": "rag.library.opened",
    "Preview": "rag.library.intake",
    "has_model": "rag.assembly",
    "verify": "rag.receipt",
    "Opinion": "rag.survey",
    "shown_of_each": "rag.survey",
    "Ranked": "rag.trace",
    "ClaimTrace": "rag.trace",
    "Trace": "rag.trace",
    **dict.fromkeys(
        [
            "Answer",
            "Citation",
            "Claim",
            "Event",
            "Evidence",
            "EvidenceFound",
            "Hit",
            "Paper",
            "Passage",
            "Sentence",
            "Subject",
            "TextPiece",
        ],
        "rag.schema",
    ),
}

__all__ = [
    "Answer",
    "Atlas",
    "Balance",
    "Change",
    "Citation",
    "Claim",
    "ClaimTrace",
    "Event",
    "Evidence",
    "EvidenceFound",
    "FootnoteError",
    "Found",
    "Hit",
    "Library",
    "Offer",
    "Opinion",
    "Outcome",
    "Overview",
    "Paper",
    "Passage",
    "Preview",
    "Rag",
    "Ranked",
    "Sentence",
    "Settings",
    "Subject",
    "TextPiece",
    "Trace",
    "Weighed",
    "answer",
    "counted",
    "describe_machine",
    "draw_atlas",
    "has_model",
    "shared_phrase",
    "shares",
    "shown_of_each",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
