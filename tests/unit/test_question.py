"""Questions are told apart by their words."""

import pytest

from rag.errors import BadQuestion
from rag.question import parts_of, readable, wants_explanation


@pytest.mark.parametrize(
    "question",
    [
        "How does it work?",
        "Why is it slow?",
        "What does RISE do?",
        "When does it help, and which method shows it?",
        "Explain LoRA.",
    ],
)
def test_an_open_question_wants_an_explanation(question):
    assert wants_explanation(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many tasks are there?",
        "Which dataset is used?",
        "What does RLEF stand for?",
        "By how much does it improve?",
        "taco gain %",
    ],
)
def test_a_question_for_a_fact_does_not(question):
    assert not wants_explanation(question)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What does X hide, and why is that a problem?", ("What does X hide?", "Why is that a problem?")),
        ("How fast is it? And how large?", ()),  # a scrap says nothing alone
        ("What is a RUM? Which robot carries it?", ("What is a RUM?", "Which robot carries it?")),
        (
            "How many tasks does it have and by how much is it better",
            ("How many tasks does it have?", "By how much is it better?"),
        ),
        ("When and how does it help?", ()),
        ("Which papers compare A and B?", ()),
        ("Why do A and B fail where C works?", ()),
        ("What does it say of what and how people learn?", ()),
    ],
)
def test_a_question_is_taken_apart_into_what_it_asks(question, parts):
    assert parts_of(question) == parts


def test_control_characters_and_line_ends_become_spaces():
    assert readable(" a\x00b\n\nc\t", 10) == "a b c"


@pytest.mark.parametrize("question", ["", " \n", "\x00", None, 3, "x" * 11])
def test_what_cannot_be_read_is_refused(question):
    with pytest.raises(BadQuestion):
        readable(question, 10)
