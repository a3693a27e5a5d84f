"""Retrieval over SciFact, on a library of two."""

from types import SimpleNamespace

import pytest

from eval.cases import CaseError
from eval.retrieving import measured, scifact
from rag.schema import Hit, Paper, Passage

FIRST, SECOND = (Paper(c, c, "x.", url=f"https://scifact.invalid/{n}") for c, n in (("a", 7), ("b", 8)))


class Ranking:
    papers = (FIRST, SECOND)

    def retrieve(self, claim, k):
        return tuple(Hit(p, Passage(p.id, 0, 0, 2, "x."), 1.0, n) for n, p in enumerate(self.papers, start=1))

    def close(self):
        pass


def test_a_claim_finds_what_it_cites():
    found = measured(Ranking(), [("one", {"7"}), ("two", {"8"})])
    assert found["MRR@10"] == pytest.approx(0.75)
    assert found["nDCG@10"] == pytest.approx((1 + 0.6309297535714575) / 2)
    assert (found["claims"], found["recall@10"]) == (2, 1.0)


def test_a_missing_corpus_says_where_to_get_it(tmp_path):
    with pytest.raises(CaseError, match=r"corpus\.jsonl.*github\.com/allenai/scifact"):
        scifact(SimpleNamespace(data=tmp_path, split="train", limit=None))
