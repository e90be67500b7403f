"""The states that the flow of stage 3 carries from noise to speech, and the form in which the network sees them.

A state is [batch, frames, width]: at the start of the flow, which is noise, at its clean end, and between the two.
Samplers and losses know nothing more of it. There are two kinds here, and a third that is no flow, ``source_filter.py``:

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

from triforce_tts.audio.mel import AudioConfig, envelope, istft, mel_filters, stft
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import frame_mask
from triforce_tts.schema import Config, Kernel, Layers, Width

# With these two numbers the log-magnitude target is about standard normal (in nats; measured on 150 utterances of one
# reader).
_TARGET_SHIFT, _TARGET_SCALE = 0.4, 0.9
# This floor is added before the logarithm. A quieter bin cannot be heard beside its neighbours.
_MAGNITUDE_FLOOR = 2e-3
# The RMS of bins relative to their envelope is 1.1 for true mels, 1.6 for DVAE decodes (60 utterances, many readers).
_COMPLEX_GAIN = 1.3
# The limits of a bin's weight in the error; a bin of mean loudness has 1.
_LOUDEST_WEIGHT, _QUIETEST_WEIGHT = 4.0, 0.05


class DiffusionConfig(Config):
    """Sizes of the diffusion upsampler and what it predicts."""

    target: Literal["magnitude", "complex", "source"]
    channels: Width  # width between the blocks, for each band
    hidden: Width  # width inside a block
    blocks: Layers
    kernel_size: Kernel
    reference_channels: Width
    # whether the network learns to work without decode and reference, which guidance needs
    null_condition: bool = False
    bands: Layers = 1  # number of bands into which a complex spectrum is cut
    # A band also sees so many bins of the band below and of the band above.
    band_overlap: Annotated[int, Field(ge=0, le=1024)] = 0
    # Width and number of the blocks that hear the melody; for target "source" alone.
    pitch_channels: Annotated[int, Field(ge=0, le=4096)] = 0
    pitch_blocks: Annotated[int, Field(ge=0, le=64)] = 0
    # The filters' peaks and valleys are deepened by this share; for target "source" alone, and not in training.
    sharpness: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _check(self) -> "DiffusionConfig":
        if self.target != "complex" and (self.bands > 1 or self.band_overlap):
            raise ValueError(f"bands and band_overlap belong to target 'complex'; target '{self.target}' has one band")
        if (self.target == "source") != (self.pitch_channels > 0 and self.pitch_blocks > 0):
            raise ValueError(
                "target 'source' needs pitch_channels and pitch_blocks above 0, and no other target has them"
            )
        if self.sharpness and self.target != "source":
            raise ValueError(f"sharpness belongs to target 'source'; with target '{self.target}' set it to 0")
        if self.target == "source" and self.null_condition:
            raise ValueError("null_condition allows guidance, and target 'source' has none; set it to false")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd to be centred on its frame, found {self.kernel_size}")
        return self


def noise_shape(decode: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """The envelope [batch, frames, n_bins] of a decode [batch, frames, n_mels]; targets are relative to it."""
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
    """The frames on either side whose windows overlap with a frame's: the reach of an STFT and its inverse together."""
    return audio.n_fft // audio.hop_length - 1


def phase_reach(audio: AudioConfig, iterations: int) -> int:
    """The frames on either side of a frame that can change its samples in ``griffin_lim``.

    An iteration is an inverse STFT and an STFT; one more inverse STFT follows, which reaches half a window.
    """
    return iterations * _overlap(audio) + -(-audio.n_fft // (2 * audio.hop_length))


class Target(Protocol):
    """A kind of state. ``decode`` is the standardised mel [batch, frames, n_mels], ``lengths`` its frames [batch]."""

    width: int  # how many numbers of noise a frame starts from
    # Frames on either side that can change a frame on the way into the network and out of it, or through ``noise``.
    reach: int

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Where the network starts, of standard normal ``white`` [batch, frames, width]."""
        ...

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """Magnitude spectrogram [batch, frames, n_bins] of a clean state."""
        ...

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """Samples [batch, frames * hop_length] of a clean state."""
        ...

    def phase_reach(self, phase_iterations: int) -> int:
        """The frames on either side of a frame that can change its samples in ``samples``."""
        ...


class FlowTarget(Target, Protocol):
    """A kind of state that a flow carries from noise to speech: ``noise`` is its start, and has ``width`` as well."""

    bands: int
    inputs: int  # how many numbers the network sees of a band in a frame
    outputs: int  # how many numbers the network returns

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Real or complex [batch, frames, n_bins]; it has unit variance where ``noise`` was made by ``noise()``."""
        ...

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The state at flow time 1 of recorded ``samples`` [batch, n]."""
        ...

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The network's view of a state: [batch, bands, frames, inputs]."""
        ...

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The state [batch, frames, width] that the network's answer ``out`` [batch, bands, frames, outputs] means."""
        ...

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """The squared difference of two states in each frame, as a mean over bins: [batch, frames], 0 past the ends."""
        ...

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """Weight of the error at flow time ``t`` [batch] in training."""
        ...


class MagnitudeTarget:
    """The state is log-magnitudes, one for each bin."""

    bands = 1
    reach = 0

    def __init__(self, audio: AudioConfig) -> None:
        self.audio = audio
        self.width = self.inputs = self.outputs = audio.n_bins

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """``white`` itself: the state is relative to the envelope, so noise in the shape of the envelope is white."""
        return white * frame_mask(lengths, white.shape[1])

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """``noise`` itself, which is white already."""
        return noise * frame_mask(lengths, noise.shape[1])

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Log-magnitudes relative to the decode's envelope."""
        return to_target(stft(samples, self.audio).abs(), noise_shape(decode, self.audio))

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The whole state, as one band."""
        return state.unsqueeze(1)

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The one band is the whole state."""
        return out.squeeze(1)

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """The error in units of the target, each of which is 0.9 nats."""
        square = (state.float() - other.float()).square().mean(-1)
        return square * frame_mask(lengths, square.shape[1]).squeeze(-1)

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """All times count the same."""
        return torch.ones_like(t)

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """The magnitudes of which the state is the logarithm."""
        return from_target(state, noise_shape(decode, self.audio))

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """The wave whose phase Griffin-Lim finds."""
        return griffin_lim(self.magnitude(state, decode), self.audio, phase_iterations)

    def phase_reach(self, phase_iterations: int) -> int:
        """The reach of Griffin-Lim."""
        return phase_reach(self.audio, phase_iterations)


class ComplexTarget:
    """The state is the wave. The network sees bands of its complex spectrum, relative to the envelope.

    RFWave (Liu et al., 2024) cuts the spectrum in this way. Here the state is a wave, so that every noisy spectrum is
    the spectrum of a wave.
    """

    def __init__(self, audio: AudioConfig, bands: int, overlap: int) -> None:
        if bands > audio.n_bins:
            raise ConfigError(f"model.bands is {bands}, more than the {audio.n_bins} bins of the spectrum")
        self.audio, self.bands, self.overlap = audio, bands, overlap
        self.band_bins = -(-audio.n_bins // bands)  # the last band may be filled up with empty bins
        self.width = audio.hop_length
        self.inputs, self.outputs = 2 * (self.band_bins + 2 * overlap), 2 * self.band_bins
        self.reach = _overlap(audio)

    def split(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Real parts, then imaginary parts [batch, bands, frames, inputs], of ``spectrum`` [batch, frames, n_bins]."""
        missing = self.bands * self.band_bins - self.audio.n_bins
        parts = torch.stack((spectrum.real, spectrum.imag), dim=2)
        padded = F.pad(parts, (self.overlap, missing + self.overlap))
        cut = padded.unfold(-1, self.band_bins + 2 * self.overlap, self.band_bins)  # [batch, frames, 2, bands, bins]
        return cut.permute(0, 3, 1, 2, 4).flatten(3)

    def merge(self, bands: torch.Tensor) -> torch.Tensor:
        """The complex spectrum [batch, frames, n_bins] that the ``bands`` [batch, bands, frames, outputs] make up."""
        real, imaginary = (part.transpose(1, 2).flatten(2) for part in bands.chunk(2, dim=-1))
        return torch.complex(real, imaginary)[..., : self.audio.n_bins]

    def shape(self, decode: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Expected magnitudes [batch, frames, n_bins] and their inverse; both are 0 past the ends and outside all mels.

        No mel filter covers the lowest and the highest bin. A constant offset in a recording would be thousands of
        times the envelope there.
        """
        audio = self.audio
        covered = mel_filters(audio.sample_rate, audio.n_fft, audio.n_mels).sum(0).to(decode.device) > 0
        inside = frame_mask(lengths, decode.shape[1])
        mask = inside * covered
        expected = _COMPLEX_GAIN * noise_shape(torch.where(inside > 0, decode, 0.0), audio)
        return expected * mask, mask / expected

    def noise(self, white: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """White sound, filtered in each frame to the magnitudes expected from the decode."""
        # the energy of a bin for white noise with variance 1
        energy = float(torch.hann_window(self.audio.n_fft).square().sum())
        spectrum = stft(self._wave(white, lengths), self.audio) / energy**0.5
        return self._state(istft(spectrum * self.shape(decode, lengths)[0], self.audio, lengths))

    def whiten(self, noise: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Complex bins, divided by the magnitudes expected from the decode."""
        return stft(self._wave(noise, lengths), self.audio) * self.shape(decode, lengths)[1]

    def clean(self, samples: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The samples, one hop for each frame."""
        missing = self.audio.samples(self.audio.frames(samples.shape[1])) - samples.shape[1]
        return self._state(F.pad(samples.float(), (0, missing)))

    def seen(self, state: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The bands of the whitened spectrum."""
        with torch.autocast(state.device.type, enabled=False):
            return self.split(self.whiten(state, decode, lengths))

    def answer(self, out: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The wave of the bands, whose bins are multiples of the magnitudes expected from the decode."""
        with torch.autocast(out.device.type, enabled=False):
            spectrum = self.merge(out.float()) * self.shape(decode, lengths)[0]
            return self._state(istft(spectrum, self.audio, lengths))

    def error(
        self, state: torch.Tensor, other: torch.Tensor, decode: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """The error relative to the expected magnitudes. Louder bins count more, by the root of their share."""
        with torch.autocast(state.device.type, enabled=False):
            shape, inverse = self.shape(decode, lengths)
            apart = stft(self._wave(state.float() - other.float(), lengths), self.audio)
            mean = shape.sum((1, 2), keepdim=True) / (inverse > 0).sum((1, 2), keepdim=True).clamp_min(1)
            loudness = (shape / mean.clamp_min(1e-8)).sqrt().clamp(_QUIETEST_WEIGHT, _LOUDEST_WEIGHT)
            square = apart.real.square() + apart.imag.square()
            return (square * inverse.square() * loudness).mean(-1)

    def time_weight(self, t: torch.Tensor) -> torch.Tensor:
        """Times near the end count more, because less error is left there."""
        return 1.0 / (1.0 - t).clamp_min(0.25)

    def magnitude(self, state: torch.Tensor, decode: torch.Tensor) -> torch.Tensor:
        """The magnitudes of the spectrum of the wave."""
        with torch.autocast(state.device.type, enabled=False):
            return stft(state.float().flatten(1), self.audio).abs()

    def samples(self, state: torch.Tensor, decode: torch.Tensor, phase_iterations: int) -> torch.Tensor:
        """The state itself, hop after hop; it has its phase already."""
        return state.flatten(1)

    def phase_reach(self, phase_iterations: int) -> int:
        """0, because the samples of a frame are its own state."""
        return 0

    def _wave(self, state: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return (state * frame_mask(lengths, state.shape[1])).flatten(1)

    def _state(self, wave: torch.Tensor) -> torch.Tensor:
        return wave.view(len(wave), -1, self.width)


def make_target(config: DiffusionConfig, audio: AudioConfig) -> FlowTarget:
    """The kind of state that ``config`` names, ``magnitude`` or ``complex``.

    Raises:
        ConfigError: there are more bands than bins.
    """
    if config.target == "magnitude":
        return MagnitudeTarget(audio)
    return ComplexTarget(audio, config.bands, config.band_overlap)
