"""The test of the eval itself: an exam tells builds that are broken on purpose from the good one."""

import numpy as np
import pytest
from fakes import HashedEncoder

from eval import exam
from eval.broken import BUILDS, Remembering, differences, is_told_apart
from eval.examining import SAME, prove
from rag import Rag, Settings


@pytest.fixture(scope="module")
def proof():
    rag = Rag.open(Settings())
    return prove(rag, exam.write(rag.papers, seed=0, n=60))


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("build", sorted(BUILDS))
def test_a_broken_build_is_told_apart_for_the_worse(proof, build):
    assert is_told_apart(proof[build])
    assert proof[build][0].p < 0.05
    assert proof[build][0].worse > proof[build][0].better


@pytest.mark.weights
@pytest.mark.slow
def test_the_good_build_is_not_told_apart_from_itself(proof):
    assert not is_told_apart(proof[SAME])
    assert all(d.better == d.worse == 0 for d in proof[SAME])


def test_an_encoder_that_remembers_gives_the_same_vectors_and_encodes_no_text_twice():
    plain = HashedEncoder()
    remembering = Remembering(HashedEncoder())
    for texts in (["a b", "c", "a b"], ["c", "d"], []):
        assert np.array_equal(remembering.encode(texts, "document"), plain.encode(texts, "document"))
    assert remembering.encoded == ["a b", "c", "d"]
    assert remembering.dimension == plain.dimension


def test_differences_by_hand():
    good = {"right": [True] * 8 + [None], "falsely refused": [False] * 9}
    bad = {"right": [False] * 8 + [True], "falsely refused": [True] * 2 + [False] * 7}
    first, second = differences(good, bad)
    # sign test: 2 / 2**8, times two figures; 2 / 2**2 stays, and may not be less than the one before
    assert (first.figure, first.better, first.worse, first.p) == ("right", 0, 8, pytest.approx(4 / 256))
    assert (second.figure, second.better, second.worse, second.p) == ("falsely refused", 0, 2, pytest.approx(0.5))
    assert is_told_apart([first, second])
    assert not is_told_apart([second])
    assert differences({}, {}) == []
