"""Whether a clip sounds like speech at all, by cheap measures that need no network. It warns of a clip without a voice.

Speech is told from noise, hum, tones, dialling, music and clicks by three things that it does at once: some of it is
voiced and some is not; its spectrum keeps moving, also while nothing begins or ends; and its pitch glides by small
steps, where an instrument's stands still or jumps.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F

from triforce_tts.audio.resample import resample

RATE = 8000  # Hz; clips are looked at with this sample rate, which is enough for pitch and formants
_FRAME, _HOP, _FFT = 320, 120, 1024  # samples: 40 ms, 15 ms
_ACTIVE_DB = -30.0  # frames weaker than this, relative to the loudest frame, are pauses
_VOICED = 0.6  # the least periodicity of a voiced frame
_PITCH_HZ = (65, 400)
_STEP = 5  # frames (75 ms) over which the movement of the spectrum is measured
_GLIDE_CENTS = (4.0, 150.0)  # a change of pitch between these bounds, from one frame to the next, is a glide
# The edges of the bands, from the Bark scale.
_BAND_EDGES_HZ = (200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700)
_FLOOR = 1e-4  # the least share of a band (-40 dB)

# On 215 recordings of 190 readers the share of voiced frames was 0.43 to 0.96, the movement 2.9 to 5.9 dB, and the
# share of glides 0.55 to 0.92. Of 168 synthetic sounds of 28 kinds none met all three bounds.
VOICED_SHARE = (0.3, 0.98)
LEAST_MOVEMENT_DB = 2.6
LEAST_GLIDES = 0.45


@dataclass(frozen=True)
class Likeness:
    """The figures that tell speech from other sounds."""

    voiced: float  # the share of frames with a pitch among the frames with sound
    # In three quarters of all pairs of frames that are 75 ms apart, the bands change at least so much.
    movement_db: float
    glides: float  # share of neighbouring voiced frames whose pitch differs a little

    @property
    def is_speech(self) -> bool:
        """Whether all figures lie within the bounds of speech."""
        in_range = VOICED_SHARE[0] <= self.voiced <= VOICED_SHARE[1]
        return in_range and self.movement_db >= LEAST_MOVEMENT_DB and self.glides >= LEAST_GLIDES


def speech_likeness(samples: torch.Tensor, sample_rate: int) -> Likeness:
    """The likeness of ``samples`` [n], at least a second of sound without long pauses."""
    sound = torch.from_numpy(resample(samples.numpy(), sample_rate, RATE))
    frames = sound.unfold(0, _FRAME, _HOP)
    frames = frames - frames.mean(dim=1, keepdim=True)
    power = frames.square().mean(dim=1)
    active = (power >= power.max() * 10 ** (_ACTIVE_DB / 10)) & (power > 0)
    window = torch.hann_window(_FRAME)
    spectrum = torch.fft.rfft(frames * window, n=_FFT).abs().square()
    pitch, periodic = _pitch(spectrum, window)
    voiced = active & periodic
    glides = _glides(pitch, voiced)
    return Likeness(float(voiced.sum() / active.sum().clamp_min(1)), _movement_db(spectrum, active), glides)


def _pitch(spectrum: torch.Tensor, window: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The pitch of each frame in Hz, if it has one: the highest peak of the autocorrelation (Boersma, 1993)."""
    correlation = torch.fft.irfft(spectrum, n=_FFT)[:, :_FRAME]
    of_window = torch.fft.irfft(torch.fft.rfft(window, n=_FFT).abs().square(), n=_FFT)[:_FRAME]
    level = correlation[:, :1].clamp_min(1e-12)
    correlation = correlation / level / (of_window / of_window[0]).clamp_min(1e-3)
    shortest, longest = RATE // _PITCH_HZ[1], RATE // _PITCH_HZ[0]
    height, lag = correlation[:, shortest : longest + 1].max(dim=1)
    lag = lag + shortest
    before, at, after = (correlation.gather(1, (lag + step)[:, None])[:, 0] for step in (-1, 0, 1))
    is_peak = (at >= before) & (at >= after)
    bend = before - 2 * at + after
    offset = torch.where(bend < 0, 0.5 * (before - after) / bend.clamp_max(-1e-9), 0.0).clamp(-0.5, 0.5)
    return RATE / (lag + offset), is_peak & (height > _VOICED)


def _glides(pitch: torch.Tensor, voiced: torch.Tensor) -> float:
    pairs = voiced[:-1] & voiced[1:]
    cents = (1200 * torch.log2(pitch[1:] / pitch[:-1])).abs()[pairs]
    glide = (cents > _GLIDE_CENTS[0]) & (cents < _GLIDE_CENTS[1])
    return float(glide.float().mean()) if len(cents) else 0.0


def _movement_db(spectrum: torch.Tensor, active: torch.Tensor) -> float:
    """The first quartile, over pairs of frames ``_STEP`` apart, of the change of the spectrum (mean over bands)."""
    hertz = torch.arange(spectrum.shape[1]) * RATE / _FFT
    edges = pairwise(_BAND_EDGES_HZ)
    bands = torch.stack([spectrum[:, (hertz >= low) & (hertz < high)].sum(dim=1) for low, high in edges], dim=1)
    shares = bands / bands.sum(dim=1, keepdim=True).clamp_min(1e-12)
    smooth = F.avg_pool1d(shares.T[None], 3, stride=1, padding=1)[0].T
    levels = 10 / math.log(10) * (smooth + _FLOOR).log()
    pairs = active[:-_STEP] & active[_STEP:]
    moved = (levels[_STEP:] - levels[:-_STEP]).abs().mean(dim=1)[pairs]
    return float(torch.quantile(moved, 0.25)) if len(moved) else 0.0
