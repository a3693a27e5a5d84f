"""From what the model wrote to claims that rest on sentences of abstracts, or to nothing.

Each sentence of the draft is held against every evidence sentence: how many of its words (rare ones count more)
stand there or in the paper's title, how near the two are in meaning, and whether its numbers are among theirs. The
best sentence is cited, a second one where it adds words that the first lacks. A sentence without support is dropped;
where nothing is left, the best evidence itself is the answer, quoted.

This is a first, lexical and vector check: it sees invented words, names and numbers, and plain negations; it does not
see a relation turned round ("A beats B" for "B beats A"). Knows nothing of retrieval, prompts or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rag.evidence import in_context, is_quotable
from rag.index import PassageEncoder
from rag.keywords import KeywordIndex, coverage, tokenize, words
from rag.schema import Citation, Claim, Evidence, Verdict
from rag.sentences import split_sentences

COVERAGE_SHARE = 0.7
"""How much of the score is words; the rest is cosine."""
LEAST_COVERAGE = 0.25
"""A claim of which less than this stands in the evidence is not supported, however much of it repeats the question."""
MARKED = 0.1
"""How much better another sentence has to be than the one that the model itself marked."""
SECOND_GAIN = 0.15
"""Coverage that a second cited sentence must add."""
PARTLY_MARGIN = 0.15
"""A claim this little above the threshold is shown as partly supported."""

_MARKER = re.compile(r"\s*[\[(]\s*\d+(?:\s*[,;–-]\s*\d+)*\s*[\])]")
_MARKER_LEFT = re.compile(r"\[\s*\d*\s*\]?$|\[\d[^\]]*\]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_PREAMBLE = re.compile(r"^\s*(?:answer|a)\s*:\s*", re.IGNORECASE)
_CLAUSE_BREAK = re.compile(r"; |,? (?:while|whereas)\b|, and\b")
"""Not "but" or "though": half of such a sentence says something else than the whole."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
_NEGATIONS = frozenset("not no never none neither nor without cannot cant dont doesnt didnt isnt arent wasnt".split())
_EMPTY_CLAIM = re.compile(r"^\W*(?:yes|no|sure|certainly|of course)\W*$", re.IGNORECASE)

_REFUSAL = re.compile(
    r"\b(?:do|does|did|is|are|was|were) not (?:\w+ )?(?:mention|say|specif|provid|state|contain|includ|discuss|given)"
    r"|\b(?:no|not enough|insufficient) (?:\w+ )?information\b|\b(?:cannot|can't) (?:be )?(?:answer|determin)",
    re.IGNORECASE,
)


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
        """Every sentence of `draft` with its support and verdict, the unsupported ones too; "" gives none."""
        sentences = marked_sentences(draft)
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
        found = [frozenset(tokenize(f"{item.paper.title} {item.sentence.text}")) for item in evidence]
        asked = frozenset(tokenize(question))
        singles = [self._score(terms, have, asked, cosine) for have, cosine in zip(found, cosines, strict=True)]
        numbers = [numbers_in(f"{item.paper.title} {item.sentence.text}") for item in evidence]
        claimed = numbers_in(_LIST_MARK.sub("", text), with_one=False)  # "one" is a pronoun as often as a number
        agreeing = [i for i, e in enumerate(evidence) if self._agrees(claimed, numbers[i], text, [e], question)]
        best = Support(0.0, ())
        if agreeing:
            first = max(agreeing, key=lambda i: singles[i] + MARKED * (evidence[i].number in marks and singles[i] > 0))
            best = Support(singles[first], (evidence[first],)) if singles[first] > 0 else best
        for i, j in combinations(range(len(evidence)), 2):
            first, second = (i, j) if singles[i] >= singles[j] else (j, i)
            pair = [evidence[first], evidence[second]]
            if not self._agrees(claimed, numbers[i] | numbers[j], text, pair, question):
                continue
            score = self._score(terms, found[i] | found[j], asked, max(cosines[i], cosines[j]))
            if score > best.score + COVERAGE_SHARE * SECOND_GAIN * (len(best.evidence) == 1):
                best = Support(score, tuple(pair))
        return best

    def _score(self, terms: Sequence[str], have: frozenset[str], asked: frozenset[str], cosine: float) -> float:
        """Words of the question may be repeated, at half weight: the model did not make them up."""
        covered = coverage(terms, have, self._keywords)
        if covered < LEAST_COVERAGE:
            return 0.0
        lenient = coverage(terms, have | asked, self._keywords)
        return COVERAGE_SHARE * (covered + lenient) / 2 + (1 - COVERAGE_SHARE) * max(0.0, cosine)

    @staticmethod
    def _agrees(
        claimed: frozenset[str], have: frozenset[str], text: str, items: Sequence[Evidence], question: str
    ) -> bool:
        if not claimed <= have:
            return False
        return not (_is_negated(text) and not _is_negated(items[0].sentence.text) and not _is_negated(question))

    def _claim(self, text: str, support: Support) -> Claim:
        verdict: Verdict = "supported"
        if support.score < self._threshold or _EMPTY_CLAIM.match(text) or text.endswith("?"):
            verdict = "unsupported"
        elif support.score < self._threshold + PARTLY_MARGIN:
            verdict = "partly"
        citations = tuple(_citation(item) for item in support.evidence) if verdict != "unsupported" else ()
        return Claim(text, citations, verdict, min(1.0, support.score))


def draft_sentences(draft: str) -> list[str]:
    """Sentences of a model's text without its own markers, list marks and repeats; never raises, "" gives [].

    A list after a colon is one sentence with what it lists: "Three parts: a relabeler; a generator; rewards".
    """
    return list(marked_sentences(draft))


def marked_sentences(draft: str) -> dict[str, frozenset[int]]:
    """The sentences of `draft_sentences` in their order, each with the numbers of the markers in it or right behind."""
    sentences: dict[str, frozenset[int]] = {}
    for line in _joined_lists(draft.splitlines()):
        plain, marks = _apart(line)
        for start, end in split_sentences(plain):
            text = plain[start:end].strip()
            if re.search(r"\w", text) and text not in sentences:
                sentences[text] = frozenset(number for place, number in marks if start < place <= end)
    return sentences


def _apart(line: str) -> tuple[str, list[tuple[int, int]]]:
    """A line without markers, and where in it each stood: (offset, number)."""
    plain = ""
    marks: list[tuple[int, int]] = []
    at = 0
    for match in _MARKER.finditer(line):
        plain += line[at : match.start()]
        at = match.end()
        marks += [(len(plain.rstrip()), int(number)) for number in re.findall(r"\d{1,6}", match[0])]
    return _MARKER_LEFT.sub("", plain + line[at:]).rstrip(), marks


def clauses_of(sentence: str) -> list[str]:
    """The main clauses of a sentence as sentences, in order: what stands around ", and", ", while", ";" and their kin.

    A sentence of one clause gives []: it is one already. Clauses after the first may lack their subject.
    """
    parts = [part.strip(" ,;") for part in _CLAUSE_BREAK.split(sentence.rstrip(" .!;"))]
    return [f"{part[0].upper()}{part[1:]}." for part in parts if len(part.split()) > 2] if len(parts) > 1 else []


def _joined_lists(lines: Sequence[str]) -> list[str]:
    joined: list[str] = []
    in_list = False
    for line in lines:
        is_item = _LIST_MARK.match(line) is not None
        plain = _PREAMBLE.sub("", _LIST_MARK.sub("", line)).replace("**", "").strip()
        if not plain:
            continue
        if is_item and joined and (in_list or joined[-1].endswith(":")):
            joined[-1] += f"{'; ' if in_list else ' '}{plain.rstrip('.;,')}"
            in_list = True
        else:
            joined.append(plain)
            in_list = False
    return joined


def is_refusal(sentences: Sequence[str]) -> bool:
    """Whether the first sentence says that the evidence does not answer the question; no sentences: False."""
    return bool(sentences) and _REFUSAL.search(sentences[0]) is not None


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

    Where `surveyed` papers were gone through for it, the first line says how many of them are listed.
    """
    lines: list[list[str]] = [[]]
    if surveyed:
        lines = [[f"{sum(bool(claim.subject) for claim in claims)} of the {surveyed} papers:"], []]
    for claim in claims:
        text = f"“{claim.text}”" if claim.is_quote else claim.text
        markers = "".join(f"[{citation.marker}]" for citation in claim.citations)
        if claim.subject:
            lines.append([f"{claim.subject}:"])
        lines[-1].append(f"{text} {markers}".strip())
    return "\n".join(" ".join(line) for line in lines if line)


def _citation(item: Evidence) -> Citation:
    sentence = item.sentence
    return Citation(item.number, item.paper, sentence.text, sentence.start, sentence.end)


def numbers_in(text: str, *, with_one: bool = True) -> frozenset[str]:
    """Numbers in `text` as plain digits, number words too: "24,000" is 24000, "three" is 3, "3.60" is 3.6.

    `with_one`: whether the word "one" counts as 1; the digit always does.
    """
    found = set()
    for match in _NUMBER.findall(text):
        plain = re.sub(r",(?=\d{3}\b)", "", match).replace(",", ".")
        found.add(plain.rstrip("0").rstrip(".") if "." in plain else plain)
    found.update(_NUMBER_WORDS[word] for word in words(text) if word in _NUMBER_WORDS and (with_one or word != "one"))
    return frozenset(found)


def _is_negated(text: str) -> bool:
    return any(word in _NEGATIONS for word in words(text.replace("'", "").replace("’", "")))
