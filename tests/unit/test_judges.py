"""Judges, their features, the sets they are measured on, and the changes that probes make."""

import json

import numpy as np
import pytest
from fakes import HashedEncoder

from eval.__main__ import main
from eval.cases import CaseError
from eval.fits.feature_fit import fit, made
from eval.judges.by_name import LexicalJudge, open_judge
from eval.judges.changes import negated, with_another_number, with_names_swapped
from eval.judges.entailment import EntailmentJudge, class_of
from eval.judges.feature_judge import FeatureJudge, FeatureReader, Network
from eval.judges.features import NAMES, closest, features, numbers_of, read, split
from eval.judges.judgement import JudgeError, Judgement
from eval.judges.judging import agreement_table, measure
from eval.judges.labelled import Pair, read_pairs
from eval.judges.probes import probes
from rag.schema import Paper


def feature(name: str, claim: str, *sentences: str) -> float:
    taken = [read(s) for s in sentences]
    whole = read(claim)
    top = closest(whole, taken)
    return dict(zip(NAMES, features(whole, taken, top, [0.5] * len(top)), strict=True))[name]


def test_the_floor_is_the_share_of_content_stems():
    (judged,) = LexicalJudge().judge([(("Robots grasp cups.",), "Robots grasp plates")])
    assert judged.p_supported == pytest.approx(2 / 3)
    assert judged.p_supported + judged.p_contradicted + judged.p_neither == pytest.approx(1)


def test_no_evidence_supports_nothing():
    judge = FeatureJudge(HashedEncoder(), Network.load())
    assert [j.judge([((), "Robots grasp.")])[0].is_supported for j in (LexicalJudge(), judge)] == [False, False]
    assert judge.judge([]) == []


@pytest.mark.parametrize(
    ("name", "claim", "sentence", "expected"),
    [
        ("coverage", "Robots grasp plates", "The robots grasp cups.", 2 / 3),
        ("longest run", "we grasp red cups", "They grasp red plates.", 2 / 4),
        ("numbers missing", "12 tasks and 3 robots", "On 12 tasks.", 1 / 2),
        ("any number missing", "twelve tasks", "On 12 tasks.", 0.0),
        ("negation differs", "It does not help", "It does help.", 1.0),
        ("negation differs", "It does not help", "It fails to help.", 0.0),
        ("direction opposed", "Drugs increase risk", "Drugs lower risk.", 1.0),
        ("direction opposed", "Drugs increase risk", "Drugs raise risk.", 0.0),
        ("antonym", "The method is effective", "The method is ineffective.", 1.0),
        ("order", "Alpha beats Beta", "Beta beats Alpha.", 1 / 3),
        ("names out of order", "Now TACO beats CLIP", "Now CLIP beats TACO.", 1 / 2),
        ("names out of order", "Now TACO beats CLIP", "TACO clearly beats CLIP.", 0.0),
        ("number differs, words alike", "On 15 tasks", "On 12 tasks.", 1 / 3),
        ("order", "Alpha beats Beta", "Alpha clearly beats Beta.", 1.0),
    ],
)
def test_features_by_hand(name, claim, sentence, expected):
    assert feature(name, claim, sentence) == pytest.approx(expected)


def test_numbers_are_compared_as_values():
    assert numbers_of("24,000 of 3.60 in three") == {"24000", "3.6", "3"}


def test_a_citation_marker_is_no_number_of_the_claim():
    assert read("It won 3 of them [5], [1, 2].").numbers == {"3"}
    assert feature("any number missing", "It won 3 [5].", "It won 3.") == 0.0


def test_sentences_are_split_where_a_space_is_missing():
    assert split(["Skills need ability.OpenAI did it. Then?"]) == ["Skills need ability", "OpenAI did it.", "Then?"]


def test_changes_by_hand():
    assert negated("It is new.") == "It is not new."
    assert negated("Here we propose Alpha.") == "Here we do not propose Alpha."
    assert negated("Alpha wins.") is None
    assert with_another_number("On 12 tasks, by 3.6%.") == "On 15 tasks, by 3.6%."
    assert with_another_number("A gain of 3.6%.") == "A gain of 6.6%."
    assert with_another_number("Llama-3 wins.") is None
    assert with_names_swapped("TACO beats CLIP.") == "CLIP beats TACO."
    assert with_names_swapped("TACO wins.") is None


def test_a_network_learns_what_is_plain_and_is_the_same_twice():
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(90, len(NAMES)))
    labels = ["supported" if row[0] > 0 else "contradicted" if row[1] > 0 else "unsupported" for row in rows]
    pairs = [Pair(str(i), "s", ("e",), str(i), label) for i, label in enumerate(labels)]
    network = fit(rows, pairs)
    right = (network.probabilities(rows)[:, 0] > 0.5) == (rows[:, 0] > 0)
    assert right.mean() > 0.95
    assert network == fit(rows, pairs)
    assert np.allclose(network.probabilities(rows).sum(1), 1)


def test_a_saved_network_is_read_again_and_other_features_are_refused(tmp_path):
    network = Network.load()
    network.save(tmp_path / "n.json")
    assert Network.load(tmp_path / "n.json") == network
    facts = json.loads((tmp_path / "n.json").read_text())
    (tmp_path / "n.json").write_text(json.dumps({**facts, "features": ["one"]}))
    with pytest.raises(JudgeError, match="other features"):
        Network.load(tmp_path / "n.json")
    with pytest.raises(JudgeError, match="no fitted judge"):
        Network.load(tmp_path / "none.json")


def test_a_sentence_with_another_number_is_contradicted_even_if_the_number_stands_elsewhere():
    judge = FeatureJudge(HashedEncoder(), Network.load())
    evidence = ("Robots grasp red cups in 7 of many kitchens.", "We look at 10 plates.")
    (judged,) = judge.judge([(evidence, "Robots grasp red cups in 10 of many kitchens.")])
    assert judged == Judgement(0.0, 1.0, 0.0)


def test_a_text_is_embedded_once():
    encoder = HashedEncoder()
    FeatureReader(encoder).rows([(("One two.",), "Three four."), (("One two.",), "Three four.")])
    assert sorted(encoder.encoded) == ["One two.", "Three four."]


def test_an_unknown_judge_is_named_with_those_there_are():
    with pytest.raises(JudgeError, match="lexical, features"):
        open_judge("oracle")


def test_a_judge_without_weights_says_what_to_give(tmp_path):
    with pytest.raises(JudgeError, match="cannot be opened.*folder with"):
        EntailmentJudge(str(tmp_path))


def test_classes_are_read_from_the_models_own_names():
    assert class_of({0: "CONTRADICTION", 1: "neutral", 2: "entailment"}) == {
        "contradicted": 0,
        "neither": 1,
        "supported": 2,
    }
    with pytest.raises(JudgeError, match="LABEL_0"):
        class_of({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})


def scifact(folder, claim):
    (folder / "corpus.jsonl").write_text(json.dumps({"doc_id": 7, "abstract": ["One.", "Two."]}) + "\n")
    (folder / "claims_train.jsonl").write_text(json.dumps(claim) + "\n")
    return folder


def test_scifact_pairs_a_claim_with_each_cited_abstract(tmp_path):
    rationale = {"7": [{"sentences": [0], "label": "CONTRADICT"}]}
    claim = {"id": 1, "claim": "C", "evidence": rationale, "cited_doc_ids": [7]}
    assert read_pairs("scifact", scifact(tmp_path, claim)) == (
        Pair("1:7", "SciFact", ("One.", "Two."), "C", "contradicted"),
    )
    claim = {"id": 1, "claim": "C", "evidence": {}, "cited_doc_ids": [7]}
    assert read_pairs("scifact", scifact(tmp_path, claim))[0].label == "neither"


def test_healthver_and_attributionbench_are_read_in_their_own_formats(tmp_path):
    (tmp_path / "healthver_dev.csv").write_text('id,evidence,claim,label\n5,"A, b.",C,Refutes\n')
    assert read_pairs("healthver", tmp_path) == (Pair("5:2", "HealthVer", ("A, b.",), "C", "contradicted"),)
    row = {"id": "x", "src_dataset": "S", "references": ["R"], "claim": "C", "attribution_label": "not attributable"}
    (tmp_path / "dev_all_subset_balanced.jsonl").write_text(json.dumps(row))
    assert read_pairs("attributionbench", tmp_path) == (Pair("x", "S", ("R",), "C", "unsupported"),)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is not an object"),
        ('{"references": "R"}', "'references' is 'R'"),
        ('{"references": ["R"], "attribution_label": "maybe"}', "'attribution_label' is 'maybe'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, row, said):
    path = tmp_path / "dev.jsonl"
    path.write_text(row)
    with pytest.raises(CaseError, match=r"dev\.jsonl, line 1") as error:
        read_pairs("attributionbench", path)
    assert said in str(error.value)


def test_a_missing_set_says_what_was_looked_for_and_where_to_get_it(tmp_path):
    with pytest.raises(CaseError, match=r"claims_\*\.jsonl.*github\.com/allenai/scifact"):
        read_pairs("scifact", tmp_path / "none")
    for name in ("claims_train.jsonl", "claims_dev.jsonl"):
        (tmp_path / name).write_text("")
    with pytest.raises(CaseError, match="claims_dev.jsonl, claims_train.jsonl.*--split"):
        read_pairs("scifact", tmp_path)


def test_the_floor_stands_beside_every_judge():
    pairs = [Pair("1", "A", ("Cups.",), "Cups", "supported"), Pair("2", "B", ("Cups.",), "Plates", "contradicted")]
    result = measure(FeatureJudge(HashedEncoder(), Network.load()), pairs)
    assert list(result["judges"]) == [f"features@{Network.load().version}", "lexical@1"]
    assert result["judges"]["lexical@1"]["by source"]["all"]["auroc_against_contradicted"] == 1.0
    assert "lexical@1" in agreement_table(result)


def test_probes_of_the_floor_by_hand():
    cups = Paper("a", "Cups", "Robots can grasp 12 red cups with TACO and CLIP.")
    plates = Paper("b", "Plates", "Nobody has ever washed seven blue plates before.")
    with pytest.raises(CaseError, match="no wrong abstract"):
        probes(LexicalJudge(), [cups], lambda _s, paper: paper)
    found = probes(LexicalJudge(), [cups, plates], lambda _s, paper: plates if paper is cups else cups)
    assert found["own sentence rejected"].value == 0
    assert found["best wrong abstract by BM25 let through"].value == 0
    assert (found["negated let through"].value, found["negated let through"].n) == (1.0, 2)
    assert (found["names swapped let through"].value, found["names swapped let through"].left_out) == (1.0, 1)


def test_pairs_are_made_from_abstracts_the_same_way_each_time():
    pairs = [
        Pair(str(i), "SciFact", (f"Alpha {i} is a drug for mice.", f"It was found in {i + 2} cells."), "c", "neither")
        for i in range(3)
    ]
    assert made(pairs, 10) == made(pairs, 10)
    assert {pair.label for pair in made(pairs, 10)} == {"supported", "neither", "contradicted"}


def test_a_model_from_a_folder_judges_by_its_own_class_names(tmp_path):
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = "[PAD] [UNK] [CLS] [SEP] [MASK] robots grasp cups".split()
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "vocab.txt"), model_max_length=16).save_pretrained(tmp_path)
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
            num_labels=3, id2label={0: "contradiction", 1: "entailment", 2: "neutral"},
        )
    )  # fmt: skip
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 2.0, 1.0]))
    model.save_pretrained(tmp_path)
    judged = open_judge(f"nli:{tmp_path}").judge([(("robots grasp cups " * 20,), "robots grasp"), (("cups",), "cups")])
    expected = torch.tensor([2.0, 0.0, 1.0]).softmax(0).tolist()
    for one in judged:
        assert [one.p_supported, one.p_contradicted, one.p_neither] == pytest.approx(expected)


def test_the_command_measures_a_judge_and_writes_a_page(tmp_path, capsys):
    rationale = {"7": [{"sentences": [0], "label": "SUPPORT"}]}
    folder = scifact(tmp_path, {"id": 1, "claim": "One", "evidence": rationale, "cited_doc_ids": [7]})
    said = ["judge", "--set", "scifact", "--data", str(folder), "--judge", "lexical"]
    assert main([*said, "--report", str(tmp_path / "judge.html")]) == 0
    said_so = capsys.readouterr()
    assert "lexical@1" in said_so.out
    for judge in ("features", "verdict"):
        assert f"The judge '{judge}' was fitted on scifact's 'train' pairs" in said_so.err
    assert "<svg" in (tmp_path / "judge.html").read_text()
    assert main([*said, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["judges"]["lexical@1"]["by source"]["SciFact"]["n"] == 1


@pytest.mark.parametrize("asked", [("--probes",), ("--fit", "features", "--data", "folder")])
def test_a_page_is_refused_where_there_is_no_plot_to_put_on_it(asked, tmp_path, capsys):
    assert main(["judge", *asked, "--report", str(tmp_path / "judge.html")]) == 2
    assert "--report goes with --set" in capsys.readouterr().err


def test_a_fit_without_data_says_what_to_give(capsys):
    assert main(["judge", "--fit", "verdict"]) == 2
    assert "--data FOLDER" in capsys.readouterr().err
