"""Text to terms, as rankings and checks compare them: lower-case stems without words of grammar.

"HIL-SERL", "A^2Nav", "Tülu" and "Q*" must be found as people type them: accents are dropped, carets joined,
hyphenated names split at the hyphen, English words stemmed. A name that is spelled like a word of grammar is told by
its capitals: "HER" is a term, "her" is none. Stemmer: Snowball.
"""

from __future__ import annotations

import re
import unicodedata

TOKENIZER_VERSION = "2"

# Words that carry grammar or the form of a question rather than its subject.
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being between both but by
    can could did do does doing done each for from further get gets give given gives had has have having he her
    here hers him his how i if in into is it its itself just let me mine more most my no nor not of off on once
    only or other our ours out over own please same say says she should so some such tell than that the their
    theirs them then there these they this those through to too under until up us very was we were what when
    where which while who whom whose why will with would you your yours
    """.split()
)
_WORD = re.compile(r"[^\W_]+")
_ABBREVIATION = re.compile(r"(?!AND|NOT)[A-Z]{2,4}")
"""A stop word so written is a name. AND and NOT are put in capitals as operators and for emphasis, longer ones too."""
_HEADING = re.compile(r"(?<![^\W_])[A-Z]+(?:[\s-]+[A-Z]+){2,}(?![^\W_])")
"""Three words in capitals and more: a shouted question, a title, "PURPOSE OF REVIEW". Its capitals tell nothing."""
_stemmer = None


def tokenize(text: str) -> list[str]:
    """Stemmed lower-case terms of `text` in order, stop words left out; "" gives []."""
    plain = _HEADING.sub(lambda heading: heading.group().lower(), _plain(text))
    return [stem(word.casefold()) for word in _WORD.findall(plain) if not is_stop_word(word)]


def is_stop_word(word: str) -> bool:
    """Whether `word`, as it is written, carries grammar: "her" and "Her", but not "HER"."""
    return word.casefold() in STOP_WORDS and _ABBREVIATION.fullmatch(word) is None


def words(text: str) -> list[str]:
    """Lower-case words of `text` without accents, in order, unstemmed; digits count as words."""
    return _WORD.findall(_plain(text).casefold())


def _plain(text: str) -> str:
    """`text` without accents and carets."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).replace("^", "")


def stem(word: str) -> str:
    """The stem that a lower-case English word shares with its inflections: "papers" and "paper" give "paper"."""
    global _stemmer  # noqa: PLW0603  (made at first use: importing this module loads no compiled code)
    if _stemmer is None:
        import Stemmer

        _stemmer = Stemmer.Stemmer("english")
    return str(_stemmer.stemWord(word))
