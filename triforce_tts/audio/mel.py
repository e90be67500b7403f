"""The one log-mel spectrogram of the project, and every conversion between samples, frames and seconds.

Magnitude STFT (Hann, centred) -> Slaney mel filters -> natural log of max(mel, floor). The networks see it
standardised by two numbers of the configuration; whatever is called ``mel`` elsewhere is standardised.
"""

from functools import lru_cache
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat, model_validator
from torch.nn import functional as F

from triforce_tts.schema import Config, Width


class AudioConfig(Config):
    """The settings of the mel spectrogram; everything about rates derives from these numbers."""

    sample_rate: Annotated[int, Field(ge=1000, le=768_000)]  # Hz
    n_fft: Width  # the samples of the analysis window and of the transform
    hop_length: Width  # the samples between two frames
    n_mels: Annotated[int, Field(ge=1, le=1024)]
    mel_floor: PositiveFloat = 1e-4  # the smallest mel magnitude; it is about 80 dB below that of a full-scale sine
    # The mean and the deviation of the log-mel over training speech, in nats, so that the networks see about unit
    # variance.
    mel_mean: float = -5.77
    mel_std: PositiveFloat = 1.8

    @model_validator(mode="after")
    def _check(self) -> "AudioConfig":
        if self.n_fft % self.hop_length:
            raise ValueError(f"n_fft ({self.n_fft}) must be a multiple of hop_length ({self.hop_length})")
        return self

    @property
    def n_bins(self) -> int:
        """The number of frequency bins of the STFT."""
        return self.n_fft // 2 + 1

    @property
    def frame_rate(self) -> float:
        """Mel frames per second."""
        return self.sample_rate / self.hop_length

    def frames(self, samples: int) -> int:
        """The number of frames of a clip of ``samples``: one for every hop; a started hop counts."""
        return -(-samples // self.hop_length)

    def samples(self, frames: int) -> int:
        """The number of samples that ``frames`` frames stand for."""
        return frames * self.hop_length

    def seconds(self, frames: int) -> float:
        """The seconds that ``frames`` frames stand for."""
        return frames / self.frame_rate

    def frames_of_seconds(self, seconds: float) -> int:
        """The number of frames nearest to ``seconds``, at least one."""
        return max(1, round(seconds * self.frame_rate))


@lru_cache(maxsize=8)
def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> torch.Tensor:
    """Slaney-scale, Slaney-normalised triangular filters, [n_mels, n_fft // 2 + 1] float32.

    The scale is linear to 1 kHz (3 mels per 200 Hz), then logarithmic with 27 mels per factor 6.4 (M. Slaney,
    Auditory Toolbox, 1998); each filter has unit area in Hz. Equal to ``librosa.filters.mel``.
    """
    break_hz, break_mel, log_step = 1000.0, 15.0, torch.log(torch.tensor(6.4, dtype=torch.float64)) / 27.0

    def to_mel(hz: torch.Tensor) -> torch.Tensor:
        return torch.where(
            hz < break_hz, hz * 3.0 / 200.0, break_mel + torch.log(hz.clamp_min(break_hz) / break_hz) / log_step
        )

    def to_hz(mel: torch.Tensor) -> torch.Tensor:
        return torch.where(mel < break_mel, mel * 200.0 / 3.0, break_hz * torch.exp(log_step * (mel - break_mel)))

    top = to_mel(torch.tensor(sample_rate / 2.0, dtype=torch.float64))
    edges = to_hz(torch.linspace(0.0, 1.0, n_mels + 2, dtype=torch.float64) * top)  # Hz, [n_mels + 2]
    bins = torch.linspace(0.0, sample_rate / 2.0, n_fft // 2 + 1, dtype=torch.float64)
    width = edges[1:] - edges[:-1]
    rising = (bins[None] - edges[:-2, None]) / width[:-1, None]
    falling = (edges[2:, None] - bins[None]) / width[1:, None]
    filters = torch.minimum(rising, falling).clamp_min(0.0) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.float()


def stft(samples: torch.Tensor, config: AudioConfig) -> torch.Tensor:
    """Complex spectrogram [..., frames, n_bins] of ``samples`` [..., n]; n is padded up to a whole hop.

    Frame t is centred on sample t * hop_length; beyond the ends the signal is zero, so that a clip's frames do
    not depend on what a reflection would invent.
    """
    frames = config.frames(samples.shape[-1])
    half = config.n_fft // 2
    right = config.samples(frames) - samples.shape[-1] + half
    padded = F.pad(samples, (half, right))
    window = torch.hann_window(config.n_fft, device=samples.device)
    flat = padded.reshape(-1, padded.shape[-1])
    spectrum = torch.stft(flat, config.n_fft, config.hop_length, window=window, center=False, return_complex=True)
    spectrum = spectrum[..., :frames].transpose(-1, -2)  # the frame centred one past the last hop is dropped
    return spectrum.reshape(*samples.shape[:-1], frames, config.n_bins)


def istft(spectrum: torch.Tensor, config: AudioConfig, lengths: torch.Tensor | None = None) -> torch.Tensor:
    """Samples [batch, frames * hop_length] nearest to ``spectrum`` [batch, frames, n_bins]: the inverse of ``stft``.

    Windowed overlap-add over the sum of the squared windows of those frames that there are (Griffin and Lim, 1984), so
    that a clip's ends come back as well as its middle.

    Args:
        spectrum: complex; what lies past ``lengths`` must be zero.
        config: of the spectrum.
        lengths: frames of each clip, [batch]; all of them without it. Samples past a clip's end are zero.
    """
    batch, frames, _ = spectrum.shape
    window = torch.hann_window(config.n_fft, device=spectrum.device)
    inside = torch.arange(frames, device=spectrum.device)[None] < (
        torch.full((batch, 1), frames, device=spectrum.device) if lengths is None else lengths[:, None]
    )
    sound = _overlap_add(torch.fft.irfft(spectrum, config.n_fft) * window, config)
    weight = _overlap_add(inside.unsqueeze(-1) * window.square(), config)
    ends = inside.sum(1, keepdim=True) * config.hop_length
    own = torch.arange(sound.shape[1], device=spectrum.device)[None] < ends
    return torch.where(own, sound / weight.clamp_min(1e-8), 0.0)


def _overlap_add(pieces: torch.Tensor, config: AudioConfig) -> torch.Tensor:
    """[batch, frames * hop_length] of ``pieces`` [batch, frames, n_fft], the first centred on sample 0."""
    hops, frames = config.n_fft // config.hop_length, pieces.shape[1]
    total = pieces.new_zeros(pieces.shape[0], frames + hops, config.hop_length)
    for number, part in enumerate(pieces.chunk(hops, dim=-1)):
        total[:, number : number + frames] += part
    half = config.n_fft // 2
    return total.flatten(1)[:, half : half + config.samples(frames)]


def mel_of_magnitude(magnitude: torch.Tensor, config: AudioConfig) -> torch.Tensor:
    """Standardised log-mel [..., frames, n_mels] of a magnitude spectrogram [..., frames, n_bins]."""
    filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels).to(magnitude.device)
    log_mel = (magnitude @ filters.T).clamp_min(config.mel_floor).log()
    return (log_mel - config.mel_mean) / config.mel_std


def mel_spectrogram(samples: torch.Tensor, config: AudioConfig) -> torch.Tensor:
    """Standardised log-mel [..., frames, n_mels] float32 of ``samples`` [..., n] in [-1, 1]."""
    return mel_of_magnitude(stft(samples.float(), config).abs(), config)


def log_mel_nats(mel: torch.Tensor, config: AudioConfig) -> torch.Tensor:
    """Natural-log mel magnitudes of a standardised ``mel`` of any shape."""
    return mel * config.mel_std + config.mel_mean


@lru_cache(maxsize=8)
def _mel_inverse(sample_rate: int, n_fft: int, n_mels: int) -> tuple[torch.Tensor, torch.Tensor]:
    filters = mel_filters(sample_rate, n_fft, n_mels)
    pseudo_inverse = torch.linalg.pinv(filters.double()).float()  # [n_bins, n_mels]
    # Each bin gets the mean of the mel bands over it. This is never negative, while the pseudo-inverse may be.
    interpolation = filters.T / filters.T.sum(dim=1, keepdim=True).clamp_min(1e-8)
    area = filters.sum(dim=1)
    return pseudo_inverse, interpolation / area[None]


def envelope(mel: torch.Tensor, config: AudioConfig, floor: float = 3e-3) -> torch.Tensor:
    """Magnitude envelope [..., frames, n_bins] that a standardised ``mel`` [..., frames, n_mels] stands for.

    The least-squares inverse of the mel filters, held above 0.3 of the interpolated bands where it would go
    negative, and above ``floor``. It shapes the noise of the diffusion stage and starts Griffin-Lim.
    """
    pseudo_inverse, interpolation = _mel_inverse(config.sample_rate, config.n_fft, config.n_mels)
    magnitudes = log_mel_nats(mel, config).exp()
    fine = magnitudes @ pseudo_inverse.to(mel.device).T
    coarse = magnitudes @ interpolation.to(mel.device).T
    return torch.maximum(fine, 0.3 * coarse).clamp_min(floor)


def smooth_bands(bands: torch.Tensor, deviation: float) -> torch.Tensor:
    """``bands`` [..., n_mels] after a Gaussian of ``deviation`` bands; the outermost bands are repeated beyond the ends."""
    reach = max(1, round(3 * deviation))
    places = torch.arange(-reach, reach + 1, device=bands.device)
    weights = (-0.5 * (places / deviation).square()).softmax(0)
    padded = F.pad(bands.flatten(0, -2).unsqueeze(1), (reach, reach), mode="replicate")
    return F.conv1d(padded, weights[None, None]).squeeze(1).reshape(bands.shape)
