"""Where tokens look, and where passages stand in a prompt."""

import pytest
import torch
from transformers import AutoTokenizer

from rag.inference.attention import looks, places_of
from tests.tiny_language_model import make_model


def test_shares_by_hand():
    # One head over three keys; the last of two tokens sees all of them, the first only two.
    keys = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]])
    queries = torch.tensor([[[0.0, 0.0]], [[2**0.5, 0.0]]])
    hidden = torch.tensor([[0.0, 0.0, -torch.inf], [0.0, 0.0, 0.0]])
    last = torch.tensor([1.0, 0.0, 2.0]).softmax(0)
    first = torch.tensor([0.5, 0.5, 0.0])
    torch.testing.assert_close(looks(queries, keys, hidden), torch.stack(((first + last) / 2, last))[:, None])


def test_heads_that_share_keys_look_each_for_itself():
    draw = torch.Generator().manual_seed(0)
    queries, keys = torch.randn(3, 4, 8, generator=draw), torch.randn(2, 5, 8, generator=draw)
    alone = [looks(queries[:, [head]], keys[[head // 2]], None) for head in range(4)]
    torch.testing.assert_close(looks(queries, keys, None), torch.cat(alone, dim=1))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    make_model(folder, "llama")
    return AutoTokenizer.from_pretrained(folder)


def test_passages_are_found_behind_each_other_and_before_the_last_ending(tokenizer):
    text = "Asked: Why?\n\nPaper: Moles\nThey dig.\nThey dig.\nDaß sie bœuf mögen.\n\nAsked: Why?"
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    spans, end = places_of(tokenizer, tokens, ("They dig.", "They dig.", "Daß sie bœuf mögen."), "Asked: Why?")
    said = [tokenizer.decode(tokens[first:last]) for first, last in spans]
    assert [text.strip() for text in said] == ["They dig.", "They dig.", "Daß sie bœuf mögen."]
    assert spans == sorted(set(spans))
    assert tokenizer.decode(tokens[end:]).strip() == "Asked: Why?"


def test_what_does_not_stand_there_is_an_error(tokenizer):
    tokens = tokenizer("They dig.\nAsked: Why?", add_special_tokens=False)["input_ids"]
    for passages, ending in ((("They swim.",), "Asked: Why?"), (("They dig.",), "Asked: Who?")):
        with pytest.raises(ValueError, match="not found"):
            places_of(tokenizer, tokens, passages, ending)
