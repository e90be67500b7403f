from importlib.util import find_spec

import numpy as np
import pytest
import soxr

from benchmarks.truth import RATE as MADE_RATE
from benchmarks.truth import music, noise
from tests.clips import spoken
from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.steps.level import LevelConfig, Levelled, levelled
from triforce_tts.data.steps.screen import (
    ScreenConfig,
    clipped,
    high_band_db,
    measure,
    power_spectrum,
    screen,
    snr_db,
    tonality,
)

RATE = 16000
QUIET = ScreenConfig(dnsmos=False)


def screened(wave: np.ndarray, rate: int = RATE, config: ScreenConfig = QUIET) -> Segment:
    segment = Segment(0.0, len(wave) / rate)
    screen(MemorySound(wave.astype(np.float32), rate), [segment], config)
    return segment


def at_16k(wave: np.ndarray) -> np.ndarray:
    return soxr.resample(wave, MADE_RATE, RATE)


def test_speech_passes_whoever_reads() -> None:
    for name in ("kathleen-00", "ls_1462-04", "ls_1462-08", "ls_2428-09", "ls_2428-13"):
        segment = screened(spoken(name))
        assert segment.kept, (segment.reason, segment.value)
        assert segment.scores["snr_db"] > 15
        assert segment.scores["tonality"] < 0.2


def test_tonality_does_not_depend_on_the_level() -> None:
    """A quiet recording of speech is no music."""
    waves = (spoken("kathleen-00"), spoken("ls_1462-04"), at_16k(music(5.0, np.random.default_rng(0))))
    for wave in waves:
        loud, quiet = (tonality(power_spectrum(wave * gain)) for gain in (1.0, 0.003))
        assert quiet == pytest.approx(loud, abs=0.03)


def test_noise_music_and_tones_do_not() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(5 * RATE) / RATE
    tone = 0.1 * np.sin(2 * np.pi * 440 * time)
    assert screened(at_16k(noise(5.0, rng))).reason == "noise"
    assert screened(at_16k(music(5.0, rng))).reason in ("noise", "music")
    assert tonality(power_spectrum(at_16k(music(5.0, rng)))) > 0.5
    assert not screened(tone).kept
    loud = spoken("ls_1462-05") + 0.5 * np.resize(at_16k(music(6.0, rng)), len(spoken("ls_1462-05")))
    assert not screened(loud / np.abs(loud).max()).kept


@pytest.mark.parametrize("wanted", [20.0, 10.0])
def test_the_ratio_is_that_of_speech_and_added_noise(wanted: float) -> None:
    """White noise this far below the active frames of the speech.

    Opus has already removed the recording's own noise.
    """
    rng = np.random.default_rng(0)
    wave = spoken("kathleen-00")
    frames = wave[: len(wave) // 320 * 320].reshape(-1, 320)
    power = (frames**2).mean(1)
    active = power[power > power.max() * 10**-3.5].mean()
    noisy = wave + rng.standard_normal(len(wave)) * np.sqrt(active * 10 ** (-wanted / 10))
    assert snr_db(power_spectrum(noisy)) == pytest.approx(wanted, abs=2.0)


def test_clipping_is_a_share_whatever_gain_came_after() -> None:
    """The pipeline measures at the level of ``level.py``, where clipped samples are no longer at full scale."""
    wave = spoken("ls_1462-05")
    wave = wave / np.abs(wave).max()
    assert clipped(wave) < 0.0002
    broken = np.clip(wave * 8, -1, 1)
    share = float((np.abs(wave * 8) >= 1).mean())
    heard = levelled(MemorySound(broken.astype(np.float32), RATE), LevelConfig())
    assert isinstance(heard, Levelled)
    assert heard.gain_db < -10
    segment = Segment(0.0, heard.duration_s)
    screen(heard, [segment], QUIET)
    for found in (screened(broken), screened(0.01 * broken), segment):
        assert found.scores["clipped"] == pytest.approx(share, rel=0.01)
        assert found.reason == "clipped"
    assert screened(broken, config=ScreenConfig(dnsmos=False, max_clipped=None)).reason != "clipped"
    assert clipped(np.zeros(100, np.float32)) == clipped(np.zeros(0, np.float32)) == 0


def test_power_above_8_khz() -> None:
    time = np.arange(48000) / 48000
    low, high = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 12000 * time)
    assert high_band_db(low + 0.1 * high, 48000) == pytest.approx(10 * np.log10(0.01 / 1.01), abs=0.01)
    assert high_band_db(low, 48000) < -80
    assert high_band_db(np.zeros(0, np.float32), 48000) == -120
    assert "high_band_db" not in measure(spoken("ls_1462-05"), RATE, spoken("ls_1462-05"))


def test_thresholds_move() -> None:
    config = ScreenConfig(dnsmos=False, min_bandwidth_hz=7900)
    narrow = soxr.resample(soxr.resample(spoken("ls_1462-05"), RATE, 8000), 8000, RATE)
    assert screened(narrow, config=config).reason == "narrow band"
    assert screened(narrow).kept
    wide = soxr.resample(spoken("ls_1462-05"), RATE, 48000)
    assert screened(wide, 48000, ScreenConfig(dnsmos=False, min_high_band_db=-60)).reason == "nothing above 8 kHz"


def test_silence_and_the_shortest_sound_are_measured() -> None:
    for wave in (np.zeros(RATE), np.zeros(1), 0.1 * np.ones(100)):
        assert np.isfinite(list(screened(wave).scores.values())).all()


@pytest.mark.skipif(find_spec("speechmos") is None, reason="pip install speechmos")
def test_dnsmos_prefers_what_is_clean() -> None:
    rng = np.random.default_rng(0)
    wave = spoken("kathleen-02")
    noisy = wave + 0.1 * np.sqrt(np.mean(wave**2)) * rng.standard_normal(len(wave))
    strict = screened(wave, config=ScreenConfig(min_dnsmos=4.9))
    clean, worse = strict.scores, screened(noisy, config=ScreenConfig()).scores
    assert 1 < worse["dnsmos_ovrl"] < clean["dnsmos_ovrl"] < 5
    assert {"dnsmos_sig", "dnsmos_bak"} <= clean.keys()
    assert strict.reason == "poor sound"
