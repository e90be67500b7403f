"""A text as lines: no word is lost, no line is too long when it is spoken, and faults in the text are errors."""

import re
from dataclasses import replace

import pytest

from triforce_tts.errors import TextError
from triforce_tts.synthesis.script import (
    Line,
    Room,
    SpeakingLimits,
    closed,
    make_lines,
    make_script,
    single_line,
    spoken_length,
    without_reading,
)
from triforce_tts.text.chunk import CLAUSE_PAUSE_S, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

TOKENIZER = TextTokenizer()
NANO = Room(SpeakingLimits(), 15.5, steps=1089, steps_per_second=62.5, reads=True)
MONEY = (
    "We paid $1,234,567,890.12, then $9,876,543,210.99, and $5,555,555,555.55 to 192.168.100.200, 10.20.30.40, "
    "255.255.255.255 and 172.16.254.1."
)


def lines_of(text: str, room: Room = NANO) -> list[Line]:
    return make_lines(text, TOKENIZER, room)


def letters(text: str) -> str:
    return "".join(re.findall(r"[a-z']+|\{[^{}]*\}", text.lower()))


def words(text: str) -> list[str]:
    return re.findall(r"\{[^{}]*\}|[a-z']+", text.lower())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Good morning. I like {T AH0 M EY9 T OW0} a lot. Bye.", "EY9"),
        ("Good morning. I like {T AH0 a lot. Bye.", "without its partner"),
        ("Good morning. I like T AH0} a lot. Bye.", "without its partner"),
        ("Good morning. I like {} a lot. Bye.", "no phones"),
        ("Good morning.\n\n{\n\nBye.", "without its partner"),
        (" ", "empty"),
        ("\U0001f600 \U0001f389", "spoken"),
        ("漢字", "spoken"),
        ("a" * 20_001, "20000"),
        ("9,999,999 " * 1900, "as it is spoken"),
    ],
)
def test_faults_of_a_text_are_errors(text: str, word: str) -> None:
    with pytest.raises(TextError, match=word):
        lines_of(text)


def test_sentences_and_their_pauses() -> None:
    found = lines_of("Good morning. How are you?\n\nFine.")
    assert [line.text for line in found] == ["Good morning.", "How are you?", "Fine."]
    assert [line.source for line in found] == ["Good morning.", "How are you?", "Fine."]
    assert [line.pause_s for line in found] == [SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S]


@pytest.mark.parametrize(
    "text",
    [
        MONEY,
        "1.2.3.4 " * 60,
        "1" * 400,
        "In 1999, 1,234,567 of 7,654,321 people; " * 9 + "that is 16.13%.",
        "{T AH0 M EY1 T OW0} and {P AH0 T EY1 T OW0}, " * 20,
        "one, two, three; " * 40,
        "never-ending" * 40,
        "a" * 500,
        'He said: "' + "come here, now! " * 30 + '"',
        "He came -- " * 60,
    ],
)
def test_every_word_once_and_in_order(text: str) -> None:
    """The words of the lines are those of the normalised text.

    A longer word than a line may be cut, but keeps its letters.
    """
    found = lines_of(text)
    assert len(found) > 1
    spoken = " ".join(line.text for line in found)
    # Sentences are normalised one by one, because a line of a list may be no sentence.
    assert letters(spoken) == letters(normalize(text))
    if max(map(len, normalize(text).split())) < 100 and "{" not in text:
        assert words(spoken) == words(normalize(text))
    for line in found:
        assert spoken_length(line.text) <= NANO.limits.line_characters
        assert NANO.fits(line)
        assert line.words


def test_a_sentence_is_divided_where_it_is_spoken_too_long() -> None:
    """139 characters that become over 600 when they are spoken.

    The text is cut at commas, then between words, and the last part has the sentence's pause.
    """
    assert len(MONEY) < 160
    found = lines_of(MONEY)
    assert len(found) >= 5
    assert {line.source for line in found} == {MONEY}
    assert found[0].text.endswith("twelve")
    assert found[0].pause_s == CLAUSE_PAUSE_S
    assert found[-1].pause_s == SENTENCE_PAUSE_S
    assert sum(line.predicted_s for line in found) > 40


def test_a_sentence_that_is_spoken_shortly_is_not_divided() -> None:
    phones = "{T AH0 M EY1 T OW0} " * 10 + "is it."
    assert len(phones) > 160
    assert spoken_length(normalize(phones)) == 10 * 7 + 6
    assert len(lines_of(phones)) == 1


def test_the_models_longest_sequence_bounds_a_line() -> None:
    """There is room for 300 steps, with 62.5 in a second and two for each character.

    Some 60 characters, although the limit of characters is higher.
    """
    small = Room(SpeakingLimits(), 15.5, steps=400, steps_per_second=62.5, reads=True)
    text = "a cat sat on the mat and saw a dog " * 4
    assert len(lines_of(text)) == 1
    found = lines_of(text, small)
    assert len(found) > 2
    assert words(" ".join(line.text for line in found)) == words(text)
    for line in found:
        assert small.budget(line) <= 400 - len(line.tokens)
        assert small.budget(line) >= len(line.tokens) + 62.5 * line.predicted_s


def test_a_word_that_no_sequence_holds() -> None:
    none = Room(SpeakingLimits(), 15.5, steps=20, steps_per_second=62.5, reads=True)
    with pytest.raises(TextError, match="too long for the model"):
        lines_of("cat", none)
    with pytest.raises(TextError, match="too long for the model"):
        lines_of("{" + "T AH0 " * 300 + "}")


def test_limits_are_the_models() -> None:
    short = Room(SpeakingLimits(line_characters=22), 15.5, steps=1089, steps_per_second=62.5, reads=True)
    found = lines_of("a cat sat on the mat, and saw a dog.", short)
    assert [line.text for line in found] == ["a cat sat on the mat", "and saw a dog."]


def test_a_budget_counts_symbols() -> None:
    """Six phones last as long as six letters, however many characters write them."""
    (phones,), (plain,) = lines_of("{T AH0 M EY1 T OW0}"), lines_of("tomato")
    assert phones.predicted_s == plain.predicted_s == pytest.approx(6 / 15.5)
    assert NANO.budget(phones) == NANO.budget(plain) == round((2 * 6 / 15.5 + NANO.limits.pauses_s) * 62.5) + 6


def test_a_full_stop_where_no_mark_is() -> None:
    (open_line,), (asked,) = lines_of("A cat"), lines_of("A cat?")
    assert closed(open_line, TOKENIZER, NANO).text == "A cat."
    assert closed(open_line, TOKENIZER, NANO).words == open_line.words
    assert closed(asked, TOKENIZER, NANO) is asked


def test_what_has_no_reading_is_named() -> None:
    text = "Hello 漢字 {T AH0} 你好 café naïve ½ № مرحبا 😀 - ok"
    assert without_reading(text) == ["漢字", "你好", "مرحبا", "😀"]
    assert without_reading("All of this is read: naïve, ①, ª, {T AH0}.") == []


def test_the_pauses_of_a_line_are_the_models() -> None:
    """They are added to the predicted length, both for the room of a line and for the time at which it is stopped."""
    limits = SpeakingLimits(pauses_s=NANO.limits.pauses_s + 2.0)
    patient = Room(limits, 15.5, steps=1089, steps_per_second=62.5, reads=True)
    (line,) = lines_of("tomato", patient)
    assert patient.budget(line) == NANO.budget(line) + 125
    assert Room(limits, 15.5, steps=200, steps_per_second=62.5, reads=True).fits(line) is False


def test_a_single_line_is_not_divided() -> None:
    assert single_line("a cat sat.", TOKENIZER, NANO) == replace(lines_of("a cat sat.")[0], pause_s=0.0)
    with pytest.raises(TextError, match="too long for one line"):
        single_line("a cat " * 300, TOKENIZER, NANO)


def test_a_text_asks_for_pauses() -> None:
    """Each mark ends a line; its time replaces the natural pause, and the words are those of the text without marks."""
    lines = make_script("[pause 1s] One cat [pause 0.5s] sat. Why? [pause 3s] No. [pause 2s]", TOKENIZER, NANO)
    assert [(line.text, line.lead_s, line.pause_s, line.holds_pause) for line in lines] == [
        ("One cat", 1.0, 0.5, True), ("sat.", 0.0, 0.35, False), ("Why?", 0.0, 3.0, True), ("No.", 0.0, 2.0, True),
    ]  # fmt: skip
    assert make_script("One cat.", TOKENIZER, NANO) == make_lines("One cat.", TOKENIZER, NANO)
    assert "pause" in make_lines("One [pause 1s] cat.", TOKENIZER, NANO)[0].words


def test_what_is_no_text_is_refused() -> None:
    for make in (make_script, make_lines):
        with pytest.raises(TextError, match="NoneType, expected a string"):
            make(None, TOKENIZER, NANO)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "The {K IY1}'s end.",
        "{T AH0}'S",
        "{T AH0}’s, {S}'s's",
        "a{T AH0}'sb",
        "{T AH0}'d {T AH0}s' {T AH0}es",
        "rock 'n' roll",
    ],
)
def test_the_tokenizer_counts_the_words_of_a_line(text: str) -> None:
    (line,) = lines_of(text)
    assert len(line.words) == sum(piece.is_word for piece in line.pieces)
