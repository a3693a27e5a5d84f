"""Drafts to train on: what a model itself writes in answer to the bank's questions, for somebody to read: `python -m
eval drafts`.

    python -m eval drafts --data FILE --write DRAFTS [-n N] [--seed S]     JSON lines; `label` is left open
    python -m eval drafts --data FILE --read DRAFTS                        those with a label go into the bank

A question is answered from a library of all the bank's papers by a Footnote that never declines, neither rewrites nor
quotes, and whose sentences nobody checks but words, so that there are wrong ones among them. FOOTNOTE_MODEL__NAME and
FOOTNOTE_MODEL__TEMPERATURE say which model writes and how freely. A label is supported (the source says all of it),
contradicted or neither. The bank's 905 were written by Qwen2.5-Coder-1.5B at temperature 0 and 0.9 and by the 0.5B at
0, and read by a language model of another kind (no person) under strict orders: a part that is not said makes it
neither.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.broken import unread
from eval.cases import CaseError, objects
from eval.fits.bank import BANK, Asked, Group, read_bank, taken_over
from eval.fits.bank_library import library_of
from rag import Claim, Rag
from rag.cli import add_common_options, positive, settings_from, tell

UNCHECKED = {"abstain_threshold": 0.0, "rewrites": False, "further_quotes": 0, "second_opinion": False}
"""Settings of answers that hold what the model wrote and words alone have seen."""
LABELS = ("supported", "contradicted", "neither")
_PARTS = ("papers", "questions", "claims", "drafts")


def add_to(commands: Any) -> None:
    """Add `drafts` to the command line."""
    parser = commands.add_parser(
        "drafts",
        help="sentences that a model writes in answer to the bank's questions, to be labelled and trained on",
        description="Titles and abstracts are looked up in a file of them.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="JSON lines with title and abstract")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="DRAFTS", help="ask, and write the sentences there")
    what.add_argument("--read", type=Path, metavar="DRAFTS", help="put those that have a label into the bank")
    parser.add_argument("-n", type=positive, default=100, metavar="N", help="questions to ask (default: 100)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="draws the questions (default: 0)")
    add_common_options(parser)
    parser.set_defaults(action=_run)


def _run(options: argparse.Namespace) -> int:
    if options.read and not options.read.is_file():
        raise CaseError(f"There is no file {str(options.read)!r}.", "Give the one that --write wrote, with labels.")
    if options.write and (options.write.exists() or not options.write.parent.is_dir()):
        fault = "is there already" if options.write.exists() else "lies in no folder that is there"
        raise CaseError(f"{str(options.write)!r} {fault}.", "Give a new file in a folder that exists.")
    groups = read_bank(options.data)
    if options.read:
        count = keep(options.read, groups)
        tell(f"{count} labelled drafts put into {BANK.name}.")
        return 0
    opened = Rag.open(settings_from(options), report=tell)
    encoder: Any = opened.retriever.encoder
    with library_of(groups, encoder) as bank, options.write.open("x", encoding="utf-8") as file:
        asking = Rag(retriever=bank.retriever, model=opened.model, checker=opened.checker, settings=opened.settings)
        rag = unread(asking.with_settings(answer=UNCHECKED), "looks", "judge")
        for number, asked in enumerate(drawn(groups, options.n, options.seed), start=1):
            rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in written(rag, asked, groups))
            file.writelines(rows)
            file.flush()
            if number % 25 == 0:
                tell(f"{number} of {options.n} questions asked …")
    tell(f"Written to {options.write}. Give each line a label, then: --read {options.write}")
    return 0


def drawn(groups: Sequence[Group], count: int, seed: int) -> list[Asked]:
    """`count` of the bank's questions but lists, or as many as there are."""
    asked = [one for group in groups for one in group.asked if one.kind != "list"]
    random.Random(seed).shuffle(asked)  # noqa: S311  (sampling, not secrets)
    return asked[:count]


def written(rag: Rag, asked: Asked, groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    """A row for each sentence of the answer that is the model's own and cites one paper; `label` is None."""
    for claim in rag.ask(asked.question).claims:
        place = None if claim.is_quote or claim.verdict == "unsupported" else _place(claim, groups)
        if place is not None:
            group, paper, numbers = place
            sentences = groups[group].sentences[paper]
            yield {
                "question": asked.question, "title": groups[group].papers[paper].title,
                "source": [sentences[number - 1] for number in numbers], "sentence": claim.text, "label": None,
                "group": group, "paper": paper, "sentences": numbers,
            }  # fmt: skip


def _place(claim: Claim, groups: Sequence[Group]) -> tuple[int, int, list[int]] | None:
    """Group, paper and sentences that `claim` cites; None where these are of several papers, or cut otherwise."""
    papers = {citation.paper.id for citation in claim.citations}
    if len(papers) != 1:
        return None
    group, paper = map(int, papers.pop().split("-")[1:])
    numbered = {text: number for number, text in enumerate(groups[group].sentences[paper], start=1)}
    numbers = [numbered.get(citation.quote, 0) for citation in claim.citations]
    return (group, paper, numbers) if all(numbers) else None


def keep(path: Path, groups: Sequence[Group], bank: Path = BANK) -> int:
    """Put the labelled rows of `path` into `bank`, none twice; how many are new or have another label than before.

    Raises:
        CaseError: a line is no such row, not one of this bank, or its label is unknown; `bank` stays as it is.
    """
    rows = json.loads(bank.read_text(encoding="utf-8"))
    count = 0
    for place, row in objects(path):
        try:
            group, paper, numbers, label = row["group"], row["paper"], row["sentences"], row["label"]
            sentences = [groups[group].sentences[paper][one - 1] for one in numbers]
            if not numbers or min(numbers) < 1 or row["source"] != sentences:
                raise ValueError("its source is not these sentences of the bank")
            said = [part if isinstance(part, str) else list(part) for part in taken_over(row["sentence"], sentences)]
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise CaseError(f"{place} is no draft: {error!r}.", "Take lines that --write wrote.") from error
        if label is None:
            continue
        if label not in LABELS:
            raise CaseError(f"{place} has the label {label!r}.", f"One of {', '.join(LABELS)}.")
        drafts = rows[group].setdefault("drafts", [])
        known = next((draft for draft in drafts if draft[:3] == [paper, numbers, said]), None)
        if known is None:
            drafts.append([paper, numbers, said, label])
        count += known is None or known[3] != label
        if known is not None:
            known[3] = label
    bank.write_text(_as_text(rows), encoding="utf-8")
    return count


def _as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The bank as JSON with a question, a claim and a draft to a line."""
    return "[\n" + ",\n".join(f"{{{_parts(row)}}}" for row in rows) + "\n]\n"


def _parts(row: Mapping[str, Any]) -> str:
    first, *lists = [name for name in _PARTS if name in row]
    lines = [f'"{first}":{json.dumps(row[first], ensure_ascii=False)}']
    for name in lists:
        inside = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in row[name])
        lines.append(f'"{name}":[\n  {inside}\n ]')
    return ",\n ".join(lines)
