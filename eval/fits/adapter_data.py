"""What adapters are fitted on: claims that people labelled, and claims and questions that rules make from
abstracts, of which the right verdict follows from how they were made.

Made claims are sentences of a machine-learning abstract as an answer would put them ("the authors" for "we"): alone or
cut at a clause (supported), joined with a sentence that the evidence holds (supported) or does not hold (neither),
with a cause that is not there, changed (`changes`: contradicted), or of another paper on the same subject (neither).
Made questions are those of `facts`: beside evidence with the sentence that answers, and beside the same without it.
Deterministic at `SEED`.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eval.cases import CaseError, objects
from eval.facts import facts_of, short_name
from eval.judges.changes import CHANGES
from eval.judges.feature_judge import Encoder
from eval.judges.features import split
from eval.judges.labelled import Pair
from rag import Paper
from rag.trained.adapters import whole_question

SEED = 0
_WE = (
    (re.compile(r"\b[Ww]e (?=(?:also |further |first |then |thus )?[a-z]+)"), "the authors "),
    (re.compile(r"\b[Oo]ur\b"), "their"),
    (re.compile(r"\b[Tt]his (?:paper|work)\b"), "the paper"),
)
_CAUSES = ("because", "since", "by the fact that", "which is why", "so that", "as a result of which")
_TOO_SHORT = 6


def read_abstracts(path: Path, count: int, seed: int = SEED) -> list[Paper]:
    """`count` papers drawn from a file of JSON lines with `title` and `abstract`, gzipped or not.

    Raises:
        CaseError: the file is missing, or is not that.
    """
    rows = [(title, text) for title, text in titles_and_abstracts(path) if 500 < len(text) < 2500]
    drawn = random.Random(seed).sample(rows, min(count, len(rows)))  # noqa: S311  (sampling, not secrets)
    return [Paper(id=f"made-{i}", title=title, abstract=text) for i, (title, text) in enumerate(drawn)]


def titles_and_abstracts(path: Path) -> list[tuple[str, str]]:
    """Those of a file of JSON lines, gzipped or not, that have both.

    Raises:
        CaseError: the file is missing, or is not that.
    """
    if not path.is_file():
        raise CaseError(f"There is no file {str(path)!r}.", "Put abstracts there: JSON lines with title and abstract.")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            rows = [(row["title"], row["abstract"]) for row in map(json.loads, file)]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise CaseError(f"{path.name}: {error!r}.", "It has to hold JSON lines with title and abstract.") from error
    return [(title, text) for title, text in rows if title and text]


def neighbours(papers: Sequence[Paper], encoder: Encoder) -> list[int]:
    """Of each paper the position of the most similar other one, by title and opening."""
    vectors = np.asarray(encoder.encode([f"{p.title}. {p.abstract[:600]}" for p in papers], "document"))
    nearest = []
    for start in range(0, len(papers), 512):
        alike = vectors[start : start + 512] @ vectors.T
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -1.0
        nearest += alike.argmax(1).tolist()
    return nearest


def made_claims(papers: Sequence[Paper], nearest: Sequence[int], count: int, seed: int = SEED) -> list[Pair]:
    """At most one pair for each of the first `count` papers; `source` is "made"."""
    draw = random.Random(seed)  # noqa: S311
    result = []
    for i, paper in enumerate(papers[:count]):
        own = _plain(paper)
        other = _plain(papers[nearest[i]])
        if len(own) < 3 or len(other) < 2:
            continue
        for label, evidence, claim in _one_of(draw, paper, own, other):
            result.append(Pair(f"claim:{i}", "made", evidence, claim, label))  # type: ignore[arg-type]
    return result


def _one_of(
    draw: random.Random, paper: Paper, own: list[str], other: list[str]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    first, second = draw.sample(range(len(own)), 2)
    sentence, foreign = own[first], draw.choice(other)
    narrow = (sentence,)
    shown = narrow if draw.random() < 0.6 else tuple(own[j] for j in sorted({first, *draw.sample(range(len(own)), 2)}))
    shown_with_title = (f"Title: {paper.title}", *shown) if draw.random() < 0.7 else shown
    told = _retold(draw, sentence, paper)
    kind = draw.choice(
        ("alone", "cut", "joined", "unjoined", "grafted", "caused", "changed", "changed", "foreign", "next")
    )
    if kind == "alone":
        yield "supported", shown_with_title, told
    elif kind == "cut" and (short := _cut(told)):
        yield "supported", shown_with_title, short
    elif kind == "joined":
        a, b = sorted((first, second))
        both = _joined(draw, _retold(draw, own[a], paper), _retold(draw, own[b], paper))
        yield "supported", (f"Title: {paper.title}", own[a], own[b]), both
    elif kind == "unjoined" and own[second] not in shown:
        yield "neither", shown_with_title, _joined(draw, told, _retold(draw, own[second], paper))
    elif kind == "grafted" and (tail := _tail(foreign)) and (short := _cut(told)):
        yield "neither", shown_with_title, f"{short.rstrip('.')}, {tail}"
    elif kind == "caused" and own[second] not in shown:
        reason = _lowered(_retold(draw, own[second], paper))
        yield "neither", shown_with_title, f"{told.rstrip('.')} {draw.choice(_CAUSES)} {reason}"
    elif kind == "changed":
        changed = [text for change in CHANGES.values() if (text := change(sentence))]
        if changed:
            yield "contradicted", shown_with_title, _retold(draw, draw.choice(changed), paper)
    elif kind == "foreign":
        yield "neither", shown_with_title, _retold(draw, foreign, paper)
    elif kind == "next" and own[second] not in shown:
        yield "neither", shown_with_title, _retold(draw, own[second], paper)


def _plain(paper: Paper) -> list[str]:
    return [s for s in split([paper.abstract]) if _TOO_SHORT <= len(s.split()) <= 60 and "http" not in s]


def _retold(draw: random.Random, sentence: str, paper: Paper) -> str:
    """As an answer would say it, more often than not."""
    name = short_name(paper)
    text = sentence
    if draw.random() < 0.8:
        for pattern, instead in _WE:
            who = f"{name} " if name and instead == "the authors " and draw.random() < 0.3 else instead
            text = pattern.sub(who, text)
    return text[0].upper() + text[1:]


def _cut(sentence: str) -> str:
    """Without what stands behind its last comma, "" where too little is left."""
    head, comma, tail = sentence.rstrip(". ").rpartition(", ")
    if not comma or len(head.split()) < _TOO_SHORT or len(tail.split()) < 3 or tail.startswith(("and ", "or ")):
        return ""
    return f"{head}." if head.count("(") == head.count(")") else ""


def _tail(sentence: str) -> str:
    """What stands behind its last comma, "" where that is no clause."""
    _, comma, tail = sentence.rstrip().rpartition(", ")
    return (
        tail if comma and len(tail.split()) >= 4 and tail[0].islower() and not tail.startswith(("and ", "or ")) else ""
    )


def _joined(draw: random.Random, first: str, second: str) -> str:
    return f"{first.rstrip('. ')}{draw.choice((', and ', ' and ', '; ', ', while '))}{_lowered(second)}"


def _lowered(text: str) -> str:
    is_word = (len(text) > 1 and text[1].islower()) or text.startswith("A ")
    return text[0].lower() + text[1:] if is_word else text


Question = tuple[str, str, bool]
"""A question, the numbered evidence as the model reads it, and whether that answers it."""


def made_questions(papers: Sequence[Paper], nearest: Sequence[int], per_kind: int, seed: int = SEED) -> list[Question]:
    """Questions of `facts`, at most `per_kind` of a rule, each beside evidence that answers and such that does not."""
    draw = random.Random(seed)  # noqa: S311
    place = {paper.id: i for i, paper in enumerate(papers)}
    kinds: dict[str, list[Question]] = {}
    found = facts_of(papers)
    draw.shuffle(found)
    for fact in found:
        group = kinds.setdefault(fact.kind, [])
        if len(group) >= 2 * per_kind:
            continue
        paper, near = fact.paper, papers[nearest[place[fact.paper.id]]]
        own = [s for s in split([paper.abstract]) if s.strip()]
        if fact.sentence not in own:
            continue
        rest = [s for s in own if s != fact.sentence]
        others = split([near.abstract])
        kept = set(draw.sample(rest, min(len(rest), draw.randint(2, 5))))
        shown = draw.sample(others, min(len(others), draw.randint(1, 4)))
        asked = fact.asked()
        for is_there in (True, False):
            sentences = [s for s in own if s in kept or (is_there and s == fact.sentence)]
            blocks = [(paper, sentences), (near, [s for s in others if s in shown])]
            if draw.random() < 0.2 and not is_there:
                blocks = blocks[1:]
            if draw.random() < 0.25:
                blocks.reverse()
            group.append((asked, as_numbered(blocks), is_there))
    return [question for group in kinds.values() for question in group]


def as_numbered(blocks: Sequence[tuple[Paper, Sequence[str]]]) -> str:
    """As `rag.evidence.as_prompt` writes it."""
    lines = []
    number = 0
    for paper, sentences in blocks:
        if sentences:
            lines.append(f"Paper: {paper.title}")
        for sentence in sentences:
            number += 1
            lines.append(f"[{number}] {' '.join(sentence.split())}")
    return "\n".join(lines)


def clapnq_files(data: Path) -> tuple[Path, Path]:
    """The files of the answerable and of the unanswerable questions in a folder.

    Raises:
        CaseError: one is missing.
    """
    found = []
    for word in ("answerable", "unanswerable"):
        files = [
            path
            for path in sorted(data.glob(f"*{word}.jsonl"))
            if path.stem.endswith("unanswerable") == (word == "unanswerable")
        ]
        if not files:
            raise CaseError(
                f"There is no *{word}.jsonl at {str(data)!r}.",
                "Get annotated_data/dev of github.com/primeqa/clapnq and give that folder.",
            )
        found.append(files[0])
    return found[0], found[1]


def clapnq_questions(folder: Path) -> tuple[dict[str, Question], dict[str, Question]]:
    """ClapNQ's questions with their own passage, by id, in two drawn halves: to fit on, and to measure on.

    Raises:
        CaseError: a file is missing.
    """
    asked: list[tuple[str, Question]] = []
    for is_there, path in zip((True, False), clapnq_files(folder), strict=True):
        for _, row in objects(path):
            passage = row["passages"][0]
            paper = Paper(id=str(row["id"]), title=passage["title"], abstract="")
            sentences = [s for s in passage["sentences"] if s.strip()]
            asked.append((paper.id, (whole_question(str(row["input"])), as_numbered([(paper, sentences)]), is_there)))
    random.Random(SEED).shuffle(asked)  # noqa: S311
    return dict(asked[::2]), dict(asked[1::2])
