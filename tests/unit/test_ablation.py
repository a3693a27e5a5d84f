"""Parts left out of Footnote: what the ablation compares, on real parts and a model that quotes."""

import pytest
from fakes import quoting_rag

from eval.ablation import VARIANTS, WHOLE, changes_between, figures, table, values
from eval.cases import Case
from eval.judges import LexicalJudge
from eval.run import run
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
        name: values(run(make(rag), CASES, report=lambda _line: None, judge=LexicalJudge()))
        for name, make in VARIANTS.items()
    }
    shown = table({name: figures(row) for name, row in found.items()}, {})
    assert all(f"  {name} " in shown for name in VARIANTS)
    assert found[WHOLE]["right and cited"] == [True, None]


def test_without_the_threshold_nothing_is_declined(rag):
    kept = {name: VARIANTS[name](rag).ask(CASES[1].question).status for name in (WHOLE, "never declines")}
    assert kept == {WHOLE: "abstained", "never declines": "answered"}


def test_a_falsely_refused_question_is_worse_not_better():
    whole = {"falsely refused": [False, False, None], "right and cited": [True, False, None]}
    other = {"falsely refused": [True, False, None], "right and cited": [False, True, None]}
    found = changes_between(whole, other)
    assert (found["falsely refused"].better, found["falsely refused"].worse) == (0, 1)
    assert (found["right and cited"].better, found["right and cited"].worse) == (1, 1)


def test_an_unknown_variant_is_told_with_the_known_ones(capsys):
    from eval.__main__ import main

    assert main(["ablate", "--only", "no brain"]) == 2
    assert "whole abstracts" in capsys.readouterr().err
