"""What supports a claim, what contradicts it, what is silent."""

import json
import math

import pytest
from fakes import HashedEncoder

from rag.balance import SURE, Balance, shares, stance_of, weighing
from rag.errors import ModelError
from rag.evidence import EvidenceSelector
from rag.keywords import KeywordIndex
from rag.schema import Paper
from rag.trained import adapters

PAPERS = (
    Paper("f", "For", "Whales sing at 20 hertz in the deep ocean. They do so at night."),
    Paper("a", "Against", "Whales do not sing in the ocean at 20 hertz at all."),
    Paper("o", "Other", "Bees dance to tell where flowers are."),
)
CLAIM = "Whales sing at 20 hertz."


class Says:
    """Gives each paper, known by a word of its text, shares of (supports, contradicts, silent)."""

    def __init__(self, **shares: tuple[float, float, float]) -> None:
        self.shares = shares
        self.read: list[str] = []

    def first_word_logprobs(self, messages, words):
        assert [forms[0] for forms in words] == ["Supported", "Contradicted", "Unknown"]
        prompt = messages[-1][1]
        self.read.append(prompt)
        return tuple(map(math.log, next(s for word, s in self.shares.items() if word in prompt)))


def balances(model, claim=CLAIM):
    encoder = HashedEncoder()
    keywords = KeywordIndex.build([f"{p.title} {p.abstract}" for p in PAPERS])
    selector = EvidenceSelector(encoder, keywords)

    def select(question, papers, sentences, tokens):
        return selector.select(
            question, papers, max_sentences=sentences, max_tokens=tokens, count_tokens=encoder.count_tokens
        )

    return list(weighing(claim, PAPERS, among=9, model=model, select=select, keywords=keywords, started=0.0))


def balance(model, claim=CLAIM):
    return balances(model, claim)[-1]


def test_each_paper_has_the_stance_that_the_model_is_sure_of():
    found = balance(Says(deep=(0.8, 0.1, 0.1), not_at_all=(1, 1, 1), all=(0.1, 0.8, 0.1)))
    assert [one.paper.id for one in found.supporting] == ["f"]
    assert [one.paper.id for one in found.contradicting] == ["a"]
    assert found.silent == 7
    assert found.supporting[0].probability == pytest.approx(0.8)
    assert found.supporting[0].evidence[0].sentence.text.startswith("Whales sing at 20 hertz")


def test_the_model_that_was_trained_reads_the_sentences_below_their_title():
    class Trained(Says):
        model_id = adapters.named("opinion").facts["model"]

        def judge(self, messages, adapter, ending=""):
            assert adapter is adapters.named("opinion")
            prompt = messages[-1][1]
            self.read.append(prompt)
            return next(s for word, s in self.shares.items() if word in prompt)

    model = Trained(deep=(0.9, 0.05, 0.05), night=(0.95, 0.03, 0.02), all=(0.1, 0.8, 0.1))
    found = balance(model)
    assert [one.paper.id for one in found.supporting] == ["f"]
    assert [one.paper.id for one in found.contradicting] == ["a"]
    assert "Evidence: Title: For\nWhales sing" in model.read[0]
    shown = [item.sentence.text for item in found.supporting[0].evidence]
    assert shown[0] == "They do so at night.", "what says most for the stance by itself, though the other is nearer"
    assert found.supporting[0].probability == 0.9, "that of both together"
    assert len(model.read) == 4, "of one sentence none is read again"


def test_a_paper_about_something_else_is_silent_without_being_read():
    model = Says(deep=(0.8, 0.1, 0.1), all=(0.1, 0.8, 0.1))
    balance(model)
    assert len(model.read) == 2
    assert not any("Bees" in prompt for prompt in model.read)


def test_shares_are_the_three_words_probabilities_brought_to_one():
    assert shares(Says(deep=(0.2, 0.1, 0.1)), CLAIM, "In the deep.") == pytest.approx((0.5, 0.25, 0.25))


def test_who_is_not_sure_is_silent():
    unsure = SURE - 0.05
    found = balance(Says(deep=(unsure, 0.5 - unsure / 2, 0.5 - unsure / 2), all=(0.1, unsure, 0.9 - unsure)))
    assert (found.supporting, found.contradicting) == ((), ())


def test_who_supports_a_claim_has_its_numbers():
    found = balance(Says(deep=(0.9, 0.05, 0.05), all=(0.9, 0.05, 0.05)), "Whales sing at 52 hertz in the ocean.")
    assert found.supporting == ()


def test_the_pronoun_one_is_no_number():
    assert stance_of("Deep whales let one hear all.", "Deep whales let you hear all.", (0.9, 0.05, 0.05)) == "supports"
    assert stance_of("Deep whales sing 2 songs.", "Deep whales sing songs.", (0.9, 0.05, 0.05)) == "silent"


def test_who_supports_a_claim_has_its_numbers_with_their_meaning():
    sure = (0.9, 0.05, 0.05)
    assert stance_of("FooNet trains in 5 seconds.", "FooNet trains in 5 hours.", sure) == "silent"
    assert stance_of("FooNet trains in 5 hours.", "FooNet trains in 5 hours.", sure) == "supports"
    assert stance_of("FooNet trains in 5 seconds.", "FooNet trains in 5 hours.", (0.05, 0.9, 0.05)) == "contradicts"


def test_a_model_without_probabilities_is_refused_with_what_to_do():
    with pytest.raises(ModelError, match="local model"):
        balance(object())


def test_it_grows_by_a_paper_at_a_time_and_says_from_the_first_how_many_will_be_read():
    grown = balances(Says(deep=(0.8, 0.1, 0.1), all=(0.1, 0.8, 0.1)))
    assert [[one.paper.id for one in each.papers] for each in grown] == [[], ["f"], ["f", "a"]]
    assert {each.near for each in grown} == {2}


def test_nothing_is_read_further_once_it_is_closed():
    model = Says(deep=(0.8, 0.1, 0.1), all=(0.1, 0.8, 0.1))
    keywords = KeywordIndex.build([p.abstract for p in PAPERS])
    evidence = balance(model).papers[0].evidence
    model.read.clear()
    growing = weighing(CLAIM, PAPERS, among=9, model=model, select=lambda *_: evidence, keywords=keywords, started=0.0)
    next(growing)
    next(growing)
    growing.close()
    assert len(model.read) == 1


def test_it_is_read_back_from_json_as_it_was():
    found = balance(Says(deep=(0.8, 0.1, 0.1), all=(0.1, 0.8, 0.1)))
    assert Balance.from_dict(json.loads(json.dumps(found.to_dict()))) == found
