"""Weights on this disk: what counts as there, what is damaged, what may be removed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rag import weights
from rag.errors import WeightsCorrupt, WeightsError, WeightsMissing
from rag.weights import folder

NAME = "some-org/some-model"


def safetensors(values: int = 4) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4 * values)


def installed(home: Path, name: str = NAME) -> weights.Weights:
    partial = folder.partial_at(name, home, "hub")
    (partial / "1_Pooling").mkdir(parents=True)
    (partial / "model.safetensors").write_bytes(safetensors())
    (partial / "config.json").write_text("{}")
    (partial / "1_Pooling" / "config.json").write_text("{}")
    return folder.install(partial, name, home, source="hub", origin={"commit": "abc"}, licence="MIT")


def test_what_was_installed_is_found(tmp_path: Path) -> None:
    kept = installed(tmp_path)
    assert weights.find(NAME, tmp_path) == kept
    assert kept.path == tmp_path / "weights" / "some-org--some-model"
    assert weights.ensure(NAME, tmp_path) == kept
    weights.verify(NAME, tmp_path)


def test_nothing_is_found_where_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    assert weights.find(NAME, tmp_path) is None


def test_finding_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    installed(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from rag import weights\n"
        f"home = Path({str(tmp_path)!r}); weights.find({NAME!r}, home); start = time.perf_counter()\n"
        f"assert weights.find({NAME!r}, home); took = time.perf_counter() - start\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'gguf', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\nassert took < 0.05, took"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("damage", ["missing", "shorter", "no record", "broken record"])
def test_damaged_weights_are_not_found(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    path = installed(tmp_path).path
    if damage == "missing":
        (path / "config.json").unlink()
    elif damage == "shorter":
        os.truncate(path / "model.safetensors", 20)
    elif damage == "no record":
        (path / "footnote.json").unlink()
    else:
        (path / "footnote.json").write_text('{"name"')
    assert weights.find(NAME, tmp_path) is None


def test_a_changed_byte_is_noticed_by_verify(tmp_path: Path) -> None:
    path = installed(tmp_path).path / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="footnote models remove some-org/some-model"):
        weights.verify(NAME, tmp_path)


def test_verifying_what_is_not_there_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="footnote models fetch some-org/some-model"):
        weights.verify(NAME, tmp_path)


def test_removing_frees_the_bytes_and_takes_what_is_unfinished_along(tmp_path: Path) -> None:
    path = installed(tmp_path).path
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    downloads = folder.downloads_at(NAME, tmp_path)
    downloads.mkdir(parents=True)
    (downloads / "part.whl").write_bytes(b"x" * 100)
    assert weights.remove(NAME, tmp_path) == size + 100
    assert not path.exists()
    assert not downloads.exists()
    assert weights.remove(NAME, tmp_path) == 0


def test_installing_replaces_a_damaged_folder(tmp_path: Path) -> None:
    path = installed(tmp_path).path
    (path / "config.json").unlink()
    assert installed(tmp_path).path == path
    assert (path / "config.json").exists()
    assert [entry.name for entry in (tmp_path / "weights").iterdir()] == [path.name]


def test_a_folder_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.mkdir()
    (own / "config.json").write_text("{}")
    (own / "model.safetensors").write_bytes(safetensors())
    found = weights.find(str(own), tmp_path)
    assert found is not None
    assert (found.path, found.source) == (own, "folder")
    assert weights.ensure(str(own), tmp_path) == found
    weights.verify(str(own), tmp_path)
    with pytest.raises(WeightsError, match="folder of your own"):
        weights.remove(str(own), tmp_path)
    (own / "model.safetensors").write_bytes(safetensors()[:-1] + b"\1")
    changed = weights.find(str(own), tmp_path)
    assert changed is not None
    assert changed.revision != found.revision


@pytest.mark.parametrize("content", [safetensors()[:-2], b"", b"not safetensors", b"\xff" * 64])
def test_a_cut_off_file_in_a_folder_of_ones_own_is_noticed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsCorrupt, match="Copy the folder again"):
        weights.verify(str(tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["", "./no/such/folder", "/no/such", "a/b/c", "a b", "org/", "../x", "org/name@"])
def test_a_name_that_is_neither_folder_nor_id_is_explained(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"neither a folder that exists nor a hub id.*config\.json"):
        weights.ensure(name, tmp_path)


def test_a_revision_is_kept_apart(tmp_path: Path) -> None:
    assert folder.hub_name("org/name@refs/pr/1") == folder.HubName("org/name", "refs/pr/1")
    assert folder.kept_at("org/name@v1", tmp_path) != folder.kept_at("org/name", tmp_path)


def test_the_revision_names_the_weight_files_only() -> None:
    one = folder.content_revision({"model.safetensors": "aa", "README.md": "bb"})
    assert one == folder.content_revision({"model.safetensors": "aa", "README.md": "cc"})
    assert one != folder.content_revision({"model.safetensors": "ab"})
    assert len(one) == 12


def hub_cache(root: Path, blob: bytes, *, tokenizer: bool = True) -> Path:
    """The layout in which huggingface_hub keeps a model: names that link to blobs."""
    model = root / "models--some-org--some-model"
    snapshot = model / "snapshots" / ("c" * 40)
    for place in (snapshot, model / "refs", model / "blobs"):
        place.mkdir(parents=True)
    (model / "refs" / "main").write_text("c" * 40)
    target = model / "blobs" / hashlib.sha256(blob).hexdigest()
    target.write_bytes(blob)
    (snapshot / "model.safetensors").symlink_to(target)
    (snapshot / "config.json").write_text("{}")
    if tokenizer:
        (snapshot / "tokenizer_config.json").write_text("{}")
    return snapshot


def test_what_other_programs_fetched_from_the_hub_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    snapshot = hub_cache(tmp_path / "cache", safetensors())
    found = weights.find(NAME, tmp_path / "home")
    assert found is not None
    assert found.path == snapshot
    assert found.revision == installed(tmp_path / "home").revision  # the same bytes


def test_an_incomplete_hub_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    snapshot = hub_cache(tmp_path / "cache", safetensors(), tokenizer=False)
    assert weights.find(NAME, tmp_path) is None
    (snapshot / "tokenizer_config.json").write_text("{}")
    shards = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
    assert weights.find(NAME, tmp_path) is None


def test_what_is_here_from_elsewhere_is_listed_after_the_mirror(tmp_path: Path) -> None:
    kept = installed(tmp_path)
    rows = weights.available(tmp_path)
    assert [row.present for row in rows] == [False] * (len(rows) - 1) + [True]
    last = rows[-1]
    assert (last.name, last.source, last.licence, last.path, last.parameters) == (NAME, "hub", "MIT", kept.path, 4)


def test_a_lock_holds_off_a_second_fetch(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with folder.locked(NAME, tmp_path, order.append):
            inside.set()
            time.sleep(0.3)
            order.append("first done")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with folder.locked(NAME, tmp_path, order.append):
        order.append("second in")
    thread.join()
    assert order == [f"Another process is fetching {NAME}; waiting for it.", "first done", "second in"]


def test_too_little_space_is_told_in_bytes_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"takes 1,000,000,000,000,000,000 bytes in .*FOOTNOTE_HOME"):
        folder.need_space(tmp_path, 10**18, NAME)


def test_a_home_that_cannot_be_written_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="Set FOOTNOTE_HOME"):
        weights.ensure(NAME, tmp_path / "file" / "home")
