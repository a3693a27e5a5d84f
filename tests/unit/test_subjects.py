"""Which of several papers a question means."""

import numpy as np
import pytest

from rag.keywords import KeywordIndex
from rag.language.comparison import asks_for_two, compares
from rag.language.terms import tokenize
from rag.schema import Hit, Paper, Passage, Subject
from rag.subjects import (
    SubjectFinder,
    namesakes,
    question_about,
    said_of,
    speaking_of,
    speaks_of_another,
)

PAPERS = [
    Paper("w", "WhaleSong: how whales sing", "WhaleSong studies songs of whales. We introduce HUMP, a set of 50 songs."),
    Paper("b", "The language of bees (BEED)", "BEED decodes the waggle dance, unlike WhaleSong, which is about whales."),
    Paper("t1", "TACO: ants and their trails", "TACO models the scent of ants with GPUs."),
    Paper("t2", "TACO: tides and coasts", "TACO predicts tides."),
    Paper("s1", "A survey of birds", "We survey birds and RL. We survey how birds learn."),
    Paper("s2", "Another survey of birds", "This survey of birds is about RL and flight."),
    *(Paper(f"x{i}", f"Paper {i}", "RL agents learn with RL.") for i in range(8)),
]  # fmt: skip


def search(question: str) -> list[Hit]:
    """Papers by how many words they share with the question; the order of the list decides ties."""
    asked = set(tokenize(question))
    score = {p.id: len(asked & set(tokenize(f"{p.title} {p.abstract}"))) for p in PAPERS}
    ranked = sorted(PAPERS, key=lambda p: -score[p.id])
    return [Hit(p, Passage(p.id, 0, 0, 1, p.abstract[:1]), 1.0, rank) for rank, p in enumerate(ranked, start=1)]


@pytest.fixture(scope="module")
def find():
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in PAPERS))
    return lambda question: finder.find(question, search(question), search)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do TACO: tides and coasts and WhaleSong work?", ["t2", "w"]),
        ("What do the abbreviations BEED and TACO mean?", ["b", "t1"]),
        ("How many songs are in HUMP, and what does BEED decode?", ["w", "b"]),
        ("There are two TACO papers. What does each model?", ["t1", "t2"]),
        ("How do the two surveys of birds differ?", ["s1", "s2"]),
        ("One paper is about waggle dance, another about tides. What do they say?", ["b", "t2"]),
    ],
)
def test_a_question_about_several_papers_finds_each(find, question, expected):
    assert sorted(subject.paper.id for subject in find(question)) == sorted(expected)


def test_a_name_beside_a_longer_one_that_holds_it_means_its_own_paper():
    papers = [
        Paper("o", "DIVE: sleep of whales", "DIVE finds whales."),
        Paper("e", "DIVE-EPIC: sleep of seals", "It builds on DIVE."),
        *(Paper(f"x{i}", f"Paper {i}", "Agents learn.") for i in range(8)),
    ]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    hits = [Hit(p, Passage(p.id, 0, 0, 1, "x"), 1.0, rank) for rank, p in enumerate(papers, start=1)]
    found = finder.find("What does DIVE find, and what DIVE-EPIC?", hits, lambda _text: hits)
    assert [subject.paper.id for subject in found] == ["o", "e"]
    assert finder.find("What does DIVE-EPIC build on?", hits, lambda _text: hits) == ()


def test_a_name_that_begins_with_small_letters_is_one():
    papers = [
        Paper("a", "Loss of miR-203 in the sleep of whales", "It is low."),
        Paper("b", "How mTOR keeps seals awake", "It is high."),
        *(Paper(f"x{i}", f"Paper {i}", "Agents learn.") for i in range(8)),
    ]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    called = finder.mentions("Do miR-203 and mTOR act alike?", papers)
    assert [(mention.paper.id, mention.name) for mention in called] == [("a", "mir 203"), ("b", "mtor")]


def test_only_papers_that_hold_the_name_asked_about_speak_of_it():
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in PAPERS))
    named = finder.mentions("How many songs does WhaleSong have?", PAPERS)
    assert [p.id for p in speaking_of(named, PAPERS)] == ["w", "b"]
    assert speaking_of(finder.mentions("How do ants find home?", PAPERS), PAPERS) == tuple(PAPERS)


@pytest.mark.parametrize(
    "question",
    [
        "How does WhaleSong work?",
        "How many songs of WhaleSong are in HUMP?",  # its own abstract speaks of both
        "Why do agents learn with RL and GPUs?",  # common names belong to nobody; GPUs are mentioned, not introduced
        "What two ingredients does WhaleSong need?",
        "",
    ],
)
def test_a_question_about_one_paper_or_none_has_no_subjects(find, question):
    assert find(question) == ()


def test_papers_of_one_name_are_told_apart_by_their_whole_titles(find):
    labels = [subject.label for subject in find("There are two TACO papers. What does each model?")]
    assert labels == ["TACO: ants and their trails", "TACO: tides and coasts"]
    assert [s.label for s in find("How do WhaleSong and TACO differ?")] == ["WhaleSong", "TACO"]


def test_what_is_looked_for_in_one_paper_leaves_the_other_names_out(find):
    subjects = find("How do WhaleSong and TACO differ?")
    assert question_about(subjects[0], subjects, "How do WhaleSong and Taco differ?").split() == [
        "How", "do", "WhaleSong", "and", "differ?",
    ]  # fmt: skip


def test_a_sentence_on_one_paper_that_names_another_is_noticed(find):
    subjects = find("How do WhaleSong and TACO differ?")
    assert speaks_of_another("TACO sings.", subjects[0], subjects)
    assert not speaks_of_another("WhaleSong sings.", subjects[0], subjects)
    bees = find("What do the abbreviations BEED and WhaleSong mean, and how does TACO differ?")
    own = next(s for s in bees if s.paper.id == "b")
    assert not speaks_of_another("It is unlike WhaleSong.", own, bees), "its abstract speaks of it"


def test_what_is_said_of_two_papers_at_once_is_said_of_one(find):
    both = find("What do BEED and WhaleSong study?")
    bees = next(subject for subject in both if subject.paper.id == "b")
    assert said_of(bees, both, "Both BEED and WhaleSong were tested.") == "BEED were tested."
    assert said_of(bees, both, "WhaleSong and BEED were tested.") == "BEED were tested."
    assert said_of(bees, both, "BEED beats WhaleSong.") == "BEED beats WhaleSong."


def test_two_papers_that_are_described_are_told_by_the_halves_of_the_question():
    papers = [Paper("o", "Whales at sea", "Whales sing."), Paper("e", "Bees in fields", "Bees dance.")]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    hits = [Hit(p, Passage(p.id, 0, 0, 1, "x"), 1.0, rank) for rank, p in enumerate(papers, start=1)]

    def nearness(texts, papers):
        return np.array([[0.9 if "sea" in t else 0.1, 0.9 if "field" in t else 0.1] for t in texts], dtype=np.float32)

    asked = "What does the work at sea find, whereas what does the one in the field?"
    assert [s.paper.id for s in finder.find(asked, hits, lambda _text: hits, nearness)] == ["o", "e"]
    assert (
        finder.find("What does the work at sea find, and how does it find it?", hits, lambda _t: hits, nearness) == ()
    )


def test_what_is_said_of_the_second_paper_is_not_said_of_one(find):
    both = find("What do BEED and WhaleSong study?")
    assert speaks_of_another("The second survey covers whales.", both[0], both)
    assert speaks_of_another("The two papers cover different areas.", both[0], both)
    assert not speaks_of_another("The second stage decodes the dance.", both[0], both)


@pytest.mark.parametrize(
    "text",
    [
        "The second paper is about whales.",
        "The other paper is about whales.",
        "Both papers are about animals.",
        "These two recent surveys cover animals.",
        "Another paper is about whales.",
        "The first study finds a dance that the map shows.",
        "Both studies find a dance.",
    ],
)
def test_what_means_the_papers_that_are_compared_speaks_of_another(find, text):
    both = find("What do BEED and WhaleSong study?")
    assert speaks_of_another(text, both[0], both)


@pytest.mark.parametrize(
    "text",
    [
        "Two randomized studies showed a benefit of aspirin.",
        "It is the first work to decode the dance.",
        "It decodes more than other works do.",
        "Both methods work, and the other models work too.",
        "First study the dance, then read both maps this paper draws.",
    ],
)
def test_what_one_paper_counts_or_claims_does_not_speak_of_another(find, text):
    both = find("What do BEED and WhaleSong study?")
    assert not speaks_of_another(text, both[0], both)


def test_what_the_paper_itself_says_of_its_studies_does_not_speak_of_another():
    told = "Two randomized studies tested aspirin. The first study was small. In another paper it had failed."
    own, other = Subject(Paper("a", "Aspirin", told), "Aspirin", ""), Subject(PAPERS[0], "WhaleSong", "whalesong")
    for text in (*told.split(". "), "Both studies tested aspirin.", "The second study was larger."):
        assert not speaks_of_another(text, own, (own, other)), text
    assert speaks_of_another("Both papers tested aspirin.", own, (own, other))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do RT-H and RLIF differ?", True),
        ("What does each of them learn from?", True),
        ("There are two surveys of robotics. What is their scope?", True),
        ("How many tasks does RLIF solve?", False),
        ("What is HyperCRL?", False),
    ],
)
def test_a_question_that_sets_two_things_side_by_side_is_told_by_its_words(question, expected):
    assert compares(question) is expected


@pytest.mark.parametrize(
    "question",
    [
        "Two papers hear owls. What does each hear?",
        "One owl paper records sound, another films. What does each find?",
        "In one paper on owls they fly and in another they sleep. Why?",
        "What is learnt in each of the two surveys?",
        "What is learnt in each of the papers?",
        "Both OwlNet and the paper on mice use sound. What for?",
        "Both the owl paper with microphones and the one on mice use sound. What for?",
    ],
)
def test_a_question_that_tells_two_papers_apart_asks_for_two_outright(question):
    assert asks_for_two(question)
    assert compares(question)


@pytest.mark.parametrize(
    "question",
    [
        "Which drug lowers both systolic and diastolic pressure?",
        "Does the method work in both simulated and real kitchens?",
        "How are treatment and control patients matched at each site?",
        "Was the device worn in both the pilot and the main study?",
        "What explains both the gain and the loss that the paper reports?",
        "In the paper on owls and mice, how is each tracked?",
        "Two planners are set side by side in one paper; one uses a tree, and the other what?",
        "How do OwlNet and MouseNet each record sound?",
        "Which outcome was measured in each of the included studies?",
        "How are the heat and the mechanical work of each cycle computed?",
        "What was asked in both the interview and the survey?",
    ],
)
def test_two_things_that_no_word_for_papers_is_said_of_are_no_more_than_a_sign(question):
    assert not asks_for_two(question)
    assert compares(question)


def test_what_goes_from_one_study_to_another_is_not_told_of_two_papers():
    assert not asks_for_two("Does the score carry over from one study to another?")
    assert not asks_for_two("Which of the methods moves cups, one after another?")


@pytest.mark.parametrize(
    "question",
    [
        "How does one cell signal to another?",
        "Which genes drive T cell differentiation?",
        "What is differential privacy?",
        "Is the renderer differentiable?",
        "In which compartment is the drug found?",
        "Which sites have comparable results?",
        "What is contrastive learning?",
        "In contrast to prior work, what does OwlNet learn?",
        "Which contrast agent was used?",
        "Contrast agents with gadolinium: are they safe?",
        "Does contrast-enhanced imaging find more tumours?",
        "How is image contrast raised?",
        "How do cameras cope with noise and low contrast?",
        "At what temperature difference did the shell buckle?",
        "What holds back others, according to the temporal difference paper?",
        "How large was the pressure difference?",
        "And how many songs does it have?",
        "What is OwlNet? And which songs does it know?",
    ],
)
def test_a_word_that_only_looks_like_one_for_comparing_is_no_sign(question):
    assert not compares(question)


@pytest.mark.parametrize(
    "question",
    [
        "Contrast OwlNet with MouseNet.",
        "Contrast trees with grids as maps.",
        "What does OwlNet hear (at night) and what does MouseNet see?",
        "Trees or grids? Contrast what OwlNet and MouseNet make of them.",
        "How do OwlNet and MouseNet contrast?",
        "How does OwlNet contrast with MouseNet?",
        "What are the differences between trees and grids?",
        "Is there any difference that OwlNet shows?",
        "Mean differences between trees and grids?",
        "OwlNet compared to MouseNet: which is faster?",
        "OwlNet differed from MouseNet in what?",
        "Of the two maps, what does the one show and the other hide?",
    ],
)
def test_what_sets_two_things_side_by_side_is_a_sign_whatever_its_form(question):
    assert compares(question)


def test_the_best_hits_are_not_taken_for_two_papers_where_no_two_are_asked_for(find):
    assert find("Do birds learn both songs and flight with RL?") == ()
    assert find("How does one bird sing to another?") == ()


def test_beside_a_paper_that_is_named_two_things_set_apart_bring_the_other(find):
    both = find("Both WhaleSong and the one on tides count something. What is it?")
    assert {subject.paper.id for subject in both} == {"w", "t2"}


def test_a_plain_word_is_a_name_where_question_and_paper_write_it_so_and_it_is_rare():
    seer = Paper("s", "Inverse dynamics", "We name the model Seer. It acts.")
    other = Paper("o", "Robots", "A robot acts. Scheduling is hard for Robots.")
    third = Paper("t", "Automatic Scheduling", "Automatic Scheduling of robots.")
    papers = [seer, other, third]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in [*papers, *PAPERS]))
    assert {m.paper.id for m in finder.called("How many parameters does Seer have?", papers)} == {"s"}
    assert finder.called("How many robots does a seer have?", papers) == []
    assert finder.called("Robots are used where?", papers) == [], "it stands first, so its capital tells nothing"
    assert finder.called("What do all Robots do?", papers) == [], "a paper writes it as a word"
    common = SubjectFinder(KeywordIndex.build(["Seer"] * 7))
    assert common.called("How many parameters does Seer have?", papers) == []


def test_a_paper_is_meant_by_the_beginning_of_its_title_and_by_what_its_abbreviation_is_short_for():
    papers = [
        Paper("i", "Inverse dynamics pretraining learns representations", "It predicts actions."),
        Paper("d", "Imitation from video", "We introduce Automatic Discount Scheduling (ADS), a mechanism."),
        Paper("o", "Observations", "Learning from Observations alone (LfO) is hard; learning to act is harder."),
    ]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in [*papers, *PAPERS]))
    asked = "How do inverse dynamics pretraining and automatic discount scheduling differ?"
    assert {(m.paper.id, m.name) for m in finder.mentions(asked, papers)} == {
        ("i", "inverse dynamics pretraining"),
        ("d", "automatic discount scheduling"),
    }
    assert finder.mentions("Which inverse dynamics are learned?", papers) == [], "two words are too few"
    twin = Paper("t", "A twin", "Unlike inverse dynamics pretraining, we do not pretrain.")
    assert not {m.paper.id for m in finder.mentions(asked, [*papers, twin])} & {"i", "t"}


def test_names_are_listed_in_the_order_in_which_they_stand_as_whole_words():
    papers = [Paper(name, f"{name}: one of them", f"{name} works.") for name in ("SmartPlay", "Voyager", "ART")]
    papers += [Paper(f"x{i}", f"Paper {i}", "Agents learn.") for i in range(8)]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    hits = [Hit(p, Passage(p.id, 0, 0, 1, "x"), 1.0, rank) for rank, p in enumerate(papers, start=1)]
    said = "SmartPlay comes first. Voyager is next. ART is third."
    assert finder.listed(said, hits) == ("SmartPlay", "Voyager", "ART")


def test_a_paper_whose_title_has_a_bracket_in_its_name_speaks_of_it():
    papers = [Paper("h", "Hindsight (HER) Replay: goals anew", "We replay."), Paper("x", "Paper", "Agents learn.")]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    mentions = finder.mentions("What does Hindsight Replay do?", papers)
    assert [paper.id for paper in speaking_of(mentions, papers)] == ["h"]


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("What does TACO do?", [["t1", "t2"]]),
        ("what does taco model", [["t1", "t2"]]),
        ("What does WhaleSong study?", []),
        ("How are ants tracked?", []),
        ("What is a TACOS?", []),
    ],
)
def test_papers_of_one_name_are_told_where_the_question_calls_them_by_it(question, ids):
    assert [[paper.id for paper in group] for group in namesakes(question, PAPERS)] == ids


def test_a_word_of_a_title_that_papers_write_in_small_letters_is_a_name_only_with_capitals():
    papers = [
        Paper("act", "ACT: Action Chunking with Transformers", "ACT predicts chunks. ACT is quick."),
        Paper("z", "Choices of animals", "Animals act when they are hungry."),
    ]
    finder = SubjectFinder(KeywordIndex.build(f"{p.title}. {p.abstract}" for p in papers))
    assert finder.mentions("How do animals act when they are hungry?", papers) == []
    assert [m.paper.id for m in finder.mentions("How does ACT predict?", papers)] == ["act"]
    assert [m.paper.id for m in finder.mentions("Act: how does it predict?", papers)] == ["act"]
    alone = papers[:1]
    assert [m.paper.id for m in finder.mentions("how does act predict?", alone)] == ["act"], "no paper writes it so"
