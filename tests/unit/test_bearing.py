"""What the adapter "bearing" is asked, and of which model it knows anything."""

import numpy as np
import pytest

from rag.language.sentences import sentences_of
from rag.schema import Evidence, Paper
from rag.trained import adapters
from rag.trained.bearing import LEAST_LOOK, Head, head, looked_at, telling, telling_alone

WHALES = Paper("w", "Songs of Whales", "Whales sing at sea. They are as low as 20 hertz. Nobody had heard them.")


def evidence(index: int) -> Evidence:
    return Evidence(index + 1, WHALES, sentences_of(WHALES)[index], 0.5)


class Reader:
    """Has the adapter's layers, and says yes with a fixed probability."""

    def __init__(self, model_id: str = adapters.MODEL) -> None:
        self.model_id = model_id
        self.asked: list[str] = []

    def judge(self, messages, adapter, ending=""):
        assert adapter is adapters.named("bearing")
        self.asked.append(messages[-1][1])
        return 0.8, 0.2


def test_a_sentence_is_read_behind_the_one_before_it():
    model = Reader()
    assert telling_alone(model, "how low do they sing", evidence(1)) == pytest.approx(0.8)
    asked = "Asked: How low do they sing?"
    shown = "Paper: Songs of Whales\n(Before: Whales sing at sea.)\nThey are as low as 20 hertz."
    assert model.asked == [f"{asked}\n\n{shown}\n\n{asked}"]
    telling_alone(model, "Where?", evidence(0))
    assert "Before" not in model.asked[1]


@pytest.mark.parametrize("model", [Reader("another"), object()])
def test_of_another_model_nothing_is_known(model):
    assert telling_alone(model, "Where?", evidence(0)) is None
    assert telling(model, "Where?", WHALES, ["Whales sing at sea."]) is None


class Looking(Reader):
    """Looks at each sentence as much as it has letters."""

    def looks(self, messages, passages, ending, adapter):
        assert adapter is adapters.named("bearing")
        asked = "Asked: How low?"
        assert (passages, ending) == (["They are low.", "Nobody heard."], asked)
        assert messages[-1][1] == f"{asked}\n\nPaper: Songs of Whales\nThey are low.\nNobody heard.\n\n{asked}"
        return np.full((2, *head().weights.shape), 0.1) * np.arange(1, 3).reshape(2, 1, 1, 1)


def test_a_paper_is_read_once_for_all_its_sentences():
    asked = "how low", WHALES, ["They are low.", "Nobody heard."]
    shares = looked_at(Looking(), *asked)
    assert telling(Looking(), *asked) == head().probabilities(shares).tolist()


def test_log_odds_by_hand():
    by_hand = Head("1", 0.5, np.array([[[1.0, -1.0], [2.0, 0.0]]], dtype=np.float32))
    shares = np.array([[[[0.3, 0.1], [0.2, 0.7]]], [[[0.0, 0.0], [0.0, 0.0]]]], dtype=np.float32)
    odds = [0.5 + np.log(0.3) - np.log(0.1) + 2 * np.log(0.2), 0.5 + 2 * np.log(LEAST_LOOK)]
    assert by_hand.probabilities(shares) == pytest.approx([1 / (1 + np.exp(-x)) for x in odds], rel=1e-3)


def test_the_head_belongs_to_the_adapter_that_ships():
    found = adapters.named("bearing")
    assert head().version == found.version, "fit it anew: python -m eval judge --fit sentences"
    assert head().weights.shape[:2] == (found.depth, 2)
