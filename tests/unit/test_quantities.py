"""Numbers keep their value, their unit, and whether they are a level or a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language.misreading import counts_another, misread, turned_round
from rag.language.quantities import missing_names, numbers_in, quantities


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("24,000 actions", {"24000"}),
        ("24k actions", {"24000"}),
        ("390K+ entries", {"390000"}),
        ("a 7B model of 7 billion parameters", {"7000000000"}),
        ("3.60 and three", {"3.6", "3"}),
        ("version 2.5.1", {"2.5.1"}),
        ("no number", set()),
        ("a ratio of .78 (p<.003), -.5 or $.20", {"0.78", "0.003", "0.5", "0.2"}),
        ("a ratio of 0·78, 1·50 and 12·0", {"0.78", "1.5", "12"}),
        ("from 2·10^6 up", {"2", "10", "6"}),
        ("see v.2 and Fig.3 [4].5 at the end.6 of 1.2.3 ...7", {"2", "3", "4", "5", "6", "1.2.3", "7"}),
        ("Llama-3-8B", {"3", "8000000000"}),
        ("twenty-five of a hundred", {"25", "100"}),
        ("two hundred tasks, fifty million frames", {"200", "50000000"}),
        ("four one-hour runs", {"4", "1"}),
        ("One hundred and twenty patients, two hundred thirty-four controls", {"120", "234"}),
        ("a hundred and five of three hundred twenty thousand", {"105", "320000"}),
        ("two thousand five hundred and six, or one million two hundred thousand", {"2506", "1200000"}),
        ("one hundred two hundred and fifty", {"100", "250"}),
        ("two hundred five-second clips of ten thousand", {"200", "5", "10000"}),
        ("between one hundred and two hundred", {"100", "200"}),
        ("between one hundred and one thousand", {"100", "1000"}),
        ("two or three hundred and seven and eight", {"2", "307", "8"}),
        ("one-two weeks, twenty one of thirty", {"1", "2", "21", "30"}),
        ("zero of ten, non-zero, zero-shot", {"0", "10"}),
        ("hundreds of someone, sixteenth", set()),
    ],
)
def test_a_number_is_its_value_however_it_is_written(text, numbers):
    assert numbers_in(text) == numbers


LISTED = (
    "Compared with placebo, the first pill reduced weight by 2.9 kg (95% confidence interval 2.5 kg to 3.2 kg), the "
    "second by 4.2 kg (3.6 kg to 4.7 kg), and the third by 4.9 kg (4.1 kg to 5.3 kg). Doses were sorted by 8 kg."
)


@pytest.mark.parametrize(
    "text",
    [
        "People lose 2.9 kg on the first pill.",
        "The third pill reduced weight by 4.9 kg (4.1 kg to 5.3 kg).",
        "The third pill lowers weight by 4.9 kg.",
    ],
)
def test_the_word_of_change_is_said_once_of_several(text):
    assert not misread(text, LISTED)
    assert misread("Weight is 2.9 kg on the first pill.", LISTED), "a level, for a change"
    assert misread("It rose by 8 kg.", LISTED), "another sentence tells of no change"


def test_a_number_in_a_name_is_no_amount_and_the_name_has_to_be_there():
    assert numbers_in("SC2LE has 7 games", in_names=False) == {"7"}
    assert numbers_in("SC2LE has 7 games") == {"2", "7"}
    assert missing_names("GPT4 and Llama2 play SC2LE.", "GPT-4 and Llama 2 play SC2LE.") == ()
    assert missing_names("GPT4 plays, GPT4 wins.", "GPT-40 plays GPT 3.") == ("GPT4",)
    assert missing_names("RT-2 has 2 arms.", "") == ()
    assert missing_names("R1 and B3 win.", "server 1 beats web 3.0") == ("R1", "B3")
    assert not misread("A2C trains for 2 hours.", "A2C trains for 2 hours.")


@pytest.mark.parametrize(
    "said",
    ["We train on eight A100 80GB GPUs.", "Built on Llama2 7B, it wins.", "LLaMA2 13B, Phi3 4B and Qwen2.5-Coder."],
)
def test_a_name_stands_in_its_own_sentence(said):
    assert missing_names(said, said) == ()


@pytest.mark.parametrize(
    ("said", "source"),
    [("84x96", "84x84"), ("1e4", "1e6"), ("5v7", "5v5"), ("β2", "β3"), ("准确率为95%", "准确率为90%")],
)
def test_a_number_behind_another_or_behind_a_letter_of_another_script_is_no_name(said, source):
    assert not numbers_in(said, in_names=False) <= numbers_in(source)


@pytest.mark.parametrize("written", ["CO2", "CO₂", "CO(2)", "CO 2"])
@pytest.mark.parametrize("said", ["CO2", "CO₂", "CO(2)"])
def test_a_name_is_the_same_with_its_digits_on_the_line_below_it_and_in_brackets(said, written):
    assert missing_names(f"{said} rises.", f"More {written} was found.") == ()
    assert numbers_in(f"{said} rises.", in_names=False) <= numbers_in(f"More {written} was found.")
    assert missing_names("CO2 and B12 rise.", f"More NO₂ than {written}, and B(6).") == ("B12",)


def test_a_raised_digit_behind_a_letter_is_its_digit_and_behind_a_number_its_power():
    assert missing_names("BMI was 25 kg/m2, R2 high.", "BMI was 25 kg/m², R² high.") == ()
    assert missing_names("BMI was 25 kg/m²; see Doe³.", "BMI was 25 per square metre.") == ()
    assert numbers_in("25 kg/m² and R²", in_names=False) == {"25"}
    assert numbers_in("R^2 was high.") <= numbers_in("A high R².")
    assert numbers_in("10² of 10⁶") == numbers_in("10^2 of 10^6") == {"10", "2", "6"}
    assert numbers_in("2·10⁻³") == {"2", "10", "3"}
    assert misread("It fails in 10^-3 of cases.", "It fails in 10³ of cases.")
    assert not misread("It fails in 10^-3 of cases.", "It fails in 10⁻³ of cases.")
    assert not numbers_in("10⁶ cells") <= numbers_in("10⁸ cells")


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("It was cooled to 77 K.", "It was cooled to 77K."),
        ("It was cooled to 77K.", "It was cooled to 77 K."),
        ("It needs 5 M NaCl.", "It needs 5M NaCl, no less."),
        ("It needs 5M NaCl.", "It needs 5 M NaCl."),
        ("It is a 7B model.", "It is a model of 7 B parameters."),
        ("It saw 77,000 images.", "It saw 77K images."),
        ("It has 5 layers and saw 5M images.", "It saw 5M ImageNet images with 5 layers."),
    ],
)
def test_a_letter_behind_a_number_is_compared_as_it_is_written(said, source):
    assert numbers_in(said, in_names=False) <= numbers_in(source)
    assert not misread(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("It saw 970 images.", "It saw 970k images."),
        ("It saw 970k images.", "It saw 970 images."),
        ("It saw 970 images.", "Of images it saw 970K."),
        ("It saw 5 images.", "It saw 5M ImageNet images."),
        ("It costs 5.", "It costs $5M."),
        ("It heats up to 77,000 kelvin.", "It heats up to 77 K."),
    ],
)
def test_a_letter_behind_a_number_is_not_left_out(said, source):
    assert misread(said, source) or not numbers_in(said, in_names=False) <= numbers_in(source)


def test_the_word_one_counts_only_where_it_is_asked_for():
    assert numbers_in("one of them") == {"1"}
    assert numbers_in("one of them", with_one=False) == frozenset()
    assert numbers_in("zero shot", with_one=False) == frozenset()


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Demonstrations are 3% cheaper.", "They prove to be only 3% the cost of human ones."),
        ("WebRL beats AutoWebGLM by 18.2%.", "AutoWebGLM, the best of the open agents, has a success rate of 18.2%."),
        ("It reaches a success rate of 20.4%.", "It outperforms imitation learning by 20.4%."),
        ("Training takes 2 days.", "Training takes 2 hours."),
        ("It is 40% of that.", "It is 40 times that."),
    ],
    ids=[
        "a share for a difference",
        "a level for a margin",
        "a margin for a level",
        "another unit",
        "times for percent",
    ],
)
def test_a_number_that_means_something_else_is_misread(said, source):
    assert misread(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("It solves more than 40 tasks.", "It solves fewer than 40 tasks."),
        ("It solves under 40 tasks.", "It solves over 40 tasks."),
        ("It is at most 3 times faster.", "It is at least 3 times faster."),
        ("It is 3 times faster.", "It is up to 3 times faster."),
        ("It costs €5 for a run.", "It costs $5 for a run."),
        ("It costs 5 euros for a run.", "It costs $5 for a run."),
        ("It hears signals of 5 dB.", "It hears signals of -5 dB."),
        ("It was trained for 3 epochs on 5 GPUs.", "It was trained for 5 epochs on 3 GPUs."),
        ("It reaches 80% on Beta.", "It reaches 80% on Alpha and 60 % on Beta."),
        ("It has five arms.", "It has three arms and five new legs."),
        ("It doubles the cost of training.", "It halves the cost of training."),
        ("It is twice as fast as BarNet.", "It is ten times as fast as BarNet."),
    ],
)
def test_another_bound_currency_sign_thing_or_multiple_is_misread(said, source):
    assert misread(said, source)
    assert not misread(said, said)
    assert not misread(source, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("It solves more than 40 tasks.", "It solves at least 40 tasks."),
        ("It solves 40 tasks.", "It solves more than 40 tasks."),
        ("The largest gain is 15%.", "It has gains of up to 15%."),
        ("It is at most 3 times faster.", "It is up to 3 times faster."),
        ("It was averaged over 5 seeds.", "It was averaged on 5 seeds."),
        ("It costs 5 dollars.", "It costs $5."),
        ("The cost is 5% lower.", "The cost changes (-5%)."),
        ("It sings at 3-5 hertz.", "It sings at 3–5 hertz."),
        ("It solves 10 tasks.", "It solves 10 real tasks and 5 simulated tasks."),
        ("It reaches 60% accuracy on Beta.", "It reaches 80% accuracy on Alpha and 60% on Beta."),
        ("An Office-31-like collection of 20 images.", "It has 20 images collected in 31 kinds, like Office-31."),
        ("It doubles the speed.", "It halves the time."),
        ("It is twice as fast.", "It doubles the speed and is 2x as fast."),
    ],
)
def test_the_same_bound_currency_sign_thing_or_multiple_is_not(said, source):
    assert not misread(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("OpenVLA outperforms RT-2-X by 16.5%.", "OpenVLA outperforms RT-2-X by 16.5% in absolute success rate."),
        ("HumanEval improves by 12.2%.", "It enhances HumanEval (+12.2%) and GPQA (+8.6%)."),
        ("It is 7.35 times faster.", "It offers a 7.35x speed-up over the state of the art."),
        ("The success rate rises from 4.8% to 42.4%.", "It improves the success rate from 4.8% to 42.4%."),
        ("It uses 100k demonstrations.", "We use 100,000 demonstrations."),
        ("It reached 90% by 2023.", "In 2023 it reached 90%."),
        ("A game played by 4 players.", "4 players play the game."),
        ("A 3 by 3 grid.", "A 3x3 grid."),
        ("It has 4 better agents.", "It has 4 agents."),
        ("It has 50 tasks.", "It has 60 tasks."),
    ],
    ids=[
        "the same words",
        "a sign",
        "a speed-up",
        "from and to",
        "another spelling",
        "until a year",
        "by whom",
        "a size",
        "more that are better",
        "not there: no matter of reading",
    ],
)
def test_a_number_that_means_the_same_is_not(said, source):
    assert not misread(said, source)


def test_a_decimal_without_its_zero_or_with_a_middle_dot_is_compared_as_one():
    said = "The ratio was 0.78, P = 0.003."
    assert numbers_in(said) <= numbers_in("A clear effect (ratio, .78; P = .003).")
    assert not misread(said, "A clear effect (ratio, .78; P = .003).")
    assert not numbers_in("a ratio of 78") <= numbers_in("a ratio of 0·78")


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Accuracy rose by 5%.", "In all, accuracy rose 5%."),
        ("Accuracy increased by 5%.", "Accuracy climbed 5%."),
        ("Prices fell by 12 dollars.", "Prices fell $12."),
        ("The mass shrank by 5 kg.", "It lost 5 kg of mass."),
        ("Pain was lowered by 20%.", "It attenuated pain (20%)."),
        ("The stay was 3 days shorter.", "It shortened the stay by 3 days."),
        ("The gap steepened by about 4%.", "The gap steepened 4%."),
    ],
)
def test_a_change_is_one_whatever_its_verb(said, source):
    assert not misread(said, source)
    assert not misread(source, said)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Beta outdoes Alpha by 18%.", "Alpha 18%, Beta 20%."),
        ("It inhibits growth by 18%.", "The inhibitor binds 18% of cells."),
        ("Loads climb by 18%.", "Of the loads, an augmented arm lifts 18%."),
    ],
)
def test_a_level_is_no_change_because_a_word_like_one_stands_near(said, source):
    assert misread(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Remission lasted 12 weeks.", "There was an induction phase followed by 12 weeks of rest."),
        ("Better reports were rated by 2 judges.", "2 judges rated them."),
        ("It was used by 30% of them, with higher rents.", "30% of them used it."),
        ("It lasted 12 weeks, improving sleep.", "By 12 weeks sleep was good."),
        ("It was given over 12 weeks.", "It was given for up to 12 weeks."),
        ("It was given over 12 weeks.", "It was given for more than 12 weeks."),
        ("It was given over 12 weeks.", "It was given for 12 weeks."),
    ],
)
def test_by_and_over_are_read_by_what_stands_beside_them(said, source):
    assert not misread(said, source)
    assert not misread(source, said)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Sleep was prolonged by 2 hours.", "Sleep took 2 hours."),
        ("Beta outdoes it by 2%.", "Beta has 2%."),
        ("It improves speed by 2%.", "Its speed is 2% of that."),
        ("It improves the best known results by 3 points.", "It has 3 points."),
        ("It was given over 12 weeks.", "It was given for less than 12 weeks."),
        ("It solves over 12 tasks.", "It solves up to 12 tasks."),
    ],
)
def test_by_and_over_still_tell_a_change_and_a_bound(said, source):
    assert misread(said, source)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 g", "5 mg"),
        ("5 mg", "5 ng"),
        ("5 min", "5 s"),
        ("5 µg", "5 milligrams"),
        ("5 mM", "5 mm"),
        ("5 ms", "5 s"),
        ("5 kV", "5 volts"),
        ("5 nm", "5 eV"),
        ("5 mmHg", "5 mm"),
        ("5 wk", "5 d"),
        ("5-MeV", "5 keV"),
    ],
)
def test_another_unit_is_misread(one, other):
    assert misread(f"It has {one}.", f"It has {other}.")
    assert misread(f"It has {other}.", f"It has {one}.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 m", "5 metres"),
        ("5 m", "5-meter"),
        ("3 s", "3 seconds"),
        ("3 s", "3 sec"),
        ("20 ms", "20 milliseconds"),
        ("20ms", "20 ms"),
        ("5 %", "5 percent"),
        ("5 µg", "5 μg"),
        ("5 μg", "5 micrograms"),
        ("5 mL", "5 ml"),
        ("12 wks", "12 weeks"),
        ("6 mo", "6-month"),
        ("3 h", "3 hours"),
        ("2 d", "2-day"),
        ("60 Hz", "60 hertz"),
        ("60 hz", "60 Hz"),
        ("140 mm Hg", "140 mmHg"),
        ("the over-55s", "those over 55 years"),
        ("5 GB", "5 gb"),
        ("77 K", "77 kelvin"),
        ("77K", "77 kelvin"),
        ("5 m", "5\u00a0m"),
        ("25 m²", "25 square metres"),
        ("25 cm2", "25 square centimetres"),
        ("2D", "2 D"),
        ("10x", "10 times"),
        ("2 T5 models", "2 models"),
        ("5 Members", "5 members"),
    ],
)
def test_the_same_unit_is_not_however_it_is_written(one, other):
    assert not misread(f"It has {one}.", f"It has {other}.")
    assert not misread(f"It has {other}.", f"It has {one}.")


def test_a_letter_that_makes_no_unit_stays_what_it_was():
    units = {
        quantity.value: quantity.unit for quantity in quantities("2D maps, 7B and 4k weights, 10x as fast, 5-shot")
    }
    assert units == {"2": "", "7000000000": "", "4000": "", "10": "times", "5": ""}


@given(st.text(), st.text())
def test_no_text_is_too_odd_to_be_read(text, source):
    misread(text, source)
    assert all(quantity.value for quantity in quantities(text))


SEEN = "MoleDig was seen by 263K gardeners in 14 million visits over 3 years, which cost 20 dollars."


@pytest.mark.parametrize(
    ("question", "text", "is_another"),
    [
        ("How many gardeners saw it?", "It had 14 million visits.", True),
        ("How many patient gardeners were there over the 3 years?", "Over the 3 years it had 14 million visits.", True),
        ("How many gardeners saw it?", "263,000 gardeners saw it in 14 million visits.", False),
        ("How many gardeners saw it?", "It was seen by 263K.", False),
        ("How many visits were there?", "It had 14 million visits.", False),
        ("How many owls saw it?", "It had 14 million visits.", False),
        ("How long was it seen?", "It had 14 million visits.", False),
        ("How many gardeners saw it?", "Gardeners saw it.", False),
    ],
)
def test_a_number_of_something_else_than_what_is_counted(question, text, is_another):
    assert counts_another(text, SEEN, question) is is_another


def test_a_scale_stands_before_what_is_counted():
    assert misread("It has 263K visits.", "It has 263K gardeners and 90K visits.") == "263000"
    assert misread("It has 14 million gardeners.", "It has 14 million visits and 2 million gardeners.") == "14000000"
    assert not misread("It has 263,000 gardeners.", "It has 263K gardeners and 14 million visits.")


@pytest.mark.parametrize(
    ("text", "source", "is_there"),
    [
        ("a threefold increase", "a 3-fold increase", True),
        ("a 3-fold increase", "a threefold increase", True),
        ("a tenfold increase", "a threefold increase", False),
        ("12 robots", "a dozen robots", True),
        ("a dozen robots", "twelve robots", True),
        ("12 robots", "two dozen robots", False),
        ("6 robots", "half a dozen robots", False),
        ("12 robots", "dozens of robots", False),
        ("12,345 patients", "12 345 patients", True),
        ("12345 patients", "12\u2009345 patients", True),
        ("345 patients", "12 345 patients", True),
        ("123 patients", "12 345 patients", False),
        ("sites 1, 2, and 3", "sites 1,2,3", True),
        ("sites 1, 2, and 4", "sites 1,2,3", False),
        ("1.5 units", "1,5 units", True),
        ("5 units", "1,5 units", False),
        ("2300 patients", "phase 2 300 patients", False),
        ("2300 patients", "In all, 2 300 patients", True),
    ],
)
def test_amounts_are_the_same_however_they_are_written(text, source, is_there):
    assert (numbers_in(text, with_one=False, in_names=False) <= numbers_in(source)) is is_there


@pytest.mark.parametrize(
    ("text", "source", "word"),
    [
        ("It has a lower success.", "It has a higher success.", "lower"),
        ("It has a higher success.", "Success is reduced.", "higher"),
        ("It has a greater success.", "It has a higher success.", ""),
        ("It is faster.", "It takes less time and is faster.", ""),
        ("It is lower.", "It is 3 points.", ""),
    ],
)
def test_what_rises_does_not_fall(text, source, word):
    assert turned_round(text, source) == word
