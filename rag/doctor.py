"""Looks at what Footnote needs on this machine and says in plain words what is here and what mends the rest.

Fetches, builds and repairs nothing.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.errors import FootnoteError
from rag.language.counts import counted
from rag.settings import Settings

_GIB = 1024**3
_NEEDED_GIB = 6
"""The default weights as they are fetched and as they are kept, and an index."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    is_well: bool
    text: str

    def __str__(self) -> str:
        """A line with a mark that does not rely on colour."""
        return f"{'ok  ' if self.is_well else 'FIX '} {self.name}: {self.text}"


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which things are needed."""
    return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _try("Library", lambda: _library(settings))
    yield _try("Machine", describe_machine)
    home = settings.home.absolute()
    home = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(home).free
    yield Finding(
        "Disk",
        free > _NEEDED_GIB * _GIB,
        f"{free / _GIB:.0f} GiB free for {settings.home}; {_NEEDED_GIB} are needed at first",
    )
    yield _try("Embedder", lambda: _weights(settings.embedding.name, settings))
    yield _try("Model", lambda: _model(settings))
    yield _try("Checker", lambda: _checker(settings))
    yield _try("Index", lambda: _index(settings))


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, is_well=True, text=look())
    except FootnoteError as error:
        return Finding(name, is_well=False, text=str(error))


def _library(settings: Settings) -> str:
    from rag.assembly import library_papers, said_of_left_out

    left_out: list[str] = []
    held = f"{counted(len(library_papers(settings, left_out.append)), 'paper')} in {settings.library}"
    return f"{held}; {said_of_left_out(left_out)}" if left_out else held


def describe_machine() -> str:
    """Cores, memory and GPU in words."""
    from rag.inference import hardware
    from rag.inference.kernels import has_tiles

    gpu = hardware.gpu_free_bytes()
    instructions = hardware.cpu_capability() + (", AMX" if has_tiles() else "")
    cores = f"{hardware.physical_cores()} cores ({instructions})"
    memory = f"{hardware.available_ram() / _GIB:.0f} GiB of memory free"
    return f"{cores}, {memory}, " + (f"GPU with {gpu / _GIB:.0f} GiB free" if gpu else "no GPU")


def _weights(name: str, settings: Settings) -> str:
    from rag import weights
    from rag.errors import WeightsMissing

    found = weights.find(name, settings.home)
    if found is None:
        raise WeightsMissing(f"{name} is not on this machine.", f"Fetch it: footnote models fetch {name}")
    return f"{name} at {found.path}"


def _model(settings: Settings) -> str:
    from rag.assembly import default_weights

    if settings.model.is_remote:
        return f"{settings.model.name} at {settings.model.base_url or settings.model.provider}"
    return _weights(default_weights(settings)[-1], settings)


def _checker(settings: Settings) -> str:
    from rag.assembly import default_weights
    from rag.checker import checker_name

    name = checker_name(settings)
    if name in ("", *default_weights(settings)):
        return "the model itself"
    return _weights(name, settings)


def _index(settings: Settings) -> str:
    from rag.assembly import index_folder
    from rag.index_files import read_manifest

    manifest = read_manifest(index_folder(settings))
    return f"{manifest.size}, built with {manifest.embedder}"
