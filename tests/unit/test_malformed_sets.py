"""Malformed question files and public sets: one line that names file, line, field and what was expected."""

import json

import pytest

from eval.__main__ import main
from eval.benchmarks.deciding import read_pubmedqa
from eval.benchmarks.declining import clapnq, read_clapnq
from eval.benchmarks.retrieving import read_cranfield, read_scifact
from eval.cases import Case, CaseError, not_in_library, read_cases, without_key
from eval.judges.labelled import read_pairs
from rag import Paper
from rag.cli import run_safely


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


ONE = '{"id": "a", "type": "fact", "question": "Why?"}\n'


def refused(read, *arguments):
    with pytest.raises(CaseError) as told:
        read(*arguments)
    message = str(told.value)
    assert "\n" not in message
    return message


def test_a_question_file_that_is_not_utf_8_is_told_with_its_line_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'{"id": "a", "type": "fact", "question": "Why?"}\n{"question": "Caf\xe9?"}\n')
    assert main(["run", "--questions", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("footnote: mine.jsonl, line 2 is not UTF-8")
    assert "Save the file as UTF-8." in said
    path.write_text("[" * 100_000)
    assert "line 1 is not JSON" in refused(read_cases, path)


def test_a_type_that_is_not_known_is_refused_with_those_that_are(tmp_path):
    path = tmp_path / "mine.jsonl"
    lines(path, {"id": "a", "type": "fcat", "question": "Why?"})
    said = refused(read_cases, path)
    assert said.startswith("mine.jsonl, line 1: 'type' is 'fcat'. Did you mean 'fact'?")
    assert "There are: fact, explain, " in said
    lines(path, {"id": "a", "type": "feedback wrong source", "question": "Why?"})
    assert read_cases(path)[0].type == "feedback wrong source"


def test_a_right_paper_that_the_library_lacks_is_told_with_the_nearest_title():
    cases = [
        Case("a", "fact", "?", papers=("LanternNet: low light video!", "Restoring Video at Nigth")),
        Case("b", "list", "?", papers=("On Moss",)),
    ]
    titles = ("LanternNet: Low-Light Video", "Restoring Video at Night")
    near, far = not_in_library(cases, [Paper(title, title, "x") for title in titles])
    assert near.startswith("a: the library has no paper 'Restoring Video at Nigth', so finding and citing it count 0.")
    assert near.endswith("It has 'Restoring Video at Night'.")
    assert far == "b: the library has no paper 'On Moss', so finding and citing it count 0."


def test_a_paper_to_be_left_out_that_is_not_there_is_told():
    (line,) = not_in_library([Case("a", "unanswerable-deleted", "?", without="gone")], [Paper("p", "T", "x")])
    assert line == "a: no paper of the library has the id 'gone' that it leaves out."
    assert not_in_library([Case("a", "unanswerable-deleted", "?", without="p")], [Paper("p", "T", "x")]) == []


def test_a_question_of_which_nothing_says_what_is_right_is_told():
    cases = [
        Case("a", "fact", "?", answers=(("x",),)),
        Case("b", "list", "?", papers=("T",)),
        Case("c", "injection", "?"),
    ]
    assert without_key(cases) == ""
    bare = [
        Case(f"q{i}", kind, "?") for i, kind in enumerate(("fact", "noisy", "explain", "followup", "compare", "fact"))
    ]
    told = without_key([*cases, *bare])
    assert told.endswith("answered rightly: q0, q1, q2, q3, q4 … (6).")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": "  "}, "'question' is '  '"),
        ({"id": " "}, "'id' is ' '"),
        ({"answers": [[" "]]}, "'answers' is"),
        ({"forbidden": [" "]}, "'forbidden' is"),
        ({"type": "unanswerable-near", "answers": [["x"]]}, "'answers' of a question of the type 'unanswerable-near'"),
        ({"question": "\ud800 why?"}, "half of a character"),
    ],
)
def test_a_question_that_could_only_be_scored_wrongly_is_refused(tmp_path, row, says):
    path = tmp_path / "mine.jsonl"
    lines(path, {"id": "a", "type": "fact", "question": "Why?", **row})
    assert says in refused(read_cases, path)


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("", [], "holds no question"),
        ("\n", [], "holds no question"),
        (ONE, ["--limit", "0"], "--limit is 0"),
        (ONE, ["--limit", "-3"], "--limit is -3"),
        ('{"id": "long", "type": "fact", "question": "' + "why " * 5_000 + '"}', [], "long cannot be asked"),
    ],
)
def test_a_run_of_nothing_or_of_what_cannot_be_asked_is_refused_before_it_begins(
    tmp_path, capsys, content, options, says
):
    path = tmp_path / "mine.jsonl"
    path.write_text(content)
    assert main(["run", "--questions", str(path), *options]) == 2
    assert says in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_one_line_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "mine.jsonl"
    path.write_text(ONE)
    assert main(["exam", "--resume", str(tmp_path / "gone")]) == 2
    assert "There is no exam at" in capsys.readouterr().err
    assert main(["judge", "--set", "healthver", "--data", str(path), "--report", str(tmp_path / "no" / "x.html")]) == 2
    assert "no folder" in capsys.readouterr().err


CLAIM = {"id": 3, "claim": "C", "cited_doc_ids": [7], "evidence": {"7": [{"label": "SUPPORT"}]}}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**CLAIM, "cited_doc_ids": None}, "claims_dev.jsonl, line 1: 'cited_doc_ids' is None. It has to be a list"),
        ({**CLAIM, "cited_doc_ids": [[]]}, "claims_dev.jsonl, line 1: 'cited_doc_ids' is []"),
        ({**CLAIM, "claim": 5}, "claims_dev.jsonl, line 1: 'claim' is 5. It has to be text."),
    ],
)
def test_a_malformed_claim_of_scifact_is_named_by_both_its_readers(tmp_path, row, said):
    lines(tmp_path / "corpus.jsonl", {"doc_id": 7, "title": "T", "abstract": ["One."]})
    lines(tmp_path / "claims_dev.jsonl", row)
    assert refused(read_scifact, tmp_path, "dev").startswith(said)
    assert refused(read_pairs, "scifact", tmp_path).startswith(said)


def test_a_claim_of_scifact_needs_an_id_and_its_evidence_labels(tmp_path):
    lines(tmp_path / "corpus.jsonl", {"doc_id": 7, "title": "T", "abstract": ["One."]})
    path = tmp_path / "claims_dev.jsonl"
    lines(path, {name: value for name, value in CLAIM.items() if name != "id"})
    assert "claims_dev.jsonl, line 1: 'id' is None" in refused(read_pairs, "scifact", tmp_path)
    lines(path, {**CLAIM, "evidence": {"7": {"label": "SUPPORT"}}})
    assert "'evidence' has {'label': 'SUPPORT'}" in refused(read_pairs, "scifact", tmp_path)
    lines(path, CLAIM)
    assert [pair.label for pair in read_pairs("scifact", tmp_path)] == ["supported"]


def test_an_abstract_of_scifact_without_a_number_or_sentences_is_named(tmp_path):
    lines(tmp_path / "claims_dev.jsonl", CLAIM)
    for row, field in (({"title": "T", "abstract": ["One."]}, "doc_id"), ({"doc_id": 7, "title": "T"}, "abstract")):
        lines(tmp_path / "corpus.jsonl", row)
        assert f"corpus.jsonl, line 1: {field!r} is None" in refused(read_scifact, tmp_path, "dev")
        assert f"corpus.jsonl, line 1: {field!r} is None" in refused(read_pairs, "scifact", tmp_path)


@pytest.mark.parametrize("line", ["1 0 1", "1 0 1 1 1", "one 0 1 1", "1 0 1 high"])
def test_a_malformed_judgement_of_cranfield_is_named(tmp_path, line):
    (tmp_path / "cran.all.1400.xml").write_text("<doc><docno>1</docno><title>a</title><text>b</text></doc>")
    (tmp_path / "cran.qry.xml").write_text("<top><title>q</title></top>")
    (tmp_path / "cranqrel.trec.txt").write_text(f"1 0 1 1\n\n{line}\n")
    assert refused(read_cranfield, tmp_path).startswith(f"cranqrel.trec.txt, line 3 is {line!r}. It has to be four")
    (tmp_path / "cranqrel.trec.txt").write_bytes(b"1 0 1 1\n\xff\n")
    assert "cranqrel.trec.txt, line 2 is not UTF-8" in refused(read_cranfield, tmp_path)
    (tmp_path / "cran.all.1400.xml").write_text("<doc><title>a</title><text>b</text></doc>")
    assert "a document 'a' has no 'docno'" in refused(read_cranfield, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "ori_pqal.json is not an object but a list."),
        ({"5": []}, "ori_pqal.json, 5 is []."),
        ({"5": {"QUESTION": "Q?", "CONTEXTS": [3], "final_decision": "yes"}}, "ori_pqal.json, 5: 'CONTEXTS' is [3]."),
        ({"5": {"CONTEXTS": ["a"], "final_decision": "yes"}}, "ori_pqal.json, 5: 'QUESTION' is None."),
    ],
)
def test_malformed_pubmedqa_is_named(tmp_path, content, said):
    (tmp_path / "ori_pqal.json").write_text(json.dumps(content))
    assert refused(read_pubmedqa, tmp_path).startswith(said)


@pytest.mark.parametrize("missing", ["id", "evidence", "claim", "label"])
def test_a_column_that_healthver_lacks_is_named(tmp_path, missing):
    columns = [name for name in ("id", "evidence", "claim", "label") if name != missing]
    (tmp_path / "healthver_dev.csv").write_text(f"{','.join(columns)}\n1,2,3\n")
    said = refused(read_pairs, "healthver", tmp_path)
    assert said.startswith(f"healthver_dev.csv, line 1: there is no column {missing!r}, only {', '.join(columns)}.")


def test_a_row_of_healthver_that_is_cut_off_or_not_utf_8_is_named(tmp_path):
    path = tmp_path / "healthver_dev.csv"
    path.write_text("id,evidence,claim,label\n1,E,C,Supports\n2,E\n")
    assert "healthver_dev.csv, line 3: 'label' is None" in refused(read_pairs, "healthver", tmp_path)
    path.write_bytes(b"id,evidence,claim,label\n1,E\xe9,C,Supports\n")
    assert "healthver_dev.csv, line 2 is not UTF-8" in refused(read_pairs, "healthver", tmp_path)


@pytest.mark.parametrize("field", ["id", "src_dataset", "references", "claim", "attribution_label"])
def test_a_field_that_attributionbench_lacks_is_named(tmp_path, field):
    row = {"id": "1", "src_dataset": "S", "references": ["R"], "claim": "C", "attribution_label": "attributable"}
    lines(tmp_path / "dev_balanced.jsonl", {name: value for name, value in row.items() if name != field})
    said = refused(read_pairs, "attributionbench", tmp_path)
    assert said.startswith(f"dev_balanced.jsonl, line 1: {field!r} is None.")


def test_a_malformed_line_of_clapnq_is_named_before_anything_is_asked(tmp_path):
    passage = {"title": "T", "text": "x", "sentences": ["x"]}
    row = {"id": "1", "input": "q", "passages": [passage], "output": [{"answer": "A"}]}
    lines(tmp_path / "answerable.jsonl", row)
    for change in ({"output": "A"}, {"output": ["A"]}, {"passages": {}}, {"passages": ["x"]}):
        lines(tmp_path / "unanswerable.jsonl", {**row, **change})
        assert refused(read_clapnq, tmp_path).startswith("unanswerable.jsonl, line 1: ")
    lines(tmp_path / "unanswerable.jsonl", {**row, "passages": [{"title": "T", "text": "x"}]})

    class Options:
        data, limit = tmp_path, None

    assert refused(clapnq, Options()).startswith("unanswerable.jsonl, line 1, passages: 'sentences' is None.")


def test_a_path_that_cannot_be_written_is_one_line_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "a-file"
    path.write_text("")
    assert run_safely(lambda: (path / "folder").mkdir(parents=True)) == 2
    assert run_safely(lambda: (tmp_path / "none" / "x").write_text("")) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("footnote: '") and "Check the path" in line for line in said)
