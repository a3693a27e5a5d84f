"""What the model is asked with: which prompts, named in the answer, and no more evidence than fits and is shown."""

import re

import pytest
from fakes import HashedEncoder, ScriptedModel

import prompts
from rag import EvidenceFound, Paper, Settings, verify
from rag.index import LibraryIndex, build
from rag.pipeline import Rag
from rag.retrieval import FusedRetriever

PAPERS = (
    Paper(
        "w", "WhaleSong: how whales sing", "WhaleSong studies whale songs. Whales sing at 20 hertz in the deep ocean."
    ),
    Paper(
        "b",
        "BeeDance: the language of bees",
        "BeeDance decodes the waggle dance. Bees dance to tell where flowers are.",
    ),
)
QUESTION = "At how many hertz do whales sing in the deep ocean?"
FACT = "Whales sing at 20 hertz in the deep ocean."
BEFORE = [{"role": "user", "content": "What do whales do?"}, {"role": "assistant", "content": "They sing."}]


class Cramped(ScriptedModel):
    """Has room for so many words beside what it may write."""

    context_tokens: int = 10_000

    def count_prompt_tokens(self, messages):
        return sum(len(text.split()) for _, text in messages)


@pytest.fixture(scope="module")
def retriever(tmp_path_factory):
    folder, encoder = tmp_path_factory.mktemp("index"), HashedEncoder()
    build(folder, PAPERS, encoder)
    return FusedRetriever(index=LibraryIndex.open(folder, encoder), encoder=encoder)


def rag_of(retriever, script, **model) -> Rag:
    return Rag(retriever=retriever, model=Cramped(script=script, **model), settings=Settings())


def ids(*names: str) -> str:
    return "+".join(prompts.load(name).id for name in names)


@pytest.mark.parametrize(
    ("question", "history", "names"),
    [
        (QUESTION, (), ["answer"]),
        ("And at how many hertz?", BEFORE, ["followup"]),
        ("What do WhaleSong and BeeDance each study?", (), ["part"]),
        ("Which papers mention songs?", (), []),
        ("Who won the football World Cup in 2018?", (), []),
    ],
)
def test_an_answer_names_the_prompts_that_wrote_it_once_each(retriever, question, history, names):
    of_bees = "BeeDance decodes the waggle dance."
    rag = rag_of(retriever, lambda prompt: of_bees if "BeeDance alone" in prompt else f"WhaleSong: {FACT}")
    answer = rag.ask(question, history=history)
    assert answer.prompt_id == ids(*names)
    assert bool(answer.prompt_id) == bool(answer.model_id)


def test_a_sentence_written_anew_adds_its_prompt_and_only_to_its_own_answer(retriever):
    wrong = "Whales sing at 52 hertz."
    rag = rag_of(retriever, lambda prompt: FACT if "Draft: Whales" in prompt else wrong)
    assert rag.ask(QUESTION).prompt_id == ids("answer", "rewrite")
    assert rag_of(retriever, lambda _: FACT).ask(QUESTION).prompt_id == ids("answer")
    assert rag.ask_many([QUESTION])[0].prompt_id == ids("answer", "rewrite")


def test_what_the_model_declined_names_the_prompt_that_it_was_asked_with(retriever):
    answer = rag_of(retriever, lambda _: "The sentences do not mention this.").ask(QUESTION)
    assert (answer.status, answer.prompt_id) == ("abstained", ids("answer"))


def test_a_request_put_as_a_question_names_the_prompt_for_that(retriever):
    rag = rag_of(retriever, lambda _: "Which papers are about whale songs?")
    answer = rag.ask("pull up everything you have got by way of whale songs please")
    assert (answer.surveyed, answer.prompt_id) == (2, ids("request"))


def test_a_stopped_answer_names_the_prompt_of_its_draft(retriever):
    rag = rag_of(retriever, lambda _: "")
    found = next(iter(rag.stream("And at how many hertz?", BEFORE)))
    assert rag.partial_answer(found, FACT).prompt_id == ids("followup")


def numbers_in_prompt(prompt: str) -> list[int]:
    return [int(number) for number in re.findall(r"^\[(\d+)\]", prompt, re.MULTILINE)]


@pytest.mark.parametrize("question", [QUESTION, "What do WhaleSong and BeeDance each study?"])
def test_evidence_that_does_not_fit_the_context_is_not_shown_either(retriever, question):
    whole = rag_of(retriever, lambda _: FACT)
    whole.ask(question)
    most = max(len(prompt.split()) for prompt in whole.model.prompts)
    rag = rag_of(retriever, lambda _: FACT, context_tokens=most - 6 + Settings().model.max_new_tokens)
    *events, answer = rag.stream(question)
    read = sorted({number for prompt in rag.model.prompts for number in numbers_in_prompt(prompt)})
    found = [event for event in events if isinstance(event, EvidenceFound)]
    assert [item.number for item in answer.evidence] == read
    assert [item.number for item in found[-1].evidence] == read
    assert len(found[0].evidence) > len(read) > 0
    assert rag.ask_many([question])[0].evidence == answer.evidence
    assert rag.trace(answer).prompts[0][-1][1] in rag.model.prompts[0]
    assert verify(answer.to_dict(), PAPERS) == ()


def test_what_did_not_fit_cannot_be_cited(retriever):
    rag = rag_of(retriever, lambda _: FACT, context_tokens=Settings().model.max_new_tokens + 1)
    answer = rag.ask("What does BeeDance decode in the waggle dance of bees, and do whales sing in the deep ocean?")
    (shown,) = answer.evidence
    assert {citation.quote for citation in answer.citations} <= {shown.sentence.text}
