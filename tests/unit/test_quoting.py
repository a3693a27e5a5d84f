"""What is quoted instead of a draft: what says what is asked, and holds what the draft told."""

import pytest
from fakes import HashedEncoder

from rag.checking import Draft, DraftChecker
from rag.evidence import EvidenceSelector, renumbered
from rag.grounding import Grounder
from rag.keywords import KeywordIndex
from rag.language.sentences import sentences_of
from rag.quoting import QUOTES_INSTEAD, READ_WHOLE, SURELY_TELLING_FROM, TELLING_FROM, Quoter
from rag.schema import Evidence, Paper, Subject

PAPER = Paper(
    "s",
    "StoryTime: Order of Events",
    "Language models are given stories and asked for the order and duration of their events. Three of their abilities "
    "are looked at in this study. They behave without coherence in at least 27.23% of their predictions. "
    "Two things stood in the way of earlier work. First, the stories were far too short for that. "
    "Second, nobody had asked for durations before that.",
)
OTHER = Paper("o", "Stories: A Collection", "Stories of events are collected in order from all over the world.")
SENTENCES = [sentence.text for sentence in sentences_of(PAPER)]
NEAREST = renumbered(
    [
        *(Evidence(0, PAPER, one, 0.9) for one in sentences_of(PAPER)[:2]),
        Evidence(0, OTHER, sentences_of(OTHER)[0], 0.8),
    ]
)
SHARE = "What share of language models contradict themselves about the order and duration of events in stories?"
TOLD = "27.23% of language models contradict themselves about the order and duration of events in stories."
STRANGE = "Kangaroos hop over the hedge at noon."


def shown(text, question, reading=None, likely=0.0, evidence=NEAREST):
    encoder, keywords = HashedEncoder(), KeywordIndex.build([PAPER.abstract, OTHER.abstract])
    checker = DraftChecker(
        Grounder(encoder, keywords, threshold=0.3),
        EvidenceSelector(encoder, keywords),
        further_quotes=0,
        opinion=lambda _claim: likely,
        reading=reading,
    )
    found = checker.check([Draft(text, evidence)], question, question)
    assert all(claim.is_quote for claim in found.claims)
    return [claim.text for claim in found.claims], found.notice


def by_text(**likely):
    """A reading that finds these sentences of PAPER, by their place ("s2"), so likely to say what is asked."""
    shares = {SENTENCES[int(place[1:])]: share for place, share in likely.items()}
    return lambda _question, _paper, sentences: [shares.get(text, 0.0) for text in sentences]


def test_where_nothing_holds_the_whole_paper_is_read_for_what_says_what_is_asked():
    question = "What stood in the way of earlier work?"
    reading = by_text(s4=0.9, s5=0.8, s3=0.7)
    assert shown(STRANGE, question, reading)[0] == [SENTENCES[4], SENTENCES[5]], "though neither was among the nearest"
    assert QUOTES_INSTEAD == 2
    assert shown(STRANGE, question, by_text(s4=TELLING_FROM, s5=TELLING_FROM - 0.01))[0] == [SENTENCES[4]]
    assert shown(STRANGE, question, by_text()) == ([], shown(STRANGE, question, reading)[1]), "then there is no answer"


@pytest.mark.parametrize(("telling", "read"), [(PAPER, [PAPER]), (OTHER, [PAPER, OTHER])])
def test_the_next_paper_is_read_only_where_the_first_says_nothing(telling, read):
    asked = []

    def reading(_question, paper, sentences):
        asked.append(paper)
        return [float(paper == telling)] * len(sentences)

    assert shown(STRANGE, "What is collected?", reading)[0]
    assert asked == read


def test_where_nobody_can_read_the_nearest_are_quoted():
    for reading in (None, lambda *_asked: None):
        assert shown(STRANGE, "What stood in the way?", reading)[0] == SENTENCES[:2]


@pytest.mark.parametrize("question", [SHARE, SHARE.replace("What share of", "Which of")])
def test_a_quotation_that_holds_nothing_of_what_the_sentence_told_does_not_answer_in_its_place(question):
    evidence = renumbered([*NEAREST, Evidence(0, PAPER, sentences_of(PAPER)[2], 0.7)])
    reading = by_text(s0=0.9, s2=0.8)
    said, notice = shown(TOLD, question, reading, evidence=evidence)
    assert said == [SENTENCES[2]], "not the first, though it is nearer and read to say more"
    assert "did not answer the question" not in notice
    assert shown(TOLD, question, by_text(s0=0.9), evidence=evidence)[0] == [], "nothing says it"


def test_one_more_is_quoted_where_an_explanation_is_wanted():
    reading = by_text(s3=0.7, s4=0.9, s5=0.8)
    assert shown(STRANGE, "Why was earlier work not enough?", reading)[0] == [SENTENCES[3], SENTENCES[4], SENTENCES[5]]


def test_a_quotation_that_denies_what_the_question_takes_for_granted_answers_it():
    paper = Paper("n", "MoleDig", "MoleDig reaches 5 metres in all of its digging without modelling any of the ground.")
    evidence = renumbered(Evidence(0, paper, sentence, 0.9) for sentence in sentences_of(paper))
    question = "Which modelling of the ground was needed to make MoleDig reach 5 metres?"
    draft = "MoleDig reaches 5 metres by good modelling of the ground."
    assert shown(draft, question, evidence=evidence)[0] == [paper.abstract]
    other = Paper("n", "MoleDig", "MoleDig reaches 5 metres in all of its digging with modelling any of the ground.")
    evidence = renumbered(Evidence(0, other, sentence, 0.9) for sentence in sentences_of(other))
    assert shown(draft, question, evidence=evidence)[0] == []


YES = "Yes, language models do behave with great coherence in this study of the order of events in stories."


@pytest.mark.parametrize(
    ("question", "draft"),
    [
        ("Do language models behave with coherence in this study of the order of events in stories?", YES),
        ("How many predictions of language models about the order of events in stories are incoherent?", STRANGE),
    ],
)
def test_what_surely_says_whether_or_how_many_is_quoted_though_it_shares_nothing_with_the_draft(question, draft):
    sure, unsure = by_text(s2=SURELY_TELLING_FROM), by_text(s2=SURELY_TELLING_FROM - 0.01)
    assert shown(draft, question, sure)[0] == [SENTENCES[2]]
    assert shown(draft, question, unsure)[0] == []


def test_where_how_many_is_asked_no_sentence_without_a_number_is_quoted_however_sure():
    question = "How many predictions of language models about the order of events in stories are incoherent?"
    assert shown(STRANGE, question, by_text(s4=0.99))[0] == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many predictions are incoherent in StoryTime and in Stories?", {"s"}),
        ("What do StoryTime and Stories make of incoherent predictions?", {"s", "o"}),
    ],
)
def test_of_several_papers_one_without_a_number_is_not_quoted_where_a_number_is_asked_for(question, expected):
    encoder, keywords = HashedEncoder(), KeywordIndex.build([PAPER.abstract, OTHER.abstract])
    selector = EvidenceSelector(encoder, keywords)
    checker = DraftChecker(Grounder(encoder, keywords, threshold=0.3), selector, further_quotes=0)
    drafts = [
        Draft(STRANGE, renumbered([Evidence(0, paper, sentences_of(paper)[place], 0.9)]), subject=Subject(paper, name))
        for paper, place, name in ((PAPER, 2, "StoryTime"), (OTHER, 0, "Stories"))
    ]
    claims = checker.check(drafts, question, question).claims
    assert {citation.paper.id for claim in claims for citation in claim.citations} == expected


def beside(cited, question, reading):
    """What is quoted beside quotations of `cited`."""
    encoder, keywords = HashedEncoder(), KeywordIndex.build([item.paper.abstract for item in cited])
    grounder, selector = Grounder(encoder, keywords, threshold=0.3), EvidenceSelector(encoder, keywords)
    kept = grounder.quotes(cited, len(cited))
    quoter = Quoter(grounder, selector, reading, further_quotes=2)
    return [claim.text for claim in quoter.beside(kept, question, lambda: None)]


def test_the_whole_of_each_cited_paper_is_read_for_what_is_quoted_beside():
    told = {SENTENCES[1]: 0.9, SENTENCES[4]: 0.5, SENTENCES[5]: 0.7}
    read = []

    def reading(_question, paper, sentences):
        read.append((paper, list(sentences)))
        return [told.get(text, 0.0) for text in sentences]

    further = beside([NEAREST[1]], "What stood in the way?", reading)
    assert read == [(PAPER, SENTENCES)]
    assert further == [SENTENCES[4], SENTENCES[5]], "the likeliest two that are not cited yet, in reading order"

    lives = "Stories of two people are told in this collection. Events of their lives are put in order by the readers."
    two = Paper("t", "Two", lives)
    told[sentences_of(two)[1].text] = 0.8
    of_both = beside([NEAREST[1], Evidence(4, two, sentences_of(two)[0], 0.9)], "What stood in the way?", reading)
    assert [paper for paper, _ in read[1:]] == [PAPER, two]
    assert of_both == [SENTENCES[5], sentences_of(two)[1].text], "paper after paper"


@pytest.mark.parametrize(("count", "n_read"), [(READ_WHOLE, READ_WHOLE), (3 * READ_WHOLE, READ_WHOLE + 1)])
def test_of_a_long_text_only_what_is_near_is_read_for_what_is_quoted_beside(count, n_read):
    text = " ".join(f"Story number {n} of this long collection was told by reader {n}." for n in range(count))
    long = Paper("l", "Long", text)
    read = []

    def reading(_question, _paper, sentences):
        read.extend(sentences)
        return [1.0] * len(sentences)

    middle = count // 2
    assert len(beside([Evidence(1, long, sentences_of(long)[middle], 0.9)], "Who told the stories?", reading)) == 2
    assert len(read) == n_read
    places = [int(text.split()[2]) for text in read]
    assert places == sorted(places)
    assert {middle, middle + 1} <= set(places), "what is cited, and what follows it"
