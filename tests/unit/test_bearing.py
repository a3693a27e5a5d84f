"""What the adapter "bearing" is asked, and of which model it knows anything."""

import pytest

from rag import trained
from rag.bearing import telling
from rag.schema import Evidence, Paper
from rag.sentences import sentences_of

WHALES = Paper("w", "Songs of Whales", "Whales sing at sea. They are as low as 20 hertz. Nobody had heard them.")


def evidence(index: int) -> Evidence:
    return Evidence(index + 1, WHALES, sentences_of(WHALES)[index], 0.5)


class Reader:
    """Has the adapter's layers, and says yes with a fixed probability."""

    def __init__(self, model_id: str = trained.MODEL) -> None:
        self.model_id = model_id
        self.asked: list[str] = []

    def judge(self, messages, adapter):
        assert adapter is trained.adapter("bearing")
        self.asked.append(messages[-1][1])
        return 0.8, 0.2


def test_a_sentence_is_read_behind_the_one_before_it():
    model = Reader()
    assert telling(model, "how low do they sing", evidence(1)) == pytest.approx(0.8)
    asked = "Asked: How low do they sing?"
    shown = "Paper: Songs of Whales\n(Before: Whales sing at sea.)\nThey are as low as 20 hertz."
    assert model.asked == [f"{asked}\n\n{shown}\n\n{asked}"]
    telling(model, "Where?", evidence(0))
    assert "Before" not in model.asked[1]


@pytest.mark.parametrize("model", [Reader("another"), object()])
def test_of_another_model_nothing_is_known(model):
    assert telling(model, "Where?", evidence(0)) is None
