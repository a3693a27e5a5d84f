"""What only a GPU shows: the same answers as on the CPU, from the model's own half precision and recorded steps."""

from __future__ import annotations

import gc
import time

import pytest
import torch

from rag import EvidenceFound, Rag, Settings, TextPiece, weights
from rag.inference.hardware import CODER_1_5B

pytestmark = [pytest.mark.gpu, pytest.mark.slow]
LONG = "List everything that the library says about reinforcement learning, sentence by sentence."


@pytest.fixture(scope="module")
def folder():
    found = weights.find(CODER_1_5B, Settings().home)
    if found is None:
        pytest.skip(f"{CODER_1_5B} is missing (footnote models fetch)")
    return found.path


@pytest.fixture(scope="module")
def rag(folder):
    with_model = Rag.open(Settings(model={"name": CODER_1_5B}))
    with_model.warm_up()
    return with_model


def _ids(rag, text):
    return rag.model.engine.tokenizer.encode(text)


def test_the_model_is_on_the_gpu_in_half_precision_by_itself_and_says_why(rag):
    assert (rag.model.device, rag.model.dtype) == ("cuda", "bfloat16")
    assert "GPU" in rag.model.reason
    assert type(rag.model.engine.network).__name__ == "CudaDecoder"


def test_what_the_hub_cannot_give_is_answered_by_the_mirrored_model_on_the_gpu(folder):
    chosen = Rag.open(Settings())
    assert chosen.model.device == "cuda"


def test_an_answer_is_right_and_its_citations_stand_where_they_say(rag):
    answer = rag.ask("What is HyperCRL?")
    assert answer.claims
    for claim in answer.claims:
        assert claim.citations
        for citation in claim.citations:
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote
    assert "hypernetwork" in answer.text.casefold()


def test_what_the_library_does_not_say_is_declined(rag):
    assert rag.ask("What is the capital of France?").status == "abstained"


def test_evidence_comes_before_the_first_word(rag):
    events = list(rag.stream("How does WebRL generate new tasks?"))
    kinds = [type(event) for event in events]
    assert kinds.index(EvidenceFound) < kinds.index(TextPiece)


def test_the_same_question_gets_the_same_answer(rag):
    first, second = (rag.ask("How does WebRL generate new tasks?").text for _ in range(2))
    assert first == second


def test_a_recorded_step_computes_what_a_plain_run_computes(rag):
    network = rag.model.engine.network
    prompt = _ids(rag, "The authors propose a method that learns world models from pixels, and they evaluate it on")
    network.forward(prompt, 0, 1)
    more = _ids(rag, " the Atari benchmark")[:3]
    for count in (1, 2, 3):
        network.forward(prompt, 0, 1)
        recorded = network.forward(more[:count], len(prompt), count)
        steps, network._steps = network._steps, {}
        network.forward(prompt, 0, 1)
        plain = network.forward(more[:count], len(prompt), count)
        network._steps = steps
        assert torch.equal(recorded.argmax(-1), plain.argmax(-1))
        assert (recorded - plain).abs().max() < 0.25  # logits of 20 and more in half precision


def test_logits_are_those_of_float32_on_the_cpu(rag, folder):
    from transformers import AutoModelForCausalLM

    prompt = _ids(rag, "Retrieval-augmented generation is a technique in which a language model")
    ours = torch.stack([row.cpu() for row in rag.model.engine.network.forward(prompt, 0, len(prompt))])
    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        theirs = oracle(torch.tensor([prompt])).logits[0]
    kl = torch.nn.functional.kl_div(
        ours.log_softmax(-1), theirs.log_softmax(-1), log_target=True, reduction="batchmean"
    )
    assert kl < 0.01
    assert (ours.argmax(-1) == theirs.argmax(-1)).float().mean() >= 0.9


def test_lower_layers_are_read_as_on_the_cpu(rag, folder):
    from transformers import AutoModelForCausalLM

    prompt = _ids(rag, "Check a claim against evidence.")
    ours = rag.model.engine.network.states(prompt, 0, 18)
    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        theirs = oracle(torch.tensor([prompt]), output_hidden_states=True).hidden_states[18][0]
    assert torch.nn.functional.cosine_similarity(ours[-1], theirs[-1], dim=0) > 0.99


def test_the_embedder_is_on_the_gpu_and_gives_the_cpus_vectors(rag):
    from rag.assembly import open_encoder

    texts = [paper.abstract for paper in rag.papers[:8]]
    here = rag.retriever.encoder.encode(texts, "document")
    there = open_encoder(Settings(embedding={"device": "cpu"}), report=lambda _line: None).encode(texts, "document")
    assert rag.retriever.encoder.device.startswith("cuda")
    assert ((here * there).sum(1) > 0.995).all()


def test_a_stopped_stream_stops_the_gpu(rag):
    stream = rag.stream(LONG)
    for event in stream:
        if isinstance(event, TextPiece):
            break
    stream.close()
    started = time.perf_counter()
    rag.ask("What is HyperCRL?")
    assert time.perf_counter() - started < 20  # it would wait for the whole of the abandoned answer


def test_memory_is_given_back(folder):
    from rag.inference.engine import load_engine

    torch.cuda.synchronize()
    gc.collect()
    before = torch.cuda.memory_allocated()
    engine = load_engine(folder, model_id=CODER_1_5B, context_tokens=512)
    assert torch.cuda.memory_allocated() > before + 2**30
    del engine
    gc.collect()
    assert torch.cuda.memory_allocated() < before + 2**28
