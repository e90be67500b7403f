"""Voices: the codes and the speaker vector that the networks need of a reference clip."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from triforce_tts import checkpoint
from triforce_tts.audio.edit import first_speech, normalize_level
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.audio.speechlike import speech_likeness
from triforce_tts.errors import AudioError, CheckpointError
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.upsampler import Upsampler
from triforce_tts.named_voices import CLIP, find_clip, voices_folder

MAX_SECONDS = 30.0  # the longest speech that goes into a voice
MIN_SECONDS = 1.0  # the shortest speech that can become a voice
SEARCHED_SECONDS = 300.0  # the first part of a long file, in which speech is looked for


@dataclass(frozen=True)
class Voice:
    """A voice, ready to speak with."""

    name: str  # empty for the default voice of a model that does not name it
    codes: torch.Tensor  # the prompt of the GPT, [frames, groups]
    speaker: torch.Tensor  # the reference of the diffusion stage, [1, reference channels]
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


@torch.inference_mode()
def make_voice(
    path: Path | str, name: str, audio: AudioConfig, dvae: DVAE, diffusion: Upsampler, prompt_seconds: float
) -> Voice:
    """The voice of the clip at ``path``; the GPT sees its first ``prompt_seconds`` of speech.

    The codes and the vector of an added voice that these networks already made are read, and not made again unless their
    file is damaged.

    Raises:
        AudioError: the clip cannot be read, or holds less than a second of speech.
    """
    clip = find_clip(path)
    if is_added(clip):
        kept = _read_voice(prompt_file(clip, audio, dvae, diffusion, prompt_seconds), name, dvae, diffusion)
        if kept is not None:
            return kept
    speech, note = read_reference(path, audio)
    mel = mel_spectrogram(speech[None].to(dvae.device), audio)
    prompt = mel[:, : audio.frames_of_seconds(prompt_seconds)]
    lengths = torch.tensor([mel.shape[1]], device=dvae.device)
    return Voice(name, dvae.encode(prompt)[0].cpu(), diffusion.reference(mel, lengths), note)


# --- what is kept of an added voice --------------------------------------------------------------------------------


def is_added(clip: Path) -> bool:
    """Whether ``clip`` belongs to an added voice."""
    return clip.name == CLIP and clip.parent.parent == voices_folder()


def prompt_file(clip: Path, audio: AudioConfig, dvae: DVAE, diffusion: Upsampler, prompt_seconds: float) -> Path:
    """The file with the codes and the speaker vector that these networks made of the ``clip`` of an added voice."""
    digest = hashlib.sha256(f"{audio.model_dump_json()} {prompt_seconds}".encode())
    for network in (dvae, diffusion):
        digest.update(checkpoint.fingerprint(network.state_dict()).encode())
    digest.update(clip.read_bytes())
    return clip.parent / "models" / f"{digest.hexdigest()[:16]}.safetensors"


def _read_voice(file: Path, name: str, dvae: DVAE, diffusion: Upsampler) -> Voice | None:
    """The voice that an earlier ``make_voice`` made; None if the file is missing or damaged."""
    try:
        tensors = checkpoint.load_tensors(file)
    except CheckpointError:
        return None
    codes, speaker = tensors.get("codes"), tensors.get("speaker")
    shapes = [(tensor.dim(), tensor.shape[-1]) for tensor in (codes, speaker) if tensor is not None and tensor.dim()]
    if (
        codes is None
        or speaker is None
        or shapes != [(2, dvae.config.groups), (2, diffusion.config.reference_channels)]
    ):
        return None
    return Voice(name, codes, speaker.to(dvae.device))
