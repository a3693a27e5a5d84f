"""Whether a question leans on something said before it: words whose antecedent it does not hold, or half a sentence.

A pronoun counts only where nothing before it in the question can be what it stands for, by the grammar of English:
number, the subject that an object cannot be ("Does OpenVLA use it?"), the asked-for thing that stands in front ("Which
tasks does it solve?"). So do half a sentence ("For wood?"), "the policy" in a short question that names nothing, and a
question of words that fit any research ("Which baselines were used?").

Knows English; nothing of papers, retrieval or what was said before.
"""

from __future__ import annotations

import re
from functools import cache

from rag.language.syntax import (
    AUX,
    BE,
    BREAKS,
    DETERMINERS,
    DO,
    PLURAL,
    PREPOSITIONS,
    SINGULAR,
    THIS,
    WH,
    Syntax,
    word_set,
)
from rag.language.terms import STOP_WORDS, stem

_TELL_APART = PREPOSITIONS - word_set("after before during in at than like") | word_set("that which who whose 's")
_LIBRARY = word_set(
    "paper papers abstract abstracts work works article articles publication publications library collection corpus"
    " study studies literature survey surveys review reviews researchers"
)
_ONE_PAPER = word_set("paper abstract article")
_ADJECTIVES_OF_IT = word_set(
    """
    hard harder difficult easy easier possible impossible necessary important useful better best enough worth
    safe true good bad cheap time clear known likely common feasible helpful sensible awkward harmful wasteful
    risky costly crucial essential desirable reasonable sufficient unclear challenging convenient tricky
    problematic tempting unlikely
    """
)
_WORDS_OF_RESEARCH = word_set(
    """
    accuracy achieve advantage agents algorithm application approach architecture assumption author available
    baseline benchmark best better change code come compare comparison comparable component compute condition
    cost cover data dataset demonstrate detail difference drawback drop effect end environment error evaluate
    evaluation example exact exactly experiment explain explanation fail failure fast finding find found gain
    general good hardware help hold idea improve improvement input involve kind large learn less limit
    limitation long look lose loss main make many mean measure method metric model much necessary need number
    numbers open outcome output parameter part percent percentage perform performance plan policy possible
    practice problem procedure prove purpose rate real reach reason release report require requirement result
    robust run sample scale score set setting setup show significant simulate simulated simulation size small
    source speed stage step strength succeed success suffer summary system take task technique tell test time
    tool train training try type use used useful validate value variant version way weakness well work worse
    annotator discover fare handle happen human involved obtain participant people person play role took user
    """
)
"""Words that fit any paper: a question of these alone has no subject of its own."""

_OPENER = re.compile(
    r"^\W*(?:(?:and|but|so|also|or)\b(?! that\b)|(?:what|how) about\b|what else\b|any(?:thing)? (?:else|other)\b"
    r"|as for\b|i mean(?:t)?\b|(?:yes|no|ok|okay|right|sure|thanks)\b(?=\W)|(?:tell me |say )?more\b(?! than\b)"
    r"|(?:further|additional) \w+\b|(?:go on|elaborate|continue|really|are you (?:sure|certain))\b(?=\W*$)"
    r"|(?:now|and|the)? ?\b(?:same|likewise|now|similarly)(?: question| thing)? (?:for|with|about|on|in|to)\b)",
    re.IGNORECASE,
)
_CONJUNCTION = re.compile(r"^\W*(?:and|but|so|also|or)\b\W*", re.IGNORECASE)
_OTHERS = word_set("other others former latter same")
_CLOSERS = word_set("then too either well instead again though")
_MEASURES = re.compile(
    r"^\W*(?:\w+ )?(?:(?:which|what) (?!(?:is|are|was|were)\b)|how (?:many|much|long|often)\b)", re.IGNORECASE
)
_DEFINES = re.compile(r"^\W*(?:what (?:is|are|'s|’s)|explain|define|describe)\b", re.IGNORECASE)
_OF_THE_LIBRARY = re.compile(
    r"\b(?:this|these|our|your|the) (?:library|collection|corpus|set|files|papers|abstracts|works|articles|studies)\b"
    r"|\ball (?:of )?(?:them|it|these|those)\b(?=\W*$)"
    r"|\b(?:name|list|show)(?: (?:each|all|every one) of)? them\b(?=\W*$)"
    r"|\b(?:which|what) (?:are|is) (?:they|it)\b(?=\W*$)|\b(?:each|every|any) ones?\b|\bmore than one\b",
    re.IGNORECASE,
)
"""Words that might point back, and here speak of the library, or of what the question itself asks for."""

_COMPARATIVES = word_set("better worse bigger larger smaller longer shorter faster slower higher lower fewer stronger")
_CONTRASTING = word_set("in with without for among at after before during under on within when if")
_MAKE = word_set("make makes keep keeps render renders")
_SUPERLATIVES = word_set("best most least worst whole")
_ONLY_ONES = word_set("world wild web internet past future time way one ones")
_HALVES = word_set("versus vs compared than except instead")
_MOST_SPECIFIC = 3
"""So many words of its own has a question at most in which "the policy" is one that was spoken of."""
_MANY_SPECIFIC = 6
"""From so many on a question describes a paper, and its "they" are the authors."""
_LONGEST_NOUN = 3
"""A longer noun phrase tells what it means by itself: "the closed world assumption problem"."""
_LONGEST_FRAGMENT = 3


def leans_back(question: str) -> bool:
    """Whether `question` is understood only with what was said before it."""
    if _OPENER.match(question) and not _goes_on_anew(question):
        return True
    read = _read(question)
    return (
        any(_is_unresolved(read, place) for place in range(len(read.said)))
        or _is_fragment(read)
        or _says_nothing_specific(read, question)
        or _names_what_is_known(read)
        or _compares_with_nothing(read)
    )


def may_lean_back(question: str) -> bool:
    """Whether `question` may lean on what was said before, though by its grammar it stands alone.

    It has no name, and a word that can point back or few words of its own: "Were real robots involved?". To be tried
    where nothing is found of the question alone.
    """
    read = _read(question)
    if read.names or (_LIBRARY - {"work", "works"}) & set(read.small):
        return False
    points = bool((SINGULAR | PLURAL | THIS | _OTHERS | {"there", "one", "ones"}) & set(read.small))
    return points or len(_specific(read)) <= _MOST_SPECIFIC


def asks_the_same(question: str) -> bool:
    """Whether `question` is half a sentence that asks of something else what was asked before: "And for wood?", "What
    about German?".
    """
    read = _read(_OPENER.sub("", question))
    return _is_without_verb(read) and not WH & set(read.small) and any(map(read.is_content, range(len(read.small))))


def _read(question: str) -> Syntax:
    """What grammar tells of `question`, where what speaks of the library is one word for it."""
    papers = " PAPERS " if question.isupper() else " papers "  # a shouted question stays one
    return Syntax.of(_OF_THE_LIBRARY.sub(papers, question))


def _goes_on_anew(question: str) -> bool:
    """Whether a whole question that names its subject follows the conjunction: "Also, what is GRUE?"."""
    rest, n = _CONJUNCTION.subn("", question)
    read = Syntax.of(rest)
    subject = any(read.at(p) in AUX and p + 1 in read.names for p in range(len(read.said)))
    return n > 0 and subject and read.at(0) in WH | AUX and not leans_back(rest)


def _is_unresolved(read: Syntax, place: int) -> bool:
    """Whether the word there stands for something that the question does not hold."""
    word, before, after = read.small[place], read.at(place - 1), read.at(place + 1)
    if word in SINGULAR | PLURAL:
        if word == "it" and _is_empty_it(read, place):
            return False
        is_authors = word in PLURAL and (_names_a_paper(read) or len(_specific(read)) >= _MANY_SPECIFIC)
        return not is_authors and not read.may_mean(place, is_plural=word in PLURAL)
    if word in THIS:
        return read.is_demonstrative(place) and not read.after_a_clause(place) and not _is_a_told_paper(read, place)
    if word == "there":
        near = {before, after, read.at(place + 2)}
        return after != "for" and not near & (BE | {"must", "exist", "remain"}) and not read.after_a_clause(place)
    if word in {"one", "ones"}:
        return _is_one_unresolved(read, place)
    if read.after_a_clause(place):
        return False
    if word in _OTHERS and before == "the":
        is_compared = word == "same" and ("as" in read.small[place:] or len(_specific(read)) >= _MOST_SPECIFIC)
        return not is_compared and not {"one", "two", "both", "or", "and"} & set(read.small[:place])
    if (word in {"either", "both"} and before in AUX) or (word, before) == ("two", "the"):
        is_counted = word == "two" and read.is_content(place + 1)
        return not is_counted and not {"and", "or"} & set(read.small)
    return _is_closer(read, place)


def _is_closer(read: Syntax, place: int) -> bool:
    """Whether it ends there with a word that adds to what was said: "Is the code released, too?"."""
    word = read.small[place]
    if word not in _CLOSERS or place == 0 or any(w not in BREAKS for w in read.small[place + 1 :]):
        return False
    is_short = word == "then" or len(_specific(read)) <= _MOST_SPECIFIC
    return is_short and (word != "well" or read.at(place - 1) == "as")


def _is_empty_it(read: Syntax, place: int) -> bool:
    """Whether "it" there stands for nothing: "Why is it hard to …", "it is time to …"."""
    takes = read.at(place + 1) in {"take", "takes", "took", "pay", "pays"} and "to" in read.small[place:]
    if takes or (read.at(place - 1) in BE and read.at(place + 1) == "that" and place > 1):
        return True
    ahead = [w for w in read.small[place + 1 : place + 4] if w not in AUX | {"not", "more", "so", "very"}]
    return bool(ahead) and ahead[0] in _ADJECTIVES_OF_IT and bool({"to", "that", "for"} & set(read.small[place + 2 :]))


def _is_one_unresolved(read: Syntax, place: int) -> bool:
    """Whether "one" there is no numeral, and nothing before says one of what: "the middle ones"."""
    if read.at(place - 1) == "which":
        place -= 1
    elif read.small[place] == "one":
        near = range(place - 1, max(-1, place - 5), -1)
        head = next((p for p in near if read.at(p) in {"the", "that", "this"}), None)
        if head is None or any(read.at(p) in BREAKS | PREPOSITIONS for p in range(head, place)):
            return False
        if head == place - 1 and read.is_content(place + 1):
            return False  # a numeral: "the one step"
        place = head
    return not any(read.is_content(p) for p in range(place) if read.clauses[p] <= read.clauses[place])


@cache
def _stems_of_research() -> frozenset[str]:
    return frozenset(map(stem, _WORDS_OF_RESEARCH))  # at first use: the stemmer is compiled code


def _specific(read: Syntax, start: int = 0, end: int | None = None) -> frozenset[str]:
    """Stems of the words that say what the question is about, of those from `start` to `end`."""
    places = range(len(read.small))[start:end]
    stems = (stem(part) for p in places if read.is_content(p) for part in read.small[p].split("-"))
    return frozenset(s for s in stems if s not in _stems_of_research() and s not in STOP_WORDS and not s.isdigit())


def _names_a_paper(read: Syntax) -> bool:
    """Whether it tells which paper it speaks of: "the jaywalking paper", "the work on soil"."""
    return any(
        word in _LIBRARY
        and (read.at(p + 1) in _TELL_APART or (read.is_content(p - 1) and stem(read.at(p - 1)) in _specific(read)))
        for p, word in enumerate(read.small)
    )


def _is_fragment(read: Syntax) -> bool:
    """Whether it is half a sentence: "For wood?", "At how many hertz?"."""
    if not _is_without_verb(read):
        return False
    starts = read.at(0) in PREPOSITIONS | _HALVES | {"any"} or read.small[:2] == ("why", "not")
    return starts or (
        read.at(0) in WH and len(_specific(read)) <= 1 and not read.names and not _LIBRARY & set(read.small)
    )


def _is_without_verb(read: Syntax) -> bool:
    """Whether it is too short for a question and has no auxiliary."""
    return sum(map(read.is_content, range(len(read.small)))) <= _LONGEST_FRAGMENT and not AUX & set(read.small)


def _says_nothing_specific(read: Syntax, question: str) -> bool:
    """Whether it fits any paper: "Which baselines were used?", "How much memory was needed?"."""
    if read.names or _LIBRARY & set(read.small) or read.at(0) == "who":
        return False
    if not _specific(read):
        return not (_DEFINES.match(question) and "the" not in read.small)
    is_passive = bool(BE & set(read.small)) and not (DETERMINERS | DO | {"there"}) & set(read.small)
    asks_how_much = _MEASURES.match(question) is not None
    return is_passive and asks_how_much and len(_specific(read)) == 1


def _names_what_is_known(read: Syntax) -> bool:
    """Whether a short question that names nothing speaks of "the policy" as of one that is known."""
    if read.names or len(_specific(read)) > _MOST_SPECIFIC:
        return False
    known = [place for place, word in enumerate(read.small) if word == "the"]
    if any(read.at(p + 1) in _ONE_PAPER and read.at(p + 2) not in _TELL_APART for p in known):
        return True
    return not _LIBRARY & set(read.small) and any(_is_bare(read, p) for p in known)


def _compares_with_nothing(read: Syntax) -> bool:
    """Whether a short question leaves out what it compares with: "Does it take longer with less data?"."""
    said = set(read.small)
    if read.names or (_LIBRARY | {"than", "or", "and"}) & said or len(_specific(read)) > _MOST_SPECIFIC:
        return False
    compared = [place for place, word in enumerate(read.small) if word in _COMPARATIVES]
    return bool(compared) and not _names_the_contrast(read, compared[0])


def _names_the_contrast(read: Syntax, compared: int) -> bool:
    """Whether what is more or less there, and where or by what, has its own words: "Is pain worse in winter?"."""
    own = {p for p in range(len(read.small)) if p != compared and _specific(read, p, p + 1)}
    for place, word in enumerate(read.small):
        if word in _CONTRASTING:
            ends = (p for p in range(place, len(read.small)) if p == compared or read.at(p) in BREAKS)
            phrase = set(range(place, next(ends, len(read.small))))
            if own & phrase and any(p < compared for p in own - phrase):
                return True
        if word in _MAKE and min(own, default=place) < place and any(map(read.is_content, range(place + 1, compared))):
            return True
    return False


def _is_bare(read: Syntax, place: int) -> bool:
    """Whether what "the" there begins is one to three words that nothing tells apart from others of their kind."""
    before = read.small[:place]
    is_after_a_clause = read.after_a_clause(place) and bool(AUX & set(before) or {"a", "an"} & set(before))
    if read.at(place - 1) == "of" or is_after_a_clause or read.at(place + 1) in _SUPERLATIVES:
        return False
    is_general = stem(read.at(place + 1)) in _stems_of_research()
    if read.at(place - 1) in DO and is_general and read.at(place + 2) not in _TELL_APART:
        return True  # "Can the approach handle longer horizons?"
    return read.end_of_noun(place) - place > 1 and not _is_told_apart(read, place)


def _is_told_apart(read: Syntax, place: int) -> bool:
    """Whether the noun phrase there says which thing it means: "the price of wood", "the world", a long compound."""
    end = read.end_of_noun(place)
    is_long = end - place > _LONGEST_NOUN + 1
    if end == place + 1:
        return False
    is_only = read.at(end - 1) in _ONLY_ONES
    # "What is the amortization gap?"
    is_defined = end == len(read.small) - 1 and read.at(1) in BE and place == 2 and len(_specific(read)) > 1
    return is_long or is_only or is_defined or (read.at(end) in _TELL_APART and read.at(end + 1) not in {"", *BREAKS})


def _is_a_told_paper(read: Syntax, place: int) -> bool:
    """Whether "that" there begins the description of a paper: "that review on tides", "that predator removal paper"."""
    end = read.end_of_noun(place)
    papers = [p for p in range(place + 1, end) if read.small[p] in _LIBRARY]
    return any(read.at(p + 1) in _TELL_APART or p > place + 1 for p in papers)
