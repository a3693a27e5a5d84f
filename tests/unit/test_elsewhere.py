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
    flow = {**QUESTIONS[0], "sentences": {"0": [[0, 24]]}}
    libraries = [
        {"papers": papers, "questions": QUESTIONS},
        {"from": "cranfield", "papers": [[digest_of("flow past a wing"), 1]], "questions": [flow]},
    ]
    (tmp_path / "kept.json").write_text(json.dumps(libraries))
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
        read_elsewhere({"data": kept / "abstracts.jsonl"}, kept / "kept.json")


def test_a_library_of_a_public_set_is_written_where_that_is_given(kept):
    document = "<doc><docno>1</docno><title>flow past a wing .</title><text>{}</text></doc>"
    (kept / "cran.all.1400.xml").write_text(
        f"<xml>{document.format('flow past a wing . the lift is measured . it is high .')}</xml>"
    )
    (kept / "cran.qry.xml").write_text("<xml><top><num>1</num><title>lift</title></top></xml>")
    (kept / "cranqrel.trec.txt").write_text("1 0 1 1\n")
    found = read_elsewhere({"cranfield": kept}, kept / "kept.json")
    assert list(found) == [2], "the other's papers are not given"
    (paper,), (case,) = found[2]
    assert (paper.title, paper.abstract) == ("flow past a wing", "the lift is measured . it is high")
    assert case["evidence"] == ["the lift is measured . i"]


def test_without_any_papers_it_says_what_to_give(tmp_path, capsys):
    assert main(["elsewhere", "--out", str(tmp_path / "out")]) == 2
    assert "--scifact FOLDER" in capsys.readouterr().err


def test_what_is_kept_holds_no_paper_of_the_bundled_library_or_the_bank():
    libraries = json.loads(ELSEWHERE.read_text())
    assert all(len(library["questions"]) == 50 for library in libraries)
    assert max(KEPT_ASIDE) < len(libraries)
    assert [library.get("from", "data") for library in libraries[8:]] == ["scifact", "scifact", "cranfield"]
    libraries = libraries[:8]
    digests = [digest for library in libraries for digest, _ in library["papers"]]
    bank = {d for group in json.loads(ELSEWHERE.with_name("bank.json").read_text()) for d, _ in group["papers"]}
    bundled = {digest_of(paper.title) for paper in read_library(Settings().library)}
    assert len(digests) == len(set(digests)) == 84 * 8
    assert not set(digests) & (bank | bundled)
    papers_of = [{digest for digest, _ in library["papers"]} for library in json.loads(ELSEWHERE.read_text())[8:]]
    assert all(len(papers) > 70 and not papers & (bank | bundled) for papers in papers_of)
