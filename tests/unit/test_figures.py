"""Figures of rankings, overlap, declining and grounding, against oracles worked by hand."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.judges.judgement import Judgement
from eval.metrics.abstention import abstention, area_under_risk, risk_coverage
from eval.metrics.grounding import (
    called_supported,
    citation_precision,
    contradiction,
    faithfulness,
    gold_sentence_recall,
    is_faithful,
    judge_answer,
    number_agreement,
    upheld,
)
from eval.metrics.overlap import copy_ratio, rouge_l, token_f1
from eval.metrics.ranking import ndcg_at, reciprocal_rank, set_f1, set_precision, set_recall
from rag.schema import Answer, Citation, Claim, Paper


def test_ranking_figures_by_hand():
    assert reciprocal_rank(["a", "b", "c"], {"b", "c"}) == 0.5
    assert reciprocal_rank(["a"], {"z"}) == 0
    assert reciprocal_rank(["a"], set()) is None
    # gains 0, 2, 1 at ranks 1 to 3 against 2, 1
    expected = (2 / math.log2(3) + 1 / 2) / (2 + 1 / math.log2(3))
    assert ndcg_at(["x", "a", "b"], {"a": 2, "b": 1}, 10) == pytest.approx(expected)
    assert ndcg_at(["x", "a"], {"a": 1}, 1) == 0
    assert ndcg_at(["a"], {"a": 0}, 10) is None


@given(st.permutations("abcdef"), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)), st.integers(1, 7))
def test_ndcg_is_what_an_independent_implementation_says(ranking, gains, k):
    def dcg(items):
        return sum(gains.get(item, 0) * math.log(2) / math.log(i + 2) for i, item in enumerate(items[:k]))

    ideal = dcg(sorted(gains, key=gains.get, reverse=True))
    expected = dcg(ranking) / ideal if ideal else None
    assert ndcg_at(ranking, gains, k) == (expected if expected is None else pytest.approx(expected))


def test_sets_of_papers_by_hand():
    assert set_precision(["a", "x"], ["a", "b", "c"]) == 0.5
    assert set_recall(["a", "x"], ["a", "b", "c"]) == pytest.approx(1 / 3)
    assert set_f1(["a", "x"], ["a", "b", "c"]) == pytest.approx(2 / 5)
    assert set_f1([], ["a"]) == 0
    assert (set_precision([], ["a"]), set_recall(["a"], []), set_f1(["a"], [])) == (None, None, None)


def test_overlap_by_hand():
    # "red cup" against "red blue cup": two shared of two and three
    assert token_f1("The red cup [1].", "a red blue cup") == pytest.approx(4 / 5)
    # "cup red" and "red blue cup": the longest common subsequence is one word
    assert rouge_l("cup red", "red blue cup") == pytest.approx(2 / 5)
    assert (token_f1("x", ""), rouge_l("x", "")) == (None, None)
    assert token_f1("", "x") == 0
    assert copy_ratio("so one two three four five end", ["zero one two three four five six"]) == pytest.approx(5 / 7)
    assert copy_ratio("one two", ["one two"]) is None


def test_declining_by_hand():
    # answerable: 1 of 3 declined; unanswerable: 1 of 2 declined
    found = abstention([True, True, True, False, False], [True, False, False, True, False])
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.false_refusals == pytest.approx(1 / 3)


def test_declining_everything_has_its_price_beside_it():
    found = abstention([True, False], [True, True])
    assert (found.recall, found.false_refusals) == (1.0, 1.0)
    assert abstention([True], [False]).f1 is None


def test_risk_and_coverage_by_hand():
    assert risk_coverage([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == [
        (0.25, 0.0),
        (0.75, pytest.approx(1 / 3)),
        (1.0, 0.5),
    ]
    assert area_under_risk([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == pytest.approx(0.5 / 3 + 0.125)
    assert area_under_risk([], []) is None


class Containing:
    """Supports a claim that stands word for word in the joined evidence."""

    id = "containing"

    def judge(self, pairs):
        return [
            Judgement(1.0, 0.0, 0.0) if all(w in " ".join(e) for w in c.split()) else Judgement(0.0, 1.0, 0.0)
            for e, c in pairs
        ]


PAPER = Paper("p", "T", "a b. c d. 12 e.")
AB, CD, E12 = (Citation(n, PAPER, q, 0, 4) for n, q in enumerate(("a b.", "c d.", "12 e."), start=1))


def answer(*claims):
    return Answer("?", "x", "answered", tuple(Claim(t, c, "supported", 1.0) for t, c in claims))


def test_citation_recall_and_precision_as_alce_defines_them():
    judged = judge_answer(Containing(), answer(("a c", (AB, CD)), ("a", (AB, CD)), ("z", (AB,)), ("a", ())))
    assert [item.is_supported for item in judged] == [True, True, False, False]
    # both are needed; the second adds nothing; the sentence is not supported; nothing is cited
    assert [item.precise for item in judged] == [(True, True), (True, False), (False,), ()]
    assert faithfulness(judged) == 0.5
    assert is_faithful(judged) is False
    assert citation_precision(judged) == pytest.approx(3 / 5)
    assert contradiction(judged) == pytest.approx(1 / 3)


def test_what_an_answer_calls_supported_is_counted_without_quotations_and_upheld_by_itself():
    said = answer(("a c", (AB, CD)), ("z", (AB,)), ("y", (AB,)), ("a b.", (AB,)))
    *own, quote = said.claims
    said = replace(said, claims=(*own[:2], replace(own[2], verdict="partly"), replace(quote, is_quote=True)))
    assert called_supported(said) == pytest.approx(2 / 3)
    assert upheld(judge_answer(Containing(), said)) == pytest.approx(1 / 2)
    only_quoted = replace(said, claims=said.claims[3:])
    assert (called_supported(only_quoted), upheld(judge_answer(Containing(), only_quoted))) == (None, None)


def test_grounding_does_not_apply_to_an_abstention():
    judged = judge_answer(Containing(), Answer("?", "no", "abstained"))
    assert judged is None
    assert (faithfulness(judged), is_faithful(judged), citation_precision(judged)) == (None, None, None)


def test_numbers_have_to_stand_in_what_is_cited():
    assert number_agreement(answer(("12 x", (E12,)), ("twelve x", (E12,)), ("13 x", (E12,)), ("x", (AB,)))) == (
        pytest.approx(2 / 3)
    )
    assert number_agreement(answer(("x", (AB,)))) is None


def test_gold_sentences_are_found_whatever_their_spacing():
    assert gold_sentence_recall(["A b  c.", "d"], ["a B c", "e"]) == 0.5
    assert gold_sentence_recall(["a"], []) is None
