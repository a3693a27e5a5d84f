"""Going through the whole library: words find the papers, a measured model says which fit."""

import math

import pytest
from fakes import HashedEncoder

from rag.criterion import criterion_of
from rag.evidence import EvidenceSelector
from rag.keywords import KeywordIndex
from rag.schema import Paper
from rag.survey import (
    CALIBRATION,
    LISTED_FROM,
    LOOKED_AT_LEAST,
    MOST_READ,
    NEAR_IN_MEANING,
    START,
    SURER,
    WEIGHTS,
    Surveyor,
    coverage_notice,
    decided,
    standings,
)

PAPERS = (
    Paper("a", "Alpha", "Robots fall over often. We train with GPT-4 to make data. Results are good."),
    Paper("b", "Beta", "We beat GPT-4 on every task. It is cheap to run."),
    Paper("c", "Gamma", "Whales sing to make data of their own."),
    *(Paper(f"f{i}", f"Filler {i}", "Nothing of the kind is said of data in this abstract.") for i in range(9)),
)
MODEL, (_, MIDDLE) = next(iter(CALIBRATION.items()))
CRITERION = criterion_of("Which papers use GPT-4 to make data?")


class SaysOf:
    """A measured model that says of each title with which log-odds it fits."""

    model_id = MODEL

    def __init__(self, odds: dict[str, float]) -> None:
        self.odds = odds
        self.asked: list[str] = []

    def first_word_logprobs(self, messages, words):
        prompt = messages[-1][1]
        self.asked.append(prompt)
        title = prompt.splitlines()[0].removeprefix("Paper: ")
        return self.odds.get(title, -3.0), 0.0


@pytest.fixture
def surveyor() -> Surveyor:
    encoder = HashedEncoder()
    keywords = KeywordIndex.build([f"{paper.title} {paper.abstract}" for paper in PAPERS])
    return Surveyor(encoder, EvidenceSelector(encoder, keywords))


def test_candidates_are_the_papers_with_the_words_then_those_near_in_meaning(surveyor):
    found = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2], PAPERS[0]])
    assert [(c.paper.title, c.holds_words) for c in found.papers] == [("Alpha", True), ("Beta", True), ("Gamma", False)]
    assert found.papers[0].evidence[0].sentence.text == "We train with GPT-4 to make data."


def test_where_no_paper_holds_all_the_words_more_of_those_with_half_are_looked_at(surveyor):
    said = ("We train with GPT-4.", "Whales make music.")
    half = [Paper(f"h{i}", f"Half {i}", said[i % 2]) for i in range(12)]
    found = surveyor.candidates(criterion_of("Which papers use GPT-4 to make music?"), half, near=[])
    assert len([c for c in found.papers if not c.holds_words]) == len(half)
    whole = Paper("w", "Whole", "We use GPT-4 to make music.")
    found = surveyor.candidates(criterion_of("Which papers use GPT-4 to make music?"), [whole, *half], near=[])
    assert [c.paper.title for c in found.papers if c.holds_words] == ["Whole"]
    assert len(found.papers) == 1 + NEAR_IN_MEANING
    found = surveyor.candidates(CRITERION, PAPERS, near=PAPERS)
    assert len(found.papers) == LOOKED_AT_LEAST == len(PAPERS)


def test_the_model_decides_and_what_fits_is_quoted_under_its_title(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    model = SaysOf({"Alpha": 2.0, "Beta": MIDDLE - 0.1})
    opinions = list(surveyor.opinions(CRITERION, candidates, model))
    assert [str(o).split()[0] for o in opinions] == ["Yes", "No", "No"]
    (one,) = (opinion for opinion in decided(opinions) if opinion.fits)
    assert (one.claim.subject, one.claim.text) == ("Alpha", "We train with GPT-4 to make data.")
    (citation,) = one.claim.citations
    assert PAPERS[0].abstract[citation.start : citation.end] == citation.quote == one.claim.text
    assert "Statement: The authors of this paper use GPT-4 to make data." in model.asked[0]
    assert coverage_notice(opinions, candidates) == (
        "Read all 12 abstracts for the words: 2 hold them. 3 were looked at closely, 1 fit."
    )


def test_a_paper_only_near_in_meaning_has_to_be_surer(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    between = MIDDLE + SURER / 2
    opinions = list(surveyor.opinions(CRITERION, candidates, SaysOf({"Beta": between, "Gamma": between})))
    assert [o.candidate.paper.title for o in opinions if o.fits] == ["Beta"]


def titles(surveyor, odds):
    """What is listed of all twelve papers, where the model says `odds`."""
    candidates = surveyor.candidates(CRITERION, PAPERS, near=PAPERS)
    opinions = decided(list(surveyor.opinions(CRITERION, candidates, SaysOf(odds))))
    return [opinion.candidate.paper.title for opinion in opinions if opinion.fits]


def test_a_paper_much_less_sure_than_the_surest_is_not_listed(surveyor):
    most = {paper.title: 0.3 for paper in PAPERS}
    assert titles(surveyor, {**most, "Alpha": 2.5, "Beta": 0.5}) == ["Alpha"]
    assert titles(surveyor, {**most, "Alpha": 2.5, "Beta": 2.2}) == ["Alpha", "Beta"]


def test_where_the_model_says_no_to_most_a_paper_that_stands_out_is_listed_though_it_is_not_sure_of_it(surveyor):
    most = {paper.title: -1.2 for paper in PAPERS}
    assert titles(surveyor, {**most, "Alpha": 0.7, "Beta": -0.1}) == ["Alpha", "Beta"]
    assert titles(surveyor, {**most, "Alpha": 0.3, "Beta": -0.1}) == [], "none fits by itself"


def test_where_the_model_says_yes_to_nearly_all_only_what_stands_out_is_listed(surveyor):
    most = {paper.title: 0.8 for paper in PAPERS}
    assert titles(surveyor, {**most, "Alpha": 2.0, "Gamma": 2.0}) == ["Alpha", "Gamma"]


def test_a_standing_by_hand(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=PAPERS)
    said = {paper.title: 0.3 for paper in PAPERS} | {"Alpha": 2.0, "Beta": 1.5, "Gamma": 0.9}
    opinions = list(surveyor.opinions(CRITERION, candidates, SaysOf(said)))
    found = dict(zip((o.candidate.paper.title for o in opinions), standings(opinions), strict=True))
    assert found["Alpha"] == pytest.approx((1.7, 0.0)), "the median of those without the words is 0.3"
    assert found["Gamma"] == pytest.approx((0.6, -1.1))
    weighed = START + WEIGHTS.above * 1.2 + WEIGHTS.below * -0.5
    beta = next(o for o in decided(opinions) if o.candidate.paper.title == "Beta")
    assert beta.probability == pytest.approx(1 / (1 + math.exp(-weighed)))
    assert beta.claim.score == beta.probability
    assert str(beta).startswith("Yes"), "what is told of it is what was decided"


def test_where_all_fit_alike_all_are_listed(surveyor):
    assert len(titles(surveyor, {paper.title: 2.0 for paper in PAPERS})) == len(PAPERS)
    assert math.log(LISTED_FROM / (1 - LISTED_FROM)) < START, "also those that do not hold the words"


def test_where_a_mention_is_asked_for_or_no_measured_model_is_there_the_words_decide(surveyor):
    mention = criterion_of("Which papers mention GPT-4?")
    candidates = surveyor.candidates(mention, PAPERS, near=[PAPERS[2]])
    assert [c.paper.title for c in candidates.papers] == ["Alpha", "Beta"]
    for criterion, model in ((mention, None), (CRITERION, object())):
        opinions = list(surveyor.opinions(criterion, candidates, model))
        assert [o.candidate.paper.title for o in decided(opinions) if o.fits] == ["Alpha", "Beta"]
        assert coverage_notice(opinions, candidates) == "Read all 12 abstracts for the words: 2 hold them."


def test_more_papers_than_can_be_asked_about_are_said_to_be_left(surveyor):
    many = [Paper(f"m{i}", f"Many {i}", "GPT-4 wrote all of this abstract.") for i in range(MOST_READ + 5)]
    criterion = criterion_of("Which papers use GPT-4?")
    candidates = surveyor.candidates(criterion, many, near=())
    opinions = list(surveyor.opinions(criterion, candidates, SaysOf({})))
    assert len(opinions) == MOST_READ
    assert "5 more hold the words and were not looked at" in coverage_notice(opinions, candidates)


def test_an_empty_library_has_no_candidates(surveyor):
    assert surveyor.candidates(CRITERION, (), near=()).papers == ()
    assert decided([]) == []


def test_where_more_hold_the_words_than_are_read_the_nearest_in_meaning_are_read_and_all_are_counted(surveyor):
    many = [Paper(f"m{i}", f"Many {i}", "GPT-4 wrote all of this abstract.") for i in range(MOST_READ + 5)]
    mention = criterion_of("Which papers mention GPT-4?")
    candidates = surveyor.candidates(mention, many, near=[many[-1]])
    assert candidates.papers[0].paper is many[-1]
    assert len(candidates.papers) == MOST_READ
    notice = coverage_notice(list(surveyor.opinions(mention, candidates, None)), candidates)
    assert notice.startswith(f"Read all {len(many)} abstracts for the words: {len(many)} hold them. 5 more hold")
