import pytest

from triforce_tts.data.segments import Segment
from triforce_tts.data.text_checks import TextConfig, check_text, guess_language, most_in_a_row

SAID = "For the twentieth time that evening the two men shook hands."


def checked(text: str, seconds: float = 4.0, **scores: float) -> Segment:
    segment = Segment(0.0, seconds, text=text, scores=dict(scores))
    check_text([segment], TextConfig())
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
    check_text([segment], TextConfig(min_characters_per_second=1.0))
    assert segment.kept
    assert segment.scores == {"characters_per_second": 3.0}


def test_what_is_dropped_or_without_text_is_left_alone() -> None:
    dropped, silent = Segment(0.0, 1.0, reason="no speech", text="x " * 50), Segment(0.0, 1.0)
    check_text([dropped, silent], TextConfig())
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
