"""What is committed is enough: a clone without its surroundings has all files and says what it does."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    folder = tmp_path_factory.mktemp("clone") / "footnote"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, capture_output=True)
    return folder


def in_clone(clone: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(clone)!r})\n{code}"],
        cwd=clone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_clone_has_the_library_the_prompts_and_the_questions(clone):
    code = "import rag, prompts; from rag.corpus import read_library; from rag.settings import BUNDLED_LIBRARY as b"
    code += "\nfrom eval.cases import read_cases\nprint(b, len(read_library(b)), prompts.load('answer').name, len(read_cases()))"
    found = in_clone(clone, code).split()
    assert Path(found[0]).is_relative_to(clone)
    assert found[1:] == ["89", "answer", "134"]


@pytest.mark.weights
@pytest.mark.slow
def test_a_clone_with_an_empty_home_finds_what_a_question_asks_for(clone, tmp_path):
    from rag import Settings

    (tmp_path / "weights").symlink_to(Settings().home / "weights")
    code = f"""
from pathlib import Path
from rag import Rag, Settings
hits = Rag.open(Settings(home=Path({str(tmp_path)!r}))).retrieve("How many robot demonstrations was OpenVLA trained on?")
print(hits[0].paper.title)
"""
    assert in_clone(clone, code).startswith("OpenVLA")


def test_a_wheel_holds_every_file_that_is_needed_at_run_time(clone, tmp_path):
    if shutil.which("git") is None:
        pytest.skip("git is missing")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(clone),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "setuptools" in done.stderr and done.returncode:
        pytest.skip("setuptools is not installed here")
    assert done.returncode == 0, done.stderr
    import zipfile

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "rag", "prompts", "ui", "eval"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert set(tracked.stdout.split()) <= names
