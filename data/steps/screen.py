"""Measures the sound of each segment: the scores go into its sample, and segments beyond a threshold are dropped."""

from collections.abc import Sequence

import numpy as np
import torch
from pydantic import Field

from triforce_tts.audio.edit import active_level_db, bandwidth_hz
from triforce_tts.audio.quality import clipped, power_spectrum, snr_db, tonality
from triforce_tts.judges.dnsmos import dnsmos
from triforce_tts.schema import Config

from ..common.segments import ANALYSIS_RATE, Segment, Sound, Wave

HIGH_HZ = 8000.0  # telephones, old codecs and 16 kHz recordings have no sound above this frequency
_FLOOR = 1e-12


class ScreenConfig(Config):
    """The thresholds of the scores; ``null`` measures a score and drops nothing.

    On 363 clips of clean readings, snr_db is at least 20 in 95 % and at least 10 in 99 % of them, and tonality is at
    most 0.10 in 99 % and 0.15 in all. Pink noise and synthetic music have an snr_db of at most 6, and the music a tonality of 0.6.
    Speech together with such music that is 5 dB quieter has a tonality of 0.19 to 0.40, in 98 % above 0.2.
    """

    max_clipped: float | None = Field(default=0.001, ge=0)  # share of samples that are as loud as the loudest one
    min_snr_db: float | None = 10.0
    max_tonality: float | None = 0.2
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


def high_band_db(wave: Wave, sample_rate: int) -> float:
    """The ratio of the power above 8 kHz to the whole power, in dB; at least -120."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2 if len(wave) else np.zeros(1)
    share = power[round(HIGH_HZ / sample_rate * len(wave)) :].sum() / max(power.sum(), _FLOOR)
    return float(10 * np.log10(max(share, _FLOOR)))
