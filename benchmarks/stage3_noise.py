"""The part of ``benchmarks.stage3 inversion`` about noise.

It has the way back from the noise, the distance of the noise from white noise, and a picture of it.
"""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.sampling.diffusion import uniform_times


def forward(predict: Any, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """The inverse of ``invert_euler``, whose last step is only a scaling."""
    times: list[float] = uniform_times(steps).tolist()
    x = noise
    for now, after in pairwise(times[:-1]):
        clean = predict(x, torch.full((len(x),), now))
        x = x + (clean - x) * ((after - now) / (1.0 - now))
    return x / times[-2]


def grain(white: torch.Tensor) -> torch.Tensor:
    """The values of whitened noise that are compared.

    They are real values as they are, and the log-magnitude of complex values, which no turn of the phase changes.
    """
    return white.abs().clamp_min(1e-3).log() if white.is_complex() else white


def structure(white: torch.Tensor, loud: torch.Tensor) -> dict[str, float]:
    """How far whitened noise [frames, bins] is from white noise, and its correlation with the log-magnitudes of speech."""
    parts = torch.view_as_real(white).flatten() * 2**0.5 if white.is_complex() else white.flatten()
    texture = grain(white)
    return {
        "deviation": float(parts.std()),
        "excess kurtosis": float(((parts - parts.mean()) / parts.std()).pow(4).mean() - 3),
        "correlation with the speech": correlation(texture, loud),
        "with the next frame": correlation(texture[1:], texture[:-1]),
        "with the frame after four": correlation(texture[4:], texture[:-4]),
        "with the next bin": correlation(texture[:, 1:], texture[:, :-1]),
    }


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Pearson's correlation of all numbers in two tensors of the same shape."""
    return float(torch.corrcoef(torch.stack((one.flatten(), other.flatten())))[0, 1])


def draw(panels: dict[str, torch.Tensor], file: Path, audio: AudioConfig) -> None:
    """A PNG with spectrograms [frames, bins] one above the other, each scaled by its own standard deviation."""
    import matplotlib
    from PIL import Image

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(panels), 1, figsize=(7, 6), layout="constrained", sharex=True)
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        extent = (0, audio.seconds(len(panel)), 0, audio.sample_rate / 2000)
        middle, width = float(panel.mean()), 2.5 * float(panel.std())
        axis.imshow(
            panel.T, origin="lower", aspect="auto", extent=extent, cmap="gray", vmin=middle - width, vmax=middle + width
        )
        axis.set(title=title, ylabel="kHz")
    axes[-1].set_xlabel("seconds")
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=60)
    # A picture of noise hardly compresses, so it has few grey levels.
    Image.open(drawn).convert("L").quantize(16).save(file, optimize=True)
