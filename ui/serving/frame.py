"""The HTML around the page, as it is before any script has run: title, sign, light or dark; and the page of what is not
there.

Works around Gradio 6.31.0. Expected: `title` and `head` stand in the HTML that is sent. Actual: a script adds them once
it has loaded, too late for the first paint, and never on the sign-in page. They are put into its template here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import quote

from gradio.routes import templates
from jinja2 import ChoiceLoader, DictLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ui.theme import ASSETS, FAVICON, INK, INK_DARK, PAPER, PAPER_DARK, STYLES, style_sheets
from ui.views.header import header, nothing_here

_TEMPLATE = "frontend/index.html"
_ICON = f"data:image/svg+xml,{quote(FAVICON.read_text(encoding='utf-8'))}"
"""In the page itself: browsers look for one at the top of the host, where a proxy may show something else."""
_MANIFEST = '<link rel="manifest" href="/manifest.json" />'
"""Of an installable page, which this is not; and not where a proxy shows it."""


@cache
def frame_pages() -> None:
    """Have Gradio send its pages with `head`; once a process."""
    loader = templates.env.loader
    assert loader is not None
    source = loader.get_source(templates.env, _TEMPLATE)[0].replace(_MANIFEST, "")
    framed = source.replace("<head>", f"<head>{{% raw %}}{_head()}{{% endraw %}}", 1)
    templates.env.loader = ChoiceLoader([DictLoader({_TEMPLATE: framed}), loader])


def _head() -> str:
    colours = (
        f"html > body{{background:{PAPER};color:{INK}}}html > body.dark{{background:{PAPER_DARK};color:{INK_DARK}}}"
    )
    no_sign = '[data-testid="status-tracker"]{display:none!important}'  # the page tells itself what goes on
    script = (ASSETS / "theme.js").read_text(encoding="utf-8")
    icon = f'<link rel="icon" href="{_ICON}">'
    return f"<title>Footnote</title>{icon}<style>{colours}{no_sign}</style><script>{script}</script>"


def not_found(home: str) -> Callable[[Request, Exception], Response]:
    """Makes what is told at an address where nothing is: a page to browsers, JSON to programs.

    `home` is where Footnote's page is.
    """
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">{_head()}{style_sheets(STYLES[:2])}</head>'
        f'<body><div id="fn-shell"><div id="fn-header">{header(None)}</div><div id="fn-missing">{nothing_here(home)}'
        "</div></div></body></html>"
    )

    def tell(request: Request, _error: Exception) -> Response:
        is_read = "text/html" in request.headers.get("accept", "")
        return HTMLResponse(page, 404) if is_read else JSONResponse({"detail": "Not Found"}, 404)

    return tell
