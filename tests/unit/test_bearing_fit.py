"""What the sentences' head is fitted and measured on."""

import numpy as np
import pytest

from eval.fits.bearing_fit import LONGEST, Looks, Read, fitted, measured_reads
from rag.corpus import read_library
from rag.schema import Paper
from rag.settings import BUNDLED_LIBRARY

MOLES = Paper("m", "Moles", "They dig. They eat. They sleep.")
READS = [
    Read("Do they dig?", MOLES, ("They dig.", "They eat.", "They sleep."), frozenset({0}), "fact"),
    Read("Do they eat?", MOLES, ("They dig.", "They eat.", "They sleep."), frozenset({1}), "fact"),
    Read("Do they swim?", MOLES, ("They dig.", "They eat."), frozenset(), "fact"),
]


@pytest.fixture
def looks(monkeypatch):
    def looked_at(_model, question, _paper, sentences):
        looked = [0.9 if text.split()[1].strip(".") in question else 0.1 for text in sentences]
        return np.array(looked, dtype=np.float32).reshape(-1, 1, 1, 1) * np.ones((1, 1, 2, 3), dtype=np.float32)

    monkeypatch.setattr("eval.fits.bearing_fit.looked_at", looked_at)
    return Looks(None, READS, lambda _line: None)


def test_figures_by_hand(looks):
    odds = np.array([3.0, 2.0, 1.0, 3.0, 2.0, 1.0, 9.0, 9.0])
    found = looks.figures(odds, "fact")
    assert (found["n"], found["first"], found["among two"]) == (2, 0.5, 1.0), "one without a right sentence is left out"
    assert found["auroc"] == pytest.approx((3.5 + 2.5) / 8)  # the pairs that a right one wins, ties by halves
    assert looks.figures(odds, "explain")["n"] == 0


def test_what_is_fitted_tells_what_is_looked_at(looks):
    weights, start = fitted(looks.rows, looks.labels)
    assert weights.shape == (6,)
    odds = looks.rows @ weights + start
    assert looks.figures(odds, "fact")["first"] == 1.0
    assert odds[looks.labels].min() > odds[~looks.labels].max()


def test_every_question_that_is_measured_on_has_a_sentence_that_answers_it():
    reads = list(measured_reads(read_library(BUNDLED_LIBRARY)))
    assert {read.kind for read in reads} == {"compare", "explain", "fact"}
    assert len(reads) > 150
    for read in reads:
        assert read.right
        assert max(read.right) < len(read.sentences) <= LONGEST + 10
