"""How lists are decided, fitted anew: what is fitted on, what is left out, and what the numbers are."""

from types import SimpleNamespace

import numpy as np
import pytest

from eval import listing
from eval.__main__ import main
from eval.cases import SETS, read_cases
from eval.listing import Looked, fit, fit_lists, left_out
from rag.survey import LISTED_FROM, WEIGHTS, Candidate, Opinion, decided


def looked(*rows, right=("a", "b")):
    papers = tuple("abcdefgh"[: len(rows)])
    return Looked(frozenset(right), papers, np.array(rows, dtype=float), frozenset())


LISTS = [looked((1.5, 0.0), (1.2 + i / 10, -0.3), (0.1, -1.4), (-0.2, -1.7), (0.0, -1.5)) for i in range(4)]


def test_what_stands_out_is_told_from_the_rest_by_a_fit_that_did_not_see_it():
    weights, start = fit(LISTS)
    assert (weights > 0).all()
    likely = LISTS[0].rows @ weights + start
    assert likely[:2].min() > likely[2:].max()
    assert left_out(LISTS) == 1.0
    turned = looked((0.0, -1.5), (0.1, -1.4), (1.5, 0.0), (1.3, -0.2))
    assert left_out([*LISTS, turned]) == pytest.approx(4 / 5), "the one that is the other way round is missed"


def test_lists_that_the_words_decide_are_left_out_and_told(monkeypatch):
    odds = {"A": 2.0, "B": 1.8, "C": 0.1, "D": 0.0, "E": -0.1, "F": 0.0}
    papers = {name: SimpleNamespace(title=name) for name in odds}

    def opinions(question):
        if question == "mention?":
            return (Opinion(Candidate(papers["A"], (), True), True, 1.0, by_model=False),)
        said = [
            Opinion(Candidate(paper, (), name == "A"), odds[name] > 0.5, 0.5, by_model=True, odds=odds[name])
            for name, paper in papers.items()
        ]
        return tuple(decided(said))

    cases = [
        SimpleNamespace(id=f"l{i}", type="list", question=question, papers=("A", "B"))
        for i, question in enumerate(["which?", "mention?", "what?"])
    ]
    monkeypatch.setattr(listing, "FITTED_ON", ("dev",))
    monkeypatch.setattr(listing, "read_cases", lambda _path: [*cases, SimpleNamespace(id="f", type="fact")])
    told = []
    found = fit_lists(SimpleNamespace(opinions=opinions), told.append)
    assert (found["lists"], found["papers that fit"], found["of these asked about"]) == (2, 4, 4)
    assert found["F1 of papers, as shipped"] == found["F1 of papers, each list left out of the fit"] == 1.0
    assert [line.split(":")[0] for line in told if "left out" in line] == ["l1"]


def test_what_ships_is_of_the_kind_that_is_fitted():
    assert len(WEIGHTS) == LISTS[0].rows.shape[1]
    assert 0 < LISTED_FROM < 1
    assert all(SETS[name].exists() and read_cases(SETS[name]) for name in listing.FITTED_ON)
    assert "fresh-b" not in listing.FITTED_ON


def test_the_command_needs_no_data(monkeypatch, capsys):
    monkeypatch.setattr("eval.listing.fit_lists", lambda _rag, _report: {"lists": 2})
    monkeypatch.setattr("rag.Rag.open", lambda *_, **__: None)
    assert main(["judge", "--fit", "lists"]) == 0
    assert "lists: 2" in capsys.readouterr().out
