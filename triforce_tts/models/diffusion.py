"""The diffusion upsampler: it takes a blurry DVAE decode and a reference clip, and predicts the state of clean speech.

It is trained by flow matching. ``targets.py`` decides what the flow carries from noise to speech: a log-magnitude
spectrogram or the wave itself. The network is the same for both and runs once for each band of the target. It predicts
the clean end (x1); a skip connection adds the part that a linear (Wiener) filter could already know. Nothing in the
network is global over time, so long sounds can be made in chunks.
"""

import torch
from torch import nn
from torch.nn import functional as F

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.layers import MaskedConv, Network, ResidualBlock, frame_mask, run_block
from triforce_tts.models.targets import DiffusionConfig, make_target


class ReferenceEncoder(nn.Module):
    """Describes the sound of a reference clip by a vector: convolutions, then the mean over the frames."""

    def __init__(self, n_mels: int, channels: int) -> None:
        super().__init__()
        self.conv_in = MaskedConv(n_mels, channels, 5, stride=2)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(2))
        self.out = nn.Linear(channels, channels)

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """[batch, channels] of standardised ``mel`` [batch, frames, n_mels]; frames past ``lengths`` do not count."""
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
    """Depthwise convolution over time, then a wide pointwise network. Flow time and reference scale, shift and gate it.

    This is ConvNeXt (Liu et al., 2022) with adaptive normalisation (Peebles and Xie, 2022). All blocks share one
    conditioning network, and each block adds a table of its own to its output.
    """

    def __init__(self, width: int, hidden: int, kernel_size: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel_size, padding=kernel_size // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
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
        self.blocks = nn.ModuleList(Block(width, config.hidden, config.kernel_size) for _ in range(config.blocks))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, self.target.outputs)
        if self.target.bands > 1:  # This vector tells a band which one it is; all other weights are shared.
            self.band = nn.Parameter(0.02 * torch.randn(self.target.bands, width))
        if config.null_condition:
            self.null_decode = nn.Parameter(torch.zeros(audio.n_mels))
            self.null_speaker = nn.Parameter(torch.zeros(config.reference_channels))
        # At the start the output is the linear guess alone. Training adds the rest.
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    @property
    def recomputed_blocks(self) -> list[nn.Module]:
        """The blocks of ConvNeXt."""
        return list(self.blocks)

    @property
    def reach(self) -> int:
        """The frames on either side of a frame that can change its prediction: half the receptive field."""
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
            drop: [batch] bool, true for utterances whose decode and reference the network must do without; without it,
                for none. The decode still shapes the noise.
        """
        inputs = self.target.seen(noisy, decode, lengths)  # [batch, bands, frames, inputs]
        mel = decode
        if drop is not None:
            mel = torch.where(drop[:, None, None], self.null_decode, decode)
            speaker = torch.where(drop[:, None], self.null_speaker, speaker.float())
        bands = self.target.bands
        conditions = torch.cat((time_features(t, self.config.channels), speaker.float()), dim=-1)
        modulation = self.condition(conditions).unflatten(-1, (3, -1)).repeat_interleave(bands, 0)
        mask = frame_mask(lengths, noisy.shape[1]).repeat_interleave(bands, 0)
        x = self.project_in(torch.cat((inputs, mel.unsqueeze(1).expand(-1, bands, -1, -1)), dim=-1))
        if bands > 1:
            x = x + self.band[:, None]
        x = x.flatten(0, 1)  # each band is a separate utterance from here on
        for block in self.blocks:
            x = run_block(block, self.recompute, x, modulation, mask)
        out = self.project_out(self.norm_out(x)).float().unflatten(0, (-1, bands))
        return self.target.answer(out, decode, lengths) + wiener_gain(t)[:, None, None] * noisy


def wiener_gain(t: torch.Tensor) -> torch.Tensor:
    """The factor of the best linear guess of x1 from (1 - t) * x0 + t * x1, where x0 and x1 have unit variance."""
    return t / (t.square() + (1 - t).square())
