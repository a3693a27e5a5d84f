"""Agreement of scores with labels, against values worked by hand and an independent AUROC."""

import random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.judges.judgement import JudgeError, Judgement
from eval.metrics.agreement import (
    agreement,
    auroc,
    balanced_accuracy,
    calibration_error,
    intervals,
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


def test_intervals_are_those_of_the_figures_themselves_over_resampled_pairs():
    draw = random.Random(3)
    labels = [i % 3 == 0 for i in range(60)]
    scores = [round(min(1.0, max(0.0, 0.35 + 0.3 * label + draw.uniform(-0.4, 0.4))), 1) for label in labels]  # ties
    rows = {"macro_f1": [], "balanced_accuracy": [], "auroc": []}
    for _ in range(300):
        picked = draw.choices(range(60), k=60)
        found = agreement([labels[i] for i in picked], [scores[i] for i in picked])
        for name, values in rows.items():
            values.append(getattr(found, name))
    ends = intervals(labels, scores)
    assert set(ends) == set(rows)
    for name, values in rows.items():
        cut = quantiles(values, n=40)
        assert ends[name] == pytest.approx((cut[0], cut[-1]), abs=0.03), name
        assert ends[name][0] < getattr(agreement(labels, scores), name) < ends[name][1]


def test_an_interval_is_the_same_twice_narrower_of_more_pairs_and_none_of_one_class():
    assert intervals(LABELS * 4, [0.9, 0.8, 0.3, 0.6, 0.1] * 4) == intervals(LABELS * 4, [0.9, 0.8, 0.3, 0.6, 0.1] * 4)
    widths = [
        high - low
        for times in (4, 100)
        for low, high in [intervals(LABELS * times, [0.9, 0.8, 0.3, 0.6, 0.1] * times)["auroc"]]
    ]
    assert widths[1] == pytest.approx(widths[0] / 5, rel=0.2), "a 25th of the variance"
    assert set(intervals([True, True], [0.2, 0.9]).values()) == {None}
    assert set(intervals([], []).values()) == {None}


def test_draws_of_one_class_are_left_out():
    # Of two pairs half of the draws hold both; in those every figure is 1.
    assert set(intervals([True, False], [0.9, 0.1]).values()) == {(1.0, 1.0)}


def test_a_judge_that_gives_no_number_says_so():
    with pytest.raises(JudgeError, match="no number"):
        Judgement(float("nan"), 0.0, 1.0)
