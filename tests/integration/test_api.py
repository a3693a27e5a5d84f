"""The HTTP API and OpenAI's protocol over a running server and a fake Rag, asked with the clients that people use."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx
import openai
import pytest
from fake_rag import HOSTILE, MOSS, TIDE, FakeRag

from rag import Answer
from ui.app import build, surroundings
from ui.doors.access import LARGEST_BODY
from ui.doors.completions import sources
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import LARGEST_UPLOAD, Page


def serving(rag, line=None, **about):
    line = line or Line()
    return Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=surroundings(rag, line, **about))


@pytest.fixture(scope="module")
def rag():
    return FakeRag(pace_s=0.001)


@pytest.fixture(scope="module")
def url(rag):
    with serving(rag) as page:
        yield page.url


@pytest.fixture(scope="module")
def http(url):
    with httpx.Client(base_url=url, timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=20) as opened:
        yield opened


def user(text):
    return [{"role": "user", "content": text}]


def test_an_uploaded_file_goes_when_the_page_ends():
    with serving(FakeRag(pace_s=0.001)) as page:
        sent = httpx.post(f"{page.url}/gradio_api/upload", files={"files": ("papers.bib", b"@misc{a, title={T}}")})
        (place,) = sent.json()
        assert Path(place).read_bytes().startswith(b"@misc")
    assert not Path(place).exists()


# Health, ask, search, verify


def test_health_says_that_it_is_well_what_answers_and_how_many_wait(http):
    found = http.get("/health").json()
    assert found["status"] == "ok"
    assert found["queue"] == {"running": 0, "waiting": 0}
    assert found["model"]["name"] == "Pebble-1B-Instruct"
    assert found["index"]["papers"] == 6


def test_an_answer_over_http_is_the_receipt_that_verify_upholds(http):
    receipt = http.post("/api/ask", json={"question": "How fast is LanternNet?"}).json()
    assert Answer.from_dict(receipt).citations[0].paper.id == "lantern"
    assert receipt["question"] == "How fast is LanternNet?"
    checked = http.post("/api/verify", json=receipt).json()
    assert checked == {"holds": True, "problems": [[]]}, checked
    receipt["text"] = receipt["text"].replace("42", "420")
    checked = http.post("/api/verify", json=[receipt]).json()
    assert checked["holds"] is False
    assert any("digest" in problem for problem in checked["problems"][0])


def test_history_and_filter_reach_the_rag(http, rag):
    history = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    done = http.post("/api/ask", json={"question": "and then?", "history": history, "where": {"year": 2024}})
    assert done.json()["standalone_question"] == "What is the speed of LanternNet, and then??"
    assert rag.asked[-1] == ("and then?", history)


def test_a_search_gives_hits_in_order(http):
    hits = http.post("/api/search", json={"question": "night", "k": 2}).json()["hits"]
    assert [(hit["rank"], hit["paper"]["id"]) for hit in hits] == [(1, "lantern"), (2, "tide")]


def test_a_streamed_answer_is_evidence_then_drafts_then_the_checked_answer(http):
    with http.stream("POST", "/api/ask", json={"question": "How fast?", "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines[::2]]
    assert names[0] == "evidence"
    assert set(names[1:-1]) == {"draft"}
    assert names[-1] == "answer"
    answer = Answer.from_dict(json.loads(lines[-1].removeprefix("data: ")))
    assert answer.status == "answered"


BAD = [
    ("/api/ask", b"{", "JSON"),
    ("/api/ask", b"", "required"),
    ("/api/ask", b"[" * 100_000, ""),
    ("/api/ask", b"9" * 100_000, ""),
    ("/api/ask", b"null", ""),
    ("/api/ask", b"\xff\xfe", ""),
    ("/api/ask", b'{"question": "a\x01b"}', ""),
    ("/api/ask", b"{}", "question"),
    ("/api/ask", b'{"question": 3}', "question"),
    ("/api/ask", b'{"question": ""}', "empty"),
    ("/api/ask", b'{"question": "x", "wehre": {}}', "wehre"),
    ("/api/ask", b'{"question": "x", "where": {"colour": 1}}', "colour"),
    ("/api/ask", b'{"question": "x", "where": {"\\ud800": 1}}', ""),
    ("/api/ask", b'{"question": "x", "history": "y"}', "history"),
    ("/api/ask", b'{"question": "x", "history": [{"role": "god", "content": "y"}]}', "role"),
    ("/api/ask", b'{"question": "", "stream": true}', "empty"),
    ("/api/ask", json.dumps({"question": "x" * 5000}).encode(), "4000"),
    ("/api/search", b'{"question": "x", "k": 0}', "k"),
    ("/api/search", b'{"question": "x", "k": "3"}', "k"),
    ("/api/verify", b"3", ""),
    ("/api/verify", b"[]", "no answer"),
    ("/v1/chat/completions", b"{", "JSON"),
    ("/v1/chat/completions", b'{"model": "footnote"}', "messages"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": []}', "messages"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": [{"role": "user"}]}', "empty"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": [{"role": "user", "content": 3}]}', "messages"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": [{"role": "assistant", "content": "x"}]}', "last"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": [{"role": "king", "content": "x"}]}', "king"),
    ("/v1/chat/completions", b'{"model": "footnote", "messages": [{"role": "tool", "content": "x"}]}', "tools"),
]


@pytest.mark.parametrize(("path", "body", "said"), BAD, ids=range(len(BAD)))
def test_bad_input_is_a_400_that_says_what_is_wrong(http, path, body, said):
    done = http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert done.status_code == 400, done.text
    error = done.json()["error"]
    assert said in error["message"]
    assert error["type"] == "invalid_request_error"
    assert "Traceback" not in done.text
    assert "site-packages" not in done.text


def test_a_receipt_of_the_wrong_shape_is_a_problem_not_an_error(http):
    done = http.post("/api/verify", json=[3, {"claims": 7}, {"question": ["x"], "text": None, "status": {}}])
    assert done.status_code == 200
    assert [bool(problems) for problems in done.json()["problems"]] == [True, True, True]


@pytest.mark.parametrize("path", ["/api/ask", "/api/verify", "/v1/chat/completions"])
def test_a_huge_body_is_refused_before_it_is_read(http, path):
    done = http.post(path, content=b"x" * (LARGEST_BODY + 1), headers={"Content-Type": "application/json"})
    assert done.status_code == 413

    def pieces():
        for _ in range(40):
            yield b"x" * 100_000

    done = http.post(path, content=pieces(), headers={"Content-Type": "application/json"})
    assert done.status_code == 413


def test_a_huge_upload_is_refused(http):
    done = http.post("/gradio_api/upload", files={"files": ("big.txt", b" " * (LARGEST_UPLOAD + 1))})
    assert done.status_code == 413
    assert http.post("/gradio_api/upload", files={"files": ("small.txt", b"x")}).status_code == 200


def test_other_types_other_methods_and_other_paths_are_told_so_in_json(http):
    assert http.post("/api/ask", data={"question": "x"}).status_code == 415
    assert http.post("/api/ask", content='{"question": "x"}', headers={"Content-Type": "text/plain"}).status_code == 415
    for done in (http.get("/api/ask"), http.get("/v1/embeddings"), http.delete("/api/nothing")):
        assert done.status_code == 404
        assert done.json()["error"]["code"] == "not_found"


def test_a_page_of_another_site_may_not_ask_through_a_readers_browser(http):
    body = {"question": "How fast?"}
    assert http.post("/api/ask", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    assert http.post("/api/ask", json=body, headers={"Origin": "null"}).status_code == 403
    assert http.post("/api/ask", json=body, headers={"Origin": "http://["}).status_code == 403
    assert http.post("/api/ask", json=body, headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_a_failing_model_is_a_503_and_something_unexpected_a_500_without_its_secrets(http):
    done = http.post("/api/ask", json={"question": "broken"})
    assert done.status_code == 503
    assert "out of memory" in done.json()["error"]["message"]
    done = http.post("/api/ask", json={"question": "crash"})
    assert done.status_code == 500
    assert done.json()["error"]["message"].startswith("Something went wrong")
    assert "private" not in done.text


def test_a_caller_who_hangs_up_stops_the_model_and_frees_the_line(http, rag, url):
    rag.before_answer.clear()
    try:
        with httpx.stream("POST", f"{url}/api/ask", json={"question": "long streamed", "stream": True}) as response:
            next(response.iter_lines())
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/api/ask", json={"question": "long whole"}, timeout=1.5)
    finally:
        rag.open_gates()
    until = time.monotonic() + 5
    while http.get("/health").json()["queue"]["running"] and time.monotonic() < until:
        time.sleep(0.05)
    assert http.get("/health").json()["queue"] == {"running": 0, "waiting": 0}
    assert "long streamed" in rag.closed


# OpenAI's client


def test_the_openai_client_lists_the_one_model(client):
    assert [model.id for model in client.models.list()] == ["footnote"]
    assert client.models.retrieve("footnote").owned_by == "footnote"
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-5'"):
        client.models.retrieve("gpt-5")


def test_a_completion_has_text_sources_usage_and_the_whole_receipt(client, http):
    done = client.chat.completions.create(model="footnote", messages=user("How fast is LanternNet?"), temperature=0.7)
    choice = done.choices[0]
    answer = Answer.from_dict(done.footnote)
    assert choice.finish_reason == "stop"
    assert choice.message.content.startswith(answer.text)
    for citation in answer.citations:
        assert f"{citation.marker}. “{citation.quote}” — {citation.paper.title}" in choice.message.content
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    assert done.usage.prompt_tokens == 4
    assert http.post("/api/verify", json=done.footnote).json()["holds"] is True
    bare = client.chat.completions.create(
        model="footnote", messages=user("How fast is LanternNet?"), extra_body={"references": False}
    )
    assert bare.choices[0].message.content == answer.text


def test_a_streamed_completion_sends_checked_sentences_alone_and_ends_with_the_receipt(client):
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model="footnote", messages=user("partly"), stream=True, stream_options=options, extra_body={"references": False}
    )
    chunks = list(stream)
    with_choice = [chunk for chunk in chunks if chunk.choices]
    pieces = [chunk.choices[0].delta.content for chunk in with_choice if chunk.choices[0].delta.content]
    answer = Answer.from_dict(with_choice[-1].footnote)
    assert "".join(pieces).startswith(answer.text)
    assert len(pieces) >= len(answer.claims) == 4
    assert all(any(claim.text in piece for piece in pieces) for claim in answer.claims)
    assert not any("exposure field [1]" in piece for piece in pieces), "the draft was sent"
    assert with_choice[0].choices[0].delta.role == "assistant"
    assert with_choice[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_raw_stream_ends_with_done(http):
    body = {"model": "footnote", "messages": user("How fast?"), "stream": True}
    with http.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert all(line.startswith(("data: ", ": ")) for line in lines)


def test_messages_become_question_and_history_without_markers_and_sources(client, rag):
    first = client.chat.completions.create(model="footnote", messages=user("How fast is it?"))
    parts = [{"type": "text", "text": "and"}, {"type": "text", "text": "how large?"}]
    messages = [
        {"role": "system", "content": "You are a pirate."},
        *user("How fast is it?"),
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "user", "content": parts},
    ]
    client.chat.completions.create(model="footnote", messages=messages)
    question, history = rag.asked[-1]
    assert question == "and\nhow large?"
    assert [message["role"] for message in history] == ["user", "assistant"]
    assert "Sources" not in history[1]["content"]
    assert "[1]" not in history[1]["content"]
    assert "42 frames per second." in history[1]["content"]


def test_what_footnote_noted_below_an_answer_is_not_told_back_as_its_words(client, rag):
    said = sources(Answer("How fast?", "It runs. [1]", "answered", notice="One sentence was left out."))
    assert said == "\n\n(Note: One sentence was left out.)"
    messages = [*user("How fast?"), {"role": "assistant", "content": f"It runs. [1]{said}"}, *user("Why?")]
    client.chat.completions.create(model="footnote", messages=messages)
    assert rag.asked[-1][1][1]["content"] == "It runs."


def test_what_the_library_does_not_say_is_an_ordinary_completion(client):
    done = client.chat.completions.create(model="footnote", messages=user("wifi"))
    assert done.footnote["status"] == "abstained"
    nearest = "; ".join(paper.title for paper in (MOSS, TIDE, HOSTILE))
    assert done.choices[0].message.content == f"The library does not say. The nearest papers are: {nearest}."


IMAGE = {"content": [{"type": "image_url", "image_url": {"url": "x"}}]}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 3}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"messages": [IMAGE | {"role": "user"}]}, "messages"),
        ({"messages": [IMAGE | {"role": "system"}, {"role": "user", "content": "x"}]}, "messages"),
    ],
    ids=["n", "tools", "json", "logprobs", "image", "image-for-nobody"],
)
def test_what_would_change_the_shape_of_the_answer_is_refused_by_name(client, more, param):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "footnote", "messages": user("x"), **more})
    assert caught.value.code == "unsupported"
    assert caught.value.param == param


def test_errors_of_a_completion_have_openais_shape_streamed_or_not(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-5", messages=user("x"))
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.InternalServerError, match="out of memory"):
        client.chat.completions.create(model="footnote", messages=user("broken"))
    with pytest.raises(openai.APIError, match="out of memory"):
        list(client.chat.completions.create(model="footnote", messages=user("broken"), stream=True))


# The line, the rate, the end


def test_who_asks_too_fast_is_told_when_to_come_back():
    with serving(FakeRag(pace_s=0), Line(questions_a_minute=6)) as page:
        done = [httpx.post(f"{page.url}/api/ask", json={"question": "How fast?"}) for _ in range(11)]
    assert [one.status_code for one in done] == [200] * 10 + [429]
    assert 1 <= int(done[-1].headers["Retry-After"]) <= 10
    assert done[-1].json()["error"]["code"] == "rate_limit_exceeded"


def test_a_server_that_ends_finishes_what_runs_and_refuses_what_waits_or_comes():
    rag = FakeRag(pace_s=0)
    rag.before_answer.clear()
    found = {}

    def ask(name, client):
        found[name] = client.post("/api/ask", json={"question": name})

    with serving(rag) as page:
        clients = [httpx.Client(base_url=page.url, timeout=20) for _ in range(3)]
        threads = []
        for place, name in enumerate(("runs", "waits")):
            threads.append(threading.Thread(target=ask, args=(name, clients[place])))
            threads[-1].start()
            while sum(clients[2].get("/health").json()["queue"].values()) <= place:
                time.sleep(0.02)
        page.ask_to_end()
        threads[1].join(5)
        assert clients[2].get("/health").json()["status"] == "closing"
        ask("comes", clients[2])
        rag.open_gates()
        threads[0].join(10)
    assert {name: done.status_code for name, done in found.items()} == {"runs": 200, "waits": 503, "comes": 503}
    assert found["runs"].json()["question"] == "runs"
    assert "Retry-After" in found["waits"].headers
    for client in clients:
        client.close()


def test_a_server_that_ends_lets_go_of_the_streams_that_pages_hold_open():
    with serving(FakeRag()) as page, httpx.Client(base_url=page.url, timeout=20) as client:
        with client.stream("GET", "/gradio_api/heartbeat/abc") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "data: ALIVE"
            page.ask_to_end()
            began = time.monotonic()
            list(lines)
        assert time.monotonic() - began < 3
