"""Weights as they lie on this disk: names, folders, the record beside them, finding, checking, removing.

A folder counts as weights only when its record (`footnote.json`) is there and every file has the size the
record gives; the record is written last and the folder is renamed into place whole, so that what was cut
off half-way is never taken for complete. Knows nothing of networks.

    home/weights/Qwen--Qwen2.5-Coder-0.5B-Instruct/   loads with transformers as it is
    home/weights/.Qwen--….hub/, .….mirror/            being fetched
    home/downloads/Qwen--Qwen2.5-Coder-0.5B-Instruct/ parts on their way
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

from rag.errors import WeightsCorrupt, WeightsError, WeightsMissing
from rag.weights.progress import Report

RECORD = "footnote.json"
_NAME = re.compile(r"(?P<id>\w[\w.-]*(/\w[\w.-]*)?)(@(?P<revision>\w[\w./-]*))?", re.ASCII)

Source = Literal["folder", "hub", "mirror"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder that transformers and sentence-transformers load without a network.

    `revision` names the content: twelve hex digits that are the same for the same weight files, whether they
    came from the hub or from the mirror.
    """

    name: str
    path: Path
    revision: str
    source: Source


@dataclass(frozen=True, slots=True)
class Record:
    """What is written beside the weights: where they came from, and what every file must be."""

    name: str
    source: Source
    revision: str
    files: Mapping[str, Mapping[str, Any]]
    """Path within the folder -> {"sha256": hex digits, "bytes": size}."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Of the hub: its commit. Of the mirror: package, version, SHA-256 of its file, version of the converter."""
    licence: str = ""
    parameters: int | None = None

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file["bytes"] for file in self.files.values())


@dataclass(frozen=True, slots=True)
class HubName:
    """A hub id with the revision asked for, if any."""

    id: str
    revision: str | None


def hub_name(name: str) -> HubName:
    """`org/name` or `org/name@revision` taken apart.

    Raises:
        WeightsMissing: it is neither that nor an existing folder.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise WeightsMissing(
            f"{name!r} is neither a folder that exists nor a hub id.",
            "Give a folder with config.json in it, or an id such as 'Qwen/Qwen2.5-Coder-0.5B-Instruct'.",
        )
    return HubName(match["id"], match["revision"])


def kept_at(name: str, home: Path) -> Path:
    """The folder where weights of this name are kept, whether or not they are there."""
    return home / "weights" / _flat(name)


def downloads_at(name: str, home: Path) -> Path:
    """The folder where their parts are kept until all have come."""
    return home / "downloads" / _flat(name)


def partial_at(name: str, home: Path, source: Source) -> Path:
    """The folder in which weights from this source are put together."""
    return home / "weights" / f".{_flat(name)}.{source}"


def _flat(name: str) -> str:
    return name.replace("/", "--")


def local_folder(name: str) -> Path | None:
    """The model folder that `name` is a path of, if it is one."""
    path = Path(name).expanduser()
    if (path / "config.json").is_file() or (path / "modules.json").is_file():
        return path.resolve()
    return None


def own_folder(name: str) -> Weights | None:
    """Weights in a folder of the reader's own.

    Its revision comes from the names, the sizes and the last 4 KiB of the weight files: hashing gigabytes at
    every start would take longer than loading them.
    """
    path = local_folder(name)
    if path is None:
        return None
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(path).as_posix()} {size}\n".encode())
        with file.open("rb") as handle:
            handle.seek(max(0, size - 4096))
            digest.update(handle.read())
    return Weights(name, path, digest.hexdigest()[:12], "folder")


def kept(name: str, home: Path) -> Weights | None:
    """Weights that were fetched before and are whole, going by the sizes of their files."""
    path = kept_at(name, home)
    record = read_record(path)
    if record is None or any(_size(path / file) != facts["bytes"] for file, facts in record.files.items()):
        return None
    return Weights(name, path, record.revision, record.source)


def read_record(path: Path) -> Record | None:
    """The record in a folder; None where there is none, or none that can be read."""
    try:
        return Record(**json.loads((path / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def all_kept(home: Path) -> Iterator[tuple[Path, Record]]:
    """Every folder of weights under `home` with its record, in order of name."""
    for path in sorted((home / "weights").glob("[!.]*")):
        record = read_record(path)
        if record is not None:
            yield path, record


def content_revision(files: Mapping[str, str]) -> str:
    """Twelve hex digits that name the weight files among `files` (path -> SHA-256)."""
    lines = "".join(f"{file} {sha256}\n" for file, sha256 in sorted(files.items()) if file.endswith(".safetensors"))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


def install(
    partial: Path,
    name: str,
    home: Path,
    *,
    source: Source,
    origin: Mapping[str, Any],
    licence: str = "",
    parameters: int | None = None,
) -> Weights:
    """Record what is in `partial` and rename it into its place, over anything that is there."""
    paths = sorted(path for path in partial.rglob("*") if path.is_file())
    files: dict[str, dict[str, Any]] = {
        path.relative_to(partial).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in paths
    }
    revision = content_revision({file: facts["sha256"] for file, facts in files.items()})
    count = parameters if parameters is not None else _count_parameters(paths)
    record = Record(name, source, revision, files, origin, licence, count)
    (partial / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    for path in (*paths, partial / RECORD, partial):
        _flush_to_disk(path)
    target = kept_at(name, home)
    old = partial_at(name, home, "folder")
    remove_tree(old)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    _flush_to_disk(target.parent)
    remove_tree(old)
    return Weights(name, target, revision, source)


def remove_all(name: str, home: Path) -> int:
    """Delete the weights and whatever was fetched of them so far; bytes freed, 0 when there was nothing."""
    places = [kept_at(name, home), *unfinished(name, home)]
    freed = sum(tree_bytes(place) for place in places)
    for place in places:
        remove_tree(place)
    return freed


def unfinished(name: str, home: Path) -> list[Path]:
    """Every place that may hold something half done of these weights."""
    sources: tuple[Source, ...] = ("hub", "mirror", "folder")
    return [downloads_at(name, home), *(partial_at(name, home, source) for source in sources)]


def check_kept(name: str, home: Path) -> None:
    """Read every file again and compare it with the record.

    Raises:
        WeightsMissing: there are none of this name.
        WeightsCorrupt: a file is missing or has changed.
    """
    path = kept_at(name, home)
    record = read_record(path)
    if record is None:
        raise WeightsMissing(f"There are no weights of {name!r} in {path}.", f"Run: footnote models fetch {name}")
    for file, facts in record.files.items():
        if _size(path / file) != facts["bytes"] or sha256_of(path / file) != facts["sha256"]:
            raise WeightsCorrupt(
                f"{path / file} is not what was fetched: its SHA-256 should be {facts['sha256']}.",
                f"Run: footnote models remove {name}; then: footnote models fetch {name}",
            )


def check_own(path: Path) -> None:
    """Check that every safetensors file is as long as its header says; there is no hash to compare with.

    Raises:
        WeightsCorrupt: a file is cut off, or is not safetensors.
    """
    for file in sorted(path.rglob("*.safetensors")):
        try:
            header, start = _safetensors_header(file)
            ends = [entry["data_offsets"][1] for entry in header.values()]
        except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
            raise WeightsCorrupt(f"{file} is not a safetensors file: {error!r}.", "Copy the folder again.") from error
        if file.stat().st_size != start + max(ends, default=0):
            raise WeightsCorrupt(f"{file} is cut off.", "Copy the folder again.")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_bytes(path: Path) -> int:
    """Size of all files under `path`; 0 where there is nothing. Files may come and go meanwhile."""
    return sum(max(0, _size(file)) for file in path.rglob("*") if not file.is_dir()) if path.is_dir() else 0


def remove_tree(path: Path) -> None:
    """Delete a folder, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def need_space(home: Path, needed: int, name: str) -> None:
    """Check free space before anything is fetched.

    Raises:
        WeightsError: there are fewer than `needed` bytes.
    """
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    if free < needed:
        raise WeightsError(
            f"Fetching {name!r} takes {needed:,} bytes in {home}, and only {free:,} are free.",
            "Free some space, or set FOOTNOTE_HOME to a folder on another disk.",
        )


@contextmanager
def locked(name: str, home: Path, report: Report) -> Iterator[None]:
    """Hold off other processes that would fetch the same weights; they wait and then find them.

    Where there are no POSIX locks (Windows, some network file systems) nothing is held off.
    """
    path = home / "weights" / f".{_flat(name)}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        _lock(file.fileno(), name, report)
        yield


def _lock(descriptor: int, name: str, report: Report) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        report(f"Another process is fetching {name}; waiting for it.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _flush_to_disk(path: Path) -> None:
    """Make sure a file, or the entries of a folder, outlast a power cut. Not every system can do folders."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _safetensors_header(path: Path) -> tuple[dict[str, Any], int]:
    """Tensor name -> its entry, and where the data starts."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("its header runs past its end")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def _count_parameters(paths: Iterable[Path]) -> int | None:
    try:
        headers = [_safetensors_header(path)[0] for path in paths if path.suffix == ".safetensors"]
    except ValueError:
        return None
    return sum(prod(entry["shape"]) for header in headers for entry in header.values()) or None
