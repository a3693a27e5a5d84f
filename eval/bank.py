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
_WANTED = "The bank needs the very file of abstracts that it was written on."
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
    wanted = {digest for row in rows for digest, _ in row["papers"]}
    found: dict[str, tuple[str, str]] = {}
    for title, text in titles_and_abstracts(abstracts):
        if (key := digest_of(title)) in wanted:
            found.setdefault(key, (title, text))
    return [_group(place, row, found, abstracts.name) for place, row in enumerate(rows)]


def digest_of(title: str) -> str:
    """By which the bank knows a paper."""
    return sha256(title.encode()).hexdigest()[:16]


def _group(place: int, row: Mapping[str, Any], found: Mapping[str, tuple[str, str]], where: str) -> Group:
    papers, sentences = [], []
    for number, (digest, count) in enumerate(row["papers"]):
        if digest not in found:
            raise CaseError(f"The bank's paper {digest} (a digest of its title) is not in {where}.", _WANTED)
        title, abstract = found[digest]
        paper = Paper(id=f"bank-{place}-{number}", title=title, abstract=abstract)
        own = tuple(split([abstract]))
        if len(own) != count:
            raise CaseError(f"“{title}” has {len(own)} sentences in {where}, not {count}.", _WANTED)
        papers.append(paper)
        sentences.append(own)
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
