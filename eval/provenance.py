"""What a run was made with: model, settings, prompts, code, library, questions, judge, commit, machine.

Two runs of which all this is equal give the same answers; of which it is not, they are not one run. Knows nothing of
answers or scores.
"""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import prompts
import rag as library
from eval.cases import Case
from rag import Rag, describe_machine

ANSWERS_DEPEND_ON = ("model", "settings_id", "prompts", "code", "fitted", "library", "compared by")
"""What has to be equal for a stopped run to be gone on with."""


def made_with(rag: Rag, cases: Sequence[Case], judge: str | None = None) -> dict[str, str]:
    """Names and digests of all that a run's answers and scores depend on; opens the model."""
    return {
        "model": rag.description.line,
        "settings_id": rag.settings.id,
        "prompts": _digest_of_files(Path(prompts.__file__).parent, "*.md"),
        "code": _digest_of_files(Path(library.__file__).parent, "*.py"),
        "fitted": _digest_of_files(Path(library.__file__).parent, "*.safetensors", "*.json"),
        "library": _digest(f"{p.id}\0{p.title}\0{p.abstract}" for p in rag.papers),
        "questions": _digest(repr(asdict(case)) for case in cases),
        "judge": judge or "none",
        "commit": commit_id(),
        "machine": f"{describe_machine()}; Python {sys.version.split()[0]}",
    }


def compared_by(packages: Iterable[str] = ()) -> dict[str, str]:
    """What the answers of compared systems depend on besides: the code of the comparison, versions of `packages`."""
    here = Path(__file__).parent
    sources = ("recipes.py", "peers.py", "broken.py", "ablation.py", "systems.py", "proxy.py")
    versions = [f"{name} {_version(name)}" for name in packages]
    return {"compared by": ", ".join([_digest((here / name).read_text("utf-8") for name in sources), *versions])}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What the answers depend on and is not as it was, each as "settings_id was a, is b"."""
    return [
        f"{name} was {before[name]}, is {now[name]}"
        for name in ANSWERS_DEPEND_ON
        if name in before and name in now and before[name] != now[name]
    ]


def peak_memory_gib() -> float:
    """The most resident memory that this process has had so far, in GiB; the model's is in it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**3 if sys.platform == "darwin" else 1024**2)


def _digest(texts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode() + b"\0")
    return found.hexdigest()[:10]


def _digest_of_files(folder: Path, *patterns: str) -> str:
    paths = sorted(path for pattern in patterns for path in folder.rglob(pattern))
    return _digest(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)


def commit_id() -> str:
    """The commit of this code as git describes it, `-dirty` where files differ; "unknown" without git."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # git is not installed
        return "unknown"
    return done.stdout.strip() or "unknown"
