"""Loading the three networks from their checkpoints."""

from pathlib import Path

import torch
from pydantic import model_validator

from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import CheckpointError
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.models.upsampler import Upsampler, make_upsampler
from triforce_tts.schema import Record, RecordT, read_record
from triforce_tts.sequences import Vocabulary, VocabularyConfig


class DVAECheckpoint(Record):
    """The content of the configuration in a DVAE's checkpoint."""

    audio: AudioConfig
    model: DVAEConfig


class GPTCheckpoint(Record):
    """The content of the configuration in a GPT's checkpoint."""

    model: GPTConfig
    vocabulary: VocabularyConfig

    @model_validator(mode="after")
    def _check(self) -> "GPTCheckpoint":
        if (self.model.head is not None) != self.vocabulary.by_frames:
            raise ValueError("model.head is there if and only if vocabulary.by_frames is true")
        if self.vocabulary.by_frames and self.vocabulary.groups < 2:
            raise ValueError("vocabulary.by_frames needs frames of two or more codes: set vocabulary.groups")
        return self


class DiffusionCheckpoint(Record):
    """The content of the configuration in a diffusion upsampler's checkpoint."""

    model: DiffusionConfig


def read_stage(path: Path | str, stage: str, kind: type[RecordT]) -> RecordT:
    """The configuration of the ``stage`` checkpoint at ``path``, as a ``kind``.

    Raises:
        CheckpointError: the checkpoint is another stage's, or its configuration is damaged; every problem is named.
    """
    checkpoint.read_config(path, stage)
    return read_record(checkpoint.locate(path) / checkpoint.CONFIG, kind, CheckpointError)


def load_dvae(path: Path | str, device: torch.device | str = "cpu") -> tuple[DVAE, AudioConfig]:
    """The DVAE at ``path`` (a run, checkpoint, or part of a bundle), in eval mode, and its audio configuration."""
    config = read_stage(path, "dvae", DVAECheckpoint)
    network = checkpoint.restore(lambda: DVAE(config.model, config.audio.n_mels), path)
    return network.to(device).eval(), config.audio


def load_gpt(path: Path | str, device: torch.device | str = "cpu") -> tuple[GPT, Vocabulary]:
    """The GPT at ``path``, in eval mode, and its vocabulary."""
    config = read_stage(path, "gpt", GPTCheckpoint)
    vocabulary = Vocabulary(config.vocabulary)
    network = checkpoint.restore(lambda: make_gpt(config.model, vocabulary), path)
    return network.to(device).eval(), vocabulary


def load_diffusion(path: Path | str, audio: AudioConfig, device: torch.device | str = "cpu") -> Upsampler:
    """The upsampler of stage 3 at ``path``, in eval mode; ``audio`` is its DVAE's."""
    config = read_stage(path, "diffusion", DiffusionCheckpoint)
    network = checkpoint.restore(lambda: make_upsampler(config.model, audio), path)
    return network.to(device).eval()
