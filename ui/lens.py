"""How an answer came about, as safe HTML: the steps of `rag.Trace` in the order in which they happened. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rag import Answer, Claim, Ranked, Trace
from ui.claims import reason
from ui.evidence import bearing
from ui.markup import count, text

SHOWN_CANDIDATES = 12


def render_trace(trace: Trace) -> str:
    """Question, search, evidence, prompt, draft, checks, times."""
    answer = trace.answer
    steps = [
        ("The question", _question(answer)),
        ("The search", _search(trace)),
        ("Enough to answer?", _relevance(trace)),
        ("The evidence", _evidence(answer)),
        ("What the model was asked", _prompts(trace)),
        ("What the model wrote", _raw(answer)),
        ("The check", _checks(answer.claims)),
        ("Time taken", _times(answer)),
    ]
    return "".join(f'<section class="fn-step"><h3>{title}</h3>{body}</section>' for title, body in steps)


def _question(answer: Answer) -> str:
    asked = f'<p dir="auto">{text(answer.question)}</p>'
    if answer.standalone_question in ("", answer.question):
        return f'{asked}<p class="fn-hint">It stands by itself and was searched for as it is.</p>'
    return (
        f'{asked}<p class="fn-hint">Made to stand by itself with the questions before it:</p>'
        f'<p dir="auto">{text(answer.standalone_question)}</p>'
    )


def _search(trace: Trace) -> str:
    found = {hit.paper.id for hit in trace.answer.hits}
    rows = "".join(_candidate(c, is_kept=c.paper.id in found) for c in trace.candidates[:SHOWN_CANDIDATES])
    more = len(trace.candidates) - SHOWN_CANDIDATES
    rest = f'<p class="fn-hint">{count(more, "further paper")} further down.</p>' if more > 0 else ""
    return (
        '<p class="fn-hint">Two rankings, by meaning (cosine of vectors) and by words (BM25), become one by their '
        "ranks. Papers in bold were taken up.</p>"
        '<div class="fn-wide" role="region" aria-label="Papers considered" tabindex="0"><table><thead><tr>'
        '<th scope="col">Rank</th><th scope="col">Paper</th><th scope="col">By meaning</th>'
        f'<th scope="col">By words</th><th scope="col">Together</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _candidate(candidate: Ranked, *, is_kept: bool) -> str:
    title = text(candidate.paper.title)
    named = f"<strong>{title}</strong>" if is_kept else title
    return (
        f'<tr><td>{candidate.rank}</td><td dir="auto">{named}</td>'
        f"<td>{_place(candidate.dense_rank, candidate.similarity)}</td>"
        f"<td>{_place(candidate.keyword_rank, candidate.keyword_score)}</td><td>{candidate.score:.3f}</td></tr>"
    )


def _place(rank: int | None, score: float | None) -> str:
    return "–" if rank is None or score is None else f"{rank}. ({score:.2f})"


def _relevance(trace: Trace) -> str:
    if trace.answer.surveyed:
        return f"<p>Asked of the whole library: all {trace.answer.surveyed:,} papers were gone through.</p>"
    enough = trace.relevance >= trace.abstain_below
    outcome = "so the evidence was read" if enough else "so the question was declined"
    declined = trace.answer.status == "abstained"
    why = " The model then judged that the evidence does not state the answer." if enough and declined else ""
    return (
        f"<p>The papers found bear on the question {bearing(trace.relevance)} ({trace.relevance:.2f} of 1; "
        f"{trace.abstain_below:.2f} is needed), {outcome}.{why}</p>"
    )


def _evidence(answer: Answer) -> str:
    if not answer.evidence:
        return '<p class="fn-hint">None was taken up.</p>'
    lines = "".join(
        f'<li value="{item.number}"><span dir="auto">{text(item.sentence.text)}</span> '
        f'<span class="fn-facts">{text(item.paper.title)} · {item.score:.2f}</span></li>'
        for item in answer.evidence
    )
    return f'<ol class="fn-numbered">{lines}</ol>'


def _prompts(trace: Trace) -> str:
    prompts = trace.prompts
    if trace.answer.surveyed and trace.answer.raw_text:
        return '<p class="fn-hint">Of each paper that may fit: whether its evidence says that it does.</p>'
    if not prompts:
        return '<p class="fn-hint">The model was not asked.</p>'
    blocks = (f'<h4>{text(role)}</h4><pre dir="auto">{text(said)}</pre>' for prompt in prompts for role, said in prompt)
    return "".join(blocks)


def _raw(answer: Answer) -> str:
    if not answer.raw_text:
        return '<p class="fn-hint">Nothing.</p>'
    return f'<pre dir="auto">{text(answer.raw_text)}</pre>'


def _checks(claims: Iterable[Claim]) -> str:
    lines = "".join(
        f'<li><span dir="auto">{text(claim.text)}</span> <span class="fn-facts">{text(reason(claim))}</span></li>'
        for claim in claims
    )
    return f"<ol>{lines}</ol>" if lines else '<p class="fn-hint">There was nothing to check.</p>'


def _times(answer: Answer) -> str:
    words = {"evidence_s": "evidence", "first_token_s": "first words", "total_s": "checked answer"}
    steps = [f"{label} after {answer.timings[key]:.2f} s" for key, label in words.items() if key in answer.timings]
    made_by = [("Model", answer.model_id), ("Prompt", answer.prompt_id), ("Settings", answer.settings_id)]
    facts = "".join(f"<div><dt>{label}</dt><dd>{text(value)}</dd></div>" for label, value in made_by if value)
    return f'<p>{text(" · ".join(steps) or "Not measured.")}</p><dl class="fn-made-by">{facts}</dl>'
