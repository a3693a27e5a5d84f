"""Which papers a question is about, where it is about several: "How do RT-H and RLIF use what people do?".

A paper is meant where the question holds its name: the title, what stands in front of the title's colon, or a rare
name that its title holds or its abstract introduces. Where two or more are meant, and none of them speaks of all the
names itself, each is to be answered from its own sentences. Questions that ask for two papers without naming both
("Two surveys …", "One paper says …, another …") take the best ones for what is left of the question.

Knows papers, names and a search; knows nothing of vectors, prompts or models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.keywords import KeywordIndex
from rag.language.comparison import APART, FUNCTION_WORD, asks_for_two, may_ask_for_two
from rag.language.phrases import SMALL_FIRST, abbreviated
from rag.language.terms import stem, tokenize, words
from rag.schema import Hit, Paper, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Search = Callable[[str], Sequence[Hit]]
"""A question to hits, best first."""
Nearness = Callable[[Sequence[str], Sequence[Paper]], "NDArray[np.float32]"]
"""(texts, papers) -> how near each is to each, cosines of shape (n_texts, n_papers)."""

MOST_SUBJECTS = 4
LONGEST_NAME = 4
"""Words before a title's colon that may be the paper's name."""
DESCRIBED_AMONG = 8
"""Papers, best first, among which two that are described are looked for."""
DESCRIBED_NEAR = 0.5
"""How near each half of a question has to be to its own paper."""
DESCRIBED_APART = 0.18
"""How much nearer than to the other's. Of the dev and fresh-a questions about one paper none reaches both; the one of
fresh-a that names neither of its two papers does."""
LEAST_BEGUN = 3
"""Terms that the first words of a title must have to be its name: "Inverse Dynamics Pretraining"."""
RARE_IN = 6
"""A name that stands in at most this many passages may belong to one paper: an abstract makes about two."""

_NAME_LIKE = re.compile(rf"(?:{SMALL_FIRST}|[A-Z][\w*^]*[A-Z0-9*^][\w*^]*)(?:[-+][\w*^]+)*")
NAME = re.compile(r"\b[A-Z][\w*^+]+(?:-[\w*^+]+)*")
"""A word that may be a name: it has a capital, if only because it stands first."""
_WITHIN = re.compile(r"(?<=[\w,] )" + NAME.pattern)
_IN_BRACKETS = re.compile(r"\(([A-Z][\w*^+-]{1,15})\)")
_INTRODUCING = r"(?:introduc|propos|present|call|nam|dub|term|develop|describ|releas|offer)\w*\b[^.]{0,60}?"
_UP_TO_TWO_WORDS = rf"(?:(?!{FUNCTION_WORD})\w+\s+){{0,2}}"
_SINGULAR = r"(?:paper|survey|article|(?<!s )(?:work|study))\b"
"""Not the verb: "the other models work"."""
_COUNTED = re.compile(
    rf"\b(?:(?:the\s+(?:second|other)|another)\s+{_UP_TO_TWO_WORDS}{_SINGULAR}"
    rf"|the\s+first\s+{_UP_TO_TWO_WORDS}{_SINGULAR}(?!\s+(?:to|that|which|who)\b)"
    r"|(?:(?:the|these)\s+(?:other\s+)?two|both(?:\s+(?:the|these))?)\s+"
    rf"{_UP_TO_TWO_WORDS}(?:papers|surveys|works|studies|articles)\b)",
    re.IGNORECASE,
)
"""What means papers that are compared: "the second paper", "both papers"; no "two studies", no "first paper to …"."""
_HALVES = re.compile(
    r"(?:,? (?:and|while|whereas|versus|vs\.?|than|but|or)(?: (?:in|of|for|with|by|from|to|on|the one|what about))? )"
    r"|[;:?.,] ",
    re.IGNORECASE,
)
"""Where a question about two papers may be cut in two."""
_OTHER = re.compile(r"\b(?:another|the other)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """A paper and the folded name by which a question means it."""

    paper: Paper
    name: str
    place: int
    is_title: bool


class SubjectFinder:
    """Finds the papers that a question names among those that a search brings."""

    def __init__(self, keywords: KeywordIndex) -> None:
        self._keywords = keywords

    def find(
        self,
        question: str,
        hits: Sequence[Hit],
        search: Search,
        nearness: Nearness | None = None,
        mentions: Sequence[Mention] | None = None,
    ) -> tuple[Subject, ...]:
        """The papers meant, in the order of the question, if they are two or more; else none.

        Args:
            question: one that stands alone.
            hits: what a search for it brings, best first, enough for every paper that it names to be among them; where
                a name belongs to several papers, the first is meant.
            search: asked only where two papers are wanted and fewer are named.
            nearness: tells two papers that are described instead of named; without it they are not told.
            mentions: what `mentions` finds of the question in the hits' papers, where that is known.
        """
        if mentions is None:
            mentions = self.mentions(question, [hit.paper for hit in hits])
        chosen = self._chosen(mentions, apart=APART.search(question) is not None)
        if len(chosen) < 2 and (asks_for_two(question) or (chosen and may_ask_for_two(question))):
            chosen = self._completed(chosen, mentions, question, search)
        if len(chosen) < 2 and nearness is not None and (APART.search(question) or _OTHER.search(question)):
            chosen = _described(question, [hit.paper for hit in hits[:DESCRIBED_AMONG]], nearness) or chosen
        if len(chosen) < 2:
            return ()
        return _subjects(sorted(chosen, key=lambda m: m.place)[:MOST_SUBJECTS])

    def of(self, question: str, papers: Sequence[Paper]) -> tuple[Subject, ...]:
        """`papers` as what `question` is about, in their order, each with the name by which it means it, if any."""
        named: dict[str, Mention] = {}
        for mention in sorted(self.mentions(question, papers), key=lambda m: not m.is_title):
            named.setdefault(mention.paper.id, mention)
        return _subjects([named.get(paper.id, Mention(paper, "", 0, is_title=False)) for paper in papers])

    def listed(self, text: str, hits: Sequence[Hit]) -> tuple[str, ...]:
        """The names of papers among `hits` in the order in which `text` lists them, as it spells them."""
        mentions = sorted(self._chosen(self.mentions(text, [hit.paper for hit in hits])), key=lambda m: m.place)
        spelled = (re.search(_spelled(mention.name), text, re.IGNORECASE) for mention in mentions)
        return tuple(found[0] for found in spelled if found is not None)

    def mentions(self, question: str, papers: Sequence[Paper]) -> list[Mention]:
        """The names by which `question` means some of `papers`.

        A word that these papers write in small letters, too, is a name only where `question` does not: how do animals
        act, not ACT.
        """
        asked = _folded(question)
        found = []
        texts = [f"{paper.title} {paper.abstract}" for paper in papers]
        for paper in papers:
            titles = frozenset(self._title_names(paper.title))
            if begun := self._begun(asked, paper, papers):
                titles |= {begun}
            held = sorted(n for n in titles | frozenset(self._introduced(paper.abstract)) if _holds(asked, n))
            names = [n for n in held if not _is_plain_word(n, question, texts)]
            found += [Mention(paper, n, _place(asked, n), n in titles) for n in names]
        # A name within a longer one is part of it: "OMNI" in "OMNI-EPIC".
        return [
            m
            for m in found
            if _holds(_without(asked, {n.name for n in found if _holds(n.name, m.name)} - {m.name}), m.name)
        ]

    def called(self, question: str, papers: Sequence[Paper]) -> list[Mention]:
        """Plain words by which `question` means some of `papers`, as "Seer": rare, and written as names by both."""
        texts = {paper.id: f"{paper.title} {paper.abstract}" for paper in papers}
        held = {name: holding_name(name, texts, self._keywords) for name in dict.fromkeys(_WITHIN.findall(question))}
        asked = _folded(question)
        return [
            Mention(paper, _folded(name), _place(asked, _folded(name)), is_title=False)
            for name, ids in held.items()
            for paper in papers
            if paper.id in ids
        ]

    @staticmethod
    def _chosen(mentions: Sequence[Mention], *, apart: bool = False) -> list[Mention]:
        """One paper a name, titles first; a name that a chosen paper speaks of itself brings no other.

        `apart`: what titles name is kept apart, though one paper may speak of the other: "OMNI and OMNI-EPIC".
        """
        chosen: list[Mention] = []
        for mention in sorted(mentions, key=lambda m: not m.is_title):  # stable: the search's order stays
            others = [m for m in chosen if m.name == mention.name or not (apart and mention.is_title)]
            texts = [_folded(f"{m.paper.title} {m.paper.abstract}") for m in others]
            if not any(_holds(text, mention.name) for text in texts):
                chosen.append(mention)
        return chosen

    @staticmethod
    def _completed(chosen: list[Mention], mentions: Sequence[Mention], question: str, search: Search) -> list[Mention]:
        """Two papers for a question that asks for two but names one or none."""
        taken = {mention.paper.id for mention in chosen}
        namesakes = [mention for mention in mentions if mention.paper.id not in taken]
        if namesakes and chosen:
            return [*chosen, namesakes[0]]
        other = _OTHER.search(question)
        if other is not None and not chosen:  # "One paper says …, another …": each by its own words
            halves = [search(question[: other.start()]), search(question[other.start() :])]
        else:
            rest = re.sub(_spelled(chosen[0].name), " ", question, flags=re.IGNORECASE) if chosen else question
            halves = [search(rest)] * (2 - len(chosen))
        result = list(chosen)
        for half in halves:
            first = next((hit.paper for hit in half if hit.paper.id not in taken), None)
            if first is not None:
                taken.add(first.id)
                result.append(Mention(first, "", len(question), is_title=False))
        return result

    def _title_names(self, title: str) -> Iterator[str]:
        head, colon, _ = title.partition(":")
        whole = [title, *([_IN_BRACKETS.sub("", head)] if colon and len(head.split()) <= LONGEST_NAME else [])]
        yield from (folded for name in whole if len(folded := _folded(name)) > 1)
        yield from self._rare([*_IN_BRACKETS.findall(title), *_NAME_LIKE.findall(title)])

    @staticmethod
    def _begun(asked: str, paper: Paper, papers: Sequence[Paper]) -> str:
        """The first words of a title where they stand in `asked` and in no other paper; "" where those are few."""
        title = _folded(paper.title).split()
        length = next((n for n in range(len(title), 1, -1) if _holds(asked, " ".join(title[:n]))), 0)
        name = " ".join(title[:length])
        if len(tokenize(name)) < LEAST_BEGUN:
            return ""
        others = (_folded(f"{other.title} {other.abstract}") for other in papers if other.id != paper.id)
        return "" if any(_holds(text, name) for text in others) else name

    def _introduced(self, abstract: str) -> Iterator[str]:
        """Rare names that an abstract introduces: in brackets, after "we propose …", or by using it twice; and what a
        name in brackets is short for.
        """
        yield from self._rare([spelled for _, spelled in abbreviated(abstract)])
        for name in dict.fromkeys(_NAME_LIKE.findall(abstract)):
            spelled = re.escape(name)
            pattern = rf"\(\s*{spelled}\s*\)|\b{spelled}\s*\(|(?i:\b{_INTRODUCING}){spelled}\b"
            if len(re.findall(rf"\b{spelled}", abstract)) > 1 or re.search(pattern, abstract):
                yield from self._rare([name])

    def _rare(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            folded = _folded(name)
            terms = tokenize(name)
            if len(folded) > 1 and terms and min(map(self._keywords.frequency, terms)) <= RARE_IN:
                yield folded


def _is_plain_word(name: str, question: str, texts: Sequence[str]) -> bool:
    """Whether `name`, which `question` holds, is one word that it and some of `texts` write in small letters alone."""
    if not name.isalpha():
        return False
    small = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    if not small.search(question) or any(word != name for word in re.findall(_spelled(name), question, re.IGNORECASE)):
        return False
    return any(small.search(text) for text in texts)


def holding_name(name: str, texts: Mapping[str, str], keywords: KeywordIndex) -> frozenset[str]:
    """The keys of the `texts` that hold `name` as it is written; none where it is no rare name but a word of theirs."""
    terms = tokenize(name)
    if not terms or min(map(keywords.frequency, terms)) > RARE_IN:
        return frozenset()
    if any(re.search(rf"\b{re.escape(name.lower())}\b", text) for text in texts.values()):
        return frozenset()
    return frozenset(key for key, text in texts.items() if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text))


def speaking_of(mentions: Sequence[Mention], papers: Sequence[Paper]) -> tuple[Paper, ...]:
    """Those of `papers` that hold a name that was mentioned; all where none was.

    A name in a title counts before one that an abstract introduces.
    """
    names = {m.name for m in mentions if m.is_title} or {m.name for m in mentions}
    if not names:
        return tuple(papers)
    ids = {m.paper.id for m in mentions if m.name in names}  # a name can be part of a title that is cut in the middle
    texts = ((paper, _folded(f"{paper.title} {paper.abstract}")) for paper in papers)
    return tuple(paper for paper, text in texts if paper.id in ids or any(_holds(text, name) for name in names))


def _described(question: str, papers: Sequence[Paper], nearness: Nearness) -> list[Mention]:
    """The two papers that the halves of `question` describe, cut where they are furthest apart; else none."""
    cuts = [(question[: cut.start()], question[cut.end() :]) for cut in _HALVES.finditer(question.rstrip(" ?."))]
    cuts = [halves for halves in cuts if min(len(half.split()) for half in halves) > 1]
    if len(papers) < 2 or not cuts:
        return []
    near = nearness([half for halves in cuts for half in halves], papers)
    best: tuple[float, list[Mention]] = (0.0, [])
    for number, (first, _) in enumerate(cuts):
        left, right = near[2 * number], near[2 * number + 1]
        i, j = int(left.argmax()), int(right.argmax())
        apart = float(min(left[i] - left[j], right[j] - right[i]))
        if apart >= max(DESCRIBED_APART, best[0]) and min(left[i], right[j]) >= DESCRIBED_NEAR:
            pair = [Mention(papers[i], "", 0, is_title=False), Mention(papers[j], "", len(first), is_title=False)]
            best = (apart, pair)
    return best[1]


def _subjects(mentions: Sequence[Mention]) -> tuple[Subject, ...]:
    labels = _labels([mention.paper for mention in mentions])
    return tuple(Subject(m.paper, label, m.name) for m, label in zip(mentions, labels, strict=True))


def _labels(papers: Sequence[Paper]) -> tuple[str, ...]:
    """What to call each paper: the part before its title's colon, or the whole where that is long or shared."""
    heads = [paper.title.partition(":")[0] if ":" in paper.title else paper.title for paper in papers]
    return tuple(
        head if heads.count(head) == 1 and len(head.split()) <= LONGEST_NAME else paper.title
        for head, paper in zip(heads, papers, strict=True)
    )


def namesakes(question: str, papers: Sequence[Paper]) -> tuple[tuple[Paper, ...], ...]:
    """Those of `papers` that `question` calls by one name, the words before the colon of two or more titles."""
    asked = _folded(question)
    called: dict[str, list[Paper]] = {}
    for paper in papers:
        head, colon, _ = paper.title.partition(":")
        if colon and len(head.split()) <= LONGEST_NAME and (name := _folded(head)) and _holds(asked, name):
            called.setdefault(name, []).append(paper)
    return tuple(tuple(group) for group in called.values() if len(group) > 1)


def question_about(subject: Subject, subjects: Sequence[Subject], question: str) -> str:
    """`question` without the names of the other subjects: what to look for in this one's abstract."""
    for other in subjects:
        if other.name and other.name != subject.name:
            question = re.sub(_spelled(other.name), " ", question, flags=re.IGNORECASE)
    return question


def short_name(subject: Subject, question: str) -> str:
    """What to call `subject` in a sentence: its label, or as `question` spells its name; "" where that is a title."""
    if len(subject.label.split()) <= LONGEST_NAME:
        return subject.label
    found = re.search(_spelled(subject.name), question, re.IGNORECASE) if subject.name else None
    is_title = found is None or _folded(subject.paper.title).startswith(subject.name)
    return "" if is_title or found is None or len(found[0].split()) > LONGEST_NAME else found[0]


def said_of(subject: Subject, subjects: Sequence[Subject], text: str) -> str:
    """`text` with the other subjects left out where it says the same of them: "A and B were tested" says "A were".

    What is then said of `subject` is held against its own paper's sentences.
    """
    own = _spelled(subject.name)
    for other in subjects if subject.name else ():
        if other.name and other.name != subject.name:
            its = _spelled(other.name)
            both = rf"(?:\bboth\s+)?(?:({own})\s+and\s+{its}|{its}\s+and\s+({own}))"
            text = re.sub(both, lambda found: found[1] or found[2], text, flags=re.IGNORECASE)
    return text


def names(text: str, subject: Subject) -> bool:
    """Whether `text` names `subject`, as the question does or by its label."""
    said = _folded(text)
    return any(_holds(said, name) for name in (subject.name, _folded(subject.label)) if name)


def speaks_of_another(text: str, subject: Subject, subjects: Sequence[Subject]) -> bool:
    """Whether `text`, said of `subject`, names another subject that its paper does not speak of, or "the second paper".

    Which paper would be the second nobody could tell from one paper's sentences, the model neither; unless these speak
    of it themselves: "both studies" are the two studies of which a paper tells.
    """
    said, own = _folded(text), _folded(f"{subject.paper.title} {subject.paper.abstract}")
    counted = (_folded(found[0]) for found in _COUNTED.finditer(text))
    if not all(_holds(own, phrase) or _counts(own, phrase.split()[-1]) for phrase in counted):
        return True
    return any(s.name and _holds(said, s.name) and not _holds(own, s.name) for s in subjects if s != subject)


def _counts(text: str, noun: str) -> bool:
    """Whether the folded `text` speaks of two or three of what `noun` means: "two randomized studies"."""
    own, kind = text.split(), stem(noun)
    numbers = [place for place, word in enumerate(own) if word in {"two", "both", "three", "2", "3"}]
    return any(stem(word) == kind for place in numbers for word in own[place + 1 : place + 4])


def _without(text: str, names: Iterable[str]) -> str:
    """The folded `text` without these folded names."""
    for name in names:
        text = f" {text} ".replace(f" {name} ", "  ").strip()
    return text


def _spelled(name: str) -> str:
    """A pattern for a folded name as it may be written, in whatever case."""
    words_in_turn = r"\W*".join(re.escape(word) for word in name.split())
    return rf"\b{words_in_turn}\b"


def _folded(text: str) -> str:
    """Words of `text` in lower case, without accents and punctuation, one space between."""
    return " ".join(words(text))


def _place(text: str, name: str) -> int:
    """Where the folded `name` stands in the folded `text` as whole words; -1 where it does not."""
    return f" {text} ".find(f" {name} ")


def _holds(text: str, name: str) -> bool:
    """Whether the folded `name` stands in the folded `text` as whole words."""
    return _place(text, name) >= 0
