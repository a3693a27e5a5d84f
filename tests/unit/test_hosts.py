"""Who may ask a page that is for this machine alone, and how often a name may be guessed at."""

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ui.serving.hosts import ThisMachine
from ui.serving.signin import LONGEST_NAME, MOST_WRONG, SignIn


@pytest.fixture(scope="module")
def page():
    app = FastAPI()
    app.add_middleware(ThisMachine)
    app.get("/")(lambda: "here")
    return TestClient(app)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:7860", "LOCALHOST:7860"])
def test_this_machine_is_asked_by_its_own_names(page, host):
    assert page.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "[::", "localhost.evil"]
)
def test_another_name_that_leads_here_is_refused_with_what_to_do(page, host):
    refused = page.get("/", headers={"Host": host})
    assert refused.status_code == 421
    assert "--root-path" in refused.text


def test_guesses_that_are_sent_at_once_are_counted_as_well():
    checked = []

    def check(_name, password):
        checked.append(password)
        return False

    sign_in = SignIn(check)

    async def guess():
        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(sign_in.password, "ida", f"guess {number}")

    anyio.run(guess)
    assert len(checked) == MOST_WRONG
    assert not anyio.run(sign_in.password, "x" * (LONGEST_NAME + 1), "y")
    assert len(checked) == MOST_WRONG
