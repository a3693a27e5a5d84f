"""Ids, duplicates and the digest: the same whatever the order and the files."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import corpus_digest, paper_id
from rag.corpus.duplicates import distinct
from rag.schema import Paper

ABSTRACT = "We present a small method for a small task. It works well on all of the benchmarks that we know."
OTHER = "Completely different words describe another study about birds, rivers, mountains and weather in spring."

PAPERS = st.lists(
    st.builds(
        Paper,
        id=st.just(""),
        title=st.sampled_from(["A title", "A Title!", "Another"]) | st.text(min_size=1, max_size=5),
        abstract=st.sampled_from([ABSTRACT, ABSTRACT + " More.", OTHER]) | st.text(min_size=1, max_size=30),
        authors=st.sampled_from([(), ("Ada",)]),
        year=st.sampled_from([None, 2023, 2024]),
        keywords=st.sampled_from([(), ("a",), ("b", "a")]),
        source=st.sampled_from(["x", "y"]),
    ),
    max_size=8,
)


def paper(title="A title", abstract=ABSTRACT, **values):
    return Paper(id="", title=title, abstract=abstract, **values)


@given(PAPERS, st.randoms(use_true_random=False))
def test_ids_and_content_do_not_depend_on_the_order(papers, random):
    shuffled = random.sample(papers, len(papers))
    assert set(distinct(papers)) == set(distinct(shuffled))
    assert corpus_digest(distinct(papers)) == corpus_digest(distinct(shuffled))


@given(PAPERS)
def test_ids_are_unique_and_ten_hex_digits(papers):
    ids = [one.id for one in distinct(papers)]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 10 and set(one) <= set("0123456789abcdef") for one in ids)


@given(PAPERS)
def test_merging_what_is_merged_changes_nothing(papers):
    once = distinct(papers)
    assert distinct(once) == once


def test_no_papers_give_none():
    assert distinct([]) == ()


def test_the_id_depends_on_letters_and_digits_of_the_title_alone():
    assert paper_id("A^2Nav: Go!") == paper_id("a2nav  go") == paper_id("A²NAV: GO")
    assert paper_id("A2Nav") != paper_id("A3Nav")


def test_duplicates_merge_and_the_fuller_record_wins():
    short = paper(abstract=ABSTRACT, year=2024, doi="10.1/2", keywords=("b",), url="https://a.org")
    full = paper(title="A TITLE", abstract=ABSTRACT + " More follows here.", authors=("Ada",), keywords=("a",))
    (merged,) = distinct([short, full])
    assert (merged.title, merged.abstract, merged.authors) == ("A TITLE", full.abstract, ("Ada",))
    assert (merged.year, merged.doi, merged.url, merged.keywords) == (2024, "10.1/2", "https://a.org", ("a", "b"))
    assert merged.id == paper_id("A title")


def test_two_papers_with_one_title_are_both_kept_under_ids_of_their_own():
    first, second = distinct([paper(), paper(abstract=OTHER)])
    assert first.id != second.id
    assert paper_id("A title") not in {first.id, second.id}


def test_papers_stay_in_the_order_of_their_first_appearance():
    found = distinct([paper("B"), paper("A"), paper("B")])
    assert [one.title for one in found] == ["B", "A"]


def test_the_digest_changes_with_the_content_but_not_with_the_file():
    one = replace(paper(source="x"), id="1")
    assert corpus_digest([one]) == corpus_digest([replace(one, source="y")])
    assert corpus_digest([one]) != corpus_digest([replace(one, abstract=OTHER)])
    assert corpus_digest([one]) != corpus_digest([replace(one, year=2024)])
    assert len(corpus_digest([])) == 64
