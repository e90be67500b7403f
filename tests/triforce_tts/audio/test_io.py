import io
import math
import resource
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import torch

from triforce_tts.audio.io import Audio, decode_audio, encode_flac, flac_tags, read_audio, read_tags, write_audio
from triforce_tts.errors import AudioError, TriforceError

RATE = 16000
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")


def tone(seconds: float = 1.0, rate: int = RATE, frequency: float = 440.0) -> torch.Tensor:
    return 0.3 * torch.sin(2 * math.pi * frequency * torch.arange(round(seconds * rate)) / rate)


def strongest_hz(audio: Audio) -> float:
    spectrum = torch.fft.rfft(audio.samples).abs()
    return int(spectrum.argmax()) * audio.sample_rate / len(audio.samples)


def write_with_ffmpeg(path: Path, codec: str, samples: torch.Tensor, rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples.numpy() * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sound{suffix}"
    Audio(tone(), RATE).save(path)
    again = read_audio(path)
    assert again.sample_rate == RATE
    assert again.samples.dtype == torch.float32
    assert again.duration_s == pytest.approx(1.0, abs=0.002)
    assert (again.samples[2000:14000] - tone()[2000:14000]).abs().max() < (
        1e-4 if suffix in (".wav", ".flac") else 0.05
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_sound_gives_equal_bytes_and_tags_are_kept(tmp_path: Path, suffix: str) -> None:
    tags = {"title": "Chapter 1", "comment": "made by a machine", "software": "triforce-tts 1"}
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        write_audio(path, Audio(tone(), RATE, tags))
    assert first.read_bytes() == second.read_bytes()
    assert {key: read_tags(first).get(key) for key in tags} == tags


@pytest.mark.parametrize(("suffix", "rate", "expected"), [(".ogg", 44100, 48000), (".mp3", 20000, 22050)])
def test_rates_that_a_codec_lacks_are_resampled(tmp_path: Path, suffix: str, rate: int, expected: int) -> None:
    Audio(tone(1.0, rate), rate).save(tmp_path / f"a{suffix}")
    again = read_audio(tmp_path / f"a{suffix}")
    assert again.sample_rate == expected
    assert strongest_hz(again) == pytest.approx(440, abs=2)


def test_m4a_and_opus_are_decoded(tmp_path: Path) -> None:
    for name, codec in (("a.m4a", "aac"), ("a.opus", "libopus")):
        write_with_ffmpeg(tmp_path / name, codec, tone(2.0, 48000), 48000)
        assert strongest_hz(read_audio(tmp_path / name, RATE)) == pytest.approx(440, abs=2)


def test_16_bit_sound_goes_through_unchanged(tmp_path: Path) -> None:
    pcm = torch.arange(-32768, 32768, 7).float() / 32768
    for suffix in (".wav", ".flac"):
        Audio(pcm, RATE).save(tmp_path / f"a{suffix}")
        assert torch.equal(read_audio(tmp_path / f"a{suffix}").samples, pcm)
    assert torch.equal(decode_audio(encode_flac(Audio(pcm, RATE)), "x").samples, pcm)


def test_channels_are_averaged_and_rates_converted(tmp_path: Path) -> None:
    left = tone(1.0, 48000).numpy()
    sf.write(tmp_path / "stereo.wav", np.stack([left, np.zeros_like(left)], 1), 48000, subtype="FLOAT")
    audio = read_audio(tmp_path / "stereo.wav", 24000)
    assert audio.samples.shape == (24000,)
    assert audio.samples.abs().max() == pytest.approx(0.15, abs=0.002)
    assert strongest_hz(audio) == pytest.approx(440, abs=1)


def test_first_seconds_stop_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sf.write(tmp_path / "long.wav", np.zeros(8000 * 120, np.float32), 8000)
    decoded = []
    read = sf.SoundFile.read
    monkeypatch.setattr(sf.SoundFile, "read", lambda self, n, **kw: decoded.append(n) or read(self, n, **kw))
    assert read_audio(tmp_path / "long.wav", RATE, first_seconds=1.0).duration_s == 1.0
    assert sum(decoded) < 8000 * 20


@pytest.mark.parametrize(("form", "subtype"), [("FLAC", "PCM_16"), ("OGG", "OPUS"), ("WAV", "PCM_16")])
def test_a_crop_equals_the_same_part_of_the_whole(form: str, subtype: str) -> None:
    buffer = io.BytesIO()
    sf.write(buffer, (tone(3.0) * torch.linspace(0, 1, 3 * RATE)).numpy(), RATE, format=form, subtype=subtype)
    whole = decode_audio(buffer.getvalue(), "x").samples
    crop = decode_audio(buffer.getvalue(), "x", start_s=1.25, duration_s=0.5).samples
    assert crop.shape == (RATE // 2,)
    assert (crop - whole[20000:28000]).abs().max() < (1e-7 if form != "OGG" else 0.01)


def test_a_crop_past_the_end_is_short_or_refused() -> None:
    data = encode_flac(Audio(tone(), RATE))
    assert decode_audio(data, "x", start_s=0.75, duration_s=5.0).duration_s == 0.25
    with pytest.raises(AudioError, match="x: it holds no samples after 2 s"):
        decode_audio(data, "x", start_s=2.0)


def broken_files(folder: Path) -> dict[str, str]:
    """File names, and the words that each message must have."""
    (folder / "folder.wav").mkdir()
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("this is no sound\n" * 500)
    (folder / "noise.mp3").write_bytes(np.random.default_rng(0).bytes(50000))
    sf.write(folder / "none.wav", np.zeros(0, np.float32), RATE)
    for name, value in (("nan.wav", math.nan), ("loud.wav", 20000.0)):
        sf.write(folder / name, np.array([0.0, value, 0.0], np.float32), RATE, subtype="FLOAT")
    for suffix in (".flac", ".wav"):
        whole = folder / f"whole{suffix}"
        Audio(torch.rand(RATE) - 0.5, RATE).save(whole)
        (folder / f"cut{suffix}").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        whole.unlink()
    return {
        "missing.wav": "no such file",
        "folder.wav": "found a folder",
        "empty.wav": "empty",
        "text.wav": "not an audio file",
        "noise.mp3": "not an audio file",
        "none.wav": "no samples",
        "nan.wav": "not finite",
        "loud.wav": "sample of 20000",
        "cut.flac": "damaged",
        "cut.wav": "damaged",
    }


def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    for name, fault in broken_files(tmp_path).items():
        with pytest.raises(AudioError, match=fault) as caught:
            read_audio(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_wav_from_a_pipe_has_no_known_length_and_is_read() -> None:
    buffer = io.BytesIO()
    sf.write(buffer, tone().numpy(), RATE, format="WAV")
    data = bytearray(buffer.getvalue())
    data[40:44] = b"\xff\xff\xff\xff"
    assert decode_audio(bytes(data), "x").duration_s == 1.0


def test_unknown_suffix_tag_and_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"choose one of: .wav, .flac, .mp3, .ogg"):
        Audio(tone(), RATE).save(tmp_path / "a.aiff")
    with pytest.raises(AudioError, match="unknown tag 'mood'"):
        Audio(tone(), RATE, {"mood": "glad"}).save(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="shape"):
        Audio(tone()[None], RATE).save(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="not finite"):
        Audio(torch.tensor([math.inf]), RATE).save(tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_size_limit_is_one_error_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # Python's default
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limit[1]))
    try:
        with pytest.raises(TriforceError, match="cannot write the file"):
            Audio(torch.rand(10 * RATE) - 0.5, RATE).save(tmp_path / f"a{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(tmp_path.iterdir()) == []


def test_importing_needs_no_extra() -> None:
    code = "import sys, triforce_tts.audio.io; assert not {'librosa', 'webdataset', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_flac_keeps_its_tags_without_ffmpeg(tmp_path: Path) -> None:
    """PyAV, an independent reader, finds them too; a file of another kind is one line."""
    tags = {"artist": "Zoë", "copyright": "CC0 1.0", "title": "a voice"}
    (tmp_path / "voice.flac").write_bytes(encode_flac(Audio(torch.zeros(800), 16000, tags)))
    assert flac_tags(tmp_path / "voice.flac") == tags
    assert read_tags(tmp_path / "voice.flac").items() >= tags.items()
    (tmp_path / "no.flac").write_text("no sound")
    with pytest.raises(AudioError, match="cannot read this as FLAC"):
        flac_tags(tmp_path / "no.flac")
