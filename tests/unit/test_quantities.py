"""Numbers keep their value, their unit, and whether they are a level or a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import misread, missing_names, numbers_in, quantities


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("24,000 actions", {"24000"}),
        ("24k actions", {"24000"}),
        ("390K+ entries", {"390000"}),
        ("a 7B model of 7 billion parameters", {"7000000000"}),
        ("3.60 and three", {"3.6", "3"}),
        ("version 2.5.1", {"2.5.1"}),
        ("no number", set()),
        ("Llama-3-8B", {"3", "8000000000"}),
    ],
)
def test_a_number_is_its_value_however_it_is_written(text, numbers):
    assert numbers_in(text) == numbers


def test_a_number_in_a_name_is_no_amount_and_the_name_has_to_be_there():
    assert numbers_in("SC2LE has 7 games", in_names=False) == {"7"}
    assert numbers_in("SC2LE has 7 games") == {"2", "7"}
    assert missing_names("GPT4 and Llama2 play SC2LE.", "GPT-4 and Llama 2 play SC2LE.") == ()
    assert missing_names("GPT4 plays, GPT4 wins.", "GPT-40 plays GPT 3.") == ("GPT4",)
    assert missing_names("RT-2 has 2 arms.", "") == ()
    assert not misread("A2C trains for 2 hours.", "A2C trains for 2 hours.")


def test_the_word_one_counts_only_where_it_is_asked_for():
    assert numbers_in("one of them") == {"1"}
    assert numbers_in("one of them", with_one=False) == frozenset()


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Demonstrations are 3% cheaper.", "They prove to be only 3% the cost of human ones."),
        ("WebRL beats AutoWebGLM by 18.2%.", "AutoWebGLM, the best of the open agents, has a success rate of 18.2%."),
        ("It reaches a success rate of 20.4%.", "It outperforms imitation learning by 20.4%."),
        ("Training takes 2 days.", "Training takes 2 hours."),
        ("It is 40% of that.", "It is 40 times that."),
    ],
    ids=[
        "a share for a difference",
        "a level for a margin",
        "a margin for a level",
        "another unit",
        "times for percent",
    ],
)
def test_a_number_that_means_something_else_is_misread(said, source):
    assert misread(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("OpenVLA outperforms RT-2-X by 16.5%.", "OpenVLA outperforms RT-2-X by 16.5% in absolute success rate."),
        ("HumanEval improves by 12.2%.", "It enhances HumanEval (+12.2%) and GPQA (+8.6%)."),
        ("It is 7.35 times faster.", "It offers a 7.35x speed-up over the state of the art."),
        ("The success rate rises from 4.8% to 42.4%.", "It improves the success rate from 4.8% to 42.4%."),
        ("It uses 100k demonstrations.", "We use 100,000 demonstrations."),
        ("It has 50 tasks.", "It has 60 tasks."),
    ],
    ids=[
        "the same words",
        "a sign",
        "a speed-up",
        "from and to",
        "another spelling",
        "not there: no matter of reading",
    ],
)
def test_a_number_that_means_the_same_is_not(said, source):
    assert not misread(said, source)


@given(st.text(), st.text())
def test_no_text_is_too_odd_to_be_read(text, source):
    misread(text, source)
    assert all(quantity.value for quantity in quantities(text))
