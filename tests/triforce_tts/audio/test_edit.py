import math

import pytest
import torch

from triforce_tts.audio.edit import (
    Trimmer,
    active_level_db,
    bandwidth_hz,
    first_speech,
    join,
    normalize_level,
    trim_silence,
    without_offset,
)

RATE = 16000


def tone(seconds: float, level_db: float = -20.0, frequency: float = 400.0) -> torch.Tensor:
    """A sine of this RMS level."""
    time = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    return (math.sqrt(2) * 10 ** (level_db / 20) * torch.sin(2 * math.pi * frequency * time)).float()


def silence(seconds: float) -> torch.Tensor:
    return torch.zeros(round(seconds * RATE))


def test_level_is_that_of_the_speech_alone() -> None:
    assert active_level_db(tone(1.0), RATE) == pytest.approx(-20, abs=0.01)
    assert active_level_db(torch.cat([silence(3), tone(1.0), silence(3)]), RATE) == pytest.approx(-20, abs=0.01)
    assert active_level_db(silence(1), RATE) == -math.inf
    assert active_level_db(torch.zeros(0), RATE) == -math.inf


@pytest.mark.parametrize("level_db", [-50.0, -23.0, -10.0])
def test_normalized_speech_has_the_target_level(level_db: float) -> None:
    samples, gain_db = normalize_level(tone(1.0, level_db), RATE, -23.0)
    assert active_level_db(samples, RATE) == pytest.approx(-23, abs=0.01)
    assert gain_db == pytest.approx(-23 - level_db, abs=0.01)


def test_a_peak_limits_the_gain() -> None:
    samples = tone(1.0, -40.0)
    samples[5000] = 0.5
    louder, gain_db = normalize_level(samples, RATE, -20.0)
    assert louder.abs().max() == pytest.approx(0.97, abs=1e-5)
    assert gain_db == pytest.approx(20 * math.log10(0.97 / 0.5), abs=0.01)


@pytest.mark.parametrize("offset", [-0.3, 0.01])
def test_a_constant_part_is_taken_off(offset: float) -> None:
    sound = torch.cat([silence(0.5), tone(1.0)])
    torch.testing.assert_close(without_offset(sound + offset), sound, atol=1e-4, rtol=0)
    assert without_offset(torch.full((RATE,), offset)).abs().max() < 1e-6


def test_a_mean_that_is_small_stays() -> None:
    for sound in (tone(1.0) + 0.002, silence(1.0), torch.zeros(0)):
        assert without_offset(sound) is sound


def test_silence_is_left_alone() -> None:
    faint = tone(1.0, -95.0)
    assert torch.equal(normalize_level(faint, RATE)[0], faint)
    assert normalize_level(silence(1), RATE)[1] == 0.0


def test_first_speech_drops_long_silences_and_keeps_short_ones() -> None:
    samples = torch.cat([silence(2), tone(0.5), silence(0.2), tone(0.5), silence(4), tone(0.5), silence(1)])
    speech = first_speech(samples, RATE, 10.0)
    # 1.5 s of tone, 0.2 s between the tones, and 0.15 s on each side of the two groups.
    assert len(speech) / RATE == pytest.approx(1.7 + 4 * 0.15, abs=0.05)
    assert len(first_speech(samples, RATE, 0.8)) == round(0.8 * RATE)
    assert len(first_speech(silence(2), RATE, 1.0)) == 0


def test_trim_silence_keeps_the_middle() -> None:
    samples = torch.cat([silence(1), tone(0.5), silence(2), tone(0.5), silence(1)])
    trimmed = trim_silence(samples, RATE, -40.0, keep_s=0.1)
    assert len(trimmed) / RATE == pytest.approx(3.2, abs=0.05)
    assert len(trim_silence(silence(1), RATE)) == 0
    assert len(trim_silence(tone(1.0), RATE)) == RATE


@pytest.mark.parametrize("size", [160, 777, 16000])
@pytest.mark.parametrize("level_db", [-18.0, -60.0])
def test_a_trimmer_trims_as_the_whole(size: int, level_db: float) -> None:
    """A speaker at the usual level, and one far below it; hum at both ends is 50 dB below the speech."""
    hum = tone(1.0, level_db - 50)
    samples = torch.cat([hum, tone(0.5, level_db), silence(1), tone(0.5, level_db), hum])
    trimmer = Trimmer(RATE)
    parts = samples.split(size)
    chunks = [trimmer.extend(part, is_end=part is parts[-1]) for part in parts]
    assert torch.equal(torch.cat(chunks), trim_silence(samples, RATE))
    assert trim_silence(samples, RATE) is not samples
    assert (trimmer.start, trimmer.end) == (round(0.95 * RATE), round(3.05 * RATE))
    if level_db == -18.0 and size < RATE:  # the sound before the silence does not wait for the sound after it
        assert sum(map(len, chunks[: round(1.6 * RATE) // size])) >= 0.5 * RATE


def test_a_trimmer_of_silence_passes_nothing_on() -> None:
    trimmer = Trimmer(RATE)
    assert len(trimmer.extend(silence(1), is_end=False)) == len(trimmer.extend(silence(1), is_end=True)) == 0


def test_join_puts_pauses_between_and_does_not_click() -> None:
    piece = torch.full((RATE,), 0.5)
    joined = join([piece, piece], [0.25], RATE)
    assert len(joined) == 2 * RATE + RATE // 4
    assert torch.equal(joined[RATE : RATE + RATE // 4], torch.zeros(RATE // 4))
    assert joined[0] == 0.5 and joined[-1] == 0.5
    assert torch.diff(joined).abs().max() < 0.02
    assert torch.equal(piece, torch.full((RATE,), 0.5))
    assert len(join([], [], RATE)) == 0
    assert torch.equal(join([piece], [], RATE), piece)
    with pytest.raises(ValueError, match="2 pieces need 1 pauses, found 2"):
        join([piece, piece], [0.1, 0.1], RATE)


@pytest.mark.parametrize("edge_hz", [1000.0, 3000.0, 6000.0])
def test_bandwidth_is_where_the_energy_ends(edge_hz: float) -> None:
    noise = torch.randn(4 * RATE, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(noise)
    spectrum[int(edge_hz * 4) :] = 0
    assert bandwidth_hz(torch.fft.irfft(spectrum), RATE) == pytest.approx(edge_hz, abs=100)


def test_bandwidth_of_short_and_silent_sound() -> None:
    assert bandwidth_hz(silence(1), RATE) == 0.0
    assert 0 < bandwidth_hz(tone(0.01), RATE) <= RATE / 2
