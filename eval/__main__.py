"""`python -m eval` (also `footnote eval`, `make eval`): run the questions, or a benchmark."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from eval import ablation, asking, compare, elsewhere, examining, peers
from eval.benchmarks import bench
from eval.fits import drafts
from eval.judges import judging
from eval.judges.by_name import open_judge
from eval.judges.judgement import Judge
from rag import Rag
from rag.cli import run_safely, tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="footnote eval", description="Measure grounding, retrieval and speed.")
    commands = parser.add_subparsers(dest="command", required=True)
    asking.add_to(commands, _judge)
    judging.add_to(commands)
    compare.add_to(commands)
    elsewhere.add_to(commands)
    drafts.add_to(commands)
    bench.add_to(commands)
    examining.add_to(commands, _judge)
    peers.add_to(commands, _judge)
    ablation.add_to(commands, _judge)
    options = parser.parse_args(arguments)
    return run_safely(lambda: options.action(options))


def _judge(name: str, rag: Rag) -> Judge | None:
    return None if name == "none" else open_judge(name, report=tell, rag=rag)


if __name__ == "__main__":
    sys.exit(main())
