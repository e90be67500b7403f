"""The fundamental frequency of speech in each frame, for training: fast, in batches, and nothing but torch.

Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound"
(IFA Proceedings 17, 1993): the autocorrelation of a windowed frame over that of its window has its peaks at the periods,
and the cheapest path through all frames chooses among them, where leaps and changes of voicing cost something. The
autocorrelation is computed here at the periods of a fixed scale of pitches, straight from the power spectrum, so that no
peak has to be interpolated.
"""

import math
from functools import lru_cache

import torch
from torch.nn import functional as F

# The scale of pitches: so many classes, at equal distances in the logarithm (a fifth of a semitone).
LOWEST_HZ, HIGHEST_HZ, CLASSES = 55.0, 550.0, 200
_TOP_HZ = 4000.0  # partials above this are noisy, and say nothing new of the period
_WINDOW_S = 0.05  # nearly three periods of the lowest pitch
# The costs of Boersma's section 3, with his values: unvoiced in all frames, silence, a leap of an octave and a change of
# voicing (both for frames 10 ms apart), and a pitch an octave lower.
_VOICING, _SILENCE, _OCTAVE_LEAP, _CHANGE, _OCTAVE = 0.45, 0.03, 0.35, 0.14, 0.02


def pitch_class(hertz: torch.Tensor) -> torch.Tensor:
    """Places on the scale of pitches, 0 to ``CLASSES - 1``, of frequencies above 0 of any shape."""
    place = (hertz / LOWEST_HZ).log() * ((CLASSES - 1) / math.log(HIGHEST_HZ / LOWEST_HZ))
    return place.clamp(0, CLASSES - 1)


def class_hertz(place: torch.Tensor) -> torch.Tensor:
    """The frequencies in Hz of places on the scale of pitches: the inverse of ``pitch_class``."""
    return LOWEST_HZ * (place * (math.log(HIGHEST_HZ / LOWEST_HZ) / (CLASSES - 1))).exp()


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # A tensor of inference mode cannot be trained with later.
def _tables(sample_rate: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A window, cosines [bins, CLASSES] that turn a power spectrum into an autocorrelation, and that of the window."""
    window = torch.hann_window(round(_WINDOW_S * sample_rate), dtype=torch.float64)
    n_fft = 1 << (2 * len(window) - 1).bit_length()
    lags = sample_rate / class_hertz(torch.arange(CLASSES, dtype=torch.float64))
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
    cosines = 2 * torch.cos(2 * math.pi * bins[:, None] * lags / n_fft)
    cosines[0] *= 0.5
    power = torch.fft.rfft(window, n_fft).abs().square()
    own = (power @ cosines) / (2 * power.sum() - power[0])
    top = min(n_fft // 2, int(_TOP_HZ * n_fft / sample_rate))
    return window.float(), cosines[: top + 1].float(), own.float()


def periodicity(samples: torch.Tensor, sample_rate: int, hop_length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How periodic each frame is at each pitch of the scale, and how loud it is.

    Args:
        samples: [batch, n].
        sample_rate: in Hz.
        hop_length: the samples between two frames; frame t is centred on sample t * hop_length.

    Returns:
        The normalised autocorrelation [batch, frames, CLASSES], 1 for a sound that repeats itself, and the largest
        deviation from the mean [batch, frames].
    """
    with torch.autocast(samples.device.type, enabled=False):  # The power of a loud frame is beyond half precision.
        window, cosines, own = (table.to(samples.device) for table in _tables(sample_rate))
        n_fft = 1 << (2 * len(window) - 1).bit_length()
        frames = -(-samples.shape[1] // hop_length)
        pieces = F.pad(samples.float(), (len(window) // 2, len(window))).unfold(1, len(window), hop_length)[:, :frames]
        pieces = pieces - pieces.mean(-1, keepdim=True)
        power = torch.fft.rfft(pieces * window, n_fft).abs().square()[..., : len(cosines)]
        energy = (2 * power.sum(-1, keepdim=True) - power[..., :1]).clamp_min(1e-10)
        return power @ cosines / energy / own, (pieces * window).abs().amax(-1)


@torch.no_grad()
def fundamental(samples: torch.Tensor, sample_rate: int, hop_length: int) -> torch.Tensor:
    """The fundamental frequency in Hz [batch, frames] of ``samples`` [batch, n]; 0 where a frame is not voiced.

    Frame t is centred on sample t * hop_length. Frequencies lie between ``LOWEST_HZ`` and ``HIGHEST_HZ``. Silence is put
    behind the sound, so that more silence there changes nothing.
    """
    frames = -(-samples.shape[1] // hop_length)
    periodic, level = periodicity(F.pad(samples, (0, round(4 * _WINDOW_S * sample_rate))), sample_rate, hop_length)
    seconds = hop_length / sample_rate
    quiet = level / level.amax(1, keepdim=True).clamp_min(1e-5) * ((1 + _VOICING) / _SILENCE)
    octaves_below = torch.linspace(math.log2(HIGHEST_HZ / LOWEST_HZ), 0.0, CLASSES, device=samples.device)
    path = _best_path(
        periodic - _OCTAVE * octaves_below,
        _VOICING + (2 - quiet).clamp_min(0),
        leap=_OCTAVE_LEAP * math.log2(HIGHEST_HZ / LOWEST_HZ) / (CLASSES - 1) * 0.01 / seconds,
        change=_CHANGE * 0.01 / seconds,
    )[:, :frames]
    periodic = periodic[:, :frames]
    place = path.clamp(1, CLASSES - 2)
    below, at, above = (periodic.gather(2, (place + step).unsqueeze(2)).squeeze(2) for step in (-1, 0, 1))
    beside = (0.5 * (below - above) / (below - 2 * at + above).clamp_max(-1e-6)).clamp(-0.5, 0.5)  # top of a parabola
    return torch.where(path < CLASSES, class_hertz(place + beside), 0.0)


def _best_path(voiced: torch.Tensor, unvoiced: torch.Tensor, leap: float, change: float) -> torch.Tensor:
    """The class of each frame on the path of the highest score (Viterbi); ``CLASSES`` stands for unvoiced.

    Args:
        voiced: the score of each class, [batch, frames, CLASSES].
        unvoiced: the score of being unvoiced, [batch, frames].
        leap: the cost of a leap by one class.
        change: the cost of a change between voiced and unvoiced.
    """
    frames = voiced.shape[1]
    slope = torch.arange(CLASSES, device=voiced.device) * leap
    score, silent = voiced[:, 0], unvoiced[:, 0]
    came = torch.empty(frames, len(voiced), CLASSES + 1, dtype=torch.long, device=voiced.device)
    for t in range(1, frames):
        # The best way to a class from below and from above: a cost that grows with the distance is a running maximum.
        rising, from_below = torch.cummax(score + slope, 1)
        falling, from_above = torch.cummax((score - slope).flip(1), 1)
        rising, falling, from_above = rising - slope, falling.flip(1) + slope, CLASSES - 1 - from_above.flip(1)
        best = torch.maximum(rising, falling)
        begun = (silent - change).unsqueeze(1)
        origin = torch.where(rising >= falling, from_below, from_above)
        came[t, :, :CLASSES] = torch.where(best >= begun, origin, CLASSES)
        highest, where = score.max(1)
        came[t, :, CLASSES] = torch.where(silent >= highest - change, CLASSES, where)
        silent = torch.maximum(silent, highest - change) + unvoiced[:, t]
        score = torch.maximum(best, begun) + voiced[:, t]
    path = torch.empty(len(voiced), frames, dtype=torch.long, device=voiced.device)
    path[:, -1] = torch.cat((score, silent.unsqueeze(1)), 1).argmax(1)
    for t in range(frames - 1, 0, -1):
        path[:, t - 1] = came[t].gather(1, path[:, t : t + 1]).squeeze(1)
    return path
