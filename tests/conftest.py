"""What all tests share: where weights are, and why a test is skipped."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
DATA = tempfile.TemporaryDirectory(prefix="footnote-tests-")
os.environ["FOOTNOTE_DATA"] = DATA.name  # no test writes among a user's conversations

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "google-chrome")


def missing_weights() -> list[str]:
    from rag import Settings, weights
    from rag.assembly import default_weights

    settings = Settings()
    return [name for name in default_weights(settings) if weights.find(name, settings.home) is None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip loudly, with the reason, what this machine has no part for; leave the browser for the end.

    Playwright's synchronous API keeps an event loop running in this thread, in which no async test can be run.
    """
    items.sort(key=lambda item: "e2e" in item.path.parts)
    reasons = {
        "weights": lambda: ", ".join(f"{n} is missing (footnote models fetch)" for n in missing_weights()),
        "browser": lambda: "" if any(map(shutil.which, BROWSERS)) else "Chromium is missing (apt-get install chromium)",
        "gpu": _no_gpu,
    }
    found: dict[str, str] = {}
    for item in items:
        for mark, look in reasons.items():
            if item.get_closest_marker(mark):
                if mark not in found:
                    found[mark] = look()
                if found[mark]:
                    item.add_marker(pytest.mark.skip(reason=found[mark]))


def _no_gpu() -> str:
    import torch

    return "" if torch.cuda.is_available() else "no NVIDIA GPU on this machine"


@pytest.fixture(scope="session")
def library() -> tuple:
    from rag.corpus import read_library
    from rag.settings import BUNDLED_LIBRARY

    return read_library(BUNDLED_LIBRARY)
