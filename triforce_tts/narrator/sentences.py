"""The sentences of a block of a book, with the phones and the pauses that the book or its user asks for.

A sentence is found in the words as they are written. Only then the phones stand in for their words, so that what is shown of a
line, and how sentences are divided, do not depend on them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from triforce_tts.books.chapters import Block, Reading
from triforce_tts.errors import TextError
from triforce_tts.synthesis.script import SENTENCE_CHARACTERS
from triforce_tts.text import latex
from triforce_tts.text.chunk import split_sentences
from triforce_tts.text.phonemes import BRACES, parse_phones


@dataclass(frozen=True)
class Sentence:
    """A sentence of a book."""

    source: str  # the sentence as it is written
    spoken: str  # the sentence with phones in braces, if the book gives them
    pause_s: float  # seconds of silence after the sentence


@dataclass(frozen=True)
class Stretch:
    """Sentences between which the book asks for no pause."""

    sentences: tuple[Sentence, ...]
    pause_s: float | None  # the pause that the book asks for behind these sentences


def stretches(block: Block, begin: int, end: int, is_own: Callable[[str], bool]) -> Iterator[Stretch]:
    """The stretches of the characters from ``begin`` up to ``end`` of the spoken text of ``block``.

    Args:
        block: a block of a book; its readings and pauses count from the start of its text, behind the marker.
        begin: the begin of a part that one voice speaks.
        end: the end of this part; a pause at the end belongs to it.
        is_own: whether a user has given a pronunciation of a word, which goes before that of the book.
    """
    text, shift = block.spoken, len(block.spoken) - len(block.text)
    readings = [
        Reading(one.begin + shift, one.end + shift, one.phones)
        for one in block.readings
        if not is_own(block.text[one.begin : one.end])
    ]
    cuts = [(pause.at + shift, pause.seconds) for pause in block.pauses if begin < pause.at + shift <= end]
    at = begin
    for cut, pause_s in [*cuts, (end, None)]:
        yield Stretch(tuple(_sentences(text[at:cut], at, readings)), pause_s)
        at = cut


def _sentences(text: str, begin: int, readings: Sequence[Reading]) -> Iterator[Sentence]:
    """The sentences of a text that begins at the character ``begin`` of its block."""
    plain = _without_stray_braces(text)
    if not plain.strip():
        return
    at = 0
    for chunk in split_sentences(plain, SENTENCE_CHARACTERS):
        place = plain.find(chunk.text, at)
        if place < 0:
            raise TextError(f"the plan does not say the source: the sentence '{chunk.text[:60]}' is not in the book")
        at = place + len(chunk.text)
        first, last = begin + place, begin + at
        own = readings[bisect_left(readings, first, key=_begin) : bisect_left(readings, last, key=_begin)]
        # A formula that is divided between sentences is none any more, so its braces are brackets.
        sentence = _without_stray_braces(chunk.text)
        yield Sentence(sentence, _with_phones(sentence, first, own), chunk.pause_s)


def _begin(reading: Reading) -> int:
    return reading.begin


def _with_phones(sentence: str, begin: int, readings: Sequence[Reading]) -> str:
    """``sentence`` with phones for some of its words; phones that are already in it stay."""
    braces = [match.span() for match in BRACES.finditer(sentence)]
    spoken, at = "", 0
    for reading in readings:
        first, last = reading.begin - begin, reading.end - begin
        if last <= len(sentence) and all(last <= opened or first >= closed for opened, closed in braces):
            spoken += sentence[at:first] + "{" + reading.phones + "}"
            at = last
    return spoken + sentence[at:]


def _without_stray_braces(text: str) -> str:
    """``text`` with braces only around phonemes and in LaTeX: a book may hold others, which are read as brackets."""
    while "{" in text or "}" in text:
        plain, at = "", 0
        for begin, end in latex.places(text):
            plain += _with_brackets(text[at:begin]) + text[begin:end]
            at = end
        plain += _with_brackets(text[at:])
        if plain == text:
            break
        text = plain  # Without these braces less of it may be LaTeX.
    return text


def _with_brackets(text: str) -> str:
    """``text`` with brackets for all braces that hold no phonemes."""
    parts = BRACES.split(text)
    plain = [part.replace("{", "(").replace("}", ")") for part in parts]
    inside = ["{" + part + "}" if _are_phones(part) else f"({part})" for part in parts[1::2]]
    plain[1::2] = inside
    return "".join(plain)


def _are_phones(text: str) -> bool:
    try:
        return bool(parse_phones(text))
    except TextError:
        return False
