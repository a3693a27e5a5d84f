"""The sentence splitter: rules by example, and properties that hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language.sentences import sentences_of, split_sentences
from rag.schema import Paper

PIECES = st.lists(
    st.sampled_from(
        ["et al.", "e.g.", "Fig.", "3.6%", "We", "go", ".", "?", "!", "…", "(", ")", "”", " ", "  ", "\n\n", "A."]
    )
    | st.text(max_size=8),
    max_size=40,
).map("".join)


def pieces(text):
    return [text[start:end] for start, end in split_sentences(text)]


@given(st.text() | PIECES)
def test_spans_are_in_order_stripped_and_cover_all_but_white_space(text):
    before = 0
    for start, end in split_sentences(text):
        assert before <= start < end <= len(text)
        assert not text[before:start].strip()
        assert text[start:end] == text[start:end].strip()
        before = end
    assert not text[before:].strip()


@given(st.text() | PIECES)
def test_sentences_carry_the_text_that_their_offsets_point_at(text):
    paper = Paper(id="p", title="T", abstract=text)
    found = sentences_of(paper)
    assert [sentence.index for sentence in found] == list(range(len(found)))
    assert all(text[s.start : s.end] == s.text and s.paper_id == "p" for s in found)


@pytest.mark.parametrize("text", ["", " ", "\n\t\u2003"])
def test_blank_text_has_no_sentences(text):
    assert split_sentences(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "It builds on Wolf et al. (2020) and on Brown et al. GPT-3 results.",
        "Tasks vary, e.g. Minecraft, i.e. Voyager, cf. Smith, vs. AutoWebGLM, approx. 5 of them, resp. 6.",
        "Models (e.g. BERT), w.r.t. Adam, a.k.a. Lasso, viz. SVM.",
        "As Fig. 3, Figs. 4 and 5, Eq. (2), Sec. A and No. 5 show, it works.",
        "It gains 3.6% over 10.6X and v1.2 of GPT-3.5.",
        "Samples are i.i.d. Gaussian in the U.S. Army and in Washington D.C. Metro data.",
        "As J. S. Bach and A. Turing wrote, Dr. Smith lives in St. Petersburg.",
        "We see https://a.b/c.d?e=F.G and www.x.org/Y.Z here.",
        "It runs on Node.js, Node.JS, ASP.NET and GPT-4.Turbo, in setup.py and torch.Tensor(x).",
        "Write to ada.Lovelace@uni.edu for a.Txt of nn.Module.Foo code.",
        "Levels of TNF vs. α-synuclein, approx. μ times as high, cf. β-catenin and Eq. (b) of it.",
        "It follows Meyer, P. & Brandt, J. closely.",
        "Memories, thoughts, behaviours, etc. into one (cats, dogs, etc.) Sequence.",
        "It has two stages: 1) a small one and 2) a large one.",
        "It has (1) a start. (2 more sentences. Within brackets.) and an end.".replace("start. ", "start, "),
        "This relates to nature vs. nurture.",
        "Values 1, 2, ... N of a sequence.",
        "Is it (why?) or not (surely!) for the reader.",
        "It errs by less than 0. 04 in all.",
        "The Rubik's cube needs Q* search and A* search to solve.",
        "Code at github.com/a/B.Git is out.",
        "as m . b . glauert found in naca report no . 479, fig . 3, et al . in vain",
    ],
)
def test_one_sentence_stays_one(text):
    assert pieces(text) == [text]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It follows Smith et al.", "We go on."),
        ("It was made in the U.S.", "The rest follows."),
        ("It gains 3.6%.", "Then it stops."),
        ("It needs reasoning (RL).", "OpenAI says so."),
        ("We are effectively “bootstrapping from the void.”", "This triggers collapse."),
        ("We are effectively ``bootstrapping from the void.''", "This triggers collapse."),
        ('They call it "stitching."', "We do not."),
        ("Code is at https://a.b/c.", "We thank you."),
        ("It beats GPT-4.", "Others do not."),
        ("It is better than A*.", "Others are not."),
        ("Can models plan?", "They can."),
        ("They can!", "Most of them."),
        ("And so on...", "We stop here."),
        ("And so on…", "We stop here."),
        ("It was sold there.", "eBay gave data."),
        ("It regulates growth.", "p53 does not."),
        ("It harms the neurons.", "α-Synuclein spreads."),
        ("The other did not change (3%).", "β-catenin rose."),
        ("It explores too little.", "ε-greedy is better."),
        ("We find two things.", "(ii) We train longer."),
        ("We find two things.", "b) It lasts."),
        ("A comma was misread.", "we go on."),
        ("The answer is no.", "Five models agree."),
        ("It takes less than 10 ms.", "Second, it is small."),
        ("It needs 10 W.", "FastDepth needs more."),
        ("It holds for class A.", "Patients differ."),
        ("It lifts tasks .", "Others do not."),
        ("the lift of the wing was measured at mach 3 .", "a theory of it is given"),
        ("the field is strong (hall effect) .", "a tensor gives it"),
        ("(It holds in brackets.)", "Others do not."),
        ("As shown in Fig. 1.", "Others do not."),
        ("Highlights: 1. RLHF is inverse RL.", "2. RLHF beats SFT."),
        ("It improves returns.", "https://sites.google.com/view/x"),
        ("We measure it.[3, 4]", "Others do not."),
        ("\\collabvoyager has parts.", "\\collabvoyager agents win."),
        ("它很好。", "我们同意。"),
        ("One paragraph", "Another one"),
    ],
)
def test_two_sentences_are_told_apart(first, second):
    gap = "\n\n" if first == "One paragraph" else " "
    assert pieces(f"{first}{gap}{second}") == [first, second]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("strong reasoning ability.OpenAI has claimed", ["strong reasoning ability.", "OpenAI has claimed"]),
        ("from WebVoyager and WebArena.To the best", ["from WebVoyager and WebArena.", "To the best"]),
        ("human preference.GRUE is the first", ["human preference.", "GRUE is the first"]),
        ("which property?Building on it", ["which property?", "Building on it"]),
        ("it works (2022).In this paper", ["it works (2022).", "In this paper"]),
    ],
)
def test_a_missing_space_after_a_stop_does_not_hide_the_end(text, parts):
    assert pieces(text) == parts


def test_stray_punctuation_stays_with_the_sentence_before_it():
    assert pieces("It ends here. . . .") == ["It ends here. . . ."]


def test_long_text_without_an_end_takes_linear_time():
    split_sentences("a." * 100_000)
    split_sentences("(" * 100_000)
    split_sentences("A. " * 30_000)
