"""Texts that are written side by side: each is what it is alone, and none depends on what becomes of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from rag.chat import LocalChatModel
from rag.errors import ModelError
from rag.inference.checkpoint import Checkpoint
from rag.inference.decoder import Decoder
from rag.inference.engine import Engine, Form
from rag.inference.generation import Kept, Progress, Request, generate
from rag.inference.int8 import int8_decoder
from rag.inference.kernels import has_int8_engine
from rag.inference.networks import Memory, Step
from rag.inference.reading import read
from rag.inference.worker import AT_ONCE, Generation
from tests.float_decoder import float_decoder

pytestmark = pytest.mark.usefixtures("one_thread")
needs_int8 = pytest.mark.skipif(not has_int8_engine(), reason="no int8 kernels on this CPU")
PROMPT = [5, 9, 100, 23, 44, 5, 9, 100, 23, 7, 201, 5, 9] * 3
PROMPTS = [PROMPT, [*PROMPT[:20], 77, 5, 9], [8, 8, 9] * 9, PROMPT[5:], [60, 61]]


def decoder(folder: Path, kind: str) -> Decoder:
    make = int8_decoder if kind == "int8" else float_decoder
    return make(AutoConfig.from_pretrained(folder), Checkpoint(folder), 512)


KINDS = [pytest.param("int8", marks=needs_int8), "float32"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_several_gives_the_logits_of_each_alone(folder: Path, kind: str) -> None:
    network = decoder(folder, kind)
    runs = [(PROMPT, [3]), (PROMPTS[1], [7, 8, 9]), (PROMPTS[2], [1, 2]), (PROMPTS[4], list(range(20)))]
    memories, expected = [], []
    for prompt, ahead in runs:
        network.forward(prompt, 0, 1)
        memories.append(network.memory(len(prompt), len(prompt) + 30))
        expected.append(network.forward(ahead, len(prompt), len(ahead)))
        expected.append(network.forward([4], len(prompt) + len(ahead), 1))
    held = network.forward([6], 5, 1)
    first = network.step([Step(m, ahead, len(prompt)) for m, (prompt, ahead) in zip(memories, runs, strict=True)])
    then = network.step([Step(m, [4], len(p) + len(ahead)) for m, (p, ahead) in zip(memories, runs, strict=True)])
    together = [logits for both in zip(first, then, strict=True) for logits in both]
    exact = 5e-6 if kind == "int8" else 1e-4  # int8: the rotation before the last matrix is a float product
    for one, other in zip(together, expected, strict=True):
        torch.testing.assert_close(one, other, atol=exact, rtol=exact)
    assert torch.equal(network.forward([6], 5, 1), held), "what the network holds itself has changed"


class Watched:
    """A decoder that says how many texts each of its steps had; prompts wait for `may_begin`, steps for `may_go_on`."""

    rewindable, lifts, side_by_side, most_drafted = True, False, True, 4

    def __init__(self, inner: Decoder) -> None:
        self.inner = inner
        self.context_tokens = inner.context_tokens
        self.states, self.memory, self.warm_up = inner.states, inner.memory, inner.warm_up
        self.texts: list[int] = []
        self.may_begin, self.may_go_on = threading.Event(), threading.Event()

    def forward(self, tokens: list[int], start: int, wanted: int) -> torch.Tensor:
        assert self.may_begin.wait(20)
        return self.inner.forward(tokens, start, wanted)

    def step(self, steps: Sequence[Step]) -> list[torch.Tensor]:
        assert self.may_go_on.wait(20)
        self.texts.append(len(steps))
        return self.inner.step(steps)


@pytest.fixture
def network(folder: Path) -> Watched:
    return Watched(decoder(folder, "int8" if has_int8_engine() else "float32"))


@pytest.fixture
def engine(network: Watched, folder: Path) -> Iterator[Engine]:
    form = Form("cpu", "float32", "for tests")
    yield Engine(network, AutoTokenizer.from_pretrained(folder), frozenset(), model_id="tiny", form=form)
    network.may_begin.set()
    network.may_go_on.set()


def begun(engine: Engine, network: Watched, *wanted: Request) -> list[Generation]:
    """Generations that have their first token, and wait together for their first step."""
    generations = [engine.start(one) for one in wanted]
    network.may_begin.set()
    until(lambda: all(generation.progress.generated_tokens for generation in generations), "nothing was written")
    return generations


def request(prompt: list[int], tokens: int = 40, **options: Any) -> Request:
    return Request(prompt, tokens, frozenset(), **options)


def alone(network: Watched, wanted: Request) -> list[int]:
    return list(generate(network.inner, wanted, Kept(), Progress(), lambda: False))


def all_of(*generations: Generation) -> list[list[int]]:
    return [list(generation.tokens(20)) for generation in generations]


def until(condition: Any, message: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.005)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_texts_side_by_side_are_those_written_alone(engine: Engine, network: Watched, temperature: float) -> None:
    wanted = [request(p, 20 + 9 * i, temperature=temperature, seed=i) for i, p in enumerate(PROMPTS)]
    expected = [alone(network, one) for one in wanted]
    generations = [engine.start(one) for one in wanted]
    network.may_begin.set()
    network.may_go_on.set()
    assert all_of(*generations) == expected
    assert [generation.progress.generated_tokens for generation in generations] == [20, 29, 38, 47, 56]
    assert max(network.texts) == AT_ONCE, "the fifth waits for a place"


def test_several_take_the_steps_of_the_longest(engine: Engine, network: Watched) -> None:
    generations = begun(engine, network, *[request(PROMPT, 30, draft_tokens=0)] * 3)
    network.may_go_on.set()
    all_of(*generations)
    assert network.texts == [3] * 29, "the first token is the prompt's"


def test_a_reading_comes_in_between_and_reads_what_it_does_alone(engine: Engine, network: Watched) -> None:
    expected = read(network.inner, PROMPTS[1], 2, 3, Kept())
    written = alone(network, request(PROMPT, 60))
    (generation,) = begun(engine, network, request(PROMPT, 60))
    reading = engine.read(PROMPTS[1], depth=2, wanted=3)
    network.may_go_on.set()
    found = reading.result(20)
    assert torch.equal(found, expected)
    assert all_of(generation) == [written]


def test_what_is_written_gets_as_much_time_as_a_reading_took(engine: Engine, network: Watched) -> None:
    def slow_states(*given: Any) -> torch.Tensor:
        time.sleep(0.2)
        return network.inner.states(*given)

    network.states = slow_states
    (generation,) = begun(engine, network, request(PROMPT, 400, draft_tokens=0))
    first, second = (engine.read(PROMPT[:n], depth=1) for n in (4, 9))
    network.may_go_on.set()
    first.result(20)
    before = generation.progress.generated_tokens
    second.result(20)
    assert generation.progress.generated_tokens - before > 10, "the second reading came right behind the first"


def test_one_that_is_given_up_leaves_the_others_as_they_are(engine: Engine, network: Watched) -> None:
    expected = alone(network, request(PROMPT, 60))
    kept, given_up = begun(engine, network, request(PROMPT, 60), request(PROMPTS[2], 400))
    given_up.cancel()
    network.may_go_on.set()
    assert all_of(kept) == [expected]
    assert given_up.progress.finish_reason == "cancelled"
    assert max(network.texts[1:]) == 1


def test_a_failing_step_is_told_to_all_and_the_next_is_served(engine: Engine, network: Watched) -> None:
    expected = alone(network, request(PROMPT))
    step = network.step

    def fail(_steps: Sequence[Step]) -> list[torch.Tensor]:
        assert network.may_go_on.wait(20)
        network.step = step
        raise RuntimeError("out of memory")

    network.step = fail
    generations = begun(engine, network, *map(request, PROMPTS[:2]))
    network.may_go_on.set()
    for generation in generations:
        with pytest.raises(ModelError, match="out of memory"):
            list(generation.tokens(20))
    assert all_of(engine.start(request(PROMPT))) == [expected]


def test_a_processor_that_fails_fails_its_own_text_alone(engine: Engine, network: Watched) -> None:
    def refuse(generated: list[int], logits: torch.Tensor) -> torch.Tensor:
        if len(generated) == 3:
            raise ValueError("no fourth token")
        return logits

    expected = alone(network, request(PROMPT))
    good, bad = begun(engine, network, request(PROMPT), request(PROMPT, logits_processor=refuse))
    network.may_go_on.set()
    assert all_of(good) == [expected]
    with pytest.raises(ModelError, match="no fourth token"):
        list(bad.tokens(20))


def test_a_prompt_that_fails_leaves_what_is_being_written(engine: Engine, network: Watched) -> None:
    expected = alone(network, request(PROMPT))
    good, bad = engine.start(request(PROMPT)), engine.start(request([10_000_000]))
    network.may_begin.set()
    network.may_go_on.set()
    assert all_of(good) == [expected]
    with pytest.raises(ModelError, match="failed"):
        list(bad.tokens(20))


def test_memories_have_room_for_what_may_come_and_no_more(network: Watched) -> None:
    memory = network.memory(len(PROMPT), 100)
    assert isinstance(memory, Memory)
    assert memory.keys.shape == memory.values.shape == (3, 2, 100, 16), "layers, heads of keys, tokens, their size"


def test_replies_that_are_begun_are_written_before_they_are_read(engine: Engine, network: Watched) -> None:
    model = LocalChatModel(engine=engine, max_new_tokens=24)
    network.may_begin.set()
    network.may_go_on.set()
    expected = [model.invoke(text).content for text in ("hello", "goodbye")]
    assert model.writes_side_by_side
    network.texts.clear()
    network.may_begin.clear()
    begun = [(text, model.begin(text)) for text in ("hello", "goodbye")]
    network.may_begin.set()
    streams = [model.stream(text, generation=generation) for text, generation in begun]
    assert ["".join(str(chunk.content) for chunk in stream) for stream in streams] == expected
    assert 2 in network.texts


def test_a_reply_that_nobody_began_to_read_can_be_stopped(engine: Engine, network: Watched) -> None:
    model = LocalChatModel(engine=engine, max_new_tokens=400)
    model.begin("hello").cancel()
    network.may_begin.set()
    network.may_go_on.set()
    model.invoke("hello", max_new_tokens=2)
    assert len(network.texts) < 5, "it was written to its end"


def test_nothing_is_owed_to_a_text_that_came_later(engine: Engine, network: Watched) -> None:
    def slow_states(*given: Any) -> torch.Tensor:
        given_up.cancel()
        time.sleep(0.5)
        return network.inner.states(*given)

    network.states = slow_states
    (given_up,) = begun(engine, network, request(PROMPT, 400))
    reading = engine.read(PROMPT[:4], depth=1)
    network.may_go_on.set()
    reading.result(20)
    network.texts.clear()
    all_of(*[engine.start(request(PROMPT, 60, draft_tokens=0)) for _ in range(2)])
    assert network.texts.count(2) > 40


def test_an_engine_that_goes_ends_what_is_being_written(folder: Path, network: Watched) -> None:
    form = Form("cpu", "float32", "for tests")
    engine = Engine(network, AutoTokenizer.from_pretrained(folder), frozenset(), model_id="gone", form=form)
    generations = begun(engine, network, *[request(PROMPT, 400)] * 2)
    network.may_go_on.set()
    del engine
    assert all(len(tokens) < 400 for tokens in all_of(*generations))
    until(lambda: not any(t.name == "footnote-gone" for t in threading.enumerate()), "its thread goes on")
