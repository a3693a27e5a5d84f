"""Text from outside in a real browser, wherever the page shows it: none of it runs, none of it becomes an element."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rag.schema import Answer, Citation, Claim, Evidence, EvidenceFound, Hit, Paper, Passage, Sentence, TextPiece
from rag.trace import Ranked, Trace
from tests.e2e.libraries import ROWS, rag_on
from tests.e2e.steps import BOX, DONE
from tests.fake_rag import FakeRag
from tests.hostile import PAYLOADS
from ui.conversations.archive import ARCHIVE_FILE, Archive

pytestmark = pytest.mark.browser

WATCH = """
window.ran = [];
for (const name of ['alert', 'confirm', 'prompt']) window[name] = (...said) => window.ran.push(name);
"""
ELEMENTS = (
    "img, svg script, iframe, object, embed, video, audio, base[href*=evil], link[href*=evil], meta[http-equiv=refresh]"
)
SENT = [payload.replace("\x00", "").encode("utf-8", "replace").decode() for payload in PAYLOADS]


def papers():
    """One paper for each payload, which stands in every field of it."""
    return tuple(
        Paper(
            id=f"p{number}",
            title=f"{payload} {number}",
            abstract=f"Before {payload} after. {payload}",
            authors=(payload,),
            year=2020,
            venue=payload,
            url=payload,
            doi=payload,
            keywords=(payload,),
            source=payload,
        )
        for number, payload in enumerate(PAYLOADS)
    )


class HostileRag(FakeRag):
    """Answers with every payload at once: in evidence, draft, claims, quotes, notice and trace."""

    def _found(self, question, standalone, words):
        hits = tuple(
            Hit(p, Passage(p.id, 0, 0, len(p.abstract), p.abstract), 1.0, rank)
            for rank, p in enumerate(self.papers, start=1)
        )
        evidence = tuple(
            Evidence(n, p, Sentence(p.id, 0, 0, len(p.abstract), p.abstract), 0.9)
            for n, p in enumerate(self.papers, start=1)
        )
        common = {"question": question, "standalone_question": "\n".join(PAYLOADS), "hits": hits}
        yield EvidenceFound(evidence=evidence, **common)
        for payload in PAYLOADS:
            yield TextPiece(f"{payload}\n")
        citations = tuple(Citation(n, p, p.abstract, 0, len(p.abstract)) for n, p in enumerate(self.papers, start=1))
        verdicts = ("supported", "partly", "unsupported")
        claims = tuple(
            Claim(
                payload, (citation,), verdicts[n % 3], 0.5, is_quote=n % 4 == 0, subject=payload if n % 5 == 0 else ""
            )
            for n, (payload, citation) in enumerate(zip(PAYLOADS, citations, strict=True))
        )
        answer = Answer(
            text="\n".join(PAYLOADS),
            status="answered",
            claims=claims,
            citations=citations,
            evidence=evidence,
            notice="\n".join(PAYLOADS),
            raw_text="\n".join(PAYLOADS),
            model_id=PAYLOADS[0],
            **common,
        )
        if "declined" in words:
            answer = replace(answer, status="abstained", claims=(), citations=())
        yield answer

    def trace(self, answer, history=()):
        ranked = tuple(Ranked(p, n, 0.1, n, 0.5, n, 0.5) for n, p in enumerate(self.papers, start=1))
        left_out = tuple((payload, payload) for payload in PAYLOADS)
        return Trace(answer, ranked, 0.9, 0.5, ((("system", "\n".join(PAYLOADS)),),), "\n".join(PAYLOADS), left_out)


def harmless(page):
    assert page.evaluate("window.ran") == []
    assert page.evaluate("window.hacked") is None
    assert page.locator("#fn-shell").locator(ELEMENTS).count() == 0
    attributes = page.evaluate(
        "[...document.querySelectorAll('#fn-shell *')].flatMap((e) => e.getAttributeNames())"
        ".filter((name) => name.startsWith('on'))"
    )
    assert attributes == []
    links = page.evaluate("[...document.querySelectorAll('#fn-shell a')].map((a) => a.protocol)")
    assert set(links) <= {"http:", "https:"}


NAMES = [
    # Between attributes a blank does what a slash does; what closes an element by one is left open.
    *dict.fromkeys(p.replace("/", " ").strip() for p in PAYLOADS if not set("\x00\ud800") & set(p) and len(p) < 200),
    "..<iframe srcdoc='&lt;script&gt;alert(1)&lt;&#47;script&gt;'>",
    "a\n<img src=x onerror=alert(1)>",
    "' onclick='alert(1)",
    "=HYPERLINK(alert(1))",
]
"""What can be the name of a file: no slash in it."""


def test_at_least_sixty_payloads_are_tried():
    assert len(set(PAYLOADS)) >= 60
    assert len(set(NAMES)) >= 60


def test_no_payload_runs_anywhere_on_the_page(serve, visit, tmp_path):
    rag = HostileRag(papers=papers(), data_folder=tmp_path, pace_s=0)
    page = visit(serve(rag), script=WATCH)
    page.wait_for_selector("#fn-examples button")
    harmless(page)
    question = "\n".join(SENT)
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    page.wait_for_selector(DONE)
    assert page.text_content("#fn-live .fn-question") == question.strip()
    for payload in SENT[:40]:
        assert payload in page.text_content("#fn-live-evidence")
    harmless(page)
    page.locator("#fn-live .fn-marker").first.focus()
    page.keyboard.press("Tab")
    page.wait_for_selector("#fn-tip:not([hidden])")
    harmless(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit question").click()
    assert page.input_value(".fn-form textarea") == question.strip()
    harmless(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Wrong source").click()
    page.locator(".fn-form textarea").fill(question)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="How this came about").click()
    page.get_by_text("What the model wrote", exact=True).wait_for()
    harmless(page)
    page.keyboard.press("Escape")


def test_no_payload_runs_in_the_list_of_conversations_or_in_an_abstention(serve, visit, tmp_path):
    rag = HostileRag(papers=papers(), data_folder=tmp_path, pace_s=0)
    page = visit(serve(rag), script=WATCH)
    page.wait_for_selector("#fn-examples button")
    page.fill(BOX, "To be declined?")
    page.press(BOX, "Enter")
    page.wait_for_selector("#fn-live .fn-abstained")
    harmless(page)
    archive = Archive(tmp_path / ARCHIVE_FILE)
    conversation = archive.open("", page.evaluate("location.hash.slice(3)"))
    for number, payload in enumerate(PAYLOADS):
        conversation.id, conversation.title, conversation.revision = f"{number:032}", payload, 0
        archive.save("", conversation)
    archive.close()
    page.get_by_role("button", name="Conversations").click()
    page.wait_for_function("document.querySelectorAll('.fn-entry').length >= 60")
    shown = page.locator(".fn-entry-title").all_text_contents()
    assert {payload.strip() for payload in SENT} <= {title.strip() for title in shown}
    harmless(page)
    page.get_by_label("Search conversations").fill("<img src=x onerror=alert(1)>nowhere")
    page.wait_for_selector("#fn-entries .fn-hint:has-text('nowhere')")
    harmless(page)


def test_no_name_of_an_uploaded_file_runs(serve, visit, tmp_path):
    """Good and bad files under hostile names: looked through, added, listed among the changes, undone."""
    rag = rag_on(tmp_path / "library", ROWS)
    (tmp_path / "sent").mkdir()
    files = []
    for number, name in enumerate(NAMES):
        file = tmp_path / "sent" / f"{name}{number}.{'bib' if number % 2 else 'csv'}"
        file.write_text(f"@misc{{k, title={{New {number}}}, abstract={{Paper {number} measures {number} newts.}}}}")
        files.append(file)
    page = visit(serve(rag), script=WATCH)
    page.click("#fn-tab-library-button")
    page.click("#fn-lib-add-open")
    page.set_input_files("#fn-lib-files input[type=file]", files)
    page.wait_for_selector(".fn-lib-preview .fn-lib-problems", timeout=30_000)
    assert page.locator(".fn-lib-problems").count() == len(NAMES[::2]), "what is no CSV says so by its name"
    shown = page.inner_text("#fn-lib-files")
    assert "<img src=x onerror=alert(1)>" in shown, "the list of files shows the names as they are"
    harmless(page)
    page.get_by_role("button", name=f"Add {len(NAMES[1::2])} papers").click()
    page.wait_for_selector("#fn-lib-status .fn-lib-done")
    page.wait_for_selector(".fn-lib-history li")
    harmless(page)
    page.locator("#fn-lib-results li button").last.click()
    page.wait_for_selector("article[data-paper]")
    harmless(page)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("document.querySelector('#fn-lib-overview')?.textContent.includes('9 papers')")
    harmless(page)
    rag.close()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"do": "open", "id": 7},
        {"do": "open", "id": "' OR 1=1 --"},
        {"do": "nothing of the kind"},
        {"do": "rename", "id": {"$ne": ""}, "title": ["x"]},
        {"do": "opinion", "turn": "1e9", "opinion": "<b>"},
        {"do": "lens", "turn": -5},
        {"do": "export", "id": "x", "format": "../../etc/passwd"},
        {"do": "knobs", "knobs": {"papers": "1000000", "__class__": "x"}},
        {"do": "knobs", "knobs": "strict"},
        [1, 2],
        "text",
        None,
    ],
    ids=json.dumps,
)
def test_nothing_that_a_page_could_send_breaks_it(odd_page, sent):
    odd_page.evaluate("(sent) => { window.footnote.act(sent); window.footnote.ask(sent); }", sent)
    odd_page.wait_for_timeout(60)
    assert odd_page.locator(".toast-wrap *").count() == 0
    assert odd_page.locator(".fn-turn").count() == 0


@pytest.fixture(scope="module")
def odd_url(serve, tmp_path_factory):
    return serve(FakeRag(data_folder=tmp_path_factory.mktemp("data"), pace_s=0))


@pytest.fixture
def odd_page(odd_url, visit):
    page = visit(odd_url)
    page.wait_for_function("window.footnote")
    return page
