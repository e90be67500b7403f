"""Labelled speech from a synthesiser: cheap lessons in how text becomes sound.

``flite`` runs as a separate program; ``babble`` is a generator of our own (formant tones, a vowel for each letter),
for tests that must not need any program.
"""

import hashlib
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.errors import AudioError, ShardError
from triforce_tts.textfiles import LIST_BYTES, UnreadableText, read_text

from ..common.clips import Recording
from ..common.heldout import HeldOut
from ..common.names import letters_of
from . import babble

ENGINES = ("flite", "babble")  # those that need nothing but a name; see lessons.py for kokoro
_PROBE = "hello"  # a text that any synthesiser can speak
_LISTS_S, _SPEAKS_S = 60, 120  # seconds that flite may take
_SCHEME = "say:"  # marks a Recording whose sound is made, not read
HELDOUT_SHARE = 100  # one text in so many is held out


def read_texts(path: Path, max_characters: int, heldout: HeldOut) -> list[str]:
    """The lines of a text file that are not held out; longer ones are cut at punctuation, then at spaces.

    Held-out lines go before the cutting, so that no piece of one gets in.

    Raises:
        ShardError: the file cannot be read, or nothing is left.
    """
    try:
        lines = [" ".join(line.split()) for line in read_text(path, LIST_BYTES).split("\n")]
    except UnreadableText as error:
        raise ShardError(f"cannot read the texts: {error}") from error
    allowed = [line for line in lines if letters_of(line) not in heldout.texts]
    pieces = [piece for line in allowed for piece in _cut(line, max_characters) if letters_of(piece)]
    if not pieces:
        raise ShardError(f"{path}: no text to speak; expected one sentence a line")
    return pieces


def _cut(line: str, limit: int) -> list[str]:
    pieces = []
    while len(line) > limit:
        head = line[: limit + 1]
        stops = [m.end() for m in re.finditer(r"[,;:.!?] ", head)]
        if not stops or stops[-1] < limit // 3:
            stops.append(head.rfind(" ") + 1)
        at = max(stops) or limit
        pieces.append(line[:at].strip())
        line = line[at:].strip()
    return [*pieces, line]


def plan(
    texts: Sequence[str],
    engine: str,
    voices: Sequence[str],
    limit: int,
    every_voice: bool,
    heldout: HeldOut,
) -> tuple[list[Recording], set[str]]:
    """The utterances to make, and the ids of those in the held-out split.

    Texts are shuffled by a fixed seed and go round the voices; texts of the held-out list never enter. One text in
    ``HELDOUT_SHARE`` (by its hash, so by no voice) is held out, and never fewer than one of two.
    """
    known = voices_of(engine)
    if unknown := sorted(set(voices) - set(known)):
        raise ShardError(f"unknown voice '{unknown[0]}'; {engine} has: {', '.join(known)}")
    if twice := [voice for voice in voices if voices.count(voice) > 1]:
        raise ShardError(f"voice '{twice[0]}' is given twice; give it once")
    unique = chosen_texts(texts, limit, heldout)
    apart = texts_apart(unique)
    recordings, held = [], set()
    for number, text in enumerate(unique):
        for voice in voices if every_voice else [voices[number % len(voices)]]:
            key = f"{engine}-{voice}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
            recordings.append(
                Recording(
                    id=key,
                    audio=spoken_by(engine, voice),
                    text=text,
                    speaker=f"{engine}-{voice}",
                    source=f"synthetic-{engine}",
                    license=f"synthetic ({engine})",
                    punct=True,
                )
            )
            if text in apart:
                held.add(key)
    return sorted(recordings, key=lambda r: r.id), held


def chosen_texts(texts: Sequence[str], limit: int, heldout: HeldOut) -> list[str]:
    """``limit`` different texts (0: all) in a shuffled order that is always the same, without held-out ones."""
    unique = sorted({text for text in texts if letters_of(text) not in heldout.texts})
    random.Random(0).shuffle(unique)
    return unique[: limit or len(unique)]


def texts_apart(texts: Sequence[str]) -> set[str]:
    """The texts of the held-out split: one in ``HELDOUT_SHARE`` by its hash, and one of two at least."""
    apart = {text for text in texts if _digest(text) % HELDOUT_SHARE == 0}
    return apart or ({min(texts, key=_digest)} if len(texts) > 1 else set())


def spoken_by(engine: str, voice: str) -> str:
    """The place of a recording that a synthesiser makes."""
    return f"{_SCHEME}{engine}:{voice}"


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def voices_of(engine: str) -> list[str]:
    """The voices of an engine.

    Raises:
        ShardError: there is no such engine, or its program is not installed.
    """
    if engine not in ENGINES:
        raise ShardError(f"unknown engine '{engine}'; choose one of: {', '.join(ENGINES)}, kokoro")
    if engine == "babble":
        return list(babble.VOICES)
    if shutil.which("flite") is None:
        raise ShardError("the program 'flite' is not installed; install it, such as with: apt-get install flite")
    try:
        done = _flite(["-lv"], _LISTS_S)
    except subprocess.TimeoutExpired as error:
        raise ShardError(f"'flite -lv' lists no voices within {_LISTS_S} s; install flite again") from error
    voices = done.stdout.partition(":")[2].split()
    if done.returncode or not voices:
        raise ShardError(f"'flite -lv' lists no voices ({_complaint(done)}); install flite again")
    return voices


def is_synthetic(recording: Recording) -> bool:
    """Whether the sound has to be made."""
    return recording.audio.startswith(_SCHEME)


def known_alignment(recording: Recording) -> list[list[float]] | None:
    """When each symbol of a synthetic recording is spoken, where the engine tells."""
    engine, _ = recording.audio.removeprefix(_SCHEME).split(":")
    return babble.alignment(recording.text) if engine == "babble" else None


def make(recording: Recording) -> Audio:
    """The sound of a synthetic recording.

    Raises:
        AudioError: this text cannot be spoken.
        ShardError: no text can be spoken, here and now.
    """
    engine, voice = recording.audio.removeprefix(_SCHEME).split(":")
    if engine == "babble":
        return babble.speak(recording.text, voice)
    try:
        return _speak(recording.text, voice)
    except AudioError as error:
        try:
            _speak(_PROBE, voice)
        except AudioError as fault:
            raise ShardError(f"{fault}; mend that and run the same command again, finished shards are kept") from error
        raise


def _speak(text: str, voice: str) -> Audio:
    """``text`` by flite.

    Raises:
        AudioError: flite gives no sound for it.
    """
    told = f"flite could not speak '{text}' with voice '{voice}'"
    if "\0" in text:
        raise AudioError(f"{told}: it has a zero byte")
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "out.wav"
        try:
            done = _flite(["-voice", voice, "-t", text, "-o", str(wav)], _SPEAKS_S)
        except subprocess.TimeoutExpired as error:
            raise AudioError(f"{told} within {_SPEAKS_S} s") from error
        if done.returncode or not wav.is_file():
            raise AudioError(f"{told} ({_complaint(done)})")
        return read_audio(wav)


def _flite(arguments: Sequence[str], timeout_s: int) -> "subprocess.CompletedProcess[str]":
    command = ["flite", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=timeout_s)
    except OSError as error:
        raise ShardError(f"the program 'flite' cannot be started ({error.strerror}); install it again") from error


def _complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """The last line that a program wrote, or its exit code."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if done.returncode and lines else f"code {done.returncode}"
