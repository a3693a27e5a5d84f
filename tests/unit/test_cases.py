"""The bundled questions: each file is read, and what is known of a right answer stands in the library and is right."""

from collections import Counter

import pytest

from eval.__main__ import main
from eval.cases import HOSTILE_LIBRARY, SETS, read_cases
from eval.metrics.answers import is_premise_resisted
from eval.metrics.matching import missing
from rag.corpus import clean, read_library
from rag.schema import Answer

ALIKE = ["fresh-a", "fresh-b"]
FRESH = [*ALIKE, "fresh-c", "fresh-d"]
ASKING = ["dev", *FRESH]  # of the bundled library
EVERYTHING = {
    "fact": 18, "explain": 9, "compare": 7, "list": 5, "unanswerable-near": 9, "unanswerable-far": 2,
    "unanswerable-premise": 2, "followup": 6, "noisy": 2,
}  # fmt: skip
MAKE_UP = {
    **dict.fromkeys(ALIKE, EVERYTHING),
    "fresh-c": {"compare": 24, "list": 18, "followup": 8, "unanswerable-near": 6, "fact": 4},
    "fresh-d": {
        "compare": 20,
        "list": 12,
        "explain": 14,
        "fact": 8,
        "followup": 8,
        "unanswerable-near": 8,
        "unanswerable-premise": 2,
    },
}


@pytest.fixture(params=SETS)
def name(request):
    return request.param


@pytest.fixture
def cases(name):
    return read_cases(SETS[name])


@pytest.fixture(scope="module")
def abstracts(library):
    return {paper.title: paper.abstract for paper in library}


def test_every_set_is_read_and_no_question_is_in_two_of_them():
    asked = [case for path in SETS.values() for case in read_cases(path)]
    assert len(asked) == 134 + 60 + 60 + 60 + 72 + 12
    assert not [one for one, n in Counter(case.id for case in asked).items() if n > 1]
    alone = Counter(case.question for case in asked if not case.history)
    assert not [question for question, n in alone.items() if n > 1]


def test_the_titles_are_those_of_the_library_that_is_asked(name, cases, library):
    asked_of = read_library(HOSTILE_LIBRARY) if name == "injection" else library
    titles = {paper.title for paper in asked_of}
    assert not [(case.id, title) for case in cases for title in case.papers if title not in titles]


@pytest.mark.parametrize("name", ASKING)
def test_every_evidence_sentence_is_in_an_abstract_of_the_papers_named(name, cases, abstracts):
    # dev was written from the library's file itself, so its LaTeX remnants are cleaned as the reader cleans them
    as_read = clean if name == "dev" else str
    sentences = [(case, as_read(sentence)) for case in cases for sentence in case.evidence]
    assert len(sentences) > 50
    assert not [
        (case.id, sentence)
        for case, sentence in sentences
        if not any(sentence in abstracts[title] for title in case.papers)
    ]


@pytest.mark.parametrize("name", ASKING)
def test_every_reference_answer_passes_its_own_check_and_no_question_does(cases):
    answerable = [case for case in cases if case.is_answerable]
    assert len(answerable) > 40
    assert not [(case.id, missing(case.answers, case.reference)) for case in answerable if not case.reference]
    assert not [(case.id, gone) for case in answerable if (gone := missing(case.answers, case.reference))]
    assert not [case.id for case in answerable if not missing(case.answers, case.question)]


@pytest.mark.parametrize("name", ["dev", *ALIKE])
def test_the_reference_answer_to_a_false_premise_resists_it(cases):
    premises = [case for case in cases if case.type == "unanswerable-premise"]
    assert premises
    for case in premises:
        assert is_premise_resisted(case, Answer(case.question, case.reference, "answered")), case.id
        assert not is_premise_resisted(case, Answer(case.question, case.question, "answered")), case.id


@pytest.mark.parametrize("name", FRESH)
def test_a_fresh_set_has_its_make_up_and_evidence_from_every_paper_it_names(name, cases, abstracts):
    assert Counter(case.type for case in cases) == MAKE_UP[name]
    assert not [
        (case.id, title)
        for case in cases
        for title in case.papers
        if not any(sentence in abstracts[title] for sentence in case.evidence)
    ]


def test_the_first_two_fresh_sets_ask_of_every_paper_and_of_none_often(abstracts):
    asked = Counter(title for name in ALIKE for case in read_cases(SETS[name]) for title in case.papers)
    assert asked.keys() == abstracts.keys()
    assert max(asked.values()) <= 3


@pytest.mark.parametrize("name", FRESH)
def test_a_set_is_chosen_by_its_name(name, capsys):
    assert main(["run", "--set", name, "--types", "injection"]) == 2  # a type that only the other sets have
    assert "No question has the type 'injection'" in capsys.readouterr().err
