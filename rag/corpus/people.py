"""Names of people: which part comes first, and where one ends and the next begins in a list of them.

Knows no file format. What it cannot tell, it leaves as it came.
"""

from __future__ import annotations

import re

PARTICLE = r"(?:(?:van|von|der|den|de|di|da|del|della|la|le|el|al|bin|ten|ter|dos|du) )"
"""What belongs to a family name before it."""
_SUFFIX = re.compile(r"(?:[JS]r|I{2,3}|IV|PhD|MD)\.?")
_OF_A_FIRM = re.compile(r"(?:Inc|Ltd|LLC|GmbH|Corp|Co)\.?")
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\.?[ -]?){1,4}")
_OF_A_GROUP = re.compile(
    r"\b(?:team|labs?|laborator|universit|institut|group|consortium|collaboration|research|centre|center|society"
    r"|network|inc|ltd|llc|gmbh|corp|company|google|openai|deepmind|microsoft|meta|nvidia|ai|and|for|of|the)\b",
    re.IGNORECASE,
)
_GIVEN_AND_FAMILY = re.compile(rf"(?P<given>.+?) (?P<family>{PARTICLE}*\S+)")


def given_name_first(name: str) -> str:
    """A name in reading order: "Lovelace, Ada" as "Ada Lovelace", "King, Martin, Jr." as "Martin King, Jr.".

    One that stands in reading order already, "Martin King, Jr.", stays.
    """
    family, comma, rest = (part.strip() for part in name.partition(","))
    if not comma or not rest:
        return family
    if (" " in family and _SUFFIX.fullmatch(rest)) or _OF_A_FIRM.fullmatch(rest):
        return f"{family}, {rest}"
    given, _, suffix = (part.strip() for part in rest.partition(","))
    return f"{given} {family}" + (f", {suffix}" if suffix else "")


def family_first(name: str) -> str:
    """A person's name as catalogues have it, "Lovelace, Ada"; a group's, and one with a comma, stays as it is."""
    found = _GIVEN_AND_FAMILY.fullmatch(name)
    is_person = found and not re.search(r"[,;\d(]", name) and not _OF_A_GROUP.search(name)
    return f"{found['family']}, {found['given']}" if found and is_person else name


def divided(text: str) -> list[str]:
    """The names of a text without semicolons: "A. Roe, B. Doe", "Roe, A., Doe, B."; else it is one name."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > 1 and all(" " in part and not _SUFFIX.fullmatch(part) for part in parts):
        return parts
    if len(parts) > 3 and len(parts) % 2 == 0 and all(_INITIALS.fullmatch(part) for part in parts[1::2]):
        return [f"{given} {family}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    return [given_name_first(text)] if len(parts) < 3 or _SUFFIX.fullmatch(parts[-1]) else [text]
