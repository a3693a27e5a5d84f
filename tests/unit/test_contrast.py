"""What style.css promises of its colours: text on its background has a contrast of 4.5 at least, dots on theirs of 3."""

import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "ui" / "assets"
TEXTS = ("ink", "muted", "accent", "good", "partly", "error-ink")
BEHIND = ("page", "surface", "raised", "mark", "mark-reading", "pulse")


def colours(name: str) -> dict[str, dict[str, str]]:
    """The colours of a style sheet by theme; what the dark one does not name is the light one's."""
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", (ASSETS / name).read_text()):
        theme = "dark" if ".dark" in selector else "light"
        found[theme] |= dict(re.findall(r"--fn-([\w-]+): (#[0-9a-f]{6});", body))
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratio_is_wcags():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(theme):
    found = colours("style.css")[theme]
    low = {(t, b): round(contrast(found[t], found[b]), 2) for t in TEXTS for b in BEHIND}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dots_of_the_map_can_be_seen(theme):
    surface = colours("style.css")[theme]["surface"]
    dots = {name: value for name, value in colours("atlas.css")[theme].items() if name.startswith(("year", "topic"))}
    assert len(dots) > 10
    assert {name: value for name, value in dots.items() if contrast(value, surface) < 3} == {}
