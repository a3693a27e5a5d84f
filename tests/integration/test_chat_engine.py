"""The local chat model on tiny random models: our forward pass against transformers', int8, streams, cancelling."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.messages import HumanMessage, SystemMessage
from transformers import AutoConfig, AutoModelForCausalLM

from rag.chat import LocalChatModel
from rag.chat_models import open_chat_model
from rag.errors import ContextOverflow, ModelError, WeightsMissing
from rag.inference import int8
from rag.inference.adapter import Adapter
from rag.inference.checkpoint import Checkpoint
from rag.inference.engine import Engine, choose_form, load_engine
from rag.inference.generation import Kept, Progress, Request, generate
from rag.inference.int8 import FILE, Int8Matrix, int8_decoder, quantise
from rag.inference.kernels import has_int8_engine, packing
from rag.inference.networks import TransformersNetwork
from rag.inference.reading import Reading, read
from rag.inference.rotation import Rotation, hadamard
from rag.settings import ModelSettings
from tests.float_decoder import float_decoder
from tests.tiny_language_model import make_model

pytestmark = pytest.mark.usefixtures("one_thread")
needs_int8 = pytest.mark.skipif(not has_int8_engine(), reason="no int8 kernels on this CPU")
PROMPT = [5, 9, 100, 23, 44, 5, 9, 100, 23, 7, 201, 5, 9] * 3


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return load_engine(folder, model_id="tiny", device="cpu", dtype="float32", context_tokens=512, threads=1)


@pytest.fixture
def model(engine: Engine) -> LocalChatModel:
    return LocalChatModel(engine=engine, max_new_tokens=24)


def oracle(folder: Path, tokens: list[int]) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return model(torch.tensor([tokens])).logits[0]


@pytest.mark.parametrize(
    ("architecture", "changes"),
    [
        ("qwen2", {}),
        ("qwen2", {"tied": True}),
        ("llama", {"attention_bias": True}),
        ("llama", {"num_key_value_heads": 4, "head_dim": 32}),
        ("qwen3", {"head_dim": 32}),
    ],
)
def test_our_forward_pass_gives_the_logits_of_transformers(
    tmp_path: Path, architecture: str, changes: dict[str, Any]
) -> None:
    make_model(tmp_path, architecture, **changes)
    expected = oracle(tmp_path, PROMPT)
    network = float_decoder(AutoConfig.from_pretrained(tmp_path), Checkpoint(tmp_path), 512)
    torch.testing.assert_close(network.forward(PROMPT, 0, len(PROMPT)), expected, atol=1e-4, rtol=1e-4)
    # In pieces of many sizes, with a step back, and without logits in between.
    network.forward(PROMPT[:20], 0, 0)
    network.forward([1, 2, 3], 20, 3)
    for start, end in ((20, 37), (37, 38), (38, len(PROMPT))):
        found = network.forward(PROMPT[start:end], start, min(2, end - start))
        torch.testing.assert_close(found, expected[end - len(found) : end], atol=1e-4, rtol=1e-4)


def test_transformers_own_forward_pass_behind_the_same_interface_can_step_back(folder: Path) -> None:
    expected = oracle(folder, PROMPT)
    network = TransformersNetwork(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), 512)
    assert network.rewindable
    network.forward(PROMPT[:20], 0, 0)
    network.forward([1, 2, 3], 20, 3)
    found = network.forward(PROMPT[20:], 20, 4)
    torch.testing.assert_close(found, expected[-4:], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 24, 64, 96, 112])
def test_a_rotation_is_orthogonal_and_both_its_forms_agree(size: int) -> None:
    matrix = Rotation(size).rows(torch.eye(size))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(size), atol=1e-5, rtol=1e-5)
    other = torch.randn(size, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Rotation(size).columns(other), matrix.T @ other, atol=1e-5, rtol=1e-5)


def test_a_hadamard_matrix_is_its_own_inverse() -> None:
    torch.testing.assert_close(hadamard(32) @ hadamard(32), torch.eye(32))


@needs_int8
def test_an_int8_product_is_the_float_product_within_its_steps_and_rows_do_not_influence_each_other() -> None:
    random = torch.Generator().manual_seed(0)
    matrix, bias = torch.randn(48, 64, generator=random), torch.randn(48, generator=random)
    inputs = torch.randn(7, 64, generator=random) * torch.logspace(-3, 3, 7)[:, None]
    inputs[3] = 0.0
    with packing():
        product = Int8Matrix(*quantise(matrix), bias)
    found = product(inputs)
    error = (found - (inputs @ matrix.T + bias)).norm(dim=1) / (inputs.norm(dim=1) * 8 + 1e-9)
    assert error.max() < 0.02
    torch.testing.assert_close(found[3], bias)
    for row in range(7):
        assert torch.equal(product(inputs[row : row + 1])[0], found[row])


@needs_int8
@pytest.mark.parametrize(
    ("architecture", "changes"),
    [("qwen2", {}), ("qwen2", {"tied": True}), ("llama", {"attention_bias": True}), ("qwen3", {"head_dim": 32})],
)
def test_the_int8_model_stays_close_to_float32(tmp_path: Path, architecture: str, changes: dict[str, Any]) -> None:
    make_model(tmp_path, architecture, **changes)
    expected = oracle(tmp_path, PROMPT).log_softmax(-1)
    network = int8_decoder(AutoConfig.from_pretrained(tmp_path), Checkpoint(tmp_path), 512)
    found = network.forward(PROMPT, 0, len(PROMPT)).log_softmax(-1)
    divergence = (expected.exp() * (expected - found)).sum(-1).mean()
    assert divergence < 0.05, "a wrongly folded rotation, norm or bias gives more than 1"


@needs_int8
@pytest.mark.parametrize(("tiles", "most"), [(True, 12), (False, 4)])
def test_more_tokens_are_drafted_where_there_are_tiles(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tiles: bool, most: int
) -> None:
    monkeypatch.setattr("rag.inference.int8.has_tiles", lambda: tiles)
    assert int8_decoder(AutoConfig.from_pretrained(folder), Checkpoint(folder), 512).most_drafted == most


@needs_int8
def test_the_int8_form_is_kept_beside_the_weights_until_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    first = int8_decoder(config, Checkpoint(tmp_path), 512).forward(PROMPT, 0, 1)
    written = (tmp_path / FILE).stat().st_mtime_ns
    again = int8_decoder(config, Checkpoint(tmp_path), 512).forward(PROMPT, 0, 1)
    assert (tmp_path / FILE).stat().st_mtime_ns == written
    assert torch.equal(first, again)
    assert not list(tmp_path.glob("*.partial"))
    monkeypatch.setattr("rag.inference.int8.WEIGHT_LIMIT", 63)
    int8_decoder(config, Checkpoint(tmp_path), 512)
    assert (tmp_path / FILE).stat().st_mtime_ns != written, "a file made with other constants is made anew"
    make_model(tmp_path, initializer_range=0.3)
    changed = int8_decoder(config, Checkpoint(tmp_path), 512).forward(PROMPT, 0, 1)
    assert not torch.equal(first, changed)


@needs_int8
def test_of_several_processes_that_need_the_int8_form_one_makes_it_and_the_others_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_model(tmp_path)
    config, checkpoint, made = AutoConfig.from_pretrained(tmp_path), Checkpoint(tmp_path), []
    convert = int8.convert

    def slowly(*given: Any) -> dict[str, torch.Tensor]:
        made.append(given)
        time.sleep(0.3)
        return convert(*given)

    monkeypatch.setattr("rag.inference.int8.convert", slowly)
    with ThreadPoolExecutor(3) as pool:  # each opens the folder for itself, as a process does
        told = list(pool.map(lambda _: int8._make(tmp_path / FILE, config, checkpoint), range(3)))
    assert (len(made), told) == (1, [None] * 3)
    assert int8_decoder(config, checkpoint, 512).forward(PROMPT, 0, 1).shape == (1, 272)


@needs_int8
def test_a_folder_that_cannot_be_written_still_gives_an_int8_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path)

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("rag.inference.int8.save_file", refuse)
    network = int8_decoder(AutoConfig.from_pretrained(tmp_path), Checkpoint(tmp_path), 512)
    assert network.forward(PROMPT, 0, 1).shape == (1, 272)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("int8", marks=needs_int8)])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_speculation_and_the_kept_prefix_change_no_token(folder: Path, dtype: str, temperature: float) -> None:
    network = load_engine(folder, model_id="t", device="cpu", dtype=dtype, context_tokens=512, threads=1).network
    answers = []
    for drafts in (0, 1, 4, 8, 12, None):
        kept = Kept()
        for prompt in (PROMPT[:-4], PROMPT):
            progress = Progress()
            request = Request(prompt, 60, frozenset(), temperature=temperature, seed=3, draft_tokens=drafts)
            tokens = list(generate(network, request, kept, progress, lambda: False))
        assert progress.reused_tokens == len(PROMPT) - 4
        answers.append(tokens)
    fresh = Request(PROMPT, 60, frozenset(), temperature=temperature, seed=3, draft_tokens=0)
    answers.append(list(generate(network, fresh, Kept(), Progress(), lambda: False)))
    assert all(answer == answers[0] for answer in answers)


def test_greedy_answers_are_those_of_transformers_generate(folder: Path, engine: Engine) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([PROMPT])
    expected = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
    found = list(engine.start(Request(PROMPT, 40, engine.end_tokens)).tokens())
    assert found == [token for token in expected[0, len(PROMPT) :].tolist() if token not in engine.end_tokens]


def test_the_stream_joins_to_the_invoked_text_and_ends_with_its_figures(model: LocalChatModel) -> None:
    chunks = list(model.stream("hello"))
    last = chunks[-1]
    assert "".join(chunk.content for chunk in chunks) == model.invoke("hello").content
    details = last.response_metadata
    assert details["finish_reason"] in {"stop", "length"}
    assert details["prompt_tokens"] == model.count_prompt_tokens("hello")
    assert last.usage_metadata["total_tokens"] == details["prompt_tokens"] + last.usage_metadata["output_tokens"]
    assert details["prefill_s"] > 0
    assert details["decode_s"] >= 0


def test_the_template_is_applied_once(model: LocalChatModel) -> None:
    tokens = model.prompt_tokens([SystemMessage("be brief"), HumanMessage("hi")])
    text = model.engine.tokenizer.decode(tokens)
    expected = "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert text == expected
    assert model.count_tokens("hi") == 2


def test_an_unfinished_answer_is_gone_on_with(model: LocalChatModel) -> None:
    tokens = model.prompt_tokens([HumanMessage("hi"), *model._convert_input([("ai", "The")]).to_messages()])
    assert model.engine.tokenizer.decode(tokens).endswith("<|im_start|>assistant\nThe")


def test_first_words_are_as_likely_as_transformers_says(folder: Path, model: LocalChatModel) -> None:
    messages = [HumanMessage("Is it so?")]
    expected = oracle(folder, model.prompt_tokens(messages))[-1].log_softmax(-1)
    forms = (("Yes", "yes"), ("No",))
    first = [{model.engine.tokenizer.encode(f, add_special_tokens=False)[0] for f in word} for word in forms]
    found = model.first_word_logprobs(messages, forms)
    assert found == pytest.approx([float(expected[sorted(t)].logsumexp(0)) for t in first], abs=1e-3)


def test_a_stop_sequence_ends_the_answer_before_it(model: LocalChatModel) -> None:
    whole = model.invoke("hello").content
    stop = whole[5:7]
    found = model.invoke("hello", stop=[stop])
    assert found.content == whole[: whole.index(stop)]
    assert found.response_metadata["finish_reason"] == "stop"


def test_sampling_repeats_with_its_seed_and_differs_without(model: LocalChatModel) -> None:
    first = model.invoke("hello", temperature=1.0, seed=1).content
    assert model.invoke("hello", temperature=1.0, seed=1).content == first
    assert model.invoke("hello", temperature=1.0, seed=2).content != first


def test_a_prompt_that_does_not_fit_is_refused(model: LocalChatModel) -> None:
    with pytest.raises(ContextOverflow, match="512"):
        model.invoke("x" * 600)


def test_an_answer_never_runs_over_the_context(model: LocalChatModel) -> None:
    long = "x" * (505 - model.count_prompt_tokens(""))
    answer = model.invoke(long, max_new_tokens=50)
    assert answer.usage_metadata["total_tokens"] <= 512


class Slow:
    """A network that takes 20 ms a call and counts them."""

    context_tokens = 100_000
    rewindable = True
    most_drafted = 4
    lifts = False
    side_by_side = False

    def __init__(self) -> None:
        self.calls = 0

    def forward(self, tokens: list[int], start: int, wanted: int) -> torch.Tensor:
        time.sleep(0.02)
        self.calls += 1
        return torch.zeros(wanted, 272).index_fill(1, torch.tensor([65]), 1.0)

    def warm_up(self) -> None:
        pass


@pytest.fixture
def slow(engine: Engine) -> tuple[Slow, LocalChatModel]:
    network = Slow()
    form = choose_form("cpu", "float32", can_be_int8=False)
    ours = Engine(network, engine.tokenizer, frozenset(), model_id="slow", form=form)
    return network, LocalChatModel(engine=ours, max_new_tokens=1000, draft_tokens=0)


def settled(network: Slow) -> int:
    time.sleep(0.1)
    before = network.calls
    time.sleep(0.15)
    assert network.calls == before, "the computation went on"
    return before


def test_closing_a_stream_stops_the_computation_within_a_step(slow: tuple[Slow, LocalChatModel]) -> None:
    network, model = slow
    stream = model.stream("hi")
    next(stream)
    stream.close()
    assert settled(network) < 12


def test_a_closed_stream_stops_a_long_prefill_too(slow: tuple[Slow, LocalChatModel]) -> None:
    network, model = slow
    generation = model.engine.start(Request([1] * 50_000, 5, frozenset()))
    time.sleep(0.1)
    generation.cancel()
    assert settled(network) < 20
    assert generation.progress.finish_reason == "cancelled"


def test_an_answer_that_takes_too_long_is_cut_and_says_so(slow: tuple[Slow, LocalChatModel]) -> None:
    network, model = slow
    answer = model.invoke("hi", timeout_s=0.15)
    assert answer.response_metadata["finish_reason"] == "cancelled"
    assert answer.content
    settled(network)


def test_a_paused_stream_blocks_nobody_and_requests_are_served_in_order(model: LocalChatModel) -> None:
    paused = model.stream("hello")
    first = next(paused)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(model.invoke("hello").content)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    rest = first.content + "".join(chunk.content for chunk in paused)
    assert answers == [rest] * 3


def test_many_asynchronous_streams_at_once_all_end(model: LocalChatModel) -> None:
    async def text() -> str:
        return "".join([chunk.content async for chunk in model.astream("hello")])

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(text() for _ in range(20)))

    assert set(asyncio.run(all_of_them())) == {model.invoke("hello").content}


def test_a_failing_network_is_reported_whole_and_the_next_request_is_served(
    slow: tuple[Slow, LocalChatModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, model = slow

    def fail(*_args: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(network, "forward", fail)
        with pytest.raises(ModelError, match="out of memory"):
            model.invoke("hi")
    assert model.invoke("hi", max_new_tokens=2).content


def test_what_cannot_be_had_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        load_engine(tmp_path, model_id="none")
    with pytest.raises(ModelError, match="int8"):
        choose_form("cpu", "int8", can_be_int8=False)
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="CUDA"):
            choose_form("cuda", "auto", can_be_int8=True)


def test_settings_open_a_local_model_that_says_what_it_is(folder: Path) -> None:
    settings = ModelSettings(name="tiny", device="cpu", context_tokens=512, max_new_tokens=8, threads=1)
    model = open_chat_model(settings, folder)
    assert isinstance(model, LocalChatModel)
    assert model.context_tokens == 512
    assert model.describe().startswith("tiny (")
    assert model.reason in model.describe()
    assert isinstance(model.invoke("hi").content, str)


def states_oracle(folder: Path, tokens: list[int], depth: int) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return model(torch.tensor([tokens]), output_hidden_states=True).hidden_states[depth][0]


@pytest.mark.parametrize("depth", [1, 2])
def test_states_of_a_layer_are_those_of_transformers(folder: Path, depth: int) -> None:
    expected = states_oracle(folder, PROMPT, depth)
    config = AutoConfig.from_pretrained(folder)
    ours = float_decoder(config, Checkpoint(folder), 512)
    theirs = TransformersNetwork(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), 512)
    for network in (ours, theirs):
        torch.testing.assert_close(network.states(PROMPT, 0, depth), expected, atol=1e-4, rtol=1e-4)
        network.states(PROMPT[:10], 0, depth)
        torch.testing.assert_close(network.states(PROMPT[10:], 10, depth), expected[10:], atol=1e-4, rtol=1e-4)


@needs_int8
def test_int8_states_are_turned_back_into_the_models_own_basis(folder: Path) -> None:
    expected = states_oracle(folder, PROMPT, 2)
    network = int8_decoder(AutoConfig.from_pretrained(folder), Checkpoint(folder), 512)
    found = network.states(PROMPT, 0, 2)
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.98


def test_a_reading_keeps_its_beginning_and_leaves_what_is_generated_as_it_was(
    engine: Engine, model: LocalChatModel, folder: Path
) -> None:
    asked = [HumanMessage("What is a cup?")]
    before = model.invoke(asked).content
    tokens = model.prompt_tokens(asked)
    for wanted in (1, 3):
        states = model.states(asked, depth=2, wanted=wanted)
        torch.testing.assert_close(states, states_oracle(folder, tokens, 2)[-wanted:], atol=1e-4, rtol=1e-4)
    longer = model.states([HumanMessage("What is a cup? And a plate, for those who ask?")], depth=1)
    again = model.states([HumanMessage("What is a cup? And a plate, for those who ask?")], depth=2)
    assert not torch.allclose(longer, again)
    assert model.invoke(asked).content == before


def test_a_reading_runs_only_what_is_new_and_goes_on_only_from_one_of_its_depth(folder: Path) -> None:
    inner = float_decoder(AutoConfig.from_pretrained(folder), Checkpoint(folder), 512)
    ran: list[tuple[int, int]] = []

    class Watched:
        context_tokens, rewindable, lifts, side_by_side, most_drafted = 512, True, False, False, 4
        forward, warm_up = inner.forward, inner.warm_up

        def states(self, tokens: list[int], start: int, depth: int, adapter: Adapter | None = None) -> torch.Tensor:
            ran.append((start, len(tokens)))
            return inner.states(tokens, start, depth)

    network, kept = Watched(), Kept()
    read(network, PROMPT, 1, 1, kept)
    read(network, [*PROMPT, 8], 1, 1, kept)
    read(network, [*PROMPT, 8], 2, 1, kept)
    size = len(PROMPT)
    assert ran == [(0, size), (size, 1), (0, size + 1)]
    request = Request(prompt=[*PROMPT, 8], max_new_tokens=1, end_tokens=frozenset())
    progress = Progress()
    list(generate(network, request, kept, progress, lambda: False))
    assert progress.reused_tokens == 0  # a reading's upper layers are empty
    read(network, [*PROMPT, 8], 2, 2, kept)
    assert ran[-1] == (0, size + 1)  # nor is a generation read on from: what is read must not depend on it


def test_a_reading_that_fails_or_takes_too_long_is_a_model_error(engine: Engine) -> None:
    with pytest.raises(ModelError, match="failed"):
        engine.read([10_000_000], depth=1).result(20)
    with pytest.raises(ModelError, match="in time"):
        Reading([1], 1, 1).result(0.01)
