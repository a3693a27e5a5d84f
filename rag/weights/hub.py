"""Weights from the Hugging Face hub, or from what other programs have fetched from it before.

Fetches the safetensors, the configuration and the tokenizer, file by file; a file that broke off goes on
where it stopped. Each is checked against the size and the hash that the hub gives. Honours HF_ENDPOINT,
HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE. Knows nothing of the mirror.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import importlib.util
import json
import os
import re
import socket
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import WeightsCorrupt, WeightsMissing
from rag.weights import folder
from rag.weights.folder import HubName, Weights
from rag.weights.progress import Meter, Report, watching

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

_CONNECT_S = 4.0
_ANSWER_S = 10.0
_TRUE = ("1", "ON", "YES", "TRUE")
_WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "LICENSE*", "README.md")
_WANTED_FOLDERS = ("*[0-9]_[A-Z]*", "additional_chat_templates")  # sentence-transformers modules: 1_Pooling, …
_UNFINISHED = ".unfinished"
_SPARE = 50_000_000


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    bytes: int
    sha256: str | None
    git_sha1: str | None


def endpoint() -> str:
    """The address of the hub."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def is_offline() -> bool:
    """Whether the reader has switched the hub off."""
    return any(os.environ.get(key, "").upper() in _TRUE for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def cached(name: HubName, asked: str) -> Weights | None:
    """Weights that lie complete in the hub's own cache on this machine. Looks at names and links only."""
    home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    model = cache / f"models--{name.id.replace('/', '--')}"
    reference = model / "refs" / (name.revision or "main")
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else name.revision or "main"
    path = model / "snapshots" / commit
    files = _complete_weights(path)
    if not files or not (path / "config.json").is_file() or not (path / "tokenizer_config.json").is_file():
        return None
    # Large files are links to blobs that are named by their SHA-256.
    hashes = {file.name: file.resolve().name for file in files}
    known = all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes.values())
    return Weights(asked, path, folder.content_revision(hashes) if known else commit[:12], "hub")


def _complete_weights(path: Path) -> list[Path]:
    """The weight files in a snapshot; none when one of them is missing."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = [path / shard for shard in shards]
    else:
        files = [path / "model.safetensors"]
    return files if all(file.is_file() for file in files) else []


def fetch(name: HubName, asked: str, home: Path, report: Report) -> Weights:
    """Fetch, check and keep the weights of one model of the hub.

    Raises:
        WeightsMissing: it is switched off, cannot be connected to, or broke off (what has come is kept); or it has
            no such model or revision, wants an account, or has no safetensors of it.
        WeightsCorrupt: a file is not what the hub says it is; it has been deleted.
        WeightsError: there is not enough space.
        OSError: the disk filled up, or cannot be written.
    """
    _check_reachable()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint())
    info = _model_info(api, name)
    files = _wanted(info, asked)
    partial = folder.partial_at(asked, home, "hub")
    total = sum(file.bytes for file in files)
    folder.need_space(home, total - folder.tree_bytes(partial) + _SPARE, asked)
    partial.mkdir(parents=True, exist_ok=True)
    _download_all(name, info.sha or "main", files, partial, Meter(report, total, asked))
    wanted = {file.path for file in files}
    folder.remove_tree(partial / _UNFINISHED)
    for path in partial.rglob("*"):
        if path.is_file() and path.relative_to(partial).as_posix() not in wanted:
            path.unlink()  # of another commit, when the model changed between two tries
    licence = info.card_data.get("license") if info.card_data else None
    return folder.install(
        partial, asked, home, source="hub", origin={"commit": info.sha}, licence=str(licence or "").capitalize()
    )


def _check_reachable() -> None:
    """Connect once, within a few seconds: the name look-up of a machine without a way out may hang for minutes."""
    if is_offline():
        raise WeightsMissing("The hub is switched off (HF_HUB_OFFLINE).", "Unset HF_HUB_OFFLINE.")
    target = urllib.parse.urlsplit(endpoint())
    proxy = urllib.request.getproxies().get(target.scheme)
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    address = (target.hostname or "", target.port or (80 if target.scheme == "http" else 443))
    failure: list[str] = [f"no connection within {_CONNECT_S:.0f} s"]

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=_CONNECT_S).close()
        except OSError as error:
            failure[0] = str(error)
        else:
            failure.clear()

    thread = threading.Thread(target=connect, name="footnote-hub", daemon=True)
    thread.start()
    thread.join(_CONNECT_S)
    if failure:
        raise _unreachable(failure[0])


def _unreachable(reason: str) -> WeightsMissing:
    return WeightsMissing(
        f"The hub at {endpoint()} cannot be reached ({reason}).",
        "Connect, or set HF_ENDPOINT to a hub that can be reached; then run again (what has come is kept).",
    )


def _gated(name: HubName) -> WeightsMissing:
    return WeightsMissing(
        f"{name.id!r} is only given to those who have accepted its terms.",
        f"Accept them at {endpoint()}/{name.id}, and set HF_TOKEN to a token of your account.",
    )


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the hub's library lets through: an answer that is not JSON, and the errors of httpx (later httpx2)."""
    found = [importlib.import_module(name) for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
    return (json.JSONDecodeError, *(module.HTTPError for module in found))


def _model_info(api: HfApi, name: HubName) -> ModelInfo:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    transport = _transport_errors()
    try:
        return api.model_info(name.id, revision=name.revision, files_metadata=True, timeout=_ANSWER_S)
    except GatedRepoError as error:
        raise _gated(name) from error
    except RevisionNotFoundError as error:
        raise WeightsMissing(f"The hub has no revision {name.revision!r} of {name.id!r}.", "Name another.") from error
    except RepositoryNotFoundError as error:
        raise WeightsMissing(
            f"The hub has no model {name.id!r}, or keeps it private.", "Check the id; set HF_TOKEN if it is private."
        ) from error
    except OfflineModeIsEnabled as error:
        raise WeightsMissing("The hub is switched off (HF_HUB_OFFLINE).", "Unset HF_HUB_OFFLINE.") from error
    except HfHubHTTPError as error:
        raise _unreachable(f"it answered {error.response.status_code}") from error
    except transport as error:
        raise _unreachable(str(error) or type(error).__name__) from error


def _wanted(info: ModelInfo, asked: str) -> list[_File]:
    """The files that transformers and sentence-transformers load, smallest first."""
    files = []
    for sibling in info.siblings or ():
        parent, _, base = sibling.rfilename.rpartition("/")
        here = not parent or any(fnmatch.fnmatchcase(parent, pattern) for pattern in _WANTED_FOLDERS)
        if here and any(fnmatch.fnmatchcase(base, pattern) for pattern in _WANTED):
            sha256 = sibling.lfs.sha256 if sibling.lfs else None
            files.append(_File(sibling.rfilename, sibling.size or 0, sha256, sibling.blob_id))
    names = {file.path for file in files}
    if any(fnmatch.fnmatchcase(name, "model*.safetensors") for name in names):
        files = [file for file in files if not file.path.startswith("consolidated")]  # the same weights once more
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise WeightsMissing(
            f"{asked!r} holds no config.json with safetensors weights on the hub.",
            "Name the original model rather than a GGUF, ONNX or adapter version of it.",
        )
    return sorted(files, key=lambda file: file.bytes)


def _download_all(name: HubName, commit: str, files: list[_File], partial: Path, meter: Meter) -> None:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    broken: tuple[type[Exception], ...] = _transport_errors()
    with watching(meter, lambda: folder.tree_bytes(partial)):
        for file in files:
            try:
                _download(name.id, commit, file, partial)
            except GatedRepoError as error:
                raise _gated(name) from error
            except HfHubHTTPError as error:
                raise _unreachable(f"{file.path}: it answered {error.response.status_code}") from error
            except broken as error:
                raise _unreachable(f"{file.path} broke off: {error or type(error).__name__}") from error


def _download(model: str, commit: str, file: _File, partial: Path) -> None:
    """One file, put in its place only when it is whole.

    Uses the hub library's transfer function directly: its public `hf_hub_download` no longer keeps a file that
    broke off (huggingface_hub 1.x writes to a name that is new every time), and weights are gigabytes.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    target = partial / file.path
    if target.is_file() and _problem(file, target) is None:
        return
    unfinished = partial / _UNFINISHED / (file.sha256 or file.git_sha1 or file.path.replace("/", "--"))
    unfinished.parent.mkdir(exist_ok=True)
    if unfinished.is_file() and unfinished.stat().st_size > file.bytes:
        unfinished.unlink()
    url = hf_hub_url(model, file.path, revision=commit, endpoint=endpoint())
    try:
        with unfinished.open("ab") as handle:
            done = handle.tell()
            http_get(
                url,
                handle,
                resume_size=done,
                headers=build_hf_headers(),
                expected_size=file.bytes,
                tqdm_class=_silent(),
            )
    except OSError as error:
        if "Consistency check failed" not in str(error):
            raise
    problem = _problem(file, unfinished)
    if problem is not None:
        unfinished.unlink()
        raise _corrupt(file, model, problem)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(target)


def _problem(file: _File, path: Path) -> str | None:
    """How a file differs from what the hub says of it: SHA-256 of large ones, git's SHA-1 of the others."""
    found = path.stat().st_size
    if found != file.bytes:
        return f"it has {found:,} bytes instead of {file.bytes:,}"
    if file.sha256:
        return None if folder.sha256_of(path) == file.sha256 else f"its SHA-256 is not {file.sha256}"
    if file.git_sha1 and _git_sha1(path) != file.git_sha1:
        return f"its git hash is not {file.git_sha1}"
    return None


def _corrupt(file: _File, model: str, problem: str) -> WeightsCorrupt:
    return WeightsCorrupt(
        f"{file.path} of {model!r} came damaged from {endpoint()}: {problem}. It has been deleted.",
        "Run again to fetch it anew; if it happens again, something on the way changes the files.",
    )


def _git_sha1(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _silent() -> Any:
    """A progress bar that shows nothing: Footnote shows its own."""
    from huggingface_hub.utils.tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

    return Silent
