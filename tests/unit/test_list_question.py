"""Which questions are about the whole library, in the many ways in which people put them."""

import pytest

from rag.language.list_question import ListQuestion, list_question


@pytest.mark.parametrize(
    "question",
    [
        "Which papers use robots?",
        "Tell me which papers use robots.",
        "I'd like to know which papers use robots.",
        "Of the papers here, which use robots?",
        "Of all these papers, which ones use robots?",
        "From this collection, which papers use robots?",
        "Among the 89 papers, which ones use robots?",
        "Which works, if any, use robots?",
        "Do any papers use robots? Which ones?",
        "Does any paper use robots?",
        "Does anyone use robots?",
        "Have any of these papers use robots?",
        "How many studies here use robots, and which?",
        "Which projects use robots?",
    ],
)
def test_what_papers_do_is_asked_in_many_ways(question):
    assert list_question(question).text == "use robots"


@pytest.mark.parametrize(
    "question",
    [
        "Is there any work on robots, and which?",
        "Is there any work here on robots, and if so which?",
        "Is there a paper on robots?",
        "Do we have anything on robots?",
        "Do you know of any papers on robots?",
        "Got anything on robots?",
        "got any papers on robots",
        "Anything in here on robots?",
        "Any work on robots?",
        "What work has been done on robots?",
        "What work is there on robots?",
        "What's there on robots?",
        "I need all the papers on robots.",
        "I'm looking for papers on robots.",
        "Looking for work on robots",
        "I am collecting papers on robots. What do you have?",
        "I want to see every paper on robots.",
        "Give me a list of papers on robots, please.",
        "Could you list every paper on robots?",
        "Count the papers on robots.",
        "List all work on robots.",
        "Point me to everything on robots.",
        "all papers on robots",
        "papers on robots",
    ],
)
def test_what_papers_are_about_is_asked_in_many_ways(question):
    assert list_question(question).text == "on robots"


@pytest.mark.parametrize(
    "question",
    [
        "What work does WebRL build on?",
        "Which parts of a person's work does the model take over?",
        "How many proxies per class work best?",
        "What gap in earlier research motivates the paper?",
        "Which research uses do the authors see?",
        "Which of them use robots?",
        "Is there a reward in WebRL?",
        "Does the paper use robots?",
        "papers on robots: what do they have in common?",
        "Papers on robots are many. How does WebRL train?",
        "I am looking for the paper that introduces WebRL.",
        "Which authors wrote WebRL?",
        "Does anything change when robots fall?",
        "After training on many papers, what happens?",
        "Give me the difference between these papers.",
        "I need help with two papers",
        "In the paper on robots, which of them fall?",
        "",
    ],
)
def test_a_question_about_one_paper_or_about_papers_named_before_is_none(question):
    assert list_question(question) is None


def test_a_kind_of_papers_and_what_stands_within_them_are_told():
    assert list_question("Name every benchmark paper in the collection.").kind == "benchmark"
    assert list_question("In which papers can a person step in?").is_within
    assert not list_question("Which papers step in?").is_within


@pytest.mark.parametrize(
    "question",
    ["Which ones use robots?", "Which of these use robots?", "How many use robots?", "How many of them use robots?"],
)
def test_where_nothing_was_said_before_they_can_only_be_the_papers_of_the_library(question):
    assert list_question(question, is_first=True).text == "use robots"
    assert list_question(question) is None


def test_ones_that_do_something_are_asked_for_at_the_start():
    assert list_question("Are there any that use robots?", is_first=True).text == "that use robots"
    assert list_question("Show me the ones that use robots.", is_first=True).text == "that use robots"
    assert list_question("How many demonstrations were used?", is_first=True) is None


def test_a_kind_of_papers_alone_is_asked_for_in_haste():
    assert list_question("minecraft papers").kind == "minecraft"
    for sentence in ("I want to understand how FROSTER works", "please check whether dropout works"):
        assert list_question(sentence, is_first=True) is None
    assert list_question("any web agent papers?").kind == "web agent"
    assert list_question("summarize both papers") is None
    assert list_question("these two papers") is None


def test_whoever_it_may_be_and_wherever_are_asked_for_but_not_one_who_is_known():
    assert list_question("Who learns from videos?").text == "learns from videos"
    assert list_question("Who here uses robots?").text == "uses robots"
    assert list_question("Where does a robot fall?") == ListQuestion("does a robot fall", is_within=True)
    assert list_question("Who wins the game?") is None
    assert list_question("Who was first?") is None
    assert list_question("Where does the robot fall?") is None
    assert list_question("Where does WebRL train?") is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which methods use robots?", "use robots"),
        ("Which of the approaches rely on robots?", "rely on robots"),
        ("Which of the benchmarks need robots?", "need robots"),
        ("who has made their code public?", "made their code public"),
        ("Who used a robot?", "used a robot"),
        ("papers taking a Bayesian approach?", "taking a Bayesian approach"),
        ("Graph pooling: which papers introduce or study it?", "introduce or study Graph pooling"),
    ],
)
def test_what_methods_and_people_do_is_asked_of_their_papers(question, text):
    assert list_question(question).text == text


@pytest.mark.parametrize(
    "question",
    [
        "Which methods does FROSTER beat?",
        "Which methods are compared with?",
        "What chunk size works best for it?",
        "Who used the robot first?",
        "FROSTER: which part keeps it general?",
    ],
)
def test_what_one_paper_does_with_methods_is_no_list(question):
    assert list_question(question) is None


@pytest.mark.parametrize(
    "question",
    [
        "Which syrup works against a dry cough?",
        "Which gripper works without suction?",
        "Which camera works reliably in the dark?",
        "Which of the two syrups works on a dry cough?",
        "Which syrup works?",
        "What works without suction?",
        "Is there a camera that works in the dark?",
        "Tell me how a camera works.",
        "Show me which camera works in the dark.",
        "any camera that works",
    ],
)
def test_what_works_is_no_paper(question):
    assert list_question(question) is None
    assert list_question(question, is_first=True) is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which works use a camera?", "use a camera"),
        ("How many works use a camera?", "use a camera"),
        ("Which recent works study a camera?", "study a camera"),
        ("Which recent works in optics use a camera?", "in optics use a camera"),
        ("Which optics works on glare use a camera?", "on glare use a camera"),
        ("Which works on glare use a camera?", "on glare use a camera"),
        ("Which works explicitly model a camera?", "explicitly model a camera"),
        ("Which of the works in the library use a camera?", "use a camera"),
        ("Which RL works use a camera?", "use a camera"),
        ("List all RL works on glare.", "on glare"),
        ("In which works is a camera used?", "is a camera used"),
        ("Name every paper that works with a camera.", "that works with a camera"),
    ],
)
def test_works_that_do_something_or_are_on_something_are_papers(question, text):
    assert list_question(question).text == text


def test_what_stands_in_papers_is_counted_otherwise_than_papers():
    assert list_question("How many swimmers in both studies drowned?") is None
    assert list_question("In how many swimmers across the studies was it seen?") is None
    assert list_question("How many of them in these studies are on swimmers?").text == "are on swimmers"
    assert list_question("How many among these studies are on swimmers?").text == "are on swimmers"
    assert list_question("How many in-depth studies are on swimmers?").text == "are on swimmers"


def test_where_something_is_so_asks_for_papers_only_by_what_papers_do():
    assert list_question("Where is a suture placed?") is None
    assert list_question("Where do people catch a cold?") is None
    assert list_question("Where is a suture used?").is_within
    assert list_question("Where do people report a cold?").is_within
    assert list_question("Where do people in these studies catch a cold?").is_within
