"""Questions to begin with, made from a library's own titles.

Works for any library and gives the same questions for the same papers. A library's first questions ask only what an
abstract nearly always answers; those in place of a declined one ask what an abstract says of the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag import Paper, shared_phrase

HOW_MANY = 5
_NAMED = re.compile(r"^(?P<name>[^\s:?!]{2,28}):\s+\S")
"""One word: "What is Robot Utility Models" would need a plural, and no rule tells."""
_LONGEST_TITLE = 90
_PROPOSES = re.compile(
    r"\bpropos(?:e[sd]?|al|ing)\b"
    r"|\b(?:we|paper|work|article|study)\b[^.]{0,40}\b(?:introduc|present|develop|describ|releas)\w*",
    re.IGNORECASE,
)
_FOR_NAMES = ("What is {} and what problem does it address?", "How does {} work?")


def example_questions(papers: Sequence[Paper], how_many: int = HOW_MANY) -> list[str]:
    """Up to `how_many` questions, spread evenly over the library; empty for an empty library.

    Papers titled "Name: subtitle" come first, since a name makes a short question; whole titles fill up.
    """
    names = list(dict.fromkeys(name for paper in papers if (name := _name_in(paper.title))))
    questions = [_FOR_NAMES[i % len(_FOR_NAMES)].format(name) for i, name in enumerate(_spread(names, how_many))]
    if len(questions) < how_many:
        plain = [paper for paper in papers if not _name_in(paper.title) and len(paper.title) <= _LONGEST_TITLE]
        asked = list(dict.fromkeys(map(about, plain)))
        questions += _spread(asked, how_many - len(questions))
    return questions


def better_questions(asked: str, papers: Sequence[Paper], how_many: int) -> list[str]:
    """Up to `how_many` questions that `papers` can answer, for one that was declined.

    Where an abstract holds a phrase of the question, what it says about that; else as `example_questions`.
    """
    shared = [
        (phrase, paper) for paper in papers if (phrase := shared_phrase(asked, paper.abstract, but_not_in=paper.title))
    ]
    shared.sort(key=lambda pair: -len(pair[0].split()))  # stable: the nearest paper first
    nearest: dict[str, Paper] = {}
    for phrase, paper in shared:
        nearest.setdefault(phrase, paper)
    questions = [f"What does {_called(paper)} say about {phrase}?" for phrase, paper in nearest.items()][:how_many]
    return questions + example_questions(papers, how_many - len(questions))


def _called(paper: Paper) -> str:
    return _name_in(paper.title) or f"“{' '.join(paper.title.split())}”"


def about(paper: Paper) -> str:
    """A question about one paper, by its title: one that its abstract nearly always answers."""
    return f"What does “{' '.join(paper.title.split())}” {'propose' if proposes(paper) else 'find'}?"


def proposes(paper: Paper) -> bool:
    """Whether its abstract offers something new; else it tells of what was found, as most of medicine and biology."""
    return _name_in(paper.title) is not None or _PROPOSES.search(paper.abstract) is not None


def _name_in(title: str) -> str | None:
    found = _NAMED.match(" ".join(title.split()))
    return found["name"] if found else None


def _spread(items: list[str], how_many: int) -> list[str]:
    if len(items) <= how_many:
        return items
    return [items[i * len(items) // how_many] for i in range(how_many)]
