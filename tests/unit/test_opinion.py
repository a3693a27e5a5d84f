"""The second opinion on a sentence: read by the model that the adapter belongs to, and calibrated."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rag.schema import Citation, Claim, Paper
from rag.trained import adapters
from rag.trained.opinion import SUPPORTED_FROM, UNSUPPORTED_BELOW, WEIGHTS, support

WHALE = Paper("w", "WhaleSong", "We record whales. Whales sing at 20 hertz.")
BEE = Paper("b", "BeeDance", "Bees dance.")
CITED = (
    Citation(1, WHALE, "We record whales.", 0, 17),
    Citation(2, BEE, "Bees dance.", 0, 11),
    Citation(3, WHALE, "Whales sing at 20 hertz.", 18, 42),
)
CLAIM = Claim("Whales sing.", CITED, "partly", 0.5)
MEASURED = adapters.named("opinion").facts["model"]


def model_that_reads(supported, model_id=MEASURED):
    asked = []

    def judge(messages, adapter, ending=""):
        assert adapter is adapters.named("opinion")
        asked.append(messages)
        return supported, 0.0, 1.0 - supported

    return SimpleNamespace(model_id=model_id, judge=judge, asked=asked)


def test_a_model_reads_the_cited_sentences_below_their_titles():
    model = model_that_reads(0.9)
    assert support(model, CLAIM) is not None
    (messages,) = model.asked
    assert messages[-1][1] == (
        "Claim: Whales sing.\n\nEvidence: Title: WhaleSong\nWe record whales.\nWhales sing at 20 hertz.\n"
        "Title: BeeDance\nBees dance.\n\nClaim: Whales sing."
    )


def test_nobody_is_asked_who_was_not_trained_or_where_nothing_is_cited():
    other = model_that_reads(0.9, "tests/other")
    assert support(other, CLAIM) is None
    assert other.asked == []
    assert support(SimpleNamespace(), CLAIM) is None
    assert support(SimpleNamespace(model_id=MEASURED), CLAIM) is None  # a remote one of the same name
    assert support(model_that_reads(0.9), Claim("Whales sing.", (), "partly", 0.5)) is None


def test_only_a_sure_reading_supports_and_a_sure_no_quotes_the_source_instead():
    assert support(model_that_reads(0.99), CLAIM) > SUPPORTED_FROM
    assert UNSUPPORTED_BELOW < support(model_that_reads(0.7), CLAIM) < SUPPORTED_FROM
    assert support(model_that_reads(0.05), CLAIM) < UNSUPPORTED_BELOW
    assert support(model_that_reads(1.0), CLAIM) < 1.0  # never quite sure
    assert support(model_that_reads(0.0), CLAIM) > 0.0


def test_words_of_its_own_make_a_sentence_less_likely_to_be_supported():
    likely = [
        support(model_that_reads(0.99), replace(CLAIM, text=text))
        for text in (
            "The authors record whales, which sing at 20 hertz.",  # what a sentence about a paper may say counts not
            "Whales sing loudly.",
            "Whales sing loudly below polar ice.",
        )
    ]
    assert likely == [pytest.approx(WEIGHTS.likelihood(math.log(99), unsaid)) for unsaid in (0, 1, 4)]
    assert likely[0] > SUPPORTED_FROM > likely[2]
    assert support(model_that_reads(0.05), replace(CLAIM, text="Whales sing loudly below polar ice.")) < (
        UNSUPPORTED_BELOW
    )


@pytest.mark.parametrize("supported", [0.1, 0.5, 0.8, 0.99])
def test_what_is_read_is_weighed_by_a_logistic_model(supported):
    odds = math.log(supported / (1 - supported))
    expected = 1 / (1 + math.exp(-(WEIGHTS.read * odds + WEIGHTS.start)))
    assert support(model_that_reads(supported), CLAIM) == pytest.approx(expected)
