"""Cases: questions with what is known of their right answer, one JSON object a line.

Fields: id, type, question, papers (titles), evidence (verbatim sentences), answers (groups of required facts),
reference, history. Knows nothing of how they are answered or scored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import FootnoteError

BUNDLED = Path(__file__).parent / "data" / "dev.jsonl"


class CaseError(FootnoteError, ValueError):
    """A question file is missing, or a line of it is not a case."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `papers` are the titles that an answer should cite, exactly; none for what should be declined."""

    id: str
    type: str
    question: str
    papers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    answers: tuple[tuple[str, ...], ...] = ()
    reference: str = ""
    history: tuple[Mapping[str, str], ...] = ()

    @property
    def is_answerable(self) -> bool:
        """Whether the library answers it: there are facts to check for."""
        return bool(self.answers)


def read_cases(path: Path = BUNDLED) -> tuple[Case, ...]:
    """Every case of a file.

    Raises:
        CaseError: the file is missing, or a line is malformed; it names file, line, field and what was expected.
    """
    if not path.is_file():
        raise CaseError(f"There is no question file {str(path)!r}.", f"The bundled one is {BUNDLED}.")
    return tuple(_case(facts, place) for place, facts in objects(path))


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of each line of a JSONL file; CaseError names a line that is none."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CaseError(f"{place} is not JSON: {error}.", "Put one object on each line.") from error
            if not isinstance(row, dict):
                raise CaseError(f"{place} is not an object.", "Put one object on each line.")
            yield place, row


def _case(facts: Mapping[str, Any], place: str) -> Case:
    for name in ("id", "type", "question"):
        if not isinstance(facts.get(name), str) or not facts[name]:
            raise CaseError(f"{place}: {name!r} is {facts.get(name)!r}.", "It has to be text.")
    return Case(
        id=facts["id"],
        type=facts["type"],
        question=facts["question"],
        papers=_texts(facts, "papers", place),
        evidence=_texts(facts, "evidence", place),
        answers=tuple(_texts({"answers": group}, "answers", place) for group in facts.get("answers", ())),
        reference=str(facts.get("reference", "")),
        history=tuple(facts.get("history", ())),
    )


def _texts(facts: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    value = facts.get(name, ())
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) and v for v in value):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of texts.")
    return tuple(value)
