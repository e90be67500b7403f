"""Voices that a user adds under a name, each a folder in ``voices_folder()``.

The folder ``NAME`` holds the clip (``clip.flac``), where it came from and who agreed to it (``voice.json``), and in
``models`` what networks need to know of it: the codes and the vector of the speaker, by the checksum of the networks.
"""

import datetime
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triforce_tts.audio.edit import first_speech, trim_silence
from triforce_tts.audio.io import Audio, encode_flac, read_audio, read_tags
from triforce_tts.audio.quality import best_stretch, clipped, power_spectrum, snr_db, tonality
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.audio.speechlike import speech_likeness
from triforce_tts.errors import AudioError, ConfigError
from triforce_tts.files import MARKER, file_sha256, marked_kind, new_folder, write_json
from triforce_tts.named_voices import CLIP, added_clips, named_clips, voices_folder
from triforce_tts.schema import Record, read_record
from triforce_tts.synthesis.cloning import keep_voice
from triforce_tts.synthesis.model import Model
from triforce_tts.voices import MIN_SECONDS, SEARCHED_SECONDS, where_searched

ABOUT = "voice.json"
LEAST_SPEECH_S = 3.0  # the least speech of a clip, in seconds; less speech says too little of a voice
SECONDS = (6.0, 10.0)  # the shortest and the longest part that is kept of a longer clip, in seconds
# These are the limits of the builder of raw recordings, see data/steps/screen.py: nearly all clean readings meet them.
LEAST_SNR_DB, MOST_CLIPPED, MOST_TONALITY = 10.0, 0.001, 0.2
MOST_CONSENT = 500  # the most characters of a statement of consent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KIND: Literal["voice"] = "voice"


class About(Record):
    """``voice.json``: the origin of a voice, and the faults of its clip."""

    name: str
    source: str  # the name of the file that the user gave
    sha256: str  # the SHA-256 of that file
    added: str  # the day on which the voice was added, such as 2026-11-27
    # Who agreed to the use of the voice, in the words of the person who added it.
    consent: str
    seconds: float
    snr_db: float
    faults: list[str]  # the faults of the clip that the user accepted


@dataclass(frozen=True)
class Inspected:
    """A clip in the form in which it would be kept."""

    audio: Audio
    snr_db: float
    faults: tuple[str, ...]  # the reasons why the clip makes a poor voice; mostly none
    note: str  # the changes that were made to the clip; mostly none


def inspect_clip(path: Path) -> Inspected:
    """The best 6 to 10 s of the clip at ``path``, and the faults of this part.

    Raises:
        AudioError: the clip cannot be read, or holds less than a second of speech, which is too little for a voice.
    """
    whole = read_audio(path, first_seconds=SEARCHED_SECONDS)
    rate = whole.sample_rate
    samples = trim_silence(whole.samples, rate, keep_s=0.2)
    part = best_stretch(samples, rate, *SECONDS)
    note = (
        f"the best {len(part) / rate:.1f} s of {len(samples) / rate:.1f} s are kept" if len(part) < len(samples) else ""
    )
    speech = first_speech(part, rate, SECONDS[1])
    seconds = len(speech) / rate
    if seconds < MIN_SECONDS:
        raise AudioError(
            f"{path}: {seconds:.2f} s of speech{where_searched(whole)}, of which no voice can be made; give {LEAST_SPEECH_S:g} to "
            f"{SECONDS[1]:g} s of one person who speaks"
        )
    heard = resample(part.numpy(), rate, ANALYSIS_RATE)
    spectrum = power_spectrum(heard)
    noise_db, share = snr_db(spectrum), clipped(part.numpy())
    faults = []
    if seconds < LEAST_SPEECH_S:
        faults.append(f"too short: {seconds:.1f} s of speech, expected at least {LEAST_SPEECH_S:g} s")
    if share > MOST_CLIPPED:
        faults.append(
            f"clipped: {100 * share:.2f} % of it is cut off at its loudest, expected {100 * MOST_CLIPPED:g} % at most"
        )
    if not speech_likeness(speech, rate).is_speech or tonality(spectrum) > MOST_TONALITY:
        faults.append("not like speech: music, noise or tones, expected one person who speaks")
    if noise_db < LEAST_SNR_DB:
        faults.append(f"noisy: the speech is {noise_db:.0f} dB above the noise, expected at least {LEAST_SNR_DB:g} dB")
    return Inspected(Audio(part, rate), noise_db, tuple(faults), note)


def check_name(name: str) -> str:
    """Check ``name`` and return it.

    Raises:
        ConfigError: no added voice can have this name.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"voice {name!a}: expected a name of 1 to 64 letters, digits, '-' and '_' that begins with a letter or digit"
        )
    if name in named_clips():
        raise ConfigError(f"voice '{name}': a voice of the package has this name; choose another one")
    return name


def add_voice(
    name: str, clip: Path | str, consent: str, model: Model | None = None, force: bool = False
) -> tuple[About, str]:
    """Keep ``clip`` as the voice ``name``; returns its record, and a note for the user, mostly empty.

    Args:
        name: the name of the voice for ``--voice``.
        clip: a sound file.
        consent: who agreed to the use of the voice.
        model: its codes, its speaker vector and its timbre are kept too, so that this model need not make them again.
        force: keep a clip that makes a poor voice.

    Raises:
        ConfigError: the name or the consent is not usable.
        AudioError: the clip cannot be used, or makes a poor voice.
        TriforceError: there is a voice of that name, or the folder cannot be written.
    """
    path, consent = Path(clip), " ".join(consent.split())
    check_name(name)
    if not consent or len(consent) > MOST_CONSENT:
        raise ConfigError(
            f"--consent: expected 1 to {MOST_CONSENT} characters that say who agreed to the use of this voice, found "
            f"{len(consent)}"
        )
    inspected = inspect_clip(path)
    if inspected.faults and not force:
        raise AudioError(
            f"{path}: {'; '.join(inspected.faults)}; give a better clip, or add it all the same with --force"
        )
    about = About(
        name=name, source=path.name, sha256=file_sha256(path), added=datetime.date.today().isoformat(), consent=consent,
        seconds=round(inspected.audio.duration_s, 2), snr_db=round(inspected.snr_db, 1), faults=list(inspected.faults),
    )  # fmt: skip
    target = voices_folder() / name
    _refuse_taken(target)
    with new_folder(target, _KIND, [path]) as folder:
        tags = {key: value for key, value in read_tags(path).items() if key in ("artist", "copyright")}
        (folder / CLIP).write_bytes(encode_flac(Audio(inspected.audio.samples, inspected.audio.sample_rate, tags)))
        write_json(folder / ABOUT, about.model_dump(mode="json"))
        if model is not None:
            keep_voice(model, folder / CLIP)
        _refuse_taken(target)  # another process may have added the name in the meantime
    return about, inspected.note


def _refuse_taken(target: Path) -> None:
    """Refuse a folder for a new voice that is there already."""
    if target.exists():
        advice = f"'triforce-tts voices remove {target.name}' removes it" if _is_ours(target) else "choose another name"
        raise ConfigError(f"voice '{target.name}': {target} exists already; {advice}")


def read_about(name: str) -> About:
    """The record of the added voice ``name``.

    Raises:
        AudioError: there is no such voice, or its record is damaged.
    """
    clips = added_clips()
    if name not in clips:
        there = ", ".join(clips) or "none"
        what = "comes with the package" if name in named_clips() else "no such voice was added"
        raise AudioError(f"voice {name!a}: {what}; added voices: {there}")
    return read_record(clips[name].parent / ABOUT, About, AudioError)


def remove_voice(name: str) -> Path:
    """Remove the added voice ``name``, also if its files are damaged; returns its folder, which no longer exists.

    Raises:
        AudioError: there is no such voice, or its folder holds something else.
    """
    folder = voices_folder() / name
    if name not in added_clips() and not (_NAME.fullmatch(name) and folder.is_dir()):
        read_about(name)
    if not _is_ours(folder):
        raise AudioError(f"{folder}: carries no marker {MARKER} of an added voice; remove it by hand")
    shutil.rmtree(folder)
    return folder


def _is_ours(folder: Path) -> bool:
    """Whether ``add_voice`` made ``folder``."""
    return not folder.is_symlink() and marked_kind(folder) == _KIND
