"""Several systems on the same questions, one after the other: what `peers` and `ablate` have in common.

Knows how they are asked and where their answers are kept; knows nothing of what they are or of figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from eval.cases import Case, CaseError, add_questions
from eval.judges.by_name import DEFAULT, NAMES
from eval.judges.judgement import Judge
from eval.provenance import compared_by
from eval.run import run
from eval.scoring import Scored
from rag import Rag
from rag.cli import add_common_options, positive, settings_from, tell

OpenJudge = Callable[[str, Rag], Judge | None]


def add_options(parser: argparse.ArgumentParser, known: Iterable[str], *, n: int, out: Path) -> None:
    """Add what a command that compares the systems `known` is told: which, on what questions, where they go."""
    add_questions(parser)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("-n", type=positive, default=n, metavar="N", help="how many questions")
    parser.add_argument("--out", type=Path, default=out, metavar="FOLDER")
    parser.add_argument("--judge", default=DEFAULT, metavar="NAME", help=NAMES)
    parser.add_argument("--json", action="store_true")
    add_common_options(parser)


def chosen(options: argparse.Namespace, known: Sequence[str], kind: str) -> list[str]:
    """The names that `--only` gives, once each, or all.

    Raises:
        CaseError: one of them is not known; it says which are.
    """
    names = list(dict.fromkeys(options.only or known))
    for name in names:
        if name not in known:
            raise CaseError(f"There is no {kind} {name!r}.", f"There are: {', '.join(known)}.")
    return names


def opened(options: argparse.Namespace, open_judge: OpenJudge) -> tuple[Rag, Judge]:
    """The Rag that all systems answer from, and what judges them.

    Raises:
        CaseError: the judge is "none": systems cannot be compared without one.
    """
    rag = Rag.open(settings_from(options), report=tell)
    rag.warm_up()
    judge = open_judge(options.judge, rag)
    if judge is None:
        raise CaseError("Systems cannot be compared without a judge.", f"Give --judge NAME, of: {NAMES}.")
    return rag, judge


def answered(
    systems: Mapping[str, Callable[[], Rag]],
    cases: Sequence[Case],
    judge: Judge,
    folder: Path,
    packages: Iterable[str] = (),
) -> dict[str, list[Scored]]:
    """What each system answers, by its name; each is made when its turn comes.

    Answers are kept in a folder of the system's name, so that a run that was stopped goes on. `packages` are what they
    are made with: with other versions, or other code of the comparison, it does not.
    """
    found = {}
    for name, make in systems.items():
        tell(f"{name}: {len(cases)} questions")
        place = folder / name.replace(" ", "-")
        found[name] = run(make(), cases, report=tell, folder=place, judge=judge, made_also=compared_by(packages))
    return found


def seconds(scored: Sequence[Scored]) -> list[float | None]:
    """How long each answer took as a whole."""
    return [s.answer.timings.get("total_s") for s in scored]
