"""Checks a saved answer without a model: is every citation still what it says it is?

`Answer.to_dict` carries all that is needed. Its digest shows any later change. Since whoever changes a file can also
make a new digest, what can be recomputed is checked by itself: the text against the claims, each quote against its
abstract, each claim's numbers and words against its quotes, and, where a library is given, each paper against it.

Does not judge meaning: that a sentence of the answer follows from its quotes was the business of `rag.grounding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rag.grounding import LEAST_COVERAGE, shown_text
from rag.keywords import tokenize
from rag.quantities import missing_names, numbers_in
from rag.schema import Answer, Citation, Claim, Paper, digest


def verify(receipt: Mapping[str, Any], papers: Iterable[Paper] | None = None) -> tuple[str, ...]:
    """What is wrong with an answer as `Answer.to_dict` gave it; an honest one gives ().

    Args:
        receipt: the dictionary, perhaps read back from JSON. Anything that is no such dictionary is a problem, never an
            exception.
        papers: the library that it claims to rest on; without it the papers are only held against the digest.
    """
    try:
        answer = Answer.from_dict(receipt)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return (f"This is not a saved answer: {type(error).__name__}: {error}.",)
    try:
        return tuple(dict.fromkeys(_problems(receipt, answer, papers)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return (f"A value is not of its type: {type(error).__name__}: {error}.",)


def _problems(receipt: Mapping[str, Any], answer: Answer, papers: Iterable[Paper] | None) -> Iterator[str]:
    if receipt.get("digest") != digest(receipt):
        yield "The digest does not fit: something was changed after the answer was saved."
    if answer.claims and answer.text != shown_text(answer.claims, answer.surveyed):
        yield "The text is not what its claims say."
    if answer.status == "answered" and not answer.citations:
        yield "It is said to be answered but cites nothing."
    if answer.status == "abstained" and (answer.claims or answer.citations):
        yield "It is said to be declined but makes claims."
    cited = [citation for claim in answer.claims for citation in claim.citations]
    if {c.marker: c for c in cited} != {c.marker: c for c in answer.citations}:
        yield "The citations of the claims are not those of the answer."
    if [c.marker for c in answer.citations] != list(range(1, len(answer.citations) + 1)):
        yield "The markers do not count from 1."
    for citation in answer.citations:
        yield from _citation_problems(citation)
    for item in answer.evidence:
        sentence = item.sentence
        if item.paper.abstract[sentence.start : sentence.end] != sentence.text or sentence.paper_id != item.paper.id:
            yield f"Evidence {item.number} does not stand where it says in {item.paper.title!r}."
    for claim in answer.claims:
        yield from _claim_problems(claim)
    if papers is not None:
        yield from _library_problems(answer, {paper.id: paper for paper in papers})


def _citation_problems(citation: Citation) -> Iterator[str]:
    paper = citation.paper
    if not citation.quote.strip() or paper.abstract[citation.start : citation.end] != citation.quote:
        yield f"[{citation.marker}] does not quote the characters that it points to in {paper.title!r}."


def _claim_problems(claim: Claim) -> Iterator[str]:
    if not claim.citations:
        yield f"No source: {claim.text!r}."
        return
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


def _library_problems(answer: Answer, library: Mapping[str, Paper]) -> Iterator[str]:
    shown = [c.paper for c in answer.citations] + [e.paper for e in answer.evidence] + [h.paper for h in answer.hits]
    for paper in {paper.id: paper for paper in shown}.values():
        own = library.get(paper.id)
        if own is None:
            yield f"The library has no such paper: {paper.title!r}."
        elif (own.title, own.abstract) != (paper.title, paper.abstract):
            yield f"The library has other words for {paper.title!r}."
