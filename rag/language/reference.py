"""Whether a sentence of an abstract needs the one before it to be understood: "This reduces the error by half."

By its beginning alone: a pronoun, or a word that points back, as or in front of the subject. What points at the paper
itself ("This work", "These authors") and an "it" that stands for what follows ("It is shown that …") need nothing. The
label of a structured abstract ("CONCLUSION") is passed over.

Knows English; nothing of papers.
"""

from __future__ import annotations

import re

from rag.language.fidelity import without_opening

_JOINED = (
    r"(?:(?:also|thus|hence|therefore|then|but|and|yet|still|further|besides|accordingly|crucially|interestingly"
    r"|surprisingly|remarkably|(?:by|in) contrast|conversely|on the other hand|however|moreover|furthermore|in addition"
    r"|consequently),? )?"
)
"""Also without a comma, or as a contrast, where `without_opening` leaves it."""
_ITSELF = (
    r"(?:paper|work|article|study|survey|review|report|letter|thesis|chapter|tutorial|manuscript|meta-analysis|trial"
    r"|authors?)\b"
)
_POINTS_BACK = re.compile(
    rf"\W*{_JOINED}(?!to this end\b|for this (?:purpose|reason)\b)"
    r"(?:(?:to|in|for|by|from|with|on|of|under|at|through|given|despite|unlike|besides|beyond) )?"
    rf"(?:(?:this|these|those|such)\b(?! (?:\w+ )?{_ITSELF})|(?:they|their|its|them|he|she|his|her)\b"
    r"|it\b(?! (?:is|was|has been|remains|remained|seems|appears|turns out|becomes|can be|may be|follows|would be)\b)"
    r"|(?:doing|done) so\b|the (?:corresponding|former|latter|resulting|remaining|same|other|others)\b"
    r"|both\b(?! \w+ and\b)"
    r"|similar (?:results|findings|trends|patterns|associations|improvements)\b)",
    re.IGNORECASE,
)


def points_back(sentence: str) -> bool:
    """Whether `sentence` begins with what only the sentence before it explains."""
    return _POINTS_BACK.match(without_opening(sentence)) is not None
