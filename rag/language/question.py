"""What can be told of a question from its words alone: whether it can be read, and what kind of answer it wants.

Knows nothing of papers, retrieval or models. The rules for kinds are plain English grammar, not words of any field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from rag.errors import BadQuestion
from rag.language.anaphora import asks_the_same
from rag.language.quantities import numbers_in
from rag.language.syntax import AUX, PREPOSITIONS
from rag.language.terms import STOP_WORDS, is_stop_word, stem, words

_SECOND_PART = re.compile(r",? and (?:how|what|why|which|when|where|in what)\b", re.IGNORECASE)
_WH = r"(?:what|which|how|why|when|where|who|whom|whose)"
_ASKS = rf"(?:(?:in|by|to|for|on|with|from|at|of) )?{_WH}"
_BETWEEN_PARTS = re.compile(rf",? (?:and|but) (?={_ASKS}\b)|(?<=\?) (?={_ASKS}\b)", re.IGNORECASE)
_ENDS_OPEN = re.compile(rf"\b(?:{_WH}|and|or|not)\W*$", re.IGNORECASE)
_SHORTEST_PART = 3
_AUXILIARY = rf"(?:cannot|can['’]t|(?:{'|'.join(sorted(filter(str.isalpha, AUX)))})(?:n['’]t)?)"
_PHRASE_ALONE = re.compile(
    rf"(?:.*[.:;,?!] )?(?:up )?(?:{'|'.join(sorted(PREPOSITIONS | {'through'}))}) {_WH}"
    rf"(?: (?!(?:{_AUXILIARY}|that|which|who|whose)\b)[\w'’-]+)+",
    re.IGNORECASE,
)
"""A question word with what stands beside it and no verb: "to what extent"."""
_OPEN = re.compile(rf"\b{_WH}\b", re.IGNORECASE)
_NUMBER_WANTED = re.compile(
    r"\bhow many\b|\b(?:by|to) (?:how much|what (?:factor|percentage|share|margin)s?)\b"
    r"|\b(?:what|which) (?:share|proportion|fraction) of\b"
    r"|^\W*(?:the )?(?:total |exact |average )?(?:number|percentage|share|proportion|fraction|amount) of\b",
    re.IGNORECASE,
)
_FIGURE_WANTED = re.compile(
    rf"\b(?:what|which) (?:{_AUXILIARY} (?:[\w-]+ )?|(?:(?!(?-i:[a-z-]*[^\Wsui]s) )[\w-]+ ){{0,2}})"
    r"(?:rate|percentage|accuracy|score|speed-?up|number)\b"
    r"|\b(?:at|to|of|from|by|with) (?:what|which) (?:[\w-]+ ){0,2}"
    r"(?:value|size|frequency|threshold|resolution|cost)s?\b",
    re.IGNORECASE,
)
"""A word for a number, which may only stand before the noun that is asked for: "what learning rate schedule"."""
_NEXT_WORD = re.compile(r"\s+([a-z]+(?:-[a-z]+)*)")
_NO_OTHER_NOUN = (
    STOP_WORDS
    | AUX
    | PREPOSITIONS
    | frozenset(
        """
    cannot per across among works
    gain gains figure figures value values level levels increase decrease improvement reduction drop difference change
    threshold limit constant ratio range
    """.split()
    )
)
_QUANTITIES = frozenset(
    """
    zero one two three four five six seven eight nine ten eleven twelve dozen dozens hundred hundreds thousand thousands
    million millions billion twice double triple half quarter single none
    """.split()
)
_WHICH = re.compile(r"\b(?:which|what)\b", re.IGNORECASE)
_SAYS_WHICH = re.compile(r"\b(?:is|are|was|were|named|called|namely|i\.e|such as)\b", re.IGNORECASE)
_SAME = 2
"""Words after "which" that an answer repeats after "the" where it leaves open which."""
_ABBREVIATED = re.compile(r"\s*\(([A-Z]{2,6})s?\)")
_SHORT_FORM = r"[\"“‘']?[A-Z][\w*+-]*[\"”’']?"
_SHORT_FORMS = rf"({_SHORT_FORM}(?:(?:, and |, | and | or ){_SHORT_FORM})*)"
_KIND_OF_NAME = r"(?:the )?(?:abbreviations?|acronyms?|initialisms?|letters|terms?|names?)"
_SPELLED_WANTED = re.compile(
    rf"\bwhat (?:do|does|did) (?:{_KIND_OF_NAME} )?{_SHORT_FORMS} (?:stand for|abbreviate)\b"
    rf"|\bwhat(?: is| are|'s|’s) (?:{_KIND_OF_NAME} )?{_SHORT_FORMS}"
    r" (?:short for|an? (?:abbreviation|acronym) (?:of|for))\b"
    rf"|\bwhat(?: is| are|'s|’s) the (?:full|long|expanded) (?:form|name)s? of (?:{_KIND_OF_NAME} )?{_SHORT_FORMS}",
    re.IGNORECASE,
)
_WHY = re.compile(r"\b(?:why|explain|describe|how come)\b", re.IGNORECASE)
_HOW = re.compile(
    r"\bhow (?:do|does|did|is|are|was|were|can|could|should|has|have|to|would)\b"
    r"|(?:^|[.?!:;,–—-] )\W*what (?:are|do|does|did|is|was|were|goes|went|makes|made)\b",
    re.IGNORECASE,
)
_RECORD_WANTED = re.compile(
    r"\b(?:publish\w*|appear\w*|came out|come out|written|submitted)\b(?: \w+){0,3} (?:19|20)\d\d\b"
    r"|\b(?:papers?|works?|articles?|studies)\b(?: \w+){0,2} (?:of|from|since|before|after|in|until) (?:19|20)\d\d\b"
    r"|\b(?:what|which|in which) year\b.*\b(?:publish\w*|appear\w*|written|come out)\b"
    r"|\bwhen (?:was|were|did)\b.*\b(?:published|written|appear|come out)\b"
    r"|\b(?:papers?|works?|articles?|studies) (?:are |is |were |was )?(?:(?:co-)?authored |written )?by (?-i:[A-Z])"
    r"|\bwho (?:wrote|(?:co-)?authored|are the authors|is the (?:first |last )?author)\b"
    r"|\b(?:at|in) (?:which|what) (?:conference|journal|venue)\b|\bpublished (?:at|by)\b",
    re.IGNORECASE,
)
# "What shortcomings …", "Which two ingredients …", "What prevents …": several things, or a reason.
_SEVERAL = re.compile(r"^\W*(?:what|which)(?: \w+)? \w{3,}[a-rt-z]s\b", re.IGNORECASE)
_SHORT = re.compile(
    r"\bhow (?:many|much|large|big|long|often|fast|far)\b|\bwhat (?:is|was) the (?:name|number)\b"
    r"|\b(?:stand for|abbreviation)\b|\bhow\b.*\bcompare"
    r"|\bwhat (?:(?:do|does|did)\b.+|they|(?:the )?authors)(?<!the)(?<!\ba)(?<!its) mean\b",
    re.IGNORECASE,
)


def readable(question: object, limit: int) -> str:
    """`question` without control characters and with single spaces.

    Raises:
        BadQuestion: it is not text, nothing is left of it, or it is longer than `limit` characters.
    """
    if not isinstance(question, str):
        raise BadQuestion(f"A question is text, not {type(question).__name__}.", "Give a string.")
    line = one_line(question)
    if not line:
        raise BadQuestion("The question is empty.", "Ask about something that a paper may say.")
    if len(line) > limit:
        raise BadQuestion(f"The question has {len(line):,} characters; {limit:,} are read.", "Ask in fewer words.")
    return line


def one_line(text: str) -> str:
    """`text` without control characters and with single spaces: no line of it can pass for one of a prompt."""
    plain = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    return re.sub(r"\s+", " ", plain).strip()


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that one question asks, each with its question mark; () where it asks one.

    "What does X hide, and why is that a problem?" asks two; "when and how" asks one, and so does "to what extent and by
    what means does X help?", whose first part has no verb of its own.
    """
    parts = [part.strip(" ,;") for part in _BETWEEN_PARTS.split(question.strip())]
    if len(parts) < 2 or any(len(part.split()) < _SHORTEST_PART or _ENDS_OPEN.search(part) for part in parts):
        return ()
    if any(_PHRASE_ALONE.fullmatch(part) for part in parts):
        return ()
    return tuple(f"{part[0].upper()}{part[1:].rstrip(' ?.!')}?" for part in parts)


def asks_for_number(question: str) -> bool:
    """Whether only a number, or a word for one, answers: "how many", "by what factor", "which success rate"."""
    if _NUMBER_WANTED.search(question):
        return True
    return any(not _is_before_noun(question[found.end() :]) for found in _FIGURE_WANTED.finditer(question))


def _is_before_noun(rest: str) -> bool:
    """Whether the first word of `rest` may be a noun: in small letters and none of those that follow a figure."""
    word = _NEXT_WORD.match(rest)
    return rest[:1] == "-" or (word is not None and word[1] not in _NO_OTHER_NOUN and not word[1].endswith("ly"))


def abbreviations_in_question(question: str) -> tuple[str, ...]:
    """The abbreviations of which `question` asks what they stand for, as it writes them; () where it asks otherwise."""
    found = _SPELLED_WANTED.search(question)
    if found is None:
        return ()
    said = next(text for text in found.groups() if text)
    return tuple(name for name in re.findall(r"[\w*+-]+", said) if not is_stop_word(name))


def asks_yes_or_no(question: str) -> bool:
    """Whether nothing in `question` asks what, which, how or why."""
    return _OPEN.search(question) is None


def tells(text: str, question: str, standalone_question: str = "") -> bool:
    """Whether `text` may answer `question`: says more than the question does, and a number where one is asked for.

    "It was run with open LLMs." tells nothing to "Which open LLMs was it run with?". To a question for yes or no
    saying the same again may be the answer.

    Args:
        text: a sentence of an answer.
        question: as it was asked: what kind of answer it wants.
        standalone_question: as it was understood, where that is more: its words are no news either.
    """
    if asks_yes_or_no(question):
        return True
    news, known = _news(text, question, standalone_question)
    if asks_for_number(question):
        return any(map(_is_quantity, news))
    return bool(news) and not _leaves_open(text, question, known)


def says_again(text: str, followup: str, answered: str) -> bool:
    """Whether `text` gives the numbers of `answered`, the last answer, and nothing of what half a sentence asks for
    now: "34.43 BLEU on English-Romanian" to "And into German?".
    """
    if not asks_the_same(followup):
        return False
    numbers = numbers_in(text, with_one=False)
    return bool(numbers) and numbers <= numbers_in(answered) and not shares_words(text, followup)


def shares_words(text: str, other: str) -> bool:
    """Whether `text` holds a word of `other`, in whatever form; not counting those that every text has."""
    return not {stem(word) for word in words(text)}.isdisjoint(stem(w) for w in words(other) if w not in STOP_WORDS)


def shares_news(source: str, text: str, question: str, standalone_question: str = "") -> bool:
    """Whether `source` says some of what `text` tells beyond the question: of a question for a number, a number.

    True where `text` says no more than the question: then there is nothing to share.
    """
    news, _ = _news(text, question, standalone_question)
    if asks_for_number(question):
        news = [word for word in news if _is_quantity(word)]
    held = {stem(word) for word in words(source)}
    return not news or any(stem(word) in held for word in news)


def _news(text: str, question: str, standalone_question: str) -> tuple[list[str], set[str]]:
    """The words of `text` that are not those of the question, and the stems of those that are."""
    known = {stem(word) for word in words(f"{question} {standalone_question}")}
    pairs = () if abbreviations_in_question(question) else _ABBREVIATED.finditer(text)
    for found in pairs:  # "large language models (LLMs)" is no news where "LLM" was asked about
        short = found[1].casefold()
        spelled = words(text[: found.start()])[-len(short) :]
        if {short, f"{short}s"} & known or all(stem(word) in known for word in spelled):
            known |= {short, f"{short}s", *map(stem, spelled)}
    return [word for word in words(text) if word not in STOP_WORDS and stem(word) not in known], known


def _is_quantity(word: str) -> bool:
    return word[0].isdigit() or word in _QUANTITIES


def _leaves_open(text: str, question: str, known: Collection[str]) -> bool:
    """Whether `text` speaks of "the model …" where "which model …" was asked, and neither names one nor says which."""
    asked = _WHICH.search(question)
    said = re.match(r"\W*the\b", _ABBREVIATED.sub("", text), re.IGNORECASE)
    if asked is None or said is None:
        return False
    wanted, given = words(question[asked.end() :])[:_SAME], words(_ABBREVIATED.sub("", text)[said.end() :])
    if given[:_SAME] != wanted or _SAYS_WHICH.search(text):
        return False
    named = (word for word in re.findall(r"[^\W_]+", text) if not word.islower() and stem(word.casefold()) not in known)
    return not any(word[1:].lower() != word[1:] or word[0].isdigit() for word in named)


def asks_for_record(question: str) -> bool:
    """Whether it asks for what a paper's record says and no abstract: its year, its authors, where it was published."""
    return _RECORD_WANTED.search(question) is not None


def wants_explanation(question: str) -> bool:
    """Whether one short fact would leave the reader wanting more: how, why, what, or two questions in one."""
    is_open = any(pattern.search(question) for pattern in (_SECOND_PART, _WHY, _HOW, _SEVERAL))
    return is_open and _SHORT.search(question) is None and not abbreviations_in_question(question)
