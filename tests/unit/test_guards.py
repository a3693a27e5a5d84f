"""Rules before any judge, and rates corrected for a judge's known error, by hand."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from eval.judges.by_name import LexicalJudge
from eval.judges.changes import with_another_number
from eval.judges.guards import CONTRADICTED, VERBATIM, rule_of, ruled
from eval.judges.judgement import Judgement
from eval.metrics.correction import KnownError, Share, corrected, errors_from, rogan_gladen, why_not
from eval.metrics.grounding import Judged, contradicted_share, contradiction, faithfulness, supported_share
from eval.scoring import corrected_figures
from rag.schema import Claim


@pytest.mark.parametrize(
    ("claim", "sentences", "expected"),
    [
        ("Robots grasp red cups.", ["We say: robots grasp red cups."], "word for word"),
        ("robots grasp red cups", ["We do not say that robots grasp red cups or wash plates."], None),
        ("Red cups.", ["Robots grasp red cups."], None),
        ("Robots grasp 13 red cups.", ["Robots grasp 10 red cups.", "We own 13 plates."], "another number"),
        ("All 13 robots grasp 13 red cups.", ["All 10 robots grasp 13 red cups."], "another number"),
        ("Robots grasp ten red cups.", ["Robots can grasp 10 red cups."], None),
        ("Robots grasp red cups [5].", ["Robots can grasp red cups."], None),
        ("4. Robots grasp red cups.", ["Robots can grasp red cups."], None),
        ("Planes carry 13 people.", ["Robots grasp 10 red cups."], None),
        ("CLIP beats TACO on cups.", ["TACO beats CLIP on cups."], "names in each other's place"),
        ("On cups, TACO beats CLIP.", ["TACO beats CLIP on cups."], None),
        ("We built PAWS with PAWS-Data here.", ["We built PAWS-Data with PAWS here."], "names in each other's place"),
        ("Robots do not grasp red cups.", ["Robots grasp red cups."], "negated"),
        ("Robots grasp red cups.", ["Robots can never grasp red cups."], "negated"),
        ("Robots do not grasp red cups.", ["Robots never grasp red cups."], None),
        ("Robots do not wash cups.", ["Robots grasp red cups, plates and forks."], None),
        ("Robots grasp.", [], None),
    ],
)
def test_rules_by_hand(claim, sentences, expected):
    assert rule_of(claim, sentences) == expected


def test_a_rule_gives_a_judgement_and_no_rule_none():
    assert ruled(("Robots grasp red cups.",), "Robots grasp red cups.") is VERBATIM
    assert ruled(("Robots grasp 10 red cups.",), "Robots grasp 12 red cups.") is CONTRADICTED
    assert ruled(("Robots grasp red cups.",), "Planes fly.") is None
    assert math.isclose(VERBATIM.p_supported + VERBATIM.p_contradicted + VERBATIM.p_neither, 1.0)


def test_the_number_of_a_citation_marker_is_not_what_is_changed():
    assert with_another_number("As in [5], we use 3 arms.") == "As in [5], we use 6 arms."
    assert with_another_number("As in [5].") is None
    assert with_another_number("2) Use 3 arms.") == "2) Use 6 arms."


def test_a_rate_is_corrected_as_rogan_and_gladen_do():
    # 0.5 true, 0.9 of it found, 0.3 of the rest let through: 0.45 + 0.15 = 0.6 judged.
    assert rogan_gladen(0.6, 0.9, 0.7) == pytest.approx(0.5)
    assert rogan_gladen(0.1, 0.9, 0.7) == 0.0
    assert rogan_gladen(0.95, 0.9, 0.7) == 1.0
    assert rogan_gladen(0.6, 0.5, 0.5) is None


def test_errors_are_counted_and_read_again():
    error = KnownError.of([True, True, False, False, False], [True, False, True, False, False])
    assert (error.found, error.positive, error.let_through, error.negative) == (1, 2, 1, 3)
    assert error.specificity == pytest.approx(2 / 3)
    assert errors_from({"supported": error.to_dict()}) == {"supported": error}


def shares(rate, count=100):
    """Answers of one sentence each, all open."""
    return [Share(0.0, 1.0, float(i < rate * count)) for i in range(count)]


def test_a_corrected_figure_has_a_wider_interval_than_a_sure_judge_gives():
    sure = corrected([*shares(0.6), None], KnownError(100_000, 100_000, 0, 100_000))
    doubtful = corrected(shares(0.6), KnownError(90, 100, 30, 100))
    assert (sure.value, sure.n, sure.left_out) == (pytest.approx(0.6), 100, 1)
    assert doubtful.value == pytest.approx(0.5)
    assert doubtful.high - doubtful.low > sure.high - sure.low
    # Delta method: the rate's sd is 0.049, that of what is let through 0.046 of half, all divided by the skill of 0.6.
    assert doubtful.high - doubtful.low == pytest.approx(4 * 0.096, abs=0.06)


def test_what_is_sure_is_not_corrected():
    error = KnownError(90, 100, 30, 100)
    half = [Share(0.5, 0.5, 0.3)] * 10  # of the open half 0.6 is judged supported, 0.5 is true
    assert corrected(half, error).value == pytest.approx(0.5 + 0.5 * 0.5)
    assert corrected([Share(1.0, 0.0, 0.0)], error).value == 1.0
    assert corrected([None], error).value is None
    assert corrected(shares(0.6), KnownError(50, 100, 50, 100)).value is None


def test_an_interval_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(0)
    truth, sensitivity, specificity, covered = 0.7, 0.8, 0.75, 0
    rate = truth * sensitivity + (1 - truth) * (1 - specificity)
    for _ in range(100):
        error = KnownError(int(draw.binomial(200, sensitivity)), 200, int(draw.binomial(200, 1 - specificity)), 200)
        found = corrected(shares(draw.binomial(150, rate) / 150, 150), error)
        covered += found.low <= truth <= found.high
    assert covered >= 88


@pytest.mark.parametrize(
    ("rate", "error", "said"),
    [
        (1.0, KnownError(471, 517, 109, 289), "1.00 are judged so, more than the 0.91 that it is known to find"),
        (0.3, KnownError(471, 517, 109, 289), "0.30 are judged so, fewer than the 0.38 that it lets through"),
        (0.6, KnownError(50, 100, 50, 100), "finds 0.50 of what is so and lets 0.50 of the rest through"),
        (0.6, KnownError(50, 100, 0, 0), "known of one class only"),
        # Nine pairs do not show that a judge finds everything: hardly a draw allows that all are judged so.
        (1.0, KnownError(9, 9, 0, 9), "only 0% of 2000 draws"),
    ],
)
def test_a_rate_outside_what_the_judges_error_allows_is_not_told_and_the_reason_is(rate, error, said):
    found = asdict(corrected(shares(rate), error))
    assert (found["value"], found["low"], found["high"], found["n"]) == (None, None, None, 100)
    assert found["reason"].startswith("cannot be told: ")
    assert said in found["reason"]


def test_why_not_says_nothing_up_to_the_bounds_themselves():
    assert [why_not(rate, 0.9, 0.7) for rate in (0.3, 0.6, 0.9)] == ["", "", ""]
    assert why_not(0.91, 0.9, 0.7) != ""


def test_just_inside_the_bounds_the_interval_ends_at_the_bound_and_keeps_its_width():
    found = corrected(shares(0.9), KnownError(471, 517, 109, 289))
    # (0.9 - 0.377) / (0.911 - 0.377), and 1.96 sd of the rate alone, 0.059, divided by 0.534, below it.
    assert found.value == pytest.approx(0.979, abs=0.001)
    assert found.low == pytest.approx(0.979 - 0.059 / 0.534, abs=0.03)
    assert (found.high, found.reason) == (1.0, "")


def test_a_draw_without_skill_allows_every_rate():
    # Of six and six pairs the skill of 1/3 is hardly known: a fifth of the draws have less than 0.05.
    found = corrected(shares(0.5), KnownError(4, 6, 2, 6))
    assert (found.value, found.low, found.high) == (pytest.approx(0.5), 0.0, 1.0)


WORDS = Claim("Cups are red.", (), "supported", 1.0)


def test_parts_of_an_answer_by_hand():
    said = [VERBATIM, Judgement(0.8, 0.1, 0.1), Judgement(0.1, 0.8, 0.1), None]
    judged = [Judged(WORDS, one, ()) for one in said]
    assert supported_share(judged) == Share(0.25, 0.5, 0.25)
    assert contradicted_share(judged) == Share(0.0, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (supported_share(()), contradicted_share([judged[3]])) == (None, None)
    # With a judge that never errs the parts make the figure itself.
    assert corrected([supported_share(judged)], KnownError(9, 9, 0, 9)).value == faithfulness(judged)
    assert corrected([contradicted_share(judged)], KnownError(9, 9, 0, 9)).value == pytest.approx(contradiction(judged))


def test_nothing_is_corrected_where_no_error_is_known():
    assert corrected_figures([], LexicalJudge()) == {}
    assert corrected_figures([], None) == {}
