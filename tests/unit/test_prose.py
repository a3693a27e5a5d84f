"""Formulas and Markdown: set where they are, left alone where they are not, and never anything else."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import PAYLOADS, Inspector
from ui.views.prose import prose, science


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("$x_s$", "<math><mrow><msub><mi>x</mi><mi>s</mi></msub></mrow></math>"),
        (r"\(x_s\)", "<math><mrow><msub><mi>x</mi><mi>s</mi></msub></mrow></math>"),
        ("$x_s^2$", "<msup><msub><mi>x</mi><mi>s</mi></msub><mn>2</mn></msup>"),
        ("$$x_s$$", "<msub><mi>x</mi><mi>s</mi></msub>"),
        ("\\[\nx_s\n\\]", "<msub><mi>x</mi><mi>s</mi></msub>"),
        (r"$\frac{a}{b}$", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        (r"$\mathbb{R}^n$", "<msup><mi>ℝ</mi><mi>n</mi></msup>"),
    ],
)
def test_formulas_are_set_as_mathml(formula, shown):
    assert shown in science(f"Of {formula}, then.")
    assert science(f"Of {formula}, then.").startswith("Of <math>")


@pytest.mark.parametrize(
    "words",
    [
        "It costs $5 and $6 a month.",
        "From $3 to $4$ things",
        "Prices in $ and in £",
        r"An escaped \$x\$ sign",
        "$ x $ with blanks",
        "$$5 and $$ 6",
        "Prices: $$ = cheap, $$$ = dear",
        r"see \[in press\] there",
        r"a \[1] b",
        "$" + "{" * 250 + "$",
        "$" + "x" * 301 + "$",
    ],
)
def test_what_is_no_formula_stays_as_it_was_written(words):
    assert Inspector(science(words)).shown == words
    assert "<" not in science(words)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It is **very** fast", "It is <strong>very</strong> fast"),
        ("It is *very* fast", "It is <em>very</em> fast"),
        ("Call `a<b>` twice", "Call <code>a&lt;b&gt;</code> twice"),
        ("**Of $x$**", "<strong>Of <math><mrow><mi>x</mi></mrow></math></strong>"),
        ("2 * 3 * 4 and a*b*c", "2 * 3 * 4 and a*b*c"),
        ("a ** b ** c", "a ** b ** c"),
        ("[here](javascript:alert(1))", "[here](javascript:alert(1))"),
        ("![x](y)", "![x](y)"),
        ("# no heading", "# no heading"),
    ],
)
def test_a_little_markdown_is_set_in_answers(written, shown):
    assert prose(written) == shown


def test_markdown_is_not_set_in_abstracts():
    assert science("**x** and *y* and `z`") == "**x** and *y* and `z`"


@pytest.mark.parametrize("wrapping", ["{}", "${}$", r"\({}\)", r"$\text{{}}$", "**{}**", "`{}`", "*{}*"])
def test_nothing_but_known_elements_comes_of_it(wrapping):
    for payload in PAYLOADS:
        made = prose(wrapping.replace("{}", payload))
        assert Inspector(made).links == []
        assert not re.search(r"<(?!/?(?:m\w+|strong|em|code)>)", made), made


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="$\\"), max_size=80))
def test_without_a_formula_every_character_is_kept(words):
    assert Inspector(science(words)).shown == words


@example("$^1_1$")
@given(st.text(alphabet="$\\(){}_^*`<>&ab1 ", max_size=60))
def test_any_mixture_of_signs_gives_whole_elements(words):
    Inspector(prose(words))
    Inspector(science(words))
