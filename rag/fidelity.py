"""How faithfully a sentence keeps to the sentences that it cites, judged by the words alone.

Small models seldom invent a word; they leave out a "fail", say of the survey what the survey says of others, or carry
a premise of the question over as if the paper had said it. So a sentence is held to be *supported* only where nearly
all it says stands in its sources in the same order, with the same polarity and the same limits ("only", "all"); what
says it in an order of its own may be right, but that has not been seen.

Plain text in; knows no papers, vectors or models. The thresholds were set on 179 sentences of answers to the dev and
fresh-a questions, read one by one: see docs/measurements.md.

Source: order of words as the longest common subsequence, after ROUGE-L (Lin 2004); cues of negation after NegEx
(Chapman et al. 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from rag.keywords import STOP_WORDS, stem, words

LEAST_IN_ORDER = 0.75
"""Share of a sentence's words that must stand in its sources in the same order."""
MOST_UNSAID = 1
"""Words of its own that such a sentence may have: a light verb, mostly ("takes over", "comes with")."""

NEGATIONS = frozenset(
    """
    not no never none neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont fail fails failed
    failing failure unable lack lacks lacking hardly barely rarely seldom
    """.split()
)
_LIMITS = frozenset(
    "only all every always never any each both entirely completely fully solely first best most".split()
)
_GLUE = frozenset(map(stem, "paper author use yes method approach propose introduce present call name work".split()))
"""What a sentence about a paper may say that the abstract, which says "we", does not."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How a sentence stands to its sources.

    Attributes:
        in_order: share of its words, the title's left out, that stand in the sources in the same order, in [0, 1].
        unsaid: stems of its words that neither sources nor titles hold.
        beyond: its words of extent ("only", "all") that the sources do not have.
    """

    in_order: float
    unsaid: tuple[str, ...]
    beyond: tuple[str, ...]

    @property
    def is_close(self) -> bool:
        """Whether it says what its sources say, as far as words can tell."""
        return self.in_order >= LEAST_IN_ORDER and len(self.unsaid) <= MOST_UNSAID and not self.beyond


def fidelity(text: str, quotes: Sequence[str], titles: Sequence[str]) -> Fidelity:
    """How faithful `text` is to `quotes`, sentences of the papers that `titles` name; no quotes give no faith."""
    said = [term for term in _terms(text) if not term.isdigit()]  # numbers have a check of their own
    sources = [_terms(quote) for quote in quotes]
    known = {term for title in titles for term in _terms(title)}
    held = known.union(*sources)
    unsaid = tuple(dict.fromkeys(term for term in said if term not in held and term not in _GLUE))
    spoken = set(words(" ".join(quotes)))
    beyond = tuple(dict.fromkeys(word for word in words(text) if word in _LIMITS and word not in spoken))
    return Fidelity(_in_order(said, sources, known), unsaid, beyond)


def _in_order(said: Sequence[str], sources: Sequence[Sequence[str]], known: set[str]) -> float:
    """The best share over single sources and over all of them, read in either order."""
    runs = [list(source) for source in sources]
    if len(runs) > 1:
        runs += [[term for source in turn for term in source] for turn in permutations(sources, len(sources))]
    best = 0.0
    for run in runs:
        have = set(run)
        own = [term for term in said if term in have or not (term in known or term in _GLUE)]
        best = max(best, common_subsequence(own, run) / len(own) if own else 0.0)
    return best


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest sequence of terms that both hold in the same order, not necessarily side by side."""
    row = [0] * (len(second) + 1)
    for term in first:
        diagonal = 0
        for place, other in enumerate(second, 1):
            above = row[place]
            row[place] = diagonal + 1 if term == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def loses_negation(text: str, quote: str) -> bool:
    """Whether `quote` denies what `text` says: it has a "fail", "not" or "no" between two words that `text` has too.

    "Algorithms that exist fail to capture X" denies "algorithms that exist capture X". A `text` that denies anything
    itself is not looked at.
    """
    said = _plain_words(text)
    if any(word in NEGATIONS for word in said):
        return False
    known = {stem(word) for word in said if word not in STOP_WORDS}
    told = [word for word in _plain_words(quote) if word not in STOP_WORDS or word in NEGATIONS]
    return any(
        word in NEGATIONS and 0 < place < len(told) - 1 and {stem(told[place - 1]), stem(told[place + 1])} <= known
        for place, word in enumerate(told)
    )


def is_denial(text: str) -> bool:
    """Whether `text` has a word that denies something."""
    return any(word in NEGATIONS for word in _plain_words(text))


def _plain_words(text: str) -> list[str]:
    return words(text.replace("'", "").replace("’", ""))


def _terms(text: str) -> list[str]:
    return [stem(word) for word in words(text) if word not in STOP_WORDS]
