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


@pytest.mark.parametrize(
    ("heard", "right", "followed"),
    [
        ("The cat sat down.", "1111", "0000"),
        ("the cap sat down", "1011", "0000"),  # another word
        ("the sat down", "1011", "0000"),  # a word is missing
        ("the cat sat down there", "1110", "0001"),  # one too many behind the last word
        ("the cat he sat down", "1011", "0100"),
        ("oh the cat sat down", "0111", "1000"),  # one too many before the first word
        ("", "0000", "0000"),
    ],
)
def test_each_word_is_heard_rightly_or_not(heard: str, right: str, followed: str) -> None:
    found = words.words_heard(["The", "cat", "sat", "down"], heard)
    assert found == [words.HeardWord(a == "1", b == "1") for a, b in zip(right, followed, strict=True)]


def test_a_word_may_have_two_words_in_the_common_spelling() -> None:
    found = words.words_heard(["Mister", "Smith", "didn't", "go"], "Mr. Smith did go")
    assert found == [words.HeardWord(right) for right in (True, True, False, True)]


def test_words_that_become_others_together_are_not_compared_one_by_one() -> None:
    assert words.words_heard(["twenty", "one", "cars"], "21 cars") is None
    assert words.words_heard([], "cars") is None
