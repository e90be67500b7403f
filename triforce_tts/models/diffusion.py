"""The diffusion upsampler: a blurry DVAE decode and a reference clip in, the state that speech stands for out.

Flow matching. What the flow carries from noise to speech, a log-magnitude spectrogram or the wave itself, is the
target's affair (``targets.py``); the network is the same for both, run once for each band of the target. It predicts
the clean end (x1), to which a Wiener skip adds what a linear filter could know already; nothing in it is global over
time, so long sounds can be made in chunks.
"""

import torch
from torch import nn
from torch.nn import functional as F

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.layers import MaskedConv, Network, ResidualBlock, frame_mask, run_block
from triforce_tts.models.targets import DiffusionConfig, make_target


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
    """Predicts the clean state from a noisy one, the DVAE decode and a reference clip."""

    def __init__(self, config: DiffusionConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.config, self.audio = config, audio
        self.target = make_target(config, audio)
        width = config.channels
        self.reference = ReferenceEncoder(audio.n_mels, config.reference_channels)
        self.project_in = nn.Linear(self.target.inputs + audio.n_mels, width)
        self.condition = nn.Sequential(
            nn.Linear(width + config.reference_channels, width), nn.SiLU(), nn.Linear(width, 3 * width)
        )
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, self.target.outputs)
        if self.target.bands > 1:  # which of the bands this is: the only thing that they do not share
            self.band = nn.Parameter(0.02 * torch.randn(self.target.bands, width))
        if config.null_condition:
            self.null_decode = nn.Parameter(torch.zeros(audio.n_mels))
            self.null_speaker = nn.Parameter(torch.zeros(config.reference_channels))
        # From nothing but the linear guess: the network learns what is missing from it.
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    @property
    def reach(self) -> int:
        """Frames on either side of a frame that one prediction looks at: its receptive field."""
        return self.config.blocks * (self.config.kernel_size // 2) + self.target.reach

    def forward(
        self,
        noisy: torch.Tensor,
        t: torch.Tensor,
        decode: torch.Tensor,
        speaker: torch.Tensor,
        lengths: torch.Tensor,
        drop: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The clean state, [batch, frames, target.width] float32.

        Args:
            noisy: (1 - t) * noise + t * clean, states of ``self.target``.
            t: flow time, [batch], 0 for noise and 1 for clean.
            decode: standardised mel that the DVAE decoded, [batch, frames, n_mels].
            speaker: ``reference(...)`` of a clip by the same voice, [batch, reference_channels].
            lengths: frames of each utterance, [batch].
            drop: whose decode and reference the network shall do without, [batch] bool; nobody's without it. The
                decode still shapes the noise.
        """
        seen = self.target.seen(noisy, decode, lengths)  # [batch, bands, frames, inputs]
        known = decode
        if drop is not None:
            known = torch.where(drop[:, None, None], self.null_decode, decode)
            speaker = torch.where(drop[:, None], self.null_speaker, speaker.float())
        bands = self.target.bands
        conditions = torch.cat((time_features(t, self.config.channels), speaker.float()), dim=-1)
        modulation = self.condition(conditions).unflatten(-1, (3, -1)).repeat_interleave(bands, 0)
        mask = frame_mask(lengths, noisy.shape[1]).repeat_interleave(bands, 0)
        x = self.project_in(torch.cat((seen, known.unsqueeze(1).expand(-1, bands, -1, -1)), dim=-1))
        if bands > 1:
            x = x + self.band[:, None]
        x = x.flatten(0, 1)  # from here on each band is an utterance of its own
        for block in self.blocks:
            x = run_block(block, self.recompute, x, modulation, mask)
        out = self.project_out(self.norm_out(x)).float().unflatten(0, (-1, bands))
        return self.target.answer(out, decode, lengths) + wiener_gain(t)[:, None, None] * noisy


def wiener_gain(t: torch.Tensor) -> torch.Tensor:
    """The best linear guess of unit-variance x1 from (1 - t) * x0 + t * x1 with unit noise is this times it."""
    return t / (t.square() + (1 - t).square())
