"""Targets of delivery: how loud a finished file is, how much silence is around its chapters, and whether it keeps to that."""

import math
from dataclasses import dataclass

from triforce_tts.audio.resample import Wave
from triforce_tts.narrator.loudness import Loudness, limited

# The room for what a lossy coder adds to a peak. If it adds more, the check of the written file finds it.
_PEAK_ROOM_DB = 1.0
_CLOSE_DB = 0.3  # a level this close to its target is not corrected again
MOST_PASSES = 4  # the most passes of writing and measuring


@dataclass(frozen=True)
class Profile:
    """The demands of a shop or a player on a file."""

    name: str
    measure: str = ""  # "RMS" or "LUFS"; empty if no level is set
    aim: float = 0.0
    bounds: tuple[float, float] = (-math.inf, math.inf)  # the lowest and the highest value of the measure
    peak_db: float = math.inf
    floor_db: float = math.inf
    head_s: float = 0.0
    tail_s: float | None = None
    head_bounds_s: tuple[float, float] = (0.0, math.inf)
    tail_bounds_s: tuple[float, float] = (0.0, math.inf)
    sample_rate: int | None = None
    bit_rate: int | None = None
    longest_s: float = math.inf
    suffix: str = ""  # the only format that the profile allows; empty if it allows any


PROFILES = {
    "none": Profile("none"),
    "podcast": Profile("podcast", "LUFS", -19.0, (-20.0, -18.0), -1.0, math.inf, 0.3, 1.0),
    "acx": Profile(
        "acx", "RMS", -20.0, (-23.0, -18.0), -3.0, -60.0, 0.75, 2.0, (0.5, 1.0), (1.0, 5.0), 44_100, 192_000, 7200.0, ".mp3",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One demand of a profile, and the value of the finished file."""

    name: str
    value: str
    demand: str
    passed: bool


@dataclass(frozen=True)
class Level:
    """The change of level of the lines: a gain, and a limiter below a ceiling."""

    gain_db: float = 0.0
    ceiling_db: float = math.inf
    sample_rate: int = 0

    def __call__(self, wave: Wave) -> Wave:
        """The samples at their new level."""
        if self.gain_db:
            wave = wave * wave.dtype.type(10 ** (self.gain_db / 20))
        return wave if math.isinf(self.ceiling_db) else limited(wave, self.sample_rate, self.ceiling_db)


def measured(profile: Profile, loudness: Loudness) -> float:
    """The figure that the profile asks for."""
    return loudness.rms_db if profile.measure == "RMS" else loudness.lufs


def first_level(profile: Profile, loudness: Loudness) -> Level:
    """The level with which a sound of this loudness would meet the profile, if limiter and coder changed nothing."""
    if not profile.measure:
        return Level()
    gain = profile.aim - measured(profile, loudness)
    return Level(gain, profile.peak_db - _PEAK_ROOM_DB, loudness.sample_rate)


def next_level(profile: Profile, level: Level, finished: Loudness) -> Level | None:
    """A better level after a file was measured; None if the file is good."""
    if not profile.measure:
        return None
    missing = profile.aim - measured(profile, finished)
    excess = max(0.0, finished.true_peak_db - profile.peak_db)
    if abs(missing) <= _CLOSE_DB and not excess:
        return None
    lower = excess + 0.1 if excess else 0.0
    return Level(level.gain_db + missing, level.ceiling_db - lower, level.sample_rate)


def results(profile: Profile, finished: Loudness, suffix: str, bit_rate: int | None) -> list[Result]:
    """What the finished file has of what the profile demands."""
    if not profile.measure:
        return []
    value = measured(profile, finished)
    low, high = profile.bounds
    rows = [
        _row(profile.measure, f"{value:.1f} dB", f"{low:g} to {high:g} dB", low <= value <= high),
        _row("true peak", f"{finished.true_peak_db:.1f} dBTP", f"at most {profile.peak_db:g} dBTP",
             finished.true_peak_db <= profile.peak_db),
    ]  # fmt: skip
    if profile.suffix:
        rows += [
            _row("noise floor", f"{finished.floor_db:.0f} dB", f"at most {profile.floor_db:g} dB",
                 finished.floor_db <= profile.floor_db),
            _row("silence at the head", f"{profile.head_s:g} s", _span(profile.head_bounds_s), True),
            _row("silence at the tail", f"{profile.tail_s:g} s", _span(profile.tail_bounds_s), True),
            _row("length", f"{finished.seconds / 60:.1f} min", f"at most {profile.longest_s / 60:g} min",
                 finished.seconds <= profile.longest_s),
            _row("format", suffix, profile.suffix, suffix == profile.suffix),
            _row("sample rate", f"{finished.sample_rate} Hz", f"{profile.sample_rate} Hz",
                 finished.sample_rate == profile.sample_rate),
            _row("bit rate", f"{(bit_rate or 0) // 1000} kbit/s", f"{(profile.bit_rate or 0) // 1000} kbit/s",
                 bit_rate == profile.bit_rate),
        ]  # fmt: skip
    return rows


def _row(name: str, value: str, demand: str, passed: bool) -> Result:
    return Result(name, value, demand, passed)


def _span(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g} s"
