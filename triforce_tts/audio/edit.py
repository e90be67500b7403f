"""Small pure edits of mono float32 samples [n]."""

from collections.abc import Sequence

import torch

LEVEL_DB = -23.0  # dBFS of active speech that the networks hear and speak at
_FRAME_S = 0.02
_ACTIVE_RANGE_DB = 35.0  # frames this far below the loudest are pauses
_PEAK = 0.97


def frame_levels_db(samples: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """RMS level of each 20 ms frame, dBFS, [frames]; a started last frame counts, silence is -120."""
    size = max(1, round(_FRAME_S * sample_rate))
    padded = torch.nn.functional.pad(samples, (0, -len(samples) % size))
    power = padded.reshape(-1, size).square().mean(dim=1)
    return 10.0 * power.clamp_min(1e-12).log10()


def _is_active(levels: torch.Tensor) -> torch.Tensor:
    return levels > max(float(levels.max()) - _ACTIVE_RANGE_DB, -90.0)


def active_level_db(samples: torch.Tensor, sample_rate: int) -> float:
    """RMS level of the frames that hold speech, dBFS; -120 for silence."""
    levels = frame_levels_db(samples, sample_rate)
    active = levels[_is_active(levels)]
    if len(active) == 0:
        return -120.0
    return float(10.0 * (10.0 ** (active / 10.0)).mean().log10())


def normalize_level(
    samples: torch.Tensor, sample_rate: int, target_db: float = LEVEL_DB
) -> tuple[torch.Tensor, float]:
    """``samples`` with their speech at ``target_db`` dBFS, and the gain in dB; less where a peak would clip.

    Silence is left alone.
    """
    level = active_level_db(samples, sample_rate)
    peak = float(samples.abs().max()) if len(samples) else 0.0
    if level <= -90.0 or peak == 0.0:
        return samples, 0.0
    gain = min(10.0 ** ((target_db - level) / 20.0), _PEAK / peak)
    return samples * gain, float(20.0 * torch.tensor(gain).log10())


def first_speech(samples: torch.Tensor, sample_rate: int, max_seconds: float) -> torch.Tensor:
    """The first ``max_seconds`` of speech: silence at the ends is cut, pauses are kept to 0.2 s."""
    size = max(1, round(_FRAME_S * sample_rate))
    active = _is_active(frame_levels_db(samples, sample_rate))
    keep_frames = round(0.1 / _FRAME_S)
    near = torch.nn.functional.max_pool1d(active[None].float(), 2 * keep_frames + 1, 1, keep_frames)[0] > 0
    mask = near.repeat_interleave(size)[: len(samples)]
    return samples[mask][: round(max_seconds * sample_rate)]


def trim_silence(samples: torch.Tensor, sample_rate: int, keep_s: float = 0.05) -> torch.Tensor:
    """``samples`` without silence at the ends, but for ``keep_s`` seconds."""
    size = max(1, round(_FRAME_S * sample_rate))
    active = _is_active(frame_levels_db(samples, sample_rate)).nonzero()
    if len(active) == 0:
        return samples[:0]
    keep = round(keep_s * sample_rate)
    start = max(0, int(active[0]) * size - keep)
    return samples[start : min(len(samples), (int(active[-1]) + 1) * size + keep)]


def fade_ends(samples: torch.Tensor, sample_rate: int, seconds: float = 0.01) -> torch.Tensor:
    """``samples`` rising from and falling to zero over ``seconds`` (raised cosine), so that a joint does not click."""
    n = min(round(seconds * sample_rate), len(samples) // 2)
    if n == 0:
        return samples
    ramp = 0.5 - 0.5 * torch.cos(torch.pi * (torch.arange(n) + 0.5) / n)
    faded = samples.clone()
    faded[:n] *= ramp
    faded[-n:] *= ramp.flip(0)
    return faded


def join(pieces: Sequence[torch.Tensor], pauses_s: Sequence[float], sample_rate: int) -> torch.Tensor:
    """``pieces`` with faded ends, each followed by its pause in seconds (the last one's too)."""
    parts: list[torch.Tensor] = []
    for piece, pause in zip(pieces, pauses_s, strict=True):
        parts += [fade_ends(piece, sample_rate), torch.zeros(round(pause * sample_rate))]
    return torch.cat(parts) if parts else torch.zeros(0)


def bandwidth_hz(samples: torch.Tensor, sample_rate: int) -> int:
    """The highest frequency with energy: last bin above peak - 50 dB of the mean power spectrum (512-point frames)."""
    n_fft = 512
    if len(samples) < n_fft:
        samples = torch.nn.functional.pad(samples, (0, n_fft - len(samples)))
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(samples, n_fft, n_fft // 2, window=window, center=False, return_complex=True)
    power = spectrum.abs().square().mean(dim=1)
    loud = (power > power.max() * 1e-5).nonzero()
    return int(int(loud[-1]) * sample_rate / n_fft) if len(loud) and float(power.max()) > 0 else 0
