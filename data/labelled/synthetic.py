"""Clips that a synthesiser speaks: cheap material from which a network learns how text becomes sound.

``flite`` is a separate program. ``babble`` is part of the builder (a tone with two formants for each letter) and serves
tests, which must not need a program.
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

from ..common.clips import Clip
from ..common.heldout import HeldOut
from ..common.names import letters_of
from . import babble

ENGINES = ("flite", "babble")  # lessons.py has the engine kokoro, which needs files
_PROBE = "hello"  # a text that any synthesiser can speak
_LISTS_S, _SPEAKS_S = 60, 120  # seconds that flite may take to list its voices and to speak a text
_SCHEME = "say:"  # ``audio`` of a clip begins with it if a synthesiser speaks the clip
HELDOUT_SHARE = 100  # one text in this many is held out


def read_texts(path: Path, max_characters: int, heldout: HeldOut) -> list[str]:
    """The lines of a text file without the held-out ones; longer lines are cut at punctuation, else at spaces.

    Held-out lines are removed before the cutting, so that no part of one remains.

    Raises:
        ShardError: the file cannot be read, or no text is left.
    """
    try:
        lines = [" ".join(line.split()) for line in read_text(path, LIST_BYTES).split("\n")]
    except UnreadableText as error:
        raise ShardError(f"cannot read the texts: {error}") from error
    allowed = [line for line in lines if letters_of(line) not in heldout.texts]
    pieces = [piece for line in allowed for piece in _cut(line, max_characters) if letters_of(piece)]
    if not pieces:
        raise ShardError(f"{path}: no text to speak; expected one sentence on each line")
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
) -> tuple[list[Clip], set[str]]:
    """The clips to speak, and the ids of those in the held-out split.

    The texts are shuffled with a fixed seed and given to the voices in turn; texts of the held-out list are left out.
    One text in ``HELDOUT_SHARE`` is held out, and at least one if there are two. The hash of the text decides, so all
    voices hold out the same texts.
    """
    engine_voices = voices_of(engine)
    if unknown := sorted(set(voices) - set(engine_voices)):
        raise ShardError(f"unknown voice '{unknown[0]}'; {engine} has: {', '.join(engine_voices)}")
    if twice := [voice for voice in voices if voices.count(voice) > 1]:
        raise ShardError(f"voice '{twice[0]}' is given twice; give it once")
    unique = chosen_texts(texts, limit, heldout)
    apart = texts_apart(unique)
    clips, held_ids = [], set()
    for number, text in enumerate(unique):
        for voice in voices if every_voice else [voices[number % len(voices)]]:
            key = f"{engine}-{voice}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
            clips.append(
                Clip(
                    id=key,
                    audio=spoken_by(engine, voice),
                    text=text,
                    speaker=f"{engine}-{voice}",
                    collection=f"synthetic-{engine}",
                    license=f"synthetic ({engine})",
                    punct=True,
                )
            )
            if text in apart:
                held_ids.add(key)
    return sorted(clips, key=lambda clip: clip.id), held_ids


def chosen_texts(texts: Sequence[str], limit: int, heldout: HeldOut) -> list[str]:
    """``limit`` different texts (0: all) without the held-out ones, in a shuffled order that is always the same."""
    unique = sorted({text for text in texts if letters_of(text) not in heldout.texts})
    random.Random(0).shuffle(unique)
    return unique[: limit or len(unique)]


def texts_apart(texts: Sequence[str]) -> set[str]:
    """The texts of the held-out split: one in ``HELDOUT_SHARE``, chosen by hash, and at least one if there are two."""
    apart = {text for text in texts if _digest(text) % HELDOUT_SHARE == 0}
    return apart or ({min(texts, key=_digest)} if len(texts) > 1 else set())


def spoken_by(engine: str, voice: str) -> str:
    """The value of ``audio`` for a clip that a synthesiser speaks."""
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


def is_synthetic(clip: Clip) -> bool:
    """Whether a synthesiser speaks the clip."""
    return clip.audio.startswith(_SCHEME)


def known_alignment(clip: Clip) -> list[list[float]] | None:
    """When each symbol of a synthetic clip is spoken; None if the engine does not tell."""
    engine, _ = clip.audio.removeprefix(_SCHEME).split(":")
    return babble.alignment(clip.text) if engine == "babble" else None


def make(clip: Clip) -> Audio:
    """The audio of a synthetic clip.

    Raises:
        AudioError: the engine cannot speak this text.
        ShardError: the engine cannot speak any text on this machine now.
    """
    engine, voice = clip.audio.removeprefix(_SCHEME).split(":")
    if engine == "babble":
        return babble.speak(clip.text, voice)
    try:
        return _speak(clip.text, voice)
    except AudioError as error:
        try:
            _speak(_PROBE, voice)
        except AudioError as fault:
            raise ShardError(f"{fault}; repair it and run the same command again; finished shards are kept") from error
        raise


def _speak(text: str, voice: str) -> Audio:
    """The audio of ``text``, spoken by flite.

    Raises:
        AudioError: flite cannot speak the text.
    """
    failure = f"flite could not speak '{text}' with voice '{voice}'"
    if "\0" in text:
        raise AudioError(f"{failure}: it has a zero byte")
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "out.wav"
        try:
            done = _flite(["-voice", voice, "-t", text, "-o", str(wav)], _SPEAKS_S)
        except subprocess.TimeoutExpired as error:
            raise AudioError(f"{failure} within {_SPEAKS_S} s") from error
        if done.returncode or not wav.is_file():
            raise AudioError(f"{failure} ({_complaint(done)})")
        return read_audio(wav)


def _flite(arguments: Sequence[str], timeout_s: int) -> "subprocess.CompletedProcess[str]":
    command = ["flite", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=timeout_s)
    except OSError as error:
        raise ShardError(f"the program 'flite' cannot be started ({error.strerror}); install it again") from error


def _complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """The last line that a program wrote if it failed, else its exit code."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if done.returncode and lines else f"code {done.returncode}"
