"""From papers to the few numbered sentences that the model may use and the reader will see.

A sentence counts by its cosine with the question (encoded behind its paper's title, so that "it" has a name), by
how much of the question's rare words it holds, and a little by the sentence before it, since what a sentence refers
to often stands there. Papers further down the ranking start with a handicap. Then the best are packed whole into
the budget, with the sentence before one that cannot be understood without it; no sentence is ever cut. Knows nothing of
how the model is asked or what it says.

Weights were set on the dev questions (share of gold sentences among seven: 0.98; by cosine alone 0.91).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rag.index import PassageEncoder
from rag.keywords import KeywordIndex, coverage
from rag.language.reference import points_back
from rag.language.sentences import sentences_of
from rag.language.terms import tokenize
from rag.schema import Citation, Evidence, Hit, Paper, Sentence
from rag.trained import logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

COVERAGE_WEIGHT = 1.0
BEFORE_WEIGHT = 0.2
RANK_HANDICAP = 0.2
AFTER_CITED = 0.7
NEXT_TO_CITED = 0.3
"""What a sentence right after, or right before, a cited one is worth when reading on. On the dev questions that want
an explanation two more sentences take the share of complete answers from 0.45 to 0.80; without these, to 0.50."""
ANTECEDENT_TOKENS = 64
"""Longer ones are not read because another points back at them."""
_SHORTEST_QUOTE = 40
_CACHED_PAPERS = 4096
# A logistic model of two features, fitted on the dev questions: see `relevance`.
RELEVANCE_COSINE = 12.0
RELEVANCE_COVERAGE = 7.2
RELEVANCE_BIAS = -5.6

_Scored: TypeAlias = tuple[float, int, Paper, Sentence]
"""A sentence with its score, the place of its paper, and the paper."""


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """The sentences of one paper with their unit vectors, float32 of shape (n_sentences, dimension)."""

    sentences: tuple[Sentence, ...]
    vectors: NDArray[np.float32]
    terms: tuple[frozenset[str], ...]


class EvidenceSelector:
    """Picks and numbers sentences. Sentence vectors of papers seen before are kept in memory."""

    def __init__(self, encoder: PassageEncoder, keywords: KeywordIndex) -> None:
        self._encoder = encoder
        self._keywords = keywords
        self._kept: OrderedDict[str, SentenceVectors] = OrderedDict()
        self._lock = Lock()

    def select(
        self,
        question: str,
        papers: Sequence[Paper],
        *,
        max_sentences: int,
        max_tokens: int,
        count_tokens: Callable[[str], int],
        antecedents: int = 0,
    ) -> tuple[Evidence, ...]:
        """The sentences of `papers` that bear most on `question`, in reading order, numbered from 1.

        Args:
            question: as it was searched for.
            papers: to be read, best first; none give no evidence.
            max_sentences: how many at most.
            max_tokens: budget for their text with numbers and titles. The best sentence is
                taken even if it alone is longer.
            count_tokens: tokens of a text.
            antecedents: how many more may join them beside the budget: the sentence before one of them that cannot be
                understood without it ("This reduces …"), where it is no longer than `ANTECEDENT_TOKENS`.
        """
        scored = self._scored(question, papers)
        chosen: list[_Scored] = []
        left = max_tokens
        titles_paid: set[str] = set()
        for score, place, paper, sentence in sorted(scored, key=lambda item: (-item[0], item[1], item[3].index)):
            if len(chosen) == max_sentences:
                break
            cost = count_tokens(f"[1] {sentence.text}\n")
            cost += 0 if paper.id in titles_paid else count_tokens(f"Paper: {paper.title}\n")
            if chosen and cost > left:
                continue
            left -= cost
            titles_paid.add(paper.id)
            chosen.append((score, place, paper, sentence))
        needed = (item for item in _antecedents(chosen, scored) if count_tokens(item[3].text) <= ANTECEDENT_TOKENS)
        return _in_reading_order([*chosen, *islice(needed, antecedents)])

    def read_on(self, question: str, cited: Sequence[Citation], count: int) -> tuple[Evidence, ...]:
        """Up to `count` sentences of the cited papers that are not cited yet, in reading order.

        Those that bear on the question and stand next to a cited sentence come first: abstracts say what, then how.
        """
        papers = list({citation.paper.id: citation.paper for citation in cited}.values())
        starts = {(citation.paper.id, citation.start) for citation in cited}
        scored = self._scored(question, papers)
        places = {(s.paper_id, s.index) for _, _, _, s in scored if (s.paper_id, s.start) in starts}
        best: list[_Scored] = []
        while len(best) < count:
            further = []
            for score, place, paper, sentence in scored:
                if (paper.id, sentence.index) in places or not is_quotable(sentence.text):
                    continue
                near = AFTER_CITED * ((paper.id, sentence.index - 1) in places)
                near += NEXT_TO_CITED * ((paper.id, sentence.index + 1) in places)
                further.append((score + near, place, paper, sentence))
            if not further:
                break
            best.append(max(further, key=lambda item: item[0]))
            places.add((best[-1][3].paper_id, best[-1][3].index))  # reading on goes on from here
        return _in_reading_order(best)

    def relevance(self, question: str, hits: Sequence[Hit]) -> float:
        """How likely it is that `hits` bear on `question` at all, in [0, 1]; no hits give 0.

        Tells questions about something else ("Who won the World Cup?") from questions on these papers. It does not
        tell whether a paper that bears on the question also answers it.
        """
        if not hits:
            return 0.0
        cosine, covered = self.relevance_features(question, hits)
        return logistic.probability(RELEVANCE_COSINE * cosine + RELEVANCE_COVERAGE * covered + RELEVANCE_BIAS)

    def relevance_features(self, question: str, hits: Sequence[Hit]) -> tuple[float, float]:
        """Best cosine of a sentence with the question, and the most of the question's rare words in one paper."""
        query = self._encoder.encode([question], "query")[0]
        terms = tokenize(question)
        papers = [hit.paper for hit in hits]
        cosine = max(
            (float((known.vectors @ query).max(initial=0.0)) for known in self.vectors_of(papers)), default=0.0
        )
        held = [frozenset(tokenize(f"{paper.title} {paper.abstract}")) for paper in papers]
        return cosine, max((coverage(terms, have, self._keywords) for have in held), default=0.0)

    def nearness(self, texts: Sequence[str], papers: Sequence[Paper]) -> NDArray[np.float32]:
        """Best cosine of a sentence of each paper with each text, float32 of shape (n_texts, n_papers)."""
        known = self.vectors_of(papers)
        queries = self._encoder.encode(texts, "query")
        best = [[(one.vectors @ query).max(initial=-1.0) for one in known] for query in queries]
        return np.array(best, dtype=np.float32).reshape(len(texts), len(papers))

    def vectors_of(self, papers: Sequence[Paper]) -> list[SentenceVectors]:
        """Sentences and vectors of each paper; papers not seen before are encoded together."""
        with self._lock:
            known = {paper.id: self._kept.get(_key(paper)) for paper in papers}
        missing = [paper for paper in papers if known[paper.id] is None]
        sentences = [sentences_of(paper) for paper in missing]
        texts = [in_context(p, s.text) for p, group in zip(missing, sentences, strict=True) for s in group]
        vectors = self._encoder.encode(texts, "document")
        start = 0
        for paper, group in zip(missing, sentences, strict=True):
            terms = tuple(frozenset(tokenize(sentence.text)) for sentence in group)
            known[paper.id] = SentenceVectors(group, vectors[start : start + len(group)], terms)
            start += len(group)
        with self._lock:
            for paper in papers:
                found = known[paper.id]
                assert found is not None
                self._kept[_key(paper)] = found
                self._kept.move_to_end(_key(paper))
            while len(self._kept) > _CACHED_PAPERS:
                self._kept.popitem(last=False)
        return [found for paper in papers if (found := known[paper.id])]

    def _scored(self, question: str, papers: Sequence[Paper]) -> list[_Scored]:
        query = self._encoder.encode([question], "query")[0]
        terms = tokenize(question)
        scored = []
        for place, (paper, known) in enumerate(zip(papers, self.vectors_of(papers), strict=True)):
            cosines = known.vectors @ query
            before = 0.0
            for sentence, cosine, found in zip(known.sentences, cosines, known.terms, strict=True):
                own = float(cosine) + COVERAGE_WEIGHT * coverage(terms, found, self._keywords) - RANK_HANDICAP * place
                scored.append((own + BEFORE_WEIGHT * before, place, paper, sentence))
                before = own
        return scored


def _antecedents(chosen: Sequence[_Scored], scored: Iterable[_Scored]) -> Iterator[_Scored]:
    """What stands before a chosen sentence that points back, and was not chosen itself."""
    at = {(one[1], one[3].index): one for one in scored}
    for _, place, _, sentence in chosen:
        before = at.get((place, sentence.index - 1))
        if before is not None and before not in chosen and points_back(sentence.text):
            yield before


def _in_reading_order(scored: Iterable[_Scored]) -> tuple[Evidence, ...]:
    """Sentences with their score and their paper's place, numbered from 1."""
    ordered = sorted(scored, key=lambda item: (item[1], item[3].index))
    return tuple(
        Evidence(number, paper, sentence, float(np.clip(score / 2, 0.0, 1.0)))
        for number, (score, _, paper, sentence) in enumerate(ordered, start=1)
    )


def is_quotable(text: str) -> bool:
    """Whether a sentence says something by itself: not a scrap, and not "Code is at https://…"."""
    return len(text) >= _SHORTEST_QUOTE and "://" not in text


def renumbered(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The same sentences, numbered from 1 in their order."""
    return tuple(replace(item, number=number) for number, item in enumerate(evidence, start=1))


def most_that_fit(evidence: Sequence[Evidence], fits: Callable[[Sequence[Evidence]], bool]) -> tuple[Evidence, ...]:
    """`evidence` without its least sentences, so many that the rest `fits`; one sentence at least."""
    kept = list(evidence)
    while len(kept) > 1 and not fits(kept):
        kept.remove(min(kept, key=lambda item: item.score))
    return tuple(kept)


def in_context(paper: Paper, text: str) -> str:
    """What the embedder reads for a sentence of `paper`: the title first, so that "our method" has a name."""
    return f"{paper.title}. {text}"


def as_prompt(evidence: Sequence[Evidence]) -> str:
    """The evidence as the model reads it: papers with their titles, sentences with their numbers."""
    lines: list[str] = []
    paper_id = None
    for item in evidence:
        if item.paper.id != paper_id:
            lines.append(f"Paper: {item.paper.title}")
            paper_id = item.paper.id
        lines.append(f"[{item.number}] {item.sentence.text}")
    return "\n".join(lines)


def _key(paper: Paper) -> str:
    return f"{paper.id}:{hash((paper.title, paper.abstract))}"
