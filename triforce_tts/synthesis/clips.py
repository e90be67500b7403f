"""A recording in the form that the networks take: levelled samples, mel and codes."""

from dataclasses import dataclass
from pathlib import Path

import torch

from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import mel_spectrogram
from triforce_tts.errors import AudioError, CheckpointError
from triforce_tts.synthesis.model import Model


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording at the model's rate and level."""

    samples: torch.Tensor  # [n]
    mel: torch.Tensor  # [1, frames, n_mels], on the model's device
    codes: torch.Tensor  # [code frames, groups], on the model's device
    duration_s: float


@torch.inference_mode()
def encode_clip(model: Model, clip: Audio | Path | str, longest_s: float) -> Clip:
    """The recording ``clip``, a sound or a file, of at most ``longest_s`` seconds.

    Raises:
        AudioError: the clip cannot be read, or is longer.
        CheckpointError: the sound has another sample rate than the model.
    """
    samples = _levelled_samples(model, clip, longest_s)
    mel = mel_spectrogram(samples[None].to(model.device), model.audio)
    return Clip(samples, mel, model.dvae.encode(mel)[0], len(samples) / model.audio.sample_rate)


def _levelled_samples(model: Model, clip: Audio | Path | str, longest_s: float) -> torch.Tensor:
    rate = model.audio.sample_rate
    if isinstance(clip, Audio):
        name, audio = "the clip", clip
    else:
        name, audio = str(clip), read_audio(clip, rate, max_seconds=longest_s)
    if audio.sample_rate != rate:
        raise CheckpointError(f"{name} is at {audio.sample_rate} Hz, the model at {rate} Hz")
    if audio.duration_s > longest_s:
        raise AudioError(f"{name} lasts longer than the {longest_s:.1f} s that can be used at once; cut it")
    return normalize_level(audio.samples, audio.sample_rate)[0]
