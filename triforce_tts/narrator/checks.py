"""The measurements of every line, and the faults that they show.

The engine says which words have no sound and whether the line ended by itself. The other checks look at the sound alone, at the
times that the aligner gives to the words, and at what a recogniser hears. Where the bounds come from is said in docs/narrator.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from triforce_tts.audio.edit import ACTIVE_RANGE_DB, FRAME_S, active_level_db, runs
from triforce_tts.audio.io import Audio
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.audio.pcm import from_pcm16, to_pcm16
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.judges import embedding
from triforce_tts.judges.following import Reading, follow
from triforce_tts.judges.networks import absent
from triforce_tts.judges.recognisers import Recogniser
from triforce_tts.judges.words import letters, phones
from triforce_tts.narrator.edits import differing_runs
from triforce_tts.narrator.heard import wanted_words
from triforce_tts.speech import Spoken
from triforce_tts.voices import read_reference
from triforce_tts.wording import counted

# A line may last between these multiples of its predicted length. A smaller difference than the seconds below is always
# allowed.
RATE = (0.55, 1.8)
RATE_SLACK_S = 0.8
LEVEL_DB = (-38.0, -10.0)  # the lowest and the highest level of the speech, dBFS
CLIPPED_RUN = 3  # so many samples in a row at full scale are heard as a click
FULL_SCALE = 0.999
LONGEST_SILENCE_S = 1.0  # the longest silence within a line
LONGEST_WORD_S = 1.6
# The geometric mean of a frame's power over frequency, divided by its arithmetic mean. White noise has 0.56, most
# speech less than 0.1.
FLATNESS = 0.3
LONGEST_NOISE_S = 0.25  # the longest stretch in 180 lines of nano was 0.14 s
# A line is flagged if so many phones in a row are wrong, as the recogniser heard it.
WRONG_PHONES = 5
WRONG_SHARE = 0.5  # a line is flagged if a larger share of its phones is wrong
# A line is flagged if aligner and recogniser together find so many wrong phones, and each finds at least one.
DOUBTED = 6
# A line is flagged if the aligner finds so many wrong phones in one place: words that are missing, repeated or out of
# order.
READ_WRONGLY = 4
LEAST_LIKENESS = 0.7  # the least cosine of the vectors of a line and of the voice
# Shorter lines are not compared, because they say too little of their speaker.
LIKENESS_S = 1.6


@dataclass(frozen=True)
class Checked:
    """The result of the checks of one take of a line."""

    flags: tuple[str, ...]
    figures: dict[str, float]
    heard: str | None
    missing: int  # the number of words without a sound, plus one if the line did not end by itself

    @property
    def rank(self) -> tuple[int, int, float, float]:
        """The rank of the take: the smaller, the better."""
        wrong = self.figures.get("wrong phones", 0.0) + self.figures.get("read wrongly", 0.0)
        return self.missing, len(self.flags), wrong, -self.figures.get("likeness", 0.0)


@dataclass(frozen=True)
class Checker:
    """The checks that can be made on this machine."""

    align: Callable[[Audio, str], list[list[float]] | None] | None
    recogniser: Recogniser | None
    follow: Callable[[Audio, str], Reading | None] | None = None
    likeness: Callable[[Audio], float] | None = None  # the likeness of a line to the voice that should speak it

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the checks, for the record of a line."""
        names = ["engine", "sound"]
        if self.align is not None:
            names.append("alignment")
        if self.follow is not None:
            names.append("reading")
        if self.likeness is not None:
            names.append("voice")
        if self.recogniser is not None:
            names.append(f"recogniser {self.recogniser.name}")
        return tuple(names)

    def __call__(self, spoken: Spoken, sample_rate: int) -> Checked:
        """The checks of a take, on its samples as they are stored."""
        wave = from_pcm16(to_pcm16(spoken.samples.numpy()))
        missing = len(spoken.unsaid) + (not spoken.ended)
        if not len(wave):
            return Checked(("there is no sound",), {"seconds": 0.0}, None, max(1, missing))
        figures = sound_figures(wave, sample_rate)
        figures["rate"] = figures["seconds"] / spoken.predicted_s
        flags = [*_engine_flags(spoken), *sound_flags(figures, spoken.predicted_s)]
        audio = Audio(torch.from_numpy(wave), sample_rate)
        flags += self._words(audio, spoken.text, figures)
        if self.likeness is not None and figures["seconds"] >= LIKENESS_S:
            figures["likeness"] = self.likeness(audio)
            if figures["likeness"] < LEAST_LIKENESS:
                flags.append(f"it is like the voice by {figures['likeness']:.2f} only, expected {LEAST_LIKENESS:g}")
        heard = None
        if self.recogniser is not None:
            heard = self.recogniser.hear(resample(wave, sample_rate, ANALYSIS_RATE))
            flags += word_flags(spoken.text, heard, figures)
            flags += [] if flags else doubt_flags(figures)
        rounded = {name: round(value, 4) for name, value in figures.items()}
        return Checked(tuple(flags), rounded, heard, missing)

    def _words(self, audio: Audio, text: str, figures: dict[str, float]) -> list[str]:
        """The faults in the places of the words. If every word was followed, a failed alignment is no fault."""
        reading = [] if self.follow is None else reading_flags(self.follow(audio, text), figures)
        if self.align is None:
            return reading
        words = self.align(audio, text)
        if words is None:
            is_whole = figures.get("read wrongly") == 0
            return reading if is_whole else ["the words cannot be found in the sound", *reading]
        figures["longest word"] = max(word[-1] - word[0] for word in words)
        if figures["longest word"] > LONGEST_WORD_S:
            reading.insert(0, f"a word lasts {figures['longest word']:.1f} s, expected at most {LONGEST_WORD_S:g} s")
        return reading


def open_checker(alignment: bool, recogniser: Recogniser | None) -> Checker:
    """The checks, with alignment and reading if they are wanted and pocketsphinx is installed."""
    if not alignment or absent("pocketsphinx"):
        return Checker(None, recogniser)
    from triforce_tts.judges.align import aligner

    return Checker(aligner(), recogniser, partial(follow, aligner()))


def with_voice(checker: Checker, clip: Path | str, model_audio: AudioConfig) -> Checker:
    """``checker``, which then also checks whether a line sounds like ``clip``, if the network for that is installed.

    Raises:
        AudioError: the clip cannot be read, or holds less than a second of speech.
    """
    if absent(embedding.PACKAGE):
        return checker
    speech, _ = read_reference(clip, model_audio)
    own = embedding.embed(speech, model_audio.sample_rate)
    return replace(checker, likeness=lambda audio: float(own @ embedding.embed(audio.samples, audio.sample_rate)))


def sound_figures(wave: Wave, sample_rate: int) -> dict[str, float]:
    """Seconds, level and peak in dBFS, the longest run at full scale in samples, the longest silence in seconds."""
    peak = float(np.abs(wave).max())
    level = active_level_db(torch.from_numpy(wave), sample_rate)
    return {
        "seconds": len(wave) / sample_rate,
        "level": level if math.isfinite(level) else -120.0,
        "peak": 20 * math.log10(max(peak, 1e-6)),
        "clipped": float(_longest_run(np.abs(wave) >= FULL_SCALE)),
        "silence": _longest_silence(wave, sample_rate),
        "noise": _longest_noise(wave, sample_rate),
    }


def _longest_noise(wave: Wave, sample_rate: int) -> float:
    """The seconds of the longest stretch of sound with a flat spectrum."""
    frames = _frames(wave, sample_rate)
    power = np.square(frames).mean(axis=1)
    spectrum = np.square(np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1)))[:, 2:] + 1e-12
    flatness = np.exp(np.log(spectrum).mean(axis=1)) / spectrum.mean(axis=1)
    is_active = power > power.max(initial=0.0) * 10 ** (-ACTIVE_RANGE_DB / 10)
    return _longest_run((flatness > FLATNESS) & is_active) * int(frames.shape[1]) / sample_rate


def _frames(wave: Wave, sample_rate: int) -> Wave:
    """``wave`` [n] as [frames, samples]; a rest that does not fill a frame is left out."""
    frame = max(1, round(FRAME_S * sample_rate))
    return wave[: len(wave) // frame * frame].reshape(-1, frame)


def _longest_silence(wave: Wave, sample_rate: int) -> float:
    frames = _frames(wave, sample_rate)
    power = np.square(frames).mean(axis=1)
    if not len(power) or power.max() == 0:
        return len(wave) / sample_rate
    return _longest_run(power < power.max() * 10 ** (-ACTIVE_RANGE_DB / 10)) * int(frames.shape[1]) / sample_rate


def _longest_run(marks: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    return max((end - start for start, end in runs(torch.from_numpy(marks))), default=0)


def _engine_flags(spoken: Spoken) -> list[str]:
    flags = []
    if spoken.unsaid:
        words = ", ".join(f"'{word}'" for word in spoken.unsaid[:5])
        flags.append(f"{counted(len(spoken.unsaid), 'word')} without a sound ({words})")
    if not spoken.ended:
        flags.append("it did not end by itself")
    return flags


def sound_flags(figures: dict[str, float], predicted_s: float) -> list[str]:
    """The faults of a sound by its figures; ``predicted_s`` is the length that its text predicts."""
    flags, seconds = [], figures["seconds"]
    if abs(seconds - predicted_s) > RATE_SLACK_S and not RATE[0] <= seconds / predicted_s <= RATE[1]:
        flags.append(f"it lasts {seconds:.1f} s, expected about {predicted_s:.1f} s")
    if not LEVEL_DB[0] <= figures["level"] <= LEVEL_DB[1]:
        flags.append(f"its level is {figures['level']:.0f} dBFS, expected {LEVEL_DB[0]:.0f} to {LEVEL_DB[1]:.0f}")
    if figures["clipped"] >= CLIPPED_RUN:
        flags.append(f"{figures['clipped']:.0f} samples in a row are clipped")
    if figures["silence"] > LONGEST_SILENCE_S:
        flags.append(f"{figures['silence']:.1f} s of silence within it, expected at most {LONGEST_SILENCE_S:g} s")
    if figures["noise"] > LONGEST_NOISE_S:
        flags.append(f"{figures['noise']:.1f} s of noise within it")
    return flags


def word_flags(text: str, heard: str, figures: dict[str, float]) -> list[str]:
    """The faults that a recogniser heard; the figures get the number of wrong words and their longest run.

    A recogniser makes errors of its own, mostly single words, and it writes what it heard in other words that sound alike. So the
    phones are compared, and the longest run of wrong ones counts, not an average.
    """
    got = letters(heard).split() if any(c.isalpha() for c in heard) else []
    text_words = wanted_words(text, got)
    runs = [max(j - i, m - k) for i, j, k, m in differing_runs(text_words, got)]
    figures["wrong words"], figures["wrong run"] = float(sum(runs)), float(max(runs, default=0))
    sounds = phones(text)
    figures["wrong phones"], total = _differences(sounds, phones(heard))
    if figures["wrong phones"] < WRONG_PHONES and total <= WRONG_SHARE * len(sounds):
        return []
    return [
        f"the recogniser heard {counted(sum(runs), 'wrong word')}, {max(runs, default=0)} in a row: '{heard.strip()[:80]}'"
    ]


def _differences(reference: Sequence[str], got: Sequence[str]) -> tuple[float, int]:
    """The longest run of phones in which two sounds differ, and all such phones.

    A single equal phone between two runs may be chance: it ends no run.
    """
    longest = size = last = total = 0
    for i, j, k, m in differing_runs(reference, got):
        size = max(j - i, m - k) + (size if size and i - last <= 1 else 0)
        longest, last, total = max(longest, size), j, total + max(j - i, m - k)
    return float(longest), total


def doubt_flags(figures: dict[str, float]) -> list[str]:
    """A fault that neither aligner nor recogniser is sure of alone: they hear in different ways, so doubts add up."""
    read, heard = figures.get("read wrongly", 0.0), figures.get("wrong phones", 0.0)
    if min(read, heard) > 0 and read + heard >= DOUBTED:
        return ["the aligner and the recogniser both doubt a word"]
    return []


def reading_flags(reading: Reading | None, figures: dict[str, float]) -> list[str]:
    """The faults of how a line was read; the figures get the most phones that were read wrongly in one place."""
    if reading is None:
        return ["the words cannot be followed in the sound"]
    runs = differing_runs(reading.written, reading.read)
    sizes = [max(sum(map(len, reading.written[i:j])), sum(map(len, reading.read[k:m]))) for i, j, k, m in runs]
    figures["read wrongly"] = float(max(sizes, default=0))
    if figures["read wrongly"] >= READ_WRONGLY:
        return ["words are missing, said twice or out of order"]
    return []
