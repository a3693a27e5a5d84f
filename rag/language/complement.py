"""A question for the papers that do *not*: "Which papers do not use A* search?", and its counterpart, "Which papers use
A* search?".

An abstract says what its paper does, and hardly ever what it does not do. No sentence could be quoted for a list of the
papers that do not; what words and meaning find for such a question are those that do, and listed they would be the
reverse of what was asked. So the counterpart is asked instead, and the reader told so: its list can be checked, and
what was wanted is among the rest.

Only a denial of what is asked of the papers makes a complement. "Which papers train without labels?", "… propose
methods that do not need labels?" and "… do not require labels?" ask for what abstracts say themselves. Of "use A* but
do not use B" what is not denied is asked.

Knows texts; nothing of papers or models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.language.list_question import ListQuestion

_SUBJECT = re.compile(r"^(?:that|which|who|they|it)\s+", re.IGNORECASE)
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whose|whom|where|when|if|because|how|what|why|while|whether)\b", re.IGNORECASE
)
_TOPIC = re.compile(r"(?:on|about|with|using|from|by|in|of|for|at|to|published|concerning)\b", re.IGNORECASE)
_AUXILIARY = r"(?:do|does|did|are|is|was|were|have|has|had|could)"
_DENIAL = re.compile(
    rf"\b(?:(?P<aux>{_AUXILIARY}|can)(?:\s+not|n['’]t)|(?P<can>can)(?:not|['’]t)|not|never)\b"
    r"(?!\s+(?:only|just|merely|simply|necessarily)\b)"
    # That something is not needed is what an abstract likes to say.
    r"(?!\s+(?:ever\s+)?(?:needs?|requires?|rely|relies|depends?|assumes?)\b)"
    r"(?:\s+(?:ever|at all)\b)?\s*",
    re.IGNORECASE,
)
_NOTHING = (
    (re.compile(r"^(?:makes?|contains?|have|has) no mention of\b", re.IGNORECASE), "mention"),
    (re.compile(r"^says? nothing(?: at all)? (?=(?:about|on|of)\b)", re.IGNORECASE), "say something "),
    (re.compile(r"^([\w-]+) no (.+) at all$", re.IGNORECASE), r"\1 \2"),
    (re.compile(r"^neither (.+) nor (.+)$", re.IGNORECASE), r"\1 or \2"),
    (re.compile(r"^([\w-]+) neither (.+) nor (.+)$", re.IGNORECASE), r"\1 \2 or \3"),
)
_CONTRAST = re.compile(
    rf",?\s+(?:but|yet|although|though|and(?=\s+(?:{_AUXILIARY}(?:n['’]t)?|never)\b))\s+", re.IGNORECASE
)
_OF_MANY = {"do": "", "does": "", "did": "", "is": "are", "was": "were", "has": "have"}


@dataclass(frozen=True, slots=True)
class Counterpart:
    """`question`: for the papers that do; `is_part`: it is what stands beside the denial, which is left out."""

    question: str
    is_part: bool = False


def counterpart(asked: ListQuestion) -> Counterpart | None:
    """What can be answered instead of a question for the papers that do not; None where it is no such question."""
    parts = _CONTRAST.split(_SUBJECT.sub("", " ".join(asked.text.split())), maxsplit=1)
    asserted = [_asserted(_SUBJECT.sub("", part), is_within=asked.is_within) for part in parts]
    if all(asserted):
        return Counterpart(_question(asked, " or ".join(said for said in asserted if said)))
    if any(asserted):
        return Counterpart(_question(asked, parts[asserted.index(None)]), is_part=True)
    return None


def _asserted(text: str, *, is_within: bool) -> str | None:
    """`text` without its denial; None where it denies nothing of the papers."""
    for pattern, instead in _NOTHING:
        if pattern.match(text):
            return pattern.sub(instead, text)
    found = _DENIAL.search(text)
    if found is None:
        return None
    before, aux = text[: found.start()], (found["aux"] or found["can"] or "").lower()
    is_of_topic = bool(aux) and _TOPIC.match(before) is not None
    if (before and not is_within and not is_of_topic) or _SUBORDINATE.search(before):
        return None
    kept = aux if is_within else _OF_MANY.get(aux, aux)
    return " ".join(f"{before} {kept} {text[found.end() :]}".split())


def _question(asked: ListQuestion, text: str) -> str:
    of_kind = f"{asked.kind} papers".lstrip()
    return f"{'In which' if asked.is_within else 'Which'} {of_kind} {text}?"
