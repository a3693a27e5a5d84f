"""Keyword ranking finds names as people type them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rag.keywords import KeywordIndex, coverage
from rag.language.terms import tokenize


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("tulu", "TÜLU 3"),
        ("A2Nav", "A^2Nav"),
        ("hil-serl", "see https://hil-serl.github.io/."),
        ("STEVE 2", "STEVE-2"),
        ("benchmarks", "a benchmark"),
    ],
)
def test_a_name_is_found_as_people_type_it(typed, written):
    assert set(tokenize(typed)) <= set(tokenize(written))


def test_words_of_grammar_are_no_terms():
    assert tokenize("How does it do that?") == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("How does HER relabel goals?", "her"),
        ("HER", "her"),
        ("survival in childhood ALL", "all"),
        ("the HER-based agent", "her"),
        ("HINDSIGHT EXPERIENCE REPLAY (HER)", "her"),
        ("inhaled NO, by the WHO", "who"),
    ],
)
def test_an_abbreviation_that_is_spelled_like_a_word_of_grammar_is_a_term(text, term):
    assert term in tokenize(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is her method?",
        "Her methods",
        "WHICH METHODS ARE NEW IN THIS?",
        "A METHOD OF ALL",
        "METHODS AND RESULTS: new",
        "PURPOSE OF REVIEW: New methods",
        "END-TO-END methods",
        "methods AND results, NOT new",
        "methods BEFORE new",
        "I see A. methods",
    ],
)
def test_a_word_of_grammar_is_no_term_in_a_heading_or_for_emphasis(text):
    assert set(tokenize(text)) <= {"method", "new", "result", "review", "purpos", "end", "see"}


def test_a_name_is_ranked_by_its_abbreviation_and_not_by_a_pronoun():
    index = KeywordIndex.build(["HER relabels goals.", "She told her goals."])
    assert index.scores("What is HER?").tolist()[1] == 0.0
    assert index.scores("What is HER?").tolist()[0] > 0.0
    assert index.scores("What is her aim?").tolist() == [0.0, 0.0]


def test_scores_agree_with_bm25_worked_by_hand():
    index = KeywordIndex.build(["alpha beta", "alpha alpha gamma delta", "epsilon"])
    scores = index.scores("alpha")
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 7 / 3

    def weight(count: int, length: int) -> float:
        return idf * count / (count + 1.2 * (1 - 0.75 + 0.75 * length / average))

    assert scores == pytest.approx([weight(1, 2), weight(2, 4), 0.0], rel=1e-5)


@pytest.mark.parametrize("query", ["", "the", "unknownword", "😀"])
def test_a_query_without_known_terms_scores_nothing(query):
    assert KeywordIndex.build(["alpha beta"]).scores(query).tolist() == [0.0]


@pytest.mark.parametrize("texts", [[], ["", "the of"], ["alpha", ""]])
def test_an_index_survives_saving_even_when_it_holds_next_to_nothing(tmp_path, texts):
    index = KeywordIndex.build(texts)
    index.save(tmp_path)
    again = KeywordIndex.load(tmp_path)
    assert again.scores("alpha").tolist() == pytest.approx(index.scores("alpha").tolist())
    assert again.weight("alpha") == index.weight("alpha")


def test_coverage_counts_rare_terms_more():
    index = KeywordIndex.build(["common rare", "common", "common", "common"])
    rare, common = (
        coverage(["rare", "common"], frozenset({"rare"}), index),
        coverage(["rare", "common"], frozenset({"common"}), index),
    )
    assert rare > 0.8
    assert rare + common == pytest.approx(1.0)
    assert coverage([], frozenset({"rare"}), index) == 0.0


def test_a_share_is_the_same_to_the_last_digit_in_every_process():
    code = (
        "from rag.keywords import KeywordIndex, coverage\n"
        "texts = [' '.join(f'term{i}' for i in range(n)) for n in range(1, 40)]\n"
        "index = KeywordIndex.build(texts)\n"
        "terms = [f'term{i}' for i in range(39)]\n"
        "print([coverage(terms, frozenset(terms[:n]), index) for n in range(40)])\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(told) == 1


def test_what_is_kept_is_written_and_read_in_one_encoding_everywhere():
    code = (
        "import tempfile, pathlib\n"
        "from rag.keywords import KeywordIndex\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "KeywordIndex.build(['Größe der Wale']).save(folder)\n"
        "print(KeywordIndex.load(folder).n_rows)\n"
    )
    told = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning:rag.keywords"]
    done = subprocess.run([sys.executable, *told, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
