"""Passages: they tile the abstract, fit the embedder, and are made of whole sentences."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import read_library
from rag.language.sentences import split_sentences
from rag.passages import SPLITTER_VERSION, passage_input, split_passages
from rag.schema import Paper
from rag.settings import BUNDLED_LIBRARY

TEXT = st.text(max_size=400) | st.lists(
    st.sampled_from(["A word.", " We go on", "? ", " ", "x" * 50, "\n", "é", "漢字", "(a b) "]), max_size=60
).map("".join)


def count_words(text):
    return len(text.split()) + 2


def count_characters(text):
    return len(text) + 2


def paper(abstract, title="A title"):
    return Paper(id="p", title=title, abstract=abstract)


@given(TEXT, st.text(max_size=300), st.integers(280, 400))
def test_passages_tile_the_abstract_and_fit_the_limit_for_any_text(abstract, title, limit):
    one = paper(abstract, title)
    found = split_passages(one, count_tokens=count_characters, max_tokens=limit)
    assert "".join(passage.text for passage in found) == abstract
    assert all(abstract[p.start : p.end] == p.text for p in found)
    assert [p.index for p in found] == list(range(len(found)))
    assert all(count_characters(passage_input(one, p)) <= limit for p in found)


@given(TEXT, st.integers(12, 30))
def test_passages_end_where_sentences_end_unless_a_sentence_is_too_long(abstract, limit):
    one = paper(abstract, "T")
    found = split_passages(one, count_tokens=count_characters, max_tokens=limit)
    starts = {start for start, _ in split_sentences(abstract)} | {0}
    too_long = [(a, b) for a, b in split_sentences(abstract) if count_characters(f"T. {abstract[a:b]}") > limit]
    for passage in found:
        assert passage.start in starts or any(a < passage.start < b + 1 for a, b in too_long)


def test_an_abstract_that_fits_is_one_passage():
    found = split_passages(paper("We do this. It works."), count_tokens=count_words, max_tokens=50)
    assert [p.text for p in found] == ["We do this. It works."]


def test_an_empty_abstract_has_no_passage():
    assert split_passages(paper(""), count_tokens=count_words, max_tokens=50) == ()


def test_passages_are_even_instead_of_leaving_a_tiny_last_one():
    abstract = " ".join(f"Sentence {number} has six words." for number in range(11))
    found = split_passages(paper(abstract), count_tokens=count_words, max_tokens=54)
    assert [len(p.text.split()) for p in found] in ([30, 25], [25, 30])


def test_there_are_no_more_passages_than_needed():
    abstract = " ".join(f"Sentence {number} has six words." for number in range(20))
    assert len(split_passages(paper(abstract), count_tokens=count_words, max_tokens=54)) == 2


def test_a_sentence_over_the_limit_is_cut_after_a_word():
    abstract = "word " * 60 + "end."
    found = split_passages(paper(abstract), count_tokens=count_words, max_tokens=24)
    assert "".join(p.text for p in found) == abstract
    assert all(p.text.endswith((" ", ".")) for p in found)


def test_a_word_over_the_limit_is_cut_rather_than_lost():
    abstract = "x" * 500
    found = split_passages(paper(abstract), count_tokens=count_characters, max_tokens=60)
    assert "".join(p.text for p in found) == abstract


def test_a_limit_too_small_for_any_text_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="leaves no room"):
        split_passages(paper("Some text."), count_tokens=count_characters, max_tokens=5)


def test_a_plan_that_a_tokenizer_upsets_is_made_again():
    # Counts more for a joined text than for its parts, as no additive plan expects.
    def superadditive(text):
        return len(text.split()) + (20 if text.count(".") > 3 else 0)

    one = paper("One two three. Four five six. Seven eight nine. Ten eleven twelve. " * 3)
    found = split_passages(one, count_tokens=superadditive, max_tokens=25)
    assert "".join(p.text for p in found) == one.abstract
    assert all(superadditive(passage_input(one, p)) <= 25 for p in found)


def test_the_embedder_sees_the_title_before_the_passage():
    one = paper("It works.")
    (passage,) = split_passages(one, count_tokens=count_words, max_tokens=50)
    assert passage_input(one, passage) == "A title. It works."


def test_a_title_that_ends_in_a_question_gets_no_full_stop():
    one = paper("It does.", "Does it work?")
    (passage,) = split_passages(one, count_tokens=count_words, max_tokens=50)
    assert passage_input(one, passage) == "Does it work? It does."


def test_a_very_long_title_is_cut_for_the_embedder_only():
    one = paper("It works.", "long title " * 100)
    (passage,) = split_passages(one, count_tokens=count_words, max_tokens=60)
    assert len(passage_input(one, passage)) < 220
    assert passage_input(one, passage).endswith("title. It works.")


def test_every_character_of_the_bundled_library_is_in_some_passage():
    for one in read_library(BUNDLED_LIBRARY):
        found = split_passages(one, count_tokens=count_words, max_tokens=120)
        assert "".join(p.text for p in found) == one.abstract
        assert all(count_words(passage_input(one, p)) <= 120 for p in found)


def test_other_cuts_come_with_another_splitter_version():
    cuts = [
        (
            one.id,
            split_sentences(one.abstract),
            [p.start for p in split_passages(one, count_tokens=count_words, max_tokens=120)],
        )
        for one in read_library(BUNDLED_LIBRARY)
    ]
    assert (SPLITTER_VERSION, hashlib.sha256(repr(cuts).encode()).hexdigest()[:10]) == ("sentences-3", "2b4dbdd593")
