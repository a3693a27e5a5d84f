"""What `eval judge` says beside its figures: intervals, how far people agree, what it was made with."""

import json

import pytest

from eval.__main__ import main
from eval.judges.by_name import LexicalJudge
from eval.judges.human_agreement import BY_SET, NONE_KNOWN, lines_for
from eval.judges.judge_page import page
from eval.judges.judging import agreement_table, measure, measure_on
from eval.judges.labelled import SETS, Pair

PAIRS = [
    Pair("1", "SciFact", ("Robots grasp cups.",), "Robots grasp cups", "supported"),
    Pair("2", "SciFact", ("Robots grasp cups.",), "Nobody washes plates", "neither"),
    Pair("3", "SciFact", ("Robots grasp cups.",), "Nobody grasps robots", "neither"),
]


@pytest.fixture
def scifact(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"doc_id": 7, "abstract": ["Robots grasp cups."]}) + "\n")
    evidence = {"7": [{"sentences": [0], "label": "SUPPORT"}]}
    rows = [
        {"id": 1, "claim": "Robots grasp cups", "evidence": evidence, "cited_doc_ids": [7]},
        {"id": 2, "claim": "Nobody washes plates", "evidence": {}, "cited_doc_ids": [7]},
    ]
    (tmp_path / "claims_train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_every_source_has_intervals_around_its_figures():
    row = measure(LexicalJudge(), PAIRS)["judges"]["lexical@1"]["by source"]["SciFact"]
    assert set(row["intervals"]) == {"macro_f1", "balanced_accuracy", "auroc"}
    for name, (low, high) in row["intervals"].items():
        assert low <= row[name] <= high
    assert row["intervals"]["macro_f1"][0] < row["intervals"]["macro_f1"][1]


def test_the_table_and_the_page_print_the_interval_beside_its_figure():
    result = measure(LexicalJudge(), PAIRS)
    row = result["judges"]["lexical@1"]["by source"]["SciFact"]
    low, high = row["intervals"]["macro_f1"]
    said = f"{row['macro_f1']:.3f} [{low:.3f}, {high:.3f}]"
    assert said in agreement_table(result)
    assert f"<td>{said}" in page(result, "t")
    assert "<th>intervals" not in page(result, "t")


def test_a_source_of_one_class_has_figures_without_intervals():
    result = measure(LexicalJudge(), PAIRS[:1])
    assert set(result["judges"]["lexical@1"]["by source"]["SciFact"]["intervals"].values()) == {None}
    assert "[" not in agreement_table(result)


def test_peoples_agreement_stands_beside_the_judges_in_table_page_and_json():
    result = measure_on("scifact", LexicalJudge(), PAIRS)
    assert [one["kappa"] for one in result["human agreement"]["figures"]] == [0.75]
    for text in (agreement_table(result), page(result, "t")):
        assert "kappa 0.75 of two annotators" in text
        assert "Wadden et al. 2020" in text


def test_every_set_has_its_published_agreement_or_is_said_to_have_none():
    assert set(BY_SET) == set(SETS)
    assert lines_for("healthver") == [NONE_KNOWN]
    assert f"people: {NONE_KNOWN}" in agreement_table(measure_on("healthver", LexicalJudge(), PAIRS))
    assert [one.kappa for one in BY_SET["attributionbench"]] == [0.698, 0.525]
    assert all("not with each other" in line for line in lines_for("attributionbench")), "a model with people"
    assert all(one.source for figures in BY_SET.values() for one in figures)


def test_a_measurement_says_what_it_was_made_with(scifact, capsys):
    asked = ["judge", "--set", "scifact", "--data", str(scifact), "--judge", "lexical"]
    assert main([*asked, "--json", "--report", str(scifact / "judge.html")]) == 0
    result = json.loads(capsys.readouterr().out)
    made = result["made_with"]
    assert (made["judge"], made["measured on"]) == ("lexical@1", "2 pairs of scifact")
    assert made["commit"]
    assert "Python 3" in made["machine"]
    footer = agreement_table(result).splitlines()[-1]
    assert footer.startswith(f"judge lexical@1 | measured on 2 pairs of scifact | commit {made['commit']} | machine ")
    assert f"commit: {made['commit']}" in (scifact / "judge.html").read_text()
