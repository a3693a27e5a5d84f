"""Pairs of evidence and claim with what people said of them, read from public sets in their own file formats.

Knows nothing of judges. The data stay where they are: they are named by `--data PATH` and never copied.

Sources: AttributionBench (Li et al. 2024, github.com/OSU-NLP-Group/AttributionBench), SciFact (Wadden et al. 2020,
github.com/allenai/scifact), HealthVer (Sarrouti et al. 2021, github.com/sarrouti/HealthVer).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eval.cases import CaseError, objects

Label = Literal["supported", "contradicted", "neither", "unsupported"]
"""`unsupported` is contradicted or neither, where a set does not say which."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim beside its evidence. `source` is the part of the set that it comes from."""

    id: str
    source: str
    evidence: tuple[str, ...]
    claim: str
    label: Label


def read_pairs(name: str, data: Path, split: str | None = None) -> tuple[Pair, ...]:
    """The labelled pairs of the set `name` at `data`, a file or a folder that holds it.

    Args:
        name: one of `SETS`.
        data: the set's file, or the folder it lies in.
        split: part of the file's name ("dev", "train", "test"); needed where a folder holds several.

    Raises:
        CaseError: nothing is there, or a line is malformed; it names file, line, field and what was expected.
    """
    if name not in SETS:
        raise CaseError(f"There is no set {name!r}.", f"There are: {', '.join(SETS)}.")
    reader = SETS[name]
    pairs = tuple(reader.read(_file(reader, data, split)))
    if not pairs:
        raise CaseError(f"{str(data)!r} holds no pair.", f"Give the {reader.pattern} of {reader.home}.")
    return pairs


@dataclass(frozen=True, slots=True)
class _Reader:
    pattern: str
    home: str
    read: Callable[[Path], Iterator[Pair]]


def _file(reader: _Reader, data: Path, split: str | None) -> Path:
    if data.is_file():
        return data
    found = sorted(path for path in data.glob(reader.pattern) if split is None or split in path.stem)
    if len(found) == 1:
        return found[0]
    wanted = f"{reader.pattern}{f' with {split!r} in its name' if split else ''}"
    if not found:
        raise CaseError(f"There is no {wanted} at {str(data)!r}.", f"Get it from {reader.home}; give it by --data.")
    names = ", ".join(path.name for path in found)
    raise CaseError(f"{str(data)!r} holds {names}.", "Say which by --split, or give the file itself.")


def _attributionbench(path: Path) -> Iterator[Pair]:
    labels: Mapping[str, Label] = {"attributable": "supported", "not attributable": "unsupported"}
    for place, row in objects(path):
        references = _texts(row, "references", place)
        label = _one_of(row, "attribution_label", labels, place)
        yield Pair(
            _text(row, "id", place), _text(row, "src_dataset", place), references, _text(row, "claim", place), label
        )


def _scifact(path: Path) -> Iterator[Pair]:
    corpus = path.with_name("corpus.jsonl")
    if not corpus.is_file():
        raise CaseError(f"There is no corpus.jsonl beside {str(path)!r}.", f"Get it from {SETS['scifact'].home}.")
    abstracts = {row["doc_id"]: _texts(row, "abstract", place) for place, row in objects(corpus) if "doc_id" in row}
    labels: Mapping[str, Label] = {"SUPPORT": "supported", "CONTRADICT": "contradicted"}
    for place, row in objects(path):
        rationales = row.get("evidence")
        if not isinstance(rationales, dict):
            raise CaseError(
                f"{place}: 'evidence' is {rationales!r}.", "It has to be an object, abstract id to sentences."
            )
        for number in row.get("cited_doc_ids", ()):
            if number not in abstracts:
                raise CaseError(f"{place}: 'cited_doc_ids' has {number!r}.", f"{corpus.name} has no such abstract.")
            found = rationales.get(str(number))
            label: Label = _one_of(found[0], "label", labels, place) if found else "neither"
            yield Pair(f"{row['id']}:{number}", "SciFact", abstracts[number], _text(row, "claim", place), label)


def _healthver(path: Path) -> Iterator[Pair]:
    labels: Mapping[str, Label] = {"Supports": "supported", "Refutes": "contradicted", "Neutral": "neither"}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            label = _one_of(row, "label", labels, place)
            evidence = (_text(row, "evidence", place),)
            yield Pair(
                f"{_text(row, 'id', place)}:{reader.line_num}", "HealthVer", evidence, _text(row, "claim", place), label
            )


def _text(row: Mapping[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be text.")
    return value


def _texts(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    value = row.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise CaseError(f"{place}: {name!r} is {value!r}.", "It has to be a list of texts.")
    return tuple(value)


def _one_of(row: Mapping[str, Any], name: str, labels: Mapping[str, Label], place: str) -> Label:
    value = row.get(name)
    if not isinstance(value, str) or value not in labels:
        raise CaseError(f"{place}: {name!r} is {value!r}.", f"It has to be one of {', '.join(labels)}.")
    return labels[value]


SETS: Mapping[str, _Reader] = {
    "attributionbench": _Reader("*_balanced*.jsonl", "github.com/OSU-NLP-Group/AttributionBench", _attributionbench),
    "scifact": _Reader("claims_*.jsonl", "github.com/allenai/scifact", _scifact),
    "healthver": _Reader("healthver_*.csv", "github.com/sarrouti/HealthVer", _healthver),
}
"""Sets by name: which file each is read from, and where to get it."""
