"""The file of changes: what it keeps, what a crash leaves, how changes apply."""

import json
import os
import shutil

import pytest

from rag.assembly import ledger_of, library_papers
from rag.cli import main
from rag.corpus import distinct
from rag.doctor import examine
from rag.errors import CorpusError
from rag.library.ledger import Change, Ledger, applied
from rag.schema import Answer, Citation, Claim, Evidence, Paper, Sentence
from rag.settings import Settings


def paper(name: str, abstract: str = "") -> Paper:
    return Paper(
        "", f"{name}: a study", abstract or f"We study {name}.", authors=("A. B.",), year=2020, source="new.bib"
    )


BASE = distinct([paper("Whales"), paper("Bees")])
ANTS = distinct([paper("Ants")])


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "deep" / "changes.jsonl")


def titles(papers):
    return [p.title.split(":")[0] for p in papers]


def test_a_change_is_read_back_whole(ledger):
    change = Change.now("add", ANTS, "new.bib")
    ledger.add(change)
    assert Ledger(ledger.path).changes() == (change,)
    assert change.at.endswith("+00:00")


def test_a_ledger_that_was_never_written_holds_no_change_and_leaves_no_file(ledger):
    assert ledger.changes() == ()
    ledger.undo()
    assert not ledger.path.exists()


def test_additions_and_removals_apply_in_order(ledger):
    ledger.add(Change.now("add", ANTS))
    ledger.add(Change.now("remove", BASE[:1]))
    assert titles(applied(BASE, ledger.changes())) == ["Bees", "Ants"]
    ledger.add(Change.now("add", BASE[:1]))
    assert titles(applied(BASE, ledger.changes())) == ["Bees", "Ants", "Whales"]


def test_undo_takes_back_one_change_after_the_other(ledger):
    ledger.add(Change.now("add", ANTS))
    ledger.add(Change.now("remove", BASE[:1]))
    ledger.undo()
    assert titles(applied(BASE, ledger.changes())) == ["Whales", "Bees", "Ants"]
    ledger.undo()
    assert applied(BASE, ledger.changes()) == BASE


def test_a_removed_paper_stays_away_when_the_file_has_new_words_for_it(ledger):
    ledger.add(Change.now("remove", BASE[:1]))
    renewed = distinct([paper("Whales", "A longer text about whales."), *BASE[1:]])
    assert titles(applied(renewed, ledger.changes())) == ["Bees"]


def test_ids_are_those_of_one_file_with_all_the_papers(ledger):
    namesake = paper("Whales", "Something else entirely: trains on rails in mountains.")
    ledger.add(Change.now("add", [namesake]))
    both = applied(BASE, ledger.changes())
    assert both == distinct([*BASE, namesake])
    ledger.add(Change.now("remove", [both[-1]]))
    assert applied(BASE, ledger.changes()) == BASE


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_cut_off_by_a_crash_does_not_count_and_the_next_is_whole(ledger, cut):
    ledger.add(Change.now("add", ANTS))
    first = ledger.changes()
    ledger.add(Change.now("remove", BASE[:1]))
    whole = ledger.path.read_bytes()
    start = whole.index(b"\n") + 1
    ledger.path.write_bytes(whole[: start + cut])
    assert ledger.changes() == first
    ledger.add(Change.now("remove", BASE[1:]))
    assert [change.did for change in ledger.changes()] == ["add", "remove"]
    assert titles(ledger.changes()[1].papers) == ["Bees"]


def test_a_damaged_line_is_named_with_what_to_do(ledger):
    ledger.add(Change.now("add", ANTS))
    with ledger.path.open("a") as file:
        file.write('{"did": "burn"}\n')
    with pytest.raises(CorpusError, match=r"line 2 is no change .* Take the line out"):
        ledger.changes()


def test_a_line_that_does_not_fit_the_disk_leaves_the_earlier_ones(ledger, monkeypatch):
    ledger.add(Change.now("add", ANTS))

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        ledger.add(Change.now("remove", BASE))
    monkeypatch.undo()
    assert [change.did for change in ledger.changes()] == ["add"]


def test_what_was_added_belongs_to_the_library_for_verify_and_the_doctor_too(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"title": BASE[0].title, "abstract": BASE[0].abstract}))
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    settings = Settings(library=path)
    ledger_of(settings).add(Change.now("add", ANTS))
    (added,) = (p for p in library_papers(settings) if p.title == ANTS[0].title)
    quote = added.abstract
    citation = Citation(1, added, quote, 0, len(quote))
    claim = Claim(quote, (citation,), "supported", 1.0, is_quote=True)
    evidence = (Evidence(1, added, Sentence(added.id, 0, 0, len(quote), quote), 1.0),)
    answer = Answer("Which?", f"“{quote}” [1]", "answered", (claim,), (citation,), evidence=evidence)
    receipt = tmp_path / "answer.json"
    receipt.write_text(json.dumps(answer.to_dict()))
    assert main(["verify", str(receipt), "--library", str(path)]) == 0, capsys.readouterr().out
    (library,) = (finding for finding in examine(settings) if finding.name == "Library")
    assert library.text.startswith("2 papers")


def test_the_doctor_looks_at_the_disk_that_the_folder_would_be_on(tmp_path, monkeypatch):
    asked = []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: asked.append(folder) or usage)
    list(examine(Settings(home=tmp_path / "not" / "there")))
    assert asked == [tmp_path]
