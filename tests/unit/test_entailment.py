"""Models of the hub as judges: what their outputs mean, how they read evidence and claim, which are refused."""

import json

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from eval.judges.entailment import EntailmentJudge, class_of
from eval.judges.judgement import NOTHING, JudgeError

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] robots grasp cups".split()


def make(folder, bias, labels=None, length=32):
    """A model that gives `bias` as logits whatever it reads."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=length, eos_token="[SEP]").save_pretrained(folder)
    torch.manual_seed(0)
    size = {"vocab_size": len(WORDS), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    named = {"id2label": dict(enumerate(labels))} if labels else {}
    model = BertForSequenceClassification(BertConfig(**size, intermediate_size=8, num_labels=len(bias), **named))
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor(bias))
    model.save_pretrained(folder)
    return folder


PAIRS = [(("Robots grasp cups.",), "Robots grasp cups"), ((), "Robots grasp cups")]


@pytest.mark.parametrize(
    ("labels", "supported"),
    [
        (("supported", "unsupported"), 0),
        (("UNSUPPORTED", "SUPPORTED"), 1),
        (("hallucinated", "consistent"), 1),
        (("consistent", "inconsistent"), 0),
        (("entailment", "not_entailment"), 0),
        (("LABEL_0", "LABEL_1"), 1),
        (("LABEL_0",), 0),
    ],
)
def test_which_of_two_classes_or_one_is_supported_is_read_from_their_names(labels, supported):
    assert class_of(dict(enumerate(labels))) == {"supported": supported}


@pytest.mark.parametrize(
    "labels", [("good", "bad"), ("supported", "entailment"), ("LABEL_0", "LABEL_1", "LABEL_2"), ()]
)
def test_classes_that_tell_nothing_are_refused_with_those_that_do(labels):
    with pytest.raises(JudgeError, match="entailment and not_entailment, LABEL_1 and LABEL_0"):
        class_of(dict(enumerate(labels)))


def test_a_model_of_two_classes_gives_what_it_does_not_support_as_neither(tmp_path):
    (judged, nothing) = EntailmentJudge(str(make(tmp_path, [0.0, 2.0]))).judge(PAIRS)
    expected = torch.tensor([0.0, 2.0]).softmax(0).tolist()
    assert judged.p_supported == pytest.approx(expected[1])
    assert (judged.p_contradicted, judged.p_neither) == (0.0, pytest.approx(expected[0]))
    assert nothing == NOTHING


def test_names_say_which_of_two_is_supported_whatever_the_order(tmp_path):
    (judged,) = EntailmentJudge(str(make(tmp_path, [2.0, 0.0], ("entailment", "not_entailment")))).judge(PAIRS[:1])
    assert judged.p_supported == pytest.approx(torch.tensor(2.0).sigmoid().item())


def test_a_single_logit_is_read_by_the_logistic_function(tmp_path):
    (judged, nothing) = EntailmentJudge(str(make(tmp_path, [1.5]))).judge(PAIRS)
    assert judged.p_supported == pytest.approx(torch.tensor(1.5).sigmoid().item())
    assert (judged.p_contradicted, judged.p_neither) == (0.0, pytest.approx(1 - judged.p_supported))
    assert nothing == NOTHING


class Kept(EntailmentJudge):
    """Keeps what it gave the model to read."""

    def _tokens(self, batch):
        self.read = super()._tokens(batch)
        return self.read


def read_by(model, evidence, claim):
    judge = Kept(str(model))
    judge.judge([((evidence,), claim)])
    return judge._tokenizer.decode(judge.read["input_ids"][0])


def test_minicheck_reads_evidence_and_claim_as_one_text_and_others_a_pair(tmp_path):
    asked = ("Robots grasp cups", "grasp cups")
    assert read_by(make(tmp_path / "MiniCheck-RoBERTa", [0.0, 0.0]), *asked) == (
        "[CLS] robots grasp cups [SEP] grasp cups [SEP]"
    )
    judge = Kept(str(make(tmp_path / "nli", [0.0, 0.0])))
    judge.judge([(("Robots grasp cups",), "grasp cups")])
    assert judge.read["token_type_ids"][0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]


def test_factcg_is_asked_in_the_words_that_it_was_taught(tmp_path):
    judge = Kept(str(make(tmp_path / "FactCG-DeBERTa-v3-Large", [0.0, 0.0])))
    assert judge._as_one("Cups.", "Robots").startswith("Cups.\n\nChoose your answer: based on the paragraph above can")
    assert 'conclude that "Robots"?\n\nOPTIONS:\n- Yes\n- No\nI think the answer is ' in judge._as_one("", "Robots")


def test_of_one_text_that_is_too_long_the_evidence_is_cut_and_never_the_claim(tmp_path):
    model = make(tmp_path / "MiniCheck", [0.0, 0.0], length=10)
    assert read_by(model, "robots " * 50, "grasp cups") == "[CLS] " + "robots " * 5 + "[SEP] grasp cups [SEP]"


def config(folder, **facts):
    (folder / "config.json").write_text(json.dumps(facts))
    return str(folder)


def test_a_model_with_code_of_its_own_is_refused_in_a_line_and_never_asks_at_the_terminal(tmp_path):
    model = config(
        tmp_path,
        model_type="HHEMv2Config",
        architectures=["HHEMv2ForSequenceClassification"],
        auto_map={"AutoModelForSequenceClassification": "modeling_hhem_v2.HHEMv2ForSequenceClassification"},
    )
    with pytest.raises(JudgeError, match=r"runs code of its own \(HHEMv2For.*Take .*MiniCheck-RoBERTa") as error:
        EntailmentJudge(model)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "writes words and is no classifier"),
        # transformers would give it a head of random numbers, with a warning.
        ({"model_type": "bert", "architectures": ["BertModel"]}, "has no classes and is no classifier"),
    ],
)
def test_a_model_that_was_not_made_to_classify_is_refused_with_what_else_to_take(facts, said, tmp_path):
    with pytest.raises(JudgeError, match=f"{said}.*Take an NLI cross-encoder"):
        EntailmentJudge(config(tmp_path, **facts))


def test_classes_of_fever_are_known_with_and_without_underscores():
    for neither in ("NOT ENOUGH INFO", "NOT_ENOUGH_INFO"):
        found = class_of({0: "SUPPORTS", 1: "REFUTES", 2: neither})
        assert found == {"supported": 0, "contradicted": 1, "neither": 2}
