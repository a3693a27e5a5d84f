"""Turns a GGUF file into a folder that transformers loads at once: bfloat16 safetensors, config, tokenizer.

Done once for each model. Tensors go through one by one, a few rows at a time, straight into the file, so
memory stays far below the size of the model. Knows the two architectures and the two kinds of byte-level
vocabulary that the mirror holds; anything else is refused by name. Knows nothing of where the file came from.

Source: llama.cpp's convert_hf_to_gguf.py, read backwards (tensor names, and the reordered rows of Llama's
query and key projections); the safetensors file format; the tokenizers as published with Qwen2.5 and SmolLM2.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.errors import WeightsError
from rag.weights.gguf_file import GgufFile, Tensor

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONVERTER_VERSION = 1
"""Goes up when the same GGUF file would give another folder; kept in the folder's record."""

_OUTER_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_LAYER_NAMES = {
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
# How text is cut before the byte pairs are merged; GGUF only names it.
_QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5  # token types of GGUF
_SAME_MATRIX = 0.99  # cosine above which output and embedding are two roundings of one matrix


def convert(source: Path, folder: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the model in the GGUF file `source` into the existing, empty `folder`.

    `progress` is called with bytes written and bytes in all. Peak memory is that of one slice of a matrix,
    plus what the system keeps of the file.

    Raises:
        WeightsError: the file is not GGUF, or of an architecture, vocabulary or type that is not known here.
    """
    try:
        with GgufFile(source) as model:
            metadata = model.metadata
            _refuse_unknown(source, metadata)
            tied = _is_tied(model)
            config = _config(metadata, tied=tied, vocabulary=model.tensors["token_embd.weight"].shape[0])
            _write_tensors(model, folder / "model.safetensors", tied=tied, progress=progress or (lambda _a, _b: None))
    except (ValueError, KeyError, NotImplementedError) as error:
        raise WeightsError(f"{source.name} cannot be converted: {error}.", "Name another model.") from error
    _save_config(config, metadata, folder)
    _save_tokenizer(metadata, folder)


def _refuse_unknown(source: Path, metadata: dict[str, Any]) -> None:
    found = (metadata["general.architecture"], metadata["tokenizer.ggml.model"], metadata.get("tokenizer.ggml.pre"))
    if found[0] not in ("qwen2", "llama") or found[1] != "gpt2" or found[2] not in ("qwen2", "smollm"):
        raise WeightsError(
            f"{source.name} holds an architecture, vocabulary and pre-tokenizer {found!r} that Footnote does not know.",
            "Name a model that the hub has as safetensors.",
        )


def _is_tied(model: GgufFile) -> bool:
    """Whether output and embedding are one matrix.

    Files of tied models often keep it twice, in two roundings, and then the finer one (`output`) serves as
    both: half a gigabyte less in memory for the 1.5B, and a better embedding.
    """
    output = model.tensors.get("output.weight")
    if output is None:
        return True
    embedding = model.tensors["token_embd.weight"]
    if output.shape != embedding.shape:
        return False
    a, b = next(model.rows(output)), next(model.rows(embedding))
    cosine = float((a * b).sum() / np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return cosine > _SAME_MATRIX


def _target_name(name: str) -> str:
    """The name that transformers has for a tensor. `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.

    Raises:
        ValueError: there is none.
    """
    if name in _OUTER_NAMES:
        return _OUTER_NAMES[name]
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match is None or match[2] not in _LAYER_NAMES:
        raise ValueError(f"tensor {name!r} has no place in the model")
    return f"model.layers.{match[1]}.{_LAYER_NAMES[match[2]]}.{match[3]}"


def _chosen(model: GgufFile, *, tied: bool) -> Iterator[tuple[str, Tensor]]:
    """Each tensor to be written with its new name."""
    skipped = set()
    if tied and "output.weight" in model.tensors:
        yield "model.embed_tokens.weight", model.tensors["output.weight"]
        skipped = {"output.weight", "token_embd.weight"}
    for name, tensor in model.tensors.items():
        if name == "rope_freqs.weight":  # a table that transformers computes
            continue
        if name not in skipped:
            yield _target_name(name), tensor


def _row_order(tensor: Tensor, metadata: dict[str, Any]) -> npt.NDArray[np.intp] | None:
    """Which stored row comes n-th: llama.cpp interleaves the halves of each rotary head, for Llama only."""
    if metadata["general.architecture"] != "llama":
        return None
    if tensor.name.endswith("attn_q.weight"):
        heads = metadata["llama.attention.head_count"]
    elif tensor.name.endswith("attn_k.weight"):
        heads = metadata.get("llama.attention.head_count_kv", metadata["llama.attention.head_count"])
    else:
        return None
    stored = np.arange(tensor.shape[0]).reshape(heads, -1, 2)
    return stored.swapaxes(1, 2).reshape(-1)


def _write_tensors(model: GgufFile, path: Path, *, tied: bool, progress: Callable[[int, int], None]) -> None:
    """One safetensors file, written from front to back."""
    chosen = list(_chosen(model, tied=tied))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    total = 0
    for name, tensor in chosen:
        size = 2 * prod(tensor.shape)
        header[name] = {"dtype": "BF16", "shape": tensor.shape, "data_offsets": [total, total + size]}
        total += size
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)  # the data starts aligned
    written = 0
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for _, tensor in chosen:
            for rows in model.rows(tensor, _row_order(tensor, model.metadata)):
                written += file.write(_bfloat16(rows))
                progress(written, total)
        file.flush()
        os.fsync(file.fileno())


def _bfloat16(values: npt.NDArray[np.float32]) -> bytes:
    """Rounded to nearest, ties to even, as PyTorch rounds. Finite values only, which weights are."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))
    return (rounded >> 16).astype("<u2").tobytes()


def _config(metadata: dict[str, Any], *, tied: bool, vocabulary: int) -> dict[str, Any]:
    architecture = metadata["general.architecture"]

    def value(key: str) -> Any:
        return metadata[f"{architecture}.{key}"]

    heads = value("attention.head_count")
    config = {
        "architectures": ["Qwen2ForCausalLM" if architecture == "qwen2" else "LlamaForCausalLM"],
        "dtype": "bfloat16",
        "vocab_size": vocabulary,
        "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"),
        "num_hidden_layers": value("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": metadata.get(f"{architecture}.attention.head_count_kv", heads),
        "max_position_embeddings": value("context_length"),
        # The file keeps it in single precision: 9.99999997e-07 is 1e-06.
        "rms_norm_eps": float(f"{value('attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_parameters": {"rope_type": "default", "rope_theta": float(value("rope.freq_base"))},
        "tie_word_embeddings": tied,
        "bos_token_id": metadata.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": metadata["tokenizer.ggml.eos_token_id"],
        "pad_token_id": metadata.get("tokenizer.ggml.padding_token_id"),
    }
    if architecture == "llama":
        config["head_dim"] = metadata.get("llama.rope.dimension_count", config["hidden_size"] // heads)
    return config


def _save_config(config: dict[str, Any], metadata: dict[str, Any], folder: Path) -> None:
    """config.json and generation_config.json: greedy, and stopping at the end of a turn or of a text."""
    from transformers import AutoConfig

    AutoConfig.for_model(metadata["general.architecture"], **config).save_pretrained(folder)
    tokens = metadata["tokenizer.ggml.tokens"]
    ends = [config["eos_token_id"]]
    ends += [tokens.index(text) for text in ("<|im_end|>", "<|endoftext|>") if text in tokens]
    pad = config["pad_token_id"] if config["pad_token_id"] is not None else config["eos_token_id"]
    generation = {
        "bos_token_id": config["bos_token_id"],
        "do_sample": False,
        "eos_token_id": list(dict.fromkeys(ends)),
        "pad_token_id": pad,
    }
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n", encoding="utf-8")


def _save_tokenizer(metadata: dict[str, Any], folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    tokens = metadata["tokenizer.ggml.tokens"]

    def token(key: str) -> str | None:
        number = metadata.get(f"tokenizer.ggml.{key}")
        return None if number is None else str(tokens[number])

    template = metadata.get("tokenizer.chat_template", "")
    # A start token that text never gets is not named, or something downstream would prepend it after all.
    starts = metadata.get("tokenizer.ggml.add_bos_token", False) or "bos_token" in template
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_byte_level(metadata),
        bos_token=token("bos_token_id") if starts else None,
        eos_token=token("eos_token_id"),
        pad_token=token("padding_token_id") or token("eos_token_id"),
        model_max_length=metadata[f"{metadata['general.architecture']}.context_length"],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = template or None
    tokenizer.save_pretrained(folder)


def _byte_level(metadata: dict[str, Any]) -> Tokenizer:
    """The byte-pair tokenizer that the metadata describes; it adds no token of its own."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    types = metadata["tokenizer.ggml.token_type"]
    tokens = metadata["tokenizer.ggml.tokens"]
    vocabulary = {text: number for number, text in enumerate(tokens) if types[number] != _UNUSED}
    merges = [tuple(pair.split(" ", 1)) for pair in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    if metadata["tokenizer.ggml.pre"] == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        cut = pre_tokenizers.Split(Regex(_QWEN2_SPLIT), behavior="isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
    else:  # smollm: GPT-2's, with every digit on its own
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    tokenizer.decoder = decoders.ByteLevel()
    for kind, special in ((_CONTROL, True), (_USER_DEFINED, False)):
        tokenizer.add_tokens(
            [AddedToken(tokens[n], special=special, normalized=False) for n, found in enumerate(types) if found == kind]
        )
    return tokenizer
