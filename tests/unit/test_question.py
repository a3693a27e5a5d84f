"""Questions are told apart by their words."""

import pytest

from rag.errors import BadQuestion
from rag.language.question import (
    abbreviations_in_question,
    asks_for_number,
    asks_for_record,
    parts_of,
    readable,
    says_again,
    shares_news,
    tells,
    wants_explanation,
)


@pytest.mark.parametrize(
    "question",
    [
        "How does it work?",
        "Why is it slow?",
        "What does RISE do?",
        "When does it help, and which method shows it?",
        "Explain LoRA.",
        "How is the mean depth of a dive held?",
        "How does mean pooling help?",
        "What does mean pooling do?",
        "What does the mean in this trial show?",
        "What goes wrong without a filter?",
        "RISE is trained twice. What is the second time for?",
        "In RISE, what does the decoder read?",
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
        "What is RLEF short for?",
        "What does RLEF mean?",
        'What does "frozen" mean in this paper?',
        "What do the authors mean by a dive?",
        "Explain what they mean by a dive.",
        "By how much does it improve?",
        "taco gain %",
        "In RISE, what decoder is used?",
        "Which of what they tried is best?",
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
        ("What was it trained on, and how much did it cost?", ("What was it trained on?", "How much did it cost?")),
        ("When and how does it help?", ()),
        ("Which papers compare A and B?", ()),
        ("Why do A and B fail where C works?", ()),
        ("What does it say of what and how people learn?", ()),
        ("To what extent and by what means does moss hold water?", ()),
        ("In bogs, at which depth and for how long was it wet, and why is that so?", ()),
        ("To what extent and by what means moss holds water?", ()),
        ("On how many and which bogs was it seen?", ()),
        ("Which moss wins, and which moss does it beat?", ("Which moss wins?", "Which moss does it beat?")),
        ("How many people fell ill and how many were healed?", ("How many people fell ill?", "How many were healed?")),
        ("Which moss was tried, and by what margin?", ("Which moss was tried?", "By what margin?")),
    ],
)
def test_a_question_is_taken_apart_into_what_it_asks(question, parts):
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which open LLM were the agents run with?", "The agents were run with open large language models (LLMs)."),
        ("What do VPT and Seer do with inverse models?", "Both VPT and Seer do inverse models."),
        ("SLIM uses several critics, but exactly how many?", "SLIM uses several critics."),
        ("By what factors does STEVE-2 improve?", "STEVE-2 improves by what its teacher knows."),
        ("Which VLM judges whether the agent succeeded?", "The VLM judges the agent by its trajectories."),
        (
            "Which large language model predicts actions in TI-PREGO?",
            "The Large Language Model (LLM) in TI-PREGO leverages patterns.",
        ),
    ],
)
def test_a_sentence_that_leaves_open_what_was_asked_tells_nothing(question, text):
    assert not tells(text, question)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which open LLM were the agents run with?", "The agents were run with Mistral."),
        ("Does WhaleSong find whales?", "WhaleSong finds whales."),
        ("How many critics does SLIM use?", "SLIM uses four critics."),
        ("By how much is it better?", "It is better by 3.6% on average."),
        ("Which training strategy separates style?", "The training strategy that separates style is multi-phase."),
        ("What training method improves it?", "The training method NLPO improves it."),
        ("How does it work?", "It distils features."),
    ],
)
def test_a_sentence_that_says_what_was_asked_tells_it(question, text):
    assert tells(text, question)


def test_the_words_of_an_earlier_question_are_no_news():
    assert not tells("Whales sing.", "Which ones?", "Which whales sing? Which ones?")


@pytest.mark.parametrize(
    "question",
    [
        "How many whales?",
        "What success rate does it reach?",
        "To what factor is it so?",
        "At which value does it set the discount?",
        "With what batch size was it trained?",
        "What share of the answers contradict themselves?",
        "number of pooling methods in the review?",
        "total number of demonstrations?",
        "What is the accuracy on nights?",
        "What accuracy - and on which nights?",
        "What success rate, if any, is given?",
        "Tell me what accuracy WhaleSong reaches.",
        "What error rate exactly does it have?",
        "At which Froude number do the whales turn?",
        "What accuracy gain does it report?",
        "At what resolution (in pixels) are whales seen?",
        "What do GANs score on whales?",
    ],
)
def test_a_number_is_asked_for(question):
    assert asks_for_number(question)


@pytest.mark.parametrize(
    "question",
    [
        "Which papers share their encoder?",
        "Why is the number of steps small?",
        "What does it share?",
        "Which pain score foretells relapse best?",
        "What sampling rate converter does it use?",
        "Which number system do the whales use?",
        "What growth rate models are compared?",
        "Which accuracy measure is reported?",
        "Which factors affect accuracy?",
        "What is the rate-limiting step?",
        "Which score-based model is used?",
        "With which cost function was it trained?",
    ],
)
def test_no_number_is_asked_for(question):
    assert not asks_for_number(question)


@pytest.mark.parametrize(
    ("source", "text", "question", "is_so"),
    [
        ("Errors are made in 27.23% of the cases.", "27.23% of them err.", "What share of them err?", True),
        ("Models are probed about events.", "27.23% of them err.", "What share of them err?", False),
        ("Whales sing low songs.", "52% of them sing songs.", "What share of them sing?", False),
        ("It is a low song.", "Whales sing low songs.", "What do whales sing?", True),
        ("Whales are big.", "Whales sing low songs.", "What do whales sing?", False),
        ("Whales are big.", "Whales sing.", "Do whales sing?", True),
    ],
)
def test_what_a_source_has_to_share_with_a_sentence_to_answer_in_its_place(source, text, question, is_so):
    assert shares_news(source, text, question) is is_so


def test_control_characters_and_line_ends_become_spaces():
    assert readable(" a\x00b\n\nc\t", 10) == "a b c"


@pytest.mark.parametrize("question", ["", " \n", "\x00", None, 3, "x" * 11])
def test_what_cannot_be_read_is_refused(question):
    with pytest.raises(BadQuestion):
        readable(question, 10)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What does CLI stand for?", ("CLI",)),
        ("what does cli stand for", ("cli",)),
        ("What do DBC and PIDM stand for?", ("DBC", "PIDM")),
        ("What do A*, PPO, and SAC stand for?", ("A*", "PPO", "SAC")),
        ("What is the full form of the acronym ALP-GMM?", ("ALP-GMM",)),
        ("What's SAM an abbreviation of?", ("SAM",)),
        ("What is “RAG” short for in this library?", ("RAG",)),
        ("What does it stand for?", ()),
        ("What does HER stand for?", ("HER",)),
        ("Which papers stand for RL?", ()),
        ("What does TACO learn?", ()),
        ("What does the team of RISE stand for?", ()),
    ],
)
def test_the_abbreviations_that_a_question_wants_spelled_out(question, names):
    assert abbreviations_in_question(question) == names


def test_what_an_abbreviation_stands_for_is_news_where_that_is_asked():
    said = "It builds on predictive state representations (PSRs)."
    assert tells(said, "What does PSR stand for?")
    assert not tells(said, "What does PSR build on?")


@pytest.mark.parametrize(
    ("question", "is_so"),
    [
        ("Which papers were published in 2024?", True),
        ("papers from 2023 on whales", True),
        ("Which papers are by Ann Levine?", True),
        ("Who wrote FROSTER?", True),
        ("When was OpenVLA published?", True),
        ("At which conference did RT-H appear?", True),
        ("What kind of simulator did the authors of RoboNinja develop?", False),
        ("Which examples are written by another model?", False),
        ("Which papers train on 2000 demonstrations?", False),
    ],
)
def test_what_only_a_papers_record_says_is_told(question, is_so):
    assert asks_for_record(question) == is_so


@pytest.mark.parametrize(
    ("text", "followup", "is_so"),
    [
        ("The BLEU score of the English-Romanian task is 34.43.", "And into German?", True),
        ("It has 34.43 BLEU into German.", "And into German?", False),
        ("The BLEU score is 29.01.", "And into German?", False),
        ("It is trained on both.", "And into German?", False),
        ("The 34.43 BLEU are those of WMT16.", "On which dataset was that?", False),
    ],
)
def test_the_last_answer_said_again_is_none_to_the_same_about_something_else(text, followup, is_so):
    assert says_again(text, followup, "34.43 BLEU on WMT16 English-Romanian.") is is_so
