r"""What is changed in the text of a paper when it is read, all in one place.

    \"U  {\"u}  \'{e}  \c{c}  {\o}     become the letter they stand for
    \%  \&  \_  \#  \$                 lose their backslash
    \emph{word}  {\em word}  \url{…}   lose the command and its braces
    ``word''                           becomes “word”
    Fig.~3  1)~a                       the tie becomes a space
    white space of any kind            becomes one space; none is left at either end
    invisible characters               go: zero-width, soft hyphen, direction marks, control codes

Everything else stays as it came, above all what is not certain: other macros (`\frac`, an author's own), dashes
written `--`, `~` for "about" or a distribution. In web addresses only commands are taken out, in formulas (`$…$`)
nothing. Cleaning twice gives what cleaning once gave.

Knows nothing of papers or files. Source: the LaTeX2e accent and escape commands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_COMBINING = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    ".": "\u0307",
    "c": "\u0327",
    "v": "\u030c",
    "u": "\u0306",
    "H": "\u030b",
    "k": "\u0328",
    "r": "\u030a",
}
_LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
}  # fmt: skip

_ADDRESS = re.compile(r"((?:https?://|www\.)\S+)")
# $x$, but not "$5 and $6": after the first sign and before the second one there is no space.
FORMULA = re.compile(r"((?<!\\)\$(?!\s)(?:[^$\\]|\\.){1,200}?(?<!\s)\$(?!\d))")
_LETTER = r"(?P<letter>[A-Za-z]|\\[ij](?![A-Za-z]))"
# {\"u}, \"{u}, \c{c}, {\c c}
_BRACED_ACCENT = re.compile(
    r"(?<!\\)\{\\(?P<mark>[\"'`^~=.])\s?" + _LETTER + r"\}"
    r"|(?<!\\)\\(?P<mark_before>[\"'`^~=.]|[cvuHkr](?=\{))\{" + _LETTER.replace("letter", "letter_within") + r"\}"
    r"|(?<!\\)\{\\(?P<mark_word>[cvuHkr])\s" + _LETTER.replace("letter", "letter_after") + r"\}"
)
# \"u, \'e; "dataset\'s" and "don\'t" hold an escaped apostrophe, not an accent.
_BARE_ACCENT = re.compile(r"(?<!\\)\\(?P<mark>[\"'`^~])(?!(?:s|t|re|ll|ve|d|m)(?![A-Za-z]))" + _LETTER)
# Where a \" closes a word, the text escapes its quotation marks, and \"u need not be an umlaut.
_ESCAPED_QUOTE = re.compile(r"(?<!\\)\\\"(?![A-Za-z{\\])")
_SPECIAL_LETTER = re.compile(r"(?<!\\)(?:\{\\(?P<braced>%s)\}|\\(?P<empty>%s)\{\})" % (("|".join(_LETTERS),) * 2))
_ESCAPE = re.compile(r"(?<!\\)\\([%&_#$])")
_STYLE = re.compile(
    r"(?<!\\)(?:\\(?:emph|textit|textbf|texttt|textsc|textrm|textsf|url)\{([^{}\\$]+)\}"
    r"|\{\\(?:em|it|bf|tt|sc)\s+([^{}\\$]+)\})"
)
_QUOTE = re.compile(r"(?:``|(?:(?<=[\s(\[])|^)'')(?=[^\s'`])([^`“”]{1,300}?(?<=[^\s'`]))''(?!')")
_TIE = re.compile(
    r"(?:(?<=[^\W\d_][^\W\d_])|(?<=[.,;:)\]}])|(?<=\d)(?!~\d))~(?=[^\W_]|[(\[\\$“])"
    r"(?![A-Z]\()"  # data~N(0, 1) is a distribution
)
_REMNANT = re.compile(r"\\|~|''")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
    # Joiners mean something between letters of Persian, Hindi or emoji, never next to ASCII.
    "|(?:(?<=[\x00-\x7f])|^)[\u200c\u200d]+|[\u200c\u200d]+(?=[\x00-\x7f]|$)"
    "|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"
)
# One class of characters is found ten times as fast as the rules above, and most texts have none of them.
_ODD = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with LaTeX remnants and odd white space put right, as listed at the top of this module.

    `clean(clean(text)) == clean(text)` for every text. Empty or blank text gives "".
    """
    while True:
        cleaned = _clean_once(text)
        if cleaned == text:
            return cleaned
        text = cleaned


def _clean_once(text: str) -> str:
    """One round; every change shortens the text or takes one of `~` and white space, so rounds come to an end."""
    if _ODD.search(text) is not None:
        text = _INVISIBLE.sub("", _SURROGATE.sub("\ufffd", text))
    text = " ".join(text.split())
    if _REMNANT.search(text) is None:
        return text
    text = _apart_from(FORMULA, text, _commands)
    text = _apart_from(_ADDRESS, text, lambda part: _apart_from(FORMULA, part, _accents_and_ties))
    return _QUOTE.sub(r"“\1”", text)


def _apart_from(kept: re.Pattern[str], text: str, rule: Callable[[str], str]) -> str:
    """A rule applied to all but what the pattern, one group, matches."""
    parts = kept.split(text)
    return "".join(part if position % 2 else rule(part) for position, part in enumerate(parts))


def _commands(text: str) -> str:
    return _STYLE.sub(lambda match: (match[1] or match[2]).strip(), _ESCAPE.sub(r"\1", text))


def _accents_and_ties(text: str) -> str:
    return _TIE.sub(" ", _accents(text))


def _accents(text: str) -> str:
    text = _BRACED_ACCENT.sub(
        lambda match: _accented(
            match,
            match["mark"] or match["mark_before"] or match["mark_word"],
            match["letter"] or match["letter_within"] or match["letter_after"],
        ),
        text,
    )
    text = _SPECIAL_LETTER.sub(lambda match: _LETTERS[match["braced"] or match["empty"]], text)
    escapes_quotes = _ESCAPED_QUOTE.search(text) is not None
    return _BARE_ACCENT.sub(
        lambda match: (
            match[0] if escapes_quotes and match["mark"] == '"' else _accented(match, match["mark"], match["letter"])
        ),
        text,
    )


def _accented(match: re.Match[str], mark: str, letter: str) -> str:
    """The accented letter, or the source unchanged where Unicode has no such letter."""
    composed = unicodedata.normalize("NFC", letter.removeprefix("\\") + _COMBINING[mark])
    return composed if len(composed) == 1 else match[0]
