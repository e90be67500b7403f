"""Finds one gain for a whole recording, so that the next steps get speech at the level that their networks know."""

import math
from collections.abc import Iterator

import numpy as np

from triforce_tts.audio.edit import ACTIVE_RANGE_DB, FRAME_S, SILENCE_DB
from triforce_tts.schema import Config

from ..common.segments import Sound, Wave

BLOCK_S = 60.0
LOWEST_DB, STEP_DB, BINS = -120.0, 0.25, 504  # the histogram of frame levels goes from -120 to 6 dBFS
LOUDEST_SHARE = 0.005  # this share of frames is ignored at the loud end, because a click is no speech


class LevelConfig(Config):
    """The level of a recording for the steps that listen to it; the samples get their own level at the end."""

    target_db: float = -23.0  # dBFS; the RMS over active frames
    most_gain_db: float = 40.0  # dB; a recording that needs a higher gain holds only noise


class Levelled:
    """A sound that is made louder or quieter by a gain."""

    def __init__(self, sound: Sound, gain_db: float) -> None:
        self.sound, self.gain_db = sound, gain_db
        self.sample_rate, self.duration_s = sound.sample_rate, sound.duration_s

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> Wave:
        """As ``Sound.read``."""
        return self._louder(self.sound.read(start_s, end_s, sample_rate))

    def blocks(self, seconds: float, sample_rate: int | None = None) -> Iterator[Wave]:
        """As ``Sound.blocks``."""
        return map(self._louder, self.sound.blocks(seconds, sample_rate))

    def _louder(self, wave: Wave) -> Wave:
        louder: Wave = np.clip(wave * np.float32(10 ** (self.gain_db / 20)), -1, 1)
        return louder


def speech_level_db(sound: Sound) -> float:
    """The level of the speech in dBFS, which is the RMS over active frames; ``-inf`` for silence.

    The rule is that of ``triforce_tts.audio.edit.active_level_db``, but applied to a histogram of frame levels, so that
    hours of sound are read only once and not kept in memory. The loudest ``LOUDEST_SHARE`` of all frames do not count.
    """
    frame = round(FRAME_S * sound.sample_rate)
    counts, powers = np.zeros(BINS), np.zeros(BINS)
    for block in sound.blocks(BLOCK_S):
        frames = block[: len(block) // frame * frame].reshape(-1, frame)
        power = np.square(frames, dtype=np.float64).mean(1)
        place = (10 * np.log10(np.maximum(power, 1e-12)) - LOWEST_DB) / STEP_DB
        bins = np.clip(place.astype(np.int64), 0, BINS - 1)
        counts += np.bincount(bins, minlength=BINS)
        powers += np.bincount(bins, power, minlength=BINS)
    louder = counts[::-1].cumsum()[::-1]  # for each bin: the number of frames in it and in the louder bins
    loudest = int(np.flatnonzero(louder > LOUDEST_SHARE * counts.sum())[-1]) if counts.any() else 0
    active = slice(max(0, loudest - round(ACTIVE_RANGE_DB / STEP_DB)), loudest + 1)
    power = powers[active].sum() / max(1.0, counts[active].sum())
    return 10 * math.log10(power) if power > 0 else -math.inf


def levelled(sound: Sound, config: LevelConfig) -> Levelled:
    """``sound`` with its speech at ``target_db``; a silent recording, or one too quiet to be speech, is not changed."""
    level = speech_level_db(sound)
    gain_db = config.target_db - level
    return Levelled(sound, gain_db if level > SILENCE_DB and gain_db <= config.most_gain_db else 0.0)
