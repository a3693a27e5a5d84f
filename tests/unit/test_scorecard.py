"""An exam's scorecard: what is told beside the citation figures, and what it was made with."""

from eval.exam import scorecard


def figure(value, high=1.0):
    return {"value": value, "low": 0.0, "high": high, "n": 3, "left_out": 0}


def test_copying_and_length_stand_beside_the_citation_figures_and_the_machine_in_the_last_line():
    figures = {"citations valid": figure(1.0), "copy ratio": figure(0.75), "length in words": figure(41.0, 60.0)}
    made = {"model": "m", "judge": "j", "commit": "c", "machine": "2 cores, no GPU; Python 3.11"}
    summary = {"figures": {"all": figures}, "failed": {}, "made_with": made, "cases": 3, "seconds": 9.0}
    valid, copied, length, last = scorecard(summary).splitlines()
    assert valid.split()[0] == "citations"
    assert copied.startswith("words copied from what is cited")
    assert copied.endswith("0.75 [0.00, 1.00] n=3")
    assert length.startswith("length of answers in words")
    assert length.endswith("41.00 [0.00, 60.00] n=3")
    assert last == "3 questions, 9 s | model m | judge j | commit c | machine 2 cores, no GPU; Python 3.11"
