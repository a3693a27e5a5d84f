"""No generation has a malformed marker, whatever the model: a random one is asked a thousand times."""

import re

import pytest
import torch
from fakes import HashedEncoder
from hypothesis import given
from hypothesis import strategies as st
from tiny_language_model import make_model, make_tokenizer

from rag.chat import LocalChatModel
from rag.evidence import renumbered
from rag.grounding import Grounder, number_claims, shown_text
from rag.index import LibraryIndex, build
from rag.inference.engine import load_engine
from rag.inference.markers import MarkerConstraint, Vocabulary
from rag.keywords import KeywordIndex
from rag.language.sentences import sentences_of
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.schema import Evidence, Paper
from rag.settings import Settings

WHOLE = re.compile(r"\[(?:1|2|12)\]")
PAPER = Paper("w", "WhaleSong", "Whales sing at 20 hertz in the deep. They sing at night. Nobody knows why they do so.")
EVIDENCE = renumbered(Evidence(0, PAPER, sentence, 0.5) for sentence in sentences_of(PAPER))


def walk(vocabulary: Vocabulary, numbers: list[int], choices: list[int]) -> str:
    """The text that comes of choosing, step by step, among the tokens that are left."""
    constraint = MarkerConstraint(vocabulary, numbers)
    generated: list[int] = []
    for choice in choices:
        left = torch.isfinite(constraint(generated, torch.zeros(len(vocabulary.texts)))).nonzero().flatten().tolist()
        assert left, "there is always a way on"
        generated.append(left[choice % len(left)])
    return "".join(vocabulary.texts[i] for i in generated)


@given(
    st.lists(st.text(alphabet="[]0129 a,.", max_size=4), max_size=30),
    st.lists(st.integers(0, 10_000), max_size=40),
)
def test_with_any_vocabulary_every_bracket_opens_a_marker_that_exists(texts, choices):
    vocabulary = Vocabulary([*"[]0123456789 a", *texts])
    text = walk(vocabulary, [1, 2, 12], choices)
    unfinished = re.sub(r"\[\d*$", "", text)
    assert unfinished.count("[") == len(WHOLE.findall(unfinished))


def test_without_evidence_no_bracket_is_opened():
    assert "[" not in walk(Vocabulary(["[", "]", "1", "a"]), [], list(range(50)))


def test_the_vocabulary_of_a_tokenizer_is_made_once():
    tokenizer = make_tokenizer()
    assert Vocabulary.of(tokenizer) is Vocabulary.of(tokenizer)
    assert Vocabulary.of(tokenizer).texts[tokenizer.encode("[", add_special_tokens=False)[0]] == "["


@pytest.fixture(scope="module")
def random_model(tmp_path_factory) -> LocalChatModel:
    return LocalChatModel(engine=load_engine(make_model(tmp_path_factory.mktemp("tiny")), model_id="tests/random"))


@pytest.mark.slow
def test_a_thousand_generations_of_a_random_model_have_no_invalid_citation(random_model):
    encoder = HashedEncoder()
    grounder = Grounder(encoder, KeywordIndex.build([PAPER.abstract]), threshold=0.5)
    constraint = MarkerConstraint(Vocabulary.of(random_model.engine.tokenizer), [1, 2, 3])
    opened = 0

    def eager(generated, logits):  # a random model seldom opens a bracket by itself
        bracket = random_model.engine.tokenizer.encode("[", add_special_tokens=False)[0]
        logits = logits.clone()
        logits[bracket] += 6.0
        return constraint(generated, logits)

    for seed in range(1000):
        options = {"temperature": 1.5, "seed": seed, "max_new_tokens": 8, "logits_processor": eager}
        text = random_model.invoke("Whales?", **options).text
        finished = re.sub(r"\[\d*$", "", text)
        opened += finished.count("[")
        assert finished.count("[") == len(re.findall(r"\[[123]\]", finished)), text
        shown, citations = number_claims(c for c in grounder.claims(text, EVIDENCE, "Whales?") if c.citations)
        assert all(PAPER.abstract[c.start : c.end] == c.quote for c in citations)
        assert all(claim.citations for claim in shown)
        assert set(re.findall(r"\[(\d+)\]", shown_text(shown))) <= {str(c.marker) for c in citations}
    assert opened > 200


def test_questions_asked_together_are_steered_as_each_by_itself(random_model, tmp_path):
    encoder = HashedEncoder()
    build(tmp_path, [PAPER], encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path, encoder), encoder=encoder)
    settings = Settings(answer={"citations": "constrained", "abstain_threshold": 0}, model={"max_new_tokens": 12})
    rag = Rag(retriever=retriever, model=random_model, settings=settings)
    questions = ["At how many hertz do whales sing in the deep?", "When do whales sing?"]
    together = rag.ask_many(questions)
    assert [answer.raw_text for answer in together] == [rag.ask(question).raw_text for question in questions]
    assert all(answer.raw_text for answer in together)
