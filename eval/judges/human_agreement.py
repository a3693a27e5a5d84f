"""How far people agree on the labels that a judge is measured by: where the scale of a judge's agreement ends.

Published figures, by set, each with whose agreement it is, on what, and its source. None was computed here, and a
judge's kappa on other pairs is no more than roughly comparable. Knows no judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HumanAgreement:
    """A published agreement: Cohen's `kappa` of `between` on `on`."""

    between: str
    on: str
    kappa: float
    source: str

    @property
    def line(self) -> str:
        """In a line of text."""
        return f"kappa {self.kappa:.2f} of {self.between}, on {self.on} ({self.source})"


_ALCE = "Gao et al. 2023, ALCE, human evaluation"
_WITH_ALCE = "people with ALCE's NLI model, not with each other"
BY_SET: Mapping[str, tuple[HumanAgreement, ...]] = {
    "scifact": (
        HumanAgreement(
            "two annotators", "the labels of SciFact's pairs labelled twice", 0.75, "Wadden et al. 2020, SciFact"
        ),
    ),
    "attributionbench": (
        HumanAgreement(_WITH_ALCE, "citation recall of ALCE's answers, which are other pairs", 0.698, _ALCE),
        HumanAgreement(_WITH_ALCE, "citation precision of ALCE's answers, which are other pairs", 0.525, _ALCE),
    ),
    "healthver": (),
}
"""By the names of `labelled.SETS`. Empty: none is known to us. AttributionBench gathers the labels of other works, and
of its own pairs none is known to us either: ALCE's are the nearest, citations of generated answers."""
NONE_KNOWN = "none published for this set is known here"


def lines_for(name: str) -> list[str]:
    """The set's figures, a line each; or that there is none."""
    return [one.line for one in BY_SET.get(name, ())] or [NONE_KNOWN]
