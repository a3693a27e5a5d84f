"""What can be seen of a claim beside its evidence without a language model: words, order, numbers, names, polarity.

Pure text in, numbers out; vectors are given, not made. Whoever judges by these features has fitted them: see
`feature_judge`. Sentence splitting and words are this module's own, so that what is measured does not measure itself.

Source: overlap features as in textual entailment by shallow features (Dagan et al. 2006, the RTE challenges), longest
common run and order after ROUGE (Lin 2004), polarity cues after NegEx (Chapman et al. 2001).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

NAMES = (
    "cosine", "cosine of the three best", "coverage", "coverage in the best", "coverage in the two best",
    "long-word coverage", "bigrams", "bigrams in the best", "longest run", "share of the best", "order",
    "numbers missing", "numbers missing in the best", "any number missing", "names missing", "negation differs",
    "negation differs, words alike", "direction opposed", "direction agrees", "direction missing", "antonym",
    "hedged", "null result", "sign differs", "words of the claim", "words of the evidence", "sentences", "words alike",
    "number differs, words alike", "names out of order",
)  # fmt: skip
TOP = 3
"""Sentences looked at closely, and embedded: those that share most of the claim's words."""

_END = re.compile(r"(?<=[.!?])[\"”’)\]]*\s+(?=[\"“‘(\[]?[A-Z0-9])|\n+|(?<=[a-z)])\.(?=[A-Z][a-z])")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['’][a-z]+)?")
_NUMBER = re.compile(r"(?<![A-Za-z\d])\d+(?:[.,]\d+)*")
MARKER = re.compile(r"\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]")
"""A citation marker, e.g. "[5]": its number says nothing of what is claimed."""
ITEM = re.compile(r"^\s*\d{1,2}[.)]\s+")
"""The number of an item of a list, which says nothing either."""
_NUMBER_WORDS = {
    word: str(n)
    for n, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)
}  # fmt: skip
_STOP = frozenset(
    "a about after again all also am an and any are as at be because been before being between both but by can could"
    " did do does doing done each for from further had has have having he her here his how i if in into is it its just"
    " may might more most my of off on once only or other our out over own same she should so some such than that the"
    " their them then there these they this those through to too under until up us very was we were what when where"
    " which while who whom whose why will with would you your s".split()
)
NEGATIONS = frozenset(
    "not no never none neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont couldnt shouldnt"
    " wouldnt hasnt havent hadnt fail fails failed lack lacks lacked lacking unable nothing hardly unlikely absence"
    " false untrue".split()
)
_UP = frozenset(
    "increase increases increased increasing higher more greater rise rises rising rose raise raises raised elevate"
    " elevated elevates up improve improves improved improving improvement enhance enhances enhanced enhancing"
    " promote promotes promoted promoting promotion upregulate upregulated upregulates activate activates activated"
    " activation positive larger longer stronger faster better gain gains induce induces induced stimulate stimulates"
    " worsen worsens worsened exacerbate outperform outperforms exceed exceeds surpass surpasses above over accelerate"
    " accelerates expand expands extend extends boost boosts strengthen many high cause causes caused".split()
)
_DOWN = frozenset(
    "decrease decreases decreased decreasing lower less fewer reduce reduces reduced reducing reduction decline"
    " declines declined fall falls fell drop drops dropped diminish diminished diminishes attenuate attenuated"
    " suppress suppresses suppressed inhibit inhibits inhibited inhibition impair impairs impaired downregulate"
    " downregulated downregulates down worse weaker smaller shorter slower negative loss block blocks blocked prevent"
    " prevents prevented preventing abolish abolished abrogate deplete depleted below underperform underperforms"
    " slow slows mitigate mitigates shrink weaken few low protect protects protected protective kill kills".split()
)
_HEDGES = frozenset(
    "may might could possibly possible perhaps potential potentially suggest suggests suggested unclear unknown"
    " hypothesis hypothesize hypothesized whether controversial limited insufficient inconclusive further".split()
)
_NULL = re.compile(
    r"\b(?:no (?:\w+ ){0,2}(?:difference|association|effect|evidence|benefit|change|impact|correlation|relationship)"
    r"|not (?:\w+ )?(?:associated|significant|differ|affect|improve|reduce|increase|support|effective|related)"
    r"|independent(?:ly)? of|did not|does not|do not|failed to)\b",
    re.IGNORECASE,
)
_OPPOSITES = (
    ("effective", "ineffective"), ("safe", "unsafe"), ("safe", "dangerous"), ("benefit", "harm"), ("same", "different"),
    ("similar", "different"), ("essential", "dispensable"), ("necessary", "unnecessary"), ("always", "never"),
    ("all", "none"), ("first", "last"), ("best", "worst"), ("most", "least"), ("maximum", "minimum"), ("true", "false"),
    ("present", "absent"), ("sensitive", "resistant"), ("early", "late"), ("major", "minor"), ("with", "without"),
    ("natural", "artificial"), ("common", "rare"), ("supervised", "unsupervised"), ("online", "offline"),
    ("possible", "impossible"), ("able", "unable"), ("likely", "unlikely"), ("before", "after"), ("open", "closed"),
    ("risk", "protective"), ("survival", "mortality"), ("survival", "death"), ("agonist", "antagonist"),
)  # fmt: skip
_ANTONYMS = frozenset(pair for a, b in _OPPOSITES for pair in ((a, b), (b, a)))


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence taken apart once: `stems` are its content words in order, `words` all of them in lower case."""

    text: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    numbers: frozenset[str]
    names: frozenset[str]


def split(texts: Iterable[str]) -> list[str]:
    """Sentences of the texts in order; what has no letter or digit is left out."""
    return [part.strip() for text in texts for part in _END.split(text) if re.search(r"\w", part)]


@lru_cache(maxsize=65536)
def read(text: str) -> Text:
    """Take a sentence apart; citation markers in it are not read."""
    text = MARKER.sub(" ", text)
    surface = _WORD.findall(text.replace("’", "'"))
    lower = tuple(word.lower().replace("'", "") for word in surface)
    names = (
        stem(word.lower())
        for position, word in enumerate(surface)
        if any(c.isupper() for c in word[1:]) or (position and word[:1].isupper() and word.lower() not in _STOP)
    )
    stems = tuple(stem(word) for word in lower if word not in _STOP and word not in NEGATIONS)
    return Text(text, lower, stems, numbers_of(text), frozenset(names))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The Snowball stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer():  # type: ignore[no-untyped-def]  # noqa: ANN202  (PyStemmer has no types)
    import Stemmer

    return Stemmer.Stemmer("english")


def number_list(text: str) -> list[str]:
    """Numbers as plain digits, as often as they stand, number words from two to twelve last: "24,000" is 24000, "3.60"
    is 3.6. What stands in a citation marker is none.
    """
    found = []
    for match in _NUMBER.findall(MARKER.sub(" ", text)):
        plain = re.sub(r",(?=\d{3}\b)", "", match).replace(",", ".")
        found.append(plain.rstrip("0").rstrip(".") if "." in plain else plain)
    return found + [_NUMBER_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _NUMBER_WORDS]


def numbers_of(text: str) -> frozenset[str]:
    """The different numbers of `number_list`."""
    return frozenset(number_list(text))


def closest(claim: Text, sentences: Sequence[Text], count: int = TOP) -> list[int]:
    """Positions of the `count` sentences that share most of the claim's stems, best first, ties in order."""
    wanted = set(claim.stems)
    shared = [len(wanted & set(s.stems)) / (1.0 + 0.01 * len(s.stems)) for s in sentences]
    return sorted(range(len(sentences)), key=lambda i: -shared[i])[:count]


def features(claim: Text, sentences: Sequence[Text], top: Sequence[int], cosines: Sequence[float]) -> list[float]:
    """One number for each of `NAMES`.

    Args:
        claim: the claim.
        sentences: all evidence, at least one sentence.
        top: what `closest` gave.
        cosines: of the claim with each sentence of `top`, in [-1, 1].
    """
    wanted = set(claim.stems)
    coverages = [_share(wanted, set(sentences[i].stems)) for i in top]
    order = sorted(range(len(top)), key=lambda j: -(coverages[j] + cosines[j]))
    best = sentences[top[order[0]]]
    two = {stem for j in order[:2] for stem in sentences[top[j]].stems}
    everything = {stem for s in sentences for stem in s.stems}
    numbers = frozenset().union(*(s.numbers for s in sentences))
    pairs = {pair for s in sentences for pair in _bigrams(s.stems)}
    coverage = _share(wanted, set(best.stems))
    alike = _alike(claim, best)
    near = _around(claim, best)
    differs = float(negations(claim.words) % 2 != negations(near) % 2)
    return [
        max(cosines),
        sum(cosines) / len(cosines),
        _share(wanted, everything),
        coverage,
        _share(wanted, two),
        _share({s for s in wanted if len(s) > 5}, set(best.stems)),
        _share(_bigrams(claim.stems), pairs),
        _share(_bigrams(claim.stems), _bigrams(best.stems)),
        _run(claim.words, best.words) / max(1, len(claim.words)),
        _share(set(best.stems), wanted),
        _order(claim.stems, best.stems),
        _missing(claim.numbers, numbers),
        _missing(claim.numbers, best.numbers),
        float(bool(claim.numbers - numbers)),
        _missing(claim.names, everything),
        differs,
        differs * alike,
        *_directions(claim.words, near),
        float(_has_antonym(claim, best)),
        float(bool(_HEDGES & set(best.words)) and not _HEDGES & set(claim.words)),
        float(bool(_NULL.search(best.text)) and not _NULL.search(claim.text)),
        float(_sign(claim.words) != _sign(near)),
        math.log1p(len(claim.words)),
        math.log1p(sum(len(s.words) for s in sentences)),
        math.log1p(len(sentences)),
        alike,
        float(bool(claim.numbers - best.numbers)) * alike,
        1.0 - _order([s for s in claim.stems if s in claim.names], [s for s in best.stems if s in claim.names]),
    ]


def _share(wanted: set[str], have: set[str]) -> float:
    return len(wanted & have) / len(wanted) if wanted else 1.0


def _missing(wanted: frozenset[str], have: Iterable[str]) -> float:
    return len(wanted - set(have)) / len(wanted) if wanted else 0.0


def _bigrams(stems: Sequence[str]) -> set[str]:
    return {f"{a} {b}" for a, b in pairwise(stems)}


def _run(claim: Sequence[str], sentence: Sequence[str]) -> int:
    """Words in the longest run that both have."""
    longest, row = 0, [0] * (len(sentence) + 1)
    for word in claim:
        row = [0, *(row[j] + 1 if word == other else 0 for j, other in enumerate(sentence))]
        longest = max(longest, *row)
    return longest


def _order(claim: Sequence[str], sentence: Sequence[str]) -> float:
    """Share of the claim's words found in the sentence that stand there in the same order; none found gives 1."""
    first: dict[str, int] = {}
    for position, stem_ in enumerate(sentence):
        first.setdefault(stem_, position)
    places = [first[stem_] for stem_ in dict.fromkeys(claim) if stem_ in first]
    tails: list[int] = []
    for place in places:
        at = bisect_left(tails, place)
        tails[at : at + 1] = [place]
    return len(tails) / len(places) if places else 1.0


def _alike(claim: Text, best: Text) -> float:
    """Jaccard index of the stems, 1 for the same words."""
    a, b = set(claim.stems), set(best.stems)
    return len(a & b) / len(a | b) if a | b else 1.0


def _around(claim: Text, best: Text) -> tuple[str, ...]:
    """The words of the sentence from three before the first to three after the last that the claim shares."""
    wanted = set(claim.stems)
    shared = [i for i, word in enumerate(best.words) if stem(word) in wanted]
    return best.words[max(0, shared[0] - 3) : shared[-1] + 4] if shared else best.words


def negations(words: Sequence[str]) -> int:
    """How many of the words negate."""
    return sum(word in NEGATIONS for word in words)


def _sign(words: Sequence[str]) -> int:
    """Parity of negations and downward words: two of them cancel out."""
    return (negations(words) + sum(word in _DOWN for word in words)) % 2


def _directions(claim: Sequence[str], near: Sequence[str]) -> tuple[float, float, float]:
    """Whether the claim's ups and downs are opposed, shared, or missing in the sentence."""
    up, down = (bool(words & set(claim)) for words in (_UP, _DOWN))
    best_up, best_down = (bool(words & set(near)) for words in (_UP, _DOWN))
    opposed = (up and not down and best_down and not best_up) or (down and not up and best_up and not best_down)
    agrees = (up and best_up) or (down and best_down)
    return float(opposed), float(agrees), float((up or down) and not (best_up or best_down))


def _has_antonym(claim: Text, best: Text) -> bool:
    ours, theirs = set(claim.words) - set(best.words), set(best.words) - set(claim.words)
    if any(a in ours and b in theirs for a, b in _ANTONYMS):
        return True
    return any(prefix + word in theirs for word in ours for prefix in ("un", "in", "non", "im", "dis")) or any(
        prefix + word in ours for word in theirs for prefix in ("un", "in", "non", "im", "dis") if len(word) > 3
    )
