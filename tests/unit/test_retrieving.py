"""Public sets: what is read, what is measured, and what is said where a file is missing."""

import argparse
import json
import math
import random
from types import SimpleNamespace

import pytest
import pytrec_eval
from sklearn.metrics import f1_score

from eval.__main__ import main
from eval.benchmarks.deciding import calibrated, likeliest, logprobs, macro_f1, read_pubmedqa
from eval.benchmarks.declining import read_clapnq
from eval.benchmarks.library_speed import library_speed
from eval.benchmarks.retrieving import PLACE, measured, read_cranfield, read_scifact
from eval.cases import CaseError
from eval.metrics.ranking import average_precision, ndcg_at, reciprocal_rank, set_recall
from rag import Rag
from rag.schema import Hit, Paper, Passage

FIRST, SECOND = (Paper(c, c, "x.", url=f"{PLACE}{n}") for c, n in (("a", 7), ("b", 8)))


class Ranking:
    papers = (FIRST, SECOND)

    def retrieve(self, claim, k):
        return tuple(Hit(p, Passage(p.id, 0, 0, 2, "x."), 1.0, n) for n, p in enumerate(self.papers, start=1))


def test_a_claim_finds_what_it_cites():
    found = measured(Ranking(), [("one", {"7": 1.0}), ("two", {"8": 1.0})])
    assert found["MRR@10"] == pytest.approx(0.75)
    assert found["MAP@100"] == pytest.approx(0.75)
    assert found["nDCG@10"] == pytest.approx((1 + 0.6309297535714575) / 2)
    assert found["recall@10"] == 1.0


def test_ranking_figures_are_what_trec_eval_says():
    draw = random.Random(1)
    ids = [f"d{i}" for i in range(30)]
    gains = {f"q{q}": {d: draw.choice([0, 0, 1, 1, 2, 3]) for d in draw.sample(ids, 12)} for q in range(40)}
    rankings = {q: draw.sample(ids, 20) for q in gains}
    runs = {q: {d: float(-rank) for rank, d in enumerate(ranking)} for q, ranking in rankings.items()}
    theirs = pytrec_eval.RelevanceEvaluator(gains, {"ndcg_cut_10", "recip_rank", "map", "recall_10"}).evaluate(runs)
    for q, ranking in rankings.items():
        relevant = {d for d, gain in gains[q].items() if gain > 0}
        assert ndcg_at(ranking, gains[q], 10) == pytest.approx(theirs[q]["ndcg_cut_10"])
        assert reciprocal_rank(ranking, relevant) == pytest.approx(theirs[q]["recip_rank"])
        assert average_precision(ranking, relevant) == pytest.approx(theirs[q]["map"])
        assert set_recall(ranking[:10], relevant) == pytest.approx(theirs[q]["recall_10"])


def test_average_precision_by_hand():
    assert average_precision(["a", "x", "b"], {"a", "b", "c"}) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(["a"], set()) is None


def test_a_missing_file_says_where_to_get_it(tmp_path):
    with pytest.raises(CaseError, match=r"corpus\.jsonl.*github\.com/allenai/scifact"):
        read_scifact(tmp_path, "train")
    with pytest.raises(CaseError, match=r"cran\.all\.1400\.xml.*cranfield"):
        read_cranfield(tmp_path)
    with pytest.raises(CaseError, match=r"\*pqal\*\.json.*github\.com/pubmedqa"):
        read_pubmedqa(tmp_path)
    with pytest.raises(CaseError, match=r"\*answerable\.jsonl.*github\.com/primeqa/clapnq"):
        read_clapnq(tmp_path)


def test_cranfield_is_read_as_its_files_are(tmp_path):
    (tmp_path / "cran.all.1400.xml").write_text(
        "<doc><docno>1</docno><title>wings\nin air</title><text>lift  grows .</text></doc>"
        "<doc><docno>2</docno><title>empty</title><text></text></doc>"
    )
    (tmp_path / "cran.qry.xml").write_text(
        "<?xml version='1.0' encoding='utf-8'?><xml><top><num> 1</num><title>does lift grow</title></top>"
        "<top><num> 4</num><title>second asked</title></top></xml>"
    )
    (tmp_path / "cranqrel.trec.txt").write_text("1 0 1 1\n2 0 1 3\n2 0 2 0\n")
    found = read_cranfield(tmp_path)
    assert found.abstracts == (("1", "wings in air", "lift grows ."),)
    # judgements count questions, they do not use the questions' numbers
    assert found.questions == (("does lift grow", {"1": 1.0}), ("second asked", {"1": 3.0}))
    (tmp_path / "cran.qry.xml").write_text("<top>")
    with pytest.raises(CaseError, match="not XML"):
        read_cranfield(tmp_path)


def test_scifact_is_read_as_its_files_are(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"doc_id": 7, "title": "T", "abstract": ["One.", "Two."]}\n')
    rows = [{"claim": "C", "cited_doc_ids": [7]}, {"claim": "D", "cited_doc_ids": []}]
    (tmp_path / "claims_dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_scifact(tmp_path, "dev")
    assert (found.abstracts, found.questions) == ((("7", "T", "One. Two."),), (("C", {"7": 1.0}),))


def test_pubmedqa_names_what_is_wrong(tmp_path):
    path = tmp_path / "ori_pqal.json"
    path.write_text(json.dumps({"5": {"QUESTION": "Q?", "CONTEXTS": ["a"], "final_decision": "perhaps"}}))
    with pytest.raises(CaseError, match="5: 'final_decision' is 'perhaps'"):
        read_pubmedqa(tmp_path)
    path.write_text(json.dumps({"5": {"QUESTION": "Q?", "CONTEXTS": "a"}}))
    with pytest.raises(CaseError, match="5: 'CONTEXTS' is 'a'"):
        read_pubmedqa(path)


def test_clapnq_keeps_the_two_kinds_apart(tmp_path):
    row = {
        "id": "1",
        "input": "q",
        "passages": [{"title": "T", "text": "x"}],
        "output": [{"answer": "A"}, {"answer": ""}],
    }
    (tmp_path / "answerable.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "unanswerable.jsonl").write_text(json.dumps({**row, "output": [{"answer": ""}]}) + "\n")
    first, second = read_clapnq(tmp_path)
    assert (first[0].answers, second[0].answers) == (("A",), ())
    (tmp_path / "unanswerable.jsonl").write_text('{"id": "1"}\n')
    with pytest.raises(CaseError, match=r"unanswerable\.jsonl, line 1: KeyError\('passages'\)"):
        read_clapnq(tmp_path)


def test_a_clapnq_folder_may_have_un_in_its_files_names(tmp_path):
    row = {"id": "1", "input": "q", "passages": [{"title": "T", "text": "x"}], "output": [{"answer": "A"}]}
    (tmp_path / "dev_unseen_answerable.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "dev_unseen_unanswerable.jsonl").write_text(json.dumps({**row, "output": []}) + "\n")
    first, second = read_clapnq(tmp_path)
    assert (first[0].answers, second[0].answers) == (("A",), ())


def test_a_library_that_is_measured_leaves_nothing_in_the_readers_home(tmp_path, monkeypatch):
    opened = []

    class Changing:
        papers = (FIRST, SECOND)

        def __init__(self, settings):
            opened.append(settings)
            (settings.home / "index").mkdir(parents=True, exist_ok=True)
            self.library = SimpleNamespace(add=print, undo=print, remove=print)

        def retrieve(self, question):
            return ()

        def close(self):
            pass

    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    monkeypatch.setattr(Rag, "open", lambda settings, report: Changing(settings))
    monkeypatch.setattr("eval.benchmarks.library_speed._POINTS", (3,))
    told = library_speed(argparse.Namespace(runs=1))
    assert told["removing one paper, s"] >= 0
    own, other = opened
    assert own.home == tmp_path
    assert other.home != own.home
    assert not other.home.exists()


@pytest.mark.parametrize("arguments", [("load",), ("llama", "--gguf", "x")])
def test_runs_are_refused_where_nothing_is_run_more_than_once(arguments, capsys):
    with pytest.raises(SystemExit):
        main(["bench", *arguments, "--runs", "3"])
    assert "--runs" in capsys.readouterr().err


def test_macro_f1_is_what_scikit_learn_says():
    draw = random.Random(2)
    labels, said = ([draw.choice(["yes", "no", "maybe"]) for _ in range(60)] for _ in range(2))
    assert macro_f1(labels, said) == pytest.approx(f1_score(labels, said, average="macro"))
    assert macro_f1([], []) == 0


def test_the_likeliest_word_decides():
    model = SimpleNamespace(first_word_logprobs=lambda _messages, words: [-3.0, -1.0, -2.0])
    assert likeliest([logprobs(SimpleNamespace(model=model), "Q?", "")]) == ["no"]
    with pytest.raises(CaseError, match="does not tell its probabilities"):
        logprobs(SimpleNamespace(model=object()), "Q?", "")


def test_calibrating_takes_away_what_a_model_says_to_everything():
    told = [[math.log(p) for p in row] for row in ([0.9, 0.08, 0.02], [0.6, 0.38, 0.02], [0.6, 0.1, 0.3])]
    assert likeliest(told) == ["yes", "yes", "yes"]
    assert likeliest(calibrated(told)) == ["yes", "no", "maybe"]
    assert calibrated(told)[1][1] == pytest.approx(math.log(0.38 / ((0.08 + 0.38 + 0.1) / 3)))
    assert likeliest(calibrated([[0.0, -math.inf, -1.0]])) == ["yes"]
