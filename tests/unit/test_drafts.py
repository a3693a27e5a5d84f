"""A model's text comes apart into sentences, marks, clauses and refusals, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import clauses_of, draft_sentences, finished_sentences, is_refusal, marked_sentences, until_refusal


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("It works. [1][2] So does this [3].", ["It works.", "So does this."]),
        ("Answer: It works.", ["It works."]),
        ("**Bold** move.", ["Bold move."]),
        (
            "It has three parts:\n1) a relabeler\n2) a generator\n3) rewards",
            ["It has three parts: a relabeler; a generator; rewards"],
        ),
        ("- one thing\n- another thing", ["one thing", "another thing"]),
        ("Same. Same.", ["Same."]),
        ("There are two parts. 1. It sings. 2) It dances.", ["There are two parts.", "It sings.", "It dances."]),
        ("It needs 3.5 hours. 12 whales sing.", ["It needs 3.5 hours.", "12 whales sing."]),
        ("", []),
        ("[1] [", []),
    ],
)
def test_a_draft_is_cut_into_sentences_without_the_models_own_marks(draft, expected):
    assert draft_sentences(draft) == expected


@given(st.text())
def test_no_text_is_too_odd_to_be_read(draft):
    for sentence in draft_sentences(draft):
        assert sentence == sentence.strip()
        assert any(c.isalnum() or c == "_" for c in sentence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The evidence does not mention the number of GPUs.", True),
        ("There is no information about this.", True),
        ("The answer cannot be determined from the sentences.", True),
        ("It does not revisit training data.", False),
        ("", False),
    ],
)
def test_a_refusal_is_told_from_a_negative_answer(text, expected):
    assert is_refusal(draft_sentences(text)) is expected


CALVES = "WhaleSong does not include recordings of calves in its data."


@pytest.mark.parametrize(
    ("text", "evidence", "expected"),
    [
        (CALVES, (), False),
        (CALVES, (CALVES,), False),
        ("FooNet does not provide any labels to the network.", (), False),
        ("Policies are not given the state of the robot.", (), False),
        ("The authors did not state-match.", (), False),
        ("The evidence does not include the number of GPUs.", (), True),
        ("The evidence doesn't mention the number of GPUs.", (), True),
        ("The sentences above do not explicitly provide it.", (), True),
        ("The number of calves is not given.", (CALVES,), True),
        ("Recordings of calves are not included in the abstract.", (), True),
        ("WhaleSong does not mention calves.", (CALVES,), True),
        ("WhaleSong does not specify its tasks in code.", ("WhaleSong does not specify tasks in code.",), False),
        ("WhaleSong does not specify its tasks in code.", ("WhaleSong specifies its tasks in no code.",), True),
        ("WhaleSong does not specify its tasks in code.", ("WhaleSong specifies tasks in code, not words.",), True),
    ],
)
def test_what_speaks_of_its_subject_or_says_what_the_evidence_says_is_no_refusal(text, evidence, expected):
    assert is_refusal([text], evidence) is expected


@pytest.mark.parametrize(
    "text",
    [
        "The dose is not given.",
        "The batch size is not provided for FooNet.",
        "The number of calves was not specified.",
        "The paper does not specifically address calves.",
        "The cost was not stated, as the study was small.",
        "There is no specific information on the price of tea.",
        "Unfortunately, no information on this is available.",
        "The evidence holds not enough information to say which is better.",
        "The cause cannot be determined from the given text.",
        "It cannot be determined whether FooNet beats BarNet.",
        "The question can't be answered with the provided information.",
        "The exact number cannot be determined.",
        "I cannot answer this question.",
        "The evidence cannot answer it.",
    ],
)
def test_what_says_that_something_is_not_told_is_a_refusal(text):
    assert is_refusal([text])


@pytest.mark.parametrize(
    "text",
    [
        "The policy is not specific to one robot.",
        "FooNet is not specifically made for whales.",
        "Controls were not given aspirin.",
        "Labels are not provided by annotators.",
        "The drugs were not given in combination.",
        "The cause cannot be determined by imaging alone.",
        "The shape cannot be determined from a single view.",
        "Models of this kind cannot answer questions about long songs.",
        "FooNet is not state of the art.",
        "FooNet loses nothing: there is no information loss.",
    ],
)
def test_what_denies_something_of_its_subject_is_no_refusal(text):
    assert not is_refusal([text])


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("A has 5 layers, while the depth of B is not specified.", "A has 5 layers."),
        ("A has 5 layers; the evidence does not mention B.", "A has 5 layers."),
        ("A has 5 layers, while B has 6.", None),
        ("The depth of A is not specified, while B has 6.", None),
        ("The depth of A is not specified.", None),
    ],
)
def test_what_is_said_ends_where_it_says_that_the_rest_is_not_told(sentence, said):
    assert until_refusal(sentence) == (said or sentence)
    assert until_refusal(sentence, [sentence]) == sentence, "the evidence says so itself"


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        ("Meta-World has 50 tasks, and GRUE has 6 tasks.", ["Meta-World has 50 tasks.", "GRUE has 6 tasks."]),
        ("RUMs need no tuning, while OpenVLA uses LoRA.", ["RUMs need no tuning.", "OpenVLA uses LoRA."]),
        ("It is fast; it is also small!", ["It is fast.", "It is also small."]),
        ("It is fast and small.", []),
        ("", []),
        ("and, but; while", []),
    ],
)
def test_a_sentence_comes_apart_at_its_main_clauses(sentence, clauses):
    assert clauses_of(sentence) == clauses


@pytest.mark.parametrize(
    ("draft", "marked"),
    [
        ("It sings [2]. It dances. [1][3]", {"It sings.": {2}, "It dances.": {1, 3}}),
        ("It sings [1, 2] at night.", {"It sings at night.": {1, 2}}),
        ("It sings (1, 2).", {"It sings.": {1, 2}}),
        ("It has far more songs (130000).", {"It has far more songs (130000).": set()}),
        ("PPO (2017) sings.", {"PPO (2017) sings.": set()}),
        ("It sings.", {"It sings.": set()}),
        ("It sings [99999999999].", None),
        ("", {}),
    ],
)
def test_markers_belong_to_the_sentence_that_they_stand_in_or_behind(draft, marked):
    found = marked_sentences(draft)
    assert marked is None or found == marked


@pytest.mark.parametrize(
    ("draft", "marked"),
    [
        ("Scores lie in [0, 1] for all tasks.", {"Scores lie in [0, 1] for all tasks.": set()}),
        ("Scores lie in [1, 2].", {"Scores lie in [1, 2].": set()}),
        ("We use window sizes (8, 16).", {"We use window sizes (8, 16).": set()}),
        ("We use windows [8, 16] with k = [1, 2].", {"We use windows [8, 16] with k = [1, 2].": set()}),
        ("We use windows (8, 16).", {"We use windows (8, 16).": set()}),
        ("It has five stages (3) in total.", {"It has five stages (3) in total.": set()}),
        ("Table [12] lists songs [3 x 3].", {"Table [12] lists songs [3 x 3].": set()}),
        ("Whales [2] sing (1, 2).", {"Whales sing.": {1, 2}}),
        ("It sings [7]. [1, 3] It dances (1).", {"It sings.": {1, 3, 7}, "It dances.": {1}}),
        ("It sings [1, ] []", {"It sings": {1}}),
        ("Whales had fins (2), tails (1), and songs (3).", {"Whales had fins (2), tails (1), and songs (3).": set()}),
        ("Whales sing (1), and they dance (2) (3).", {"Whales sing, and they dance.": {1, 2, 3}}),
        ("Fins (2), tails. It sings (1).", {"Fins (2), tails.": set(), "It sings.": {1}}),
        ("It moves in SE(3). It weighs 30 kg/m(2).", {"It moves in SE(3).": set(), "It weighs 30 kg/m(2).": set()}),
        ("For (1), we sing.", {"For (1), we sing.": set()}),
    ],
)
def test_of_brackets_only_those_are_markers_that_point_to_evidence(draft, marked):
    assert marked_sentences(draft, range(1, 4)) == marked


@given(st.text(alphabet="ab. []()0123456789,;\n-*", max_size=80))
def test_markers_of_any_text_are_read_without_an_exception(text):
    assert list(marked_sentences(text)) == draft_sentences(text)


@pytest.mark.parametrize(
    ("draft", "finished"),
    [
        ("It sings. It dan", ["It sings."]),
        ("It sings. [1] It dances! [2", ["It sings.", "It dances!"]),
        ('He said "sing."', ['He said "sing."']),
        ("It si", []),
        ("", []),
    ],
)
def test_a_sentence_that_was_broken_off_is_left_out(draft, finished):
    assert finished_sentences(draft) == finished
