"""Speech of a source and a filter: pulses at the fundamental frequency and white noise, each through filters that change.

What a voice is made of (Fant, "Acoustic theory of speech production", 1960), with short windows and FFTs, as in Engel et
al., "DDSP" (2020). All of it can be differentiated, so that a network can learn the filters from recordings alone. A
frame reaches a few hops only, and the phase of the pulses is an input: a sound that is made in sections goes on at the seams.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

_ECHO_S = 0.02  # After so many seconds, hardly anything is left of a formant.


@dataclass(frozen=True)
class Grid:
    """The frames at which pitch and filters are given: frame t is centred on sample t * hop."""

    sample_rate: int  # Hz
    hop: int  # the samples between two frames

    @property
    def window(self) -> int:
        """The samples of sound that are filtered at once, faded in and out."""
        return 4 * self.hop

    @property
    def n_fft(self) -> int:
        """The size of the transform, a power of two: it has room for a window and the echo that a filter adds."""
        return 1 << (self.window + round(_ECHO_S * self.sample_rate) - 1).bit_length()

    @property
    def n_bins(self) -> int:
        """The number of frequencies at which filters are given."""
        return self.n_fft // 2 + 1

    @property
    def reach(self) -> int:
        """The frames on either side of a frame whose sound or filter can change the samples of its hop.

        A window hears half of itself before its frame, and its echo ends a transform after that.
        """
        return -(-self.n_fft // self.hop)


def _between(frames: torch.Tensor, hop: int) -> torch.Tensor:
    """Values [batch, frames, hop] on straight lines from each of ``frames`` [batch, frames] to the next one."""
    after = torch.cat((frames[:, 1:], frames[:, -1:]), 1)
    share = torch.arange(hop, device=frames.device, dtype=frames.dtype) / hop
    return frames.unsqueeze(2) + (after - frames).unsqueeze(2) * share


def held(hertz: torch.Tensor, voiced: torch.Tensor) -> torch.Tensor:
    """``hertz`` [batch, frames] where ``voiced`` (1 or 0, same shape); beside that, the pitch of the voiced neighbours.

    The pitch then stays where it is while a pulse train fades in or out. Elsewhere, where nothing sounds, it is 150 Hz.
    """
    log = torch.where(voiced > 0, hertz.clamp_min(1.0).log(), 0.0)
    around, count = (F.pad(x, (1, 1))[:, :-2] + F.pad(x, (1, 1))[:, 2:] for x in (log, voiced))
    beside = torch.where(count > 0, around / count.clamp_min(1.0), math.log(150.0))
    return torch.where(voiced > 0, log, beside).exp()


def turns_of(hertz: torch.Tensor, grid: Grid) -> torch.Tensor:
    """The phase of the pulses at each frame of ``hertz`` [batch, frames], in turns from 0 to 1; it starts with 0."""
    steps = _between(hertz.double().log(), grid.hop).exp().sum(2) / grid.sample_rate
    turns = torch.cumsum(F.pad(steps[:, :-1], (1, 0)), 1)
    return turns.remainder(1.0).float()


def pulses(hertz: torch.Tensor, voiced: torch.Tensor, turns: torch.Tensor, grid: Grid) -> torch.Tensor:
    """A train of pulses, samples [batch, frames * hop], with the power of white noise of variance 1 in every band.

    A pulse holds all cosines below half the sample rate, summed in closed form (Dirichlet's kernel); the last one fades in
    as the pitch falls.

    Args:
        hertz: the fundamental frequency, [batch, frames], above 0 everywhere (see ``held``).
        voiced: how loud the pulses are, [batch, frames], 0 to 1.
        turns: the phase at each frame, [batch, frames], as from ``turns_of``.
        grid: of the frames.
    """
    rate = _between(hertz.log(), grid.hop).exp() / grid.sample_rate  # turns a sample
    before = F.pad(torch.cumsum(rate, 2)[..., :-1], (1, 0))
    phase = 2 * math.pi * (turns.unsqueeze(2) + before)
    count = 0.5 / rate
    whole = count.floor()
    half = (0.5 * phase).sin()
    near = half.abs() < 1e-4
    kernel = 0.5 * ((whole + 0.5) * phase).sin() / torch.where(near, 1.0, half) - 0.5
    wave = torch.where(near, whole, kernel) + (count - whole) * ((whole + 1) * phase).cos()
    return (wave * (2.0 / count).sqrt() * _between(voiced, grid.hop)).flatten(1)


def spectra(samples: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Complex spectra [batch, frames, n_bins] of ``samples`` [batch, frames * hop] in windows that add up to 1."""
    half = grid.window // 2
    pieces = F.pad(samples, (half, half)).unfold(1, grid.window, grid.hop)[:, :-1]
    window = torch.hann_window(grid.window, device=samples.device) * (2 * grid.hop / grid.window)
    out: torch.Tensor = torch.fft.rfft(pieces * window, grid.n_fft)
    return out


def sound_of(spectrum: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Samples [batch, frames * hop] whose pieces have the ``spectrum`` [batch, frames, n_bins]."""
    frames, parts = spectrum.shape[1], -(-grid.n_fft // grid.hop)
    pieces = F.pad(torch.fft.irfft(spectrum, grid.n_fft), (0, parts * grid.hop - grid.n_fft))
    total = pieces.new_zeros(len(pieces), frames + parts, grid.hop)
    for number, part in enumerate(pieces.chunk(parts, dim=-1)):
        total[:, number : number + frames] += part
    half = grid.window // 2
    return total.flatten(1)[:, half : half + frames * grid.hop]


def minimum_phase(log_magnitude: torch.Tensor, n_fft: int) -> torch.Tensor:
    """The complex filter with the ``log_magnitude`` [..., n_fft // 2 + 1] (nats) whose echo comes as early as possible.

    The cepstrum is folded onto its causal half (Oppenheim and Schafer, "Discrete-time signal processing", section 13).
    """
    fold = torch.zeros(n_fft, device=log_magnitude.device)
    fold[0] = fold[n_fft // 2] = 1.0
    fold[1 : n_fft // 2] = 2.0
    return torch.exp(torch.fft.rfft(torch.fft.irfft(log_magnitude, n_fft) * fold, n_fft))


def filtered(
    train: torch.Tensor, noise: torch.Tensor, pulse_filter: torch.Tensor, noise_filter: torch.Tensor, grid: Grid
) -> torch.Tensor:
    """Samples [batch, frames * hop] of a train of pulses and of noise after their filters, added.

    Args:
        train: of ``pulses``, [batch, frames * hop].
        noise: white, same shape.
        pulse_filter: log-magnitudes in nats, [batch, frames, n_bins]; its phase is minimal.
        noise_filter: the same for the noise.
        grid: of the frames.
    """
    voice = spectra(train, grid) * minimum_phase(pulse_filter, grid.n_fft)
    return sound_of(voice + spectra(noise, grid) * minimum_phase(noise_filter, grid.n_fft), grid)
