"""Questions on other papers, to train on: what is read of them, and the examples that are made of them."""

import json
from collections import Counter

import pytest
from fakes import HashedEncoder

from eval.cases import CaseError
from eval.fits.answerable_data import bank_questions
from eval.fits.bank import BANK, KINDS, digest_of, group_of, read_bank, spelled, taken_over
from eval.fits.bank_library import found, library_of
from eval.fits.bearing_data import WRONG, bearings, clapnq_bearings, clapnq_fitted_on
from rag.corpus import read_library
from rag.settings import Settings

ABSTRACTS = {
    "MoleDig: Robots that dig": "Moles dig. MoleDig digs with robots. It needs two arms. We use no maps. It is quick.",
    "CupLift: Robots that lift": "Cups are heavy. CupLift lifts cups with robots. It needs a map of the room. It is slow.",
    "Whales and their songs": "Whales sing. We record songs at sea. Nobody had done that. Some are low.",
}
QUESTIONS = [
    ["compare", "How many arms does MoleDig need, and what does CupLift need?", {"0": [3], "1": [3]}],
    ["single", "what do they record", {"2": [2]}],
    ["near", "How low are the songs?", {"2": []}],
    ["list", "Which papers use robots?", {"0": [2], "1": [0, 2]}],
    ["list", "Which papers mention whales?", {"2": [1]}],
]


@pytest.fixture
def bank(tmp_path):
    sentences = [[digest_of(title), abstract.count(".")] for title, abstract in ABSTRACTS.items()]
    (tmp_path / "bank.json").write_text(json.dumps([{"papers": sentences, "questions": QUESTIONS}]))
    rows = [{"title": title, "abstract": abstract} for title, abstract in ABSTRACTS.items()]
    (tmp_path / "abstracts.jsonl").write_text("\n".join(map(json.dumps, [*rows, {"title": "No", "abstract": None}])))
    return tmp_path / "abstracts.jsonl", tmp_path / "bank.json"


def test_a_draft_is_put_together_of_its_sources_words_and_its_own(bank):
    abstracts, path = bank
    rows = json.loads(path.read_text())
    rows[0]["claims"] = [[2, [2], "Songs are recorded.", "neither"]]
    rows[0]["drafts"] = [[0, [2, 3], ["The digger", [1, 3], "and", [5, 5], "two arms."], "supported"]]
    path.write_text(json.dumps(rows))
    (group,) = read_bank(abstracts, path)
    (claim,), (draft,) = group.claims, group.drafts
    assert claim.evidence == ("Title: Whales and their songs", "We record songs at sea.")
    assert draft.claim == "The digger digs with robots. and needs two arms."
    assert draft.evidence == ("Title: MoleDig: Robots that dig", "MoleDig digs with robots.", "It needs two arms.")
    assert (claim.source, draft.source) == ("bank", "draft")
    assert group_of(claim) == group_of(draft) == "0"


def test_a_question_may_stand_there_in_other_words_too(bank):
    abstracts, path = bank
    rows = json.loads(path.read_text())
    rows[0]["questions"][1].append("Which sounds are kept on tape?")
    path.write_text(json.dumps(rows))
    (group,) = read_bank(abstracts, path)
    assert [asked.reworded for asked in group.asked] == ["", "Which sounds are kept on tape?", "", "", ""]
    *_, kept, left = bank_questions([group], HashedEncoder(), 2)  # the first group is left out
    assert kept == []
    assert {asked for asked, _, _ in left} == {"Which sounds are kept on tape?"}
    said = {is_there: [evidence for _, evidence, now in left if now == is_there] for is_there in (True, False)}
    assert all("We record songs at sea." in evidence for evidence in said[True])
    assert not any("We record songs at sea." in evidence for evidence in said[False])
    alone = [evidence for evidence in said[True] if evidence.count("Paper: ") == 1]
    assert alone == [evidence for evidence in alone if evidence.startswith("Paper: Whales and their songs")] != []


def test_every_question_to_one_paper_is_there_in_other_words():
    rows = [row for group in json.loads(BANK.read_text()) for row in group["questions"]]
    told = [row[3:] for row in rows if row[0] in ("single", "near")]
    assert len(told) == 1120
    assert all(len(words) == 1 and words[0].strip() for words in told)
    assert len({words[0] for words in told}) == 1120
    assert all(row[3:] != [row[1]] for row in rows)


def test_a_request_that_a_model_would_put_as_a_question_finds_nothing_without_one(bank):
    (group,) = read_bank(*bank)
    with library_of([group], HashedEncoder()) as rag:
        assert found(rag, "What do they record?")
        assert found(rag, "Could you pull up all the papers we have on whales?") == ()


@pytest.mark.parametrize("text", ["It digs with robots, and it needs two arms.", "Nothing of this.", "two arms.", ""])
def test_what_a_draft_takes_over_is_kept_as_places(text):
    sentences = ("MoleDig digs with robots.", "It needs two arms.")
    said = json.loads(json.dumps(taken_over(text, sentences)))
    assert spelled(said, sentences) == text
    assert not {"needs two", "two arms."} & {one for one in said if isinstance(one, str)}


def test_a_paper_is_asked_without_the_names_of_the_others(bank):
    (group,) = read_bank(*bank)
    compare = group.asked[0]
    assert compare.of(0, group.papers).split() == "How many arms does MoleDig need, and what does need?".split()
    assert "CupLift" in compare.of(1, group.papers)
    assert "MoleDig" not in compare.of(1, group.papers)
    assert group.sentences[0][2] == "It needs two arms."


def test_sentences_that_answer_stand_beside_some_that_do_not_each_behind_the_one_before(bank):
    found = bearings(read_bank(*bank), HashedEncoder())
    assert found == bearings(read_bank(*bank), HashedEncoder())
    asked = [one for one in found if one.kind == "single"]
    assert {one.asked for one in asked} == {"What do they record?"}
    assert [one.sentences for one in asked if one.answers] == ["(Before: Whales sing.)\nWe record songs at sea."]
    assert 1 <= sum(not one.answers for one in asked) <= WRONG
    assert not any(one.answers for one in found if one.kind == "near")


def test_a_list_holds_its_criterion_against_every_paper_and_words_alone_are_not_learnt(bank):
    listed = [one for one in bearings(read_bank(*bank), HashedEncoder()) if one.kind == "list"]
    assert {one.asked for one in listed} == {"The authors of this paper use robots."}
    assert [one.title for one in listed if one.answers] == [title for title in ABSTRACTS if "Robots" in title]
    assert "MoleDig digs with robots." in listed[0].sentences


def test_what_people_chose_of_a_passage_is_learnt_from_in_one_half(tmp_path):
    rows = [
        {
            "id": str(i), "input": f"who {i}", "output": [{"answer": "A.", "selected_sentences": ["He was one."]}],
            "passages": [{"title": "N", "text": "", "sentences": ["He was one.", "It rained.", " "]}],
        }
        for i in range(6)
    ]  # fmt: skip
    for name in ("answerable", "unanswerable"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = clapnq_bearings(tmp_path)
    assert {one.asked for one in first}.isdisjoint(one.asked for one in second)
    assert {f"Who {i}?" for i in clapnq_fitted_on(tmp_path)} == {one.asked for one in first}
    assert Counter((one.sentences, one.answers) for one in first) == {
        ("He was one.", True): 3,
        ("It rained.", False): 3,
    }


def test_a_file_that_lacks_a_paper_or_has_another_text_of_it_is_named(bank):
    abstracts, path = bank
    with pytest.raises(CaseError, match="There is no file"):
        read_bank(abstracts.with_name("none"), path)
    abstracts.write_text(abstracts.read_text().replace("It is quick.", ""))
    with pytest.raises(CaseError, match=r"“MoleDig: Robots that dig” has 4 sentences in abstracts.jsonl, not 5"):
        read_bank(abstracts, path)
    abstracts.write_text(abstracts.read_text().replace("MoleDig: Robots", "MoleDig: robots"))
    with pytest.raises(CaseError, match=r"is not in abstracts.jsonl"):
        read_bank(abstracts, path)


def test_a_malformed_file_of_abstracts_is_named(bank):
    abstracts, path = bank
    abstracts.write_text('{"title": "MoleDig"')
    with pytest.raises(CaseError, match=r"abstracts\.jsonl: JSONDecodeError"):
        read_bank(abstracts, path)


def test_the_banks_questions_are_well_formed_and_on_no_paper_of_the_library():
    rows = json.loads(BANK.read_text(encoding="utf-8"))
    titles = [title for row in rows for title, _ in row["papers"]]
    assert len(titles) == len(set(titles)) == 12 * len(rows)
    assert {title.casefold() for title in titles}.isdisjoint(
        p.title.casefold() for p in read_library(Settings().library)
    )
    asked = [(row, *question[:3]) for row in rows for question in row["questions"]]
    assert Counter(kind for _, kind, _, _ in asked) == {"compare": 560, "single": 700, "near": 420, "list": 560}
    assert set(KINDS) == {kind for _, kind, _, _ in asked}
    for row, kind, question, said in asked:
        assert question.strip() == question != ""
        numbers = {(int(place), number) for place, own in said.items() for number in own}
        assert all(0 <= number <= row["papers"][place][1] for place, number in numbers), question
        assert all(bool(own) == (kind != "near") for own in said.values()), question
        assert {"compare": 2 <= len(said) <= 4, "list": 1 <= len(said) <= 11}.get(kind, len(said) == 1), question
