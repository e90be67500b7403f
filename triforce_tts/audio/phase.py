"""Phases for magnitudes: Griffin-Lim, the last step from a spectrogram to sound where no network makes the phase.

The class keeps every tensor of an iteration, because new ones cost more than the arithmetic: a large tensor is new
memory, which the system must hand out page by page.
"""

import torch

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.presets import ITERATIONS

_MOMENTUM = 0.99  # the momentum of Perraudin et al., 2013
_LEAST_POWER = 1e-32  # a bin with less power gets phase 0
# The least sum of squared windows over a sample, so that nothing is divided by zero where no window reaches.
_LEAST_WEIGHT = 1e-8


class _GriffinLim:
    """The state of Griffin-Lim for one spectrogram: a sound, its frames and their spectra."""

    def __init__(self, magnitude: torch.Tensor, config: AudioConfig) -> None:
        self.magnitude, self.n_fft, self.hop = magnitude, config.n_fft, config.hop_length
        frames, overlap = len(magnitude), config.n_fft // config.hop_length
        self.window = torch.hann_window(config.n_fft, device=magnitude.device)
        self.pieces = magnitude.new_empty(frames, config.n_fft)  # windowed frames
        self.sound = magnitude.new_zeros((frames + overlap) * config.hop_length)  # half a window of zeros at both ends
        self.own = slice(config.n_fft // 2, config.n_fft // 2 + config.samples(frames))
        self.spectrum = magnitude.to(torch.complex64)  # the guess, with the wanted magnitudes; its phases start at 0
        self.before = torch.zeros_like(self.spectrum)
        self.next = torch.empty_like(self.spectrum)
        self.scale = torch.empty_like(magnitude)
        self.pieces.copy_(self.window.square().expand_as(self.pieces))
        self._overlap_add()
        self.weight = self.sound[self.own].clamp_min(_LEAST_WEIGHT).reciprocal()

    def _overlap_add(self) -> None:
        """Add the pieces to a sound, each a hop later than the previous one."""
        frames, hop = len(self.pieces), self.hop
        self.sound.zero_()
        rows = self.sound.view(-1, hop)
        for number, part in enumerate(self.pieces.chunk(len(rows) - frames, dim=1)):
            rows[number : number + frames] += part

    def synthesize(self) -> None:
        """Make the sound whose spectrum is nearest to the guess; it is zero beyond its ends."""
        torch.fft.irfft(self.spectrum, n=self.n_fft, out=self.pieces)
        self.pieces.mul_(self.window)
        self._overlap_add()
        self.sound[self.own].mul_(self.weight)
        self.sound[: self.own.start] = 0
        self.sound[self.own.stop :] = 0

    def update(self) -> None:
        """Make a new guess: the wanted magnitudes, with the phases of the sound moved on by the momentum."""
        frames = self.sound.unfold(0, self.n_fft, self.hop)[: len(self.pieces)]
        torch.mul(frames, self.window, out=self.pieces)
        torch.fft.rfft(self.pieces, out=self.next)
        torch.sub(self.next, self.before, alpha=_MOMENTUM / (1 + _MOMENTUM), out=self.spectrum)
        self.before, self.next = self.next, self.before
        parts = torch.view_as_real(self.spectrum)
        torch.mul(parts[..., 0], parts[..., 0], out=self.scale)
        self.scale.addcmul_(parts[..., 1], parts[..., 1])
        self.scale.clamp_min_(_LEAST_POWER).rsqrt_().mul_(self.magnitude)
        parts.mul_(self.scale[..., None])


@torch.no_grad()
def griffin_lim(magnitude: torch.Tensor, config: AudioConfig, iterations: int = ITERATIONS) -> torch.Tensor:
    """Samples [..., frames * hop_length] whose spectrogram has nearly ``magnitude`` [..., frames, n_bins].

    Fast Griffin-Lim (Perraudin et al., "A fast Griffin-Lim algorithm", 2013), started from zero phase, so that equal
    input gives equal output. The frames are those of ``stft``: the sound is zero beyond its ends. Away from the ends
    it computes what ``torchaudio.functional.griffinlim`` computes, in half of the time. Spectrograms beside each other
    are computed one after another, so that they do not change each other in the last bit.
    """
    if magnitude.ndim > 2:
        return torch.stack([griffin_lim(part, config, iterations) for part in magnitude])
    state = _GriffinLim(magnitude.float(), config)
    for _ in range(iterations):
        state.synthesize()
        state.update()
    state.synthesize()
    return state.sound[state.own].clone()
