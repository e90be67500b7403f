"""Pure functions on sound: level, silence, joints, bandwidth. All take ``samples`` [samples] float32 in [-1, 1].

Speech is found by energy alone: a 20 ms frame is active when it lies within ``ACTIVE_RANGE_DB`` of the loudest
frame. That needs no model and no absolute threshold, so it works on quiet and on loud recordings.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

FRAME_S = 0.02
ACTIVE_RANGE_DB = 35.0
PEAK = 0.97  # the headroom below 1.0 for the peaks that resampling and lossy codecs add
SILENCE_DB = -80.0  # sound below this level holds only noise, so it is not normalised
OFFSET_SHARE = 0.05  # a mean below this share of the deviation is not taken off; that of most recordings is .001
FADE_S = 0.005
# The level, relative to the loudest frame, below which the ends of a line are cut off.
TRIMMED_DB = -40.0
TRIM_KEPT_S = 0.05  # seconds of weaker sound that stay at each end
LOUDEST_DB = -16.0  # dBFS: the loudest frame of most levelled speech (docs/speaking.md)
PAUSE_KEPT_S = 0.15  # seconds of silence that stay on each side of speech when a long silence is dropped
BANDWIDTH_FFT = 512
BANDWIDTH_RANGE_DB = 50.0


def offset_of(mean: float, power: float) -> float:
    """The constant part to take off a sound with this mean and mean square; 0 where it is too small to matter.

    Cheap converters add a constant. It counts as sound where levels and noise are measured.
    """
    deviation = math.sqrt(max(0.0, power - mean**2))
    return mean if abs(mean) > OFFSET_SHARE * deviation else 0.0


def without_offset(samples: torch.Tensor) -> torch.Tensor:
    """``samples`` without their constant part; they are not changed where it is too small to matter."""
    if not samples.numel():
        return samples
    exact = samples.double()
    offset = offset_of(float(exact.mean()), float(exact.square().mean()))
    return samples - offset if offset else samples


def active_level_db(samples: torch.Tensor, sample_rate: int) -> float:
    """The level of the speech in dBFS (RMS over the active frames); ``-inf`` for digital silence."""
    power = _frame_power(samples, sample_rate)
    loudest = float(power.max()) if power.numel() else 0.0
    if loudest == 0:
        return -math.inf
    active = power[power >= loudest * 10 ** (-ACTIVE_RANGE_DB / 10)]
    return 10 * math.log10(float(active.mean()))


def active_frames(samples: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """The frames of ``FRAME_S`` that hold speech, [frames] bool; none in digital silence."""
    power = _frame_power(samples, sample_rate)
    if power.numel() == 0 or float(power.max()) == 0:
        return torch.zeros(power.shape, dtype=torch.bool)
    return power >= power.max() * 10 ** (-ACTIVE_RANGE_DB / 10)


def normalize_level(samples: torch.Tensor, sample_rate: int, target_db: float = -23.0) -> tuple[torch.Tensor, float]:
    """The samples, scaled so that their speech has ``target_db`` dBFS, and the gain in dB.

    The gain is lowered where the peak would pass ``PEAK``. Silence comes back unchanged with a gain of 0.
    """
    level = active_level_db(samples, sample_rate)
    if level < SILENCE_DB:
        return samples, 0.0
    gain = min(10 ** ((target_db - level) / 20), PEAK / float(samples.abs().max()))
    return samples * gain, 20 * math.log10(gain)


def first_speech(samples: torch.Tensor, sample_rate: int, max_seconds: float) -> torch.Tensor:
    """At most ``max_seconds`` of speech from the beginning, for a voice reference; empty when all is silence.

    Silence at the start is removed, and longer silences are cut to twice ``PAUSE_KEPT_S``.
    """
    active = active_frames(samples, sample_rate)
    if not bool(active.any()):
        return samples[:0]
    reach = round(PAUSE_KEPT_S / FRAME_S)
    spoken = F.max_pool1d(active.float()[None], 2 * reach + 1, stride=1, padding=reach)[0] > 0
    frame = _frame_length(sample_rate)
    pieces = [samples[start * frame : end * frame] for start, end in runs(spoken)]
    speech = join(pieces, [0.0] * (len(pieces) - 1), sample_rate)
    return speech[: round(max_seconds * sample_rate)]


def trim_silence(
    samples: torch.Tensor, sample_rate: int, threshold_db: float = TRIMMED_DB, keep_s: float = TRIM_KEPT_S
) -> torch.Tensor:
    """The samples without silence at either end, apart from ``keep_s`` seconds of it.

    ``threshold_db`` is relative to the loudest frame; everything between the ends stays. Digital silence
    comes back empty.
    """
    start, end = sounding(samples, sample_rate, threshold_db, keep_s)
    return samples[start:end]


def sounding(
    samples: torch.Tensor, sample_rate: int, threshold_db: float = TRIMMED_DB, keep_s: float = TRIM_KEPT_S
) -> tuple[int, int]:
    """The first sample that ``trim_silence`` keeps, and one past the last; 0 and 0 for digital silence."""
    power = _frame_power(samples, sample_rate)
    loudest = float(power.max()) if power.numel() else 0.0
    if loudest == 0:
        return 0, 0
    active = torch.nonzero(power >= loudest * 10 ** (threshold_db / 10))
    frame, keep = _frame_length(sample_rate), round(keep_s * sample_rate)
    first, last = int(active[0]) * frame, (int(active[-1]) + 1) * frame
    return max(0, first - keep), min(len(samples), last + keep)


class Trimmer:
    """The work of ``trim_silence`` on a sound that is still being made.

    The loudest frame is not known before the end. Until a louder one is heard, it is taken to have ``LOUDEST_DB``, as
    in levelled speech. So the start is that of ``trim_silence``, give or take a frame or two. Silence is held back until
    sound follows it, because it may be the end.
    """

    def __init__(self, sample_rate: int) -> None:
        self.samples = torch.zeros(0)  # the whole sound so far, with its silence
        self.start = self.end = 0  # the part that was passed on
        self._rate, self._loudest = sample_rate, 10 ** (LOUDEST_DB / 10)

    def extend(self, samples: torch.Tensor, is_end: bool) -> torch.Tensor:
        """Add ``samples`` [n]; returns the samples [m] that can be passed on now, without silence at the ends."""
        self.samples = torch.cat((self.samples, samples))
        if is_end:
            start, end = sounding(self.samples, self._rate)
        else:
            start, end = self._sounding_so_far()
        if end == start:
            return self.samples[:0]
        if self.end == 0:
            self.start = self.end = start
        passed, self.end = self.end, max(self.end, end)
        return self.samples[passed : self.end]

    def _sounding_so_far(self) -> tuple[int, int]:
        frame, keep = _frame_length(self._rate), round(TRIM_KEPT_S * self._rate)
        power = _frame_power(self.samples[: len(self.samples) // frame * frame], self._rate)
        self._loudest = max([self._loudest, *power.tolist()])
        active = torch.nonzero(power >= self._loudest * 10 ** (TRIMMED_DB / 10))
        if not len(active):
            return 0, 0
        return max(0, int(active[0]) * frame - keep), min(len(self.samples), (int(active[-1]) + 1) * frame + keep)


def join(pieces: Sequence[torch.Tensor], pauses_s: Sequence[float], sample_rate: int) -> torch.Tensor:
    """The pieces one after another, with ``pauses_s[i]`` seconds of silence after piece ``i``.

    Each joint is faded out and in over ``FADE_S`` (raised cosine), so that no step is heard; the outer ends
    are left as they are.

    Raises:
        ValueError: there is not one pause for each joint.
    """
    if not pieces:
        return torch.zeros(0)
    if len(pauses_s) != len(pieces) - 1:
        raise ValueError(f"{len(pieces)} pieces need {len(pieces) - 1} pauses, found {len(pauses_s)}")
    parts: list[torch.Tensor] = []
    last = len(pieces) - 1
    for i, piece in enumerate(pieces):
        parts.append(faded(piece, sample_rate, at_start=i > 0, at_end=i < last))
        if i < last:
            parts.append(piece.new_zeros(round(pauses_s[i] * sample_rate)))
    return torch.cat(parts)


def bandwidth_hz(samples: torch.Tensor, sample_rate: int) -> float:
    """The highest frequency in Hz that the sound reaches: the last bin within 50 dB of the strongest; 0 for silence."""
    padded = F.pad(samples, (0, max(0, BANDWIDTH_FFT - samples.shape[-1])))
    window = torch.hann_window(BANDWIDTH_FFT, dtype=samples.dtype, device=samples.device)
    spectrum = torch.stft(padded, BANDWIDTH_FFT, window=window, center=False, return_complex=True)
    power = spectrum.abs().square().mean(dim=-1)
    if float(power.max()) == 0:
        return 0.0
    highest = torch.nonzero(power >= power.max() * 10 ** (-BANDWIDTH_RANGE_DB / 10))[-1]
    return int(highest) * sample_rate / BANDWIDTH_FFT


def _frame_length(sample_rate: int) -> int:
    return max(1, round(FRAME_S * sample_rate))


def _frame_power(samples: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """The mean power [frames] of consecutive frames; a shorter rest at the end counts as a frame."""
    frame = _frame_length(sample_rate)
    whole = samples.shape[-1] // frame * frame
    power = samples[:whole].reshape(-1, frame).square().mean(dim=-1)
    rest = samples[whole:]
    return torch.cat([power, rest.square().mean()[None]]) if rest.numel() else power


def runs(mask: torch.Tensor) -> list[tuple[int, int]]:
    """The start and the end (exclusive) of each run of true values."""
    edges = torch.diff(F.pad(mask.int(), (1, 1)))
    starts, ends = torch.nonzero(edges == 1)[:, 0], torch.nonzero(edges == -1)[:, 0]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def faded(piece: torch.Tensor, sample_rate: int, at_start: bool, at_end: bool) -> torch.Tensor:
    """``piece`` [n] rising from silence or falling to it within ``FADE_S``, so that no step is heard."""
    length = min(round(FADE_S * sample_rate), piece.shape[-1] // 2)
    if length == 0 or not (at_start or at_end):
        return piece
    steps = (torch.arange(length, dtype=piece.dtype, device=piece.device) + 0.5) / length
    rise = 0.5 - 0.5 * torch.cos(math.pi * steps)
    piece = piece.clone()
    if at_start:
        piece[:length] *= rise
    if at_end:
        piece[-length:] *= rise.flip(0)
    return piece
