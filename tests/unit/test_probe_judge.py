"""The judge over a language model's states: excerpts, asking, the head, its fit, and what stands in for it."""

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import HashedEncoder, ScriptedModel

from eval.__main__ import main
from eval.asking import MODEL, ask_all
from eval.excerpt import excerpts
from eval.feature_judge import FeatureJudge, Network
from eval.judge_page import page, reliability_plot
from eval.judgement import JudgeError
from eval.judges import open_judge
from eval.judging import measure
from eval.labelled import Pair
from eval.llm_judge import LlmJudge, word_said
from eval.probe_fitting import CHOSEN, Kept, Stack, ask_chosen, chosen, fit_head, frozen
from eval.probe_judge import Head, ProbeJudge, inputs_of, open_probe_judge
from rag import Paper, Rag, Settings
from rag.corpus import distinct
from rag.index import LibraryIndex, build
from rag.retrieval import FusedRetriever

HIDDEN = 8


class ReadableModel:
    """Of the mind that a claim holds where the evidence has its last word. Remembers what its states were asked for."""

    model_id = MODEL

    def __init__(self):
        self.asked = []

    def first_word_logprobs(self, messages, words):
        assert [forms[0] for forms in words] == ["Supported", "Contradicted", "Unknown"]
        return (-0.1, -3.0, -4.0) if self._is_yes(messages) else (-4.0, -3.0, -0.1)

    def states(self, messages, *, depth, wanted=1):
        assert (depth > 0, wanted) == (True, 1)
        self.asked.append(messages[-1][1])
        return np.full((1, HIDDEN), 1.0 if self._is_yes(messages) else -1.0, dtype=np.float32)

    @staticmethod
    def _is_yes(messages):
        claim, evidence, _ = messages[-1][1].split("\n\n")
        return claim.rstrip(".").split()[-1] in evidence


def a_head(**facts):
    size = 2 + HIDDEN
    weights = np.zeros((size, 3))
    weights[2:, 0] = 1.0  # the state alone decides
    return Head(np.zeros(size), np.ones(size), weights, np.zeros(3), facts)


def a_judge(model):
    return ProbeJudge(model, HashedEncoder(), network=Network.load(), head=a_head(version="7"))


def test_short_evidence_is_read_whole_and_of_long_evidence_what_bears_on_the_claim():
    long = (*(f"Sentence {i} tells of plates and of forks." for i in range(40)), "Robots grasp red cups.")
    pairs = [(("Cups  are\nred.", "Yes."), "Cups"), (long, "Robots grasp cups")]
    short, cut = excerpts(pairs, HashedEncoder(), words=20)
    assert short == "Cups are red. Yes."
    assert "Robots grasp red cups." in cut
    assert len(cut.split()) <= 20
    assert excerpts([(("word " * 50,), "Cups")], HashedEncoder(), words=20) == ["word " * 19 + "word"]


def test_each_question_is_asked_once_and_answers_come_in_order():
    model = ReadableModel()
    done = []
    said = ask_all(
        model, [("Red cups.", "cups"), ("Plates.", "cups"), ("Red cups.", "cups")], lambda *n: done.append(n)
    )
    assert [state[0] for state in said] == [1.0, -1.0, 1.0]
    assert len(model.asked) == 2
    assert done == [(1, 2), (2, 2)]


def test_the_heads_inputs_by_hand():
    (row,) = inputs_of(np.array([[0.5, 0.25, 0.0]]), [np.float32([3.0, 4.0])])
    root = math.sqrt(12.5)
    assert row == pytest.approx([math.log(2), math.log(500), 3 / root, 4 / root], abs=1e-5)


def test_a_head_gives_probabilities_and_is_read_as_it_was_written(tmp_path):
    head = Head(
        np.array([1.0, 0]), np.array([2.0, 1]), np.array([[1.0, 0, 0], [0, 1, 0]]), np.zeros(3), {"version": "3"}
    )
    (row,) = head.probabilities(np.array([[3.0, 100.0]]))
    total = math.exp(1) + math.exp(4) + 1  # the second input is kept within four deviations
    assert row == pytest.approx([math.exp(1) / total, math.exp(4) / total, 1 / total])
    head.save(tmp_path / "h.safetensors")
    read = Head.load(tmp_path / "h.safetensors")
    assert read.version == "3"
    assert np.array_equal(read.weights, head.weights)


def test_a_missing_or_spoilt_head_says_so(tmp_path):
    with pytest.raises(JudgeError, match="no fitted head"):
        Head.load(tmp_path / "none.safetensors")
    (tmp_path / "h.safetensors").write_bytes(b"what is this")
    with pytest.raises(JudgeError, match="is no fitted head"):
        Head.load(tmp_path / "h.safetensors")


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


def test_the_same_pairs_are_judged_the_same_twice_and_in_any_company():
    pairs = [
        (("Machines lift mugs and cups.",), "Robots grasp cups."),
        (("Machines lift mugs.",), "Robots grasp cups."),
    ]
    together = a_judge(ReadableModel()).judge(pairs)
    assert together == a_judge(ReadableModel()).judge(pairs)
    alone = a_judge(ReadableModel()).judge(pairs[:1])[0]
    assert together[0].p_supported == pytest.approx(alone.p_supported, abs=1e-12)


def test_without_its_model_the_feature_judge_stands_in_and_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    a_head(version="7").save(tmp_path / "h.safetensors")
    told = []

    class Closed:
        retriever = type("Retriever", (), {"encoder": HashedEncoder()})
        model = object()

    judge = open_probe_judge(report=told.append, rag=Closed(), path=tmp_path / "h.safetensors")
    assert isinstance(judge, FeatureJudge)
    assert re.search(r"not on this machine\. Judging by features@\d+.*footnote models fetch", told[-1])


def test_the_model_of_the_run_is_used_where_it_is_the_right_one(tmp_path):
    a_head(version="7", errors={"supported": {"found": 8, "positive": 10, "let_through": 1, "negative": 10}}).save(
        tmp_path / "h.safetensors"
    )
    rag = type("Open", (), {"model": ReadableModel(), "retriever": type("R", (), {"encoder": HashedEncoder()})})
    judge = open_probe_judge(report=print, rag=rag, path=tmp_path / "h.safetensors")
    assert judge.id == "probe@7"
    assert judge.errors["supported"].sensitivity == 0.8


def some_pairs(count=90):
    draw = np.random.default_rng(0)
    kinds = ("SciFact", "HealthVer", "LFQA")
    labels = ("supported", "contradicted", "neither")
    return [
        Pair(str(i), kinds[i % 3], (f"Claim number {i}.",), f"Claim {i}", labels[int(draw.integers(3))])
        for i in range(count)
    ]


def some_states(pairs, seed=0):
    """States whose first three numbers tell the label."""
    draw = np.random.default_rng(seed)
    told = {"supported": 0, "contradicted": 1, "neither": 2}
    states = draw.normal(size=(len(pairs), HIDDEN)).astype(np.float32) * 0.3
    for state, pair in zip(states, pairs, strict=True):
        state[told[pair.label]] += 2.0
    return list(states)


def test_a_head_learns_what_the_state_tells_and_is_the_same_twice():
    pairs = some_pairs()
    inputs = inputs_of(np.full((len(pairs), 3), 1 / 3), some_states(pairs))
    head = fit_head(inputs, pairs)
    right = (head.probabilities(inputs)[:, 0] > 0.5) == np.array([pair.label == "supported" for pair in pairs])
    assert right.mean() > 0.9
    assert np.array_equal(head.weights, fit_head(inputs, pairs).weights)


def test_a_head_is_where_the_loss_is_flat():
    """At the minimum the weighted mean of (p - target) x equals minus the weight decay: checked without torch."""
    from eval.fitting import targets_of, weights_of
    from eval.probe_fitting import DECAY

    pairs = some_pairs()
    inputs = inputs_of(np.full((len(pairs), 3), 1 / 3), some_states(pairs))
    head = fit_head(inputs, pairs)
    p, weights = head.probabilities(inputs), weights_of(pairs)
    assert np.abs((weights[:, None] * (p - targets_of(pairs))).mean(0)).max() < 1e-4  # the bias has no decay
    assert DECAY > 0


def test_held_out_pairs_are_judged_by_a_head_that_did_not_see_them():
    pairs, verdicts = some_pairs(), np.full((90, 3), 1 / 3)
    states = some_states(pairs)
    groups = [str(i % 3) for i in range(len(pairs))]
    before = Stack(pairs, states, verdicts, verdicts).held_out(groups, verdicts)
    # Other labels for group 0 must not change what is said of group 0, and must change what is said of the others.
    other = {"supported": "contradicted", "contradicted": "neither", "neither": "supported"}
    turned = [replace(pair, label=other[pair.label]) if i % 3 == 0 else pair for i, pair in enumerate(pairs)]
    after = Stack(turned, states, verdicts, verdicts).held_out(groups, verdicts)
    assert np.array_equal(before[0::3], after[0::3])
    assert not np.allclose(before[1::3], after[1::3])


def test_a_frozen_head_carries_what_it_was_made_with_and_its_error():
    pairs, verdicts = some_pairs(), np.full((90, 3), 1 / 3)
    head, found = frozen(Stack(pairs, some_states(pairs), verdicts, verdicts))
    assert head.facts["asked"] == {"SciFact": 30, "HealthVer": 30, "AttributionBench": 30}
    assert head.facts["errors"]["supported"]["positive"] == sum(pair.label == "supported" for pair in pairs)
    assert found["unseen claims"]["SciFact"]["auroc"] > 0.9
    assert set(found["unseen sources"]) == {"SciFact", "HealthVer", "LFQA", "AttributionBench, all"}


def test_pairs_to_ask_about_are_the_same_each_time_and_as_many_as_said():
    pairs = some_pairs(30)
    assert chosen(pairs) == chosen(pairs)
    assert sorted(chosen(pairs)) == list(range(30))
    few = chosen(pairs, {"SciFact": 2, "HealthVer": 3, "AttributionBench": 0})
    assert [sum(pairs[i].source == name for i in few) for name in ("SciFact", "HealthVer", "LFQA")] == [2, 3, 0]
    assert set(few) <= set(chosen(pairs, dict.fromkeys(CHOSEN, 4)))
    assert all(CHOSEN[name] >= 0 for name in CHOSEN)


def test_what_was_said_is_kept_and_not_asked_again(tmp_path):
    pairs = some_pairs(5)
    model = ReadableModel()
    first = ask_chosen(pairs, HashedEncoder(), lambda: model, Kept(tmp_path), print)
    again = ask_chosen(pairs, HashedEncoder(), lambda: model, Kept(tmp_path), print)
    assert len(model.asked) == 5
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


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
