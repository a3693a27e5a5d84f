"""Sentences that a model writes about the bank's papers: which are kept, and how they get into the bank."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fakes import HashedEncoder

from eval.__main__ import main
from eval.cases import CaseError
from eval.fits import drafts
from eval.fits.bank import BANK, digest_of, read_bank
from rag import Answer, Citation, Claim, Settings

ABSTRACTS = {
    "MoleDig: Robots that dig": "Moles dig. MoleDig digs with robots. It needs two arms.",
    "Whales": "Whales sing. They sing low.",
}
QUESTIONS = [
    ["single", "How many arms does MoleDig need?", {"0": [3]}],
    ["near", "How old are whales?", {"1": []}],
    ["list", "Which papers use robots?", {"0": [2]}],
]


@pytest.fixture
def bank(tmp_path, monkeypatch):
    rows = [{"title": title, "abstract": abstract} for title, abstract in ABSTRACTS.items()]
    (tmp_path / "abstracts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sentences = [[digest_of(title), abstract.count(".")] for title, abstract in ABSTRACTS.items()]
    kept = [{"papers": sentences, "questions": QUESTIONS, "claims": [[1, [1], "They are loud.", "neither"]]}]
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(kept))
    monkeypatch.setattr(drafts, "read_bank", lambda abstracts: read_bank(abstracts, path))
    monkeypatch.setattr(drafts.keep, "__defaults__", (path,))
    return tmp_path


class Answers:
    """A Rag of which every answer has the same claims."""

    def __init__(self, *claims):
        self.claims = claims

    def ask(self, question):
        return Answer(question=question, text="", status="answered", claims=self.claims)


def cited(text, papers, *places, **facts):
    found = []
    for paper, sentence in places:
        abstract = papers[paper].abstract
        start = abstract.index(sentence)
        found.append(Citation(1, papers[paper], sentence, start, start + len(sentence)))
    return Claim(text, tuple(found), "supported", 1.0, **facts)


def test_the_models_own_sentences_about_one_paper_are_written_out(bank):
    groups = read_bank(bank / "abstracts.jsonl", bank / "bank.json")
    papers = groups[0].papers
    own = cited("MoleDig needs two arms.", papers, (0, "It needs two arms."))
    others = [
        cited("It needs two arms.", papers, (0, "It needs two arms."), is_quote=True),
        replace(own, verdict="unsupported"),
        cited("Both dig.", papers, (0, "Moles dig."), (1, "Whales sing.")),
        cited("Moles.", papers, (0, "Moles")),
        Claim("Nothing is cited.", (), "unsupported", 0.0),
    ]
    asked = drafts.drawn(groups, 9, seed=0)
    assert {one.kind for one in asked} == {"single", "near"}
    rows = list(drafts.written(Answers(own, *others), asked[0], groups))
    assert [(row["sentence"], row["source"], row["label"]) for row in rows] == [
        ("MoleDig needs two arms.", ["It needs two arms."], None)
    ]


ROW = {
    "group": 0, "paper": 0, "sentences": [3, 2], "source": ["It needs two arms.", "MoleDig digs with robots."],
    "sentence": "It digs with robots.", "label": "supported",
}  # fmt: skip


def test_what_has_a_label_goes_into_the_bank_once_and_is_read_from_there(bank, capsys):
    lines = [ROW, {**ROW, "label": None}, {**ROW, "sentence": "It is new.", "label": "neither"}]
    (bank / "drafts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    command = ["drafts", "--data", str(bank / "abstracts.jsonl"), "--read", str(bank / "drafts.jsonl")]
    assert main(command) == 0
    assert "2 labelled drafts" in capsys.readouterr().err
    assert main(command) == 0
    assert "0 labelled drafts" in capsys.readouterr().err
    (bank / "drafts.jsonl").write_text(json.dumps({**ROW, "label": "contradicted"}))
    assert main(command) == 0
    assert "1 labelled drafts" in capsys.readouterr().err
    (group,) = read_bank(bank / "abstracts.jsonl", bank / "bank.json")
    assert [(one.claim, one.label) for one in group.drafts] == [
        ("It digs with robots.", "contradicted"),
        ("It is new.", "neither"),
    ]
    assert group.drafts[0].evidence[1:] == ("It needs two arms.", "MoleDig digs with robots.")
    assert [one.claim for one in group.claims] == ["They are loud."]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": "wrong"}, "line 1 has the label 'wrong'"),
        ({"label": "unsupported"}, "line 1 has the label 'unsupported'"),
        ({"paper": 7}, "line 1 is no draft"),
        ({"sentence": 3}, "line 1 is no draft"),
        ({"sentences": [], "source": []}, "line 1 is no draft: .*not these sentences"),
        ({"sentences": [0], "source": ["It needs two arms."]}, "line 1 is no draft: .*not these sentences"),
        ({"source": ["It needs three arms.", "MoleDig digs."]}, "line 1 is no draft: .*not these sentences"),
    ],
)
def test_a_line_that_is_no_draft_is_named_and_the_bank_stays_as_it_is(bank, change, told):
    (bank / "drafts.jsonl").write_text(json.dumps({**ROW, **change}))
    before = (bank / "bank.json").read_text()
    groups = read_bank(bank / "abstracts.jsonl", bank / "bank.json")
    with pytest.raises(CaseError, match=told):
        drafts.keep(bank / "drafts.jsonl", groups)
    assert (bank / "bank.json").read_text() == before


@pytest.mark.parametrize(
    ("what", "name", "told"),
    [
        ("--read", "none.jsonl", "There is no file"),
        ("--write", "abstracts.jsonl", "is there already"),
        ("--write", "no/folder.jsonl", "in no folder"),
    ],
)
def test_a_file_that_cannot_be_read_or_written_is_told_before_anything_is_asked(bank, capsys, what, name, told):
    before = (bank / "abstracts.jsonl").read_text()
    assert main(["drafts", "--data", str(bank / "abstracts.jsonl"), what, str(bank / name)]) == 2
    assert told in capsys.readouterr().err
    assert (bank / "abstracts.jsonl").read_text() == before


def test_the_command_asks_a_library_of_the_banks_papers_without_checks(bank, monkeypatch, capsys):
    asked = []

    class Asking:
        def __init__(self, **parts):
            self.parts = parts

        def with_settings(self, *, answer):
            wanted = Settings(answer=answer).answer
            assert (wanted.abstain_threshold, wanted.further_quotes) == (0.0, 0)
            assert not wanted.rewrites
            assert not wanted.second_opinion
            return self

        def ask(self, question):
            papers = self.parts["retriever"].index.papers.values()
            assert {paper.title for paper in papers} == set(ABSTRACTS)
            asked.append(question)
            (mole,) = (paper for paper in papers if "MoleDig" in paper.title)
            return Answers(cited("Two arms are needed.", [mole], (0, "It needs two arms."))).ask(question)

    def unread(rag, *readings):
        assert readings == ("looks", "judge")
        return rag

    opened = SimpleNamespace(
        retriever=SimpleNamespace(encoder=HashedEncoder()), model="model", checker="checker", settings="settings"
    )
    Asking.open = lambda _settings, report: opened
    monkeypatch.setattr(drafts, "Rag", Asking)
    monkeypatch.setattr(drafts, "unread", unread)
    out = bank / "out.jsonl"
    assert main(["drafts", "--data", str(bank / "abstracts.jsonl"), "--write", str(out), "-n", "2"]) == 0
    assert len(asked) == 2
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["question"], row["sentence"], row["sentences"]) for row in rows] == [
        (question, "Two arms are needed.", [3]) for question in asked
    ]
    assert "Give each line a label" in capsys.readouterr().err


def test_the_bank_is_written_as_it_stands(tmp_path):
    path = tmp_path / "bank.json"
    path.write_text(BANK.read_text())
    (tmp_path / "none.jsonl").write_text("")
    assert drafts.keep(tmp_path / "none.jsonl", [], path) == 0
    assert path.read_text() == BANK.read_text()
