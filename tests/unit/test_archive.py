"""Conversations on disk: they come back whole, stay their owner's, and no fault of the disk loses or stops anything."""

from __future__ import annotations

import json
import sqlite3
import threading

import pytest

from eval.cases import read_cases
from rag.receipt import verify
from rag.schema import Answer, TextPiece
from tests.fake_rag import LANTERN, FakeRag, citation
from ui.conversations import archive as archive_module
from ui.conversations import archive_file
from ui.conversations.archive import ARCHIVE_FILE, GUEST, MOST_LISTED, Archive, Entry
from ui.conversations.archive_file import VERSION, ArchiveError
from ui.conversations.conversation import Conversation, Turn
from ui.conversations.feedback import cases, facts_of
from ui.conversations.feedback import main as feedback_command
from ui.conversations.knobs import Knobs
from ui.views.history import render_entries


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / ARCHIVE_FILE


@pytest.fixture
def archive(path):
    opened = Archive(path)
    yield opened
    opened.close()


def talk(*questions, rag=None):
    """A conversation in which the fake Rag answered every question."""
    conversation = Conversation()
    rag = rag or FakeRag(pace_s=0)
    for question in questions or ("What is LanternNet?",):
        turn = conversation.ask(question)
        for event in rag.stream(turn.asked, conversation.history()):
            turn.take(event)
    return conversation


def test_a_conversation_comes_back_after_a_restart_with_every_citation(path):
    before = talk("What does partly mean?", "and how fast?", "Is there wifi on trains?")
    before.knobs = Knobs(papers="10")
    first = Archive(path)
    first.save("", before)
    first.close()
    after = Archive(path).open("", before.id)
    for turn in before.turns:
        turn.found = None  # the answer has it all
    assert after == before
    assert [answer.status for answer in after.answers] == ["answered", "answered", "abstained"]
    cited = after.answers[0].citations
    assert all(c.paper.abstract[c.start : c.end] == c.quote for c in cited)
    assert len(cited) == 5


def test_a_restored_receipt_still_verifies(archive):
    conversation = talk()
    receipt = conversation.answers[0].to_dict()
    archive.save("", conversation)
    restored = archive.open("", conversation.id).answers[0].to_dict()
    assert json.loads(json.dumps(receipt)) == json.loads(json.dumps(restored))
    assert verify(json.loads(json.dumps(restored))) == verify(json.loads(json.dumps(receipt)))


def test_a_turn_that_was_running_is_stopped_when_it_comes_back_and_keeps_its_evidence(archive):
    conversation = Conversation()
    turn = conversation.ask("What is LanternNet?")
    events = FakeRag(pace_s=0).stream("What is LanternNet?")
    turn.take(next(events))
    turn.take(TextPiece("Half a sen"))
    archive.save("", conversation)
    back = archive.open("", conversation.id).last
    assert (back.stage, back.draft) == ("stopped", "Half a sen")
    assert back.found.evidence == turn.found.evidence
    assert turn.running, "the open one goes on"


def test_no_owner_reaches_what_is_anothers(archive):
    mine, theirs = talk("Mine?"), talk("Theirs?")
    archive.save("ann", mine)
    archive.save("bob", theirs)
    assert [entry.title for entry in archive.entries("ann")] == ["Mine?"]
    assert archive.entries("") == []
    assert archive.entries("ann", "theirs") == []
    assert archive.open("ann", theirs.id) is None
    archive.rename("ann", theirs.id, "taken")
    archive.delete("ann", theirs.id)
    archive.undelete("ann", theirs.id)
    theirs.title = "overwritten"
    archive.save("ann", theirs)
    assert [entry.title for entry in archive.entries("bob")] == ["Theirs?"]
    assert archive.open("bob", theirs.id).turns[0].question == "Theirs?"


def test_asking_from_an_earlier_question_drops_what_came_after_it_on_disk_as_well(archive):
    conversation = talk("One?", "Two?", "Three?")
    archive.save("", conversation)
    conversation.ask_from(2, "Two, but better?")
    archive.save("", conversation)
    assert [turn.question for turn in archive.open("", conversation.id).turns] == ["One?", "Two, but better?"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 2),
        ("lanternnet", 1),
        ("DuskClips", 1),  # said in the answer
        ("Low-Light", 1),  # in the title of a cited paper
        ("wifi trains", 1),
        ("wifi lanternnet", 0),  # every word has to occur
        ("100%", 0),
        ("_", 0),  # a wildcard of SQL is a character like any other
        ("' OR 1=1 --", 0),
        ("\ud800x", 0),
    ],
)
def test_search_looks_through_questions_answers_and_cited_titles(archive, search, found):
    archive.save("", talk("What is LanternNet?"))
    archive.save("", talk("Is there wifi on trains?"))
    assert len(archive.entries("", search)) == found


def test_two_tabs_of_one_conversation_never_overwrite_each_other(archive):
    here = talk("One?")
    archive.save("", here)
    there = archive.open("", here.id)
    here.ask("Two, here?").stop()
    archive.save("", here)
    there.ask("Two, there?").stop()
    archive.save("", there)
    archive.save("", there)
    assert there.id != here.id
    kept = {tuple(turn.question for turn in archive.open("", entry.id).turns) for entry in archive.entries("")}
    assert kept == {("One?", "Two, here?"), ("One?", "Two, there?")}


def test_a_page_loaded_anew_while_an_answer_runs_makes_no_second_conversation(archive):
    old = talk("One?")
    turn = old.ask("Two?")
    archive.save("", old)
    new = archive.open("", old.id)  # the page as it was loaded anew
    turn.draft = "It is"
    turn.stop()
    archive.save("", old)  # the end of the old page's answer, a moment later
    new.retry()
    archive.save("", new)
    assert new.id == old.id
    (entry,) = archive.entries("")
    assert [turn.question for turn in archive.open("", entry.id).turns] == ["One?", "Two?"]


def test_search_does_not_mind_the_case_of_any_letter(archive):
    archive.save("", talk("Was sagen Über Müller und Émile?"))
    for search in ("über", "ÜBER müller", "émile"):
        assert len(archive.entries("", search)) == 1


def test_a_name_given_in_another_tab_stays(archive):
    conversation = talk("One?")
    archive.save("", conversation)
    archive.rename("", conversation.id, "Mine")
    conversation.ask("Two?").stop()
    archive.save("", conversation)
    assert [entry.title for entry in archive.entries("")] == ["Mine"]


def test_the_last_changed_comes_first(archive):
    first, second = talk("First?"), talk("Second?")
    for conversation in (first, second, first):
        archive.save("", conversation)
    assert [entry.title for entry in archive.entries("")] == ["First?", "Second?"]


def test_a_deleted_one_stays_so_while_another_tab_has_it_until_more_is_asked_there(archive):
    open_elsewhere = talk("A question about marzipan?")
    archive.save("", open_elsewhere)
    archive.delete("", open_elsewhere.id)
    open_elsewhere.turns[-1].opinion = "up"
    archive.save("", open_elsewhere)
    assert archive.entries("") == []
    first = open_elsewhere.id
    open_elsewhere.ask("And about nuts?").stop()
    archive.save("", open_elsewhere)
    assert open_elsewhere.id != first
    assert len(archive.entries("")) == 1
    archive.undelete("", first)
    assert len(archive.entries("")) == 2


def test_what_was_asked_is_not_for_the_other_users_of_this_machine(path):
    Archive(path).close()
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    Archive(path).close()
    assert path.stat().st_mode & 0o077 == 0, "one that an earlier Footnote made, too"


def test_a_deleted_one_can_be_brought_back_for_a_while_and_is_then_gone_from_the_file(path, monkeypatch):
    archive = Archive(path)
    conversation = talk("A question about marzipan?")
    archive.save("", conversation)
    archive.delete("", conversation.id)
    assert archive.entries("") == []
    assert archive.open("", conversation.id) is None
    archive.undelete("", conversation.id)
    assert len(archive.entries("")) == 1
    archive.delete("", conversation.id)
    monkeypatch.setattr(archive_module, "UNDO_S", -1.0)
    archive.undelete("", conversation.id)
    assert archive.entries("") == [], "the time is over"
    archive.close()
    assert b"marzipan" in path.read_bytes()
    Archive(path).close()
    assert b"marzipan" not in path.read_bytes(), "overwritten, not only unlinked"


def test_a_blank_name_changes_nothing_and_odd_characters_survive(archive):
    conversation = talk("Odd \ud800 \x00 'quotes' %?")
    archive.save("", conversation)
    archive.rename("", conversation.id, "   ")
    assert archive.open("", conversation.id).turns[0].question == "Odd \ud800 \x00 'quotes' %?"
    archive.rename("", conversation.id, "  A <b>new</b>\n name ")
    assert archive.entries("")[0].title == "A <b>new</b> name"


def test_nothing_asked_is_nothing_kept(archive):
    archive.save("", Conversation())
    assert archive.entries("") == []


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database at all " * 100)
    archive = Archive(path)
    assert "damaged" in archive.notice
    aside = list(path.parent.glob("conversations-damaged-*.sqlite"))
    assert [file.read_bytes() for file in aside] == [b"not a database at all " * 100], "nothing is lost"
    archive.save("", talk())
    assert len(Archive(path).entries("")) == 1


def test_a_file_of_a_newer_version_is_left_alone(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    before = path.read_bytes()
    archive = Archive(path)
    assert "newer Footnote" in archive.notice
    archive.save("", talk())
    assert len(archive.entries("")) == 1, "kept in memory, so that the chat goes on"
    archive.close()
    assert path.read_bytes() == before


def test_the_version_stands_in_the_file(archive, path):
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_locked_file_gives_a_plain_line_and_the_next_save_keeps_everything(path, monkeypatch):
    monkeypatch.setattr(archive_file, "LOCKED_S", 0.05)
    archive = Archive(path)
    conversation = talk("One?")
    archive.save("", conversation)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    conversation.ask("Two?").stop()
    with pytest.raises(ArchiveError, match="another program has the file"):
        archive.save("", conversation)
    other.execute("ROLLBACK")
    other.close()
    archive.save("", conversation)
    assert [turn.question for turn in archive.open("", conversation.id).turns] == ["One?", "Two?"]


def test_what_could_not_be_written_is_said_in_its_own_words(path, monkeypatch):
    monkeypatch.setattr(archive_file, "LOCKED_S", 0.05)
    archive = Archive(path)
    conversation = judged(archive, "One?", "up")
    archive.save("", conversation)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for act, words in (
        (lambda: archive.save("", conversation), "This conversation is not kept: .* tried again with the next"),
        (lambda: archive.rename("", conversation.id, "Two"), "The name is not changed: .* Try it again"),
        (lambda: archive.delete("", conversation.id), "The conversation is not deleted: .* Try it again"),
        (lambda: archive.undelete("", conversation.id), "The conversation is not brought back: .* Try it again"),
        (lambda: archive.add_feedback("", conversation, conversation.last), "The feedback is not kept: .* Try it"),
    ):
        with pytest.raises(ArchiveError, match=words):
            act()
    other.close()


def test_a_full_disk_gives_a_plain_line_and_leaves_what_was_kept(path):
    archive = Archive(path)
    conversation = talk("One?")
    archive.save("", conversation)
    pages = archive._file._database.execute("PRAGMA page_count").fetchone()[0]
    archive._file._database.execute(f"PRAGMA max_page_count = {pages}")
    more = talk(*(f"Number {n}?" for n in range(8)))
    with pytest.raises(ArchiveError, match="the disk is full"):
        archive.save("", more)
    assert [entry.title for entry in archive.entries("")] == ["One?"], "all of a save or nothing"


def test_a_folder_that_cannot_be_made_leaves_the_chat_without_a_file(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    archive = Archive(tmp_path / "data" / ARCHIVE_FILE)
    assert archive.notice.startswith("Conversations are not kept")
    archive.save("", talk())
    assert len(archive.entries("")) == 1


def test_many_threads_at_once_lose_nothing(archive):
    talks = [talk(f"Question {n}?") for n in range(12)]
    threads = [threading.Thread(target=archive.save, args=("", conversation)) for conversation in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.entries("")) == 12


def test_saving_one_conversation_from_two_threads_makes_no_second_one(archive):
    conversation = talk("One?", "Two?")
    threads = [threading.Thread(target=archive.save, args=("", conversation)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.entries("")) == 1
    assert conversation.revision == 16


def judged(archive, question, opinion, note="", owner=""):
    conversation = talk(question)
    conversation.last.opinion = opinion
    archive.add_feedback(owner, conversation, conversation.last, note)
    return conversation


def test_feedback_keeps_the_whole_answer_and_the_last_word_counts(archive):
    conversation = judged(archive, "What is LanternNet?", "up")
    conversation.last.opinion = "wrong source"
    archive.add_feedback("", conversation, conversation.last, "It is the other paper.")
    (kept,) = archive.feedback()
    assert (kept.opinion, kept.note) == ("wrong source", "It is the other paper.")
    assert Answer.from_dict(kept.receipt) == conversation.last.answer
    conversation.last.opinion = ""
    archive.add_feedback("", conversation, conversation.last)
    assert archive.feedback() == []


def test_feedback_becomes_cases_that_the_eval_suite_reads(path, monkeypatch, capsys, tmp_path):
    archive = Archive(path)
    judged(archive, "What is LanternNet?", "up")
    judged(archive, "Is there wifi on trains?", "up", owner="ann")
    judged(archive, "and how fast?", "down", "It is 42 frames.")
    archive.close()
    monkeypatch.setenv("FOOTNOTE_DATA", str(path.parent))
    out = tmp_path / "cases.jsonl"
    assert feedback_command(["export", "--out", str(out)]) == 0
    assert feedback_command(["export", "--out", str(out.parent / "nowhere" / "x.jsonl")]) == 2
    assert capsys.readouterr().out == f"3 cases in {out}\n"
    good, declined, bad = read_cases(out)
    assert good.papers == (LANTERN.title,)
    assert good.evidence == (citation(1, LANTERN, 1).quote, citation(2, LANTERN, 3).quote)
    assert good.answers == (("1.8",), ("42",))
    assert not declined.is_answerable
    assert bad.is_answerable, "to be filled in: it fails until then, and is not taken for one to decline"
    assert bad.question == "What is the speed of LanternNet, and how fast??"
    assert bad.reference == "It is 42 frames."
    assert feedback_command([]) == 0
    assert "down          and how fast?  It is 42 frames." in capsys.readouterr().out


def test_feedback_goes_with_a_deleted_conversation_and_with_no_other(path, monkeypatch):
    archive = Archive(path)
    for question, owner in (("About marzipan?", "ann"), ("About lanterns?", "bob")):
        archive.save(owner, judged(archive, question, "up", "a note", owner=owner))
    archive.delete("ann", archive.entries("ann")[0].id)
    archive.close()
    assert len(Archive(path).feedback()) == 2, "it can be brought back yet"
    monkeypatch.setattr(archive_module, "UNDO_S", -1.0)
    reopened = Archive(path)
    assert [kept.receipt["question"] for kept in reopened.feedback()] == ["About lanterns?"]
    assert b"marzipan" not in path.read_bytes()


def test_what_guests_asked_goes_when_a_page_starts_and_what_they_said_of_answers_stays(path):
    archive = Archive(path)
    guest = f"{GUEST}s1"
    for owner in (guest, "", "guest", "ann"):
        archive.save(owner, judged(archive, "About marzipan?", "up", owner=owner))
    deleted = judged(archive, "About lanterns?", "up", owner=guest)
    archive.save(guest, deleted)
    archive.delete(guest, deleted.id)
    archive.close()
    assert len(Archive(path).entries(guest)) == 1, "to read feedback is no start: guests may have their page open"
    started = Archive(path, is_start=True)
    assert [len(started.entries(owner)) for owner in (guest, "", "guest", "ann")] == [0, 1, 1, 1]
    assert [kept.receipt["question"] for kept in started.feedback()] == ["About marzipan?"] * 4
    started.undelete(guest, deleted.id)
    assert started.entries(guest) == []


def test_without_feedback_the_command_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FOOTNOTE_DATA", str(tmp_path))
    assert feedback_command(["export"]) == 2
    assert "There is no feedback yet." in capsys.readouterr().err


def test_facts_are_numbers_else_names_else_the_longest_word():
    def facts(words):
        return facts_of(Answer("q", words, "answered"))

    assert facts("It has 970k episodes, 4.5% more.") == ["970k", "4.5%"]
    assert facts("It uses OpenVLA and CLIP.") == ["OpenVLA", "CLIP"]
    assert facts("it removes flicker") == ["removes"]
    assert list(cases([])) == []


def test_a_turn_that_is_none_is_refused(archive, path):
    conversation = talk()
    archive.save("", conversation)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE turns SET record = '{}'")
    database.close()
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.open("", conversation.id)
    with pytest.raises(TypeError):
        Turn.from_dict({})


def test_a_list_that_is_cut_says_so():
    entries = [Entry(f"{i:032x}", f"Question {i}", 1, 0.0) for i in range(MOST_LISTED)]
    assert "search finds older ones" in render_entries(entries)
    assert "search finds older ones" not in render_entries(entries[1:])
