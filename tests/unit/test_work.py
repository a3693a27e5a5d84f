"""Long work in a thread: looked at, timed, stopped, and failing where it is looked at."""

import threading
import time

import pytest

from rag import FootnoteError
from ui.work import Stopped, Work


def test_work_is_looked_at_on_its_way_to_its_result():
    begun, go = threading.Event(), threading.Event()

    def do(report):
        report(1, 4)
        begun.set()
        assert go.wait(5)
        report(4, 4)
        return "done"

    work = Work(do)
    assert begun.wait(5)
    time.sleep(0.05)
    step = work.step
    assert work.is_running
    assert (step.done, step.total) == (1, 4)
    assert step.left_s == pytest.approx(3 * step.elapsed_s, rel=0.2)
    go.set()
    work.join(5)
    assert (work.is_running, work.result, work.failure) == (False, "done", None)
    assert work.ended_s < 5


def test_work_goes_on_when_nobody_follows_it():
    done = threading.Event()
    Work(lambda _report: done.set())
    assert done.wait(5)


@pytest.mark.parametrize("error", [FootnoteError("No.", "Do this."), RuntimeError("odd")])
def test_what_work_raises_is_kept(error):
    def do(_report):
        raise error

    work = Work(do)
    work.join(5)
    assert work.failure is error


def test_work_that_is_stopped_ends_at_its_next_report_and_cleans_up():
    begun, go, cleaned = threading.Event(), threading.Event(), []

    def do(report):
        try:
            begun.set()
            assert go.wait(5)
            report(1, 2)
            cleaned.append("too far")
        finally:
            cleaned.append("clean")

    work = Work(do)
    assert begun.wait(5)
    work.stop()
    assert work.is_stopping
    assert work.is_running
    go.set()
    work.join(5)
    assert isinstance(work.failure, Stopped)
    assert cleaned == ["clean"]
