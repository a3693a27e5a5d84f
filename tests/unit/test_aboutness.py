"""Which papers a question asks about: by its form, and as the adapter "about" reads each beside it."""

import time

import pytest
from fakes import HashedEncoder

from rag.evidence import EvidenceSelector
from rag.keywords import KeywordIndex
from rag.schema import Paper
from rag.trained import adapters
from rag.trained.aboutness import (
    ABOUT_FROM,
    SET_APART_FROM,
    THREE_FROM,
    TWO_APART_FROM,
    TWO_FROM,
    asked_about,
    compared,
    in_order,
    is_told,
    may_be_about_several,
    meant,
)

WHALES = Paper("w", "Songs of Whales", "Whales sing at sea. They are as low as 20 hertz. Nobody had heard them.")
BEES = Paper("b", "BeeMap: Dances and Maps", "Bees dance. A dance tells where flowers are. Maps are drawn of them.")


def evidence(paper: Paper):
    selector = EvidenceSelector(HashedEncoder(), KeywordIndex.build([paper.abstract]))
    asked = "How low do whales sing at sea?"
    return selector.select(asked, [paper], max_sentences=2, max_tokens=99, count_tokens=lambda text: len(text.split()))


class Reader:
    """Has the adapter's layers, and says yes with a fixed probability."""

    def __init__(self, model_id: str = adapters.MODEL) -> None:
        self.model_id = model_id
        self.asked: list[str] = []

    def judge(self, messages, adapter, ending=""):
        assert adapter is adapters.named("about")
        self.asked.append(messages[-1][1])
        return 0.8, 0.2


@pytest.mark.parametrize(
    "question",
    [
        "How do ElevateNet and UFEN get their training signal?",
        "RoboCook vs APEX-MR: what gains does each report?",
        "Where does the blur come from in the video compression paper and in the one on hand-held cameras?",
        "Does ALT or CROSSGRAD make do with one source domain?",
        "What figures do the communication-aware swarm and the minimalist sorting swarm report?",
        "What does the random-walk GAN learn from, as opposed to the generator that can produce arbitrary graphs?",
        "Which figures are reported for single-trial error detection and for UCB-classif?",
        "Label scarcity: what is the remedy in Meta-PN, in Violin, and in the few-shot paper?",
        "Do miR-203 in lungs and miR-22 in blood act the same way?",
    ],
)
def test_a_question_about_two_papers_is_seen_by_its_form(question):
    assert may_be_about_several(question)


@pytest.mark.parametrize(
    "question",
    [
        "How does GLARE calibrate laser scanners?",
        "What sits between the foundation model and its motors?",
        "how much data was needed",
        "Which onboard computer does the robot flying through pine forests carry?",
    ],
)
def test_a_question_about_one_is_not(question):
    assert not may_be_about_several(question)


def test_a_paper_is_read_beside_the_question_with_the_sentences_that_bear_on_it():
    model = Reader()
    assert asked_about(model, "how low do they sing", WHALES, evidence(WHALES)) == pytest.approx(0.8)
    asked = "Asked: How low do they sing?"
    shown = "Paper: Songs of Whales\nWhales sing at sea.\nThey are as low as 20 hertz."
    assert model.asked == [f"{asked}\n\n{shown}\n\n{asked}"]


@pytest.mark.parametrize("model", [Reader("another"), object()])
def test_of_another_model_nothing_is_known(model):
    assert asked_about(model, "Where?", WHALES, evidence(WHALES)) is None


def test_papers_stand_in_the_order_in_which_the_question_speaks_of_them():
    assert in_order("What do dances tell, and how low are the songs?", [WHALES, BEES]) == [BEES, WHALES]
    assert in_order("How low are the songs, and what do dances tell?", [WHALES, BEES]) == [WHALES, BEES]


def test_those_are_meant_that_read_so_and_a_question_for_two_outright_takes_a_second():
    both = [(ABOUT_FROM, WHALES), (TWO_FROM, BEES)]
    assert meant(both, "What do whales sing?") == (WHALES,)
    assert meant(both, "Two papers are about sounds. What does each one find?") == (WHALES, BEES)
    assert meant(both, "How does it compare to dances?") == (WHALES,)
    assert meant([(0.9, WHALES), (TWO_FROM / 2, BEES)], "Two papers are about sounds. Which?") == (WHALES,)
    assert meant([(0.1, WHALES)], "What do whales sing?") == ()
    assert meant([], "Two papers are about sounds. Which?") == ()


def test_where_two_things_are_set_apart_the_second_paper_has_to_be_likelier():
    likely = [(ABOUT_FROM, WHALES), (TWO_APART_FROM, BEES)]
    for question in ("Do both whales and bees hear?", "How do whales and bees each hear?"):
        assert meant(likely, question) == (WHALES, BEES)
        assert meant([likely[0], (TWO_APART_FROM / 2, BEES)], question) == (WHALES,)
    assert meant(likely, "How do whales hear?") == (WHALES,)


def test_what_is_described_beside_another_paper_or_by_a_half_of_the_question_has_to_be_less_likely():
    likely = [(0.9, WHALES), (SET_APART_FROM, BEES)]
    less = [(0.9, WHALES), (SET_APART_FROM - 0.01, BEES)]
    question = "Where do SongNet and the paper that maps dances listen?"
    assert meant(likely, question) == (WHALES, BEES)
    assert meant(less, question) == (WHALES,)
    assert meant(likely, "Where do SongNet and DanceNet listen?") == (WHALES,), "names, no paper is described"
    for described in (
        "the trial of songs",
        "the meta-analysis of songs",
        "the cohort with songs",
        "the theory of songs",
    ):
        assert meant(likely, f"Where does SongNet listen and where {described}?") == (WHALES, BEES)
    question = "What is assumed of sounds at sea, versus dances in the hive?"
    assert meant(likely, question, described={"w", "b"}) == (WHALES, BEES)
    assert meant(less, question, described={"w", "b"}) == (WHALES,)
    assert meant(likely, question, described={"w", "a"}) == (WHALES,)
    assert meant(likely, f"According to SongNet, {question}", described={"w", "b"}) == (WHALES,)
    before, after = "Where does the paper on songs listen?", "and does SongNet dance?"
    assert meant(likely, f"{before} {after}") == (WHALES, BEES)
    assert meant(likely, f"{before} {after}", followup=after) == (WHALES,), "two questions set nothing apart"
    assert meant(likely, f"{before} {after}", described={"w", "b"}, followup=after) == (WHALES,)
    after = "and where do SongNet and the paper that maps dances?"
    assert meant(likely, f"{before} {after}", followup=after) == (WHALES, BEES), "the second one does"


def test_where_one_paper_speaks_of_both_things_that_are_named_it_alone_is_meant():
    question = "How does BeeMap compare with FlyMap?"
    both = Paper("b", "BeeMap", "Unlike FlyMap, it draws dances.")
    further = Paper("m", "MothMap", "It improves on BeeMap.")
    assert meant([(0.99, both), (0.98, further)], question) == (both,)
    assert meant([(0.99, both), (0.98, further)], question, named={"m"}) == (both, further)
    assert meant([(0.99, both), (0.98, further)], "How does BeeMap compare with FlyMap and the paper on moths?") == (
        both,
        further,
    )
    fly = Paper("f", "FlyMap", "It draws what BeeMap does.")
    assert meant([(0.99, both), (0.98, fly)], question) == (both, fly), "each speaks of both"
    alone = Paper("b", "BeeMap", "It draws dances.")
    assert meant([(0.99, alone), (0.98, further)], question) == (alone, further)
    moths = "What does BeeMap draw, FlyMap aside, and what moths?"
    entitled = Paper("m", "How moths fly", "It improves on BeeMap.")
    assert meant([(0.99, both), (0.98, entitled)], moths) == (both, entitled), "a word of its title calls the other"


ANTS = Paper("a", "AntTrail", "Ants lay trails.")
ALL = [(0.99, WHALES), (0.98, BEES), (0.97, ANTS)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do BeeMap and AntTrail differ?", (BEES, ANTS)),
        ("What does BeeMap draw, and what does the other one, AntTrail, lay?", (BEES, ANTS)),
        ("How do BeeMap, AntTrail and the paper on whales differ?", (WHALES, BEES, ANTS)),
        ("How do BeeMap, AntTrail and a survey of whales differ?", (WHALES, BEES, ANTS)),
        ("How do BeeMap, AntTrail and the first survey of whales differ?", (WHALES, BEES, ANTS)),
        ("How do BeeMap and AntTrail differ from the other survey on whales?", (WHALES, BEES, ANTS)),
    ],
)
def test_where_several_are_named_and_no_other_is_described_these_alone_are_meant(question, expected):
    assert meant(ALL, question, named={"b", "a"}) == expected


def test_one_that_is_named_does_not_keep_others_from_being_meant():
    assert meant(ALL, "How does BeeMap differ?", named={"b"}) == (WHALES, BEES, ANTS)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is drawn in BeeMap, in AntTrail and in the paper on the songs of whales?", (WHALES, BEES, ANTS)),
        ("The whale paper, the bee paper and the one on ants each claim to be first.", (WHALES, BEES, ANTS)),
        ("What is drawn in BeeMap and in the paper on the songs of whales?", (WHALES, BEES)),
        ("What is drawn in BeeMap?", (WHALES,)),
        ("According to the whale paper, how do BeeMap, AntTrail and the model of songs differ?", (WHALES,)),
    ],
)
def test_a_question_that_sets_three_things_apart_takes_further_papers_sooner(question, expected):
    assert meant([(0.9, WHALES), (THREE_FROM, BEES), (THREE_FROM, ANTS)], question) == expected
    assert ANTS not in meant([(0.9, WHALES), (0.9, BEES), (THREE_FROM - 0.01, ANTS)], question)


def test_according_to_one_paper_asks_about_one():
    assert meant(ALL, "According to the whale paper, why are songs low, and why are they long?") == (WHALES,)
    two = [(0.9, WHALES), (TWO_FROM, BEES)]
    assert meant(two, "According to the whale paper, what did two papers say?") == (WHALES,)


@pytest.mark.parametrize(
    "question",
    [
        "According to BeeMap and AntTrail, what is a map?",
        "According to BeeMap, AntTrail and OwlHunt, what is a map?",
        "According to BeeMap, what is a map, and according to AntTrail, what is a trail?",
        "According to these two surveys, what is a map?",
        "According to BeeMap as well as AntTrail, what is a map?",
    ],
)
def test_according_to_several_papers_asks_about_several(question):
    assert meant(ALL, question) == (WHALES, BEES, ANTS)


def test_what_one_named_paper_says_of_another_named_one_is_asked_of_both():
    assert meant(ALL, "According to BeeMap, how does it differ from AntTrail?", named={"b", "a"}) == (BEES, ANTS)


def read_so_far(*shares: float):
    """Papers in the order in which they are read, the first called p0, with what is said of them."""
    return [(share, Paper(f"p{place}", f"Paper {place}", "")) for place, share in enumerate(shares)]


COMPARES = "How do A and B differ?"
ASKS_ONE = "What do owls eat?"
ASKS_THREE = "What is drawn in BeeMap, in AntTrail and in the paper on songs?"


@pytest.mark.parametrize(
    ("shares", "question", "named", "told"),
    [
        ((0.9, 0.9), COMPARES, {"p0", "p1"}, True),
        ((0.9, 0.9), COMPARES, {"p0", "p1", "p2"}, False),  # a third is named
        ((0.9, 0.1), COMPARES, {"p0", "p1"}, False),  # one of them is not meant
        ((0.9, 0.9), "How do A and B differ from the paper on owls?", {"p0", "p1"}, False),  # another may be described
        ((0.9, 0.9, 0.0), "How do A and B differ from the paper on owls?", {"p0", "p1"}, True),
        ((0.9, 0.9), COMPARES, set(), False),
        ((0.9, 0.9, 0.0), COMPARES, set(), True),
        ((0.9, 0.0, 0.0), COMPARES, set(), False),  # the second may come later
        ((0.9, 0.0, 0.0), ASKS_ONE, set(), True),
        ((0.9, 0.0), ASKS_ONE, set(), False),
        ((0.0, 0.0, 0.0), ASKS_ONE, set(), False),
        ((0.0, 0.0, 0.0, 0.9), ASKS_ONE, set(), True),
        ((0.9, 0.9, 0.0), ASKS_THREE, set(), False),
        ((0.9, 0.9, 0.0, 0.9), ASKS_THREE, set(), True),
        ((0.9, 0.9, 0.0), f"According to the whale paper, w{ASKS_THREE[1:]}", set(), True),
    ],
)
def test_no_more_papers_are_read_than_are_needed_to_tell_what_is_asked_about(shares, question, named, told):
    assert is_told(read_so_far(*shares), question, named) is told


@pytest.mark.parametrize(
    ("question", "shares", "expected"),
    [
        ("How does OwlNet differ from the paper that first heard owls?", (0.99, 0.013, 0.0), ["0", "1"]),
        ("How does OwlNet differ from the paper that first heard owls?", (0.99, 0.004, 0.0), []),
        ("How does OwlNet differ from the paper that first heard owls?", (0.4, 0.2, 0.0), []),
        ("How many owls does OwlNet hear?", (0.99, 0.2, 0.0), []),
        ("How does OwlNet differ from the paper that first heard owls?", (0.99,), []),
    ],
)
def test_a_comparison_that_would_be_declined_takes_its_likeliest_second_paper(question, shares, expected):
    likely = [(share, Paper(str(i), f"Paper {i}", "Owls.")) for i, share in enumerate(shares)]
    assert [paper.id for paper in compared(likely, question)] == expected


def test_a_question_with_a_long_word_in_capitals_is_read_at_once():
    started = time.perf_counter()
    assert not may_be_about_several(f"How does GeneFold score the sequence {'ACGT' * 1000}?")
    assert time.perf_counter() - started < 1.0, "256 s when every letter could begin the word"
    assert may_be_about_several("How do GeneFold-2 and the baseline score it?")
