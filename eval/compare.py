"""`python -m eval compare A B`: what changed from run A to run B, question by question, and whether it is chance.

Every difference is B less A over the questions that both runs have and that the figure applies to in both. What the
runs were made with otherwise is said first: it may explain a difference as well as the change that was meant. Reads
scores.json alone; knows no figure's definition.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.cases import CaseError
from eval.metrics.answers import figure
from eval.rows import read_text

SMALLER_IS_BETTER = frozenset(
    {"falsely refused", "contradiction", "copy ratio", "length in words", "tokens in", "tokens out"}
)
SCORES = "scores.json"
UNTOLD = "not told"
LISTED = 8
"""So many questions that got better, and that got worse, are listed of a figure."""
_FREE = re.compile(r"\d+ GiB (?:of memory )?free")
_GATE = re.compile(r"\s*(?P<name>[^<>]+?)\s*(?P<sign>[<>])\s*(?P<limit>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one figure: means, their difference with a 95 % interval, and the ids that got better and worse.

    `p` is McNemar's for binary figures, else None. `better` and `worse` have the largest changes first; `changes` has
    B less A of each of them.
    """

    name: str
    n: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float | None
    better: tuple[str, ...]
    worse: tuple[str, ...]
    changes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on a difference under which a comparison fails, e.g. `faithfulness<-0.02`."""

    text: str
    name: str
    sign: str
    limit: float

    def fails(self, difference: float) -> bool:
        """Whether the difference meets the condition."""
        return difference < self.limit if self.sign == "<" else difference > self.limit


def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided p of `better` and `worse` changed pairs if both were equally likely; 1 where nothing changed.

    Source: McNemar 1947, the exact binomial form.
    """
    n = better + worse
    ways = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return float(min(1.0, 2 * ways / 2**n))


def difference(name: str, before: Mapping[str, Any], after: Mapping[str, Any], seed: int = 0) -> Difference | None:
    """Of one figure from its values by question id; None where no question has it in both.

    The interval is a percentile bootstrap over questions of the paired differences (Efron 1979).
    """
    shared = [i for i in before if before[i] is not None and after.get(i) is not None]
    if not shared:
        return None
    changes = {i: float(after[i]) - float(before[i]) for i in shared}
    found = figure(list(changes.values()), seed)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    upward = -1 if name in SMALLER_IS_BETTER else 1
    largest = sorted(shared, key=lambda i: -abs(changes[i]))  # of equal ones in the order of the run
    better = tuple(i for i in largest if upward * changes[i] > 0)
    worse = tuple(i for i in largest if upward * changes[i] < 0)
    is_binary = all(isinstance(values[i], bool) for i in shared for values in (before, after))
    return Difference(
        name=name,
        n=len(shared),
        before=sum(float(before[i]) for i in shared) / len(shared),
        after=sum(float(after[i]) for i in shared) / len(shared),
        difference=found.value,
        low=found.low,
        high=found.high,
        p=mcnemar(len(better), len(worse)) if is_binary else None,
        better=better,
        worse=worse,
        changes={i: changes[i] for i in (*better, *worse)},
    )


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every figure that both runs' `values` have."""
    found = (difference(name, before[name], after[name]) for name in before if name in after)
    return [item for item in found if item is not None]


def read_gate(text: str, names: Sequence[str]) -> Gate:
    """The gate that `text` writes; its figure may be written with "_" or "-" for spaces.

    Raises:
        CaseError: it cannot be read, or names no figure that can be compared.
    """
    found = _GATE.fullmatch(text)
    if found is None:
        raise CaseError(f"The gate {text!r} cannot be read.", "Write it like 'faithfulness<-0.02'.")
    name = next((name for name in names if _folded(name) == _folded(found["name"])), None)
    if name is None:
        raise CaseError(f"The gate {text!r} names no figure that both runs have.", f"There are: {', '.join(names)}.")
    return Gate(text, name, found["sign"], float(found["limit"]))


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def read_values(folder: Path) -> dict[str, Any]:
    """The values by figure and question of a run's folder.

    Raises:
        CaseError: there is no run, or it was made before values were kept.
    """
    values = _read(folder).get("values")
    if not isinstance(values, dict) or not all(isinstance(column, dict) for column in values.values()):
        told = values if not isinstance(values, dict) else "not by question"
        raise CaseError(
            f"{str(folder / SCORES)!r}: 'values' is {told!r}.", f"Score it anew: eval run --resume {folder}"
        )
    for name, column in values.items():
        odd = next((value for value in column.values() if not (value is None or isinstance(value, int | float))), None)
        if odd is not None:
            raise CaseError(
                f"{str(folder / SCORES)!r}: {name!r} has {odd!r}, which is no number.",
                f"Score it anew: eval run --resume {folder}",
            )
    return values


def read_made_with(folder: Path) -> dict[str, str]:
    """What a run was made with, as `eval.provenance` names it; nothing of a run that does not tell.

    Raises:
        CaseError: there is no run.
    """
    made = _read(folder).get("made_with")
    return {str(name): str(value) for name, value in made.items()} if isinstance(made, dict) else {}


def _read(folder: Path) -> dict[str, Any]:
    path = folder / SCORES
    if not path.is_file():
        raise CaseError(f"There is no run at {str(folder)!r}.", "Give a folder that `python -m eval run` has written.")
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise CaseError(f"{str(path)!r} cannot be read: {error}.", "Run it again.") from error
    if not isinstance(found, dict):
        raise CaseError(f"{str(path)!r} is not an object.", "Run it again.")
    return found


def made_otherwise(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What two runs were made with and is not the same: (of A, of B) by name, "not told" where a run does not say.

    How much memory was free is no difference between machines.
    """
    pairs = {name: (before.get(name, UNTOLD), after.get(name, UNTOLD)) for name in {**before, **after}}
    return {name: (a, b) for name, (a, b) in pairs.items() if _FREE.sub("", a) != _FREE.sub("", b)}


def shared_questions(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[int, int, int]:
    """How many questions are in A, in B and in both, from the runs' `values`."""
    a, b = ({i for column in values.values() for i in column} for values in (before, after))
    return len(a), len(b), len(a & b)


def add_to(commands: Any) -> None:
    """Add `compare` to the command line."""
    parser = commands.add_parser(
        "compare",
        help="what changed between two runs, with intervals, a test and gates",
        description="Paired differences (B less A) with 95 %% bootstrap intervals, and McNemar's exact test for yes-or-"
        "no figures. Exit code 1 when a gate fails.",
    )
    parser.add_argument("a", type=Path, metavar="A", help="folder of the run before")
    parser.add_argument("b", type=Path, metavar="B", help="folder of the run after")
    parser.add_argument(
        "--fail-if", nargs="+", action="extend", default=[], metavar="GATE", help="e.g. 'faithfulness<-0.02'"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(action=run)


def run(options: argparse.Namespace) -> int:
    """Print the comparison; 1 when a gate fails.

    Raises:
        CaseError: a run cannot be read, no question is in both, or a gate cannot be read.
    """
    before, after = read_values(options.a), read_values(options.b)
    n_a, n_b, n_both = shared_questions(before, after)
    if not n_both:
        raise CaseError(
            f"No question is in both {str(options.a)!r} ({n_a} questions) and {str(options.b)!r} ({n_b}).",
            "Compare two runs of the same questions.",
        )
    found = {item.name: item for item in compare(before, after)}
    if not found:
        raise CaseError("No figure applies to a question in both runs.", "Compare two runs that were scored alike.")
    gates = [read_gate(text, list(found)) for text in options.fail_if]
    failed = [gate.text for gate in gates if gate.fails(found[gate.name].difference)]
    made = made_otherwise(read_made_with(options.a), read_made_with(options.b))
    if options.json:
        told = {"a": n_a, "b": n_b, "both": n_both}
        differences = [asdict(item) for item in found.values()]
        result = {"made_with": made, "questions": told, "differences": differences, "failed_gates": failed}
        print(json.dumps(result, indent=1))
    else:
        lines = [f"{name} differs: A {a} | B {b}" for name, (a, b) in made.items()]
        lines += [] if n_a == n_b == n_both else [f"{n_both} questions are in both, of {n_a} in A and {n_b} in B"]
        print("\n".join([*lines, table(list(found.values()), failed)]))
    return 1 if failed else 0


def table(found: Sequence[Difference], failed: Sequence[str]) -> str:
    """A row a figure; below, which questions changed, the most first: of a yes-or-no figure all, of others `LISTED`."""
    lines = [f"{'':26}{'n':>5}{'A':>9}{'B':>9}{'B - A':>9}   95 % interval      p McNemar   better  worse"]
    for d in found:
        p = "–" if d.p is None else f"{d.p:.3f}"
        lines.append(
            f"{d.name:26}{d.n:5}{d.before:9.3f}{d.after:9.3f}{d.difference:+9.3f}   [{d.low:+.3f}, {d.high:+.3f}]"
            f"{p:>12}{len(d.better):>9}{len(d.worse):>7}"
        )
    for d in found:
        for word, ids in (("better", d.better), ("worse", d.worse)):
            if ids:
                lines.append(f"{d.name} {word}: {_listed(d, ids)}")
    lines += [f"GATE FAILED: {text}" for text in failed]
    return "\n".join(lines)


def _listed(d: Difference, ids: Sequence[str]) -> str:
    if d.p is not None:
        return ", ".join(ids)
    text = ", ".join(f"{i} ({d.changes[i]:+.3g})" for i in ids[:LISTED])
    return text if len(ids) <= LISTED else f"{text} and {len(ids) - LISTED} more"
