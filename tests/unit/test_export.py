"""What is exported can be read back, and nothing in it can break its format."""

import json

import pytest

from rag import Answer, Citation, Claim, Paper, verify
from rag.cli import main
from rag.corpus import bibtex as bibtex_reader
from rag.corpus import read_library
from rag.corpus import ris as ris_reader
from rag.export import FORMATS, SUFFIX, bibtex, cited_papers, export, markdown, ris

PAPERS = (
    Paper(
        "a", "R&D at 50%: {TACO} in_depth", "It costs $x_1 + y$ & 50% more of everything that we measured here #1.",
        authors=("Ada Lovelace", "Jürgen Ö. Groß"), year=2024, venue="NeurIPS", url="https://example.org/a_b?c=1&d=2",
        doi="10.1000/a_b", keywords=("robots", "maths"),
    ),
    Paper("b", "R&D at 50%: another", "An abstract with an unbalanced } brace in its only sentence.", authors=("Ada Lovelace",), year=2024),
)  # fmt: skip


def answer_citing(*papers: Paper) -> Answer:
    citations = tuple(Citation(i, p, p.abstract, 0, len(p.abstract)) for i, p in enumerate(papers, start=1))
    claims = tuple(Claim(c.quote, (c,), "supported", 1.0, is_quote=True) for c in citations)
    text = " ".join(f"“{c.quote}” [{c.marker}]" for c in citations)
    return Answer("What *is* it?", text, "answered", claims, citations, standalone_question="What *is* it?")


@pytest.mark.parametrize("kind", ["bibtex", "ris"])
def test_the_cited_papers_are_read_back_as_they_were(kind, tmp_path):
    file = tmp_path / f"cited{SUFFIX[kind]}"
    file.write_text(export([answer_citing(*PAPERS), answer_citing(PAPERS[0])], kind), "utf-8")
    read = read_library(file)
    assert [(p.title, p.abstract) for p in read] == [(p.title, p.abstract) for p in PAPERS]
    assert (read[0].authors, read[0].year, read[0].venue) == (PAPERS[0].authors, 2024, "NeurIPS")
    assert (read[0].url, read[0].doi, read[0].keywords) == (PAPERS[0].url, PAPERS[0].doi, PAPERS[0].keywords)


def test_two_papers_of_one_author_and_year_get_two_keys():
    text = bibtex([answer_citing(*PAPERS)])
    assert "@article{lovelace2024r," in text
    assert "@article{lovelace2024r2," in text


def test_markdown_keeps_markers_and_lets_no_text_act_as_markup():
    text = markdown([answer_citing(*PAPERS)])
    assert "## What \\*is\\* it?" in text
    assert "” [1] “" in text
    reference = (
        "1. Ada Lovelace, Jürgen Ö. Groß. *R&amp;D at 50%: \\{TACO\\} in\\_depth*. NeurIPS. 2024. doi:10.1000/a_b."
    )
    assert reference in text.splitlines()
    assert "<script" not in markdown([answer_citing(Paper("c", "<script>alert(1)</script>", "x" * 50))])


@pytest.mark.parametrize(
    ("doi", "written"),
    [
        ("10.1000/a_b", "doi:10.1000/a_b."),
        ("10.1000/12<345::AID-XY6>7.0.CO;2-8", "doi:10.1000/12&lt;345::AID-XY6&gt;7.0.CO;2-8."),
        ("10.1000/_a_*b*[c](d)", "doi:10.1000/\\_a\\_\\*b\\*\\[c\\](d)."),
    ],
)
def test_a_doi_is_shown_as_it_is_and_is_no_markup(doi, written):
    text = markdown([answer_citing(Paper("c", "On dogs", "x" * 50, doi=doi))])
    assert f"1. *On dogs*. {written}" in text.splitlines()


def test_json_gives_receipts_that_verify():
    receipts = json.loads(export([answer_citing(*PAPERS)], "json"))
    assert [verify(receipt) for receipt in receipts] == [()]


def test_no_answers_give_an_empty_document_in_every_format():
    assert {kind: export([], kind).strip() for kind in FORMATS} == {
        "markdown": "",
        "json": "[]",
        "bibtex": "",
        "ris": "",
    }
    assert cited_papers([]) == []


def test_an_unknown_format_says_which_there_are():
    with pytest.raises(ValueError, match="'pdf' is no export format; there are markdown, json, bibtex, ris"):
        export([], "pdf")


@pytest.mark.parametrize(("form", "ending"), [("bibtex", "bib"), ("ris", "ris")])
def test_a_name_with_a_suffix_comes_back_as_it_was(form, ending, tmp_path):
    paper = Paper(
        "j", "Dreams", "An abstract that is long enough.", authors=("Martin Luther King, Jr.", "Ada Lovelace")
    )
    file = tmp_path / f"cited.{ending}"
    file.write_text(export([answer_citing(paper)], form), "utf-8")
    (read,) = read_library(file)
    assert read.authors == paper.authors


def test_without_author_and_year_more_of_the_title_tells_papers_apart():
    papers = [Paper("a", "Effect of sleep on memory", "A."), Paper("b", "Effect of naps on mood", "B.")]
    text = bibtex([answer_citing(*papers)])
    assert "@article{effectsleepmemory," in text
    assert "@article{effectnapsmood," in text


def test_a_name_with_an_and_in_it_stays_one_author(tmp_path):
    authors = ("Bell and Howell", "Ann Roe", "R AND D, Inc.", "Andy Brand", "Odd {Name")
    paper = Paper("j", "Dreams", "An abstract that is long enough.", authors=authors)
    text = bibtex([answer_citing(paper)])
    assert "  author = {{Bell and Howell} and Ann Roe and {R AND D, Inc.} and Andy Brand and Odd " in text
    file = tmp_path / "cited.bib"
    file.write_text(text, "utf-8")
    (read,) = read_library(file)
    assert read.authors == authors


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("It costs $5 and saves 10% of $6", r"It costs \$5 and saves 10\% of \$6"),
        ("A $x_1$ & a $y_2$ at 5%", r"A $x_1$ \& a $y_2$ at 5\%"),
        ("From $ 5_a $ on", r"From \$ 5\_a \$ on"),
        ("One $ alone", r"One \$ alone"),
    ],
)
def test_dollars_are_a_formula_only_where_they_are_one(title, written, tmp_path):
    text = bibtex([answer_citing(Paper("m", title, "An abstract that is long enough."))])
    assert f"  title = {{{{{written}}}}}," in text
    file = tmp_path / "cited.bib"
    file.write_text(text, "utf-8")
    assert [paper.title for paper in read_library(file)] == [title]


@pytest.mark.parametrize(
    "said",
    [
        "The {0, 1} case",
        "Half { open",
        "closed } first { then",
        "C:\\temp ends in \\",
        "a set {a} beside $x_{i}$ and a_{b}^{c}",
        r"\frac{1}{2} of {it}",
        "100% {of} {",
    ],
)
def test_braces_and_backslashes_of_a_paper_come_back_from_bibtex(said):
    paper = Paper(id="x", title=said, abstract=f"It says {said}", authors=(f"Lab {said}, Ltd.",), source="x")
    (entry,) = bibtex_reader.read(bibtex([answer_citing(paper)]))
    assert (entry.values["title"], entry.values["abstract"]) == (said, f"It says {said}")
    assert entry.values["authors"] == [f"Lab {said}, Ltd."]


def test_many_formulas_of_bibtex_are_read_in_no_time():
    text = "@article{a, title={T}, abstract={" + "{B} $x_{i}$ " * 20_000 + "}}"
    (entry,) = bibtex_reader.read(text)
    assert entry.values["abstract"].count("B $x_{i}$") == 20_000


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ada Lovelace", "Lovelace, Ada"),
        ("Ada K. Lovelace", "Lovelace, Ada K."),
        ("Guido van Rossum", "van Rossum, Guido"),
        ("Maria de la Cruz", "de la Cruz, Maria"),
        ("Plato", "Plato"),
        ("Martin King, Jr.", "Martin King, Jr."),
        ("Google DeepMind", "Google DeepMind"),
        ("University of Tokyo", "University of Tokyo"),
    ],
)
def test_ris_has_the_family_name_of_a_person_first_and_gives_it_back(name, written):
    text = ris([answer_citing(Paper("x", "Dreams", "They are long.", authors=(name,)))])
    assert f"AU  - {written}\n" in text
    (entry,) = ris_reader.read(text)
    assert entry.values["authors"] == [name]


def test_an_answer_is_asked_for_in_one_form(capsys):
    with pytest.raises(SystemExit):
        main(["ask", "--json", "--format", "markdown", "What is it?"])
    assert "argument --format: not allowed with argument --json" in capsys.readouterr().err
