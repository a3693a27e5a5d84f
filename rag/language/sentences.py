"""Where the sentences of a scientific abstract begin and end.

Every possible end (a full stop, question or exclamation mark, with what closes after it) is looked at once and
judged by the word before it and the word after it: abbreviations, initials, numbering, addresses, brackets, and
full stops that lack their space ("ability.OpenAI") each have a rule. It does not know grammar or the field's
vocabulary beyond the word lists below, and it never changes the text: offsets are all it returns.

Source: rules written for this project, in the spirit of Grefenstette and Tapanainen (1994), "What is a word, what
is a sentence?"; the word lists were settled by reading the splits of real abstracts.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from rag.schema import Paper, Sentence


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# A full stop after one of these never ends a sentence.
_NEVER_LAST = _words("e.g i.e eg ie cf vs v.s viz approx ca w.r.t wrt s.t a.k.a aka c.f incl abbr esp subsp")
_TITLES = _words("Dr Prof Mr Mrs Ms St Mt Gen Sen Gov Dept Univ")
# These stand before a number, a name or a bracket; they end a sentence only before a word that often begins one.
_SELDOM_LAST = _words(
    "fig figs eq eqs eqn eqns sec secs sect ch chap tab alg thm lem prop cor def ref refs vol pp ed eds al resp"
    " jr sr inc ltd co corp avg dim ph.d m.sc b.sc sp spp proc natl acad sci assoc amer statist biol chem phys lett"
)
# These end a sentence unless a number follows.
_BEFORE_NUMBER = _words("no nos nr p jan feb mar apr jun jul aug sep sept oct nov dec art av")

_OPENING_WORDS = _words(
    "a above accordingly additional additionally after against all also alternatively although among an analogously"
    " and another as assuming at based because before below besides between beyond both building but by code codes"
    " commonly compared comprehensive consequently considering conversely crucially current data deep despite due"
    " during each empirical empirically ensuring especially evaluation evaluations even every examples existing"
    " experimental experimentally experiments extensive finally first firstly following for from further furthermore"
    " general generally given hence here how however humans i if important in indeed inspired instead interestingly"
    " into is it its large last lastly lately learning leveraging little machine many meanwhile models more moreover"
    " most motivated much nevertheless next no nonetheless not notably now numerical numerous of often on once one or"
    " other our out over overall particularly people preliminary previous prior project qualitative quantitative"
    " rather recent recently reinforcement researchers results second secondly several significant similarly"
    " simulations since so some specifically state still subsequently such superior surprisingly taken that the their"
    " then theoretical theoretically there thereby therefore these they third this those three through throughout thus"
    " to together toward towards traditionally training two typically under unfortunately unlike until upon using"
    " usually various via we what when where whereas whether which while with within without yet you"
)
# Where a writer forgot the capital as well, only words that hardly ever follow an abbreviation are trusted.
_UNCAPITALISED_OPENING_WORDS = _words("we however this these our moreover furthermore therefore finally")
# Between an initial and the rest of a name these stand before it: "by J. Pearl"; after other words a single capital
# is a label: "class A. Patients".
_BEFORE_A_NAME = _words("and by of with from to in for the a an or as on at see via after")
# "torch.Tensor", "Node.JS", "Booking.Com": a stop inside a name.
_CODE_ROOTS = _words(
    "torch nn tf np pd plt numpy pandas keras tensorflow sklearn jax flax scipy socket node vue react next self"
)
_NAME_TAILS = _words("js ts py io ai net com org edu gov app dev sh md txt csv json pdf cpp asp")

_CANDIDATE = re.compile(
    r"(?P<stop>[.!?…]+|[。！？])"
    r"(?P<close>(?:[\"'”’»)\]}]|\[\d+(?:\s*[,–-]\s*\d+)*\])*(?:\s[\"”](?=\s))?)"
    r"(?P<gap>\s*)"
)
_BLANK_LINE = re.compile(r"\n\s*\n")
_ADDRESS = re.compile(r"://|www\.|@|\w/\w|/~")
_PLAIN_ENDING = re.compile(r"(?:^|[-/(])[a-z]{2,}$|[)\]%”\"]$")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,2}|[ivx]{1,4})")
_NEVER_CAPITALISED = re.compile(
    r"[a-z]{1,5}-?[A-Z\d]|https?://|www\."  # eBay, mBERT, p53; an address
    r"|[α-ωϐ-ϵµℓ]|(?:[ivx]{1,4}|[a-h])\)\s"  # β-catenin, ε-greedy; "(ii) We"
)
_WORD_APART = re.compile(r"[\w)\]%”\"]\s+$")
_FOLLOWING_WORD = re.compile(r"[^\W_]+(?:[-’'*][^\W_]+)*")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # U.S, D.C, i.i.d
_OPENERS = "\"'“‘«([{`*"
_WINDOW = 200
"""How far, in characters, a rule looks back or ahead; keeps the work linear in the length of the text."""
_MAX_BRACKETED = 300
"""A bracket longer than this, in characters, is taken for an unmatched one and may be split."""


class _Candidate(NamedTuple):
    """One place where a sentence may end."""

    start: int
    """Offset of the stop."""
    end: int
    """Offset after the stop and what closes after it."""
    stop: str
    close: str
    head: str
    """What stands before `before`, back to the start of the window, without white space at its end."""
    before: str
    """The unbroken word that the stop ends, without opening brackets."""
    after: str
    """What follows, from the next word on, without the brackets and quotes that open it."""
    spaced: bool
    is_apart: bool
    """Whether a full stop has white space before it, too, as in texts that were cut into words."""

    @property
    def last_part(self) -> str:
        """The last part of a compound word, case folded: "fig" of "(see/Fig"."""
        return re.split(r"[(\[/~–—-]", self.before.casefold())[-1]

    def is_abbreviation(self, listed: frozenset[str]) -> bool:
        """Whether the word before the stop is listed; "MS" in capitals is no "ms"."""
        is_listed = self.before.casefold() in listed or self.last_part in listed
        return is_listed and not (self.before.isupper() and "." not in self.before)

    @property
    def next_word(self) -> str:
        """The letters and digits that come next; empty before an initial or a symbol."""
        found = re.match(r"[^\W_]+", self.after)
        return found.group() if found and not self.after.startswith(".", found.end()) else ""

    @property
    def opens(self) -> bool:
        """Whether a capitalised word follows that often begins a sentence."""
        word = self.next_word
        return word[:1].isupper() and word.casefold() in _OPENING_WORDS


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Sentence spans `(start, end)`, half open, in order, without overlap, without surrounding white space.

    Everything but white space lies in exactly one span. Empty or blank text gives no span.
    """
    spans: list[tuple[int, int]] = []
    blank_lines = (match.end() for match in _BLANK_LINE.finditer(text))
    for start, end in pairwise(sorted({0, *_cuts(text), *blank_lines, len(text)})):
        piece = text[start:end]
        bare = piece.strip()
        if not bare:
            continue
        begin = start + len(piece) - len(piece.lstrip())
        # Stray punctuation (". . .") is no sentence: it stays with what comes before it.
        if spans and not any(char.isalnum() for char in bare):
            spans[-1] = (spans[-1][0], begin + len(bare))
        else:
            spans.append((begin, begin + len(bare)))
    return spans


def sentences_of(paper: Paper) -> tuple[Sentence, ...]:
    """The sentences of a paper's abstract, `index` counting from 0. A blank abstract gives none."""
    return tuple(
        Sentence(paper.id, index, start, end, paper.abstract[start:end])
        for index, (start, end) in enumerate(split_sentences(paper.abstract))
    )


def _cuts(text: str) -> Iterator[int]:
    """Offsets at which a new sentence begins, apart from the first."""
    brackets = _bracket_pairs(text)
    remarks = _outermost(brackets)
    for match in _CANDIDATE.finditer(text):
        if match.end() == len(text):
            return
        candidate = _read(text, match)
        nearest = bisect.bisect(remarks, (candidate.start, candidate.start)) - 1
        if nearest >= 0 and candidate.end <= remarks[nearest][1]:
            continue
        if _ends_sentence(candidate, text, brackets):
            yield candidate.end


def _read(text: str, match: re.Match[str]) -> _Candidate:
    back = text[max(0, match.start() - _WINDOW) : match.start()]
    is_apart = match["stop"] == "." and not match["close"] and _WORD_APART.search(back) is not None
    word = back.split()[-1] if is_apart or (back and not back[-1].isspace()) else ""
    back = back.rstrip()
    return _Candidate(
        start=match.start(),
        end=match.end("close"),
        stop=match["stop"],
        close=match["close"],
        head=back[: len(back) - len(word)].rstrip(),
        before=word.lstrip(_OPENERS),
        after=text[match.end() : match.end() + _WINDOW].lstrip(_OPENERS),
        spaced=bool(match["gap"]),
        is_apart=is_apart,
    )


def _ends_sentence(candidate: _Candidate, text: str, brackets: dict[int, int]) -> bool:
    if candidate.stop in "。！？":
        return True
    if not candidate.spaced:
        return _lacks_its_space(candidate)
    if candidate.after[:1] in {*",;:.)]&"} or _closes_remark(candidate, text, brackets):
        return False
    if candidate.after[:1].islower():
        return _opens_in_lower_case(candidate)
    if candidate.stop == ".":
        return not _belongs_to_word(candidate)
    # "1, ... N": these dots stand for more items, not for the end.
    return bool(candidate.before) or not candidate.head.endswith(",")


def _belongs_to_word(candidate: _Candidate) -> bool:
    """Whether a spaced full stop, not before a lower-case word, is part of the word it follows."""
    part = candidate.last_part
    if candidate.is_abbreviation(_NEVER_LAST) or candidate.before in _TITLES:
        return True
    if part in _BEFORE_NUMBER:
        return candidate.after[:1].isdigit()
    if candidate.is_abbreviation(_SELDOM_LAST) and part != "al" and len(candidate.next_word) == 1:  # Sec. A
        return True
    if candidate.is_abbreviation(_SELDOM_LAST) or _ACRONYM.fullmatch(part) or (part == "etc" and candidate.close):
        return not candidate.opens
    if len(candidate.before) == 1 and part.isalpha() and not candidate.close:
        return not (candidate.opens or _is_label(candidate))
    return _is_enumerator(candidate) or _is_broken_decimal(candidate)


def _is_label(candidate: _Candidate) -> bool:
    """Whether a single letter before the stop is a label ("class A. Patients") and not an initial ("J. Pearl")."""
    previous = (candidate.head.split() or [""])[-1]
    if len(candidate.next_word) < 2 or re.fullmatch(r"[^\W\d_]\.", previous):
        return False
    if candidate.before.islower() or previous[-1:].isdigit():  # a variable; a unit
        return True
    return previous.isalpha() and previous.islower() and previous not in _BEFORE_A_NAME


def _is_enumerator(candidate: _Candidate) -> bool:
    """Whether the stop belongs to a number that opens an item: "Takeaways: 1. RLHF is … 2. The …"."""
    if candidate.close not in {"", ")"} or not _ENUMERATOR.fullmatch(candidate.before):
        return False
    previous = (candidate.head.split() or [""])[-1].lstrip(_OPENERS)
    if previous.casefold().rstrip(".") in _SELDOM_LAST | _BEFORE_NUMBER | _NEVER_LAST or previous[-2:-1].isdigit():
        return previous.endswith((".", ";", ":")) and previous[-2:-1].isdigit()
    return not previous or previous[-1] in ".!?:;,("


def _is_broken_decimal(candidate: _Candidate) -> bool:
    """Whether a stray space follows the point of a decimal fraction: "less than 0. 04"."""
    return re.fullmatch(r"\W*0", candidate.before) is not None and candidate.after[:1].isdigit()


def _opens_in_lower_case(candidate: _Candidate) -> bool:
    """Whether a sentence may begin with this lower-case word: "eBay", "β-catenin", a forgotten capital.

    Any may where full stops stand apart: "of the wing . the results are". There is no capital in most such texts.
    """
    part = candidate.last_part
    if candidate.stop != "." or part in _NEVER_LAST | _SELDOM_LAST | _BEFORE_NUMBER | {"etc"}:
        return False
    if _ACRONYM.fullmatch(part) or (len(part) == 1 and part.isalpha()) or _is_enumerator(candidate):
        return False
    if candidate.is_apart:
        return True
    return bool(_NEVER_CAPITALISED.match(candidate.after)) or candidate.next_word in _UNCAPITALISED_OPENING_WORDS


def _lacks_its_space(candidate: _Candidate) -> bool:
    """Whether a stop without a space after it still ends a sentence: "ability.OpenAI", but not "Node.JS"."""
    following = _FOLLOWING_WORD.match(candidate.after)
    word = candidate.before
    if candidate.stop not in {".", "?", "!"} or following is None or not candidate.after[0].isupper():
        return False
    name, tail = following.group(), candidate.after[following.end() :]
    if _ADDRESS.search(word) or set(word) & {*"._\\"} or re.match(r"[_(/@]|\.\w|://", tail):
        return False
    if name.casefold() in _NAME_TAILS or word.casefold() in _CODE_ROOTS | _NEVER_LAST | _SELDOM_LAST:
        return False
    if name.casefold() in _OPENING_WORDS and (len(name) > 1 or tail[:1].isspace()):
        return len(word) != 1
    return len(name) > 1 and bool(candidate.close or _PLAIN_ENDING.search(word))


def _bracket_pairs(text: str) -> dict[int, int]:
    """Offsets of matched round brackets, closing -> opening, short enough to be one remark.

    A closing bracket without an opening one ("1) first") is skipped.
    """
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"[()]", text):
        if match.group() == "(":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            if match.start() - start <= _MAX_BRACKETED:
                pairs[match.start()] = start
    return pairs


def _outermost(brackets: dict[int, int]) -> list[tuple[int, int]]:
    """Spans (opening, closing) of the brackets that lie within no other, in order."""
    spans: list[tuple[int, int]] = []
    for opening, closing in sorted((opening, closing) for closing, opening in brackets.items()):
        if not spans or opening > spans[-1][1]:
            spans.append((opening, closing))
    return spans


def _closes_remark(candidate: _Candidate, text: str, brackets: dict[int, int]) -> bool:
    """Whether the stop closes a remark within a sentence: "A (why?) Remark" and "(cats, etc.) Then"."""
    if ")" not in candidate.close or candidate.opens:
        return False
    opening = brackets.get(candidate.start + len(candidate.stop) + candidate.close.index(")"))
    if opening is None:
        return False
    return text[max(0, opening - _WINDOW) : opening].rstrip()[-1:] not in {"", *".!?…"}
