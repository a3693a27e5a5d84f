"""Does a question set two things, or ask for two papers, side by side? By its form alone: no paper is looked at."""

from __future__ import annotations

import re

_WORKS = r"(?:papers|surveys|studies|works|articles|benchmarks|methods|approaches|reviews|systems)"
FUNCTION_WORD = r"(?:the|that|this|these|those|which|and|or|in|of|on|by|with|from|for|to) "
_ONE_PAPER = rf"one (?:(?!{FUNCTION_WORD})\S+ ){{0,4}}?(?:paper|survey|work|article|review|study)\b"
_TWO = re.compile(
    rf"\b(?:two|both|(?<!among )(?<!of )(?<!in )these)\s+(?:\S+\s+){{0,2}}{_WORKS}\b|\beach of the (?:\S+ )?papers\b"
    rf"|\b(?<!in )(?<!from )(?<!between )(?<!of )(?<!for ){_ONE_PAPER}.*\b(?:another|the other)\b"
    rf"|\bin {_ONE_PAPER}.*\bin (?:another|the other)\b"
    rf"|\bboth (?:(?!{FUNCTION_WORD})\S+ and )?(?:in )?(?:the|that) (?:(?!{FUNCTION_WORD})\S+ ){{0,5}}?paper\b",
    re.IGNORECASE,
)
"""What asks for two papers outright: a word for papers stands where two are told apart. "Both pressures" and "A and B
each" are no more than signs, see `APART`; "from one cell to another" is not even one."""
_SETS_TWO_APART = re.compile(
    r"\bone\s+\w+\b.*\b(?:another|the other)\b|\bboth\b.+\band\b|\band\b.+\beach\b", re.IGNORECASE
)
"""What sets two things apart, be they papers or not. Beside a paper that is named the other may be one, too."""
_CONTRAST = (
    r"(?:^|(?<=[.?!:;] ))contrast (?!agent|medi|dye|enhanc)|\bcontrasts? with\b(?<!in contrast with)"
    r"|\bdo (?:they|the two|(?-i:[A-Z])\S* and (?-i:[A-Z])\S*) contrast\b"
)
"""To contrast, the verb: neither the contrast of a picture nor "in contrast to"."""
_DIFFERENCE = (
    r"\b(?:the|an?|any|no|what|which|main|key|most|biggest|important) differences?\b"
    r"|\bdifferences?(?= (?:between|among|in|from|of|with|across|is|are|do|does|lies?|there)\b)"
)
"""Not that of temperatures, nor temporal difference learning."""
APART = re.compile(
    r"\b(?:each|respectively|differ(?:s|ed|ing|ent|ently)?|compar(?:es?|ed|ing|isons?|ative|atively)"
    r"|versus|vs|whereas|unlike|both|(?<=\S )(?<![.?!] )(?:and|but) (?:what|which|how|where))\b"
    rf"|\bone\b.+\bthe other\b|{_CONTRAST}|{_DIFFERENCE}",
    re.IGNORECASE,
)
"""Signs that two things may be asked about side by side, whether of one paper or of two. Where "And how …" begins a
question there is no other thing."""


def may_ask_for_two(question: str) -> bool:
    """Whether it sets two things apart, be they papers or not: "both A and B", "A and B each", "one …, the other"."""
    return _SETS_TWO_APART.search(question) is not None


def asks_for_two(question: str) -> bool:
    """Whether it says outright, with a word for papers, that it asks for two or more: "Two papers …", "One paper …,
    another …", "Both A and the paper on B …".
    """
    return _TWO.search(question) is not None


def compares(question: str) -> bool:
    """Whether it may ask for two things side by side, whether or not their papers are told."""
    return asks_for_two(question) or APART.search(question) is not None
