"""Which papers a question asks about, by name or by what it says of them, as the trained adapter "about" reads each
beside it (see `adapters`).

By its form alone, before anything is read, a question is seen that may ask about several: two things named or described
with "and", "or", a comma or the like between them. Of the bank's 560 questions that ask about two papers or three, 553
have such a form, and 152 of its 1,120 that ask about one.

Of another model than the one that the adapter belongs to nothing is known: None.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from rag.language.comparison import asks_for_two, compares, may_ask_for_two
from rag.language.phrases import SMALL_FIRST
from rag.language.terms import tokenize
from rag.schema import Evidence, Paper
from rag.trained import adapters

ABOUT_FROM = 0.5
"""How likely a paper has to be asked about to be held to be meant."""
TWO_FROM = 0.003
"""The same for the second paper of a question that asks for two outright ("Two papers …, which …?"). Of 15 such of ten
sets it is asked about in 13, with 0.0057 and more; the two others have another with 0.03 and 0.05."""

TWO_APART_FROM = 0.03
"""The same where two things are set apart that may be papers ("both A and B"). In any comparison it would take a paper
for what a follow-up compares with: "How does it compare to PPO?"."""

SET_APART_FROM = 0.05
"""The same where two things are set apart of which one at least is described as a paper is ("FedAU compared with the
approach that …"), or where these are the two that the question's halves describe. Of 108 comparisons of eleven sets
four more are of exactly the papers asked about, the second from 0.08 on, and none of 83 other questions of such forms
is of two that was not before; the highest second of one that asks about one paper has 0.04."""

COMPARED_FROM = 0.01
"""The same for the second paper of a comparison that would be declined otherwise. On five libraries of other papers six
of 40 comparisons were. In three of these the second paper asked about has 0.013 to 0.08, and no other that is not asked
about more than 0.003. Of 101 questions without an answer four are comparisons by their form; their second paper has
0.001 or less."""

THREE_FROM = 0.2
"""The same for the third paper and further ones of a question that sets three things or more apart ("in A, in B, and in
the paper on C"), as all nine comparisons of three papers of nine sets do, and 8 of 72 of two. With a half for each, and
no more than three papers read, four of the nine were answered for two."""

READ_FIRST = 3
"""Papers, best first, that are read beside a question before it is seen whether more have to be. All that 94
comparisons of nine sets ask about are among these for 89, and for 211 of 218 questions to one paper it is."""

_KIND = (
    r"(?:paper|work|stud(?:y|ies)|article|method|approach(?:e)?|system|framework|survey|review|benchmark|model|algorithm"
    r"|network|planner|scheme|one|author|agent|policy|pipeline|data ?set|robot|arm|technique|strategy|formalism"
    r"|architecture|controller|tool|learner|detector|project|team|design|trial|cohort|experiment|theor(?:y|ies)"
    r"|(?:meta-)?analys[ie]s)s?"
)
_DESCRIBED = re.compile(
    rf"\bthe\b(?:\s+[\w/'’.*+-]+){{0,8}}?\s+{_KIND}\b|\bthe ones?\b|\b(?:that|those) of\b", re.IGNORECASE
)
_POINTS_TO_NAMED = re.compile(
    r"\bthe (?:other|first|second|third|former|latter|two|same) (?:ones?|papers?)\b"
    r"(?!\s+(?:on|about|of|that|which|who|with|from|by|in|using|for)\b)"
    rf"|\bthe (?:others?|former|latter)\b(?!\s+(?:[\w-]+\s+){{0,2}}?{_KIND}\b)",
    re.IGNORECASE,
)
"""No description of a paper: "the other one"."""
_ANOTHER = re.compile(rf"\b(?:an?|another)\s+(?:[\w-]+\s+){{0,4}}?{_KIND}\b", re.IGNORECASE)
_ONE_SOURCE = re.compile(
    r"\W*according to (?:(?!\b(?:and|or|both|these|those|two|three|as well as)\b)[^,])+,\s*"
    r"(?:by |in |on |at |for |to |from |with )?"
    r"(?:what|why|how|which|who|whom|when|where|is|are|was|were|do|does|did|can)\b"
    r"(?!.*\baccording to\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?:{SMALL_FIRST}(?:[-+]\w+)*|\b[A-Z]\w*[A-Z0-9*^+]\w*(?:[-+*/]\w+)*|(?<!^)\b[A-Z][a-z]+(?:[-A-Z]\w*)*)"
)
_BETWEEN = re.compile(
    r"\b(?:and|or|vs|versus|than|but|while|whereas|as opposed to|unlike|against|besides|compared)\b|[,:;]|[-–—] ",
    re.IGNORECASE,
)
_PARALLEL = re.compile(
    r"\b(in|for|by|from|with|to|of|does|do|is|at|on)\b(?:(?!\band\b).)+\b(?:and|or) \1\b"
    r"|\bthe\b(?:(?!\band\b).)+\b(?:and|or) the\b|\bthe\b(?:(?!\band\b).)+\band [A-Z]"
    r"|\b(?=\w*[A-Z])\w+(?:-\w+)* and the\b|\bas opposed to\b"
)


def may_be_about_several(question: str) -> bool:
    """Whether the form of `question` admits that it asks about more than one paper."""
    return compares(question) or _PARALLEL.search(question) is not None or _set_apart(question) > 1


def _set_apart(question: str) -> int:
    """How many things `question` names or describes with "and", "or", a comma or the like between them."""
    spans = sorted(found.span() for pattern in (_DESCRIBED, _NAMED) for found in pattern.finditer(question))
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    between = sum(_BETWEEN.search(question[one[1] : other[0]]) is not None for one, other in pairwise(apart))
    return between + bool(apart)


def asked_about(model: Any, question: str, paper: Paper, evidence: Sequence[Evidence]) -> float | None:
    """How likely `question` asks about `paper`, in [0, 1].

    Args:
        model: the chat model.
        question: one that stands alone; it may ask about other papers as well.
        paper: one that it may ask about.
        evidence: the `adapters.SENTENCES_BESIDE` sentences of it that bear most on the question.
    """
    told = adapters.probabilities(model, "about", **adapters.beside(question, paper, evidence))
    return None if told is None else told[0]


def is_told(likely: Sequence[tuple[float, Paper]], question: str, named: Collection[str]) -> bool:
    """Whether what was read beside `question` so far tells which papers it asks about; arguments as of `meant`.

    What was named is, where nothing else is described. Else `READ_FIRST` are read, and the others where two are asked
    for and not found, or none is.
    """
    sure = {paper.id for share, paper in likely if share >= ABOUT_FROM}
    if len(sure.intersection(named)) > 1 and {paper.id for _, paper in likely}.issuperset(named):
        return not _describes(question) or len(likely) >= READ_FIRST
    wanted = max(2 if compares(question) else 1, _at_least_three(question))
    return len(likely) >= READ_FIRST and len(sure) >= wanted


def meant(
    likely: Sequence[tuple[float, Paper]],
    question: str,
    named: Collection[str] = (),
    described: Collection[str] = (),
    followup: str = "",
) -> tuple[Paper, ...]:
    """The papers that `question` asks about, best first.

    One that begins "According to …," asks about one. Where it names two or more papers and describes no other, it asks
    about these alone, and where it names two things, of which one paper speaks, about that one: what builds on a paper
    reads as if it were asked about, too, unless the other is called by a word of its title. For 101 of 108 comparisons,
    62 of them on eight libraries of other papers, these are exactly the papers asked about.

    Args:
        likely: pairs of what `asked_about` says of each paper that may be meant and the paper, best first.
        question: one that stands alone.
        named: ids of the papers that it names.
        described: ids of the papers that its halves describe.
        followup: its second half, where it is two questions one behind the other: these set nothing apart.
    """
    sure = sum(share >= ABOUT_FROM for share, _ in likely)
    is_described = not followup and len(likely) > 1 and {paper.id for _, paper in likely[:2]} == set(described)
    if len(likely) > 1 and likely[1][0] >= _second_from(question, followup, is_described=is_described):
        sure = max(sure, 2)
    if wanted := _at_least_three(question):
        sure = max(sure, sum(share >= THREE_FROM for share, _ in likely[:wanted]))
    chosen = tuple(paper for _, paper in likely[:sure])
    told = tuple(paper for paper in chosen if paper.id in named)
    if len(told) > 1:
        return chosen if _describes(question) else told
    if not told and _first_has_both(question, chosen):
        return chosen[:1]
    return chosen[:1] if _ONE_SOURCE.match(question) else chosen


def _second_from(question: str, followup: str, *, is_described: bool) -> float:
    """How likely the second paper has to be asked about by `question`, by its form; `is_described`: by a half of it."""
    if _ONE_SOURCE.match(question):
        return ABOUT_FROM
    if asks_for_two(question):
        return TWO_FROM
    if may_ask_for_two(question):
        return TWO_APART_FROM
    halves = (question.removesuffix(followup), followup)
    is_apart = any(_set_apart(half) > 1 and _describes(half) for half in halves)
    return SET_APART_FROM if is_described or is_apart else ABOUT_FROM


def _first_has_both(question: str, papers: Sequence[Paper]) -> bool:
    """Whether `question` names two things and describes no paper, and the first of two `papers` alone holds both, and
    all words of the other's title that `question` has.
    """
    names = {name.casefold() for name in _NAMED.findall(question)}
    if len(papers) != 2 or len(names) != 2 or _describes(question):
        return False
    patterns = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE) for name in names]
    first, second = (all(p.search(f"{paper.title} {paper.abstract}") for p in patterns) for paper in papers)
    known = frozenset(tokenize(f"{papers[0].title} {papers[0].abstract}"))
    own = frozenset(tokenize(papers[1].title)).intersection(tokenize(question)) - known
    return first and not second and not own


def _at_least_three(question: str) -> int:
    """How many papers `question` may ask about by its form, where these are three or more; else 0."""
    apart = 0 if _ONE_SOURCE.match(question) else _set_apart(question)
    return apart if apart > 2 else 0


def compared(likely: Sequence[tuple[float, Paper]], question: str) -> tuple[Paper, ...]:
    """The two likeliest papers of a question that sets two things side by side, of which one alone is surely asked
    about: rather than to decline it. () of any other question, or where the second is not likelier than most.

    Args:
        likely: as of `meant`.
        question: one that stands alone.
    """
    if not compares(question) or _ONE_SOURCE.match(question) or len(likely) < 2:
        return ()
    first, second = likely[0][0], likely[1][0]
    return tuple(paper for _, paper in likely[:2]) if first >= ABOUT_FROM and second >= COMPARED_FROM else ()


def _describes(question: str) -> bool:
    """Whether `question` may speak of a paper without its name: "the paper on owls", "a survey of owls"."""
    rest = _POINTS_TO_NAMED.sub(" ", question)
    return _DESCRIBED.search(rest) is not None or _ANOTHER.search(rest) is not None


def in_order(question: str, papers: Sequence[Paper]) -> list[Paper]:
    """`papers` in the order in which `question` speaks of them: by the first word of it that only one of them holds."""
    held = {paper.id: frozenset(tokenize(f"{paper.title} {paper.abstract}")) for paper in papers}
    asked = tokenize(question)

    def place(paper: Paper) -> int:
        others = frozenset().union(*(terms for key, terms in held.items() if key != paper.id))
        own = held[paper.id] - others
        return next((i for i, term in enumerate(asked) if term in own), len(asked))

    return sorted(papers, key=place)
