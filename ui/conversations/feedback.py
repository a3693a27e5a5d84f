"""`footnote feedback`: what readers said of answers, listed or written as cases for `footnote eval`.

A case is a question with what is known of its right answer. From "up" that is the papers and sentences cited, the
facts of the answer, and the answer as the reference; or that it is to be declined. From "down" and "wrong source" it is
the question with the note as the reference: what a right answer has to say is to be filled in, and until then the case
fails, as the answer did. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag import Answer, Settings, counted
from rag.cli import run_safely
from ui.conversations.archive import ARCHIVE_FILE, Archive, Feedback
from ui.conversations.archive_file import ArchiveError
from ui.conversations.conversation import plain_text

TO_FILL_IN = "(fill in what a right answer has to say)"
_NUMBER = re.compile(r"(?<![\w.])\d[\d.,]*\w*%?")
_NAME = re.compile(r"\b[A-Z][\w-]*[A-Z0-9][\w-]*")
_WORD = re.compile(r"\w+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `footnote feedback …` and return the exit code."""
    parser = argparse.ArgumentParser(prog="footnote feedback", description="What readers said of answers.")
    parser.add_argument("action", nargs="?", default="list", choices=["list", "export"])
    parser.add_argument("--out", type=Path, metavar="FILE", help="for export: where to write (default: stdout)")
    return run_safely(lambda: _run(parser.parse_args(arguments)))


def cases(given: Sequence[Feedback]) -> Iterator[dict[str, Any]]:
    """One eval case for each opinion, asked in its stand-alone form, in the format of `eval.cases`."""
    for number, feedback in enumerate(given, start=1):
        answer = Answer.from_dict(feedback.receipt)
        case: dict[str, Any] = {
            "id": f"feedback-{number:03}",
            "type": f"feedback {feedback.opinion}",
            "question": answer.standalone_question or answer.question,
        }
        if feedback.opinion != "up":
            case["answers"] = [[TO_FILL_IN]]
            case["reference"] = feedback.note
        elif answer.status == "answered":
            case["papers"] = list(dict.fromkeys(citation.paper.title for citation in answer.citations))
            case["evidence"] = list(dict.fromkeys(citation.quote for citation in answer.citations))
            case["answers"] = [[fact] for fact in facts_of(answer)]
            case["reference"] = plain_text(answer)
        yield case  # rightly declined: a case without answers is one to decline


def facts_of(answer: Answer) -> list[str]:
    """What an answer as good as this one has to say, too: its numbers, else its names, else its longest word."""
    said = " ".join(claim.text for claim in answer.claims if claim.verdict == "supported") or plain_text(answer)
    numbers = [found.rstrip(".,") for found in _NUMBER.findall(said)]
    facts = numbers or _NAME.findall(said) or [max(_WORD.findall(said), key=len, default=said)]
    return list(dict.fromkeys(facts))


def _run(options: argparse.Namespace) -> int:
    path = Settings().data_folder / ARCHIVE_FILE
    if not path.is_file():
        raise ArchiveError("There is no feedback yet.", "Readers give it below an answer of footnote chat.")
    archive = Archive(path)
    if archive.notice:
        raise ArchiveError(archive.notice)
    given = archive.feedback()
    archive.close()
    if options.action == "list":
        lines = [f"{item.opinion:12}  {item.receipt['question']}  {item.note}".rstrip() for item in given]
    else:
        lines = [json.dumps(case, ensure_ascii=False) for case in cases(given)]
    written = "".join(f"{line}\n" for line in lines)
    if options.action == "export" and options.out is not None:
        try:
            options.out.write_text(written, encoding="utf-8")
        except OSError as error:
            raise ArchiveError(f"{str(options.out)!r} cannot be written: {error.strerror}.", "Name another.") from error
        written = f"{counted(len(lines), 'case')} in {options.out}\n"
    sys.stdout.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
