"""Recognises a question about the whole library, and what it asks of a paper: "Which papers build on A*?" asks whether
it does "build on A*".

A question is about the whole library where it asks for papers in the plural, or for any there may be: "Which papers
…", "How many abstracts …", "List all works on …", "Is there anything about …?", "I'm looking for papers that …". A
question for one paper ("Which paper introduces …?") is not, nor one about papers that were named before ("Which of
them …?").

Knows texts; nothing of papers or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLURAL = frozenset("papers abstracts works articles studies publications".split())
_MASS = frozenset("work research literature".split())
_NOUN = r"(?:papers?|abstracts?|works?|articles?|study|studies|publications?|research|literature)"
_TEAMS = r"(?:authors|teams|research groups|researchers|projects)"
_HERE = r"(?:here|(?:in|from) (?:this|the|my|our|your) (?:library|collection))"
_AUXILIARY = r"(?:do|does|did|is|are|was|were|can|says?)"

_COURTESY = re.compile(
    r"^\W*(?:(?:and|so|now|ok|okay|hi|hello|please|just)\b[\s,]*)*"
    r"(?:(?:can|could|would) you\b(?: please)?\s*)?(?:(?:please )?(?:tell me|let me know)\b[\s,:]*)?"
    r"(?:i(?:['’]d| would) like to know|i want to know|i wonder|do you know(?! of))?\s*",
    re.IGNORECASE,
)
_WANTED = re.compile(
    r"(?:i(?:['’]d| would) like(?: to (?:see|read|find|have))?|i want(?: to (?:see|read|find))?|i need"
    r"|(?:(?:i(?:['’]m| am)|we(?:['’]re| are)) )?(?:looking for|searching for|collecting)|do you know of"
    r"|point me to|send me|get me|(?:show|find|give)(?: me)?|list|name|count|enumerate)\b\s*"
    r"(?:(?:a|the)\s+(?:\w+\s+)?(?:list|overview|number)\s+of\b\s*)?",
    re.IGNORECASE,
)
_SCOPE = re.compile(
    r"(?:(?:out )?of|from|among|amongst|in|within|across)\s+(?:all\s+)?(?:(?:the|these|those|this|my|our|your)\s+)?"
    r"(?:\d+\s+)?(?:papers|abstracts|works|articles|studies|library|collection)"
    rf"(?:\s+(?:{_HERE}|(?:that )?(?:you|we) have))?\s*,?\s+(?=(?:which|what|who|how many|is|are|any|anything)\b)",
    re.IGNORECASE,
)
_SCOPED = re.compile(r"(?:which|what|who|how many)(?:\s+(?:ones?|of them))?\s+(?=\w)", re.IGNORECASE)
_QUANTITY = re.compile(
    r"(?P<how>which|what|in\s+(?:which|what|how many)|how many|any|all|every|each|(?:are|is) there"
    r"|(?:do|have) (?:we|you|i)(?: have| got)?|got|(?:do|does|did|has|have|is|are)(?=\s+any\b))"
    r"(?: are (?:all )?the)?"
    rf"(?P<kind>(?:\s+(?!{_AUXILIARY}\b)[\w'-]+){{0,5}}?)\s+(?P<noun>{_NOUN}|{_TEAMS})\b"
    r"(?!\s+(?:best|better|well|worse|fastest)\b)",
    re.IGNORECASE,
)
_NO_KIND = rf"(?:{_AUXILIARY}|both|two|three|between|with|about)"
_KIND_AND_NOUN = re.compile(
    rf"(?P<kind>(?:(?!{_NO_KIND}\b)[\w'-]+\s+){{0,5}}?)(?P<noun>{_NOUN}|{_TEAMS})\b", re.IGNORECASE
)
_OPEN = re.compile(
    r"(?:(?:(?:is|are) there|(?:do|have) (?:we|you)(?: have| got)?|got)\s+)?(?:anything|everything|something)"
    rf"(?: {_HERE}| in here)?"
    rf"|(?:what (?:have you got|do (?:you|we) have|is there|can i read)|what['’]s there)(?: {_HERE})?",
    re.IGNORECASE,
)
"""The same without a word for papers: "Anything on …", "What have you got about …?"."""
_ANYONE = re.compile(
    rf"(?:has|have|does|do|did)\s+(?:(?:anyone|anybody)(?:\s+{_HERE})?|anything\s+{_HERE})\s+(?=\w)"
    r"|(?:anyone|anybody)\s+(?=\w+ing\b)",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"(?P<noun>{_NOUN})\s+(?=(?:that|which|on|about|using|with|where|in which|dealing|taking|based)\b)",
    re.IGNORECASE,
)
_KIND_ALONE = re.compile(
    r"(?!compare|summar|explain|describ|discuss|contrast|(?:the|how|why|which|what)\b)"
    rf"(?P<kind>(?:(?!{_NO_KIND}\b|(?:these|those|this|that|of|from|and|or|in|on)\b|(?:how|why|whether|when|where)\b)"
    r"[\w'-]+\s+){1,4})"
    r"(?:papers|abstracts|works|articles|studies|publications)\W*$",
    re.IGNORECASE,
)
"""Typed in haste: "minecraft papers"."""
_OF_THESE = re.compile(
    r"(?:which|what)\s+(?:ones?|of (?:these|them|those))\s+(?=\w)"
    r"|how many(?:\s+of (?:these|them|those))?\s+(?=(?:use|have|do|are|were|say|show|report|train|test|need)\b)"
    r"|(?:are|is) there (?:any|one|some)\s+(?=(?:that|which)\b)|(?:all )?(?:the )?ones\s+(?=(?:that|which)\b)",
    re.IGNORECASE,
)
"""Where nothing was said before, these can only be the papers of the library."""
_WHO = re.compile(
    r"who\s+(?:else\s+|here\s+)?(?=[a-z]+s\b)(?!(?:is|was|has|does|this)\b)(?!.*\b(?:the|its|it)\b)", re.IGNORECASE
)
"""Whoever it may be: "Who learns from videos?", not "Who wins the game?"."""
_METHODS = re.compile(
    r"(?:which|what)\s+(?:(?:of\s+(?:the|these|all)\s+)?(?:methods|algorithms|approaches|techniques|systems)"
    r"|of\s+(?:the|these|all)\s+(?:benchmarks|datasets|models|agents))(?:\s+here)?\s+"
    r"(?=(?:involve|use|make use|rely|build|combine|employ|report|need|require|claim|achieve|come|train|learn|handle|go"
    r"|deal|draw|exploit|depend|assume)\b)",
    re.IGNORECASE,
)
"""What methods do, their papers do: "Which methods use adversarial training?", not "Which methods does X beat?"."""
_WHO_DID = re.compile(
    r"who\s+(?:(?:has|have|else has)\s+(?=(?:[a-z]+ed|made|built|shown|done|put|run|gone)\b)"
    r"|(?=(?:used|tried|tested|studied|released|built|trained|made)\s+(?:an?|any|no)\b))",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"where\s+(?=(?:does|do|can)\s+(?:an?|any)\b"
    r"|(?:does|do|is|are|can)\s+(?:an?|any|people|humans|somebody|someone)\b.*\b"
    r"(?:papers|abstracts|articles|studies|publications|literature|library|collection"
    r"|used?|report(?:ed)?|discuss(?:ed)?|mention(?:ed)?|described?|evaluated?|tested|trained)\b)",
    re.IGNORECASE,
)
"""What is so, and what people do, is asked of papers where it is what these do: "Where is a robot used?", not "Where is
a stent placed?".
"""
_OF_WHAT = re.compile(r"(?:on|about|with|that|which|who|where|in which|using|concerning|regarding)\b", re.IGNORECASE)
_IN_WHAT = re.compile(
    r"(?!ones?\b|of\b)\S+\s(?:.+\s)?(?:in|across|from|among|amongst|within|throughout|over)\b", re.IGNORECASE
)
"""The kind is no kind of papers but of what stands in them: "How many patients in both studies died?"."""
_BEFORE_WORKS = frozenset(
    """
    the our your my recent early earlier earliest prior previous related relevant similar new newer newest old older
    other existing current classic seminal later latest theoretical empirical experimental several many multiple few
    two three four five
    """.split()
)
"""Of words that are no noun in the plural, those after which "works" are papers."""
_END = r"(?:\s+(?:\w+ly|even|only|also|just))?(?:\s*(?:[?.!]|$)|\s+(?:"
_VERB_BEFORE = r"against|without|for|when|if(?! any)|once|despite|regardless|best|better|well|worse|fastest"
_AFTER_A_VERB = re.compile(rf"{_END}{_VERB_BEFORE})\b)", re.IGNORECASE)
_AFTER_EITHER = re.compile(
    rf"{_END}{_VERB_BEFORE}|in|on|at|as|with|to|by|from|over|under|across|through|during)\b)", re.IGNORECASE
)
"""What may follow "works": where only a verb takes it, and where "works on whales" may be papers, too."""
_ONE_OF_ANY = re.compile(r"\b(?:every|each|any|all|a|an|some|no|single)\b", re.IGNORECASE)
_OF_SOMEBODY = re.compile(r"\s+(?:of|behind|wrote|from|at|in|on|worked|published)\b", re.IGNORECASE)
_FOLLOWING = re.compile(
    rf"(?:\s+(?:{_HERE}|(?:that )?(?:you|we) have|do you (?:have|know)|are there|is there|exists?|there are"
    r"|has been done|was done))*",
    re.IGNORECASE,
)
_IF_ANY = re.compile(r"^\s*,? if (?:any|at all),?\s*", re.IGNORECASE)
_AND_WHICH = re.compile(
    r",?(?: and)?,?(?: if so,?)?(?: and)? (?:which|what)(?: ones?)?(?: (?:are|were) (?:they|these|those))?$"
    r"|,? (?:please|thanks|thank you|if any)$",
    re.IGNORECASE,
)
_PLACE = re.compile(rf"\s*\b{_HERE}$", re.IGNORECASE)
_ANOTHER_QUESTION = re.compile(r"[:,–—]\s*(?:what|how|why|which|who|when|where|do|does|is|are)\b", re.IGNORECASE)
_NOTHING_MORE = re.compile(
    r"^(?:(?:and )?(?:which|what)(?: (?:ones?|papers))?(?: (?:are|is|do|does) (?:they|these|those|that|it|so|there))?"
    r"|what (?:do you have|have you got|is there)"
    r"|(?:please )?(?:name|list|show) (?:me )?(?:them|all)(?: of (?:it|them))?|if so,? which(?: ones?)?"
    r"|thanks|thank you)?\W*$",
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"^\W*(?:i(?:['’]m| am)|we(?:['’]re| are)) "
    r"(?:interested in|looking (?:for|into|at)|working on|reading (?:up )?(?:on|about))"
    r" (?P<topic>[^.!?]+)[.!?]\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_HEADED = re.compile(
    r"^\W*(?P<topic>[\w][\w /+*'’-]{2,60}):\s+(?P<rest>(?:in )?(?:which|what|how many|any|list)\b.*)$", re.IGNORECASE
)
"""The topic in front: "Graph pooling: which papers introduce it?"."""
_SOME_DO = re.compile(
    r"^\W*(?:(?:there are (?:some |several |many |a few )?|(?:some|certain|several|many|a few|other) (?:of the )?)"
    r"(?:authors|people|researchers|teams|papers|abstracts|works|articles|studies)|people|researchers|authors)"
    r"(?: (?:that|who|which))? (?P<topic>[^.!?]+)[.!?]\s+(?:and )?"
    r"(?:which|what|list)(?: (?:papers|abstracts|works|ones|of them))?"
    r" (?:are|is|do|does|did|say)? ?(?:that|those|these|they|it|so|this)\W*$",
    re.IGNORECASE,
)
"""First what some do, then which do it: "Some authors promise code for later. Which papers are that?"."""
_POINTER = re.compile(r"\b(?:it|this|that|them|these|those)\b", re.IGNORECASE)
_NAMED_AFTER = re.compile(r"\bin\s+(?:which|what|how many)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """`text`: what is asked of a paper, in the words of the question, "" where `kind` says it all.

    `kind`: the words in front of the word for papers, as "survey" in "Which survey papers …?". `is_within`: it is
    asked of what stands in a paper, as in "In which papers can a person step in?".
    """

    text: str
    kind: str = ""
    is_within: bool = False


def list_question(question: str, *, is_first: bool = False) -> ListQuestion | None:
    """What is asked of each paper of the library; None for a question that is not about all of it.

    `is_first`: nothing was said before, so that "which of them" points to the library.

    "I'm interested in A*. Which papers build on it?" asks what "Which papers build on A*?" does, as does
    "Some authors build on A*. Which papers are these?".
    """
    some_do = _SOME_DO.match(question)
    question = f"Which papers {some_do['topic']}?" if some_do else question
    topic = _TOPIC.match(question) or _HEADED.match(question)
    if topic and not _NOTHING_MORE.match(topic["rest"]):
        found = _asked(topic["rest"], is_first=is_first)
        if found is None:
            return None
        pointed = _POINTER.sub(lambda _: topic["topic"], found.text, count=1)
        text = pointed if _POINTER.search(found.text) else topic["topic"]
        return ListQuestion(text, found.kind, found.is_within)
    return _asked(question, is_first=is_first)


def _asked(question: str, *, is_first: bool) -> ListQuestion | None:
    rest = question[_matched(_COURTESY, question) :]
    scope = _SCOPE.match(rest)
    rest = rest[scope.end() :] if scope else rest
    wanted = _WANTED.match(rest)
    after = rest[wanted.end() :] if wanted else rest
    if head := _OPEN.match(after):
        text = after[head.end() :].lstrip()
        return _found(text, "", "") if _OF_WHAT.match(text) else None
    if head := _ANYONE.match(after):
        return _found(after[head.end() :], "", "")
    if head := _QUANTITY.match(after) or (wanted and _KIND_AND_NOUN.match(after)):
        how = head.groupdict().get("how") or ""
        text = after[head.end() :]
        if _is_for_all(how, head["kind"], head["noun"], text):
            return _found(text, head["kind"], how)
    if head := _WHO.match(after):
        return _found(after[head.end() :], "", "")
    if head := _METHODS.match(after) or _WHO_DID.match(after):
        return _found(after[head.end() :], "", "")
    if head := _WHERE.match(after):
        return _found(after[head.end() :], "", "in which")
    if is_first and (head := _OF_THESE.match(after)):
        return _found(after[head.end() :], "", "")
    if head := _KIND_ALONE.match(after):
        return ListQuestion("", head["kind"].strip())
    if scope and (head := _SCOPED.match(after)):
        return _found(after[head.end() :], "", "")
    if head := _BARE.match(after):
        first, further = _sentences(after)
        is_alone = not further and not _ANOTHER_QUESTION.search(first)
        if is_alone and (head["noun"].lower() in _PLURAL or wanted):
            return _found(after[head.end() :], "", "")
    return None


def _is_for_all(how: str, kind: str, noun: str, text: str) -> bool:
    noun = noun.lower().split()[-1]
    if how.lower().endswith("how many") and _IN_WHAT.match(kind.strip()):
        return False
    if noun == "works" and how.lower() != "all" and _is_verb(kind.lower().split(), text):
        return False
    if noun in ("groups", "authors", "teams", "researchers", "projects"):
        return _OF_SOMEBODY.match(text) is None
    if noun in _PLURAL:
        return True
    if noun in _MASS:  # "which parts of the work" asks for none
        return len(kind.split()) < 3 and _OF_WHAT.match(text[_matched(_FOLLOWING, text) :].lstrip()) is not None
    return _ONE_OF_ANY.search(f"{how} {kind}") is not None


def _is_verb(kind: Sequence[str], text: str) -> bool:
    """Whether "works", between `kind` and `text`, is what something does: "Which drug works in children?"."""
    last = kind[-1] if kind else "the"
    may_be_papers = last in _BEFORE_WORKS or ("of" not in kind and re.search(r"[^sui]s$", last) is not None)
    return (_AFTER_A_VERB if may_be_papers else _AFTER_EITHER).match(text) is not None


def _found(text: str, kind: str, how: str) -> ListQuestion:
    text = text[_matched(_FOLLOWING, text) :]
    first, _ = _sentences(_IF_ANY.sub("", text))
    first = _AND_WHICH.sub("", first.strip(" \t?.!:;,"))
    return ListQuestion(_PLACE.sub("", first), kind.strip(), bool(_NAMED_AFTER.match(how)))


def _sentences(text: str) -> tuple[str, str]:
    """The first sentence, and what follows it: "… in this library? Name all of it." asks no more than "…"."""
    first, *further = re.split(r"[?!]\s|[.]\s(?=[A-Z])", text, maxsplit=1)
    return first, "".join(further)


def _matched(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
