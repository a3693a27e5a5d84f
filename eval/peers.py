"""`python -m eval peers`: Footnote beside other systems, on the same questions, library, embedder and language model.

Every reply is turned into an Answer and scored by the same figures. A peer that only shows which documents it used
cites nothing by sentence; so beside the citation figures stands one that is fair to all: how many of its sentences are
supported by what it gave its own model. A peer declines in words; those are looked for. The peers: see `recipes`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from eval import systems
from eval.cases import Case, CaseError, cases_of
from eval.judges.features import split
from eval.judges.judgement import Judge
from eval.metrics.answers import Figure, figure
from eval.metrics.markers import MARKER, numbers_of
from eval.metrics.overlap import copy_ratio
from eval.provenance import made_with
from eval.recipes import PACKAGES, RECIPES, Ask, Reply, open_peer
from eval.report import cell
from eval.scoring import MEASURES, Scored, Value, measure
from rag import Answer, Citation, Claim, Hit, Passage, Rag

SAMPLE = {
    "fact": 14, "explain": 4, "noisy": 2, "compare": 5, "followup": 4, "unanswerable-near": 7, "unanswerable-far": 2,
    "unanswerable-premise": 2,
}  # fmt: skip
"""Forty of a set's questions, drawn at seed 0 within each type. Lists and injections are left out."""
OURS = "footnote"
FIGURES = (
    "right", "right and cited", "declined", "falsely refused", "premise resisted", "papers at hand",
    "supported by what was read", "faithfulness", "citation precision", "every claim cited", "copy ratio",
    "length in words", "seconds",
)  # fmt: skip
"""Columns of the table. `faithfulness`: by what each sentence cites; of what is cited by nobody it is 0."""

_SOURCES = (
    r"(?:context|sources?|documents?|texts?|passages?|information|answer|abstracts?|papers?|stud(?:y|ies)|excerpts?)"
)
_REFUSAL = re.compile(
    r"\b(?:i|we) (?:do not|don['’]t|cannot|can['’]t) (?:know|have|answer|find|determine|see)\b"
    r"|\b(?:i|we)(?: am| are|['’]m|['’]re) (?:not able|unable|not aware)\b"
    rf"|\b{_SOURCES} (?:[\w-]+ ){{0,3}}?(?:(?:do|does|did|is|are|was|were) not|(?:do|does|did|is|are|was|were)n['’]t)"
    r" (?:\w+ )?(?:mention|say|specif|provid|state|contain|includ|discuss|given)"
    r"|\b(?:it|this) (?:is|was) not (?:\w+ )?(?:mention|specif|provid|stated|given|clear)"
    r"|\b(?:no|not enough|insufficient) (?:\w+ )?information\b|\bno (?:explicit )?mention of\b"
    r"|\bnone of the (?:provided )?sources\b"
    r"|\b(?:cannot|can['’]t|not possible to|impossible to) (?:be )?(?:answer|determin)",
    re.IGNORECASE,
)
_AFTER_STOP = re.compile(rf"([.!?])(\s*(?:{MARKER.pattern})+)")
"""A marker after the full stop belongs to the sentence before it."""


def add_to(commands: Any, open_judge: Any) -> None:
    """Add `peers` to the command line; `open_judge` finds a judge by name."""
    parser = commands.add_parser(
        "peers",
        help="other systems beside Footnote: same questions, library, embedder and model",
        description="A fixed sample of bundled questions, stratified by type. Each system's replies are kept in a "
        "folder of its name, so that a run that was stopped goes on.",
    )
    systems.add_options(parser, (OURS, *RECIPES), n=sum(SAMPLE.values()), out=Path("runs/peers"))
    parser.set_defaults(action=lambda options: _peers(options, open_judge))


def _peers(options: argparse.Namespace, open_judge: Any) -> int:
    names = systems.chosen(options, (OURS, *RECIPES), "peer")
    rag, judge = systems.opened(options, open_judge)
    cases = sample(cases_of(options), options.n)
    asked = {name: partial(_system, name, rag) for name in names}
    answers = systems.answered(asked, cases, judge, options.out, PACKAGES)
    told = {name: figures(scored, judge) for name, scored in answers.items()}
    found = {name: row for name, (row, _) in told.items()}
    failed = {name: reasons for name, (_, reasons) in told.items() if reasons}
    made = made_with(rag, cases, judge.id)
    if options.json:
        rows = {name: {key: asdict(value) for key, value in row.items()} for name, row in found.items()}
        print(json.dumps({"systems": rows, "failed": failed, "made_with": made}, indent=1))
    else:
        print(table(found))
        print("\n".join([*failures(failed), " | ".join(f"{key} {value}" for key, value in made.items())]))
    return 1 if failed else 0


def _system(name: str, rag: Rag) -> Rag:
    return rag if name == OURS else cast("Rag", Peer(rag, name, open_peer(name, rag)))


def sample(cases: Sequence[Case], n: int = 40, seed: int = 0) -> list[Case]:
    """About `n` questions in the proportions of `SAMPLE`, one at least of each type, in the order of `cases`.

    The same at a seed; a smaller sample is part of a larger one.

    Raises:
        CaseError: none of them has one of these types, or `n` is less than 1.
    """
    if n < 1:
        raise CaseError(f"{n} questions cannot be asked.", "Ask 1 or more: -n 40.")
    draw = random.Random(seed)  # noqa: S311
    chosen: set[str] = set()
    for kind, share in SAMPLE.items():
        ids = [case.id for case in cases if case.type == kind]
        count = max(1, round(n * share / sum(SAMPLE.values())))
        chosen |= set(draw.sample(ids, len(ids))[:count])
    if not chosen:
        raise CaseError("None of these questions is of a type that is sampled.", f"Sampled are: {', '.join(SAMPLE)}.")
    return [case for case in cases if case.id in chosen]


class Peer:
    """A peer that is asked as a Rag is; a follow-up is asked as Footnote understands it alone, a gift to the peer."""

    def __init__(self, rag: Rag, name: str, ask: Ask) -> None:
        self._rag = rag
        self._name = name
        self._ask = ask

    def ask(self, question: str, history: Sequence[Mapping[str, str]] = ()) -> Answer:
        """The peer's reply as an Answer."""
        alone = next(iter(self._rag.stream(question, history))).standalone_question if history else question  # type: ignore[union-attr]
        started = time.perf_counter()
        reply = self._ask(alone)
        seconds = time.perf_counter() - started
        answer = as_answer(question, reply)
        return replace(
            answer,
            standalone_question=alone,
            model_id=f"{self._name}: {getattr(self._rag.model, 'model_id', '')}",
            settings_id=self._rag.settings.id,
            timings={"total_s": seconds},
        )

    def retrieve(
        self, question: str, k: int | None = None, *, leaning_on: Sequence[Mapping[str, str]] = ()
    ) -> tuple[Hit, ...]:
        """Nothing: a peer's ranking is in its answer's hits alone."""
        return ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rag, name)


def as_answer(question: str, reply: Reply) -> Answer:
    """A reply as an Answer: sentences become claims, [n] in them citations of the n-th text, hits the papers found."""
    hits = []
    for rank, (paper, text) in enumerate(reply.found, start=1):
        start, end = _place(paper.abstract, text, paper.title)
        hits.append(Hit(paper, Passage(paper.id, rank, start, end, paper.abstract[start:end]), 1.0 / rank, rank))
    is_refusal = _REFUSAL.search(next(iter(split([reply.text])), "")) is not None or not reply.text.strip()
    if is_refusal:
        return Answer(question, reply.text, "abstained", hits=tuple(hits), raw_text=reply.text)
    claims = []
    for sentence in split([_AFTER_STOP.sub(r"\2\1", reply.text)]):
        if not re.search(r"[^\W\d]", sentence):  # a marker or a number that stands by itself
            continue
        cited = tuple(_citation(n, reply) for n in _cited(sentence, reply)) if reply.cites else ()
        claims.append(Claim(re.sub(rf"\s*{MARKER.pattern}", "", sentence).strip(), cited, "supported", 1.0))
    used = {citation.marker: citation for claim in claims for citation in claim.citations}
    return Answer(
        question, reply.text, "answered", tuple(claims), tuple(used.values()), tuple(hits), raw_text=reply.text
    )


def _cited(sentence: str, reply: Reply) -> list[int]:
    numbers = (n for marker in MARKER.findall(sentence) for n in numbers_of(marker))
    return [n for n in dict.fromkeys(numbers) if 1 <= n <= len(reply.found)]


def _citation(number: int, reply: Reply) -> Citation:
    paper, text = reply.found[number - 1]
    start, end = _place(paper.abstract, text, paper.title)
    return Citation(number, paper, paper.abstract[start:end], start, end)


def _place(abstract: str, text: str, title: str) -> tuple[int, int]:
    """Where a text that a peer cut from a document lies in the abstract; the whole abstract where it is not found."""
    bare = text.removeprefix(title).strip()
    start = abstract.find(bare) if bare else -1
    return (start, start + len(bare)) if start >= 0 else (0, len(abstract))


def figures(scored: Sequence[Scored], judge: Judge) -> tuple[dict[str, Figure], dict[str, str]]:
    """Figures of one system by name, and the reasons of those that failed."""
    own: dict[str, Callable[[Scored], Value]] = {
        "supported by what was read": lambda s: _supported_by_what_was_read(s.answer, judge),
        # Of all that was given to the model: who cites nothing copies as well.
        "copy ratio": lambda s: copy_ratio(s.answer.text, _read(s.answer)) if s.answer.status == "answered" else None,
    }
    values, failed = measure(scored, {**MEASURES, **own})
    columns = {**values, "seconds": systems.seconds(scored)}
    return {name: figure(columns[name]) for name in FIGURES if name in columns}, failed


def _read(answer: Answer) -> list[str]:
    """The abstracts of the papers that an answer was made from."""
    return [hit.paper.abstract for hit in answer.hits]


def _supported_by_what_was_read(answer: Answer, judge: Judge) -> float | None:
    """Share of an answer's sentences that the texts given to the model support, whatever is cited; None of none."""
    if answer.status != "answered" or not answer.claims:
        return None
    shown = [e.sentence.text for e in answer.evidence] or [hit.passage.text for hit in answer.hits]
    titles = [hit.paper.title for hit in answer.hits]
    told = judge.judge([((*titles, *shown), claim.text) for claim in answer.claims])
    return sum(judgement.is_supported for judgement in told) / len(told)


def failures(failed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A line for each figure that could not be had of a system, with the reason."""
    return [f"FAILED {name}, {what}: {why}" for name, reasons in failed.items() for what, why in reasons.items()]


def table(found: Mapping[str, Mapping[str, Figure]]) -> str:
    """A row a figure, a column a system: mean, 95 % interval and n."""
    lines = [f"{'':28}" + "".join(f"{name:>26}" for name in found)]
    for name in FIGURES:
        cells = [cell(asdict(row[name])) if name in row else "–" for row in found.values()]
        lines.append(f"{name:28}" + "".join(f"{text:>26}" for text in cells))
    return "\n".join(lines)
