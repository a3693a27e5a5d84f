r"""Which braces of LaTeX text say something, and which are only there for LaTeX: read and written by one rule.

    {BERT} nets       group, for BibTeX to keep the capitals
    $x_{i}$  a^{2}    belong to a formula, an index
    \frac{1}{2}       hold what a macro is given
    \{0, 1\}          are meant as braces; so are {\textbraceleft} and {\textbraceright}

Knows nothing of .bib files. Linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.corpus.cleanup import FORMULA

_NAMES = {"braceleft": "{", "braceright": "}", "backslash": "\\"}
_NAMED = r"\\text(?:braceleft|braceright|backslash)"
_PIECE = re.compile(
    rf"\{{{_NAMED}\s*\}}|{_NAMED}(?:\{{\}}|\s|(?![A-Za-z]))|\\[A-Za-z]+(?:\s*(?=\{{))?|\\.|[^\\]|\\", re.DOTALL
)
_MACRO = re.compile(r"\\[A-Za-z]+\s*")


def without_groups(text: str) -> str:
    r"""LaTeX `text` without the braces that only group; those that are meant lose their backslash.

    "{A} set \{b\}" gives "A set {b}".
    """
    kept: list[str] = []
    ends_in_macro = False
    for piece, groups in _pieces(text):
        if not groups:
            # {\foo}bar is no \foobar
            kept += [" "] if ends_in_macro and piece[:1].isalpha() else []
            kept.append(_meant(piece))
        ends_in_macro = groups and piece == "}" and bool(kept and _MACRO.fullmatch(kept[-1]))
    return "".join(kept)


def escaped(text: str) -> str:
    r"""`text` with the braces escaped that LaTeX would take for a group: "{b}" gives "\{b\}"; and a last backslash.

    Braces are balanced in what is given, as BibTeX asks for, which counts the escaped ones too.
    """
    if (len(text) - len(text.rstrip("\\"))) % 2:
        text = text[:-1] + r"{\textbackslash}"
    pieces = list(_pieces(text))
    for left, right in ((r"\{", r"\}"), (r"{\textbraceleft}", r"{\textbraceright}")):
        done = "".join((left if piece == "{" else right) if groups else piece for piece, groups in pieces)
        if _is_balanced(done):
            return done
    return re.sub(r"[{}]", "", text)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Characters, macros and formulas in order, each with whether it is a brace that only groups."""
    opened: list[bool] = []  # of each brace that is open: whether it says something
    last, closed_argument = "", False
    for position, part in enumerate(FORMULA.split(text)):
        for piece in [part] if position % 2 else _PIECE.findall(part):
            says = True
            if piece == "{":
                says = bool(_MACRO.fullmatch(last)) or last in {"_", "^"} or closed_argument or any(opened[-1:])
                opened.append(says)
            elif piece == "}":
                says = bool(opened) and opened.pop()
            yield piece, not says
            last, closed_argument = piece, piece == "}" and says


def _meant(piece: str) -> str:
    if piece in {r"\{", r"\}"}:
        return piece[1]
    named = re.fullmatch(rf"\{{?({_NAMED})(?:\{{\}}|\s|\}})*", piece)
    return _NAMES[named[1].removeprefix("\\text")] if named else piece


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0
