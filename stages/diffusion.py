"""Stage 3: train the diffusion upsampler on decodes that the frozen DVAE makes on the fly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import model_validator
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, mel_of_magnitude, mel_spectrogram, stft
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.batches import Batch, pad_stack
from triforce_tts.models.diffusion import Diffusion, wiener_gain
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.load import load_dvae
from triforce_tts.models.targets import DiffusionConfig, noise_shape, to_target
from triforce_tts.presets import ITERATIONS
from triforce_tts.sampling.diffusion import upsample, utterance_noise
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet

from .clips import open_clips
from .dvae import CropSeconds, CropSettings, frames_of, random_crop
from .trainer.preview import Preview
from .trainer.settings import Count, RunSettings, Share, Weight
from .trainer.task import Losses, mean

NAME = "diffusion"
# The flow time at which the oracle starts: there the state already holds most of the recording itself.
ORACLE_TIME = 0.7
_LOG_FLOOR = 2e-3  # a magnitude below this is inaudible beside its neighbours


class ReferenceSettings(CropSettings):
    """Crops of the target and of the reference clip."""

    reference_seconds: CropSeconds
    # The share of samples that are conditioned on the true mel. They teach fine structure early.
    true_mel_share: Share = 0.25
    noise_share: Share = 0.25  # share of samples at flow time 0, where sampling starts and one-step sampling ends


class ConditionSettings(ReferenceSettings):
    """Crops, some of whose conditions are dropped."""

    # The share of samples without conditions. A share above 0 needs model.null_condition and allows guidance.
    drop_share: Share = 0.0


class UpsamplerSettings(Config):
    """The settings that training and distilling the upsampler have in common."""

    data: ReferenceSettings
    run: RunSettings


class DiffusionSettings(UpsamplerSettings):
    """The whole of ``configs/diffusion/*.yaml``."""

    model: DiffusionConfig
    data: ConditionSettings
    # The weight of the difference between the prediction for a crop and the prediction for its later part alone.
    consistency_weight: Weight = 0.0
    consistency_after: Count = 0  # the first so many steps are trained without the consistency loss
    # the weight of the magnitude error of a complex target; this error leaves the phase free
    magnitude_weight: Weight = 0.0
    magnitude_before: Share = 1.0  # the magnitude error is used for samples up to this flow time
    magnitude_after: Count = 0  # the first so many steps are trained without the magnitude error

    @model_validator(mode="after")
    def _check(self) -> "DiffusionSettings":
        if self.magnitude_weight and self.model.target != "complex":
            raise ValueError("magnitude_weight needs model.target 'complex': target 'magnitude' has no other error")
        if (self.data.drop_share > 0) != self.model.null_condition:
            raise ValueError("data.drop_share above 0 and model.null_condition go together")
        return self


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
class Conditions:
    """The states and conditions that the network is trained on, made from a batch of sound."""

    clean: torch.Tensor  # state at flow time 1, [batch, frames, width]
    noise: torch.Tensor  # state at flow time 0
    decode: torch.Tensor  # the DVAE's decode, or the true mel: [batch, frames, n_mels]
    reference: torch.Tensor  # mel of the reference clips
    lengths: torch.Tensor  # [batch] in frames
    reference_lengths: torch.Tensor


@torch.no_grad()
def make_conditions(batch: Upsampling, network: Diffusion, dvae: DVAE) -> Conditions:
    """States and conditions in float32; the DVAE encodes and decodes on the fly."""
    audio = network.audio
    with torch.autocast(batch.samples.device.type, enabled=False):
        lengths = frames_of(batch.lengths, audio)
        mel = mel_spectrogram(batch.samples, audio)
        dvae = dvae.to(mel.device)
        decoded = dvae.decode(dvae.encode(mel, lengths), lengths)[:, : mel.shape[1]]
        decode = torch.where(batch.true_mel[:, None, None], mel, decoded)
        clean = network.target.clean(batch.samples, decode, lengths)
        noise = network.target.noise(batch.white[:, : mel.shape[1]], decode, lengths)
        reference = mel_spectrogram(batch.reference, audio)
    return Conditions(clean, noise, decode, reference, lengths, frames_of(batch.reference_lengths, audio))


class DiffusionLosses(Losses):
    """The upsampler with its loss; the DVAE is frozen and is not trained.

    The settings can add two terms to the squared error. Consistency is the difference between the prediction for a crop
    and the prediction for its later part alone (the seed's translational regularisation). Magnitude is the error of a
    complex prediction's magnitudes, whatever its phase is: near the noise, the magnitudes are all that can be known.
    Each term begins after some steps, because the first predictions are too poor for it.
    """

    network: Diffusion

    def __init__(self, network: Diffusion, dvae: DVAE, settings: DiffusionSettings) -> None:
        super().__init__()
        self.network, self.settings = network, settings
        self._frozen = [
            dvae.requires_grad_(False).eval()
        ]  # a list hides the network from PyTorch, so that it is no submodule and is not trained

    def forward(self, batch: Upsampling) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Squared error of the predicted clean state, mean over bins, summed over real frames."""
        settings, target = self.settings, self.network.target
        conditions = make_conditions(batch, self.network, self._frozen[0])
        t = batch.times[:, None, None]
        noisy = (1 - t) * conditions.noise + t * conditions.clean
        speaker = self.network.reference(conditions.reference, conditions.reference_lengths)
        drop = batch.drop if self.network.config.null_condition else None
        predicted = self.network(noisy, batch.times, conditions.decode, speaker, conditions.lengths, drop)
        weight = target.time_weight(batch.times)[:, None]
        loss = error = (weight * target.error(predicted, conditions.clean, conditions.decode, conditions.lengths)).sum()
        logged: dict[str, torch.Tensor] = {}
        if settings.consistency_weight and self.step >= settings.consistency_after:
            cut = noisy.shape[1] // 3
            later = (conditions.lengths - cut).clamp_min(0)
            decode = conditions.decode[:, cut:]
            alone = self.network(noisy[:, cut:], batch.times, decode, speaker, later, drop)
            apart = target.error(alone, predicted[:, cut:].detach(), decode, later).sum()
            loss, logged["inconsistency"] = loss + settings.consistency_weight * apart, apart.detach()
        if settings.magnitude_weight and self.step >= settings.magnitude_after:
            early = batch.times <= settings.magnitude_before
            ours, theirs = predicted[early].flatten(1), conditions.clean[early].flatten(1)
            # A batch may have no sample with such an early flow time.
            off = magnitude_error(ours, theirs, self.network.audio).sum() if len(ours) else error.new_zeros(())
            loss, logged["magnitude"] = loss + settings.magnitude_weight * off, off.detach()
        return loss, {"error": error.detach(), **logged} if logged else {}


def magnitude_error(samples: torch.Tensor, recorded: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """How far the spectra of two sounds [batch, n] differ in magnitude, [batch]: one figure for each frame, summed.

    Mean difference of logarithms plus spectral convergence, over three resolutions (Yamamoto et al., "Parallel
    WaveGAN", 2020). Where both are silent, as past the end of a padded clip, it is 0.
    """
    with torch.autocast(samples.device.type, enabled=False):
        total = torch.zeros(len(samples), device=samples.device)
        for n_fft in (audio.n_fft // 4, audio.n_fft // 2, audio.n_fft):
            hop, window = n_fft // 4, torch.hann_window(n_fft, device=samples.device)
            # The square root has no derivative at 0, so something tiny is added to the power first.
            ours, theirs = (
                (torch.view_as_real(torch.stft(wave, n_fft, hop, window=window, return_complex=True)).square().sum(-1)
                 + 1e-9).sqrt()
                for wave in (samples.float(), recorded.float())
            )  # fmt: skip
            frames = hop / audio.hop_length  # samples between two spectra of this resolution
            logs = ((ours + _LOG_FLOOR).log() - (theirs + _LOG_FLOOR).log()).abs().mean(1).sum(1) * frames
            distance = (ours - theirs).square().sum((1, 2)).sqrt() / theirs.square().sum((1, 2)).sqrt()
            heard = (theirs.amax(1) > _LOG_FLOOR).sum(1) * frames
            total = total + (logs + distance * heard) / 3
        return total


class DiffusionTask:
    """Stage 3 for the loop."""

    name = NAME
    notes: tuple[str, ...] = ()
    parts: ClassVar[dict[str, type[Config]]] = {"model": DiffusionConfig}
    criterion = "loss"
    expected_first_loss = None

    def __init__(
        self,
        network: Diffusion,
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
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """The held-out figures, with the DVAE's decodes as the condition.

        ``error_N_step``: squared log-magnitude error in units of the magnitude target, from noise in N steps.
        ``oracle_gain_db``: how far the error of one prediction lies below the linear guess's where the recording has
        done 0.7 of the way. Whether a network denoises shows here long before it shows from noise.
        """
        assert isinstance(network, Diffusion)
        sums, frames = {1: 0.0, 4: 0.0}, 0
        guessed = predicted = 0.0
        for index in range(min(samples, len(self.heldout))):
            clip = self._heldout_clip(index, device)
            expected = to_target(clip.magnitude, clip.shape)
            for steps in sums:
                magnitude = network.target.magnitude(self._sampled(network, clip, steps, index), clip.decoded)
                sums[steps] += float((to_target(magnitude, clip.shape) - expected).square().mean(-1).sum())
            linear, better = self._oracle_errors(network, clip, index)
            guessed, predicted = guessed + linear, predicted + better
            frames += clip.magnitude.shape[1]
        figures = {f"error_{steps}_step": mean(total, frames) for steps, total in sums.items()}
        return {**figures, "oracle_gain_db": 10 * math.log10(max(guessed, 1e-12) / max(predicted, 1e-12))}

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """The spectrogram of the recording, of the DVAE's decode, and of the network's one step from that decode."""
        assert isinstance(network, Diffusion)
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

    def _oracle_errors(self, network: Diffusion, clip: Clip, seed: int) -> tuple[float, float]:
        """The errors of the linear guess and of the network at the oracle start, summed over frames."""
        lengths = lengths_of(clip)
        clean = network.target.clean(clip.samples, clip.decoded, lengths)
        white = utterance_noise([seed], lengths.tolist(), network.target.width).to(clean.device)
        noise = network.target.noise(white, clip.decoded, lengths)
        noisy = (1 - ORACLE_TIME) * noise + ORACLE_TIME * clean
        t = torch.tensor([ORACLE_TIME], device=clean.device)
        speaker = network.reference(clip.mel, lengths)
        guesses = (wiener_gain(t) * noisy, network(noisy, t, clip.decoded, speaker, lengths))
        linear, better = (float(network.target.error(g, clean, clip.decoded, lengths).sum()) for g in guesses)
        return linear, better

    def _sampled(self, network: nn.Module, clip: Clip, steps: int, seed: int) -> torch.Tensor:
        """The clean state of a held-out clip, from noise of ``seed``."""
        assert isinstance(network, Diffusion)
        lengths = lengths_of(clip)
        speaker = network.reference(clip.mel, lengths)
        return upsample(network, clip.decoded, speaker, lengths, [seed], steps)

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json."""
        return {"stage": NAME, "model": self.model.model_dump(mode="json")}

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {"data": self.train.fingerprint, "dvae": self.dvae_id}


def build(settings: DiffusionSettings, data: Sequence[Path], dvae: Path) -> DiffusionTask:
    """The task on the shards in ``data``, with the decodes of the DVAE at ``dvae``."""
    codec, audio = load_dvae(dvae)
    train, heldout = settings.data.open(data, "audio")
    network = Diffusion(settings.model, audio)
    losses = DiffusionLosses(network, codec, settings)
    dvae_id = checkpoint.read_lineage(dvae)["id"]
    return DiffusionTask(network, losses, settings, train, heldout, codec, dvae_id, settings.data.drop_share)
