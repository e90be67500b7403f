"""Stage 3: train the upsampler on decodes that the frozen DVAE makes on the fly. The flow's losses are here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import model_validator
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion, wiener_gain
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.load import load_dvae
from triforce_tts.models.source_filter import SourceFilter
from triforce_tts.models.targets import DiffusionConfig, to_target
from triforce_tts.models.upsampler import make_upsampler
from triforce_tts.sampling.diffusion import utterance_noise

from .source_filter import SourceLosses, SourceTask
from .trainer.settings import Count, Share, Weight
from .trainer.task import Losses, mean
from .upsampling import (
    NAME,
    Clip,
    Inputs,
    ReferenceSettings,
    UpsamplerSettings,
    Upsampling,
    UpsamplingTask,
    lengths_of,
    make_inputs,
)

__all__ = ["NAME", "DiffusionLosses", "DiffusionSettings", "DiffusionTask", "build"]

# The flow time at which the oracle starts: there the state already holds most of the recording itself.
ORACLE_TIME = 0.7
_LOG_FLOOR = 2e-3  # a magnitude below this is inaudible beside its neighbours


class ConditionSettings(ReferenceSettings):
    """Crops, some of whose conditions are dropped."""

    # The share of samples without conditions. A share above 0 needs model.null_condition and allows guidance.
    drop_share: Share = 0.0


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
            raise ValueError(f"magnitude_weight needs model.target 'complex'; with '{self.model.target}' set it to 0")
        if self.run.compile and self.model.target == "source":
            raise ValueError("run.compile compiles the call of a flow; with model.target 'source' set it to false")
        if self.consistency_weight and self.model.target == "source":
            raise ValueError("consistency_weight belongs to a flow: with model.target 'source' set it to 0")
        if (self.data.drop_share > 0) != self.model.null_condition:
            raise ValueError("data.drop_share above 0 and model.null_condition go together")
        return self


@dataclass(frozen=True)
class Conditions(Inputs):
    """The inputs and the two ends of the flow."""

    clean: torch.Tensor  # state at flow time 1, [batch, frames, width]
    noise: torch.Tensor  # state at flow time 0


@torch.no_grad()
def make_conditions(batch: Upsampling, network: Diffusion, dvae: DVAE) -> Conditions:
    """States and inputs in float32."""
    given = make_inputs(batch, network.audio, dvae)
    with torch.autocast(batch.samples.device.type, enabled=False):
        clean = network.target.clean(batch.samples, given.decode, given.lengths)
        noise = network.target.noise(batch.white[:, : given.decode.shape[1]], given.decode, given.lengths)
    return Conditions(given.decode, given.reference, given.lengths, given.reference_lengths, clean, noise)


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


class DiffusionTask(UpsamplingTask):
    """A flow for the loop."""

    errors: tuple[str, ...] = ("error_1_step", "error_4_step")

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


def build(settings: DiffusionSettings, data: Sequence[Path], dvae: Path) -> UpsamplingTask:
    """The task on the shards in ``data``, with the decodes of the DVAE at ``dvae``."""
    codec, audio = load_dvae(dvae)
    train, heldout = settings.data.open(data, "audio")
    dvae_id = checkpoint.read_lineage(dvae)["id"]
    network = make_upsampler(settings.model, audio)
    if isinstance(network, SourceFilter):
        return SourceTask(network, SourceLosses(network, codec), settings, train, heldout, codec, dvae_id)
    losses = DiffusionLosses(network, codec, settings)
    return DiffusionTask(network, losses, settings, train, heldout, codec, dvae_id, settings.data.drop_share)
