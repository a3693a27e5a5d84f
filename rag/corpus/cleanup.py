r"""What is changed in the text of a paper when it is read, all in one place.

    \"U  {\"u}  \'{e}  \c{c}  {\o}     become the letter they stand for
    \%  \&  \_  \#  \$                 lose their backslash
    {\textless}  \textdegree{}  {\mu}  become the character that they name; \vphantom{…} goes
    \emph{word}  {\em word}  \url{…}   lose the command and its braces
    &lt;  &#8217;                      become the character that they name
    <jats:p>  <i>word</i>  <br/>       go; 10<sup>5</sup> becomes 10^5
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

import html
import re
import unicodedata
from collections.abc import Callable, Iterable

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
    "i": "ı", "j": "ȷ", "th": "þ", "TH": "Þ", "dh": "ð", "DH": "Ð", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
}  # fmt: skip
# What Zotero, Mendeley and publishers write for characters that LaTeX keeps for itself, or that are not in ASCII.
_SYMBOLS = {
    "textless": "<", "textgreater": ">", "textasciitilde": "~", "textasciicircum": "^", "textbar": "|",
    "textunderscore": "_", "textquotedbl": '"', "textquotedblleft": "“", "textquotedblright": "”",
    "textquoteleft": "‘", "textquoteright": "’", "textquotesingle": "'", "textasciigrave": "`",
    "textendash": "–", "textemdash": "—", "textellipsis": "…", "textbullet": "•",
    "textdegree": "°", "textmu": "µ", "textpm": "±", "texttimes": "×", "textminus": "−", "textdiv": "÷",
    "textonehalf": "½", "textregistered": "®", "texttrademark": "™", "textcopyright": "©", "textsection": "§",
    "texteuro": "€", "textsterling": "£", "textnumero": "№",
}  # fmt: skip
_GREEK = {
    unicodedata.name(letter).removeprefix("GREEK SMALL LETTER ").casefold(): letter
    for letter in "αβγδεζηθικλμνξπρστυφχψω"
} | {"lambda": "λ"}
# Only in braces: {\mu}, {\pm}; without, \mu may be an author's own or belong to a formula that lost its signs.
_BRACED = {**_GREEK, "pm": "±", "times": "×", "sim": "∼", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥"}


def _any_of(names: Iterable[str]) -> str:
    """An alternative for each, the longest first."""
    return "|".join(sorted(names, key=len, reverse=True))


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
_SYMBOL = re.compile(
    rf"(?<!\\)(?:\{{\\(?P<braced>{_any_of({*_SYMBOLS, *_BRACED, *(f'text{name}' for name in _GREEK)})})\s*\}}"
    rf"|\\(?P<named>{_any_of(_SYMBOLS)})(?:\{{\}}|(?![A-Za-z])))"
)
_ARGUMENT_FOLLOWS = re.compile(r"(?:\\[A-Za-z]+\s*|[}^_])$")  # \sqrt{\mu}
_PHANTOM = re.compile(r"\\vphantom\{(?:\\.|[^{}\\]){0,40}\}")
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
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]{2,12}\d{0,2});")
_MARKUP = re.compile(r"</?[A-Za-z]")
_HEADING = re.compile(r"<jats:title>\s*(?:Abstract|Summary)\s*</jats:title>", re.IGNORECASE)
_POWER = re.compile(r"(?<=\d)<(?:jats:)?sup>(?=\s*[-−–]?\d+\s*</)", re.IGNORECASE)
_BLOCK = re.compile(
    r"<(?:/?(?:jats:)?(?:p|title|sec|div|list|list-item|li|ul|ol)|(?:jats:)?br)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_INLINE = re.compile(
    r"<(/?)((?:jats:)[a-z-]+|i|b|u|em|strong|sub|sup|sc|scp|small|span|italic|bold)(?:\s[^<>]*)?>", re.IGNORECASE
)
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
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if _MARKUP.search(text) is not None:
        text = " ".join(_without_markup(text).split())
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
    text = _SYMBOL.sub(_symbol, _PHANTOM.sub("", text))
    return _STYLE.sub(lambda match: (match[1] or match[2]).strip(), _ESCAPE.sub(r"\1", text))


def _symbol(match: re.Match[str]) -> str:
    name = match["braced"] or match["named"]
    before = match.string[max(0, match.start() - 40) : match.start()]
    if name in _BRACED and _ARGUMENT_FOLLOWS.search(before):
        return match[0]
    return _SYMBOLS.get(name) or _BRACED.get(name) or _GREEK[name.removeprefix("text")]


def _without_markup(text: str) -> str:
    """Without the tags of HTML and JATS; those that might be anything else (<b> alone) only where they are closed."""
    text = _BLOCK.sub(" ", _POWER.sub("^", _HEADING.sub("", text)))
    closed = {match[2].casefold() for match in _INLINE.finditer(text) if match[1]}
    return _INLINE.sub(lambda match: "" if match[2].casefold() in closed or ":" in match[2] else match[0], text)


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
