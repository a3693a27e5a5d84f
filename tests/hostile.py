"""Text that would run or break out if any of it became markup, and a reader of HTML that lets nothing unknown pass."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

PAYLOADS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x:x onerror=alert(1)//",
    '<IMG """><SCRIPT>alert(1)</SCRIPT>">',
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>">',
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<form action=javascript:alert(1)><button>x",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" autofocus onfocus=alert(1) x="',
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "</mark></p></article><script>alert(1)</script>",
    "</textarea></title><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "`${alert(1)}`",
    "@children<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "[click](javascript:alert(1))",
    '![x](x" onerror="alert(1))',
    "<javascript:alert(1)>",
    "java\x00script:alert(1)<scr\x00ipt>",
    "\ud800<script>alert(1)</script>",
    "javascript:alert(1)",
    'https://evil.example/" onclick="alert(1)',
    "\u202e<b onclick=alert(1)>x</b>",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"\(\text{</math><script>alert(1)</script>}\)",
    "$x<script>alert(1)</script>_s$",
    "**<img src=x onerror=alert(1)>**",
    "*<svg onload=alert(1)>* and `<script>alert(1)</script>`",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<audio src=x onerror=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<x contenteditable autofocus onfocus=alert(1)>x",
    "<dialog open onclose=alert(1)><form method=dialog><button autofocus>x",
    "<math href=javascript:alert(1)>x</math>",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    "</script><script>alert(1)</script>",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<script src=data:,alert(1)></script>",
    "<plaintext><script>alert(1)</script>",
    "<frameset onload=alert(1)>",
    '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>alert(1)</script></svg>#x">',
    '" data-do="delete" data-id="x" data-ask="hacked',
]

TAGS = """a article blockquote button code dd details div dl dt em footer form h1 h2 h3 h4 header label li main mark
    math mfrac mi mn mo mrow mspace mstyle msub msup mtext ol option p pre q section select span strong summary sup table tbody
    td th thead tr ul"""
ATTRIBUTES = """aria-current aria-describedby aria-hidden aria-label aria-labelledby aria-pressed class data-ask
    data-back data-cites data-weigh data-copy data-do data-edit data-format data-goto data-id data-lens data-opinion data-paper
    data-quote data-reason data-rename data-reset data-restate data-stage data-theme-choice data-turn dir for hidden href id name rel role
    scope selected tabindex target title type value"""

TAGS += """ article input caption circle figcaption figure g line path polyline progress rect svg text time title"""
ATTRIBUTES += """ autocomplete cx cy d data-about data-card data-colour data-colour-by data-comparison data-eval data-lib data-run
    data-running data-topic data-topic-number datetime height max open points preserveaspectratio r text-anchor viewbox
    width x x1 x2 y y1 y2"""


class Inspector(HTMLParser):
    """Refuses any tag, attribute or address that the page does not use itself, and notes ids and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[dict[str, str]] = []
        self.open: list[str] = []
        self.marks: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS.split(), tag
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute twice: {attrs}"
        assert set(found) <= set(ATTRIBUTES.split()), attrs
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found)
            href = found["href"]
            outward = urlsplit(href).scheme in ("http", "https") and found["rel"] == "noopener noreferrer"
            assert href.startswith("#") or outward, href
        if tag == "mark":
            self.marks.append((found["data-cites"], ""))
        if tag != "input":  # it has no end
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert [tag] == self.open[-1:], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_comment(self, data):
        pytest.fail(f"a comment: {data!r}")

    def handle_decl(self, decl):
        pytest.fail(f"a declaration: {decl!r}")

    def unknown_decl(self, data):
        pytest.fail(f"a declaration: {data!r}")

    def handle_pi(self, data):
        pytest.fail(f"a processing instruction: {data!r}")

    def handle_data(self, data):
        self.words.append(data)
        if "mark" in self.open:
            cites, before = self.marks[-1]
            self.marks[-1] = (cites, before + data)

    @property
    def shown(self) -> str:
        return "".join(self.words)
