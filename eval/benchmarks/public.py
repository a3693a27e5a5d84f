"""`python -m eval bench SET --data PATH`: Footnote on public sets, beside what others published on them.

Only puts sets, options and printing together. Data are read from where they are and never copied, or
fetched from the Hugging Face hub into its cache.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eval.benchmarks.deciding import pubmedqa
from eval.benchmarks.declining import clapnq
from eval.benchmarks.retrieving import retrieval
from eval.judges import judging
from eval.judges.by_name import DEFAULT, NAMES, open_judge
from eval.judges.labelled import read_pairs
from rag.cli import add_common_options, positive, tell

Action = Callable[[argparse.Namespace], dict[str, Any]]
_ANSWERING: tuple[tuple[str, str, Action], ...] = (
    ("scifact", "retrieval over 5,183 abstracts: nDCG@10 beside published numbers", retrieval),
    ("cranfield", "retrieval over 1,400 abstracts, 225 questions: nDCG@10, MAP", retrieval),
    ("pubmedqa", "yes, no or maybe from gold, retrieved or no evidence: accuracy, macro-F1", pubmedqa),
    ("clapnq", "declining where the passage holds no answer", clapnq),
)
_JUDGING = (
    ("attributionbench", "the judge against people: is a claim supported by what it cites?"),
    ("healthver", "the judge against people: claims and sentences of abstracts on health"),
)
_DATA = "the set's file or folder, or the hub's id of it (owner/name)"

PUBLISHED = {
    "attributionbench": {
        "macro-F1, GPT-4, in its domains (Li et al. 2024)": 0.733,
        "macro-F1, GPT-4, out of them (Li et al. 2024)": 0.789,
        "macro-F1, best fine-tuned model, in its domains (Li et al. 2024)": 0.785,
        "macro-F1, best fine-tuned model, out of them (Li et al. 2024)": 0.842,
    },
    "healthver": {
        "three-way macro-F1, T5, fine-tuned on its training part (Sarrouti et al. 2021)": 0.796,
        "three-way macro-F1, SciBERT, fine-tuned likewise (Sarrouti et al. 2021)": 0.772,
    },
}
"""On the sets' test parts, by models trained for them: where the scale ends, not like for like."""


def add_to(kinds: Any, show: Callable[[argparse.Namespace, dict[str, Any]], int]) -> None:
    """Add the public sets to the command line; `show` prints a result."""
    for name, text, action in _ANSWERING:
        kind = kinds.add_parser(name, help=text)
        kind.add_argument("--data", type=Path, required=True, metavar="PATH", help=_DATA)
        kind.add_argument("--split", default="train", metavar="NAME", help="scifact: train, or dev as BEIR's test")
        kind.add_argument("--limit", type=positive, metavar="N", help="only N questions (clapnq: of each kind)")
        kind.add_argument("--json", action="store_true")
        add_common_options(kind)
        kind.set_defaults(action=lambda options, action=action: show(options, action(options)))
    for name, text in _JUDGING:
        kind = kinds.add_parser(name, help=f"{text} (as `eval judge --set {name}`)")
        kind.add_argument("--data", type=Path, required=True, metavar="PATH", help=_DATA)
        kind.add_argument("--split", metavar="NAME")
        kind.add_argument("--judge", default=DEFAULT, metavar="NAME", help=NAMES)
        kind.add_argument("--json", action="store_true")
        kind.set_defaults(action=_judged)


def _judged(options: argparse.Namespace) -> int:
    pairs = read_pairs(options.kind, options.data, options.split)
    published = PUBLISHED[options.kind]
    judging.tell_of_fitted(options.kind)
    judge = open_judge(options.judge, report=tell)
    result = judging.measure_on(options.kind, judge, pairs)
    if options.json:
        print(json.dumps({**result, "published": published}, indent=1))
        return 0
    print(judging.agreement_table(result))
    for name, value in published.items():
        print(f"published: {name:70} {value:.3f}")
    return 0
