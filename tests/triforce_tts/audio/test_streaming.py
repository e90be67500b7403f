"""Opus as in samples of shards, and files that are decoded block by block."""

import hashlib
import os
import signal
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import torch

from tests import forks
from tests.clips import SPEECH
from triforce_tts.audio.decoding import BLOCK, LOUDEST
from triforce_tts.audio.io import Audio, decode_audio, encode_flac, encode_opus, read_audio
from triforce_tts.audio.streaming import stream_audio
from triforce_tts.errors import AudioError

RATE = 24000
_ENCODE = """
import hashlib, sys, torch
from triforce_tts.audio.io import Audio, encode_opus, read_audio
audio = read_audio(sys.argv[1], 24000)
print(hashlib.sha256(encode_opus(audio)).hexdigest())
"""


def speech() -> Audio:
    return read_audio(SPEECH / "kathleen-00.ogg", RATE)


def blocks_of(path: Path) -> tuple[np.ndarray, list[np.ndarray], list[str]]:
    stream = stream_audio(path)
    blocks = list(stream.blocks)
    return np.concatenate(blocks), blocks, stream.faults


def test_equal_samples_give_equal_opus_in_another_process() -> None:
    path = SPEECH / "kathleen-00.ogg"
    told = forks.run(["-c", _ENCODE, path])
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == hashlib.sha256(encode_opus(read_audio(path, RATE))).hexdigest()


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("count", [1, 479, 480, 481, 12345])
def test_opus_decodes_to_just_as_many_samples_at_the_same_place(rate: int, count: int) -> None:
    """Opus has frames of 20 ms and a delay.

    Neither may be heard in the decoded sound (RFC 7845, pre-skip and granule).
    """
    pulse = torch.zeros(count)
    pulse[count // 2 : count // 2 + 40] = 0.9
    again = decode_audio(encode_opus(Audio(pulse, rate), 64000), "x")
    assert (again.sample_rate, len(again.samples)) == (rate, count)
    if count > 1000:
        loudest = int(again.samples.abs().argmax())
        assert count // 2 - 8 <= loudest < count // 2 + 48


def test_a_crop_of_opus_is_that_part_of_the_whole() -> None:
    data = encode_opus(speech())
    whole = decode_audio(data, "x").samples.numpy()
    for start_s, seconds in ((0.0, 0.5), (0.77, 1.0), (2.0, 99.0)):
        start = round(start_s * RATE)
        expected = whole[start : start + round(seconds * RATE)]
        found = decode_audio(data, "x", None, start_s, seconds).samples.numpy()
        assert len(found) == len(expected)
        # The decoder starts again there and needs some frames until its output is the same (RFC 7845, a pre-roll of
        # 80 ms).
        assert np.corrcoef(found, expected)[0, 1] > 0.99


def test_the_bit_rate_is_kept_to_and_speech_survives_it() -> None:
    audio = speech()
    small, large = (encode_opus(audio, rate) for rate in (16000, 64000))
    assert 2.5 < len(large) / len(small) < 5
    again = decode_audio(encode_opus(audio), "x").samples
    assert np.corrcoef(again.numpy(), audio.samples.numpy())[0, 1] > 0.95


def test_a_file_comes_in_blocks_that_are_the_whole(tmp_path: Path) -> None:
    wave = (0.1 * np.random.default_rng(0).standard_normal((5 * BLOCK // 2, 2))).astype(np.float32)
    sf.write(tmp_path / "x.wav", wave, 44100, subtype="FLOAT")
    found, blocks, faults = blocks_of(tmp_path / "x.wav")
    np.testing.assert_allclose(found, wave.mean(1), atol=1e-7)
    assert max(map(len, blocks)) < 2 * BLOCK
    assert faults == []


def test_what_is_no_sound_is_silent_and_told(tmp_path: Path) -> None:
    wave = np.full(16000, 0.5, np.float32)
    wave[100:200], wave[300], wave[400] = np.nan, 2 * LOUDEST, -np.inf
    sf.write(tmp_path / "x.wav", wave, 16000, subtype="FLOAT")
    found, _, faults = blocks_of(tmp_path / "x.wav")
    expected = wave.copy()
    expected[100:200] = expected[300] = expected[400] = 0
    np.testing.assert_array_equal(found, expected)
    assert faults == ["102 of 16000 samples are no numbers or beyond 4; they are silenced"]
    sf.write(tmp_path / "y.wav", 1000 * wave, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match="rescale the file"):
        blocks_of(tmp_path / "y.wav")


def test_damage_in_the_middle_of_an_mp3_costs_what_it_hides(tmp_path: Path) -> None:
    audio = Audio(speech().samples.repeat(8), RATE)
    audio.save(tmp_path / "whole.mp3")
    content = bytearray((tmp_path / "whole.mp3").read_bytes())
    middle, hidden = len(content) // 2, len(content) // 20
    content[middle : middle + hidden] = bytes(hidden)
    (tmp_path / "holed.mp3").write_bytes(content)
    found, _, _ = blocks_of(tmp_path / "holed.mp3")
    assert 0.92 * len(audio.samples) < len(found) <= 1.01 * len(audio.samples)
    quarter = len(audio.samples) // 4  # the sound before the hole is unchanged
    whole = read_audio(tmp_path / "whole.mp3").samples.numpy()
    assert np.corrcoef(found[:quarter], whole[:quarter])[0, 1] > 0.99


@pytest.mark.parametrize("hidden", [1, 300])
def test_a_flac_frame_whose_checksum_is_wrong_is_left_out_and_told(hidden: int, tmp_path: Path) -> None:
    """Its sound would be noise at full scale."""
    speech().save(tmp_path / "x.flac")
    content = bytearray((tmp_path / "x.flac").read_bytes())
    middle = len(content) // 2
    content[middle : middle + hidden] = bytes(byte ^ 0x55 for byte in content[middle : middle + hidden])
    (tmp_path / "x.flac").write_bytes(content)
    found, _, faults = blocks_of(tmp_path / "x.flac")
    whole = speech().samples.numpy()
    assert abs(found).max() <= abs(whole).max() + 1e-4
    assert len(whole) - 2 * 4096 <= len(found) < len(whole)
    assert faults and all("missing" in fault or "damaged" in fault for fault in faults)


def test_a_file_that_ends_early_says_so(tmp_path: Path) -> None:
    for suffix in (".wav", ".flac", ".mp3"):
        speech().save(tmp_path / f"whole{suffix}")
        assert not blocks_of(tmp_path / f"whole{suffix}")[2]
        content = (tmp_path / f"whole{suffix}").read_bytes()
        (tmp_path / f"x{suffix}").write_bytes(content[: len(content) * 3 // 4])
        found, _, faults = blocks_of(tmp_path / f"x{suffix}")
        assert 0.6 < len(found) / len(speech().samples) < 0.9
        assert any("missing" in fault or "ends before" in fault for fault in faults), (suffix, faults)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 48000])
def test_the_padding_of_an_mp3_is_not_missing(rate: int, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.mp3"), "w") as file:
        stream = file.add_stream("mp3", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
        frame.sample_rate = rate
        file.mux([packet for _ in range(30) for packet in stream.encode(frame)] + stream.encode(None))
    assert not blocks_of(tmp_path / "x.mp3")[2]


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"<html>", "not an audio file"), (None, "no such")])
def test_what_is_no_recording_is_refused_by_name(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.mp3"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=rf"x\.mp3: .*{message}"):
        stream_audio(path)


class _Stop(BaseException):
    pass


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")
def test_an_interrupt_while_a_sample_of_a_shard_is_decoded_is_never_lost() -> None:
    fired = 0

    def stop(number: int, frame: object) -> None:
        nonlocal fired
        fired += 1
        raise _Stop

    flac, caught, before = encode_flac(speech()), 0, signal.signal(signal.SIGALRM, stop)
    try:
        for number in range(150):
            try:
                signal.setitimer(
                    signal.ITIMER_REAL, 1e-4 + number * 1e-5
                )  # during the decoding of this sample, or later
                for _ in range(10):
                    decode_audio(flac, "x")
            except _Stop:
                caught += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught == fired > 100
