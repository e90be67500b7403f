import math

import pytest

from triforce_tts.data.common.segments import Segment
from triforce_tts.data.steps import text_checks
from triforce_tts.data.steps.text_checks import TextChecksConfig, check_text, guess_language, most_in_a_row

SAID = "For the twentieth time that evening the two men shook hands."


def checked(text: str, seconds: float = 4.0, **scores: float) -> Segment:
    segment = Segment(0.0, seconds, text=text, scores=dict(scores))
    check_text([segment], TextChecksConfig())
    return segment


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        (SAID, 4.0, ""),
        (SAID.upper(), 4.0, ""),
        ("Yes.", 1.0, ""),
        ("No, no, no!", 2.0, ""),
        (SAID, 20.0, "text does not fit"),  # 3 characters a second
        (SAID, 1.5, "text does not fit"),  # 40
        ("12 34", 1.0, "no words in the text"),
        ("Ich habe gestern mit meiner Mutter gesprochen, weil das Wetter so gut war.", 4.0, "another language"),
        ("Je ne sais pas ce que nous allons faire demain.", 4.0, "another language"),
        ("the house the house the house the house was red", 4.0, "repeated text"),
        ("no no no no no, he said to the man", 4.0, "repeated text"),
        ("well and well and so and well and so and so and well", 4.0, "repeated text"),  # 3 of 12 words differ
        ("It was an aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa in the end.", 4.0, "invented text"),
        ("Thanks for watching and see you soon.", 3.0, "invented text"),
    ],
)  # fmt: skip
def test_a_text_and_what_is_wrong_with_it(text: str, seconds: float, reason: str) -> None:
    segment = checked(text, seconds)
    assert segment.reason == reason
    assert bool(segment.value) == bool(reason)


def test_the_recognisers_doubt_counts_and_thresholds_move() -> None:
    assert checked(SAID, language_probability=0.7).reason == "another language"
    assert checked(SAID, language_probability=0.9).kept
    segment = Segment(0.0, 20.0, text=SAID)
    check_text([segment], TextChecksConfig(min_characters_per_second=1.0))
    assert segment.kept
    assert segment.scores == {"characters_per_second": 3.0}


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        (SAID, 15.0, ""),  # 4 characters a second
        (SAID, 15.01, "text does not fit"),
        (SAID, 2.0, ""),  # 30
        (SAID, 1.999, "text does not fit"),
        ("the man and the dog and the man and the", 3.0, "repeated text"),  # 4 of 10 words differ
        ("the man and the dog and the cat and the man and the", 4.0, "repeated text"),  # 5 of 13
        ("the man and the dog and the cat and the man and", 4.0, ""),  # 5 of 12
        ("no yes yes no yes no no yes", 4.0, "repeated text"),  # 2 of 8
        ("no yes yes no yes no no", 4.0, ""),  # 7 words are too few for this check
        ("Come here, come here, come here, he said.", 4.0, ""),
        ("Come here, come here, come here, come here, he said.", 4.0, "repeated text"),
        (f"He saw a {'m' * 24} somewhere.", 4.0, ""),
        (f"He saw a {'m' * 25} somewhere.", 4.0, "invented text"),
        ("He had no acknowledgement from them.", 4.0, ""),  # 15 characters, the next 4: 2.75 times longer
        ("He had a misunderstanding with them.", 4.0, "invented text"),  # 16
        ("He had a misunderstanding there.", 4.0, ""),  # the next 5
        ("My misunderstanding.", 2.0, "invented text"),
        ("Misunderstanding.", 2.0, ""),  # there is no second word to compare with
        ("Misunderstanding, misunderstanding.", 2.0, ""),
    ],
)  # fmt: skip
def test_at_the_edge_of_each_threshold(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float, reason: str) -> None:
    monkeypatch.setattr(text_checks, "guess_language", lambda _: ("en", 1.0))
    assert checked(text, seconds).reason == reason


def test_at_the_edge_of_doubt_about_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(SAID, language_probability=0.8).reason == "another language"
    assert checked(SAID, language_probability=math.nextafter(0.8, 1)).kept
    for probability, text, reason in (
        (0.9, SAID, ""),
        (math.nextafter(0.9, 1), SAID, "another language"),
        (1.0, "one two three four", "another language"),
        (1.0, "one two three", ""),
    ):
        monkeypatch.setattr(text_checks, "guess_language", lambda _, p=probability: ("nl", p))
        assert checked(text, 2.0).reason == reason


def test_a_word_much_longer_than_the_next_says_by_how_much_and_can_be_let_through() -> None:
    segment = Segment(0.0, 4.0, text="He had a misunderstanding with them.")
    check_text([segment], TextChecksConfig(max_longer=3.1))
    assert segment.kept
    check_text([segment], TextChecksConfig())
    assert segment.value == "misunderstanding, 3.0 times longer than the next"


def test_what_is_dropped_or_without_text_is_left_alone() -> None:
    dropped, silent = Segment(0.0, 1.0, reason="no speech", text="x " * 50), Segment(0.0, 1.0)
    check_text([dropped, silent], TextChecksConfig())
    assert dropped.reason == "no speech"
    assert silent.kept


def test_stretches_in_a_row() -> None:
    assert most_in_a_row(["a", "b", "c", "d"]) == 1
    assert most_in_a_row(["a", "a", "b"]) == 2
    assert most_in_a_row(["x", "a", "b", "a", "b", "a", "b", "y"]) == 3
    assert most_in_a_row([]) == 1


def test_languages() -> None:
    assert guess_language(SAID)[0] == "en"
    assert guess_language("De kinderen spelen in het park terwijl hun ouders praten")[0] == "nl"
