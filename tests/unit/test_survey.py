"""Going through the whole library: words find the papers, a measured model says which fit."""

import numpy as np
import pytest
from fakes import HashedEncoder

from rag.evidence import EvidenceSelector
from rag.keywords import KeywordIndex
from rag.language.criterion import criterion_of
from rag.schema import Paper
from rag.survey import (
    FITS_FROM,
    LOOKED_AT_LEAST,
    MOST_READ,
    NEAR_IN_MEANING,
    READ_ON_WHILE,
    SENTENCES,
    SURE_FROM,
    UNHELD,
    UNREAD_DENIAL,
    UNSURE,
    Surveyor,
    coverage_notice,
    shown_of_each,
)
from rag.trained import adapters
from rag.trained.bearing import Head

PAPERS = (
    Paper("a", "Alpha", "Robots fall over often. We train with GPT-4 to make data. Results are good."),
    Paper("b", "Beta", "We beat GPT-4 on every task. It is cheap to run."),
    Paper("c", "Gamma", "Whales sing to make data of their own."),
    *(Paper(f"f{i}", f"Filler {i}", "Nothing of the kind is said of data in this abstract.") for i in range(9)),
)
CRITERION = criterion_of("Which papers use GPT-4 to make data?")


class SaysOf:
    """The model that the adapter belongs to; says of each title how likely it fits."""

    model_id = adapters.MODEL

    def __init__(self, likely: dict[str, float]) -> None:
        self.likely = likely
        self.asked: list[str] = []

    def judge(self, messages, adapter, ending=""):
        assert adapter is adapters.named("bearing")
        prompt = messages[-1][1]
        self.asked.append(prompt)
        title = next(line for line in prompt.splitlines() if line.startswith("Paper: ")).removeprefix("Paper: ")
        yes = self.likely.get(title, 0.02)
        return yes, 1 - yes


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
    further = [Paper(f"n{i}", f"Near {i}", "Nothing of the kind.") for i in range(LOOKED_AT_LEAST)]
    found = surveyor.candidates(CRITERION, [*PAPERS, *further], near=[*PAPERS, *further])
    assert len(found.papers) == LOOKED_AT_LEAST
    assert list(found.further) == [*PAPERS, *further][LOOKED_AT_LEAST:]


def test_the_model_decides_and_what_fits_is_quoted_under_its_title(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    model = SaysOf({"Alpha": 0.9, "Beta": FITS_FROM - 0.01})
    opinions = list(surveyor.opinions(CRITERION, candidates, model))
    assert [str(o).split()[0] for o in opinions] == ["Yes", "No", "No"]
    (one,) = (opinion for opinion in opinions if opinion.fits)
    assert (one.claim.subject, one.claim.text) == ("Alpha", "We train with GPT-4 to make data.")
    (citation,) = one.claim.citations
    assert PAPERS[0].abstract[citation.start : citation.end] == citation.quote == one.claim.text
    asked = "Asked: The authors of this paper use GPT-4 to make data."
    assert model.asked[0].startswith(f"{asked}\n\nPaper: Alpha\n")
    assert one.probability == one.claim.score == 0.9
    assert coverage_notice(opinions, candidates) == (
        "Read all 12 abstracts for the words: 2 hold them. 3 were looked at closely, 1 fit."
    )


def test_what_is_quoted_is_the_sentence_that_the_model_looks_at_where_a_paper_fits(surveyor, monkeypatch):
    class LooksAt(SaysOf):
        def looks(self, messages, passages, ending, adapter):
            assert messages[-1][1].splitlines()[0] == ending == f"Asked: {CRITERION.statement}"
            self.looked = [*getattr(self, "looked", ()), tuple(passages)]
            return np.array([[[[0.9 if "good" in passage else 0.1]] * 2] for passage in passages])

    monkeypatch.setattr("rag.trained.bearing.head", lambda: Head("1", 0.0, np.ones((1, 2, 1))))
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    model = LooksAt({"Alpha": 0.9})
    (one,) = (opinion for opinion in surveyor.opinions(CRITERION, candidates, model) if opinion.fits)
    assert one.claim.text == one.claim.citations[0].quote == "Results are good."
    assert sorted(e.sentence.text for e in one.candidate.evidence) == sorted(model.looked[0])
    assert len(model.looked) == 1, "of what does not fit nothing is quoted"


def test_further_papers_are_read_while_some_of_the_last_fit(surveyor):
    near = [Paper(f"n{i}", f"Near {i}", "Whales make music.") for i in range(MOST_READ + 4)]
    for last, read in ((None, LOOKED_AT_LEAST), (10, 11 + READ_ON_WHILE), (14, 15 + READ_ON_WHILE)):
        fit = {} if last is None else {f"Near {i}": SURE_FROM for i in range(10, last + 1)}
        candidates = surveyor.candidates(CRITERION, near, near=near)
        assert len(candidates.papers) == LOOKED_AT_LEAST
        opinions = list(surveyor.opinions(CRITERION, candidates, SaysOf(fit)))
        assert len(opinions) == read
        assert sum(opinion.fits for opinion in opinions) == len(fit)
    everywhere = SaysOf(dict.fromkeys((paper.title for paper in near), SURE_FROM))
    opinions = list(surveyor.opinions(CRITERION, candidates, everywhere))
    assert len(opinions) == MOST_READ
    assert coverage_notice(opinions, candidates).endswith(
        "48 were looked at closely, 48 fit. Some of the last of these fit, so more may: ask for something narrower."
    )
    assert "so more may" not in coverage_notice(opinions[:-1], candidates)
    assert len(list(surveyor.opinions(CRITERION, candidates, object()))) == LOOKED_AT_LEAST, "words decide"


def test_sentences_of_further_papers_are_encoded_only_where_these_are_read(surveyor, monkeypatch):
    near = [Paper(f"n{i}", f"Near {i}", "Whales make music.") for i in range(MOST_READ)]
    seen = []
    vectors_of = surveyor._selector.vectors_of
    monkeypatch.setattr(surveyor._selector, "vectors_of", lambda papers: seen.extend(papers) or vectors_of(papers))
    candidates = surveyor.candidates(CRITERION, near, near=near)
    assert len(list(surveyor.opinions(CRITERION, candidates, SaysOf({})))) == len(seen) == LOOKED_AT_LEAST
    some = SaysOf({"Near 8": SURE_FROM})
    read = len(list(surveyor.opinions(CRITERION, candidates, some)))
    assert read == 9 + READ_ON_WHILE == len(seen)


def test_what_is_shown_of_a_few_papers_to_train_on_is_shown_of_all():
    near = [Paper(f"n{i}", f"Near {i}", "Whales make music.") for i in range(LOOKED_AT_LEAST + 3)]
    _, shown = shown_of_each("Which papers use GPT-4 to make data?", near, HashedEncoder())
    assert shown == {paper.id: ("Whales make music.",) for paper in near}


def test_sentences_that_do_not_hold_the_words_are_read_too_behind_those_that_do(surveyor):
    text = "We train with GPT-4 to make data. Owls hunt. Bees dance. Ants dig. Whales sing. Moles sleep."
    paper, short = Paper("l", "Long", text), Paper("s", "Short", "Owls hunt.")
    (candidate,) = surveyor.candidates(CRITERION, [paper], near=[]).papers
    assert len(candidate.evidence) == SENTENCES < len(text.split(". "))
    assert candidate.evidence[0].sentence.text == "We train with GPT-4 to make data."
    (alone,) = surveyor.candidates(CRITERION, [short], near=[short]).papers
    assert len(alone.evidence) == 1


def test_a_paper_that_may_not_fit_is_listed_with_a_doubt(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    opinions = surveyor.opinions(
        CRITERION, candidates, SaysOf({"Alpha": SURE_FROM, "Beta": SURE_FROM - 0.01, "Gamma": FITS_FROM})
    )
    claims = [opinion.claim for opinion in opinions if opinion.fits]
    assert [(claim.subject, claim.verdict, claim.doubt) for claim in claims] == [
        ("Alpha", "supported", ""),
        ("Beta", "partly", UNSURE),
        ("Gamma", "partly", UNSURE),
    ]


def test_what_a_word_stands_nowhere_for_is_not_said_to_be_mentioned(surveyor):
    for question in ("Which papers mention GPT-4 quokkas?", "Which papers have GPT-4 quokkas in the title?"):
        criterion = criterion_of(question)
        candidates = surveyor.candidates(criterion, PAPERS, near=[])
        assert criterion.is_mention
        assert candidates.has_unheld is not criterion.in_title, "no title has either word"
        assert not [opinion for opinion in surveyor.opinions(criterion, candidates, None) if opinion.fits]
        assert "the words: 0 hold them" in coverage_notice([], candidates)
    candidates = surveyor.candidates(criterion_of("Which papers train GPT-4 quokkas?"), PAPERS, near=[])
    assert "2 hold those of them that any holds" in coverage_notice([], candidates)


def test_of_more_than_a_mention_the_other_words_decide_with_a_doubt(surveyor):
    criterion = criterion_of("Which papers train GPT-4 quokkas?")
    candidates = surveyor.candidates(criterion, PAPERS, near=[])
    claims = [opinion.claim for opinion in surveyor.opinions(criterion, candidates, None) if opinion.fits]
    assert [(claim.subject, claim.verdict, claim.doubt) for claim in claims] == [
        ("Alpha", "partly", UNHELD),
        ("Beta", "partly", UNHELD),
    ]


def test_where_words_decide_what_a_paper_has_to_deny_is_doubted(surveyor):
    for question, doubt in (("without GPT-4", UNREAD_DENIAL), ("with GPT-4", "")):
        criterion = criterion_of(f"Which papers train {question}?")
        candidates = surveyor.candidates(criterion, PAPERS, near=[])
        claims = [opinion.claim for opinion in surveyor.opinions(criterion, candidates, None) if opinion.fits]
        assert {claim.doubt for claim in claims} == {doubt}
        assert {claim.verdict for claim in claims} == {"partly" if doubt else "supported"}


def test_a_paper_that_does_not_hold_the_words_is_listed_where_it_reads_as_one_that_fits(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=[PAPERS[2]])
    opinions = surveyor.opinions(CRITERION, candidates, SaysOf({"Gamma": FITS_FROM}))
    assert [o.candidate.paper.title for o in opinions if o.fits] == ["Gamma"]


def test_where_all_fit_alike_all_are_listed(surveyor):
    candidates = surveyor.candidates(CRITERION, PAPERS, near=PAPERS)
    opinions = surveyor.opinions(CRITERION, candidates, SaysOf({paper.title: 0.9 for paper in PAPERS}))
    assert sum(opinion.fits for opinion in opinions) == len(PAPERS)


def test_where_a_mention_is_asked_for_or_no_measured_model_is_there_the_words_decide(surveyor):
    mention = criterion_of("Which papers mention GPT-4?")
    candidates = surveyor.candidates(mention, PAPERS, near=[PAPERS[2]])
    assert [c.paper.title for c in candidates.papers] == ["Alpha", "Beta"]
    for criterion, model in ((mention, None), (CRITERION, object())):
        opinions = list(surveyor.opinions(criterion, candidates, model))
        assert [o.candidate.paper.title for o in opinions if o.fits] == ["Alpha", "Beta"]
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


def test_where_more_hold_the_words_than_are_read_the_nearest_in_meaning_are_read_and_all_are_counted(surveyor):
    many = [Paper(f"m{i}", f"Many {i}", "GPT-4 wrote all of this abstract.") for i in range(MOST_READ + 5)]
    mention = criterion_of("Which papers mention GPT-4?")
    candidates = surveyor.candidates(mention, many, near=[many[-1]])
    assert candidates.papers[0].paper is many[-1]
    assert len(candidates.papers) == MOST_READ
    notice = coverage_notice(list(surveyor.opinions(mention, candidates, None)), candidates)
    assert notice.startswith(f"Read all {len(many)} abstracts for the words: {len(many)} hold them. 5 more hold")
