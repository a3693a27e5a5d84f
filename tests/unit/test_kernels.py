"""Both int8 products give the same numbers, to the last bit, whatever the number of rows."""

from __future__ import annotations

import pytest
import torch

from rag.inference import kernels
from rag.inference.int8 import Int8Matrix, quantise
from rag.inference.kernels import fbgemm_product, has_int8_engine, has_tiles, onednn_product, packing, product

pytestmark = pytest.mark.skipif(not has_int8_engine(), reason="no int8 kernels on this CPU")


@pytest.fixture(scope="module")
def matrix():
    torch.manual_seed(0)
    return torch.randn(320, 192)


@pytest.fixture(scope="module", params=[(320, 192), (48, 192), (7, 192), (1000, 192)], ids=str)
def both(request):
    torch.manual_seed(0)
    weight, scale = quantise(torch.randn(request.param))
    with packing():
        return fbgemm_product(weight, scale), onednn_product(weight, scale)


def within_one(rows, inputs=192):
    values = torch.randn(rows, inputs)
    return values / values.abs().amax(-1, keepdim=True)


@pytest.mark.parametrize("rows", [1, 2, 5, 16, 77, 300])
def test_both_give_the_same_sums_to_the_last_bit(both, rows):
    inputs = within_one(rows)
    fbgemm, onednn = (multiply(inputs.clone()) for multiply in both)
    assert torch.equal(fbgemm, onednn)


def test_both_round_what_lies_between_two_integers_alike(both):
    halves = (torch.arange(192) % 127 + 0.5) / 127  # and their neighbours among the numbers that float32 has
    inputs = torch.stack([halves, -halves, halves.nextafter(torch.tensor(2.0)), halves.nextafter(torch.tensor(0.0))])
    fbgemm, onednn = (multiply(inputs.clone()) for multiply in both)
    assert torch.equal(fbgemm, onednn)


@pytest.mark.parametrize("which", [0, 1], ids=["fbgemm", "onednn"])
def test_a_row_gets_the_same_sums_alone_and_among_others(both, which):
    inputs = within_one(40)
    together = both[which](inputs.clone())
    assert all(torch.equal(together[row], both[which](inputs[row : row + 1].clone())[0]) for row in range(40))


@pytest.mark.parametrize("tiles", [False, True])
def test_a_matrix_multiplies_by_either(monkeypatch, matrix, tiles):
    monkeypatch.setattr(kernels, "has_tiles", lambda: tiles)
    inputs = torch.cat([torch.randn(30, 192) * 5, torch.zeros(1, 192)])
    before = inputs.clone()
    with packing():
        found = Int8Matrix(*quantise(matrix), torch.ones(320))(inputs)
    assert torch.equal(inputs, before), "what is multiplied is left as it was"
    assert torch.equal(found[-1], torch.ones(320))
    wanted = inputs @ matrix.T + 1
    assert (found - wanted).norm() / wanted.norm() < 0.02


def test_tiles_are_used_only_where_there_are_any(monkeypatch, matrix):
    asked = []
    monkeypatch.setattr(kernels, "onednn_product", lambda *_given: asked.append("onednn"))
    monkeypatch.setattr(kernels, "fbgemm_product", lambda *_given: asked.append("fbgemm"))
    for tiles in (True, False):
        monkeypatch.setattr(kernels, "has_tiles", lambda tiles=tiles: tiles)
        product(*quantise(matrix))
    assert asked == ["onednn", "fbgemm"]


def test_a_kernel_that_fails_or_miscounts_is_not_used(monkeypatch, caplog):
    def missing(_weight, _scale):
        raise AttributeError("no such operator")

    def wrong(_weight, _scale):
        return lambda inputs: inputs[:, :8]

    for kernel, logged in (
        (missing, "missing can't be used: no such"),
        (wrong, "wrong can't be used: it counts wrong"),
    ):
        monkeypatch.setattr(kernels, "onednn_product", kernel)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
        has_tiles.cache_clear()
        caplog.clear()
        try:
            assert not has_tiles()
        finally:
            has_tiles.cache_clear()
        assert logged in caplog.text
