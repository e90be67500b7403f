"""``speak --out -``: sound and nothing else on standard output, and a quiet end when the reader leaves."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests import forks
from triforce_tts.audio.io import read_tags

TEXT = "It sat down. Was it a big cat?"


def piped(folder: Path, *words: str | Path) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error of a 'speak'."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        program = forks.Program([*forks.CLI, "speak", TEXT, *words], stdout=out, stderr=err)
        code = program.wait()
    return code, (folder / "out").read_bytes(), (folder / "err").read_text()


@pytest.mark.parametrize("stream", [True, False])
def test_a_pipe_holds_a_wav_or_bare_samples(stream: bool, model: Path, tmp_path: Path) -> None:
    words = ["--model", model, "--out", "-", "--seed", "2", *(["--stream"] if stream else [])]
    code, wav, told = piped(tmp_path, *words)
    assert code == 0, told
    assert wav[:4] == b"RIFF"
    at = wav.index(b"data") + 4
    is_unknown = wav[4:8] == wav[at : at + 4] == b"\xff" * 4
    assert is_unknown == stream
    assert ("the first sound after" in told) == stream
    if not stream:
        assert int.from_bytes(wav[4:8], "little") == len(wav) - 8
        assert int.from_bytes(wav[at : at + 4], "little") == len(wav) - at - 4
    path = tmp_path / "sound.wav"
    path.write_bytes(wav)
    samples, rate = sf.read(path, dtype="int16")
    assert rate == 8000
    assert len(samples) > 2000
    assert "seed 2" in read_tags(path)["comment"]
    code, raw, told = piped(tmp_path, *words, "--raw", "--quiet")
    assert code == 0
    assert np.array_equal(np.frombuffer(raw, "<i2"), samples)
    assert "speech in" not in told


def test_a_reader_who_leaves_ends_it_quietly(model: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (tmp_path / "err").open("wb") as err:
        words = [*forks.CLI, "speak", TEXT * 20, "--model", model, "--out", "-", "--stream", "--quiet"]
        program = forks.Program(words, stdout=writing, stderr=err)
        os.close(writing)
        assert len(os.read(reading, 1000)) > 0
        os.close(reading)
        assert program.wait() == 0
    assert (tmp_path / "err").read_text() == ""


@pytest.mark.parametrize("option", ["--stream", "--raw"])
def test_options_of_a_pipe_need_one(option: str, model: Path, tmp_path: Path) -> None:
    code, out, told = piped(tmp_path, "--model", model, option, "--out", tmp_path / "a.wav")
    assert (code, out) == (2, b"")
    assert told.startswith(f"triforce-tts: {option} writes to standard output")
    assert told.count("\n") == 1
    assert not (tmp_path / "a.wav").exists()
