"""What a reader sees while weights come in."""

from __future__ import annotations

import io
import time

import pytest

from rag.weights.progress import Meter, Progress, Terminal, size_text, watching


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_bar_that_moves() -> None:
    screen = Screen()
    report = Terminal(screen)
    for share in (0.0, 0.5, 1.0):
        report(Progress(f"{share:.0%}", share))
    report("Done.")
    bar, last = screen.getvalue().splitlines()[0], screen.getvalue().splitlines()[-1]
    assert "[............" not in last
    assert bar == ""  # nothing before the first carriage return
    assert screen.getvalue().count("\n") == 2
    assert "\r[############............] 50%" in screen.getvalue()
    assert last == "Done."


def test_a_log_gets_a_line_every_tenth() -> None:
    log = io.StringIO()
    report = Terminal(log)
    for step in range(101):
        report(Progress(f"{step} %", step / 100))
    assert len(log.getvalue().splitlines()) == 11
    assert "\r" not in log.getvalue()


def test_progress_names_bytes_speed_and_time_left() -> None:
    lines: list[str] = []
    meter = Meter(lines.append, 2_000_000, "weights")
    meter.at(0)
    time.sleep(0.3)
    meter.at(1_000_000)
    meter.at(2_000_000)
    assert lines[0] == "  0%  0 B of 2 MB  weights"
    assert lines[1].startswith(" 50%  1 MB of 2 MB  ")
    assert lines[1].endswith(" left  weights")
    assert lines[2].startswith("100%")
    assert all(isinstance(line, Progress) for line in lines)


def test_progress_never_goes_backwards_or_past_the_end() -> None:
    lines: list[Progress] = []
    meter = Meter(lambda line: lines.append(line) if isinstance(line, Progress) else None, 100, "")
    for done in (100, 40, 300, 100):
        meter.at(done)
    assert [line.share for line in lines] == [1.0]


def test_watching_reports_while_a_block_runs() -> None:
    lines: list[str] = []
    sizes = iter(range(10, 1000, 10))
    with watching(Meter(lines.append, 1000, ""), lambda: next(sizes)):
        time.sleep(0.8)
    assert len(lines) >= 2


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 B"), (12_345, "12 kB"), (3_4500_000, "34 MB"), (1.117e9, "1.12 GB")]
)
def test_sizes_are_for_people(size: float, text: str) -> None:
    assert size_text(int(size)) == text
