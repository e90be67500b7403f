"""Measures the sound of each segment: the scores go into its sample, and segments beyond a threshold are dropped.

Two numbers tell noise and music from speech without a model. Speech has pauses, so its quietest tenth of frames lies
far below its active frames (``snr_db``). And the pitch of speech moves all the time, so the fine structure of its
spectrum changes within 0.16 s, but that of tones and chords does not (``tonality``).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from triforce_tts.audio.edit import ACTIVE_RANGE_DB, active_level_db, bandwidth_hz
from triforce_tts.judges.dnsmos import dnsmos
from triforce_tts.schema import Config

from ..common.segments import ANALYSIS_RATE, Segment, Sound, Wave

# A sample counts as clipped if it has at least this share of the loudest sample's value. The comparison is with the
# loudest sample and not with full scale, because the sound may have been made quieter after it was clipped.
CLIPPED = 0.999
HIGH_HZ = 8000.0  # telephones, old codecs and 16 kHz recordings have no sound above this frequency
_WINDOW, _HOP = 1024, 256  # samples at ANALYSIS_RATE: 64 and 16 ms
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 3200.0  # the band of a telephone; beyond it, its filter would look like a tone
_SMOOTH = 15  # bins, 234 Hz; a peak wider than this is a formant, a narrower one is a harmonic
_LATER = 10  # frames, 0.16 s
_FLOOR = 1e-12


class ScreenConfig(Config):
    """The thresholds of the scores; ``null`` measures a score and drops nothing.

    On 363 clips of clean readings, snr_db is at least 20 in 95 % and at least 10 in 99 % of them, and tonality is at
    most 0.19 in 99 %. Pink noise and synthetic music have an snr_db of at most 6, and the music has a tonality of 0.6.
    Speech together with such music that is 5 dB quieter has a tonality of 0.21 to 0.39.
    """

    max_clipped: float | None = Field(default=0.001, ge=0)  # share of samples that are as loud as the loudest one
    min_snr_db: float | None = 10.0
    max_tonality: float | None = 0.25
    min_bandwidth_hz: float | None = None  # such as 8000, to drop telephone calls and old codecs
    min_high_band_db: float | None = None  # such as -60; the power above 8 kHz compared with the whole power
    dnsmos: bool = True  # measure the DNSMOS scores, which takes a second for 37 seconds of sound
    # The overall score; 3.0 also drops good voices with a little hiss, so look at the scores first.
    min_dnsmos: float | None = None


def screen(sound: Sound, segments: Sequence[Segment], config: ScreenConfig) -> None:
    """Measure the kept ``segments`` and drop those that are beyond a threshold.

    The scores are ``clipped`` (share), ``level_db`` (dBFS of active frames), ``snr_db``, ``tonality`` (-1 to 1),
    ``bandwidth_hz``, above 16 kHz ``high_band_db``, and with DNSMOS ``dnsmos_ovrl``, ``dnsmos_sig`` and ``dnsmos_bak``
    (1 to 5).

    Raises:
        TriforceError: the settings ask for DNSMOS and its network is missing.
    """
    for segment in segments:
        if segment.kept:
            wave = sound.read(segment.start_s, segment.end_s)
            heard = sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE)
            segment.scores |= measure(wave, sound.sample_rate, heard)
            _judge(segment, config)
            if segment.kept and config.dnsmos:
                opinion = dnsmos(heard, ANALYSIS_RATE)
                segment.scores |= {f"dnsmos_{name}": round(value, 3) for name, value in opinion.items()}
                if config.min_dnsmos is not None and opinion["ovrl"] < config.min_dnsmos:
                    segment.drop("poor sound", f"DNSMOS {opinion['ovrl']:.2f}")


def measure(wave: Wave, sample_rate: int, heard: Wave) -> dict[str, float]:
    """The scores without DNSMOS of ``wave`` [n] at ``sample_rate``.

    ``heard`` [m] is the same sound at ``ANALYSIS_RATE``.
    """
    samples = torch.from_numpy(wave)
    spectrum = power_spectrum(heard)
    scores = {
        "clipped": clipped(wave),
        "level_db": round(max(active_level_db(samples, sample_rate), -120.0), 2),
        "snr_db": round(snr_db(spectrum), 2),
        "tonality": round(tonality(spectrum), 4),
        "bandwidth_hz": float(bandwidth_hz(samples, sample_rate)),
    }
    if sample_rate > 2 * HIGH_HZ:
        scores["high_band_db"] = round(high_band_db(wave, sample_rate), 2)
    return scores


def clipped(wave: Wave) -> float:
    """The share of samples that are as loud as the loudest one, 0 to 1; a gain after the clipping does not change it.

    None of 925 clips of clean readings has more than 0.0002; speech that is clipped at two thirds of its peak has
    0.004.
    """
    loudness = np.abs(wave)
    peak = loudness.max(initial=0.0)
    return float((loudness >= CLIPPED * peak).mean()) if peak > 0 else 0.0


def _judge(segment: Segment, config: ScreenConfig) -> None:
    scores = segment.scores
    if config.max_clipped is not None and scores["clipped"] > config.max_clipped:
        segment.drop("clipped", f"{100 * scores['clipped']:.2f} %")
    if config.min_snr_db is not None and scores["snr_db"] < config.min_snr_db:
        segment.drop("noise", f"{scores['snr_db']:.1f} dB")
    if config.max_tonality is not None and scores["tonality"] > config.max_tonality:
        segment.drop("music", f"tonality {scores['tonality']:.2f}")
    if config.min_bandwidth_hz is not None and scores["bandwidth_hz"] < config.min_bandwidth_hz:
        segment.drop("narrow band", f"{scores['bandwidth_hz']:.0f} Hz")
    high = scores.get("high_band_db")
    if config.min_high_band_db is not None and high is not None and high < config.min_high_band_db:
        segment.drop("nothing above 8 kHz", f"{high:.1f} dB")


def power_spectrum(heard: Wave) -> npt.NDArray[np.float64]:
    """The power [frames, bins] of ``heard`` [n] at ``ANALYSIS_RATE``, in frames of 64 ms every 16 ms.

    The result has at least one frame.
    """
    padded = np.pad(heard, (0, max(0, _WINDOW - len(heard))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power: npt.NDArray[np.float64] = np.abs(np.fft.rfft(frames)) ** 2 + _FLOOR
    return power


def snr_db(spectrum: npt.NDArray[np.float64]) -> float:
    """The ratio of the mean power of the active frames to that of the quietest tenth of all frames, in dB."""
    power = spectrum.sum(1)
    quiet = np.sort(power)[: max(1, len(power) // 10)].mean()
    return float(10 * np.log10(power[_active(power)].mean() / quiet))


def tonality(spectrum: npt.NDArray[np.float64]) -> float:
    """How similar the fine structure of the log spectrum is in active frames 0.16 s apart.

    The result is a mean correlation, -1 to 1.
    """
    low, high = (round(hz * _WINDOW / ANALYSIS_RATE) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    level = 10 * np.log10(spectrum[:, low:high])
    kernel = np.ones(_SMOOTH) / _SMOOTH
    fine = level - np.apply_along_axis(np.convolve, 1, level, kernel, "same")
    active = _active(spectrum.sum(1))
    before, after = fine[:-_LATER], fine[_LATER:]
    both = active[:-_LATER] & active[_LATER:]
    if not both.any():
        return 0.0
    scale = np.sqrt((before**2).sum(1) * (after**2).sum(1)) + _FLOOR
    return float(((before * after).sum(1) / scale)[both].mean())


def high_band_db(wave: Wave, sample_rate: int) -> float:
    """The ratio of the power above 8 kHz to the whole power, in dB; at least -120."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2 if len(wave) else np.zeros(1)
    share = power[round(HIGH_HZ / sample_rate * len(wave)) :].sum() / max(power.sum(), _FLOOR)
    return float(10 * np.log10(max(share, _FLOOR)))


def _active(power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    active: npt.NDArray[np.bool_] = power >= power.max() * 10 ** (-ACTIVE_RANGE_DB / 10)
    return active
