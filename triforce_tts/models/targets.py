"""What the flow of stage 3 carries from noise to speech: the state of every frame, and what the network sees of it.

A state is [batch, frames, width], the same for noise, for what lies between, and for the clean end. Samplers and
losses know nothing more. Two kinds:

- ``magnitude``: the log-magnitude of each STFT bin, relative to the envelope that the decode stands for. Phase comes
  from Griffin-Lim.
- ``complex``: the wave itself, a hop of samples a frame. The network sees its STFT, cut into bands that share one
  set of weights, and answers with an STFT; one inverse STFT makes that a wave.

Either way the decode shapes the noise: where it is silent, so is the noise. Nothing is global over time.
"""

from typing import Annotated, Literal, Protocol

import torch
from pydantic import Field, model_validator
from torch.nn import functional as F

from triforce_tts.audio.mel import AudioConfig, envelope, griffin_lim, istft, mel_filters, stft
from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import frame_mask
from triforce_tts.schema import Config, Kernel, Layers, Width

# The log-magnitude target is about standard normal with these two (measured on 150 utterances of one reader; nats).
_TARGET_SHIFT, _TARGET_SCALE = 0.4, 0.9
_MAGNITUDE_FLOOR = 2e-3  # added before the logarithm: quieter bins are inaudible beside their neighbours
# RMS of bins over their envelope: 1.1 of the true mel's, 1.6 of a DVAE decode's (60 utterances of many readers).
_COMPLEX_GAIN = 1.3
_LOUDEST_WEIGHT, _QUIETEST_WEIGHT = 4.0, 0.05  # of a bin in the error, where the mean bin has 1


class DiffusionConfig(Config):
    """Sizes of the diffusion upsampler and what it predicts."""

    target: Literal["magnitude", "complex"]
    channels: Width  # of each band
    hidden: Width  # width inside a block
    blocks: Layers
    kernel_size: Kernel
    reference_channels: Width
    null_condition: bool = False  # learns to do without decode and reference where they are dropped: for guidance
    bands: Layers = 1  # that the bins of a complex spectrum are cut into
    band_overlap: Annotated[int, Field(ge=0, le=1024)] = 0  # bins of its neighbours, to either side, that a band sees

    @model_validator(mode="after")
    def _check(self) -> "DiffusionConfig":
        if self.target == "magnitude" and (self.bands > 1 or self.band_overlap):
            raise ValueError("bands and band_overlap belong to target 'complex'; target 'magnitude' has one band")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd to be centred on its frame, found {self.kernel_size}")
        return self


def noise_shape(decode: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """Magnitude envelope [batch, frames, n_bins] of a decode [batch, frames, n_mels]: what targets are relative to."""
    with torch.autocast(decode.device.type, enabled=False):
        return envelope(decode.float(), audio)


def to_target(magnitude: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """Log of ``magnitude`` over ``shape`` (same size), about standard normal."""
    ratio = (magnitude + _MAGNITUDE_FLOOR).log() - (shape + _MAGNITUDE_FLOOR).log()
    return (ratio + _TARGET_SHIFT) / _TARGET_SCALE


def from_target(target: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """The magnitude whose ``to_target`` is ``target``."""
    ratio = target * _TARGET_SCALE - _TARGET_SHIFT
    return (ratio.exp() * (shape + _MAGNITUDE_FLOOR) - _MAGNITUDE_FLOOR).clamp_min(0.0)


def _overlap(audio: AudioConfig) -> int:
    """Frames on either side whose windows overlap a frame's: an STFT and an inverse STFT together reach so far."""
    return audio.n_fft // audio.hop_length - 1


def phase_reach(audio: AudioConfig, iterations: int) -> int:
    """Frames on either side of a frame's samples that ``griffin_lim`` looks at.

    An iteration is an inverse STFT and an STFT; one more inverse STFT follows, which reaches half a window.
    """
    return iterations * _overlap(audio) + -(-audio.n_fft // (2 * audio.hop_length))


class Target(Protocol):
    """A kind of state. ``decode`` is the standardised mel [batch, frames, n_mels], ``lengths`` the frames [batch]."""

    width: int  # numbers of a frame's state
    bands: int
    inputs: int  # numbers of a band that the network sees, a frame
    outputs: int  # numbers of a band that it answers with
    reach: int  # frames on either side that ``seen`` and ``answer`` together, or ``noise``, look at

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The state at flow time 0 of standard normal ``white`` [batch, frames, width]."""
        ...

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """[batch, frames, n_bins] or its complex like, of unit variance where ``noise`` is what ``noise()`` makes."""
        ...

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The state at flow time 1 of recorded ``samples`` [batch, n]."""
        ...

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """What the network sees of a state: [batch, bands, frames, inputs]."""
        ...

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """State [batch, frames, width] that the network's ``out`` [batch, bands, frames, outputs] stands for."""
        ...

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """Squared difference of two states, mean over bins, of each frame: [batch, frames], 0 past the ends."""
        ...

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """Weight of the error at flow time ``t`` [batch] in training."""
        ...

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """Magnitude spectrogram [batch, frames, n_bins] of a clean state."""
        ...

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """Samples [batch, frames * hop_length] of a clean state."""
        ...

    def phase_reach(self, phase_iterations: int) -> int:
        """Frames on either side that ``samples`` looks at."""
        ...


class MagnitudeTarget:
    """Log-magnitudes; as wide as the spectrum."""

    bands = 1
    reach = 0

    def __init__(self, audio: AudioConfig) -> None:
        self.audio = audio
        self.width = self.inputs = self.outputs = audio.n_bins

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """White: relative to the envelope, noise of its shape is white."""
        return white * frame_mask(lengths, white.shape[1])

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """As it is."""
        return noise * frame_mask(lengths, noise.shape[1])

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Log-magnitudes relative to the decode's envelope."""
        return to_target(stft(samples, self.audio).abs(), noise_shape(decode, self.audio))

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """All of it, in one band."""
        return state.unsqueeze(1)

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """All of it."""
        return out.squeeze(1)

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """In units of the target: about 0.9 nats."""
        square = (state.float() - other.float()).square().mean(-1)
        return square * frame_mask(lengths, square.shape[1]).squeeze(-1)

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """The same at all times."""
        return torch.ones_like(t)

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """The inverse of the logarithm."""
        return from_target(state, noise_shape(decode, self.audio))

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """Phase by Griffin-Lim."""
        return griffin_lim(self.magnitude(state, decode), self.audio, phase_iterations)

    def phase_reach(self, phase_iterations: int) -> int:
        """Griffin-Lim's."""
        return phase_reach(self.audio, phase_iterations)


class ComplexTarget:
    """The wave, seen as bands of its complex spectrum relative to the envelope.

    RFWave (Liu et al., 2024) cuts the spectrum so; the wave as state makes every noisy spectrum one that a wave has.
    """

    def __init__(self, audio: AudioConfig, bands: int, overlap: int) -> None:
        if bands > audio.n_bins:
            raise ConfigError(f"model.bands is {bands}, more than the {audio.n_bins} bins of the spectrum")
        self.audio, self.bands, self.overlap = audio, bands, overlap
        self.band_bins = -(-audio.n_bins // bands)  # the last band may end in bins that are not there
        self.width = audio.hop_length
        self.inputs, self.outputs = 2 * (self.band_bins + 2 * overlap), 2 * self.band_bins
        self.reach = _overlap(audio)

    def split(self, spectrum: torch.Tensor) -> torch.Tensor:
        """[batch, bands, frames, inputs] real of ``spectrum`` [batch, frames, n_bins]: all real parts, all imaginary."""
        missing = self.bands * self.band_bins - self.audio.n_bins
        parts = torch.stack((spectrum.real, spectrum.imag), dim=2)
        padded = F.pad(parts, (self.overlap, missing + self.overlap))
        cut = padded.unfold(-1, self.band_bins + 2 * self.overlap, self.band_bins)  # [batch, frames, 2, bands, bins]
        return cut.permute(0, 3, 1, 2, 4).flatten(3)

    def merge(self, bands: torch.Tensor) -> torch.Tensor:
        """Complex [batch, frames, n_bins] of ``bands`` [batch, bands, frames, outputs]: their own bins side by side."""
        real, imaginary = (part.transpose(1, 2).flatten(2) for part in bands.chunk(2, dim=-1))
        return torch.complex(real, imaginary)[..., : self.audio.n_bins]

    def shape(self, decode: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Expected magnitudes [batch, frames, n_bins] and their inverse; both 0 past the ends and where mels tell nothing.

        No mel filter covers the lowest and the highest bin: a recording's offset would be thousands of envelopes there.
        """
        audio = self.audio
        covered = mel_filters(audio.sample_rate, audio.n_fft, audio.n_mels).sum(0).to(decode.device) > 0
        inside = frame_mask(lengths, decode.shape[1])
        known = inside * covered
        expected = _COMPLEX_GAIN * noise_shape(torch.where(inside > 0, decode, 0.0), audio)
        return expected * known, known / expected

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """White sound, filtered in each frame by what the decode expects of it."""
        energy = float(torch.hann_window(self.audio.n_fft).square().sum())  # of a bin, of unit white noise
        spectrum = stft(self._wave(white, lengths), self.audio) / energy**0.5
        return self._state(istft(spectrum * self.shape(decode, lengths)[0], self.audio, lengths))

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Complex bins over what the decode expects of them."""
        return stft(self._wave(noise, lengths), self.audio) * self.shape(decode, lengths)[1]

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The samples, cut into hops."""
        missing = self.audio.samples(self.audio.frames(samples.shape[1])) - samples.shape[1]
        return self._state(F.pad(samples.float(), (0, missing)))

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Bands of the whitened spectrum."""
        with torch.autocast(state.device.type, enabled=False):
            return self.split(self.whiten(state, decode, lengths))

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The wave of the bands, each bin in units of what the decode expects."""
        with torch.autocast(out.device.type, enabled=False):
            spectrum = self.merge(out.float()) * self.shape(decode, lengths)[0]
            return self._state(istft(spectrum, self.audio, lengths))

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """Relative to what the decode expects, louder bins counting more: by the root of their share."""
        with torch.autocast(state.device.type, enabled=False):
            shape, inverse = self.shape(decode, lengths)
            apart = stft(self._wave(state.float() - other.float(), lengths), self.audio)
            mean = shape.sum((1, 2), keepdim=True) / (inverse > 0).sum((1, 2), keepdim=True).clamp_min(1)
            loudness = (shape / mean.clamp_min(1e-8)).sqrt().clamp(_QUIETEST_WEIGHT, _LOUDEST_WEIGHT)
            square = apart.real.square() + apart.imag.square()
            return (square * inverse.square() * loudness).mean(-1)

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """More near the end, where less is left to be wrong about."""
        return 1.0 / (1.0 - t).clamp_min(0.25)

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """Of the wave's spectrum."""
        with torch.autocast(state.device.type, enabled=False):
            return stft(state.float().flatten(1), self.audio).abs()

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """The state, hop after hop: no phase is left to be found."""
        return state.flatten(1)

    def phase_reach(self, phase_iterations: int) -> int:
        """None: a frame's samples are its own state."""
        return 0

    def _wave(self, state: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return (state * frame_mask(lengths, state.shape[1])).flatten(1)

    def _state(self, wave: torch.Tensor) -> torch.Tensor:
        return wave.view(len(wave), -1, self.width)


def make_target(config: DiffusionConfig, audio: AudioConfig) -> Target:
    """The kind of state that ``config`` names.

    Raises:
        ConfigError: more bands than bins.
    """
    if config.target == "magnitude":
        return MagnitudeTarget(audio)
    return ComplexTarget(audio, config.bands, config.band_overlap)
