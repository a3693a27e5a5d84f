"""A saved answer can be checked without a model, and every change to it is found."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Answer, Citation, Claim, Evidence, Hit, Paper, Passage, Sentence, verify
from rag.schema import digest

ABSTRACT = "We train on 970k demonstrations. It beats RT-2-X by 16.5% in success rate."
PAPER = Paper("openvla", "OpenVLA: An Open Model", ABSTRACT, authors=("Ada L.",), year=2024)
FIRST = Citation(1, PAPER, ABSTRACT[:32], 0, 32)
SECOND = Citation(2, PAPER, ABSTRACT[33:], 33, len(ABSTRACT))


def honest() -> dict:
    claims = (
        Claim("OpenVLA was trained on 970k demonstrations.", (FIRST,), "supported", 0.9),
        Claim(ABSTRACT[33:], (SECOND,), "supported", 1.0, is_quote=True),
    )
    answer = Answer(
        question="How many demonstrations?",
        text=f"OpenVLA was trained on 970k demonstrations. [1] “{ABSTRACT[33:]}” [2]",
        status="answered",
        claims=claims,
        citations=(FIRST, SECOND),
        hits=(Hit(PAPER, Passage("openvla", 0, 0, len(ABSTRACT), ABSTRACT), 0.2, 1),),
        evidence=(Evidence(1, PAPER, Sentence("openvla", 0, 0, 32, ABSTRACT[:32]), 0.8),),
        standalone_question="How many demonstrations?",
        timings={"total_s": 1.25},
    )
    return json.loads(json.dumps(answer.to_dict()))


def resealed(receipt: dict) -> dict:
    """What a forger does who knows how the digest is made."""
    return {**receipt, "digest": digest(receipt)}


def strings(value, path=()):
    """Paths to every string in a JSON value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings(inner, (*path, key))


def changed(value, path, change):
    copied = copy.deepcopy(value)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = change(place[path[-1]])
    return copied


def test_an_honest_answer_has_no_problems_with_or_without_its_library():
    assert verify(honest()) == ()
    assert verify(honest(), [PAPER]) == ()


def test_an_honest_abstention_has_no_problems():
    answer = Answer(question="?", text="The library does not say.", status="abstained")
    assert verify(answer.to_dict()) == ()


@given(st.data())
def test_any_single_character_changed_anywhere_is_found(data):
    receipt = honest()
    path = data.draw(st.sampled_from(list(strings(receipt))))

    def one_other_character(text: str) -> str:
        place = data.draw(st.integers(0, max(0, len(text) - 1)))
        char = data.draw(st.characters(blacklist_categories=["Cs"]).filter(lambda c: c != text[place : place + 1]))
        return text[:place] + char + text[place + 1 :]

    assert verify(changed(receipt, path, one_other_character))


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        (("text",), lambda t: t.replace("970k", "97k"), "not what its claims say"),
        (("claims", 0, "text"), lambda t: t.replace("970k", "97k"), "Numbers that its source does not have (97"),
        (("claims", 0, "text"), lambda t: f"GPT4: {t}", "Names that its papers do not have (GPT4)"),
        (("claims", 1, "text"), lambda t: t.replace("beats", "loses to"), "Not the words of its source"),
        (("claims", 0, "text"), lambda _: "Bananas grow in warm countries.", "Hardly a word"),
        (("claims", 0, "citations"), lambda _: [], "No source"),
        (("claims", 0, "verdict"), lambda _: "unsupported", "Shown although unsupported"),
        (("citations", 0, "start"), lambda n: n + 1, "does not quote the characters"),
        (("citations", 0, "quote"), lambda t: t.replace("970k", "971k"), "does not quote the characters"),
        (("citations", 0, "marker"), lambda _: 7, "do not count from 1"),
        (("evidence", 0, "sentence", "text"), lambda t: t + "!", "does not stand where it says"),
        (("status",), lambda _: "abstained", "makes claims"),
        (("hits", 0, "paper", "abstract"), lambda t: t + " And more.", "The library has other words"),
        (("hits", 0, "paper", "id"), lambda _: "other", "no such paper"),
    ],
)
def test_a_forger_who_makes_a_new_digest_is_found_by_what_can_be_recomputed(path, change, says):
    problems = verify(resealed(changed(honest(), path, change)), [PAPER])
    assert any(says in problem for problem in problems), problems


def test_an_abstract_changed_together_with_its_quote_is_found_by_the_library():
    text = json.dumps(honest()).replace("970k", "123k")
    assert verify(resealed(json.loads(text))) == ()  # nothing within the receipt can tell
    assert verify(resealed(json.loads(text)), [PAPER]) == ("The library has other words for 'OpenVLA: An Open Model'.",)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_anything_else_is_a_problem_and_never_an_exception(value):
    assert verify(value)
    for name in ("claims", "citations", "evidence", "hits", "text"):
        assert verify({**honest(), name: value}) or value == honest()[name]
