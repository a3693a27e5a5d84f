"""The parts of the page beside an answer: list, lens, settings, what can be copied; and the words for scores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rag.errors import SettingsError
from rag.schema import Answer, Citation, Claim
from rag.settings import Settings, replaced
from tests.fake_rag import LANTERN, FakeRag, citation
from tests.hostile import PAYLOADS, Inspector
from ui.conversations.archive import Archive, Entry
from ui.conversations.conversation import Conversation, titled
from ui.conversations.knobs import KNOBS, Knobs, render_knobs
from ui.markup import ordinal
from ui.parts import owner_of, render_alert, render_state
from ui.serving.line import Line
from ui.turns import answering
from ui.views.claims import reason
from ui.views.evidence import bearing
from ui.views.history import render_entries
from ui.views.lens import render_trace
from ui.views.turn import copy_with_references, plain_copy


def entry(title, key="a" * 32):
    return Entry(key, title, 2, 1_700_000_000.0)


def answered(question="What does partly mean?"):
    *_, answer = FakeRag(pace_s=0).stream(question)
    return answer


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_searches_and_alerts_never_become_markup(payload):
    whole = render_entries([entry(payload), entry("b", payload)], open_id=payload, deleted=payload)
    whole += render_entries([], search=payload) + render_alert(payload)
    whole += render_state(Conversation(id=payload)).replace("data-conversation", "data-id")
    assert Inspector(whole).links == []


def test_an_empty_list_says_why_and_the_open_one_is_marked():
    assert "Nothing was asked yet." in render_entries([])
    assert "No conversation holds “owls”." in render_entries([], search=" owls ".strip())
    listed = render_entries([entry("One"), entry("Two", "b" * 32)], open_id="b" * 32)
    assert listed.count("aria-current") == 1
    assert listed.index("One") < listed.index("aria-current")
    assert "Undo" in render_entries([], deleted="a")
    assert "2 questions" in listed


def test_the_lens_tells_an_answer_from_an_abstention():
    rag = FakeRag(pace_s=0)
    shown = Inspector(render_trace(rag.trace(answered()))).shown
    for words in ("LanternNet: Low-Light", "0.83 of 1; 0.50 is needed", "so the evidence was read", "55 of 100"):
        assert words in shown
    declined = Inspector(render_trace(rag.trace(answered("Is there wifi?")))).shown
    assert "The model was not asked." in declined
    assert "There was nothing to check." in declined


def test_the_lens_says_what_was_left_out_and_why():
    trace = FakeRag(pace_s=0).trace(answered())
    hint = "is not shown as it is"
    assert hint not in render_trace(trace)
    shown = Inspector(render_trace(replace(trace, left_out=(("It has <5> arms.", "none has"),)))).shown
    assert hint in shown
    assert "It has <5> arms. none has" in " ".join(shown.split())


def test_the_lens_says_what_a_follow_up_was_searched_for_with():
    trace = FakeRag(pace_s=0).trace(answered())
    hint = "Searched for with the answer before it"
    assert hint not in render_trace(trace)
    shown = Inspector(render_trace(replace(trace, searched_for="How far? 3 m <b>. And back?"))).shown
    assert hint in shown
    assert "How far? 3 m <b>. And back?" in shown


def test_the_lens_says_why_a_question_was_read_that_papers_hardly_bear_on():
    trace = replace(FakeRag(pace_s=0).trace(answered()), relevance=0.19)
    shown = Inspector(render_trace(trace)).shown
    assert "0.19 of 1; 0.50 is needed" in shown
    assert "so the evidence was read" in shown
    assert "declined" not in shown


def test_the_lens_says_that_the_whole_library_was_gone_through():
    answer = Answer("Which papers use lamps?", "1 of the 6 papers:", "answered", raw_text="Yes 0.9", surveyed=6)
    shown = Inspector(render_trace(FakeRag().trace(answer))).shown
    assert "all 6 papers were gone through" in shown
    assert "Of each paper that may fit" in shown


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_in_a_trace_becomes_markup(payload):
    cited = Citation(1, LANTERN, payload, 0, 3)
    claims = (Claim(payload, (cited,), "partly", 0.5),)
    answer = Answer(payload, payload, "answered", claims, (cited,), raw_text=payload, model_id=payload)
    drawn = render_trace(FakeRag().trace(answer))
    Inspector(drawn)
    assert "<td>0.180</td>" in drawn, "the fused score"


def test_every_choice_of_every_knob_is_a_setting_that_a_rag_takes():
    for knob in KNOBS:
        for choice in knob.choices:
            changes = Knobs.from_dict({knob.key: choice.key}).changes
            settings = replaced(Settings(), changes)
            if choice.value is not None:
                assert getattr(getattr(settings, knob.section), knob.name) == choice.value
            else:
                assert changes == {}


def test_unknown_choices_read_as_usual_and_the_form_shows_what_is_chosen():
    assert Knobs.from_dict({"papers": "1000000", "strictness": 3, "other": "x"}) == Knobs()
    assert Knobs.from_dict(Knobs("10", "strict", "short").to_dict()) == Knobs("10", "strict", "short")
    assert '<option value="strict" selected>' in render_knobs(Knobs(strictness="strict"))
    Inspector(render_knobs(Knobs()))


def test_knobs_ask_for_another_rag_only_where_something_was_turned():
    rag = SimpleNamespace(with_settings=lambda **sections: sections)
    assert Knobs().applied(rag) is rag
    assert Knobs(papers="3", length="long").applied(rag) == {"retrieval": {"k": 3}, "model": {"max_new_tokens": 320}}


def test_the_model_of_a_conversation_is_one_that_is_here():
    rag = SimpleNamespace(with_settings=lambda **sections: sections, other_models=("org/large", "org/small"))
    small = Knobs.from_dict({"model": "org/small"})
    assert Knobs.from_dict(small.to_dict()) == small
    assert small.applied(rag) == {"model": {"name": "org/small"}}
    assert Knobs(length="short", model="org/small").applied(rag)["model"] == {"name": "org/small", "max_new_tokens": 80}
    gone = SimpleNamespace(other_models=("org/large",))
    assert small.applied(gone) is gone
    drawn = render_knobs(small, rag.other_models)
    assert '<option value="org/small" selected>small</option>' in drawn
    unknown = render_knobs(Knobs(model='"><script>'), rag.other_models).partition('name="model"')[2]
    assert '<option value="" selected>' in unknown
    assert unknown.count("selected") == 1
    assert "<script" not in unknown
    assert "No other is here" in render_knobs(small)


def test_settings_that_a_rag_does_not_take_fail_the_question_and_not_the_page():
    class Names:
        def __getattr__(self, name):
            return name

    def refuse(**sections):
        raise SettingsError("There is no such setting.")

    async def answered_with(conversation):
        answer = answering(Names(), Archive(), SimpleNamespace(with_settings=refuse), Line())
        request = SimpleNamespace(username="ann", session_hash="s1")
        return [update async for update in answer(conversation, request)]

    conversation = Conversation(knobs=Knobs(papers="10"))
    turn = conversation.ask("What is LanternNet?")
    last = asyncio.run(answered_with(conversation))[-1]
    assert (turn.stage, turn.problem) == ("failed", "There is no such setting.")
    assert "box" not in last, "what is typed there meanwhile stays; an empty one gets the question back in the browser"


def test_what_is_copied_has_its_sources_and_no_markup():
    answer = answered()
    assert "[" not in plain_copy(answer)
    lines = copy_with_references(answer).split("\n")
    assert lines[0].startswith("LanternNet restores")
    assert f"[1] “{answer.citations[0].quote}”" in lines
    assert any(line.endswith("https://doi.org/10.5555/tide.2023") for line in lines)


@pytest.mark.parametrize(
    ("verdict", "citations", "said"),
    [
        ("supported", 1, "Supported: the cited sentence says this (93 of 100)."),
        ("supported", 2, "Supported: the cited sentences say this (93 of 100)."),
        ("partly", 1, "Partly supported: the cited sentence says some of this (93 of 100)."),
        ("unsupported", 1, "Not supported: the cited sentence does not say this (93 of 100)."),
        ("unsupported", 2, "Not supported: the cited sentences do not say this (93 of 100)."),
    ],
)
def test_the_reason_of_each_verdict_is_a_sentence(verdict, citations, said):
    assert reason(Claim("x", tuple(citation(n, LANTERN, n) for n in range(citations)), verdict, 0.93)) == said


def test_scores_and_places_are_told_in_words():
    assert [bearing(score) for score in (1.0, 0.75, 0.5, 0.3, 0.0, -1.0)] == [
        "closely",
        "closely",
        "well",
        "somewhat",
        "little",
        "little",
    ]
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th".split()
    )


def test_a_long_question_makes_a_title_cut_at_a_word():
    assert titled("Short\n one?") == "Short one?"
    long = titled("word " * 40)
    assert long.endswith(" word…")
    assert len(long) <= 80
    assert len(titled("x" * 200)) == 80


def test_owners_are_names_then_this_machine_and_guests_are_by_themselves():
    def owner(host, username=None, session="s1"):
        return owner_of(SimpleNamespace(username=username, client=SimpleNamespace(host=host), session_hash=session))

    assert owner("203.0.113.5", "ann") == "ann"
    assert owner("127.0.0.1") == owner("::1") == owner_of(None) == ""
    assert owner("203.0.113.5") != owner("203.0.113.5", session="s2")
    assert owner("203.0.113.5") not in ("", "s1")
