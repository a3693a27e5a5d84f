"""The readers one by one: what each takes, and where it points when it cannot go on."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import bibtex, daily, jsonl, read_library, ris, table
from rag.corpus.entry import Entry, Fault
from rag.errors import CorpusError

ABSTRACT = "We present a small method for a small task. It works well on all of the benchmarks that we know."
LINES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60)


def only(items):
    (item,) = items
    return item


@pytest.mark.parametrize("reader", [bibtex, daily, jsonl, ris, table])
@given(text=st.text() | st.text(alphabet='@{}"#=,\n\\TY -ER{}[]:title,abstract').map(str))
def test_no_text_makes_a_reader_fail(reader, text):
    assert all(isinstance(item, Entry | Fault) and item.line >= 1 for item in reader.read(text))
    assert reader.matches(text) in {True, False}


def test_a_title_is_a_short_paragraph_with_an_abstract_after_it():
    found = list(daily.read(f"new\n\nMar 14\n\nFirst\n\n{ABSTRACT}\n\nMar 15\n\nSecond\n\n{ABSTRACT}\n"))
    assert [(item.line, item.values["title"]) for item in found] == [(5, "First"), (11, "Second")]


def test_wrapped_lines_of_a_page_are_joined():
    found = only(daily.read("A long\ntitle\n\n" + ABSTRACT.replace(". ", ".\n")))
    assert found.values == {"title": "A long title", "abstract": ABSTRACT}


def test_an_abstract_without_a_title_is_a_fault():
    found = list(daily.read(f"First\n\n{ABSTRACT}\n\n{ABSTRACT}\n"))
    assert isinstance(found[0], Entry)
    assert (found[1].line, found[1].field) == (5, "title")


def test_the_parts_of_a_structured_abstract_are_one_abstract():
    headed = (
        f"First\n\nAbstract\n\nBackground\n\n{ABSTRACT}\n\nMaterials and Methods:\n\nShort.\n\nConclusions\n\nIt is."
    )
    labelled = f"Second\n\nOBJECTIVE: {ABSTRACT}\n\nRESULTS: {ABSTRACT}"
    found = list(daily.read(f"{headed}\n\n{labelled}\n\nMethods\n\nThird\n\nDesign: {ABSTRACT}"))
    assert [(item.line, item.values["title"], item.values["abstract"]) for item in found] == [
        (1, "First", f"Background: {ABSTRACT} Materials and Methods: Short. Conclusions: It is."),
        (17, "Second", f"OBJECTIVE: {ABSTRACT} RESULTS: {ABSTRACT}"),
        (25, "Third", f"Design: {ABSTRACT}"),
    ]


@given(st.lists(st.tuples(LINES, LINES), max_size=5))
def test_json_lines_come_back_as_they_were_written(rows):
    text = "\n".join(json.dumps({"title": title, "abstract": abstract}) for title, abstract in rows)
    assert [(item.values["title"], item.values["abstract"]) for item in jsonl.read(text)] == rows


@pytest.mark.parametrize("line", ["{", "[1]", "5", '{"title": }', "[" * 100_000])
def test_a_line_that_is_no_json_object_is_a_fault_and_reading_goes_on(line):
    found = list(jsonl.read(f'{line}\n\n{{"title": "T"}}'))
    assert (found[0].line, found[0].field) == (1, None)
    assert (found[1].line, found[1].values) == (3, {"title": "T"})


@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_tables_come_back_as_they_were_written(rows, separator):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows([("Title", " ABSTRACT", "extra"), *((*row, "x") for row in rows)])
    found = [(item.values["title"], item.values["abstract"]) for item in table.read(file.getvalue())]
    assert found == [row for row in rows if any(cell.strip() for cell in (*row, "x"))]


def test_a_table_knows_the_lines_of_its_rows():
    found = list(table.read('title,abstract\nA,"x\ny"\nB,z\nC\n'))
    assert [item.line for item in found] == [2, 4, 5]
    assert found[2].expected == "2 cells, found 1"


def test_a_table_without_an_abstract_column_is_a_fault():
    assert only(table.read("title,text\nA,b\n")).field == "abstract"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("{Barnes and Noble, Inc.}", ["Barnes and Noble, Inc."]),
        ("King, Jr., Martin Luther", ["Martin Luther King, Jr."]),
        ("Lovelace, Ada and {van Gogh}, Vincent", ["Ada Lovelace", "Vincent van Gogh"]),
        ("Plato and Lovelace,", ["Plato", "Lovelace"]),
    ],
)
def test_bibtex_names_have_one_of_three_forms_and_braces_keep_them_together(author, names):
    (entry,) = bibtex.read(f"@article{{a, title={{T}}, abstract={{B}}, author={{{author}}}}}")
    assert entry.values["authors"] == names


def test_a_price_in_bibtex_begins_no_formula():
    (entry,) = bibtex.read(r"@article{a, title={Training costs \$5 for {BERT} models}, abstract={B}}")
    assert entry.values["title"] == "Training costs $5 for BERT models"


@pytest.mark.parametrize("broken", ['A,"b', 'A,"b" c', '"A" x,"b"'])
def test_a_table_with_a_wrong_quotation_mark_loses_that_row_alone(broken):
    found = list(table.read(f'title,abstract\n{broken}\nC,d\nE,"f\ng"\n'))
    assert (type(found[0]), found[0].line) == (Fault, 2)
    assert "CSV" in found[0].expected
    kept = [(item.line, item.values["title"]) for item in found if isinstance(item, Entry)]
    assert kept == [(3, "C"), (4, "E")]


def test_a_table_of_broken_rows_is_not_read_for_ever():
    faults = list(table.read("title,abstract\n" + 'A,"b\n' * 1_001))
    assert len(faults) < 100
    assert all(isinstance(item, Fault) for item in faults)


def test_bibtex_values_may_be_braced_quoted_joined_or_named():
    text = """This is a comment.
@string{neurips = "Advances in " # {NeurIPS}}
@preamble{"\\newcommand{x}"}
@comment{ignored}
@InProceedings{key:1,
  Title     = {{BERT}: Pre-training of {\\"U}ber {N}ets with $x_{i}$},
  author    = "Lovelace, Ada and {Google and DeepMind} and Alan Turing and others",
  abstract  = {Outer {inner {most}} text with a "quote".},
  booktitle = neurips,
  year      = 2024,
  month     = jan,
  doi = "10.1000/182"
}
@article(second, title = "A {"}quoted{"} title", abstract = "B")"""
    first, second = bibtex.read(text)
    assert first.line == 5
    assert first.values["title"] == "BERT: Pre-training of Über Nets with $x_{i}$"
    assert first.values["authors"] == ["Ada Lovelace", "Google and DeepMind", "Alan Turing"]
    assert first.values["abstract"] == 'Outer inner most text with a "quote".'
    assert (first.values["venue"], first.values["year"]) == ("Advances in NeurIPS", "2024")
    assert second.values["title"] == 'A "quoted" title'


@pytest.mark.parametrize(
    ("broken", "line", "field"),
    [
        ("@article{k,\n title = {open", 2, "title"),
        ("@article{k,\n title {no sign}}", 2, "title"),
        ("@article{k,\n title = {a}\n year = 2024}", 3, "title"),
        ("@article{title = {no key}}", 1, None),
        ("@article{k,\n year = }", 2, "year"),
    ],
)
def test_broken_bibtex_is_a_fault_with_its_line(broken, line, field):
    fault = next(item for item in bibtex.read(broken) if isinstance(item, Fault))
    assert (fault.line, fault.field) == (line, field)


def test_bibtex_goes_on_after_a_broken_entry():
    found = list(bibtex.read("@article{k,\n title {x}}\n\n@article{l, title = {T}}"))
    assert [type(item) for item in found] == [Fault, Entry]


def test_ris_records_are_read_with_lists_and_continued_lines():
    text = (
        "TY  - JOUR\nTI  - A title\nAU  - Lovelace, Ada\nAU  - King, Martin, Jr.\nAU  - Martin King, Jr.\nPY  - 2024/05//\n"
        "AB  - Begins\nand goes on.\nKW  - one\nKW  - two\nJO  - Journal\nUR  - https://a.org\nDO  - 10.1/2\nER  - \n"
    )
    values = only(ris.read(text)).values
    assert values["authors"] == ["Ada Lovelace", "Martin King, Jr.", "Martin King, Jr."]
    assert values["abstract"] == "Begins and goes on."
    assert (values["year"], values["venue"], values["doi"]) == ("2024/05", "Journal", "10.1/2")
    assert values["keywords"] == ["one", "two"]


def test_a_ris_record_without_its_end_is_a_fault():
    found = list(ris.read("TY  - JOUR\nTI  - A\nTY  - JOUR\nTI  - B\n"))
    assert [(item.line, item.field) for item in found] == [(3, "ER"), (3, "ER")]


def test_text_outside_of_ris_records_is_a_fault():
    assert only(ris.read("TI  - A title\n")).field == "TY"


def papers_of(folder, *rows):
    path = folder / "mine.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return read_library(path)


OWLS = {"title": "Owls", "abstract": "Owls fly at night."}


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("2019a", 2019), ("2019 Mar 5", 2019), ("2019-03", 2019), ("05/2019", 2019), ("3.5.2019", 2019), (2019.0, 2019),
        ("in press", None), ("n.d.", None), ("N/A", None), ("", None),
    ],
)  # fmt: skip
def test_a_year_is_read_however_it_is_written(tmp_path, value, year):
    assert only(papers_of(tmp_path, {**OWLS, "year": value})).year == year


@pytest.mark.parametrize("value", ["twenty", "20190", 2019.5, True])
def test_what_is_no_year_is_still_a_fault(tmp_path, value):
    with pytest.raises(CorpusError, match="year"):
        papers_of(tmp_path, {**OWLS, "year": value})


@pytest.mark.parametrize("doi", ["doi.org/10.1/abc", "DOI 10.1/abc", "https://doi.org/10.1/abc", "doi:10.1/abc"])
def test_addresses_are_read_however_they_are_written(tmp_path, doi):
    paper = only(papers_of(tmp_path, {**OWLS, "doi": doi, "url": "www.x.org/1 www.y.org"}))
    assert (paper.doi, paper.url) == ("10.1/abc", "https://www.x.org/1")
    with pytest.raises(CorpusError, match="url"):
        papers_of(tmp_path, {**OWLS, "url": "www.x.org/a b.pdf"})
    paper = only(papers_of(tmp_path, {**OWLS, "doi": "N/A", "url": "n/a"}))
    assert not paper.doi
    assert not paper.url


def test_double_braces_of_web_of_science_are_read(tmp_path):
    path = tmp_path / "wos.bib"
    path.write_text(
        "@article{a, title={{Owls}}, abstract={{Owls fly at night.}}, date={{2019-03}}, DOI={{10.1/abc}}, "
        "url={{https://x.org/1}}}"
    )
    paper = only(read_library(path))
    assert (paper.title, paper.year, paper.doi, paper.url) == ("Owls", 2019, "10.1/abc", "https://x.org/1")


def test_a_publishers_lines_before_the_first_record_and_one_space_are_no_faults(tmp_path):
    path = tmp_path / "acs.ris"
    path.write_text(
        "Provider: American Chemical Society\nContent: text\n\nTY - JOUR\nTI - Owls\nAB - Owls fly.\nER - \n"
    )
    assert only(read_library(path)).title == "Owls"
    path.write_text("TI - Bats\nAB - Bats fly.\nER - \n\nTY - JOUR\nTI - Owls\nAB - Owls fly.\nER - \n")
    with pytest.raises(CorpusError, match="TY"):  # a record without its beginning is not passed over
        read_library(path)
    path.write_text("Provider: nobody\n")
    with pytest.raises(CorpusError, match="TY"):
        read_library(path)


def test_a_column_that_is_not_read_may_hold_a_whole_paper(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"title,abstract,fulltext\nOwls,Owls fly.,{'x' * 200_000}\nEels,Eels swim.,y\n")
    assert [paper.title for paper in read_library(path)] == ["Owls", "Eels"]
