"""The model that checks beside another one that writes: when it is opened, and what it is asked."""

import shutil
from types import SimpleNamespace

import pytest
from fakes import HashedEncoder, ScriptedModel
from tiny_language_model import make_model

from rag import Paper, Rag, Settings, weights
from rag.assembly import LazyModel, memory_short_of, open_model
from rag.checker import checker_beside, checker_name, fetched
from rag.doctor import examine
from rag.errors import ModelError, SettingsError, WeightsMissing
from rag.index import LibraryIndex, build
from rag.retrieval import FusedRetriever
from rag.settings import ModelSettings
from rag.trained import answerability
from rag.weights import folder

WRITER, CHECKER = "tests/writer", "tests/checker"
QUESTION = "What does WhaleNet hear?"


@pytest.fixture
def home(tmp_path, monkeypatch):
    partial = folder.partial_at(CHECKER, tmp_path, "hub")
    partial.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(make_model(tmp_path / "tiny"), partial)
    folder.install(partial, CHECKER, tmp_path, source="hub", origin={})
    monkeypatch.setattr("rag.checker.MODEL", CHECKER)
    monkeypatch.setattr("rag.checker.default_names", lambda _settings: [WRITER, CHECKER])
    return tmp_path


def settings_of(home, **model):
    local = {"name": WRITER, "device": "cpu", "dtype": "float32", "context_tokens": 2048, "threads": 1}
    return Settings(home=home, model=ModelSettings(**{**local, **model}))


def writer():
    return LazyModel(lambda: ScriptedModel(script=lambda _prompt: "WhaleNet hears whales."))


def test_beside_a_writer_that_no_calibration_belongs_to_the_trained_model_checks(home):
    told = []
    writing = writer()
    checker = checker_beside(settings_of(home), writing, report=told.append).get()
    assert checker.model_id == CHECKER
    assert writing.opened is not None, "the writer is opened first, so that it has the room"
    assert told[-1].startswith("Loaded")


def test_the_model_that_writes_is_not_opened_twice(home):
    writing = LazyModel(lambda: SimpleNamespace(model_id=CHECKER))
    assert checker_beside(settings_of(home), writing, report=pytest.fail).get() is writing.get()
    assert checker_beside(settings_of(home, checker="self"), writing, report=pytest.fail) is writing


def test_an_endpoint_that_serves_the_trained_model_does_not_check(home):
    served = LazyModel(lambda: SimpleNamespace(model_name=CHECKER))
    settings = settings_of(home, name=CHECKER, base_url="http://localhost:1/v1")
    checker = checker_beside(settings, served, report=print).get()
    assert checker.model_id == CHECKER
    assert checker.engine is not None


def test_weights_that_were_not_fetched_into_the_home_have_a_size_too(home, tmp_path, monkeypatch):
    elsewhere = make_model(tmp_path / "elsewhere")
    monkeypatch.setattr("rag.inference.hardware.available_ram", lambda: 1)
    assert "needs about" in memory_short_of(str(elsewhere), settings_of(home, dtype="auto"))


def test_a_gpu_that_is_too_small_is_left_alone(home, monkeypatch):
    monkeypatch.setattr("rag.inference.hardware.gpu_free_bytes", lambda: 1024**3)
    opened = []
    monkeypatch.setattr(
        "rag.chat_models.open_chat_model", lambda settings, _path: opened.append(settings) or ScriptedModel(script=str)
    )
    monkeypatch.setattr(ScriptedModel, "describe", lambda _self: "it", raising=False)
    for device, used in (("auto", "cpu"), ("cuda", "cuda")):
        open_model(settings_of(home, name=CHECKER, device=device))
        assert opened[-1].device == used
    monkeypatch.setattr("rag.inference.hardware.gpu_free_bytes", lambda: 8 * 1024**3)
    open_model(settings_of(home, name=CHECKER, device="auto"))
    assert opened[-1].device == "auto"
    monkeypatch.setattr("rag.inference.hardware.gpu_free_bytes", lambda: None)
    open_model(settings_of(home, name=CHECKER, device="cuda"))
    assert opened[-1].device == "cuda", "who asks for a GPU where there is none is told so"


def test_on_a_machine_too_small_for_it_the_writer_checks_itself(home, monkeypatch):
    monkeypatch.setattr("rag.checker.default_names", lambda _settings: [WRITER])
    writing = writer()
    assert checker_beside(settings_of(home), writing, report=pytest.fail) is writing


def test_where_memory_is_short_the_writer_checks_itself_and_says_so(home, monkeypatch):
    monkeypatch.setattr("rag.inference.hardware.available_ram", lambda: 1000)
    told, writing = [], writer()
    assert checker_beside(settings_of(home), writing, report=told.append).get() is writing.get()
    assert "needs about" in told[0]
    assert "tests/scripted checks itself" in told[0]
    with pytest.raises(ModelError, match="Set model.checker to self"):
        checker_beside(settings_of(home, checker=CHECKER), writing, report=told.append).get()


def test_beside_a_model_that_was_named_nothing_is_fetched_unasked(home, monkeypatch):
    monkeypatch.setattr("rag.checker.MODEL", "tests/elsewhere")
    monkeypatch.setattr("rag.checker.default_names", lambda _settings: ["tests/elsewhere"])
    monkeypatch.setattr("rag.weights.ensure", lambda *_, **__: pytest.fail("fetched"))
    told, writing = [], writer()
    assert checker_beside(settings_of(home), writing, report=told.append).get() is writing.get()
    assert "tests/elsewhere, which is to check, is not on this machine. tests/scripted checks itself." in told


def test_what_is_fetched_at_first_holds_the_checker_beside_a_larger_model(home, monkeypatch):
    ensured = []

    def ensure(name, _home, *, report):
        ensured.append(name)
        if name == "tests/nowhere":
            raise WeightsMissing("No such model.", "")
        return SimpleNamespace(name=name)

    monkeypatch.setattr("rag.weights.ensure", ensure)
    monkeypatch.setattr("rag.assembly.default_names", lambda _settings: [WRITER, CHECKER])
    monkeypatch.setattr("rag.weights.find", lambda _name, _home: None)
    assert [found.name for found in fetched(settings_of(home, name="auto"), report=print)][1:] == [WRITER, CHECKER]
    assert [found.name for found in fetched(settings_of(home, name="auto", checker="self"), report=print)][1:] == [
        WRITER
    ]
    told = []
    assert [found.name for found in fetched(settings_of(home), report=told.append)][1:] == [WRITER]
    assert f"{WRITER} checks itself" in told[-1], "a model that was named brings no other along"
    monkeypatch.setattr("rag.assembly.default_names", lambda _settings: ["tests/nowhere", CHECKER])
    names = [found.name for found in fetched(settings_of(home, name="auto"), report=print)]
    assert names[1:] == [CHECKER], "where the larger model is not to be had, the next writes and checks"


def test_converted_copies_beside_the_weights_count_for_nothing_where_room_is_looked_for(home, monkeypatch):
    row = next(row for row in weights.available(home) if row.name == CHECKER)
    (row.path / "int8-v1.safetensors").write_bytes(bytes(50 * row.bytes))
    monkeypatch.setattr("rag.inference.hardware.available_ram", lambda: 3 * row.bytes)
    assert memory_short_of(CHECKER, settings_of(home, dtype="auto")) == ""
    monkeypatch.setattr("rag.inference.hardware.available_ram", lambda: row.bytes)
    assert "needs about" in memory_short_of(CHECKER, settings_of(home, dtype="auto"))


def test_the_doctor_says_who_checks(home, monkeypatch):
    monkeypatch.setattr("rag.assembly.default_names", lambda _settings: [WRITER, CHECKER])
    said = {finding.name: finding for finding in examine(settings_of(home))}
    assert CHECKER in said["Checker"].text
    said = {finding.name: finding for finding in examine(settings_of(home, checker="tests/nowhere"))}
    assert not said["Checker"].is_well
    assert "footnote models fetch tests/nowhere" in said["Checker"].text
    assert checker_name(settings_of(home, checker="self")) == ""


def test_the_doctor_says_where_a_remote_model_is(home):
    settings = settings_of(home, name="llama3", provider="ollama")
    assert "llama3 at ollama" in {finding.name: finding.text for finding in examine(settings)}["Model"]


def test_a_checker_has_a_name(home):
    with pytest.raises(SettingsError, match="model.checker"):
        Settings(home=home, model={"checker": ""})


def test_a_rag_asks_the_checker_whether_there_is_an_answer_and_the_writer_for_it(home, tmp_path, monkeypatch):
    encoder = HashedEncoder()
    build(tmp_path / "index", [Paper("w", "WhaleNet", "WhaleNet hears whales. It sings.")], encoder)
    retriever = FusedRetriever(index=LibraryIndex.open(tmp_path / "index", encoder), encoder=encoder)
    asked = []

    def first_word(messages, _words):
        asked.append(messages)
        return [-4.0, 0.0] if len(asked) == 1 else [0.0, -4.0]

    checker = LazyModel(lambda: SimpleNamespace(model_id=CHECKER, first_word_logprobs=first_word))
    monkeypatch.setitem(answerability.CALIBRATION, CHECKER, answerability.Calibration(4.0, 0.3))
    rag = Rag(retriever=retriever, model=writer(), settings=settings_of(home), checker=checker)
    try:
        assert rag.ask(QUESTION).status == "abstained"
        answer = rag.ask(QUESTION)
        assert (answer.status, answer.model_id) == ("answered", "tests/scripted")
        assert rag.description.checker == "checker"
        rag._go_over_to(rag.retriever.index)
        assert rag.checker is checker.get()
    finally:
        rag.close()
