"""The text that a model wrote, taken apart: sentences without its own markers and list marks, clauses, refusals.

No parser here raises on any string.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rag.language.fidelity import denied
from rag.language.sentences import split_sentences
from rag.language.terms import tokenize

_MARKER = re.compile(
    r"\s*(?:\[\s*\d+(?:[\s,;–-]+\d+)*[\s,;–-]*\]|(?P<round>(?<!\w)\(\s*\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*\s*\)))"
)
"""In round brackets only what can number a sentence: "(130000)", "(2017)" and "SE(3)" say something."""
_MARKER_LEFT = re.compile(r"\[[\s\d,;–-]*$|\[\s*\]")
_MARKERS_END = re.compile(r"\s*(?:[.,;:!?…\[(]|$)")
"""What follows a marker behind a sentence or a clause."""
_ROUND_END = re.compile(r"\s*(?:[.;:!?…\[(]|,? (?:and|but|so|while|whereas|which)\b|$)")
"""The same in round brackets, where a number before a comma may count a part of a list: "owls (5), bats (3), …"."""
_COUNT = re.compile(r"\(\s*\d[^()]*\)[^.!?]*$")
"""A number in round brackets that stays in the sentence: what follows it in such brackets counts as well."""
_TAKES_OBJECT = re.compile(
    r"(?:\b(?:in|of|to|from|by|with|within|over|on|at|between|for|ranges?|intervals?|sizes?|is|are)|[=∈])$",
    re.IGNORECASE,
)
"""After these a bracket of several numbers is part of the sentence: "scores in [1, 5]"."""
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_FENCE = re.compile(r"^\s*(?:`{3,}[^`]*|~{3,}[^~]*)$")
_PREAMBLE = re.compile(r"^\s*(?:answer|a)\s*:\s*", re.IGNORECASE)
_END = re.compile(r"[.!?…][\"'”’)\]]*$")
_CONTRAST = r"; |,? (?:while|whereas)\b"
_CLAUSE_BREAK = re.compile(rf"{_CONTRAST}|, and\b")
"""Not "but" or "though": half of such a sentence says something else than the whole."""

_EVIDENCE = (
    r"\b(?:evidence|sentences?|papers?|abstracts?|texts?|library|context|passages?|sources?|excerpts?|information)"
)
_NOT = r"\b(?:do|does|did|is|are|was|were) not (?:\w+ )?"
_CANNOT = r"\bca(?:nnot|n not| not)"  # the last is what is left of "can't"
_STOP = r"\W*$|[,;:.] "
_REFUSAL = re.compile(
    rf"{_NOT}(?:mention|say|specif(?:y|ied)\b|specifically (?:address|describ|nam|report)|discuss)"
    rf"|{_NOT}state[ds]?\b(?!-| of\b)"
    rf"|{_NOT}(?:given|provided)(?={_STOP}| (?:here|above|explicitly|directly|and|or|but|for|as)\b)"
    rf"|{_EVIDENCE}(?: \w+){{0,3}} {_NOT}(?:provid|contain|includ|given)"
    rf"|{_NOT}(?:provided|contained|included|given) (?:\w+ )?(?:in|by) (?:\w+ ){{0,2}}{_EVIDENCE}"
    r"|\b(?:no|not enough|insufficient) (?:\w+ )?information\b(?! loss)"
    rf"|{_CANNOT} be (?:answer|determin)\w*(?={_STOP}| (?:whether|how|which|what)\b"
    rf"| (?:\w+ ){{1,3}}(?:given|provided|above|available)\b| (?:\w+ ){{1,3}}{_EVIDENCE})"
    rf"|(?:\b(?:I|we|you|one)|{_EVIDENCE}(?: \w+){{0,3}}) {_CANNOT} (?:answer|determin)",
    re.IGNORECASE,
)
"""What speaks of the evidence, or of what is not said. A paper is often called by its system's name, so that "FooNet
does not mention" speaks of the evidence; "FooNet does not include" speaks of FooNet. "Controls were not given aspirin",
"cannot be determined by imaging" and "no information loss" say something of the world."""
_SAID_BY_EVIDENCE = 0.75
"""Share of a denial's words that stand in a sentence which denies the same: then it says what the evidence says."""


def draft_sentences(draft: str, numbers: Collection[int] | None = None) -> list[str]:
    """Sentences of a model's text without its own markers, list marks and repeats; never raises, "" gives [].

    `numbers`: of the evidence that exists; None: unknown, and every bracket of numbers is a marker. Else of
    what does not exist only one number in square brackets behind a sentence or a clause is, such as "[7]" of five;
    "scores in [0, 1]" and "sizes (8, 16)" stay as they are.

    A list after a colon is one sentence with what it lists: "Three parts: a relabeler; a generator; rewards".
    """
    return list(marked_sentences(draft, numbers))


def finished_sentences(draft: str, numbers: Collection[int] | None = None) -> list[str]:
    """`draft_sentences` of a text that was broken off: a last sentence without its end is left out."""
    sentences = draft_sentences(draft, numbers)
    return sentences[:-1] if is_unfinished(draft, numbers) else sentences


def is_unfinished(draft: str, numbers: Collection[int] | None = None) -> bool:
    """Whether a text that was broken off lacks the end of its last sentence."""
    sentences = draft_sentences(draft, numbers)
    return bool(sentences) and _END.search(sentences[-1]) is None


def marked_sentences(draft: str, numbers: Collection[int] | None = None) -> dict[str, frozenset[int]]:
    """The sentences of `draft_sentences` in their order, each with the numbers of the markers in it or right behind."""
    sentences: dict[str, frozenset[int]] = {}
    for line in _joined_lists(draft.splitlines()):
        plain, marks = _apart(line, numbers)
        for start, end in split_sentences(plain):
            text = _LIST_MARK.sub("", plain[start:end]).strip()
            if re.search(r"\w", text) and text not in sentences:
                sentences[text] = frozenset(number for place, number in marks if start < place <= end)
    return sentences


def _apart(line: str, numbers: Collection[int] | None) -> tuple[str, list[tuple[int, int]]]:
    """A line without markers, and where in it each stood: (offset, number)."""
    plain = ""
    marks: list[tuple[int, int]] = []
    at = 0
    for match in _MARKER.finditer(line):
        own = [int(number) for number in re.findall(r"\d{1,6}", match[0])]
        plain += line[at : match.start()]
        at = match.end()
        if _is_marker(match, own, numbers, plain):
            marks += [(len(plain.rstrip()), number) for number in own]
        else:
            plain += match[0]
    return _MARKER_LEFT.sub("", plain + line[at:]).rstrip(), marks


def _is_marker(match: re.Match[str], own: Sequence[int], numbers: Collection[int] | None, before: str) -> bool:
    """Whether a bracket of numbers points to evidence; `before`: what stands before it.

    Evidence is numbered from 1. In round brackets only what exists is a marker, and behind a sentence or a clause, not
    behind a part of a list.
    """
    if numbers is None:
        return True
    is_round = match["round"] is not None
    if 0 in own or ((is_round or len(own) > 1) and _TAKES_OBJECT.search(before[-20:])):
        return False
    exists = set(own) <= set(numbers)
    at_end = (_ROUND_END if is_round else _MARKERS_END).match(match.string, match.end()) is not None
    if is_round:
        return exists and at_end and not _COUNT.search(before)
    return exists or (at_end and len(own) == 1)


def clauses_of(sentence: str) -> list[str]:
    """The main clauses of a sentence as sentences, in order: what stands around ", and", ", while", ";" and their kin.

    A sentence of one clause gives []: it is one already. Clauses after the first may lack their subject.
    """
    parts = [part.strip(" ,;") for part in _CLAUSE_BREAK.split(sentence.rstrip(" .!;"))]
    return [f"{part[0].upper()}{part[1:]}." for part in parts if len(part.split()) > 2] if len(parts) > 1 else []


def until_refusal(sentence: str, evidence: Sequence[str] = ()) -> str:
    """`sentence` up to where it says that the evidence does not tell the rest: "A has 5" of "A has 5, while that of B
    is not stated". All of it where it says no such thing, or nothing else.
    """
    first, *others = re.split(_CONTRAST, sentence)
    if is_refusal([first], evidence) or not any(is_refusal([other], evidence) for other in others):
        return sentence
    return f"{first}."


def _joined_lists(lines: Sequence[str]) -> list[str]:
    joined: list[str] = []
    in_list = False
    for line in lines:
        if _FENCE.match(line):  # begins or ends a block of code, and says nothing
            continue
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


def is_refusal(sentences: Sequence[str], evidence: Sequence[str] = ()) -> bool:
    """Whether the first sentence says that the evidence does not answer the question; no sentences: False.

    What a sentence of `evidence` says itself, most of its words and the same denial, is no refusal but an answer.
    """
    if not sentences or not _REFUSAL.search(sentences[0].replace("n't ", " not ").replace("n’t ", " not ")):
        return False
    said = frozenset(tokenize(sentences[0]))
    denied_words = denied(sentences[0])
    return not any(
        denied_words & denied(source) and len(said & frozenset(tokenize(source))) >= _SAID_BY_EVIDENCE * len(said)
        for source in evidence
    )
