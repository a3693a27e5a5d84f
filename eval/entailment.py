"""A judge over any three-way sequence-classification model of transformers: NLI cross-encoders from hub or folder.

Classes are read from the model's own `id2label`. Knows nothing of which model is good: `python -m eval judge` says.

Source: natural language inference as a check of consistency, e.g. Honovich et al. 2022 (TRUE).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.features import split
from eval.judgement import NOTHING, Evidence, JudgeError, Judgement

_BATCH = 16
_MEANINGS = {
    "supported": ("entail", "support"),
    "contradicted": ("contradict", "refute"),
    "neither": ("neutral", "neither", "nei", "not_enough", "unrelated"),
}


def class_of(id2label: Mapping[int, str]) -> dict[str, int]:
    """Which output is which of supported, contradicted and neither.

    Raises:
        JudgeError: the labels are not those three.
    """
    found: dict[str, int] = {}
    for number, label in id2label.items():
        for meaning, beginnings in _MEANINGS.items():
            if str(label).lower().startswith(beginnings):
                found[meaning] = int(number)
    if len(id2label) != 3 or len(found) != 3:
        labels = ", ".join(repr(label) for label in id2label.values())
        raise JudgeError(
            f"The model's classes are {labels}.", "They have to be entailment, contradiction and neutral, by name."
        )
    return found


class EntailmentJudge:
    """The evidence as premise, the claim as hypothesis; what does not fit the model is cut from the evidence's end."""

    def __init__(self, model: str) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(model)
        except (OSError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise JudgeError(
                f"The judge {model!r} cannot be opened: {first}",
                "Give a model id where the hub can be reached, or a folder with config.json, weights and tokenizer.",
            ) from error
        self._classes = class_of(self._model.config.id2label)
        self._model.eval()
        self.id = f"nli:{model}"

    def judge(self, pairs: Sequence[tuple[Evidence, str]]) -> list[Judgement]:
        """See `Judge`."""
        import torch

        judgements = []
        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            tokens = self._tokenizer(
                [" ".join(evidence) for evidence, _ in batch],
                [claim for _, claim in batch],
                truncation="only_first",
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                rows = self._model(**tokens).logits.float().softmax(-1).tolist()
            judgements += [
                Judgement(*(row[self._classes[name]] for name in ("supported", "contradicted", "neither")))
                for row in rows
            ]
        return [one if split(evidence) else NOTHING for one, (evidence, _) in zip(judgements, pairs, strict=True)]
