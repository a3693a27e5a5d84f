"""Sentences made wrong on purpose: negated, with another number, with names swapped. Pure text in, text out.

Each gives None where the sentence offers nothing to change. Used by the probes, and to fit the feature judge.

Source: contrast sets (Gardner et al. 2020) and FactCC's transformations (Kryscinski et al. 2020).
"""

from __future__ import annotations

import re

from eval.judges.features import ITEM, MARKER

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|may|might|must|has|have|does|do|did)\b(?! not\b)"
)
_VERB = re.compile(r"\b(we|it|they|this|that|which)\s+([a-z]{3,}?)(s?)\b(?=\s)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:\.\d+)?(?![\w-]|[.,]\d)|(?<![\w.,-])\d+(?:\.\d+)?(?=%|\\%|x\b)")
_NAME = re.compile(r"\b(?:[A-Z][A-Za-z]*[A-Z]\w*(?:-\w+)*|[A-Z]{2,}\w*(?:-\w+)*)\b")


def negated(sentence: str) -> str | None:
    """With "not" after its first auxiliary, or "do(es) not" before the verb of its first pronoun."""
    found = _AUXILIARY.search(sentence)
    if found:
        return f"{sentence[: found.end()]} not{sentence[found.end() :]}"
    found = _VERB.search(sentence)
    if found and not found[2].endswith("ed"):
        return f"{sentence[: found.start(2)]}{'does' if found[3] else 'do'} not {found[2]}{sentence[found.end() :]}"
    return None


def with_another_number(sentence: str) -> str | None:
    """With the first number that stands by itself changed: 12 becomes 15, 3.6 becomes 6.6.

    The number of a citation marker ("[5]") or of an item of a list ("2) …") says nothing, and is left.
    """
    markers = [marker.span() for pattern in (MARKER, ITEM) for marker in pattern.finditer(sentence)]
    numbers = (n for n in _NUMBER.finditer(sentence) if not any(a <= n.start() < b for a, b in markers))
    found = next(numbers, None)
    if found is None:
        return None
    number = found.group()
    whole, point, rest = number.partition(".")
    return f"{sentence[: found.start()]}{int(whole) + 3}{point}{rest}{sentence[found.end() :]}"


def with_names_swapped(sentence: str) -> str | None:
    """With the first two different names (acronyms, words with inner capitals) in each other's place."""
    names = list(dict.fromkeys(_NAME.findall(sentence)))
    if len(names) < 2:
        return None
    other = {names[0]: names[1], names[1]: names[0]}
    return _NAME.sub(lambda found: other.get(found.group(), found.group()), sentence)


CHANGES = {"negated": negated, "number changed": with_another_number, "names swapped": with_names_swapped}
"""Changes by the name that tables give them."""
