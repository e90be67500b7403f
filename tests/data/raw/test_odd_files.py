"""Two hundred damaged and odd files: none of them stops a build, and the report lists each of them."""

import csv
import io
import os
import random
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from rich.console import Console

from tests.clips import SPEECH
from triforce_tts.audio.io import Audio, read_audio, write_audio
from triforce_tts.data.raw import build as raw_build
from triforce_tts.shards import ShardSet

SETTINGS = ["sample_rate=16000", "transcribe.engine=none", "screen.dnsmos=false"]


def encoded() -> dict[str, bytes]:
    """Three seconds of speech in six formats."""
    audio = read_audio(SPEECH / "ls_1462-04.ogg")
    audio = Audio(audio.samples[: round(3.3 * audio.sample_rate)], audio.sample_rate)
    found = {}
    for suffix in (".wav", ".flac", ".mp3", ".ogg"):
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"odd-{os.getpid()}{suffix}"
        write_audio(path, Audio(audio.samples, audio.sample_rate))
        found[suffix] = path.read_bytes()
        path.unlink()
    for suffix, container, codec in ((".m4a", "ipod", "aac"), (".mkv", "matroska", "flac")):
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=container) as made:
            stream = made.add_stream(codec, rate=16000, layout="mono")
            pcm = (audio.samples.numpy() * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16000, 0
            pieces = av.AudioResampler(format=stream.format.name, layout="mono", rate=16000, frame_size=1024)
            for piece in [*pieces.resample(frame), *pieces.resample(None)]:
                made.mux(stream.encode(piece))
            made.mux(stream.encode(None))
        found[suffix] = buffer.getvalue()
    return found


def spoilt(content: bytes, rng: random.Random) -> bytes:
    """One way to damage a file."""
    data = bytearray(content)
    way = rng.randrange(6)
    if way == 0:  # the file is cut short
        return bytes(data[: rng.randrange(1, len(data))])
    if way == 1:  # some bytes are changed
        for _ in range(rng.choice((1, 10, 1000))):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif way == 2:  # a part is replaced by zeros
        start = rng.randrange(len(data))
        data[start : start + len(data) // 3] = bytes(len(data[start : start + len(data) // 3]))
    elif way == 3:  # the beginning is missing
        del data[: rng.randrange(1, len(data) // 2)]
    elif way == 4:  # other bytes come before it, like those of tags
        return rng.randbytes(rng.choice((3, 700))) + content
    else:  # a part is there twice
        start = rng.randrange(len(data) // 2)
        data[start:start] = data[start : start + 5000]
    return bytes(data)


def special(folder: Path) -> None:
    rng = np.random.default_rng(0)
    sf.write(folder / "one-sample.wav", np.zeros(1), 16000)
    sf.write(folder / "no-samples.wav", np.zeros(0), 16000)
    sf.write(folder / "surround.wav", 0.1 * rng.standard_normal((96000, 6)), 96000)
    sf.write(folder / "silence.flac", np.zeros(16000 * 300), 16000)
    sf.write(folder / "eight-khz.wav", 0.1 * rng.standard_normal(16000), 8000)
    sf.write(folder / "infinite.wav", np.full(16000, np.inf, np.float32), 16000, subtype="FLOAT")
    sf.write(folder / "loud.wav", np.full(16000, 1e9, np.float32), 16000, subtype="FLOAT")
    (folder / "nothing.mp3").touch()
    (folder / "page.mp3").write_text("<html>not found</html>")
    (folder / "noise.opus").write_bytes(rng.bytes(20000))
    (folder / ("long" * 60 + ".wav")).write_bytes((folder / "one-sample.wav").read_bytes() + b"x")
    sf.write(folder / "ünï cödé 話.flac", np.zeros(100), 16000)
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.flac").symlink_to(folder / "gone.flac")
    (folder / "folder.wav").mkdir()


@pytest.mark.filterwarnings("ignore")  # some decoders print messages of their own about damaged files
def test_none_of_two_hundred_stops_the_build_and_each_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rng = random.Random(0)
    formats = encoded()
    for number in range(186):
        suffix = rng.choice(list(formats))
        name = rng.choice(list(formats)) if number % 9 == 0 else suffix  # some files have a wrong suffix
        (folder / f"{number:03d}{name}").write_bytes(spoilt(formats[suffix], rng))
    special(folder)
    (folder / "good.ogg").write_bytes(formats[".ogg"])
    names = {path.name for path in folder.iterdir() if not path.is_dir()}
    assert len(names) >= 200
    config = raw_build.load_config("podcast", SETTINGS)
    accounts = raw_build.build([str(folder)], tmp_path / "out", config, 1, Console(quiet=True))
    with (tmp_path / "out" / "report" / "sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    told = {Path(row["path"] or row["source"]).name for row in rows}
    assert names - told == set()
    assert all(row["outcome"] for row in rows)
    assert not [row for row in rows if "fault of the builder" in row["outcome"]]
    assert len(ShardSet.open([tmp_path / "out"], "train", "audio")) >= 1
    with (tmp_path / "out" / "report" / "segments.csv").open(newline="") as file:
        outcomes = {row["outcome"] for row in csv.DictReader(file) if row["source"].startswith("good")}
    assert outcomes & {"kept", "duplicate"}  # the damaged files hold the same recording
    told_by_terminal = io.StringIO()
    raw_build.summarise(tmp_path / "out", accounts, Console(file=told_by_terminal))
    damaged = [row for row in rows if row["faults"]]
    assert damaged and f"{len(damaged)} recordings could be read only in part" in told_by_terminal.getvalue()
    # The readable parts of a damaged recording are used, so most of these files give some sound.
    assert sum(row["outcome"] == "read" for row in rows) > 100
