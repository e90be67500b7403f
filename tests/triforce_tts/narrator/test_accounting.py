"""Every word of a sentence is said once and in order, or is listed; anything else is an error."""

import pytest

from triforce_tts.errors import TextError
from triforce_tts.narrator.accounting import account_sentence
from triforce_tts.synthesis.script import spoken_words
from triforce_tts.text.normalize import normalize


@pytest.mark.parametrize(
    "source",
    [
        "Mr. St. John said: “No.”",
        "In 1884 it cost $5 million, or £4, and 3% more on the 22nd.",
        "Dr Watson & Co. met at 5:30 p.m., viz. late.",
        "The MP3 of chapter VIII isn’t here—it was 2³.",
        "A naïve café; DON'T SHOUT AT ME.",
        "In other words, ISO 8859 and iso-8859 are the same.",
        "Its file_name is a.b.txt, see x/y and/or http://a.org/b.",
        "It is 5 km, i.e. 3 miles, from {T AH0 M EY1 T OW0} to x/y.",
    ],
)
def test_readings_are_accepted(source: str) -> None:
    assert account_sentence(source, spoken_words(normalize(source))) in ([], ["http"])


def test_letters_without_a_reading_are_listed() -> None:
    source = "They call it 日本 at home."
    assert account_sentence(source, spoken_words(normalize(source))) == ["日本"]


@pytest.mark.parametrize(
    ("spoken", "what"),
    [
        ("the cat on the mat", "the word 'sat' would be lost"),
        ("the cat sat sat on the mat", "'sat' would be added"),
        ("the cat on sat the mat", "would be"),
        ("the dog sat on the mat", "'cat' would be lost or said in other words"),
        ("the cat sat on the", "the word 'mat' would be lost"),
        ("", "would be lost"),
    ],
)
def test_a_lost_doubled_moved_or_changed_word_is_an_error(spoken: str, what: str) -> None:
    with pytest.raises(TextError, match=what):
        account_sentence("The cat sat on the mat.", spoken.split())


def test_a_lost_word_beside_a_number_is_an_error() -> None:
    with pytest.raises(TextError, match="the word 'sheep' would be lost"):
        account_sentence("He had 20 sheep and a dog.", ["he", "had", "twenty", "and", "a", "dog"])


def test_initials_are_not_taken_for_the_letters_of_another_word() -> None:
    source = "He met J. R. Ewing, Jr. of ISO in town."
    assert account_sentence(source, spoken_words(normalize(source))) == []
