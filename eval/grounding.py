"""Figures of how an answer's sentences rest on what they cite, by a judge that is not the answering model.

Functions of one answer. An abstention says nothing, so these figures do not apply to it: None.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from eval.correction import Share
from eval.features import numbers_of
from eval.guards import VERBATIM
from eval.judgement import Judge, Judgement
from eval.overlap import words
from rag import Answer, Citation, Claim


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence of an answer: `together` judges it by all it cites, `precise` says which citations are needed."""

    claim: Claim
    together: Judgement | None
    precise: tuple[bool, ...]

    @property
    def is_supported(self) -> bool:
        """ALCE's citation recall of a sentence: all it cites together support it; uncited is not supported."""
        return self.together is not None and self.together.is_supported


def judge_answer(judge: Judge, answer: Answer) -> tuple[Judged, ...] | None:
    """Every sentence of an answer; None for an abstention.

    A citation is imprecise if its sentence is not supported, or if it does not support it alone and the others do
    without it.

    Source: ALCE (Gao et al. 2023), sections 3.2 and appendix; each citation stands for its title and its quote.
    """
    return judge_answers(judge, [answer])[0]


def judge_answers(judge: Judge, answers: Sequence[Answer]) -> list[tuple[Judged, ...] | None]:
    """`judge_answer` of each, all asked at once: a judge over a language model reads what begins alike together."""
    answered = [answer.claims if answer.status == "answered" else () for answer in answers]
    asked = [
        (_texts(chosen), claim.text) for claims in answered for claim in claims for chosen in _choices(claim.citations)
    ]
    verdicts = iter(judge.judge(asked))
    judged = [
        tuple(_judged(claim, [next(verdicts) for _ in _choices(claim.citations)]) for claim in claims)
        for claims in answered
    ]
    return [item if answer.status == "answered" else None for item, answer in zip(judged, answers, strict=True)]


def _choices(citations: Sequence[Citation]) -> list[list[Citation]]:
    """All together; where there are several, each alone and then each left out."""
    if not citations:
        return []
    alone = [[citation] for citation in citations]
    without = [[other for other in citations if other is not citation] for citation in citations]
    return [list(citations), *alone, *without] if len(citations) > 1 else [list(citations)]


def _judged(claim: Claim, verdicts: Sequence[Judgement]) -> Judged:
    if not verdicts:
        return Judged(claim, None, ())
    together, rest = verdicts[0], verdicts[1:]
    if not rest:
        return Judged(claim, together, (together.is_supported,))
    alone, without = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    needed = (a.is_supported or not w.is_supported for a, w in zip(alone, without, strict=True))
    return Judged(claim, together, tuple(together.is_supported and is_needed for is_needed in needed))


def _texts(citations: Sequence[Citation]) -> tuple[str, ...]:
    return tuple(text for citation in citations for text in (citation.paper.title, citation.quote))


def faithfulness(judged: Sequence[Judged] | None) -> float | None:
    """Share of the sentences that what they cite supports (ALCE's citation recall); None of no sentence.

    Source: RAGAS' faithfulness (Es et al. 2023), with a local judge and by sentence.
    """
    return sum(item.is_supported for item in judged) / len(judged) if judged else None


def is_faithful(judged: Sequence[Judged] | None) -> bool | None:
    """Whether no sentence is unsupported; None of no sentence."""
    return all(item.is_supported for item in judged) if judged else None


def called_supported(answer: Answer) -> float | None:
    """Share of the sentences in the model's own words that the answer calls supported; None of none."""
    own = [claim for claim in answer.claims if not claim.is_quote]
    return sum(claim.verdict == "supported" for claim in own) / len(own) if own else None


def upheld(judged: Sequence[Judged] | None) -> float | None:
    """`faithfulness` of the sentences in the model's own words that the answer calls supported; None of none.

    Quotations are left out: they would make every answer look sure.
    """
    called = [item for item in judged or () if not item.claim.is_quote and item.claim.verdict == "supported"]
    return faithfulness(called)


def citation_precision(judged: Sequence[Judged] | None) -> float | None:
    """ALCE's citation precision: share of the citations that are precise; None where nothing is cited."""
    precise = [is_precise for item in judged or () for is_precise in item.precise]
    return sum(precise) / len(precise) if precise else None


def contradiction(judged: Sequence[Judged] | None) -> float | None:
    """Share of the cited sentences that what they cite more likely contradicts than not; None of none."""
    told = [item.together.p_contradicted >= 0.5 for item in judged or () if item.together is not None]
    return sum(told) / len(told) if told else None


def supported_share(judged: Sequence[Judged] | None) -> Share | None:
    """`faithfulness` in parts: what stands word for word is sure, what else is cited is open; None of no sentence."""
    if not judged:
        return None
    still_open = [item for item in judged if item.together is not None and item.together != VERBATIM]
    return Share(
        sure=sum(item.together == VERBATIM for item in judged) / len(judged),
        open=len(still_open) / len(judged),
        judged=sum(item.is_supported for item in still_open) / len(judged),
    )


def contradicted_share(judged: Sequence[Judged] | None) -> Share | None:
    """`contradiction` in parts: what stands word for word is not contradicted; None where nothing is cited."""
    told = [item.together for item in judged or () if item.together is not None]
    if not told:
        return None
    still_open = [together for together in told if together != VERBATIM]
    return Share(
        sure=0.0,
        open=len(still_open) / len(told),
        judged=sum(together.p_contradicted >= 0.5 for together in still_open) / len(told),
    )


def number_agreement(answer: Answer) -> float | None:
    """Share of cited sentences with a number whose numbers all stand in a cited quote or title; None of none."""
    told = []
    for claim in answer.claims:
        wanted = numbers_of(claim.text)
        if wanted and claim.citations:
            told.append(wanted <= frozenset().union(*(numbers_of(text) for text in _texts(claim.citations))))
    return sum(told) / len(told) if told else None


def gold_sentence_recall(shown: Collection[str], gold: Sequence[str]) -> float | None:
    """Share of the gold sentences of which the words stand in a text of `shown`; None where none is known."""
    if not gold:
        return None
    texts = [f" {' '.join(words(text))} " for text in shown]
    return sum(any(f" {' '.join(words(sentence))} " in text for text in texts) for sentence in gold) / len(gold)
