"""What phrase two texts share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import shared_phrase
from rag.language.phrases import abbreviated, spelled_out


@pytest.mark.parametrize(
    ("text", "source", "phrase"),
    [
        ("Does it use Mouse and Keyboard at night?", "It uses mouse and keyboard, at day.", "Mouse and Keyboard"),
        ("Does it use a mouse?", "It uses a mouse.", ""),
        ("The rate of the state-of-the-art agent", "A state-of-the-art agent.", "state-of-the-art agent"),
        ("mouse keyboard", "mouse. keyboard", "mouse keyboard"),
        ("mice keyboards", "mouse and keyboard", ""),
        ("", "", ""),
    ],
)
def test_the_longest_run_of_words_that_begins_and_ends_with_a_meaning(text, source, phrase):
    assert shared_phrase(text, source) == phrase


def test_what_the_title_says_is_passed_over():
    assert shared_phrase("sleep of cats by day", "The sleep of cats by day.", but_not_in="On the sleep of cats") == (
        "sleep of cats by day"
    )
    assert shared_phrase("sleep of cats", "The sleep of cats.", but_not_in="On the sleep of cats") == ""


MEANT = ("mouse", "keyboard", "agent", "rate")
SOME_WORDS = st.lists(st.sampled_from("mouse keyboard agent and the of rate uses".split()), max_size=12).map(" ".join)


@given(SOME_WORDS, SOME_WORDS)
def test_a_phrase_stands_in_the_source(text, source):
    phrase = shared_phrase(text, source)
    assert f" {phrase} " in f" {source} " or phrase == ""
    assert phrase or not any(
        f" {a} {b} " in f" {text} " and f" {a} {b} " in f" {source} " for a in MEANT for b in MEANT
    )


@given(st.text(), st.text())
def test_no_text_is_too_odd(text, source):
    assert set(shared_phrase(text, source)) <= set(text) | {" "}


@pytest.mark.parametrize(
    ("short", "text", "phrase"),
    [
        ("PSR", "We study predictive state representations (PSRs), which", "predictive state representations"),
        ("psr", "We study predictive state representations (PSRs), which", "predictive state representations"),
        ("ALP-GMM", "We present owl progress by learned gaits (ALP-GMM).", ""),
        (
            "ALP-GMM",
            "We present absolute learning progress with Gaussian mixture models (ALP-GMM), a teacher.",
            "absolute learning progress with Gaussian mixture models",
        ),
        ("SAM", "such as the Segment Anything Model (SAM) and CLIP", "Segment Anything Model"),
        ("CoTA", "of chains-of-thought-and-action (CoTA; see below)", "chains-of-thought-and-action"),
        ("NLPO", "We introduce NLPO (Natural Language Policy Optimization).", "Natural Language Policy Optimization"),
        ("SAM", "the fast network (SAM)", ""),
        ("GPT", "(GPT)", ""),
        ("R", "a robot (R)", ""),
        ("OB", "Straßen of ordered bits (OB)", "ordered bits"),
        ("OR", "rose twofold (odds ratio [OR], 2.1 [95% CI, 1.7-2.6])", "odds ratio"),
        ("CI", "rose twofold (odds ratio [OR], 2.1 [95% CI, 1.7-2.6])", ""),
        ("NGF", "Levels of nerve growth factor-alpha (NGF-α) rose.", "nerve growth factor-alpha"),
        ("NGF-α", "Levels of nerve growth factor-alpha (NGF-α) rose.", "nerve growth factor-alpha"),
        ("NGF-α", "Levels of nerve growth factor-α (NGF-α) rose.", "nerve growth factor-α"),
        ("NGF", "Levels of nerve growth factor beta (NGF-beta; see below) rose.", "nerve growth factor beta"),
        ("ST", "our stair transformer 2 (ST-2) climbs", "stair transformer 2"),
        ("STC", "by stair terrain climbing (STC-X)", ""),
        ("STC", "as STC [Stone, Thorn, Cliff, 2001] showed", ""),
    ],
)
def test_what_an_abbreviation_is_short_for_is_read_off_brackets(short, text, phrase):
    assert spelled_out(short, text) == phrase


def test_abbreviations_stand_in_round_or_square_brackets():
    text = "The odds ratio [OR] of an intensive care unit (ICU) rose [RT], see."
    assert list(abbreviated(text)) == [("OR", "odds ratio"), ("ICU", "intensive care unit")]


@given(st.text(alphabet="aAbBßİ ()*+-;s[\\", max_size=8), st.text(alphabet="aAbBßİ ()*+-;s[\\", max_size=40))
def test_any_text_can_be_looked_through_for_it(short, text):
    assert spelled_out(short, text) in text
