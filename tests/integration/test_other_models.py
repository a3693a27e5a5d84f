"""Another local model than the usual one: only what is here, opened when first needed, refused where memory is short."""

import gc
import shutil
import weakref

import pytest
from fakes import HashedEncoder, ScriptedModel
from tiny_language_model import make_model

from rag import Paper, Rag, Settings
from rag.assembly import LazyModel, OtherModels
from rag.errors import ModelError, SettingsError
from rag.index import LibraryIndex, build
from rag.retrieval import FusedRetriever
from rag.settings import ModelSettings
from rag.weights import folder

NAMES = ("tests/usual", "tests/small", "tests/smaller")
QUESTION = "What does WhaleNet hear?"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    made = make_model(tmp_path_factory.mktemp("tiny"))
    for name in NAMES:
        partial = folder.partial_at(name, home, "hub")
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, partial)
        folder.install(partial, name, home, source="hub", origin={})
    return home


@pytest.fixture
def rag(home, tmp_path):
    model = ModelSettings(
        name=NAMES[0], device="cpu", dtype="float32", context_tokens=2048, max_new_tokens=8, threads=1
    )
    settings = Settings(home=home, model=model)
    encoder = HashedEncoder()
    build(tmp_path / "index", [Paper("w", "WhaleNet", "WhaleNet hears whales. It sings.")], encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path / "index", encoder), encoder=encoder)
    usual = LazyModel(lambda: ScriptedModel(script=lambda _prompt: "WhaleNet hears whales."))
    others = OtherModels(settings, usual, report=lambda _line: None)
    opened = Rag(retriever=retriever, model=usual, settings=settings, others=others)
    yield opened
    opened.close()


def test_the_usual_model_is_not_among_the_others_and_is_not_opened_twice(rag):
    assert rag.other_models == NAMES[1:]
    small = rag.with_settings(model={"name": NAMES[1]})
    assert small.with_settings(model={"name": NAMES[0]}).model is rag.model


def test_an_answer_comes_from_the_model_that_was_chosen_and_the_usual_one_stays(rag):
    small = rag.with_settings(model={"name": NAMES[1]}, answer={"abstain_threshold": 0.0})
    answer = small.ask(QUESTION)
    assert answer.model_id == NAMES[1]
    assert answer.citations, "what a random model writes holds nowhere, so the evidence is quoted"
    assert rag.ask(QUESTION).model_id == "tests/scripted"


def test_the_last_other_model_stays_open_and_the_one_before_goes(rag):
    first = rag.with_settings(model={"name": NAMES[1]}).model
    assert rag.with_settings(model={"name": NAMES[1]}).model is first
    second = rag.with_settings(model={"name": NAMES[2]}).model
    assert second is not first
    assert rag.with_settings(model={"name": NAMES[1]}).model is not first


def test_with_auto_the_usual_model_is_the_one_that_is_open_however_much_memory_is_left(home, monkeypatch):
    made = ["tests/usual", "tests/small"]
    monkeypatch.setattr("rag.assembly.model_names", lambda _settings: made)
    settings = Settings(home=home)
    usual = LazyModel(lambda: ScriptedModel(script=str))
    others = OtherModels(settings, usual, report=lambda _line: None)
    made.reverse()  # less memory is free now
    assert others.names == NAMES[1:]
    assert others.get(NAMES[0]) is usual
    assert others.get("auto") is usual


def test_a_rag_with_other_settings_goes_with_its_last_user(rag):
    gc.disable()
    try:
        other = rag.with_settings(model={"name": NAMES[1]})
        gone = weakref.ref(other)
        del other
        assert gone() is None
    finally:
        gc.enable()


def test_a_library_that_changes_leaves_the_choice_of_models(rag):
    rag._go_over_to(rag.retriever.index)
    assert rag.other_models == NAMES[1:]
    assert rag.with_settings(model={"name": NAMES[1]}).settings.model.name == NAMES[1]


def test_a_model_that_is_not_here_is_refused_and_never_fetched(rag):
    with pytest.raises(SettingsError, match="no weights of 'tests/none' here.*tests/small, tests/smaller"):
        rag.with_settings(model={"name": "tests/none"})


def test_a_model_for_which_memory_is_short_is_refused(rag, monkeypatch):
    monkeypatch.setattr("rag.inference.hardware.available_ram", lambda: 1000)
    other = rag.with_settings(model={"name": NAMES[2]})
    with pytest.raises(ModelError, match="GB of memory, and 0.0 GB are free"):
        other.ask(QUESTION)
    assert rag.ask(QUESTION).status == "answered"
