"""Which words of a known text are left out, said again or said in another order: pocketsphinx chooses between such readings.

The forced alignment of ``judges.align`` must put every word somewhere. Here the decoder may leave a word out and may go back, at a price,
and it takes the reading that the sound fits best. No other words are allowed, so no language model is needed, and a small acoustic
model is enough.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triforce_tts.audio.io import Audio
from triforce_tts.errors import TextError
from triforce_tts.judges.align import Aligner, Segment
from triforce_tts.text.normalize import normalize

_SKIP, _JUMP = 1e-8, 1e-10  # the probability of leaving a word out and of going back, where going on has 1
_LEAST_FRAMES = 6  # of a word whose fit counts: the fit of a shorter one is mostly chance
_LEAST_PROBABILITY = 1e-300

Transition = tuple[int, int, float] | tuple[int, int, float, str]


@dataclass(frozen=True)
class Reading:
    """How a text was read."""

    written: tuple[tuple[str, ...], ...]  # the phones of each word of the text
    read: tuple[tuple[str, ...], ...]  # the phones of each of its words that was found in the sound, in that order
    fit: float  # of the word that fits its sound worst, in nats a frame; 0 is best


def follow(aligner: Aligner, audio: Audio, text: str) -> Reading | None:
    """How the normalised ``text`` was read in the audio; None if the sound fits no reading of it."""
    try:
        names = aligner.names(normalize(text))
    except TextError:
        return None
    segments = aligner.decode_grammar(audio, transitions(names), len(names))
    words = [segment for segment in segments or () if segment.name in names]
    if not words:
        return None
    return Reading(tuple(map(_phones, names)), tuple(_phones(word.name) for word in words), _worst_fit(words))


def transitions(names: Sequence[str]) -> list[Transition]:
    """A grammar with a state before each of the words called ``names`` and one after the last.

    From state i the reader says word i, or leaves it out, or goes back to any state before.
    """
    steps: list[Transition] = []
    for place, name in enumerate(names):
        steps += [(place, place + 1, 1.0, name), (place, place + 1, _SKIP)]
        steps += [(place + 1, before, _JUMP) for before in range(place + 1)]
    return steps


def _phones(name: str) -> tuple[str, ...]:
    return tuple(name.strip("_").split("_"))


def _worst_fit(words: Sequence[Segment]) -> float:
    fits = [
        math.log(max(word.likelihood, _LEAST_PROBABILITY)) / word.frames
        for word in words
        if word.frames >= _LEAST_FRAMES
    ]
    return min(fits, default=0.0)
