"""The GPU's forward pass, run on the CPU in float32 without graphs: the same arithmetic as transformers'."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from rag.inference.checkpoint import Checkpoint
from rag.inference.cuda_decoder import CudaDecoder
from tests.tiny_language_model import make_model

PROMPT = [5, 9, 100, 23, 44, 5, 9, 100, 23, 7, 201, 5, 9] * 3


@pytest.fixture(params=["llama", "qwen2", "qwen3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make_model(tmp_path, request.param)
    return tmp_path


def test_logits_and_states_are_those_of_transformers_from_any_place(folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = model(torch.tensor([PROMPT]), output_hidden_states=True)
    network = CudaDecoder(AutoConfig.from_pretrained(folder), Checkpoint(folder), 64, device="cpu", dtype=torch.float32)
    network.warm_up()
    logits = expected.logits[0]
    torch.testing.assert_close(network.forward(PROMPT, 0, len(PROMPT)), logits, atol=1e-4, rtol=1e-4)
    network.forward(PROMPT[:20], 0, 0)
    network.forward([1, 2, 3], 20, 3)  # drafted in vain
    for start, end in ((20, 37), (37, 38), (38, len(PROMPT))):
        found = network.forward(PROMPT[start:end], start, min(2, end - start))
        torch.testing.assert_close(found, logits[end - len(found) : end], atol=1e-4, rtol=1e-4)
    states = expected.hidden_states[2][0]
    torch.testing.assert_close(network.states(PROMPT, 0, 2), states, atol=1e-4, rtol=1e-4)
