"""Training of stage 3 as a source and filters: pulses and noise learn to have the spectrum of a recording."""

import torch
from torch import nn
from torch.nn import functional as F

from triforce_tts.audio.fundamental import CLASSES, fundamental, pitch_class
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.layers import frame_mask
from triforce_tts.models.source_filter import SPLIT, Source, SourceFilter, source_grid

from .trainer.task import Losses, mean
from .upsampling import Upsampling, UpsamplingTask, make_inputs

# A pitch is learnt as a small hill over the classes, so wide that its neighbours count as nearly right.
_HILL = 1.5
# Shares in the loss beside the error of the spectrum, in nats.
_PITCH_WEIGHT, _VOICING_WEIGHT = 0.05, 0.2
_FLOOR = 2e-4  # of white noise with this deviation a listener hears nothing beside speech


class SourceLosses(Losses):
    """The network with its loss; the DVAE is frozen and is not trained.

    The filters are learnt under the melody of the recording, so that its partials and ours lie in the same places; the
    network that hears the melody learns beside it.
    """

    network: SourceFilter

    def __init__(self, network: SourceFilter, dvae: DVAE) -> None:
        super().__init__()
        self.network = network
        self._frozen = [dvae.requires_grad_(False).eval()]  # a list hides the network from PyTorch

    def forward(self, batch: Upsampling) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The error of the spectrum plus that of the melody, summed over real frames."""
        network, audio = self.network, self.network.audio
        given = make_inputs(batch, audio, self._frozen[0])
        mel_frames = given.decode.shape[1]
        hertz, voiced = melody_of(batch.samples, audio, mel_frames)
        speaker = network.reference(given.reference, given.reference_lengths).float()
        logits = network.melody(given.decode, speaker, frame_mask(given.lengths, mel_frames))
        pitch, voicing = melody_errors(logits, hertz, voiced)
        inside = frame_mask(given.lengths * SPLIT, SPLIT * mel_frames).squeeze(2) / SPLIT  # in mel frames
        pitch, voicing = (pitch * inside).sum(), (voicing * inside).sum()
        white = network.target.noise(batch.white[:, :mel_frames], given.decode, given.lengths)
        source = network.source(white, given.decode, hertz, voiced, speaker, given.lengths)
        sound = network.target.samples(source.state(), given.decode, 0)[:, : batch.samples.shape[1]]
        own = torch.arange(sound.shape[1], device=sound.device) < batch.lengths[:, None]
        spectrum = spectral_error(sound * own, batch.samples, audio).sum()
        loss = spectrum + _PITCH_WEIGHT * pitch + _VOICING_WEIGHT * voicing
        return loss, {"spectrum": spectrum.detach(), "pitch": pitch.detach(), "voicing": voicing.detach()}


def melody_of(samples: torch.Tensor, audio: AudioConfig, mel_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The pitch in Hz of recorded ``samples`` [batch, n], and whether it is voiced (1 or 0), [batch, F] each."""
    whole = F.pad(samples, (0, audio.samples(mel_frames) - samples.shape[1]))
    hertz = fundamental(whole, audio.sample_rate, source_grid(audio).hop)
    return hertz, (hertz > 0).float()


def melody_errors(logits: torch.Tensor, hertz: torch.Tensor, voiced: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The errors of ``logits`` [batch, F, CLASSES + 1] in each frame, in nats, [batch, F] each.

    The first is the cross-entropy of the pitch with a hill about the true one, 0 where nothing is ``voiced``; the second
    is that of the voicing.
    """
    place = pitch_class(hertz.clamp_min(1.0)).unsqueeze(2)
    classes = torch.arange(CLASSES, device=logits.device)
    hill = (-0.5 * ((classes - place) / _HILL).square()).softmax(-1)
    pitch = -(hill * logits[..., :-1].log_softmax(-1)).sum(-1) * voiced
    return pitch, F.binary_cross_entropy_with_logits(logits[..., -1], voiced, reduction="none")


def spectral_error(samples: torch.Tensor, recorded: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """How far the spectra of two sounds [batch, n] differ, in nats, summed over mel frames: [batch].

    The mean difference of log-magnitudes over bins, over four lengths of window (Yamamoto et al., "Parallel WaveGAN",
    2020, without the linear part, which noise pulls down). Where both are silent it is 0, whatever the padding.
    """
    with torch.autocast(samples.device.type, enabled=False):
        total = torch.zeros(len(samples), device=samples.device)
        for n_fft in (audio.n_fft // 8, audio.n_fft // 4, audio.n_fft // 2, audio.n_fft):
            ours, theirs = (_log_spectrum(wave, n_fft) for wave in (samples.float(), recorded.float()))
            frames = (n_fft // 4) / audio.hop_length  # mel frames between two spectra of this length
            total = total + (ours - theirs).abs().mean(1).sum(1) * (frames / 4)
        return total


def _log_spectrum(samples: torch.Tensor, n_fft: int) -> torch.Tensor:
    """Log-magnitudes [batch, bins, frames] in units of white noise of variance 1, with a floor.

    All windows that touch the sound are there, so that silence behind it adds nothing.
    """
    window = torch.hann_window(n_fft, device=samples.device)
    samples = F.pad(samples, (0, n_fft))
    spectrum = torch.stft(
        samples,
        n_fft,
        n_fft // 4,
        window=window / window.square().sum().sqrt(),
        pad_mode="constant",
        return_complex=True,
    )
    # The square root has no derivative at 0, so something tiny is added to the power first.
    return ((torch.view_as_real(spectrum).square().sum(-1) + 1e-10).sqrt() + _FLOOR).log()


class SourceTask(UpsamplingTask):
    """A source with filters for the loop."""

    errors = ("spectrum", "pitch_off", "voicing_off")

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """The held-out figures, with the DVAE's decodes as the condition and the melody that the network hears.

        ``spectrum``: the error of the spectrum in nats, as the network speaks: with its sharpness. ``pitch_off``: the
        share of the frames that are voiced in both where the pitch is off by more than half a semitone.
        ``voicing_off``: the share of frames whose voicing differs.
        """
        assert isinstance(network, SourceFilter)
        spectrum, frames, off, both, differs, all_frames = 0.0, 0, 0.0, 0.0, 0.0, 0
        for index in range(min(samples, len(self.heldout))):
            clip = self._heldout_clip(index, device)
            state = self._sampled(network, clip, 1, index)
            sound = network.target.samples(state, clip.decoded, 0)
            spectrum += float(spectral_error(sound[:, : clip.samples.shape[1]], clip.samples, self.audio))
            frames += clip.mel.shape[1]
            hertz, voiced = melody_of(clip.samples, self.audio, clip.mel.shape[1])
            made = Source.of_state(state, self.audio)
            together = voiced * made.voiced
            semitones = 12 * (made.hertz / hertz.clamp_min(1.0)).log2().abs()
            off, both = off + float(((semitones > 0.5) * together).sum()), both + float(together.sum())
            differs, all_frames = differs + float((voiced != made.voiced).sum()), all_frames + voiced.numel()
        return {
            "spectrum": mean(spectrum, frames), "pitch_off": mean(off, both), "voicing_off": mean(differs, all_frames)
        }  # fmt: skip
