"""The few ways in which text from outside becomes HTML.

Whatever a title, an abstract, a question or a model says passes through `text` or `link_to`; nothing else on the
page is written from outside. Formulas and the Markdown of answers are set by `ui.views.prose` and `ui.views.layout`,
which make elements of their own choosing and pass every character through here.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from rag import Paper

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_AUTHORS_NAMED = 3
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\"'<>\\^`{|}]")


def text(value: object) -> str:
    """`value` as HTML that shows exactly these characters, fit for content and for quoted attributes.

    Lone surrogates become question marks (they could not be sent as JSON), control characters are left out.
    """
    sendable = str(value).encode("utf-8", "replace").decode("utf-8")
    return html.escape(_CONTROL.sub("", sendable), quote=True)


def web_address(url: str | None) -> str | None:
    """`url` if it is an absolute http or https address without odd characters, otherwise None."""
    if not url or _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def address_of(paper: Paper) -> str | None:
    """Where the paper can be read: its own address, or its DOI's."""
    from_doi = f"https://doi.org/{quote(paper.doi, safe='/():;.-_', errors='replace')}" if paper.doi else None
    return web_address(paper.url) or web_address(from_doi)


def reference(paper: Paper) -> str:
    """Authors, title, venue, year and address, as plain text."""
    facts = [", ".join(paper.authors), paper.title, paper.venue, paper.year, address_of(paper)]
    return ". ".join(str(fact) for fact in facts if fact)


def link_to(url: str, label: str, described_as: str) -> str:
    """An outward link in a new tab; `url` has passed `web_address`."""
    return (
        f'<a class="fn-out" href="{text(url)}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="{text(described_as)}">{text(label)}</a>'
    )


def known(paper: Paper) -> str:
    """Authors, year and venue of a paper, as far as they are known; empty if none is."""
    facts = []
    if paper.authors:
        more = " et al." if len(paper.authors) > _AUTHORS_NAMED else ""
        facts.append(", ".join(paper.authors[:_AUTHORS_NAMED]) + more)
    facts += [str(fact) for fact in (paper.year, paper.venue) if fact]
    return text(" · ".join(facts))


def facts_line(paper: Paper) -> str:
    """What is `known` of a paper and the link to it, as a line; empty if there is nothing."""
    facts = [known(paper)] if known(paper) else []
    address = address_of(paper)
    if address is not None:
        facts.append(link_to(address, "Open paper ↗", f"Open paper in a new tab: {paper.title}"))
    return f'<p class="fn-facts">{" · ".join(facts)}</p>' if facts else ""


def moment(at: float | str) -> str:
    """Seconds since 1970, or an ISO time, as a `<time>` in words, in UTC; what is no time is shown as it is."""
    try:
        when = datetime.fromtimestamp(at, UTC) if isinstance(at, (int, float)) else datetime.fromisoformat(at)
    except ValueError:
        return text(at)
    when = when.astimezone(UTC)
    return f'<time datetime="{when.isoformat(timespec="seconds")}">{when.day} {when:%B %Y, %H:%M} UTC</time>'


def render_problem(problem: str, remedy: str = "") -> str:
    """What went wrong, and what to do, in one of the tabs."""
    more = f" <span>{text(remedy)}</span>" if remedy else ""
    return f'<p class="fn-lib-error" role="alert" tabindex="-1">{text(problem)}{more}</p>'


def render_sure(label: str, said: str, go: tuple[str, str], keep: tuple[str, str]) -> str:
    """Asks before something goes; `go` and `keep` are (the button's attributes, its word)."""
    return (
        f'<div class="fn-lib-leave fn-lib-sure" role="alertdialog" aria-label="{text(label)}"><p>{text(said)}</p>'
        f'<button type="button" class="fn-chip fn-lib-danger" {go[0]}>{text(go[1])}</button>'
        f'<button type="button" class="fn-chip" {keep[0]}>{text(keep[1])}</button></div>'
    )


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th` …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"
