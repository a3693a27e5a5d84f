"""Settings: four sources, one order, nothing unknown."""

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import BUNDLED_LIBRARY, Settings


def test_arguments_win_over_environment_and_environment_over_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "footnote.toml").write_text("[retrieval]\nk = 3\ncandidates = 7\n[answer]\nevidence_papers = 2\n")
    monkeypatch.setenv("FOOTNOTE_RETRIEVAL__K", "4")
    monkeypatch.setenv("FOOTNOTE_ANSWER__EVIDENCE_PAPERS", "4")
    settings = Settings(answer={"evidence_papers": 5})
    assert (settings.retrieval.candidates, settings.retrieval.k, settings.answer.evidence_papers) == (7, 4, 5)


@pytest.mark.parametrize("name", ["FOOTNOTE_RETRIEVAL__KK", "FOOTNOTE_MODLE__NAME", "FOOTNOTE_DEVICE"])
def test_a_misspelt_environment_variable_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=name):
        Settings()


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    with pytest.raises(SettingsError, match="Did you mean 'answer.evidence_sentences'"):
        Settings(answer={"evidence_sentence": 3})


def test_an_unknown_key_in_the_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "footnote.toml").write_text("[retrival]\nk = 3\n")
    with pytest.raises(SettingsError, match="retrieval"):
        Settings()


def test_a_file_that_is_not_toml_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "footnote.toml").write_text("k = = 3")
    with pytest.raises(SettingsError, match=r"footnote\.toml"):
        Settings()


def test_a_value_out_of_range_is_refused_with_the_value():
    with pytest.raises(SettingsError, match=r"retrieval\.k.*0"):
        Settings(retrieval={"k": 0})


def test_settings_are_frozen_and_named_by_what_shapes_an_answer(tmp_path):
    settings = Settings()
    with pytest.raises(Exception, match="frozen"):
        settings.home = tmp_path
    assert Settings(home=tmp_path, terminal_history=False).id == settings.id
    assert Settings(retrieval={"k": 9}).id != settings.id


def test_a_tilde_is_the_readers_home_though_no_shell_wrote_it_out():
    settings = Settings(home="~/fn", data="~/kept", library="~/mine.bib")
    assert settings.home == Path.home() / "fn"
    assert settings.data == Path.home() / "kept"
    assert settings.library == Path.home() / "mine.bib"


def test_text_for_what_holds_several_settings_names_the_variable_and_what_is_meant(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_MODEL", "Qwen/Qwen3-4B-Instruct-2507")
    with pytest.raises(SettingsError, match="FOOTNOTE_MODEL holds several settings") as caught:
        Settings()
    assert "FOOTNOTE_MODEL__NAME" in caught.value.remedy


def test_a_variable_that_is_set_and_empty_is_as_if_it_were_not(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_LIBRARY", "")
    monkeypatch.setenv("FOOTNOTE_DATA", "")
    assert Settings() == Settings(library=BUNDLED_LIBRARY, data=None)
    assert Settings().library == BUNDLED_LIBRARY
