"""Prompts are versioned data."""

from pathlib import Path

import pytest

import prompts

# A changed text needs a new version, and a line here.
KNOWN = {
    "about": "about@1:de7e8bed",
    "answer": "answer@1:613e874e",
    "answerable": "answerable@1:eba3f96a",
    "bearing": "bearing@1:5ee01f59",
    "cited": "cited@1:594b79c1",
    "decide": "decide@1:a91144f0",
    "followup": "followup@1:958eac1a",
    "judge": "judge@1:c8e7925b",
    "part": "part@1:3f2b993d",
    "request": "request@1:33c22e2b",
    "rewrite": "rewrite@2:6b50c5c7",
    "subquestion": "subquestion@1:36d4eb66",
    "verdict": "verdict@1:1b543185",
}


def test_every_prompt_is_listed_with_its_version_and_digest():
    folder = Path(prompts.__file__).parent
    for path in folder.glob("*.md"):
        prompt = prompts.load(path.stem)
        assert prompt.id == KNOWN[path.stem], f"{path.name} changed: raise its version and list its new id here"


def test_messages_demand_exactly_the_declared_variables():
    prompt = prompts.load("answer")
    with pytest.raises(TypeError, match="takes"):
        prompt.messages(question="?")
    with pytest.raises(TypeError, match="takes"):
        prompt.messages(question="?", evidence="", more="")


def test_a_dollar_sign_in_a_value_stays_as_it_is():
    messages = prompts.load("answer").messages(question="Is it $0.031?", evidence="[1] It costs $question.")
    assert "Is it $0.031?" in messages[-1][1]
    assert "It costs $question." in messages[-1][1]


def test_a_prompt_that_does_not_exist_is_an_error():
    with pytest.raises(FileNotFoundError):
        prompts.load("nothing")
