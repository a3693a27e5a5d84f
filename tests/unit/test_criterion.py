"""What a question about the whole library asks of a paper, and which papers hold its words."""

import json

import pytest

from eval.cases import BUNDLED
from rag.language.criterion import Text, Unit, abbreviations, criterion_of, holding, restated_criterion
from rag.schema import Paper

FILLER = tuple(Paper(f"f{i}", f"Filler {i}", "Common models use data for learning and search.") for i in range(12))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which papers build on A* search?", "build on A* search"),
        ("In which abstracts does Ego4D appear?", "does Ego4D appear"),
        ("How many papers in this library use Minecraft?", "use Minecraft"),
        ("List all works on catastrophic forgetting.", "on catastrophic forgetting"),
        ("Are there any papers about web agents?", "about web agents"),
        ("show me the papers that train a VAE", "that train a VAE"),
        ("And which papers use robots?", "use robots"),
        ("Please find papers on diffusion", "on diffusion"),
        ("Show me survey papers", "on survey"),
        ("Name every abstract in which WebArena appears.", "in which WebArena appears"),
        ("List each single paper on bandits", "on bandits"),
        ("How many papers use curricula, and which ones are they?", "use curricula"),
    ],
)
def test_a_question_for_papers_in_the_plural_has_a_criterion(question, text):
    assert criterion_of(question).text == text


@pytest.mark.parametrize(
    "question",
    [
        "Which paper introduces Q* search?",
        "What is in these papers?",
        "What does the paper on A* search find?",
        "How many demonstrations was OpenVLA trained on?",
        "What do both papers say about forgetting?",
        "Which benchmarks does TACO use?",
        "",
        "Which papers?",
        "papers",
    ],
)
def test_other_questions_have_none(question):
    assert criterion_of(question) is None


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Which papers use robots?", "The authors of this paper use robots."),
        ("Who uses robots?", "This paper uses robots."),
        ("Which papers discuss robots at length?", "The authors of this paper discuss robots at length."),
        ("Which papers are about robots?", "This is one of the papers that are about robots."),
        ("List the papers on robots", "This is one of the papers on robots."),
        ("In which papers do robots walk?", "This is one of the papers in which robots walk."),
        ("In how many papers can robots walk?", "This is one of the papers in which can robots walk."),
    ],
)
def test_what_is_true_of_a_paper_that_fits_is_said_in_a_sentence(question, statement):
    assert criterion_of(question).statement == statement


def test_examples_narrow_nothing_down():
    found = criterion_of(
        "Which papers use WebArena or an offshoot of it, such as the visual one, for instance to train?"
    )
    assert [unit.alternatives for unit in found.units] == [("WebArena", "offshoot")]


def test_a_thing_that_is_named_is_a_criterion_and_its_mention_is_one():
    assert not criterion_of("Which papers say by name which robot they used?").is_mention
    assert criterion_of("Which papers name the robot Stretch?").is_mention
    assert not criterion_of("Which papers name the robot they used?").is_mention, "no word of these tells"
    assert not criterion_of("Which papers bring a dataset with a name of its own?").is_mention
    assert not criterion_of("Which papers beat FedAvg, mentioned by name as a baseline?").is_mention
    assert criterion_of("In which abstracts is a whale, or a seal, mentioned?").is_mention


def test_authors_are_asked_for_by_what_their_papers_say():
    assert criterion_of("Which authors have put code online?").text == "have put code online"
    assert criterion_of("Which authors of BALROG are from Oxford?") is None


def test_of_the_bundled_questions_only_those_for_lists_are_about_the_whole_library():
    cases = [json.loads(line) for line in BUNDLED.read_text("utf-8").splitlines()]
    assert {c["type"] for c in cases if criterion_of(c["question"])} == {"list"}
    assert all(criterion_of(c["question"]) for c in cases if c["type"] == "list")


def test_alternatives_share_a_unit_and_words_that_say_nothing_are_left_out():
    found = criterion_of(
        "Which RL papers use GPT-4 or GPT-4o with egocentric (first-person) video as part of a method?"
    )
    assert [unit.alternatives for unit in found.units] == [
        ("RL",), ("GPT-4", "GPT-4o"), ("egocentric", "first-person"), ("video",),
    ]  # fmt: skip


def test_a_slash_gives_alternatives_too():
    (unit,) = criterion_of("Which papers use GPT-4/Claude?").units
    assert unit.alternatives == ("GPT-4", "Claude")


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Which papers build on A*?", "The authors of this paper build on A*."),
        ("List papers on diffusion.", "This is one of the papers on diffusion."),
        ("Which papers are about web agents?", "This is one of the papers that are about web agents."),
        ("Which papers that use GPT-4 exist?", "This is one of the papers that use GPT-4 exist."),
    ],
)
def test_the_statement_is_true_of_a_paper_that_fits(question, statement):
    assert criterion_of(question).statement == statement


@pytest.mark.parametrize(
    ("text", "spelling", "holds"),
    [
        ("We run A* search.", "A*", True),
        ("We run A search.", "A*", False),
        ("Q* is not ToolChain*.", "A*", False),
        ("catastrophically forgotten", "catastrophic", True),
        ("nine Meta-World tasks", "Meta-World", True),
        ("nine MetaWorld tasks", "Meta-World", True),
        ("a world of meta tasks", "Meta-World", False),
        ("made with GPT-4o.", "GPT-4", False),
        ("made with GPT-4.", "GPT-4", True),
        ("several studies", "study", True),
        ("Tülu models", "tulu", True),
        ("RISE teaches Llama2 and Llama-3", "Llama", True),
        ("made with GPT4.", "GPT-4", True),
        ("an A2C agent", "A", False),
    ],
)
def test_names_are_held_as_written_and_words_in_any_inflection(text, spelling, holds):
    assert Text(text).holds(spelling) is holds


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["Direct", "Preference", "Optimization"], "Iterative-DPO and PPO", {"DPO"}),
        (["variational", "autoencoder"], "combined with VAE; a VLA; VA; VAM", {"VAE", "VA"}),
        (["catastrophic", "forgetting"], "CFP CRF", set()),
    ],
)
def test_abbreviations_are_initials_or_have_a_second_letter_of_a_long_word(words, text, found):
    assert abbreviations(words, text) == found


def test_a_paper_has_to_hold_what_is_rare_and_need_not_hold_what_every_paper_has():
    diffusion = Paper("d", "Masked", "We diffuse nothing but noise: a diffusion policy.")
    held = holding(criterion_of("Which papers build on diffusion models?"), [*FILLER, diffusion])
    assert held.wholly == (diffusion,)
    assert [unit.alternatives for unit in held.required] == [("diffusion",)]


def test_a_paper_that_holds_half_of_the_words_is_told_apart():
    both = Paper("b", "Both", "Robots that cut food.")
    one = Paper("o", "One", "Cutting of many things.")
    other = Paper("p", "Other", "Food of many kinds.")
    held = holding(criterion_of("Which papers deal with cutting food?"), [*FILLER, one, both, other])
    assert (held.wholly, held.partly) == ((both,), (one, other))


def test_an_abbreviation_stands_for_all_the_words():
    long = Paper("l", "Long", "It uses Direct Preference Optimization here.")
    short = Paper("s", "Short", "An iterative DPO recipe.")
    held = holding(criterion_of("Which papers use Direct Preference Optimization?"), [*FILLER, long, short])
    assert held.wholly == (long, short)


def test_two_initials_stand_for_words_only_where_a_paper_says_so():
    chance = Paper("c", "Chance", "A set of MM models with BC.")
    said = Paper("s", "Said", "Its policy is made by behavior cloning (BC).")
    mistral = Paper("m", "Mistral", "A Mistral model was trained.")
    assert holding(criterion_of("In which papers is a Mistral model named?"), [*FILLER, chance, mistral]).wholly == (
        mistral,
    )
    held = holding(criterion_of("Which papers use behavior cloning?"), [*FILLER, chance, said])
    assert held.wholly == (chance, said)


@pytest.mark.parametrize(
    "question",
    [
        "Some authors promise code for later. Which papers are that?",
        "There are works that promise code for later. Which ones are they?",
        "A few papers promise code for later. Which do so?",
    ],
)
def test_what_some_do_is_a_criterion_where_it_is_asked_which_do(question):
    found = criterion_of(question)
    assert found is not None
    assert found.text == "promise code for later"


def test_what_some_do_and_another_question_is_no_criterion():
    assert criterion_of("Some authors promise code for later. Which is best?") is None
    assert (
        criterion_of("Of the papers on maths, one adds a reward model and another starts anew. Which are they?") is None
    )


def test_words_that_no_paper_holds_give_no_papers():
    held = holding(criterion_of("Which papers study quantum annealing?"), FILLER)
    assert held.wholly == held.required == ()
    assert holding(criterion_of("Which papers study quantum annealing?"), ()).wholly == ()


def test_a_topic_named_before_the_question_is_its_criterion():
    found = criterion_of("I'm interested in A*. Which papers here build on it?")
    assert found is not None
    assert found.text == "build on A*"
    assert [unit.alternatives for unit in found.units] == [("A*",)]
    assert criterion_of("I am looking into whales. Which paper finds them?") is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Any papers about model-based RL?", "about model-based RL"),
        ("List everything on whales.", "on whales"),
        ("Is there anything on whale songs in this library? Name all of it.", "on whale songs"),
        ("What have you got about whales?", "about whales"),
        ("How many of the papers study whales, and which ones?", "study whales"),
    ],
)
def test_the_whole_library_is_asked_about_in_many_ways(question, text):
    found = criterion_of(question)
    assert found is not None
    assert found.text == text


def test_a_title_is_searched_word_by_word_and_in_full_where_the_library_spells_it_out():
    papers = [
        Paper("1", "Offline RL of whales", "Whales learn by reinforcement learning (RL)."),
        Paper("2", "Offline Reinforcement Learning", "Bees."),
        Paper("3", "Online RL", "We do not do offline RL."),
    ]
    criterion = criterion_of("List everything with offline RL in its title.")
    assert criterion is not None
    assert criterion.in_title
    assert [paper.id for paper in holding(criterion, papers).wholly] == ["1", "2"]


def test_a_request_is_read_from_the_question_that_it_was_put_as():
    criterion = restated_criterion("whatever there is on coral bleaching", "Which papers discuss coral bleaching?")
    assert (criterion.text, criterion.restated) == ("discuss coral bleaching", "Which papers discuss coral bleaching?")
    assert not criterion.is_mention, "the reader did not ask for a mention"
    assert restated_criterion("round up what mentions CRISPR", "Which papers mention CRISPR?").is_mention


def test_what_a_request_mistypes_is_still_what_it_asks_for():
    assert restated_criterion("find al studys on bird migartion", "Which papers study bird migration?") is not None
    assert restated_criterion("find al studys on bird migartion", "Which papers study bat migrations?") is None


@pytest.mark.parametrize(
    ("request_", "question"),
    [
        ("whatever on corals that do not bleach", "Which papers are about corals?"),
        ("everything with fewer than 20 corals", "Which papers have fewer corals?"),
        ("all about corals since 2015", "Which papers are about corals since 2020?"),
    ],
)
def test_a_question_that_leaves_out_a_number_or_a_not_is_not_taken(request_, question):
    assert restated_criterion(request_, question) is None


@pytest.mark.parametrize(
    "question",
    [
        "Which papers are about coral taxation?",
        "Which papers are about rent control?",
        "Corals are animals.",
        "Which papers are there?",
        "",
    ],
)
def test_a_question_that_asks_for_something_else_than_the_request_is_not_taken(question):
    assert restated_criterion("whatever there is on coral bleaching", question) is None


@pytest.mark.parametrize(
    ("question", "denies"),
    [
        ("Which papers use non-rigid corals?", False),
        ("List papers on non-small cell tumours of corals.", False),
        ("Which papers grow corals without light?", True),
    ],
)
def test_a_name_with_non_denies_nothing(question, denies):
    assert criterion_of(question).denies is denies


@pytest.mark.parametrize(
    ("request_", "question", "is_taken"),
    [
        ("all on non-rigid coral growth", "Which papers are about non-rigid coral growth?", True),
        ("all on non-rigid coral growth", "Which papers are about nonrigid coral growth?", True),
        ("all on non-rigid coral growth", "Which papers are about rigid coral growth?", False),
        ("all on non-rigid coral growth", "Which papers are about coral growth?", False),
        ("anything non-coral", "Which papers are about corals?", False),
        ("anything non-coral", "Which papers are not about corals?", True),
    ],
)
def test_a_name_with_non_is_kept_where_a_request_is_put_as_a_question(request_, question, is_taken):
    assert (restated_criterion(request_, question) is not None) is is_taken


def test_an_abbreviation_spelled_like_a_word_of_grammar_is_looked_for_as_it_is_written():
    papers = (
        Paper("h", "Ponds", "HER relabels where a fish went."),
        Paper("i", "Fish", "A fish found her way."),
        *FILLER,
    )
    assert [paper.id for paper in holding(criterion_of("Which papers use HER?"), papers).wholly] == ["h"]
    assert criterion_of("WHICH PAPERS USE HER FISH?").units == (Unit(("FISH",)),)
    assert criterion_of("Which papers use it?") is None


@pytest.mark.parametrize(
    ("question", "is_one"),
    [
        ("What papers does OpenVLA cite?", False),
        ("Which studies does the review discuss?", False),
        ("Which papers did the authors build on?", False),
        ("Which papers do not use GPUs?", True),
        ("Which papers do imitation learning?", True),
        ("In which papers does OpenVLA appear?", True),
    ],
)
def test_what_one_paper_does_with_others_is_asked_of_no_paper(question, is_one):
    assert (criterion_of(question, is_first=True) is not None) is is_one


def test_a_word_whose_stem_begins_otherwise_is_held_by_its_own_text():
    assert Text("Dying neurons").holds("dying")
    assert Text("The skies are clear").holds("sky")
    assert not Text("The dye is clear").holds("dying")
