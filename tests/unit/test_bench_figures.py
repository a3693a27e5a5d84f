"""Figures of public sets: each with n and a 95 % interval, and with what it was made with."""

import json
import math
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import quoting_rag

from eval.__main__ import main
from eval.benchmarks import deciding, declining, retrieving
from eval.benchmarks.bench_result import lines, spread
from eval.benchmarks.deciding import macro_f1, macro_f1_figure
from eval.benchmarks.retrieving import PLACE, measured
from eval.metrics.abstention import abstention, abstention_figures, area_figure, area_under_risk
from eval.metrics.answers import RESAMPLES, Figure, figure
from eval.metrics.bootstrap import bootstrap
from rag.schema import Answer, Hit, Paper, Passage

FIRST, SECOND = (Paper(c, c, "x.", url=f"{PLACE}{n}") for c, n in (("a", 7), ("b", 8)))


def mean(values):
    return sum(values) / len(values) if values else None


def test_the_bootstrap_of_a_mean_is_that_of_figure():
    values = [0.0, 1.0, 1.0, 0.25, 0.5, 1.0]
    assert bootstrap(mean, values, seed=3) == figure(values, seed=3)


def test_the_bootstrap_has_the_width_that_theory_gives():
    values = list(np.random.default_rng(0).normal(size=400))
    found = bootstrap(mean, values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(values) / math.sqrt(400), rel=0.08)
    assert RESAMPLES == 2000


def test_what_is_undefined_has_no_figure_and_drawings_in_which_it_is_are_left_out():
    assert bootstrap(mean, []) == Figure(None, None, None, 0, 0)
    assert bootstrap(lambda _drawn: None, [1, 2]) == Figure(None, None, None, 0, 2)
    share_of_twos = bootstrap(lambda drawn: 1.0 if 2 in drawn else None, [1, 2])
    assert (share_of_twos.value, share_of_twos.low, share_of_twos.high) == (1.0, 1.0, 1.0)


def test_declining_has_an_interval_around_each_figure_and_says_of_how_many():
    answerable = [True] * 30 + [False] * 20
    declined = [True] * 3 + [False] * 27 + [True] * 15 + [False] * 5
    found = abstention_figures(answerable, declined)
    plain = abstention(answerable, declined)
    assert {name: one.value for name, one in found.items()} == {
        "precision": plain.precision, "recall": plain.recall, "f1": plain.f1, "false_refusals": plain.false_refusals,
    }  # fmt: skip
    assert {name: one.n for name, one in found.items()} == {
        "precision": 18, "recall": 20, "f1": 50, "false_refusals": 30,
    }  # fmt: skip
    for one in found.values():
        assert one.low < one.value < one.high
    # a share of 20 is about normal: 0.75 +- 1.96 * sqrt(0.75 * 0.25 / 20)
    assert found["recall"].high - found["recall"].low == pytest.approx(2 * 1.96 * math.sqrt(0.75 * 0.25 / 20), rel=0.15)
    assert found == abstention_figures(answerable, declined), "the same each time"
    assert abstention_figures([True], [False])["recall"].value is None


def test_the_area_under_risk_has_an_interval():
    scores, right = [i / 40 for i in range(40)], [i % 4 > 0 for i in range(40)]
    found = area_figure(scores, right)
    assert found.value == area_under_risk(scores, right)
    assert 0 <= found.low < found.value < found.high < 1
    assert (found.n, area_figure([], []).value) == (40, None)


def test_macro_f1_has_an_interval():
    labels = ["yes", "no", "maybe"] * 20
    said = ["yes"] * 30 + ["no"] * 30
    found = macro_f1_figure(labels, said)
    assert found.value == macro_f1(labels, said)
    assert found.low < found.value < found.high
    assert found.n == 60


def test_every_figure_of_a_ranking_has_n_and_an_interval():
    class Ranking:
        papers = (FIRST, SECOND)

        def retrieve(self, claim, k):
            return tuple(Hit(p, Passage(p.id, 0, 0, 2, "x."), 1.0, n) for n, p in enumerate(self.papers, start=1))

    found = measured(Ranking(), [("one", {"7": 1.0}), ("two", {"8": 1.0})])
    for name in ("nDCG@10", "MRR@10", "recall@10", "recall@100", "MAP@100"):
        assert found[f"{name}, n"] == 2
        assert found[f"{name}, 95 % from"] <= found[name] <= found[f"{name}, 95 % to"]
    assert (found["MRR@10, 95 % from"], found["MRR@10, 95 % to"]) == (0.5, 1.0)


def test_a_figure_is_printed_in_one_line_with_interval_and_n_and_what_it_was_made_with_in_the_last():
    result = {
        "questions": 4,
        **spread("accuracy", Figure(0.5, 0.25, 0.75, 4, 0)),
        **spread("nothing", Figure(None, None, None, 0, 4)),
        "published": 0.4,
        "made_with": {"model": "m", "commit": "c", "machine": "2 cores"},
    }
    assert [" ".join(line.split()) for line in lines(result)] == [
        "questions 4", "accuracy 0.500 [0.250, 0.750] n=4", "nothing – n=0", "published 0.400",
        "model m | commit c | machine 2 cores",
    ]  # fmt: skip
    assert json.loads(json.dumps(result)) == result


def test_a_judges_benchmark_prints_what_it_was_made_with(tmp_path, capsys):
    path = tmp_path / "healthver_dev.csv"
    path.write_text("id,evidence,claim,label\n1,Cups are red,Cups are red,Supports\n2,Cups are red,Plates,Refutes\n")
    arguments = ["bench", "healthver", "--data", str(path), "--judge", "lexical"]
    assert main(arguments) == 0
    assert "judge lexical@1 | measured on 2 pairs of healthver | commit " in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made_with"]["judge"] == "lexical@1"


class Library:
    """Stands for `open_library`: declines what is asked with "not" in it, finds its papers in order."""

    description = SimpleNamespace(line="a fake")
    settings = SimpleNamespace(id="s")

    def __init__(self, _options, abstracts):
        self.papers = tuple(Paper(n, title, text, url=f"{PLACE}{n}") for n, title, text in abstracts)
        self.model = SimpleNamespace(first_word_logprobs=lambda _messages, words: [-1.0, -2.0, -3.0])

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def ask(self, question, where):
        return Answer(question, "x y", "abstained" if "not" in question else "answered")

    def retrieve(self, question, k):
        return tuple(Hit(p, Passage(p.id, 0, 0, 2, "x."), 1.0, n) for n, p in enumerate(self.papers, start=1))


def test_clapnq_tells_every_figure_with_its_interval_and_what_it_was_made_with(tmp_path, monkeypatch):
    monkeypatch.setattr(declining, "open_library", Library)
    passage = {"title": "T", "text": "x", "sentences": ["x"]}
    for name, text, output in (("answerable", "why", [{"answer": "x z"}]), ("unanswerable", "why not", [])):
        rows = ({"id": f"{name}{n}", "input": text, "passages": [passage], "output": output} for n in range(12))
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = declining.clapnq(SimpleNamespace(data=tmp_path, limit=None, kind="clapnq"))
    assert found["abstention recall"] == found["abstention recall, 95 % from"] == 1.0
    assert found["abstention recall, n"] == found["unanswerable"] > 0
    assert found["abstention false_refusals, n"] == found["answerable"] > 0
    assert found["token F1 of answers (best of references)"] == pytest.approx(0.5)
    assert found["right to answer or decline, n"] == found["answerable"] + found["unanswerable"]
    assert found["made_with"]["model"] == "a fake"
    assert {"commit", "machine", "questions"} < set(found["made_with"])


def test_pubmedqa_tells_macro_f1_with_its_interval_and_what_it_was_made_with(tmp_path, monkeypatch):
    monkeypatch.setattr(deciding, "open_library", Library)
    decided = ["yes", "yes", "no", "maybe"] * 5
    rows = {str(n): {"QUESTION": "Q?", "CONTEXTS": ["a"], "final_decision": d} for n, d in enumerate(decided)}
    (tmp_path / "ori_pqal.json").write_text(json.dumps(rows))
    found = deciding.pubmedqa(SimpleNamespace(data=tmp_path, limit=None, kind="pubmedqa"))
    for name in ("accuracy, gold abstract", "macro-F1, gold abstract", "right abstract first"):
        assert found[f"{name}, n"] == 20
        assert found[f"{name}, 95 % from"] < found[name] < found[f"{name}, 95 % to"]
    assert found["accuracy, gold abstract"] == 0.5
    assert found["made_with"]["model"] == "a fake"


def test_retrieval_on_a_public_set_tells_its_parts_with_intervals_and_its_embedder(tmp_path, monkeypatch):
    @contextmanager
    def library(_options, abstracts):
        yield quoting_rag(tmp_path / "index", [Paper(n, t, x, url=f"{PLACE}{n}") for n, t, x in abstracts])

    monkeypatch.setattr(retrieving, "open_library", library)
    about = {"7": "whale songs carry far", "8": "bees dance for food", "9": "ants lay trails"}
    rows = ({"doc_id": int(n), "title": text, "abstract": [f"We show that {text}."]} for n, text in about.items())
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = ({"claim": text, "cited_doc_ids": [int(n)]} for n, text in about.items())
    (tmp_path / "claims_train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = retrieving.retrieval(SimpleNamespace(data=tmp_path, split="train", limit=None, kind="scifact"))
    for name in ("nDCG@10", "nDCG@10, meaning alone", "nDCG@10, BM25 alone", "MRR@10"):
        assert (found[name], found[f"{name}, 95 % from"], found[f"{name}, n"]) == (1.0, 1.0, 3)
    assert found["made_with"]["model"].startswith("none; ")
    assert {"commit", "machine", "library"} < set(found["made_with"])
