"""Writes a GGUF file of a few kilobytes from a small random model, the way llama.cpp lays one out."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize
from tokenizers import pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

N_HEADS, N_KEY_HEADS = 4, 2
MERGES = ["h e", "l l", "he ll", "hell o"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def tokens() -> tuple[list[str], list[int]]:
    """The vocabulary and the types of its entries: bytes, merges, controls, one user-defined, one unused."""
    plain = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(merge.replace(" ", "") for merge in MERGES)]
    texts = [*plain, *SPECIAL, "<tool_call>", "[PAD0]"]
    return texts, [1] * len(plain) + [3] * len(SPECIAL) + [4, 5]


def tiny_model(architecture: str, *, tied: bool = True) -> PreTrainedModel:
    """A random model whose weights bfloat16 holds exactly."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        architecture,
        vocab_size=len(tokens()[0]),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=N_HEADS,
        num_key_value_heads=N_KEY_HEADS,
        max_position_embeddings=128,
        rope_parameters={"rope_type": "default", "rope_theta": 12345.0},
        tie_word_embeddings=tied,
    )
    model = AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        parameter.data.normal_(std=0.2)
        parameter.data = parameter.data.bfloat16().float()
    return model.eval()


def interleaved(weight: np.ndarray, n_heads: int) -> np.ndarray:
    """Rows of a rotary projection as llama.cpp stores Llama's: the two halves of each head in turn."""
    halves = weight.reshape(n_heads, 2, -1, weight.shape[1])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def write_gguf(
    path: Path,
    model: PreTrainedModel,
    *,
    pre: str = "qwen2",
    output: np.ndarray | None = None,
    quantization: GGMLQuantizationType = GGMLQuantizationType.F32,
) -> Path:
    """Write `model`; `output`, when given, is stored beside the embedding, which is then stored as Q4_0."""
    config = model.config
    writer = gguf.GGUFWriter(path, config.model_type)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(N_HEADS)
    writer.add_head_count_kv(N_KEY_HEADS)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    _add_vocabulary(writer, pre)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    embedding = state["model.embed_tokens.weight"]
    _add(writer, "token_embd.weight", embedding, quantization if output is None else GGMLQuantizationType.Q4_0)
    if output is not None:
        _add(writer, "output.weight", output, GGMLQuantizationType.Q8_0)
    _add(writer, "output_norm.weight", state["model.norm.weight"], GGMLQuantizationType.F32)
    for layer in range(config.num_hidden_layers):
        for short, long in NAMES.items():
            for kind in ("weight", "bias"):
                tensor = state.get(f"model.layers.{layer}.{long}.{kind}")
                if tensor is None:
                    continue
                if config.model_type == "llama" and short in ("attn_q", "attn_k") and kind == "weight":
                    tensor = interleaved(tensor, N_HEADS if short == "attn_q" else N_KEY_HEADS)
                _add(writer, f"blk.{layer}.{short}.{kind}", tensor, quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, name: str, tensor: np.ndarray, quantization: GGMLQuantizationType) -> None:
    if tensor.ndim == 1 or quantization == GGMLQuantizationType.F32:
        writer.add_tensor(name, tensor.astype(np.float32))
    else:
        writer.add_tensor(name, quantize(tensor, quantization), raw_dtype=quantization)


def _add_vocabulary(writer: gguf.GGUFWriter, pre: str) -> None:
    texts, types = tokens()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(texts.index("<|endoftext|>"))
    writer.add_eos_token_id(texts.index("<|im_end|>"))
    writer.add_pad_token_id(texts.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
