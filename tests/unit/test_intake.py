"""Papers on offer: what would be new, what is known, and what is wrong, told with its place."""

import gzip
import json

import pytest

from rag.corpus import distinct
from rag.library.intake import MOST_BYTES, preview, read_offer, read_pasted
from rag.schema import Paper

LIBRARY = distinct(
    [
        Paper("", "Whales: how they sing", "Whales sing songs in the deep ocean and travel far."),
        Paper("", "Bees: how they dance", "Bees dance to tell where the flowers are."),
    ]
)


def line(title, abstract="An abstract about things.", **more):
    return json.dumps({"title": title, "abstract": abstract, **more})


def test_a_file_with_a_fault_still_offers_its_other_papers(tmp_path):
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join([line("One"), '{"title": 5}', line("Two"), "nonsense"]))
    offer = read_offer(file)
    assert [paper.title for paper in offer.papers] == ["One", "Two"]
    assert len(offer.problems) == 2
    assert offer.problems[0].startswith("mixed.jsonl, line 2, field 'abstract': expected some text")
    assert all(problem.endswith("Mend the entry and add the file again.") for problem in offer.problems)


def test_what_an_export_has_without_an_abstract_is_left_out_and_no_fault():
    found = read_pasted("@misc{a, title={MoleDig}, abstract={Moles dig.}}\n@book{b, title={Burrows}}")
    assert [paper.title for paper in found.papers] == ["MoleDig"]
    assert found.problems == ()
    (where,) = found.left_out
    assert where.startswith("pasted text, line 2, field 'abstract'")
    assert "'Burrows'" in where
    bare = read_pasted("@book{b, title={Burrows}}")
    assert bare.problems == (
        "'pasted text' holds no paper: its only entry has no abstract. Give a file that has titles and abstracts.",
    )
    assert len(bare.left_out) == 1
    strict = read_pasted('{"title": "Burrows"}')
    assert (len(strict.problems), strict.left_out) == (1, ())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.bib", b"", "is empty"),
        ("binary.pdf", b"%PDF-1.7 \xff\xfe\x00", "is not UTF-8"),
        ("poem.md", b"Roses are red", "is not known"),
        ("none.bib", b"@comment{nothing}", "holds no paper"),
        ("cut.jsonl.gz", gzip.compress(b"x" * 1000, mtime=0)[:20], "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    offer = read_offer(tmp_path / name)
    assert offer.papers == ()
    assert len(offer.problems) == 1
    assert words in offer.problems[0]
    assert offer.problems[0].count(". ") >= 1, "a remedy follows the problem"


def test_a_missing_file_is_a_problem_not_an_exception(tmp_path):
    assert "cannot be read" in read_offer(tmp_path / "away.bib").problems[0]


def test_a_file_that_is_too_long_is_refused_also_when_only_its_content_is(tmp_path):
    plain, packed = tmp_path / "long.jsonl", tmp_path / "bomb.jsonl.gz"
    plain.write_bytes(b"x" * 2001)
    packed.write_bytes(gzip.compress(b"x" * 2_000_000))
    assert "footnote library add" in read_offer(plain, 2000).problems[0]
    assert "is longer than" in read_offer(packed, 10_000).problems[0]
    assert packed.stat().st_size < 10_000
    assert MOST_BYTES >= 1_000_000


def test_pasted_text_is_told_by_its_content():
    assert [p.title for p in read_pasted(line("One")).papers] == ["One"]
    bib = "@article{k, title={Moles}, abstract={They dig deep.}, year={2020}}"
    assert [(p.title, p.year, p.source) for p in read_pasted(bib).papers] == [("Moles", 2020, "pasted text")]
    plain = "A Title Of Note\n\nThis is its abstract, which says in some words what was done and found."
    assert [p.title for p in read_pasted(plain).papers] == ["A Title Of Note"]
    assert read_pasted("   ").problems
    assert read_pasted("\ud800").problems


def test_a_preview_tells_new_completed_and_known_apart():
    offered = [
        Paper("", "Ants: how they walk", "Ants lay trails of scent for others."),
        Paper("", "whales: HOW they sing", "Whales sing songs in the deep ocean and travel far.", year=2020),
        Paper("", "Bees: how they dance", "Bees dance to tell where the flowers are."),
    ]
    found = preview(LIBRARY, offered)
    assert [p.title for p in found.new] == ["Ants: how they walk"]
    assert [(p.id, p.year) for p in found.completed] == [(LIBRARY[0].id, 2020)]
    assert [p.id for p in found.known] == [LIBRARY[1].id]
    assert found.changes_anything
    assert not preview(LIBRARY, offered[2:]).changes_anything


def test_the_same_paper_twice_in_an_offer_is_one_new_paper():
    ants = Paper("", "Ants: how they walk", "Ants lay trails of scent for others.")
    assert len(preview(LIBRARY, [ants, ants]).new) == 1


def test_a_namesake_with_another_abstract_is_new_and_the_old_one_is_not():
    other = Paper("", "Whales: how they sing", "A report on brass bands and the instruments of town musicians.")
    found = preview(LIBRARY, [other])
    assert [p.abstract for p in found.new] == [other.abstract]
    assert found.completed == ()
