"""What the two kinds of stage 3 share in training: crops of sound with references, and decodes that the DVAE makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, mel_of_magnitude, mel_spectrogram, stft
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.batches import Batch, pad_stack
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.targets import DiffusionConfig, noise_shape
from triforce_tts.models.upsampler import Upsampler
from triforce_tts.presets import ITERATIONS
from triforce_tts.sampling.diffusion import upsample
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet

from .clips import open_clips, rate_notes
from .dvae import CropSeconds, CropSettings, frames_of, random_crop
from .trainer.preview import Preview
from .trainer.settings import RunSettings, Share
from .trainer.task import Losses

NAME = "diffusion"


class ReferenceSettings(CropSettings):
    """Crops of the target and of the reference clip."""

    reference_seconds: CropSeconds
    # The share of samples that are conditioned on the true mel. They teach fine structure early.
    true_mel_share: Share = 0.25
    # For flows: the share of samples at flow time 0, where sampling starts and one-step sampling ends.
    noise_share: Share = 0.25


class UpsamplerSettings(Config):
    """The settings that training and distilling the upsampler have in common."""

    data: ReferenceSettings
    run: RunSettings


@dataclass
class Upsampling(Batch):
    """Crops of targets and references with their lengths [batch] in samples, flow times, noise, and conditions."""

    samples: torch.Tensor  # [batch, n]
    lengths: torch.Tensor
    reference: torch.Tensor  # [batch, m]
    reference_lengths: torch.Tensor
    times: torch.Tensor  # [batch]
    true_mel: torch.Tensor  # [batch] bool
    drop: torch.Tensor  # [batch] bool: samples whose conditions are dropped
    white: torch.Tensor  # standard normal, [batch, frames, width of the state]


@dataclass(frozen=True)
class Crop:
    """One training sample."""

    samples: torch.Tensor
    reference: torch.Tensor
    time: float
    true_mel: bool
    drop: bool
    white: torch.Tensor


@dataclass(frozen=True)
class Clip:
    """A whole held-out utterance, batch of one."""

    samples: torch.Tensor  # [1, n]
    magnitude: torch.Tensor  # [1, frames, n_bins]
    mel: torch.Tensor  # [1, frames, n_mels]
    decoded: torch.Tensor  # the DVAE's decode of the mel
    shape: torch.Tensor  # the shape of the noise


def lengths_of(clip: Clip) -> torch.Tensor:
    """The number of frames of ``clip``, [1]."""
    return torch.tensor([clip.mel.shape[1]], device=clip.mel.device)


@dataclass(frozen=True)
class Inputs:
    """What stage 3 is given of a batch of sound."""

    decode: torch.Tensor  # the DVAE's decode, or the true mel: [batch, frames, n_mels]
    reference: torch.Tensor  # mel of the reference clips
    lengths: torch.Tensor  # [batch] in frames
    reference_lengths: torch.Tensor


@torch.no_grad()
def make_inputs(batch: Upsampling, audio: AudioConfig, dvae: DVAE) -> Inputs:
    """The inputs in float32; the DVAE encodes and decodes on the fly."""
    with torch.autocast(batch.samples.device.type, enabled=False):
        lengths = frames_of(batch.lengths, audio)
        mel = mel_spectrogram(batch.samples, audio)
        dvae = dvae.to(mel.device)
        decoded = dvae.decode(dvae.encode(mel, lengths), lengths)[:, : mel.shape[1]]
        decode = torch.where(batch.true_mel[:, None, None], mel, decoded)
        reference = mel_spectrogram(batch.reference, audio)
    return Inputs(decode, reference, lengths, frames_of(batch.reference_lengths, audio))


class UpsamplingTask:
    """What both kinds of stage 3 have in common for the loop; a kind adds its losses and its held-out figures."""

    name = NAME
    notes: tuple[str, ...] = ()
    parts: ClassVar[dict[str, type[Config]]] = {"model": DiffusionConfig}
    criterion = "loss"
    errors: tuple[str, ...] = ()
    expected_first_loss = None

    def __init__(
        self,
        network: Upsampler,
        losses: Losses,
        settings: UpsamplerSettings,
        train: ShardSet,
        heldout: ShardSet,
        dvae: DVAE,
        dvae_id: str,
        drop_share: float = 0.0,
    ) -> None:
        self.module, self.settings, self.train, self.heldout = losses, settings, train, heldout
        self.model, self.audio = network.config, network.audio
        self.dvae, self.dvae_id, self.drop_share = dvae, dvae_id, drop_share
        self.notes = rate_notes(train, self.audio.sample_rate)
        self.clips = open_clips(train, self.audio.sample_rate, settings.data.in_memory)
        self._width = network.target.width
        self.durations_s = tuple(train.durations_s)
        self.keys = train.keys

    def sample(self, index: int, rng: torch.Generator) -> Crop:
        """A crop, a crop of another clip by its speaker, a flow time and noise."""
        data = self.settings.data
        samples = random_crop(self.train, self.clips, index, data.crop_seconds, rng)
        others = self.train.by_speaker[self.train.speakers[index]]
        other = others[int(torch.randint(len(others), (), generator=rng))]
        reference = random_crop(self.train, self.clips, other, data.reference_seconds, rng)
        draws = torch.rand(4, generator=rng).tolist()
        frames = self.audio.frames(len(samples))
        white = torch.randn(frames, self._width, generator=rng)
        time = 0.0 if draws[0] < data.noise_share else draws[1]
        return Crop(samples, reference, time, draws[2] < data.true_mel_share, draws[3] < self.drop_share, white)

    def length(self, index: int, rng: torch.Generator) -> float:
        """The recording's length in seconds."""
        return self.durations_s[index]

    def collate(self, items: Sequence[Crop]) -> Upsampling:
        """A batch of crops."""
        return Upsampling(
            *pad_stack([item.samples for item in items]),
            *pad_stack([item.reference for item in items]),
            torch.tensor([item.time for item in items]),
            torch.tensor([item.true_mel for item in items]),
            torch.tensor([item.drop for item in items]),
            pad_stack([item.white for item in items])[0],
        )

    def weight(self, batch: Upsampling) -> float:
        """The number of real frames, without padding."""
        return float(frames_of(batch.lengths, self.audio).sum())

    def seconds(self, batch: Upsampling) -> float:
        """The seconds of sound in the batch."""
        return float(batch.lengths.sum()) / self.audio.sample_rate

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """The spectrogram of the recording, of the DVAE's decode, and of the network's one step from that decode."""
        assert isinstance(network, Upsampler)
        clip = self._heldout_clip(index, device)
        state = self._sampled(network, clip, 1, index)
        magnitude = network.target.magnitude(state, clip.decoded)
        spectrograms = {"recorded": clip.magnitude[0], "decoded": clip.shape[0], "made in one step": magnitude[0]}
        sounds = {name: griffin_lim(spectrograms[name], self.audio) for name in ("recorded", "decoded")}
        sounds["made-in-one-step"] = network.target.samples(state, clip.decoded, ITERATIONS)[0]
        return Preview(
            self.heldout.keys[index],
            {name: value.clamp_min(1e-4).log() for name, value in spectrograms.items()},
            sounds,
            self.audio.sample_rate,
        )

    def _heldout_clip(self, index: int, device: torch.device) -> Clip:
        sound = decode_audio(self.heldout.payload(index), self.heldout.keys[index], self.audio.sample_rate)
        samples = sound.samples[None].to(device)
        magnitude = stft(samples, self.audio).abs()
        mel = mel_of_magnitude(magnitude, self.audio)
        decoded = self.dvae.decode(self.dvae.encode(mel))[:, : mel.shape[1]]
        return Clip(samples, magnitude, mel, decoded, noise_shape(decoded, self.audio))

    def _sampled(self, network: nn.Module, clip: Clip, steps: int, seed: int) -> torch.Tensor:
        """The clean state of a held-out clip, from noise of ``seed``."""
        assert isinstance(network, Upsampler)
        lengths = lengths_of(clip)
        speaker = network.reference(clip.mel, lengths)
        return upsample(network, clip.decoded, speaker, lengths, [seed], steps)

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json."""
        return {"stage": NAME, "model": self.model.model_dump(mode="json")}

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint, "dvae": self.dvae_id}
