"""Whether names and denials of a sentence are those of the sentences that it cites, by hand."""

import pytest

from eval.metrics.grounding import entity_agreement, negation_agreement
from eval.scoring import MEASURES
from rag import Answer, Citation, Claim, Paper


def answer(*claims):
    """Claims as (text, (title, quote), …)."""
    made = []
    for text, *sources in claims:
        papers = [Paper(title, title, quote) for title, quote in sources]
        cited = tuple(Citation(n, p, p.abstract, 0, len(p.abstract)) for n, p in enumerate(papers, 1))
        made.append(Claim(text, cited, "supported", 1.0))
    return Answer("?", "x", "answered", tuple(made))


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("It beats CLIP on COCO.", ("T", "We beat CLIP on COCO."), 1.0),
        ("It beats CLIP on COCO.", ("T", "We beat CLIP on cups."), 0.0),
        ("TACO grasps cups.", ("TACO: robots", "We grasp cups."), 1.0),  # the title has it
        ("TACO grasps cups.", ("T", "We grasp cups."), 0.0),
        ("It uses GPT-4 and LLMs.", ("T", "With GPT4, an LLM, we plan."), 1.0),
        ("It uses GPT-4.", ("T", "With GPT-3, we plan."), 0.0),
        ("Robots grasp cups [1].", ("T", "Arms lift mugs."), None),  # only begins the sentence
        ("They study Berlin's robots.", ("T", "Robots of Berlin."), 1.0),
    ],
)
def test_every_name_of_a_sentence_stands_in_what_it_cites_or_its_title(text, source, expected):
    assert entity_agreement(answer((text, source))) == expected


def test_names_agree_by_sentence_over_all_that_it_cites_and_uncited_ones_are_left_out():
    both = ("It joins CLIP and TACO.", ("A", "CLIP sees."), ("B", "TACO acts."))
    half = ("It joins CLIP and TACO.", ("A", "CLIP sees."))
    assert entity_agreement(answer(both, half, ("It is CLIP.",), ("it sees", ("A", "CLIP sees.")))) == 0.5
    assert entity_agreement(answer()) is None
    assert entity_agreement(answer(("It is CLIP.",))) is None


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("Robots do not grasp cups.", "Robots never grasp red cups.", 1.0),
        ("Robots do not grasp cups.", "Robots grasp cups.", 0.0),
        ("Robots grasp cups.", "Robots do not grasp cups.", 0.0),
        ("Robots grasp cups.", "Robots don't grasp cups.", 0.0),
        ("Existing methods capture motion.", "Existing methods fail to capture motion.", 0.0),
        ("Robots grasp cups.", "No robots grasp cups.", 0.0),
        ("Robots grasp cups.", "Robots grasp cups, and plates are not washed.", None),  # denies something else
        ("Robots grasp cups.", "Robots grasp cups.", None),
        ("It needs no labels.", "It is trained without labels.", 1.0),
    ],
)
def test_a_sentence_that_denies_cites_one_that_denies_and_the_other_way_round(text, quote, expected):
    assert negation_agreement(answer((text, ("T", quote)))) == expected


def test_denials_agree_by_sentence_and_what_denies_nothing_is_left_out():
    kept = ("Robots do not grasp cups.", ("A", "Arms lift."), ("B", "Robots cannot grasp cups."))
    lost = ("Robots grasp cups.", ("A", "Arms lift."), ("B", "Robots cannot grasp cups."))
    assert negation_agreement(answer(kept, lost, ("Arms lift.", ("A", "Arms lift.")), ("It is not so.",))) == 0.5
    assert negation_agreement(answer()) is None
    assert negation_agreement(answer(("It is not so.",))) is None


def test_a_title_that_denies_is_no_denial_of_what_is_cited():
    assert negation_agreement(answer(("Robots do not grasp cups.", ("No cups", "Robots grasp cups.")))) == 0.0


def test_a_run_measures_both():
    assert {"number agreement", "entity agreement", "negation agreement"} <= set(MEASURES)
