"""Another object with some of its attributes replaced: a Rag that asks otherwise, an index that finds nothing.

Knows nothing of what it stands for.
"""

from __future__ import annotations

from typing import Any


class Proxy:
    """`other`, but for the attributes that are `replaced`."""

    def __init__(self, other: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)
