"""An exam for any library, written from its own abstracts: no help from outside, and no model marks its own work.

    cases = write(rag.papers, seed=0, n=60)
    summary = take(rag, cases, folder, judge=judge, progress=…)     # eval.examining
    print(scorecard(summary))

Questions come from single sentences by the rules of `facts`, and so do the right answers: a number, a name. The kinds:
`fact` (one paper answers), `unanswerable-deleted` (the same question while its paper is taken for deleted),
`unanswerable-premise` (takes a wrong number or relation for granted), `compare` (a fact of each of two papers) and
`followup` ("it" is the paper of the question before). The same papers, seed and n always give the same exam.

Source: tests from the corpus itself as in RAGAS' and Giskard's test-set generation, by rules instead of a model.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.cases import Case, CaseError
from eval.facts import Fact, facts_of, named, short_name
from eval.judges.features import split
from eval.metrics.matching import contains
from eval.report import cell
from rag import Paper

SHARES = {"compare": 0.15, "followup": 0.15, "unanswerable-deleted": 0.2, "unanswerable-premise": 0.1}
"""Of an exam; the rest are facts, and so is what the library has no material for."""
PAPERS_PER_QUESTION = 25
"""Of a large library only this many papers a question are read, drawn at the seed."""
LEAST = 5

_PRESENTS = re.compile(
    r"\b(?:we|this (?:paper|work|article)) (?:\w+ly )?(?:present|propos|introduc|describ|develop|study|show)"
)
_LINES = (
    ("facts right and cited to exactly their paper", "fact", "right and cited"),
    ("facts right", "fact", "right"),
    ("comparisons right and cited to exactly both papers", "compare", "right and cited"),
    ("comparisons right", "compare", "right"),
    ("follow-ups right and cited", "followup", "right and cited"),
    ("follow-ups right", "followup", "right"),
    ("declined with the paper deleted", "unanswerable-deleted", "declined"),
    ("false premises not taken over", "unanswerable-premise", "premise resisted"),
    ("declined though the library answers", "all", "falsely refused"),
    ("right paper first", "all", "hit@1"),
    ("right papers among those handed on", "all", "papers at hand"),
    ("citations valid", "all", "citations valid"),
    ("sentences that the judge upholds", "all", "faithfulness"),
    ("words copied from what is cited", "all", "copy ratio"),
    ("length of answers in words", "all", "length in words"),
)

_MADE_WITH = ("model", "settings_id", "prompt_id", "judge", "commit", "machine")


def write(papers: Sequence[Paper], seed: int = 0, n: int = 60) -> list[Case]:
    """An exam of about `n` questions on `papers`; fewer where the abstracts state too few facts.

    Args:
        papers: the library, in any order.
        seed: the same seed gives the same exam on the same papers.
        n: how many questions, at least 5.

    Raises:
        CaseError: `n` is too small, or the abstracts state no fact with a number or a name that the rules can ask for.
    """
    if n < LEAST:
        raise CaseError(f"An exam of {n} questions says nothing.", f"Ask for {LEAST} or more.")
    draw = random.Random(seed)  # noqa: S311  (a drawing that can be repeated, not secrets)
    known = sorted(papers, key=lambda paper: paper.id)
    read = draw.sample(known, min(len(known), n * PAPERS_PER_QUESTION))
    facts = _mixed(facts_of(read, known), draw)
    if not facts:
        raise CaseError(
            f"None of {len(read)} abstracts states a fact that an exam could ask for.",
            "Give a library of abstracts in English that hold numbers, names or abbreviations.",
        )
    return _Writer(known, facts, n).cases()


def _mixed(facts: Sequence[Fact], draw: random.Random) -> list[Fact]:
    """Facts shuffled, the kinds in turn, so that no kind fills an exam."""
    kinds: dict[str, list[Fact]] = {}
    for fact in draw.sample(facts, len(facts)):
        kinds.setdefault(fact.kind, []).append(fact)
    mixed = []
    while any(kinds.values()):
        mixed += [group.pop() for group in kinds.values() if group]
    return mixed


@dataclass
class _Writer:
    """Takes facts, each for one question, until every kind has its share."""

    papers: Sequence[Paper]
    facts: list[Fact]
    n: int

    def cases(self) -> list[Case]:
        wanted = {kind: round(share * self.n) for kind, share in SHARES.items()}
        texts = {paper.id: f"{paper.title} {paper.abstract}".casefold() for paper in self.papers}
        fair = (fact for fact in self.facts if _belongs_to_one(fact, texts))
        kept = []
        for fact in fair:  # no more than can be asked: whether a fact is fair costs a look at every paper
            kept.append(fact)
            if len(kept) >= 3 * self.n:
                break
        compare, kept = _compared(kept, wanted["compare"])
        followup, kept = _followed_up(kept, wanted["followup"])
        premise, kept = _doubted(kept, wanted["unanswerable-premise"])
        left = self.n - len(compare) - len(followup) - len(premise)
        alone = kept[: max(1, left)]
        deleted = [f for f in alone if _is_gone_with_its_paper(f, texts)][: wanted["unanswerable-deleted"]]
        alone = alone[: max(1, left - len(deleted))]
        groups = {
            "fact": [_asked(fact) for fact in alone],
            "compare": compare,
            "followup": followup,
            "unanswerable-deleted": [{"question": f.asked(), "without": f.paper.id} for f in deleted],
            "unanswerable-premise": premise,
        }
        return [
            Case(id=f"exam-{kind.removeprefix('unanswerable-')}-{number:03}-{_digest(values)}", type=kind, **values)
            for kind, group in groups.items()
            for number, values in enumerate(group, start=1)
        ]


def _digest(values: Mapping[str, Any]) -> str:
    """Of what is asked, for its id: two exams are compared by the questions that they share."""
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:6]


def _asked(*facts: Fact, question: str = "") -> dict[str, Any]:
    return {
        "question": question or facts[0].asked(),
        "papers": tuple(fact.paper.title for fact in facts),
        "evidence": tuple(fact.sentence for fact in facts),
        "answers": tuple(group for fact in facts for group in fact.answers),
    }


def _compared(facts: Sequence[Fact], count: int) -> tuple[list[dict[str, Any]], list[Fact]]:
    """Pairs of facts of one kind and two named papers, those about the same thing first; and the facts left."""
    usable = [f for f in facts if short_name(f.paper) or not f.names_paper]
    pairs: list[tuple[Fact, Fact]] = []
    taken: set[int] = set()
    # A third of a kind at most: a small library has to keep some for single questions.
    room = {kind: max(1, count // 3) for kind in {fact.kind for fact in usable}}
    for is_near in (True, False):
        for i, first in enumerate(usable):
            if len(pairs) == count:
                break
            for other in usable[i + 1 :]:
                if id(first) in taken or id(other) in taken or first.kind != other.kind:
                    continue
                if (
                    room[first.kind]
                    and first.paper.id != other.paper.id
                    and (not is_near or first.about == other.about)
                ):
                    pairs.append((first, other))
                    taken |= {id(first), id(other)}
                    room[first.kind] -= 1
    pairs = pairs[:count]
    taken = {id(fact) for pair in pairs for fact in pair}
    return [_asked(a, b, question=_both(a, b)) for a, b in pairs], [f for f in facts if id(f) not in taken]


def _both(first: Fact, other: Fact) -> str:
    """One question for two facts of a kind."""
    a, b = first.asked().rstrip("?"), other.asked().rstrip("?")
    if first.kind == "expansion":
        return f"What do {first.about} and {other.about} stand for?"
    if first.kind == "name":
        opening = "What is the name of "
        return f"What are the names of {a.removeprefix(opening)} and of {b.removeprefix(opening)}?"
    if first.kind == "sets" and first.question == other.question:
        who = f"{short_name(first.paper)} and {short_name(other.paper)}"
        return first.question.replace("is {who}", f"are {who}")
    return f"{a}, and {b[0].lower()}{b[1:]}?"


def _followed_up(facts: Sequence[Fact], count: int) -> tuple[list[dict[str, Any]], list[Fact]]:
    named_once = {fact.paper.id: fact for fact in reversed(facts) if fact.names_paper}
    chosen = [fact for fact in facts if named_once.get(fact.paper.id) is fact][:count]
    cases = []
    for fact in chosen:
        asked = fact.question.replace("{who}", "it").replace("{paper}", "it")
        opening = named("What is {paper} about?", fact.paper)
        history = ({"role": "user", "content": opening}, {"role": "assistant", "content": _gist(fact.paper)})
        cases.append({**_asked(fact, question=f"And {asked[0].lower()}{asked[1:]}"), "history": history})
    return cases, [fact for fact in facts if fact not in chosen]


def _gist(paper: Paper) -> str:
    """The sentence that says what the paper does; its title where none says so."""
    return next((s for s in split([paper.abstract]) if _PRESENTS.search(s)), f"{paper.title}.")


def _doubted(facts: Sequence[Fact], count: int) -> tuple[list[dict[str, Any]], list[Fact]]:
    usable = [f for f in facts if f.premise and not (f.false and contains(f.paper.abstract, f.false.rstrip("kKM%")))]
    cases = [
        {
            "question": named(fact.premise, fact.paper),
            "truth": fact.answers,
            "forbidden": (fact.false,) if fact.false else (),
            "evidence": (fact.sentence,),
        }
        for fact in usable[:count]
    ]
    return cases, [fact for fact in facts if fact not in usable[:count]]


def _belongs_to_one(fact: Fact, texts: Mapping[str, str]) -> bool:
    """Whether a question that does not name its paper can be answered from that paper alone."""
    if fact.names_paper:
        name = short_name(fact.paper)
        return not name or sum(contains(text, name) for text in _with(texts, name)) <= 3
    return all(_elsewhere(form, fact, texts) == 0 for group in fact.answers for form in group)


def _is_gone_with_its_paper(fact: Fact, texts: Mapping[str, str]) -> bool:
    """Whether no other paper speaks of what is asked: of the paper's name, or of the abbreviation or name asked for."""
    if not fact.names_paper:
        return fact.kind == "name" or _elsewhere(fact.about, fact, texts) == 0
    name = short_name(fact.paper)
    return not name or _elsewhere(name, fact, texts) == 0


def _elsewhere(text: str, fact: Fact, texts: Mapping[str, str]) -> int:
    folded = text.casefold()
    return sum(folded in other for paper_id, other in texts.items() if paper_id != fact.paper.id)


def _with(texts: Mapping[str, str], name: str) -> Iterator[str]:
    folded = name.casefold()
    return (text for text in texts.values() if folded in text)


def scorecard(summary: Mapping[str, Any]) -> str:
    """What `eval.run.save` returned, as lines a reader understands: mean, 95 % interval and n of each."""
    lines = []
    for text, group, name in _LINES:
        figure = summary["figures"].get(group, {}).get(name)
        if figure and figure["n"]:
            lines.append(f"{text:52} {cell(figure)}")
    lines += [f"FAILED {name}: {reason}" for name, reason in summary["failed"].items()]
    made = summary["made_with"]
    lines.append(
        f"{summary['cases']} questions, {summary['seconds']:.0f} s | "
        + " | ".join(f"{key} {made[key]}" for key in _MADE_WITH if key in made)
    )
    return "\n".join(lines)
