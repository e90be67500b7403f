"""The quality of a clip's sound, by cheap measures that need no network, and the best stretch of a clip.

Two numbers tell noise and music from speech. Speech has pauses, so its quietest tenth of frames lies far below its
active frames (``snr_db``). And the pitch of speech moves all the time, so the fine structure of its spectrum changes
within 0.16 s, but that of tones and chords does not (``tonality``).
"""

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.edit import ACTIVE_RANGE_DB, FRAME_S, active_frames, runs
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave

# A sample counts as clipped if it has at least this share of the loudest sample's value. The comparison is with the
# loudest sample and not with full scale, because the sound may have been made quieter after it was clipped.
CLIPPED = 0.999
_WINDOW, _HOP = 1024, 256  # samples at ANALYSIS_RATE: 64 and 16 ms
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 3200.0  # the band of a telephone; beyond it, its filter would look like a tone
_SMOOTH = 15  # bins, 234 Hz; a peak wider than this is a formant, a narrower one is a harmonic
_LATER = 10  # frames, 0.16 s; the distance between the two frames that are compared
_FLOOR = 1e-12
_PAUSE_S = 0.1  # the shortest pause at which a stretch of speech may begin or end


def clipped(wave: Wave) -> float:
    """The share of samples that are as loud as the loudest one, 0 to 1; a gain after the clipping does not change it.

    None of 925 clips of clean readings has more than 0.0002; speech that is clipped at two thirds of its peak has
    0.004.
    """
    loudness = np.abs(wave)
    peak = loudness.max(initial=0.0)
    return float((loudness >= CLIPPED * peak).mean()) if peak > 0 else 0.0


def power_spectrum(heard: Wave) -> npt.NDArray[np.float64]:
    """The power [frames, bins] of ``heard`` [n] at ``ANALYSIS_RATE``, in frames of 64 ms every 16 ms.

    The result has at least one frame.
    """
    padded = np.pad(heard, (0, max(0, _WINDOW - len(heard))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power: npt.NDArray[np.float64] = np.abs(np.fft.rfft(frames)) ** 2 + _FLOOR
    return power


def snr_db(spectrum: npt.NDArray[np.float64]) -> float:
    """The ratio of the mean power of the active frames to that of the quietest tenth of all frames, in dB."""
    power = spectrum.sum(1)
    quiet = np.sort(power)[: max(1, len(power) // 10)].mean()
    return float(10 * np.log10(power[_active(power)].mean() / quiet))


def tonality(spectrum: npt.NDArray[np.float64]) -> float:
    """How similar the fine structure of the log spectrum is in active frames 0.16 s apart.

    The result is a mean correlation, -1 to 1.
    """
    low, high = (round(hz * _WINDOW / ANALYSIS_RATE) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    level = 10 * np.log10(spectrum[:, low:high])
    # The ends of the band are repeated. Zeros there would be a step that a quiet sound has and a loud one has not.
    padded = np.pad(level, ((0, 0), (_SMOOTH // 2, _SMOOTH // 2)), mode="edge")
    fine = level - np.apply_along_axis(np.convolve, 1, padded, np.ones(_SMOOTH) / _SMOOTH, "valid")
    active = _active(spectrum.sum(1))
    before, after = fine[:-_LATER], fine[_LATER:]
    both = active[:-_LATER] & active[_LATER:]
    if not both.any():
        return 0.0
    scale = np.sqrt((before**2).sum(1) * (after**2).sum(1)) + _FLOOR
    return float(((before * after).sum(1) / scale)[both].mean())


def _active(power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    active: npt.NDArray[np.bool_] = power >= power.max() * 10 ** (-ACTIVE_RANGE_DB / 10)
    return active


def best_stretch(samples: torch.Tensor, sample_rate: int, shortest_s: float, longest_s: float) -> torch.Tensor:
    """The part of ``samples`` [n] with the most speech in it that is as long as the two bounds say.

    It begins and ends in pauses where the sound has such pauses, and is the whole sound if that is no longer than
    ``longest_s``. Of stretches that are equally full of speech it is the longest.
    """
    if len(samples) <= longest_s * sample_rate:
        return samples
    active = active_frames(samples, sample_rate)
    spoken = torch.nn.functional.pad(active.cumsum(0), (1, 0)).tolist()
    pauses = [(a, b) for a, b in runs(~active) if (b - a) * FRAME_S >= _PAUSE_S]
    left = round(_PAUSE_S / FRAME_S / 2)  # the frames of a pause that stay on each side of the speech
    starts, ends = [0, *(b - left for _, b in pauses)], [*(a + left for a, _ in pauses), len(active)]
    pairs = [(a, b) for a in starts for b in ends if shortest_s <= (b - a) * FRAME_S <= longest_s]
    if not pairs:  # the reader makes no pause
        length = int(longest_s / FRAME_S)
        pairs = [(start, start + length) for start in range(0, max(1, len(active) - length), 10)]

    def worth(pair: tuple[int, int]) -> tuple[float, int]:
        length = pair[1] - pair[0]
        return round((spoken[pair[1]] - spoken[pair[0]]) / length, 2), length

    start, end = max(pairs, key=worth)
    frame = len(samples) / len(active)
    return samples[round(start * frame) : round(end * frame)]
