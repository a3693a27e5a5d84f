"""The judge that reads, what stands in for it, what its adapter is fitted on, and the judges that ask for a word."""

import gzip
import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes import HashedEncoder, ScriptedModel
from transformers import AutoConfig

import prompts
from eval.__main__ import main
from eval.fits import adapter_fit, answerable_fit, feature_fit
from eval.fits.adapter_data import clapnq_questions, made_claims, made_questions, neighbours, read_abstracts
from eval.fits.bank import digest_of, read_bank
from eval.fits.feature_fit import made
from eval.judges.by_name import open_judge
from eval.judges.excerpt import excerpts
from eval.judges.feature_judge import FeatureJudge, Network
from eval.judges.judge_page import page, reliability_plot
from eval.judges.judgement import JudgeError
from eval.judges.judging import measure
from eval.judges.labelled import Pair
from eval.judges.llm_judge import LlmJudge, word_said
from eval.judges.verdict_judge import MEASURED, MODEL, VerdictJudge, open_verdict_judge, together
from rag import Paper, Rag, Settings
from rag.corpus import distinct
from rag.index import LibraryIndex, build
from rag.inference.adapter import Adapter
from rag.inference.checkpoint import Checkpoint
from rag.retrieval import FusedRetriever
from rag.trained import adapter_fitting, adapters
from rag.trained.adapter_fitting import Trunk
from tests.tiny_language_model import make_model

FACTS = {"version": "7", "errors": {"supported": {"found": 8, "positive": 10, "let_through": 1, "negative": 10}}}


class ReadableModel:
    """Of the mind that a claim holds where the evidence has its last word. Remembers what it was asked."""

    model_id = MODEL

    def __init__(self):
        self.asked = []

    def first_word_logprobs(self, messages, words):
        assert [forms[0] for forms in words] == ["Supported", "Contradicted", "Unknown"]
        return (-0.1, -3.0, -4.0) if self._is_yes(messages) else (-4.0, -3.0, -0.1)

    def judge(self, messages, adapter, ending=""):
        assert adapter.facts["name"] == "verdict"
        self.asked.append(messages[-1][1])
        return (0.98, 0.01, 0.01) if self._is_yes(messages) else (0.005, 0.005, 0.99)

    @staticmethod
    def _is_yes(messages):
        claim, evidence, _ = messages[-1][1].split("\n\n")
        return claim.rstrip(".").split()[-1] in evidence


def a_judge(model):
    return VerdictJudge(model, HashedEncoder(), network=Network.load(), facts=FACTS)


def test_the_model_is_asked_only_where_no_rule_says_anything():
    model = ReadableModel()
    pairs = [
        (("Robots grasp red cups.",), "Robots grasp red cups."),
        (("Robots grasp 10 red cups.",), "Robots grasp 12 red cups."),
        ((), "Robots grasp red cups."),
        (("Machines lift mugs and cups.",), "Robots grasp red cups."),
        (("Machines lift mugs.",), "Robots grasp red cups."),
    ]
    judged = a_judge(model).judge(pairs)
    assert [one.is_supported for one in judged] == [True, False, False, True, False]
    assert judged[1].p_contradicted == 1.0
    assert len(model.asked) == 2
    assert a_judge(model).judge([]) == []


def test_each_question_is_asked_once_and_judged_the_same_in_any_company():
    model = ReadableModel()
    pairs = [
        (("Machines lift mugs and cups.",), "Robots grasp cups."),
        (("Machines lift mugs.",), "Robots grasp cups."),
    ]
    judged = a_judge(model).judge([*pairs, pairs[0]])
    assert len(model.asked) == 2
    assert judged[0] == judged[2]
    alone = a_judge(ReadableModel()).judge(pairs[:1])[0]
    assert judged[0].p_supported == pytest.approx(alone.p_supported, abs=1e-12)


def test_two_experts_are_multiplied_by_hand():
    (row,) = together(np.array([[0.8, 0.1, 0.1]]), np.array([[0.2, 0.4, 0.4]]))
    raised = [math.sqrt(0.16), math.sqrt(0.04), math.sqrt(0.04)]
    assert row == pytest.approx([x / sum(raised) for x in raised])
    (sure,) = together(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]]))
    assert sure == pytest.approx([sure[0], sure[0], sure[2]])  # neither rules the other out


def test_without_its_model_the_feature_judge_stands_in_and_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    told = []
    closed = SimpleNamespace(retriever=SimpleNamespace(encoder=HashedEncoder()), checker=object())
    judge = open_verdict_judge(report=told.append, rag=closed)
    assert isinstance(judge, FeatureJudge)
    assert re.search(r"not on this machine\. Judging by features@\d+.*footnote models fetch", told[-1])


def test_the_model_of_the_run_is_used_where_it_is_the_right_one():
    rag = SimpleNamespace(checker=ReadableModel(), retriever=SimpleNamespace(encoder=HashedEncoder()))
    judge = open_verdict_judge(report=print, rag=rag)
    assert judge.id == f"verdict@{adapter_fit.VERSIONS['verdict']}"
    assert judge.errors["supported"].sensitivity > 0.8
    with pytest.raises(JudgeError, match="footnote models fetch"):
        a_judge(SimpleNamespace(model_id="other", judge=None)).judge([(("Machines lift mugs.",), "Robots grasp cups.")])


def test_what_ships_was_fitted_to_the_prompts_that_ship_and_measured():
    for name, classes in (("verdict", 3), ("answerable", 2)):
        adapter = adapters.named(name)
        assert adapter.facts["prompt"] == prompts.load(name).id, "train it anew: python -m eval judge --fit"
        assert (adapter.facts["name"], adapter.facts["model"], len(adapter.bias)) == (name, MODEL, classes)
        assert adapters.path_of(name).stat().st_size < 12_000_000
    facts = json.loads(MEASURED.read_text())
    assert facts["version"] == adapters.named("verdict").version
    assert facts["both"]["AttributionBench, all"]["n"] == 1198


def some_papers():
    names = ("MoleDig", "CupLift", "SpanTree", "RiverNet", "StoneAge", "GlassEye", "PaperJam", "TinCan")
    return distinct(
        Paper(
            "",
            f"{name}: Robots that dig number {i}",
            f"Robots that work in kitchens number {i} are hard to control. We propose {name}, a planner that moves cups "
            f"with {name}-{i} arms, which lets small robots reach {name} shelves. Our planner needs {i + 12} robots in all. "
            f"Experiments on {i + 3} benchmarks show that {name} is faster than the {name}Base planner of earlier work.",
        )
        for i, name in enumerate(names)
    )


def test_made_claims_follow_from_how_they_were_made():
    papers = some_papers()
    nearest = neighbours(papers, HashedEncoder())
    assert all(i != other for i, other in enumerate(nearest))
    found = [pair for seed in range(60) for pair in made_claims(papers, nearest, len(papers), seed)]
    assert made_claims(papers, nearest, 3) == made_claims(papers, nearest, 3)
    assert {pair.label for pair in found} == {"supported", "contradicted", "neither"}
    words = lambda text: set(re.findall(r"\w+", text.casefold()))  # noqa: E731
    names = {paper.title.split(":")[0].casefold() for paper in papers}
    for pair in found:
        unsaid = (
            words(pair.claim) - words(" ".join(pair.evidence)) - {"the", "authors", "their", "paper", "and", "while"}
        )
        if pair.label == "supported":
            assert unsaid <= names, pair  # "MoleDig proposes" for "we propose"
        else:
            assert unsaid or pair.label == "contradicted", pair


def test_made_questions_come_with_their_answer_and_without():
    papers = some_papers()
    asked = made_questions(papers, neighbours(papers, HashedEncoder()), 50)
    assert asked
    assert asked[0::2] != asked[1::2]
    for (question, shown, is_there), (again, hidden, is_not) in zip(asked[0::2], asked[1::2], strict=True):
        assert (question, is_there, is_not) == (again, True, False)
        assert len(shown.splitlines()) > 1
        gone = set(re.sub(r"\[\d+\] ", "", shown).splitlines()) - set(re.sub(r"\[\d+\] ", "", hidden).splitlines())
        assert any(not line.startswith("Paper: ") for line in gone)


def test_training_data_are_read_as_they_are_published(tmp_path):
    rows = [{"title": f"T{i}", "abstract": "A long abstract. " * 40} for i in range(9)] + [
        {"title": "short", "abstract": "x"}
    ]
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    papers = read_abstracts(tmp_path / "a.jsonl.gz", 5)
    assert len(papers) == 5
    assert papers == read_abstracts(tmp_path / "a.jsonl.gz", 5)
    for name in ("answerable", "unanswerable"):
        lines = [
            {
                "id": f"{name}-{i}",
                "input": f"who was number {i}",
                "passages": [{"title": "N", "sentences": ["He was one.", ""]}],
            }
            for i in range(4)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second = clapnq_questions(tmp_path)
    assert (len(first), len(second)) == (4, 4)
    assert not set(first) & set(second)
    for name, (question, evidence, is_there) in {**first, **second}.items():
        assert re.fullmatch(r"Who was number \d\?", question)
        assert evidence == "Paper: N\n[1] He was one."
        assert is_there == name.startswith("answerable")


def test_examples_carry_the_prompt_what_the_label_allows_and_a_weight():
    pairs = [
        Pair("1", "SciFact", ("Cups.",), "Cups  are", "supported"),
        Pair("2", "LFQA", ("Cups.",), "Plates", "unsupported"),
        Pair("3", "HealthVer", ("Cups.",), "Plates", "neither"),
    ]
    said = []
    examples = adapter_fit.verdict_examples(pairs, HashedEncoder(), lambda messages: said.append(messages) or [1, 2])
    assert [e.allowed for e in examples] == [(1, 0, 0), (0, 1, 1), (0, 0, 1)]
    assert examples[2].weight == 0.0  # measured on, never fitted on
    assert said[0][-1][1] == "Claim: Cups are\n\nEvidence: Cups.\n\nClaim: Cups are"
    folds = adapter_fit.folds_of(pairs)
    assert folds[1] == folds[2]  # one claim, one fold


def test_short_evidence_is_read_whole_and_of_long_evidence_what_bears_on_the_claim():
    long = (*(f"Sentence {i} tells of plates and of forks." for i in range(40)), "Robots grasp red cups.")
    pairs = [(("Cups  are\nred.", "Yes."), "Cups"), (long, "Robots grasp cups")]
    short, cut = excerpts(pairs, HashedEncoder(), words=20)
    assert short == "Cups are red. Yes."
    assert "Robots grasp red cups." in cut
    assert len(cut.split()) <= 20
    assert excerpts([(("word " * 50,), "Cups")], HashedEncoder(), words=20) == ["word " * 19 + "word"]


def test_a_remote_model_is_judged_by_the_word_that_it_says():
    judge = LlmJudge(ScriptedModel(script=lambda _prompt: "Contradicted."), HashedEncoder(), "m")
    (judged,) = judge.judge([(("Cups.",), "Plates.")])
    assert (judged.p_contradicted, judge.id) == (1.0, "llm:m (extra)")
    assert judge.judge([((), "Plates.")])[0].p_neither == 1.0
    with pytest.raises(JudgeError, match="'Perhaps'"):
        word_said("Perhaps")


def test_a_chat_model_that_answers_is_not_opened_again_to_judge(monkeypatch):
    opened = []

    def open_another(settings, report):
        opened.append(settings.model.name)
        return SimpleNamespace(model=object(), description=SimpleNamespace(model="other"), retriever=rag.retriever)

    monkeypatch.setattr(Rag, "open", open_another)
    rag = SimpleNamespace(
        model=ScriptedModel(script=lambda _prompt: "Supported."),
        settings=Settings(model={"name": "own"}),
        description=SimpleNamespace(model="own"),
        retriever=SimpleNamespace(encoder=HashedEncoder()),
    )
    for name in ("llm", "llm:own"):
        judge = open_judge(name, rag=rag)
        assert judge.judge([(("Cups.",), "Cups.")])[0].p_supported == 1.0
        assert (judge.id, opened) == ("llm:own (extra)", [])
    assert open_judge("llm:another", rag=rag).id == "llm:other (extra)"
    assert opened == ["another"]


def test_probes_and_their_judge_read_one_rag(tmp_path, monkeypatch, capsys):
    papers = distinct(
        Paper("", f"{name}", f"Robots grasp {number} red cups with {name} and CLIP in kitchens.")
        for number, name in ((12, "TACO"), (31, "MoleDig"))
    )
    encoder, opened = HashedEncoder(), []
    build(tmp_path, papers, encoder)
    index = LibraryIndex.open(tmp_path, encoder)
    rag = Rag(retriever=FusedRetriever(index=index, encoder=encoder), model=ScriptedModel(script=str))
    monkeypatch.setattr(Rag, "open", lambda settings, report: opened.append(settings) or rag)
    assert main(["judge", "--probes", "--judge", "features", "--count", "4"]) == 0
    assert f"features@{Network.load().version}" in capsys.readouterr().out
    assert len(opened) == 1


def test_a_local_models_three_words_are_brought_to_one():
    (judged,) = LlmJudge(ReadableModel(), HashedEncoder(), "m").judge([(("Red cups.",), "Blue cups.")])
    raised = [math.exp(x) for x in (-0.1, -3.0, -4.0)]
    assert judged.p_supported == pytest.approx(raised[0] / sum(raised))


def test_a_reliability_plot_has_a_point_a_bin_at_its_place():
    plot = reliability_plot([(0.1, 0.0, 10), (0.9, 1.0, 40)], "a <judge>")
    places = [tuple(map(float, found)) for found in re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', plot)]
    assert places == [(60.0, 294.0, 5.0), (268.0, 34.0, 8.0)]
    assert "a &lt;judge&gt;: 0.10 judged, 0.00 labelled, n=10" in plot


def test_a_judges_page_stands_alone_and_has_every_judge():
    pairs = [Pair("1", "A", ("Cups.",), "Cups", "supported"), Pair("2", "B", ("Cups.",), "Plates", "contradicted")]
    text = page(measure(FeatureJudge(HashedEncoder(), Network.load()), pairs), "Judges on <x>")
    assert text.count("<svg") == 2
    assert "Judges on &lt;x&gt;" in text
    assert not re.search(r"(?:src|href)=", text)


@pytest.fixture
def training_data(tmp_path, monkeypatch):
    """A folder of the sets in their own formats, a tiny model to train, and places of its own for what is written."""
    data = tmp_path / "data"
    for name in ("attributionbench", "scifact", "healthver", "clapnq", "abstracts"):
        (data / name).mkdir(parents=True)

    def write(name, rows):
        (data / name).write_text("\n".join(map(json.dumps, rows)))

    texts = [f"Robots of kind {i} grasp {i} red cups in kitchens, which helps people a lot." for i in range(12)]
    write(
        "attributionbench/dev_all_subset_balanced.jsonl",
        [
            {
                "id": str(i), "src_dataset": "LFQA" if i < 6 else "ExpertQA", "references": [text], "claim": f"Kind {i} grasps.",
                "attribution_label": "attributable" if i % 2 else "not attributable",
            }
            for i, text in enumerate(texts)
        ],
    )  # fmt: skip
    write("scifact/corpus.jsonl", [{"doc_id": i, "abstract": [text, "It works."]} for i, text in enumerate(texts)])
    labels = [{"SUPPORT": 1}, {"CONTRADICT": 1}, {}]
    write(
        "scifact/claims_train.jsonl",
        [
            {
                "id": i, "claim": f"Robots {i} grasp cups.", "cited_doc_ids": [i],
                "evidence": {str(i): [{"sentences": [0], "label": label}] for label in labels[i % 3]},
            }
            for i in range(12)
        ],
    )  # fmt: skip
    rows = [
        f'{i},"{text}",Kind {i} grasps.,{("Supports", "Refutes", "Neutral")[i % 3]}' for i, text in enumerate(texts)
    ]
    (data / "healthver/healthver_dev.csv").write_text("id,evidence,claim,label\n" + "\n".join(rows) + "\n")
    for name in ("answerable", "unanswerable"):
        passage = {"title": "N", "text": "He was one.", "sentences": ["He was one.", "It rained."]}
        chosen = [{"answer": "He.", "selected_sentences": ["He was one."]}]
        write(
            f"clapnq/{name}.jsonl",
            [{"id": f"{name}-{i}", "input": f"who {i}", "passages": [passage], "output": chosen} for i in range(6)],
        )
    with gzip.open(data / adapter_fit.ABSTRACTS, "wt") as file:
        long = [{"title": paper.title, "abstract": f"{paper.abstract} {paper.abstract}"} for paper in some_papers()]
        file.write("\n".join(map(json.dumps, long)))
    ask = ["single", "How many robots does it need?", {"0": [3]}, "how big a team is it"]
    near = ["near", "How big are they?", {"1": []}, "Of what size is each?"]
    groups = [
        {
            "papers": [[digest_of(paper["title"]), 8] for paper in long[i : i + 2]],
            "questions": [ask, near],
            "claims": [[0, [3], f"It needs {i} robots.", "supported"], [1, [1, 2], f"It is {i} big.", "neither"]],
            "drafts": [[1, [4], [[0, 1], "small."], "neither"]],
        }
        for i in range(0, 8, 2)
    ]
    (tmp_path / "bank.json").write_text(json.dumps(groups))
    make_model(tmp_path, "qwen2")
    trunk = Trunk(AutoConfig.from_pretrained(tmp_path), Checkpoint(tmp_path), 2)
    for module in (adapter_fit, answerable_fit):
        monkeypatch.setattr(module, "read_bank", lambda abstracts: read_bank(abstracts, tmp_path / "bank.json"))
        monkeypatch.setattr(module, "open_trunk", lambda _name: trunk)
    monkeypatch.setattr(adapter_fit, "MEASURED", tmp_path / "measured.json")
    monkeypatch.setattr(adapter_fit, "made", lambda pairs: made(pairs, 30))
    monkeypatch.setattr(feature_fit, "STEPS", 20)
    monkeypatch.setattr(adapter_fitting, "FIRST", replace(adapter_fitting.FIRST, epochs=1))
    monkeypatch.setattr(adapters, "path_of", lambda name: tmp_path / f"{name}.safetensors")
    return data


def tokens_of(messages):
    return [1 + ord(letter) % 250 for letter in messages[-1][1]][:60]


def test_training_a_verdict_writes_the_adapter_and_what_is_known_of_its_errors(training_data, tmp_path):
    told = []
    result = adapter_fit.train_verdict(training_data, HashedEncoder(), tokens_of, told.append)
    adapter = Adapter.load(tmp_path / "verdict.safetensors")
    assert (adapter.facts["name"], adapter.facts["prompt"]) == ("verdict", prompts.load("verdict").id)
    assert adapter.facts["fitted_on"]["labelled"] == 24  # HealthVer's are only measured on
    assert {row["n"] for row in result["both"].values()} == {6, 12}
    assert set(result["both"]) == {"LFQA", "ExpertQA", "AttributionBench, all", "SciFact", "HealthVer"}
    assert result["both, unseen sources"].keys() == result["both"].keys()
    written = json.loads((tmp_path / "measured.json").read_text())
    assert (written["version"], written["errors"]) == (adapter_fit.VERSIONS["verdict"], result["errors"])
    assert sum(line.startswith("Fold ") for line in told) == adapter_fit.FOLDS
    assert sum(line.startswith("Without the ") for line in told) == 3


def test_what_checks_answers_has_read_the_banks_claims_too(training_data, tmp_path):
    result = adapter_fit.train_opinion(training_data, HashedEncoder(), tokens_of, lambda _line: None)
    adapter = Adapter.load(tmp_path / "opinion.safetensors")
    assert (adapter.facts["name"], adapter.facts["prompt"]) == ("opinion", prompts.load("verdict").id)
    fitted_on = dict(adapter.facts["fitted_on"])
    assert fitted_on.pop("made") > 0
    assert fitted_on == {"labelled": 24, "bank": 8, "draft": 4}
    assert (result["adapter"]["bank"]["n"], result["adapter"]["draft"]["n"]) == (8, 4)
    assert result["adapter"]["AttributionBench, all"]["n"] == 12, "the bank is none of its sources"


def test_what_is_said_of_a_group_of_papers_is_in_one_fold(training_data):
    groups = adapter_fit.read_bank(training_data / adapter_fit.ABSTRACTS)
    folds = [set(adapter_fit.folds_of([*group.claims, *group.drafts])) for group in groups]
    assert all(len(fold) == 1 for fold in folds)
    assert len(set(adapter_fit.folds_of([pair for group in groups for pair in group.drafts]))) == adapter_fit.FOLDS


def test_training_what_is_answerable_measures_on_what_it_did_not_see(training_data, tmp_path, monkeypatch):
    begun, endings = [], []

    def train_further(questions, adapter, *others):
        begun.append(adapter)
        return further(questions, adapter, *others)

    def place_of(tokens, ending):
        endings.append(ending)
        return len(tokens) // 2

    further = answerable_fit.train_further
    monkeypatch.setattr(answerable_fit, "train_further", train_further)
    result = answerable_fit.train_answerable(training_data, HashedEncoder(), tokens_of, lambda _line: None, place_of)
    assert result.keys() == {
        "ClapNQ, the other half", "bank", "bank, in other words", "bank, further", "ClapNQ, further"
    }  # fmt: skip
    assert result["ClapNQ, the other half"]["n"] == result["ClapNQ, further"]["n"] == 6
    assert "Question: How big a team is it?" in endings
    assert all(0.0 <= row["accuracy"] <= 1.0 for row in result.values())
    adapter = Adapter.load(tmp_path / "answerable.safetensors")
    assert adapter.facts["classes"] == ["yes", "no"]
    assert adapter.facts["fitted_on"]["ClapNQ"] == 6
    assert adapter.facts["fitted_on"]["bank"] > result["bank"]["n"]
    assert adapter.facts["further"]["fitted_on"]["bank, in other words"] > 0
    assert adapter.facts["further"]["fitted_on"]["again"] > 0
    assert not torch.equal(adapter.weights, begun[0].weights), "it is fitted further"


def test_a_further_fit_reads_what_stands_beside_few_sentences():
    six, seven = ("\n".join(["Paper: A", *(f"[{n}] It digs." for n in range(1, count + 1))]) for count in (6, 7))
    assert answerable_fit.short([("Why?", six, True), ("How?", seven, False)]) == [("Why?", six, True)]


def test_training_which_papers_are_asked_about_measures_on_groups_that_it_did_not_see(training_data, tmp_path):
    result = adapter_fit.train_about(training_data, HashedEncoder(), tokens_of, lambda _line: None)
    assert result.keys() == {"single", "near"}
    assert all(0.0 <= row["auroc"] <= 1.0 for row in result.values())
    adapter = Adapter.load(tmp_path / "about.safetensors")
    assert (adapter.facts["classes"], adapter.facts["prompt"]) == (["yes", "no"], prompts.load("about").id)


def test_training_what_bears_on_a_question_measures_on_groups_and_questions_that_it_did_not_see(
    training_data, tmp_path
):
    result = adapter_fit.train_bearing(training_data, HashedEncoder(), tokens_of, lambda _line: None)
    assert result.keys() == {"ClapNQ, the other half", "bank, single"}
    assert result["ClapNQ, the other half"]["n"] == 6
    assert result["bank, single"]["n"] == 6, "of one group"
    assert all(0.0 <= row["auroc"] <= 1.0 for row in result.values())
    adapter = Adapter.load(tmp_path / "bearing.safetensors")
    assert (adapter.facts["classes"], adapter.facts["prompt"]) == (["yes", "no"], prompts.load("bearing").id)
    assert adapter.facts["fitted_on"] == {"bank": 44, "ClapNQ": 6}


def test_all_are_trained_from_the_command_line(training_data, tmp_path, monkeypatch, capsys):
    opened = SimpleNamespace(
        model=SimpleNamespace(tokens_of=tokens_of, place_of=lambda *_: 0),
        retriever=SimpleNamespace(encoder=HashedEncoder()),
    )
    monkeypatch.setattr("eval.judges.verdict_judge.open_rag", lambda report: opened)
    assert main(["judge", "--fit", "verdict", "--data", str(training_data)]) == 0
    table = capsys.readouterr().out
    assert re.search(r"^both +n +macro F1", table, re.MULTILINE)
    assert re.search(r"^SciFact +12 ", table, re.MULTILINE)
    assert "errors: {" in table
    assert main(["judge", "--fit", "answerable", "--data", str(training_data)]) == 0
    assert 'ClapNQ, the other half: {"n": 6,' in capsys.readouterr().out
    for name in ("opinion", "about"):
        assert main(["judge", "--fit", name, "--data", str(training_data)]) == 0
    assert all((tmp_path / f"{name}.safetensors").exists() for name in ("answerable", "opinion", "about"))
    capsys.readouterr()
    assert main(["judge", "--fit", "bearing", "--data", str(training_data)]) == 0
    assert "bank, single: {" in capsys.readouterr().out


def test_training_says_what_is_missing_or_malformed_and_writes_nothing(training_data, tmp_path, monkeypatch, capsys):
    opened = SimpleNamespace(
        model=SimpleNamespace(tokens_of=tokens_of, place_of=lambda *_: 0),
        retriever=SimpleNamespace(encoder=HashedEncoder()),
    )
    monkeypatch.setattr("eval.judges.verdict_judge.open_rag", lambda report: opened)
    asked = ["judge", "--fit", "answerable", "--data", str(training_data)]
    (training_data / adapter_fit.ABSTRACTS).write_bytes(gzip.compress(b'{"title": "no abstract"}'))
    assert main(asked) == 2
    assert "JSON lines with title and abstract" in capsys.readouterr().err
    (training_data / adapter_fit.ABSTRACTS).unlink()
    assert main(asked) == 2
    assert "There is no file" in capsys.readouterr().err
    assert not (tmp_path / "answerable.safetensors").exists()
