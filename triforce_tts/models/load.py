"""Networks from their checkpoints."""

from pathlib import Path

import torch

from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.schema import parse
from triforce_tts.sequences import Vocabulary, VocabularyConfig


def load_dvae(path: Path | str, device: torch.device | str = "cpu") -> tuple[DVAE, AudioConfig]:
    """The DVAE at ``path`` (a run, checkpoint, or part of a bundle), in eval mode, and its audio configuration."""
    config = checkpoint.read_config(path, "dvae")
    audio = parse(AudioConfig, config["audio"], f"{path}: audio")
    network = DVAE(parse(DVAEConfig, config["model"], f"{path}: model"), audio.n_mels)
    checkpoint.load_weights(network, path)
    return network.to(device).eval(), audio


def load_gpt(path: Path | str, device: torch.device | str = "cpu") -> tuple[GPT, Vocabulary]:
    """The GPT at ``path``, in eval mode, and its vocabulary."""
    config = checkpoint.read_config(path, "gpt")
    vocabulary = Vocabulary(parse(VocabularyConfig, config["vocabulary"], f"{path}: vocabulary"))
    network = GPT(parse(GPTConfig, config["model"], f"{path}: model"), vocabulary.size)
    checkpoint.load_weights(network, path)
    return network.to(device).eval(), vocabulary


def load_diffusion(path: Path | str, audio: AudioConfig, device: torch.device | str = "cpu") -> Diffusion:
    """The diffusion upsampler at ``path``, in eval mode; ``audio`` is its DVAE's."""
    config = checkpoint.read_config(path, "diffusion")
    network = Diffusion(parse(DiffusionConfig, config["model"], f"{path}: model"), audio)
    checkpoint.load_weights(network, path)
    return network.to(device).eval()
