"""Pairs of evidence and claim with what people said of them, read from public sets in their own file formats.

Knows nothing of judges. The data stay where they are, named by `--data` (a path, or the hub's id), and are not copied.

Sources: AttributionBench (Li et al. 2024, github.com/OSU-NLP-Group/AttributionBench), SciFact (Wadden et al. 2020,
github.com/allenai/scifact), HealthVer (Sarrouti et al. 2021, github.com/sarrouti/HealthVer).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eval.benchmarks.hub_data import located
from eval.cases import CaseError, objects
from eval.rows import demand_columns, id_of, ids_of, one_of, read_text, text_of, texts_of

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
        data: the set's file, the folder it lies in, or the hub's id of it.
        split: part of the file's name ("dev", "train", "test"); needed where a folder holds several.

    Raises:
        CaseError: nothing is there, or a line is malformed; it names file, line, field and what was expected.
    """
    if name not in SETS:
        raise CaseError(f"There is no set {name!r}.", f"There are: {', '.join(SETS)}.")
    reader = SETS[name]
    data = located(data, (reader.pattern, *reader.beside), reader.home)
    pairs = tuple(reader.read(_file(reader, data, split)))
    if not pairs:
        raise CaseError(f"{str(data)!r} holds no pair.", f"Give the {reader.pattern} of {reader.home}.")
    return pairs


@dataclass(frozen=True, slots=True)
class _Reader:
    pattern: str
    home: str
    read: Callable[[Path], Iterator[Pair]]
    beside: tuple[str, ...] = ()
    """Further files that have to lie beside it."""


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
        references = texts_of(row, "references", place)
        label = one_of(row, "attribution_label", labels, place)
        yield Pair(
            id_of(row, "id", place), text_of(row, "src_dataset", place), references, text_of(row, "claim", place), label
        )


def _scifact(path: Path) -> Iterator[Pair]:
    corpus = path.with_name("corpus.jsonl")
    if not corpus.is_file():
        raise CaseError(f"There is no corpus.jsonl beside {str(path)!r}.", f"Get it from {SETS['scifact'].home}.")
    abstracts = {id_of(row, "doc_id", place): texts_of(row, "abstract", place) for place, row in objects(corpus)}
    for place, row in objects(path):
        claim, number = text_of(row, "claim", place), id_of(row, "id", place)
        rationales = row.get("evidence")
        if not isinstance(rationales, dict):
            raise CaseError(
                f"{place}: 'evidence' is {rationales!r}.", "It has to be an object, abstract id to sentences."
            )
        for cited in ids_of(row, "cited_doc_ids", place):
            if cited not in abstracts:
                raise CaseError(f"{place}: 'cited_doc_ids' has {cited!r}.", f"{corpus.name} has no such abstract.")
            label = _scifact_label(rationales.get(cited), place)
            yield Pair(f"{number}:{cited}", "SciFact", abstracts[cited], claim, label)


def _scifact_label(found: Any, place: str) -> Label:
    """What the first rationale of an abstract says; neither where there is none."""
    if not found:
        return "neither"
    if not isinstance(found, list) or not isinstance(found[0], dict):
        raise CaseError(f"{place}: 'evidence' has {found!r}.", "It has to be a list of objects with a label.")
    labels: Mapping[str, Label] = {"SUPPORT": "supported", "CONTRADICT": "contradicted"}
    return one_of(found[0], "label", labels, place)


def _healthver(path: Path) -> Iterator[Pair]:
    labels: Mapping[str, Label] = {"Supports": "supported", "Refutes": "contradicted", "Neutral": "neither"}
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    try:
        demand_columns(reader.fieldnames, ("id", "evidence", "claim", "label"), path.name)
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            label, evidence = one_of(row, "label", labels, place), (text_of(row, "evidence", place),)
            number, claim = f"{text_of(row, 'id', place)}:{reader.line_num}", text_of(row, "claim", place)
            yield Pair(number, "HealthVer", evidence, claim, label)
    except csv.Error as error:
        raise CaseError(f"{path.name}, line {reader.line_num} is not CSV: {error}.", "Get it anew.") from error


SETS: Mapping[str, _Reader] = {
    "attributionbench": _Reader("*_balanced*.jsonl", "github.com/OSU-NLP-Group/AttributionBench", _attributionbench),
    "scifact": _Reader("claims_*.jsonl", "github.com/allenai/scifact", _scifact, ("corpus.jsonl",)),
    "healthver": _Reader("healthver_*.csv", "github.com/sarrouti/HealthVer", _healthver),
}
"""Sets by name: which file each is read from, and where to get it."""
