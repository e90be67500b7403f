"""Finds words of a known text that are left out, repeated or out of order: pocketsphinx chooses between such readings.

The forced alignment of ``judges.align`` must put every word somewhere. Here the decoder may leave a word out and may go back, at a price,
and it takes the reading that the sound fits best. No other words are allowed, so no language model is needed, and a small acoustic
model is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from triforce_tts.audio.io import Audio
from triforce_tts.errors import TextError
from triforce_tts.judges.align import Aligner
from triforce_tts.text.normalize import normalize

# The probability of leaving a word out, and of going back, if that of going on is 1.
_SKIP, _JUMP = 1e-8, 1e-10
# One step may go back at most so many words; more takes several steps. With a larger number the search loses its way in
# long lines, and is slow.
_BACK = 3

Transition = tuple[int, int, float] | tuple[int, int, float, str]


@dataclass(frozen=True)
class Reading:
    """The reading of a text: the words that were heard, in their order."""

    written: tuple[tuple[str, ...], ...]  # the phones of each word of the text
    # the phones of each word of the text that was found in the sound, in the order of the sound
    read: tuple[tuple[str, ...], ...]


def follow(aligner: Aligner, audio: Audio, text: str) -> Reading | None:
    """The reading of the normalised ``text`` in the audio; None if the sound fits no reading of it."""
    try:
        names = aligner.names(normalize(text))
    except TextError:
        return None
    words = [name for name in aligner.decode_grammar(audio, transitions(names), len(names)) if name in names]
    return Reading(tuple(map(_phones, names)), tuple(map(_phones, words))) if words else None


def transitions(names: Sequence[str]) -> list[Transition]:
    """A grammar with a state before each of the words called ``names`` and one after the last.

    From state i the reader says word i, or leaves it out, or goes back.
    """
    steps: list[Transition] = []
    for place, name in enumerate(names):
        steps += [(place, place + 1, 1.0, name), (place, place + 1, _SKIP)]
        steps += [(place + 1, before, _JUMP) for before in range(max(0, place + 1 - _BACK), place + 1)]
    return steps


def _phones(name: str) -> tuple[str, ...]:
    return tuple(name.strip("_").split("_"))
