"""The evidence column as safe HTML: what an answer rests on, in the abstracts themselves.

Before the answer: the papers found, with the sentences that the model is reading. After it: the cited papers with
the cited sentences highlighted, and what was found but not cited folded below. Pure; knows nothing of Gradio.
The ids are explained in `ui.views.turn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag import Answer, Balance, Citation, EvidenceFound, Paper, counted
from ui.conversations.conversation import Turn
from ui.markup import facts_line, ordinal, text
from ui.views.prose import science


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an abstract to highlight: `abstract[start:end]`. `marker` is the footnote it belongs to, if any."""

    id: str
    start: int
    end: int
    marker: int | None = None

    def fits(self, length: int) -> bool:
        """Whether it lies within a text of this many characters and is not empty."""
        return 0 <= self.start < self.end <= length


def render_evidence(turn: Turn | None, *, shown: bool = True) -> str:
    """The evidence of one turn; a hint for None. `shown=False` keeps it at hand for a click on an older marker."""
    if turn is None:
        return _KEY
    key = f"t{turn.number}-evidence"
    hidden = "" if shown else " hidden"
    if turn.balance is not None:
        title, body = _weighed(turn.number, turn.balance)
    elif turn.answer is not None:
        title, body = _after(turn.number, turn.answer)
    elif turn.found is not None:
        title, body = _before(turn)
    else:
        title, body = "Evidence", f'<p class="fn-hint">{_while_there_is_none(turn)}</p>'
    return (
        f'<section class="fn-sources" id="{key}" aria-labelledby="{key}-title" tabindex="-1"{hidden}>'
        f'<h2 class="fn-sources-title" id="{key}-title">{text(title)}</h2>{body}</section>'
    )


_KEY = (
    '<section class="fn-key" aria-labelledby="fn-key-title">'
    '<h2 class="fn-sources-title" id="fn-key-title">How to read an answer</h2><dl>'
    '<div><dt><span class="fn-sup">[1]</span></dt><dd>leads to the exact sentence of the abstract, highlighted '
    "here.</dd></div>"
    '<div><dt><span class="fn-sup fn-marker-partly">[2\u2009≈]</span></dt><dd>under a dotted line: the abstract '
    "supports the sentence only in part. Point at a footnote, or move to it with Tab, to read why.</dd></div>"
    '<div><dt class="fn-grounding fn-sound">✓</dt><dd>above an answer means that every sentence was checked and is '
    "supported.</dd></div></dl>"
    '<p class="fn-hint">The evidence appears here first; the answer follows it.</p></section>'
)


def render_past_evidence(turns: Iterable[Turn]) -> str:
    """The evidence of older turns, hidden until one of their markers is followed."""
    return "".join(render_evidence(turn, shown=False) for turn in turns if turn.found or turn.answer or turn.balance)


def paper_order(answer: Answer) -> list[Paper]:
    """Every paper of the answer once: the cited ones in the order of their footnotes, then what else was found."""
    papers = [citation.paper for citation in answer.citations]
    papers += [citation.paper for claim in answer.claims for citation in claim.citations]
    papers += [item.paper for item in answer.evidence]
    papers += [hit.paper for hit in answer.hits]
    return list({paper.id: paper for paper in papers}.values())


def target_of(number: int, answer: Answer, citation: Citation) -> str:
    """The id that a marker leads to: the cited sentence, or its paper if the offsets do not fit the abstract."""
    if Span("", citation.start, citation.end).fits(len(citation.paper.abstract)):
        return f"t{number}-c{citation.marker}"
    place = 1 + [paper.id for paper in paper_order(answer)].index(citation.paper.id)
    return f"t{number}-p{place}"


def highlight(abstract: str, spans: Sequence[Span]) -> str:
    """The abstract as HTML with every span in `<mark>`, exact to the character, however they overlap.

    The text is cut where a span starts or ends; each piece names in `data-cites` all spans that cover it, and the
    first piece of a span carries its id. Spans that do not fit are left out; an empty abstract gives "".
    """
    kept = list({span.id: span for span in spans if span.fits(len(abstract))}.values())
    cuts = sorted({0, len(abstract), *(span.start for span in kept), *(span.end for span in kept)})
    return "".join(_piece(abstract, start, end, kept) for start, end in pairwise(cuts))


def _piece(abstract: str, start: int, end: int, spans: Sequence[Span]) -> str:
    covering = [span for span in spans if span.start <= start and end <= span.end]
    words = science(abstract[start:end])
    if not covering:
        return words
    ids = [span.id for span in covering if span.start == start]
    own_id = f' id="{ids[0]}"' if ids else ""
    anchors = "".join(f'<span id="{other}"></span>' for other in ids[1:])
    cites = " ".join(span.id for span in covering)
    back = "".join(_back(span) for span in covering if span.end == end and span.marker is not None)
    return f'<mark{own_id} class="fn-mark" data-cites="{cites}" tabindex="-1">{anchors}{words}</mark>{back}'


def _back(span: Span) -> str:
    turn = span.id.split("-")[0]
    return (
        f'<sup class="fn-sup"><a class="fn-back" href="#{turn}-m{span.marker}" data-back="{turn}-m{span.marker}" '
        f'aria-label="Back to footnote {span.marker} in the answer">{span.marker}\u00a0↩</a></sup>'
    )


def _while_there_is_none(turn: Turn) -> str:
    return "Looking for evidence…" if turn.running else "Nothing was looked up for this question."


def _before(turn: Turn) -> tuple[str, str]:
    """What the model is reading; also what stays when it was stopped or failed."""
    found = turn.found
    assert found is not None
    papers = _found_papers(found)
    spans: dict[str, list[Span]] = {}
    for item in found.evidence:
        span = Span(f"t{turn.number}-e{item.number}", item.sentence.start, item.sentence.end)
        spans.setdefault(item.paper.id, []).append(span)
    read = [paper for paper in papers if paper.id in spans]
    standing = _standings(found)
    cards = "".join(
        _card(f"t{turn.number}-p{place}", paper, spans[paper.id], standing) for place, paper in enumerate(read, start=1)
    )
    rest = [paper for paper in papers if paper.id not in spans]
    title = f"{'Reading' if turn.running else 'Found'} {counted(len(found.evidence), 'sentence')}"
    return title, cards + _folded("Also found", turn.number, rest, len(read), standing)


def _found_papers(found: EvidenceFound) -> list[Paper]:
    papers = [item.paper for item in found.evidence] + [hit.paper for hit in found.hits]
    return list({paper.id: paper for paper in papers}.values())


def _after(number: int, answer: Answer) -> tuple[str, str]:
    citations = {c.marker: c for c in (*(c for claim in answer.claims for c in claim.citations), *answer.citations)}
    spans: dict[str, list[Span]] = {}
    for marker, citation in sorted(citations.items()):
        span = Span(f"t{number}-c{marker}", citation.start, citation.end, marker)
        spans.setdefault(citation.paper.id, []).append(span)
    papers = paper_order(answer)
    standing = _standings(answer)
    cards = "".join(
        _card(f"t{number}-p{place}", paper, spans[paper.id], standing)
        for place, paper in enumerate(papers, start=1)
        if paper.id in spans
    )
    rest = [paper for paper in papers if paper.id not in spans]
    cited = len(papers) - len(rest)
    if not cited:
        hint = "" if rest else '<p class="fn-hint">Nothing in the library came near.</p>'
        return "Nearest papers", hint + _folded("", number, rest, 0, standing)
    return f"{counted(cited, 'paper')} cited", cards + _folded("Found but not cited", number, rest, cited, standing)


def _weighed(number: int, balance: Balance) -> tuple[str, str]:
    """The papers read for a claim, in the order in which they were read; the sentence that bears most is marked."""
    cards = ""
    for place, one in enumerate(balance.papers, start=1):
        spans = [
            Span(f"t{number}-e{place}-{rank}", item.sentence.start, item.sentence.end)
            if rank
            else Span(f"t{number}-c{place}", item.sentence.start, item.sentence.end, place)
            for rank, item in enumerate(one.evidence)
        ]
        sure = "" if one.stance == "silent" else f", {one.probability:.2f} of 1"
        said = {one.paper.id: f"{_STANCES[one.stance]}{sure}"}
        cards += _card(f"t{number}-p{place}", one.paper, spans, said)
    hint = "" if cards else '<p class="fn-hint">No paper is near enough to the claim to be read.</p>'
    return f"{counted(len(balance.papers), 'paper')} read for this claim", hint + cards


_STANCES = {"supports": "supports the claim", "contradicts": "contradicts the claim", "silent": "says neither"}


def _standings(source: Answer | EvidenceFound) -> dict[str, str]:
    """What the scores of each paper say, in words, by its id."""
    best: dict[str, float] = {}
    for item in source.evidence:
        best[item.paper.id] = max(item.score, best.get(item.paper.id, 0.0))
    ranks = {hit.paper.id: hit.rank for hit in source.hits}
    said = {}
    for paper_id in {**ranks, **best}:
        parts = []
        if paper_id in ranks:
            parts.append(f"{ordinal(ranks[paper_id])} of {len(source.hits)} found")
        if paper_id in best:
            parts.append(f"bears on the question {bearing(best[paper_id])} ({best[paper_id]:.2f} of 1)")
        said[paper_id] = ", ".join(parts)
    return said


def bearing(score: float) -> str:
    """How well a sentence bears on a question, in a word; `score` in [0, 1]."""
    return next(word for least, word in _BEARINGS if score >= least)


_BEARINGS = ((0.75, "closely"), (0.5, "well"), (0.25, "somewhat"), (float("-inf"), "little"))


def _card(key: str, paper: Paper, spans: Sequence[Span], standing: Mapping[str, str]) -> str:
    return (
        f'<article class="fn-paper" id="{key}" tabindex="-1"><h3 dir="auto">{science(paper.title)}</h3>'
        f"{facts_line(paper)}{_standing(paper, standing)}"
        f'<p class="fn-abstract" dir="auto">{highlight(paper.abstract, spans)}</p></article>'
    )


def _standing(paper: Paper, standing: Mapping[str, str]) -> str:
    words = standing.get(paper.id)
    return f'<p class="fn-standing">{text(words[0].upper() + words[1:])}</p>' if words else ""


def _folded(label: str, number: int, papers: Sequence[Paper], places_taken: int, standing: Mapping[str, str]) -> str:
    """Papers that open on demand, under one fold if there is a label for it."""
    if not papers:
        return ""
    lines = "".join(
        f'<details class="fn-paper fn-folded" id="t{number}-p{place}" tabindex="-1">'
        f'<summary dir="auto">{science(paper.title)}</summary>{facts_line(paper)}{_standing(paper, standing)}'
        f'<p class="fn-abstract" dir="auto">{science(paper.abstract)}</p></details>'
        for place, paper in enumerate(papers, start=places_taken + 1)
    )
    if not label:
        return lines
    return (
        f'<details class="fn-rest"><summary>{text(label)} ({counted(len(papers), "paper")})</summary>{lines}</details>'
    )
