"""The claims of an answer as safe HTML: sentences and lists with footnotes, quotations, and why each is so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag import Answer, Citation, Claim
from ui.conversations.conversation import without_markers
from ui.markup import text
from ui.views.evidence import target_of
from ui.views.layout import Kind, Layout, Line, Listed, cells_of, code_of, item_of, list_of, table_of, without_heading
from ui.views.prose import prose, science

VERDICT_WORDS = {"supported": "supported", "partly": "partly supported", "unsupported": "not supported"}


def render_claims(number: int, answer: Answer) -> str:
    """The sentences of an answer in paragraphs and in the lists that the model wrote.

    A quotation is a block of its own; each of several papers has its name above.
    """
    if not answer.claims:
        return f'<p class="fn-paragraph" dir="auto">{text(answer.text)}</p>'
    return _Page(number, answer).drawn()


@dataclass(frozen=True, slots=True)
class _Said:
    """Words of a claim, and the footnotes behind them."""

    claim: Claim
    words: str
    marks: str = ""

    @property
    def html(self) -> str:
        return _sentence(self.claim, prose(self.words)) + self.marks


class _Page:
    """Sets one claim after another; what belongs together waits in `_open` until something else comes."""

    def __init__(self, number: int, answer: Answer) -> None:
        self._number = number
        self._answer = answer
        self._layout = Layout(answer)
        self._blocks = [_surveyed(answer)] if answer.surveyed else []
        self._kind: Kind = "text"
        self._open: list[tuple[Line, list[_Said]]] = []
        self._seen: set[int] = set()

    def drawn(self) -> str:
        """The whole answer."""
        for claim in self._answer.claims:
            if claim.subject:
                self._finish()
                self._blocks.append(f'<h4 class="fn-subject" dir="auto">{text(claim.subject)}</h4>')
            if claim.is_quote:
                self._finish()
                self._blocks.append(_quotation(self._number, self._answer, claim, self._seen))
            elif listed := self._layout.listed(claim):
                self._add_listed(claim, listed)
            else:
                line = self._layout.line(claim) or _NOWHERE
                words = without_heading(claim.text) if line.kind == "heading" else claim.text
                self._add(line, _Said(claim, words, self._marks(claim)))
        self._finish()
        return "".join(self._blocks)

    def _marks(self, claim: Claim) -> str:
        """The footnotes behind a claim, and its verdict in words where it is not simply supported."""
        marks = _markers(self._number, self._answer, claim, self._seen)
        if claim.verdict == "supported":
            return marks
        why = f'<button type="button" class="fn-verdict fn-why" data-reason="{text(reason(claim))}">'
        return f"{marks} {why}{text(VERDICT_WORDS[claim.verdict])}</button>"

    def _add(self, line: Line, sentence: _Said) -> None:
        """A sentence where it stood: behind the one before, or as an item, or as a block of its own."""
        before = self._open[-1][0] if self._open else None
        same_paragraph = line is _NOWHERE or before is _NOWHERE or before is None or before.paragraph == line.paragraph
        in_blocks = line.kind in ("text", "code", "row")
        if line.kind != self._kind or line.kind == "heading" or (in_blocks and not same_paragraph):
            self._finish()
        self._kind = line.kind
        if self._open and (line.kind == "text" or before is line):
            self._open[-1] = (line, [*self._open[-1][1], sentence])
        else:
            self._open.append((line, [sentence]))

    def _add_listed(self, claim: Claim, listed: Listed) -> None:
        """A list that was checked as one: its lead ends the paragraph, the footnotes stand behind its last item."""
        self._add(_NOWHERE, _Said(claim, listed.lead))
        self._finish()
        last = listed.items[-1]
        for item in listed.items:
            self._add(item, _Said(claim, item.words, self._marks(claim) if item is last else ""))
        self._finish()

    def _finish(self) -> None:
        if self._open and self._kind in ("text", "heading"):
            said = " ".join(sentence.html for _, sentences in self._open for sentence in sentences)
            tag, looks = ("h4", "fn-subject") if self._kind == "heading" else ("p", "fn-paragraph")
            self._blocks.append(f'<{tag} class="{looks}" dir="auto">{said}</{tag}>')
        elif self._open and self._kind == "code":
            self._blocks.append(code_of([_code(line, said) for line, said in self._open], "fn-paragraph"))
        elif self._open and self._kind == "row":
            rows = [(line.is_head, _cells(said)) for line, said in self._open]
            self._blocks.append(table_of(rows, "fn-paragraph"))
        elif self._open:
            items = "".join(item_of(line, " ".join(one.html for one in said)) for line, said in self._open)
            self._blocks.append(list_of(self._kind, items, "fn-paragraph"))
        self._open = []


def _code(line: Line, said: Sequence[_Said]) -> str:
    """A line of code as the model wrote it where all of it was checked, else what was."""
    if len(said) == 1 and said[0].words.split() == without_markers(line.words).split():
        said = [replace(said[0], words=line.words)]
    return " ".join(_sentence(one.claim, text(one.words)) + one.marks for one in said)


def _cells(said: Sequence[_Said]) -> list[str]:
    """The cells of a row, whose sentences may have been checked one by one; the footnotes stand in the last."""
    cells = cells_of(" ".join(one.words for one in said))
    worst = min(said, key=lambda one: _VERDICTS.index(one.claim.verdict)).claim
    set_cells = [_sentence(worst, prose(cell)) for cell in cells] or [""]
    return [*set_cells[:-1], set_cells[-1] + "".join(one.marks for one in said)]


_VERDICTS = ("unsupported", "partly", "supported")
_NOWHERE = Line("text", "")
"""Where a sentence goes that the model did not write so, such as one written anew: on in the paragraph."""


def _surveyed(answer: Answer) -> str:
    """Above a list of papers: how many of how many, as `answer.text` begins."""
    return f'<p class="fn-paragraph" dir="auto">{text(answer.text.partition(chr(10))[0])}</p>'


def _sentence(claim: Claim, inner: str) -> str:
    looks = "" if claim.verdict == "supported" else f" fn-{claim.verdict}"
    return f'<span class="fn-claim{looks}">{inner}</span>'


def _quotation(number: int, answer: Answer, claim: Claim, seen: set[int]) -> str:
    return (
        f'<blockquote class="fn-quote" dir="auto"><p>“{science(claim.text)}”{_markers(number, answer, claim, seen)}</p>'
        '<footer class="fn-verdict">quoted from the abstract</footer></blockquote>'
    )


def _markers(number: int, answer: Answer, claim: Claim, seen: set[int]) -> str:
    marks = "".join(_marker(number, answer, claim, citation, seen) for citation in claim.citations)
    return f"\u2060{marks}" if marks else ""  # a word joiner: no marker begins a line


_SIGNS = {"supported": "", "partly": "\u2009≈", "unsupported": "\u2009✕"}


def _marker(number: int, answer: Answer, claim: Claim, citation: Citation, seen: set[int]) -> str:
    """A marker is a link to the cited sentence; its first occurrence has the id that back links lead to.

    Colour and a sign show the verdict; the reason and the quote are shown by `sheets.js` on hover and focus.
    """
    own_id = "" if citation.marker in seen else f' id="t{number}-m{citation.marker}"'
    seen.add(citation.marker)
    target = target_of(number, answer, citation)
    words = VERDICT_WORDS[claim.verdict]
    return (
        f'<sup class="fn-sup"><a class="fn-marker fn-marker-{claim.verdict}"{own_id} href="#{target}" '
        f'data-goto="{target}" data-reason="{text(reason(claim))}" data-quote="{text(citation.quote)}" '
        f'data-paper="{text(citation.paper.title)}" '
        f'aria-label="Footnote {citation.marker}, {words}: {text(citation.paper.title)}">'
        f"[{citation.marker}{_SIGNS[claim.verdict]}]</a></sup>"
    )


def reason(claim: Claim) -> str:
    """Why a sentence has its verdict, in words."""
    if claim.is_quote:
        said = "Quoted: these are the abstract’s own words"
        return f"{said}, but {claim.doubt}." if claim.doubt else f"{said}."
    several = len(claim.citations) > 1
    cited = "the cited sentences" if several else "the cited sentence"
    if claim.verdict == "supported":
        return f"Supported: {cited} {'say' if several else 'says'} this ({_percent(claim.score)})."
    if claim.verdict == "partly":
        if claim.doubt:
            return f"Partly supported: {claim.doubt}. Compare it with {cited}."
        return f"Partly supported: {cited} {'say' if several else 'says'} some of this ({_percent(claim.score)})."
    return f"Not supported: {cited} {'do' if several else 'does'} not say this ({_percent(claim.score)})."


def _percent(score: float) -> str:
    return f"{round(100 * score)} of 100"
