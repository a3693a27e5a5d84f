"""What keeps to the words that it cites is close to them; what turns, widens or denies them is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language.fidelity import (
    adds_negation,
    common_subsequence,
    fidelity,
    is_denial,
    is_verbatim,
    loses_negation,
    may_deny,
)

QUOTE = "OpenVLA outperforms RT-2-X in absolute success rate across several robots."
TITLE = "OpenVLA: An Open-Source Vision-Language-Action Model"


def is_close(text, *quotes, title=TITLE):
    return fidelity(text, quotes or (QUOTE,), (title,)).is_close


@pytest.mark.parametrize(
    "text",
    [
        QUOTE,
        "OpenVLA outperforms RT-2-X in success rate.",
        "The paper says that OpenVLA outperforms RT-2-X in absolute success rate.",
        "Yes, OpenVLA outperforms RT-2-X across several robots.",
    ],
)
def test_a_sentence_in_the_words_of_its_source_is_close(text):
    assert is_close(text)


@pytest.mark.parametrize(
    "text",
    [
        "RT-2-X outperforms OpenVLA in absolute success rate across several robots.",
        "Only OpenVLA outperforms RT-2-X in absolute success rate.",
        "OpenVLA outperforms RT-2-X in success rate because larger corpora help.",
        "Robots succeed across several absolute rates.",
    ],
    ids=["turned round", "narrowed", "a cause of its own", "other words"],
)
def test_a_sentence_that_says_it_otherwise_is_not(text):
    assert not is_close(text)


def test_what_two_sources_say_may_be_said_in_either_order():
    first, second = "Whales sing at 20 hertz in the deep.", "Their songs travel across whole oceans."
    assert is_close("Whales sing at 20 hertz and their songs travel across oceans.", first, second)
    assert is_close("Whales sing at 20 hertz and their songs travel across oceans.", second, first)


def test_what_is_unsaid_and_beyond_is_told():
    found = fidelity("Only kangaroos outperform RT-2-X.", [QUOTE], [TITLE])
    assert found.unsaid == ("kangaroo",)
    assert found.beyond == ("only",)


def test_nothing_is_close_to_no_source():
    assert fidelity("OpenVLA is good.", (), ()).in_order == 0.0


@pytest.mark.parametrize(
    ("text", "quote", "is_lost"),
    [
        ("Algorithms that exist capture the nature of culture.", "Algorithms that exist fail to capture it.", True),
        ("The model generalizes to new scenes.", "The model does not generalize to new scenes.", True),
        ("Algorithms that exist fail to capture culture.", "Algorithms that exist fail to capture it.", False),
        ("The model generalizes.", "The model generalizes without more data.", False),
        ("It needs demonstrations.", "It works with no reward.", False),
        ("FooNet beats BarNet on long videos.", "We do not claim that FooNet beats BarNet on long videos.", True),
        ("Training data are needed.", "No training data are needed.", True),
        ("FooNet trains in simulation.", "No training data is needed for FooNet, which trains in simulation.", False),
        ("FooNet learns tasks.", "Not only does FooNet learn tasks, it also finds them.", False),
        ("FooNet learns tasks.", "FooNet not only learns tasks, it also finds them.", False),
        ("FooNet sings without labels at night.", "FooNet does not sing without labels at night.", True),
        ("FooNet sings without rewards.", "FooNet does not sing without labels.", True),
        ("Tea prevents heart failure.", "Tea does not prevent heart failure.", True),
        ("Tea was linked to pump failure.", "Tea was not linked to pump failure.", True),
        ("Tea lowers NO levels.", "Tea does not lower NO levels.", True),
        ("Tea lowers NO levels.", "Tea lowers NO levels in adults.", False),
        ("FooNet does not sing without labels.", "FooNet does not sing without labels at night.", False),
        ("Whales make no significant progress.", "Whales are unable to make significant progress.", False),
        ("No whale can satisfy all three.", "Whales cannot satisfy all three.", False),
        ("FooNet needs no rewards.", "FooNet does not need labels, and FooNet needs no rewards.", False),
    ],
)
def test_a_denial_that_was_left_out_is_seen(text, quote, is_lost):
    assert loses_negation(text, quote) == is_lost


@pytest.mark.parametrize(
    ("text", "quote", "is_added"),
    [
        ("Tea does not prevent heart failure.", "Tea prevents heart failure.", True),
        ("FooNet does not beat BarNet.", "FooNet beats BarNet without labels.", True),
        ("Tea does not raise NO levels.", "Tea raises NO levels.", True),
        ("FooNet does not need labels.", "FooNet eliminates the need for labels, and never drifts.", False),
        ("FooNet does not sing at night.", "FooNet sings at noon but not at night.", False),
        ("FooNet needs no labels and does not sleep.", "FooNet needs no labels.", False),
        ("Whales do not significantly slow down.", "Whales do not slow down significantly.", False),
        ("Patients without fever were well.", "Patients who have no cough but fever were well.", False),
    ],
)
def test_a_denial_that_was_put_in_is_seen(text, quote, is_added):
    assert adds_negation(text, quote) == is_added


@pytest.mark.parametrize(
    ("text", "denies", "may"),
    [
        ("It was a failure to learn.", True, True),
        ("It prevents heart failure.", False, True),
        ("It lowers NO levels.", False, True),
        ("NO LEVELS WERE MEASURED.", True, True),
        ("It not only sings.", False, True),
        ("Why not simply sing?", True, True),
        ("It sings.", False, False),
    ],
)
def test_what_denies_is_told_from_what_only_may(text, denies, may):
    assert (is_denial(text), may_deny(text)) == (denies, may)


BEATS = "FooNet beats BarNet on long videos of sport."


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (BEATS, BEATS),
        (BEATS, "However, FooNet beats BarNet on long videos of sport!"),
        (BEATS, "In particular, we show that FooNet beats BarNet on long videos of sport."),
        (BEATS, "To this end, FooNet beats BarNet on long videos of sport, and it is small."),
        ("FooNet beats BarNet.", BEATS),
        ("Tulu wins.", "Tülu wins; BarNet is second."),
        ("Mortality fell by 20%.", "RESULTS: Mortality fell by 20%."),
        ("Mortality fell by 20%.", "METHODS AND RESULTS   Mortality fell by 20%."),
        ("Mortality fell by 20%.", "Main findings: However, mortality fell by 20%."),
        ("RESULTS Mortality fell by 20%.", "RESULTS Mortality fell by 20%."),
        ("It sings.", "2) It sings."),
    ],
)
def test_a_sentence_or_a_clause_that_stands_by_itself_is_verbatim(text, quote):
    assert is_verbatim(text, quote)
    assert is_close(text, quote, title="")


@pytest.mark.parametrize(
    ("text", "quote", "cue"),
    [
        (BEATS, "It remains unclear whether FooNet beats BarNet on long videos of sport.", "unclear"),
        (BEATS, "We refute the claim that FooNet beats BarNet on long videos of sport.", "refute"),
        (BEATS, "Earlier work assumed that FooNet beats BarNet on long videos of sport.", "earlier work"),
        (BEATS, "FooNet beats BarNet on long videos of sport only when labels are free.", "only"),
        (BEATS, "FooNet beats BarNet on long videos of sport, and that may be luck.", "may"),
        (BEATS, "If labels were free, FooNet beats BarNet on long videos of sport.", "if"),
        (BEATS, "Hypothesis: FooNet beats BarNet on long videos of sport.", "hypothesis"),
        ("Robots reason.", "Contrary to common belief that robots reason, they memorise.", "contrary to"),
        ("The robot grasps small objects.", "FooNet fails when the robot grasps small objects.", "fails"),
        (
            "FooNet beats BarNet on sport videos.",
            "It is unclear whether FooNet beats BarNet on sport videos.",
            "unclear",
        ),
        (
            "FooNet beats BarNet on sport videos.",
            "Whether FooNet beats BarNet on long sport videos is open.",
            "whether",
        ),
    ],
)
def test_what_is_cut_out_of_a_sentence_of_doubt_is_neither_verbatim_nor_close(text, quote, cue):
    assert not is_verbatim(text, quote)
    found = fidelity(text, [quote], [""])
    assert (found.withheld, found.is_close) == (cue, False)


@pytest.mark.parametrize(
    "quote",
    [
        "In small worlds, FooNet beats BarNet.",
        "FooNet beats BarNet with the help of its labels.",
        "Some FooNet beats BarNet.",
        "Background FooNet beats BarNet.",
    ],
)
def test_what_is_cut_off_elsewhere_is_not_verbatim_though_it_is_close(quote):
    assert not is_verbatim("FooNet beats BarNet.", quote)
    assert is_close("FooNet beats BarNet.", quote, title="")
    assert not is_verbatim("", quote)


FELL = "Mortality fell sharply within a year."


@pytest.mark.parametrize(
    ("quote", "cue"),
    [
        ("Among adults who were given tea, mortality fell sharply within a year.", ""),
        ("With 10 mg once daily, mortality fell sharply within a year.", ""),
        ("With a cup once a week, mortality fell sharply within a year.", ""),
        ("In adults under 65, mortality fell sharply within a year.", ""),
        ("As the area under the curve grew, mortality fell sharply within a year.", ""),
        ("Among 12 reported cases, mortality fell sharply within a year.", ""),
        ("In adults with heart failure, mortality fell sharply within a year.", ""),
        ("Were tea free, mortality fell sharply within a year.", "were"),
        ("Once a ward was closed, mortality fell sharply within a year.", "once"),
        ("Under strict assumptions, mortality fell sharply within a year.", "under"),
        ("Doe reported that mortality fell sharply within a year.", "reported"),
        ("As reported by Doe, mortality fell sharply within a year.", "reported"),
        ("After a failure to act, mortality fell sharply within a year.", "failure"),
    ],
)
def test_of_words_with_two_senses_only_that_of_doubt_or_condition_is_a_cue(quote, cue):
    assert fidelity(FELL, [quote], [""]).withheld == cue


def test_a_cue_that_is_said_as_well_is_not_withheld():
    quote = "We refute the claim that FooNet beats BarNet."
    assert fidelity("They refute that FooNet beats BarNet.", [quote], [""]).withheld == ""


def test_apostrophes_hide_no_denial():
    assert is_denial("It doesn’t work.")
    assert is_denial("It doesn't work.")
    assert not is_denial("It works.")


@pytest.mark.parametrize(
    ("first", "second", "length"), [("abc", "abc", 3), ("abc", "acb", 2), ("", "abc", 0), ("abab", "ba", 2)]
)
def test_a_common_subsequence_keeps_the_order(first, second, length):
    assert common_subsequence(first, second) == length


@given(st.text(), st.lists(st.text(), max_size=3))
def test_shares_are_shares_whatever_the_text(text, quotes):
    found = fidelity(text, quotes, quotes[:1])
    assert 0.0 <= found.in_order <= 1.0
    for quote in quotes:
        loses_negation(text, quote)
        adds_negation(text, quote)
        is_verbatim(text, quote)


@pytest.mark.parametrize("amount", ["half of", "a third of", "a quarter of", "dozens of", "millions of"])
def test_an_amount_in_words_that_the_source_does_not_have_is_said_beyond_it(amount):
    source = "The new drug reduced severe pain in 30% of the elderly patients."
    kept = fidelity(f"The new drug reduced severe pain in {amount} the elderly patients.", [source], [])
    assert kept.beyond
    assert not kept.is_close
    assert fidelity(source.replace("30%", "half"), [source.replace("30%", "half")], []).is_close


def test_a_direction_turned_round_is_said_beyond_the_source():
    source = "The trained policy reaches a higher success in every simulated kitchen."
    assert fidelity(source.replace("higher", "lower"), [source], []).beyond == ("lower",)
    assert fidelity(source.replace("higher", "greater"), [source], []).is_close
