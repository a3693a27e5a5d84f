"""The library tab: papers found, one paper's page, the map, and adding, removing and undoing.

What is shown is written by `ui.views.library` and `ui.views.atlas`; what happens to the library is `rag.library`'s. A
reader's own state is small: what is searched for, the open paper, and the papers on offer, which no search touches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from rag import Change, FootnoteError, Found, Library, Offer, Outcome, counted
from ui.adding import LOOK_EVERY_S, SHORT_S, Adding, Addition, adding_form
from ui.markup import render_problem
from ui.parts import html, is_guest, tab_door
from ui.query import HOWS, LIST, MAP, Query
from ui.views.atlas import render_atlas, render_drawing
from ui.views.library import (
    PAGE,
    render_history,
    render_no_years,
    render_outcome,
    render_overview,
    render_paper,
    render_preview,
    render_results,
)

log = logging.getLogger(__name__)
Update = dict[Any, Any]

_FITTING = 25
"""How many papers a search by meaning marks on the map: it ranks all, so that some number has to be taken."""
UP_JS = "() => document.getElementById('fn-lib-overview').scrollIntoView({ block: 'start' })"
"""To where an addition is told of: its form may have been scrolled down to."""


@dataclass(frozen=True)
class Looking:
    """What a reader has open. `spans` are the sentences that fit, by paper.

    `may_change` says whether this reader may change the library; what a browser sends cannot set it. Of additions by
    number: the one that this reader `began` last, and the last one whose end the reader was `told` of.
    """

    open_paper: str = ""
    may_change: bool = False
    shown: int = PAGE
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    began: int = 0
    told: int = 0


@dataclass(frozen=True)
class _Parts:
    looking: gr.State
    offers: gr.State
    overview: gr.HTML
    running: gr.HTML
    said: gr.HTML
    search: gr.Textbox
    how: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    venue: gr.Dropdown
    years: gr.Row
    view: gr.Radio
    results: gr.HTML
    atlas: gr.HTML
    paper: gr.HTML
    adding: gr.Column
    open_adding: gr.Button
    files: gr.File
    pasted: gr.Textbox
    preview: gr.HTML
    add: gr.Button
    cancel: gr.Button
    timer: gr.Timer

    def all(self) -> list[Any]:
        """Every component, as outputs of an event; a handler returns only those that change."""
        return list(vars(self).values())

    def query(self) -> list[Any]:
        """What is searched for, as inputs."""
        return [self.looking, self.search, self.how, self.since, self.until, self.venue, self.view]


def library_view(rag: Any) -> None:
    """Add the library to the Blocks that is being built."""
    library: Library = rag.library
    with gr.Row(elem_id="fn-library"):
        with gr.Column(elem_id="fn-lib-main"):
            overview = html("fn-lib-overview")
            running, said = html("fn-lib-running"), html("fn-lib-status")
            search, how, since, until, venue, years, view, open_adding = _controls()
            with gr.Column(elem_id="fn-lib-adding", visible=False) as adding:
                files, pasted, look, preview, add, cancel = adding_form()
            results = html("fn-lib-results", '<p class="fn-lib-said">Looking at the library…</p>')
            atlas = html("fn-lib-map")
        with gr.Column(elem_id="fn-lib-aside"):
            paper = html("fn-lib-page")
    door = tab_door("fn-lib-door", "footnoteLibrary", "library")
    parts = _Parts(
        gr.State(Looking()), gr.State(()), overview, running, said, search, how, since, until, venue, years, view,
        results, atlas, paper, adding, open_adding, files, pasted, preview, add, cancel,
        gr.Timer(LOOK_EVERY_S, active=False),
    )  # fmt: skip
    _connect(_Desk(library, parts), parts, door, look)


def _controls() -> tuple[Any, ...]:
    with gr.Row(elem_id="fn-lib-search"):
        search = gr.Textbox(
            label="Search the library", show_label=False, container=False, scale=1, elem_id="fn-lib-box",
            placeholder="Search titles, abstracts, authors", html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )  # fmt: skip
        how = gr.Dropdown(
            list(HOWS), value=next(iter(HOWS)), label="How to search", show_label=False, container=False, scale=0,
            min_width=220, elem_id="fn-lib-how", filterable=False,
        )  # fmt: skip
    with gr.Row(elem_id="fn-lib-years", visible=False) as years:
        since, until = (
            gr.Textbox(
                label=label, max_length=4, min_width=110, scale=0, elem_classes="fn-lib-field",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )
            for label in ("From year", "To year")
        )  # fmt: skip
        venue = gr.Dropdown([""], value="", label="Venue", min_width=200, scale=1, elem_classes="fn-lib-field")
    with gr.Row(elem_id="fn-lib-tools"):
        view = gr.Radio(
            [LIST, MAP], value=LIST, label="Show as", show_label=False, container=False, elem_id="fn-lib-view"
        )
        open_adding = gr.Button("Add papers", size="sm", scale=0, min_width=110, elem_id="fn-lib-add-open")
    return search, how, since, until, venue, years, view, open_adding


def _connect(desk: _Desk, parts: _Parts, door: gr.HTML, look: gr.Button) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "outputs": parts.all()}
    at_once: dict[str, Any] = {**quiet, "queue": False}
    door.select(desk.act, inputs=parts.query(), trigger_mode="multiple", **at_once)
    # Not `input`, which Gradio 6.31.0 gives for keys that write alone, not where text is deleted or pasted.
    typed = [parts.search.change, parts.since.change, parts.until.change, parts.search.submit]
    causes = [*typed, parts.how.input, parts.venue.input, parts.view.input]
    gr.on(causes, desk.searched, inputs=parts.query(), trigger_mode="always_last", **at_once)
    parts.open_adding.click(lambda: {parts.adding: gr.update(visible=True)}, **at_once)
    parts.cancel.click(desk.closed, **at_once)
    for asked in (parts.files.upload, parts.files.delete, parts.files.clear, look.click):
        asked(desk.offered, inputs=[parts.files, parts.pasted], **quiet)
    # What was typed or pasted since it was looked through is not on offer yet.
    parts.pasted.change(desk.typed, inputs=[parts.pasted], **at_once)
    parts.add.click(desk.added, inputs=[parts.offers, *parts.query()], **quiet).then(None, js=UP_JS)
    parts.timer.tick(desk.ticked, inputs=parts.query(), **at_once)


class _Desk:
    """What happens when a reader does something in the library tab."""

    def __init__(self, library: Library, parts: _Parts) -> None:
        self._library = library
        self._adding = Adding(library)
        self._parts = parts

    def act(
        self, looking: Looking, search: str, how: str, since: str, until: str, venue: str, view: str,
        event: gr.EventData,
        request: gr.Request,
    ) -> Update:  # fmt: skip
        """Do what a button or a dot of the tab asks for; an unknown action does nothing."""
        sent = event._data if isinstance(event._data, dict) else {}
        looking = replace(looking, may_change=self._library.is_editable and not is_guest(request))
        wanted, paper = str(sent.get("do") or ""), str(sent.get("id") or "")
        query = Query(search or "", how, since, until, venue, view)
        acts: dict[str, Callable[[], Update]] = {
            "show": lambda: self._shown(looking, query),
            "open": lambda: self._opened(looking, paper),
            "close": lambda: self._opened(looking, ""),
            "leave": lambda: self._opened(looking, paper, is_leaving=True),
            "draw": lambda: {self._parts.atlas: self._atlas(looking, query, self._fitting(query))},
            "more": lambda: self._found(replace(looking, shown=looking.shown + PAGE), query),
        }
        if looking.may_change:
            acts["remove"] = lambda: self._changed(looking, query, lambda: self._library.remove([paper]))
            acts["undo"] = lambda: self._changed(looking, query, self._library.undo)
            acts["stop"] = lambda: self._stopped(looking)
        return self._safely(acts.get(wanted, dict))

    def searched(
        self, looking: Looking, search: str, how: str, since: str, until: str, venue: str, view: str
    ) -> Update:
        """Show what fits."""
        query = Query(search or "", how, since, until, venue, view)
        return self._safely(lambda: self._found(replace(looking, shown=PAGE), query))

    def offered(self, files: list[str] | None, pasted: str) -> Update:
        """Look through files and pasted text, and show what would be added."""
        offers = [self._library.read(Path(file)) for file in files or ()]
        if (pasted or "").strip():
            offers.append(self._library.read_text(pasted))
        found = self._library.preview([paper for offer in offers for paper in offer.papers])
        number = len(found.new) + len(found.completed)
        return {
            self._parts.offers: tuple(offers),
            self._parts.preview: render_preview(offers, found) if offers else "",
            self._parts.add: gr.update(
                value=f"Add {counted(number, 'paper')}" if number else "Add", interactive=number > 0
            ),
        }

    def typed(self, pasted: str) -> Update:
        """Text that is not looked through yet is not to be lost by adding what was."""
        if not (pasted or "").strip():
            return {self._parts.offers: gr.skip()}
        return {self._parts.add: gr.update(value="Look through it first", interactive=False)}

    def added(
        self, offers: tuple[Offer, ...], looking: Looking, search: str, how: str, since: str, until: str, venue: str,
        view: str,
    ) -> Update:  # fmt: skip
        """Begin to add what is on offer; the form closes, and how far it is stands where every page shows it."""
        if not looking.may_change:
            return {self._parts.preview: render_problem("Only who has signed in may change this library.")}
        papers = [paper for offer in offers for paper in offer.papers]
        try:
            addition = self._adding.begin(papers, ", ".join(offer.name for offer in offers))
        except FootnoteError as error:
            return {self._parts.said: _told(error)}
        addition.work.join(SHORT_S)
        began = replace(looking, began=addition.number)
        query = Query(search or "", how, since, until, venue, view)
        if addition.work.is_running:
            parts = self._parts
            closed = {parts.looking: began, parts.adding: gr.update(visible=False), parts.said: ""}
            return {**closed, **self._under_way(began, addition)}
        return self._safely(lambda: self._shown(began, query))

    def ticked(self, looking: Looking, search: str, how: str, since: str, until: str, venue: str, view: str) -> Update:
        """A look at the addition that is under way; at its end what came of it."""
        if (running := self._adding.running) is not None:
            return self._under_way(looking, running)
        query = Query(search or "", how, since, until, venue, view)
        return self._safely(lambda: self._shown(looking, query))

    def _stopped(self, looking: Looking) -> Update:
        running = self._adding.running
        if running is None:
            return {}
        running.work.stop()
        return self._under_way(looking, running)

    def _under_way(self, looking: Looking, running: Addition | None) -> Update:
        """How far the addition is, and the timer that looks again while there is one."""
        shown = running.progress(may_stop=looking.may_change) if running else ""
        return {self._parts.running: shown, self._parts.timer: gr.update(active=running is not None)}

    def closed(self) -> Update:
        """Close and empty the form: nothing is on offer any more."""
        parts = self._parts
        return {
            parts.offers: (),
            parts.adding: gr.update(visible=False),
            parts.files: None,
            parts.pasted: "",
            parts.preview: "",
            parts.add: gr.update(value="Add", interactive=False),
        }

    def _safely(self, make: Callable[[], Update]) -> Update:
        try:
            return make() or {self._parts.said: gr.skip()}
        except Exception as error:
            if not isinstance(error, FootnoteError):
                log.exception("The library tab failed")
            return {self._parts.said: _told(error)}

    def _changed(self, looking: Looking, query: Query, change: Callable[[], Outcome]) -> Update:
        self._adding.refuse_two()
        outcome = change()
        gone = {paper.id for paper in outcome.removed}
        kept = replace(looking, open_paper="") if looking.open_paper in gone else looking
        return {**self._shown(kept, query), self._parts.said: render_outcome(outcome)}

    def _shown(self, looking: Looking, query: Query) -> Update:
        """Everything anew: at the first look, and after a change. Tells once what came of an addition."""
        self._library.refresh()
        seen = self._library.overview()
        parts = self._parts
        venues = ["", *list(seen.venues)[:200]]
        running = self._adding.running  # before: one that ends meanwhile is told at the next look
        ended = self._adding.untold(looking.told, seen.changes) if running is None else None
        form: Update = {}
        if ended is not None:
            if ended.number == looking.began:  # after a failure or a stop what is on offer still is
                form = self.closed() if ended.is_done else {parts.adding: gr.update(visible=True)}
            looking = replace(looking, told=ended.number)
        found = self._found(looking, query)
        return {
            **found,
            **self._opened(found[parts.looking], looking.open_paper, seen.changes),
            **self._under_way(looking, running),
            **form,
            parts.overview: render_overview(replace(seen, is_editable=looking.may_change)),
            parts.said: ended.told() if ended else "",
            parts.years: gr.update(visible=bool(seen.years or seen.venues)),
            parts.venue: gr.update(choices=[("Any", "") if venue == "" else venue for venue in venues]),
            parts.open_adding: gr.update(visible=looking.may_change),
        }

    def _found(self, looking: Looking, query: Query) -> Update:
        parts = self._parts
        library = self._library
        is_map = query.view == MAP
        found = self._fitting(query) if is_map else self._searched(query, looking.shown + 1)
        spans = {}
        if query.search.strip():
            seen = found[: looking.shown]
            spans = {f.paper.id: span for f in seen if (span := library.best_sentence(f, query.search))}
        kept = replace(looking, spans=spans)
        n_papers = len(library.papers)
        listed = "" if is_map else render_results(found, query.search, n_papers, spans, looking.shown)
        return {
            parts.looking: kept,
            parts.results: render_no_years(query.no_years) + listed,
            parts.atlas: self._map(kept, query, found) if is_map else "",
        }

    def _searched(self, query: Query, most: int) -> tuple[Found, ...]:
        return self._library.find(query.search, query.kind, query.where(), max(1, most))  # type: ignore[arg-type]

    def _fitting(self, query: Query) -> tuple[Found, ...]:
        """What the map marks; none where nothing is searched for."""
        if not query.is_given:
            return ()
        ranked = query.search.strip() and query.kind != "words"
        return self._searched(query, _FITTING if ranked else len(self._library.papers))

    def _map(self, looking: Looking, query: Query, fitting: Sequence[Found]) -> str:
        """The map, or what stands in its place while it is drawn: `library.js` sees that and asks for it."""
        if not self._library.has_atlas:
            return render_drawing(len(self._library.papers))
        return self._atlas(looking, query, fitting)

    def _atlas(self, looking: Looking, query: Query, fitting: Sequence[Found]) -> str:
        marked = {item.paper.id for item in fitting} if query.is_given else None
        atlas = self._library.atlas()
        return render_atlas(atlas, self._library.papers, fitting=marked, selected=looking.open_paper)

    def _opened(
        self, looking: Looking, paper_id: str, changes: Sequence[Change] | None = None, *, is_leaving: bool = False
    ) -> Update:
        """One paper's page; without one the last changes, which are read where they are not given."""
        paper = self._library.papers.get(paper_id)
        kept = replace(looking, open_paper=paper_id if paper else "")
        parts = self._parts
        if paper is None:
            listed = self._library.overview().changes if changes is None else changes
            return {parts.looking: kept, parts.paper: render_history(listed)}
        page = render_paper(
            paper,
            self._library.sentences(paper_id),
            self._library.neighbours(paper_id),
            marked=looking.spans.get(paper_id),
            is_editable=looking.may_change,
            is_leaving=is_leaving,
        )
        return {parts.looking: kept, parts.paper: page}


def _told(error: Exception) -> str:
    if isinstance(error, FootnoteError):
        return render_problem(error.problem, error.remedy)
    return render_problem("Something went wrong.", "The log of Footnote says what.")
