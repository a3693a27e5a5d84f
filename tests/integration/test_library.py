"""A library that changes while it is read: real Chroma in a temporary folder, a hashing embedder."""

import contextlib
import gc
import json
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import pytest
from fakes import HashedEncoder, ScriptedModel

from rag.assembly import ledger_of
from rag.doctor import examine
from rag.errors import CorpusError, IndexProblem
from rag.library.ledger import Ledger
from rag.library.shelf import Shelf
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.schema import Answer, EvidenceFound, Paper
from rag.settings import Settings

ROOT = Path(__file__).parents[2]
ROWS = [
    {
        "title": "WhaleSong: how whales sing",
        "abstract": "WhaleSong studies whale songs. Whales sing at 20 hertz in the deep ocean.",
        "year": 2020,
        "venue": "Sea Letters",
        "authors": ["Ida Holm"],
    },
    {
        "title": "BeeDance: the language of bees",
        "abstract": "BeeDance decodes the waggle dance. Bees dance to tell where flowers are.",
        "year": 2024,
    },
    {"title": "AntTrail: scent and search", "abstract": "AntTrail models scent. Ants lay trails that others follow."},
]
MOLE = Paper("", "MoleDig: tunnels", "MoleDig digs tunnels. Moles dig 20 metres of tunnel a day.", year=2021)


def shelf_at(folder: Path) -> Shelf:
    folder.mkdir(exist_ok=True)
    source = folder / "mine.jsonl"
    if not source.exists():
        source.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return Shelf(source, Ledger(folder / "home" / "changes.jsonl"), folder / "index", HashedEncoder())


def test_a_library_opens_without_what_has_no_abstract_and_says_how_many_that_are(tmp_path, monkeypatch):
    source = tmp_path / "My Library.bib"
    source.write_text(
        "@misc{a, title={Naps}, abstract={Owls nap at noon.}}\n@book{b, title={On sleep}}\n"
        "@misc{n, title={NAPS.}, abstract={Owls nap at noon}}\n"
    )
    settings = Settings(library=source, home=tmp_path / "home")
    monkeypatch.setattr("rag.assembly.open_encoder", lambda *_arguments, **_options: HashedEncoder())
    told = []
    with contextlib.closing(Rag.open(settings, report=told.append)) as rag:
        assert [paper.title for paper in rag.papers] == ["Naps"]
        assert rag.library.overview().n_left_out == 1
        assert rag.library.overview().n_merged == 1
        source.write_text(source.read_text() + "@book{c, title={Third}}\n")
        rag.library.add([MOLE])
        assert rag.library.overview().n_left_out == 2, "as the file was last read"
    named = f"footnote library add --dry-run '{source}' names them."
    assert told[:2] == [
        f"1 entry has no abstract and is left out: {named}",
        "1 entry was merged with another of the same paper.",
    ]
    (library,) = (finding for finding in examine(settings) if finding.name == "Library")
    assert library.text == f"2 papers in {source}; 2 entries have no abstract and are left out"


def rag_at(folder: Path, says: str = "Whales sing at 20 hertz.") -> Rag:
    shelf = shelf_at(folder)
    shelf.update()
    retriever = FusedRetriever(index=shelf.open(), encoder=shelf.encoder)
    model = ScriptedModel(script=lambda _prompt: says)
    return Rag(retriever=retriever, model=model, settings=Settings(), shelf=shelf)


@pytest.fixture
def rag(tmp_path):
    rag = rag_at(tmp_path)
    yield rag
    rag.close()


def titles(rag):
    return [paper.title.split(":")[0] for paper in rag.papers]


def test_an_added_paper_is_found_at_once_and_after_a_new_start_and_the_file_stays(rag, tmp_path):
    before = (tmp_path / "mine.jsonl").read_bytes()
    told = []
    outcome = rag.library.add([MOLE], "moles.bib", lambda done, total: told.append((done, total)))
    assert [paper.title for paper in outcome.added] == [MOLE.title]
    assert (outcome.built.embedded, outcome.built.kept) == (1, 3)
    assert told[-1] == (1, 1)
    assert rag.retrieve("how much tunnel do moles dig")[0].paper.title == MOLE.title
    assert (tmp_path / "mine.jsonl").read_bytes() == before
    again = rag_at(tmp_path)
    assert titles(again) == ["WhaleSong", "BeeDance", "AntTrail", "MoleDig"]
    again.close()


def test_a_removed_paper_is_gone_until_the_change_is_undone(rag):
    bees = rag.papers[1]
    assert rag.library.remove([bees.id]).removed == (bees,)
    assert titles(rag) == ["WhaleSong", "AntTrail"]
    assert all(hit.paper.id != bees.id for hit in rag.retrieve("bees dance"))
    undone = rag.library.undo()
    assert [paper.id for paper in undone.added] == [bees.id]
    assert rag.retrieve("bees dance")[0].paper == bees


def test_everything_can_be_removed_and_searching_then_finds_nothing(rag):
    rag.library.remove([paper.id for paper in rag.papers])
    assert rag.papers == ()
    assert rag.retrieve("whales") == ()
    assert rag.ask("Do whales sing?").status == "abstained"
    assert rag.library.atlas().points == ()
    assert rag.library.find("whales", "words") == ()


def test_known_papers_change_nothing_and_build_nothing(rag):
    generation = rag.retriever.index.folder
    outcome = rag.library.add([rag.papers[0]])
    assert (outcome.added, outcome.built) == ((), None)
    assert [paper.title for paper in outcome.known] == [ROWS[0]["title"]]
    assert rag.retriever.index.folder == generation
    assert rag.library.overview().changes == ()


def test_an_unknown_id_and_an_undo_of_nothing_are_refused(rag):
    with pytest.raises(CorpusError, match=r"no paper 'nope'.*footnote library list"):
        rag.library.remove(["nope"])
    with pytest.raises(CorpusError, match="no change to undo"):
        rag.library.undo()
    assert len(rag.papers) == 3


def test_a_rag_made_from_parts_can_be_read_but_not_changed(rag):
    bare = Rag(retriever=rag.retriever, model=ScriptedModel(script=lambda _prompt: ""), settings=Settings())
    assert bare.library.overview().n_papers == 3
    assert not bare.library.overview().is_editable
    with pytest.raises(CorpusError, match=r"made from parts\. Open it with Rag\.open"):
        bare.library.add([MOLE])


def test_a_running_answer_ends_with_the_library_that_it_began_with(rag):
    stream = rag.stream("At how many hertz do whales sing in the deep ocean?")
    assert isinstance(next(stream), EvidenceFound)
    whales = rag.papers[0]
    rag.library.remove([whales.id])
    rag.library.add([MOLE])
    rag.library.remove([rag.papers[0].id])  # three generations later its files are still there
    *_, answer = stream
    assert isinstance(answer, Answer)
    assert answer.status == "answered"
    assert answer.citations[0].paper.id == whales.id
    assert whales.id not in {paper.id for paper in rag.papers}


def test_readers_see_a_whole_library_at_every_moment(rag):
    wrong: list[object] = []
    done = threading.Event()

    def read():
        while not done.is_set():
            hits = rag.retrieve("whales bees ants moles tunnels", k=10)
            found = {hit.paper.title.split(":")[0] for hit in hits}
            if found not in ({"WhaleSong", "BeeDance", "AntTrail"}, {"WhaleSong", "BeeDance", "AntTrail", "MoleDig"}):
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        rag.library.add([MOLE])
        rag.library.undo()
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_old_generations_go_when_their_last_reader_is_done(rag, tmp_path):
    for _ in range(3):
        rag.library.add([MOLE])
        rag.library.undo()
    rag.library.add([MOLE])
    assert len(list((tmp_path / "index").glob("generation-*"))) <= 3


def test_an_old_index_goes_with_its_last_answer_and_waits_for_no_collector(rag):
    gc.collect()
    gc.disable()
    try:
        for change in (lambda: rag.library.add([MOLE]), rag.library.undo):
            old = weakref.ref(rag.retriever.index)
            change()
            assert old() is None
    finally:
        gc.enable()


def test_what_another_process_changed_is_taken_over_when_asked(rag, tmp_path):
    assert rag.library.refresh() is False
    other = rag_at(tmp_path)
    other.library.add([MOLE])
    other.close()
    assert len(rag.papers) == 3
    assert rag.library.refresh() is True
    assert titles(rag)[-1] == "MoleDig"


@pytest.mark.parametrize("step", ["rag.library.shelf.build", "rag.library.ledger.Ledger.add"])
def test_a_change_that_is_killed_leaves_the_library_as_it_was(tmp_path, step):
    rag_at(tmp_path).close()
    code = f"""
        import os, signal, sys
        sys.path[:0] = ["tests", ".", "tests/integration"]
        from pathlib import Path
        from unittest import mock
        import test_library
        rag = test_library.rag_at(Path({str(tmp_path)!r}))
        with mock.patch({step!r}, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)):
            rag.library.add([test_library.MOLE])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    rag = rag_at(tmp_path)
    assert titles(rag) == ["WhaleSong", "BeeDance", "AntTrail"]
    assert rag.library.overview().changes == ()
    assert len(rag.library.add([MOLE]).added) == 1
    rag.close()


def test_a_disk_that_is_full_for_the_ledger_changes_nothing(rag, monkeypatch):
    def full(_ledger, _change):
        raise OSError(28, "No space left on device")

    generation = rag.retriever.index.folder
    monkeypatch.setattr(Ledger, "add", full)
    with pytest.raises(IndexProblem, match=r"cannot be written"):
        rag.library.add([MOLE])
    monkeypatch.undo()
    assert titles(rag) == ["WhaleSong", "BeeDance", "AntTrail"]
    assert rag.retriever.index.folder == generation
    assert rag.library.refresh() is False
    assert (generation / "manifest.json").is_file()


def test_the_overview_counts_years_venues_and_changes(rag):
    rag.library.add([MOLE], "moles.bib")
    seen = rag.library.overview()
    assert (seen.name, seen.n_papers, seen.is_editable) == ("mine.jsonl", 4, True)
    assert seen.years == {2020: 1, 2021: 1, 2024: 1}
    assert seen.venues == {"Sea Letters": 1}
    assert [(change.did, change.source) for change in seen.changes] == [("add", "moles.bib")]


@pytest.mark.parametrize(
    ("text", "how", "where", "expected"),
    [
        ("", "both", None, ["WhaleSong", "BeeDance", "AntTrail"]),
        ("", "both", {"year": {"gte": 2021}}, ["BeeDance"]),
        ("bees flowers", "both", None, ["BeeDance", "AntTrail", "WhaleSong"]),
        ("dances", "words", None, ["BeeDance"]),
        ("bees ocean", "words", None, []),
        ('"deep ocean"', "words", None, ["WhaleSong"]),
        ('"ocean deep"', "words", None, []),
        ("holm", "words", None, ["WhaleSong"]),
        ("sea letters", "words", None, ["WhaleSong"]),
        ("whales", "words", {"year": 2024}, []),
        ("bees dance", "meaning", {"year": {"lte": 2020}}, ["WhaleSong"]),
        ("zebra", "words", None, []),
        ("?!", "words", None, []),
    ],
)
def test_papers_are_found_by_words_and_by_meaning_and_with_filters(rag, text, how, where, expected):
    found = rag.library.find(text, how, where)
    names = [item.paper.title.split(":")[0] for item in found]
    assert sorted(names) == sorted(expected)
    assert names[:1] == expected[:1]
    assert [item.rank for item in found] == list(range(1, len(found) + 1))


def test_the_best_sentence_of_a_found_paper_lies_in_its_abstract(rag):
    found = rag.library.find("hertz", "words")[0]
    start, end = rag.library.best_sentence(found, "hertz")
    assert found.paper.abstract[start:end] == "Whales sing at 20 hertz in the deep ocean."
    assert rag.library.best_sentence(rag.library.find("")[0], "hertz") is None


def test_neighbours_leave_the_paper_itself_out(rag):
    rag.library.add([Paper("", "WhaleCall: calls of whales", "Whales call and sing songs in the deep ocean.")])
    whales = rag.papers[0]
    near = rag.library.neighbours(whales.id, k=2)
    assert len(near) == 2
    assert near[0].paper.title.startswith("WhaleCall")
    assert whales.id not in {item.paper.id for item in near}
    assert rag.library.neighbours("nope") == ()


def test_the_map_is_kept_beside_the_index_and_drawn_anew_when_it_is_damaged(rag):
    first = rag.library.atlas()
    kept = next(rag.retriever.index.folder.glob("atlas-*.json"))
    assert len(first.points) == 3
    kept.write_text("{")
    assert rag.library.atlas() == first
    assert json.loads(kept.read_text())["n_papers"] == 3


NAMESAKE = Paper("", ROWS[0]["title"], "Another paper of this very title, on the songs of blue whales alone.")


def test_undoing_a_namesake_takes_out_that_paper_alone(rag):
    """A namesake that comes gives the old paper another id, which is no removal of it when the namesake goes."""
    rag.library.add([NAMESAKE])
    assert len(rag.papers) == 4
    undone = rag.library.undo()
    assert [paper.abstract for paper in undone.removed] == [NAMESAKE.abstract]
    assert undone.added == ()
    assert len(rag.papers) == 3


def test_a_removed_paper_stays_away_when_a_namesake_comes_into_the_file(tmp_path):
    rag = rag_at(tmp_path)
    rag.library.remove([rag.papers[0].id])
    rag.close()
    with (tmp_path / "mine.jsonl").open("a") as file:
        file.write(json.dumps({"title": NAMESAKE.title, "abstract": NAMESAKE.abstract}) + "\n")
    again = rag_at(tmp_path)
    assert [paper.abstract for paper in again.papers if paper.title == NAMESAKE.title] == [NAMESAKE.abstract]
    again.close()


def test_a_namesake_that_is_there_already_is_told_as_known(rag):
    rag.library.add([NAMESAKE])
    found = rag.library.preview([NAMESAKE])
    assert (found.new, found.completed) == ((), ())
    assert [paper.abstract for paper in found.known] == [NAMESAKE.abstract]
    assert rag.library.add([NAMESAKE, MOLE]).added == (next(p for p in rag.papers if p.title == MOLE.title),)
    assert [paper.title for paper in rag.library.overview().changes[-1].papers] == [MOLE.title]


def test_a_phrase_of_small_words_is_found_in_an_abstract(rag):
    assert [found.paper.title for found in rag.library.find('"to tell where"', "words")] == [ROWS[1]["title"]]


def test_an_index_whose_ledger_cannot_be_locked_is_a_plain_error(tmp_path):
    shelf = shelf_at(tmp_path)
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(IndexProblem, match="cannot be written"):
        shelf.update()


def test_the_ledger_lies_with_the_readers_data_and_not_in_the_cache(tmp_path):
    settings = Settings(home=tmp_path / "cache", data=tmp_path / "data")
    assert ledger_of(settings).path.is_relative_to(tmp_path / "data")
