"""What is cleaned in a text, and above all what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus.cleanup import clean
from rag.corpus.links import is_web_address, trailing_url

LATEX = st.lists(
    st.sampled_from(
        ['\\"', "\\'", "u", "e", "{", "}", "~", "``", "''", "\\%", "\\", "$", " ", "\u200b", "\\emph{", "https://", "5"]
    )
    | st.characters(),
    max_size=30,
).map("".join)


@given(st.text() | LATEX)
def test_cleaning_twice_gives_what_cleaning_once_gave(text):
    assert clean(clean(text)) == clean(text)


@given(st.text() | LATEX)
def test_cleaned_text_has_no_white_space_but_single_spaces_within(text):
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())


@given(st.text(st.characters(categories=["Cc"]) | st.sampled_from("ab\u202e")))
def test_cleaned_text_has_no_character_that_a_terminal_would_act_on(text):
    assert set(clean(text)) <= set("ab ")


@given(st.text(alphabet="abcdefghij .,;:-()", max_size=60))
def test_plain_text_changes_in_its_spaces_only(text):
    assert clean(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ('T\\"ULU 3', "TÜLU 3"),
        ('na\\"ive and na{\\"i}ve and na\\"{i}ve and na\\"{\\i}ve', "naïve and naïve and naïve and naïve"),
        ("Fr\\'echet, Poincar\\'{e}, Garc\\'{\\i}a", "Fréchet, Poincaré, García"),
        ("Gar\\c{c}on, \\v{S}koda, {\\c c}a, Erd{\\H o}s", "Garçon, Škoda, ça, Erdős"),
        ("S{\\o}ren, \\L{}ukasz, Stra{\\ss}e", "Søren, Łukasz, Straße"),
        ("45\\% of A\\&B\\_c \\#1 for \\$5", "45% of A&B_c #1 for $5"),
        ("a \\emph{new} {\\em i.e.} \\textbf{bold} \\texttt{code}", "a new i.e. bold code"),
        ("see \\url{https://a.b/c_d}.", "see https://a.b/c_d."),
        ("1)~a relabeler, 2)~a goal", "1) a relabeler, 2) a goal"),
        ("Models~(MLMs) in Fig.~3 of et~al.~[4], 200~million", "Models (MLMs) in Fig. 3 of et al. [4], 200 million"),
        ("``from the void.'' This", "“from the void.” This"),
        ("the ''real'' world", "the “real” world"),
        ("a\u00a0b\u2003c\n d\t", "a b c d"),
        ("ze\u200bro\u00ad wid\ufeffth\u2060\x00", "zero width"),
        ("half \ud800 pair", "half \ufffd pair"),
    ],
)
def test_what_is_certain_is_put_right(raw, cleaned):
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "https://www.robots.ox.ac.uk/~vgg/a~b and www.x.org/aa~bb",
        "about ~5 of them, ~ 30% or 10~20 and 3.2%~8.7%",
        "z~N(0, 1) and data~N(0, 1), O~(n)",
        "Learning to Fly -- a Gym --- indeed, RL--two",
        "tau = {o_0, a_0, dots} and O left( KT right)",
        "we present \\collabvoyager, \\frac{1}{2}, \\alpha",
        "$45\\%$ and $\\textit{x}~y$ in formulas",
        "dataset\\'s and don\\'t",
        'an escaped \\"unknown\\" word',
        "f''(x) and ``an open quote, 5'' wide? no closing one",
        "A^2Nav, Q* search, Optimization)} that",
        "می\u200cخواهم",
        "it costs $0.031 each",
    ],
)
def test_what_is_not_certain_stays_as_it_came(text):
    expected = text.replace("``an open quote, 5''", "“an open quote, 5”")
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("abstract", "url"),
    [
        ("Code: https://a.org/b.", "https://a.org/b"),
        ("Code: https://a.org/b/, ", "https://a.org/b/"),
        ("future researchhttps://github.com/InternLM/OREAL.", "https://github.com/InternLM/OREAL"),
        ("Code (https://a.org/b).", "https://a.org/b"),
        ("See https://a.org/b_(c).", "https://a.org/b_(c)"),
        ("Open-sourced at: github.com/anyasims/edge-of-reach.", "https://github.com/anyasims/edge-of-reach"),
        ("Videos: rlif-page.github.io", "https://rlif-page.github.io"),
        ("Two: http://a.org and https://b.org .", "https://b.org"),
        ("See https://a.org for details.", None),
        ("It runs on Node.js.", None),
        ("It gains 3.6%.", None),
        ("Write to ada@cs.uni.edu", None),
        ("https://", None),
        ("", None),
    ],
)
def test_an_address_at_the_very_end_is_found(abstract, url):
    assert trailing_url(abstract) == url


@given(st.text())
def test_what_is_found_at_the_end_is_an_address(text):
    url = trailing_url(f"{text} https://{text}")
    assert url is None or is_web_address(url)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "ftp://a.org", "https://", "https://a b.org", "a.org", ""])
def test_other_things_are_no_address(text):
    assert not is_web_address(text)
