"""Questions on other libraries, written out from what is kept of them and a file of abstracts."""

import json

import pytest

from eval.__main__ import main
from eval.cases import CaseError, read_cases
from eval.elsewhere import ELSEWHERE, KEPT_ASIDE, read_elsewhere
from eval.fits.bank import digest_of
from rag.corpus import read_library
from rag.settings import Settings

ABSTRACTS = {
    "MoleDig: Robots that dig": "Moles dig. MoleDig digs with robots.",
    "Whales": "Whales sing. They sing low.",
}
QUESTIONS = [
    {"type": "fact", "question": "What digs?", "sentences": {"0": [0, 2]}, "answers": [["robots"]], "reference": "R."},
    {"type": "unanswerable-near", "question": "How low?", "sentences": {}, "answers": [], "reference": "-"},
]


@pytest.fixture
def kept(tmp_path):
    papers = [[digest_of(title), 2] for title in ABSTRACTS]
    (tmp_path / "kept.json").write_text(json.dumps([{"papers": papers, "questions": QUESTIONS}]))
    rows = [{"title": title, "abstract": abstract} for title, abstract in ABSTRACTS.items()]
    (tmp_path / "abstracts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_what_is_written_is_a_library_and_a_question_file(kept, monkeypatch):
    monkeypatch.setattr("eval.elsewhere.ELSEWHERE", kept / "kept.json")
    monkeypatch.setattr("eval.elsewhere.read_elsewhere.__defaults__", (kept / "kept.json",))
    assert main(["elsewhere", "--data", str(kept / "abstracts.jsonl"), "--out", str(kept / "out")]) == 0
    assert {paper.title for paper in read_library(kept / "out" / "library-1.jsonl")} == set(ABSTRACTS)
    fact, near = read_cases(kept / "out" / "questions-1.jsonl")
    assert (fact.id, fact.papers) == ("l1-fact-001", ("MoleDig: Robots that dig",))
    assert fact.evidence == ("MoleDig digs with robots.",), "the title is no evidence to quote"
    assert not near.is_answerable


def test_a_paper_that_is_not_in_the_file_is_named(kept):
    (kept / "abstracts.jsonl").write_text(json.dumps({"title": "Whales", "abstract": "Whales sing. They sing low."}))
    with pytest.raises(CaseError, match=digest_of("MoleDig: Robots that dig")):
        read_elsewhere(kept / "abstracts.jsonl", kept / "kept.json")


def test_what_is_kept_holds_no_paper_of_the_bundled_library_or_the_bank():
    libraries = json.loads(ELSEWHERE.read_text())
    digests = [digest for library in libraries for digest, _ in library["papers"]]
    bank = {d for group in json.loads(ELSEWHERE.with_name("bank.json").read_text()) for d, _ in group["papers"]}
    bundled = {digest_of(paper.title) for paper in read_library(Settings().library)}
    assert len(digests) == len(set(digests)) == 84 * 8
    assert not set(digests) & (bank | bundled)
    assert all(len(library["questions"]) == 50 for library in libraries)
    assert max(KEPT_ASIDE) == len(libraries)
