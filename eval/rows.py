"""Rows of data files, checked field by field: each error names file, line, field and what was expected.

Knows nothing of what a row means; `eval.cases.objects` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from eval.cases import CaseError

T = TypeVar("T")


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        CaseError: it is not UTF-8; it names file and line.
    """
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        problem = f"{path.name}, line {number} is not UTF-8: {error.reason}."
        raise CaseError(problem, "Save the file as UTF-8.") from error


def text_of(row: Mapping[str, Any], name: str, place: str) -> str:
    """A field that has to be text with something in it.

    Raises:
        CaseError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be text.")
    return value


def texts_of(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    """A field that has to be a list of texts, one or more.

    Raises:
        CaseError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of texts.")
    return tuple(value)


def id_of(row: Mapping[str, Any], name: str, place: str) -> str:
    """A field that has to be a whole number or text, as text.

    Raises:
        CaseError: it is not.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a number or text.")
    return str(value)


def ids_of(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    """A field that has to be a list of whole numbers or texts, as texts; it may be empty.

    Raises:
        CaseError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, list):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of numbers or texts.")
    return tuple(id_of({name: one}, name, place) for one in value)


def one_of(row: Mapping[str, Any], name: str, known: Mapping[str, T], place: str) -> T:
    """What `known` has for a field.

    Raises:
        CaseError: the field is none of its keys.
    """
    value = row.get(name)
    if not isinstance(value, str) or value not in known:
        raise CaseError(f"{place}: {name!r} is {value!r}.", f"It has to be one of {', '.join(known)}.")
    return known[value]


def demand_columns(found: Sequence[str] | None, wanted: Sequence[str], name: str) -> None:
    """Refuse a table whose first line lacks a column.

    Raises:
        CaseError: it does; it names the columns that are there.
    """
    missing = [column for column in wanted if column not in (found or ())]
    if missing:
        raise CaseError(
            f"{name}, line 1: there is no column {missing[0]!r}, only {', '.join(found or ()) or 'none'}.",
            f"It has to have {', '.join(wanted)}.",
        )
