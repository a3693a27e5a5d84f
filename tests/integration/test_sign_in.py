"""Sign-in at every door, behind a proxy's path, with real accounts."""

from __future__ import annotations

import httpx
import openai
import pytest
from fake_rag import FakeRag
from gradio_client import Client
from gradio_client.exceptions import AppError

from rag import verify
from ui.app import build, surroundings
from ui.serving.accounts import Accounts
from ui.serving.line import Line
from ui.serving.listening import listen_on
from ui.serving.server import Page

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    found = Accounts(tmp_path_factory.mktemp("auth") / "accounts")
    found.add("ida", PASSWORD)
    return found


@pytest.fixture(scope="module")
def url(accounts):
    rag, line = FakeRag(pace_s=0), Line()
    about = surroundings(rag, line, accounts, root_path="/footnote")
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as page:
        yield page.url


def test_the_page_asks_for_a_name_and_gives_nothing_away_before(url):
    with httpx.Client(base_url=url) as reader:
        page = reader.get("/").text
        assert "LanternNet" not in page
        assert "Sign in to ask it." in page
        assert reader.post("/gradio_api/queue/join", json={"data": ["x"], "fn_index": 0}).status_code == 401
        assert reader.post("/login", data={"username": "ida", "password": "wrong horse"}).status_code == 400
        assert reader.post("/login", data={"username": "ida", "password": PASSWORD}).status_code == 200
        assert "LanternNet" in reader.get("/").text


def test_a_proxys_path_is_in_the_addresses_that_the_page_uses(url):
    with httpx.Client(base_url=url) as reader:
        reader.post("/login", data={"username": "ida", "password": PASSWORD})
        assert reader.get("/config").json()["root"].endswith("/footnote")


def test_where_nothing_is_a_browser_is_led_to_the_page_and_a_program_gets_json(url):
    found = httpx.get(f"{url}/nothing", headers={"Accept": "text/html,*/*"})
    assert found.status_code == 404
    assert '<a href="/footnote/">' in found.text
    assert httpx.get(f"{url}/nothing").json() == {"detail": "Not Found"}


@pytest.mark.parametrize("path", ["/api/ask", "/api/search", "/api/verify", "/v1/chat/completions"])
def test_the_api_answers_nobody_who_has_not_signed_in(url, path):
    body = {"question": "x", "model": "footnote", "messages": []}
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer ida:wrong horse"}):
        done = httpx.post(f"{url}{path}", json=body, headers=headers)
        assert done.status_code == 401
        assert done.json()["error"]["code"] == "not_signed_in"
        assert "WWW-Authenticate" in done.headers


def test_health_tells_a_stranger_that_it_is_well_and_no_more(url):
    assert set(httpx.get(f"{url}/health").json()) == {"status", "version", "queue"}
    assert "model" in httpx.get(f"{url}/health", auth=("ida", PASSWORD)).json()


def test_basic_a_token_and_name_with_password_all_open_the_api(url, accounts):
    assert httpx.post(f"{url}/api/ask", json={"question": "How fast?"}, auth=("ida", PASSWORD)).status_code == 200
    for key in (accounts.new_token("ida"), f"ida:{PASSWORD}"):
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            done = client.chat.completions.create(model="footnote", messages=[{"role": "user", "content": "x"}])
            assert done.footnote["status"] == "answered"
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key="fn-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


class Guests(Line):
    """Writes down who comes."""

    def enter(self, who=""):
        self.came = [*getattr(self, "came", []), who]
        return super().enter(who)


def test_gradios_own_client_signs_in_and_gets_the_receipt(accounts):
    rag, line = FakeRag(pace_s=0), Guests()
    about = surroundings(rag, line, accounts)
    with Page(lambda: build(rag, line), listen_on("127.0.0.1", 0), about=about) as page:
        client = Client(page.url, auth=("ida", PASSWORD), verbose=False)
        history = [{"role": "user", "content": "How large?"}]
        receipt = client.predict("How fast?", history, api_name="/ask")
        assert verify(receipt) == ()
        assert rag.asked == [("How fast?", history)]
        assert line.came == ["ida"]
        with pytest.raises(AppError, match=r"history\.0"):
            client.predict("x", ["y"], api_name="/ask")
        for question, said in (
            ("", "The question is empty"),
            ("broken", "out of memory"),
            ("crash", "Something went wrong"),
        ):
            with pytest.raises(AppError, match=said) as caught:
                client.predict(question, api_name="/ask")
            assert "private" not in str(caught.value)
        client.close()
        with pytest.raises(Exception, match="Could not login"):
            Client(page.url, auth=("ida", "wrong horse"), verbose=False)
