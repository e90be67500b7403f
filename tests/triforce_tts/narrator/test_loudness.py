"""Loudness and peaks agree with other implementations and with sines; the limiter keeps its word."""

import numpy as np
import pytest
import torch
import torchaudio.functional as reference

from triforce_tts.audio.resample import Wave, resample
from triforce_tts.narrator.loudness import QUIETEST_DB, Loudness, Meter, limited


def measure(wave: Wave, rate: int, piece: int = 7777) -> Loudness:
    meter = Meter(rate)
    for start in range(0, len(wave), piece):
        meter.feed(wave[start : start + piece])
    return meter.result()


def sine(hertz: float, level: float, seconds: float, rate: int) -> Wave:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time + 0.3)).astype(np.float32)


def murmur(rate: int) -> Wave:
    """12 s of noise below 3 kHz that swells and pauses, as speech does."""
    rng = np.random.default_rng(0)
    noise = resample(rng.standard_normal(6000 * 12).astype(np.float32), 6000, rate)
    swell = np.sin(2 * np.pi * 0.4 * np.arange(len(noise)) / rate).clip(0.001, None)
    return (0.1 * noise * swell).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
def test_loudness_is_that_of_another_implementation(rate: int) -> None:
    wave = murmur(rate)
    other = float(reference.loudness(torch.from_numpy(wave)[None], rate))
    assert measure(wave, rate).lufs == pytest.approx(other, abs=0.15)


def test_a_sine_of_1_khz_is_as_loud_as_the_standard_says() -> None:
    # BS.1770-4, annex 1: a 0 dBFS sine of 997 Hz in one channel reads -3.01 LKFS.
    assert measure(sine(997, 1.0, 5.0, 48_000), 48_000).lufs == pytest.approx(-3.01, abs=0.02)


def test_the_gate_leaves_pauses_out_and_rms_does_not() -> None:
    speech, pause = sine(997, 0.1, 10.0, 16_000), np.zeros(160_000, np.float32)
    alone, paused = measure(speech, 16_000), measure(np.concatenate([speech, pause]), 16_000)
    assert paused.lufs == pytest.approx(alone.lufs, abs=0.1)
    assert paused.rms_db == pytest.approx(alone.rms_db - 3.01, abs=0.01)
    assert paused.floor_db == QUIETEST_DB
    assert alone.floor_db == pytest.approx(alone.rms_db, abs=0.01)


def test_a_peak_between_samples_is_found() -> None:
    time = np.arange(24_000)
    wave = (0.7 * np.sin(2 * np.pi * time / 4 + np.pi / 4)).astype(np.float32)  # no sample stands on its crest
    assert np.abs(wave).max() < 0.5
    assert measure(wave, 24_000).true_peak_db == pytest.approx(20 * np.log10(0.7), abs=0.3)


def test_pieces_do_not_matter() -> None:
    wave = murmur(16_000)
    whole = measure(wave, 16_000, len(wave))
    for piece in (1000, 48_000, 100_001):
        part = measure(wave, 16_000, piece)
        assert part.lufs == pytest.approx(whole.lufs, abs=1e-9)
        assert part.true_peak_db == pytest.approx(whole.true_peak_db, abs=1e-9)


@pytest.mark.parametrize("samples", [0, 1, 100, 2000])
def test_the_shortest_sounds_and_silence_have_figures(samples: int) -> None:
    silence = measure(np.zeros(samples, np.float32), 16_000)
    assert (silence.samples, silence.lufs, silence.rms_db, silence.floor_db) == (samples, *[QUIETEST_DB] * 3)
    assert silence.true_peak_db == QUIETEST_DB


def test_the_limiter_keeps_below_its_ceiling_and_changes_nothing_else() -> None:
    wave = murmur(16_000) * 4
    low = limited(wave, 16_000, -3.0)
    assert measure(wave, 16_000).true_peak_db > 0
    assert measure(low, 16_000).true_peak_db <= -2.9
    quiet = np.abs(wave) < 1e-3
    assert np.abs(low[quiet]).max() <= 1e-3
    calm = murmur(16_000) * 0.1
    assert limited(calm, 16_000, -3.0) is calm
