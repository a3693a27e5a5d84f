"""Light or dark: as the system, the address or the reader says, from the first frame on."""

from __future__ import annotations

import pytest

from tests.e2e.steps import BOX, ask
from tests.fake_rag import FakeRag

pytestmark = pytest.mark.browser

LIGHT, DARK = "rgb(250, 249, 246)", "rgb(22, 24, 28)"
FRAMES = """
window.frames_seen = [];
const look = () => {
  if (document.body) window.frames_seen.push(getComputedStyle(document.body).backgroundColor);
  if (window.frames_seen.length < 300) requestAnimationFrame(look);
};
look();
"""


@pytest.fixture
def url(serve):
    return serve(FakeRag(pace_s=0))  # an address of its own: nothing was chosen there yet


def background(page):
    return page.evaluate("getComputedStyle(document.querySelector('#fn-shell')).backgroundColor")


def theme(page):
    return page.get_by_role("combobox", name="Theme")


def shown(page, colour):
    page.wait_for_function(
        "colour => getComputedStyle(document.querySelector('#fn-shell')).backgroundColor === colour", arg=colour
    )


def test_without_a_choice_it_is_as_the_system_says_also_when_that_changes(url, visit):
    page = visit(url)
    assert background(page) == LIGHT
    assert theme(page).input_value() == "system"
    page.emulate_media(color_scheme="dark")
    shown(page, DARK)
    assert background(visit(url, scheme="dark")) == DARK


def test_a_choice_is_made_by_keyboard_and_remembered_and_no_frame_is_painted_in_the_other_one(url, visit):
    page = visit(url, script=FRAMES, expected="status of 404")
    page.wait_for_selector(f"{BOX}:focus")  # it takes the focus once it is drawn
    page.focus(".fn-about summary")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('[data-theme-choice]')")
    outline = page.locator(".fn-theme").evaluate("(label) => getComputedStyle(label).outlineStyle")
    assert outline == "solid", "the focus is seen"
    page.keyboard.press("d")
    shown(page, DARK)
    assert theme(page).input_value() == "dark"
    page.reload()
    page.wait_for_selector(BOX)
    assert theme(page).input_value() == "dark"
    assert set(page.evaluate("window.frames_seen")) == {DARK}
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark", "lists and scroll bars, too"
    page.emulate_media(color_scheme="light")
    other = visit(url)
    assert background(other) == DARK
    theme(other).select_option("light")
    shown(page, LIGHT)
    assert theme(page).input_value() == "light", "what another tab chooses holds here, too"
    page.goto(f"{url}/nothing")
    shown(page, LIGHT)
    theme(page).select_option("system")
    page.goto(url)
    page.wait_for_selector(BOX)
    page.emulate_media(color_scheme="dark")
    shown(page, DARK)


def test_the_address_overrules_a_choice_until_one_is_made_there(url, visit):
    page = visit(f"{url}/?__theme=dark")
    assert background(page) == DARK
    ask(page, "What is LanternNet?")
    page.locator("#fn-live .fn-marker").first.click()
    assert "/?__theme=dark#c=" in page.url, "a marker does not lose the theme"
    theme(page).select_option("light")
    shown(page, LIGHT)
    assert "__theme" not in page.url
    assert "#c=" in page.url
    page.reload()
    page.wait_for_selector(BOX)
    assert background(page) == LIGHT
    theme(page).select_option("system")
