"""A saved answer can be checked without a model, and every change to it is found."""

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Answer, Citation, Claim, Evidence, Hit, Paper, Passage, Sentence, verify
from rag.balance import Balance, Weighed
from rag.cli import main
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


def numbers(value, path=()):
    """Paths to every number in a JSON value."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(inner, (*path, key))


def marker_at(receipt, path):
    """The marker of the citation that `path` leads into; None where it leads into none."""
    for key in path[:-1]:
        receipt = receipt[key]
    return receipt.get("marker")


def alike(receipt, path):
    """The paths that say the same as `path`: a citation stands with the answer and with its claim."""
    marker = marker_at(receipt, path)
    if marker is None:
        return [path]
    return [p for p in numbers(receipt) if p[-1] == path[-1] and marker_at(receipt, p) == marker]


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


@given(st.data())
def test_any_number_changed_anywhere_is_found(data):
    receipt = honest()
    path = data.draw(st.sampled_from(list(numbers(receipt))))
    other = data.draw(st.integers(-200, 200).filter(bool))
    assert verify(changed(receipt, path, lambda n: n + other))


@given(st.data())
def test_offsets_moved_wherever_they_stand_are_found_though_a_new_digest_was_made(data):
    receipt = honest()
    path = data.draw(st.sampled_from([p for p in numbers(receipt) if p[-1] in ("start", "end")]))
    by = data.draw(st.integers(-200, 200).filter(bool))
    for place in alike(receipt, path):
        receipt = changed(receipt, place, lambda n: n + by)
    assert verify(resealed(receipt))


@given(st.data())
def test_offsets_that_count_from_the_end_are_found_though_they_point_to_the_same_words(data):
    receipt = honest()
    spans = [p[:-1] for p in numbers(receipt) if p[-1] == "start"]
    path = data.draw(st.sampled_from(spans))
    for name in ("start", "end"):
        for place in alike(receipt, (*path, name)):
            receipt = changed(receipt, place, lambda n: n - len(ABSTRACT))
    assert verify(resealed(receipt))


@given(st.data(), st.floats(max_value=-1e-9) | st.floats(min_value=1 + 1e-9) | st.just(float("nan")))
def test_a_score_that_is_none_is_found_though_a_new_digest_was_made(data, score):
    receipt = honest()
    places = [p for p in numbers(receipt) if p[-1] == "score" and p[0] in ("claims", "evidence")]
    assert verify(resealed(changed(receipt, data.draw(st.sampled_from(places)), lambda _: score)))


@pytest.mark.parametrize("score", [-1, float("nan"), float("inf"), "x", None])
def test_a_hits_score_is_a_number_from_0_on(score):
    told = verify(resealed(changed(honest(), ("hits", 0, "score"), lambda _: score)))
    assert any("has a score of" in line for line in told)


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
        (("citations", 0, "paper", "authors"), lambda _: ["Mallory"], "has another authors for"),
        (("evidence", 0, "paper", "year"), lambda _: 1999, "has another year for"),
        (("hits", 0, "paper", "doi"), lambda _: "10.666/x", "has another doi for"),
        (("claims", 0, "citations", 0, "paper", "url"), lambda _: "https://evil", "are not those of the answer"),
        (("hits", 0, "passage", "start"), lambda _: 3, "rank 1 does not stand where it says"),
        (("hits", 0, "rank"), lambda _: 2, "ranks do not count from 1"),
        (("surveyed",), lambda _: -5, "cannot be that -5 papers"),
        (("claims", 0, "score"), lambda _: 7, "A score of 7"),
        (("evidence", 0, "score"), lambda _: -0.1, "not from 0 to 1"),
        (("status",), lambda _: "proven", "'proven' is no status"),
    ],
)
def test_a_forger_who_makes_a_new_digest_is_found_by_what_can_be_recomputed(path, change, says):
    problems = verify(resealed(changed(honest(), path, change)), [PAPER])
    assert any(says in problem for problem in problems), problems


def test_an_abstract_changed_together_with_its_quote_is_found_by_the_library():
    text = json.dumps(honest()).replace("970k", "123k")
    assert verify(resealed(json.loads(text))) == ()  # nothing within the receipt can tell
    assert verify(resealed(json.loads(text)), [PAPER]) == ("The library has other words for 'OpenVLA: An Open Model'.",)


def test_the_text_of_one_that_was_declined_is_what_its_hits_give():
    hits = tuple(Hit(PAPER, Passage("openvla", 0, 0, 32, ABSTRACT[:32]), 0.2, rank) for rank in (1, 2))
    text = "The library does not say. The nearest papers are: OpenVLA: An Open Model; OpenVLA: An Open Model."
    declined = Answer(question="?", text=text, status="abstained", hits=hits)
    assert verify(declined.to_dict(), [PAPER]) == ()
    for said in ("OpenVLA cures cancer [1].", f"{text} It was proven.", "The library does not say."):
        problems = verify(resealed({**declined.to_dict(), "text": said}), [PAPER])
        assert problems == ("It is said to be declined, but its text says something else.",)


def test_every_copy_of_a_paper_is_held_against_the_library():
    receipt = honest()
    for path in (("citations", 1), ("claims", 1, "citations", 0)):
        receipt = changed(receipt, (*path, "paper", "authors"), lambda _: ["Mallory"])
    assert verify(resealed(receipt)) == ()  # nothing within the receipt can tell
    assert verify(resealed(receipt), [PAPER]) == ("The library has another authors for 'OpenVLA: An Open Model'.",)


def test_the_file_that_a_paper_was_read_from_may_be_another():
    assert verify(honest(), [replace(PAPER, source="elsewhere.bib")]) == ()


def test_what_is_nested_too_deep_is_a_problem_and_at_the_command_line_one_line(tmp_path, capsys):
    nested: dict = {}
    for _ in range(100_000):
        nested = {"a": nested}
    assert verify({**honest(), "timings": nested}) == ("It is nested too deep.",)
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000, "utf-8")
    assert main(["verify", str(deep)]) == 2
    said = capsys.readouterr().err
    assert said == f"footnote: {str(deep)!r} is nested too deep. Give what `footnote ask --json` printed.\n"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_anything_else_is_a_problem_and_never_an_exception(value):
    assert verify(value)
    for name in ("claims", "citations", "evidence", "hits", "text"):
        assert verify({**honest(), name: value}) or value == honest()[name]


def honest_claim() -> dict:
    other = Paper("rt2", "RT-2-X", "RT-2-X has 55B parameters. It was trained on 970k demonstrations.")

    def read(paper, start, end, score, place):
        return Evidence(place, paper, Sentence(paper.id, place, start, end, paper.abstract[start:end]), score)

    balance = Balance(
        "OpenVLA was trained on 970k demonstrations.",
        (
            Weighed(
                PAPER, "supports", 0.9, (read(PAPER, 0, 32, 0.8, 1), read(PAPER, 33, len(ABSTRACT), 0.5, 2)),
                (0.9, 0.04, 0.06), 0.3,
            ),
            Weighed(other, "silent", 0.25, (read(other, 27, 65, 0.4, 1),), (0.55, 0.2, 0.25), 0.3),
        ),
        among=9, near=2, model_id="a/model", prompt_id="verdict@1:0", timings={"total_s": 0.7},
    )  # fmt: skip
    return json.loads(json.dumps(balance.to_dict()))


def test_an_honest_weighed_claim_has_no_problems():
    assert verify(honest_claim()) == ()
    assert verify(honest_claim(), [PAPER, Paper(**{**honest_claim()["papers"][1]["paper"], "authors": ()})]) == ()


def test_any_changed_string_of_a_weighed_claim_is_noticed():
    for path in strings(honest_claim()):
        assert verify(changed(honest_claim(), path, lambda said: f"{said}x")), path


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("claim",), "OpenVLA was trained on 100k demonstrations.", "or its numbers, do not make it one that supports"),
        (("claim",), " ", "It states no claim."),
        (("papers", 0, "evidence", 0, "sentence", "text"), "We train on nothing.", "does not stand where it says"),
        (("papers", 0, "evidence", 1, "sentence", "start"), 34, "does not stand where it says"),
        (("papers", 0, "evidence", 0, "paper", "abstract"), "We train on 970k demonstrations. No.", "is not from"),
        (("papers", 0, "paper", "title"), "Another title", "is not from 'Another title'"),
        (("papers", 0, "stance"), "contradicts", "do not make it one that contradicts the claim"),
        (("papers", 1, "stance"), "supports", "do not make it one that supports the claim"),
        (("papers", 0, "stance"), "proves", "'proves' is no stance"),
        (("papers", 0, "probability"), 0.99, "Its probabilities"),
        (("papers", 0, "told"), [0.9, 0.9, 0.9], "These are no probabilities"),
        (("papers", 0, "told"), [0.1, 0.9, 0.0], "Its probabilities"),
        (("papers", 0, "evidence"), [], "Nothing was read of"),
        (("near",), 1, "It cannot be that 2 of 1 near"),
        (("among",), 1, "It cannot be that"),
    ],
)
def test_a_forged_weighed_claim_with_a_new_digest_is_found(path, value, said):
    assert any(said in problem for problem in verify(resealed(changed(honest_claim(), path, lambda _: value))))


def test_a_paper_counted_twice_and_one_that_the_library_does_not_have_are_found():
    twice = honest_claim()
    twice["papers"][1] = twice["papers"][0]
    assert "A paper is counted twice." in verify(resealed(twice))
    assert "The library has no such paper: 'RT-2-X'." in verify(honest_claim(), [PAPER])


@pytest.mark.parametrize(
    "junk", [{"claim": 1}, {"claim": "x", "papers": 3}, {"claim": "x", "papers": [{}], "among": 1, "near": 1}]
)
def test_what_is_no_weighed_claim_is_a_problem_and_no_exception(junk):
    assert verify(junk)
    broken = honest_claim()
    broken["papers"][0]["told"] = ["a", "b", "c"]
    assert verify(resealed(broken))


def test_a_claim_that_an_older_footnote_kept_still_holds():
    older = honest_claim()
    for name in ("model_id", "prompt_id", "timings"):
        del older[name]
    for one in older["papers"]:
        del one["told"], one["read_s"]
    saved = Balance.from_dict(older).to_dict()
    assert verify(json.loads(json.dumps(saved))) == ()


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        ({"a": 1}, "it has a field 'a', which none has."),
        ([], "it is no JSON object."),
        ({"question": "Why?"}, "it has no field 'text'."),
    ],
)
def test_what_is_no_answer_is_told_in_plain_words(receipt, said):
    assert verify(receipt) == (f"This is not a saved answer: {said}",)
