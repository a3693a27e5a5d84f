"""A language model as one function: tokens at a place in, logits out, with keys and values kept between calls.

`Network` is what the generation loop needs; `TransformersNetwork` gives it for any causal language model of
transformers, on the CPU or a GPU. Knows nothing of prompts, text, or how the next token is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from rag.inference.adapter import Adapter


@dataclass(frozen=True, slots=True)
class Memory:
    """Keys and values of one text, apart from what the network itself holds, with room for what is still to come.

    Each float32 (layers, kv_heads, tokens, head_dim).
    """

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class Step:
    """What is run next of one text among others: `tokens` at positions `start` onwards, behind what `memory` holds."""

    memory: Memory
    tokens: list[int]
    start: int


class Network(Protocol):
    """A decoder with a memory of the tokens it has been run over."""

    context_tokens: int
    """Most tokens that fit, prompt and answer together."""
    rewindable: bool
    """Whether `forward` may start before the end of what was run. Recurrent and sliding-window models can't."""
    lifts: bool
    """Whether there is a `lift`."""
    side_by_side: bool
    """Whether there are `memory` and `step`."""
    most_drafted: int
    """Tokens that a step verifies beside one for not much more time than one takes alone."""

    def forward(self, tokens: list[int], start: int, wanted: int) -> Tensor:
        """Run `tokens` at positions `start` onwards, forgetting what was kept from `start` on.

        Returns float32 logits (wanted, vocabulary) of the last `wanted` tokens; `wanted` may be 0.
        """
        ...

    def states(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """Run `tokens` at positions `start` onwards through the first `depth` layers, and no further.

        Returns what these layers, corrected by `adapter`, give: float32 (tokens, hidden) in the model's own basis. From
        `start` on, nothing that was kept can be generated from afterwards; another `states` of the same `depth` and
        `adapter` can go on from it.
        """
        ...

    def attention(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """Run `tokens` as `states` does, and say where they look: `attention.looks` of each layer.

        Returns float32 (depth, 2, heads, start + tokens) on the CPU.
        """
        ...

    def lift(self, start: int, count: int, depth: int) -> None:
        """Run `count` tokens from `start` on through the layers above `depth`; `states` has run them so far, unadapted.

        Those before them have to be lifted; `forward` can then start behind them.
        """
        ...

    def memory(self, count: int, room: int) -> Memory:
        """A copy of what is kept of the first `count` tokens, with room for `room` in all."""
        ...

    def step(self, steps: Sequence[Step]) -> list[Tensor]:
        """Run the next tokens of several texts at once, each over its own memory, which then holds them, too.

        Returns for each float32 logits (tokens, vocabulary): what `forward` gives of it alone, up to what rounding
        depends on a number of rows. What the network itself holds stays as it is.
        """
        ...

    def warm_up(self) -> None:
        """Do what is slow only the first time."""
        ...


class TransformersNetwork:
    """Any causal language model of transformers, through its own `forward` and a DynamicCache."""

    lifts = False
    side_by_side = False
    most_drafted = 4

    def __init__(self, model: Any, context_tokens: int) -> None:
        self.model = model
        self.context_tokens = context_tokens
        self._cache = self._new_cache()
        # Only plain layers can be cut back to any length: sliding windows and recurrent states have moved on.
        self.rewindable = all(type(layer).__name__ == "DynamicLayer" for layer in self._cache.layers)

    def _new_cache(self) -> Any:
        return DynamicCache(config=self.model.config)

    def _go_back_to(self, start: int) -> None:
        held = self._cache.get_seq_length()
        if start == 0:
            self._cache = self._new_cache()
        elif start < held:
            self._cache.crop(start - held)  # a negative number removes that many, in transformers 5.17 and 5.23

    @torch.inference_mode()
    def forward(self, tokens: list[int], start: int, wanted: int) -> Tensor:
        """See `Network.forward`."""
        self._go_back_to(start)
        ids = torch.tensor([tokens], device=self.model.device)
        # logits_to_keep=0 would mean all of them.
        output = self.model(ids, past_key_values=self._cache, use_cache=True, logits_to_keep=max(wanted, 1))
        logits: Tensor = output.logits[0].float()
        return logits[logits.shape[0] - wanted :]

    @torch.inference_mode()
    def states(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.states`; all layers are run, for transformers stops at none."""
        self._go_back_to(start)
        ids = torch.tensor([tokens], device=self.model.device)
        with _corrected(self.model, adapter):
            output = self.model(
                ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1, output_hidden_states=True
            )
        states: Tensor = output.hidden_states[depth][0].float().cpu()
        return states

    @torch.inference_mode()
    def attention(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> Tensor:
        """See `Network.attention`; by transformers' plain attention, for no other tells its shares."""
        self._go_back_to(start)
        ids = torch.tensor([tokens], device=self.model.device)
        usual = self.model.config._attn_implementation
        self.model.set_attn_implementation("eager")
        try:
            with _corrected(self.model, adapter):
                output = self.model(
                    ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1, output_attentions=True
                )
        finally:
            self.model.set_attn_implementation(usual)
        shares = torch.cat(output.attentions[:depth]).float().cpu()
        return torch.stack((shares.mean(2), shares[:, :, -1]), dim=1)

    def lift(self, start: int, count: int, depth: int) -> None:
        """Not to be had: transformers runs all layers at once."""
        raise NotImplementedError

    def memory(self, count: int, room: int) -> Memory:
        """Not to be had: the keys and values are transformers' own."""
        raise NotImplementedError

    def step(self, steps: Sequence[Step]) -> list[Tensor]:
        """Not to be had, see `memory`."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Run a few tokens at once and then one, so that kernels are chosen and loaded."""
        token = self.model.config.get_text_config().eos_token_id or 0
        first = token[0] if isinstance(token, list) else token
        self.forward([first] * 8, 0, 1)
        self.forward([first], 8, 1)


_PARTS = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "output": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
"""The modules of transformers that a matrix of `adapter.MATRICES` is made of, on top of each other."""


@contextmanager
def _corrected(model: Any, adapter: Adapter | None) -> Iterator[None]:
    """The corrections of `adapter` are added to the outputs of the model's modules while it lasts."""
    with ExitStack() as hooks:
        for index, layer in enumerate(adapter.layers if adapter is not None else ()):
            for name, (down, up) in layer.items():
                row = 0
                for part in _PARTS[name]:
                    module = model.model.layers[index].get_submodule(part)
                    rows = up[row : row + module.out_features]
                    row += module.out_features
                    handle = module.register_forward_hook(_adding(down.to(module.weight), rows.to(module.weight)))
                    hooks.callback(handle.remove)
        yield


def _adding(down: Tensor, up: Tensor) -> Callable[[Any, tuple[Tensor, ...], Tensor], Tensor]:
    return lambda _module, inputs, output: output + (inputs[0] @ down.T) @ up.T
