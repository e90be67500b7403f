"""A request that cannot be served gets one line on stderr and exit code 2, no traceback, and no incomplete file."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests import forks, inside
from tests.corpus import seal, voice_clip

RATE = 8000


def triforce(*words: str | Path, stdin: bytes = b"", file_limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """One run of the command line; ``file_limit`` bytes for each file imitate a full disk, in a process of its own."""
    state = {"XDG_STATE_HOME": os.environ.get("TRIFORCE_TEST_STATE", "/nonexistent")}
    if file_limit is None:
        return inside.run(*words, stdin=stdin, env=state)
    return forks.run([*forks.CLI, *words], stdin=stdin, file_limit=file_limit, env={**os.environ, **state})


def assert_refused(done: subprocess.CompletedProcess[str], *words: str, out: Path | None = None) -> None:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]
    if out is not None:
        assert not out.exists()
        assert not [p for p in out.parent.iterdir() if ".tmp" in p.name]


def write_noise(path: Path, seconds: float, rate: int = RATE, channels: int = 1, subtype: str = "PCM_16") -> Path:
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal((round(seconds * rate), channels))
    sf.write(path, samples, rate, subtype=subtype, format="WAV")
    return path


def bad_voice(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.touch()
    elif kind == "corrupt":
        path.write_bytes(b"RIFF\x10\x00\x00\x00WAVEfmt " + bytes(range(200)))
    elif kind == "zero-length":
        sf.write(path, np.zeros((0, 1)), RATE)
    elif kind == "too-short":
        write_noise(path, 0.4)
    elif kind == "not-audio":
        path.write_text("these are words, not waves\n" * 50)
    elif kind == "silent":
        sf.write(path, np.zeros(5 * RATE), RATE)
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "corrupt", "zero-length", "too-short", "not-audio", "silent"])
def test_a_voice_that_cannot_be_used(kind: str, model: Path, tmp_path: Path) -> None:
    voice, out = bad_voice(kind, tmp_path), tmp_path / "out.wav"
    done = triforce("speak", "hello", "--model", model, "--voice", voice, "--out", out)
    assert_refused(done, voice.name, out=out)


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "empty"), ("  \n\t ", "empty"), ("😀 🎉", "spoken"), ("a " * 10_001, "divide the text")],
)
def test_a_text_that_cannot_be_spoken(text: str, word: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    done = triforce("speak", "-", "--model", model, "--out", out, stdin=text.encode())
    assert_refused(done, word, out=out)


def test_standard_input_that_is_not_text(model: Path, tmp_path: Path) -> None:
    done = triforce("speak", "-", "--model", model, "--out", tmp_path / "out.wav", stdin=b"\xff\xfe\x00")
    assert_refused(done, "UTF-8")


def test_a_format_that_cannot_be_written(model: Path, tmp_path: Path) -> None:
    assert_refused(triforce("speak", "hello", "--model", model, "--out", tmp_path / "out.xyz"), ".xyz", ".wav")


def test_an_unknown_configuration_key_names_the_nearest(tmp_path: Path) -> None:
    done = triforce("train", "dvae", "--config", "tiny", "--data", tmp_path, "--run", tmp_path / "run",
                    "--set", "run.lerning_rate=1")  # fmt: skip
    assert_refused(done, "run.lerning_rate", "learning_rate", out=tmp_path / "run")


def test_a_wrong_type_and_a_missing_budget(tmp_path: Path) -> None:
    words = ["train", "dvae", "--config", "tiny", "--data", tmp_path, "--run", tmp_path / "run"]
    assert_refused(triforce(*words, "--set", "run.batch_size=many"), "run.batch_size", "many")
    assert_refused(triforce(*words, "--set", "run.steps=0"), "run.minutes")


def test_networks_that_were_not_trained_together(model: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(model, mixed)
    lineage = json.loads((mixed / "dvae" / "lineage.json").read_text())
    (mixed / "dvae" / "lineage.json").write_text(json.dumps({**lineage, "id": "0123456789abcdef"}))
    seal(mixed)
    done = triforce("speak", "hello", "--model", mixed, "--out", tmp_path / "out.wav")
    assert_refused(done, "0123456789abcdef", lineage["id"], "dvae", out=tmp_path / "out.wav")


def test_damaged_weights(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    weights = broken / "gpt" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert_refused(triforce("speak", "hello", "--model", broken), "model.safetensors")


def test_a_truncated_shard(model: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shutil.copytree(model.parent / "shards", shards)
    tar = next(shards.glob("train-*.tar"))
    tar.write_bytes(tar.read_bytes()[: tar.stat().st_size // 2])
    done = triforce("train", "dvae", "--config", "tiny", "--data", shards, "--run", tmp_path / "run")
    assert_refused(done, tar.name, "bytes", out=tmp_path / "run")


def test_a_full_disk_leaves_nothing(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    done = triforce("speak", "hello there, this is a long one", "--model", model, "--out", out, file_limit=1000)
    assert done.returncode == 2
    # the lines about incomplete sentences, which a hardly trained model gives, come first
    assert "out.wav" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"), [(44100, 2, "PCM_16"), (8000, 1, "PCM_U8"), (96000, 1, "PCM_24")]
)
def test_odd_voices_are_served(rate: int, channels: int, subtype: str, model: Path, tmp_path: Path) -> None:
    voice = write_noise(tmp_path / "voice.wav", 2.0, rate, channels, subtype)
    done = triforce("speak", "a cat sat on the mat", "--model", model, "--voice", voice, "--out", tmp_path / "out.wav")
    assert done.returncode == 0, done.stderr
    assert sf.info(tmp_path / "out.wav").frames > 0


def test_a_voice_of_three_hours_is_served_by_its_beginning(model: Path, tmp_path: Path) -> None:
    voice = tmp_path / "long.flac"
    rng = np.random.default_rng(0)
    minute = (0.1 * rng.standard_normal(60 * RATE)).astype(np.float32)
    with sf.SoundFile(voice, "w", RATE, 1) as file:
        for _ in range(180):
            file.write(minute)
    done = triforce("speak", "a cat sat on the mat", "--model", model, "--voice", voice, "--out", tmp_path / "out.wav")
    assert done.returncode == 0, done.stderr
    assert "first 30 s of speech" in done.stderr


def test_interrupting_leaves_nothing_half_written(model: Path, tmp_path: Path) -> None:
    """The word about the voice says that the command is at work, however long a busy machine took to start it."""
    voice, folder, told = voice_clip(tmp_path / "voice.wav"), tmp_path / "new", tmp_path / "told.txt"
    folder.mkdir()
    words = [*forks.CLI, "speak", "word " * 3000, "--model", model, "--voice", voice, "--out", folder / "out.wav"]
    with told.open("wb") as errors:
        program = forks.Program(words, stderr=errors, env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")})
    try:
        deadline = time.monotonic() + forks.SLOW_S
        while "owner's consent" not in told.read_text():
            assert program.poll() is None and time.monotonic() < deadline, told.read_text()
            time.sleep(0.02)
        time.sleep(0.3)  # The command has begun to speak, which takes minutes.
        assert program.poll() is None, "it ended before it could be interrupted"
        program.send_signal(signal.SIGINT)
        assert program.wait() == 130
    finally:
        program.kill()
    assert told.read_text().splitlines()[-1] == "triforce-tts: interrupted; nothing half-written is left"
    assert "Traceback" not in told.read_text()
    assert list(folder.iterdir()) == []


def test_consent_is_mentioned_once(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIFORCE_TEST_STATE", str(tmp_path / "state"))
    voice = voice_clip(tmp_path / "voice.wav")
    words = ["speak", "hi", "--model", model, "--voice", voice, "--out", tmp_path / "out.wav"]
    assert "owner's consent" in triforce(*words).stderr
    assert "owner's consent" not in triforce(*words).stderr


@pytest.mark.parametrize("words", [["speak"], ["nosuch"], ["speak", "a", "--bogus"], ["speak", "a", "--seed", "x"]])
def test_wrong_usage_is_told_without_a_traceback(words: list[str]) -> None:
    done = triforce(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_an_unknown_device(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    assert_refused(triforce("speak", "hi", "--model", model, "--device", "toaster", "--out", out), "toaster", out=out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seed", "99999999999999999999"], "--seed 99999999999999999999: expected a whole number from 0 to"),
        (["--seed", "-1"], "--seed -1"),
        (["--steps", "-5"], "--steps -5: expected a whole number from 0 to 1000"),
        (["--steps", "100000"], "--steps 100000"),
        (["--threads", "100000"], "--threads 100000: expected a whole number from 0 to 1024"),
        (["--threads", "-1"], "--threads -1"),
        (["--candidates", "0"], "--candidates 0: expected a whole number from 1 to 64"),
        (["--candidates", "100000"], "--candidates 100000"),
    ],
)
def test_numbers_out_of_bounds(words: list[str], said: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    assert_refused(triforce("speak", "hello", "--model", model, "--out", out, *words), said, out=out)


def write_lexicon(kind: str, path: Path) -> Path:
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(10**12)
    elif kind == "latin-1":
        path.write_bytes("café  K AE0 F EY1\n".encode("latin-1"))
    elif kind == "utf-16":
        path.write_bytes("cat  K AE1 T\n".encode("utf-16"))
    return path


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "huge", "latin-1", "utf-16"])
def test_a_lexicon_that_cannot_be_read(kind: str, model: Path, tmp_path: Path) -> None:
    lexicon, out = write_lexicon(kind, tmp_path / "words.txt"), tmp_path / "out.wav"
    done = triforce("speak", "hello", "--model", model, "--lexicon", lexicon, "--out", out)
    assert_refused(done, "words.txt", "lexicon", out=out)


def shell(command: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command line with a shell, for redirections of standard input that need a shell."""
    environment = {**os.environ, "PYTHON": sys.executable, **{key: str(value) for key, value in variables.items()}}
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, timeout=300, env=environment
    )


def test_standard_input_that_is_closed(model: Path, tmp_path: Path) -> None:
    command = '"$PYTHON" -m triforce_tts.cli.app speak - --model "$MODEL" --out "$OUT" <&-'
    out = tmp_path / "out.wav"
    assert_refused(shell(command, MODEL=model, OUT=out), "empty", out=out)


@pytest.mark.parametrize(("output", "told"), [(">&-", "standard output is closed"), (">/dev/full", "No space left")])
def test_a_standard_output_that_takes_no_sound(output: str, told: str, model: Path) -> None:
    command = f'"$PYTHON" -m triforce_tts.cli.app speak Hi. --model "$MODEL" --out - {output}'
    done = shell(command, MODEL=model)
    assert done.returncode == 2
    assert "standard output" in done.stderr.splitlines()[-1] and told in done.stderr.splitlines()[-1]


def test_a_byte_order_mark_is_no_text(model: Path, tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    words = ["--model", model, "--out", tmp_path / "out.wav", "--timestamps", times]
    assert triforce("speak", "-", *words, stdin=b"\xef\xbb\xbfIt sat down.").returncode == 0
    assert json.loads(times.read_text(encoding="utf-8"))["sentences"][0]["text"] == "It sat down."


def test_standard_input_that_never_ends(model: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out.wav", tmp_path / "told.txt"
    words = [*forks.CLI, "speak", "-", "--model", model, "--out", out]
    with Path("/dev/zero").open("rb") as zeros, told.open("wb") as errors:
        code = forks.Program(words, stdin=zeros, stderr=errors).wait()
    done = subprocess.CompletedProcess([str(word) for word in words], code, "", told.read_text())
    assert_refused(done, "more than 20000", out=out)


def test_a_fault_in_one_sentence_of_a_text(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    text = "Good morning. I like {T AH0 M EY9 T OW0} a lot. Bye."
    assert_refused(triforce("speak", text, "--model", model, "--out", out), "EY9", out=out)


def test_what_is_left_out_is_said(model: Path, tmp_path: Path) -> None:
    done = triforce("speak", "Good 漢字 day.", "--model", model, "--out", tmp_path / "out.wav", "--quiet")
    assert done.returncode == 0
    assert "left out, because there is no English reading: '漢字'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_voice_that_is_no_speech_is_warned_of(model: Path, tmp_path: Path) -> None:
    voice, out = write_noise(tmp_path / "noise.wav", 3.0), tmp_path / "out.wav"
    done = triforce("speak", "hello", "--model", model, "--voice", voice, "--out", out)
    assert done.returncode == 0
    assert "noise.wav: this does not sound like speech" in done.stderr


def test_a_recording_that_is_too_long(model: Path, tmp_path: Path) -> None:
    """An hour at 8 kHz is refused before all of it is read."""
    clip = tmp_path / "long.wav"
    sf.write(clip, np.zeros(3600 * RATE, np.int16), RATE)
    for words in (["listen", clip], ["score", clip, "hello"], ["resynthesize", clip, "--out", tmp_path / "out.wav"]):
        assert_refused(triforce(*words, "--model", model), "long.wav", "expected at most")


@pytest.mark.parametrize("link", [False, True])
def test_an_input_is_never_overwritten(model: Path, tmp_path: Path, link: bool) -> None:
    voice = voice_clip(tmp_path / "voice.wav", 2.0)
    out = tmp_path / "link.wav" if link else voice
    if link:
        out.symlink_to(voice)
    before = voice.read_bytes()
    for words in (("speak", "hello", "--voice", voice), ("resynthesize", voice)):
        done = triforce(*words, "--model", model, "--out", out)
        assert done.returncode == 2
        assert "is, or holds, the input" in done.stderr
        assert voice.read_bytes() == before


@pytest.mark.parametrize("name", ["speech.exe", "speech", "folder.wav", "pipe.wav"])
def test_where_no_sound_can_be_written_is_said_before_anything_is_spoken(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    done = triforce("speak", "hello", "--model", tmp_path / "no model", "--out", tmp_path / name)
    assert done.returncode == 2
    assert name in done.stderr
    assert "no model" not in done.stderr


def test_a_model_s_own_files_are_never_overwritten(model: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(model, tmp_path / "model"))
    before = (copied / "voice.flac").read_bytes()
    done = triforce("speak", "hello", "--model", copied, "--out", copied / "voice.flac")
    assert_refused(done, "lies in the model folder")
    assert (copied / "voice.flac").read_bytes() == before
