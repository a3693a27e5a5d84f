"""Answers and what they cite in the formats that people work on with: Markdown, BibTeX, RIS, JSON.

Every function takes what a conversation found, in order, and gives text; nothing found gives an empty document. A
claim that was weighed stands among the answers, and the papers for and against it count as cited.
What is written is read back by `rag.corpus`. Knows nothing of files.

Source: "Tame the BeaST" (N. Markey, 2009) for .bib; the RIS format specification (Research Information Systems, 2011).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from rag.corpus import braces, people
from rag.corpus.cleanup import FORMULA
from rag.language.terms import STOP_WORDS, words
from rag.schema import Answer, Paper

if TYPE_CHECKING:
    from rag.balance import Balance

    Finding = Answer | Balance

Format = Literal["markdown", "json", "bibtex", "ris"]
FORMATS: tuple[Format, ...] = ("markdown", "json", "bibtex", "ris")
SUFFIX: dict[Format, str] = {"markdown": ".md", "json": ".json", "bibtex": ".bib", "ris": ".ris"}

_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~$])")


def export(answers: Sequence[Finding], kind: Format) -> str:
    """`answers` in the format `kind`: whole ones as Markdown or JSON, the papers they cite as BibTeX or RIS.

    Raises:
        ValueError: `kind` is no format of FORMATS.
    """
    writers = {"markdown": markdown, "json": as_json, "bibtex": bibtex, "ris": ris}
    if kind not in writers:
        raise ValueError(f"{kind!r} is no export format; there are {', '.join(FORMATS)}.")
    return writers[kind](answers)


def markdown(answers: Sequence[Finding]) -> str:
    """Question, answer and numbered references with their quotes; markers count within each answer."""
    return "\n".join(
        _markdown_of(found) if isinstance(found, Answer) else _markdown_of_claim(found) for found in answers
    )


def as_json(answers: Sequence[Finding]) -> str:
    """A JSON list of receipts, of answers and of weighed claims: each can be checked with `rag.verify`."""
    receipts = [found.to_dict() for found in answers]
    return json.dumps(receipts, ensure_ascii=False, indent=2) + "\n"


def bibtex(answers: Sequence[Finding]) -> str:
    """One entry for each cited paper, in the order of first citation."""
    return bibtex_of(cited_papers(answers))


def bibtex_of(papers: Iterable[Paper]) -> str:
    """One entry for each of `papers`, with a key of its own; none gives ""."""
    keys: set[str] = set()
    return "\n".join(_bibtex_entry(paper, _unique_key(paper, keys)) for paper in papers)


def ris(answers: Sequence[Finding]) -> str:
    """One record for each cited paper, in the order of first citation."""
    return "\n".join(_ris_record(paper) for paper in cited_papers(answers))


def cited_papers(answers: Iterable[Finding]) -> list[Paper]:
    """The papers that `answers` cite, once each, in the order of first citation."""
    return list({paper.id: paper for found in answers for paper in _cited(found)}.values())


def _cited(found: Finding) -> list[Paper]:
    if isinstance(found, Answer):
        return [citation.paper for citation in found.citations]
    return [one.paper for one in (*found.supporting, *found.contradicting)]


def _markdown_of_claim(balance: Balance) -> str:
    lines = [f"## Claim: {_escaped(balance.claim)}", ""]
    for name, group in (("Supports it", balance.supporting), ("Contradicts it", balance.contradicting)):
        lines += [f"{name}: {len(group)}", ""]
        for one in group:
            lines.append(f"- {_reference(one.paper)}")
            lines.append(f"  > {_escaped(_one_line(one.evidence[0].sentence.text))}")
        lines += [""] if group else []
    return "\n".join([*lines, f"Silent: {balance.silent} of {balance.among}"]) + "\n"


def _markdown_of(answer: Answer) -> str:
    lines = [f"## {_escaped(answer.question)}", ""]
    if answer.standalone_question and answer.standalone_question != answer.question:
        lines += [f"*Understood as: {_escaped(answer.standalone_question)}*", ""]
    text = re.sub(r"\\\[(\d+)\\\]", r"[\1]", _escaped(answer.text))  # markers stay as they are
    lines += [text.replace("\n", "\n\n"), ""]
    if answer.notice:
        lines += [f"*{_escaped(answer.notice)}*", ""]
    for citation in answer.citations:
        lines.append(f"{citation.marker}. {_reference(citation.paper)}")
        lines.append(f"   > {_escaped(_one_line(citation.quote))}")
    return "\n".join(lines).rstrip() + "\n"


def _reference(paper: Paper) -> str:
    parts = [", ".join(map(_escaped, paper.authors)), f"*{_escaped(paper.title)}*"]
    parts += [_escaped(str(part)) for part in (paper.venue, paper.year) if part]
    if paper.doi:
        # Within a word an underscore is no markup: most DOIs stay as they can be copied.
        parts.append("doi:" + re.sub(r"(?<=\w)\\_(?=\w)", "_", _escaped(paper.doi)))
    elif paper.url:
        parts.append(f"<{paper.url}>" if not re.search(r"[<>\s]", paper.url) else _escaped(paper.url))
    return ". ".join(part for part in parts if part) + "."


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", html.escape(text, quote=False))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unique_key(paper: Paper, taken: set[str]) -> str:
    family = words(paper.authors[0].split(",")[0])[-1:] if paper.authors else []
    named = 1 if family and paper.year else 3  # one word of a title alone is soon another paper's
    first = [word for word in words(paper.title) if word not in STOP_WORDS][:named]
    base = "".join([*family, str(paper.year or ""), *first]) or "paper"
    base = re.sub(r"[^a-z0-9]", "", base) or "paper"
    key, count = base, 1
    while key in taken:
        count += 1
        key = f"{base}{count}"
    taken.add(key)
    return key


def _bibtex_entry(paper: Paper, key: str) -> str:
    fields = {
        "title": f"{{{_latex(paper.title)}}}",  # the braces keep its capitals
        "author": " and ".join(map(_bibtex_name, paper.authors)),
        "year": str(paper.year or ""),
        "journal": _latex(paper.venue or ""),
        "abstract": _latex(paper.abstract),
        "keywords": _latex(", ".join(paper.keywords)),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    # Addresses are read as they stand: escaping would break them.
    addresses = {"url": paper.url, "doi": paper.doi}
    lines += [f"  {name} = {{{re.sub(r'[{}]', '', value)}}}," for name, value in addresses.items() if value]
    return "\n".join([f"@article{{{key},", *lines, "}"]) + "\n"


def _bibtex_name(name: str) -> str:
    """One name, in one form: braces keep together what a comma or an "and" would take apart."""
    return f"{{{_latex(name)}}}" if re.search(r",|\band\b", name, re.IGNORECASE) else _latex(name)


def _latex(text: str) -> str:
    """`text` with the characters escaped that LaTeX reads as its own, formulas left alone, and every brace balanced."""
    parts = FORMULA.split(_one_line(text))
    return braces.escaped(
        "".join(part if i % 2 else re.sub(r"(?<!\\)([&%#_$])", r"\\\1", part) for i, part in enumerate(parts))
    )


def _ris_record(paper: Paper) -> str:
    pairs = [("TY", "JOUR"), ("TI", paper.title)]
    pairs += [("AU", people.family_first(author)) for author in paper.authors]
    pairs += [("PY", str(paper.year or "")), ("JO", paper.venue or ""), ("AB", paper.abstract)]
    pairs += [("KW", word) for word in paper.keywords]
    pairs += [("UR", paper.url or ""), ("DO", paper.doi or "")]
    lines = [f"{tag}  - {_one_line(value)}" for tag, value in pairs if value]
    return "\n".join([*lines, "ER  - "]) + "\n"
