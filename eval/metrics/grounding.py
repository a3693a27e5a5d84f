"""Figures of how an answer's sentences rest on what they cite, by a judge that is not the answering model.

Functions of one answer. An abstention says nothing, so these figures do not apply to it: None. Numbers, names and
denials are read by `features` and not as `rag` reads them when it checks an answer: what is measured must not measure
itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from eval.judges.features import NEGATIONS, Text, negations, numbers_of, read, stem
from eval.judges.guards import VERBATIM
from eval.judges.judgement import Judge, Judgement
from eval.metrics.correction import Share
from eval.metrics.overlap import words
from rag import Answer, Citation, Claim

_SPELLING = re.compile(r"(?<=[A-Za-z])-(?=\d)|(?<=[A-Z])s\b")
"""What two spellings of a name differ in: "GPT-4" and "GPT4", "LLMs" and "LLM"."""


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


def entity_agreement(answer: Answer) -> float | None:
    """Share of cited sentences with a name whose names all stand in a cited quote or title; None of none.

    A name is a word with a capital that does not only begin the sentence, or with one further in ("TACO", "GPT-4"),
    compared by its stem, whatever its case. A name that the source only spells out or abbreviates is missing.

    Source: ours; entity precision against the source (Nan et al. 2021), by sentence.
    """
    told = []
    for claim in answer.claims:
        wanted = read(_SPELLING.sub("", claim.text)).names
        if wanted and claim.citations:
            texts = (read(_SPELLING.sub("", text)) for text in _texts(claim.citations))
            told.append(wanted <= {stem(word) for text in texts for word in text.words})
    return sum(told) / len(told) if told else None


def negation_agreement(answer: Answer) -> float | None:
    """Share of the cited sentences in which a denial is at stake that keep it; None of none.

    It is at stake where the sentence denies something ("not", "no", "without", "fails"): kept where a cited quote
    denies something too. And where the sentence denies nothing but a cited quote denies what it says, with a negation
    between two words that both have: lost. That the same thing is denied, or denied in other words ("label-free" for
    "without labels"), is not seen.

    Source: ours; cues of negation after NegEx (Chapman et al. 2001).
    """
    told = []
    for claim in answer.claims:
        said, quotes = read(claim.text), [read(citation.quote) for citation in claim.citations]
        denies = negations(said.words) > 0
        if quotes and (denies or any(_is_denied(said, quote) for quote in quotes)):
            told.append(denies and any(negations(quote.words) > 0 for quote in quotes))
    return sum(told) / len(told) if told else None


def _is_denied(said: Text, quote: Text) -> bool:
    """Whether the quote has a negation beside whose neighbours, stop words left out, all stand in the sentence."""
    told = [word for word in quote.words if word in NEGATIONS or read(word).stems]
    for place, word in enumerate(told):
        beside = {stem(near) for near in told[max(0, place - 1) : place + 2] if near not in NEGATIONS}
        if word in NEGATIONS and beside and beside <= set(said.stems):
            return True
    return False


def gold_sentence_recall(shown: Collection[str], gold: Sequence[str]) -> float | None:
    """Share of the gold sentences of which the words stand in a text of `shown`; None where none is known."""
    if not gold:
        return None
    texts = [f" {' '.join(words(text))} " for text in shown]
    return sum(any(f" {' '.join(words(sentence))} " in text for text in texts) for sentence in gold) / len(gold)
