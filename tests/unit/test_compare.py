"""Two runs side by side: what they were made with otherwise, what they share, and which questions changed most."""

import json

import pytest

from eval.__main__ import main
from eval.cases import CaseError
from eval.compare import difference, made_otherwise, read_made_with, read_values, shared_questions, table


@pytest.fixture
def kept(tmp_path):
    def keep(name, values, **made_with):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scores.json").write_text(json.dumps({"values": values, "made_with": made_with}))
        return str(tmp_path / name)

    return keep


def test_what_two_runs_were_made_with_otherwise_is_told(kept, capsys):
    a = kept("a", {"right": {"q": True}}, judge="features@4", model="1.5B", library="l1", commit="c")
    b = kept("b", {"right": {"q": True}}, judge="verdict@1", model="1.5B", commit="c")
    assert main(["compare", a, b]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["judge differs: A features@4 | B verdict@1", "library differs: A l1 | B not told"]
    assert "p McNemar" in said[2], "nothing else differs"
    assert main(["compare", a, b, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made_with"] == {
        "judge": ["features@4", "verdict@1"],
        "library": ["l1", "not told"],
    }


def test_free_memory_does_not_make_another_machine():
    one, same, other = (
        {"machine": f"{cores} cores (AVX2), {free} GiB of memory free, GPU with {free + 9} GiB free; Python 3.11"}
        for cores, free in ((2, 5), (2, 61), (4, 5))
    )
    assert made_otherwise(one, same) == {}
    assert made_otherwise(one, other) == {"machine": (one["machine"], other["machine"])}


def test_runs_without_a_question_in_common_are_refused(kept, capsys):
    a, b = kept("a", {"right": {"q1": True, "q2": None}}), kept("b", {"right": {"q3": True}})
    assert main(["compare", a, b]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("footnote: No question is in both")
    assert "(2 questions)" in told.err
    assert told.err.count("\n") == 1


def test_how_many_questions_the_runs_share_is_told_where_they_are_not_the_same(kept, capsys):
    a, b = kept("a", {"right": {"q1": True, "q2": True}}), kept("b", {"right": {"q1": True}, "other": {"q9": 1.0}})
    assert shared_questions({"x": {"q1": 1}, "y": {"q2": 1}}, {"x": {"q2": None}}) == (2, 1, 1)
    assert main(["compare", a, b]) == 0
    assert "1 questions are in both, of 2 in A and 2 in B" in capsys.readouterr().out
    assert main(["compare", a, a]) == 0
    assert "are in both" not in capsys.readouterr().out


def test_questions_that_changed_are_listed_for_every_figure_the_largest_change_first():
    before = {f"q{i}": 0.5 for i in range(20)}
    after = {f"q{i}": 0.5 + (i - 10) / 100 for i in range(20)}
    found = difference("faithfulness", before, after)
    assert found.worse[:3] == ("q0", "q1", "q2")
    assert found.better == tuple(f"q{i}" for i in range(19, 10, -1))
    assert found.changes["q0"] == pytest.approx(-0.1)
    assert "q10" not in found.changes
    said = table([found], [])
    assert "faithfulness better: q19 (+0.09), q18 (+0.08), " in said
    assert "faithfulness worse: q0 (-0.1), q1 (-0.09), " in said
    assert "q7 (-0.03) and 2 more" in said


def test_of_a_yes_or_no_figure_every_question_that_changed_is_listed():
    before = {f"q{i}": True for i in range(20)}
    found = difference("right", before, dict.fromkeys(before, False))
    assert f"right worse: {', '.join(before)}" in table([found], []).splitlines()


def test_of_what_is_better_when_smaller_a_fall_is_better():
    found = difference("copy ratio", {"a": 0.9, "b": 0.5}, {"a": 0.2, "b": 0.6})
    assert (found.better, found.worse) == (("a",), ("b",))


@pytest.mark.parametrize("content", [b"[1]", b"\xff", b"{", b'{"values": {"right": 3}}'])
def test_scores_that_cannot_be_read_are_named(tmp_path, content):
    (tmp_path / "scores.json").write_bytes(content)
    with pytest.raises(CaseError, match=r"scores\.json"):
        read_values(tmp_path)


def test_a_run_that_does_not_tell_what_it_was_made_with_is_compared_all_the_same(tmp_path):
    (tmp_path / "scores.json").write_text('{"values": {}}')
    assert read_made_with(tmp_path) == {}
