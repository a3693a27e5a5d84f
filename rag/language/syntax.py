"""A shallow reading of an English question: its clauses, names, subjects, and what a pronoun in it may stand for.

Word classes that are closed are listed; what is left is told by endings and places. A place is that of a token, from 0.
Knows nothing of papers or of what was said before. Any text can be read.

Source: binding and number agreement as in Lappin and Leass 1994, "An Algorithm for Pronominal Anaphora Resolution", and
Chomsky 1981, "Lectures on Government and Binding", without a parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from rag.language.terms import STOP_WORDS


def word_set(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())


_TOKEN = re.compile(r"[^\W_]+(?:[-.^*+/][^\W_]+)*[*+]?|['’](?:s|m|re|ve|ll|d|t)\b|[^\w\s]", re.IGNORECASE)
_NAME = re.compile(r"^(?=.*[A-Z])(?:.+[A-Z0-9^*+].*|[A-Z][^\W_]+)$")
_GENERAL_ABBREVIATIONS = word_set("AI ML API APIs CPU CPUs GPU GPUs RAM PDF URL OK I A")
BREAKS = frozenset(".?!;:,()–—-")
WH = word_set("what which how why when where who whom whose")
DO = word_set("do does did can could will would should may might must shall")
BE = word_set("is are was were be been being am 's 're has have had")
_HAVE = word_set("has have had")
_NEVER_FIRST = word_set("be been being")
AUX = DO | BE
_SUBORDINATORS = word_set("when if because while although though whether before after since unless until as so whereas")
PREPOSITIONS = word_set(
    "of about on for with like than to into by from in at after against over under between within without during via"
)
SINGULAR = word_set("it its he him his she her hers")
PLURAL = word_set("they them their theirs")
_OBJECTS = word_set("it him them")
_POSSESSIVES = word_set("its their his her")
_SUBJECTS = word_set("it he she they")
THIS = word_set("this that these those")
DETERMINERS = word_set("a an the one another each every no any some")
_PLURALS = word_set("people children men women data media criteria who everyone anyone")
_LIKE_NAMES = (STOP_WORDS | word_set("one ones")) - WH - AUX - word_set("and or not")
"""Words of grammar that are names where they stand in capitals, HER or ALL; the others may be so for emphasis."""
_LONGEST_ABBREVIATION = 4
_LONGEST_READ = 100


@dataclass(frozen=True)
class Syntax:
    """The tokens `said` in a question, and what grammar tells of each by its place."""

    said: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Syntax:
        """What grammar tells of the first hundred tokens of `text`: the time that it takes grows with their square."""
        return cls(tuple(_TOKEN.findall(text)[:_LONGEST_READ]))

    @cached_property
    def small(self) -> tuple[str, ...]:
        """The tokens in small letters; an abbreviation that is spelled like a word of grammar, HER, stays as it is."""
        is_shouted = sum(token.isupper() for token in self.said) > 1 and " ".join(self.said).isupper()
        names = set() if is_shouted else {token for token in self.said if _is_abbreviation(token)}
        return tuple(token if token in names else token.lower().replace("’", "'") for token in self.said)

    def at(self, place: int) -> str:
        """The token there in small letters; "" where none is."""
        return self.small[place] if 0 <= place < len(self.small) else ""

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        """The number of each token's clause, from 0."""
        numbers, number = [], 0
        for place, word in enumerate(self.small):
            if word in BREAKS or (place > 0 and self._begins_clause(place)):
                number += 1
            numbers.append(number)
        return tuple(numbers)

    def _begins_clause(self, place: int) -> bool:
        word = self.at(place)
        if word in WH:
            return place > 1 or self.at(0) not in PREPOSITIONS | {"and", "but", "or", "so"}
        if word == "that":
            return not self.is_demonstrative(place)
        return word in _SUBORDINATORS or (word in {"and", "but", "or"} and self.at(place + 1) in WH | AUX)

    def is_name(self, place: int) -> bool:
        """Whether a name stands there: a capital or digit inside, or a capital where no sentence starts."""
        word = self.said[place]
        if word in _GENERAL_ABBREVIATIONS or _NAME.match(word) is None:
            return False
        starts = place == 0 or self.said[place - 1] in ".?!:"
        return not starts or any(c.isupper() or c.isdigit() for c in word[1:])

    @cached_property
    def names(self) -> frozenset[int]:
        """The places of names."""
        return frozenset(place for place in range(len(self.said)) if self.is_name(place))

    def is_content(self, place: int) -> bool:
        """Whether a word stands there that carries meaning rather than grammar."""
        word = self.at(place)
        return word[:1].isalnum() and word not in STOP_WORDS and word not in AUX

    def subject_from(self, place: int) -> int:
        """Where in the clause of `place` the subject may start: behind the auxiliary of an inverted question."""
        start = next(p for p in range(len(self.small)) if self.clauses[p] == self.clauses[place])
        asks = any(self.at(p) in WH for p in range(start, min(start + 4, len(self.small))))
        for p in range(start, place):
            word, after = self.at(p), self.at(p + 1)
            inverts = after in _SUBJECTS | THIS | DETERMINERS or p + 1 in self.names
            inverts = inverts or (after in _POSSESSIVES and word not in _HAVE)
            if word in AUX - _NEVER_FIRST and self.at(p - 1) != "to" and (word in DO or inverts or not asks):
                return p + 1
        return start

    def is_plural(self, place: int) -> bool:
        """Whether a noun for several things may stand there, or one that "they" may stand for."""
        word = self.small[place]
        ends = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
        return word in _PLURALS or (ends and self.is_content(place))

    def introduces(self, place: int) -> bool:
        """Whether a determiner there begins one thing that is spoken of: "a robot", "each step"."""
        return self.small[place] in DETERMINERS and self.is_content(place + 1)

    def may_mean(self, place: int, *, is_plural: bool) -> bool:
        """Whether something before `place` may be what the pronoun there stands for."""
        own = list(range(self.subject_from(place), place))
        earlier = [p for p in range(place) if self.clauses[p] < self.clauses[place]]
        if self.is_object(place):
            free = self.at(place - 1) in PREPOSITIONS or self.is_on_its_own(place)
            own = [p for p in own if (free or self.is_inside(p)) and (p not in self.names or self.is_on_its_own(place))]
            own = [p for p in own if self.end_of_noun(p) != place - 1]  # a "version of it" is none of itself
        elif own and self.at(place) == "its" and self.at(own[0] - 1) in DO and self.is_content(own[0]):
            return own[0] in self.names or not self.is_plural(own[0])
        if any(self.fits(p, is_plural=is_plural) or p in self.names for p in own):
            return True
        if is_plural:
            return any(self.fits(p, is_plural=True) or p in self.names or self.at(p) == "who" for p in earlier)
        return any(p in self.names or self.is_content(p) for p in earlier)

    def fits(self, place: int, *, is_plural: bool) -> bool:
        """Whether a word there agrees in number with a pronoun."""
        if not is_plural:
            return self.introduces(place)
        behind = place + 2 if self.at(place + 1) in DETERMINERS else place + 1
        together = self.at(place) == "and" and self.is_content(place - 1) and self.is_content(behind)
        return together or self.is_plural(place)

    def is_object(self, place: int) -> bool:
        """Whether the pronoun there is an object: "use it", "with them"."""
        before, after = self.at(place - 1), self.at(place + 1)
        if self.at(place) not in _OBJECTS or before in AUX:
            return False
        return after == "" or after in BREAKS or (after in STOP_WORDS and after not in AUX)

    def is_on_its_own(self, place: int) -> bool:
        """Whether the object there belongs to another verb than the clause's: "counting them", "… or improve it"."""
        before = range(self.subject_from(place), place)
        return self.at(place - 1).endswith("ing") or any(self.at(p) in {"or", "and"} for p in before)

    def end_of_noun(self, place: int) -> int:
        """Where the words of a noun phrase end that begins at `place`."""
        end = place + 1
        while self.is_content(end):
            end += 1
        return end

    def is_inside(self, place: int) -> bool:
        """Whether a word there belongs to a larger noun phrase: the joints in "which property of the joints"."""
        return any(self.at(p) in PREPOSITIONS for p in range(place - 3, place))

    def is_demonstrative(self, place: int) -> bool:
        """Whether "that" there is no relative or conjunction, "those" no "models … and those …"."""
        word, before, after = self.at(place), self.at(place - 1), self.at(place + 1)
        if word == "those":
            return after == "" or after in BREAKS or not any(self.is_plural(p) for p in range(place))
        if word != "that":
            return True
        if after == "of":
            return not any(self.is_content(p) for p in range(place))
        ends_in_verb = before in {"do", *_HAVE} and any(self.at(p) in AUX for p in range(place - 1))
        if ends_in_verb and (after in BE or self.is_content(place + 1)):
            return False  # "What can X do that Y cannot?"
        ends = after == "" or after in BREAKS
        stands_for_noun = before == "" or before in PREPOSITIONS | AUX | {"and", "or", "to", "why", "how"}
        return ends or stands_for_noun or (after in PREPOSITIONS and before not in THIS)

    def after_a_clause(self, place: int) -> bool:
        """Whether enough was said in the clauses before that of `place` for "this" to mean that."""
        return sum(self.is_content(p) for p in range(place) if self.clauses[p] < self.clauses[place]) > 1


def _is_abbreviation(token: str) -> bool:
    return 1 < len(token) <= _LONGEST_ABBREVIATION and token.isupper() and token.lower() in _LIKE_NAMES
