"""A run that stops goes on, a figure that fails is told, a report escapes, and two runs are compared."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from eval import provenance, report
from eval.__main__ import main
from eval.asking import QUESTIONS, _begin
from eval.cases import Case, CaseError
from eval.compare import compare, difference, mcnemar, read_gate, read_values
from eval.judges.by_name import LexicalJudge
from eval.judges.judgement import JudgeError, Judgement
from eval.metrics import answers
from eval.run import ANSWERS, MADE_OF_ANSWERS, MADE_WITH, exit_code, judged, read_answers, run, save, table
from eval.running import Running
from eval.scoring import declining, measure, risk_and_coverage, timings
from rag.schema import Answer, Citation, Claim, Evidence, Hit, Paper, Passage, Sentence

PAPER = Paper("p", "Alpha <b>", "One two. Three four.")
CASES = [
    Case("a", "fact", "How many?", papers=("Alpha <b>",), answers=(("two",),), reference="Two."),
    Case("b", "unanswerable-far", "Where & <script>alert(1)</script>?"),
    Case("c", "fact", "Which?", papers=("Alpha <b>",), answers=(("nine",),)),
]


class AnsweringRag:
    """Answers everything with its one sentence; remembers what it was asked, and stops where it is told to."""

    papers = (PAPER,)
    description = SimpleNamespace(line="a fake")

    def __init__(self, settings_id="s", stop_at=None):
        self.settings = SimpleNamespace(id=settings_id)
        self.asked = []
        self.stop_at = stop_at

    def ask(self, question, history=()):
        if question == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(question)
        cited = (Citation(1, PAPER, "One two.", 0, 8),)
        claims = (Claim("One two.", cited, "supported", 0.9),)
        return Answer(
            question, "One two. [1]", "answered", claims, cited, standalone_question=question,
            settings_id=self.settings.id, timings={"total_s": 0.1, "first_token_s": 0.1, "evidence_s": 0.1},
        )  # fmt: skip

    def retrieve(self, question, k=None):
        return (Hit(PAPER, Passage("p", 0, 0, 8, "One two."), 1.0, 1),)


def quiet(_line):
    pass


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(AnsweringRag(stop_at="Which?"), CASES, report=quiet, folder=tmp_path)
    path = tmp_path / ANSWERS
    assert len(path.read_text().splitlines()) == 2
    # The stop cut a line off, within a character.
    path.write_bytes(path.read_bytes() + '{"case": {"id": "c", "question": "Café'.encode()[:-1])
    rag = AnsweringRag()
    scored = run(rag, CASES, report=quiet, folder=tmp_path)
    assert rag.asked == ["Which?"]
    assert scored == run(AnsweringRag(), CASES, report=quiet)
    assert [item.case for item in read_answers(tmp_path)] == CASES


def test_answers_that_are_not_asked_for_this_time_stay(tmp_path):
    rag = AnsweringRag()
    save(tmp_path, run(rag, CASES, report=quiet, folder=tmp_path), rag, 1.0)
    fewer = run(rag, CASES[:1], report=quiet, folder=tmp_path)
    assert [item.case.id for item in fewer] == ["a"]
    summary = save(tmp_path, fewer, rag, 1.0)
    assert summary["cases"] == 1
    assert [item.case.id for item in read_answers(tmp_path)] == ["a", "b", "c"]


def test_a_stopped_run_is_scored_by_what_is_right_now(tmp_path):
    run(AnsweringRag(), CASES, report=quiet, folder=tmp_path)
    mended = [replace(CASES[0], answers=(("five",),)), *CASES[1:]]
    again = run(AnsweringRag(), mended, report=quiet, folder=tmp_path)
    assert again[0].case.answers == (("five",),)
    other = [replace(CASES[0], history=({"role": "user", "content": "Before?"},)), *CASES[1:]]
    with pytest.raises(CaseError, match="asked something else"):
        run(AnsweringRag(), other, report=quiet, folder=tmp_path)


def test_other_fitted_parts_are_something_else(tmp_path):
    (tmp_path / "about.safetensors").write_bytes(b"other")
    before = provenance._digest_of_files(tmp_path, "*.safetensors")
    (tmp_path / "about.safetensors").write_bytes(b"one")
    now = provenance._digest_of_files(tmp_path, "*.safetensors")
    assert provenance.changed({"fitted": before}, {"fitted": now}) == [f"fitted was {before}, is {now}"]


def test_where_git_is_missing_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit_id() == "unknown"


def test_who_answers_what_it_can_and_declines_the_rest_takes_no_risk():
    scored = run(AnsweringRag(), CASES[:1], report=quiet)
    declined = replace(scored[0].answer, status="abstained", claims=(), citations=())
    scored.append(replace(scored[0], case=CASES[1], answer=declined))
    assert risk_and_coverage(scored) == [(1.0, 0.0)]
    assert declining(scored)["area under risk and coverage"] == 0


def test_answers_made_with_other_settings_are_not_gone_on_with(tmp_path):
    run(AnsweringRag(), CASES, report=quiet, folder=tmp_path)
    with pytest.raises(CaseError, match="settings_id was s, is t"):
        run(AnsweringRag("t"), CASES, report=quiet, folder=tmp_path)


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / ANSWERS).write_text('{"case": 3}\n')
    with pytest.raises(CaseError, match=r"answers\.jsonl, line 1"):
        read_answers(tmp_path)
    with pytest.raises(CaseError, match="no run"):
        read_answers(tmp_path / "none")


def test_a_run_writes_scores_and_reports(tmp_path):
    rag = AnsweringRag()
    scored = run(rag, CASES, report=quiet, folder=tmp_path, judge=LexicalJudge())
    summary = save(tmp_path, scored, rag, 1.0, LexicalJudge())
    overall = json.loads((tmp_path / "scores.json").read_text())["figures"]["all"]
    assert (overall["right"]["value"], overall["right"]["n"], overall["right"]["left_out"]) == (0.5, 2, 1)
    assert overall["faithfulness"]["value"] == 1.0
    assert summary["values"]["declined"] == {"a": None, "b": False, "c": None}
    assert summary["abstention"]["recall"] == 0
    recall = summary["abstention_intervals"]["recall"]
    assert (recall["value"], recall["n"]) == (0, summary["abstention"]["n_unanswerable"])
    assert summary["failed"] == {}
    assert "right and cited" in table(summary)
    assert [item.case.id for item in report.worst(scored)] == ["b", "c"]
    assert "### b (unanswerable-far)" in (tmp_path / "report.md").read_text()


def test_the_page_escapes_what_comes_from_outside_and_needs_nothing_else(tmp_path):
    rag = AnsweringRag()
    save(tmp_path, run(rag, CASES, report=quiet), rag, 1.0)
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Alpha &lt;b&gt;" in page
    assert "http" not in page
    assert "prefers-color-scheme:dark" in page


def test_a_bad_case_shows_what_the_judge_thought_and_what_the_model_was_shown():
    (item,) = run(AnsweringRag(), CASES[2:], report=quiet, judge=LexicalJudge())
    shown = (Evidence(1, PAPER, Sentence("p", 1, 9, 20, "Three four."), 0.5),)
    answer = replace(item.answer, evidence=shown)
    facts = dict(report.facts(replace(item, answer=answer)))
    assert facts["Verdicts"] == ["supported by the judge (1.00), supported by Footnote: One two."]
    assert facts["Evidence cited"] == ["[1] Alpha <b>: One two."]
    assert "Evidence found, none cited" not in facts
    unsure = replace(item.judged[0], together=Judgement(0.25, 0.5, 0.25))
    uncited = replace(item.judged[0], together=None, precise=())
    facts = dict(report.facts(replace(item, judged=(unsure, uncited))))
    assert [line.partition(", supported by")[0] for line in facts["Verdicts"]] == [
        "NOT SUPPORTED by the judge (0.25)",
        "NOT SUPPORTED by the judge, without a source",
    ]
    refused = replace(answer, status="abstained", claims=(), citations=(), text="The library does not say.")
    facts = dict(report.facts(replace(item, answer=refused, judged=None)))
    assert facts["Evidence found, none cited"] == ["Alpha <b>: Three four."]
    assert "Evidence cited" not in facts


def test_a_figure_that_fails_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    def broken(_item):
        raise ZeroDivisionError("by nothing")

    scored = run(AnsweringRag(), CASES, report=quiet)
    values, failed = measure(scored, {"broken": broken, "one": lambda _item: 1.0})
    assert values == {"one": [1.0, 1.0, 1.0]}
    assert failed == {"broken": "ZeroDivisionError: by nothing"}


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        ("is_right", {"right", "right and cited", "abstention", "risk_coverage"}),
        ("cites_exactly", {"cites exactly", "right and cited"}),
        ("citations_are_valid", {"citations valid"}),
        ("every_claim_is_cited", {"every claim cited"}),
        ("is_declined", {"declined", "abstention", "risk_coverage"}),
        ("is_premise_resisted", {"premise resisted"}),
        ("is_injection_resisted", {"injection resisted"}),
        ("is_falsely_refused", {"falsely refused"}),
        ("hit_at", {"hit@1"}),
    ],
)
def test_a_run_goes_on_to_its_reports_whichever_metric_fails(tmp_path, monkeypatch, metric, names):
    def broken(*_arguments):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(answers, metric, broken)
    rag = AnsweringRag()
    lines = []
    summary = save(tmp_path, run(rag, CASES, report=lines.append, folder=tmp_path), rag, 1.0)
    assert summary["failed"] == dict.fromkeys(names, "ZeroDivisionError: by nothing")
    assert summary["figures"]["all"]["length in words"]["n"] == 3
    assert lines[2].startswith("3/3 c ")
    name = min(names)
    assert f"FAILED {name}: ZeroDivisionError: by nothing" in table(summary)
    assert f"- FAILED {name}: ZeroDivisionError: by nothing" in (tmp_path / "report.md").read_text()
    assert f"Failed: {name}: ZeroDivisionError: by nothing" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "scores.json").read_text())["failed"] == summary["failed"]
    assert "\n### " in (tmp_path / "report.md").read_text(), "the worst cases are shown by the other metrics"


def test_an_answer_with_a_broken_marker_or_an_uncited_sentence_fails_the_run(tmp_path):
    class Careless(AnsweringRag):
        def ask(self, question, history=()):
            answer = super().ask(question)
            if question == "Which?":
                return replace(answer, text="One two. [1][7]")
            uncited = replace(answer.claims[0], citations=())
            return replace(answer, claims=(*answer.claims, uncited)) if question == "How many?" else answer

    rag = Careless()
    summary = save(tmp_path, run(rag, CASES, report=quiet, folder=tmp_path), rag, 1.0)
    assert summary["gate"] == {"citations valid": ["c"], "every claim cited": ["a"]}
    assert summary["failed"] == {}
    assert exit_code(summary) == 1
    line = "HARD GATE FAILED: “citations valid” does not hold for c; “every claim cited” does not hold for a"
    assert line in table(summary).splitlines()
    assert f"- {line}\n" in (tmp_path / "report.md").read_text()
    assert f"<p class=bad>{line}</p>" in (tmp_path / "report.html").read_text()
    sound = save(tmp_path / "sound", run(AnsweringRag(), CASES, report=quiet), rag, 1.0)
    assert (sound["gate"], exit_code(sound)) == ({}, 0)
    assert "GATE" not in table(sound)
    assert exit_code({"failed": {"right": "why"}, "gate": {}}) == 1
    assert report.gate_lines({"gate": {"citations valid": [f"q{n}" for n in range(7)]}})[0].endswith("q4 and 2 more")


def test_a_correction_that_fails_is_told_and_the_run_is_saved(tmp_path):
    class Odd(LexicalJudge):
        errors = {"supported": None}

    rag = AnsweringRag()
    summary = save(tmp_path, run(rag, CASES, report=quiet, judge=Odd()), rag, 1.0, Odd())
    assert list(summary["failed"]) == ["corrected"]
    assert summary["corrected"] == {}
    assert summary["figures"]["all"]["faithfulness"]["n"] == 3


class Desk:
    """Of a page where nobody asks, with one Rag."""

    def open(self):
        return AnsweringRag(), LexicalJudge()

    def is_busy(self):
        return False


def test_a_run_on_the_page_goes_on_where_a_metric_fails(tmp_path, monkeypatch):
    def broken(*_arguments):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(answers, "is_right", broken)
    running = Running(Desk(), tmp_path, "A run", CASES)
    running.join(30)
    assert running.problem is None
    assert (running.step.done, running.step.told) == (3, 0)
    assert "right" in json.loads((tmp_path / "scores.json").read_text())["failed"]


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    # two-sided: 2 * (1 + 6) / 64
    assert mcnemar(5, 1) == pytest.approx(14 / 64)
    assert 0 < mcnemar(700, 600) < 0.01


def test_a_difference_by_hand():
    before = {"a": True, "b": False, "c": True, "d": None}
    after = {"a": True, "b": True, "c": True, "d": True, "e": False}
    found = difference("right", before, after)
    assert (found.n, found.better, found.worse) == (3, ("b",), ())
    assert found.difference == pytest.approx(1 / 3)
    assert found.low <= found.difference <= found.high
    assert found.p == 1.0
    assert difference("falsely refused", before, after).worse == ("b",)
    assert difference("length", {"a": 2.0}, {"a": 3.0}).p is None
    assert difference("right", {"a": None}, {"a": True}) is None


def test_a_gate_is_read_or_refused():
    gate = read_gate("no_unsupported-sentence < -0.02", ["right", "no unsupported sentence"])
    assert (gate.name, gate.fails(-0.03), gate.fails(-0.01)) == ("no unsupported sentence", True, False)
    with pytest.raises(CaseError, match="cannot be read"):
        read_gate("right", ["right"])
    assert read_gate("right>1e-3", ["right"]).limit == 0.001
    assert read_gate("right<0.", ["right"]).limit == 0
    with pytest.raises(CaseError, match="There are: right"):
        read_gate("wrong<0", ["right"])


def test_the_exit_code_says_whether_a_gate_failed(tmp_path, capsys):
    for name, value in (("a", True), ("b", False)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scores.json").write_text(json.dumps({"values": {"right": {"q1": value, "q2": True}}}))
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["compare", *folders]) == 0
    assert main(["compare", *folders, "--fail-if", "right<-0.4"]) == 1
    assert "GATE FAILED: right<-0.4" in capsys.readouterr().out
    assert main(["compare", *folders, "--fail-if", "right<-0.6", "right>0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"][0]["worse"] == ["q1"]
    assert compare(read_values(tmp_path / "a"), {}) == []
    (tmp_path / "b" / "scores.json").write_text(json.dumps({"values": {"right": {"q1": None, "q2": None}}}))
    assert main(["compare", *folders]) == 2
    assert "No figure applies" in capsys.readouterr().err
    (tmp_path / "b" / "scores.json").write_text(json.dumps({"values": {"right": {"q1": "yes"}}}))
    assert main(["compare", *folders]) == 2
    assert "'yes', which is no number" in capsys.readouterr().err


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(CaseError, match="no run"):
        read_values(tmp_path)
    (tmp_path / "scores.json").write_text("{}")
    with pytest.raises(CaseError, match="'values' is None"):
        read_values(tmp_path)


def test_a_run_made_with_other_prompts_or_code_is_not_gone_on_with(tmp_path):
    run(AnsweringRag(), CASES, report=quiet, folder=tmp_path)
    made = json.loads((tmp_path / MADE_WITH).read_text())
    for name in ("prompts", "code", "library", "model"):
        (tmp_path / MADE_WITH).write_text(json.dumps({**made, name: "older"}))
        with pytest.raises(CaseError, match=f"{name} was older, is .*--out"):
            run(AnsweringRag(), CASES, report=quiet, folder=tmp_path)
    (tmp_path / MADE_WITH).write_text(json.dumps({**made, "judge": "another", "commit": "older"}))
    rag = AnsweringRag()
    run(rag, CASES, report=quiet, folder=tmp_path, judge=LexicalJudge())
    assert rag.asked == []


def test_a_judge_that_fails_is_told_and_the_answers_stay(tmp_path):
    class Broken:
        id = "broken@1"

        def judge(self, pairs):
            raise MemoryError("too long")

    rag = AnsweringRag()
    scored = run(rag, CASES, report=quiet, folder=tmp_path, judge=Broken())
    summary = save(tmp_path, scored, rag, 1.0, Broken())
    assert summary["failed"] == {"judge": "3 answers, the first: MemoryError: too long"}
    assert summary["figures"]["all"]["right"]["n"] == 2
    assert "FAILED judge" in table(summary)


def test_an_answer_that_the_judge_fails_on_leaves_the_others_their_verdicts(tmp_path):
    class Choosy(LexicalJudge):
        def judge(self, pairs):
            if any("odd" in claim for _, claim in pairs):
                raise JudgeError("It said 'Perhaps'.")
            return super().judge(pairs)

    class OddRag(AnsweringRag):
        def ask(self, question, history=()):
            answer = super().ask(question)
            odd = (replace(answer.claims[0], text="An odd claim."),)
            return replace(answer, claims=odd) if question == "Which?" else answer

    rag = OddRag()
    scored = run(rag, CASES, report=quiet, judge=Choosy())
    assert [item.judged is not None for item in scored] == [True, True, False]
    assert [bool(item.judge_failure) for item in scored] == [False, False, True]
    summary = save(tmp_path, scored, rag, 1.0, Choosy())
    assert summary["failed"] == {"judge": "1 answers, the first: JudgeError: It said 'Perhaps'."}
    assert summary["figures"]["all"]["faithfulness"]["n"] == 2


def test_that_the_judge_follows_is_told_and_then_its_own_pace(monkeypatch):
    class Counting(LexicalJudge):
        asked = 0

        def judge(self, pairs):
            self.asked += 1
            return super().judge(pairs)

    lines, judge = [], Counting()
    cases = [Case(f"q{n}", "fact", "How many?", papers=("Alpha <b>",), answers=(("two",),)) for n in range(25)]
    scored = run(AnsweringRag(), cases, report=lines.append, judge=judge)
    assert lines[24].endswith("0 s left, then the judge")
    assert judge.asked == 3
    ticks = iter([0.0, 20.0, 50.0])
    monkeypatch.setattr("eval.run.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    lines.clear()
    assert judged(scored, judge, lines.append) == scored
    assert all(item.judged for item in scored)
    assert lines == [
        f"Judging 25 answers by {judge.id} …", "10/25 judged, 30 s left", "20/25 judged, 12 s left",
    ]  # fmt: skip


def test_nothing_follows_where_there_is_no_judge():
    lines = []
    run(AnsweringRag(), CASES, report=lines.append)
    assert lines[-1].endswith("0 s left")


def test_memory_of_a_gpu_is_told_where_one_is_used_and_torch_is_never_imported_for_it(tmp_path, monkeypatch):
    rag = AnsweringRag()
    scored = run(rag, CASES, report=quiet)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    summary = save(tmp_path, scored, rag, 1.0)
    assert "torch" not in sys.modules
    assert summary["peak_gpu_memory_gib"] is None
    assert "on the GPU" not in table(summary)
    peaks = {0: 2 * 1024**3, 1: 1024**3}
    cuda = SimpleNamespace(is_initialized=lambda: True, device_count=lambda: 2, max_memory_allocated=peaks.get)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    summary = save(tmp_path, scored, rag, 1.0)
    assert "peak memory on the GPU: 3.00 GiB" in table(summary).splitlines()
    assert "peak memory on the GPU: 3.00 GiB" in (tmp_path / "report.md").read_text()
    assert "peak memory on the GPU: 3.00 GiB" in (tmp_path / "report.html").read_text()
    cuda.is_initialized = lambda: False  # a GPU is there, the model is on the CPU
    assert save(tmp_path, scored, rag, 1.0)["peak_gpu_memory_gib"] is None


def test_progress_is_told_after_each_answer():
    seen = []
    run(
        AnsweringRag(), CASES, report=quiet, progress=lambda done, total, item: seen.append((done, total, item.case.id))
    )
    assert seen == [(1, 3, "a"), (2, 3, "b"), (3, 3, "c")]


def test_a_follow_up_is_looked_for_as_it_was_for_its_answer():
    class Leaning(AnsweringRag):
        looked_for = ()

        def ask(self, question, history=()):
            return replace(super().ask(question), standalone_question=f"{history[0]['content']} {question}")

        def retrieve(self, question, k=None, leaning_on=()):
            self.looked_for = (*self.looked_for, (question, leaning_on))
            return ()

    rag = Leaning()
    history = ({"role": "user", "content": "What of owls?"}, {"role": "assistant", "content": "They fly."})
    run(rag, [Case("f", "followup", "How far?", history=history)], report=quiet)
    assert rag.looked_for == (("How far?", history),)


def test_a_paper_taken_for_deleted_is_left_out_of_the_search():
    class Filtering(AnsweringRag):
        where = ()

        def ask(self, question, history=(), where=None):
            self.where = (*self.where, where)
            return super().ask(question)

        def retrieve(self, question, k=None, where=None):
            self.where = (*self.where, where)
            return ()

    rag = Filtering()
    run(rag, [Case("d", "unanswerable-deleted", "How many?", without="p")], report=quiet)
    assert rag.where == ({"id": {"ne": "p"}},) * 2


def test_the_page_draws_risk_against_coverage(tmp_path):
    rag = AnsweringRag()
    scored = run(rag, CASES, report=quiet)
    summary = save(tmp_path, scored, rag, 1.0)
    # one of two answerable questions is right, the third is far and answered: all have the same score, one step
    assert summary["risk_coverage"] == [(1.0, pytest.approx(2 / 3))]
    page = (tmp_path / "report.html").read_text()
    assert "Risk and coverage" in page
    assert "0.67 of the answers are wrong" in page
    assert "<polyline" in page
    assert summary["peak_memory_gib"] > 0.01


def test_tokens_are_counted_where_the_model_tells():
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    class Spending(AnsweringRag):
        def ask(self, question, history=()):
            usage = {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
            message = AIMessage("x", usage_metadata=usage, response_metadata={"model_name": "m"})
            GenericFakeChatModel(messages=iter([message])).invoke("hello")
            return super().ask(question)

    (item,) = run(Spending(), CASES[:1], report=quiet)
    assert (item.tokens_in, item.tokens_out) == (7, 2)
    (item,) = run(AnsweringRag(), CASES[:1], report=quiet)
    assert (item.tokens_in, item.tokens_out) == (None, None)


def test_each_time_is_told_over_the_answers_that_have_it(tmp_path):
    class Declining(AnsweringRag):
        def ask(self, question, history=()):
            answer = super().ask(question)
            took = {"evidence_s": 0.2, "total_s": 3.0}  # declined before the model was asked
            declined = replace(answer, status="abstained", claims=(), citations=(), timings=took)
            return declined if question == "Which?" else answer

    rag = Declining()
    summary = save(tmp_path, run(rag, CASES, report=quiet), rag, 1.0)
    found = summary["timings"]
    assert [(row["n"], row["without"]) for row in found.values()] == [(3, 0), (2, 1), (3, 0)]
    assert (found["evidence_s"]["median"], found["evidence_s"]["p95"]) == (0.1, 0.2)
    assert found["total_s"]["p95"] == 3.0
    text = (tmp_path / "report.md").read_text()
    assert "| time to first evidence | 0.10 s | 0.20 s | n = 3 |" in text
    assert "| time to first token | 0.10 s | 0.10 s | n = 2, 1 without |" in text
    assert "| whole time | 0.10 s | 3.00 s | n = 3 |" in text
    page = (tmp_path / "report.html").read_text()
    assert "<tr><td>time to first token<td>0.10 s<td>0.10 s<td>n = 2, 1 without" in page
    assert "time to first token: median 0.10 s, 95th percentile 0.10 s, n = 2, 1 without" in table(summary)


def test_the_ninetieth_percentile_is_never_below_the_median():
    scored = run(AnsweringRag(), CASES[:2], report=quiet)
    slow = replace(
        scored[1], answer=replace(scored[1].answer, timings={"total_s": 9.0, "first_token_s": 1.0, "evidence_s": 0.1})
    )
    row = timings([scored[0], slow])["total_s"]
    assert (row["median"], row["p90"], row["n"]) == (pytest.approx(4.55), 9.0, 2)
    many = [replace(slow, answer=replace(slow.answer, timings={"total_s": float(n)})) for n in range(1, 41)]
    row = timings(many)["total_s"]
    assert (row["median"], row["p90"], row["p95"]) == (20.5, 36.0, 38.0)


def test_a_folder_that_is_begun_anew_keeps_nothing_of_an_earlier_run(tmp_path):
    for name in (ANSWERS, *MADE_OF_ANSWERS):
        (tmp_path / name).write_text("earlier")
    _begin(tmp_path, CASES)
    assert [path.name for path in tmp_path.iterdir()] == [QUESTIONS]
    with pytest.raises(CaseError):
        read_values(tmp_path)


def test_a_report_in_markdown_fetches_nothing(tmp_path):
    hostile = "a![p](http://evil.test/x.png)<script>"
    case = replace(CASES[1], id=hostile, question=f"{hostile}?")
    save(tmp_path, run(AnsweringRag(), [case], report=quiet), AnsweringRag(), 1.0)
    text = (tmp_path / "report.md").read_text()
    assert text.count("evil.test") > 1
    assert "![" not in text
    assert "<script>" not in text


def test_a_comparison_is_not_gone_on_with_by_other_code(tmp_path):
    run(AnsweringRag(), CASES[:1], report=quiet, folder=tmp_path, made_also={"compared by": "one"})
    with pytest.raises(CaseError, match="compared by was one, is two"):
        run(AnsweringRag(), CASES, report=quiet, folder=tmp_path, made_also={"compared by": "two"})
    assert "no-such-package not installed" in provenance.compared_by(["no-such-package"])["compared by"]
