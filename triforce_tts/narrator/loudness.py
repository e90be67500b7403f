"""Loudness and peaks of a sound of any length, measured piece by piece, and a limiter.

Loudness is that of ITU-R BS.1770-4: the sound weighted by two filters (K-weighting), its mean square in blocks of 400 ms, and the mean
of the blocks that pass an absolute and a relative gate. The filters are applied to windows by their frequency response, so nothing depends
on the sample rate. The true peak is the largest sample after oversampling by four, as the same recommendation says.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from triforce_tts.audio.resample import Wave

QUIETEST_DB = -120.0  # this value stands for silence, whose level in decibels has no finite value
# The seconds of a window, and of the part on each side of it that is thrown away. The filters ring for less than that
# part.
_WINDOW_S, _MARGIN_S = 3.0, 0.5
_HOP_S = 0.1  # blocks of 400 ms begin every 100 ms
_HOPS_OF_BLOCK, _HOPS_OF_FLOOR = 4, 5
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0  # LUFS, LU
_OVERSAMPLED = 4
# The limiter lowers the gain so long before a peak, and raises it again for so long after the peak.
_LOOK_S = 0.005
# The filters of BS.1770 as second-order sections at 48 kHz, each with numerator and denominator.
_SECTIONS = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)
_SECTIONS_RATE = 48_000
_OFFSET = -0.691


@dataclass(frozen=True)
class Loudness:
    """The figures of a sound."""

    samples: int
    sample_rate: int
    rms_db: float  # the RMS over all samples, with the pauses, as ACX measures it
    lufs: float
    true_peak_db: float
    floor_db: float  # the RMS of the quietest half second

    @property
    def seconds(self) -> float:
        """The length of the sound."""
        return self.samples / self.sample_rate


@dataclass
class Meter:
    """Measures a sound that comes in pieces; it keeps ten numbers a second."""

    sample_rate: int
    _samples: int = 0
    _peak: float = 0.0
    _weighted: list[float] = field(default_factory=list)  # the mean square of each hop after the filters
    _plain: list[float] = field(default_factory=list)
    _square: float = 0.0
    _waiting: list[Wave] = field(default_factory=list)
    _length: int = 0  # the number of samples that wait

    def __post_init__(self) -> None:
        """Begin with silence in front of the first window."""
        self._hop = round(_HOP_S * self.sample_rate)
        self._margin = round(_MARGIN_S / _HOP_S) * self._hop
        self._window = round(_WINDOW_S / _HOP_S) * self._hop
        self._response = _k_response(self._window, self.sample_rate)
        self._put(np.zeros(self._margin, np.float32))

    def feed(self, wave: Wave) -> None:
        """Measure the next piece."""
        self._samples += len(wave)
        self._square += float(np.square(wave, dtype=np.float64).sum())
        self._put(wave)
        if self._length >= self._window:
            self._measure(np.concatenate(self._waiting))

    def _put(self, wave: Wave) -> None:
        self._waiting.append(wave)
        self._length += len(wave)

    def _measure(self, waiting: Wave) -> None:
        """Measure all whole windows in ``waiting``, and keep the samples that a later window needs."""
        step, at = self._window - 2 * self._margin, 0
        while at + self._window <= len(waiting):
            self._measure_window(waiting[at : at + self._window])
            at += step
        self._waiting, self._length = [waiting[at:]], len(waiting) - at

    def _measure_window(self, window: Wave) -> None:
        spectrum = np.fft.rfft(window.astype(np.float64))
        inner = slice(self._margin, self._window - self._margin)
        weighted = np.fft.irfft(spectrum * self._response, self._window)[inner]
        self._weighted += np.square(weighted).reshape(-1, self._hop).mean(axis=1).tolist()
        self._plain += np.square(window[inner].astype(np.float64)).reshape(-1, self._hop).mean(axis=1).tolist()
        fine = np.fft.irfft(spectrum, self._window * _OVERSAMPLED) * _OVERSAMPLED
        own = fine[self._margin * _OVERSAMPLED : (self._window - self._margin) * _OVERSAMPLED]
        self._peak = max(self._peak, float(np.abs(own).max()))

    def result(self) -> Loudness:
        """The figures of the whole sound; no further piece can be fed after this."""
        self._put(np.zeros(self._window, np.float32))
        self._measure(np.concatenate(self._waiting))
        # A remainder shorter than a hop belongs to no block.
        hops = max(1, self._samples // self._hop)
        weighted, plain = np.array(self._weighted[:hops]), np.array(self._plain[:hops])
        return Loudness(
            self._samples, self.sample_rate, _db(self._square / max(1, self._samples)), _gated(weighted),
            _db(self._peak**2), _db(float(_means(plain, _HOPS_OF_FLOOR).min())),
        )  # fmt: skip


def _k_response(window: int, sample_rate: int) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
    """The frequency response of the K-weighting for the spectrum of a window."""
    hertz = np.minimum(np.arange(window // 2 + 1) * sample_rate / window, _SECTIONS_RATE / 2)
    z = np.exp(-2j * np.pi * hertz / _SECTIONS_RATE)
    response = np.ones(len(z), np.complex128)
    for above, below in _SECTIONS:
        response *= np.polyval(above[::-1], z) / np.polyval(below[::-1], z)
    return response


def _gated(hops: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    blocks = _means(hops, _HOPS_OF_BLOCK)
    levels = _OFFSET + 10 * np.log10(np.maximum(blocks, 1e-12))
    loud = blocks[levels > _ABSOLUTE_GATE]
    if not len(loud):
        return QUIETEST_DB
    gate = _OFFSET + _db(float(loud.mean())) + _RELATIVE_GATE
    gated_blocks = blocks[levels > max(gate, _ABSOLUTE_GATE)]
    return _OFFSET + _db(float(gated_blocks.mean()))


def _means(
    hops: "np.ndarray[tuple[int], np.dtype[np.float64]]", count: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The mean of every ``count`` consecutive hops; the mean of all hops if there are fewer."""
    if len(hops) <= count:
        return np.array([hops.mean()])
    return np.convolve(hops, np.full(count, 1 / count), "valid")


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 10 ** (QUIETEST_DB / 10) else QUIETEST_DB


def limited(wave: Wave, sample_rate: int, ceiling_db: float) -> Wave:
    """``wave`` turned down around the peaks that would pass ``ceiling_db`` dBTP, smoothly and before they come."""
    ceiling = 10 ** (ceiling_db / 20)
    fine = np.fft.irfft(np.fft.rfft(wave.astype(np.float64)), len(wave) * _OVERSAMPLED) * _OVERSAMPLED
    peaks = np.abs(fine).reshape(len(wave), _OVERSAMPLED).max(axis=1)
    peaks = np.maximum(np.maximum(peaks, np.abs(wave)), np.append(peaks[1:], 0.0))
    if peaks.max() <= ceiling:
        return wave
    target_gain = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    reach = max(1, round(_LOOK_S * sample_rate))
    padded = np.pad(target_gain, 2 * reach, constant_values=1.0)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    weights = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(lowest, weights / weights.sum(), "valid")
    return (wave * gain).astype(np.float32)
