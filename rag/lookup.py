"""From a question to the evidence that it is answered from: what is meant, what is found, whether that is enough.

The question is understood in the light of what was said before, searched for, and held to be about one paper or about
several; the sentences that bear on it are picked. Whether they answer it is decided in two looks: at them, then at
what the model, which reads more of the two best papers, finds to say most. Asks the model for its yes or no; writes
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.conversation import History, Understood, counts_back, understood
from rag.evidence import renumbered
from rag.language.comparison import compares
from rag.language.phrases import spelled_out
from rag.language.question import abbreviations_in_question, asks_for_record, parts_of, readable
from rag.language.reference import points_back
from rag.language.sentences import sentences_of
from rag.language.terms import tokenize
from rag.schema import Evidence, EvidenceFound, Hit, Paper, Subject
from rag.stopping import NO_CHECK, Check
from rag.subjects import MOST_SUBJECTS, SubjectFinder, question_about, speaking_of
from rag.trained.aboutness import asked_about, compared, in_order, is_told, may_be_about_several, meant
from rag.trained.adapters import SENTENCES_BESIDE
from rag.trained.answerability import answerability
from rag.trained.bearing import telling

if TYPE_CHECKING:
    from rag.assembly import LazyModel
    from rag.evidence import EvidenceSelector
    from rag.retrieval import FusedRetriever, Where
    from rag.settings import Settings
    from rag.subjects import Mention

_NAMED_WITHIN = 20
"""How far down the ranking a paper that the question names is looked for."""
_SECOND_LOOK_PAPERS = 2
_SECOND_LOOK_SENTENCES = 3
"""What a second look keeps of what it reads. At a half 15 of 24 questions with an answer that needed one are held to be
answered from three, none of 61 without; from all that it reads 14 and four."""
ASKED_AMONG = 5
"""Papers, best first, that are read beside a question at most to see which of them it asks about, at half a second each
on two cores. Of 102 that comparisons on six other libraries ask about 98 are among the best five, 100 among eight."""
SENTENCES_KEPT = 3
"""Of each of several papers, so many sentences are handed on at most."""
KEPT_FROM = 0.02
"""How likely one has to say what is asked to be handed on; the best one always is. Of the 100 sentences that answer the
comparisons of dev, fresh-a and fresh-c 96 are handed on so, with 2.5 of a paper; from 0.2 on 91, with 1.9."""
TOLD_FROM = 0.2
"""How likely the best sentence of one of several papers has to say what is asked for the paper to be answered from. Of
222 papers that the comparisons of eleven sets ask about that is so of 221; of 216 without their answering sentences it
is so of 127."""
MOST_MEANINGS = 3
"""Of an abbreviation that is asked about, so many different ones are handed on at most."""
BY_RECORD = "Only abstracts are read: for years, authors and venues, filter or search in the library."
"""What is said where a question asks for a paper's record."""
_ABBREVIATION = re.compile(r"\b[A-Z]{2,6}\b")
SENTENCES_FOR_A_PART = 3
"""How many sentences each part of a question adds at most to those of the whole."""
ANTECEDENTS = 2
"""How many sentences more are read because another cannot be understood without them."""


class Lookup:
    """Finds evidence in one library."""

    def __init__(
        self, retriever: FusedRetriever, selector: EvidenceSelector, model: LazyModel, settings: Settings
    ) -> None:
        self._retriever = retriever
        self._selector = selector
        self._model = model
        self._settings = settings
        self._subjects = SubjectFinder(retriever.index.keywords)

    def readable(self, question: object) -> str:
        """`question` as it will be read.

        Raises:
            BadQuestion: it is not text, empty, or too long.
        """
        return readable(question, self._settings.answer.max_question_chars)

    def evidence_for(
        self,
        question: str,
        history: History = (),
        where: Where | None = None,
        *,
        is_followup: bool | None = None,
    ) -> EvidenceFound:
        """What was found for `question`, asked after `history`.

        Args:
            question: as it was asked.
            history: what was said before.
            where: which papers are searched.
            is_followup: whether it leans on `history`, where that is known; None: its own words tell.

        Raises:
            BadQuestion, BadFilter: see their text.
        """
        asked = self.readable(question)
        read = self.understood(asked, history, where, is_followup=is_followup)
        alone = read.question
        k = self._retriever.k
        ranked = self._retriever.search(read.searched_for, k=max(k, _NAMED_WITHIN), where=where)
        nearest = [hit.paper for hit in ranked]
        mentions = self._subjects.mentions(alone, nearest)
        subjects = self._subjects.find(
            alone, ranked, lambda text: self._retriever.search(text, where=where), self._selector.nearness, mentions
        )
        hits = ranked[:k]
        earlier = (read.earlier, read.answer) if read.answer else None
        if spelled := self._spelled_out(alone, nearest, mentions):
            told = tuple(dict.fromkeys(item for items in spelled.values() for item in items))
            parts = tuple(map(_stands_for, spelled)) if len(spelled) > 1 else ()
            missing = tuple(_stands_for(short) for short, items in spelled.items() if not items)
            return EvidenceFound(
                asked, alone, hits, renumbered(told), (), earlier, parts, missing, is_spelled_out=True,
                searched_for=read.searched_for,
            )  # fmt: skip
        parts = parts_of(alone) if alone == asked and not subjects else ()
        evidence = self._evidence(alone, self._speaking_of(alone, nearest, mentions), subjects, parts)
        return EvidenceFound(
            asked, alone, hits, evidence, subjects, earlier, parts,
            followup=read.followup, searched_for=read.searched_for,
        )  # fmt: skip

    def understood(
        self, asked: str, history: History, where: Where | None, *, is_followup: bool | None = None
    ) -> Understood:
        """`asked` in the light of `history`, see `conversation.understood`."""
        limit = self._settings.answer.max_question_chars
        return understood(asked, history, self._listed(asked, history, where), limit, is_followup=is_followup)

    @staticmethod
    def _spelled_out(
        question: str, papers: Sequence[Paper], mentions: Sequence[Mention]
    ) -> dict[str, tuple[Evidence, ...]]:
        """Where `question` asks what abbreviations stand for and nothing else, the sentences that spell each out; {}
        where none does.

        Of several `papers`, best first, that spell one out, the first; another only where it means something else by
        it. Where the question also calls a paper by its title's name, "in WhaleSong", that paper's meaning alone.
        """
        wanted = () if parts_of(question) else abbreviations_in_question(question)
        asked = {name.casefold() for name in wanted}
        called = {m.paper.id for m in mentions if m.is_title and m.name.casefold() not in asked}
        read = [paper for paper in papers if paper.id in called] or papers
        found = {short: _meanings(short, read) for short in wanted}
        return found if any(found.values()) else {}

    @staticmethod
    def evidence_of(part: str, found: EvidenceFound) -> tuple[Evidence, ...]:
        """What a part of a question is answered from: all of it; of an abbreviation what spells it out."""
        if not found.is_spelled_out:
            return found.evidence
        wanted = abbreviations_in_question(part)
        return tuple(item for item in found.evidence if any(spelled_out(name, item.sentence.text) for name in wanted))

    def answered_for(self, question: str, evidence: Sequence[Evidence]) -> tuple[Subject, ...]:
        """What an answer to a question about several papers was written for: the papers of its evidence, in turn."""
        return self._subjects.of(question, list({item.paper.id: item.paper for item in evidence}.values()))

    def _listed(self, asked: str, history: History, where: Where | None) -> tuple[str, ...]:
        """What "the second one" may mean: the papers that the last answer names, in its order."""
        said = [str(m["content"]) for m in history if m.get("role") == "assistant" and m.get("content")]
        if not said or not counts_back(asked):
            return ()
        return self._subjects.listed(said[-1], self._retriever.search(said[-1], k=_NAMED_WITHIN, where=where))

    def _evidence(
        self, question: str, papers: Sequence[Paper], subjects: Sequence[Subject], parts: Sequence[str]
    ) -> tuple[Evidence, ...]:
        wanted = self._settings.answer
        if subjects:
            # What one abstract says to the question may stand anywhere in it: nearly all of it is read.
            each, tokens = wanted.evidence_sentences * 2, wanted.evidence_tokens * 2
            asked = [question_about(subject, subjects, question) for subject in subjects]
            pairs = zip(subjects, asked, strict=True)
            return renumbered(item for s, text in pairs for item in self.select(text, [s.paper], each, tokens))
        papers = papers[: wanted.evidence_papers]
        chosen = self.select(question, papers, wanted.evidence_sentences, wanted.evidence_tokens, ANTECEDENTS)
        for part in parts:
            chosen += self.select(part, papers, SENTENCES_FOR_A_PART, wanted.evidence_tokens)
        return _in_reading_order(chosen, papers) if parts else chosen

    def select(
        self, question: str, papers: Sequence[Paper], sentences: int, tokens: int, antecedents: int = 0
    ) -> tuple[Evidence, ...]:
        """The `sentences` of `papers` that bear most on `question`, within `tokens` of the embedder.

        Up to so many `antecedents` join them, see `EvidenceSelector.select`.
        """
        return self._selector.select(
            question,
            papers,
            max_sentences=sentences,
            max_tokens=tokens,
            count_tokens=self._retriever.encoder.count_tokens,
            antecedents=antecedents,
        )

    def enough(self, found: EvidenceFound, where: Where | None = None, check: Check = NO_CHECK) -> EvidenceFound | None:
        """What to answer from: `found`, or more of its best papers where that does not state the answer; else None.

        `check` is called before each reading of the model.
        """
        wanted = self._settings.answer
        question = found.standalone_question
        if found.is_spelled_out:
            return found
        relevance = self._selector.relevance(question, found.hits)
        named = {subject.paper.id for subject in found.subjects if subject.name}
        described = {subject.paper.id for subject in found.subjects if not subject.name}
        if relevance < wanted.abstain_threshold and not self._calls_by_name(question, found.hits, named):
            return None
        several, likeliest = bool(found.parts) or compares(question), None
        # Two questions one behind the other set nothing side by side.
        if found.subjects or any(map(may_be_about_several, (question.removesuffix(found.followup), found.followup))):
            likeliest = self._likeliest(found, named, where, check)
            if likeliest is not None:
                found = self._about(found, meant(likeliest, question, named, described, found.followup))
                several = bool(found.parts)
        if found.subjects:  # what each of several papers says to a question is seldom its exact answer
            return self._read(found, check)

        def likely_of(text: str, evidence: Sequence[Evidence], **kind: bool) -> float:
            check()
            likely = answerability(self._model.get(), text, evidence, check=check, **kind)
            return relevance if likely is None else likely

        asked = _checked_question(found)
        is_whole = likely_of(asked, found.evidence, asks_several=several) >= wanted.abstain_threshold
        read = found
        if not is_whole:
            if likeliest is None:
                likeliest = self._likeliest(found, named, where, check)
            read = self._wider(found, meant(likeliest or (), question, named, followup=found.followup))
        if read.evidence != found.evidence:
            read = read if several else self._closer(read, check)
            likely = likely_of(_checked_question(read), read.evidence, asks_several=several, is_second_look=True)
            is_whole = likely >= wanted.abstain_threshold
        missing = tuple(
            part for part in found.parts if likely_of(part, read.evidence, is_part=is_whole) < wanted.abstain_threshold
        )
        if len(missing) < len(found.parts):
            return replace(read, missing=missing) if missing else read
        if not is_whole and likeliest and (papers := compared(likeliest, question)):
            return self._read(self._about(found, papers), check)
        return read if is_whole else None

    def _calls_by_name(self, question: str, hits: Sequence[Hit], named: Collection[str]) -> bool:
        """Whether `question` calls one of `hits` by its title's name or an abbreviation that it spells out, or two
        papers, `named`, by any name: it is about the library then, however it is put.
        """
        papers = [hit.paper for hit in hits]
        is_title = any(mention.is_title for mention in self._subjects.mentions(question, papers))
        shorts = _ABBREVIATION.findall(question)
        return is_title or len(named) > 1 or any(spelled_out(short, p.abstract) for short in shorts for p in papers)

    def _read(self, found: EvidenceFound, check: Check) -> EvidenceFound | None:
        """`found`, of each paper the sentences that say most to the question about it, as the model reads them; without
        the papers that do not say it. None where none does.
        """
        kept: list[Evidence] = []
        silent: list[Paper] = []
        for subject in found.subjects:
            asked = question_about(subject, found.subjects, found.standalone_question)
            own = [item for item in found.evidence if item.paper.id == subject.paper.id]
            scored = self._most_telling(asked, subject.paper, own, check)
            if scored is None:
                kept += own
                continue
            if not scored or scored[0].score < TOLD_FROM:
                silent.append(subject.paper)
                continue
            told = [item for item in scored[:SENTENCES_KEPT] if item.score >= KEPT_FROM]
            kept += sorted(told, key=lambda item: item.number)
        told_of = tuple(subject for subject in found.subjects if subject.paper not in silent)
        if not told_of:
            return None
        return replace(found, subjects=told_of, silent=tuple(silent), evidence=renumbered(kept))

    def _closer(self, found: EvidenceFound, check: Check) -> EvidenceFound:
        """`found`, of its sentences the few that say most to the question, as the model reads them paper by paper, and
        what they cannot be understood without. All of them where the model can't tell.
        """
        asked = _checked_question(found)
        scored: list[Evidence] = []
        for paper in {item.paper.id: item.paper for item in found.evidence}.values():
            own = [item for item in found.evidence if item.paper.id == paper.id]
            told = self._most_telling(asked, paper, own, check)
            if told is None:
                return found
            scored += told
        kept = sorted(scored, key=lambda item: -item.score)[:_SECOND_LOOK_SENTENCES]
        needed = {(item.paper.id, item.sentence.index - 1) for item in kept if points_back(item.sentence.text)}
        kept += [item for item in scored if item not in kept and (item.paper.id, item.sentence.index) in needed]
        return replace(found, evidence=renumbered(sorted(kept, key=lambda item: item.number)))

    def _most_telling(self, asked: str, paper: Paper, own: Sequence[Evidence], check: Check) -> list[Evidence] | None:
        """`own`, of `paper`, by how likely each says what is `asked`, likeliest first; None where the model can't
        tell.
        """
        check()
        shares = telling(self._model.get(), asked, paper, [item.sentence.text for item in own])
        if shares is None:
            return None
        scored = [replace(item, score=share) for item, share in zip(own, shares, strict=True)]
        return sorted(scored, key=lambda item: -item.score)

    def _candidates(self, found: EvidenceFound, where: Where | None) -> tuple[Paper, ...]:
        """The papers that `found.standalone_question` may ask about: those that it names, and the nearest."""
        nearest = self._retriever.search(found.searched_for, k=ASKED_AMONG, where=where)
        papers = (*(subject.paper for subject in found.subjects), *(hit.paper for hit in nearest))
        return tuple({paper.id: paper for paper in papers}.values())

    def _likeliest(
        self, found: EvidenceFound, named: Collection[str], where: Where | None, check: Check
    ) -> list[tuple[float, Paper]] | None:
        """Papers that may be asked about, likeliest first, see `aboutness.meant`; None where the model can't tell."""
        question, model = found.standalone_question, self._model.get()
        likely: list[tuple[float, Paper]] = []
        for paper in self._candidates(found, where):
            if is_told(likely, question, named):
                break
            check()
            evidence = self.select(question, [paper], SENTENCES_BESIDE, self._settings.answer.evidence_tokens)
            share = asked_about(model, question, paper, evidence)
            if share is None:
                return None
            likely.append((share, paper))
        return sorted(likely, key=lambda item: -item[0])

    def _about(self, found: EvidenceFound, papers: Sequence[Paper]) -> EvidenceFound:
        """`found`, as a question about each of `papers` where they are several, else about one."""
        question = found.standalone_question
        if len(papers) > 1:
            subjects = self._subjects.of(question, in_order(question, papers[:MOST_SUBJECTS]))
            return replace(found, subjects=subjects, parts=(), evidence=self._evidence(question, (), subjects, ()))
        if papers or found.subjects:
            read = tuple(papers) or tuple(hit.paper for hit in found.hits)
            return replace(found, subjects=(), evidence=self._evidence(question, read, (), found.parts))
        return found

    def _wider(self, found: EvidenceFound, papers: Sequence[Paper]) -> EvidenceFound:
        """`found` with more to read: of `papers`, which it asks about, or of its best ones where there are none."""
        wanted = self._settings.answer
        question = found.standalone_question
        if not papers:
            known = {p.id: p for p in (*(h.paper for h in found.hits), *(e.paper for e in found.evidence))}
            nearest = tuple(known.values())
            papers = self._speaking_of(question, nearest, self._subjects.mentions(question, nearest))
        sentences, tokens = wanted.evidence_sentences * 2, wanted.evidence_tokens * 2
        papers = papers[:_SECOND_LOOK_PAPERS]
        return replace(found, evidence=self.select(question, papers, sentences, tokens, ANTECEDENTS))

    def _speaking_of(self, question: str, papers: Sequence[Paper], mentions: Sequence[Mention]) -> tuple[Paper, ...]:
        """Those of `papers` that speak of what `question` names; all where it names nothing."""
        return speaking_of(mentions or self._subjects.called(question, papers), papers)


def _checked_question(found: EvidenceFound) -> str:
    """What is held against the evidence: of a follow-up what it asks itself, of the paper that is read first.

    What it leans on has been answered, and so reads as answered whatever the follow-up adds: of 51 follow-ups whose
    sentence was taken out 31 were held to be answered, asked so 10 of 57, and 56 of 57 with their sentence.
    """
    if not found.followup or not found.evidence:
        return found.standalone_question
    return f"{found.followup.rstrip(' ?.!')}, in the paper “{found.evidence[0].paper.title}”?"


def _stands_for(short: str) -> str:
    return f"What does {short} stand for?"


def _meanings(short: str, papers: Sequence[Paper]) -> tuple[Evidence, ...]:
    """A sentence for each phrase that `papers` spell `short` out as, at most `MOST_MEANINGS`, best paper first."""
    meanings: dict[tuple[str, ...], Evidence] = {}
    for paper in papers:
        for sentence in sentences_of(paper):
            if phrase := spelled_out(short, sentence.text):
                meanings.setdefault(tuple(tokenize(phrase)), Evidence(0, paper, sentence, 1.0))
    return tuple(meanings.values())[:MOST_MEANINGS]


def _in_reading_order(evidence: Sequence[Evidence], papers: Sequence[Paper]) -> tuple[Evidence, ...]:
    """Each sentence once, paper by paper, numbered from 1."""
    places = {paper.id: place for place, paper in enumerate(papers)}
    known = {(places.get(e.paper.id, len(places)), e.sentence.index, e.paper.id): e for e in reversed(evidence)}
    return renumbered(known[key] for key in sorted(known))


def looked_for(found: EvidenceFound) -> str:
    """Where an answer was looked for in vain."""
    papers = len({item.paper.id for item in found.evidence})
    elsewhere = f" {BY_RECORD}" if asks_for_record(found.standalone_question) else ""
    if not papers:
        return f"No paper of the library speaks of this.{elsewhere}"
    several = f"{papers} papers" if papers > 1 else "one paper"
    return f"Looked for it in the sentences of {several} that are nearest to “{found.standalone_question}”.{elsewhere}"
