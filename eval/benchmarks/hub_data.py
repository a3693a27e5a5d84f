"""Public data sets where they are: a file or folder of this machine, or a data set of the Hugging Face hub by its id.

What comes from the hub goes into the hub's own cache, and only the files that are read. Knows nothing of what is in
them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path

from eval.cases import CaseError
from rag.cli import tell

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TRUE = ("1", "ON", "YES", "TRUE")


def located(data: Path, patterns: Sequence[str], home: str) -> Path:
    """The file or folder that `--data` names; of a hub id ("owner/name", no such path here) the folder of its files.

    Args:
        data: what was given.
        patterns: names of the files that are needed, each found at least once; `*` stands for anything.
        home: where to get them by hand.

    Returns:
        `data` as it is where it is no hub id, be it there or not: its reader says what is missing.

    Raises:
        CaseError: the hub does not give the data set, or it lacks a file.
    """
    name = data.as_posix()
    if data.exists() or not _ID.fullmatch(name):
        return data
    wanted = ", ".join(patterns)
    by_hand = f"Get {wanted} from {home}; give their folder by --data."
    snapshot = _snapshot(name, patterns, by_hand)
    folders = [folder for folder in _folders(snapshot) if all(any(folder.glob(pattern)) for pattern in patterns)]
    if not folders:
        raise CaseError(f"The hub's data set {name!r} has no folder with {wanted}.", by_hand)
    tell(f"{name}, of the hub, at {folders[0]}")
    return folders[0]


def _snapshot(name: str, patterns: Sequence[str], by_hand: str) -> Path:
    """The folder of the hub's cache that has the data set's files; fetched where the hub is not switched off."""
    from huggingface_hub import snapshot_download

    offline = [key for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(key, "").upper() in _TRUE]
    allowed = [form for pattern in patterns for form in (pattern, f"*/{pattern}")]
    try:
        found = snapshot_download(name, repo_type="dataset", allow_patterns=allowed, local_files_only=bool(offline))
        return Path(found)
    except _failures() as error:
        reason = f"it is switched off by {offline[0]}" if offline else str(error).strip().partition("\n")[0]
        raise CaseError(
            f"There is no file or folder {name!r} here, and the hub does not give a data set of that id "
            f"({reason or type(error).__name__}).",
            by_hand,
        ) from error


def _failures() -> tuple[type[Exception], ...]:
    """What the hub's library raises: its own errors are OSErrors, those of httpx (later httpx2) it may let through."""
    found = [importlib.import_module(name) for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
    return (OSError, ValueError, *(module.HTTPError for module in found))


def _folders(root: Path) -> list[Path]:
    """A folder and all below it, the shallowest first, by name among equals."""
    below = (path for path in root.rglob("*") if path.is_dir())
    return sorted([root, *below], key=lambda path: (len(path.parts), path.as_posix()))
