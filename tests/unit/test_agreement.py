"""Agreement of scores with labels, against values worked by hand and an independent AUROC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.agreement import (
    agreement,
    auroc,
    balanced_accuracy,
    calibration_error,
    kappa,
    macro_f1,
    macro_f1_at_best,
    reliability,
)

LABELS = [True, True, True, False, False]
GUESSES = [True, True, False, True, False]


def test_figures_by_hand():
    assert balanced_accuracy(LABELS, GUESSES) == pytest.approx((2 / 3 + 1 / 2) / 2)
    # yes: tp 2, fp 1, fn 1 -> 4/6; no: tp 1, fp 1, fn 1 -> 2/4
    assert macro_f1(LABELS, GUESSES) == pytest.approx((2 / 3 + 1 / 2) / 2)
    # observed 3/5, expected 0.6 * 0.6 + 0.4 * 0.4
    assert kappa(LABELS, GUESSES) == pytest.approx((0.6 - 0.52) / 0.48)


def test_the_best_threshold_is_an_upper_bound():
    assert macro_f1_at_best([True, False], [0.9, 0.8]) == 1.0
    assert macro_f1_at_best([], []) is None
    assert macro_f1([True, True], [True, True]) is None, "of one class alone there is no mean of two"
    assert macro_f1_at_best([True, True], [0.9, 0.8]) is None


def test_calibration_by_hand():
    scores = [0.95, 0.95, 0.15, 0.15]
    labels = [True, False, False, False]
    assert reliability(labels, scores) == [(pytest.approx(0.15), 0.0, 2), (pytest.approx(0.95), 0.5, 2)]
    assert calibration_error(labels, scores) == pytest.approx((2 * 0.15 + 2 * 0.45) / 4)


def test_a_score_of_one_falls_into_the_last_bin():
    assert reliability([True], [1.0]) == [(1.0, 1.0, 1)]


def test_what_is_undefined_is_none():
    assert balanced_accuracy([True], [True]) is None
    assert auroc([True, True], [0.1, 0.2]) is None
    assert kappa([True], [True]) is None
    assert agreement([], []).macro_f1 is None
    assert calibration_error([], []) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=30))
def test_auroc_is_the_share_of_pairs_in_order(rows):
    labels, scores = [label for label, _ in rows], [score / 4 for _, score in rows]
    yes = [s for label, s in zip(labels, scores, strict=True) if label]
    no = [s for label, s in zip(labels, scores, strict=True) if not label]
    expected = [(a > b) + 0.5 * (a == b) for a in yes for b in no]
    if expected:
        assert auroc(labels, scores) == pytest.approx(sum(expected) / len(expected))
    else:
        assert auroc(labels, scores) is None
