"""Reads a library of papers, whatever format its files are in: `read_library(path)`.

One module a format turns text into entries; `entry` checks and cleans them, `duplicates` merges what is there twice
and gives out ids. A format is added by a module with `matches` and `read` and a line in `FORMATS`. Does not know what
becomes of the papers.
"""

from __future__ import annotations

import gzip
import io
import re
import shlex
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.corpus import bibtex, daily, jsonl, ris, table, tagged
from rag.corpus.cleanup import clean
from rag.corpus.duplicates import corpus_digest, distinct, paper_id
from rag.corpus.entry import Entry, Fault, NoAbstract, paper_from
from rag.errors import CorpusError
from rag.schema import Paper

__all__ = [
    "FORMATS",
    "Fault",
    "Format",
    "NoAbstract",
    "clean",
    "corpus_digest",
    "distinct",
    "library_files",
    "paper_id",
    "parse",
    "read_library",
    "without_papers",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing down papers: how its files are named, how its text looks, how it is read."""

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[str], bool]
    """Whether a text looks like this format."""
    read: Callable[[str], Iterator[Entry | Fault]]
    may_be_bare: bool = False
    """Whether reference managers and databases write it: of what these know, not everything has an abstract."""


FORMATS = (
    Format("JSON", (".jsonl", ".ndjson", ".json"), jsonl.matches, jsonl.read),
    Format("RIS", (".ris",), ris.matches, ris.read, may_be_bare=True),
    Format("BibTeX", (".bib",), bibtex.matches, bibtex.read, may_be_bare=True),
    Format("PubMed", (".nbib", ".medline"), tagged.MEDLINE.matches, tagged.MEDLINE.read, may_be_bare=True),
    Format("Web of Science", (".ciw",), tagged.WEB_OF_SCIENCE.matches, tagged.WEB_OF_SCIENCE.read, may_be_bare=True),
    Format("EndNote", (".enw",), tagged.ENDNOTE.matches, tagged.ENDNOTE.read, may_be_bare=True),
    Format("CSV", (".csv", ".tsv"), table.matches, table.read, may_be_bare=True),
    Format("daily papers", (".txt",), daily.matches, daily.read),
)
"""All formats, in the order in which a text of unknown kind is held against them."""

_REMEDY = "Mend the entry or take it out, and run again; `footnote library add --dry-run {}` tells of all."
_FOREIGN = re.compile(r"^(?:(?P<PubMed>PMID: \d+)|(?P<arXiv>\\\\\narXiv:\d{4}\.))", re.MULTILINE)
_GZIP = b"\x1f\x8b"


def read_library(
    path: Path,
    pass_over: Callable[[str], None] = lambda _where: None,
    merged: Callable[[int], None] = lambda _entries: None,
) -> tuple[Paper, ...]:
    """All papers of a file, or of the files in a folder and its subfolders, cleaned and without duplicates.

    A file's format is told by its suffix; a .txt file or one with another suffix by its content. Compressed files
    (.gz) are read as well. Of a folder, files with a known suffix are read in the order of their names; others, hidden
    and empty ones and a .txt that looks like no format (notes) are passed over. `Paper.source` is the file's name,
    within a folder its path from there.

    Args:
        path: the file or the folder.
        pass_over: told of each entry without an abstract that a reference manager or database wrote, with its file,
            line and title; of such an entry there is nothing to answer from.
        merged: told how many entries are of a paper that another entry gives, too.

    Raises:
        CorpusError: the path is missing, not UTF-8, of no known format or without papers, or an entry is malformed
            (the first is named with file, line, field and what was expected, the others are counted).
    """
    files = library_files(path)
    papers: list[Paper] = []
    faults: list[str] = []
    passed_over = 0
    for file in files:
        source = file.name if file == path else file.relative_to(path).as_posix()
        for found in parse(_bytes(file), str(file), source, in_folder=file != path):
            if isinstance(found, Paper):
                papers.append(found)
            elif isinstance(found, NoAbstract):
                passed_over += 1
                pass_over(f"{source}, {found}")
            else:
                faults.append(f"{source}, {found}")
    if faults:
        others = f" ({len(faults) - 1} more like this)" if len(faults) > 1 else ""
        raise CorpusError(f"{faults[0].rstrip('.')}{others}.", _REMEDY.format(shlex.quote(str(path))))
    if not papers:
        raise without_papers(str(path), passed_over)
    kept = distinct(papers)
    merged(len(papers) - len(kept))
    return kept


def without_papers(name: str, passed_over: int) -> CorpusError:
    """Says that there is no paper in what is called `name`, of which so many entries have no abstract."""
    of_several = f": none of its {passed_over} entries has an abstract"
    why = {0: "", 1: ": its only entry has no abstract"}.get(passed_over, of_several)
    return CorpusError(f"{name!r} holds no paper{why}.", "Give a file that has titles and abstracts.")


def library_files(path: Path) -> list[Path]:
    """The files that `path`, a file or a folder, is read from.

    Raises:
        CorpusError: there is nothing, or no file of a known suffix.
    """
    if not path.exists():
        raise CorpusError(
            f"There is no library at {str(path)!r}.", "Check the path, or leave it out for the bundled one."
        )
    if not path.is_dir():
        return [path]
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and _format_of_name(file) and not any(p.startswith(".") for p in file.relative_to(path).parts)
    ]
    if not files:
        raise CorpusError(f"The folder {str(path)!r} holds no library file.", f"Put one there: {_known_suffixes()}.")
    return files


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{str(file)!r} cannot be read: {error}.", "Check the file and its permissions.") from error


def parse(
    data: bytes, name: str, source: str, most_bytes: int | None = None, *, in_folder: bool = False
) -> Iterator[Paper | Fault]:
    """The entries of one file's content as papers without ids, duplicates and all, and what is wrong with others.

    Args:
        data: the content, perhaps compressed.
        name: the file's name: its suffix tells the format, and errors name it.
        source: what becomes `Paper.source`.
        most_bytes: how long the decompressed content may be.
        in_folder: it is one of a folder's files: an empty one, and a .txt that looks like no format, hold nothing.

    Raises:
        CorpusError: it is empty, too long, not UTF-8, of no known format, or a listing that no format can be told of.
    """
    text = _text(data, name, most_bytes)
    if not text.strip() and in_folder:
        return
    if not text.strip():
        raise CorpusError(f"The library file {name!r} is empty.", "Fill it or give another.")
    chosen = _format_of(Path(name), text)
    if in_folder and chosen.read is daily.read and not daily.matches(text):
        return
    if chosen.read is daily.read and (foreign := _FOREIGN.search(text)):
        raise CorpusError(
            f"{name!r} looks like a listing of {foreign.lastgroup}, which does not tell titles from the rest.",
            "Save it as RIS, BibTeX or, from PubMed, in the format PubMed.",
        )
    for found in chosen.read(text):
        yield paper_from(found, source, may_be_bare=chosen.may_be_bare) if isinstance(found, Entry) else found


def _format_of_name(file: Path) -> Format | None:
    name = file.name.casefold().removesuffix(".gz")
    return next((known for known in FORMATS if name.endswith(known.suffixes)), None)


def _format_of(file: Path, text: str) -> Format:
    """The format by suffix; .txt says nothing about what is in it, so there the content decides, as without one."""
    named = _format_of_name(file)
    if named is not None and ".txt" not in named.suffixes:
        return named
    seen = next((known for known in FORMATS if known.matches(text)), named)
    if seen is None:
        shape = "a title, a blank line, its abstract, a blank line, and so on"
        raise CorpusError(f"The format of {str(file)!r} is not known.", f"Known are: {_known_suffixes()}; or {shape}.")
    return seen


def _known_suffixes() -> str:
    return ", ".join(f"{known.name} ({', '.join(known.suffixes)})" for known in FORMATS)


def _text(data: bytes, name: str, most_bytes: int | None) -> str:
    """The content as text with newlines as its only line ends, decompressed if need be."""
    try:
        if data.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:  # no further than allowed: a megabyte can hold many
                data = file.read() if most_bytes is None else file.read(most_bytes + 1)
        if most_bytes is not None and len(data) > most_bytes:
            raise CorpusError(f"{name!r} is longer than {most_bytes / 1e6:.0f} MB.", "Divide it into smaller files.")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name!r} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{name!r} cannot be read: {error}.", "Check the file and its permissions.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
