"""The real weights, as they come out of the mirror: they load, know their tokens, and answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Settings, weights

EMBEDDER = "sentence-transformers/all-MiniLM-L6-v2"
SMALL = "Qwen/Qwen2.5-Coder-0.5B-Instruct"
SMALLEST = "HuggingFaceTB/SmolLM2-135M-Instruct"
CHAT = [SMALL, "Qwen/Qwen2.5-Coder-1.5B-Instruct", SMALLEST]
CAPITAL = {"qwen": [785, 6722, 315, 9625, 374], "smol": [504, 3575, 282, 4649, 314]}  # of the published tokenizers

pytestmark = pytest.mark.weights


def folder_of(name: str) -> Path:
    found = weights.find(name, Settings().home)
    if found is None:
        pytest.skip(f"{name} is missing (footnote models fetch {name})")
    return found.path


def test_the_embedder_loads_offline_with_its_length_and_normalisation() -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder_of(EMBEDDER)), local_files_only=True, device="cpu")
    vectors = model.encode(["A cat sits on a mat.", "A feline rests on a rug.", "Bonds fell on Friday."])
    assert model.max_seq_length == 256
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling", "Normalize"]
    assert vectors.shape == (3, 384)
    assert (vectors**2).sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2]


@pytest.mark.parametrize("name", CHAT)
def test_a_tokenizer_gives_the_published_tokens_and_its_text_back(name: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder_of(name))
    kind = "qwen" if "Qwen" in name else "smol"
    assert tokenizer("The capital of France is")["input_ids"] == CAPITAL[kind]
    for text in ("Naïve Bayes beats BM25 by 12.5 %,\n\n isn't it?", "日本語 ☕ \t x", "<|im_start|>user\nhi<|im_end|>"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    prompt = tokenizer.apply_chat_template(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("name", CHAT)
def test_configuration_and_stop_tokens_are_those_of_the_published_model(name: str) -> None:
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    path = folder_of(name)
    tokenizer = AutoTokenizer.from_pretrained(path)
    stops = GenerationConfig.from_pretrained(path).eos_token_id
    assert tokenizer.convert_ids_to_tokens(stops) == ["<|im_end|>", "<|endoftext|>"]
    config = AutoConfig.from_pretrained(path)
    assert config.tie_word_embeddings
    assert config.rope_parameters["rope_theta"] == (100_000 if "Smol" in name else 1_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SMALL, SMALLEST])
def test_a_converted_model_knows_the_capital_of_france_and_stops(name: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = folder_of(name)
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype="auto")
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=20)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"
    (row,) = (row for row in weights.available(Settings().home) if row.name == name)
    assert sum(parameter.numel() for parameter in model.parameters()) == row.parameters
