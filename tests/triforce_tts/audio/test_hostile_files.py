"""Files with false headers, without an end, with references to other places, or that are no files.

Each is refused in one line, quickly and with little memory.
"""

import ast
import os
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import torch

from triforce_tts.audio.decoding import open_container
from triforce_tts.audio.io import Audio, claimed_seconds, decode_audio, encode_opus, read_audio, read_tags
from triforce_tts.audio.streaming import stream_audio
from triforce_tts.errors import AudioError

ROOT = Path(__file__).parents[3]
RATE = 16000


def write_m4a(path: Path, seconds: float) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, round(seconds * RATE)), np.float32), "fltp", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def wav(
    rate: int = RATE, channels: int = 1, data_bytes: int = 3200, found_bytes: int = 3200, bits: int = 16, tag: int = 1
) -> bytes:
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * width & 0xFFFFFFFF, width & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", data_bytes) + bytes(found_bytes)
    return b"RIFF" + struct.pack("<I", min(len(body) - found_bytes + data_bytes, 0xFFFFFFFF)) + body


# --- too long ---


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".wav", ".m4a"])
def test_what_is_longer_than_it_may_be_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"long{suffix}"
    if suffix == ".m4a":
        write_m4a(path, 30)
    else:
        Audio(torch.zeros(30 * RATE), RATE).save(path)
    with pytest.raises(AudioError, match=r"long.* s long, expected at most 20 s$"):
        read_audio(path, 24000, max_seconds=20)
    with pytest.raises(AudioError, match=r"^it: .* s long, expected at most 20 s$"):
        decode_audio(path.read_bytes(), "it", max_seconds=20)
    assert read_audio(path, max_seconds=31).duration_s == pytest.approx(30, abs=0.2)
    assert read_audio(path, max_seconds=20, first_seconds=2).duration_s == 2 if suffix == ".mp3" else True


def test_hours_of_silence_in_a_small_file_take_no_memory(tmp_path: Path) -> None:
    minute = encode_opus(Audio(torch.zeros(60 * RATE), RATE), 6000)
    # the streams are chained, and the header has the length of the first one
    (tmp_path / "hours.ogg").write_bytes(minute * 120)
    read_audio(tmp_path / "hours.ogg", first_seconds=1)
    tracemalloc.start()
    try:
        with pytest.raises(AudioError, match="expected at most 35 s"):
            read_audio(tmp_path / "hours.ogg", 24000, max_seconds=35)
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


def test_many_channels_are_read_in_small_blocks(tmp_path: Path) -> None:
    (tmp_path / "many.wav").write_bytes(wav(channels=1000, bits=8, data_bytes=20_000_000, found_bytes=20_000_000))
    tracemalloc.start()
    try:
        assert read_audio(tmp_path / "many.wav").duration_s == 1.25
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


# --- headers that lie ---

LIES = {
    "1 Hz": wav(rate=1),
    "no Hz": wav(rate=0),
    "a billion Hz": wav(rate=10**9),
    "no channels": wav(channels=0),
    "65535 channels": wav(channels=65535),
    "2^31 samples": wav(data_bytes=0xFFFFFFFE - 100, found_bytes=0),
    "2^30 samples, none there": wav(data_bytes=1 << 31, found_bytes=0),
    "0 bits": wav(bits=0),
    "an unknown codec": wav(tag=0x7777),
    "au, a billion Hz": b".snd" + struct.pack(">IIIII", 24, 3200, 3, 10**9, 1) + bytes(3200),
    "aiff of 1 Hz": b"FORM" + struct.pack(">I", 3246) + b"AIFFCOMM" + struct.pack(">IHIH", 18, 1, 1600, 16)
    + bytes.fromhex("3fff8000000000000000") + b"SSND" + struct.pack(">III", 3208, 0, 0) + bytes(3200),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lie.wav"
    path.write_bytes(LIES[name])
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_audio(path, 24000),
        lambda: decode_audio(LIES[name], str(path), 24000),
        lambda: list(stream_audio(path).blocks),
    )
    for read in readers:
        with pytest.raises(AudioError, match=r"lie\.wav: ") as caught:
            read()
        assert "\n" not in str(caught.value)
    assert claimed_seconds(path) >= 0


def test_a_suffix_changes_nothing(tmp_path: Path) -> None:
    """libsndfile takes a file .raw for samples without a header, and "-" for standard input."""
    for name in ("a.raw", "a.vox", "-", "a.gsm"):
        (tmp_path / name).write_bytes(b"this is no sound\n" * 300)
        with pytest.raises(AudioError, match="not an audio file"):
            read_audio(tmp_path / name)
        sf.write(tmp_path / "x.wav", np.zeros(RATE, np.float32), RATE)
        (tmp_path / "x.wav").replace(tmp_path / name)
        assert read_audio(tmp_path / name).duration_s == 1.0


# --- no files ---


def odd_paths(folder: Path) -> Iterator[tuple[Path, str]]:
    os.mkfifo(folder / "fifo.wav")
    yield folder / "fifo.wav", "found a named pipe"
    (folder / "pipe.m4a").symlink_to(folder / "fifo.wav")
    yield folder / "pipe.m4a", "found a named pipe"
    yield Path("/dev/zero"), "found a device"
    (folder / "folder.wav").mkdir()
    yield folder / "folder.wav", "found a folder"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.wav"))
        yield folder / "s.wav", "found a socket"
    (folder / "dangling.wav").symlink_to(folder / "nowhere.wav")
    yield folder / "dangling.wav", "no such file"
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    yield folder / "loop.wav", "cannot read the file"
    yield folder / ("x" * 300 + ".wav"), "cannot read the file"
    yield folder / "a\0.wav", "no such file"
    yield folder / "fifo.wav" / "x.wav", "cannot read the file"


def test_only_regular_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may have a hundred bytes at most
    for path, fault in odd_paths(Path()):
        for read in (read_audio, stream_audio, read_tags):
            with pytest.raises(AudioError, match=fault) as caught:
                read(path)
            assert "\n" not in str(caught.value)
        assert claimed_seconds(path) == 0


def test_a_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.m4a")
    write_m4a(tmp_path / "x.m4a", 1.0).replace(path)
    assert read_audio(path).duration_s == pytest.approx(1.0, abs=0.2)
    sf.write(tmp_path / "x.wav", np.zeros(RATE, np.float32), RATE)
    (tmp_path / "x.wav").replace(path.with_suffix(".wav"))
    assert read_audio(path.with_suffix(".wav")).duration_s == 1.0


# --- files that lead elsewhere ---


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """A web server: its port, and the paths of the requests."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], paths
        server.shutdown()
        thread.join()


def test_a_relative_path_is_never_an_address(
    asked: tuple[int, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, paths = asked
    monkeypatch.chdir(tmp_path)
    names = [
        f"http:/127.0.0.1:{port}/x.m4a",
        "subfile,,start,0,end,0,,:x.m4a",
        "tcp:x.m4a",
        "concat:x.m4a",
        "data:x.wav",
    ]
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_m4a(tmp_path / "new.m4a", 1.0).replace(name)
        assert read_audio(name).duration_s == pytest.approx(1.0, abs=0.2)
        assert claimed_seconds(name) == pytest.approx(1.0, abs=0.2)
        assert read_tags(name) is not None
        assert stream_audio(name).sample_rate == RATE
    address = f"http://127.0.0.1:{port}/x.m4a"
    Path(f"http:/127.0.0.1:{port}/x.m4a").unlink()
    for read in (read_audio, read_tags, stream_audio):
        with pytest.raises(AudioError, match="no such file"):
            read(address)
    assert not paths


def test_a_playlist_in_disguise_opens_nothing(asked: tuple[int, list[str]], tmp_path: Path) -> None:
    port, paths = asked
    write_m4a(tmp_path / "secret.m4a", 1.0)
    url = f"http://127.0.0.1:{port}/x.m4a"
    lists = [
        "ffconcat version 1.0\nfile secret.m4a\n",
        f"ffconcat version 1.0\nfile {url}\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path / 'secret.m4a'}\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 49170 RTP/AVP 0\n",
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="audio/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    ]  # fmt: skip
    for number, text in enumerate(lists):
        path = tmp_path / f"{number}.mp3"
        path.write_text(text)
        for read in (read_audio, stream_audio, read_tags):
            with pytest.raises(AudioError, match="not an audio file"):
                read(path)
        with pytest.raises(AudioError, match="x: not an audio file"):
            open_container(text.encode(), "x")
    assert not paths


def test_ffmpeg_gets_files_in_one_place_only() -> None:
    """Else ``av.open`` writes, or reads a cover from memory by a demuxer of one picture; tests read what they wrote."""
    readers = []
    for file in [
        f for part in ("triforce_tts", "data", "stages", "benchmarks", "tests") for f in (ROOT / part).rglob("*.py")
    ]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "av":
                assert "open" not in {alias.name for alias in node.names}, file
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "open":
                continue  # This check comes first, because ``ast.unparse`` takes long.
            if ast.unparse(node.func) in ("av.open", "av.container.open"):
                mode = [ast.unparse(argument) for argument in node.args[1:2]]
                if mode != ["'w'"] and file.relative_to(ROOT).parts[0] != "tests":
                    readers.append(f"{file.relative_to(ROOT)} {mode}")
    assert sorted(readers) == ["triforce_tts/audio/decoding.py [\"'r'\"]", "triforce_tts/narrator/cover.py []"]
