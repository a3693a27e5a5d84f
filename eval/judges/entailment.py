"""A judge over any sequence-classification model of transformers: NLI cross-encoders and fact-check models, by id.

What an output means is read from the model's own `id2label`. Three classes are entailment, contradiction and neutral.
Two are supported or not, by name, or LABEL_1 and LABEL_0, as MiniCheck's and FactCG's RoBERTa and DeBERTa models have
them. One is the logit of being supported, as in the first HHEM; a reranker's looks the same and means something else.
A model of two classes or one cannot tell what contradicts from what does not bear on a claim: all that it does not call
supported is given as neither, so that its contradiction figures are 0 and say nothing.

A model that brings code of its own (HHEM 2.1) or writes words (MiniCheck-Flan-T5) is refused. Knows nothing of which
model is good: `python -m eval judge` says.

Source: natural language inference as a check of consistency, e.g. Honovich et al. 2022 (TRUE); MiniCheck (Tang et al.
2024), FactCG (Lei et al. 2025) and the ways in which their published inference code puts evidence and claim together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.judges.features import split
from eval.judges.judgement import NOTHING, Evidence, JudgeError, Judgement

_BATCH = 16
_MEANINGS = {
    "supported": ("entail", "support"),
    "contradicted": ("contradict", "refute"),
    "neither": ("neutral", "neither", "nei", "not_enough", "not enough", "unrelated"),
}
_YES = ("entail", "support", "consistent", "faithful", "factual", "attributable", "grounded", "label_1")
_NO = (
    "not_entail", "not entail", "non_entail", "non-entail", "unsupport", "not_support", "not support", "inconsistent",
    "unfaithful", "hallucinat", "nonfactual", "non-factual", "not_attributable", "not attributable", "ungrounded",
    "label_0",
)  # fmt: skip
_OTHERS = "Take an NLI cross-encoder, MiniCheck-RoBERTa, MiniCheck-DeBERTa or FactCG-DeBERTa."
_FORMS = {
    "minicheck": "{evidence}{eos}{claim}",
    "factcg": (
        "{evidence}\n\nChoose your answer: based on the paragraph above can we conclude that "
        '"{claim}"?\n\nOPTIONS:\n- Yes\n- No\nI think the answer is '
    ),
}
"""How a model whose id holds the name was taught to read evidence and claim: as one text. Others read a pair."""


def class_of(id2label: Mapping[int, str]) -> dict[str, int]:
    """Which output is which: of three classes supported, contradicted and neither, of two and one supported alone.

    Raises:
        JudgeError: the labels tell none of these.
    """
    labels = {int(number): str(label).lower() for number, label in id2label.items()}
    found: dict[str, int] = {}
    if len(labels) == 1:
        return {"supported": next(iter(labels))}
    if len(labels) == 2:
        yes = [number for number, label in labels.items() if label.startswith(_YES)]
        no = [number for number, label in labels.items() if label.startswith(_NO)]
        if len(yes) == len(no) == 1:
            return {"supported": yes[0]}
    for number, label in labels.items():
        for meaning, beginnings in _MEANINGS.items():
            if label.startswith(beginnings):
                found[meaning] = number
    if len(labels) != 3 or len(found) != 3:
        told = ", ".join(repr(label) for label in id2label.values())
        raise JudgeError(
            f"The model's classes are {told}.",
            "They have to be entailment, contradiction and neutral, by name; or two, supported and unsupported, "
            "consistent and hallucinated, entailment and not_entailment, LABEL_1 and LABEL_0; or one.",
        )
    return found


class EntailmentJudge:
    """The evidence as premise, the claim as hypothesis; what does not fit the model is cut from the evidence's end."""

    def __init__(self, model: str) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedConfig

        try:
            # Without trust_remote_code=False transformers asks at the terminal whether to run the model's code.
            _refuse_others(model, PreTrainedConfig.get_config_dict(model)[0])
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(model, trust_remote_code=False)
        except JudgeError:
            raise
        except (OSError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise JudgeError(
                f"The judge {model!r} cannot be opened: {first}",
                "Give a model id where the hub can be reached, or a folder with config.json, weights and tokenizer.",
            ) from error
        self._classes = class_of(self._model.config.id2label)
        self._model.eval()
        name = model.rstrip("/").rpartition("/")[2].lower()
        self._form = next((form for part, form in _FORMS.items() if part in name), None)
        self.id = f"nli:{model}"

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        import torch

        judgements = []
        for start in range(0, len(pairs), _BATCH):
            batch = [(" ".join(evidence), claim) for evidence, claim in pairs[start : start + _BATCH]]
            with torch.inference_mode():
                logits = self._model(**self._tokens(batch)).logits.float()
            rows = (logits.sigmoid() if logits.shape[-1] == 1 else logits.softmax(-1)).tolist()
            judgements += [self._judgement(row) for row in rows]
        return [one if split(evidence) else NOTHING for one, (evidence, _) in zip(judgements, pairs, strict=True)]

    def _judgement(self, row: Sequence[float]) -> Judgement:
        supported = row[self._classes["supported"]]
        if len(self._classes) == 1:
            return Judgement(supported, 0.0, 1.0 - supported)
        return Judgement(supported, row[self._classes["contradicted"]], row[self._classes["neither"]])

    def _tokens(self, batch: Sequence[tuple[str, str]]) -> Any:
        if self._form is not None:
            texts = [self._as_one(evidence, claim) for evidence, claim in batch]
            return self._tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
        evidences, claims = [evidence for evidence, _ in batch], [claim for _, claim in batch]
        return self._tokenizer(evidences, claims, truncation="only_first", padding=True, return_tensors="pt")

    def _as_one(self, evidence: str, claim: str) -> str:
        """Evidence and claim as one text that fits: the claim, which stands last, must not be what is cut."""
        rest = self._put(evidence="", claim=claim)
        room = self._tokenizer.model_max_length - len(self._tokenizer(rest)["input_ids"])
        tokens = self._tokenizer(evidence, add_special_tokens=False)["input_ids"]
        if len(tokens) > room:
            evidence = self._tokenizer.decode(tokens[: max(0, room)])
        return self._put(evidence=evidence, claim=claim)

    def _put(self, *, evidence: str, claim: str) -> str:
        return str(self._form).format(evidence=evidence, claim=claim, eos=self._tokenizer.eos_token or "")


def _refuse_others(model: str, config: Mapping[str, Any]) -> None:
    """Raises `JudgeError` of a model that runs code of its own or was not made to classify, from its config.json."""
    kinds = config.get("architectures") or ()
    if "AutoModelForSequenceClassification" in config.get("auto_map", {}):
        raise JudgeError(
            f"The judge {model!r} runs code of its own ({', '.join(kinds)}), which is not run here.", _OTHERS
        )
    if kinds and not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        writes = any(kind.endswith(("Generation", "LMHeadModel", "CausalLM")) for kind in kinds)
        raise JudgeError(
            f"The judge {model!r} is a {', '.join(kinds)}, which {'writes words' if writes else 'has no classes'} "
            "and is no classifier.",
            _OTHERS,
        )
