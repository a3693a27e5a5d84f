"""Reading a library: the bundled one to the character, files and folders, and what is refused."""

import gzip
import json

import pytest

from rag.corpus import FORMATS, clean, read_library
from rag.errors import CorpusError
from rag.settings import BUNDLED_LIBRARY

ABSTRACT = "We present a small method for a small task. It works well on all of the benchmarks that we know."


@pytest.fixture(scope="module")
def library():
    return read_library(BUNDLED_LIBRARY)


@pytest.fixture(scope="module")
def by_title(library):
    return {paper.title: paper for paper in library}


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to


def one_line(**values):
    return json.dumps({"title": "A title", "abstract": ABSTRACT, **values})


def test_the_bundled_library_has_89_papers_with_distinct_ids(library):
    assert len(library) == 89
    assert len({paper.id for paper in library}) == 89
    assert all(paper.source == "daily-papers.txt" for paper in library)


def test_the_header_of_the_bundled_library_is_no_paper(library):
    assert library[0].title.startswith("FROSTER: Frozen CLIP")
    assert library[-1].title.startswith("A* Search Without Expansions")
    headers = {"new", "Get trending papers in your email inbox!", "Subscribe", "Mar 14"}
    assert not headers & {paper.title for paper in library}


def test_titles_and_abstracts_are_the_lines_of_the_file_apart_from_the_clean_ups(library):
    lines = {clean(line) for line in BUNDLED_LIBRARY.read_text(encoding="utf-8").split("\n")}
    assert {paper.title for paper in library} | {paper.abstract for paper in library} <= lines
    raw = BUNDLED_LIBRARY.read_text(encoding="utf-8")
    changed = [paper.title.split(":")[0] for paper in library if paper.abstract not in raw]
    assert changed == [
        "Do We Really Need a Complex Agent System? Distill Embodied Agent into a Single Model",  # Models~(MLMs)
        "TÜLU 3",  # T\"ULU
        "RLIF",  # na\"ive
        "The Edge-of-Reach Problem in Offline Model-Based Reinforcement Learning",  # ``…''
        "Agent Planning with World Knowledge Model",  # ''real''
        "Augmenting Autotelic Agents with Large Language Models",  # 1)~a
        "CLUTR",  # 45\%
    ]
    assert all(paper.title in raw for paper in library)


def test_both_papers_called_taco_are_there(library):
    assert sum(paper.title.startswith("TACO: ") for paper in library) == 2


def test_omni_and_omni_epic_are_two_papers(library):
    assert sum(paper.title.startswith(("OMNI: ", "OMNI-EPIC: ")) for paper in library) == 2


def test_names_that_stand_in_the_title_or_the_abstract_only_are_kept(by_title):
    mindforge = by_title[
        "MindForge: Empowering Embodied Agents with Theory of Mind for Lifelong Collaborative Learning"
    ]
    assert "MindForge" not in mindforge.abstract
    assert mindforge.abstract.count("\\collabvoyager") == 5
    assert any("STEVE-2" in paper.abstract for paper in by_title.values())


def test_addresses_at_the_end_of_abstracts_become_the_url_and_stay_in_the_text(library):
    urls = {paper.url for paper in library if paper.url}
    assert {
        "https://hil-serl.github.io/",
        "https://github.com/InternLM/OREAL",
        "https://rlif-page.github.io",
        "https://github.com/anyasims/edge-of-reach",
    } <= urls
    assert len(urls) == 28
    assert all(paper.url.removeprefix("https://") in paper.abstract for paper in library if paper.url)


def test_ids_do_not_change():
    # Indexes and saved answers hold these; whoever changes how ids are made must know that.
    ids = [paper.id for paper in read_library(BUNDLED_LIBRARY)[:2]]
    assert ids == ["94b11ad1a6", "58b0b8c7bf"]


def test_a_paper_has_the_same_id_in_every_format(write):
    texts = {
        "a.txt": f"A Title\n\n{ABSTRACT}\n",
        "a.jsonl": one_line(title="A title"),
        "a.csv": f'title,abstract\nA TITLE,"{ABSTRACT}"\n',
        "a.bib": f"@article{{k, title = {{A {{T}}itle}}, abstract = {{{ABSTRACT}}}}}",
        "a.ris": f"TY  - JOUR\nTI  - A title.\nAB  - {ABSTRACT}\nER  - \n",
    }
    papers = [paper for name, text in texts.items() for paper in read_library(write(name, text))]
    assert len(papers) == len(texts)
    assert {paper.abstract for paper in papers} == {ABSTRACT}
    assert len({paper.id for paper in papers}) == 1


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "a"])
def test_without_a_telling_suffix_the_content_tells_the_format(write, name):
    texts = [
        one_line(),
        f'title;abstract\nA title;"{ABSTRACT}"\n',
        f"% comment\n@article{{k, title = {{A title}}, abstract = {{{ABSTRACT}}}}}",
        f"TY  - JOUR\nTI  - A title\nAB  - {ABSTRACT}\nER  - \n",
        f"Menu\n\nA title\n\n{ABSTRACT}\n",
    ]
    for text in texts:
        (paper,) = read_library(write(name, text))
        assert (paper.title, paper.abstract) == ("A title", ABSTRACT)


def test_windows_line_ends_and_byte_order_marks_do_no_harm(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + f"A title\r\n\r\n{ABSTRACT}\r\n".encode())
    assert read_library(path)[0].title == "A title"


def test_compressed_files_are_read(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(one_line().encode()))
    assert len(read_library(path)) == 1


def test_a_folder_is_read_with_its_subfolders_and_without_other_files(write, tmp_path):
    write("b.jsonl", one_line(title="Second"))
    write("a/a.jsonl", one_line(title="First"))
    write("README.md", "Not a paper.")
    write(".hidden/x.jsonl", one_line(title="Hidden"))
    papers = read_library(tmp_path)
    assert [(paper.title, paper.source) for paper in papers] == [("First", "a/a.jsonl"), ("Second", "b.jsonl")]


def test_every_format_gives_nothing_for_empty_text():
    assert all(list(known.read("")) == [] for known in FORMATS)


def test_title_and_abstract_are_required_and_the_error_says_where(write):
    path = write("a.jsonl", one_line() + "\n" + one_line(abstract=" ") + "\n" + one_line(title=None))
    with pytest.raises(CorpusError, match=r"a\.jsonl, line 2, field 'abstract': expected some text.*1 more") as caught:
        read_library(path)
    assert caught.value.remedy


def test_faults_of_a_folder_are_counted_and_the_first_is_told(write, tmp_path):
    write("a.jsonl", one_line())
    write("b.jsonl", one_line(title=""))
    write("c.jsonl", one_line(year="soon"))
    with pytest.raises(CorpusError, match=r"b\.jsonl, line 1, field 'title'.*\(1 more like this\)"):
        read_library(tmp_path)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": 5}, "title"),
        ({"abstract": "…!"}, "abstract"),
        ({"year": "soon"}, "year"),
        ({"year": True}, "year"),
        ({"year": 20.5}, "year"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"doi": "no doi"}, "doi"),
        ({"authors": [1]}, "authors"),
        ({"keywords": {"a": 1}}, "keywords"),
        ({"venue": ["a"]}, "venue"),
    ],
)
def test_a_malformed_field_is_refused_by_name(write, values, field):
    with pytest.raises(CorpusError, match=rf"line 1, field '{field}': expected"):
        read_library(write("a.jsonl", one_line(**values)))


def test_metadata_is_read_and_tidied(write):
    line = one_line(
        id="ignored",
        authors="Ada Lovelace; Alan Turing and Ada Lovelace",
        year="2024-05-01",
        venue=" NeurIPS ",
        url="https://a.org",
        doi="https://doi.org/10.1000/182",
        keywords=["RL", "agents", "RL"],
    )
    (paper,) = read_library(write("a.jsonl", line))
    assert paper.authors == ("Ada Lovelace", "Alan Turing")
    assert (paper.year, paper.venue, paper.url, paper.doi) == (2024, "NeurIPS", "https://a.org", "10.1000/182")
    assert paper.keywords == ("RL", "agents")


def test_a_missing_path_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(CorpusError, match="no library at") as caught:
        read_library(tmp_path / "missing.txt")
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_file_is_refused_with_a_remedy(write, text):
    with pytest.raises(CorpusError, match="empty") as caught:
        read_library(write("a.txt", text))
    assert caught.value.remedy


def test_a_folder_without_library_files_is_refused(write, tmp_path):
    write("notes.md", "text")
    with pytest.raises(CorpusError, match="holds no library file"):
        read_library(tmp_path)


def test_a_text_without_papers_is_refused(write):
    with pytest.raises(CorpusError, match="holds no paper"):
        read_library(write("a.txt", "Menu\n\nSubscribe\n"))


def test_an_unknown_format_is_refused_with_the_known_ones(write):
    with pytest.raises(CorpusError, match="not known") as caught:
        read_library(write("a.dat", "Menu\n"))
    assert "BibTeX" in caught.value.remedy


@pytest.mark.parametrize("data", ["é".encode("latin-1"), "text".encode("utf-16"), b"\x1f\x8bbroken"])
def test_unreadable_bytes_are_refused_with_a_remedy(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        read_library(path)
    assert caught.value.remedy
