"""The mp3 decoder writes notes to standard error from C code; our one line must stand there alone."""

import io
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from triforce_tts.audio.io import decode_audio, read_audio
from triforce_tts.audio.quiet import is_mpeg, no_notes
from triforce_tts.errors import AudioError

RATE = 24000


def damaged(kind: str) -> bytes:
    rng, noise = random.Random(0), np.random.default_rng(0)
    buffer = io.BytesIO()
    sf.write(buffer, 0.1 * noise.standard_normal(2 * RATE), RATE, format="MP3")
    sound = buffer.getvalue()
    return {
        "random": b"\xff\xfb\x90\x64" + rng.randbytes(4000),
        "tagged": b"ID3\x04\0\0\0\0\x0f\x76" + rng.randbytes(3000),
        "cut": sound[:1000],
        "a hole": sound[:2000] + rng.randbytes(3000) + sound[4000:],
        "late hole": sound[:9000] + rng.randbytes(3000) + sound[9000:],
    }[kind]


@pytest.mark.parametrize("kind", ["random", "tagged", "cut", "a hole", "late hole"])
def test_a_damaged_mp3_is_read_or_refused_without_a_note(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = damaged(kind)
    (tmp_path / "a.mp3").write_bytes(data)
    for read in (lambda: read_audio(tmp_path / "a.mp3", RATE), lambda: decode_audio(data, "a.mp3")):
        try:
            read()
        except AudioError as error:
            assert "a.mp3" in str(error)
    assert capfd.readouterr() == ("", "")


def test_standard_error_comes_back_also_after_an_error_and_from_many_threads(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def write() -> None:
        for _ in range(50):
            with no_notes():
                os.write(2, b"a note")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(ValueError), no_notes():
        raise ValueError
    with no_notes(False):
        os.write(2, b"a line")
    assert capfd.readouterr().err == "a line"


def test_what_goes_to_the_mp3_decoder() -> None:
    assert all(map(is_mpeg, (b"ID3\x04", b"\xff\xfb\x90", b"\xff\xe0")))
    assert not any(map(is_mpeg, (b"", b"\xff", b"\xff\xd8", b"RIFF", b"fLaC", b"OggS")))
