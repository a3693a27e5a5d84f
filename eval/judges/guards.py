"""Rules that hold before any judge is asked: what stands word for word is supported, what differs only in a number, a
negation or the place of two names is contradicted.

A judge that was fitted may let such a sentence through because all its words stand there. The rules look at one
sentence of the evidence: the one that is most alike. Pure functions on texts taken apart by `features.read`.

Source: number and entity checks of summaries (FactCC, Kryscinski et al. 2020); contrast sets (Gardner et al. 2020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from eval.judges.features import ITEM, Text, closest, negations, number_list, read, split, stem
from eval.judges.judgement import Evidence, Judgement

ALIKE = 0.6
"""Jaccard index of the stems, numbers left out, from which a claim is taken to repeat a sentence. It decides between a
sentence that says another thing with another number, and one that says the same thing with a wrong number."""
NEARLY_THE_SAME = 0.8
"""The same index, from which one negation more or less turns the meaning: below, it may stand in another clause."""
SAME_BAG = 0.95
"""Overlap of all words, counted as often as they stand, from which only their order differs."""
FEWEST_WORDS = 4
"""A claim of fewer words stands in too many sentences by chance."""

VERBATIM = Judgement(0.99, 0.005, 0.005)
CONTRADICTED = Judgement(0.0, 1.0, 0.0)

Rule = Literal["word for word", "another number", "negated", "names in each other's place"]


def ruled(evidence: Evidence, claim: str) -> Judgement | None:
    """What the rules say of a pair; None where they say nothing and a judge is to be asked."""
    rule = rule_of(claim, split(evidence))
    if rule is None:
        return None
    return VERBATIM if rule == "word for word" else CONTRADICTED


def rule_of(claim: str, sentences: Sequence[str]) -> Rule | None:
    """The rule that a claim beside sentences falls under, if any."""
    if not sentences:
        return None
    whole = read(ITEM.sub("", claim.strip()))
    taken = [read(sentence) for sentence in sentences]
    if any(_stands_in(whole, sentence) for sentence in taken):
        return "word for word"
    best = max((taken[i] for i in closest(whole, taken)), key=lambda sentence: _alike(whole, sentence))
    if _alike(whole, best) >= ALIKE and Counter(number_list(whole.text)) - Counter(number_list(best.text)):
        return "another number"
    if _alike(whole, best) >= NEARLY_THE_SAME and (negations(whole.words) - negations(best.words)) % 2:
        return "negated"
    if _bag_overlap(whole, best) >= SAME_BAG and _names(whole) != _names(best) and set(_names(whole)):
        return "names in each other's place"
    return None


def _stands_in(claim: Text, sentence: Text) -> bool:
    """Whether the claim's words are a run of the sentence's, with every negation of the sentence inside the run."""
    size = len(claim.words)
    if size < FEWEST_WORDS or negations(claim.words) != negations(sentence.words):
        return False
    last = len(sentence.words) - size
    return any(sentence.words[start : start + size] == claim.words for start in range(last + 1))


def _alike(claim: Text, sentence: Text) -> float:
    a, b = ({s for s in text.stems if not s[0].isdigit()} for text in (claim, sentence))
    return len(a & b) / len(a | b) if a | b else 0.0


def _bag_overlap(claim: Text, sentence: Text) -> float:
    a, b = Counter(claim.words), Counter(sentence.words)
    return (a & b).total() / max(1, (a | b).total())


def _names(text: Text) -> tuple[str, ...]:
    return tuple(stemmed for word in text.words if (stemmed := stem(word)) in text.names)
