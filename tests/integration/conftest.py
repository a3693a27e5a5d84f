"""What tests of the local chat model share: a tiny random one, and one thread to run it on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny_language_model import make_model


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Two threads wait for each other at every small product: on a busy machine that is a hundred times slower."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model."""
    return make_model(tmp_path_factory.mktemp("qwen2"))
