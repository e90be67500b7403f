"""The vector of a speaker: the GE2E network of Resemblyzer 0.1.4 (Wan et al., arXiv 1710.10467), with its weights.

Only the weights file of its wheel is used (Apache-2.0): the package itself needs modules that recent Pythons lack.
Install it with ``pip install --no-deps resemblyzer==0.1.4``.
"""

import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.judges.networks import packaged_file

Vectors = npt.NDArray[np.float32]

N_FFT, HOP, N_MELS = 400, 160, 40  # 25 ms, 10 ms; from hparams.py of the package
WINDOW = 160  # frames that the network hears at a time
STEP = 77  # frames from one window to the next, which gives 1.3 windows a second; the package's default
LEVEL_DB = -30.0  # RMS, dBFS
# The last window is left out if a smaller share of it is sound.
COVERAGE = 0.75
BATCH = 64  # windows in a batch
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
PACKAGE = "resemblyzer"
INSTALL = "pip install --no-deps resemblyzer==0.1.4"


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(N_MELS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


@lru_cache(maxsize=1)
def _encoder() -> _Encoder:
    content = packaged_file(PACKAGE, "pretrained.pt", WEIGHTS_SHA256, INSTALL)
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)["model_state"]
    encoder = _Encoder().eval()
    encoder.load_state_dict({name: value for name, value in state.items() if not name.startswith("similarity")})
    return encoder


@lru_cache(maxsize=1)
def _filters() -> torch.Tensor:
    """Slaney's mel filters [201, 40], librosa's default."""
    from torchaudio.functional import melscale_fbanks

    filters: torch.Tensor = melscale_fbanks(
        N_FFT // 2 + 1, 0.0, ANALYSIS_RATE / 2, N_MELS, ANALYSIS_RATE, "slaney", "slaney"
    )
    return filters


def mel_power(wave: Wave) -> torch.Tensor:
    """The linear mel power [frames, 40] of ``wave`` [n] at 16 kHz, on which the network was trained."""
    spectrum = torch.stft(
        torch.from_numpy(wave), N_FFT, HOP, window=torch.hann_window(N_FFT), pad_mode="constant", return_complex=True
    )
    return spectrum.abs().square().T @ _filters()


def window_starts(samples: int, step: int = STEP) -> list[int]:
    """The first frames of the windows over ``samples`` at 16 kHz, at least one, by the package's own rule."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - WINDOW + step + 1), step))
    if len(starts) > 1 and (samples / HOP - starts[-1]) / WINDOW < COVERAGE:
        starts.pop()
    return starts


@torch.inference_mode()
def embed_windows(waves: Sequence[Wave], step: int = STEP) -> list[Vectors]:
    """For each of ``waves`` [n] at 16 kHz, unit vectors [windows, 256]: one for 1.6 s at each of ``window_starts``.

    Raises:
        TriforceError: the weights are not installed, or are not those that are known.
    """
    encoder = _encoder()
    windows: list[torch.Tensor] = []
    counts: list[int] = []
    for wave in waves:
        # The mels are not logarithmic, so the level matters. All clips get the same level here, while the package only
        # raises that of quiet ones.
        level = 10 * np.log10(np.mean(wave**2, dtype=np.float64) + 1e-12) if len(wave) else LEVEL_DB
        starts = window_starts(len(wave), step)
        missing = max(0, (starts[-1] + WINDOW) * HOP - len(wave))
        mel = mel_power(np.pad(wave * np.float32(10 ** ((LEVEL_DB - level) / 20)), (0, missing)))
        windows += [mel[start : start + WINDOW] for start in starts]
        counts.append(len(starts))
    if not windows:
        return []
    vectors = torch.cat([encoder(torch.stack(windows[i : i + BATCH])) for i in range(0, len(windows), BATCH)]).numpy()
    return [np.asarray(part, np.float32) for part in np.split(vectors, np.cumsum(counts)[:-1])]


def mean_vector(vectors: Vectors) -> Vectors:
    """The unit vector [256] in the middle of ``vectors`` [n, 256]: the voice that they have in common."""
    mean = vectors.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def embed(samples: torch.Tensor, sample_rate: int) -> Vectors:
    """The unit vector [256] of the speaker in ``samples`` [n].

    Raises:
        TriforceError: the same as for ``embed_windows``.
    """
    return mean_vector(embed_windows([resample(samples.numpy(), sample_rate, ANALYSIS_RATE)])[0])
