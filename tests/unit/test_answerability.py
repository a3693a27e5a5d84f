"""The model's yes or no as a probability."""

import math
from dataclasses import replace

import pytest

from rag.evidence import renumbered
from rag.schema import Evidence, Paper, Sentence
from rag.stopping import Stopped
from rag.trained import adapters
from rag.trained.answerability import (
    BEST_WEIGHT,
    CALIBRATION,
    CLOSE,
    JOINT,
    MOST_TELLING,
    NOTHING_READ,
    SECOND_LOOK,
    SURELY_READ,
    SURELY_TOLD,
    answerability,
    log_odds,
)

PAPER = Paper("w", "WhaleSong", "Whales sing at 20 hertz.")
EVIDENCE = renumbered([Evidence(7, PAPER, Sentence("w", 0, 0, 24, PAPER.abstract), 0.9)])
MEASURED, (SLOPE, MIDDLE) = next(iter(CALIBRATION.items()))


class Likely:
    """Says yes with a fixed log-odds, and remembers what it was asked."""

    def __init__(self, odds: float, model_id: str = MEASURED) -> None:
        self.odds = odds
        self.model_id = model_id
        self.asked: list = []

    def first_word_logprobs(self, messages, words):
        self.asked.append(messages)
        assert [forms[0] for forms in words] == ["Yes", "No"]
        return self.odds - 1.0, -1.0


def test_the_model_is_asked_about_the_evidence_that_it_would_answer_from():
    model = Likely(0.7)
    assert log_odds(model, "How low?", EVIDENCE) == pytest.approx(0.7)
    prompt = model.asked[0][-1][1]
    assert "[1] Whales sing at 20 hertz." in prompt
    assert "How low?" in prompt


def test_the_probability_is_a_half_in_the_calibrated_middle_and_grows_with_the_odds():
    assert answerability(Likely(MIDDLE), "How low?", EVIDENCE) == pytest.approx(0.5)
    assert answerability(Likely(MIDDLE + 1), "?", EVIDENCE) == pytest.approx(1 / (1 + math.exp(-SLOPE)))


def test_a_question_typed_in_haste_is_declined_only_where_the_model_is_surer():
    assert answerability(Likely(0.0), "whale hertz how low", EVIDENCE) > 0.5
    assert answerability(Likely(-2.0), "whale hertz how low", EVIDENCE) < 0.5


def test_a_model_that_was_not_measured_is_not_asked():
    """The 0.5B says no to nearly everything: its log-odds would decline what the library answers."""
    model = Likely(-9.0, "tests/unmeasured")
    assert answerability(model, "How low?", EVIDENCE) is None
    assert model.asked == []


def test_a_model_without_probabilities_and_a_question_without_evidence_give_none():
    assert answerability(object(), "?", EVIDENCE) is None
    assert answerability(Likely(1.0), "?", ()) is None


def test_the_question_to_the_model_begins_as_the_answering_prompt_does():
    """So that the engine reads the evidence once for both."""
    import prompts

    values = {"evidence": "[1] Whales sing.", "question": "How low?"}
    check, answer = (prompts.load(name).messages(**values) for name in ("answerable", "answer"))
    assert check[0] == answer[0]
    assert check[1][1].startswith(answer[1][1])


class Trained(Likely):
    """Has an adapter that says yes with a fixed log-odds."""

    def __init__(self, odds: float, read: float, best: float = 0.0) -> None:
        super().__init__(odds)
        self.read = read
        self.best = best
        self.told: list = []
        self.read_closely: list = []

    def judge(self, messages, adapter, ending=""):
        is_whole = adapter is adapters.named("answerable")
        assert is_whole or adapter is adapters.named("bearing")
        assert ending.startswith("Question: ") is is_whole, "before it the model reads as it is"
        assert ending in messages[-1][1]
        (self.told if is_whole else self.read_closely).append(messages[-1][1])
        yes = 1 / (1 + math.exp(-(self.read if is_whole else self.best)))
        return yes, 1 - yes


def test_what_the_model_says_and_what_it_was_trained_to_see_are_weighed():
    said, read, start = JOINT[MEASURED]
    found = answerability(Trained(0.5, -2.0), "How low?", EVIDENCE)
    assert found == pytest.approx(1 / (1 + math.exp(-(said * 0.5 - read * 2.0 + start))))
    sure_no, sure_yes = (answerability(Trained(0.5, odds), "How low?", EVIDENCE) for odds in (-11.0, 11.0))
    assert sure_no < 0.5 < sure_yes
    assert answerability(Trained(0.5, -30.0), "?", EVIDENCE) == pytest.approx(
        answerability(Trained(0.5, -20.0), "?", EVIDENCE), abs=1e-3
    )


def test_where_the_adapter_reads_nothing_of_an_answer_the_model_is_not_asked():
    model = Trained(5.0, NOTHING_READ - 0.1)
    assert answerability(model, "How low?", EVIDENCE) < 0.2
    assert model.asked == []
    assert answerability(Trained(5.0, NOTHING_READ + 0.1), "How low?", EVIDENCE) > 0.9


def test_where_the_adapter_surely_reads_an_answer_the_model_is_not_asked():
    model = Trained(-2.0, SURELY_READ + 0.1)
    assert answerability(model, "How low?", EVIDENCE) > 0.9
    assert answerability(model, "How low?", EVIDENCE, is_second_look=True) > 0.5
    assert model.asked == []
    assert answerability(Trained(-5.0, SURELY_READ - 0.1), "How low?", EVIDENCE) < 0.5


@pytest.mark.parametrize(("score", "surer"), [(SURELY_TOLD - 0.01, SECOND_LOOK), (SURELY_TOLD, 0.0)])
def test_a_second_look_has_to_be_surer_where_no_sentence_surely_says_what_is_asked(score, surer):
    evidence = [replace(item, score=score) for item in EVIDENCE]
    first, second = (
        answerability(Trained(2.0, 0.0), "How low?", evidence, is_second_look=is_second) for is_second in (False, True)
    )
    log_odds = [math.log(p / (1 - p)) for p in (first, second)]
    assert log_odds[0] - log_odds[1] == pytest.approx(surer)


def stop():
    raise Stopped


def test_where_both_leave_it_open_the_sentence_that_tells_most_is_heard():
    said, _, start = JOINT[MEASURED]
    open_still = -start / said  # both together: a half
    model = Trained(open_still, 0.0, best=4.0)
    found = answerability(model, "How low?", EVIDENCE)
    assert found == pytest.approx(1 / (1 + math.exp(-BEST_WEIGHT * 4.0)))
    assert len(model.read_closely) == 1
    assert "Whales sing at 20 hertz." in model.read_closely[0]
    assert answerability(Trained(open_still, 0.0, best=-30.0), "How low?", EVIDENCE) == pytest.approx(
        1 / (1 + math.exp(BEST_WEIGHT * MOST_TELLING))
    )
    still = open_still + SECOND_LOOK / said
    unsure = [replace(item, score=SURELY_TOLD / 2) for item in EVIDENCE]
    second = answerability(Trained(still, 0.0, best=4.0), "How low?", unsure, is_second_look=True)
    assert second == pytest.approx(0.5), "then it only counts against it"
    assert answerability(Trained(still, 0.0, best=-4.0), "How low?", unsure, is_second_look=True) < 0.5
    stopped = Trained(open_still, 0.0, best=4.0)
    with pytest.raises(Stopped):
        answerability(stopped, "How low?", EVIDENCE, check=stop)
    assert stopped.read_closely == []
    sure = Trained(open_still + (CLOSE + 0.1) / said, 0.0, best=-30.0)
    assert answerability(sure, "How low?", EVIDENCE) > 0.8
    assert sure.read_closely == []


def test_the_adapter_reads_a_question_as_questions_are_written_and_no_pieces_of_them():
    model = Trained(0.5, 1.0)
    answerability(model, "whale hertz how low", EVIDENCE)
    assert "Question: Whale hertz how low?" in model.told[0]
    assert "Question: whale hertz how low\n" in model.asked[0][-1][1]
    answerability(model, "how low", EVIDENCE, is_part=True)
    answerability(model, "How low do whales and bees each sing?", EVIDENCE, asks_several=True)
    assert len(model.told) == 1


def test_evidence_that_the_model_has_no_room_for_is_left_out_the_least_first():
    many = renumbered([replace(EVIDENCE[0], score=score) for score in (0.5, 0.1, 0.9)])
    model = Likely(0.7)
    model.context_tokens = 70
    model.count_prompt_tokens = lambda messages: sum(len(text.split()) for _, text in messages)
    assert answerability(model, "How low?", many) is not None
    shown = model.asked[0][-1][1]
    assert "[2]" not in shown
    assert "[1]" in shown or "[3]" in shown
