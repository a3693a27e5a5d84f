"""An extra: a chat model asked for one word. Not calibrated, not frozen, and a remote one may change its mind.

"llm" asks the model that answers, "llm:MODEL" another; with `FOOTNOTE_MODEL__BASE_URL` set it is asked at
that endpoint. A local model's probabilities are read; of a remote one there is only the word that it says. Never the
default: its figures carry "extra" in the judge's name, and it may be the model whose answers it judges.

Source: LLM-as-a-judge (Zheng et al. 2023), with its known faults: it prefers its own words, and its verdicts move.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import prompts
from eval.judges.excerpt import excerpts
from eval.judges.feature_judge import Encoder
from eval.judges.features import split
from eval.judges.judgement import NOTHING, Evidence, JudgeError, Judgement, Report
from rag import shares

if TYPE_CHECKING:
    from rag import Rag

_MEANINGS = {"supported": (1.0, 0.0, 0.0), "contradicted": (0.0, 1.0, 0.0), "unknown": (0.0, 0.0, 1.0)}


class LlmJudge:
    """See the module."""

    def __init__(self, model: Any, encoder: Encoder, name: str) -> None:
        self._model = model
        self._encoder = encoder
        self.id = f"llm:{name} (extra)"

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`.

        Raises:
            JudgeError: the model said something other than one of the three words.
        """
        texts = excerpts(pairs, self._encoder)
        return [
            self._one(text, claim) if split(evidence) else NOTHING
            for text, (evidence, claim) in zip(texts, pairs, strict=True)
        ]

    def _one(self, excerpt: str, claim: str) -> Judgement:
        claim = " ".join(claim.split())
        if getattr(self._model, "first_word_logprobs", None) is not None:
            return Judgement(*shares(self._model, claim, excerpt))
        messages = prompts.load("judge").messages(claim=claim, evidence=excerpt)
        return word_said(str(self._model.invoke(messages).content))


def word_said(text: str) -> Judgement:
    """The judgement that a reply begins with.

    Raises:
        JudgeError: it begins with none.
    """
    said = text.strip().strip("\"'*.").lower()
    for word, probabilities in _MEANINGS.items():
        if said.startswith(word):
            return Judgement(*probabilities)
    raise JudgeError(
        f"The judging model said {text[:60]!r}.",
        "It has to say Supported, Contradicted or Unknown: take another model.",
    )


def open_llm_judge(name: str, *, report: Report, rag: Rag | None = None) -> LlmJudge:
    """The judge over the model called `name`; over that of `rag`, or else of the settings, where `name` is "".

    The model of `rag` is not opened again.
    """
    from rag import Rag, Settings

    settings = rag.settings if rag else Settings()
    if rag is None or (name and name != settings.model.name):
        if name:
            settings = settings.model_copy(update={"model": settings.model.model_copy(update={"name": name})})
        rag = Rag.open(settings, report=report)
    return LlmJudge(rag.model, rag.retriever.encoder, rag.description.model)
