"""Libraries as reference managers, databases and sites export them: what is read of each, and what is said of others."""

import json

import pytest

from rag.corpus import Fault, clean, parse, read_library
from rag.errors import CorpusError
from rag.schema import Paper


def read(name: str, text: str) -> list:
    return list(parse(text.encode(), name, name))


def only_paper(name: str, text: str) -> Paper:
    (paper,) = read(name, text)
    assert isinstance(paper, Paper), paper
    return paper


MEDLINE = """PMID- 1
OWN - NLM
TI  - Naps and memory in older adults:
      a trial.
AB  - BACKGROUND: Sleep is good. METHODS: We
      tried it in 30 adults.
FAU - Roe, Ann
AU  - Roe A
FAU - Doe, Jo B
AU  - Doe JB
DP  - 2020 Jan-Feb
JT  - Sleep
LID - S0140 [pii]
LID - 10.1000/abc [doi]
MH  - *Sleep
OT  - naps

PMID- 2
TI  - A comment.
"""
WEB_OF_SCIENCE = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Roe, A
   Doe, J
AF Roe, Ann
   Doe, Jo
TI Naps and
   memory
SO SLEEP
DE naps; memory
AB Sleep is good. We
   tried it.
PY 2019
DI 10.1000/x
ER

EF
"""
ENDNOTE = """%0 Journal Article
%T Naps
%A Roe, Ann
%A Doe, Jo
%D 2011
%J Sleep
%X Sleep is good. We tried it
in adults.
%K naps
memory
%R 10.1/x
%U https://x.org
"""


@pytest.mark.parametrize("name", ["a.nbib", "a.txt", "pasted text"])
def test_medline_of_pubmed_is_read(name):
    paper, fault = read(name, MEDLINE)
    assert (paper.title, paper.year, paper.venue) == ("Naps and memory in older adults: a trial", 2020, "Sleep")
    assert paper.abstract == "BACKGROUND: Sleep is good. METHODS: We tried it in 30 adults."
    assert (paper.authors, paper.doi, paper.keywords) == (("Ann Roe", "Jo B Doe"), "10.1000/abc", ("naps",))
    assert (fault.line, fault.field) == (18, "abstract")
    assert "A comment." in fault.expected


@pytest.mark.parametrize("name", ["a.ciw", "a.txt", "pasted text"])
def test_tagged_text_of_web_of_science_is_read(name):
    paper = only_paper(name, WEB_OF_SCIENCE)
    assert (paper.title, paper.abstract) == ("Naps and memory", "Sleep is good. We tried it.")
    assert (paper.authors, paper.year, paper.venue) == (("Ann Roe", "Jo Doe"), 2019, "SLEEP")
    assert (paper.doi, paper.keywords) == ("10.1000/x", ("naps", "memory"))


@pytest.mark.parametrize("name", ["a.enw", "a.txt", "pasted text"])
def test_endnote_is_read(name):
    paper = only_paper(name, ENDNOTE)
    assert (paper.title, paper.abstract) == ("Naps", "Sleep is good. We tried it in adults.")
    assert (paper.authors, paper.year, paper.venue) == (("Ann Roe", "Jo Doe"), 2011, "Sleep")
    assert (paper.url, paper.doi, paper.keywords) == ("https://x.org", "10.1/x", ("naps", "memory"))


@pytest.mark.parametrize(
    "item",
    [
        {  # CSL-JSON
            "title": "Naps", "abstract": "Sleep is good.", "author": [{"given": "Ann", "family": "Roe"}],
            "issued": {"date-parts": [[2020, 5]]}, "container-title": "J", "DOI": "10.1/x", "URL": "https://x.org",
        },
        {  # Crossref
            "title": ["Naps"], "abstract": "<jats:title>Abstract</jats:title><jats:p>Sleep is good.</jats:p>",
            "author": [{"given": "Ann", "family": "Roe"}], "issued": {"date-parts": [[2020]]},
            "container-title": ["J"], "DOI": "10.1/x", "URL": "http://dx.doi.org/10.1/x",
        },
        {  # Semantic Scholar
            "paperId": "1", "title": "Naps", "abstract": "Sleep is good.", "authors": [{"name": "Ann Roe"}],
            "year": 2020, "externalIds": {"DOI": "10.1/x"}, "journal": {"name": "J"}, "url": "https://x.org",
        },
        {  # OpenAlex
            "display_name": "Naps", "abstract_inverted_index": {"good.": [2], "Sleep": [0], "is": [1]},
            "authorships": [{"author": {"display_name": "Ann Roe"}}], "publication_year": 2020,
            "doi": "https://doi.org/10.1/x", "venue": "J", "url": "https://x.org",
        },
    ],
)  # fmt: skip
def test_json_of_other_services_is_read(item):
    for text in (json.dumps(item), json.dumps([item], indent=2), json.dumps(item, indent=2)):
        paper = only_paper("a.json", text)
        assert (paper.title, paper.abstract, paper.authors) == ("Naps", "Sleep is good.", ("Ann Roe",))
        assert (paper.year, paper.venue, paper.doi) == (2020, "J", "10.1/x")
        assert paper.url


def test_a_json_array_knows_lines_and_says_where_it_breaks():
    first = '[\n {"title": "A", "abstract": "b"},\n 5,\n {"title": "C", "abstract": "d"}'
    found = read("a.json", first + "]")
    assert [item.title if isinstance(item, Paper) else item.line for item in found] == ["A", 3, "C"]
    assert read("a.json", first)[-1].expected.startswith("']'")
    assert isinstance(read("a.json", first + ", {")[-1], Fault)
    assert read("a.json", "[]") == []


@pytest.mark.parametrize(
    "table",
    [
        'sep=;\nTitle;Abstract Note;Publication Year;Author;Publication Title\nA;B c;2019;"Roe, A.; Doe, B.";J',
        '"Document Title","Authors","Publication Title","Publication Year","Abstract"\n"A","A. Roe; B. Doe","J","2019","B c"',
        '"Authors","Title","Year","Source title","Abstract","Link"\n"Roe A., Doe B.","A","2019","J","B c","www.x.org"',
        "Title\tYear, of issue, and print\tAbstract\tPublication Date\tAuthors\tJournal/Book\nA\t\tB c\t2019-05\tRoe, A., Doe, B.\tJ",
    ],
)  # fmt: skip
def test_columns_of_other_programs_are_known(table):
    paper = only_paper("a.csv", table)
    assert (paper.title, paper.abstract, paper.year, paper.venue) == ("A", "B c", 2019, "J")
    assert paper.authors in {("A. Roe", "B. Doe"), ("Roe A.", "Doe B.")}


def test_columns_that_are_missing_are_told_with_those_that_are_there():
    names = [f"column {number}" for number in range(15)]
    (fault,) = read("a.csv", ",".join(["Title", *names]) + "\nA\n")
    assert fault.field == "abstract"
    assert "column 14" in fault.expected


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Smith, John; Doe, Ann", ("John Smith", "Ann Doe")),
        ("Smith, John", ("John Smith",)),
        ("C. Balázs, E. L. Berger, P. M. Nadolsky", ("C. Balázs", "E. L. Berger", "P. M. Nadolsky")),
        ("John Smith, Ann Doe and Li Wei", ("John Smith", "Ann Doe", "Li Wei")),
        ("Smith, J., Doe, A.", ("J. Smith", "A. Doe")),
        ("Smith, J., & Doe, A.", ("J. Smith", "A. Doe")),
        ("Martin King, Jr.", ("Martin King, Jr.",)),
        ("Google, Inc.", ("Google, Inc.",)),
        ("Plato, Kant, Hume", ("Plato, Kant, Hume",)),
    ],
)
def test_names_in_one_string_are_divided_and_put_in_reading_order(written, names):
    line = json.dumps({"title": "A", "abstract": "b", "authors": written})
    assert only_paper("a.jsonl", line).authors == names


def test_names_in_a_list_stay_as_they_are():
    line = json.dumps({"title": "A", "abstract": "b", "authors": ["Smith, John", "Plato"]})
    assert only_paper("a.jsonl", line).authors == ("Smith, John", "Plato")


@pytest.mark.parametrize(
    "abstract", ["[No abstract available]", "No abstract available.", "N/A", "nan", "Abstract is not available"]
)
def test_what_stands_for_no_abstract_is_none(abstract):
    (fault,) = read("a.jsonl", json.dumps({"title": "Owls at night", "abstract": abstract}))
    assert fault.field == "abstract"
    assert "Owls at night" in fault.expected


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("Jan 2020", 2020), ("15 May 2020", 2020), ("May 15, 2020", 2020), ("2020–2021", 2020), ("(2019)", 2019),
        ("[2019]", 2019), ("c2019", 2019), ("2019?", 2019), ("20190501", 2019), (20190501, 2019), ("2020~", 2020),
        ("In press.", None), ("under review", None), ("ahead of print", None), (0, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_years_as_programs_write_them(written, year):
    assert only_paper("a.jsonl", json.dumps({"title": "A", "abstract": "b", "year": written})).year == year


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("arxiv.org/abs/1706.03762", "https://arxiv.org/abs/1706.03762"), ("HTTP://X.org/1", "http://X.org/1"),
        ("<Go to ISI>://WOS:000123", None), ("file:///home/me/a.pdf", None), ("C:\\papers\\a.pdf", None),
        ("ftp://x.org/a", None), ("http://192.168.1.1/a", None),
    ],
)  # fmt: skip
def test_addresses_that_are_no_links_are_left_out(written, url):
    assert only_paper("a.jsonl", json.dumps({"title": "A", "abstract": "b", "url": written})).url == url


@pytest.mark.parametrize(
    "doi",
    ["https://www.doi.org/10.1/x", "doi: https://doi.org/10.1/x", "10.1/x; 10.1/y", "10.1/x.", "https://doi-org.lib.edu/10.1/x"],
)  # fmt: skip
def test_dois_as_programs_write_them(doi):
    assert only_paper("a.jsonl", json.dumps({"title": "A", "abstract": "b", "doi": doi})).doi == "10.1/x"


def test_ris_of_several_databases_is_read():
    lines = [
        "1. ",
        "TY  - JOUR",
        "T1  - Owls",
        "AB  - We block PD - L1 in mice with",
        "PD - L1 antibodies and it works.",
        "AB  - A second paragraph.",
        "AU  - Smith, J.; Doe, A.",
        "KW  - sleep",
        "memory",
        "KW  - a; b",
        "ER  - ",
        "",
        "<2>",
        "TY  - JOUR",
        "TI  - Bats",
        "AB  - Bats fly.",
        "ER  - ",
        "",
    ]
    text = "\n".join(lines)
    owls, bats = read("a.ris", text)
    assert owls.abstract == "We block PD - L1 in mice with PD - L1 antibodies and it works. A second paragraph."
    assert (owls.authors, owls.keywords) == (("J. Smith", "A. Doe"), ("sleep", "memory", "a", "b"))
    assert bats.title == "Bats"


@pytest.mark.parametrize(
    "field",
    [
        {"authors": "Roe" + " " * 30_000 + "x"}, {"authors": "a," * 20_000}, {"year": "-" * 30_000 + "x"},
        {"year": False}, {"abstract": "-" * 30_000 + "x"}, {"url": "." * 30_000}, {"doi": "doi" * 10_000},
        {"title": "<i" * 20_000}, {"title": "\\textless" * 5_000}, {"title": "&" * 30_000}, {"keywords": "; " * 30_000},
    ],
)  # fmt: skip
def test_no_field_takes_long_to_read_however_odd_it_is(field):
    (found,) = read("a.jsonl", json.dumps({"title": "A", "abstract": "b", **field}))
    assert isinstance(found, Paper | Fault)


@pytest.mark.parametrize(
    "odd", ["A" + "1" * 3_000 + "x", "-" * 30_000 + "x", "Roe" + "(1)" * 3_000 + "x", "# " * 3_000]
)
def test_no_pasted_line_takes_long_to_read(odd):
    assert isinstance(read("pasted text", f"A title of words\n\n{odd}\n\n{ABSTRACT}")[0], Paper | Fault)


ABSTRACT = "We present a small method for a small task. It works well on all of the benchmarks that we know."


@pytest.mark.parametrize(
    ("text", "title", "authors"),
    [
        (f"Naps and Memory\n\nJohn Smith, Ann Doe\n\n{ABSTRACT}", "Naps and Memory", ["John Smith", "Ann Doe"]),
        (
            f"Naps in old age\n\nJ. Smith1, A. van der Doe2* and B. Roe\n\nAbstract\n\n{ABSTRACT}",
            "Naps in old age", ["J. Smith", "A. van der Doe", "B. Roe"],
        ),
        (f"Title: Naps\n\nAuthors: John Smith\n\nAbstract: {ABSTRACT}", "Naps", ["John Smith"]),
        (f"## Naps\n\n{ABSTRACT}", "Naps", []),
        (f"Mar 14\n\nLarge Models, Small Robots, and Big Dreams\n\n{ABSTRACT}",
         "Large Models, Small Robots, and Big Dreams", []),
        (f"Naps improve the memory of older adults who sleep.\n\n{ABSTRACT}",
         "Naps improve the memory of older adults who sleep", []),
        (f"Naps in the U.S.\n\n{ABSTRACT}", "Naps in the U.S.", []),
        (f"Are naps (of any kind) good?\n\n{ABSTRACT}", "Are naps (of any kind) good?", []),
    ],
)  # fmt: skip
def test_pasted_titles_are_told_from_authors_and_labels(text, title, authors):
    paper = only_paper("pasted text", text)
    assert (paper.title, list(paper.authors), paper.abstract) == (title, authors, ABSTRACT)


@pytest.mark.parametrize(
    ("text", "of"),
    [
        (f"1. Sleep. 2020;43:1.\n\nNaps.\n\nRoe A, Doe J.\n\n{ABSTRACT}\n\nPMID: 123\n", "PubMed"),
        (f"\\\\\narXiv:2401.00001\nDate: today\n\nTitle: Naps\n\n{ABSTRACT}\n", "arXiv"),
    ],
)
def test_listings_of_which_nothing_is_certain_are_refused_with_what_to_do(text, of):
    with pytest.raises(CorpusError, match=of) as caught:
        read("a.txt", text)
    assert "RIS" in caught.value.remedy


def test_notes_and_empty_files_do_not_stop_a_folder(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"title": "A", "abstract": "b"}))
    (tmp_path / "empty.bib").write_text("")
    (tmp_path / "notes.txt").write_text("Read the paper by Ann before the meeting of the group on Monday.")
    assert [paper.title for paper in read_library(tmp_path)] == ["A"]
    with pytest.raises(CorpusError):
        read_library(tmp_path / "notes.txt")


def test_what_is_wrong_with_a_library_says_how_to_see_all_of_it(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": "A"}\n{"title": "B"}\n')
    with pytest.raises(CorpusError, match="1 more") as caught:
        read_library(path)
    assert f"library add --dry-run {path}" in caught.value.remedy


NO_ABSTRACT = {
    "a.bib": "@article{a, title={Naps}, abstract={We nap.}}\n@book{b, title={On sleep}}\n@misc{c, title={C}, abstract={}}",
    "a.ris": "TY  - JOUR\nTI  - Naps\nAB  - We nap.\nER  - \nTY  - BOOK\nTI  - On sleep\nER  - \n"
    "TY  - JOUR\nTI  - C\nAB  -\nER  - \n",
    "a.nbib": "PMID- 1\nTI  - Naps\nAB  - We nap.\n\nPMID- 2\nTI  - On sleep\n\nPMID- 3\nTI  - C\nAB  - n/a\n",
    "a.csv": "Title,Abstract Note\nNaps,We nap.\nOn sleep,\nC,[No abstract available]\n",
    "a.enw": "%0 Journal Article\n%T Naps\n%X We nap.\n\n%0 Book\n%T On sleep\n\n%0 Book\n%T C\n",
}


@pytest.mark.parametrize("name", NO_ABSTRACT)
def test_what_has_no_abstract_in_an_export_is_passed_over_and_told(tmp_path, name):
    path = tmp_path / name
    path.write_text(NO_ABSTRACT[name])
    told = []
    assert [paper.title for paper in read_library(path, told.append)] == ["Naps"]
    assert [where.startswith(f"{name}, line ") for where in told] == [True, True]
    assert "'On sleep'" in told[0]
    assert "'C'" in told[1]


def test_an_export_in_which_nothing_has_an_abstract_holds_no_paper(tmp_path):
    path = tmp_path / "a.bib"
    path.write_text("@book{b, title={On sleep}}\n@book{c, title={On naps}}")
    with pytest.raises(CorpusError, match="holds no paper: none of its 2 entries has an abstract"):
        read_library(path)


def test_an_only_entry_without_an_abstract_is_told_in_the_singular(tmp_path):
    path = tmp_path / "a.bib"
    path.write_text("@book{b, title={On sleep}}")
    with pytest.raises(CorpusError, match="holds no paper: its only entry has no abstract"):
        read_library(path)


def test_the_command_that_tells_all_faults_can_be_pasted_where_the_name_has_a_space(tmp_path):
    path = tmp_path / "My Library.bib"
    path.write_text("@book{b, year={1999}}")
    with pytest.raises(CorpusError) as caught:
        read_library(path)
    assert f"library add --dry-run '{path}'" in caught.value.remedy


@pytest.mark.parametrize("fault", ["@book{b, year={1999}}", "@article{b, title={B}, abstract={We nap.}, year={soon}}"])
def test_what_has_no_title_or_a_malformed_field_is_refused_all_the_same(tmp_path, fault):
    path = tmp_path / "a.bib"
    path.write_text("@article{a, title={Naps}, abstract={We nap.}}\n@book{d, title={D}}\n" + fault)
    with pytest.raises(CorpusError, match=r"a\.bib, line 3, field '\w+': expected [^()]*\. Mend the entry"):
        read_library(path)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (r"p{\textless}0.05, {\textasciitilde}20 mice, x{\textasciicircum}2", "p<0.05, ~20 mice, x^2"),
        (r"10{\textquotedbl} at 5{\textdegree}C, 10{\texttimes}, \textpm 3", '10" at 5°C, 10×, ± 3'),
        (r"TNF-{\alpha}induced \frac{\alpha}{2} {\foo}bar", r"TNF-αinduced \frac{\alpha}{2} \foo bar"),
        (r"{\i}lker and {\TH}orir", "ılker and Þorir"),
        (r"of \{\vphantom{\}}1, 2\vphantom{\{}\}", "of {1, 2}"),
        ("p &lt; 0.05, N &amp;amp; M, don&#8217;t, R&D; AT&T", "p < 0.05, N & M, don’t, R&D; AT&T"),
        ("<p>In <i>vivo</i>, 10<sup>5</sup> of CO<sub>2</sub><br/>and</p>", "In vivo, 10^5 of CO2 and"),
        ("the token <s> and <b> where a<b", "the token <s> and <b> where a<b"),
    ],
)
def test_symbols_entities_and_tags_become_what_they_stand_for(written, read_as):
    (paper,) = read("a.bib", f"@article{{a, title={{{written}}}, abstract={{{written}}}}}")
    assert (paper.title, paper.abstract) == (read_as, read_as)
    assert clean(read_as) == read_as
