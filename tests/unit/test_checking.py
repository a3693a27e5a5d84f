"""What is quoted after an explanation: what the cited paper says to the question, as it is read."""

import pytest
from fakes import HashedEncoder

from rag.checking import Draft, DraftChecker
from rag.evidence import EvidenceSelector, renumbered
from rag.grounding import Grounder
from rag.keywords import KeywordIndex
from rag.language.sentences import sentences_of
from rag.quoting import TELLING_FROM
from rag.schema import Evidence, Paper, Subject
from rag.stopping import Stopped
from rag.trained.opinion import UNSUPPORTED_BELOW

PAPER = Paper(
    "m",
    "MoleDig: Robots that dig",
    "Moles dig long tunnels in soft ground. MoleDig digs tunnels with two steel arms. The arms turn against each other "
    "all the time. Experiments were made in four gardens of the city. The code of the robot is published for everybody to use.",
)
CITED = "MoleDig digs tunnels with two steel arms."
QUESTION = "How does MoleDig dig tunnels?"
SENTENCES = sentences_of(PAPER)


def checker(paper=PAPER, further_quotes=0, **model):
    """`model`: what of it is at hand, by the checker's own names."""
    encoder, keywords = HashedEncoder(), KeywordIndex.build([paper.abstract])
    return DraftChecker(
        Grounder(encoder, keywords, threshold=0.5),
        EvidenceSelector(encoder, keywords),
        further_quotes=further_quotes,
        **model,
    )


def checked(reading, further_quotes=2, stop_check=lambda: None, question=QUESTION):
    drafts = checker(further_quotes=further_quotes, reading=reading)
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    claims = drafts.check([Draft(CITED, evidence)], question, QUESTION, stop_check).claims
    return [claim.text for claim in claims if claim.text != CITED]


def by_text(share, default=0.0):
    """A reading that knows how likely each sentence tells."""
    return lambda _question, _paper, sentences: [share.get(text, default) for text in sentences]


def test_of_the_cited_paper_those_sentences_are_quoted_that_say_what_is_asked():
    reading = by_text({SENTENCES[2].text: 0.9, SENTENCES[4].text: TELLING_FROM, CITED: 1.0}, TELLING_FROM - 0.01)
    asked = []

    def noted(question, paper, sentences):
        asked.append((question, paper, list(sentences)))
        return reading(question, paper, sentences)

    assert checked(noted) == [SENTENCES[2].text, SENTENCES[4].text], "in reading order, and what is cited not again"
    [(question, paper, read)] = asked
    assert (question, paper) == (QUESTION, PAPER)
    assert CITED in read, "beside what is cited"
    assert read == [sentence.text for sentence in SENTENCES if sentence.text in read], "in order"
    assert checked(reading, further_quotes=1) == [SENTENCES[2].text]
    assert checked(by_text({})) == []


def test_where_nobody_can_read_the_nearest_are_quoted_and_where_none_is_wanted_nothing_is_read():
    assert len(checked(None)) == 2
    assert checked(lambda *_asked: None) == checked(None)
    assert checked(lambda *_asked: pytest.fail("read"), further_quotes=0) == []


def test_reading_can_be_stopped():
    def stop():
        raise Stopped

    with pytest.raises(Stopped):
        checked(by_text({}, 0.9), stop_check=stop)


def test_of_a_follow_up_what_it_adds_is_quoted_where_it_can_be_read():
    follow_up = "Does it have arms?"
    assert checked(by_text({SENTENCES[2].text: 0.9}), question=follow_up) == [SENTENCES[2].text]
    assert checked(None, question=follow_up) == []
    assert checked(lambda *_asked: None, question=follow_up) == []


DRAFT = "MoleDig digs its tunnels with two arms of steel."


def doubted(text, likely=UNSUPPORTED_BELOW - 0.01):
    """What becomes of a draft of which the second opinion thinks so little."""
    encoder, keywords = HashedEncoder(), KeywordIndex.build([PAPER.abstract])
    drafts = DraftChecker(
        Grounder(encoder, keywords, threshold=0.5),
        EvidenceSelector(encoder, keywords),
        further_quotes=0,
        opinion=lambda _claim: likely,
    )
    found = drafts.check([Draft(text, renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)]))], QUESTION, QUESTION)
    return [(claim.text, claim.is_quote) for claim in found.claims], found.notice


def test_a_sentence_that_says_too_much_is_replaced_and_not_said_to_have_no_support():
    claims, notice = doubted(DRAFT)
    assert claims == [(CITED, True)]
    assert notice == "One sentence may have said more than the abstracts do: what they say is quoted instead."

    claims, notice = doubted("Whales sing at night.")
    assert claims == [(CITED, True)]
    assert notice.startswith("The model's own words could not be confirmed from the abstracts")


def test_a_quotation_in_the_place_of_a_sentence_that_only_says_the_question_again_is_no_answer():
    again = "MoleDig does dig the tunnels."
    assert doubted(again, 1.0)[0] == []
    assert doubted(again) == ([], doubted(again, 1.0)[1])
    assert doubted(f"{again} {DRAFT}")[0] == [(CITED, True)], "the other sentence tells"


BEATS = "FooNet beats BarNet on long videos of sport."


def read_of(abstract, text, likely):
    """What is shown of a draft about `abstract`, and what of it the second opinion was asked about."""
    paper = Paper("f", "FooNet: A Network", abstract)
    encoder, keywords, asked = HashedEncoder(), KeywordIndex.build([abstract, PAPER.abstract]), []

    def opinion(claim):
        asked.append(claim.text)
        return likely

    drafts = DraftChecker(
        Grounder(encoder, keywords, threshold=0.5),
        EvidenceSelector(encoder, keywords),
        further_quotes=0,
        opinion=None if likely is None else opinion,
    )
    evidence = renumbered(Evidence(0, paper, sentence, 0.5) for sentence in sentences_of(paper))
    found = drafts.check([Draft(text, evidence)], "What is it?", "What is it?")
    return [(claim.text, claim.verdict, claim.is_quote) for claim in found.claims], asked


def test_what_is_cut_out_of_a_sentence_of_doubt_is_read_and_at_most_partly_supported_where_nobody_can():
    unclear = "It remains unclear whether FooNet beats BarNet on long videos of sport."
    assert read_of(unclear, BEATS, 0.01) == ([(unclear, "supported", True)], [BEATS])
    assert read_of(unclear, BEATS, None) == ([(BEATS, "partly", False)], [])
    denied = "We do not claim that FooNet beats BarNet on long videos of sport."
    assert read_of(denied, BEATS, 0.99) == ([(denied, "supported", True)], [])
    assert read_of(BEATS, BEATS, 0.01) == ([(BEATS, "supported", False)], [])


def test_what_the_abstract_denies_is_an_answer_and_no_refusal():
    calves = "WhaleSong does not include recordings of calves in its data."
    assert read_of(calves, calves, None) == ([(calves, "supported", False)], [])
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    assert Draft("MoleDig does not specify the steel of its arms.", evidence).is_refusal
    told = Paper("n", "MoleDig", "MoleDig does not specify the steel of its two arms.")
    denied = renumbered(Evidence(1, told, sentence, 0.9) for sentence in sentences_of(told))
    assert not Draft("MoleDig does not specify the steel of its arms.", denied).is_refusal


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("MoleDig digs tunnels with 7 steel arms.", "no sentence that was read has the number 7"),
        (
            "MoleDig digs tunnels without two steel arms.",
            f"it denies what is said in “{CITED}”, or the other way round",
        ),
        ("Pigeons deliver letters.", "too little of it stands in the sentences that were read"),
        ("The sentences do not mention tunnels.", "it says that the sentences do not tell it"),
        ("MoleDig digs with two arms.", "it does not tell what is asked"),
    ],
)
def test_why_a_sentence_was_left_out_is_told(text, why):
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    assert checker().left_out(f"{text} {CITED}", [], evidence, QUESTION)[0] == (text, why)
    shown = checker().check([Draft(CITED, evidence)], QUESTION, QUESTION).claims
    assert checker().left_out(CITED, shown, evidence, QUESTION) == ()


def test_a_number_of_another_meaning_is_told_and_so_is_what_is_quoted_instead():
    paper = Paper("m", "MoleDig", "MoleDig reaches an accuracy of 65% in deep tunnels of the old city gardens.")
    evidence = renumbered([Evidence(1, paper, sentences_of(paper)[0], 0.9)])
    ((_, why),) = checker(paper).left_out("MoleDig improves accuracy by 65%.", [], evidence, QUESTION)
    assert why == f"65 means something else in “{paper.abstract}”"
    quotes = Grounder(HashedEncoder(), KeywordIndex.build([paper.abstract]), threshold=0.5).quotes(evidence, 1)
    ((_, why),) = checker(paper).left_out("MoleDig reaches 65% accuracy in tunnels.", quotes, evidence, QUESTION)
    assert why == "it may say more than its source, which is quoted"


def test_what_a_draft_about_one_of_several_papers_does_not_find_of_another_is_no_refusal():
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    text = "MoleDig has 2 arms, while the arms of NewtLeap are not specified. It digs."
    draft = Draft(text, evidence, subject=Subject(PAPER, "MoleDig"))
    assert not draft.is_refusal
    assert draft.own_text == "MoleDig has 2 arms.\nIt digs."
    assert Draft(text, evidence).is_refusal, "of one paper alone it is one"
    whole = Draft("MoleDig has 2 arms, while others have 3.", evidence, subject=Subject(PAPER, "MoleDig"))
    assert whole.own_text == whole.text


def test_a_number_of_something_else_than_was_asked_is_no_answer():
    paper = Paper(
        "h", "MoleNet", "MoleNet was tested on records of 14 million visits, which were made by 900 gardeners in all."
    )
    keywords = KeywordIndex.build([paper.abstract])
    encoder = HashedEncoder()
    drafts = DraftChecker(
        Grounder(encoder, keywords, threshold=0.5), EvidenceSelector(encoder, keywords), further_quotes=2
    )
    evidence = renumbered([Evidence(1, paper, sentences_of(paper)[0], 0.9)])
    said = "MoleNet was tested on records of 14 million visits."

    def shown(question):
        return [claim.text for claim in drafts.check([Draft(said, evidence)], question, question).claims]

    assert shown("How many visits was MoleNet tested on?") == [said]
    assert shown("By how many gardeners were the visits made?") == [paper.abstract]


def test_of_a_follow_up_what_it_asks_itself_is_read_for():
    read_for = set()

    def noted(question, _paper, sentences):
        read_for.add(question)
        return [0.0] * len(sentences)

    drafts = checker(further_quotes=2, reading=noted)
    evidence = renumbered([Evidence(1, PAPER, SENTENCES[1], 0.9)])
    own, whole = "How do its arms turn?", f"{QUESTION} How do its arms turn?"
    for text in (CITED, "Whales sing in winter."):
        drafts.check([Draft(text, evidence)], own, whole, followup=own)
    assert read_for == {own}
    drafts.check([Draft(CITED, evidence)], whole, whole)
    assert read_for == {own, whole}


def test_two_papers_may_be_said_to_do_the_same_in_the_same_words():
    said = "The method is trained on ten demonstrations of each task."
    papers = [
        Paper(key, f"A Long Title about {what}", f"{said} It folds {what}.")
        for key, what in (("a", "towels"), ("b", "ropes"))
    ]
    drafts = [
        Draft(said, renumbered([Evidence(1, paper, sentences_of(paper)[0], 0.9)]), subject=Subject(paper, ""))
        for paper in papers
    ]
    asked = "How are the two methods trained?"
    found = checker().check(drafts, asked, asked)
    assert [(claim.text, claim.citations[0].paper.id) for claim in found.claims] == [(said, "a"), (said, "b")]
    again = checker().check([drafts[0], drafts[0]], asked, asked)
    assert [claim.text for claim in again.claims] == [said]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{CITED} The arms turn against", [CITED]),
        (f"{CITED} The arms turn against each other all the time.", [CITED, SENTENCES[2].text]),
        ("MoleDig digs tunnels with two steel", []),
    ],
)
def test_of_a_draft_that_was_cut_off_only_an_unfinished_sentence_is_lost(text, expected):
    evidence = renumbered(Evidence(0, PAPER, sentence, 0.9) for sentence in SENTENCES[1:3])
    found = checker().check([Draft(text, evidence, is_cut=True)], QUESTION, QUESTION)
    assert [claim.text for claim in found.claims if not claim.is_quote] == expected


FOXDEN = Paper("f", "FoxDen: who lives there", "Moles of FoxDen weigh 31 grams. Hares of FoxDen weigh 3 kilograms.")
MOLES, HARES = sentences_of(FOXDEN)
MOLES_ASKED = "How much do moles of FoxDen weigh?"


@pytest.mark.parametrize("draft", [MOLES.text, "Storks fly to the south in winter."])
def test_of_a_follow_up_that_asks_the_same_of_something_else_the_last_answer_is_not_said_again(draft):
    drafts = checker(FOXDEN, rewrite=lambda *_: MOLES.text, reading=by_text({HARES.text: 0.9}))
    evidence = renumbered(Evidence(0, FOXDEN, sentence, 0.9) for sentence in (MOLES, HARES))
    own, whole = "And the hares?", f"{MOLES_ASKED} And the hares?"
    found = drafts.check([Draft(draft, evidence)], own, whole, followup=own, answered="31 grams.")
    assert [(claim.text, claim.is_quote) for claim in found.claims] == [(HARES.text, True)]
    before = drafts.check([Draft(draft, evidence)], own, whole, followup=own)
    assert before.claims[0].text == MOLES.text, "where the last answer is not known"


@pytest.mark.parametrize(
    ("share", "own", "quoted"),
    [(0.9, "And the hares?", True), (0.4, "And the hares?", False), (0.9, "And the wolves?", False)],
)
def test_half_a_sentence_too_short_to_be_read_for_is_read_behind_its_question(share, own, quoted):
    whole = f"{MOLES_ASKED} {own}"

    def reading(question, _paper, texts):
        return [share if (question, text) == (whole, HARES.text) else 0.0 for text in texts]

    draft = Draft("Storks fly to the south in winter.", renumbered([Evidence(1, FOXDEN, HARES, 0.9)]))
    found = checker(FOXDEN, reading=reading).check([draft], own, whole, followup=own, answered="31 grams.")
    assert [claim.text for claim in found.claims] == ([HARES.text] if quoted else [])
