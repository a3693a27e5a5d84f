"""The library as safe HTML: what is in it, papers found, one paper, and what is about to be added. Pure.

Buttons carry `data-lib` (what to do) and, for a paper, `data-id`; `library.js` sends both to the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag import Change, Found, Offer, Outcome, Overview, Paper, Preview, Sentence, counted
from rag.export import bibtex_of
from ui.conversations.examples import proposes
from ui.markup import facts_line, known, moment, render_sure, text
from ui.views.evidence import Span, highlight
from ui.views.prose import science
from ui.work import Step, said_of

PAGE = 20
"""How many results are shown, and how many more on demand."""
_LISTED = 40
_PROBLEMS = 8


def render_overview(seen: Overview) -> str:
    """How much there is, from when, and the last change with its undo."""
    facts = [counted(seen.n_papers, "paper"), counted(seen.n_passages, "passage")]
    if seen.years:
        first, last = min(seen.years), max(seen.years)
        span = str(first) if first == last else f"{first} to {last}"
        dated = sum(seen.years.values())
        facts.append(span if dated == seen.n_papers else f"{span} ({dated:,} with a year)")
    if seen.name:
        facts.append(f"from {seen.name}")
    if seen.n_left_out:
        facts.append(_without_abstract(seen.n_left_out))
    if seen.n_merged:
        facts.append(f"{counted(seen.n_merged, 'entry')} merged with another of the same paper")
    return (
        f'<div class="fn-lib-overview"><h2 class="fn-lib-title">Library</h2>'
        f'<p class="fn-lib-counts">{" · ".join(text(fact) for fact in facts)}</p>{_years(seen.years)}'
        f"{_last(seen.changes, may_undo=seen.is_editable)}</div>"
    )


def _years(years: Mapping[int, int]) -> str:
    """A bar a year, as high as its papers; nothing for fewer than two years."""
    if len(years) < 2:
        return ""
    first, last = min(years), max(years)
    if last - first > 60:  # an old classic would make every bar a hair
        first = last - 60
    most = max(years.values())
    width = last - first + 1
    bars = "".join(
        f'<rect x="{year - first + 0.1:.1f}" y="{20 - 20 * years[year] / most:.2f}" width="0.8" '
        f'height="{20 * years[year] / most:.2f}"><title>{year}: {years[year]}</title></rect>'
        for year in years
        if year >= first
    )
    said = ", ".join(f"{year}: {number}" for year, number in list(years.items())[-12:])
    return (
        f'<div class="fn-years"><svg viewBox="0 0 {width} 20" preserveAspectRatio="none" role="img" '
        f'aria-label="Papers by year. {said}">{bars}</svg><p><span>{first}</span><span>{last}</span></p></div>'
    )


def _last(changes: Sequence[Change], *, may_undo: bool) -> str:
    if not changes:
        return '<p class="fn-lib-last"><span>Nothing was added or removed here yet.</span></p>'
    last = changes[-1]
    undo = '<button type="button" class="fn-chip" data-lib="undo">Undo</button>' if may_undo else ""
    return f'<p class="fn-lib-last"><span>Last change: {_said(last)}, {moment(last.at)}</span>{undo}</p>'


def render_history(changes: Sequence[Change]) -> str:
    """What stands where a paper would be open: a hint, and the last changes of the library, newest first."""
    rows = "".join(_change(change) for change in reversed(changes[-_LISTED:]))
    hint = '<p class="fn-hint">Choose a paper to read its abstract and to ask about it.</p>'
    if not rows:
        return hint
    return f'{hint}<section class="fn-lib-history"><h3>Changes</h3><ol>{rows}</ol></section>'


def _change(change: Change) -> str:
    titles = "; ".join(paper.title for paper in change.papers[:3])
    more = f" and {len(change.papers) - 3} more" if len(change.papers) > 3 else ""
    return (
        f"<li><span>{_said(change)}, {moment(change.at)}</span>"
        f'<span class="fn-lib-small" dir="auto">{text(titles + more)}</span></li>'
    )


def _said(change: Change) -> str:
    did = "added" if change.did == "add" else "removed"
    return text(f"{counted(len(change.papers), 'paper')} {did}{f' from {change.source}' if change.source else ''}")


def render_results(
    found: Sequence[Found],
    query: str,
    n_papers: int,
    sentences: Mapping[str, tuple[int, int]],
    shown: int = PAGE,
) -> str:
    """The papers found, each opening its page.

    Args:
        found: what fits, best first; one more than `shown` says that there is more.
        query: what was searched for.
        n_papers: how many the library has.
        sentences: the span to show of a paper's abstract, by its id.
        shown: how many to show.
    """
    if not n_papers:
        return _empty("The library is empty.", "Add papers: files of BibTeX, RIS, PubMed, CSV or JSON, or pasted text.")
    if not found:
        return _empty("No paper fits.", "Try other words, or search by meaning, or widen the years.")
    rows = "".join(_result(item, sentences.get(item.paper.id)) for item in found[:shown])
    is_more = len(found) > shown
    here = min(len(found), shown)
    if here == n_papers and not query.strip():
        said = f"All {counted(n_papers, 'paper')}"
    else:
        first = "First " if is_more and not query.strip() else ""
        said = f"{first}{here:,} of {counted(n_papers, 'paper')}"
    button = '<button type="button" class="fn-chip" data-lib="more">Show more</button>' if is_more else ""
    order = ", best first" if query.strip() else ""
    return f'<p class="fn-lib-said fn-say">{said}{order}</p><ol class="fn-lib-list">{rows}</ol>{button}'


def render_no_years(typed: Sequence[str]) -> str:
    """What was typed for a year and is none, and so narrows nothing; "" for nothing."""
    if not typed:
        return ""
    said = " and ".join(f"“{text(one)}”" for one in typed)
    return f'<p class="fn-lib-said fn-say">{said} {"is no year" if len(typed) == 1 else "are no years"}.</p>'


def _empty(line: str, remedy: str) -> str:
    return f'<div class="fn-lib-empty fn-say"><p>{text(line)}</p><p>{text(remedy)}</p></div>'


def _result(item: Found, span: tuple[int, int] | None) -> str:
    paper = item.paper
    shown = paper.abstract[slice(*span)] if span else paper.abstract[:200]
    cut = "" if span or len(paper.abstract) <= 200 else "…"
    facts = known(paper)
    line = f'<span class="fn-facts">{facts}</span>' if facts else ""
    return (
        f'<li><button type="button" data-lib="open" data-id="{text(paper.id)}"><span class="fn-lib-name" dir="auto">'
        f'{science(paper.title)}</span>{line}<span class="fn-lib-snippet" dir="auto">{text(shown)}{cut}</span>'
        "</button></li>"
    )


def render_paper(
    paper: Paper,
    sentences: Sequence[Sentence],
    near: Sequence[Found],
    *,
    marked: tuple[int, int] | None = None,
    is_editable: bool = False,
    is_leaving: bool = False,
) -> str:
    """A paper's page. `marked` is a stretch of the abstract to highlight; `is_leaving` asks before it is removed."""
    keywords = f'<p class="fn-facts">{text(", ".join(paper.keywords[:12]))}</p>' if paper.keywords else ""
    source = f" · from {paper.source}" if paper.source else ""
    return (
        f'<article class="fn-lib-paper" data-paper="{text(paper.id)}" aria-labelledby="fn-lib-paper-title">'
        '<button type="button" class="fn-chip fn-lib-back" data-lib="close">← All papers</button>'
        f'<h2 id="fn-lib-paper-title" tabindex="-1" dir="auto">{science(paper.title)}</h2>'
        f"{facts_line(paper)}{_asking(paper)}"
        f'<div class="fn-abstract" dir="auto">{_abstract(paper, sentences, marked)}</div>{keywords}'
        f'<p class="fn-lib-small">{counted(len(sentences), "sentence")}{text(source)} · id {text(paper.id)}</p>'
        f"{_copying(paper)}{_near(near)}{_leaving(paper, is_leaving=is_leaving) if is_editable else ''}</article>"
    )


def _copying(paper: Paper) -> str:
    """What copies the paper's reference; `sheets.js` says beside it what came of it."""
    return (
        f'<p class="fn-lib-copy"><button type="button" class="fn-opener" data-copy="{text(bibtex_of([paper]))}">'
        'Copy BibTeX</button> <span role="status"></span></p>'
    )


def _asking(paper: Paper) -> str:
    """A question about the paper, ready to be asked or to be written over; `page.js` sends it to the chat."""
    head, colon, _ = paper.title.partition(":")
    name = head if colon and len(head.split()) <= 4 else f"“{paper.title}”"
    first = f"What does {name} propose, and what problem does it address?"
    done = ("How does it work?", f"How does {name} work?")
    if not proposes(paper):
        first = f"What does {name} find?"
        done = ("What was done?", f"What was done in {name}?")
    questions = (done, ("What came out?", f"What results does {name} report?"))
    chips = "".join(
        f'<button type="button" class="fn-chip" data-ask="{text(question)}" title="{text(question)}">{label}</button>'
        for label, question in questions
    )
    return (
        f'<form class="fn-lib-question" data-about="{text(name)}">'
        f'<label class="fn-heard" for="fn-lib-question">Ask about {text(paper.title)}</label>'
        f'<input id="fn-lib-question" name="question" value="{text(first)}" autocomplete="off" dir="auto">'
        '<button type="submit" class="fn-chip">Ask</button></form>'
        f'<p class="fn-lib-ask">{chips}</p>'
    )


def _abstract(paper: Paper, sentences: Sequence[Sentence], marked: tuple[int, int] | None) -> str:
    if marked is not None:
        return highlight(paper.abstract, [Span("lib-mark", *marked)])
    if not sentences:
        return science(paper.abstract)
    return " ".join(f'<span class="fn-sentence">{science(sentence.text)}</span>' for sentence in sentences)


def _near(near: Sequence[Found]) -> str:
    if not near:
        return ""
    rows = "".join(
        f'<li><button type="button" data-lib="open" data-id="{text(item.paper.id)}">{text(item.paper.title)}</button>'
        f'<span class="fn-lib-like" title="Cosine similarity of the abstracts">{item.score:.2f}</span></li>'
        for item in near
    )
    return f'<section aria-label="Nearest papers"><h3>Nearest papers</h3><ol class="fn-lib-near">{rows}</ol></section>'


def _leaving(paper: Paper, *, is_leaving: bool) -> str:
    key = text(paper.id)
    if not is_leaving:
        return (
            '<p class="fn-lib-leave"><button type="button" class="fn-opener" data-lib="leave" '
            f'data-id="{key}">Remove from the library…</button></p>'
        )
    return render_sure(
        "Remove this paper?",
        "Remove this paper? Answers no longer rest on it. The file that it came from keeps it, and Undo brings it "
        "back.",
        (f'data-lib="remove" data-id="{key}"', "Remove"),
        (f'data-lib="open" data-id="{key}"', "Keep"),
    )


def render_preview(offers: Sequence[Offer], found: Preview) -> str:
    """What would be added, and what is wrong, file by file."""
    said = [
        f"{counted(len(found.new), 'paper')} to add" if found.new else "Nothing new",
        f"{len(found.completed)} more complete than here" if found.completed else "",
        f"{len(found.known)} here already" if found.known else "",
    ]
    parts = [f'<p class="fn-lib-said fn-say">{text(", ".join(part for part in said if part))}</p>']
    parts += [_problems(offer) + _left_out(offer) for offer in offers]
    parts.append(_titles("New", found.new))
    parts += [_titles("More complete", found.completed), _titles("Here already", found.known)]
    return f'<div class="fn-lib-preview">{"".join(parts)}</div>'


def _problems(offer: Offer) -> str:
    if not offer.problems:
        return ""
    what = "nothing of it can be added" if not offer.papers else f"{counted(len(offer.papers), 'paper')} can be added"
    return (
        f'<div class="fn-lib-problems" role="alert"><p><strong dir="auto">{text(offer.name)}</strong>: {what}</p>'
        f"{_listed(offer.problems, _PROBLEMS, 'more like these')}</div>"
    )


def _left_out(offer: Offer) -> str:
    if not offer.left_out:
        return ""
    said = f'<span dir="auto">{text(offer.name)}</span>: {_without_abstract(len(offer.left_out))}'
    return f"<details><summary>{said}</summary>{_listed(offer.left_out, _LISTED)}</details>"


def _without_abstract(entries: int) -> str:
    return f"{counted(entries, 'entry')} without an abstract left out"


def _titles(label: str, papers: Sequence[Paper]) -> str:
    if not papers:
        return ""
    titles = [f"{paper.title} ({paper.year})" if paper.year else paper.title for paper in papers]
    is_open = " open" if label == "New" else ""
    return f"<details{is_open}><summary>{text(label)} ({len(papers):,})</summary>{_listed(titles, _LISTED)}</details>"


def _listed(lines: Sequence[str], most: int, others: str = "more") -> str:
    rows = "".join(f'<li dir="auto">{text(line)}</li>' for line in lines[:most])
    rest = len(lines) - most
    return f"<ul>{rows}{f'<li>and {rest:,} {others}</li>' if rest > 0 else ''}</ul>"


def render_progress(n_papers: int, step: Step, *, may_stop: bool, is_stopping: bool) -> str:
    """How far an addition is, with the time left and the way to stop it."""
    is_read = 0 < step.total == step.done
    said = said_of(step, "passages read") or "beginning"
    if is_read:
        said = "all passages are read; the index is being written"
    elif is_stopping:
        said = "stopping"
    value = f' value="{step.done}" max="{step.total}"' if step.total else ""
    stop = (
        '<button type="button" class="fn-chip" data-lib="stop">Stop, add nothing</button>'
        if may_stop and not is_stopping and not is_read
        else ""
    )
    return (
        f'<div class="fn-lib-progress"><p>Adding {counted(n_papers, "paper")}: {text(said)}…</p>'
        f'<progress aria-label="Adding papers" tabindex="-1"{value}></progress>'
        f'<p class="fn-lib-small">Questions are answered meanwhile, from the library as it was.</p>{stop}</div>'
    )


def render_outcome(outcome: Outcome) -> str:
    """What came of a change, in a line."""
    said = [
        f"{counted(len(papers), 'paper')} {word}"
        for papers, word in (
            (outcome.added, "added"), (outcome.completed, "completed"),
            (outcome.removed, "removed"), (outcome.known, "known already"),
        )
        if papers
    ]  # fmt: skip
    return f'<p class="fn-lib-done fn-say" tabindex="-1">{text(", ".join(said) or "Nothing changed")}.</p>'
