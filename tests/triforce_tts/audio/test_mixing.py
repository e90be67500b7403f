"""Channels are mixed to one: their mean, or one of them where the mean cancels the sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mixing import WINDOW, Wave, mixed
from triforce_tts.audio.streaming import stream_audio

RATE = 16000


def speech(seconds: float, seed: int = 0) -> Wave:
    """Noise in bursts with pauses of faint noise between them, as loud as speech is."""
    random = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE)) / RATE
    loudness = np.where(times % 1.0 < 0.7, 0.1, 0.0002)
    return (loudness * random.standard_normal(len(times))).astype(np.float32)


def one_channel(*channels: Wave, size: int = 1000) -> Wave:
    """``channels`` mixed, handed over in pieces of ``size`` samples."""
    whole = np.stack(channels)
    return np.concatenate(list(mixed(whole[:, start : start + size] for start in range(0, whole.shape[1], size))))


def faint(seed: int, level: float = 0.0002) -> Wave:
    return (level * np.random.default_rng(seed).standard_normal(4 * RATE)).astype(np.float32)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.7])
def test_a_channel_of_opposite_phase_does_not_cancel_the_sound(share: float) -> None:
    wave = speech(4) + faint(1)
    mixed_wave = one_channel(wave, -share * wave + faint(2))
    np.testing.assert_array_equal(mixed_wave[WINDOW:], wave[WINDOW:])


def test_all_other_channels_are_averaged() -> None:
    left, right = speech(4), speech(4, 1)
    np.testing.assert_allclose(one_channel(left, right), (left + right) / 2, atol=1e-7)
    np.testing.assert_allclose(one_channel(left, 0 * left), left / 2, atol=1e-7)
    np.testing.assert_allclose(one_channel(left, -0.4 * left), 0.3 * left, atol=1e-7)
    six = [0 * left, 0 * left, left, 0 * left, 0 * left, 0 * left]
    np.testing.assert_allclose(one_channel(*six), left / 6, atol=1e-7)


def test_a_part_of_opposite_phase_is_found_and_the_change_does_not_click() -> None:
    wave = np.full(8 * WINDOW, 0.1, np.float32) * np.sin(np.arange(8 * WINDOW, dtype=np.float32) / 20)
    other = np.where(np.arange(8 * WINDOW) < 4 * WINDOW, wave, -wave)
    mixed_wave = one_channel(wave, other)
    np.testing.assert_allclose(np.delete(mixed_wave, np.s_[4 * WINDOW : 4 * WINDOW + 256]),
                               np.delete(wave, np.s_[4 * WINDOW : 4 * WINDOW + 256]), atol=1e-6)  # fmt: skip
    fade = mixed_wave[4 * WINDOW : 4 * WINDOW + 256]
    assert np.abs(np.diff(fade)).max() < 0.01


def test_a_soft_speaker_in_another_channel_is_heard_after_loud_sound_of_opposite_phase() -> None:
    jingle, host = speech(4), 0.05 * speech(4, 1)
    left = np.concatenate([jingle, 0 * host]) + faint(1, 1e-6).repeat(2)
    right = np.concatenate([-jingle, host]) + faint(2, 1e-6).repeat(2)
    heard = one_channel(left, right)[4 * RATE + WINDOW :]
    np.testing.assert_allclose(heard, host[WINDOW:] / 2, atol=1e-5)


def test_constant_parts_of_opposite_sign_are_no_opposite_phase() -> None:
    left, right = speech(4), speech(4, 1)
    np.testing.assert_allclose(one_channel(left + 0.2, right - 0.2), (left + right) / 2, atol=1e-6)


def test_pieces_of_any_size_give_the_same_sound() -> None:
    wave = speech(4)
    sizes = (1, 999, WINDOW, 3 * WINDOW + 1, len(wave))
    first, *others = (one_channel(wave, -wave + speech(4, 2) / 9, size=size) for size in sizes)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_the_number_of_channels_may_change() -> None:
    wave = speech(1)
    pieces = [np.stack([wave, -wave]), wave[None], np.stack([wave] * 3)]
    assert [len(np.concatenate(list(mixed(pieces[: n + 1])))) for n in range(3)] == [RATE, 2 * RATE, 3 * RATE]


def test_what_is_no_number_spoils_its_window_alone() -> None:
    wave = speech(4)
    broken = wave.copy()
    broken[10] = np.nan
    assert np.isfinite(one_channel(broken, -wave)[WINDOW:]).all()
    np.testing.assert_array_equal(one_channel(broken, -wave)[2 * WINDOW :], wave[2 * WINDOW :])


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg"])
def test_files_of_opposite_phase_are_heard(tmp_path: Path, suffix: str) -> None:
    wave = speech(4)
    path = tmp_path / f"opposite{suffix}"
    sf.write(path, np.stack([wave, -wave], axis=1), RATE)
    level = np.sqrt(np.mean(np.square(wave)))
    whole = read_audio(path).samples.numpy()
    streamed = np.concatenate(list(stream_audio(path).blocks))
    for heard in (whole, streamed):
        assert np.sqrt(np.mean(np.square(heard))) == pytest.approx(level, rel=0.2)
