"""From what the model wrote to claims that rest on sentences of abstracts, or to nothing.

Each sentence of the draft is held against every evidence sentence: how many of its words (rare ones count more)
stand there or in the paper's title, how near the two are in meaning, whether its numbers are among theirs and mean the
same there (`misreading`), and whether one denies what the other says. The best sentence is cited, others of its paper
where they hold words that it lacks. A sentence without support is dropped; where nothing is left, the best evidence
itself is the answer, quoted.

What is left is *supported* where it keeps to the words that it cites (`fidelity`), else *partly*: a relation turned
round ("A beats B" for "B beats A") is no more than that. Knows nothing of retrieval, prompts or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rag.drafts import marked_sentences
from rag.evidence import in_context, is_quotable
from rag.index import PassageEncoder
from rag.keywords import KeywordIndex, coverage
from rag.language.fidelity import MOST_UNSAID, Fidelity, adds_negation, fidelity, is_denial, loses_negation, may_deny
from rag.language.misreading import misread
from rag.language.quantities import missing_names, numbers_in
from rag.language.terms import tokenize, words
from rag.schema import Citation, Claim, Evidence, Paper, Verdict
from rag.subjects import NAME, holding_name

COVERAGE_SHARE = 0.7
"""How much of the score is words; the rest is cosine."""
LEAST_COVERAGE = 0.25
"""A claim of which less than this stands in the evidence is not supported, however much of it repeats the question."""
MARKED = 0.1
"""How much better another sentence has to be than the one that the model itself marked."""
SECOND_GAIN = 0.15
"""Coverage that a second cited sentence must add."""
THIRD_GAIN = 0.1
"""Coverage that any further cited sentence must add; its paper is cited already."""
MOST_CITED = 3

_LINK = re.compile(r"\w+://\S+")
_BRACKETED = re.compile(r"\[(\s*\d[\s\d,;–-]*)\]")
_EMPTY_CLAIM = re.compile(r"^\W*(?:yes|no|sure|certainly|of course)\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Support:
    """How well some evidence carries a sentence: `score` in [0, 1], and by which evidence, best first."""

    score: float
    evidence: tuple[Evidence, ...]


class Grounder:
    """Ties sentences to evidence."""

    def __init__(self, encoder: PassageEncoder, keywords: KeywordIndex, *, threshold: float) -> None:
        self._encoder = encoder
        self._keywords = keywords
        self._threshold = threshold

    def claims(self, draft: str, evidence: Sequence[Evidence], question: str) -> tuple[Claim, ...]:
        """Every sentence of `draft` but headings, with its support and verdict, unsupported ones too; "" gives none."""
        sentences = marked_sentences(draft, {item.number for item in evidence})
        if len(sentences) > 1:  # a title among them is a heading: it says nothing of what the abstract says
            titles_said = {tuple(words(item.paper.title)) for item in evidence}
            left = {text: marks for text, marks in sentences.items() if tuple(words(text)) not in titles_said}
            sentences = left or sentences
        if not sentences or not evidence:
            return tuple(Claim(text, (), "unsupported", 0.0) for text in sentences)
        known = self._encoder.encode([in_context(e.paper, e.sentence.text) for e in evidence], "document")
        titles = {item.paper.id: item.paper for item in evidence}
        claims = []
        for text, marks in sentences.items():
            vectors = self._encoder.encode([in_context(paper, text) for paper in titles.values()], "document")
            row = {paper_id: i for i, paper_id in enumerate(titles)}
            cosines = [float(known[i] @ vectors[row[item.paper.id]]) for i, item in enumerate(evidence)]
            claims.append(self._claim(text, self._support(text, evidence, cosines, question, marks)))
        return tuple(claims)

    def quotes(self, evidence: Sequence[Evidence], count: int) -> list[Claim]:
        """The `count` best evidence sentences as claims that quote themselves, in reading order."""
        fit = [item for item in evidence if is_quotable(item.sentence.text)] or evidence
        best = sorted(fit, key=lambda item: -item.score)[:count]
        chosen = sorted(best, key=lambda item: item.number)
        return [Claim(e.sentence.text, (_citation(e),), "supported", 1.0, is_quote=True) for e in chosen]

    def coverage(self, question: str, item: Evidence) -> float:
        """Share of the question's words that a sentence and its paper's title hold, weighted by rarity, in [0, 1]."""
        found = frozenset(tokenize(f"{item.paper.title} {item.sentence.text}"))
        return coverage(tokenize(question), found, self._keywords)

    def fault(self, text: str, evidence: Sequence[Evidence], question: str) -> str:
        """Why no sentence of `evidence`, of which there is one at least, bears `text` out, as far as words tell."""
        sources = [f"{item.paper.title} {item.sentence.text}" for item in evidence]
        strange = numbers_in(text, with_one=False, in_names=False).difference(*map(numbers_in, sources))
        if strange:
            return f"no sentence that was read has the number {min(strange)}"
        nearest = max(evidence, key=lambda item: self.coverage(text, item))
        if number := misread(text, f"{nearest.paper.title} {nearest.sentence.text}"):
            return f"{number} means something else in “{nearest.sentence.text}”"
        if not _agrees(text, nearest, question):
            return f"it denies what is said in “{nearest.sentence.text}”, or the other way round"
        return "too little of it stands in the sentences that were read"

    def _support(
        self,
        text: str,
        evidence: Sequence[Evidence],
        cosines: Sequence[float],
        question: str,
        marks: frozenset[int],
    ) -> Support:
        """The best evidence for `text`; that which the model itself marked where it is nearly as good."""
        terms = [term for term in tokenize(text) if not term.isdigit()]
        found = [frozenset(tokenize(f"{item.paper.title} {_said_in(item.sentence.text, text)}")) for item in evidence]
        asked = frozenset(tokenize(question))
        singles = [self._score(terms, have, asked, cosine) for have, cosine in zip(found, cosines, strict=True)]
        numbers = [numbers_in(f"{item.paper.title} {item.sentence.text}") for item in evidence]
        claimed = numbers_in(text, with_one=False, in_names=False)  # "one" is a pronoun as often as a number
        papers = {item.paper.id: item.paper for item in evidence}
        # A name with a number in it has to stand in the paper, not in the very sentence: it says which thing it is.
        strange = {key for key, paper in papers.items() if missing_names(text, f"{paper.title} {paper.abstract}")}
        fit = {i for i, e in enumerate(evidence) if e.paper.id not in strange and _agrees(text, e, question)}
        named = self._named(text, list(papers.values()))
        agreeing = [i for i in fit if claimed <= numbers[i] and _tells_of(named, {evidence[i].paper.id})]
        best = Support(0.0, ())
        if agreeing:
            first = max(agreeing, key=lambda i: singles[i] + MARKED * (evidence[i].number in marks and singles[i] > 0))
            best = Support(singles[first], (evidence[first],)) if singles[first] > 0 else best
        for i, j in combinations(sorted(fit), 2):
            if not claimed <= numbers[i] | numbers[j]:
                continue
            if not _tells_of(named, {evidence[i].paper.id, evidence[j].paper.id}):
                continue
            first, second = (i, j) if singles[i] >= singles[j] else (j, i)
            score = self._score(terms, found[i] | found[j], asked, max(cosines[i], cosines[j]))
            if score > best.score + COVERAGE_SHARE * SECOND_GAIN * (len(best.evidence) == 1):
                best = Support(score, (evidence[first], evidence[second]))
        return self._completed(best, terms, [evidence[i] for i in sorted(fit)])

    def _named(self, text: str, papers: Sequence[Paper]) -> list[frozenset[str]]:
        """For every rare name in `text` that some of `papers` hold, the ids of these."""
        texts = {paper.id: f"{paper.title} {paper.abstract}" for paper in papers}
        held = (holding_name(name, texts, self._keywords) for name in dict.fromkeys(NAME.findall(text)))
        return [ids for ids in held if ids]

    def _completed(self, support: Support, terms: Sequence[str], others: Sequence[Evidence]) -> Support:
        """`support` with further sentences of its papers that hold words which it lacks: mostly the question's."""
        cited = list(support.evidence)
        papers = {item.paper.id for item in cited}
        while cited and len(cited) < MOST_CITED:
            held = _words_of(cited)
            left = [item for item in others if item.paper.id in papers and item not in cited]
            covered = [coverage(terms, held | _words_of([item]), self._keywords) for item in left]
            if not left or max(covered) < coverage(terms, held, self._keywords) + THIRD_GAIN:
                break
            cited.append(left[covered.index(max(covered))])
        return Support(support.score, tuple(cited))

    def _score(self, terms: Sequence[str], have: frozenset[str], asked: frozenset[str], cosine: float) -> float:
        """Words of the question may be repeated, at half weight: the model did not make them up."""
        covered = coverage(terms, have, self._keywords)
        if covered < LEAST_COVERAGE:
            return 0.0
        lenient = coverage(terms, have | asked, self._keywords)
        return COVERAGE_SHARE * (covered + lenient) / 2 + (1 - COVERAGE_SHARE) * max(0.0, cosine)

    def _claim(self, text: str, support: Support) -> Claim:
        if support.score < self._threshold or _EMPTY_CLAIM.match(text) or text.endswith("?"):
            return Claim(text, (), "unsupported", min(1.0, support.score))
        quotes = [_said_in(item.sentence.text, text) for item in support.evidence]
        kept = fidelity(text, quotes, [item.paper.title for item in support.evidence])
        citations = tuple(_citation(item) for item in support.evidence)
        verdict: Verdict = "supported" if kept.is_close else "partly"
        return Claim(text, citations, verdict, min(1.0, support.score), doubt=doubt(kept))


def _tells_of(named: Sequence[frozenset[str]], papers: set[str]) -> bool:
    """Whether `papers`, by id, hold every name, and several of them a name each: what one system does is not put
    together from what its paper says and what another says of something else.
    """
    return all(papers & ids for ids in named) and (len(papers) == 1 or not named or papers <= frozenset().union(*named))


def _agrees(text: str, item: Evidence, question: str) -> bool:
    """Whether neither of the two denies what the other says, and numbers that both have mean the same."""
    source = item.sentence.text
    if is_denial(text) and not may_deny(source) and not is_denial(question):
        return False
    is_denied = loses_negation(text, source) or adds_negation(text, source)
    return not is_denied and not misread(text, f"{item.paper.title} {source}")


def _said_in(source: str, text: str) -> str:
    """`source` without its links, unless `text` gives one: the words of an address say nothing."""
    return source if "://" in text else _LINK.sub(" ", source)


def _words_of(items: Sequence[Evidence]) -> frozenset[str]:
    return frozenset(tokenize(" ".join(f"{item.paper.title} {item.sentence.text}" for item in items)))


def doubt(kept: Fidelity) -> str:
    """Why a sentence with some support is not held to be supported; "" where it is."""
    if kept.is_close:
        return ""
    if kept.beyond:
        return f"“{kept.beyond[0]}” is not in its source"
    if len(kept.unsaid) > MOST_UNSAID:
        return "some of its words are not in its source"
    if kept.withheld:
        return f"its source says “{kept.withheld}” beside it"
    if kept.is_turned:
        return "it names things in another order than its source"
    return "its words stand in another order than in its source"


def number_claims(claims: Iterable[Claim]) -> tuple[tuple[Claim, ...], tuple[Citation, ...]]:
    """Claims with citations numbered from 1 in order of first use, and those citations once each."""
    numbered: dict[tuple[str, int, int], Citation] = {}
    result = []
    for claim in claims:
        own = []
        for citation in claim.citations:
            key = (citation.paper.id, citation.start, citation.end)
            numbered.setdefault(key, replace(citation, marker=len(numbered) + 1))
            own.append(numbered[key])
        result.append(replace(claim, citations=tuple(own)))
    return tuple(result), tuple(numbered.values())


def shown_text(claims: Sequence[Claim], surveyed: int = 0) -> str:
    """The answer as it is shown: each claim followed by its markers, quotes in quotation marks, a line a subject.

    Numbers that a claim itself has in square brackets ("the method of Doe [2]") stand in white ones, "⟦2⟧": they would
    be taken for footnotes. Round ones would not do: "[0, 1]" and "(0, 1)" are two things. The claim, its quotes and
    their offsets stay as they are.

    Where `surveyed` papers were gone through for it, the first line says how many of them are listed.
    """
    lines: list[list[str]] = [[]]
    if surveyed:
        lines = [[f"{sum(bool(claim.subject) for claim in claims)} of the {surveyed} papers:"], []]
    for claim in claims:
        said = _unmistakable(claim.text)
        text = f"“{said}”" if claim.is_quote else said
        markers = "".join(f"[{citation.marker}]" for citation in claim.citations)
        if claim.subject:
            lines.append([f"{_unmistakable(claim.subject)}:"])
        lines[-1].append(f"{text} {markers}".strip())
    return "\n".join(" ".join(line) for line in lines if line)


def _unmistakable(text: str) -> str:
    """`text` with no number in square brackets."""
    return _BRACKETED.sub(r"⟦\1⟧", text)


def _citation(item: Evidence) -> Citation:
    sentence = item.sentence
    return Citation(item.number, item.paper, sentence.text, sentence.start, sentence.end)
