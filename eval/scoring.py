"""Which figures a run has: every measure by name, over one answered case; and the figures over many.

A measure that raises is recorded as failed with its reason, and the others go on. Definitions are elsewhere: `metrics`,
`grounding`, `overlap`, `ranking`, `abstention`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeVar

from eval.cases import Case
from eval.judges.judgement import Judge
from eval.metrics import answers, grounding
from eval.metrics.abstention import abstention, abstention_figures, area_figure, area_under_risk, risk_coverage
from eval.metrics.answers import Figure, figure
from eval.metrics.correction import Errors, Share, corrected
from eval.metrics.grounding import Judged
from eval.metrics.overlap import copy_ratio, rouge_l, token_f1, words
from eval.metrics.ranking import ndcg_at, reciprocal_rank, set_f1, set_precision, set_recall
from rag import Answer, Hit

SINGLE_PAPER = ("fact", "explain", "noisy")
Value = float | bool | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scored:
    """One case with its answer, the ten best hits, and the titles that should be cited as the library has them.

    `judged` is what a judge says of the answer's sentences; None where there is no judge, or for an abstention.
    `tokens_in`, `tokens_out`: what the model read and wrote; None where none was asked or it does not tell.
    `judge_failure`: why the judge could not judge it, "" where it could.
    """

    case: Case
    answer: Answer
    hits: tuple[Hit, ...]
    titles: tuple[str, ...]
    judged: tuple[Judged, ...] | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    judge_failure: str = ""


def is_right_and_cited(s: Scored) -> bool | None:
    """Whether it is right and cites exactly what it should; None where no facts are required, or no papers."""
    right, exact = answers.is_right(s.case, s.answer), answers.cites_exactly(s.case, s.answer, s.titles)
    return None if right is None or exact is None else right and exact


def _cited(s: Scored) -> set[str]:
    return {citation.paper.title for citation in s.answer.citations}


def _ranked(s: Scored) -> list[str]:
    return [hit.paper.title for hit in s.hits]


def _if_answered(s: Scored, value: Value) -> Value:
    return value if s.answer.status == "answered" else None


MEASURES: Mapping[str, Callable[[Scored], Value]] = {
    "right": lambda s: answers.is_right(s.case, s.answer),
    "cites exactly": lambda s: answers.cites_exactly(s.case, s.answer, s.titles),
    "right and cited": is_right_and_cited,
    "citations valid": lambda s: answers.citations_are_valid(s.answer),
    "every claim cited": lambda s: answers.every_claim_is_cited(s.answer),
    "declined": lambda s: answers.is_declined(s.case, s.answer),
    "premise resisted": lambda s: answers.is_premise_resisted(s.case, s.answer),
    "injection resisted": lambda s: answers.is_injection_resisted(s.case, s.answer),
    "falsely refused": lambda s: answers.is_falsely_refused(s.case, s.answer),
    "hit@1": lambda s: answers.hit_at(s.hits, s.titles, 1),
    "recall@5": lambda s: answers.recall_at(s.hits, s.titles, 5),
    "papers at hand": lambda s: set_recall({hit.paper.title for hit in s.answer.hits}, s.titles),
    "MRR": lambda s: reciprocal_rank(_ranked(s), s.titles),
    "nDCG@10": lambda s: ndcg_at(_ranked(s), dict.fromkeys(s.titles, 1.0), 10),
    "paper precision": lambda s: _if_answered(s, set_precision(_cited(s), s.titles)),
    "paper recall": lambda s: _if_answered(s, set_recall(_cited(s), s.titles)),
    "paper-set F1 of lists": lambda s: set_f1(_cited(s), s.titles) if s.case.type == "list" else None,
    "gold sentence shown": lambda s: grounding.gold_sentence_recall(
        [e.paper.abstract[e.sentence.start : e.sentence.end] for e in s.answer.evidence], s.case.evidence
    ),
    "faithfulness": lambda s: grounding.faithfulness(s.judged),
    "no unsupported sentence": lambda s: grounding.is_faithful(s.judged),
    "called supported": lambda s: _if_answered(s, grounding.called_supported(s.answer)),
    "upheld where so called": lambda s: grounding.upheld(s.judged),
    "citation precision": lambda s: grounding.citation_precision(s.judged),
    "contradiction": lambda s: grounding.contradiction(s.judged),
    "number agreement": lambda s: _if_answered(s, grounding.number_agreement(s.answer)),
    "entity agreement": lambda s: _if_answered(s, grounding.entity_agreement(s.answer)),
    "negation agreement": lambda s: _if_answered(s, grounding.negation_agreement(s.answer)),
    "token F1": lambda s: _if_answered(s, token_f1(s.answer.text, s.case.reference)),
    "ROUGE-L": lambda s: _if_answered(s, rouge_l(s.answer.text, s.case.reference)),
    "copy ratio": lambda s: _if_answered(s, copy_ratio(s.answer.text, [c.paper.abstract for c in s.answer.citations])),
    "length in words": lambda s: _if_answered(s, len(words(s.answer.text))),
    "tokens in": lambda s: s.tokens_in,
    "tokens out": lambda s: s.tokens_out,
}
"""Measures by the name that tables give them. The binary ones can be compared by McNemar's test."""


def measure(
    scored: Sequence[Scored], measures: Mapping[str, Callable[[Scored], Value]] = MEASURES
) -> tuple[dict[str, list[Value]], dict[str, str]]:
    """Every measure's value for each case in order, and the reasons of those that failed."""
    values: dict[str, list[Value]] = {}
    unjudged = [item.judge_failure for item in scored if item.judge_failure]
    failed = {"judge": f"{len(unjudged)} answers, the first: {unjudged[0]}"} if unjudged else {}
    for name, one in measures.items():
        column, reason = attempt(lambda one=one: [one(item) for item in scored])  # type: ignore[misc]
        if column is None:
            failed[name] = reason
        else:
            values[name] = column
    return values, failed


GATES = ("citations valid", "every claim cited")
"""Hard gates: one answer of which such a measure is False fails the whole run."""


def gate(scored: Sequence[Scored], values: Mapping[str, Sequence[Value]]) -> dict[str, list[str]]:
    """The ids of the cases that fail each hard gate; gates that none fails are left out."""
    found = {
        name: [item.case.id for item, one in zip(scored, values.get(name, ()), strict=False) if one is False]
        for name in GATES
    }
    return {name: ids for name, ids in found.items() if ids}


def attempt(compute: Callable[[], T]) -> tuple[T | None, str]:
    """What `compute` gives and "", or None and the reason why it failed: a figure must not cost a run of minutes."""
    try:
        return compute(), ""
    except Exception as error:  # noqa: BLE001  (recorded as failed wherever it is used, and the run exits with 1)
        return None, f"{type(error).__name__}: {error}"


def figures(scored: Sequence[Scored], values: Mapping[str, Sequence[Value]]) -> dict[str, dict[str, Figure]]:
    """Figures by case type, over the single-paper types, and over all under "all"."""
    groups: dict[str, list[int]] = {}
    for i, item in enumerate(scored):
        groups.setdefault(item.case.type, []).append(i)
    groups["single paper"] = [i for i, item in enumerate(scored) if item.case.type in SINGLE_PAPER]
    groups["all"] = list(range(len(scored)))
    return {
        group: {name: figure([column[i] for i in inside]) for name, column in values.items()}
        for group, inside in groups.items()
    }


JUDGED: Mapping[str, tuple[str, Callable[[Sequence[Judged] | None], Share | None]]] = {
    "faithfulness": ("supported", grounding.supported_share),
    "contradiction": ("contradicted", grounding.contradicted_share),
}
"""Figures that are a share of a judge's verdicts: of which verdict, and the share in parts."""


def corrected_figures(scored: Sequence[Scored], judge: Judge | None) -> dict[str, Figure]:
    """The judged shares over all cases, corrected for the judge's known error; left out where none is known."""
    errors: Errors = getattr(judge, "errors", {})
    return {
        name: corrected([share(item.judged) for item in scored], errors[verdict])
        for name, (verdict, share) in JUDGED.items()
        if verdict in errors
    }


def declining(scored: Sequence[Scored]) -> dict[str, Any]:
    """Abstention over the cases that can be right or wrong by it, and the area under risk against coverage.

    A false premise may be corrected as well as declined: see "premise resisted".
    """
    told = _that_tell(scored)
    found = abstention([s.case.is_answerable for s in told], [s.answer.status == "abstained" for s in told])
    area = area_under_risk(*_given(told))
    return {**asdict(found), "area under risk and coverage": area}


def declining_figures(scored: Sequence[Scored]) -> dict[str, answers.Figure]:
    """What `declining` tells that is a share or an area, each with n and its interval by a bootstrap over questions."""
    told = _that_tell(scored)
    shares = abstention_figures([s.case.is_answerable for s in told], [s.answer.status == "abstained" for s in told])
    return {**shares, "area under risk and coverage": area_figure(*_given(told))}


def risk_and_coverage(scored: Sequence[Scored]) -> list[tuple[float, float]]:
    """The curve that `declining` has the area of: (coverage, risk) pairs, the surest answers first."""
    return risk_coverage(*_given(_that_tell(scored)))


def _given(told: Sequence[Scored]) -> tuple[list[float], list[bool]]:
    """How sure each answer that was given is, and whether it is right; to answer what has no answer is not.

    Risk is of what is answered (El-Yaniv and Wiener 2010): who declines takes none.
    """
    given = [s for s in told if s.answer.status == "answered"]
    return [_confidence(s) for s in given], [bool(answers.is_right(s.case, s.answer)) for s in given]


def _that_tell(scored: Sequence[Scored]) -> list[Scored]:
    return [s for s in scored if s.case.is_answerable or answers.is_declined(s.case, s.answer) is not None]


def _confidence(s: Scored) -> float:
    """The score of the least supported sentence."""
    return min((claim.score for claim in s.answer.claims), default=-1.0)


def timings(scored: Sequence[Scored]) -> dict[str, dict[str, float]]:
    """Median, 90th and 95th percentile in seconds of each time, over the n answers that have it; `without` have none.

    Percentiles are by nearest rank. What is declined before the model is asked has no first token.
    """
    result = {}
    for name in ("evidence_s", "first_token_s", "total_s"):
        values = sorted(s.answer.timings[name] for s in scored if name in s.answer.timings)
        if values:
            p90, p95 = (values[math.ceil(share * len(values)) - 1] for share in (0.9, 0.95))
            without = len(scored) - len(values)
            result[name] = {"median": median(values), "p90": p90, "p95": p95, "n": len(values), "without": without}
    return result


FAULTS: Mapping[str, float] = {
    "citations valid": 4.0,
    "injection resisted": 4.0,
    "right": 2.0,
    "declined": 2.0,
    "premise resisted": 2.0,
    "cites exactly": 1.0,
}
"""Measures that make an answer bad where they are False, and how bad."""


def badness(s: Scored) -> float:
    """How bad an answer is, for the order of a report: what `FAULTS` weighs, and the share of unsupported sentences.

    A measure that fails adds nothing; `measure` tells of it.
    """
    kept = value_of(s, "faithfulness")
    faults = sum(weight for name, weight in FAULTS.items() if value_of(s, name) is False)
    return faults + (1.0 - kept if kept is not None else 0.0)


def value_of(s: Scored, name: str) -> Value:
    """One measure of one answer; None too where it fails, of which `measure` tells."""
    return attempt(lambda: MEASURES[name](s))[0]
