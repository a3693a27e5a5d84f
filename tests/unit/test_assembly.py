"""A model that is opened when it is needed, or beside the index."""

import threading

import pytest

from rag.assembly import LazyModel, has_model, open_model
from rag.errors import ModelError
from rag.settings import Settings


def test_a_model_opened_beside_the_index_is_opened_once_and_waited_for():
    began, release, opened = threading.Event(), threading.Event(), []

    def opener():
        began.set()
        release.wait(10)
        opened.append(object())
        return opened[0]

    model = LazyModel(opener)
    model.open_beside()
    assert began.wait(10)
    assert opened == [], "the caller does not wait"
    release.set()
    assert model.get() is opened[0]
    assert model.get() is opened[0]
    assert len(opened) == 1


def test_what_fails_beside_the_index_fails_where_the_model_is_needed():
    tried = threading.Semaphore(0)

    def opener():
        tried.release()
        raise ModelError("No memory.", "Take a smaller model.")

    model = LazyModel(opener)
    model.open_beside()
    assert tried.acquire(timeout=10)
    with pytest.raises(ModelError, match="No memory"):
        model.get()


@pytest.mark.parametrize("model", [{"base_url": "http://localhost:1/v1"}, {"name": "nobody/nothing"}])
def test_there_is_nothing_to_open_where_the_model_is_remote_or_not_fetched(tmp_path, model):
    assert not has_model(Settings(home=tmp_path, model=model))


def test_where_questions_go_is_told_before_a_remote_model_is_opened(monkeypatch):
    monkeypatch.setattr("rag.chat_models.open_chat_model", lambda _settings: None)
    told = []
    open_model(Settings(model={"name": "x", "base_url": "https://llm.example/v1"}), report=told.append)
    assert told == ["Questions and abstracts go to https://llm.example/v1 (model.base_url, model.provider)."]
