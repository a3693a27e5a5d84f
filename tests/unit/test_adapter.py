"""Adapters: every network corrects its layers in the same way, and what is fitted is what is read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from rag.errors import ModelError
from rag.inference.adapter import MATRICES, Adapter
from rag.inference.checkpoint import Checkpoint
from rag.inference.cuda_decoder import CudaDecoder
from rag.inference.generation import Kept, Progress, Request, generate
from rag.inference.int8 import int8_decoder
from rag.inference.kernels import has_int8_engine
from rag.inference.networks import TransformersNetwork
from rag.inference.reading import read, read_end, watch
from rag.trained import adapter_fitting
from rag.trained.adapter_fitting import Example, Recipe, Trunk, fit
from tests.float_decoder import float_decoder
from tests.tiny_language_model import make_model

PROMPT = [5, 9, 100, 23, 44, 7, 201, 5, 9]


@pytest.fixture(params=["llama", "qwen2"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make_model(tmp_path, request.param)
    return tmp_path


def drawn(folder: Path, depth: int = 2, seed: int = 0) -> Adapter:
    draw = torch.Generator().manual_seed(seed)
    layer = Checkpoint(folder).layer(0)
    sizes = {name: getattr(layer, name).shape for name in MATRICES}
    layers = tuple(
        {
            name: (torch.randn(3, columns, generator=draw) * 0.2, torch.randn(rows, 3, generator=draw) * 0.2)
            for name, (rows, columns) in sizes.items()
        }
        for _ in range(depth)
    )
    return Adapter(layers, torch.randn(3, 64, generator=draw), torch.randn(3, generator=draw), {"version": "1"})


def merged_model(folder: Path, adapter: Adapter) -> Any:
    """Transformers' own model, the corrections added into its matrices."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    parts = {
        "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "output": ("self_attn.o_proj",),
        "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
        "down": ("mlp.down_proj",),
    }
    with torch.inference_mode():
        for index, layer in enumerate(adapter.layers):
            for name, (down, up) in layer.items():
                row = 0
                for part in parts[name]:
                    weight = model.model.layers[index].get_submodule(part).weight
                    weight += up[row : row + weight.shape[0]] @ down
                    row += weight.shape[0]
    return model


def merged(folder: Path, adapter: Adapter) -> torch.Tensor:
    """States of that model."""
    with torch.inference_mode():
        found = merged_model(folder, adapter)(torch.tensor([PROMPT]), output_hidden_states=True)
    return found.hidden_states[adapter.depth][0]


def networks(folder: Path, context_tokens: int = 64) -> list:
    config, checkpoint = AutoConfig.from_pretrained(folder), Checkpoint(folder)
    return [
        float_decoder(config, checkpoint, context_tokens),
        TransformersNetwork(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), context_tokens),
        CudaDecoder(config, checkpoint, context_tokens, device="cpu", dtype=torch.float32),
    ]


def test_corrected_states_are_those_of_a_model_with_the_corrections_in_its_matrices(folder):
    adapter = drawn(folder)
    expected = merged(folder, adapter)
    for network in networks(folder):
        plain = network.states(PROMPT, 0, 2)
        torch.testing.assert_close(network.states(PROMPT, 0, 2, adapter), expected, atol=1e-3, rtol=1e-3)
        network.states(PROMPT[:4], 0, 2, adapter)
        torch.testing.assert_close(network.states(PROMPT[4:], 4, 2, adapter), expected[4:], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(network.states(PROMPT, 0, 2), plain)  # without it, as it was
        assert (plain - expected).abs().max() > 0.01


@pytest.mark.skipif(not has_int8_engine(), reason="no int8 kernels on this CPU")
def test_the_rotated_int8_model_takes_the_same_corrections(folder):
    adapter = drawn(folder)
    network = int8_decoder(AutoConfig.from_pretrained(folder), Checkpoint(folder), 64)
    found = network.states(PROMPT, 0, 2, adapter)
    expected = merged(folder, adapter)
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.98
    plain = network.states(PROMPT, 0, 2)
    assert torch.nn.functional.cosine_similarity(plain, expected).min() < 0.97


def test_a_reading_with_another_adapter_keeps_nothing_of_the_one_before(folder):
    network, kept = networks(folder)[0], Kept()
    first, second = drawn(folder), drawn(folder, seed=1)
    fresh = read(network, PROMPT, 2, 1, Kept(), adapter=second)
    read(network, PROMPT, 2, 1, kept, adapter=first)
    torch.testing.assert_close(read(network, PROMPT, 2, 1, kept, adapter=second), fresh)
    assert kept.shallow == PROMPT


def test_what_is_saved_is_read_again(folder, tmp_path):
    adapter = drawn(folder)
    adapter.save(tmp_path / "a.safetensors")
    again = Adapter.load(tmp_path / "a.safetensors")
    assert (again.depth, again.version) == (2, "1")
    torch.testing.assert_close(again.layers[1]["down"][0], adapter.layers[1]["down"][0], atol=1e-2, rtol=1e-2)
    state = torch.randn(64)
    assert again.log_probabilities(state).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all"])
def test_what_is_no_adapter_is_told(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="no adapter"):
        Adapter.load(tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="no adapter"):
        Adapter.load(tmp_path / "missing.safetensors")


def to_fit_on(folder, shortest, longest):
    """A trunk on a tiny model, with what it was made of, and drawn rows of tokens."""
    make_model(folder, "qwen2")
    config, checkpoint = AutoConfig.from_pretrained(folder), Checkpoint(folder)
    draw = random.Random(0)
    rows = [tuple(draw.randrange(1, 256) for _ in range(draw.randrange(shortest, longest))) for _ in range(160)]
    return config, checkpoint, Trunk(config, checkpoint, 2), rows, draw


def test_fitting_learns_what_it_is_shown_and_the_networks_read_what_was_fitted(tmp_path, monkeypatch):
    config, checkpoint, trunk, rows, _ = to_fit_on(tmp_path, 3, 9)
    examples = [Example(row, (1.0, 0.0, 0.0) if row[-1] % 2 else (0.0, 1.0, 1.0)) for row in rows]
    monkeypatch.setattr(adapter_fitting, "FIRST", Recipe(rate=5e-3, head_rate=2e-3, epochs=6, batch_tokens=128))
    adapter, fitted = fit(trunk, examples)
    said = fitted(examples)
    right = sum((p[0] > 0.5) == bool(e.allowed[0]) for p, e in zip(said, examples, strict=True))
    assert right >= 140
    again, _ = fit(trunk, examples)
    torch.testing.assert_close(again.weights, adapter.weights)  # the same seed, the same numbers
    network = float_decoder(config, checkpoint, 64)
    for row, p in zip(rows[:5], said[:5], strict=True):
        state = network.states(list(row), 0, 2, adapter)[-1]
        torch.testing.assert_close(adapter.log_probabilities(state).exp(), torch.tensor(p), atol=1e-3, rtol=1e-3)


def test_fitting_further_goes_on_from_what_is_known_and_leaves_the_beginning_to_the_model(tmp_path, monkeypatch):
    config, checkpoint, trunk, rows, draw = to_fit_on(tmp_path, 5, 12)
    examples = [
        Example(row, (1.0, 0.0) if row[-1] % 2 else (0.0, 1.0), plain=draw.choice((0, 2, len(row) - 3))) for row in rows
    ]
    begun, _ = fit(trunk, examples)
    network = float_decoder(config, checkpoint, 64)

    def read_as_the_product_does(example):
        if example.plain:
            tokens, kept = example.tokens, Kept()
            return read_end(network, tokens, 2, 1, kept, lambda: False, begun, example.plain)[-1]
        return network.states(list(example.tokens), 0, 2, begun)[-1]

    monkeypatch.setattr(adapter_fitting, "FURTHER", Recipe(rate=0.0, head_rate=0.0, epochs=1, batch_tokens=128))
    same, fitted = fit(trunk, examples, begun=begun)
    torch.testing.assert_close(same.layers[1]["down"], begun.layers[1]["down"])
    torch.testing.assert_close(same.weights, begun.weights)
    for example, p in zip(examples[:8], fitted(examples[:8]), strict=True):
        expected = begun.log_probabilities(read_as_the_product_does(example)).exp()
        torch.testing.assert_close(torch.tensor(p), expected, atol=1e-3, rtol=1e-3)

    def likely(said):
        return sum(p[0] if e.allowed[0] else p[1] for p, e in zip(said, examples, strict=True)) / len(examples)

    monkeypatch.setattr(adapter_fitting, "FURTHER", Recipe(rate=5e-3, head_rate=2e-3, epochs=6, batch_tokens=128))
    told = []
    _, better = fit(trunk, examples, begun=begun, report=told.append)
    assert likely(better(examples)) > max(0.85, likely(fitted(examples)))
    assert told[-1].startswith("  epoch 6: mean loss ")


def test_where_the_last_tokens_look_is_what_transformers_says_of_the_corrected_model(folder):
    adapter = drawn(folder)
    model = merged_model(folder, adapter)
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        shares = torch.cat(model(torch.tensor([PROMPT]), output_attentions=True).attentions[:2])
    expected = torch.stack((shares[:, :, 4:].mean(2), shares[:, :, -1]), dim=1)
    for network in networks(folder):
        plain = network.states(PROMPT, 0, 2)
        network.states(PROMPT[:4], 0, 2, adapter)
        torch.testing.assert_close(network.attention(PROMPT[4:], 4, 2, adapter), expected, atol=1e-3, rtol=1e-3)
        kept = Kept()
        found = watch(network, PROMPT, 2, len(PROMPT) - 4, kept, adapter=adapter)
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
        assert kept.shallow == PROMPT
        assert watch(network, PROMPT, 2, 3, kept, lambda: True, adapter) is None
        torch.testing.assert_close(network.states(PROMPT, 0, 2), plain)


class Counting:
    """A network that notes which tokens its layers are run over."""

    def __init__(self, network: Any) -> None:
        self.inner = network
        self.ran: list[tuple[str, int, int]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in ("states", "forward", "lift", "attention"):
            return found

        def noted(first: Any, second: Any, *more: Any) -> Any:
            start, count = (first, second) if name == "lift" else (second, len(first))
            self.ran.append((name, start, count))
            return found(first, second, *more)

        return noted


def last_logits(network: Any, prompt: list[int], kept: Kept, progress: Progress) -> torch.Tensor:
    """Of a generation's first step."""
    seen: list[torch.Tensor] = []

    def look(_generated: list[int], logits: torch.Tensor) -> torch.Tensor:
        seen.append(logits.clone())
        return logits

    request = Request(prompt=prompt, max_new_tokens=1, end_tokens=frozenset(), logits_processor=look)
    list(generate(network, request, kept, progress, lambda: False))
    return seen[0]


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With layers above those that are read, and more than one above."""
    return make_model(tmp_path_factory.mktemp("deep"), "qwen2", num_hidden_layers=6)


LONG = [(7 * place) % 250 for place in range(330)]


@pytest.mark.parametrize("plain", [5, 300], ids=["few tokens", "more than a piece"])
@pytest.mark.parametrize("place", range(4), ids=["float", "transformers", "cuda", "int8"])
def test_what_stands_before_the_adapters_part_is_read_once_for_a_generation_too(deep, plain, place):
    if place == 3 and not has_int8_engine():
        pytest.skip("no int8 kernels on this CPU")
    adapter, config = drawn(deep), AutoConfig.from_pretrained(deep)
    inner = networks(deep, 400)[place] if place < 3 else int8_decoder(config, Checkpoint(deep), 400)
    beginning, prompt = LONG[:plain], LONG[: plain + 9]
    answered = [*beginning, 8, 3]
    close = {"atol": 0.02, "rtol": 0.02} if place == 3 else {"atol": 1e-3, "rtol": 1e-3}
    expected = last_logits(inner, answered, Kept(), Progress())
    inner.states(beginning, 0, 2)
    state = inner.states(prompt[plain:], plain, 2, adapter)[-1:]
    network, kept, progress = Counting(inner), Kept(), Progress()
    for _ in range(2):
        network.ran.clear()
        found = read_end(network, prompt, 2, 1, kept, lambda: False, adapter, plain)
        torch.testing.assert_close(found, state, **close)
        assert (kept.shallow, kept.adapter, kept.tokens) == (beginning, None, [])
    assert network.ran == [("states", plain, 9)], "the second time nothing of the beginning is run again"
    network.ran.clear()
    torch.testing.assert_close(last_logits(network, answered, kept, progress), expected, **close)
    assert progress.reused_tokens == (plain if network.lifts else 0)
    if network.lifts:
        assert [step for step in network.ran if step[0] == "forward"] == [("forward", plain, 2)]
        assert sum(count for name, _, count in network.ran if name == "lift") == plain


def test_of_a_beginning_that_is_not_the_same_or_was_not_read_wholly_nothing_is_taken_over(deep):
    adapter, network, kept, progress = drawn(deep), networks(deep, 400)[0], Kept(), Progress()
    read_end(network, LONG, 2, 1, kept, lambda: False, adapter, 300)
    last_logits(network, [*LONG[:200], 8, 3], kept, progress)
    assert progress.reused_tokens == 0
    assert read_end(network, LONG, 2, 1, kept, lambda: True, adapter, 300) is None
    expected = last_logits(network, [*LONG[:300], 8, 3], Kept(), Progress())
    torch.testing.assert_close(
        last_logits(network, [*LONG[:300], 8, 3], kept, progress), expected, atol=1e-3, rtol=1e-3
    )


def test_a_reading_that_is_stopped_before_it_begins_leaves_no_other_ones_keys_as_its_own(folder):
    network, kept = networks(folder)[0], Kept()
    first, second = drawn(folder), drawn(folder, seed=1)
    fresh = read(network, PROMPT, 2, 1, Kept(), adapter=second)
    read(network, PROMPT, 2, 1, kept, adapter=first)
    assert read(network, PROMPT, 2, 1, kept, lambda: True, second) is None
    torch.testing.assert_close(read(network, PROMPT, 2, 1, kept, adapter=second), fresh)
