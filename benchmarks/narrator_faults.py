"""Faults that ``benchmarks.narrator_checks`` puts into spoken lines: into the codes, as an engine makes them, or into the sound.

A word is cut at the frames that the GPT read it for. Words that are dropped, repeated, put in or garbled have at least four
letters and three frames of codes (0.2 s), the two that are swapped at least three letters each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triforce_tts.audio.resample import Wave
from triforce_tts.synthesis.script import spoken_words

Codes = npt.NDArray[np.int64]
_LETTERS, _FRAMES, _SWAPPED_LETTERS = 4, 3, 3
_LEVEL = 0.1  # the factor of the fault "too quiet": 20 dB less


@dataclass(frozen=True, eq=False)
class Cached:
    """A spoken line without its first and last silence."""

    number: int
    text: str
    codes: Codes  # [frames, groups]
    spans: tuple[tuple[int, int], ...]  # the frames of each word
    samples: Wave  # [n]
    seed: int
    ended: bool
    unsaid: tuple[str, ...]
    predicted_s: float

    @property
    def words(self) -> list[str]:
        """The words of the line's text."""
        return spoken_words(self.text)

    def clear_words(self) -> list[int]:
        """The places of the words that are long enough for a fault of one word to be heard."""
        return [
            i
            for i, (word, (first, end)) in enumerate(zip(self.words, self.spans, strict=True))
            if len(word) >= _LETTERS and end - first >= _FRAMES
        ]


def faulty_codes(line: Cached, others: Sequence[Cached], rng: np.random.Generator) -> dict[str, Codes]:
    """The codes [frames, groups] of ``line`` with each fault that it has words for; words come from ``others``."""
    codes, clear = line.codes, line.clear_words()
    faults: dict[str, Codes] = {}
    if clear:
        first, end = line.spans[int(rng.choice(clear))]
        faults["a word dropped"] = np.concatenate([codes[:first], codes[end:]])
        first, end = line.spans[int(rng.choice(clear))]
        faults["a word said twice"] = np.concatenate([codes[:end], codes[first:]])
        first, end = line.spans[int(rng.choice(clear))]
        faults["a word garbled"] = np.concatenate([codes[:first], _shuffled(codes, end - first, rng), codes[end:]])
        first, _ = line.spans[int(rng.choice(clear))]
        faults["all from a word on said twice"] = np.concatenate([codes, codes[first:]])
    pairs = _pairs(line)
    if pairs:
        (a, b), (c, d) = line.spans[(i := int(rng.choice(pairs)))], line.spans[i + 1]
        faults["two words swapped"] = np.concatenate([codes[:a], codes[c:d], codes[b:c], codes[a:b], codes[d:]])
    other = others[int(rng.integers(len(others)))]
    if strange := [i for i in other.clear_words() if other.words[i].lower() not in line.text.lower()]:
        first, end = other.spans[int(rng.choice(strange))]
        place = line.spans[int(rng.integers(1, len(line.spans)))][0]
        faults["an invented word"] = np.concatenate([codes[:place], other.codes[first:end], codes[place:]])
    faults["the last 30 % cut off"] = codes[: round(0.7 * len(codes))]
    every_second = np.ones(len(codes), bool)
    for first, end in line.spans[1::2]:
        every_second[first:end] = False
    faults["half of the words cut out"] = codes[every_second]
    return faults


def _shuffled(codes: Codes, frames: int, rng: np.random.Generator) -> Codes:
    """Frames of codes of the line with each group drawn separately, which are no sound of any language."""
    return np.stack([rng.choice(group, frames) for group in codes.T], axis=1)


def _pairs(line: Cached) -> list[int]:
    """The places of the words that can be swapped with the next one."""
    words, spans = line.words, line.spans
    return [
        i
        for i in range(len(words) - 1)
        if min(len(words[i]), len(words[i + 1])) >= _SWAPPED_LETTERS
        and words[i].lower() != words[i + 1].lower()
        and all(end > first for first, end in spans[i : i + 2])
    ]


def faulty_sounds(
    line: Cached, others: Sequence[Cached], voices: Sequence[Cached], rate: int, rng: np.random.Generator
) -> dict[str, Wave]:
    """The sound [n] of ``line`` with each fault of a file; ``voices`` are lines that other voices spoke."""
    wave = line.samples
    at = int(rng.integers(len(wave) // 4, 3 * len(wave) // 4))
    noise = rng.normal(size=round(0.4 * rate)).astype(np.float32) * np.float32(np.sqrt(np.mean(wave**2)))
    level = np.float32(3.0 / np.abs(wave).max())
    changes: dict[str, Callable[[], Wave]] = {
        "the last 0.3 s cut off": lambda: wave[: len(wave) - round(0.35 * rate)],  # a line keeps 0.05 s of silence
        "1.5 s of silence put in": lambda: np.concatenate(
            [wave[:at], np.zeros(round(1.5 * rate), np.float32), wave[at:]]
        ),
        "the sound of another line": lambda: others[int(rng.integers(len(others)))].samples,
        "20 dB too quiet": lambda: wave * np.float32(_LEVEL),
        "clipped": lambda: np.clip(wave * level, -1, 1),
        "0.4 s of noise": lambda: np.concatenate([wave[:at], noise, wave[at + len(noise) :]]),
    }
    sounds = {name: make() for name, make in changes.items()}
    same = [voice for voice in voices if voice.text == line.text]
    if same:
        sounds["another voice"] = same[0].samples
    return sounds
