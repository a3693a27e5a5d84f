"""Numbers beside what they are of, in two lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language.misreading import misread
from rag.language.pairing import of_its_neighbour, pairings

BLEU = (
    "It achieves 34.43 and 29.01 BLEU score on WMT16 English-Romanian and WMT14 English-German tasks, outperforming it."
)
THREE = "It reaches 83.6%, 46.9% and 88.5% on the Cityscapes test set, ADE20K, and PASCAL VOC, respectively."


@pytest.mark.parametrize(
    ("text", "source", "number"),
    [
        ("34.43 BLEU on WMT14 English-German.", BLEU, "34.43"),
        ("It reaches 29.01 BLEU from English to Romanian.", BLEU, "29.01"),
        ("It reaches 46.9% on PASCAL VOC.", THREE, "46.9"),
        ("On Cityscapes it reaches 88.5%.", THREE, "88.5"),
        (
            "The older phone ran at 48.6 FPS, an Android.",
            "It runs at 56.8 FPS and 48.6 FPS on Android and iPhone.",
            "48.6",
        ),
    ],
)
def test_a_number_of_its_neighbour_is_misread(text, source, number):
    assert of_its_neighbour(text, source) == number
    assert misread(text, source) == number


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("29.01 BLEU on WMT14 English-German.", BLEU),
        ("It achieves 34.43 BLEU on WMT16 English-Romanian.", BLEU),
        ("It reaches 34.43 and 29.01 BLEU on English-Romanian and English-German.", BLEU),
        ("It reaches 29.01 BLEU on both Romanian and German.", BLEU),  # names both: no list of this kind
        ("It reaches 34.43 BLEU.", BLEU),
        ("It reaches 46.9% on ADE20K.", THREE),
        ("34.1 on WMT14 German-English.", "30.4 and 34.1 on the WMT14 English-German and German-English datasets."),
        (
            "It uses 5 models on visual questions.",
            "It tests 5 models and 4 datasets on the task of vision and questions.",
        ),
        ("It grew by 3 in Kenya.", "It grew from 2 to 3 in Ghana and Kenya."),
        ("7 of them had asthma.", "Of 12, 7 of them had fever and asthma."),
    ],
)
def test_what_is_paired_right_or_not_at_all_is_not(text, source):
    assert of_its_neighbour(text, source) == ""


def test_each_number_has_the_words_of_its_own_thing():
    ((values, things),) = pairings("Recall was 0.91 and 0.78 in adults and children, respectively, in all.")
    assert values == ("0.91", "0.78")
    assert things == ({"adult"}, {"children"})


@given(st.text(alphabet="1234 ,.%andofX"))
def test_no_text_misreads_itself(text):
    assert of_its_neighbour(text, text) == ""
