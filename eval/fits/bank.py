"""Questions and claims on other papers than the library's, to train on: which sentences of which paper say what is
asked, and whether some sentences bear a claim out.

`data/bank.json` holds groups of twelve related papers, each by a digest of its title and its number of sentences, and
the questions and claims on them; no text of a paper. Titles and abstracts are looked up in a file of them. All were
written for this by a language model of another kind than those that are trained, which read the twelve abstracts of a
group and said for every question which sentences answer it, and of every claim whether its sentences say all of it.

Drafts are sentences that the models which are trained, or smaller ones, wrote themselves in answer to the questions,
each with the sentences that it was tied to; the same readers said of each whether these say all of it. What a draft
took over of its source stands here as places of words in it: see `spelled`.

A question is one of four kinds. `compare` asks the same of two papers or three; `single` asks something of one; `near`
asks one paper for what it does not say; `list` asks which of the twelve fit. Sentences count from 1, 0 is the title.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.cases import DATA, CaseError
from eval.facts import short_name
from eval.fits.adapter_data import titles_and_abstracts
from eval.judges.features import split
from eval.judges.labelled import Label, Pair
from rag import Paper

BANK = DATA / "bank.json"
_WANTED = "It takes the very file of abstracts that the questions were written on."
KINDS = ("compare", "single", "near", "list")
FROM_BANK = ("bank", "draft")
"""Sources of its pairs."""

Said = str | Sequence["str | tuple[int, int]"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `sentences`: of each paper of the group that is asked or fits, by its place, those that say it.

    `reworded`: the same in other words than the paper's, "" where nobody put it so.
    """

    kind: str
    question: str
    sentences: Mapping[int, frozenset[int]]
    reworded: str = ""

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
    """Related papers, the sentences of each, what is asked of them, and what is said of single ones.

    `claims` were written to be hard, `drafts` to answer; a pair's source is "bank" or "draft".
    """

    papers: tuple[Paper, ...]
    sentences: tuple[tuple[str, ...], ...]
    asked: tuple[Asked, ...]
    claims: tuple[Pair, ...] = ()
    drafts: tuple[Pair, ...] = ()


def read_bank(abstracts: Path, path: Path = BANK) -> list[Group]:
    """The groups whose papers are all found in `abstracts`, JSON lines with title and abstract, gzipped or not.

    Raises:
        CaseError: the file is missing or malformed, or a paper is not there, or has another number of sentences.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = papers_in(titles_and_abstracts(abstracts), abstracts.name, [row["papers"] for row in rows])
    return [_group(place, row, papers) for place, (row, papers) in enumerate(zip(rows, found, strict=True))]


def papers_in(
    texts: Iterable[tuple[str, str]], source: str, groups: Sequence[Sequence[tuple[str, int]]]
) -> list[list[Paper]]:
    """The papers of each group, which are told by digests of their titles and their numbers of sentences.

    Args:
        texts: titles and abstracts.
        source: the name of the file or folder that they are from.
        groups: (digest, sentences) of each paper.

    Raises:
        CaseError: a paper is not there, or has another number of sentences.
    """
    wanted = {digest for group in groups for digest, _ in group}
    known: dict[str, tuple[str, str]] = {}
    for title, text in texts:
        if (key := digest_of(title)) in wanted:
            known.setdefault(key, (title, text))
    result = []
    for place, group in enumerate(groups):
        papers = []
        for number, (digest, count) in enumerate(group):
            if digest not in known:
                raise CaseError(f"The paper {digest} (a digest of its title) is not in {source}.", _WANTED)
            title, abstract = known[digest]
            if (there := len(split([abstract]))) != count:
                raise CaseError(f"“{title}” has {there} sentences in {source}, not {count}.", _WANTED)
            papers.append(Paper(id=f"bank-{place}-{number}", title=title, abstract=abstract))
        result.append(papers)
    return result


def digest_of(title: str) -> str:
    """By which the bank knows a paper."""
    return sha256(title.encode()).hexdigest()[:16]


def _group(place: int, row: Mapping[str, Any], papers: Sequence[Paper]) -> Group:
    sentences = [tuple(split([paper.abstract])) for paper in papers]
    asked = tuple(
        Asked(kind, question, {int(i): frozenset(numbers) for i, numbers in said.items()}, *reworded)
        for kind, question, said, *reworded in row["questions"]
    )

    def pairs(source: str, said: Sequence[tuple[int, Sequence[int], Said, Label]]) -> tuple[Pair, ...]:
        return tuple(
            Pair(
                f"{source}:{place}-{number}",
                source,
                (f"Title: {papers[of].title}", *(shown := [sentences[of][one - 1] for one in numbers])),
                spelled(text, shown),
                label,
            )
            for number, (of, numbers, text, label) in enumerate(said)
        )

    claims, drafts = pairs("bank", row.get("claims", ())), pairs("draft", row.get("drafts", ()))
    return Group(tuple(papers), tuple(sentences), asked, claims, drafts)


def spelled(said: Said, sentences: Sequence[str]) -> str:
    """The text of what is `said` of `sentences`.

    It stands there as it is, or as words of its own and the [first, last] of words of all sentences, counted from 0.
    """
    if isinstance(said, str):
        return said
    words = " ".join(sentences).split()
    return " ".join(one if isinstance(one, str) else " ".join(words[one[0] : one[1] + 1]) for one in said)


def taken_over(text: str, sentences: Sequence[str]) -> list[str | tuple[int, int]]:
    """What `spelled` puts together to `text` again: of what stands in `sentences` the longest runs of words first."""
    own, words = text.split(), " ".join(sentences).split()
    match = SequenceMatcher(None, own, words, autojunk=False)
    said: list[str | tuple[int, int]] = []
    at = 0
    for block in match.get_matching_blocks():
        if own[at : block.a]:
            said.append(" ".join(own[at : block.a]))
        if block.size:
            said.append((block.b, block.b + block.size - 1))
        at = block.a + block.size
    return said


def group_of(pair: Pair) -> str:
    """Which group a pair of the bank is on; "" for a pair of another source."""
    return pair.id.partition(":")[2].partition("-")[0] if pair.source in FROM_BANK else ""
