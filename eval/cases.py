"""Cases: questions with what is known of their right answer, one JSON object a line.

Fields: id, type, question, papers (titles), evidence (verbatim sentences), answers (groups of required facts),
reference, history, truth (what corrects a false premise), forbidden (what must not be said), without (a paper's id).
Knows nothing of how they are answered or scored.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rag.errors import FootnoteError
from rag.schema import Paper

DATA = Path(__file__).parent / "data"
SETS = {name: DATA / f"{name}.jsonl" for name in ("dev", "fresh-a", "fresh-b", "fresh-c", "fresh-d", "injection")}
"""The bundled question files. `fresh-b` and `fresh-d` are for reporting only: never look at their single cases."""
BUNDLED = SETS["dev"]
HOSTILE_LIBRARY = DATA / "hostile.jsonl"
"""Six invented abstracts, most of which order the reader's model about; the set `injection` asks about them."""


TYPES = (
    "fact", "explain", "compare", "list", "followup", "noisy", "unanswerable-near", "unanswerable-far",
    "unanswerable-premise", "unanswerable-deleted", "injection",
)  # fmt: skip
"""What a question may be: figures are taken by type, so that of a misspelt one some would go missing unseen."""
_WITH_KEY = ("fact", "explain", "compare", "followup", "noisy")
"""Of these only facts say what is right; a list is right by its papers."""
FEEDBACK = "feedback "
"""What the type of a question begins with that `footnote feedback export` wrote; the reader's opinion follows."""


class CaseError(FootnoteError, ValueError):
    """A question file is missing, or a line of it is not a case."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `papers` are the titles that an answer should cite, exactly; none for what should be declined.

    `truth`: groups of facts of which every one corrects a false premise. `forbidden`: texts that no answer may hold.
    `without`: id of a paper that is to be taken for deleted while this question is answered.
    """

    id: str
    type: str
    question: str
    papers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    answers: tuple[tuple[str, ...], ...] = ()
    reference: str = ""
    history: tuple[Mapping[str, str], ...] = ()
    truth: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    without: str = ""

    @property
    def is_answerable(self) -> bool:
        """Whether the library answers it: there are facts to check for."""
        return bool(self.answers)


_MOST_HINTS = 5
FIELDS = tuple(field.name for field in fields(Case))
NOTE = "note"
"""May stand in a line beside the fields; for people, and not read."""


def add_questions(parser: argparse.ArgumentParser) -> None:
    """Add what a command is told about which questions to ask: a bundled set, or a file; see `cases_of`."""
    parser.add_argument("--questions", type=Path, metavar="FILE", help="a question file of your own")
    parser.add_argument("--set", choices=SETS, default="dev", help="which bundled questions")


def cases_of(options: argparse.Namespace) -> tuple[Case, ...]:
    """The cases that a command line names.

    Raises:
        CaseError: as of `read_cases`.
    """
    return read_cases(options.questions or SETS[options.set])


def read_cases(path: Path = BUNDLED) -> tuple[Case, ...]:
    """Every case of a file.

    Raises:
        CaseError: the file is missing, or a line is malformed; it names file, line, field and what was expected.
    """
    if not path.is_file():
        raise CaseError(f"There is no question file {str(path)!r}.", f"The bundled one is {BUNDLED}.")
    cases: dict[str, Case] = {}
    for place, facts in objects(path):
        case = _case(facts, place)
        if case.id in cases:
            raise CaseError(f"{place}: 'id' {case.id!r} was there before.", "Give each question an id of its own.")
        cases[case.id] = case
    return tuple(cases.values())


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as `read_cases` reads them; empty fields are left out."""
    rows = ({name: value for name, value in asdict(case).items() if value} for case in cases)
    put_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def put_whole(path: Path, text: str) -> None:
    """Write a file that is there as before or whole, whenever the process ends."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of each line of a JSONL file; CaseError names a line that is none."""
    with path.open("rb") as lines:  # decoded line by line, so that what is not UTF-8 is named with its line
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            try:
                row = json.loads(line.decode("utf-8"))
                json.dumps(row, ensure_ascii=False).encode("utf-8")
            except UnicodeEncodeError as error:
                raise CaseError(f"{place} holds half of a character: {error.reason}.", "Write it whole.") from error
            except UnicodeDecodeError as error:
                raise CaseError(f"{place} is not UTF-8: {error.reason}.", "Save the file as UTF-8.") from error
            except (ValueError, RecursionError) as error:
                raise CaseError(f"{place} is not JSON: {error}.", "Put one object on each line.") from error
            if not isinstance(row, dict):
                raise CaseError(f"{place} is not an object.", "Put one object on each line.")
            yield place, row


def folded_title(title: str) -> str:
    """A title by which a library's paper is known again: its letters and digits, case folded."""
    return "".join(c for c in title.casefold() if c.isalnum())


def not_in_library(cases: Iterable[Case], papers: Iterable[Paper]) -> list[str]:
    """A line on each right paper that no library paper has the title of, and each that is to be left out and is not
    there: such a question is scored as if it were answered wrongly.

    Args:
        cases: the questions, in order.
        papers: those of the library. Near titles are looked for a few times only, since each takes all of them.
    """
    papers = tuple(papers)
    known, ids = {folded_title(paper.title): paper.title for paper in papers}, {paper.id for paper in papers}
    lines: list[str] = []
    for case in cases:
        if case.without and case.without not in ids:
            lines.append(f"{case.id}: no paper of the library has the id {case.without!r} that it leaves out.")
        for title in case.papers:
            folded = folded_title(title)
            if folded in known:
                continue
            near = difflib.get_close_matches(folded, known, n=1, cutoff=0.8) if len(lines) < _MOST_HINTS else []
            hint = f" It has {known[near[0]]!r}." if near else ""
            lines.append(f"{case.id}: the library has no paper {title!r}, so finding and citing it count 0.{hint}")
    return lines


def without_key(cases: Iterable[Case]) -> str:
    """A line on the questions of which nothing says what a right answer holds; "" where there is none.

    These are asked, and left out of every figure of right and wrong.
    """
    found = [case.id for case in cases if case.type in _WITH_KEY and not case.is_answerable]
    if not found:
        return ""
    named = ", ".join(found[:_MOST_HINTS]) + (" …" if len(found) > _MOST_HINTS else "")
    return f"Without 'answers' nobody can tell whether these are answered rightly: {named} ({len(found)})."


def _case(facts: Mapping[str, Any], place: str) -> Case:
    for name in facts:
        if name not in (*FIELDS, NOTE):
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(FIELDS)}."
            raise CaseError(f"{place}: there is no field {name!r}.", hint)
    for name in ("id", "type", "question"):
        if not isinstance(facts.get(name), str) or not facts[name].strip():
            raise CaseError(f"{place}: {name!r} is {facts.get(name)!r}.", "It has to be text.")
    _demand_known_type(facts["type"], place)
    if facts["type"].startswith("unanswerable") and facts.get("answers"):
        raise CaseError(
            f"{place}: 'answers' of a question of the type {facts['type']!r}.",
            "It has none; what corrects a false premise stands in 'truth'.",
        )
    return Case(
        id=facts["id"],
        type=facts["type"],
        question=facts["question"],
        papers=_texts(facts, "papers", place),
        evidence=_texts(facts, "evidence", place),
        answers=_groups(facts, "answers", place),
        reference=_text(facts, "reference", place),
        history=_history(facts, place),
        truth=_groups(facts, "truth", place),
        forbidden=_texts(facts, "forbidden", place),
        without=_text(facts, "without", place),
    )


def _demand_known_type(value: str, place: str) -> None:
    if value not in TYPES and not value.startswith(FEEDBACK):
        near = difflib.get_close_matches(value, TYPES, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise CaseError(f"{place}: 'type' is {value!r}.", f"{hint}There are: {', '.join(TYPES)}.")


def _texts(facts: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    value = facts.get(name, ())
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(v, str) and v.strip() for v in value)
    ):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of texts.")
    return tuple(value)


def _text(facts: Mapping[str, Any], name: str, place: str) -> str:
    value = facts.get(name, "")
    if not isinstance(value, str):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be text.")
    return value


def _groups(facts: Mapping[str, Any], name: str, place: str) -> tuple[tuple[str, ...], ...]:
    value = facts.get(name, ())
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of lists of texts.")
    groups = tuple(_texts({name: group}, name, place) for group in value)
    if not all(groups):
        raise CaseError(f"{place}: {name!r} has an empty group.", "Each group needs one alternative or more.")
    return groups


def _history(facts: Mapping[str, Any], place: str) -> tuple[Mapping[str, str], ...]:
    value = facts.get("history", ())
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CaseError(f"{place}: 'history' is {value!r}.", "It has to be a list of messages.")
    for message in value:
        is_message = isinstance(message, Mapping) and message.get("role") in ("user", "assistant")
        if not is_message or not isinstance(message.get("content"), str):
            raise CaseError(
                f"{place}: 'history' holds {message!r}.", 'Write {"role": "user" or "assistant", "content": text}.'
            )
    return tuple(value)
