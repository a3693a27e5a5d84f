"""What the speed benchmarks are told reaches the commands that they time; nothing is timed of nothing."""

import argparse
import sys

import pytest

from eval.__main__ import main
from eval.benchmarks.bench import _footnote


def test_model_and_library_reach_the_command_that_is_timed():
    options = argparse.Namespace(library="mine.bib", model="a/b")
    start = [sys.executable, "-m", "rag"]
    assert _footnote("ask", options) == [*start, "ask", "--library", "mine.bib", "--model", "a/b"]
    assert _footnote("search", options) == [*start, "search", "--library", "mine.bib"]
    assert _footnote("ask", argparse.Namespace(library=None, model=None)) == [*start, "ask"]


@pytest.mark.parametrize("options", [["start", "--runs"], ["scifact", "--data", "x", "--limit"]])
@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_a_benchmark_of_nothing_is_refused(capsys, options, number):
    with pytest.raises(SystemExit) as ended:
        main(["bench", *options, number])
    assert ended.value.code == 2
    assert "is no number from 1 on" in capsys.readouterr().err
