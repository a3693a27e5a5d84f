"""`footnote library` in a terminal, over a library with a hashing embedder."""

import json

import pytest
from fakes import HashedEncoder

from rag import cli
from rag.assembly import shelf_of
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever

MOLE = "@misc{a, title={MoleDig}, abstract={Moles dig 20 metres a day.}, year={2021}}"


@pytest.fixture
def footnote(tmp_path, monkeypatch, capsys):
    """A function that runs `footnote library …` and gives exit code, output and errors."""
    source = tmp_path / "mine.jsonl"
    source.write_text(json.dumps({"title": "WhaleSong", "abstract": "Whales sing at 20 hertz.", "year": 2020}) + "\n")
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    opened = []

    def open_rag(settings, report):
        shelf = shelf_of(settings, HashedEncoder())
        shelf.update()
        retriever = FusedRetriever(index=shelf.open(), encoder=shelf.encoder)
        opened.append(Rag(retriever=retriever, model=None, settings=settings, shelf=shelf))
        return opened[-1]

    monkeypatch.setattr(Rag, "open", open_rag)

    def run(*arguments):
        code = cli.main(["library", *map(str, arguments), "--library", str(source)])
        return code, *capsys.readouterr()

    yield run
    for rag in opened:
        rag.close()


def test_papers_are_added_listed_removed_and_brought_back(footnote, tmp_path):
    new = tmp_path / "new.bib"
    new.write_text(MOLE)
    assert footnote("add", new)[:2] == (0, "1 added. The library now holds 2 papers.\n  + MoleDig\n")
    listed = footnote("list")[1].splitlines()
    assert [line[10:] for line in listed] == ["  2020  WhaleSong", "  2021  MoleDig"]
    whale = listed[0].split()[0]
    assert footnote("remove", whale)[1].startswith("1 removed. The library now holds 1 paper.")
    assert "remove  1 paper\n" in footnote("changes")[1]
    assert footnote("undo")[1] == "1 added. The library now holds 2 papers.\n  + WhaleSong\n"


def test_a_listing_as_json_is_a_library_again(footnote, tmp_path):
    from rag.corpus import read_library

    copy = tmp_path / "copy.jsonl"
    copy.write_text(footnote("list", "--json")[1])
    assert [(p.title, p.year) for p in read_library(copy)] == [("WhaleSong", 2020)]


def test_faults_are_told_and_the_sound_papers_added(footnote, tmp_path):
    new = tmp_path / "new.jsonl"
    new.write_text('{"title": "MoleDig", "abstract": "Moles dig."}\n{"title": "Half"}\n')
    code, output, errors = footnote("add", new)
    assert code == 1
    assert output.startswith("1 added.")
    assert "line 2, field 'abstract'" in errors


def test_a_folder_is_added_as_it_would_be_read_and_what_has_no_abstract_is_named(footnote, tmp_path):
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "moles.bib").write_text(f"{MOLE}\n@book{{b, title={{Burrows}}}}")
    (folder / "notes.txt").write_text("Buy milk")
    (folder / "empty.jsonl").write_text("")
    code, output, errors = footnote("add", folder, "--dry-run")
    assert code == 0
    assert any(line.endswith("MoleDig") for line in output.splitlines())
    assert errors.count("footnote: ") == 1
    assert errors.startswith(f"footnote: left out: {folder / 'deep' / 'moles.bib'}, line 2, field 'abstract'")
    assert "'Burrows'" in errors
    code, output, errors = footnote("add", folder)
    assert code == 0
    assert output == "1 added. The library now holds 2 papers.\n  + MoleDig\n"
    assert f"footnote: {folder / 'deep' / 'moles.bib'}: 1 entry has no abstract and is left out.\n" in errors
    assert "Burrows" not in errors


def test_a_file_in_which_nothing_has_an_abstract_adds_nothing_and_says_why(footnote, tmp_path):
    bare = tmp_path / "books.bib"
    bare.write_text("@book{b, title={Burrows}}\n@book{c, title={Holes}}")
    code, output, errors = footnote("add", bare)
    assert (code, output) == (2, "")
    assert f"{str(bare)!r} holds no paper: none of its 2 entries has an abstract." in errors
    assert errors.endswith("footnote: No paper was added. Mend what is named above.\n")


def test_a_folder_without_papers_is_told_so_though_it_has_no_fault(footnote, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "notes.txt").write_text("Buy milk")
    assert footnote("add", folder) == (
        2, "", "footnote: No paper was added. Give files that have titles and abstracts.\n"
    )  # fmt: skip


def test_a_dry_run_adds_nothing(footnote, tmp_path):
    new = tmp_path / "new.jsonl"
    new.write_text('{"title": "MoleDig", "abstract": "Moles dig."}\n')
    assert "new" in footnote("add", new, "--dry-run")[1]
    assert len(footnote("list")[1].splitlines()) == 1


def test_what_cannot_be_done_is_one_line_and_exit_code_two(footnote, tmp_path):
    for arguments in (("add", tmp_path / "away.bib"), ("remove", "nope"), ("undo",)):
        code, output, errors = footnote(*arguments)
        assert (code, output) == (2, "")
        assert errors.startswith("footnote: ")
