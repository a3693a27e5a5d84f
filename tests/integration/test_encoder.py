"""Our int8 forward pass for embedders, against transformers' own in float32."""

import threading

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from rag.inference.encoder import Int8Encoder
from rag.inference.kernels import has_int8_engine

pytestmark = pytest.mark.skipif(not has_int8_engine(), reason="this CPU has no int8 engine")


@pytest.fixture(scope="module")
def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=500,
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=64,
    )
    return BertModel(config).eval()


@torch.inference_mode()
def by_transformers(bert: BertModel, ids: list[int]) -> np.ndarray:
    hidden = bert(input_ids=torch.tensor([ids])).last_hidden_state[0]
    return torch.nn.functional.normalize(hidden.mean(0), dim=-1).numpy()


def test_vectors_are_those_of_transformers_whatever_else_is_in_the_batch(bert):
    draw = torch.Generator().manual_seed(1)
    texts = [torch.randint(0, 500, (n,), generator=draw).tolist() for n in (1, 7, 30, 64)]
    together = Int8Encoder(bert).encode(texts).numpy()
    for text, vector in zip(texts, together, strict=True):
        assert float(vector @ by_transformers(bert, text)) > 0.995
        alone = Int8Encoder(bert).encode([text]).numpy()[0]
        assert vector == pytest.approx(alone, abs=1e-4)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_only_models_of_the_right_shape_are_taken(bert):
    assert Int8Encoder.can_encode(bert, "mean")
    assert not Int8Encoder.can_encode(bert, "cls")
    assert not Int8Encoder.can_encode(torch.nn.Linear(2, 2), "mean")
    other = BertModel(
        BertConfig(
            vocab_size=50,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            hidden_act="relu",
        )
    )
    assert not Int8Encoder.can_encode(other, "mean")


@pytest.mark.weights
def test_the_real_embedder_gives_the_vectors_of_sentence_transformers(library):
    from rag import Settings, weights
    from rag.embedding import SentenceEmbeddings

    settings = Settings()
    found = weights.find(settings.embedding.name, settings.home)
    encoder = SentenceEmbeddings(found.path, name=found.name, revision=found.revision, device="cpu")
    texts = [paper.title for paper in library[:20]]
    odd = ["", "x", "word " * 400]
    quick, slow = encoder.encode(texts + odd, "document"), encoder._model.encode(texts + odd, normalize_embeddings=True)
    cosines = (quick * slow).sum(1)
    assert cosines[:20].min() > 0.995
    assert cosines[20:].min() > 0.98
    assert encoder.encode([], "query").shape == (0, 384)


@pytest.mark.weights
def test_texts_are_counted_whole_while_others_are_cut_and_encoded():
    from rag import Settings, weights
    from rag.embedding import SentenceEmbeddings

    settings = Settings()
    found = weights.find(settings.embedding.name, settings.home)
    encoder = SentenceEmbeddings(found.path, name=found.name, revision=found.revision, device="cpu")
    long = "whale " * 2 * encoder.max_tokens
    tokens, vector = encoder.count_tokens(long), encoder.encode([long], "query")
    assert tokens > 2 * encoder.max_tokens
    done = threading.Event()
    counted: set[int] = set()

    def count() -> None:
        while not done.is_set():
            counted.add(encoder.count_tokens(long))

    counting = threading.Thread(target=count)
    counting.start()
    encoded = [encoder.encode([long], "query") for _ in range(50)]
    done.set()
    counting.join()
    assert counted == {tokens}
    assert all((one == vector).all() for one in encoded)
