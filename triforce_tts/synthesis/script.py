"""Text to the lines that a model speaks one by one. No network is needed here.

Everything that bounds a sentence lives here and counts what is spoken: a sentence is normalised first, and divided
afterwards where it is too long for the model. So ``$1,234,567,890.12`` counts as its fifteen words, phonemes in braces
count as sounds, and no cut can fall into a number. Nothing is lost: the words of the lines, in order, are the words of
the normalised sentences. The bounds themselves belong to the trained model (``SpeakingLimits``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated

from pydantic import Field, PositiveInt

from triforce_tts.bounds import GUIDANCE, MAX_CHARACTERS
from triforce_tts.errors import TextError
from triforce_tts.schema import Record
from triforce_tts.text.chunk import split_clauses, split_sentences
from triforce_tts.text.normalize import normalize
from triforce_tts.text.pauses import split_pauses
from triforce_tts.text.phonemes import BRACES, WORD_IN_BRACES
from triforce_tts.text.signs import unspoken
from triforce_tts.text.tokenizer import Piece, TextTokenizer

# The most characters of a sentence as it was written. The limit bounds the work of normalising. What will be spoken is
# not known at that point, so the limit is the same for every model. No sentence of a book is longer; a longer one is
# cut at clauses.
SENTENCE_CHARACTERS = 2_000

Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]


class SpeakingLimits(Record):
    """The limits within which a trained model may be used. The GPT's ``config.json`` holds them as ``speaking``.

    A checkpoint of an earlier version, which lacks a limit, gets the default. The defaults are the bundled model's,
    apart from ``least_seconds`` (without an entry a word must have one frame) and ``guidance``.
    """

    # The most characters of spoken text in a line. Longer sentences are divided, because the model was trained on short
    # clips.
    line_characters: PositiveInt = 160
    # A reader who stays longer than this at a sound or a pause is stuck.
    longest_symbol_s: Seconds = 1.5
    slack: Annotated[float, Field(ge=1.0, le=100.0)] = 2.0  # a line is stopped at so many times its predicted length
    # These seconds are added for the pauses and for the silence before and after, which the number of characters does
    # not predict. With 1 s the bundled model did not come to the end of a single word, because its teacher leaves
    # silence at both ends.
    pauses_s: Annotated[float, Field(ge=0.0, le=60.0)] = 2.5
    # This number is added to the logit of going on. It makes a reader e times as fast (docs/speaking.md#speed), as
    # measured with the bundled model.
    urge_per_log_speed: Annotated[float, Field(gt=0.0, le=1000.0)] = 9.6
    # The guidance of the codes by text and voice (``sampling/guidance.py``); 1 is none. Only a network that reads its text
    # in place can have another. It should have learnt speech without text.
    guidance: Annotated[float, Field(ge=GUIDANCE.least, le=GUIDANCE.most)] = 1.0
    least_seconds: dict[str, Annotated[float, Field(ge=0.0, le=10.0)]] = Field(default_factory=dict)  # see text/pace.py


class Training(Record):
    """The entries of the GPT's ``config.json`` about its training data."""

    voice_seconds: tuple[Seconds, Seconds]  # the shortest and the longest voice prompt
    characters_per_second: float = Field(gt=0.1, lt=1000.0)
    speaking: SpeakingLimits = SpeakingLimits()


@dataclass(frozen=True)
class Room:
    """The room that a model has for one line."""

    limits: SpeakingLimits
    characters_per_second: float  # the rate of spoken text in the training data
    # The most steps of the GPT for the text and the speech of a line together.
    steps: int
    steps_per_second: float  # the GPT's steps for the codes of a second of speech
    reads: bool  # whether the text tokens come again among the codes

    def fits(self, line: "Line") -> bool:
        """Whether ``line`` is no longer than what the model was trained on, and fits into its longest sequence."""
        needed = self._new_steps(line, line.predicted_s + self.limits.pauses_s)
        return spoken_length(line.text) <= self.limits.line_characters and self.budget(line) >= needed

    def budget(self, line: "Line") -> int:
        """The number of new steps after which ``line`` is stopped."""
        longest = self._new_steps(line, self.limits.slack * line.predicted_s + self.limits.pauses_s)
        return min(longest, self.steps - len(line.tokens))

    def _new_steps(self, line: "Line", seconds: float) -> int:
        return round(seconds * self.steps_per_second) + (len(line.tokens) if self.reads else 0)


@dataclass(frozen=True)
class Line:
    """A text that is spoken at once: a sentence, or a part of a sentence that is too long."""

    source: str  # the sentence as it was written
    text: str  # the normalised text, as it is spoken
    pieces: tuple[Piece, ...]  # the words, marks and spaces of ``text``
    tokens: tuple[int, ...]  # the text tokens of ``pieces``
    pause_s: float  # silence after the line
    predicted_s: float  # the duration predicted from its number of characters
    begins: bool = True  # whether the line begins a sentence; else it is a later part of a divided sentence
    lead_s: float = 0.0  # seconds of silence before the line that the text asks for
    holds_pause: bool = False  # whether the text asks for exactly this ``pause_s``

    @property
    def words(self) -> list[str]:
        """The words of ``text``."""
        return spoken_words(self.text)


def spoken_words(text: str) -> list[str]:
    """The words of a normalised text; a pair of braces with phonemes is one word, as it is for the tokenizer."""
    return re.findall(WORD_IN_BRACES + r"|[A-Za-z']*[A-Za-z][A-Za-z']*", text)


def spoken_length(text: str) -> int:
    """The number of characters of a normalised text; each phone in braces counts as one."""
    return len(BRACES.sub(lambda braces: "x" * len(braces[1].split()), text))


def make_script(text: str, tokenizer: TextTokenizer, room: Room) -> list[Line]:
    """The lines of ``text``, which may ask for pauses; their words, in order, are the words of its normalised sentences.

    Raises:
        TextError: the text is no string, empty or too long, a part of it cannot be spoken, a phone is unknown, or a brace lacks
            its partner.
    """
    _check_text(text)
    before_s, stretches = split_pauses(text)
    lines: list[Line] = []
    for stretch in stretches:
        lines += _lines_of(stretch.text, tokenizer, room)
        if stretch.pause_s is not None:
            lines[-1] = replace(lines[-1], pause_s=stretch.pause_s, holds_pause=True)
    _check_length(sum(len(line.text) for line in lines), "the text, as it is spoken, has")
    return [replace(lines[0], lead_s=before_s), *lines[1:]]


def make_lines(text: str, tokenizer: TextTokenizer, room: Room) -> list[Line]:
    """The lines of ``text``, in which brackets never mark pauses; arguments and errors as in ``make_script``."""
    _check_text(text)
    lines = _lines_of(text, tokenizer, room)
    _check_length(sum(len(line.text) for line in lines), "the text, as it is spoken, has")
    return lines


def _lines_of(text: str, tokenizer: TextTokenizer, room: Room) -> list[Line]:
    lines: list[Line] = []
    for chunk in split_sentences(text, SENTENCE_CHARACTERS):
        whole = make_line(chunk.text, normalize(chunk.text), chunk.pause_s, tokenizer, room)
        parts = _divided(whole, tokenizer, room)
        lines += [replace(part, begins=number == 0) for number, part in enumerate(parts)]
    return lines


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TextError(f"the text is {type(text).__name__}, expected a string")
    if not text.strip():
        raise TextError("the text is empty; give at least one word")
    _check_length(len(text), "the text has")


def _check_length(characters: int, what: str) -> None:
    if characters > MAX_CHARACTERS:
        raise TextError(
            f"{what} {characters} characters, expected at most {MAX_CHARACTERS}; "
            "divide the text and speak its parts one by one"
        )


def make_line(source: str, text: str, pause_s: float, tokenizer: TextTokenizer, room: Room) -> Line:
    """A normalised ``text`` as a line, however long it is; ``source`` is the sentence as it was written."""
    pieces = tuple(tokenizer.spell(text))
    predicted_s = spoken_length(text) / room.characters_per_second
    return Line(source, text, pieces, tuple(tokenizer.ids(pieces)), pause_s, predicted_s)


def single_line(text: str, tokenizer: TextTokenizer, room: Room) -> Line:
    """A normalised ``text`` as one line.

    Raises:
        TextError: the text is too long for one line.
    """
    line = make_line(text, text, 0.0, tokenizer, room)
    if room.budget(line) < room.steps_per_second:
        raise TextError(f"'{text[:60]}' is too long for one line of the model; give it to 'speak' as a text")
    return line


def _divided(line: Line, tokenizer: TextTokenizer, room: Room) -> Iterator[Line]:
    """``line`` if it fits, else the lines that it is divided into; each of them fits."""
    if room.fits(line):
        yield line
        return
    too_wide = spoken_length(line.text) > room.limits.line_characters
    most = room.limits.line_characters if too_wide else len(line.text) // 2
    parts = [line]
    while len(parts) < 2:
        if most < 1:
            raise TextError(f"'{line.text[:60]}' is too long for the model and cannot be divided; write it in parts")
        parts = _parts(line, most, tokenizer, room)
        most //= 2
    for part in parts:
        yield from _divided(part, tokenizer, room)


def _parts(line: Line, most: int, tokenizer: TextTokenizer, room: Room) -> list[Line]:
    """``line``, cut at clauses or between words into parts of at most ``most`` characters if its words are no longer.

    The marks at a cut are left out, as ``normalize`` leaves them out at the ends of a text; the pause replaces them.
    """
    lines: list[Line] = []
    for chunk in split_clauses(line.text, most):
        text = chunk.text.lstrip(" ,.;:!?-").rstrip(" ,;:-")
        if spoken_words(text):
            lines.append(make_line(line.source, text, chunk.pause_s, tokenizer, room))
    lines[-1] = replace(lines[-1], pause_s=line.pause_s)
    return lines


def closed(line: Line, tokenizer: TextTokenizer, room: Room) -> Line:
    """``line`` with a full stop, if it ends without a mark: the GPT finds the end of a sentence more easily."""
    if line.text[-1] in "}'" or line.text[-1].isalpha():
        other = make_line(line.source, f"{line.text}.", line.pause_s, tokenizer, room)
        return replace(line, text=other.text, pieces=other.pieces, tokens=other.tokens)
    return line


def without_reading(text: str) -> list[str]:
    """The runs of characters in a speakable ``text`` that are not spoken, such as words of another script or emoji."""
    lost = set(unspoken(text))
    return ["".join(run) for silent, run in groupby(text, lost.__contains__) if silent]
