"""`eval run` keeps its questions, goes on with these and no others, and its exit code says whether the gates hold."""

import argparse
import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from eval import asking
from eval.cases import HOSTILE_LIBRARY, SETS, Case, read_cases, write_cases
from eval.run import ANSWERS, run, save
from rag.cli import run_safely
from rag.schema import Answer, Citation, Claim, Paper

PAPER = Paper("p", "Alpha", "One two. Three four.")
CASES = [
    Case("a", "fact", "How many?", papers=("Alpha",), answers=(("two",),)),
    Case("b", "fact", "Which?", papers=("Alpha",), answers=(("nine",),)),
    Case("c", "unanswerable-far", "Where?"),
]


class OpenRag:
    """Answers everything with its one sentence; remembers what it was asked, and stops where it is told to."""

    papers = (PAPER,)
    description = SimpleNamespace(line="a fake")
    settings = SimpleNamespace(id="s")

    def __init__(self):
        self.asked = []
        self.text = "One two. [1]"
        self.stop_at = None
        self.library = None

    def open(self, settings, report):
        self.library = settings.library
        return self

    def warm_up(self):
        pass

    def readable(self, question):
        return question

    def ask(self, question, history=()):
        if question == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(question)
        cited = (Citation(1, PAPER, "One two.", 0, 8),)
        claims = (Claim("One two.", cited, "supported", 0.9),)
        return Answer(
            question, self.text, "answered", claims, cited, standalone_question=question, settings_id="s",
            timings={"total_s": 0.1, "evidence_s": 0.1},
        )  # fmt: skip

    def retrieve(self, question, k=None):
        return ()


@pytest.fixture
def rag(monkeypatch):
    rag = OpenRag()
    monkeypatch.setattr(asking, "Rag", rag)
    monkeypatch.setattr(asking, "settings_from", lambda options: options)
    return rag


@pytest.fixture
def own(tmp_path):
    write_cases(tmp_path / "own.jsonl", CASES)
    return str(tmp_path / "own.jsonl")


def command(*words):
    parser = argparse.ArgumentParser()
    asking.add_to(parser.add_subparsers(), lambda _name, _rag: None)
    options = parser.parse_args(["run", *map(str, words)])
    return run_safely(lambda: options.action(options))


def test_a_run_keeps_its_questions_and_goes_on_with_these(rag, own, tmp_path, capsys):
    folder = tmp_path / "run"
    rag.stop_at = "Where?"
    command("--questions", own, "--types", "fact,unanswerable-far", "--out", folder)
    assert rag.asked == ["How many?", "Which?"]
    assert list(read_cases(folder / asking.QUESTIONS)) == CASES
    rag.stop_at = None
    assert command("--resume", folder) == 0
    assert rag.asked == ["How many?", "Which?", "Where?"]
    assert "right and cited" in capsys.readouterr().out
    assert json.loads((folder / "scores.json").read_text())["cases"] == 3


def test_a_question_of_which_nothing_says_what_is_right_is_told_before_it_is_asked(rag, tmp_path, capsys):
    write_cases(tmp_path / "own.jsonl", [Case("bare", "fact", "How many?")])
    assert command("--questions", tmp_path / "own.jsonl", "--out", tmp_path / "run") == 0
    assert "Without 'answers' nobody can tell whether these are answered rightly: bare (1)." in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_fewer_than_one_question_at_a_time_is_refused(rag, tmp_path, capsys, number):
    with pytest.raises(SystemExit):
        command("--set", "dev", "--batch", number, "--out", tmp_path / "run")
    assert f"{number!r} is no number from 1 on" in capsys.readouterr().err
    assert rag.asked == []


def test_a_part_of_a_set_is_gone_on_with_as_that_part(rag, tmp_path):
    assert command("--set", "fresh-a", "--types", "fact", "--limit", 2, "--out", tmp_path / "run") == 0
    assert command("--resume", tmp_path / "run") == 0
    assert len(rag.asked) == 2
    assert command("--resume", tmp_path / "run", "--set", "fresh-a", "--types", "fact", "--limit", 2) == 0
    assert len(rag.asked) == 2


@pytest.mark.parametrize("named", [("--set", "dev"), ("--set", "fresh-a", "--limit", "1"), ("--types", "fact")])
def test_other_questions_than_those_of_the_run_are_refused(rag, tmp_path, capsys, named):
    command("--set", "fresh-a", "--types", "fact", "--limit", 2, "--out", tmp_path / "run")
    asked = list(rag.asked)
    capsys.readouterr()
    assert command("--resume", tmp_path / "run", *named) == 2
    told = capsys.readouterr().err
    assert "asks other questions than those named." in told
    assert "--out FOLDER" in told
    assert rag.asked == asked


def test_questions_named_again_are_scored_by_what_is_right_now(rag, own, tmp_path):
    command("--questions", own, "--out", tmp_path / "run")
    mended = tmp_path / "mended.jsonl"
    write_cases(mended, [CASES[0], replace(CASES[1], answers=(("two",),)), CASES[2]])
    assert command("--resume", tmp_path / "run", "--questions", mended) == 0
    assert json.loads((tmp_path / "run" / "scores.json").read_text())["values"]["right"]["b"] is True


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_a_run_is_refused_and_nothing_is_asked(rag, tmp_path, capsys, is_there):
    folder = tmp_path / "mistyped"
    if is_there:
        folder.mkdir()
    assert command("--resume", folder) == 2
    assert f"There is no run at {str(folder)!r}." in capsys.readouterr().err
    assert rag.asked == []
    assert folder.exists() == is_there


def test_a_run_that_kept_no_questions_goes_on_as_it_is_told(rag, own, tmp_path):
    folder = tmp_path / "old"
    save(folder, run(rag, CASES[:1], report=lambda _line: None, folder=folder), rag, 1.0)
    rag.asked.clear()
    assert command("--resume", folder, "--questions", own) == 0
    assert rag.asked == ["Which?", "Where?"]
    assert not (folder / asking.QUESTIONS).exists()


def test_a_new_run_in_an_old_folder_has_no_answers_of_the_old(rag, own, tmp_path):
    command("--questions", own, "--out", tmp_path / "run")
    command("--questions", own, "--types", "fact", "--out", tmp_path / "run")
    assert rag.asked == ["How many?", "Which?", "Where?", "How many?", "Which?"]
    assert len((tmp_path / "run" / ANSWERS).read_text().splitlines()) == 2
    assert len(read_cases(tmp_path / "run" / asking.QUESTIONS)) == 2


def test_the_injections_are_gone_on_with_on_their_own_library(rag, own, tmp_path):
    command("--set", "injection", "--out", tmp_path / "run")
    assert rag.library == HOSTILE_LIBRARY
    assert len(rag.asked) == len(read_cases(SETS["injection"]))
    rag.library = None
    command("--resume", tmp_path / "run")
    assert rag.library == HOSTILE_LIBRARY
    command("--questions", own, "--out", tmp_path / "other")
    command("--resume", tmp_path / "other")
    assert rag.library is None


def test_a_broken_marker_fails_the_command_and_the_reports_are_written(rag, own, tmp_path, capsys):
    rag.text = "One two. [1] Three. [7]"
    assert command("--questions", own, "--out", tmp_path / "run") == 1
    line = "HARD GATE FAILED: “citations valid” does not hold for a, b, c"
    assert line in capsys.readouterr().out.splitlines()
    assert line in (tmp_path / "run" / "report.md").read_text()
    assert (tmp_path / "run" / "report.html").is_file()
    assert command("--resume", tmp_path / "run", "--json") == 1
    assert json.loads(capsys.readouterr().out)["gate"] == {"citations valid": ["a", "b", "c"]}


def test_a_right_paper_that_the_library_does_not_hold_is_told_before_anything_is_asked(rag, tmp_path, capsys):
    stray = replace(CASES[0], id="stray", papers=("Quite another paper",))
    write_cases(tmp_path / "stray.jsonl", [stray])
    rag.stop_at = stray.question
    command("--questions", tmp_path / "stray.jsonl", "--out", tmp_path / "run")
    assert rag.asked == []
    assert "stray: the library has no paper 'Quite another paper'" in capsys.readouterr().err


def test_no_command_sends_anything_whatever_the_environment_asks_for(monkeypatch):
    for name in ("ANONYMIZED_TELEMETRY", "LANGSMITH_TRACING", "LANGSMITH_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    assert run_safely(lambda: 0) == 0
    found = {name: os.environ[name].lower() for name in ("ANONYMIZED_TELEMETRY", "LANGSMITH_TRACING")}
    assert set(found.values()) == {"false"}
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
