"""The diffusion upsampler: a blurry DVAE decode and a reference clip in, a full-resolution spectrogram out.

Flow matching on the log-magnitude of each STFT bin, relative to the envelope that the decode stands for. The noise
is thereby shaped by the decode: where the decode is silent, noise is too. The network predicts the clean
spectrogram (x1), to which a Wiener skip adds what a linear filter could know already; nothing in it is global over
time, so long sounds can be made in chunks.
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn
from torch.nn import functional as F

from triforce_tts.audio.mel import AudioConfig, envelope
from triforce_tts.models.layers import MaskedConv, Network, ResidualBlock, frame_mask, run_block
from triforce_tts.schema import Config

# The target is about standard normal with these two (measured on 150 utterances of one reader; nats).
_TARGET_SHIFT, _TARGET_SCALE = 0.4, 0.9
_MAGNITUDE_FLOOR = 2e-3  # added before the logarithm: quieter bins are inaudible beside their neighbours


class DiffusionConfig(Config):
    """Sizes of the diffusion upsampler and what it predicts."""

    target: Literal["magnitude", "complex"]  # 'complex' is reserved: no shipped network makes its own phase yet
    channels: PositiveInt
    hidden: PositiveInt  # width inside a block
    blocks: PositiveInt
    kernel_size: PositiveInt
    reference_channels: PositiveInt
    null_condition: bool = False  # learns to do without decode and reference where they are dropped: for guidance


def to_target(magnitude: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """What the flow models: log of ``magnitude`` over ``shape`` (same size), about standard normal."""
    ratio = (magnitude + _MAGNITUDE_FLOOR).log() - (shape + _MAGNITUDE_FLOOR).log()
    return (ratio + _TARGET_SHIFT) / _TARGET_SCALE


def from_target(target: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """The magnitude whose ``to_target`` is ``target``."""
    ratio = target * _TARGET_SCALE - _TARGET_SHIFT
    return (ratio.exp() * (shape + _MAGNITUDE_FLOOR) - _MAGNITUDE_FLOOR).clamp_min(0.0)


class ReferenceEncoder(nn.Module):
    """A vector of how a reference clip sounds: convolutions, then the mean over its frames."""

    def __init__(self, n_mels: int, channels: int) -> None:
        super().__init__()
        self.conv_in = MaskedConv(n_mels, channels, 5, stride=2)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(2))
        self.out = nn.Linear(channels, channels)

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """[batch, channels] of standardised ``mel`` [batch, frames, n_mels]; frames past ``lengths`` count nothing."""
        x = F.pad(mel, (0, 0, 0, mel.shape[1] % 2)) * frame_mask(lengths, mel.shape[1] + mel.shape[1] % 2)
        mask = frame_mask(-(-lengths // 2), x.shape[1] // 2)
        x = self.conv_in(x, mask)
        for block in self.blocks:
            x = block(x, mask)
        mean = (x * mask.to(x.dtype)).sum(1) / mask.sum(1).to(x.dtype)
        out: torch.Tensor = self.out(mean)
        return out


def time_features(t: torch.Tensor, channels: int) -> torch.Tensor:
    """Sines and cosines [batch, channels] of flow time ``t`` [batch] in [0, 1] (as positions in Vaswani et al.)."""
    frequencies = torch.exp(torch.linspace(0.0, 6.9, channels // 2, device=t.device))  # 1 to 1000
    angles = t[:, None].float() * frequencies
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


class Block(nn.Module):
    """Depthwise convolution over time, then a wide pointwise network; time and reference scale, shift and gate it.

    ConvNeXt (Liu et al., 2022) with adaptive normalisation (Peebles and Xie, 2022): the conditioning network is
    shared by all blocks, and each adds a table of its own.
    """

    def __init__(self, config: DiffusionConfig) -> None:
        super().__init__()
        width = config.channels
        self.depthwise = nn.Conv1d(width, width, config.kernel_size, padding=config.kernel_size // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.up = nn.Linear(width, config.hidden)
        self.down = nn.Linear(config.hidden, width)
        self.table = nn.Parameter(torch.zeros(3, width))

    def forward(self, x: torch.Tensor, modulation: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Same shape as ``x`` [batch, frames, channels]; ``modulation`` is [batch, 3, channels]."""
        scale, shift, gate = (modulation + self.table).to(x.dtype).unsqueeze(2).unbind(1)
        hidden = self.depthwise((x * mask.to(x.dtype)).transpose(1, 2)).transpose(1, 2)
        hidden = self.norm(hidden) * (1 + scale) + shift
        out: torch.Tensor = x + (1 + gate) * self.down(F.gelu(self.up(hidden)))
        return out


class Diffusion(Network):
    """Predicts the clean spectrogram target from a noisy one, the DVAE decode and a reference clip."""

    def __init__(self, config: DiffusionConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.config, self.audio = config, audio
        width = config.channels
        self.reference = ReferenceEncoder(audio.n_mels, config.reference_channels)
        self.project_in = nn.Linear(audio.n_bins + audio.n_mels, width)
        self.condition = nn.Sequential(
            nn.Linear(width + config.reference_channels, width), nn.SiLU(), nn.Linear(width, 3 * width)
        )
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, audio.n_bins)
        if config.null_condition:
            self.null_decode = nn.Parameter(torch.zeros(audio.n_mels))
            self.null_speaker = nn.Parameter(torch.zeros(config.reference_channels))
        # From nothing but the linear guess: the network learns what is missing from it.
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    def forward(
        self,
        noisy: torch.Tensor,
        t: torch.Tensor,
        decode: torch.Tensor,
        speaker: torch.Tensor,
        lengths: torch.Tensor,
        drop: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The clean target, [batch, frames, n_bins] float32.

        Args:
            noisy: (1 - t) * noise + t * target, [batch, frames, n_bins].
            t: flow time, [batch], 0 for noise and 1 for clean.
            decode: standardised mel that the DVAE decoded, [batch, frames, n_mels].
            speaker: ``reference(...)`` of a clip by the same voice, [batch, reference_channels].
            lengths: frames of each utterance, [batch].
            drop: whose decode and reference the network shall do without, [batch] bool; nobody's without it. The
                decode still shapes the noise.
        """
        if drop is not None:
            decode = torch.where(drop[:, None, None], self.null_decode, decode)
            speaker = torch.where(drop[:, None], self.null_speaker, speaker.float())
        mask = frame_mask(lengths, noisy.shape[1])
        conditions = torch.cat((time_features(t, self.config.channels), speaker.float()), dim=-1)
        modulation = self.condition(conditions).unflatten(-1, (3, -1))
        x = self.project_in(torch.cat((noisy, decode), dim=-1))
        for block in self.blocks:
            x = run_block(block, self.recompute, x, modulation, mask)
        out: torch.Tensor = self.project_out(self.norm_out(x)).float()
        return out + wiener_gain(t)[:, None, None] * noisy


def wiener_gain(t: torch.Tensor) -> torch.Tensor:
    """The best linear guess of unit-variance x1 from (1 - t) * x0 + t * x1 with unit noise is this times it."""
    return t / (t.square() + (1 - t).square())


def noise_shape(decode: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """Magnitude envelope [batch, frames, n_bins] of a decode [batch, frames, n_mels]: what the target is relative to."""
    return envelope(decode.float(), audio)
