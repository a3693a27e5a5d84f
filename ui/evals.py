"""The eval tab: begin a run of questions, follow it, read its scorecard, compare two.

A run belongs to the process, not to a reader: whoever opens the tab sees the one that is under way, and it goes on when
the tab is closed. Uses `eval.board` alone of the eval suite.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from eval.board import Board
from rag import FootnoteError
from ui.asking import is_anyone_asking
from ui.markup import render_problem
from ui.parts import html, is_guest, tab_door
from ui.serving.line import Line
from ui.views.evals import render_comparison, render_reading, render_runs, render_sources, render_step

log = logging.getLogger(__name__)
Update = dict[Any, Any]

LOOK_EVERY_S = 1.0
NOTHING_OPEN = '<p class="fn-hint">A run shows here what was right, how sure that is, and what went worst.</p>'


@dataclass(frozen=True)
class _Parts:
    opened: gr.State
    running: gr.HTML
    said: gr.HTML
    runs: gr.HTML
    card: gr.HTML
    source: gr.Dropdown
    number: gr.Slider
    begin: gr.Button
    comparing: gr.Row
    before: gr.Dropdown
    after: gr.Dropdown
    timer: gr.Timer

    def all(self) -> list[Any]:
        """Every component, as outputs of an event; a handler returns only those that change."""
        return list(vars(self).values())


def eval_view(rag: Any, line: Line) -> None:
    """Add the eval tab to the Blocks being built. `line` counts who is at the model and who waits."""

    def is_busy() -> bool:
        return is_anyone_asking() or line.running + line.waiting > 0

    board = Board(rag, rag.settings.home / "runs", is_busy=is_busy)
    with gr.Row(elem_id="fn-eval"):
        with gr.Column(elem_id="fn-ev-main"):
            gr.HTML(
                '<h2 class="fn-lib-title">Measure</h2><p class="fn-lib-counts">How often is it right, cites what it '
                "should, and declines what the library does not say?</p>",
                apply_default_css=False,
            )
            source, number, begin = _form(board)
            running, said = html("fn-ev-running"), html("fn-ev-said")
            gr.HTML('<h3 class="fn-ev-head">Runs</h3>', apply_default_css=False)
            runs = html("fn-ev-runs")
            with gr.Row(elem_id="fn-ev-compare", visible=False) as comparing:
                before = gr.Dropdown([], label="A", scale=1, min_width=160, elem_classes="fn-lib-field")
                after = gr.Dropdown([], label="B", scale=1, min_width=160, elem_classes="fn-lib-field")
                compare = gr.Button("Compare", size="sm", scale=0, min_width=110, elem_id="fn-ev-compare-go")
        with gr.Column(elem_id="fn-ev-aside"):
            card = html("fn-ev-card", NOTHING_OPEN)
    door = tab_door("fn-ev-door", "footnoteEval", "eval")
    timer = gr.Timer(LOOK_EVERY_S, active=False)
    parts = _Parts(
        gr.State(""), running, said, runs, card, source, number, begin, comparing, before, after, timer
    )  # fmt: skip
    desk = _Desk(board, parts)
    at_once: dict[str, Any] = {
        "queue": False, "show_progress": "hidden", "api_visibility": "private", "outputs": parts.all(),
    }  # fmt: skip
    door.select(desk.act, inputs=[parts.opened, before, after], trigger_mode="multiple", **at_once)
    begin.click(desk.begun, inputs=[source, number], **at_once)
    compare.click(desk.compared, inputs=[before, after], **at_once)
    timer.tick(desk.ticked, inputs=[parts.opened], **at_once)


def _form(board: Board) -> tuple[Any, ...]:
    with gr.Row(elem_id="fn-ev-form"):
        source = gr.Dropdown(
            [(source.label, source.key) for source in board.sources], value=board.sources[0].key, label="Questions",
            scale=1, min_width=220, elem_classes="fn-lib-field", filterable=False,
        )  # fmt: skip
        number = gr.Slider(5, 140, value=20, step=1, label="How many", scale=1, min_width=200, elem_id="fn-ev-number")
    gr.HTML(render_sources(board.sources), apply_default_css=False)
    begin = gr.Button("Begin", variant="primary", elem_id="fn-ev-begin")
    return source, number, begin


_Two = tuple[str | None, str | None]
"""The names of two runs to be compared, where they were chosen."""


class _Desk:
    """What happens when a reader does something in the eval tab."""

    def __init__(self, board: Board, parts: _Parts) -> None:
        self._board = board
        self._parts = parts

    def act(
        self, opened: str, before: str | None, after: str | None, event: gr.EventData, request: gr.Request
    ) -> Update:
        """Do what a button of the tab asks for; an unknown action does nothing. `before` and `after` stay chosen."""
        sent = event._data if isinstance(event._data, dict) else {}
        wanted, name = str(sent.get("do") or ""), str(sent.get("run") or "")
        acts: dict[str, Callable[[], Update]] = {
            "show": lambda: self._shown(opened, (before, after)),
            "open": lambda: self._shown(name, (before, after)),
            "leave": lambda: self._shown(name, (before, after), is_leaving=True),
        }
        changes: dict[str, Callable[[], Update]] = {
            "stop": self._stopped,
            "go-on": lambda: self._began(lambda: self._board.go_on(name)),
            "remove": lambda: self._removed(name, (before, after)),
        }
        if wanted in changes and is_guest(request):
            return self._refused()
        return self._safely({**acts, **changes}.get(wanted, dict))

    def begun(self, source: str, number: float, request: gr.Request) -> Update:
        """Begin a run."""
        if is_guest(request):
            return self._refused()
        return self._safely(lambda: self._began(lambda: self._board.start(source, int(number))))

    def _refused(self) -> Update:
        return {self._parts.said: render_problem("Only who has signed in may begin, stop or delete a run.")}

    def compared(self, before: str, after: str) -> Update:
        """Show what changed between two runs."""
        return self._safely(lambda: self._comparison(before or "", after or ""))

    def ticked(self, opened: str) -> Update:
        """A look at the run that is under way; at its end its scorecard."""
        running = self._board.running
        if running is None:
            return {self._parts.timer: gr.update(active=False)}
        if running.is_running:
            return {self._parts.running: self._progress()}
        return self._safely(lambda: self._ended(opened))

    def _ended(self, opened: str) -> Update:
        running = self._board.running
        assert running is not None
        finished = any(row.name == running.name for row in self._board.runs())
        update = self._shown(running.name if finished else opened)
        if running.problem is not None:
            update[self._parts.said] = render_problem(*running.problem)
        elif not finished:
            update[self._parts.said] = render_problem("Stopped before the first answer.", "Nothing was kept.")
        return update

    def _began(self, begin: Callable[[], Any]) -> Update:
        begin()
        return {**self._controls(), self._parts.said: ""}

    def _stopped(self) -> Update:
        running = self._board.running
        if running is None:
            return {}
        running.stop()
        return {self._parts.running: self._progress(is_stopping=True)}

    def _removed(self, name: str, compared: _Two) -> Update:
        self._board.remove(name)
        return self._shown("", compared)

    def _comparison(self, before: str, after: str) -> Update:
        rows = {row.name: row for row in self._board.runs()}
        if before == after or before not in rows or after not in rows:
            return {self._parts.said: render_problem("Choose two different runs to compare.")}
        differences = self._board.compare(before, after)
        questions = self._board.questions(after)
        return {
            self._parts.card: render_comparison(rows[before], rows[after], differences, questions),
            self._parts.opened: "",
            self._parts.said: "",
        }

    def _shown(self, opened: str, compared: _Two = (None, None), *, is_leaving: bool = False) -> Update:
        """All runs, and the card of the one that is `opened`. To be compared: two that are here, else the newest."""
        parts = self._parts
        rows = self._board.runs()
        is_there = any(row.name == opened for row in rows)
        scored = [row for row in rows if row.is_scored]
        choices = [(f"{row.name}: {row.cases} of {row.label.lower()}", row.name) for row in scored]
        names = [row.name for row in scored]
        if len(names) < 2:
            compared = (None, None)
        elif not set(compared) <= set(names):
            compared = (names[1], names[0])
        return {
            **self._controls(),
            parts.opened: opened if is_there else "",
            parts.runs: render_runs(rows, opened),
            parts.card: render_reading(self._board.read(opened), is_leaving=is_leaving) if is_there else NOTHING_OPEN,
            parts.comparing: gr.update(visible=len(scored) > 1),
            parts.before: gr.update(choices=choices, value=compared[0]),
            parts.after: gr.update(choices=choices, value=compared[1]),
            parts.said: "",
        }

    def _controls(self) -> Update:
        running = self._board.running
        is_running = running is not None and running.is_running
        return {
            self._parts.running: self._progress() if is_running else "",
            self._parts.begin: gr.update(interactive=not is_running),
            self._parts.timer: gr.update(active=is_running),
        }

    def _progress(self, *, is_stopping: bool = False) -> str:
        running = self._board.running
        assert running is not None
        return render_step(running.label, running.step, is_stopping=is_stopping or running.is_stopping)

    def _safely(self, make: Callable[[], Update]) -> Update:
        try:
            return make() or {self._parts.said: gr.skip()}
        except FootnoteError as error:
            return {self._parts.said: render_problem(error.problem, error.remedy)}
        except Exception:
            log.exception("The eval tab failed")
            return {self._parts.said: render_problem("Something went wrong.", "The log of Footnote says what.")}
