"""Runs from a page: begun, followed, stopped, gone on with, read and compared; real index, scripted model."""

import json
import threading
import time

import pytest
from fakes import HashedEncoder, ScriptedModel

from eval.board import SOURCES, Board
from eval.cases import CaseError
from eval.judges.by_name import LexicalJudge
from rag import Paper, Rag, Settings
from rag.corpus import distinct
from rag.index import LibraryIndex, build
from rag.retrieval import FusedRetriever

PAPERS = distinct(
    Paper(
        "",
        f"{name}: a system for {topic}",
        f"We present {name}, a system for {topic}. {name} was trained on {number} thousand {topic} recordings. "
        f"It reaches an accuracy of {number + 11}% on the {name}Bench benchmark.",
        year=2020,
    )
    for name, topic, number in (
        ("WhaleNet", "whale songs", 31),
        ("BeeDance", "bee dances", 42),
        ("AntTrail", "ant trails", 53),
        ("MoleDig", "mole tunnels", 64),
        ("OwlHunt", "owl flights", 75),
        ("EelSwim", "eel swims", 86),
    )
)


class Gate:
    """Holds the model until the test lets it write; tells when it was asked."""

    def __init__(self):
        self.asked = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def __call__(self, _prompt):
        self.asked.set()
        assert self.open.wait(10)
        return "It reaches an accuracy of 42%."


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def rag(tmp_path, gate):
    encoder = HashedEncoder()
    build(tmp_path / "index", PAPERS, encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path / "index", encoder), encoder=encoder)
    made = Rag(retriever=retriever, model=ScriptedModel(script=gate), settings=Settings())
    yield made
    made.close()


@pytest.fixture
def board(rag, tmp_path):
    return Board(rag, tmp_path / "runs", open_judge=lambda _rag: None)


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_run_is_scored_listed_and_read(board):
    running = board.start("exam", 5)
    running.join(30)
    assert running.problem is None
    assert not running.is_running
    step = running.step
    assert step.done == step.total >= 5
    assert step.last
    (row,) = board.runs()
    assert (row.label, row.cases, row.is_partial) == (SOURCES[0].label, step.total, False)
    assert row.summary["figures"]["all"]["citations valid"]["value"] == 1.0
    reading = board.read(row.name)
    assert reading.row == row
    assert all(dict(facts)["Question"] for _, _, facts in reading.worst)


@pytest.mark.parametrize("stops", [False, True])
def test_answers_are_judged_when_all_are_there_or_the_run_was_stopped(rag, tmp_path, stops):
    board = Board(rag, tmp_path / "runs", open_judge=lambda _rag: LexicalJudge())
    running = board.start("exam", 5)
    if stops:
        # The first question may be one that the papers do not answer: nothing is cited there, nothing to judge.
        until(lambda: running.step.done >= 3)
        running.stop()
    running.join(30)
    (row,) = board.runs()
    assert row.summary["figures"]["all"]["faithfulness"]["n"] > 0
    assert row.summary["made_with"]["judge"] == LexicalJudge().id


def test_one_run_at_a_time(board, gate):
    gate.open.clear()
    running = board.start("exam", 5)
    with pytest.raises(CaseError, match="under way"):
        board.start("exam", 5)
    gate.open.set()
    running.join(30)


def test_a_stopped_run_keeps_and_scores_what_was_answered_and_can_be_gone_on_with(board, gate):
    gate.open.clear()
    running = board.start("exam", 6)
    assert gate.asked.wait(10)
    running.stop()
    gate.open.set()
    running.join(30)
    (row,) = board.runs()
    assert row.is_partial
    assert row.cases < row.wanted
    again = board.go_on(row.name)
    again.join(30)
    assert again.problem is None
    (row,) = board.runs()
    assert not row.is_partial


def stopped_after(rag, folder, count):
    """The name of a run of six questions that was stopped after `count` of them."""

    def stops():
        if board.running is not None and board.running.step.done == count:
            board.running.stop()
        return False

    board = Board(rag, folder, is_busy=stops, open_judge=lambda _rag: None)
    running = board.start("exam", 6)
    running.join(30)
    assert running.step.done == count
    return running.name


def test_what_was_answered_before_does_not_shorten_the_time_left(rag, tmp_path, gate):
    name = stopped_after(rag, tmp_path / "runs", 2)
    gate.asked.clear()
    gate.open.clear()
    again = Board(rag, tmp_path / "runs", open_judge=lambda _rag: None).go_on(name)
    assert gate.asked.wait(10)
    step = again.step
    assert step.done == 2
    assert step.left_s is None, "nothing was asked anew yet"
    gate.open.set()
    again.join(30)
    assert again.step.done == again.step.total
    assert again.step.told >= again.step.right


def kept_of(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_run_that_cannot_be_gone_on_with_is_kept_as_it_is(rag, tmp_path):
    folder = tmp_path / "runs"
    name = stopped_after(rag, folder, 2)
    before = kept_of(folder / name)
    made = json.loads(before["made_with.json"])
    (folder / name / "made_with.json").write_text(json.dumps({**made, "settings_id": "another"}))
    again = Board(rag, folder, open_judge=lambda _rag: None).go_on(name)
    again.join(30)
    assert "made with something else" in again.problem[0]
    assert {**kept_of(folder / name), "made_with.json": ""} == {**before, "made_with.json": ""}

    def broken(_rag):
        raise RuntimeError("no judge")

    again = Board(rag, folder, open_judge=broken).go_on(name)
    again.join(30)
    assert "no judge" in again.problem[0]
    assert {**kept_of(folder / name), "made_with.json": ""} == {**before, "made_with.json": ""}


@pytest.mark.parametrize("has_hole", [False, True])
def test_a_run_stopped_while_it_opens_keeps_every_answer_that_it_had(rag, tmp_path, has_hole):
    folder, opening, opened = tmp_path / "runs", threading.Event(), threading.Event()
    name = stopped_after(rag, folder, 4)
    path = folder / name / "answers.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 4
    if has_hole:  # a damaged line was removed by hand
        del lines[1]
        path.write_text("".join(lines))

    def slow(_rag):
        opening.set()
        assert opened.wait(10)

    again = Board(rag, folder, open_judge=slow).go_on(name)
    assert opening.wait(10)
    again.stop()
    opened.set()
    again.join(30)
    assert again.problem is None
    assert path.read_text() == "".join(lines)


def test_a_run_stopped_before_its_first_answer_leaves_nothing(rag, tmp_path):
    opening, opened = threading.Event(), threading.Event()

    def slow(_rag):
        opening.set()
        assert opened.wait(10)

    board = Board(rag, tmp_path / "runs", open_judge=slow)
    running = board.start("exam", 5)
    assert opening.wait(10)
    running.stop()
    opened.set()
    running.join(30)
    assert list(board.folder.iterdir()) == []


def test_a_run_waits_while_a_reader_is_answered(rag, tmp_path):
    busy = threading.Event()
    busy.set()
    board = Board(rag, tmp_path / "runs", is_busy=busy.is_set, open_judge=lambda _rag: None)
    running = board.start("exam", 5)
    time.sleep(0.3)
    assert running.step.done == 0
    busy.clear()
    running.join(30)
    assert running.step.done == running.step.total


def test_two_runs_of_the_same_questions_do_not_differ(board):
    for _ in range(2):
        board.start("exam", 5).join(30)
    first, second = (row.name for row in board.runs())
    found = {item.name: item for item in board.compare(first, second)}
    assert found["right and cited"].difference == 0
    assert found["right and cited"].better == ()


def test_bundled_questions_need_the_bundled_library(board):
    with pytest.raises(CaseError, match="Take an exam"):
        board.start("bundled", 5)
    assert board.runs() == ()


@pytest.mark.parametrize("name", ["", ".", "..", "../index", "/etc", "nope"])
def test_a_name_that_is_no_run_leads_nowhere(board, name):
    board.start("exam", 5).join(30)
    for asked in (board.read, board.go_on, board.remove, lambda n: board.compare(n, n)):
        with pytest.raises(CaseError, match="no run"):
            asked(name)


def test_unknown_sources_and_numbers_out_of_range_are_refused(board):
    for key, n in (("nope", 5), ("exam", 0), ("exam", 501)):
        with pytest.raises(CaseError):
            board.start(key, n)


def test_a_failing_run_says_so_and_the_next_one_can_begin(rag, tmp_path):
    def broken(_rag):
        raise RuntimeError("no judge")

    board = Board(rag, tmp_path / "runs", open_judge=broken)
    running = board.start("exam", 5)
    running.join(10)
    assert "no judge" in running.problem[0]
    board.start("exam", 5).join(10)


def test_a_damaged_run_is_passed_over(board):
    board.start("exam", 5).join(30)
    (board.folder / "odd").mkdir()
    (board.folder / "odd" / "scores.json").write_text("{")
    assert len(board.runs()) == 1
    board.remove(board.runs()[0].name)
    assert board.runs() == ()


def test_a_run_whose_process_ended_is_listed_gone_on_with_and_removed(rag, tmp_path):
    name = stopped_after(rag, tmp_path / "runs", 4)
    for left_by_the_end in ("scores.json", "report.md", "report.html"):
        (tmp_path / "runs" / name / left_by_the_end).unlink()
    board = Board(rag, tmp_path / "runs", open_judge=lambda _rag: None)
    (row,) = board.runs()
    assert (row.name, row.is_scored, row.is_partial, row.cases) == (name, False, True, 4)
    assert board.read(name).worst == ()
    running = board.go_on(name)
    running.join(30)
    (row,) = board.runs()
    assert (row.is_scored, row.is_partial, row.cases) == (True, False, running.step.total)
    (board.folder / name / "scores.json").write_text("{")
    assert not board.runs()[0].is_scored
    board.remove(name)
    assert board.runs() == ()


def test_a_run_under_way_is_not_listed(board, gate):
    gate.open.clear()
    running = board.start("exam", 5)
    assert gate.asked.wait(10)
    assert board.runs() == ()
    gate.open.set()
    running.join(30)
    assert len(board.runs()) == 1


def test_a_run_that_is_gone_on_with_is_not_listed_meanwhile(rag, tmp_path, gate):
    name = stopped_after(rag, tmp_path / "runs", 4)
    board = Board(rag, tmp_path / "runs", open_judge=lambda _rag: None)
    assert [row.name for row in board.runs()] == [name]
    gate.asked.clear()
    gate.open.clear()
    running = board.go_on(name)
    assert gate.asked.wait(10)
    assert board.runs() == ()
    gate.open.set()
    running.join(30)
    assert [row.name for row in board.runs()] == [name]


@pytest.mark.parametrize(
    "facts", ['{"wanted": null, "began": null}', '{"began": "yesterday", "wanted": "ten"}', "{", "[]"]
)
def test_odd_facts_of_a_run_do_not_take_the_list_down(board, facts):
    board.start("exam", 5).join(30)
    name = board.runs()[0].name
    (board.folder / name / "board.json").write_text(facts)
    board.start("exam", 5).join(30)
    assert name in {row.name for row in board.runs()}
