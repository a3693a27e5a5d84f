"""Which sentences say most to a comparison, fitted anew: what is fitted on, what is left out, and what is measured."""

from types import SimpleNamespace

import numpy as np

from eval import rationales
from eval.__main__ import main
from eval.rationales import Read, fit, fit_rationales, left_out, within
from rag import Evidence, Paper, Rationale, Sentence
from rag.rationale import WEIGHTS, Features


def read(case, *rows, right=0):
    weighed = np.array([[row, 0, 0, 0, 0] for row in rows], dtype=float)
    return Read(case, weighed, np.arange(len(rows)) == right, weighed[:, 0])


PAPERS = [read(f"c{i}", 0.0, -0.4 - i / 100, -0.5, -0.9) for i in range(20)]


def test_what_stands_out_is_told_from_the_rest_by_a_fit_that_did_not_see_it():
    assert fit(PAPERS)[0] > 0
    assert within(left_out(PAPERS), PAPERS) == [1.0, 1.0, 1.0]
    turned = read("t", 0.0, -0.4, -0.5, right=2)
    assert within(left_out([*PAPERS, turned]), [*PAPERS, turned]) == [0.95, 0.95, 1.0]


def test_a_right_sentence_counts_where_it_comes():
    odds = [np.array([3.0, 2.0, 1.0]), np.array([1.0, 3.0, 2.0])]
    papers = [read("a", 0, 0, 0, right=1), read("b", 0, 0, 0, right=1)]
    assert within(odds, papers) == [0.5, 1.0, 1.0]


def test_papers_without_a_right_sentence_are_told_and_left_out(monkeypatch):
    papers = [Paper(name, name, f"{name} sings. {name} dances.") for name in ("Whale", "Bee", "Other")]

    def told_of(paper):
        sung = Sentence(paper.id, 0, 0, 6, "sings.")
        danced = Sentence(paper.id, 1, 7, 14, "dances.")
        return (
            Rationale(Evidence(1, paper, sung, 0.5), Features(0.0, 0, 0, 0, 0), 0.9),
            Rationale(Evidence(2, paper, danced, 0.1), Features(-0.5, 0, 0, 0, 0), 0.1),
        )

    rag = SimpleNamespace(rationales=lambda _question: tuple(map(told_of, papers)))
    cases = [
        SimpleNamespace(id=name, type="compare", question="?", papers=("Whale", "Bee"), evidence=("sings.",))
        for name in ("c", "d")
    ]
    monkeypatch.setattr(rationales, "FITTED_ON", ("dev",))
    monkeypatch.setattr(rationales, "read_cases", lambda _path: [*cases, SimpleNamespace(id="f", type="fact")])
    told = []
    found = fit_rationales(rag, told.append)
    assert (found["papers"], found["with a right sentence"]) == (4, 4)
    assert found["by nearness"] == found["as shipped"] == [1.0, 1.0, 1.0]
    assert told == ["c: 2 papers read", "d: 2 papers read"]


def test_the_set_that_is_kept_aside_is_not_fitted_on():
    assert "fresh-b" not in rationales.FITTED_ON


def test_the_command_needs_no_data(monkeypatch, capsys):
    monkeypatch.setattr("eval.rationales.fit_rationales", lambda _rag, _report: {"papers": 2, "weights": [1.5]})
    monkeypatch.setattr("rag.Rag.open", lambda *_, **__: None)
    assert main(["judge", "--fit", "rationales"]) == 0
    printed = capsys.readouterr().out
    assert "papers: 2" in printed
    assert "weights: [1.5]" in printed


def test_what_ships_is_of_the_kind_that_is_fitted():
    assert all(len(weights) == PAPERS[0].rows.shape[1] for weights in WEIGHTS.values())
