"""Lists, headings and paragraphs of a model's text, in a draft and in the answer that was checked."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import draft_sentences
from rag.schema import Answer, Citation, Claim, Paper
from tests.hostile import PAYLOADS, Inspector
from ui.conversations.conversation import without_markers
from ui.views.claims import render_claims
from ui.views.layout import cells_of, lines_of, set_draft

PAPER = Paper(id="p", title="A title", abstract="One. Two.")
CITED = Citation(1, PAPER, "One.", 0, 4)


def claims_of(draft, verdict="supported"):
    """The sentences of a draft as Footnote checks them, all cited."""
    return tuple(Claim(said, (CITED,), verdict, 0.9) for said in draft_sentences(draft))


def shown(draft, claims=None):
    claims = claims_of(draft) if claims is None else claims
    text = " ".join(f"{claim.text} [1]" for claim in claims)
    html = render_claims(1, Answer("Why?", text, "answered", claims, (CITED,), raw_text=draft))
    Inspector(html)
    return re.sub(r"\u2060?<sup.*?</sup>", "[1]", re.sub(r' (?:class|dir)="[^"]*"|</?span[^>]*>', "", html))


def test_bullets_are_items_each_with_its_mark():
    assert shown("- Whales sing.\n* Bees dance.\n• Ants walk.") == (
        "<ul><li>Whales sing.[1]</li><li>Bees dance.[1]</li><li>Ants walk.[1]</li></ul>"
    )


def test_numbered_items_keep_their_numbers_where_one_between_them_was_left_out():
    draft = "1. Whales sing.\n2. Cows fly.\n3) Bees dance."
    kept = tuple(claim for claim in claims_of(draft) if "fly" not in claim.text)
    assert shown(draft, kept) == '<ol><li value="1">Whales sing.[1]</li><li value="3">Bees dance.[1]</li></ol>'


def test_several_sentences_of_one_item_stay_in_it():
    assert shown("- Whales sing. They sing low.\n- Bees dance.") == (
        "<ul><li>Whales sing.[1] They sing low.[1]</li><li>Bees dance.[1]</li></ul>"
    )


def test_a_list_after_a_colon_was_checked_as_one_and_is_shown_as_a_list_with_its_mark_at_the_end():
    assert shown("It is old. It has three parts:\n- a **relabeler**,\n- a generator [1]\n- rewards.") == (
        "<p>It is old.[1] It has three parts:</p>"
        "<ul><li>a <strong>relabeler</strong>,</li><li>a generator</li><li>rewards.[1]</li></ul>"
    )


def test_text_before_and_after_a_list_are_paragraphs():
    assert shown("Whales are loud.\n- Whales sing.\nThat is all. Really all.") == (
        "<p>Whales are loud.[1]</p><ul><li>Whales sing.[1]</li></ul><p>That is all.[1] Really all.[1]</p>"
    )


def test_a_blank_line_begins_a_paragraph_and_a_line_break_does_not():
    assert shown("Whales sing.\nBees dance.\n\nAnts walk.") == (
        "<p>Whales sing.[1] Bees dance.[1]</p><p>Ants walk.[1]</p>"
    )


def test_a_heading_stands_alone_without_its_signs():
    assert shown("## On whales\nWhales sing.") == "<h4>On whales[1]</h4><p>Whales sing.[1]</p>"


def test_what_the_model_did_not_write_goes_on_in_the_paragraph():
    anew = Claim("Written anew.", (CITED,), "supported", 0.9)
    assert shown("Whales sing.", (*claims_of("Whales sing."), anew)) == "<p>Whales sing.[1] Written anew.[1]</p>"


def test_a_verdict_stands_behind_the_whole_list():
    said = shown("Two parts:\n- songs\n- dances", claims_of("Two parts:\n- songs\n- dances", "partly"))
    begins, _, ends = said.partition("<button")
    assert begins == "<p>Two parts:</p><ul><li>songs</li><li>dances[1] "
    assert ends.endswith(">partly supported</button></li></ul>")


@pytest.mark.parametrize(
    "line", ["-5 degrees.", "3.5 million.", "#hashtag", "1984. A novel.", "-", "*emphasis* first."]
)
def test_what_only_looks_like_a_mark_is_text(line):
    (found,) = lines_of(line)
    assert (found.kind, found.words) == ("text", line)


def test_a_draft_is_laid_out_while_it_is_written():
    draft = "Two *parts*:\n\n1. songs\n2. dances\n\n# Bees\nBees **dan"
    assert re.sub(r' (?:class|dir)="[^"]*"', "", set_draft(draft)) == (
        '<p>Two <em>parts</em>:</p><ol><li value="1">songs</li><li value="2">dances</li></ol>'
        "<h4>Bees</h4><p>Bees **dan</p>"
    )
    assert set_draft(" \n") == ""


TABLE = "| Kind | Sound |\n|------|:-----:|\n| Whales | sing low |\n| Bees | **hum** |"
SET = (
    "<div><table><thead><tr><th>Kind</th><th>Sound{0}</th></tr></thead><tbody><tr><td>Whales</td><td>sing low{0}</td>"
    "</tr><tr><td>Bees</td><td><strong>hum</strong>{0}</td></tr></tbody></table></div>"
)


def plain(html):
    return re.sub(r' (?:class|dir|role|aria-label|tabindex|scope)="[^"]*"|</?span[^>]*>', "", html)


def test_a_table_is_set_with_its_head_and_each_row_has_its_footnotes_in_its_last_cell():
    assert plain(set_draft(TABLE)) == SET.format("")
    assert plain(shown(TABLE)) == SET.format("[1]").replace("<strong>hum</strong>", "hum")


def test_a_row_that_was_left_out_is_not_in_the_table_and_neither_is_an_unchecked_head():
    kept = tuple(claim for claim in claims_of(TABLE) if "Whales" in claim.text)
    assert plain(shown(TABLE, kept)) == (
        "<div><table><tbody><tr><td>Whales</td><td>sing low[1]</td></tr></tbody></table></div>"
    )


def test_a_row_of_several_sentences_stays_one_row():
    assert plain(shown("| Whales sing. They sing low. | Always. |\n| Bees | hum |")).startswith(
        "<div><table><tbody><tr><td>Whales sing. They sing low.</td><td>Always.[1][1][1]</td></tr>"
    )


CODE = "It runs so:\n\n```python\nfor x in xs:\n    print(x[0], x)  # | no | row |\n\n- 3\n```\nThat is all."


def test_code_between_fences_keeps_its_blanks_its_brackets_and_its_marks():
    assert plain(set_draft(without_markers(CODE + " [2]"))) == (
        "<p>It runs so:</p><pre><code>for x in xs:\n    print(x[0], x)  # | no | row |\n\n- 3</code></pre>"
        "<p>That is all.</p>"
    )
    assert plain(shown(CODE)) == (
        "<p>It runs so:[1]</p><pre><code>for x in xs:[1]\n    print(x[0], x)  # | no | row |[1]\n3[1]</code></pre>"
        "<p>That is all.[1]</p>"
    )


def test_a_fence_says_nothing_and_is_no_sentence():
    assert draft_sentences("```python\nx = 1\n```\n~~~\ny = 2\n~~~") == ["x = 1", "y = 2"]


@pytest.mark.parametrize(
    "whole", [TABLE, f"Before.\n{TABLE}\n\nAfter.", CODE, "~~~\n```\n~~~\nAfter.", "a | b\n--|--\n1 | 2"]
)
def test_a_draft_is_set_soundly_wherever_it_ends(whole):
    for end in range(len(whole) + 1):
        begun = whole[:end]
        said = Inspector(set_draft(without_markers(begun))).shown
        assert Counter(re.sub(r"\W", "", said)) <= Counter(begun), "nothing is shown that was not written"
        lines = [line.strip() for line in begun.splitlines()]
        if "hum" in begun and lines[-1] != "|":
            assert "hum" in said, "and what was written is shown"


def test_two_tables_and_two_blocks_of_code_stay_two():
    assert plain(set_draft(f"{TABLE}\n\n{TABLE}")) == SET.format("") * 2
    assert plain(set_draft("```\na\n```\n```\nb\n```")) == "<pre><code>a</code></pre><pre><code>b</code></pre>"


@pytest.mark.parametrize("row", ["| a `b|c` | d |", "| a \\| b | d |", "| $|x|$ and $y$ | d |", "|  | d |", "a | d"])
def test_only_pipes_between_cells_part_them(row):
    cells = cells_of(row)
    assert len(cells) == 2
    assert cells[1] == "d"


@pytest.mark.parametrize("line", ["|x| is a length.", "a | b", "|", "||", "P(a|b) = 1"])
def test_a_pipe_alone_makes_no_table(line):
    assert [found.kind for found in lines_of(line)] == ["text"]


MARKS = (
    "- {}",
    "| {} | {} |",
    "| a |\n|---|\n| {} |",
    "```\n{}\n```",
    "```{}\n{}",
    "~~~\n{}",
    "1. {}",
    "# {}",
    "**- {}**",
    "- *{}*\n- `{}`",
    "It says:\n- {}\n- {}",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_but_lists_and_headings_comes_of_a_hostile_text(payload):
    for mark in MARKS:
        draft = mark.replace("{}", payload)
        assert Inspector(set_draft(draft)).links == []
        claims = (*claims_of(draft), Claim(payload, (CITED,), "partly", 0.5))
        assert Inspector(render_claims(1, Answer("q", payload, "answered", claims, (CITED,), raw_text=draft)))


@given(st.text(alphabet="-*#1.) \n:;ab<$`|~[]\\", max_size=80))
def test_no_word_of_an_answer_is_lost_whatever_its_layout(draft):
    claims = claims_of(draft)
    if not claims:
        return
    html = render_claims(1, Answer("q", draft, "answered", claims, (CITED,), raw_text=draft))
    said = re.sub(r"\W|\[1\]", "", Inspector(re.sub(r"<sup.*?</sup>", "", html)).shown)
    wanted = re.sub(r"\W", "", "".join(claim.text for claim in claims))
    assert sorted(said) == sorted(wanted)


def test_a_claim_that_keeps_brackets_of_its_own_keeps_its_place():
    draft = "- Scores lie in [0, 1] for all tasks.\n- Ants walk."
    claims = tuple(Claim(said, (CITED,), "supported", 0.9) for said in draft_sentences(draft, {7}))
    assert claims[0].text == "Scores lie in [0, 1] for all tasks."
    assert shown(draft, claims) == "<ul><li>Scores lie in [0, 1] for all tasks.[1]</li><li>Ants walk.[1]</li></ul>"
