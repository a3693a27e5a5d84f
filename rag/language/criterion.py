"""What a question about the whole library asks of a paper: "Which papers build on A* search?" -> "build on A* search".

Which questions are about the whole library `list_question` says; what it leaves of one is the criterion. Its words fall
into units: a name as it is written ("A*", "Meta-World"), or a word in any inflection ("forgetting"); "or", a slash and
brackets give a unit alternatives. Verbs that any such question has ("use", "present", "talk about") count for nothing.
A paper holds the criterion by its words where it holds every unit that is rare in this library, or an abbreviation of
them all ("DPO", "VAE").

A question for the papers that do not is read as its counterpart, see `complement`.

Knows texts and words; nothing of vectors, models or answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

from rag.language.complement import Counterpart, counterpart
from rag.language.list_question import ListQuestion, list_question
from rag.language.phrases import abbreviated
from rag.language.terms import STOP_WORDS, is_stop_word, stem, words
from rag.schema import Paper

_EXAMPLES = re.compile(r",? \b(?:such as|for instance|for example|e\.g\.|be it)\b[^,;]*(?:,|$)", re.IGNORECASE)
"""Examples narrow nothing down: their words need not be held."""
_DIGITS = re.compile(r"\d+")
_NOT = re.compile(r"\b(?:not|no|without|never|except|excluding|neither|nor)\b|\bnon\b(?!-)|n['’]t\b", re.IGNORECASE)
"""Not "non-small cell lung cancer": that is a name, which papers write."""
_NON = re.compile(r"\bnon-?\w{3}", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|cannot|never|neither|nothing)\b|n['’]t\b|\bno mention\b|\bat all\b", re.IGNORECASE)
_IN_TITLE = re.compile(r"\s*\bin (?:its|the|their) titles?\b", re.IGNORECASE)
_ONLY_MENTIONS = re.compile(
    r"(?!(?<=, )(?:mentioned|discussed) \w)"
    r"\b(?:appears?|mention(?:s|ed)?|talks? about|discuss(?:es|ed)?|contains?|refers? to|occurs?|cites?)\b"
    r"|(?-i:\bnames? (?=(?:[a-z]+ ){0,2}[\"“'‘]?[A-Z]))",
    re.IGNORECASE,
)
"""A name alone may be named; "name the robot that they use" asks for more than a word, and so does "beat FedAvg,
mentioned by name".
"""
_PAPERS_ARE_OBJECT = re.compile(
    r"does (?!not\b)|(?:do|did) (?:the (?:author|paper|review|survey|study)|they\b|we\b|you\b)", re.IGNORECASE
)
"""What one paper does with others: "What papers does OpenVLA cite?"."""
_JOINED = re.compile(r"(?:that|which|who|where|whose|on|about|with|from|by|in|of|for|to|using)\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"(?:are|is|were|was|have|has|had|do|does|did|can)\b", re.IGNORECASE)
_SINGULAR = re.compile(r"[a-z]+[^\Wus]s\b")
"""A verb of one: "uses", not "use", "focus" or "discuss"."""
_DOES = re.compile(r"^(?:do|does|did)\b\s*", re.IGNORECASE)
_KIND_IS_NOTHING = frozenset(
    "the of all any other these those your my our every many different two three four five".split()
)
_TOKEN = re.compile(r"[^\W_][\w*+^]*(?:[-.][\w*+^]+)*|[(),;/]")
_SYMBOL = re.compile(r"[*+^]")
_BEFORE_VERSION = re.compile(r"(?<=[a-z]{3})(?=\d)", re.IGNORECASE)
"""Between a name and its number: "Llama2" and "GPT4" are "Llama 2" and "GPT 4"; "A2C" and "H100" are one name."""
_ACRONYM = re.compile(r"(?<![A-Za-z])[A-Z]{2,6}(?![a-z])")
# What any such question may say of papers. Stems, since they are compared with stems.
_SAYS_NOTHING = frozenset(
    stem(word)
    for word in """
    use introduce build train learn present create appear mention propose evaluate study discuss report talk cover
    address describe consider work deal apply employ rely base explore investigate show contain involve method approach
    part paper abstract library variant kind type form way thing test make need focus concern relate name exist publish
    topic idea combine develop offer provide rest try aim different various
    one ones something anything
    """.split()
)

SHARE_OF_RAREST = 0.6
"""A unit is required where its weight is at least this share of the rarest unit's: "diffusion", not "models"."""


AS_TYPED = 0.8
"""How alike (Ratcliff and Obershelp 1988) a word and its mistyped form are: "diabetis" 0.88, "migartion" 0.89."""
SHORTEST_BY_INITIALS = 3
"""Letters of an abbreviation that no paper spells out: "VAE" is no chance, "MM" for "a Mistral model" is."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that a paper should hold, in any of these spellings."""

    alternatives: tuple[str, ...]

    def is_in(self, text: Text) -> bool:
        """Whether `text` holds any of the spellings."""
        return any(text.holds(spelling) for spelling in self.alternatives)


class Text:
    """A text in which units are looked for; stems are made when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _folded(self) -> str:
        return self.text.casefold()

    @cached_property
    def _stems(self) -> str:
        return f" {' '.join(_stems(self.text))} "

    def holds(self, spelling: str) -> bool:
        """Whether a name stands here as it is written, or a word in any inflection; parts of a word in a row."""
        if _SYMBOL.search(spelling) or spelling.casefold() in STOP_WORDS:  # "HER" is not "her"
            return re.search(rf"(?<![\w]){re.escape(spelling)}(?![\w*+^])", self.text) is not None
        stems = _stems(spelling)
        if not stems:
            return False
        # Nearly all papers are dismissed here, before anything is stemmed. A stem may end in another letter.
        # One may be quite another: of "dying" it is "die".
        is_as_spelled = spelling.casefold() in self._folded or not self.text.isascii()
        if not is_as_spelled and any(s[: max(2, len(s) - 1)] not in self._folded for s in stems):
            return False
        return f" {' '.join(stems)} " in self._stems or f" {''.join(stems)} " in self._stems


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(_BEFORE_VERSION.sub(" ", text))]


@dataclass(frozen=True, slots=True)
class Criterion:
    """What is asked of every paper. `text`: in the words of the question."""

    text: str
    units: tuple[Unit, ...]
    is_mention: bool = False
    """Whether saying the words is enough: "In which abstracts does Ego4D appear?"."""
    in_title: bool = False
    """Whether the title has to say them; then `is_mention` holds too."""
    is_within: bool = False
    """Whether it is asked of what stands in a paper: "In which papers can a person step in?"."""
    restated: str = ""
    """The question that it was read from, where a model wrote that for the reader's own."""
    counterpart: Counterpart | None = None
    """What it was read from instead, where the papers that do not were asked for."""

    def question(self, asked: str) -> str:
        """The question that its list answers, of the reader's own, `asked`."""
        return self.counterpart.question if self.counterpart else self.restated or asked

    @property
    def denies(self) -> bool:
        """Whether a paper has to say that something is not so, as in "train without labels": its words do not tell."""
        return _NOT.search(self.text) is not None

    @property
    def statement(self) -> str:
        """A sentence that is true of a paper that fits."""
        if self.is_within:
            return f"This is one of the papers in which {_DOES.sub('', self.text)}."
        if _JOINED.match(self.text):
            return f"This is one of the papers {self.text}."
        if _AUXILIARY.match(self.text):
            return f"This is one of the papers that {self.text}."
        if _SINGULAR.match(self.text):
            return f"This paper {self.text}."
        return f"The authors of this paper {self.text}."


def criterion_of(question: str, *, is_first: bool = False) -> Criterion | None:
    """The criterion of a question about the whole library; None for any other question, and for one without content.

    `is_first`: nothing was said before it.
    """
    asked = _asked(question, is_first=is_first)
    instead = counterpart(asked) if asked else None
    if instead is None:
        return _criterion(asked)
    found = _criterion(_asked(instead.question, is_first=True))
    return replace(found, counterpart=instead) if found else None


def _asked(question: str, *, is_first: bool) -> ListQuestion | None:
    asked = list_question(question, is_first=is_first)
    if asked is None:
        return None
    return replace(asked, kind=" ".join(word for word in asked.kind.split() if word.lower() not in _KIND_IS_NOTHING))


def _criterion(asked: ListQuestion | None) -> Criterion | None:
    if asked is None or (_PAPERS_ARE_OBJECT.match(asked.text) and not asked.is_within):
        return None
    in_title = _IN_TITLE.search(asked.text) is not None
    text = _IN_TITLE.sub("", asked.text)
    units = _units(f"{asked.kind} {_EXAMPLES.sub(' ', text)}")
    if not units:
        return None
    is_mention = in_title or not text or _ONLY_MENTIONS.search(text) is not None
    return Criterion(text or f"on {asked.kind}", units, is_mention, in_title, bool(text) and asked.is_within)


def restated_criterion(request: str, question: str) -> Criterion | None:
    """The criterion of a `request` for papers, read from it put as a `question`.

    None where that asks for none, or for something else: more than half of what it asks for has to stand in the
    request, and numbers, a "not" and a "non-" of the request in the question. Whether the words are enough goes by the
    reader's own: a model says "discuss" for "about", and "do not use" for "without".
    """
    denies = _DENIES.search(request) is not None
    criterion = criterion_of(question, is_first=True) if denies else _criterion(_asked(question, is_first=True))
    if criterion is None or 2 * sum(_is_said(unit, request) for unit in criterion.units) <= len(criterion.units):
        return None
    if sorted(_DIGITS.findall(request)) != sorted(_DIGITS.findall(question)):
        return None
    if (_NOT.search(request) or _NON.search(request)) and not (_NOT.search(question) or _NON.search(question)):
        return None
    is_mention = criterion.in_title or _ONLY_MENTIONS.search(request) is not None
    return replace(criterion, is_mention=is_mention, restated=question)


def _is_said(unit: Unit, request: str) -> bool:
    """Whether `request` has any spelling of `unit`, mistyped perhaps."""
    if unit.is_in(Text(request)):
        return True
    typed = words(request)
    return any(get_close_matches(spelling.lower(), typed, n=1, cutoff=AS_TYPED) for spelling in unit.alternatives)


def _units(text: str) -> tuple[Unit, ...]:
    """Units in their order; after "or", "/" or an opening bracket a spelling joins the unit before."""
    units: list[list[str]] = []
    joins = False
    is_shouted = text.isupper()
    for token in _TOKEN.findall(text):
        word = token.lower()
        is_grammar = word in STOP_WORDS if is_shouted else is_stop_word(token)
        if word in ("or", "(", "/"):
            joins = bool(units)
        elif word in (")", ",", ";") or (is_grammar and word not in ("a", "an", "the")):
            joins = False
        elif not is_grammar and stem(word) not in _SAYS_NOTHING:
            if joins:
                units[-1].append(token)
            else:
                units.append([token])
            joins = False
    return tuple(Unit(tuple(unit)) for unit in units)


@dataclass(frozen=True, slots=True)
class Holding:
    """Which papers hold a criterion by its words: wholly; but for words that no paper holds; or at least by half.

    `required`: what is looked for in them, to find the sentences that show it.
    """

    wholly: tuple[Paper, ...]
    nearly: tuple[Paper, ...]
    partly: tuple[Paper, ...]
    required: tuple[Unit, ...]


def holding(criterion: Criterion, papers: Sequence[Paper]) -> Holding:
    """The `papers` that hold every unit that is rare among them, or an abbreviation of all of these; those that do but
    for units that none of `papers` holds; and those that hold half of them by weight (rare ones count more). All in the
    order of `papers`.
    """
    texts = [Text(paper.title if criterion.in_title else f"{paper.title}. {paper.abstract}") for paper in papers]
    asked = [_spelled_out(unit, papers) for unit in criterion.units]
    held = [{i for i, text in enumerate(texts) if unit.is_in(text)} for unit in asked]
    weights = [math.log((len(papers) + 1) / (len(h) + 0.5)) if h else 0.0 for h in held]
    least = 0.0 if criterion.in_title else SHARE_OF_RAREST * max(weights)  # a title is asked for word by word
    required = [j for j, weight in enumerate(weights) if held[j] and weight >= least]
    units = tuple(asked[j] for j in required)
    with_all = set.intersection(*(held[j] for j in required)) if required else set()
    shorts: set[str] = set()
    introduced = {(short, tuple(_stems(said))) for paper in papers for short, said in abbreviated(paper.abstract)}
    for spelled in {tuple(u.alternatives[0] for u in group) for group in (units, criterion.units) if len(group) > 1}:
        stems = tuple(_stems(" ".join(spelled)))
        found = frozenset().union(*(abbreviations(spelled, text.text) for text in texts))
        shorts |= {s for s in found if len(s) >= SHORTEST_BY_INITIALS or (s, stems) in introduced}
    wholly = {i for i, text in enumerate(texts) if not shorts.isdisjoint(_ACRONYM.findall(text.text))}
    if all(held):  # else a word of the criterion stands in no paper
        wholly |= with_all
    nearly = with_all - wholly
    half = sum(weights[j] for j in required) / 2
    partly = {i for i in range(len(papers)) if required and sum(weights[j] for j in required if i in held[j]) >= half}
    return Holding(
        tuple(papers[i] for i in sorted(wholly)),
        tuple(papers[i] for i in sorted(nearly)),
        tuple(papers[i] for i in sorted(partly - wholly - nearly)),
        units + tuple(Unit((short,)) for short in sorted(shorts)),
    )


def _spelled_out(unit: Unit, papers: Sequence[Paper]) -> Unit:
    """`unit`, with what it stands for where `papers` say so: "RL" is "reinforcement learning" in "… learning (RL)"."""
    short = {spelling for spelling in unit.alternatives if _ACRONYM.fullmatch(spelling)}
    meant = (found for paper in papers if short for found in abbreviated(paper.abstract))
    longer = {spelled.lower() for found, spelled in meant if found in short}
    return Unit((*unit.alternatives, *sorted(longer)))


def abbreviations(spelled: Sequence[str], text: str) -> frozenset[str]:
    """The abbreviations in `text` that may stand for the words `spelled`: by their initials, perhaps with a second
    letter of the last word where that is long, as in "VAE" for "variational autoencoder".
    """
    initials = "".join(word[0] for word in spelled).upper()
    later = set(spelled[-1][2:].upper()) if len(spelled[-1]) >= 8 else set()
    return frozenset(
        short
        for short in _ACRONYM.findall(text)
        if short == initials or (short[:-1] == initials and short[-1] in later)
    )
