"""What is searched for in the library tab, as its controls have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HOWS = {"Words and meaning": "both", "These words": "words", "Meaning": "meaning"}
"""The ways of searching, and what `Library.find` calls them."""
LIST, MAP = "List", "Map"
"""The ways of showing what is found."""


@dataclass(frozen=True)
class Query:
    """What is searched for, as the controls have it."""

    search: str
    how: str
    since: str
    until: str
    venue: str | None
    view: str

    @property
    def kind(self) -> str:
        """The way of searching, as `Library.find` names it."""
        return HOWS.get(self.how, "both")

    @property
    def is_given(self) -> bool:
        """Whether anything is searched for or left out."""
        return bool(self.search.strip() or self.where())

    @property
    def no_years(self) -> tuple[str, ...]:
        """What was typed for a year and is none."""
        return tuple(value for value in (self.since, self.until) if value and value.strip() and not _is_year(value))

    def where(self) -> dict[str, Any]:
        """The filters, as `Library.find` takes them."""
        bounds = (("gte", self.since), ("lte", self.until))
        year = {name: int(value) for name, value in bounds if _is_year(value)}
        return {**({"year": year} if year else {}), **({"venue": self.venue} if self.venue else {})}


def _is_year(typed: str | None) -> bool:
    return bool(typed and typed.strip().isdecimal())
