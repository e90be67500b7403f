"""The DVAE: it turns mel frames into a few integers for each frame, and back.

The decoder is weak on purpose: it cannot invent anything, so the codes must hold everything that matters.
"""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional as F

from triforce_tts.models.layers import MaskedConv, Network, ResidualBlock, frame_mask, run_block
from triforce_tts.models.quantizer import GroupedFSQ, GroupedGumbel, GroupedVQ, Quantised
from triforce_tts.models.switched_conv import SwitchedConfig, convert, spread
from triforce_tts.schema import Config, Layers, Width

MOST_CODES = 1 << 20  # the most codes in a group; each code is a row of the GPT's table


class DVAEConfig(Config):
    """Sizes of the DVAE."""

    channels: Width
    downsampling: Annotated[int, Field(le=1024)]  # mel frames in a code frame; a power of two
    quantizer: Literal["fsq", "vq", "gumbel"] = "fsq"
    # The grid points of each dimension of a group's FSQ grid. Their product is the number of codes of any quantiser.
    levels: Annotated[tuple[Width, ...], Field(max_length=16)]
    code_dim: Width = 16  # numbers in the vector of a learnt code ('vq', 'gumbel')
    groups: Layers  # codes in a code frame
    blocks: Annotated[int, Field(ge=0, le=1024)]  # residual blocks at the code rate, in the encoder and in the decoder
    switched: SwitchedConfig | None = None  # the convolutions that have several kernels; None if there are none

    @model_validator(mode="after")
    def _check(self) -> "DVAEConfig":
        if self.downsampling < 1 or self.downsampling & (self.downsampling - 1):
            raise ValueError(f"downsampling must be a power of two, found {self.downsampling}")
        if math.prod(self.levels) > MOST_CODES:
            raise ValueError(f"levels {list(self.levels)} give more than {MOST_CODES} codes")
        if not self.levels or min(self.levels) < 3:  # the border between two levels would lie where tanh saturates
            raise ValueError(f"levels must be three or more each, found {list(self.levels)}")
        return self

    @property
    def n_codes(self) -> int:
        """The number of different codes in a group."""
        return math.prod(self.levels)


class DVAE(Network):
    """Convolutional autoencoder with a grouped quantiser in the middle.

    Norms go over the channels of one frame, and a mask follows every convolution. So a code depends on its receptive
    field alone, whatever else is in the batch.
    """

    def __init__(self, config: DVAEConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        halvings, width = int(math.log2(config.downsampling)), config.channels
        self.conv_in = MaskedConv(n_mels, width, 3)
        self.down = nn.ModuleList(MaskedConv(width, width, 3, stride=2) for _ in range(halvings))
        self.down_blocks = nn.ModuleList(ResidualBlock(width) for _ in range(halvings))
        self.encoder = nn.ModuleList(ResidualBlock(width) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.quantizer = make_quantizer(config)
        self.decoder = nn.ModuleList(ResidualBlock(width) for _ in range(config.blocks))
        self.up = nn.ModuleList(MaskedConv(width, width, 3) for _ in range(halvings))
        self.up_blocks = nn.ModuleList(ResidualBlock(width) for _ in range(halvings))
        self.norm_out = nn.LayerNorm(width)
        self.conv_out = MaskedConv(width, n_mels, 3)
        self.switched: tuple[str, ...] = ()  # names of the switched convolutions
        if config.switched is not None:
            chosen = config.switched
            self.switched = convert(self, chosen.names, chosen.breadth, chosen.selector, chosen.dropout)

    def taken_up(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The tensors of a DVAE in the form of this network; kernels that this network switches may be single there.

        Each such kernel is copied, and its selector starts as it is in this network.
        """
        own, weights = self.state_dict(), dict(tensors)
        for name in self.switched:
            kernel = weights.get(f"{name}.weight")
            if kernel is not None and kernel.dim() == own[f"{name}.weight"].dim() - 1:
                weights[f"{name}.weight"] = spread(kernel, len(own[f"{name}.weight"]))
                new = (key for key in own if key.startswith((f"{name}.selector.", f"{name}.norm.")))
                weights.update({key: own[key].clone() for key in new})
        return weights

    @property
    def decoder_reach(self) -> int:
        """The code frames on either side of a mel frame's own one that can change it: half the receptive field."""
        scale = self.config.downsampling
        # mel frames that the last convolution and the blocks at the code rate reach
        frames = 1 + len(self.decoder) * scale
        for _ in self.up:
            scale //= 2
            frames += 2 * scale  # a convolution and a block, each with three taps
        return -(-frames // self.config.downsampling)

    def code_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """The number of code frames of mel ``lengths`` [batch]; a code frame that is only begun counts."""
        return -(-lengths // self.config.downsampling)

    @property
    def recomputed_blocks(self) -> list[nn.Module]:
        """The residual blocks."""
        return [*self.down_blocks, *self.encoder, *self.decoder, *self.up_blocks]

    def _encode(self, mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The encoder's output [batch, code frames, channels], before it is quantised."""
        missing = -mel.shape[1] % self.config.downsampling
        x = F.pad(mel, (0, 0, 0, missing)) * frame_mask(lengths, mel.shape[1] + missing)
        mask = frame_mask(lengths, x.shape[1])
        x = self.conv_in(x, mask)
        for down, block in zip(self.down, self.down_blocks, strict=True):
            lengths = -(-lengths // 2)
            mask = frame_mask(lengths, x.shape[1] // 2)
            x = run_block(block, self.recompute, down(F.silu(x), mask), mask)
        for block in self.encoder:
            x = run_block(block, self.recompute, x, mask)
        out: torch.Tensor = self.norm(x)
        return out

    def encode(self, mel: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Codes [batch, code frames, groups] int64 of a standardised ``mel`` [batch, frames, n_mels].

        Args:
            mel: standardised log-mel; frames past an utterance's length may hold anything.
            lengths: frames of each utterance, [batch]; all of them without it. Codes past
                ``code_lengths(lengths)`` mean nothing.
        """
        codes: torch.Tensor = self.quantizer(self._encode(mel, _or_full(mel, lengths)))[1]
        return codes

    def decode(self, codes: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Mel [batch, code frames * downsampling, n_mels] of ``codes`` [batch, code frames, groups].

        ``lengths`` are mel frames, [batch]; the mel is zero past them.
        """
        frames = codes.shape[1] * self.config.downsampling
        if lengths is None:
            lengths = codes.new_full((codes.shape[0],), frames)
        return self._decode(self.quantizer.embed(codes), lengths)

    def _decode(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        scale = self.config.downsampling
        mask = frame_mask(-(-lengths // scale), x.shape[1])
        x = x * mask.to(x.dtype)
        for block in self.decoder:
            x = run_block(block, self.recompute, x, mask)
        for up, block in zip(self.up, self.up_blocks, strict=True):
            scale //= 2
            x = x.repeat_interleave(2, dim=1)
            mask = frame_mask(-(-lengths // scale), x.shape[1])
            x = run_block(block, self.recompute, up(x, mask), mask)
        out: torch.Tensor = self.conv_out(F.silu(self.norm_out(x)) * mask.to(x.dtype), mask)
        return out

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> Quantised:
        """Reconstruction [batch, frames, n_mels], codes [batch, code frames, groups], and the quantiser's penalty."""
        encoded = self._encode(mel, lengths)
        mask = frame_mask(self.code_lengths(lengths), encoded.shape[1])
        quantised, codes, penalty = self.quantizer(encoded, mask)
        return self._decode(quantised, lengths)[:, : mel.shape[1]], codes, penalty


def make_quantizer(config: DVAEConfig) -> GroupedFSQ | GroupedVQ | GroupedGumbel:
    """The quantiser that ``config`` names."""
    if config.quantizer == "fsq":
        return GroupedFSQ(config.channels, config.levels, config.groups)
    kind = GroupedVQ if config.quantizer == "vq" else GroupedGumbel
    return kind(config.channels, config.n_codes, config.groups, config.code_dim)


def _or_full(mel: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    return torch.full((mel.shape[0],), mel.shape[1], device=mel.device) if lengths is None else lengths
