"""Questions and claims on other papers than the library's, to train on: which sentences of which paper say what is
asked, and whether some sentences bear a claim out.

`data/bank.json` holds groups of twelve related papers, each by a digest of its title and its number of sentences, and
the questions and claims on them; no text of a paper. Titles and abstracts are looked up in a file of them. All were
written for this by a language model of another kind than those that are trained, which read the twelve abstracts of a
group and said for every question which sentences answer it, and of every claim whether its sentences say all of it.

A question is one of four kinds. `compare` asks the same of two papers or three; `single` asks something of one; `near`
asks one paper for what it does not say; `list` asks which of the twelve fit. Sentences count from 1, 0 is the title.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.adapter_data import titles_and_abstracts
from eval.cases import DATA, CaseError
from eval.facts import short_name
from eval.features import split
from eval.labelled import Pair
from rag import Paper

BANK = DATA / "bank.json"
_WANTED = "It takes the very file of abstracts that the questions were written on."
KINDS = ("compare", "single", "near", "list")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `sentences`: of each paper of the group that is asked or fits, by its place, those that say it."""

    kind: str
    question: str
    sentences: Mapping[int, frozenset[int]]

    def of(self, place: int, papers: Sequence[Paper]) -> str:
        """What is asked of the paper at `place`: the question without the names of the others it asks."""
        text = self.question
        for other in self.sentences:
            name = short_name(papers[other])
            if other != place and name and name != short_name(papers[place]):
                text = re.sub(rf"\b{re.escape(name)}\b", " ", text)
        return text


@dataclass(frozen=True, slots=True)
class Group:
    """Related papers, the sentences of each, what is asked of them, and what is claimed of single ones."""

    papers: tuple[Paper, ...]
    sentences: tuple[tuple[str, ...], ...]
    asked: tuple[Asked, ...]
    claims: tuple[Pair, ...] = ()


def read_bank(abstracts: Path, path: Path = BANK) -> list[Group]:
    """The groups whose papers are all found in `abstracts`, JSON lines with title and abstract, gzipped or not.

    Raises:
        CaseError: the file is missing or malformed, or a paper is not there, or has another number of sentences.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = papers_in(abstracts, [row["papers"] for row in rows])
    return [_group(place, row, papers) for place, (row, papers) in enumerate(zip(rows, found, strict=True))]


def papers_in(abstracts: Path, groups: Sequence[Sequence[tuple[str, int]]]) -> list[list[Paper]]:
    """The papers of each group, which are told by digests of their titles and their numbers of sentences.

    Raises:
        CaseError: `abstracts` is missing or malformed, or a paper is not there, or has another number of sentences.
    """
    wanted = {digest for group in groups for digest, _ in group}
    known: dict[str, tuple[str, str]] = {}
    for title, text in titles_and_abstracts(abstracts):
        if (key := digest_of(title)) in wanted:
            known.setdefault(key, (title, text))
    result = []
    for place, group in enumerate(groups):
        papers = []
        for number, (digest, count) in enumerate(group):
            if digest not in known:
                raise CaseError(f"The paper {digest} (a digest of its title) is not in {abstracts.name}.", _WANTED)
            title, abstract = known[digest]
            if (there := len(split([abstract]))) != count:
                raise CaseError(f"“{title}” has {there} sentences in {abstracts.name}, not {count}.", _WANTED)
            papers.append(Paper(id=f"bank-{place}-{number}", title=title, abstract=abstract))
        result.append(papers)
    return result


def digest_of(title: str) -> str:
    """By which the bank knows a paper."""
    return sha256(title.encode()).hexdigest()[:16]


def _group(place: int, row: Mapping[str, Any], papers: Sequence[Paper]) -> Group:
    sentences = [tuple(split([paper.abstract])) for paper in papers]
    asked = tuple(
        Asked(kind, question, {int(i): frozenset(numbers) for i, numbers in said.items()})
        for kind, question, said in row["questions"]
    )
    claims = tuple(
        Pair(
            f"claim:{place}-{number}",
            "bank",
            (f"Title: {papers[of].title}", *(sentences[of][shown - 1] for shown in numbers)),
            claim,
            label,
        )
        for number, (of, numbers, claim, label) in enumerate(row.get("claims", ()))
    )
    return Group(tuple(papers), tuple(sentences), asked, claims)
