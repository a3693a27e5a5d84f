"""What the README says can be run is run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.weights
@pytest.mark.slow
def test_the_python_example_runs(capsys, lent):
    (code,) = re.findall(r"<!-- run by tests/e2e/test_readme.py -->\n```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    assert "970k" in capsys.readouterr().out
    assert len(names["hits"]) == 3


def test_every_command_of_the_readme_exists():
    from rag.cli import _parser

    used = set(re.findall(r"(?:bin/|`)footnote (\w+)", README))
    assert used
    actions = next(a for a in _parser()._actions if a.dest == "command")
    assert used - {"eval"} <= set(actions.choices)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", README)) <= targets


def test_every_file_of_the_tree_exists():
    (tree,) = re.findall(r"## The tree\n\n```\n(.*?)```", README, re.DOTALL)
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0]
        if name == "#":  # a heading within the folder
            continue
        if not line.startswith(" "):
            folder = name
            assert (ROOT / name).is_dir(), name
        else:
            assert (ROOT / folder / name).exists(), name


def test_every_local_link_and_picture_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
