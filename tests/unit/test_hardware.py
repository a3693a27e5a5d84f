"""What this machine has, as far as it decides which model is taken."""

import os
import subprocess
import sys

import pytest

from rag.doctor import describe_machine
from rag.inference import hardware
from rag.inference.hardware import GIB, available_ram


@pytest.fixture
def group(tmp_path, monkeypatch):
    """The control group of a container; free memory is set by its files."""
    monkeypatch.setattr(hardware, "CONTROL_GROUP", tmp_path)

    def written(limit: str, used: int, cached: int) -> None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text(f"{used}\n")
        (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {cached // 2}\nactive_file {cached // 2}\n")

    return written


def test_a_container_has_what_its_limit_leaves_and_files_that_were_read_take_no_room(group):
    without = available_ram()
    group(str(GIB), GIB // 2, 0)
    assert available_ram() == GIB // 2
    group(str(GIB), GIB // 2, GIB // 2)
    assert available_ram() == GIB, "the weights just written are let go of when room is needed"
    group("max", GIB, 0)
    assert available_ram() == pytest.approx(without, rel=0.2)


@pytest.mark.parametrize(("tiles", "said"), [(True, ", AMX)"), (False, ")")])
def test_the_machine_is_described_with_its_tiles(monkeypatch, tiles, said):
    monkeypatch.setattr("rag.inference.kernels.has_tiles", lambda: tiles)
    assert f"cores ({hardware.cpu_capability()}{said}, " in describe_machine()


@pytest.mark.parametrize(("given", "kept"), [({}, "1"), ({"THP_MEM_ALLOC_ENABLE": "0"}, "0")])
def test_torch_is_asked_for_large_pages_unless_the_reader_says_otherwise(given, kept):
    code = "import os, rag.inference; print(os.environ['THP_MEM_ALLOC_ENABLE'])"
    environment = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"} | given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == kept
