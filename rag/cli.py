"""The `footnote` command: a function for each of its commands that is not a module of its own (`OTHER_DOORS`).

Reads arguments, prints results, turns errors into one line and exit code 2. Decides nothing itself.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CorpusError, FootnoteError
from rag.export import FORMATS, export
from rag.language.counts import counted
from rag.library import command as library
from rag.weights.progress import Terminal

if TYPE_CHECKING:
    from rag.pipeline import Rag
    from rag.schema import Answer, Hit
    from rag.settings import Settings
    from rag.weights import WeightsRow

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
_terminal = Terminal()
# Modules with a `main` of their own, imported by name when asked for: whoever uses `rag` as a library needs neither
# Gradio nor the eval suite.
OTHER_DOORS = {
    "chat": "ui.__main__",
    "eval": "eval.__main__",
    "exam": "eval.__main__",
    "auth": "ui.serving.accounts",
    "mcp": "ui.doors.mcp",
    "feedback": "ui.conversations.feedback",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (the process's own by default) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in OTHER_DOORS:
        # `footnote exam` is short for `footnote eval exam`.
        return _run_module(OTHER_DOORS[arguments[0]], arguments[0 if arguments[0] == "exam" else 1 :])
    options = _parser().parse_args(arguments)
    if options.command == "library":
        return run_safely(lambda: library.run(options, settings_from(options), tell))
    return run_safely(lambda: options.run(options))


def run_safely(command: Any) -> int:
    """Run `command()`; an error made for people is printed as one line on stderr and gives exit code 2."""
    _be_quiet()
    try:
        code = command()
    except FootnoteError as error:
        print(f"footnote: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("footnote: stopped.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        where = f"{error.filename!r}: " if error.filename else ""
        print(f"footnote: {where}{error.strerror}. Check the path and its permissions.", file=sys.stderr)
        return EXIT_ERROR
    return int(code or 0)


def settings_from(options: argparse.Namespace) -> Settings:
    """Settings with what the command line says on top."""
    from rag.settings import Settings

    values: dict[str, Any] = {}
    if getattr(options, "library", None) is not None:
        values["library"] = options.library
    if getattr(options, "model", None) is not None:
        values["model"] = {"name": options.model}
    return Settings(**values)


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options that every command on a library takes."""
    parser.add_argument(
        "--library", type=Path, metavar="PATH", help="file or folder of papers (default: the bundled one)"
    )
    parser.add_argument("--model", metavar="NAME", help="hub id or local folder of a chat model")


def tell(line: str) -> None:
    """Progress goes to stderr, so that stdout holds results alone."""
    _terminal(line)


def _be_quiet() -> None:
    """Libraries speak when something is wrong, not while it goes well; nothing is ever sent anywhere."""
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["LANGSMITH_TRACING"] = os.environ["LANGSMITH_TRACING_V2"] = "false"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _run_module(module: str, arguments: list[str]) -> int:
    try:
        return int(import_module(module).main(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _parser() -> argparse.ArgumentParser:
    from rag import __version__

    parser = argparse.ArgumentParser(
        prog="footnote", description="Answers about a library of paper abstracts, every sentence with its source."
    )
    parser.add_argument("--version", action="version", version=f"footnote {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("chat", help="open the chat page (see footnote chat --help)", add_help=False)
    commands.add_parser("mcp", help="serve search, ask and verify to MCP clients", add_help=False)
    commands.add_parser("auth", help="say who may sign in to footnote chat --auth", add_help=False)
    commands.add_parser("eval", help="measure grounding (see footnote eval --help)", add_help=False)
    commands.add_parser("exam", help="examine Footnote on your own library (see footnote exam --help)", add_help=False)
    commands.add_parser("feedback", help="what readers said of answers, also as eval cases", add_help=False)

    ask = commands.add_parser("ask", help="answer one question")
    ask.add_argument("question", nargs="+", help="the question; quotes are not needed")
    form = ask.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the whole answer as JSON, for `footnote verify`")
    form.add_argument("--format", choices=["text", *FORMATS], default="text", help="how to print it (default: text)")
    ask.add_argument(
        "--where", type=_filter, metavar="JSON", help='only papers that fit, e.g. \'{"year": {"gte": 2023}}\''
    )
    add_common_options(ask)
    ask.set_defaults(run=_ask)

    verify = commands.add_parser("verify", help="re-check every citation of a saved answer, without a model")
    verify.add_argument("file", type=Path, help="what `footnote ask --json` printed, or a list of such; - reads stdin")
    verify.add_argument("--library", type=Path, metavar="PATH", help="hold the papers against this file or folder, too")
    verify.set_defaults(run=_verify)

    weigh = commands.add_parser("weigh", help="what supports a claim, what contradicts it, and what is silent")
    weigh.add_argument("claim", nargs="+")
    weigh.add_argument("-k", type=int, default=10, help="how many of the nearest papers are read")
    weigh.add_argument("--json", action="store_true")
    weigh.add_argument("--where", type=_filter, metavar="JSON")
    add_common_options(weigh)
    weigh.set_defaults(run=_weigh)

    search = commands.add_parser("search", help="find papers, without a language model")
    search.add_argument("question", nargs="+")
    search.add_argument("-k", type=int, default=None, help="how many papers")
    search.add_argument("--json", action="store_true")
    search.add_argument("--where", type=_filter, metavar="JSON")
    add_common_options(search)
    search.set_defaults(run=_search)

    index = commands.add_parser("index", help="build or update the index of a library")
    index.add_argument("--rebuild", action="store_true", help="start from nothing")
    add_common_options(index)
    index.set_defaults(run=_index)

    library.add_to(commands, add_common_options)
    models = commands.add_parser("models", help="show, fetch, verify or remove model weights")
    models.add_argument("action", nargs="?", default="list", choices=["list", "fetch", "verify", "remove"])
    models.add_argument(
        "names", nargs="*", metavar="NAME", help="hub ids; for fetch: what this machine needs by default"
    )
    models.set_defaults(run=_models)

    doctor = commands.add_parser("doctor", help="say what is here, what is missing, and what mends it")
    add_common_options(doctor)
    doctor.set_defaults(run=_doctor)
    return parser


def positive(text: str) -> int:
    """An option that counts something.

    Raises:
        ArgumentTypeError: it is no whole number, or less than 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _filter(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('give an object, e.g. {"year": {"gte": 2023}}')
    return value


def _ask(options: argparse.Namespace) -> int:
    rag, question = _opened(options, options.question)
    answer = rag.ask(question, where=options.where)
    if options.json:
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    else:
        print(answer_text(answer) if options.format == "text" else export([answer], options.format))
    return 0


def _opened(options: argparse.Namespace, words: Sequence[str]) -> tuple[Rag, str]:
    """The Rag of the options, and what was typed; that is read first, since opening takes seconds."""
    from rag.language.question import readable

    settings = settings_from(options)
    text = readable(" ".join(words), settings.answer.max_question_chars)
    from rag.pipeline import Rag

    return Rag.open(settings, report=tell), text


def _verify(options: argparse.Namespace) -> int:
    from rag.assembly import library_papers
    from rag.receipt import is_of_claim, verify

    name = str(options.file)
    try:
        text = sys.stdin.read() if name == "-" else options.file.read_text("utf-8")
        saved = json.loads(text)
    except OSError as error:
        raise CorpusError(
            f"{name!r} cannot be read: {error.strerror}.", "Give a file of `footnote ask --json`."
        ) from error
    except ValueError as error:
        raise CorpusError(f"{name!r} is not JSON: {error}.", "Give what `footnote ask --json` printed.") from error
    except RecursionError as error:
        raise CorpusError(f"{name!r} is nested too deep.", "Give what `footnote ask --json` printed.") from error
    papers = library_papers(settings_from(options)) if options.library else None
    receipts = saved if isinstance(saved, list) else [saved]
    if not receipts:
        raise CorpusError(f"{name!r} holds no answer.", "Give what `footnote ask --json` printed.")
    problems = [problem for receipt in receipts for problem in verify(receipt, papers)]
    claims = sum(map(is_of_claim, receipts))
    kinds = ((len(receipts) - claims, "answer"), (claims, "weighed claim"))
    said = " and ".join(counted(n, word) for n, word in kinds if n)
    print("\n".join(problems) or f"{said}: every citation holds.")
    return 1 if problems else 0


def answer_text(answer: Answer) -> str:
    """An answer for the terminal: how it was understood, text, notice, and each footnote with its quote and paper."""
    lines = [answer.text]
    if answer.standalone_question not in ("", answer.question):
        lines = [f"Understood as: {answer.standalone_question}", "", *lines]
    if answer.notice:
        lines += ["", f"({answer.notice})"]
    if answer.citations:
        lines.append("")
    for citation in answer.citations:
        lines.append(f"[{citation.marker}] “{citation.quote}”")
        lines.append(f"    {cite(citation.paper)}")
    return "\n".join(lines)


def cite(paper: Any) -> str:
    """Title, and in brackets what is known of year, venue and address."""
    extra = [str(part) for part in (paper.year, paper.venue, paper.url) if part]
    return f"{paper.title}" + (f" ({', '.join(extra)})" if extra else "")


def _weigh(options: argparse.Namespace) -> int:
    rag, claim = _opened(options, options.claim)
    balance = rag.weigh(claim, options.k, options.where)
    if options.json:
        print(json.dumps(balance.to_dict(), ensure_ascii=False, indent=2))
        return 0
    for name, group in (("Supports", balance.supporting), ("Contradicts", balance.contradicting)):
        print(f"{name}: {len(group)}")
        for one in group:
            print(f"  {cite(one.paper)} ({one.probability:.2f})\n    “{one.evidence[0].sentence.text}”")
    print(f"Silent: {balance.silent} of {balance.among}. Near enough to the claim to be read: {len(balance.papers)}.")
    return 0


def _search(options: argparse.Namespace) -> int:
    rag, question = _opened(options, options.question)
    hits = rag.retrieve(question, k=options.k, where=options.where)
    if options.json:
        from dataclasses import asdict

        print(json.dumps([asdict(hit) for hit in hits], ensure_ascii=False, indent=2))
    else:
        print("\n\n".join(hit_text(hit) for hit in hits) or "No paper fits.")
    return 0


def hit_text(hit: Hit) -> str:
    """A hit for the terminal: rank, paper, and how its best passage begins."""
    text = " ".join(hit.passage.text.split())
    return f"{hit.rank}. {cite(hit.paper)}\n   {text[:300]}{'…' if len(text) > 300 else ''}"


def _index(options: argparse.Namespace) -> int:
    from rag.assembly import open_index

    index, _ = open_index(settings_from(options), report=tell, rebuild=options.rebuild)
    manifest = index.manifest
    print(f"{manifest.size}, {manifest.embedder}\n{index.folder}")
    return 0


def _models(options: argparse.Namespace) -> int:
    from rag import weights
    from rag.assembly import default_weights
    from rag.checker import fetched

    settings = settings_from(options)
    if options.action == "list":
        print("\n".join(_weights_line(row) for row in weights.available(settings.home)))
        return 0
    if options.action == "fetch":
        needed = (weights.ensure(name, settings.home, report=tell) for name in options.names)
        for found in needed if options.names else fetched(settings, report=tell):
            print(f"{found.name}: {found.path}")
        return 0
    for name in options.names or default_weights(settings):
        if options.action == "verify":
            weights.verify(name, settings.home)
            print(f"{name}: as it should be")
        else:
            print(f"{name}: {weights.remove(name, settings.home) / 1e6:,.0f} MB freed")
    return 0


def _weights_line(row: WeightsRow) -> str:
    state = f"here ({row.source}), {row.path}" if row.present else f"to be fetched, {row.download_bytes / 1e6:,.0f} MB"
    size = f"{row.parameters / 1e6:,.0f} M" if row.parameters else "?"
    return f"{row.name:45} {row.use:9} {size:>8} parameters  {row.bytes / 1e9:5.2f} GB  {row.licence:12} {state}"


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine

    findings = examine(settings_from(options))
    for finding in findings:
        print(finding)
    return EXIT_ERROR if any(not finding.is_well for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
