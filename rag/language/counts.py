"""How many of something, as it is said to people. Knows nouns with a plural in -s."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 paper`, `2,000 papers`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
