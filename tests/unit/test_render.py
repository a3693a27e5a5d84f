"""The page's HTML: nothing from outside ever becomes markup, and highlights are exact to the character."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.schema import Answer, Citation, Claim, Evidence, EvidenceFound, Hit, Paper, Passage, Sentence, TextPiece
from tests.hostile import PAYLOADS, Inspector
from ui.conversations.conversation import Conversation, Turn, without_markers
from ui.conversations.examples import better_questions, example_questions
from ui.markup import address_of, text, web_address
from ui.views.claims import reason
from ui.views.evidence import Span, highlight, paper_order, render_evidence, render_past_evidence
from ui.views.header import header, missing
from ui.views.turn import grounding_line, render_status, render_turn, render_turns, status_line


def paper(**values):
    return Paper(**{"id": "p", "title": "A title", "abstract": "One. Two. Three.", **values})


def cite(marker, source, start, end):
    return Citation(marker, source, source.abstract[start:end], start, end)


def turn_of(answer, number=1, question="Why?"):
    turn = Turn(number, question)
    turn.take(answer)
    return turn


def poisoned(payload):
    """Turns at every stage with the payload wherever text from outside is shown."""
    source = paper(
        id=payload,
        title=payload,
        abstract=f"Before {payload} after.",
        authors=(payload,) * 4,
        venue=payload,
        url=payload,
        doi=payload,
    )
    other = dataclasses.replace(source, id="other", url=f"https://ok.example/{payload}")
    sentence = Sentence(source.id, 0, 0, len(source.abstract), source.abstract)
    hits = tuple(
        Hit(p, Passage(p.id, 0, 0, len(p.abstract), p.abstract), 1.0, rank) for rank, p in enumerate((source, other), 1)
    )
    found = EvidenceFound(payload, f"understood {payload}", hits, (Evidence(1, source, sentence, 0.9),))
    cited = cite(1, source, 0, len(source.abstract))
    beyond = Citation(2, source, payload, 5, 10_000)
    claims = tuple(
        Claim(payload, (cited, beyond), verdict, 0.5, is_quote=quote)
        for verdict in ("supported", "partly", "unsupported")
        for quote in (False, True)
    )
    answer = Answer(
        payload,
        payload,
        "answered",
        claims,
        (cited, beyond),
        hits,
        found.evidence,
        standalone_question=f"understood {payload}",
        notice=payload,
    )
    reading = Turn(1, payload)
    reading.take(found)
    drafting = dataclasses.replace(reading, number=2)
    drafting.take(TextPiece(payload))
    stopped = dataclasses.replace(drafting, number=3)
    stopped.stop()
    failed = dataclasses.replace(drafting, number=4)
    failed.fail(ModelError(payload, payload))
    abstained = dataclasses.replace(answer, status="abstained", claims=(), citations=())
    bare = dataclasses.replace(answer, claims=(), citations=())
    answered = [turn_of(a, n, payload) for n, a in enumerate((answer, abstained, bare), 5)]
    return [Turn(0, payload), reading, drafting, stopped, failed, *answered]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_outside_never_becomes_markup(payload):
    turns = poisoned(payload)
    whole = render_turns(turns) + render_past_evidence(turns) + "".join(render_status(turn) for turn in turns)
    inspected = Inspector(whole)
    assert len(inspected.ids) == len(set(inspected.ids))
    assert whole.encode("utf-8"), "can be sent"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_was_written_is_shown_as_it_was_written(payload):
    sendable = payload.encode("utf-8", "replace").decode().replace("\x00", "")
    assert Inspector(text(payload)).shown == sendable
    assert sendable in Inspector(render_turn(Turn(1, payload))).shown
    assert sendable in Inspector(missing(payload, payload)).shown


class Description:
    model = device = dtype = reason = index = line = PAYLOADS[26] + PAYLOADS[0]


def test_the_header_escapes_what_it_is_told():
    assert Inspector(header(Description)).shown.count("alert(1)") >= 6
    Inspector(header(None))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/relative",
        "https://",
        "https://a b",
        'https://a"b',
        "https://a'b",
        "http://[::1",
        "ftp://a.example/x",
        "",
        None,
    ],
)
def test_only_whole_web_addresses_become_links(url):
    assert web_address(url) is None


def test_web_addresses_and_dois_become_links_that_give_nothing_away():
    assert web_address("https://a.example/b?c=1&d=2#e") == "https://a.example/b?c=1&d=2#e"
    assert address_of(paper(doi="10.1/a b<c>")) == "https://doi.org/10.1/a%20b%3Cc%3E"
    assert address_of(paper(url="javascript:x", doi="10.1/x")) == "https://doi.org/10.1/x"
    assert address_of(paper()) is None
    source = paper(url="https://a.example/?b=1&c=2")
    links = Inspector(render_evidence(turn_of(Answer("q", "t", "answered", citations=(cite(1, source, 0, 4),))))).links
    outward = next(link for link in links if link["href"].startswith("https"))
    assert (outward["target"], outward["rel"]) == ("_blank", "noopener noreferrer")


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="$\\"), max_size=60),
    st.lists(st.tuples(st.integers(-3, 63), st.integers(-3, 63)), max_size=8),
)
def test_highlights_are_exact_however_they_overlap(abstract, ranges):
    spans = [Span(f"t1-c{n}", start, end, n) for n, (start, end) in enumerate(ranges, 1)]
    inspected = Inspector(highlight(abstract, spans))
    fitting = [span for span in spans if 0 <= span.start < span.end <= len(abstract)]
    for span in fitting:
        pieces = "".join(words for cites, words in inspected.marks if span.id in cites.split())
        assert pieces == abstract[span.start : span.end]
    assert sorted(inspected.ids) == sorted(span.id for span in fitting)
    assert len([link for link in inspected.links if "data-back" in link]) == len(fitting)
    plain = Inspector(highlight(abstract, [dataclasses.replace(span, marker=None) for span in spans]))
    assert plain.shown == abstract


def test_an_empty_abstract_and_no_spans_give_plain_text():
    assert highlight("", []) == ""
    assert highlight("", [Span("t1-c1", 0, 4)]) == ""
    assert highlight("a < b", []) == "a &lt; b"


def test_every_marker_leads_to_an_id_that_exists_and_back():
    first, second = paper(id="a", title="A"), paper(id="b", title="B")
    citations = (cite(1, first, 0, 4), cite(2, first, 2, 9), cite(3, second, 5, 9), Citation(4, second, "x", 90, 99))
    claims = (
        Claim("One.", citations[:2], "supported", 0.9),
        Claim("Two.", citations, "partly", 0.5),
        Claim("Three.", citations[2:3], "supported", 1.0, is_quote=True),
    )
    turn = turn_of(Answer("q", "One. Two.", "answered", claims, citations))
    both = Inspector(render_turn(turn) + render_evidence(turn))
    inner = [link["href"][1:] for link in both.links if link["href"].startswith("#")]
    assert inner
    assert set(inner) <= set(both.ids)
    assert "t1-p2" in inner, "a citation outside its abstract leads to the paper"
    markers = [link for link in both.links if "data-reason" in link]
    assert [link["aria-label"] for link in markers[:3]] == [
        "Footnote 1, supported: A",
        "Footnote 2, supported: A",
        "Footnote 1, partly supported: A",
    ]
    assert markers[2]["data-reason"] == "Partly supported: the cited sentences say some of this (50 of 100)."
    assert "Quoted: these are the abstract’s own words." in [link["data-reason"] for link in markers]


def test_ids_are_unique_over_a_whole_conversation():
    source = paper()
    claims = (Claim("One.", (cite(1, source, 0, 4),), "supported", 0.9),) * 2
    hits = (Hit(paper(id="z"), Passage("z", 0, 0, 4, "One."), 1.0, 1),)
    turns = [turn_of(Answer("q", "One.", "answered", claims, (cite(1, source, 0, 4),), hits), n) for n in (1, 2, 12)]
    ids = Inspector(render_turns(turns) + render_past_evidence(turns[:-1]) + render_evidence(turns[-1])).ids
    assert len(ids) == len(set(ids))


def test_older_evidence_is_hidden_and_the_newest_is_not():
    turn = turn_of(Answer("q", "t", "answered"))
    assert " hidden>" in render_past_evidence([turn])
    assert " hidden>" not in render_evidence(turn)


def test_each_of_several_papers_has_its_name_above_what_is_said_of_it():
    source = paper()
    cited = (cite(1, source, 0, 4),)
    claims = (
        Claim("One.", cited, "supported", 0.9, subject="<b>First</b>"),
        Claim("Two.", cited, "supported", 0.9),
        Claim("Three.", cited, "supported", 1.0, is_quote=True, subject="Second"),
    )
    shown = render_turn(turn_of(Answer("q", "First: One. Two.\nSecond: “Three.”", "answered", claims)))
    heads = [
        '<h4 class="fn-subject" dir="auto">&lt;b&gt;First&lt;/b&gt;</h4>',
        '<h4 class="fn-subject" dir="auto">Second</h4>',
    ]
    places = [shown.index(part) for part in (heads[0], "One.", "Two.", heads[1], "Three.")]
    assert places == sorted(places)


def test_verdicts_are_told_in_words_and_quotes_as_quotes():
    source = paper()
    claims = (
        Claim("Partly so.", (cite(1, source, 0, 4),), "partly", 0.5),
        Claim("One.", (cite(1, source, 0, 4),), "supported", 1.0, is_quote=True),
    )
    shown = Inspector(render_turn(turn_of(Answer("q", "", "answered", claims)))).shown
    assert "partly supported" in shown
    assert "quoted from the abstract" in shown


def test_the_grounding_line_counts_sentences_and_papers():
    a, b = paper(id="a"), paper(id="b")
    yes = Claim("x", (cite(1, a, 0, 4),), "supported", 0.9)
    also = Claim("y", (cite(2, b, 0, 4),), "supported", 0.9)
    partly = Claim("z", (cite(2, b, 0, 4),), "partly", 0.5)
    quote = dataclasses.replace(yes, is_quote=True)

    def line(*claims):
        return grounding_line(Answer("q", "", "answered", claims))

    assert line() == ""
    assert line(yes) == "1 sentence, supported by 1 paper"
    assert line(yes, also) == "2 sentences, all supported by 2 papers"
    assert line(yes, partly) == "2 sentences from 2 papers: 1 supported, 1 partly supported"
    assert line(quote) == "1 sentence, quoted from 1 paper"
    doubted = dataclasses.replace(quote, verdict="partly", doubt="it may not fit")
    assert line(quote, doubted) == "2 sentences, quoted from 1 paper; 1 may not fit"
    assert reason(doubted) == "Quoted: these are the abstract’s own words, but it may not fit."


def test_a_draft_says_that_it_is_one_and_hides_the_evidence_numbers():
    turn = Turn(1, "Why?")
    turn.take(TextPiece("It works [2]. It is fast [1"))
    shown = Inspector(render_turn(turn)).shown
    assert "Draft, not checked yet" in shown
    assert "It works. It is fast" in shown
    assert "[" not in shown
    assert without_markers("a [1, 2] b [x] c [") == "a b [x] c"


def test_lines_of_the_answer_stay_paragraphs():
    claims = tuple(Claim(words, (), "supported", 1.0) for words in ("One.", "Two.", "Three."))
    markup = render_turn(turn_of(Answer("q", "One. [1]\n\nTwo. [2] Three.", "answered", claims)))
    assert markup.count('class="fn-paragraph"') == 2


def test_an_unexpected_error_shows_no_internals():
    turn = Turn(1, "Why?")
    turn.fail(RuntimeError("secret at /srv/model.bin"))
    assert "secret" not in render_turn(turn)
    assert "secret" not in status_line(turn)


def test_a_finished_turn_is_not_turned_into_a_stopped_one():
    turn = turn_of(Answer("q", "t", "answered"))
    turn.stop()
    assert turn.stage == "done"


def test_history_holds_checked_answers_without_markers_and_no_stopped_turns():
    talk = Conversation()
    talk.ask(" First? ").take(Answer("First?", "Yes. [1]", "answered", (Claim("Yes.", (), "supported", 1.0),)))
    talk.ask("Second?").stop()
    talk.ask("Third?").take(Answer("Third?", "The papers do not say [1].", "abstained"))
    talk.ask("Fourth?")
    assert talk.history() == [
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Third?"},
        {"role": "assistant", "content": "The papers do not say."},
    ]
    assert talk.retry().number == 5, "numbers are never used twice, so ids are not either"
    assert [turn.question for turn in talk.turns] == ["First?", "Second?", "Third?", "Fourth?"]


def test_papers_are_listed_once_with_the_cited_ones_first():
    a, b = paper(id="a"), paper(id="b")
    hits = tuple(Hit(p, Passage(p.id, 0, 0, 4, "One."), 1.0, n) for n, p in enumerate((a, b, a), 1))
    assert [p.id for p in paper_order(Answer("q", "", "answered", citations=(cite(1, b, 0, 4),), hits=hits))] == [
        "b",
        "a",
    ]


def test_in_place_of_a_declined_question_stands_what_an_abstract_says_of_the_same_thing():
    papers = [
        paper(title="CatNap: sleep", abstract="Cats sleep by day and eat at night."),
        paper(title="A plain title", abstract="An agent uses mouse and keyboard at 20 Hz."),
        paper(title="DogNap: sleep of mouse and keyboard", abstract="It uses mouse and keyboard."),
    ]
    asked = "At what price did they buy the Mouse and Keyboard?"
    assert better_questions(asked, papers, 2) == [
        "What does “A plain title” say about Mouse and Keyboard?",
        "What is CatNap and what problem does it address?",
    ]
    assert better_questions("Of the what?", papers, 2) == example_questions(papers, 2)
    assert better_questions("", [], 2) == []


def test_example_questions_come_from_titles_and_are_the_same_each_time():
    papers = [paper(id=str(n), title=f"Name{n}: what it is") for n in range(40)] + [paper(title="A plain title")]
    questions = example_questions(papers)
    assert questions == example_questions(papers)
    assert len(set(questions)) == 5
    assert questions[0] == "What is Name0 and what problem does it address?"
    assert example_questions([paper(title="A plain title")]) == ["What does “A plain title” find?"]
    offering = paper(title="A plain title", abstract="In this work we present a map.")
    assert example_questions([offering]) == ["What does “A plain title” propose?"]
    assert example_questions([]) == []
