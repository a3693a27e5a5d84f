"""Long work in a thread: followed, timed, and failing where it is followed."""

import threading

import pytest

from rag import FootnoteError
from ui.work import Work


def test_work_is_followed_to_its_result():
    go = threading.Event()

    def do(report):
        report(1, 4)
        assert go.wait(5)
        report(4, 4)
        return "done"

    work = Work(do)
    steps = work.steps()
    step = next(steps)
    assert (step.done, step.total) == (1, 4)
    assert step.left_s == pytest.approx(3 * step.elapsed_s, rel=0.2)
    go.set()
    for step in steps:
        assert step.total == 4
    assert work.result == "done"


def test_work_goes_on_when_nobody_follows_it():
    done = threading.Event()
    Work(lambda _report: done.set())
    assert done.wait(5)


@pytest.mark.parametrize("error", [FootnoteError("No.", "Do this."), RuntimeError("odd")])
def test_what_work_raises_is_raised_where_it_is_followed(error):
    def do(_report):
        raise error

    with pytest.raises(type(error)):
        list(Work(do).steps())
