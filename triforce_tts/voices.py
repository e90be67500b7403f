"""Voices: what the networks need of a reference clip, and how the clip is read (``synthesis/cloning.py`` opens a voice)."""

from dataclasses import dataclass
from pathlib import Path

import torch

from triforce_tts.audio.edit import first_speech, normalize_level
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.audio.speechlike import speech_likeness
from triforce_tts.errors import AudioError
from triforce_tts.named_voices import find_clip

MAX_SECONDS = 30.0  # the longest speech that goes into a voice
MIN_SECONDS = 1.0  # the shortest speech that can become a voice
SEARCHED_SECONDS = 300.0  # the first part of a long file, in which speech is looked for


@dataclass(frozen=True)
class Voice:
    """A voice, ready to speak with."""

    name: str  # empty for the default voice of a model that does not name it
    codes: torch.Tensor  # the prompt of the GPT, [frames, groups]
    speaker: torch.Tensor  # the reference of the diffusion stage, [1, reference channels]
    # What a cloned voice lacks in what the GPT says, [n_mels] in the unit of mels (audio/timbre.py); None: nothing.
    timbre: torch.Tensor | None = None
    note: str = ""  # a note for the user about the clip, one line; mostly empty


def read_reference(path: Path | str, audio: AudioConfig) -> tuple[torch.Tensor, str]:
    """The speech of a reference clip, samples [n] at the model's rate and level, and a note for the user.

    The note says if only a part of the clip is used, or if the clip does not sound like speech. Otherwise it is empty.

    Raises:
        AudioError: the clip cannot be read, or holds less than a second of speech.
    """
    clip = read_audio(find_clip(path), audio.sample_rate, first_seconds=SEARCHED_SECONDS)
    speech = first_speech(clip.samples, audio.sample_rate, MAX_SECONDS)
    seconds = len(speech) / audio.sample_rate
    if seconds < MIN_SECONDS:
        raise AudioError(
            f"{path}: {seconds:.2f} s of speech{where_searched(clip)}, expected at least {MIN_SECONDS:g} s; "
            "give a longer clip of the voice"
        )
    speech = normalize_level(speech, audio.sample_rate)[0]
    notes = []
    if not speech_likeness(speech, audio.sample_rate).is_speech:
        notes.append("this does not sound like speech; give a clip of one person who speaks without music or noise")
    if seconds >= MAX_SECONDS - 0.01:
        notes.append(f"the first {MAX_SECONDS:g} s of speech are used")
    return speech, f"{path}: {'; '.join(notes)}" if notes else ""


def where_searched(clip: Audio) -> str:
    """What a message adds to the seconds of speech in ``clip``, if only the first part of a longer file was read."""
    return f" in its first {SEARCHED_SECONDS:g} s" if clip.duration_s > SEARCHED_SECONDS - 0.01 else ""
