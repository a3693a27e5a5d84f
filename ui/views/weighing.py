"""What a library says to a claim, as safe HTML: what supports it, what contradicts it, what is silent. Pure.

A claim is a turn of the conversation like a question; `render_balance` is what stands below it, at whatever stage. The
papers have their numbers in the order in which they were read, so that none changes while more are read. Ids are as in
`ui.views.turn`: `tn-mk` the marker of paper k, `tn-ck` the sentence it leads to in the evidence column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag import Balance, Weighed, counted
from ui.markup import reference, text
from ui.views.prose import science

PAPERS_READ = 10
"""At most so many of the papers nearest to a claim are read: each takes the model about a second on two CPU cores."""

_LIMITS = (
    "A small model’s reading, and help for yours: of two papers, one for the claim and one that is not, the usual "
    "model picked the right one nine times in ten on a public set (SciFact), others fewer. Only abstracts near to the "
    "claim in words and meaning were read; one that says it in other words counts as silent. The sentences are the "
    "evidence, not these headings."
)


@dataclass(frozen=True, slots=True)
class Group:
    """How one stance is called: as a heading, on a footnote, by its sign, and by which verdict it is coloured."""

    stance: str
    heading: str
    said: str
    sign: str
    verdict: str


GROUPS = (
    Group("supports", "Supports it", "supports the claim", "✓", "supported"),
    Group("contradicts", "Contradicts it", "contradicts the claim", "✕", "unsupported"),
    Group("silent", "Read, and says neither", "says neither", "–", "silent"),
)


class Scales:
    """A Rag that weighs what it is asked, so that `ui.asking` can follow and stop it like an answer."""

    def __init__(self, rag: Any) -> None:
        self._rag = rag

    def stream(self, claim: str, **_options: Any) -> Any:
        """The balance on `claim` as it grows."""
        return self._rag.weighing(claim, PAPERS_READ)


def balance_line(balance: Balance) -> str:
    """`2 papers support it, 1 contradicts it, 86 of 89 are silent`."""
    pro, contra = len(balance.supporting), len(balance.contradicting)
    first = f"{counted(pro, 'paper')} {'supports' if pro == 1 else 'support'} it" if pro else "No paper supports it"
    second = f"{contra or 'none'} {'contradict' if contra > 1 else 'contradicts'} it"
    return f"{first}, {second}, {balance.silent:,} of {balance.among:,} are silent"


def progress_line(balance: Balance | None) -> str:
    """What is going on while a claim is weighed."""
    if balance is None:
        return "Looking for papers near to the claim…"
    return f"Reading paper {min(len(balance.papers) + 1, balance.near)} of {balance.near}…"


def stopped_line(balance: Balance | None) -> str:
    """What is said of a claim whose weighing was stopped."""
    if balance is None:
        return "Stopped before any paper was read."
    return f"Stopped after {len(balance.papers)} of the {counted(balance.near, 'paper')} to read."


def render_balance(number: int, balance: Balance | None, stage: str) -> str:
    """The groups with their papers; while papers are still read, or where that was stopped, those read so far."""
    if stage == "stopped":
        label = f'<p class="fn-label">{text(stopped_line(balance))}</p>'
    elif stage != "done":
        busy = '<span class="fn-busy" aria-hidden="true"></span>'
        label = f'<p class="fn-label">{busy}{text(progress_line(balance))}</p>'
    else:
        assert balance is not None
        label = f'<p class="fn-grounding fn-weighed">{text(balance_line(balance))}</p>'
    if balance is None:
        return f'<div class="fn-draft">{label}</div>'
    is_done = stage == "done"
    groups = "".join(_group(number, balance, group, is_done=is_done) for group in GROUPS)
    rest = _unread(balance) + f'<p class="fn-notice">{_LIMITS}</p>' if is_done else ""
    return f'<div class="fn-balance{"" if is_done else " fn-draft"}">{label}{groups}{rest}</div>'


def _group(number: int, balance: Balance, group: Group, *, is_done: bool) -> str:
    """One group. An empty one is said when all is read; who says neither is folded."""
    items = "".join(
        _paper(number, place, one, group)
        for place, one in enumerate(balance.papers, start=1)
        if one.stance == group.stance
    )
    tally = sum(one.stance == group.stance for one in balance.papers)
    sign = f'<span aria-hidden="true">{group.sign}</span> '
    if group.stance == "silent":
        if not items:
            return ""
        return (
            f'<details class="fn-stance fn-stance-silent"><summary>{sign}{group.heading}: {counted(tally, "paper")}'
            f"</summary><ol>{items}</ol></details>"
        )
    if not items and not is_done:
        return ""
    inner = f"<ol>{items}</ol>" if items else ""
    return (
        f'<section class="fn-stance fn-stance-{group.stance}"><h3>{sign}{group.heading}: '
        f"{counted(tally, 'paper') if tally else 'no paper'}</h3>{inner}</section>"
    )


def _paper(number: int, place: int, one: Weighed, group: Group) -> str:
    best = one.evidence[0].sentence
    target = f"t{number}-c{place}"
    sure = "" if one.stance == "silent" else f"{round(100 * one.probability)} of 100 sure"
    reason = f"The model reads that it {group.said}, {sure}." if sure else "The model is not sure that it says either."
    year = f", {one.paper.year}" if one.paper.year else ""
    return (
        f'<li dir="auto"><p class="fn-paragraph">“{science(best.text)}”\u2060<sup class="fn-sup">'
        f'<a class="fn-marker fn-marker-{group.verdict}" id="t{number}-m{place}" href="#{target}" data-goto="{target}" '
        f'data-reason="{text(reason)}" data-quote="{text(best.text)}" data-paper="{text(one.paper.title)}" '
        f'aria-label="Footnote {place}, {group.said}: {text(one.paper.title)}">[{place}]</a></sup></p>'
        f'<p class="fn-source"><a href="#{target}" data-goto="{target}" '
        f'aria-label="Show in the abstract: {text(one.paper.title)}">{text(one.paper.title)}</a>'
        f"{text(year)}{f' · {sure}' if sure else ''}</p></li>"
    )


def _unread(balance: Balance) -> str:
    unread = balance.among - len(balance.papers)
    if unread <= 0:
        return ""
    one = "The other paper was" if unread == 1 else f"The other {unread:,} papers were"
    return f'<p class="fn-hint fn-unread">{one} not near enough to the claim to be read.</p>'


def balance_copy(balance: Balance) -> str:
    """The claim and what was found for it, as plain text with its references."""
    lines = [f"Claim: {balance.claim}", f"{balance_line(balance)}."]
    for group in GROUPS[:2]:
        for one in balance.papers:
            if one.stance == group.stance:
                lines += ["", f"{group.heading}: “{one.evidence[0].sentence.text}”", f"    {reference(one.paper)}"]
    return "\n".join(lines)


def render_weigh_offer(sentences: Sequence[str]) -> str:
    """Under an answer: its sentences, each to be weighed against the whole library; empty for none."""
    if not sentences:
        return ""
    rows = "".join(
        f'<li dir="auto"><button type="button" class="fn-link" data-weigh="{text(sentence)}">{text(sentence)}'
        "</button></li>"
        for sentence in sentences
    )
    return (
        '<details class="fn-offer"><summary>What else in the library speaks of this?</summary>'
        '<p class="fn-hint">A sentence is weighed as a claim: what supports it, what contradicts it.</p>'
        f"<ul>{rows}</ul></details>"
    )
