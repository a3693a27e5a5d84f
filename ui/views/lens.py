"""How an answer, or what was found for a claim, came about, as safe HTML: the steps of `rag.Trace` and
`rag.ClaimTrace` in the order in which they happened. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rag import Answer, Balance, Claim, ClaimTrace, Ranked, Trace, Weighed, counted
from ui.markup import text
from ui.views.claims import reason
from ui.views.evidence import bearing
from ui.views.weighing import GROUPS

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
        ("The check", _checks(answer.claims, trace.left_out)),
        ("Time taken", _times(answer)),
    ]
    return _steps(steps)


def render_claim_trace(trace: ClaimTrace) -> str:
    """Claim, search, what was read and what the model told of it, prompts, times."""
    balance = trace.balance
    read = "".join(map(_read, balance.papers)) or '<p class="fn-hint">No paper was near enough to be read.</p>'
    steps = [
        ("The claim", f'<p dir="auto">{text(balance.claim)}</p>'),
        ("The search", _claim_search(trace)),
        ("What was read, and what the model told of it", f"{_deciding(trace)}{read}"),
        ("What the model was asked", _claim_prompts(trace)),
        ("Time taken", _claim_times(balance)),
    ]
    return _steps(steps)


def _steps(steps: Iterable[tuple[str, str]]) -> str:
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
    with_answer = (
        '<p class="fn-hint">Searched for with the answer before it, whose paper it may mean:</p>'
        f'<p dir="auto">{text(trace.searched_for)}</p>'
        if trace.searched_for not in (trace.answer.question, trace.answer.standalone_question)
        else ""
    )
    ranked = f'<p class="fn-hint">{_RANKED} Papers in bold were taken up.</p>{_ranking(trace.candidates, found)}'
    return with_answer + ranked


_RANKED = "Two rankings, by meaning (cosine of vectors) and by words (BM25), become one by their ranks."


def _claim_search(trace: ClaimTrace) -> str:
    read = {one.paper.id for one in trace.balance.papers}
    return (
        f'<p class="fn-hint">{_RANKED} Of the nearest papers those are read, in bold, that hold at least '
        f"{trace.least_coverage:.2f} of the claim’s words, rare ones counting more.</p>"
        f"{_ranking(trace.candidates, read, trace.coverage)}"
    )


def _ranking(candidates: Sequence[Ranked], kept: Iterable[str], coverage: Mapping[str, float] | None = None) -> str:
    """The papers considered, those of the ids `kept` in bold; with `coverage` how much of a claim's words each has."""
    rows = "".join(_candidate(c, kept, coverage) for c in candidates[:SHOWN_CANDIDATES])
    more = len(candidates) - SHOWN_CANDIDATES
    rest = f'<p class="fn-hint">{counted(more, "further paper")} further down.</p>' if more > 0 else ""
    last = "" if coverage is None else '<th scope="col">Its words</th>'
    return (
        '<div class="fn-wide" role="region" aria-label="Papers considered" tabindex="0"><table><thead><tr>'
        '<th scope="col">Rank</th><th scope="col">Paper</th><th scope="col">By meaning</th>'
        f'<th scope="col">By words</th><th scope="col">Together</th>{last}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _candidate(candidate: Ranked, kept: Iterable[str], coverage: Mapping[str, float] | None) -> str:
    title = text(candidate.paper.title)
    named = f"<strong>{title}</strong>" if candidate.paper.id in kept else title
    last = "" if coverage is None else f"<td>{coverage.get(candidate.paper.id, 0.0):.2f}</td>"
    return (
        f'<tr><td>{candidate.rank}</td><td dir="auto">{named}</td>'
        f"<td>{_place(candidate.dense_rank, candidate.similarity)}</td>"
        f"<td>{_place(candidate.keyword_rank, candidate.keyword_score)}</td><td>{candidate.score:.3f}</td>{last}</tr>"
    )


def _place(rank: int | None, score: float | None) -> str:
    return "–" if rank is None or score is None else f"{rank}. ({score:.2f})"


def _relevance(trace: Trace) -> str:
    if trace.answer.surveyed:
        return f"<p>Asked of the whole library: all {trace.answer.surveyed:,} papers were gone through.</p>"
    enough = trace.relevance >= trace.abstain_below
    declined = trace.answer.status == "abstained"
    outcome = "so the evidence was read" if enough else "so the question was declined"
    if not (enough or declined):
        outcome = "but it names a paper or an abbreviation of theirs, so the evidence was read"
    why = " The model then judged that the evidence does not state the answer." if enough and declined else ""
    return (
        f"<p>The papers found bear on the question {bearing(trace.relevance)} ({trace.relevance:.2f} of 1; "
        f"{trace.abstain_below:.2f} is needed), {outcome}.{why}</p>"
    )


def _deciding(trace: ClaimTrace) -> str:
    return (
        f'<p class="fn-hint">A paper speaks for or against the claim where the model is sure of it, from '
        f"{trace.sure_from:.2f} of 1; for it only with the claim’s numbers. Otherwise it says neither.</p>"
    )


def _read(one: Weighed) -> str:
    """A paper's sentences with their scores, the probabilities, and what became of them."""
    lines = "".join(
        f'<li dir="auto">{text(item.sentence.text)} <span class="fn-facts">bears on the claim {bearing(item.score)} '
        f"({item.score:.2f})</span></li>"
        for item in one.evidence
    )
    names = ("supports it", "contradicts it", "says neither")
    told = " · ".join(f"{name} {share:.2f}" for name, share in zip(names, one.told, strict=False))
    said = next(group.said for group in GROUPS if group.stance == one.stance)
    took = f" · read in {one.read_s:.2f} s" if one.read_s else ""
    return (
        f'<h4 dir="auto">{text(one.paper.title)}</h4><ul>{lines}</ul>'
        f"<p>{told or f'{one.probability:.2f} of 1'} → <strong>{said}</strong>{took}</p>"
    )


def _claim_prompts(trace: ClaimTrace) -> str:
    if not trace.balance.papers:
        return '<p class="fn-hint">The model was not asked.</p>'
    return "".join(
        f'<details class="fn-asked"><summary dir="auto">{text(one.paper.title)}</summary>{_messages(prompt)}</details>'
        if prompt
        else f'<p class="fn-hint">{text(one.paper.title)}: its prompt is another one today.</p>'
        for one, prompt in zip(trace.balance.papers, trace.prompts, strict=True)
    )


def _messages(prompt: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<h4>{text(role)}</h4><pre dir="auto">{text(said)}</pre>' for role, said in prompt)


def _claim_times(balance: Balance) -> str:
    words = {"evidence_s": "papers found", "total_s": "last paper read"}
    return _times_of(words, balance.timings, [("Model", balance.model_id), ("Prompt", balance.prompt_id)])


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
    return "".join(map(_messages, prompts))


def _raw(answer: Answer) -> str:
    if not answer.raw_text:
        return '<p class="fn-hint">Nothing.</p>'
    return f'<pre dir="auto">{text(answer.raw_text)}</pre>'


def _checks(claims: Iterable[Claim], left_out: Iterable[tuple[str, str]]) -> str:
    shown = _reasoned((claim.text, reason(claim)) for claim in claims)
    left = _reasoned(left_out)
    if not shown and not left:
        return '<p class="fn-hint">There was nothing to check.</p>'
    aside = '<p class="fn-hint">What the model wrote and is not shown as it is:</p>' if left else ""
    return f"{shown}{aside}{left}"


def _reasoned(sentences: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f'<li><span dir="auto">{text(said)}</span> <span class="fn-facts">{text(why)}</span></li>'
        for said, why in sentences
    )
    return f"<ol>{lines}</ol>" if lines else ""


def _times(answer: Answer) -> str:
    words = {"evidence_s": "evidence", "first_token_s": "first words", "total_s": "checked answer"}
    made_by = [("Model", answer.model_id), ("Prompt", answer.prompt_id), ("Settings", answer.settings_id)]
    return _times_of(words, answer.timings, made_by)


def _times_of(words: Mapping[str, str], timings: Mapping[str, float], made_by: Iterable[tuple[str, str]]) -> str:
    steps = [f"{label} after {timings[key]:.2f} s" for key, label in words.items() if key in timings]
    facts = "".join(f"<div><dt>{label}</dt><dd>{text(value)}</dd></div>" for label, value in made_by if value)
    return f'<p>{text(" · ".join(steps) or "Not measured.")}</p><dl class="fn-made-by">{facts}</dl>'
