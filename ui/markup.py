"""The few ways in which text from outside becomes HTML.

Whatever a title, an abstract, a question or a model says passes through `text` or `link_to`; nothing else on the
page is written from outside. Markdown is deliberately not rendered: an answer is sentences with footnotes, so plain
paragraphs lose nothing, and what is never parsed can't be abused. Mathematics stays as it was written.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote, urlsplit

from rag import Paper

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
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


def link_to(url: str, label: str, described_as: str) -> str:
    """An outward link in a new tab; `url` has passed `web_address`."""
    return (
        f'<a class="fn-out" href="{text(url)}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="{text(described_as)}">{text(label)}</a>'
    )


def count(number: int, noun: str) -> str:
    """`1 paper`, `2 papers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th` …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"
