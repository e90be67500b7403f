"""Stage 1: train the DVAE on crops of speech. The loss is the mean absolute mel error, in nats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field, model_validator
from torch import nn

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, envelope, log_mel_nats, mel_spectrogram
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.audio.warp import WarpSettings, draw_warp, warp_mel
from triforce_tts.batches import Batch, pad_stack
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.layers import frame_mask
from triforce_tts.models.switched_conv import selections
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet

from .clips import Clips, open_clips, rate_notes
from .codes import MOST_CODES
from .neighbours import embed_frames, neighbour_figures
from .trainer.preview import Preview
from .trainer.settings import Count, DataSettings, RunSettings, Weight
from .trainer.task import Losses, mean

NAME = "dvae"

CropSeconds = Annotated[float, Field(ge=0.1, le=600, allow_inf_nan=False)]


class CropSettings(DataSettings):
    """The settings of crops, for the stages that learn from sound."""

    crop_seconds: CropSeconds
    # Decode all clips once and keep them in memory, with 16 bits for each sample. This helps devices that wait for the
    # data.
    in_memory: bool = False


class DVAESettings(Config):
    """The whole of ``configs/dvae/*.yaml``."""

    audio: AudioConfig
    model: DVAEConfig
    data: CropSettings
    run: RunSettings
    # The number of held-out frames whose nearest neighbours among the codes are compared, by speaker and by phone; 0:
    # none.
    neighbours: Count = 0
    warp: WarpSettings = Field(default_factory=WarpSettings)  # how the mels for training are bent (augmentation)
    mse_weight: Weight = 0.5  # weight of the squared error beside the absolute one; it reduces the largest errors

    @model_validator(mode="after")
    def _check(self) -> "DVAESettings":
        if self.model.switched is not None and self.run.recompute:
            raise ValueError(
                "run.recompute computes forward passes twice, and model.switched counts how often each kernel is chosen: "
                "set run.recompute=false"
            )
        if math.prod(self.model.levels) > MOST_CODES:
            raise ValueError(
                f"model.levels {list(self.model.levels)} give {math.prod(self.model.levels)} codes a group, and coded shards "
                f"can hold {MOST_CODES}: lower model.levels, or raise model.groups"
            )
        return self


@dataclass
class Sounds(Batch):
    """Crops of speech: ``samples`` [batch, n], their ``lengths`` [batch] in samples, and how their mels are bent."""

    samples: torch.Tensor
    lengths: torch.Tensor
    moves: torch.Tensor  # [batch, 2, knots], see ``warp_mel``; without knots nothing is bent


def random_crop(shards: ShardSet, clips: Clips, index: int, seconds: float, rng: torch.Generator) -> torch.Tensor:
    """A random crop [n] of sample ``index``; the whole clip when it is shorter."""
    spare = max(0.0, shards.durations_s[index] - seconds)
    start_s = float(torch.rand((), generator=rng)) * spare
    return clips.crop(index, start_s, seconds)


class DVAELosses(Losses):
    """The DVAE with its reconstruction loss."""

    network: DVAE

    def __init__(self, network: DVAE, audio: AudioConfig, mse_weight: float) -> None:
        super().__init__()
        self.network, self.audio, self.mse_weight = network, audio, mse_weight

    def forward(self, batch: Sounds) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Summed over real frames: the loss (mean over mels a frame, nats), and the absolute error alone."""
        with torch.autocast(batch.samples.device.type, enabled=False):
            mel = mel_spectrogram(batch.samples, self.audio)
            lengths = frames_of(batch.lengths, self.audio)
            if batch.moves.shape[-1]:
                mel = warp_mel(mel, lengths, batch.moves)
        decoded, _, penalty = self.network(mel, lengths)
        error = (decoded.float() - mel) * frame_mask(lengths, mel.shape[1])
        absolute = error.abs().mean(-1).sum() * self.audio.mel_std
        squared = error.square().mean(-1).sum()
        # The penalty is a sum over code frames and the loss a sum over mel frames, so the penalty is scaled.
        penalty = penalty.float() * self.network.config.downsampling
        return absolute + self.mse_weight * squared + penalty, {"l1": absolute.detach()}


def frames_of(lengths: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """The numbers of frames of clips of ``lengths`` samples."""
    return -(-lengths // audio.hop_length)


def collate_sounds(items: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> Sounds:
    """Crops padded to the longest, with the moves of their warps."""
    return Sounds(*pad_stack([crop for crop, _ in items]), torch.stack([moves for _, moves in items]))


class DVAETask:
    """Stage 1 for the loop."""

    name = NAME
    notes: tuple[str, ...] = ()
    parts: ClassVar[dict[str, type[Config]]] = {"audio": AudioConfig, "model": DVAEConfig}
    criterion = "l1"
    expected_first_loss = None

    def __init__(self, settings: DVAESettings, train: ShardSet, heldout: ShardSet) -> None:
        self.settings, self.train, self.heldout = settings, train, heldout
        self.errors = ("l1", "neighbour_phone") if settings.neighbours else ("l1",)
        self.notes = rate_notes(train, settings.audio.sample_rate)
        self.clips = open_clips(train, settings.audio.sample_rate, settings.data.in_memory)
        network = DVAE(settings.model, settings.audio.n_mels)
        self.module = DVAELosses(network, settings.audio, settings.mse_weight)
        self.durations_s = tuple(train.durations_s)
        self.keys = train.keys

    def sample(self, index: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """A random crop, and the moves of its warp."""
        crop = random_crop(self.train, self.clips, index, self.settings.data.crop_seconds, rng)
        return crop, draw_warp(self.settings.warp, rng)

    def length(self, index: int, rng: torch.Generator) -> float:
        """The recording's length in seconds."""
        return self.durations_s[index]

    def collate(self, items: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> Sounds:
        """A batch of crops."""
        return collate_sounds(items)

    def weight(self, batch: Sounds) -> float:
        """The number of real frames, without padding."""
        return float(frames_of(batch.lengths, self.settings.audio).sum())

    def seconds(self, batch: Sounds) -> float:
        """The seconds of sound in the batch."""
        return float(batch.lengths.sum()) / self.settings.audio.sample_rate

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """Held-out L1 in nats, and how the codes are used, over whole utterances."""
        assert isinstance(network, DVAE)
        audio, most = self.settings.audio, self.settings.neighbours
        figures = measure(network, audio, self.heldout, device, samples)
        if most:
            frames, _ = embed_frames(network, audio, self.heldout, device, samples)
            figures |= neighbour_figures(frames, most)
        return figures

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """The mel of the recording and of its reconstruction, and the sound of both by Griffin-Lim."""
        assert isinstance(network, DVAE)
        audio = self.settings.audio
        sound = decode_audio(self.heldout.payload(index), self.heldout.keys[index], audio.sample_rate).samples
        mel = mel_spectrogram(sound[None].to(device), audio)
        with selections(network) as chosen:
            decoded = network.decode(network.encode(mel))[:, : mel.shape[1]]
        return Preview(
            self.heldout.keys[index],
            {"recorded": log_mel_nats(mel[0], audio), "decoded": log_mel_nats(decoded[0], audio)},
            {
                "recorded": griffin_lim(envelope(mel[0], audio), audio),
                "decoded": griffin_lim(envelope(decoded[0], audio), audio),
            },
            audio.sample_rate,
            {name: index[0] for name, index in chosen.items()},
        )

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json."""
        return {
            "stage": NAME,
            "audio": self.settings.audio.model_dump(mode="json"),
            "model": self.settings.model.model_dump(mode="json"),
        }

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint}


@torch.no_grad()
def measure(
    network: DVAE, audio: AudioConfig, heldout: ShardSet, device: torch.device, samples: int
) -> dict[str, float]:
    """L1 (nats) and code statistics over the first ``samples`` utterances of ``heldout``, whole.

    ``use`` is the share of all codes of a group that occur, the worst group's; ``perplexity`` is exp of the entropy
    of the codes, the mean over groups; ``bits_per_second`` is what those entropies cost at the code rate.
    """
    config = network.config
    counts = torch.zeros(config.groups, config.n_codes, dtype=torch.long)
    total, frames = 0.0, 0
    for index in range(min(samples, len(heldout))):
        sound = decode_audio(heldout.payload(index), heldout.keys[index], audio.sample_rate).samples.to(device)
        mel = mel_spectrogram(sound[None], audio)
        codes = network.encode(mel)
        decoded = network.decode(codes)[:, : mel.shape[1]]
        total += float((decoded - mel).abs().mean(-1).sum()) * audio.mel_std
        frames += mel.shape[1]
        for group in range(config.groups):
            counts[group] += torch.bincount(codes[..., group].flatten().cpu(), minlength=config.n_codes)
    share = counts.double() / counts.sum(-1, keepdim=True).clamp_min(1)
    entropy = -(share * share.clamp_min(1e-12).log()).sum(-1)  # nats, [groups]
    code_rate = audio.frame_rate / config.downsampling
    return {
        "l1": mean(total, frames),
        "use": float((counts > 0).double().mean(-1).min()),
        "perplexity": float(entropy.exp().mean()),
        "bits_per_second": float(entropy.sum()) / math.log(2) * code_rate,
        "tokens_per_code": float(counts[0].sum()) / config.n_codes,
    }


def build(settings: DVAESettings, data: Sequence[Path]) -> DVAETask:
    """The task on the shards in ``data``."""
    train, heldout = settings.data.open(data, "audio")
    return DVAETask(settings, train, heldout)
