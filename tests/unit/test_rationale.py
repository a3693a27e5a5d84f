"""Which sentences of an abstract say most to a comparison."""

import pytest

from rag import rationale
from rag.evidence import renumbered
from rag.rationale import MOST_POINTED_AT, WEIGHTS, rationales
from rag.schema import Evidence, Paper, Sentence

MEASURED = next(iter(WEIGHTS))


def sentences(*scores, text="Whales sing."):
    paper = Paper("w", "WhaleSong", " ".join([text] * len(scores)))
    length = len(text) + 1
    made = (Sentence("w", i, i * length, i * length + len(text), text) for i in range(len(scores)))
    return renumbered(Evidence(1, paper, s, score) for s, score in zip(made, scores, strict=True))


class Pointing:
    """Points at the sentences with these log-probabilities; its adapter reads each as surely telling or as not."""

    model_id = MEASURED

    def __init__(self, pointed, telling=()):
        self.pointed = pointed
        self.telling = telling
        self.read = []

    def first_word_logprobs(self, messages, words):
        assert messages[-1] == ("assistant", "[")
        assert list(words) == [(str(i + 1),) for i in range(len(words))]
        return tuple(self.pointed[: len(words)])

    def judge(self, messages, adapter):
        self.read.append(messages[-1][1])
        is_telling = any(text in messages[-1][1] for text in self.telling)
        return (0.99, 0.01) if is_telling else (0.01, 0.99)


def test_what_the_model_points_at_comes_first_where_all_else_is_alike():
    own = sentences(0.5, 0.5, 0.5, 0.5)
    found = rationales(Pointing([-9.0, -3.0, -0.1, -3.0]), "How low?", "WhaleSong", own)
    assert found is not None
    assert found[0].evidence == own[2]
    likely = [one.probability for one in found]
    assert likely == sorted(likely, reverse=True)
    assert all(0 < one < 1 for one in likely)


def test_the_first_sentence_of_an_abstract_is_background():
    found = rationales(Pointing([-1.0, -1.0]), "How low?", "WhaleSong", sentences(0.5, 0.5))
    assert [one.evidence.sentence.index for one in found] == [1, 0]


def test_each_sentence_is_read_by_itself_and_what_it_tells_counts():
    own = sentences(0.9, 0.8, 0.7)
    model = Pointing([-1.0] * 3)
    found = rationales(model, "How low?", "WhaleSong", own)
    assert len(model.read) == 3
    assert {one.features.tells for one in found} == {0.0}
    assert sorted(one.features.near for one in found) == pytest.approx([-0.2, -0.1, 0.0])
    assert sum(one.probability for one in found) == pytest.approx(1.0)


def test_no_more_sentences_are_numbered_than_one_digit_names_and_these_are_the_nearest():
    found = rationales(Pointing([-1.0] * 12), "How low?", "WhaleSong", sentences(*(i / 20 for i in range(12))))
    assert {one.evidence.number for one in found} == set(range(1, MOST_POINTED_AT + 1))
    assert {one.evidence.sentence.index for one in found} == set(range(3, 12))


def test_how_unlikely_a_number_is_says_no_more_below_a_least():
    found = rationales(Pointing([0.0, -50.0]), "How low?", "WhaleSong", sentences(0.5, 0.5))
    assert [one.features.pointed for one in found] == [0.0, -1.0]


def test_a_model_that_was_not_measured_is_not_asked():
    class Unmeasured(Pointing):
        model_id = "tests/unmeasured"

    model = Unmeasured([0.0])
    assert rationales(model, "How low?", "WhaleSong", sentences(0.5)) is None
    assert model.read == []
    assert rationales(object(), "How low?", "WhaleSong", sentences(0.5)) is None
    assert rationales(Pointing([]), "How low?", "WhaleSong", ()) is None


def test_whoever_stops_is_heard_before_each_reading():
    checked = []
    rationales(Pointing([-1.0] * 8), "How low?", "WhaleSong", sentences(*[0.5] * 8), lambda: checked.append(1))
    assert len(checked) == 1 + 8


def test_every_feature_has_a_weight():
    assert all(len(weights) == len(rationale.Features._fields) for weights in WEIGHTS.values())
