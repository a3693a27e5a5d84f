"""The index on disk: real Chroma and BM25 in a temporary folder, a hashing embedder."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HashedEncoder

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing, IndexOutdated, IndexProblem
from rag.index import LibraryIndex, build, live_generation
from rag.retrieval import FusedRetriever
from rag.schema import Paper

ROOT = Path(__file__).parents[2]


def paper(name: str, text: str) -> Paper:
    return Paper(f"id-{name}", f"{name.title()}: a paper about {name}", text)


PAPERS = [
    paper("whales", "Whales sing songs in the deep ocean. They travel far every year."),
    paper("bees", "Bees dance to tell where flowers are. The dance gives direction and distance."),
    paper("ants", "Ants lay trails of scent. Other ants follow them to food."),
]


def texts_found(folder: Path, encoder: HashedEncoder, question: str) -> list[str]:
    index = LibraryIndex.open(folder, encoder)
    try:
        rows = index.nearest(encoder.encode([question], "query")[0], 3)
        return [index.passages[row].paper_id for row, _ in rows]
    finally:
        index.close()


def test_what_was_built_can_be_opened_and_searched(tmp_path):
    encoder = HashedEncoder()
    report = build(tmp_path, PAPERS, encoder)
    assert (report.embedded, report.kept, report.removed, report.n_papers) == (3, 0, 0, 3)
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"


def test_similarity_is_the_cosine(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    index = LibraryIndex.open(tmp_path, encoder)
    vector = encoder.encode(["whales sing"], "query")[0]
    from rag.passages import passage_input

    for row, score in index.nearest(vector, 3):
        passage = index.passages[row]
        text = passage_input(index.papers[passage.paper_id], passage)
        assert score == pytest.approx(float(vector @ encoder.encode([text], "query")[0]), abs=1e-5)
    index.close()


def test_adding_the_same_papers_again_embeds_nothing(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    encoder.encoded.clear()
    report = build(tmp_path, list(reversed(PAPERS)), encoder)
    assert (report.embedded, report.kept) == (0, 3)
    assert encoder.encoded == []


def test_a_changed_abstract_is_embedded_alone_and_a_removed_one_goes(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    encoder.encoded.clear()
    changed = [replace(PAPERS[0], abstract="Whales also dive a mile down."), PAPERS[1]]
    report = build(tmp_path, changed, encoder)
    assert (report.embedded, report.kept, report.removed) == (1, 1, 2)
    assert len(encoder.encoded) == 1
    assert "mile" in encoder.encoded[0]
    assert "id-ants" not in texts_found(tmp_path, encoder, "ants scent trails")


def test_a_change_of_metadata_alone_embeds_nothing_but_is_kept(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    report = build(tmp_path, [replace(PAPERS[0], year=2024), *PAPERS[1:]], encoder)
    assert (report.embedded, report.kept) == (0, 3)
    index = LibraryIndex.open(tmp_path, encoder)
    assert index.papers["id-whales"].year == 2024
    index.close()


def test_an_empty_library_can_be_built_and_opened(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, [], encoder)
    assert texts_found(tmp_path, encoder, "anything") == []


def test_no_index_is_an_error_that_says_how_to_build_one(tmp_path):
    with pytest.raises(IndexMissing, match="footnote index"):
        LibraryIndex.open(tmp_path / "nowhere", HashedEncoder())


@pytest.mark.parametrize(
    ("other", "both"),
    [
        (HashedEncoder(name="tests/other"), ("tests/hashed", "tests/other")),
        (HashedEncoder(revision="2"), ("'1'", "'2'")),
        (HashedEncoder(dimension=128), ("256", "128")),
        (HashedEncoder(max_tokens=64), ("120", "64")),
    ],
    ids=["name", "revision", "dimension", "max tokens"],
)
def test_another_embedder_is_refused_with_both_values_and_the_command(tmp_path, other, both):
    build(tmp_path, PAPERS, HashedEncoder())
    for attempt in (lambda: LibraryIndex.open(tmp_path, other), lambda: build(tmp_path, PAPERS, other)):
        with pytest.raises(IndexMismatch, match="footnote index --rebuild") as error:
            attempt()
        assert all(value in str(error.value) for value in both)
    build(tmp_path, PAPERS, other, rebuild=True)
    assert texts_found(tmp_path, other, "bees dance")[0] == "id-bees"


@pytest.mark.parametrize("version", ["SPLITTER_VERSION", "TOKENIZER_VERSION"])
def test_an_index_of_an_earlier_version_is_brought_up_to_date_and_keeps_its_vectors(tmp_path, monkeypatch, version):
    encoder = HashedEncoder()
    with monkeypatch.context() as earlier:
        earlier.setattr(f"rag.index.{version}", "0")
        build(tmp_path, PAPERS, encoder)
    with pytest.raises(IndexOutdated, match="footnote index"):
        LibraryIndex.open(tmp_path, encoder)
    report = build(tmp_path, PAPERS, encoder)
    assert (report.embedded, report.kept) == (0, 3)
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"


def damage_manifest(generation: Path) -> None:
    (generation / "manifest.json").write_text("{")


def damage_chroma(generation: Path) -> None:
    (generation / "chroma" / "chroma.sqlite3").write_bytes(b"not a database" * 100)


def damage_keywords(generation: Path) -> None:
    (generation / "keywords" / "frequency.json").unlink()


def damage_passages(generation: Path) -> None:
    path = generation / "passages.jsonl"
    path.write_text(path.read_text()[:50])


def damage_papers(generation: Path) -> None:
    (generation / "papers.jsonl").unlink()


@pytest.mark.parametrize(
    "damage",
    [damage_manifest, damage_chroma, damage_keywords, damage_passages, damage_papers],
    ids=lambda d: d.__name__,
)
def test_a_damaged_index_is_refused_and_the_next_build_mends_it(tmp_path, damage):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    damage(live_generation(tmp_path))
    with pytest.raises(IndexCorrupt, match="footnote index --rebuild"):
        LibraryIndex.open(tmp_path, encoder)
    build(tmp_path, PAPERS, encoder)
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"


def test_a_damaged_index_of_an_earlier_version_is_mended_too(tmp_path, monkeypatch):
    encoder = HashedEncoder()
    with monkeypatch.context() as earlier:
        earlier.setattr("rag.index.TOKENIZER_VERSION", "0")
        build(tmp_path, PAPERS, encoder)
    damage_chroma(live_generation(tmp_path))
    with pytest.raises(IndexCorrupt, match="footnote index --rebuild"):
        LibraryIndex.open(tmp_path, encoder)
    assert build(tmp_path, PAPERS, encoder).embedded == 3
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"


@pytest.mark.slow
@pytest.mark.parametrize("step", ["_write_vectors", "write_lines", "write_synced", "encode"])
def test_a_build_that_is_killed_leaves_the_old_index_answering(tmp_path, step):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    code = f"""
        import os, signal, sys
        sys.path[:0] = ["tests", "."]
        import rag.index
        from fakes import HashedEncoder
        from rag.schema import Paper
        def die(*args, **kwargs):
            os.kill(os.getpid(), signal.SIGKILL)
        encoder = HashedEncoder()
        if {step!r} == "encode":
            encoder.encode = die
        else:
            setattr(rag.index, {step!r}, die)
        from pathlib import Path
        rag.index.build(Path({str(tmp_path)!r}), [Paper("id-new", "New: a paper", "Owls hunt at night.")], encoder)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"
    new = [Paper("id-new", "New: a paper", "Owls hunt at night.")]
    assert build(tmp_path, new, encoder).n_papers == 1
    assert texts_found(tmp_path, encoder, "owls hunt") == ["id-new"]
    assert not list(tmp_path.glob("partial-*"))


def test_an_index_that_is_open_goes_on_answering_while_a_new_one_is_built(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    index = LibraryIndex.open(tmp_path, encoder)
    build(tmp_path, PAPERS[:1], encoder)
    vector = encoder.encode(["ants scent"], "query")[0]
    assert index.passages[index.nearest(vector, 1)[0][0]].paper_id == "id-ants"
    index.close()


def test_only_the_live_generation_and_the_one_before_are_kept(tmp_path):
    encoder = HashedEncoder()
    for count in (1, 2, 3, 2, 1):
        build(tmp_path, PAPERS[:count], encoder)
    assert len(list(tmp_path.glob("generation-*"))) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error_and_the_old_index_answers(tmp_path, monkeypatch):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    import rag.index

    def write_to_full_disk(path, text):
        with Path("/dev/full").open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    monkeypatch.setattr(rag.index, "write_synced", write_to_full_disk)
    with pytest.raises(IndexProblem, match="disk is full"):
        build(tmp_path, PAPERS[:1], encoder)
    monkeypatch.undo()
    assert texts_found(tmp_path, encoder, "bees dance")[0] == "id-bees"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexProblem, match="cannot be written"):
        build(tmp_path / "file" / "index", PAPERS, HashedEncoder())


def test_filters_narrow_the_nearest_rows(tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, PAPERS, encoder)
    index = LibraryIndex.open(tmp_path, encoder)
    vector = encoder.encode(["bees dance"], "query")[0]
    rows = index.nearest(vector, 3, frozenset({"id-ants", "id-whales"}))
    assert {index.passages[row].paper_id for row, _ in rows} == {"id-ants", "id-whales"}
    assert index.nearest(vector, 3, frozenset()) == []
    index.close()


def test_as_many_papers_are_found_as_are_asked_for_and_there(tmp_path):
    encoder = HashedEncoder()
    papers = [paper(f"p{i}", f"Owls hunt mice in wood {i}. " * 40) for i in range(40)]
    build(tmp_path, papers, encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path, encoder), encoder=encoder, candidates=4)
    assert len(retriever.search("owls hunt mice", k=30)) == 30
    assert len(retriever.search("owls hunt mice", k=400)) == 40
