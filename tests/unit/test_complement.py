"""A question for the papers that do not is answered by those that do, and says so."""

import pytest
from fakes import quoting_rag

from rag import Paper, verify
from rag.language.criterion import criterion_of, restated_criterion
from rag.survey import shown_of_each

PAPERS = (
    Paper("a", "AStarNav: Planning", "We use A* search to plan paths for robots in rooms."),
    Paper("b", "BeeSwarm: Bees", "Bees find flowers by dancing for each other in the hive."),
    Paper("c", "CoralCam: Corals", "Corals are counted by cameras under water, without labels."),
)


@pytest.mark.parametrize(
    ("question", "instead"),
    [
        ("Which papers do not use A* search?", "Which papers use A* search?"),
        ("How many papers don’t use A* search?", "Which papers use A* search?"),
        ("Which RL papers don't use simulation?", "Which RL papers use simulation?"),
        ("Which of the papers never mention robots?", "Which papers mention robots?"),
        ("Is there any paper that does not report numbers?", "Which papers report numbers?"),
        ("Is there any paper that is not about robots?", "Which papers are about robots?"),
        ("Which papers have not been tested on robots?", "Which papers have been tested on robots?"),
        ("Which papers cannot run on a phone?", "Which papers can run on a phone?"),
        ("In which papers does the agent not see images?", "In which papers does the agent see images?"),
        ("Which papers on robots do not use simulation?", "Which papers on robots use simulation?"),
        ("Which papers use no robots at all?", "Which papers use robots?"),
        ("Which papers say nothing about safety?", "Which papers say something about safety?"),
        ("Which papers make no mention of Minecraft?", "Which papers mention Minecraft?"),
        ("Which papers use neither A* nor MCTS?", "Which papers use A* or MCTS?"),
        ("Which papers do not use A* and do not use MCTS?", "Which papers use A* or use MCTS?"),
        ("Which papers use A* but do not use rewards?", "Which papers use A*?"),
        ("Which papers do not use rewards but use A*?", "Which papers use A*?"),
    ],
)
def test_papers_that_do_not_have_a_counterpart(question, instead):
    criterion = criterion_of(question)
    assert criterion.counterpart.question == criterion.question(question) == instead
    positive = criterion_of(instead)
    assert (criterion.statement, criterion.units) == (positive.statement, positive.units)


@pytest.mark.parametrize(
    "question",
    [
        "Which papers train without labels?",
        "Which papers train without human feedback?",
        "Which papers do not need labels?",
        "Which papers don't require human feedback?",
        "Which papers use no labels?",
        "Which papers propose methods that do not use labels?",
        "Which papers are about agents that never forget?",
        "Which papers show that agents do not plan?",
        "Which papers claim agents cannot plan?",
        "Which papers not only use A* but also learn?",
        "List papers in which the agent does not see the reward.",
    ],
)
def test_what_abstracts_deny_themselves_is_asked_of_them(question):
    criterion = criterion_of(question)
    assert criterion.counterpart is None
    assert criterion.question(question) == question


def test_a_not_that_only_the_model_wrote_makes_no_complement():
    put = "Which papers do not use labels?"
    assert restated_criterion("whatever works without labels", put).counterpart is None
    criterion = restated_criterion("whatever does not use labels", put)
    assert (criterion.restated, criterion.question("")) == (put, "Which papers use labels?")


@pytest.mark.parametrize(
    "question", ["Which papers do not use A* search?", "Tell me how many papers don't use A* search."]
)
def test_the_list_of_those_that_do_says_what_it_lists_and_that_the_others_were_not_found_to(tmp_path, question):
    rag = quoting_rag(tmp_path, PAPERS)
    answer = rag.ask(question)
    instead = "Which papers use A* search?"
    assert answer.text.startswith(f"{instead} 1 of the 3 papers:\nAStarNav: Planning: “We use A* search")
    assert answer.standalone_question == instead
    assert answer.notice.startswith(
        "Abstracts seldom say what is not done. So this lists where it is done: the other 2 of 3 were not found to say"
    )
    assert (answer.raw_text, answer.model_id) == ("", ""), "no model had a part in it"
    assert verify(answer.to_dict(), PAPERS) == ()
    assert rag.ask(instead).text == answer.text.removeprefix(f"{instead} ")


def test_where_none_does_it_is_said_that_none_was_found_to(tmp_path):
    answer = quoting_rag(tmp_path, PAPERS).ask("Which papers do not use zebrafish?")
    assert (answer.status, answer.surveyed) == ("abstained", 3)
    assert "none of the 3 papers was found to say so" in answer.notice
    assert verify(answer.to_dict(), PAPERS) == ()


def test_what_stands_beside_the_denial_is_listed_and_the_denial_said_to_be_open(tmp_path):
    answer = quoting_rag(tmp_path, PAPERS).ask("Which papers use A* search but do not use rewards?")
    assert [citation.paper.id for citation in answer.citations] == ["a"]
    assert "Whether it is was not looked at: this answers “Which papers use A* search?”." in answer.notice


def test_a_complement_teaches_nothing_of_its_papers(tmp_path):
    encoder = quoting_rag(tmp_path, PAPERS).retriever.encoder
    assert shown_of_each("Which papers do not use A* search?", PAPERS, encoder) is None
    assert shown_of_each("Which papers use A* search?", PAPERS, encoder) is not None
