"""Web addresses in abstracts: which one an abstract ends in, and whether a string is one.

Knows only the shape of an address; nothing is looked up.
"""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"https?://[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w+(?::\d+)?(?:[/?#]\S*)?")
# Without a scheme only what can hardly be anything else counts: a known ending, and a path or a third part.
_BARE_ADDRESS = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:com|org|net|io|ai|edu|gov|dev|app|info|sh|co|me|eu|uk|de|fr|ch|cn|jp|ca)(?:/\S*)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?…'\"’”»>*"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def trailing_url(abstract: str) -> str | None:
    """The web address that an abstract ends in, without the punctuation after it; None if it ends otherwise.

    The address may be glued to the word before it ("researchhttps://…") or lack its scheme ("github.com/a/b",
    given back with https://).
    """
    words = abstract.rstrip(_TRAILING + " ").split()
    if not words:
        return None
    last = words[-1]
    start = max(last.rfind("https://"), last.rfind("http://"))
    if start >= 0:
        address = _without_trailing(last[start:])
        return address if _ADDRESS.fullmatch(address) else None
    bare = _without_trailing(last.lstrip("(<[{\"'“"))
    if _BARE_ADDRESS.fullmatch(bare) and ("/" in bare.rstrip("/") or bare.count(".") > 1):
        return f"https://{bare}"
    return None


def is_web_address(text: str) -> bool:
    """Whether the whole text is one http or https address; nothing else may become a link on a page."""
    return _ADDRESS.fullmatch(text) is not None


def _without_trailing(word: str) -> str:
    """The word without closing punctuation; a closing bracket stays if the word also opens it."""
    while word:
        last = word[-1]
        if last in _TRAILING or (last in _BRACKETS and word.count(_BRACKETS[last]) < word.count(last)):
            word = word[:-1]
        else:
            break
    return word
