"""Papers on their way into the library: the form that offers them, and the addition under way.

An addition belongs to the process, as a run of the eval tab does: it goes on when the page that began it is closed, and
every page that shows the library shows how far it is, may stop it, and tells what came of it. One at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag import Change, FootnoteError, Library, Outcome, Paper
from ui.markup import render_problem
from ui.parts import html
from ui.views.library import render_outcome, render_progress
from ui.work import Stopped, Work

LOOK_EVERY_S = 0.5
SHORT_S = 0.4
"""How long a page waits for an addition before it shows how far it is: a few papers take less."""
TOLD_S = 600.0
"""How long after its end what came of an addition is told to a page that is opened or loaded again."""


def adding_form() -> tuple[Any, ...]:
    """Files and pasted text, looked through before anything is added."""
    gr.HTML(
        '<h3>Add papers</h3><p class="fn-lib-small">Files of BibTeX, RIS, PubMed, EndNote, CSV or JSON, titles and '
        f"abstracts as text, also compressed (.gz), up to {Library.most_bytes // 1_000_000} MB each. You see what "
        "would be added first; the library's own file is never changed.</p>",
        apply_default_css=False,
    )
    files = gr.File(label="Files", file_count="multiple", elem_id="fn-lib-files", height=120)
    pasted = gr.Textbox(
        label="Or paste entries", lines=4, max_lines=10, elem_id="fn-lib-pasted",
        placeholder="@article{…}  or a title, a blank line, its abstract",
    )  # fmt: skip
    look = gr.Button("Look through", size="sm", elem_id="fn-lib-look")
    preview = html("fn-lib-preview")
    with gr.Row(elem_id="fn-lib-go"):
        add = gr.Button("Add", variant="primary", interactive=False, elem_id="fn-lib-add")
        cancel = gr.Button("Close", elem_id="fn-lib-cancel")
    return files, pasted, look, preview, add, cancel


@dataclass(frozen=True)
class Addition:
    """One addition. `number` counts them from 1."""

    number: int
    n_papers: int
    work: Work[tuple[Outcome, Sequence[Change]]]
    """Gives what came of it, and the last change of the library right after it."""

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end; not where it failed or was stopped."""
        return not self.work.is_running and self.work.failure is None

    def progress(self, *, may_stop: bool) -> str:
        """How far it is."""
        return render_progress(self.n_papers, self.work.step, may_stop=may_stop, is_stopping=self.work.is_stopping)

    def told(self) -> str:
        """What came of it, for the reader; Work has logged what nobody expected."""
        failure = self.work.failure
        if failure is None:
            return render_outcome(self.work.result[0])
        if isinstance(failure, Stopped):
            return '<p class="fn-lib-done fn-say" tabindex="-1">Stopped. Nothing was added.</p>'
        if isinstance(failure, FootnoteError):
            return render_problem(failure.problem, failure.remedy)
        return render_problem("Something went wrong; nothing was added.", "The log of Footnote says what.")


class Adding:
    """The additions to one library: the one under way, or the last one."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._count = 0
        self.last: Addition | None = None

    @property
    def running(self) -> Addition | None:
        """The one under way, if there is one."""
        last = self.last
        return last if last is not None and last.work.is_running else None

    def begin(self, papers: Sequence[Paper], source: str) -> Addition:
        """Begin to add `papers`.

        Raises:
            FootnoteError: another addition is under way.
        """
        with self._lock:
            self.refuse_two()
            self._count += 1

            def add(report: Callable[[int, int], None]) -> tuple[Outcome, Sequence[Change]]:
                outcome = self._library.add(papers, source, report)
                return outcome, self._library.overview().changes[-1:]

            self.last = Addition(self._count, len(papers), Work(add))
            return self.last

    def refuse_two(self) -> None:
        """Let nobody change the library while papers are on their way into it: it would wait, then come as a surprise.

        Raises:
            FootnoteError: an addition is under way.
        """
        if self.running is not None:
            raise FootnoteError("Papers are being added just now.", "Wait for the end, or stop it.")

    def untold(self, seen: int, changes: Sequence[Change]) -> Addition | None:
        """The last one, if it ended lately and a reader who was told of number `seen` does not know of it.

        Nor if the library has changed since: `changes` are those that stand.
        """
        last = self.last
        if last is None or last.work.is_running or last.number <= seen or last.work.ended_s > TOLD_S:
            return None
        return None if last.is_done and last.work.result[1] != changes[-1:] else last
