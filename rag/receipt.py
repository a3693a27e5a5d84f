"""Checks a saved answer, or what was found for a claim, without a model: is every citation still what it says it is?

`Answer.to_dict` and `Balance.to_dict` carry all that is needed. Their digest shows any later change. Since whoever
changes a file can also make a new digest, what can be recomputed is checked by itself. Of an answer: the text against
the claims, or where it is declined against the papers found; each quote, sentence and passage against its abstract;
each claim's numbers and words against its quotes; scores and counts against their range. Of a weighed claim: each
sentence against its abstract, each stance against the model's probabilities and the claim's numbers, and the counts.
Where a library is given, each paper is held against it.

Does not judge meaning: that a sentence of the answer follows from its quotes was the business of `rag.grounding`, and
what the model thought of a paper is taken as it was kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, get_args

from rag.balance import STANCES, Balance, Weighed, stance_of
from rag.grounding import LEAST_COVERAGE, shown_text
from rag.language.quantities import missing_names, numbers_in
from rag.language.terms import tokenize
from rag.schema import Answer, Citation, Claim, Evidence, Hit, Paper, Status, digest, paper_from
from rag.wording import abstention_text, counterpart_text

_OF_A_PAPER = tuple(field.name for field in fields(Paper) if field.name not in ("id", "title", "abstract", "source"))
"""What a library says of a paper beside its words, whichever file it was read from."""


def verify(receipt: Mapping[str, Any], papers: Iterable[Paper] | None = None) -> tuple[str, ...]:
    """What is wrong with an answer or a weighed claim as its `to_dict` gave it; an honest one gives ().

    Args:
        receipt: the dictionary, perhaps read back from JSON. Anything that is no such dictionary is a problem, never an
            exception.
        papers: the library that it claims to rest on; without it the papers are only held against the digest.
    """
    of_claim = is_of_claim(receipt)
    try:
        saved = Balance.from_dict(receipt) if of_claim else Answer.from_dict(receipt)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        what = "weighed claim" if of_claim else "saved answer"
        return (f"This is not a {what}: {_misfit(receipt, Balance if of_claim else Answer) or repr(error)}.",)
    except RecursionError:
        return (_TOO_DEEP,)
    try:
        found = _balance_problems(saved) if isinstance(saved, Balance) else _problems(saved)
        problems = [*_seal_problems(receipt), *found]
        if papers is not None:
            problems += _library_problems(_papers_of(saved), {paper.id: paper for paper in papers})
        return tuple(dict.fromkeys(problems))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return (f"A value is not of its type: {type(error).__name__}: {error}.",)
    except RecursionError:
        return (_TOO_DEEP,)


def _misfit(receipt: object, kind: type[Answer] | type[Balance]) -> str:
    """How `receipt` differs from what `kind` is written as, as far as its own fields tell; "" where they do not."""
    if not isinstance(receipt, Mapping):
        return "it is no JSON object"
    names = [field.name for field in fields(kind)]
    if strange := [str(key) for key in receipt if key not in names]:
        return f"it has a field {strange[0]!r}, which none has"
    missing = [name for name in names if name not in receipt]
    return f"it has no field {missing[0]!r}" if missing else ""


_TOO_DEEP = "It is nested too deep."


def is_of_claim(receipt: object) -> bool:
    """Whether a receipt says that it is of a weighed claim, not of an answer."""
    return isinstance(receipt, Mapping) and "claim" in receipt


def _seal_problems(receipt: Mapping[str, Any]) -> Iterator[str]:
    if receipt.get("digest") != digest(receipt):
        yield "The digest does not fit: something was changed after it was saved."


def _papers_of(saved: Answer | Balance) -> list[Paper]:
    if isinstance(saved, Balance):
        return [one.paper for one in saved.papers]
    return [item.paper for items in (saved.citations, saved.evidence, saved.hits) for item in items]


def _balance_problems(balance: Balance) -> Iterator[str]:
    if not balance.claim.strip():
        yield "It states no claim."
    if len({one.paper.id for one in balance.papers}) < len(balance.papers):
        yield "A paper is counted twice."
    if not len(balance.papers) <= balance.near <= balance.among:
        yield f"It cannot be that {len(balance.papers)} of {balance.near} near and {balance.among} papers were read."
    for one in balance.papers:
        yield from _weighed_problems(balance.claim, one)


def _weighed_problems(claim: str, one: Weighed) -> Iterator[str]:
    title = one.paper.title
    if not one.evidence:
        yield f"Nothing was read of {title!r}."
    for item in one.evidence:
        yield from _evidence_problems(item)
        if item.paper != one.paper:
            yield f"Evidence {item.number} is not from {title!r}."
    if one.stance not in STANCES:
        yield f"{one.stance!r} is no stance: {title!r}."
        return
    told = one.told or tuple(one.probability if one.stance == stance else 0.0 for stance in STANCES)
    if len(told) != len(STANCES) or min(told) < 0 or max(told) > 1 or (one.told and abs(sum(told) - 1) > 0.01):
        yield f"These are no probabilities: {title!r}."
        return
    stance = stance_of(claim, f"{title} {one.words}", told)
    if one.stance != stance or one.probability != told[STANCES.index(stance)]:
        yield f"Its probabilities, or its numbers, do not make it one that {_SAID[one.stance]}: {title!r}."


_SAID = {"supports": "supports the claim", "contradicts": "contradicts the claim", "silent": "says neither"}


def _problems(answer: Answer) -> Iterator[str]:
    yield from _statement_problems(answer)
    cited = [citation for claim in answer.claims for citation in claim.citations]
    if {c.marker: c for c in cited} != {c.marker: c for c in answer.citations}:
        yield "The citations of the claims are not those of the answer."
    if [c.marker for c in answer.citations] != list(range(1, len(answer.citations) + 1)):
        yield "The markers do not count from 1."
    for citation in answer.citations:
        yield from _citation_problems(citation)
    if [hit.rank for hit in answer.hits] != list(range(1, len(answer.hits) + 1)):
        yield "The ranks do not count from 1."
    for hit in answer.hits:
        yield from _hit_problems(hit)
    for item in answer.evidence:
        yield from _evidence_problems(item)
    for claim in answer.claims:
        yield from _claim_problems(claim)


def _statement_problems(answer: Answer) -> Iterator[str]:
    """What is wrong with what the answer says of itself: its status, its text, how many papers it is about."""
    if answer.status not in get_args(Status):
        yield f"{answer.status!r} is no status."
    if answer.status == "abstained" and answer.text != abstention_text(answer.hits):
        yield "It is said to be declined, but its text says something else."
    if answer.surveyed < 0 or (answer.surveyed and sum(bool(c.subject) for c in answer.claims) > answer.surveyed):
        yield f"It cannot be that {answer.surveyed} papers were gone through."
    if answer.claims and answer.text not in _texts_of(answer):
        yield "The text is not what its claims say."
    if answer.status == "answered" and not answer.citations:
        yield "It is said to be answered but cites nothing."
    if answer.status == "abstained" and (answer.claims or answer.citations):
        yield "It is said to be declined but makes claims."


def _texts_of(answer: Answer) -> tuple[str, ...]:
    """What the text may be by the claims."""
    is_of_another = answer.surveyed and answer.standalone_question not in ("", answer.question)
    shown = shown_text(answer.claims, answer.surveyed)
    return (shown, counterpart_text(answer)) if is_of_another else (shown,)


def _evidence_problems(item: Evidence) -> Iterator[str]:
    sentence = item.sentence
    if not _stands(sentence.text, item.paper, sentence.start, sentence.end) or sentence.paper_id != item.paper.id:
        yield f"Evidence {item.number} does not stand where it says in {item.paper.title!r}."
    if not 0 <= item.score <= 1:
        yield f"Evidence {item.number} has a score of {item.score}, which is not from 0 to 1."


def _citation_problems(citation: Citation) -> Iterator[str]:
    if not citation.quote.strip() or not _stands(citation.quote, citation.paper, citation.start, citation.end):
        yield f"[{citation.marker}] does not quote the characters that it points to in {citation.paper.title!r}."


def _hit_problems(hit: Hit) -> Iterator[str]:
    passage = hit.passage
    if not _stands(passage.text, hit.paper, passage.start, passage.end) or passage.paper_id != hit.paper.id:
        yield f"The passage at rank {hit.rank} does not stand where it says in {hit.paper.title!r}."
    if not (isinstance(hit.score, int | float) and 0 <= hit.score < math.inf):
        yield f"The paper at rank {hit.rank} has a score of {hit.score!r}, which is no number from 0 on."


def _stands(text: str, paper: Paper, start: int, end: int) -> bool:
    """Whether `text` is what these offsets point to; one below 0 would count from the end."""
    return 0 <= start < end <= len(paper.abstract) and paper.abstract[start:end] == text


def _claim_problems(claim: Claim) -> Iterator[str]:
    if not claim.citations:
        yield f"No source: {claim.text!r}."
        return
    if not 0 <= claim.score <= 1:
        yield f"A score of {claim.score} is not from 0 to 1: {claim.text!r}."
    if claim.verdict not in ("supported", "partly"):
        yield f"Shown although {claim.verdict}: {claim.text!r}."
    if claim.is_quote and claim.text not in [citation.quote for citation in claim.citations]:
        yield f"Not the words of its source: {claim.text!r}."
    sources = " ".join(f"{citation.paper.title} {citation.quote}" for citation in claim.citations)
    missing = numbers_in(claim.text, with_one=False, in_names=False) - numbers_in(sources)
    if missing:
        yield f"Numbers that its source does not have ({', '.join(sorted(missing))}): {claim.text!r}."
    papers = " ".join(f"{citation.paper.title} {citation.paper.abstract}" for citation in claim.citations)
    if not claim.is_quote and (names := missing_names(claim.text, papers)):
        yield f"Names that its papers do not have ({', '.join(names)}): {claim.text!r}."
    if _shared(tokenize(claim.text), tokenize(sources)) < LEAST_COVERAGE / 2:  # unweighted; grounding weighs by rarity
        yield f"Hardly a word of its source: {claim.text!r}."


def _shared(said: Sequence[str], have: Sequence[str]) -> float:
    known = frozenset(have)
    return sum(term in known for term in said) / len(said) if said else 1.0


def _library_problems(shown: Iterable[Paper], library: Mapping[str, Paper]) -> Iterator[str]:
    for paper in dict.fromkeys(shown):
        if paper.id not in library:
            yield f"The library has no such paper: {paper.title!r}."
            continue
        own = paper_from(asdict(library[paper.id]))  # lists and tuples alike
        if (own.title, own.abstract) != (paper.title, paper.abstract):
            yield f"The library has other words for {paper.title!r}."
        if other := [name for name in _OF_A_PAPER if getattr(own, name) != getattr(paper, name)]:
            yield f"The library has another {', '.join(other)} for {paper.title!r}."
