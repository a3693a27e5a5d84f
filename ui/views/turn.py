"""A turn of the conversation as safe HTML: the question, and its answer at whatever stage it is.

Why not `gr.Chatbot`: footnote markers need ids that survive, links into the evidence column and a verdict on every
sentence, and a chatbot renders Markdown, which is one parser too many between a stranger's abstract and the page.
So a turn is written here, every piece of foreign text through `ui.markup`.

Pure: same turn, same HTML. Knows nothing of Gradio. The evidence column is `ui.views.evidence`.

Ids, with n the turn's number: `tn` the turn, `tn-mk` the first marker of footnote k, `tn-fk` its line under the
answer, `tn-ck` the cited sentence and `tn-pk` the paper in the evidence column.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag import Answer, counted
from ui.conversations.conversation import Turn, without_markers
from ui.conversations.examples import about, better_questions
from ui.markup import ordinal, reference, text
from ui.views.claims import VERDICT_WORDS, render_claims
from ui.views.evidence import paper_order, target_of
from ui.views.layout import set_draft
from ui.views.prose import science
from ui.views.weighing import (
    balance_copy,
    balance_line,
    progress_line,
    render_balance,
    render_weigh_offer,
    stopped_line,
)

DRAFT_LABEL = "Draft, not checked yet"
STOPPED_LABEL = "Stopped before it was checked."
CUT_LABEL = "Stopped; what was written so far, checked."
ABSTAINED_LABEL = "The library does not say"
_BETTER_QUESTIONS = 2


def render_turn(turn: Turn) -> str:
    """The whole turn: question, understood question, and answer, draft, abstention or error."""
    name = "Claim" if turn.kind == "claim" else "Question"
    label = '<p class="fn-label fn-kind">A claim, weighed against the library</p>' if turn.kind == "claim" else ""
    return (
        f'<article class="fn-turn" id="t{turn.number}" data-stage="{turn.stage}" aria-label="{name} {turn.number}">'
        f'{label}<h2 class="fn-question" dir="auto">{text(turn.question)}</h2>{_corrections(turn)}'
        f"{_body(turn)}</article>"
    )


def _corrections(turn: Turn) -> str:
    """How the question was understood, and the ways to put it differently; `sheets.js` opens a form for each."""
    understood = turn.standalone_question
    said = (
        f'<span class="fn-understood">{"Asked as" if turn.restated else "Understood as"}: '
        f'<span class="fn-standalone" dir="auto">{text(understood)}</span></span> '
        if understood
        else ""
    )
    if turn.running:
        return f'<p class="fn-corrections">{said}</p>' if said else ""
    number = turn.number
    correct = f'<button type="button" data-restate="{number}">Correct this</button>' if understood else ""
    edit = (
        f'<button type="button" data-edit="{number}" aria-label="Edit {turn.kind} {number}">Edit {turn.kind}</button>'
    )
    return f'<p class="fn-corrections">{said}{correct}{edit}{_versions(turn)}</p>'


def _versions(turn: Turn) -> str:
    """The way between the versions of the conversation from this turn on; empty where there is one."""
    if not turn.versions:
        return ""
    last = len(turn.versions)

    def button(sign: str, label: str, version: int) -> str:
        off = "" if 0 <= version <= last else " disabled"
        return (
            f'<button type="button" data-turn="{turn.number}" data-version="{version}" aria-label="{label}"{off}>'
            f"{sign}</button>"
        )

    return (
        f'<span class="fn-versions" role="group" aria-label="Versions from {turn.kind} {turn.number} on">'
        f"{button('‹', 'Version before', turn.version - 1)}<span>{turn.version + 1} of {last + 1}</span>"
        f"{button('›', 'Next version', turn.version + 1)}</span>"
    )


def render_turns(turns: Sequence[Turn]) -> str:
    """Several turns, oldest first; empty for none."""
    return "".join(render_turn(turn) for turn in turns)


def status_line(turn: Turn | None) -> str:
    """What is going on, in one sentence, for the line that screen readers follow; empty for None."""
    if turn is None:
        return ""
    if turn.stage == "waiting" and turn.ahead:
        return f"{ordinal(turn.ahead + 1)} in the queue…"
    if turn.kind == "claim" and turn.stage != "failed":
        return _weighing_line(turn)
    if turn.stage == "waiting":
        return "Looking for evidence…"
    if turn.stage in ("reading", "drafting") and turn.found is not None:
        papers = len({item.paper.id for item in turn.found.evidence})
        return f"Reading {counted(len(turn.found.evidence), 'sentence')} from {counted(papers, 'paper')}…"
    if turn.stage == "stopped" and turn.answer is not None:
        return f"{CUT_LABEL} {grounding_line(turn.answer)}."
    if turn.stage == "done" and turn.answer is not None:
        abstained = turn.answer.status == "abstained"
        return f"{ABSTAINED_LABEL}." if abstained else f"Answered. {grounding_line(turn.answer)}."
    return {"stopped": STOPPED_LABEL, "failed": f"Not answered. {turn.problem}"}.get(turn.stage, "Drafting…")


def _weighing_line(turn: Turn) -> str:
    if turn.stage == "stopped":
        return stopped_line(turn.balance)
    if turn.stage == "done" and turn.balance is not None:
        return f"Weighed. {balance_line(turn.balance)}."
    return progress_line(turn.balance)


def render_status(turn: Turn | None) -> str:
    """The status line as HTML: seen while an answer is on its way; after that only heard, as the answer says it too."""
    if turn is None:
        return ""
    line = status_line(turn)
    return render_said(line) if turn.running else f'<span class="fn-heard">{text(line)}</span>'


def render_said(line: str) -> str:
    """A sentence for the status line that is seen as well as heard."""
    return f'<span class="fn-said">{text(line)}</span>'


def grounding_line(answer: Answer) -> str:
    """What the answer rests on: `2 sentences, all supported by 1 paper`. Empty without claims."""
    claims = answer.claims
    if not claims:
        return ""
    papers = counted(len({c.paper.id for claim in claims for c in claim.citations}), "paper")
    total = counted(len(claims), "sentence")
    if all(claim.is_quote for claim in claims):
        doubted = sum(bool(claim.doubt) for claim in claims)
        return f"{total}, quoted from {papers}" + (f"; {doubted} may not fit" if doubted else "")
    tally = {verdict: sum(claim.verdict == verdict for claim in claims) for verdict in VERDICT_WORDS}
    if tally["supported"] == len(claims):
        return f"{total}, {'all ' if len(claims) > 1 else ''}supported by {papers}"
    parts = [f"{number} {VERDICT_WORDS[verdict]}" for verdict, number in tally.items() if number]
    return f"{total} from {papers}: {', '.join(parts)}"


def _body(turn: Turn) -> str:
    if turn.stage == "failed":
        return (
            '<div class="fn-box fn-error"><h3>This could not be answered</h3>'
            f"{_paragraph(turn.problem)}{_paragraph(turn.remedy)}</div>"
        )
    if turn.kind == "claim":
        return _weighed(turn)
    if turn.answer is not None:
        body = _abstention(turn) if turn.answer.status == "abstained" else _answer(turn.number, turn.answer)
        return _open_evidence(turn) + body + _actions(turn, turn.answer) + _timings(turn.answer)
    return _open_evidence(turn) + _unfinished(turn)


def _weighed(turn: Turn) -> str:
    if turn.stage == "waiting" and turn.ahead:
        return _unfinished(turn)
    if turn.balance is None:
        return render_balance(turn.number, None, turn.stage)
    copied = (
        f'<button type="button" data-copy="{text(balance_copy(turn.balance))}">Copy with references</button>'
        if turn.stage == "done"
        else ""
    )
    actions = (
        f'<div class="fn-actions" role="group" aria-label="Claim {turn.number}">{copied}'
        f'<button type="button" data-lens="{turn.number}">How this came about</button></div>'
    )
    shown = _open_evidence(turn) + render_balance(turn.number, turn.balance, turn.stage)
    return shown if turn.running else shown + actions


def _unfinished(turn: Turn) -> str:
    """Waiting, reading, drafting or stopped. The draft's own markers are left out: they number the evidence."""
    draft = without_markers(turn.draft).strip()
    words = set_draft(draft)
    if turn.stage == "stopped":
        label = STOPPED_LABEL if draft else "Stopped before anything was written."
        return f'<div class="fn-draft fn-stopped"><p class="fn-label">{label}</p>{words}</div>'
    label = DRAFT_LABEL if draft else status_line(turn)
    return (
        f'<div class="fn-draft"><p class="fn-label"><span class="fn-busy" aria-hidden="true"></span>{text(label)}</p>'
        f"{words}</div>"
    )


def _answer(number: int, answer: Answer) -> str:
    grounding = grounding_line(answer)
    sound = all(claim.verdict == "supported" for claim in answer.claims)
    sign, tone = ("✓", "fn-sound") if sound else ("≈", "fn-unsure")
    line = f'<p class="fn-grounding {tone}"><span aria-hidden="true">{sign}</span> {text(grounding)}</p>'
    head = line if grounding else ""
    notice = f'<p class="fn-notice" dir="auto">{text(answer.notice)}</p>' if answer.notice else ""
    return f'<div class="fn-answer">{head}{render_claims(number, answer)}{notice}{_footnotes(number, answer)}</div>'


def _footnotes(number: int, answer: Answer) -> str:
    if not answer.citations:
        return ""
    lines = []
    for citation in answer.citations:
        target = target_of(number, answer, citation)
        year = f", {citation.paper.year}" if citation.paper.year else ""
        lines.append(
            f'<li id="t{number}-f{citation.marker}" dir="auto"><span class="fn-number">{citation.marker}</span>'
            f'<div><q class="fn-verbatim">{science(citation.quote)}</q> '
            f'<p class="fn-source"><a href="#{target}" data-goto="{target}" '
            f'aria-label="Show in the abstract: {text(citation.paper.title)}">{science(citation.paper.title)}</a>'
            f"{text(year)}</p></div></li>"
        )
    return (
        f'<section class="fn-footnotes" aria-label="Footnotes"><h3 class="fn-label">Footnotes</h3>'
        f"<ol>{''.join(lines)}</ol></section>"
    )


def _abstention(turn: Turn) -> str:
    answer = turn.answer
    assert answer is not None
    said = without_markers(answer.text).strip()
    if said.startswith(ABSTAINED_LABEL):  # the stock sentence, which the box says by its heading and its list
        said = ""
    notice = f'<p class="fn-notice" dir="auto">{text(answer.notice)}</p>' if answer.notice else ""
    papers = paper_order(answer)
    nearest = "".join(
        f'<li dir="auto"><a href="#t{turn.number}-p{place}" data-goto="t{turn.number}-p{place}">'
        f"{science(paper.title)}</a>"
        f"{f', {paper.year}' if paper.year else ''} "
        f'<button type="button" class="fn-link" data-ask="{text(about(paper))}" '
        f'aria-label="Ask about {text(paper.title)}">Ask about it</button></li>'
        for place, paper in enumerate(papers, start=1)
    )
    listed = f'<h4 class="fn-label">Nearest papers</h4><ul>{nearest}</ul>' if nearest else ""
    better = "".join(
        f'<li><button type="button" class="fn-link" data-ask="{text(question)}">{text(question)}</button></li>'
        for question in better_questions(turn.asked, papers, _BETTER_QUESTIONS)
    )
    instead = f'<h4 class="fn-label">Questions they do answer</h4><ul>{better}</ul>' if better else ""
    return (
        f'<div class="fn-box fn-abstained"><h3>{ABSTAINED_LABEL}</h3>{_paragraph(said)}{notice}{listed}{instead}</div>'
    )


def _paragraph(words: str) -> str:
    return f'<p dir="auto">{text(words)}</p>' if words else ""


def _actions(turn: Turn, answer: Answer) -> str:
    """What can be done with a finished answer. `sheets.js` copies, and tells the server of the rest."""
    number = turn.number
    opinions = "".join(
        f'<button type="button" data-opinion="{key}" data-turn="{number}" '
        f'aria-pressed="{"true" if turn.opinion == key else "false"}">{label}</button>'
        for key, label in OPINIONS.items()
        if answer.citations or key != "wrong source"
    )
    return (
        f'<div class="fn-actions" role="group" aria-label="Answer {number}">'
        f'<button type="button" data-copy="{text(plain_copy(answer))}">Copy</button>'
        f'<button type="button" data-copy="{text(copy_with_references(answer))}">Copy with references</button>'
        f'<button type="button" data-lens="{number}">How this came about</button>'
        f'<span class="fn-opinions" role="group" aria-label="Was this right?">{opinions}</span></div>'
        + render_weigh_offer([] if answer.surveyed else [claim.text for claim in answer.claims])
    )


OPINIONS = {"up": "Good answer", "down": "Bad answer", "wrong source": "Wrong source"}


def plain_copy(answer: Answer) -> str:
    """The answer as it reads without footnotes."""
    return without_markers(answer.text).strip()


def copy_with_references(answer: Answer) -> str:
    """The answer with its markers, then each footnote with its quote and paper."""
    lines = [answer.text.strip()]
    for citation in answer.citations:
        lines += ["", f"[{citation.marker}] “{citation.quote}”", f"    {reference(citation.paper)}"]
    return "\n".join(lines)


def _open_evidence(turn: Turn) -> str:
    """The way into the evidence on a narrow screen, where it lies behind the conversation.

    It stands before what grows, so that it stays where it is.
    """
    if turn.found is None and turn.answer is None and turn.balance is None:
        return ""
    key = f"t{turn.number}-evidence"
    return f'<p class="fn-open"><a class="fn-chip" href="#{key}" data-goto="{key}">Show the evidence</a></p>'


def _timings(answer: Answer) -> str:
    words = {"evidence_s": "evidence after", "first_token_s": "first words after", "total_s": "checked after"}
    parts = [f"{label} {answer.timings[key]:.1f} s" for key, label in words.items() if key in answer.timings]
    return f'<p class="fn-timings">{text(" · ".join(parts))}</p>' if parts else ""
