"""How many of something, as it is said to people. Knows nouns with a plural in -s or -ies."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 paper`, `2,000 papers`, `3 entries`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
