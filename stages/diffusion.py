"""Stage 3: train the diffusion upsampler on decodes that the frozen DVAE makes on the fly."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, griffin_lim, mel_of_magnitude, mel_spectrogram, stft
from triforce_tts.batches import Batch, pad_stack
from triforce_tts.models.diffusion import Diffusion, DiffusionConfig, from_target, noise_shape, to_target
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.layers import frame_mask
from triforce_tts.models.load import load_dvae
from triforce_tts.sampling.diffusion import sample_euler, uniform_times
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet

from .dvae import CropSettings, frames_of, read_crop
from .loop import Losses
from .preview import Preview
from .settings import RunSettings

NAME = "diffusion"


class ReferenceSettings(CropSettings):
    """Crops of the target and of the reference clip."""

    reference_seconds: PositiveFloat
    true_mel_share: float = 0.25  # of samples conditioned on the true mel: they teach fine structure early
    drop_share: float = 0.0  # of samples without conditions; above 0 it needs model.null_condition, and allows guidance
    noise_share: float = 0.25  # of samples at time 0, where sampling starts and one-step sampling ends


class DiffusionSettings(Config):
    """The whole of ``configs/diffusion/*.yaml``."""

    model: DiffusionConfig
    data: ReferenceSettings
    run: RunSettings
    consistency_weight: NonNegativeFloat = 0.0  # of the difference between a crop and its later part alone
    consistency_after: NonNegativeInt = 0  # steps without it

    @model_validator(mode="after")
    def _check(self) -> "DiffusionSettings":
        if self.model.target != "magnitude":
            raise ValueError("model.target 'complex' cannot be trained yet; use 'magnitude'")
        if (self.data.drop_share > 0) != self.model.null_condition:
            raise ValueError("data.drop_share above 0 and model.null_condition go together")
        return self


@dataclass
class Upsampling(Batch):
    """Target crops and reference crops with lengths [batch] in samples, flow times, noise and which condition."""

    samples: torch.Tensor  # [batch, n]
    lengths: torch.Tensor
    reference: torch.Tensor  # [batch, m]
    reference_lengths: torch.Tensor
    times: torch.Tensor  # [batch]
    true_mel: torch.Tensor  # [batch] bool
    drop: torch.Tensor  # [batch] bool: without conditions
    noise: torch.Tensor  # [batch, frames, n_bins]


@dataclass(frozen=True)
class Crop:
    """One training sample."""

    samples: torch.Tensor
    reference: torch.Tensor
    time: float
    true_mel: bool
    drop: bool
    noise: torch.Tensor


@dataclass(frozen=True)
class Clip:
    """A whole held-out utterance, batch of one."""

    magnitude: torch.Tensor  # [1, frames, n_bins]
    mel: torch.Tensor  # [1, frames, n_mels]
    decoded: torch.Tensor  # by the DVAE
    shape: torch.Tensor  # of the noise


@dataclass(frozen=True)
class Conditions:
    """What the network is trained on, made from a batch of sound."""

    target: torch.Tensor  # [batch, frames, n_bins]
    decode: torch.Tensor  # by the DVAE, or the true mel: [batch, frames, n_mels]
    reference: torch.Tensor  # mel of the reference clips
    lengths: torch.Tensor  # [batch] in frames
    reference_lengths: torch.Tensor


@torch.no_grad()
def make_conditions(batch: Upsampling, audio: AudioConfig, dvae: DVAE) -> Conditions:
    """Targets and conditions in float32; the DVAE encodes and decodes on the fly."""
    with torch.autocast(batch.samples.device.type, enabled=False):
        magnitude = stft(batch.samples, audio).abs()
        lengths = frames_of(batch.lengths, audio)
        mel = mel_of_magnitude(magnitude, audio)
        dvae = dvae.to(mel.device)
        decoded = dvae.decode(dvae.encode(mel, lengths), lengths)[:, : mel.shape[1]]
        decode = torch.where(batch.true_mel[:, None, None], mel, decoded)
        target = to_target(magnitude, noise_shape(decode, audio))
        reference = mel_spectrogram(batch.reference, audio)
    return Conditions(target, decode, reference, lengths, frames_of(batch.reference_lengths, audio))


class DiffusionLosses(Losses):
    """The upsampler with its loss; the DVAE is frozen and no part of what is trained.

    Args:
        network: that is trained.
        dvae: whose decodes it learns to refine.
        consistency_weight: of the difference between what is predicted for a crop and for its later part alone (the
            seed's translational regularisation); 0: none.
        consistency_after: steps before that, in which there is nothing yet to be consistent.
    """

    network: Diffusion

    def __init__(
        self, network: Diffusion, dvae: DVAE, consistency_weight: float = 0.0, consistency_after: int = 0
    ) -> None:
        super().__init__()
        self.network = network
        self.consistency_weight, self.consistency_after = consistency_weight, consistency_after
        self._frozen = [dvae.requires_grad_(False).eval()]  # in a list, so that it is not a submodule

    def forward(self, batch: Upsampling) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Squared error of the predicted clean target, mean over bins, summed over real frames."""
        made = make_conditions(batch, self.network.audio, self._frozen[0])
        t, frames = batch.times[:, None, None], made.target.shape[1]
        noisy = (1 - t) * batch.noise[:, :frames] + t * made.target
        speaker = self.network.reference(made.reference, made.reference_lengths)
        drop = batch.drop if self.network.config.null_condition else None
        predicted = self.network(noisy, batch.times, made.decode, speaker, made.lengths, drop)
        error = squared_error(predicted, made.target, made.lengths)
        if not self.consistency_weight or self.step < self.consistency_after:
            return error, {}
        cut = frames // 3
        later = (made.lengths - cut).clamp_min(0)
        alone = self.network(noisy[:, cut:], batch.times, made.decode[:, cut:], speaker, later, drop)
        apart = squared_error(alone, predicted[:, cut:].detach(), later)
        return error + self.consistency_weight * apart, {"error": error.detach(), "inconsistency": apart.detach()}


def squared_error(predicted: torch.Tensor, target: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Squared difference of [batch, frames, n_bins], mean over bins, summed over real frames."""
    error = (predicted.float() - target.float()).square().mean(-1, keepdim=True)
    return (error * frame_mask(lengths, error.shape[1])).sum()


class DiffusionTask:
    """Stage 3 for the loop."""

    name = NAME
    parts: ClassVar[dict[str, type[Config]]] = {"model": DiffusionConfig}
    criterion = "loss"
    expected_first_loss = None

    def __init__(
        self,
        settings: DiffusionSettings,
        train: ShardSet,
        heldout: ShardSet,
        dvae: DVAE,
        audio: AudioConfig,
        dvae_id: str,
    ) -> None:
        self.settings, self.train, self.heldout = settings, train, heldout
        self.audio, self.dvae, self.dvae_id = audio, dvae, dvae_id
        self.module: Losses = DiffusionLosses(
            Diffusion(settings.model, audio), dvae, settings.consistency_weight, settings.consistency_after
        )
        self.durations_s = tuple(train.durations_s)
        self.keys = train.keys

    def sample(self, index: int, rng: torch.Generator) -> Crop:
        """A crop, a crop of another clip by its speaker, a flow time and noise."""
        data, rate = self.settings.data, self.audio.sample_rate
        samples = read_crop(self.train, index, rate, data.crop_seconds, rng)
        others = self.train.by_speaker[self.train.speakers[index]]
        other = others[int(torch.randint(len(others), (), generator=rng))]
        reference = read_crop(self.train, other, rate, data.reference_seconds, rng)
        draws = torch.rand(4, generator=rng).tolist()
        frames = self.audio.frames(len(samples))
        noise = torch.randn(frames, self.audio.n_bins, generator=rng)
        time = 0.0 if draws[0] < data.noise_share else draws[1]
        return Crop(samples, reference, time, draws[2] < data.true_mel_share, draws[3] < data.drop_share, noise)

    def collate(self, items: Sequence[Crop]) -> Upsampling:
        """A batch of crops."""
        return Upsampling(
            *pad_stack([item.samples for item in items]),
            *pad_stack([item.reference for item in items]),
            torch.tensor([item.time for item in items]),
            torch.tensor([item.true_mel for item in items]),
            torch.tensor([item.drop for item in items]),
            pad_stack([item.noise for item in items])[0],
        )

    def weight(self, batch: Upsampling) -> float:
        """Real frames."""
        return float(frames_of(batch.lengths, self.audio).sum())

    def seconds(self, batch: Upsampling) -> float:
        """Seconds of sound."""
        return float(batch.lengths.sum()) / self.audio.sample_rate

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """Held-out log-magnitude error in target units, from noise in one step and in four, DVAE decodes given."""
        sums, frames = {1: 0.0, 4: 0.0}, 0
        for index in range(min(samples, len(self.heldout))):
            clip = self._heldout_clip(index, device)
            for steps in sums:
                error = self._sampled(network, clip, steps, index) - to_target(clip.magnitude, clip.shape)
                sums[steps] += float(error.square().mean(-1).sum())
            frames += clip.magnitude.shape[1]
        return {f"error_{steps}_step": total / max(1, frames) for steps, total in sums.items()}

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """The spectrogram as recorded, as the DVAE's decode has it, and as it is made in one step from it."""
        clip = self._heldout_clip(index, device)
        made = from_target(self._sampled(network, clip, 1, index), clip.shape)
        spectrograms = {"recorded": clip.magnitude[0], "decoded": clip.shape[0], "made in one step": made[0]}
        return Preview(
            self.heldout.keys[index],
            {name: magnitude.clamp_min(1e-4).log() for name, magnitude in spectrograms.items()},
            {name.replace(" ", "-"): griffin_lim(magnitude, self.audio) for name, magnitude in spectrograms.items()},
            self.audio.sample_rate,
        )

    def _heldout_clip(self, index: int, device: torch.device) -> Clip:
        sound = decode_audio(self.heldout.payload(index), self.heldout.keys[index], self.audio.sample_rate)
        magnitude = stft(sound.samples[None].to(device), self.audio).abs()
        mel = mel_of_magnitude(magnitude, self.audio)
        decoded = self.dvae.decode(self.dvae.encode(mel))[:, : mel.shape[1]]
        return Clip(magnitude, mel, decoded, noise_shape(decoded, self.audio))

    def _sampled(self, network: nn.Module, clip: Clip, steps: int, seed: int) -> torch.Tensor:
        """The target of a held-out clip, from noise of ``seed``."""
        assert isinstance(network, Diffusion)
        device = clip.mel.device
        lengths = torch.tensor([clip.mel.shape[1]], device=device)
        speaker = network.reference(clip.mel, lengths)
        noise = torch.randn(clip.magnitude.shape, generator=torch.Generator().manual_seed(seed)).to(device)

        def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            clean: torch.Tensor = network(x, t, clip.decoded, speaker, lengths)
            return clean

        return sample_euler(predict, noise, uniform_times(steps))

    def config(self) -> dict[str, Any]:
        """What a checkpoint's config.json says."""
        return {"stage": NAME, "model": self.settings.model.model_dump(mode="json")}

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint, "dvae": self.dvae_id}


def build(settings: DiffusionSettings, data: Sequence[Path], dvae: Path) -> DiffusionTask:
    """The task on the shards in ``data``, with the decodes of the DVAE at ``dvae``."""
    network, audio = load_dvae(dvae)
    train, heldout = settings.data.open(data, "audio")
    return DiffusionTask(settings, train, heldout, network, audio, checkpoint.read_lineage(dvae)["id"])
