"""Prompts as data: one Markdown file a prompt, with a version, and exactly the variables it declares.

    version: 1

    ## system
    …
    ## user
    … $question …

`load("answer").messages(question=…, evidence=…)` demands exactly the `$names` that stand in the file. Prompt.id
(`answer@1:6ff2073a`) travels in every Answer. Knows nothing of models or papers.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

_SECTION = re.compile(r"^## (system|user|assistant)\s*$", re.MULTILINE)
_VERSION = re.compile(r"\Aversion: (\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One versioned prompt: sections of (role, template), in order."""

    name: str
    version: int
    sections: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """Name, version and a digest of the text: `answer@1:6ff2073a`."""
        text = "\n".join(f"{role}\n{body}" for role, body in self.sections)
        return f"{self.name}@{self.version}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def variables(self) -> frozenset[str]:
        """Names that `messages` must be given."""
        return frozenset(name for _, body in self.sections for name in Template(body).get_identifiers())

    def messages(self, **values: str) -> list[tuple[str, str]]:
        """(role, text) pairs as LangChain takes them; a `$` inside a value stays as it is.

        Raises:
            TypeError: a variable is missing, or one was given that the prompt does not have.
        """
        if values.keys() != self.variables:
            raise TypeError(f"prompt {self.name!r} takes {sorted(self.variables)}, not {sorted(values)}")
        return [(role, Template(body).substitute(values)) for role, body in self.sections]


@cache
def load(name: str) -> Prompt:
    """The prompt in `<name>.md` beside this file.

    Raises:
        FileNotFoundError: there is no such prompt.
        ValueError: the file has no version line or no section.
    """
    text = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8")
    version = _VERSION.search(text)
    parts = _SECTION.split(text)
    if version is None or len(parts) < 3:
        raise ValueError(f"prompt {name!r} needs a first line 'version: N' and a section '## user'")
    sections = tuple((parts[i], parts[i + 1].strip()) for i in range(1, len(parts), 2))
    return Prompt(name, int(version.group(1)), sections)
