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

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from rag.keywords import STOP_WORDS, stem, words

LEAST_IN_ORDER = 0.85
"""Share of a sentence's words that must stand in its sources in the same order."""
MOST_UNSAID = 1
"""Words of its own that such a sentence may have: a light verb, mostly ("takes over", "comes with")."""

NEGATIONS = frozenset(
    """
    not no never none neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont fail fails failed
    failing failure unable lack lacks lacking hardly barely rarely seldom
    """.split()
)
_NAME = re.compile(r"\b[A-Z][\w*^]*(?:[-+][\w*^]+)*")
_LIMITS = frozenset(
    "only all every always never any each both entirely completely fully solely first best most".split()
)
_CAUSES = tuple(
    re.compile(rf"\b{joint}\b", re.IGNORECASE)
    for joint in (
        "because", "due to", r"by (?:\w+ly )?\w+ing", "(?:thus|thereby|therefore|hence)", r"caus\w+", "so that",
        "lead(?:s|ing)? to", "result(?:s|ing)? in", r"(?:allow|enabl)\w+", "through",
    )
)  # fmt: skip
_GLUE = frozenset(map(stem, "paper author use yes method approach propose introduce present call name work".split()))
"""What a sentence about a paper may say that the abstract, which says "we", does not."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How a sentence stands to its sources.

    Attributes:
        in_order: share of its words, the title's left out, that stand in the sources in the same order, in [0, 1].
        unsaid: stems of its words that neither sources nor titles hold.
        beyond: what it says of extent ("only", "all") or cause ("because", "by using") and the sources do not.
        is_turned: whether it names two things in the other order than a source does: "A beats B" for "B beats A".
    """

    in_order: float
    unsaid: tuple[str, ...]
    beyond: tuple[str, ...]
    is_turned: bool

    @property
    def is_close(self) -> bool:
        """Whether it says what its sources say, as far as words can tell."""
        is_whole = self.in_order >= LEAST_IN_ORDER and len(self.unsaid) <= MOST_UNSAID
        return is_whole and not self.beyond and not self.is_turned


def fidelity(text: str, quotes: Sequence[str], titles: Sequence[str]) -> Fidelity:
    """How faithful `text` is to `quotes`, sentences of the papers that `titles` name; no quotes give no faith."""
    said = [term for term in _terms(text) if not term.isdigit()]  # numbers have a check of their own
    sources = [_terms(quote) for quote in quotes]
    known = {term for title in titles for term in _terms(title)}
    held = known.union(*sources)
    unsaid = tuple(dict.fromkeys(term for term in said if term not in held and term not in _GLUE))
    is_turned = any(_turns(_names(text), _names(quote)) for quote in quotes)
    return Fidelity(_in_order(said, sources, known), unsaid, _beyond(text, " ".join(quotes)), is_turned)


def _beyond(text: str, source: str) -> tuple[str, ...]:
    spoken = set(words(source))
    limits = [word for word in words(text) if word in _LIMITS and word not in spoken]
    joints = [found[0] for joint in _CAUSES if (found := joint.search(text)) and not joint.search(source)]
    return tuple(dict.fromkeys(limits + joints))


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


def _names(text: str) -> list[str]:
    """Names in `text` in their order, hyphens and all; a word that only begins the sentence is none."""
    found = ((match.start(), match[0]) for match in _NAME.finditer(text))
    return [name.casefold() for start, name in found if start or _is_odd(name)]


def _is_odd(word: str) -> bool:
    return any(letter.isupper() or letter.isdigit() for letter in word[1:])


def _turns(said: Sequence[str], source: Sequence[str]) -> bool:
    """Whether names that stand once in both stand in another order."""
    both = [name for name in said if said.count(name) == 1 == source.count(name)]
    return [name for name in source if name in both] != both


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
