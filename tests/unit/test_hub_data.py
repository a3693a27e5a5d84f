"""A public set named by the hub's id: fetched into the hub's cache, else told what was looked for and where to get it."""

import json
from pathlib import Path

import httpx
import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from eval.__main__ import main
from eval.benchmarks.deciding import read_pubmedqa
from eval.benchmarks.hub_data import located
from eval.benchmarks.retrieving import read_scifact
from eval.cases import CaseError
from eval.judges.labelled import read_pairs

CLAIM = {"id": 3, "claim": "C", "cited_doc_ids": [7], "evidence": {"7": [{"label": "SUPPORT"}]}}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub whose data sets lie in a temporary folder; `asked` is what it was asked for."""
    root = tmp_path / "cache"
    root.mkdir()
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    asked = []

    def download(name, **options):
        asked.append((name, options))
        return str(root)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.chdir(tmp_path)
    return root, asked


def put(folder, name, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def failing(error):
    def download(_name, **_options):
        raise error

    return download


def test_a_set_named_by_the_hubs_id_is_read_from_what_the_hub_gives(hub):
    root, asked = hub
    put(root / "data", "corpus.jsonl", {"doc_id": 7, "title": "T", "abstract": ["One."]})
    put(root / "data", "claims_train.jsonl", CLAIM)
    assert read_scifact(Path("allenai/scifact"), "train").questions == (("C", {"7": 1.0}),)
    ((name, options),) = asked
    assert name == "allenai/scifact"
    assert options["repo_type"] == "dataset"
    assert options["local_files_only"] is False
    assert {"corpus.jsonl", "*/corpus.jsonl", "claims_train.jsonl"} < set(options["allow_patterns"])
    assert [pair.label for pair in read_pairs("scifact", Path("allenai/scifact"))] == ["supported"]
    (root / "ori_pqal.json").write_text("{}")
    assert read_pubmedqa(Path("bigbio/pubmed_qa")) == {}


def test_a_path_that_is_here_and_what_cannot_be_an_id_are_never_asked_of_the_hub(hub, tmp_path):
    _root, asked = hub
    put(tmp_path / "sets" / "scifact", "corpus.jsonl")
    for data in (Path("sets/scifact"), tmp_path / "none", Path("none"), Path("a/b/c"), Path("../none"), Path("~/none")):
        assert located(data, ("corpus.jsonl",), "home") == data
    assert asked == []


def test_where_the_hub_is_switched_off_only_its_cache_is_looked_at(hub, monkeypatch):
    root, asked = hub
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    put(root, "x.csv")
    assert located(Path("owner/name"), ("*.csv",), "home") == root
    assert asked[0][1]["local_files_only"] is True
    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing(LocalEntryNotFoundError("none\nin the cache")))
    with pytest.raises(CaseError) as told:
        located(Path("owner/name"), ("*.csv",), "github.com/them/theirs")
    assert str(told.value) == (
        "There is no file or folder 'owner/name' here, and the hub does not give a data set of that id (it is switched "
        "off by HF_HUB_OFFLINE). Get *.csv from github.com/them/theirs; give their folder by --data."
    )


@pytest.mark.parametrize(
    "error",
    [LocalEntryNotFoundError("No way out.\nMore."), httpx.ReadTimeout("No way out."), ValueError("No way out.")],
)
def test_a_hub_that_cannot_be_reached_is_told_in_one_line_with_exit_code_2(hub, monkeypatch, capsys, error):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing(error))
    assert main(["bench", "healthver", "--data", "owner/name", "--judge", "lexical"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "(No way out.)" in said
    assert "Get healthver_*.csv from github.com/sarrouti/HealthVer; give their folder by --data." in said


def test_a_set_of_the_hub_that_lacks_a_file_is_told(hub):
    root, _asked = hub
    put(root, "corpus.jsonl")
    with pytest.raises(CaseError, match=r"'owner/name' has no folder with corpus\.jsonl, claims_dev\.jsonl"):
        read_scifact(Path("owner/name"), "dev")


def test_the_shallowest_folder_that_has_all_files_is_read(hub):
    root, _asked = hub
    for folder in ("b/train", "b", "a/deep/er"):
        put(root / folder, "one.csv")
    put(root, "two.csv")
    for folder in ("b/train", "a/deep/er"):
        put(root / folder, "two.csv")
    assert located(Path("owner/name"), ("one.csv", "two.csv"), "home") == root / "b" / "train"
