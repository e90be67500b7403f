from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from tests.clips import SPEECH
from triforce_tts.audio.io import read_audio
from triforce_tts.data.common.segments import MemorySound
from triforce_tts.data.raw.sound import decode
from triforce_tts.errors import AudioError, TriforceError

rng = np.random.default_rng(0)


def test_a_stream_is_resampled_as_the_whole(tmp_path: Path) -> None:
    wave = (0.1 * rng.standard_normal(300_000)).astype(np.float32)
    sf.write(tmp_path / "x.wav", wave, 44100, subtype="FLOAT")
    sound = decode(tmp_path / "x.wav", tmp_path / "scratch", 24000)
    expected = soxr.resample(wave, 44100, 24000)
    assert sound.samples == len(expected)
    np.testing.assert_allclose(sound.read(0, sound.duration_s), expected, atol=2 / 32768)  # 16 bits
    assert (sound.native_rate, sound.faults) == (44100, ())


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = 0.1 * rng.standard_normal((2, 16000))
    sf.write(tmp_path / "x.flac", np.stack([left, right], 1), 16000)
    sound = decode(tmp_path / "x.flac", tmp_path / "scratch", 16000)
    np.testing.assert_allclose(sound.read(0, 1), (left + right) / 2, atol=2 / 32768)


def test_a_constant_part_is_taken_off(tmp_path: Path) -> None:
    wave = (0.05 * rng.standard_normal(48000)).astype(np.float32)
    sf.write(tmp_path / "x.wav", wave + 0.1, 16000)
    sound = decode(tmp_path / "x.wav", tmp_path / "scratch", 16000)
    np.testing.assert_allclose(sound.read(1, 2), wave[16000:32000], atol=1e-3)
    np.testing.assert_allclose(np.concatenate(list(sound.blocks(0.7))), wave, atol=1e-3)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_constant_part_of_some_of_the_sound_changes_nothing_elsewhere(share: float, tmp_path: Path) -> None:
    wave = (0.05 * rng.standard_normal(960000)).astype(np.float32)
    wave[: round(share * len(wave))] += 0.2
    sf.write(tmp_path / "x.wav", wave, 16000)
    sound = decode(tmp_path / "x.wav", tmp_path / "scratch", 16000)
    np.testing.assert_allclose(sound.read(0, 60), wave, atol=2 / 32768)


def test_reading_and_blocks_are_those_of_a_sound_in_memory(tmp_path: Path) -> None:
    path = SPEECH / "ls_1462-04.ogg"
    sound = decode(path, tmp_path, 16000)
    memory = MemorySound(sound.read(0, sound.duration_s), 16000)
    np.testing.assert_array_equal(sound.read(1.0, 2.5), memory.read(1.0, 2.5))
    np.testing.assert_array_equal(sound.read(-1.0, 99.0), memory.samples)
    for seconds in (0.3, 1.0, 100.0):
        whole = np.concatenate(list(sound.blocks(seconds)))
        np.testing.assert_array_equal(whole, memory.samples)
        resampled = np.concatenate(list(sound.blocks(seconds, 24000)))
        np.testing.assert_allclose(resampled, soxr.resample(memory.samples, 16000, 24000), atol=1e-5)
    assert len(next(iter(sound.blocks(1.0)))) == 16000


def test_it_decodes_what_read_audio_does(tmp_path: Path) -> None:
    path = SPEECH / "kathleen-00.ogg"
    sound, whole = decode(path, tmp_path, 16000), read_audio(path, 16000)
    assert sound.duration_s == pytest.approx(whole.duration_s, abs=0.03)
    length = min(sound.samples, len(whole.samples))
    assert np.corrcoef(sound.read(0, 99)[:length], whole.samples.numpy()[:length])[0, 1] > 0.999


def test_a_damaged_recording_gives_what_can_be_had_and_a_hopeless_one_nothing(tmp_path: Path) -> None:
    content = (SPEECH / "kathleen-00.ogg").read_bytes()
    (tmp_path / "cut.ogg").write_bytes(content[: len(content) * 2 // 3])
    sound = decode(tmp_path / "cut.ogg", tmp_path / "scratch", 16000)
    assert 1.0 < sound.duration_s < read_audio(SPEECH / "kathleen-00.ogg").duration_s
    (tmp_path / "no.mp3").write_bytes(bytes(5000))
    with pytest.raises(AudioError, match=r"no\.mp3"):
        decode(tmp_path / "no.mp3", tmp_path / "other", 16000)
    assert not list((tmp_path / "other").glob("*"))


def test_nothing_is_left_of_what_turns_out_hopeless_or_cannot_be_written(tmp_path: Path) -> None:
    wave = np.full(300_000, np.inf, np.float32)
    wave[:100_000] = 0.1  # the error comes after the beginning was written
    sf.write(tmp_path / "x.wav", wave, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"x\.wav"):
        decode(tmp_path / "x.wav", tmp_path / "scratch", 24000)
    assert list((tmp_path / "scratch").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(TriforceError, match="cannot write the decoded sound"):
        decode(SPEECH / "kathleen-00.ogg", tmp_path / "file", 24000)


def test_a_file_that_was_shortened_is_no_shorter_recording(tmp_path: Path) -> None:
    sound = decode(SPEECH / "kathleen-00.ogg", tmp_path, 16000)
    sound.path.write_bytes(sound.path.read_bytes()[:-2000])
    with pytest.raises(AudioError, match="decode it again"):
        sound.read(0, sound.duration_s)


@pytest.mark.parametrize(("rate", "channels", "count"), [(96000, 6, 96000), (8000, 1, 8000), (16000, 1, 1)])
def test_odd_rates_channels_and_lengths(tmp_path: Path, rate: int, channels: int, count: int) -> None:
    sf.write(tmp_path / "x.wav", 0.1 * rng.standard_normal((count, channels)), rate)
    sound = decode(tmp_path / "x.wav", tmp_path, 24000)
    assert sound.samples == pytest.approx(count * 24000 / rate, abs=1)
    assert sound.samples > 0


def test_a_name_may_be_long_or_wrong(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 120 + ".mp3")  # a name of 244 bytes, when file systems take 255; the content is Opus
    path.write_bytes((SPEECH / "kathleen-00.ogg").read_bytes())
    assert decode(path, tmp_path / "scratch", 16000).duration_s > 2


def test_its_file_goes_when_it_is_no_longer_needed(tmp_path: Path) -> None:
    sound = decode(SPEECH / "kathleen-00.ogg", tmp_path, 16000)
    assert sound.path.exists()
    sound.remove()
    assert not sound.path.exists()
