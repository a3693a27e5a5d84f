"""The answer check's boundary rules."""

import pytest

from eval.metrics.matching import contains, missing


@pytest.mark.parametrize(
    ("alternative", "text", "expected"),
    [
        ("6", "there are 6 tasks", True),
        ("6", "there are 16 tasks", False),
        ("6", "by 6.1 points", False),
        ("3", "Llama-3-8B", False),
        ("3", "a 3B model", False),
        ("3.6", "a 3.6% gain", True),
        ("53%", "53\u202f% of them", True),
        ("53 %", "53% of them", True),
        ("53 %", "153% of them", False),
        ("3.6", "a 13.6% gain", False),
        ("970k", "on 970K demonstrations", True),
        ("FAS", "it is faster", False),
        ("SAM", "two SAMs", True),
        ("ten", "tensor", False),
        ("four", "the Fourier transform of fourteen", False),
        ("five", "a fivefold gain", False),
        ("five", "all five of them", True),
        ("GPT-4", "GPT-4o is better", False),
        ("GPT-4", "better than GPT-4.", True),
        ("truncat", "this truncation", True),
        ("gap", "the gaps", True),
        ("gap", "agape", False),
        ("high-advantage", "high\u2011advantage actions", True),
    ],
)
def test_an_alternative_is_found_where_it_is_meant(alternative, text, expected):
    assert contains(text, alternative) is expected


def test_every_group_needs_one_alternative():
    groups = [["residual sub-network", "residual subnetwork"], ["frozen"]]
    assert missing(groups, "a residual subnetwork, frozen") == []
    assert missing(groups, "a residual subnetwork") == [["frozen"]]
    assert missing([], "anything") == []
