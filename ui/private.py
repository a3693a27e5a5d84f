"""Files that their owner alone may read: what somebody asks is not for the others on this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def open_private(path: Path, how: int = os.O_APPEND) -> Any:
    """The file at `path` open for writing, made where it is missing; nobody else may read it, whatever it was before.

    `how`: os.O_APPEND or os.O_TRUNC.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    with suppress(OSError):  # another's file, which we may write to
        path.chmod(0o600)
    return os.fdopen(handle, "w", encoding="utf-8")
