"""Follow-ups become questions that stand alone; others are left as they are."""

import pytest

from rag.conversation import standalone

HISTORY = [
    {"role": "user", "content": "How much better are MindForge agents than Voyager at collecting dirt?"},
    {"role": "assistant", "content": "By 66.6%."},
]


@pytest.mark.parametrize(
    "question", ["And for wood?", "How does it compare to PPO?", "Why?", "What about the full game?"]
)
def test_a_follow_up_takes_the_earlier_question_along(question):
    assert standalone(question, HISTORY) == f"{HISTORY[0]['content']} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "What is OpenVLA trained on?",
        "Which benchmark does BALROG use for games?",
        "How does FROSTER keep CLIP general?",
    ],
)
def test_a_question_that_names_its_subject_is_left_as_it_is(question):
    assert standalone(question, HISTORY) == question


def test_without_history_nothing_is_added():
    assert standalone("And for wood?", []) == "And for wood?"


def test_a_chain_of_follow_ups_hangs_on_the_last_question_that_stood_alone():
    history = [*HISTORY, {"role": "user", "content": "And for wood?"}, {"role": "assistant", "content": "By 70.8%."}]
    assert standalone("And for iron?", history) == f"{HISTORY[0]['content']} And for wood? And for iron?"


def test_odd_messages_in_a_history_do_no_harm():
    assert standalone("And for wood?", [{"role": "user", "content": ""}, {"role": "system"}]) == "And for wood?"
