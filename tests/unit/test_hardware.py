"""What this machine has, as far as it decides which model is taken."""

import pytest

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
