"""Peers' replies are scored as our answers are; their systems themselves are tested where they are installed."""

import importlib.util
import json
from collections import Counter

import pytest
from fakes import quoting_rag

from eval import systems
from eval.__main__ import main
from eval.benchmarks.quoting import QuotingModel, best_sentence
from eval.cases import Case, CaseError, read_cases, write_cases
from eval.judges.by_name import LexicalJudge
from eval.peers import FIGURES, SAMPLE, Peer, as_answer, figures, sample, table
from eval.recipes import RECIPES, PeerError, Reply, document, open_peer
from eval.run import run
from rag.errors import FootnoteError
from rag.pipeline import Rag
from rag.schema import Paper

WHALES = Paper("w", "WhaleSong: how whales sing", "WhaleSong studies songs. Whales sing at 20 hertz in the deep ocean.")
BEES = Paper("b", "BeeDance: the language of bees", "BeeDance decodes the waggle dance. Bees dance to tell of flowers.")
FOUND = ((WHALES, document(WHALES)), (BEES, "Bees dance to tell of flowers."))
MODULES = {
    "langchain": "langchain_text_splitters",
    "llama-index": "llama_index",
    "haystack": "haystack",
    "txtai": "txtai",
}


@pytest.fixture
def rag(tmp_path):
    return quoting_rag(tmp_path, [WHALES, BEES])


def test_markers_become_citations_of_what_they_number():
    answer = as_answer("?", Reply("Whales sing at 20 hertz [1]. Bees dance [2][9].", FOUND, cites=True))
    assert [claim.text for claim in answer.claims] == ["Whales sing at 20 hertz.", "Bees dance."]
    first, second = answer.citations
    assert (first.paper, first.quote) == (WHALES, WHALES.abstract)
    assert second.quote == "Bees dance to tell of flowers."
    assert BEES.abstract[second.start : second.end] == second.quote
    assert [hit.paper for hit in answer.hits] == [WHALES, BEES]


def test_a_marker_of_several_numbers_cites_each():
    answer = as_answer("?", Reply("Both make sounds [1, 2]. They are animals. [1-2]", FOUND, cites=True))
    assert [claim.text for claim in answer.claims] == ["Both make sounds.", "They are animals."]
    assert [[c.marker for c in claim.citations] for claim in answer.claims] == [[1, 2], [1, 2]]


def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before():
    answer = as_answer("?", Reply("Whales sing. [1] Bees dance. [2]", FOUND, cites=True))
    assert [(c.text, [n.marker for n in c.citations]) for c in answer.claims] == [
        ("Whales sing.", [1]),
        ("Bees dance.", [2]),
    ]


def test_a_peer_that_does_not_cite_has_no_citations():
    answer = as_answer("?", Reply("Whales sing [1].", FOUND, cites=False))
    assert answer.citations == ()
    assert answer.status == "answered"


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "The context does not mention the rank of the adapters.",
        "None of the sources are helpful.",
        "There is no information about that.",
        "There is no mention of it in these texts.",
        "It is not possible to determine this.",
        "I am not aware of it.",
        "The provided documents don't say.",
        "",
    ],
)
def test_declining_in_words_is_seen(text):
    assert as_answer("?", Reply(text, FOUND, cites=False)).status == "abstained"


def test_an_answer_that_says_not_is_not_taken_for_declining():
    for text in (
        "It does not need labels. It is cheap.",
        "The model was not given labels but reaches 90%.",
        "The method does not include labels; it reaches 90.",
        "We do not use labels.",
    ):
        assert as_answer("?", Reply(text, FOUND, cites=False)).status == "answered"


def test_the_sample_is_fixed_and_stratified():
    cases = sample(read_cases())
    assert Counter(case.type for case in cases) == SAMPLE
    assert cases == sample(read_cases())
    assert len(cases) == 40
    with pytest.raises(CaseError, match="0 questions"):
        sample(read_cases(), 0)
    assert {case.id for case in sample(read_cases(), 20)} < {case.id for case in cases}


def test_a_peer_is_run_and_scored_as_a_rag_is(rag):
    peer = Peer(rag, "mirror", lambda _question: Reply("Whales sing at 20 hertz.", FOUND, cites=False))
    cases = [case for case in sample(read_cases()) if case.type in ("fact", "followup")][:16]
    found, failed = figures(run(peer, cases, report=lambda _line: None), LexicalJudge())
    assert failed == {}
    assert set(found) == set(FIGURES)
    assert found["supported by what was read"].value == 1.0
    assert found["every claim cited"].value == 0.0
    assert found["seconds"].n == len(cases)
    assert "supported by what was read" in table({"mirror": found})


def test_a_figure_that_fails_is_told_and_the_exit_code_says_so(rag, monkeypatch, capsys, tmp_path):
    class Failing(LexicalJudge):
        """Cannot judge by a whole abstract."""

        def judge(self, pairs):
            if any(len(evidence) > 2 for evidence, _ in pairs):
                raise MemoryError("too long")
            return super().judge(pairs)

    judge = LexicalJudge()
    monkeypatch.setattr(systems, "opened", lambda *_arguments: (rag, judge))
    questions = tmp_path / "own.jsonl"
    write_cases(questions, [Case("f", "fact", "At how many hertz do whales sing?", (WHALES.title,), (), (("20",),))])
    command = ["peers", "--only", "footnote", "--questions", str(questions), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "FAILED" not in capsys.readouterr().out
    judge = Failing()
    assert main(command) == 1
    shown = capsys.readouterr().out
    assert "FAILED footnote, supported by what was read: MemoryError: too long" in shown
    assert "right and cited" in shown
    assert main([*command, "--json"]) == 1
    assert "supported by what was read" in json.loads(capsys.readouterr().out)["failed"]["footnote"]


def test_the_quoting_model_says_the_sentence_that_shares_most_with_the_question():
    prompt = "Paper: A\n[1] Whales sing.\n[2] Bees dance to tell of flowers.\n\nQuestion: Why do bees dance?"
    assert best_sentence(prompt) == "Bees dance to tell of flowers."
    assert best_sentence("Question: Why?") == ""


def test_an_unknown_peer_is_named(rag):
    with pytest.raises(PeerError, match="There are: langchain"):
        open_peer("oracle", rag)
    assert issubclass(PeerError, FootnoteError)


@pytest.mark.parametrize("name", sorted(RECIPES))
@pytest.mark.filterwarnings("ignore")  # theirs, not ours
def test_each_peer_gives_the_question_and_what_it_found_to_the_same_model(rag, name):
    if importlib.util.find_spec(MODULES[name]) is None:
        pytest.skip(f"{MODULES[name]} is not installed (pip install '.[peers]')")
    heard = []

    class Listening(QuotingModel):
        def _generate(self, messages, stop=None, run_manager=None, **options):
            heard.append("\n".join(str(message.content) for message in messages))
            return super()._generate(messages, stop, run_manager, **options)

    rag = Rag(retriever=rag.retriever, model=Listening(), settings=rag.settings)
    reply = open_peer(name, rag)("At how many hertz do whales sing?")
    assert len(heard) == 1
    assert "At how many hertz do whales sing?" in heard[0]
    assert "Whales sing at 20 hertz in the deep ocean." in heard[0]
    assert reply.found[0][0].id == "w"
    assert reply.cites == (name == "llama-index")
