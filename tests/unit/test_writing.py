"""What the model is asked with: which prompts, named in the answer, and no more evidence than fits and is shown."""

import re

import pytest
from fakes import HashedEncoder, ScriptedModel
from langchain_core.callbacks import BaseCallbackHandler

import prompts
from rag import Answer, EvidenceFound, Paper, Settings, TextPiece, verify
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


BOTH = "What do WhaleSong and BeeDance each study?"
OF_BEES = "BeeDance decodes the waggle dance."
OF_WHALES = "WhaleSong studies whale songs."


class Begun:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def cancel(self):
        self.log.append(("cancelled", self.name))


class SideBySide(Cramped):
    """Begins to write when it is asked to, and keeps a log of what happened in which order."""

    writes_side_by_side: bool = True
    log: list = []

    def begin(self, messages, **options):
        prompt = "\n".join(text for _, text in messages)
        self.log.append(("begun", "bees" if "BeeDance alone" in prompt else "whales"))
        return Begun(self.log, self.log[-1][1])

    def _stream(self, messages, stop=None, run_manager=None, generation=None, **options):
        if generation is not None:
            self.log.append(("read", generation.name))
        yield from super()._stream(messages, stop, run_manager, **options)


def of_each(prompt):
    return OF_BEES if "BeeDance alone" in prompt else OF_WHALES


def test_drafts_of_several_papers_are_begun_together_and_told_one_after_the_other(retriever):
    one_by_one = rag_of(retriever, of_each).ask(BOTH)
    model = SideBySide(script=of_each)
    *events, answer = Rag(retriever=retriever, model=model, settings=Settings()).stream(BOTH)
    assert [name for what, name in model.log if what == "begun"] == ["whales", "bees"]
    assert [what for what, _ in model.log[:3]] == ["begun", "begun", "read"]
    said = "".join(event.text for event in events if isinstance(event, TextPiece))
    assert said.split() == f"{OF_WHALES} {OF_BEES}".split()
    assert isinstance(answer, Answer)
    assert (answer.text, answer.raw_text) == (one_by_one.text, one_by_one.raw_text)
    assert {claim.subject for claim in answer.claims} >= {"WhaleSong", "BeeDance"}


def test_whoever_leaves_stops_the_drafts_that_were_not_read_yet(retriever):
    model = SideBySide(script=of_each)
    stream = Rag(retriever=retriever, model=model, settings=Settings()).stream(BOTH)
    next(event for event in stream if isinstance(event, TextPiece))
    stream.close()
    assert {name for what, name in model.log if what == "cancelled"} == {"whales", "bees"}
    assert ("read", "bees") not in model.log


class Heard(BaseCallbackHandler):
    def __init__(self):
        self.heard = []

    def on_chat_model_start(self, serialized, messages, **options):
        self.heard.append("start")

    def on_llm_end(self, response, **options):
        self.heard.append("end")


@pytest.mark.parametrize("side_by_side", [True, False])
def test_the_callbacks_of_whoever_invokes_hear_of_every_draft(retriever, side_by_side):
    handler = Heard()
    rag = Rag(retriever=retriever, model=SideBySide(script=of_each, writes_side_by_side=side_by_side))
    rag.as_runnable().invoke(BOTH, config={"callbacks": [handler]})
    assert handler.heard == ["start", "end"] * 2


@pytest.mark.parametrize(("question", "side_by_side"), [(QUESTION, True), (BOTH, False)])
def test_a_single_draft_and_a_model_that_writes_one_at_a_time_are_streamed(retriever, question, side_by_side):
    model = SideBySide(script=of_each, writes_side_by_side=side_by_side)
    Rag(retriever=retriever, model=model, settings=Settings()).ask(question)
    assert not model.log
    assert model.prompts


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
