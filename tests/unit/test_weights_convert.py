"""GGUF to safetensors: the same model comes out, with its tokenizer, template and stop tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from rag.errors import WeightsError
from rag.weights.convert import _bfloat16, convert
from rag.weights.gguf_file import GgufFile
from tests.tiny_gguf import tiny_model, tokens, write_gguf


def converted(source: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "converted"
    folder.mkdir()
    convert(source, folder)
    return folder


@pytest.fixture(scope="module")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen")
    return converted(write_gguf(path / "tiny.gguf", tiny_model("qwen2")), path)


@pytest.fixture(scope="module")
def tokenizer(qwen_folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(qwen_folder)


@pytest.mark.parametrize(("architecture", "pre"), [("qwen2", "qwen2"), ("llama", "smollm")])
def test_the_converted_model_computes_what_the_original_computes(architecture: str, pre: str, tmp_path: Path) -> None:
    original = tiny_model(architecture)
    folder = converted(write_gguf(tmp_path / "tiny.gguf", original, pre=pre), tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.arange(40).reshape(2, 20)
    with torch.no_grad():
        assert torch.equal(loaded(ids).logits, original(ids).logits)


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_0", "Q4_1", "F16", "BF16"])
def test_quantised_tensors_are_those_that_the_gguf_package_gives(kind: str, tmp_path: Path) -> None:
    quantization = GGMLQuantizationType[kind]
    original = tiny_model("qwen2")
    source = write_gguf(tmp_path / "tiny.gguf", original, quantization=quantization)
    loaded = AutoModelForCausalLM.from_pretrained(converted(source, tmp_path))
    weight = original.model.layers[1].mlp.down_proj.weight.detach().numpy()
    expected = torch.from_numpy(dequantize(quantize(weight, quantization), quantization)).bfloat16()
    assert torch.equal(loaded.model.layers[1].mlp.down_proj.weight, expected)


def test_an_output_matrix_that_repeats_the_embedding_serves_as_both(tmp_path: Path) -> None:
    original = tiny_model("qwen2")
    matrix = original.model.embed_tokens.weight.detach().numpy()
    folder = converted(write_gguf(tmp_path / "tiny.gguf", original, output=matrix), tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    finer = dequantize(quantize(matrix, GGMLQuantizationType.Q8_0), GGMLQuantizationType.Q8_0)
    assert loaded.config.tie_word_embeddings
    assert loaded.lm_head.weight.data_ptr() == loaded.model.embed_tokens.weight.data_ptr()
    assert torch.equal(loaded.model.embed_tokens.weight, torch.from_numpy(finer).bfloat16())


def test_an_output_matrix_of_its_own_stays_one(tmp_path: Path) -> None:
    original = tiny_model("qwen2", tied=False)
    matrix = original.lm_head.weight.detach().numpy()
    folder = converted(write_gguf(tmp_path / "tiny.gguf", original, output=matrix), tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert not loaded.config.tie_word_embeddings
    assert torch.allclose(loaded.lm_head.weight.float(), original.lm_head.weight, atol=0.02)


def test_generation_stops_at_the_end_of_a_turn_and_of_a_text(qwen_folder: Path) -> None:
    texts = tokens()[0]
    model = AutoModelForCausalLM.from_pretrained(qwen_folder)
    assert [texts[n] for n in model.generation_config.eos_token_id] == ["<|im_end|>", "<|endoftext|>"]
    assert texts[model.generation_config.pad_token_id] == "<|endoftext|>"
    assert model.generation_config.do_sample is False


@pytest.mark.parametrize("text", ["hello", " Hello, wörld 12  34\n\n x", "naïve ☕ 日本語\tdon't", "<tool_call>x"])
def test_text_comes_back_from_the_tokenizer_unchanged(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_tokenizer_merges_and_adds_no_start_token(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer("hello<|im_end|>")["input_ids"] == [tokens()[0].index(text) for text in ("hello", "<|im_end|>")]
    assert tokenizer.bos_token is None
    assert tokenizer.eos_token == "<|im_end|>"


def test_the_chat_template_comes_along(tokenizer: PreTrainedTokenizerBase) -> None:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


def test_every_digit_is_a_token_for_smollm(tmp_path: Path) -> None:
    folder = converted(write_gguf(tmp_path / "tiny.gguf", tiny_model("llama"), pre="smollm"), tmp_path)
    assert AutoTokenizer.from_pretrained(folder).tokenize("a 2024") == ["a", "Ġ", "2", "0", "2", "4"]


def test_progress_ends_at_all_bytes(tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "tiny.gguf", tiny_model("qwen2"))
    folder = tmp_path / "out"
    folder.mkdir()
    seen: list[tuple[int, int]] = []
    convert(source, folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] < (folder / "model.safetensors").stat().st_size


def test_an_unknown_vocabulary_is_refused_by_name(tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "tiny.gguf", tiny_model("qwen2"), pre="deepseek-coder")
    with pytest.raises(WeightsError, match=r"deepseek-coder.*Name a model"):
        converted(source, tmp_path)


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\3\4 not a model", b"GGUF\3\0\0\0", b"GGUF\1\0\0\0" + b"\0" * 16])
def test_what_is_not_gguf_is_an_error_with_a_remedy(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "broken.gguf"
    source.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.gguf cannot be converted.*Name another model"):
        converted(source, tmp_path)


def test_metadata_is_read_as_the_gguf_package_wrote_it(tmp_path: Path) -> None:
    with GgufFile(write_gguf(tmp_path / "tiny.gguf", tiny_model("llama"))) as model:
        assert model.metadata["tokenizer.ggml.tokens"] == tokens()[0]
        assert model.metadata["tokenizer.ggml.token_type"] == tokens()[1]
        assert model.metadata["llama.attention.head_count_kv"] == 2
        assert model.metadata["tokenizer.ggml.add_bos_token"] is False
        assert model.tensors["blk.0.ffn_up.weight"].shape == (96, 64)


@given(
    st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**126), max_value=2.0**126),
        min_size=1,
    )
)
def test_rounding_to_bfloat16_is_that_of_pytorch(values: list[float]) -> None:
    array = np.array(values, np.float32)
    expected = torch.from_numpy(array).bfloat16().view(torch.int16).numpy().tobytes()
    assert _bfloat16(array) == expected


def test_the_configuration_names_no_machine(qwen_folder: Path) -> None:
    config = json.loads((qwen_folder / "config.json").read_text())
    assert config["dtype"] == "bfloat16"
    assert config["rms_norm_eps"] == 1e-06
    assert config["rope_parameters"]["rope_theta"] == 12345.0
    assert str(qwen_folder) not in "".join(file.read_text() for file in qwen_folder.glob("*.json"))
