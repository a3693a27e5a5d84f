"""The second opinion on a sentence: asked of measured models alone, and calibrated."""

from types import SimpleNamespace

import pytest

from rag.answerability import Calibration
from rag.opinion import CALIBRATION, SUPPORTED_FROM, UNSUPPORTED_BELOW, support
from rag.schema import Citation, Claim, Paper

WHALE = Paper("w", "WhaleSong", "We record whales. Whales sing at 20 hertz.")
BEE = Paper("b", "BeeDance", "Bees dance.")
CITED = (
    Citation(1, WHALE, "We record whales.", 0, 17),
    Citation(2, BEE, "Bees dance.", 0, 11),
    Citation(3, WHALE, "Whales sing at 20 hertz.", 18, 42),
)
(MEASURED,) = CALIBRATION


def model_that_is_sure_by(odds, model_id=MEASURED):
    asked = []

    def logprobs(messages, _words):
        asked.append(messages)
        return odds, 0.0

    return SimpleNamespace(model_id=model_id, first_word_logprobs=logprobs, asked=asked)


def test_a_model_reads_the_cited_sentences_below_their_titles():
    model = model_that_is_sure_by(1.0)
    assert support(model, Claim("Whales sing.", CITED, "partly", 0.5)) is not None
    (messages,) = model.asked
    said = messages[-1][1]
    assert said.startswith(
        "Title: WhaleSong\nWe record whales.\nWhales sing at 20 hertz.\nTitle: BeeDance\nBees dance.\n"
    )
    assert "Statement: Whales sing.\n" in said


def test_nobody_is_asked_who_was_not_measured_or_where_nothing_is_cited():
    other = model_that_is_sure_by(1.0, "tests/other")
    assert support(other, Claim("Whales sing.", CITED, "partly", 0.5)) is None
    assert other.asked == []
    assert support(SimpleNamespace(), Claim("Whales sing.", CITED, "partly", 0.5)) is None
    assert support(model_that_is_sure_by(1.0), Claim("Whales sing.", (), "partly", 0.5)) is None


def test_words_that_the_source_has_not_lower_what_the_model_says():
    model = model_that_is_sure_by(1.5)
    plain = support(model, Claim("Whales sing.", CITED, "partly", 0.5))
    more = support(model, Claim("Whales sing gloomily of shipwrecks.", CITED, "partly", 0.5))
    most = support(model, Claim("Whales sing gloomily of old sunken shipwrecks nearby.", CITED, "partly", 0.5))
    assert plain > SUPPORTED_FROM > more > most
    assert support(model_that_is_sure_by(-2.0), Claim("Whales sing.", CITED, "partly", 0.5)) < UNSUPPORTED_BELOW


@pytest.mark.parametrize(
    ("odds", "unsaid", "likely"),
    [(0.0, 0, 0.5), (1.0, 0, 0.7311), (1.0, 1, 0.5), (1.0, 4, 0.0474), (1.0, 9, 0.0474)],
)
def test_the_calibration_is_logistic(monkeypatch, odds, unsaid, likely):
    monkeypatch.setitem(CALIBRATION, MEASURED, Calibration(slope=1.0, middle=0.0))
    monkeypatch.setattr("rag.opinion.UNSAID", 1.0)
    said = " ".join(
        ["Whales sing", *"gloomily underneath sunken rusty barges near silent harbours tonight".split()[:unsaid]]
    )
    assert support(model_that_is_sure_by(odds), Claim(f"{said}.", CITED, "partly", 0.5)) == pytest.approx(
        likely, abs=1e-4
    )
