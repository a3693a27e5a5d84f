r"""Formulas and a little Markdown as safe HTML.

`science` sets formulas, `$x_s$`, `$$x_s$$`, `\(x_s\)` or `\[x_s\]`, as MathML, which browsers draw themselves;
everything else in it stays as it is written. `prose` also sets **strong**, *emphasis* and `code`, which models write.
Links, images and HTML are never made: what is not known here is text, and every character passes through
`ui.markup.text`.

The MathML of latex2mathml is read as XML and written anew from a list of known elements, so whatever a formula holds,
no other element and no attribute of its own choosing comes of it. What cannot be read stays as it was written.
"""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree import ElementTree as ET

from ui.markup import text

_FORMULA = r"(?<![\\$])\$(?=[^\s$])(?P<dollars>[^$\n]{1,300}?)(?<=[^\s\\])\$(?![\d$])"
_BRACKETED = r"\\\((?P<brackets>[^\n]{1,300}?)\\\)"
_DISPLAYED = (
    r"(?<!\$)\$\$(?!\$)(?=[^$]{0,600}[\\^_])(?P<doubled>[^$]{1,600}?)(?<!\$)\$\$(?!\$)"
    r"|\\\[(?=[^\]]{0,600}[\^_=]|[^\]]{0,600}\\[a-z])(?P<squared>[^\]]{1,600}?)\\\]"
)
_SCIENCE = re.compile(f"{_DISPLAYED}|{_FORMULA}|{_BRACKETED}", re.DOTALL)
_PROSE = re.compile(
    f"{_DISPLAYED}|{_FORMULA}|{_BRACKETED}"
    r"|`(?P<code>[^`\n]+)`"
    r"|\*\*(?=[^\s*])(?P<strong>[^\n]+?)(?<=[^\s*])\*\*"
    r"|(?<![\w*])\*(?=[^\s*])(?P<em>[^*\n]+?)(?<=\S)\*(?![\w*])",
    re.DOTALL,
)
_ELEMENTS = frozenset(
    """math mrow mi mn mo mtext mspace msub msup munder mover munderover mfrac msqrt mroot mtable mtr mtd
    mstyle mpadded mphantom menclose""".split()
)
_FORMULAS = ("doubled", "squared", "dollars", "brackets")
_LETTERS = re.compile(r"[A-Za-z\\^_{}]")


def science(words: str) -> str:
    """`words` with formulas set, as safe HTML; without any formula the same characters as in `words`."""
    return _set(_SCIENCE, words)


def prose(words: str) -> str:
    """`words` with formulas, strong, emphasis and code set, as safe HTML."""
    return _set(_PROSE, words)


def _set(pattern: re.Pattern[str], words: str) -> str:
    parts, end = [], 0
    for found in pattern.finditer(words):
        parts.append(text(words[end : found.start()]))
        end = found.end()
        kind = found.lastgroup or ""
        inner = found[kind]
        if kind in _FORMULAS:
            parts.append(_formula(inner) or text(found[0]))
        elif kind == "code":
            parts.append(f"<code>{text(inner)}</code>")
        else:
            parts.append(f"<{kind}>{science(inner)}</{kind}>")
    parts.append(text(words[end:]))
    return "".join(parts)


@lru_cache(maxsize=2048)
def _formula(latex: str) -> str:
    """The formula as MathML; empty if it is none or cannot be read."""
    if not _LETTERS.search(latex):
        return ""
    try:
        from latex2mathml.converter import convert

        return _rewritten(ET.fromstring(convert(latex)))  # noqa: S314  # made by the converter, no entities of its own
    except Exception:  # noqa: BLE001  # the converter raises whatever an odd formula leads it to
        return ""


def _rewritten(element: ET.Element) -> str:
    name = element.tag.rpartition("}")[2]
    if name == "msubsup" and len(element) == 3:  # as a reader would say it: a sub b, to the c
        base, below, above = map(_rewritten, element)
        return f"<msup><msub>{base}{below}</msub>{above}</msup>"
    inner = text(element.text or "") + "".join(_rewritten(child) + text(child.tail or "") for child in element)
    return f"<{name}>{inner}</{name}>" if name in _ELEMENTS else inner
