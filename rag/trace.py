"""How an answer, or what was found for a claim, came about, step by step, for whoever wants to look behind it.

Nothing of this is stored with either: the rankings and the prompts are computed anew from its question and its
evidence, which gives the same as long as library, embedder and prompt are the same. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.balance import Balance
from rag.schema import Answer, Paper


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper that a search considered. Ranks count from 1; None where that ranking does not hold the paper.

    `similarity` is the cosine of its best passage with the question, in [-1, 1]; `keyword_score` its BM25 score, at
    least 0; `score` the fused one, by which it stands at `rank`.
    """

    paper: Paper
    rank: int
    score: float
    dense_rank: int | None
    similarity: float | None
    keyword_rank: int | None
    keyword_score: float | None


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer and what led to it.

    `relevance` in [0, 1] says how likely the papers found bear on the question at all; below `abstain_below` an answer
    is declined without asking the model. `prompts` are the (role, text) messages of each call of the model, one for
    each paper of a question about several; empty where the model was not asked. `searched_for` are the words by which
    papers were searched: the stand-alone question, of a follow-up with the last answer. `left_out` are sentences that
    the model wrote and that are not shown as they are, each with the reason, as far as words tell it.
    """

    answer: Answer
    candidates: tuple[Ranked, ...]
    relevance: float
    abstain_below: float
    prompts: tuple[tuple[tuple[str, str], ...], ...]
    searched_for: str
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimTrace:
    """What was found for a claim and what led to it.

    `coverage` is the share of the claim's words, weighted by rarity, that each candidate holds, by paper id, in [0, 1];
    a paper below `least_coverage` was not read. A stance needs a probability of `sure_from`. `prompts` are the (role,
    text) messages by which each of `balance.papers` was read; empty where the prompt is another one today.
    """

    balance: Balance
    candidates: tuple[Ranked, ...]
    coverage: Mapping[str, float]
    least_coverage: float
    sure_from: float
    prompts: tuple[tuple[tuple[str, str], ...], ...]
