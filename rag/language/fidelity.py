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
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations

from rag.language.misreading import turned_round
from rag.language.terms import STOP_WORDS, stem, words

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
_OF_THINGS = frozenset({"no", "neither", "nor", "without"})
"""Of these what denies a thing, not what is done."""
_NO_NEGATION = re.compile(r"\b(?:(?<!why )not (?:only|just|merely|simply)|never before|no matter)\b", re.IGNORECASE)
_NO_AS_NAME = re.compile(r"\bNO\b")
"""Nitric oxide, say, in a text that has other letters than capitals."""
_FAILURE_AS_THING = re.compile(r"\bfailure\b(?! (?:to|of)\b)", re.IGNORECASE)
"""What is denied stands behind "to" or "of"; a "heart failure" or a "failure case" is a thing like any other."""
_REPORTS = frozenset(
    map(stem, "claim show find believe think say argue assume expect observe mean imply suggest prove know".split())
)
"""Verbs whose negation denies what follows them: "we do not claim that …"."""
_NAME = re.compile(r"\b[A-Z][\w*^]*(?:[-+][\w*^]+)*")
_LIMITS = frozenset(
    """
    only all every always never any each both entirely completely fully solely first best most
    half halves halved quarter quarters thirds dozens hundreds thousands millions billions double triple
    """.split()
)
_SHARES = re.compile(r"\b(?:an?|one) (?P<share>third|quarter|fifth|tenth) of\b", re.IGNORECASE)
"""What says how much in words; figures have a check of their own."""
_CAUSES = tuple(
    re.compile(rf"\b{joint}\b", re.IGNORECASE)
    for joint in (
        "because", "due to", r"by (?:\w+ly )?\w+ing", "(?:thus|thereby|therefore|hence)", r"caus\w+", "so that",
        "lead(?:s|ing)? to", "result(?:s|ing)? in", r"(?:allow|enabl)\w+", "through",
    )
)  # fmt: skip
_DOUBTS = (
    r"unclear|whether|refut\w+|disprov\w+|debunk\w*|myths?|mis\w*conceptions?|contrary\ to|mistaken\w*|falsely|wrongly"
)
_ONCE = r"""once(?=\ \w)(?!\ (?:again|more|per|hourly|daily|nightly|weekly|monthly|yearly)\b
    |\ (?:a|every|each|in\ an?)\ (?:\w+\ )?(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|while)\b)"""
_UNDER = r"(?<!\barea\ )under(?!-|\ (?:\d|(?:the\ )?(?:\w+\ )?(?:curve|way|age|study|review)\b))"
_REPORTED = r"(?:(?<=\bas\ )reported|reported(?=\ (?:that|to)\b|\ *$))"
_CUES = re.compile(
    rf"""\b(?:{"|".join(sorted(NEGATIONS))}|n['’]t|{_DOUBTS}
    |unknown|may|might|could|would|perhaps|possibly|probably|hypothes\w+|conjectur\w+|suspect\w*|questionable|doubt\w*
    |claim\w*|assum\w+|believ\w*|beliefs?|wisdom|suppos\w+|argu\w+|seem\w*|appear\w*|suggest\w*|expect\w*|hope\w*
    |reject\w*|den(?:y|ies|ied)|contradict\w*|disput\w+|false|wrong|incorrect\w*|illusi\w+|unlikely|impossible|far\ from
    |little|few|in\ (?:theory|principle|part)|partly|but|however|although|though|contrary|contrast|unlike|despite
    |whereas|while|rather|instead|yet|except|unless|nevertheless|nonetheless|otherwise|even|if|when|whenever|until|only|provided
    |assuming|as\ long\ as|in\ case|^were|{_UNDER}|{_ONCE}|where|respectively|according|{_REPORTED}|said
    |(?:earlier|previous|prior|other)\ (?:\w+\ )?(?:works?|studies|study|methods|approaches|papers|authors|literature)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""What, said beside a clause, can change what that clause says: denial, doubt, contrast, condition, another's words.

Not "once daily", "under 65" or "were reported"; but "Were it so", "once trained", "under noise", "reported that"."""
_DOUBT = re.compile(rf"\b(?:{_DOUBTS})\b", re.IGNORECASE)
_CONNECTIVE = (
    r"(?:however|moreover|furthermore|additionally|finally|first(?:ly)?|second(?:ly)?|third(?:ly)?|also|thus|therefore"
    r"|hence|consequently|overall|notably|importantly|(?:more )?(?:specifically|concretely|precisely)|as a result"
    r"|in particular|in addition|in essence|in short|in summary|in fact|indeed|for example|for instance|to this end), "
)
_REPORT = (
    r"(?:we|our (?:\w+ )?(?:results|experiments)|(?:the |extensive )?(?:\w+ )?(?:results|experiments))"
    r"(?: (?:also|further|then|empirically))? (?:show|demonstrate|find|observe|prove|report|reveal|verify|confirm)"
    r"(?: that)? "
)
_LABEL = (
    r"(?:(?:main|primary|principal|key) )?(?:background|introduction|context|methods?|results?|findings?"
    r"|outcomes?(?: measures?)?|discussion|conclusions?|interpretation|significance)"
)
_LABELS = rf"{_LABEL}(?:(?: and | & |/){_LABEL})*"
"""What begins the parts of a structured abstract: "RESULTS:", "Methods and results:"."""
_BARE_LABELS = re.compile(rf"^\W*{_LABELS}(?=\s)", re.IGNORECASE)
_OPENING = re.compile(rf"^\W*(?:\d{{1,2}}[.)] )?(?:{_LABELS}:\s+)?(?:{_CONNECTIVE})?", re.IGNORECASE)
_HARMLESS_LEAD = re.compile(rf"(?:to \w+[^,;:]*, )?(?:{_REPORT})?[\"'“‘(]?", re.IGNORECASE)
"""What may stand before a clause and change nothing of it, after "However," and its kin: "To do so, we show that"."""
_HARMLESS_TAIL = re.compile(r"[\"'”’)]*(?:\W*|(?:, and|;| in| on| at| across| during) .*)", re.IGNORECASE | re.DOTALL)
"""What may stand behind it: its end, a clause of its own, or where it is so."""
_GLUE = frozenset(map(stem, "paper author use yes method approach propose introduce present call name work".split()))
"""What a sentence about a paper may say that the abstract, which says "we", does not."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How a sentence stands to its sources.

    Attributes:
        in_order: share of its words, the title's left out, that stand in the sources in the same order, in [0, 1].
        unsaid: stems of its words that neither sources nor titles hold.
        beyond: what it says of extent ("only", "half"), direction ("lower" for "higher") or cause ("because", "by
            using") and the sources do not.
        is_turned: whether it names two things in the other order than a source does: "A beats B" for "B beats A".
        withheld: the first word of doubt, denial, contrast or condition that its source has around what it says and it
            has not; "" where there is none.
    """

    in_order: float
    unsaid: tuple[str, ...]
    beyond: tuple[str, ...]
    is_turned: bool
    withheld: str = ""

    @property
    def is_close(self) -> bool:
        """Whether it says what its sources say, as far as words can tell."""
        is_whole = self.in_order >= LEAST_IN_ORDER and len(self.unsaid) <= MOST_UNSAID
        return is_whole and not self.beyond and not self.is_turned and not self.withheld


def fidelity(text: str, quotes: Sequence[str], titles: Sequence[str]) -> Fidelity:
    """How faithful `text` is to `quotes`, sentences of the papers that `titles` name; no quotes give no faith."""
    said = [term for term in _terms(text) if not term.isdigit()]  # numbers have a check of their own
    sources = [_terms(quote) for quote in quotes]
    known = {term for title in titles for term in _terms(title)}
    held = known.union(*sources)
    unsaid = tuple(dict.fromkeys(term for term in said if term not in held and term not in _GLUE))
    is_turned = any(_turns(_names(text), _names(quote)) for quote in quotes)
    beyond = _beyond(text, " ".join(quotes))
    return Fidelity(_in_order(said, sources, known), unsaid, beyond, is_turned, _withheld(text, quotes))


def is_verbatim(text: str, quote: str) -> bool:
    """Whether `text` is `quote` word for word, or a clause of it whose surroundings cannot change what it says.

    "FooNet beats BarNet" is no such clause of "It is unclear whether FooNet beats BarNet", nor of "In small worlds,
    FooNet beats BarNet".
    """
    around = _around(text, quote)
    if around is None:
        return False
    is_harmless = all(part.fullmatch(left) for part, left in zip((_HARMLESS_LEAD, _HARMLESS_TAIL), around, strict=True))
    return is_harmless and not any(map(_CUES.search, around))


def _around(text: str, quote: str) -> tuple[str, str] | None:
    """What stands in `quote` before and after `text`, word for word but for accents; None where `text` is not in it.

    What joins the quote to the sentence before it ("However,") or says which part of the abstract begins ("RESULTS") is
    left out: it changes nothing of what this one says.
    """
    said = words(text)
    plain = _unaccented(_labelled(quote))
    joined = r"[\W_]+".join(map(re.escape, said))
    found = re.search(rf"(?<![^\W_]){joined}(?![^\W_])", plain) if said else None
    return (_OPENING.sub("", plain[: found.start()]), plain[found.end() :]) if found else None


def without_opening(sentence: str) -> str:
    """`sentence` without what joins it to the one before it ("However,"), or says which part of the abstract begins."""
    return _OPENING.sub("", _labelled(sentence))


def _labelled(sentence: str) -> str:
    """`sentence` with a colon behind a label in capitals: "RESULTS These hold" is "RESULTS: These hold"."""
    return _BARE_LABELS.sub(lambda label: f"{label[0]}:" if label[0].isupper() else label[0], sentence)


def _unaccented(text: str) -> str:
    """`text` as `rag.language.terms.words` reads it, with what stands between the words."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("^", "").casefold()


def _withheld(text: str, quotes: Sequence[str]) -> str:
    """The first cue that a source has around what `text` takes of it, and `text` has not; "" where there is none.

    Around words that `text` does not repeat one by one only doubt counts: conditions are often said in other words.
    """
    if any(is_verbatim(text, quote) for quote in quotes):
        return ""
    cut = [(_without_lookalikes(part), _CUES) for quote in quotes for part in _around(text, quote) or ()]
    loose = [(_before(text, quotes[0]), _DOUBT)] if not cut and len(quotes) == 1 else []
    own = set(words(text))
    found = (match[0] for part, cues in cut + loose for match in cues.finditer(part))
    return next((cue for cue in found if not own.intersection(words(cue))), "")


def _before(text: str, quote: str) -> str:
    """What stands in `quote` before the first word of subject that `text` shares with it; "" where they share none."""
    said = set(_terms(text))
    plain = _unaccented(quote)
    starts = (found.start() for found in re.finditer(r"[^\W_]+", plain) if stem(found[0]) in said)
    return plain[: next(starts, 0)]


def _beyond(text: str, source: str) -> tuple[str, ...]:
    spoken = set(words(source))
    limits = [word for word in words(text) if word in _LIMITS and word not in spoken]
    limits += [found[0].casefold() for found in _SHARES.finditer(text) if found["share"].casefold() not in spoken]
    limits += filter(None, [turned_round(text, source)])
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

    "Algorithms that exist fail to capture X" denies "algorithms that exist capture X"; so does one that begins a quote:
    "We do not claim that X", "No method of X". What both deny is passed over. A `text` with a denial of its own may say
    the same in other words: there the two words must stand side by side in it.
    """
    told, said = _telling_words(quote), _telling_words(text)
    kept = _denied_by(said) | _before_denials(said)
    known = {stem(word) for word in said if word not in NEGATIONS}
    is_alone = _denied_by(said) <= _denied_by(told)
    if is_alone and _denies_from_the_start(told, known) and stem(told[1]) not in kept:
        return True
    around = _around_denials(told, NEGATIONS, kept)
    return any(is_alone and {*pair} <= known for pair in around) or _separates(told, said)


def adds_negation(text: str, quote: str) -> bool:
    """Whether `text` denies what `quote` says: a "not" of its own stands between two words, neighbours there."""
    return _separates(_telling_words(text), _telling_words(quote))


def _separates(told: Sequence[str], said: Sequence[str]) -> bool:
    """Whether `told` has a denial between two words that are neighbours in `said`, which does not deny the second.

    Not where `said` denies something else that `told` speaks of: that may be the same denial at another place. Nor by a
    "no" or "without": beside "patients without X" there may be patients with X.
    """
    elsewhere = _denied_by(said) - _denied_by(told)
    if elsewhere & {"", *map(stem, told)}:
        return False
    around = _around_denials(told, NEGATIONS - _OF_THINGS, _denied_by(said) | _before_denials(said))
    return not around.isdisjoint(pairwise(word if word in NEGATIONS else stem(word) for word in said))


def _around_denials(told: Sequence[str], denials: Set[str], kept: Set[str]) -> set[tuple[str, str]]:
    """Stems of the words right before and right behind each of `denials` that stands between two, `kept` ones aside."""
    around = (
        (stem(before), stem(after))
        for before, word, after in zip(told, told[1:], told[2:], strict=False)
        if word in denials and NEGATIONS.isdisjoint((before, after))
    )
    return {(before, after) for before, after in around if after not in kept}


def _before_denials(told: Sequence[str]) -> set[str]:
    """Stems of the words that a denial stands right behind: "needs no labels" denies the need as well.

    "Works without labels" does not deny that it works.
    """
    return {stem(before) for before, word in pairwise(told) if word in NEGATIONS and word != "without"}


def _denies_from_the_start(told: Sequence[str], known: set[str]) -> bool:
    """Whether `told` begins with a denial of `known` words: of the next two, as one alone may be said of another."""
    if not told or told[0] not in NEGATIONS:
        return False
    rest = [stem(word) for word in told[1:]]
    denied = rest[1:] if rest[:1] and rest[0] in _REPORTS else rest
    return bool(denied) and set(denied[:2]) <= known


def is_denial(text: str) -> bool:
    """Whether `text` has a word that denies something."""
    return not NEGATIONS.isdisjoint(_telling_words(text))


def may_deny(text: str) -> bool:
    """Whether `text` has a word that can deny: a "failure", "NO" or "not only" as well, whatever it is there."""
    return not NEGATIONS.isdisjoint(words(text)) or is_denial(text)


def denied(text: str) -> frozenset[str]:
    """Stems of the words that `text` denies: the first word of subject behind each "not", "no" and their kin."""
    return _denied_by(_telling_words(text)) - {""}


def _denied_by(told: Sequence[str]) -> frozenset[str]:
    """The same of `_telling_words`; "" is for a denial that ends them."""
    return frozenset(
        stem(after) for word, after in pairwise([*told, ""]) if word in NEGATIONS and after not in NEGATIONS
    )


@lru_cache(maxsize=4096)
def _telling_words(text: str) -> tuple[str, ...]:
    """The words of subject of `text` and those that deny, in order."""
    found = words(_without_lookalikes(text).replace("'", "").replace("’", ""))
    return tuple(word for word in found if word not in STOP_WORDS or word in NEGATIONS)


def _without_lookalikes(text: str) -> str:
    """`text` without words that look like a denial and are none."""
    plain = _NO_NEGATION.sub(" ", text if text.isupper() else _NO_AS_NAME.sub(" ", text))
    return _FAILURE_AS_THING.sub("failures", plain)


def _terms(text: str) -> list[str]:
    return [stem(word) for word in words(text) if word not in STOP_WORDS]
