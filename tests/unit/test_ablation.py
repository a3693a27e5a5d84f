"""Parts left out of Footnote: what the ablation compares, on real parts and a model that quotes."""

import argparse
import json

import pytest
from fakes import quoting_rag

from eval import systems
from eval.ablation import VARIANTS, WHOLE, changes_between, figures, table, values
from eval.cases import SETS, Case, cases_of, read_cases, write_cases
from eval.judges.by_name import LexicalJudge
from eval.metrics import answers
from eval.run import run
from rag.pipeline import Rag
from rag.schema import Paper

WHALES = Paper("w", "WhaleSong: how whales sing", "WhaleSong studies songs. Whales sing at 20 hertz in the deep ocean.")
BEES = Paper("b", "BeeDance: the language of bees", "BeeDance decodes the waggle dance. Bees dance to tell of flowers.")
CASES = (
    Case("f", "fact", "At how many hertz do whales sing?", papers=(WHALES.title,), answers=(("20",),)),
    Case("n", "unanswerable-far", "Who won the cup of 1998 in Paris?"),
)


@pytest.fixture
def rag(tmp_path):
    return quoting_rag(tmp_path, [WHALES, BEES])


def test_every_variant_answers_and_has_a_row(rag):
    found = {
        name: values(run(make(rag), CASES, report=lambda _line: None, judge=LexicalJudge()))[0]
        for name, make in VARIANTS.items()
    }
    shown = table({name: figures(row) for name, row in found.items()}, {})
    assert all(f"  {name} " in shown for name in VARIANTS)
    assert found[WHOLE]["right and cited"] == [True, None]


def test_a_figure_that_fails_is_told_of_each_variant_and_the_exit_code_says_so(rag, monkeypatch, capsys, tmp_path):
    from eval.__main__ import main

    monkeypatch.setattr(systems, "opened", lambda *_arguments: (rag, LexicalJudge()))
    questions = tmp_path / "own.jsonl"
    write_cases(questions, CASES)
    command = ["ablate", "--only", "no keywords", "--questions", str(questions), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "FAILED" not in capsys.readouterr().out

    def broken(*_arguments):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(answers, "is_right", broken)
    assert main(command) == 1
    shown = capsys.readouterr().out
    assert "FAILED as it is, right: ZeroDivisionError: by nothing" in shown
    assert "FAILED no keywords, right: ZeroDivisionError: by nothing" in shown
    assert "falsely refused\n  as it is" in shown
    assert main([*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failed"]["no keywords"]["right"] == "ZeroDivisionError: by nothing"


def test_without_the_threshold_nothing_is_declined(rag):
    kept = {name: VARIANTS[name](rag).ask(CASES[1].question).status for name in (WHOLE, "never declines")}
    assert kept == {WHOLE: "abstained", "never declines": "answered"}


def test_what_is_not_read_cannot_be_had_and_the_rest_can(rag):
    class Reader(type(rag.model)):
        def judge(self, *_arguments):
            return (1.0, 0.0)

        def looks(self, *_arguments):
            return None

    reading = Rag(retriever=rag.retriever, model=Reader(), settings=rag.settings)
    without = VARIANTS["sentences of a paper not read"](reading)
    assert (hasattr(without.checker, "judge"), hasattr(without.checker, "looks")) == (True, False)
    without = VARIANTS["no adapters"](reading)
    assert (hasattr(without.checker, "judge"), hasattr(without.checker, "looks")) == (False, False)
    assert hasattr(without.model, "judge")


def test_the_questions_are_those_of_the_set_or_file_that_is_named(tmp_path):
    parser = argparse.ArgumentParser()
    systems.add_options(parser, ("one",), n=3, out=tmp_path)
    assert cases_of(parser.parse_args(["--set", "fresh-b"])) == read_cases(SETS["fresh-b"])
    own = tmp_path / "own.jsonl"
    own.write_text(SETS["fresh-a"].read_text().splitlines()[0] + "\n")
    assert cases_of(parser.parse_args(["--questions", str(own)])) == read_cases(SETS["fresh-a"])[:1]


def test_a_falsely_refused_question_is_worse_not_better():
    whole = {"falsely refused": [False, False, None], "right and cited": [True, False, None]}
    other = {"falsely refused": [True, False, None], "right and cited": [False, True, None]}
    found = changes_between(whole, other)
    assert (found["falsely refused"].better, found["falsely refused"].worse) == (0, 1)
    assert (found["right and cited"].better, found["right and cited"].worse) == (1, 1)


@pytest.mark.parametrize("command", ["ablate", "peers"])
def test_a_set_of_which_nothing_is_sampled_is_refused_with_what_is(command, rag, monkeypatch, capsys):
    from eval.__main__ import main

    monkeypatch.setattr(systems, "opened", lambda *_arguments: (rag, LexicalJudge()))
    assert main([command, "--set", "injection"]) == 2
    assert "Sampled are: fact, explain" in capsys.readouterr().err


def test_an_unknown_variant_is_told_with_the_known_ones(capsys):
    from eval.__main__ import main

    assert main(["ablate", "--only", "no brain"]) == 2
    assert "whole abstracts" in capsys.readouterr().err
