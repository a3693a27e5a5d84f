"""Fusion and filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BadFilter
from rag.retrieval import reciprocal_rank_fusion, select_papers
from rag.schema import Paper

PAPERS = [
    Paper("a", "Alpha", "x", authors=("Ada Lovelace",), year=2020, venue="ICLR", keywords=("vision",)),
    Paper("b", "Beta", "x", authors=("Alan Turing",), year=2024, venue="NeurIPS"),
    Paper("c", "Gamma", "x"),
]


def test_fusion_adds_reciprocal_ranks():
    fused = reciprocal_rank_fusion([["a", "b"], ["b", "c"]], 10)
    assert fused == pytest.approx({"b": 1 / 12 + 1 / 11, "a": 1 / 11, "c": 1 / 12})
    assert list(fused) == ["b", "a", "c"]


@given(st.lists(st.lists(st.sampled_from("abcdefg"), unique=True), max_size=3), st.integers(1, 100))
def test_fusion_keeps_every_item_once_best_first(rankings, constant):
    fused = reciprocal_rank_fusion(rankings, constant)
    assert set(fused) == {item for ranking in rankings for item in ranking}
    assert list(fused.values()) == sorted(fused.values(), reverse=True)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"year": 2020}, "a"),
        ({"year": {"gte": 2021}}, "b"),
        ({"year": {"gt": 2019, "lt": 2024}}, "a"),
        ({"year": {"ne": 2020}}, "bc"),
        ({"venue": "iclr"}, "a"),
        ({"venue": {"in": ["ICLR", "NeurIPS"]}}, "ab"),
        ({"authors": {"contains": "turing"}}, "b"),
        ({"keywords": "vision"}, "a"),
        ({"title": {"contains": "am"}}, "c"),
        ({"year": {"lte": 2030}, "venue": "NeurIPS"}, "b"),
        ({"id": {"in": []}}, ""),
    ],
)
def test_filters_select_papers(where, expected):
    assert select_papers(PAPERS, where) == frozenset(expected)


@pytest.mark.parametrize(
    "where",
    [
        {"yeer": 2020},
        {"year": {"above": 2020}},
        {"year": {"gte": "2020"}},
        {"year": "2020"},
        {"year": {"ne": "2020"}},
        {"year": {"in": [2020, "2021"]}},
        {"venue": {"in": "ICLR"}},
        {"title": {"gt": "a"}},
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(where):
    with pytest.raises(BadFilter):
        select_papers(PAPERS, where)
