"""How the page looks: Gradio's theme set to our colours and to fonts that every system has, and our own style sheet.

Gradio's stock themes bring web fonts along; here nothing is fetched from anywhere. Colours live in `style.css` as
custom properties with a light and a dark value; the theme only points Gradio's own controls at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
FAVICON = ASSETS / "favicon.svg"
STYLES = (
    "style.css", "header.css", "answer.css", "weighing.css", "composer.css", "connection.css", "evidence.css",
    "sheets.css", "library.css", "atlas.css", "evals.css", "print.css",
)  # fmt: skip
"""A style sheet a surface, `style.css` first: it has the colours and what is alike everywhere."""
SCRIPTS = ("page.js", "times.js", "sheets.js", "connection.js", "keyboard.js", "library.js", "evals.js")
"""Each is one function without arguments, run once when the page has loaded."""

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


PAPER, INK = "#faf9f6", "#22262b"
PAPER_DARK, INK_DARK = "#16181c", "#e7e5e0"
"""The page's two colours: literal, because the first frame is painted with them before any style sheet is there."""


def theme() -> gr.themes.Base:
    """Gradio's plain base theme in Footnote's colours."""
    # Plain strings become Font objects, never GoogleFont, so no style sheet is requested.
    base = gr.themes.Base(font=_SANS, font_mono=_MONO, radius_size="md", spacing_size="md", text_size="md")
    return base.set(
        body_background_fill=PAPER,
        body_background_fill_dark=PAPER_DARK,
        body_text_color=INK,
        body_text_color_dark=INK_DARK,
        body_text_color_subdued="var(--fn-muted)",
        body_text_color_subdued_dark="var(--fn-muted)",
        background_fill_primary="var(--fn-surface)",
        background_fill_primary_dark="var(--fn-surface)",
        background_fill_secondary="var(--fn-page)",
        background_fill_secondary_dark="var(--fn-page)",
        border_color_primary="var(--fn-line)",
        border_color_primary_dark="var(--fn-line)",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_padding="0px",
        block_shadow="none",
        block_shadow_dark="none",
        input_background_fill="transparent",
        input_background_fill_dark="transparent",
        input_border_width="0px",
        input_padding="10px 12px",
        input_placeholder_color="var(--fn-muted)",
        input_placeholder_color_dark="var(--fn-muted)",
        input_shadow_focus="none",
        input_shadow_focus_dark="none",
        button_primary_background_fill="var(--fn-accent)",
        button_primary_background_fill_dark="var(--fn-accent)",
        button_primary_background_fill_hover="var(--fn-accent-strong)",
        button_primary_background_fill_hover_dark="var(--fn-accent-strong)",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        button_primary_text_color="var(--fn-on-accent)",
        button_primary_text_color_dark="var(--fn-on-accent)",
        button_secondary_background_fill="var(--fn-surface)",
        button_secondary_background_fill_dark="var(--fn-surface)",
        button_secondary_background_fill_hover="var(--fn-raised)",
        button_secondary_background_fill_hover_dark="var(--fn-raised)",
        button_secondary_border_color="var(--fn-line)",
        button_secondary_border_color_dark="var(--fn-line)",
        button_secondary_text_color="var(--fn-ink)",
        button_secondary_text_color_dark="var(--fn-ink)",
    )


def _scripts(*names: str) -> str:
    """One function that runs those of the files: Gradio takes one."""
    calls = "\n".join(f"({(ASSETS / name).read_text(encoding='utf-8').strip()})();" for name in names)
    return f"() => {{\n{calls}\n}}"


def look() -> dict[str, Any]:
    """What `gr.mount_gradio_app` needs to be told about looks: since Gradio 6 a Blocks does not carry them itself.

    The style sheet goes into the head because Gradio rewrites what it is given as `css`: it repeats every rule under
    a prefix of its own and splits selectors at commas, also those inside `:is(…)` (6.31.0).
    """
    return {
        "theme": theme(),
        "head": style_sheets(STYLES),
        "js": _scripts(*SCRIPTS),
        "favicon_path": str(FAVICON),
    }


def style_sheets(names: Sequence[str]) -> str:
    """Those of the files as HTML."""
    return "".join(f"<style>{(ASSETS / name).read_text(encoding='utf-8')}</style>" for name in names)


def sign_in_message() -> str:
    """What the sign-in form says, with the style sheet: Gradio leaves the head out of that page (6.31.0)."""
    return f"{style_sheets(STYLES[:1])}Footnote answers from a library of paper abstracts. Sign in to ask it."
