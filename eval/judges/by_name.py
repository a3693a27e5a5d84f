"""Judges: is a claim supported by its evidence, contradicted, or neither? The lexical floor, and the others by name.

A judge sees texts alone, never who wrote them. `open_judge` finds one by name: "lexical", "features", "verdict",
"nli:ID" for any sequence-classification model of transformers (see `entailment`), "llm" or "llm:MODEL" for a chat
model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.judges.features import read, split
from eval.judges.judgement import Evidence, Judge, JudgeError, Judgement, Report

if TYPE_CHECKING:
    from rag import Rag


class LexicalJudge:
    """The floor: the share of the claim's content stems that stand anywhere in the evidence is `p_supported`.

    It cannot see contradiction, so what is not supported is `p_neither`. Every judge is to be shown beside it.

    Source: bag-of-words overlap, as in the floor of AttributionBench's and SciFact's papers.
    """

    id = "lexical@1"

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        return [self._one(evidence, claim) for evidence, claim in pairs]

    @staticmethod
    def _one(evidence: Evidence, claim: str) -> Judgement:
        have = {stem for text in split(evidence) for stem in read(text).stems}
        wanted = set(read(claim).stems)
        share = len(wanted & have) / len(wanted) if wanted and have else 0.0
        return Judgement(share, 0.0, 1.0 - share)


BUILT_IN = ("lexical", "features", "verdict")
DEFAULT = "verdict"
"""Chosen by agreement with people on pairs that were not fitted on: see docs/eval.md."""
NAMES = f"{', '.join(BUILT_IN)}; or nli:MODEL-ID-OR-FOLDER, llm, llm:MODEL"


def open_judge(name: str, *, report: Report = lambda _line: None, rag: Rag | None = None) -> Judge:
    """The judge called `name`: one of `BUILT_IN`, "nli:" and a model's id or folder, "llm", or "llm:" and a model's id.

    Args:
        name: as above.
        report: told in a line each what takes time.
        rag: an open Rag, so that its embedder and its model are not loaded twice.

    Raises:
        JudgeError: there is none of that name, or its weights are missing.
    """
    if name == "lexical":
        return LexicalJudge()
    if name == "features":
        from eval.judges.feature_judge import open_feature_judge

        return open_feature_judge(report=report, rag=rag)
    if name == "verdict":
        from eval.judges.verdict_judge import open_verdict_judge

        return open_verdict_judge(report=report, rag=rag)
    if name.startswith("nli:") and len(name) > 4:
        from eval.judges.entailment import EntailmentJudge

        return EntailmentJudge(name.removeprefix("nli:"))
    if name == "llm" or (name.startswith("llm:") and len(name) > 4):
        from eval.judges.llm_judge import open_llm_judge

        return open_llm_judge(name.removeprefix("llm").removeprefix(":"), report=report, rag=rag)
    raise JudgeError(f"There is no judge {name!r}.", f"Built in: {NAMES}.")
