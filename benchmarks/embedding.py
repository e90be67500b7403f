"""A speaker embedding for figures: the network and weights of Resemblyzer 0.1.4 (Apache-2.0).

Only its weights file is used: the package itself needs modules that recent Pythons lack. Install it with
``pip install --no-deps resemblyzer==0.1.4``.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path

import librosa
import numpy as np
import soxr
import torch
from torch import nn

RATE, HOP, FRAMES, STEP = 16000, 160, 160, 77  # 1.6 s windows, 1.3 of them a second
COVERAGE = 0.75  # of a last window that must be sound, else it is left out


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


@lru_cache(maxsize=1)
def _encoder() -> _Encoder:
    spec = importlib.util.find_spec("resemblyzer")
    if spec is None or spec.origin is None:
        raise SystemExit("the embedding is missing: pip install --no-deps resemblyzer==0.1.4")
    state = torch.load(Path(spec.origin).parent / "pretrained.pt", map_location="cpu", weights_only=True)["model_state"]
    encoder = _Encoder().eval()
    encoder.load_state_dict({k: v for k, v in state.items() if not k.startswith("similarity")})
    return encoder


def window_starts(samples: int) -> list[int]:
    """First frames of the windows over a clip, at least one; the package's own rule."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - FRAMES + STEP + 1), STEP))
    if len(starts) > 1 and (samples / HOP - starts[-1]) / FRAMES < COVERAGE:
        starts.pop()
    return starts


@torch.inference_mode()
def embed(samples: torch.Tensor, sample_rate: int) -> np.ndarray:  # type: ignore[type-arg]
    """A unit vector [256] of who speaks in ``samples`` [n]."""
    wave = samples.numpy()
    if sample_rate != RATE:
        wave = soxr.resample(wave, sample_rate, RATE)
    # The mels are not logarithmic, so level matters: all clips get one, where the package raises quiet ones only.
    level = 10 * np.log10(np.mean(wave**2) + 1e-12)
    wave = wave * 10 ** ((-30 - level) / 20)
    starts = window_starts(len(wave))
    wave = np.pad(wave, (0, max(0, (starts[-1] + FRAMES) * HOP - len(wave))))
    mel = librosa.feature.melspectrogram(y=wave, sr=RATE, n_fft=400, hop_length=HOP, n_mels=40).astype(np.float32).T
    windows = torch.from_numpy(np.stack([mel[s : s + FRAMES] for s in starts]))
    mean = _encoder()(windows).mean(0).numpy()
    return mean / np.linalg.norm(mean)
