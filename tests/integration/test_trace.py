"""Looking behind an answer, and asking with other settings on the same index and model."""

import pytest
from fakes import HashedEncoder, ScriptedModel

from rag import verify
from rag.errors import SettingsError
from rag.index import LibraryIndex, build
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever
from rag.schema import Paper
from rag.settings import Settings

FACT = "Whales sing at 20 hertz in the deep ocean."
PAPERS = [
    Paper("w", "WhaleSong: how whales sing", f"WhaleSong studies whale songs. {FACT}", year=2020),
    Paper("b", "BeeDance: the language of bees", "BeeDance decodes the waggle dance. Bees dance.", year=2024),
    Paper("a", "AntTrail: scent and search", "AntTrail models scent. Ants lay trails of scent."),
]
QUESTION = "At how many hertz do whales sing in the deep ocean?"


@pytest.fixture(scope="module")
def retriever(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    encoder = HashedEncoder()
    build(folder, PAPERS, encoder)
    return FusedRetriever(index=LibraryIndex.open(folder, encoder), encoder=encoder)


@pytest.fixture
def rag(retriever):
    return Rag(retriever=retriever, model=ScriptedModel(script=lambda _prompt: FACT), settings=Settings())


def test_a_trace_ranks_the_papers_as_the_search_did(rag, retriever):
    answer = rag.ask(QUESTION)
    trace = rag.trace(answer)
    assert [c.paper.id for c in trace.candidates][: len(answer.hits)] == [hit.paper.id for hit in answer.hits]
    assert [c.score for c in trace.candidates][: len(answer.hits)] == [hit.score for hit in answer.hits]
    for candidate in trace.candidates:
        ranks = [rank for rank in (candidate.dense_rank, candidate.keyword_rank) if rank is not None]
        assert candidate.score == pytest.approx(sum(1 / (retriever.fusion_constant + rank) for rank in ranks))
    best = trace.candidates[0]
    assert (best.paper.id, best.rank, best.keyword_rank) == ("w", 1, 1)
    assert -1 <= best.similarity <= 1
    assert best.keyword_score > 0


def test_a_trace_has_the_very_prompt_of_the_answer(rag):
    trace = rag.trace(rag.ask(QUESTION))
    (messages,) = trace.prompts
    assert "\n".join(text for _, text in messages) in rag.model.prompts[0] or messages[-1][1] in rag.model.prompts[0]
    assert trace.relevance >= trace.abstain_below


def test_a_trace_of_a_follow_up_has_what_was_said_before_in_its_prompt(rag):
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": FACT}]
    answer = rag.ask("And do they sing in the deep ocean?", history)
    ((messages),) = rag.trace(answer, history).prompts
    assert messages[-1][1] in rag.model.prompts[-1]
    assert QUESTION in messages[-1][1]
    assert FACT in messages[-1][1]


def test_a_trace_of_a_follow_up_says_what_was_searched_for_beside_its_questions(rag):
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "At 20 hertz."}]
    trace = rag.trace(rag.ask("And where?", history), history)
    assert trace.searched_for == f"{QUESTION} At 20 hertz. And where?"
    assert rag.trace(rag.ask(QUESTION)).searched_for == QUESTION, "as it stands"


def test_a_trace_of_an_abstention_says_how_far_it_was_and_has_no_prompt(rag):
    trace = rag.trace(rag.ask("Quelle est la capitale du Zimbabwe?"))
    assert trace.prompts == ()
    assert trace.relevance < trace.abstain_below


def test_a_filter_narrows_the_trace_as_it_narrowed_the_search(rag):
    where = {"year": 2020}
    answer = rag.ask(QUESTION, where=where)
    assert [c.paper.id for c in rag.trace(answer, where=where).candidates] == ["w"]
    assert rag.retriever.compare(QUESTION, where={"year": 1900}) == ()


def test_other_settings_change_the_answer_and_leave_the_rag_as_it_was(rag):
    strict = rag.with_settings(answer={"abstain_threshold": 1.0}, retrieval={"k": 1})
    assert strict.ask(QUESTION).status == "abstained"
    assert len(strict.ask(QUESTION).hits) == 1
    assert rag.ask(QUESTION).status == "answered"
    assert len(rag.ask(QUESTION).hits) == 3
    assert strict.model is rag.model
    assert strict.retriever.index is rag.retriever.index
    assert strict.ask(QUESTION).settings_id != rag.ask(QUESTION).settings_id


def test_a_shorter_limit_reaches_the_model(retriever):
    seen = []

    class Noting(ScriptedModel):
        def _stream(self, messages, stop=None, run_manager=None, **options):
            seen.append(options.get("max_tokens"))
            yield from super()._stream(messages, stop=stop, run_manager=run_manager, **options)

    rag = Rag(retriever=retriever, model=Noting(script=lambda _prompt: FACT), settings=Settings())
    rag.ask(QUESTION)
    rag.with_settings(model={"max_new_tokens": 40}).ask(QUESTION)
    assert [limit for limit in seen if limit != 1] == [160, 40]


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"retrieval": {"k": 0}}, "retrieval.k"),
        ({"retrieval": {"many": 3}}, "retrieval.many"),
        ({"model": {"name": "another"}}, "'model.name' is fixed where the model was given"),
        ({"embedding": {"name": "another"}}, "'embedding.name' is fixed"),
    ],
)
def test_what_cannot_be_replaced_is_refused(rag, sections, said):
    with pytest.raises(SettingsError, match=said):
        rag.with_settings(**sections)


CLAIM = "Whales sing at 20 hertz in the deep ocean."


class Judging(ScriptedModel):
    """Supports whatever it reads, and keeps it."""

    read: list = []

    def first_word_logprobs(self, messages, words):
        self.read.append(tuple(messages))
        return (-0.1, -3.0, -3.0)


def test_a_weighed_claim_is_traced_with_the_very_prompts_of_its_papers(retriever):
    model = Judging(script=lambda _prompt: FACT)
    rag = Rag(retriever=retriever, model=model, settings=Settings())
    balance = rag.weigh(CLAIM)
    trace = rag.trace_claim(balance)
    assert [c.paper.id for c in trace.candidates] == [hit.paper.id for hit in rag.retrieve(CLAIM, k=10)]
    assert [one.paper.id for one in balance.papers] == ["w"]
    assert trace.coverage["w"] >= trace.least_coverage > trace.coverage["b"]
    assert list(trace.prompts) == model.read
    (one,) = balance.papers
    assert sum(one.told) == pytest.approx(1.0)
    assert one.probability == one.told[0]
    assert (balance.model_id, balance.prompt_id[:6]) == ("tests/scripted", "judge@")
    assert 0 <= balance.timings["evidence_s"] <= balance.timings["total_s"]
    assert verify(balance.to_dict(), rag.papers) == ()
