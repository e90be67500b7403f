"""Word and character errors by hand."""

import pytest

from triforce_tts.judges import words

pytest.importorskip("whisper_normalizer")


@pytest.mark.parametrize(
    ("reference", "heard", "wrong", "total"),
    [
        ("The cat sat.", "the cat sat", 0, 3),
        ("The cat sat on the mat.", "The cat sat on a mat", 1, 6),  # one other word
        ("The cat sat on the mat.", "The cat on the mat", 1, 6),  # one word is missing
        ("The cat sat.", "the big cat sat down", 2, 3),  # two words too many
        ("The cat sat.", "", 3, 3),
        ("Good.", "not at all what was said", 6, 1),  # more are wrong than there are
        ("", "something", 1, 0),
        ("", "", 0, 0),
    ],
)
def test_words_are_counted(reference: str, heard: str, wrong: int, total: int) -> None:
    assert words.word_edits(reference, heard) == words.Edits(wrong, total)


def test_one_spelling_for_numbers_contractions_and_british_words() -> None:
    said = "Mr. Smith didn't see the colour of twenty-one cars."
    assert words.word_edits(said, "mister smith did not see the color of 21 cars").wrong == 0


def test_characters_are_counted_with_their_spaces() -> None:
    # 'the cat' has 7 characters; 'the car' has one other, 'thecat' lacks a space.
    assert words.character_edits("The cat!", "the car") == words.Edits(1, 7)
    assert words.character_edits("The cat!", "thecat") == words.Edits(1, 7)
    assert words.character_edits("", "abc") == words.Edits(3, 0)


def test_an_empty_reference_has_an_error_too() -> None:
    assert words.Edits(1, 4).error == 0.25
    assert words.Edits(0, 0).error == 0.0
    assert words.Edits(3, 0).error == 1.0


def test_phones_are_equal_where_words_sound_alike() -> None:
    assert words.phones("Too many seas, 2!") == words.phones("two many sees two")
    assert words.phones("a cat") == ["AH", "K", "AE", "T"]
    assert words.phones("...") == words.phones("") == []
